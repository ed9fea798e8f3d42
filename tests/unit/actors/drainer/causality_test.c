/* The causality table against a naive model: a list of all that is in flight. Random parts, few
 * keys, so that each is met again while its part is in flight and after it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/causality.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/prng.h"

enum { WORKERS = 5, KEYS = 400, KEYS_OF_PART = 12, PARTS_MAX = 64, ROUNDS = 20000 };

/* A part as the model keeps it: the keys that it touches. */
struct part {
    uint64_t keys[KEYS_OF_PART * 2];
    uint32_t count;
};

/* Of one worker: given parts in flight, and behind them the one that is being filled. */
struct queue {
    struct part parts[PARTS_MAX + 1];
    uint32_t    given;
};

static struct queue        queues[WORKERS];
static struct sl_causality table;
static struct sl_prng      dice;
static const uint64_t      salt = 77; /* keys are hashes */

static uint64_t draw_key(void)
{
    return sl_hash_u64(salt + sl_prng_below(&dice, KEYS));
}

static bool touches(const struct queue *queue, uint64_t key)
{
    for (uint32_t i = 0; i <= queue->given; i++) {
        for (uint32_t j = 0; j < queue->parts[i].count; j++) {
            if (queue->parts[i].keys[j] == key)
                return true;
        }
    }
    return false;
}

/* Which workers have one of the keys, also in the part being filled. The table forgets a worker
 * that had the key when another one takes it over, which nobody may do while it is in flight. */
static int64_t naive_owner(const uint64_t *keys, uint32_t count)
{
    int64_t owner = SL_CAUSALITY_NOBODY;

    for (uint32_t i = 0; i < count; i++) {
        for (int64_t w = 0; w < WORKERS; w++) {
            if (!touches(&queues[w], keys[i]))
                continue;
            if (owner != SL_CAUSALITY_NOBODY && owner != w)
                return SL_CAUSALITY_SEVERAL;
            owner = w;
        }
    }
    return owner;
}

static void give(uint32_t worker)
{
    struct queue *queue = &queues[worker];

    if (queue->given == PARTS_MAX || queue->parts[queue->given].count == 0)
        return;
    sl_causality_given(&table, worker);
    queue->parts[++queue->given].count = 0;
}

static void finish_oldest(uint32_t worker)
{
    struct queue *queue = &queues[worker];

    if (queue->given == 0)
        return;
    sl_causality_applied(&table, worker);
    memmove(queue->parts, queue->parts + 1, queue->given * sizeof queue->parts[0]);
    queue->given--;
}

static void touch(void)
{
    uint64_t     keys[2];
    uint32_t     count = 1 + (uint32_t)sl_prng_below(&dice, 2);
    int64_t      owner;
    struct part *part;

    for (uint32_t i = 0; i < count; i++)
        keys[i] = draw_key();
    owner = sl_causality_owner(&table, keys, count);
    assert_int_equal(owner, naive_owner(keys, count));
    if (owner == SL_CAUSALITY_SEVERAL)
        return;
    if (owner == SL_CAUSALITY_NOBODY)
        owner = (int64_t)sl_prng_below(&dice, WORKERS);
    part = &queues[owner].parts[queues[owner].given];
    if (part->count + count > KEYS_OF_PART)
        give((uint32_t)owner);
    part = &queues[owner].parts[queues[owner].given];
    if (part->count + count > KEYS_OF_PART)
        return; /* it has all the parts it may have */
    sl_causality_add(&table, (uint32_t)owner, keys, count);
    memcpy(part->keys + part->count, keys, count * sizeof keys[0]);
    part->count += count;
}

static void a_key_in_flight_names_its_worker_as_the_naive_model_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        sl_prng_seed(&dice, seed);
        memset(queues, 0, sizeof queues);
        sl_causality_init(&table, WORKERS);
        for (unsigned i = 0; i < ROUNDS; i++) {
            uint32_t worker = (uint32_t)sl_prng_below(&dice, WORKERS);

            switch (sl_prng_below(&dice, 10)) {
            case 0: give(worker); break;
            case 1: finish_oldest(worker); break;
            default: touch(); break;
            }
            assert_int_equal(sl_causality_open(&table, worker), queues[worker].given);
        }
        sl_causality_done(&table);
    }
}

static void entries_of_the_applied_take_no_room_for_good(void **state)
{
    (void)state;
    sl_causality_init(&table, 1);
    for (uint64_t i = 0; i < (uint64_t)SL_CAUSALITY_ROOM_MIN * 20; i++) {
        uint64_t key = sl_hash_u64(i);

        sl_causality_add(&table, 0, &key, 1);
        sl_causality_given(&table, 0);
        sl_causality_applied(&table, 0);
    }
    assert_int_equal(table.room, SL_CAUSALITY_ROOM_MIN);
    sl_causality_done(&table);
}

static void it_grows_with_what_is_in_flight_and_loses_nothing(void **state)
{
    uint64_t count = (uint64_t)SL_CAUSALITY_ROOM_MIN * 4;

    (void)state;
    sl_causality_init(&table, 3);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t key = sl_hash_u64(i);

        sl_causality_add(&table, (uint32_t)(i % 3), &key, 1);
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t key = sl_hash_u64(i);

        assert_int_equal(sl_causality_owner(&table, &key, 1), i % 3);
    }
    assert_true(table.room >= count * 2);
    sl_causality_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_in_flight_names_its_worker_as_the_naive_model_does),
        cmocka_unit_test(entries_of_the_applied_take_no_room_for_good),
        cmocka_unit_test(it_grows_with_what_is_in_flight_and_loses_nothing),
    };

    return cmocka_run_group_tests_name("causality", tests, NULL, NULL);
}
