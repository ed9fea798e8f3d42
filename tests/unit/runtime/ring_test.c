/* Rings hold what they promise, in order, and lose and double nothing between threads. */

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "runtime/ring.h"

enum { PUSHERS = 3, POPPERS = 3, EACH = 20000, ITEMS = PUSHERS * EACH, SMALL_RING = 60 };

/* Plain fields, written before the push and read after the pop: ThreadSanitizer watches the
 * hand-over. */
struct item {
    uint32_t pusher;
    uint32_t number;
    uint32_t popped;
};

static struct item      items[ITEMS];
static struct ring     *ring;
static _Atomic uint32_t taken;
static bool (*push)(struct ring *, void *);

static void a_ring_holds_at_least_what_was_asked_and_refuses_when_full(void **state)
{
    (void)state;
    for (uint32_t asked = 1; asked <= 130; asked++) {
        struct ring *r = ring_new(asked);
        uint32_t     count = 0;

        while (ring_push_mpsc(r, &items[count]))
            assert_int_equal(ring_count(r), ++count);
        assert_true(count >= asked && count <= 2 * asked + 2);
        for (uint32_t i = 0; i < count; i++)
            assert_ptr_equal(ring_pop_mpsc(r), &items[i]);
        assert_null(ring_pop_mpsc(r));
        ring_free(&r);
        assert_null(r);
    }
    ring_free(&(struct ring *){NULL});
}

static void items_come_out_in_the_order_they_went_in_also_around_the_end(void **state)
{
    struct ring *r = ring_new(5);
    uint32_t     in = 0;
    uint32_t     out = 0;

    (void)state;
    for (uint32_t round = 0; round < 100; round++) {
        for (uint32_t i = 0; i < 1 + round % 5; i++)
            assert_true(ring_push_mpmc(r, &items[in++]));
        assert_int_equal(ring_count(r), in - out);
        while (out < in)
            assert_ptr_equal(ring_pop_mpmc(r), &items[out++]);
        assert_int_equal(ring_count(r), 0);
        assert_null(ring_pop_mpmc(r));
    }
    ring_free(&r);
}

static void push_all(void *argument)
{
    uint32_t pusher = *(const uint32_t *)argument;

    for (uint32_t i = 0; i < EACH; i++) {
        struct item *item = &items[pusher * EACH + i];

        *item = (struct item){.pusher = pusher, .number = i};
        while (!push(ring, item))
            (void)sched_yield();
    }
}

static void pop_until_all_are_out(void *argument)
{
    (void)argument;
    while (atomic_load(&taken) < ITEMS) {
        struct item *item = ring_pop_mpmc(ring);

        if (item == NULL) {
            (void)sched_yield();
            continue;
        }
        item->popped++;
        atomic_fetch_add(&taken, 1);
    }
}

static struct sl_thread *start(sl_thread_main body, void *argument)
{
    struct sl_threads *threads = sl_env_os()->threads;
    struct sl_thread  *thread = NULL;

    assert_int_equal(threads->start(threads, "ring", body, argument, &thread, NULL), SL_OK);
    return thread;
}

static void join(struct sl_thread *thread)
{
    sl_env_os()->threads->join(sl_env_os()->threads, &thread);
}

static void many_pushers_and_one_popper_lose_nothing_and_keep_each_ones_order(void **state)
{
    struct sl_thread *threads[PUSHERS];
    uint32_t          index[PUSHERS];
    uint32_t          next[PUSHERS] = {0};

    (void)state;
    ring = ring_new(SMALL_RING);
    push = ring_push_mpsc;
    for (uint32_t i = 0; i < PUSHERS; i++) {
        index[i] = i;
        threads[i] = start(push_all, &index[i]);
    }
    for (uint32_t count = 0; count < ITEMS;) {
        struct item *item = ring_pop_mpsc(ring);

        if (item == NULL) {
            (void)sched_yield();
            continue;
        }
        assert_int_equal(item->number, next[item->pusher]++);
        count++;
    }
    for (uint32_t i = 0; i < PUSHERS; i++)
        join(threads[i]);
    assert_null(ring_pop_mpsc(ring));
    ring_free(&ring);
}

static void many_pushers_and_many_poppers_move_each_item_once(void **state)
{
    struct sl_thread *threads[PUSHERS + POPPERS];
    uint32_t          index[PUSHERS];

    (void)state;
    ring = ring_new(SMALL_RING);
    push = ring_push_mpmc;
    atomic_store(&taken, 0);
    for (uint32_t i = 0; i < POPPERS; i++)
        threads[PUSHERS + i] = start(pop_until_all_are_out, NULL);
    for (uint32_t i = 0; i < PUSHERS; i++) {
        index[i] = i;
        threads[i] = start(push_all, &index[i]);
    }
    for (uint32_t i = 0; i < PUSHERS + POPPERS; i++)
        join(threads[i]);
    assert_int_equal(atomic_load(&taken), ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_int_equal(items[i].popped, 1);
    assert_int_equal(ring_count(ring), 0);
    ring_free(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_holds_at_least_what_was_asked_and_refuses_when_full),
        cmocka_unit_test(items_come_out_in_the_order_they_went_in_also_around_the_end),
        cmocka_unit_test(many_pushers_and_one_popper_lose_nothing_and_keep_each_ones_order),
        cmocka_unit_test(many_pushers_and_many_poppers_move_each_item_once),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
