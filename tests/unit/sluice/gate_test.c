/* The gate against an oracle that looks at all records each time, over random recordings and random
 * orders of answers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "sluice/gate.h"

enum { RECORDS_MAX = 60, ROUNDS = 500 };

struct world {
    struct sl_prng       prng;
    struct corpus_record records[RECORDS_MAX];
    struct corpus        corpus;
    bool                 answered[RECORDS_MAX];
};

/* A commit or rollback for a prewrite that has none yet, or false. */
static bool finish_one(struct world *w, struct corpus_record *record)
{
    uint32_t start = (uint32_t)sl_prng_below(&w->prng, w->corpus.count);

    for (uint32_t step = 0; step < w->corpus.count; step++) {
        uint32_t i = (start + step) % w->corpus.count;
        bool     finished = w->records[i].type != SL_RECORD_PREWRITE;

        for (uint32_t j = i + 1; j < w->corpus.count; j++)
            finished = finished || w->records[j].prewrite == i;
        if (finished)
            continue;
        record->prewrite = i;
        if (sl_prng_below(&w->prng, 5) == 0) {
            record->type = SL_RECORD_ROLLBACK;
            w->corpus.rollbacks++;
        } else { /* now and then two commits have the same ts */
            record->type = SL_RECORD_COMMIT;
            record->commit_ts = (sl_ts)(1000 + 2 * sl_prng_below(&w->prng, 60));
            w->corpus.commits++;
        }
        return true;
    }
    return false;
}

static void world_fill(struct world *w, uint64_t seed)
{
    uint32_t count;

    memset(w, 0, sizeof *w);
    sl_prng_seed(&w->prng, seed);
    w->corpus.records = w->records;
    count = 1 + (uint32_t)sl_prng_below(&w->prng, RECORDS_MAX);
    while (w->corpus.count < count) {
        struct corpus_record *record = &w->records[w->corpus.count];

        if (w->corpus.count == 0 || sl_prng_below(&w->prng, 2) == 0 || !finish_one(w, record)) {
            record->type = SL_RECORD_PREWRITE;
            record->prewrite = w->corpus.count;
            w->corpus.prewrites++;
        }
        w->corpus.count++;
    }
}

static bool oracle_may_send(const struct world *w, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (w->records[i].type == SL_RECORD_PREWRITE && !w->answered[i] &&
            w->records[index].type != SL_RECORD_PREWRITE)
            return false;
    }
    return true;
}

static struct gate_drive oracle_drive(const struct world *w)
{
    struct gate_drive drive = {.floor = 0, .ceiling = INT64_MAX};
    sl_ts             last = 0;

    for (uint32_t i = 0; i < w->corpus.count; i++) {
        const struct corpus_record *record = &w->records[i];

        if (record->type != SL_RECORD_COMMIT)
            continue;
        last = record->commit_ts > last ? record->commit_ts : last;
        if (!w->answered[record->prewrite] && record->commit_ts < drive.ceiling)
            drive.ceiling = record->commit_ts;
    }
    drive.ceiling = drive.ceiling == INT64_MAX ? last + 1 : drive.ceiling;
    for (uint32_t i = 0; i < w->corpus.count; i++) {
        sl_ts ts = w->records[i].commit_ts;

        if (ts < drive.ceiling && ts > drive.floor)
            drive.floor = ts;
    }
    return drive;
}

static void compare(const struct world *w, const struct gate *gate)
{
    for (uint32_t i = 0; i < w->corpus.count; i++)
        assert_int_equal(gate_may_send(gate, i), oracle_may_send(w, i));
    if (w->corpus.commits > 0) {
        assert_int_equal(gate_drive(gate).ceiling, oracle_drive(w).ceiling);
        assert_int_equal(gate_drive(gate).floor, oracle_drive(w).floor);
    }
}

static void gate_and_drive_follow_the_definition_whatever_the_order_of_answers(void **state)
{
    static struct world w;

    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct gate gate;

        world_fill(&w, seed);
        gate = gate_new(&w.corpus);
        compare(&w, &gate);
        while (gate.unanswered > 0) {
            uint32_t i = (uint32_t)sl_prng_below(&w.prng, w.corpus.count);

            if (w.records[i].type != SL_RECORD_PREWRITE)
                continue;
            w.answered[i] = true;
            gate_answer(&gate, i);
            compare(&w, &gate);
        }
        assert_true(gate_may_send(&gate, w.corpus.count - 1));
        gate_free(&gate);
    }
}

static void a_recording_without_commits_has_no_commit_ts(void **state)
{
    struct corpus_record record = {.type = SL_RECORD_PREWRITE};
    struct corpus        corpus = {.records = &record, .count = 1, .prewrites = 1};
    struct gate          gate = gate_new(&corpus);

    (void)state;
    assert_int_equal(gate_first_commit(&gate), 0);
    assert_int_equal(gate_last_commit(&gate), 0);
    assert_true(gate_may_send(&gate, 0));
    gate_answer(&gate, 0);
    assert_int_equal(gate.unanswered, 0);
    gate_free(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_and_drive_follow_the_definition_whatever_the_order_of_answers),
        cmocka_unit_test(a_recording_without_commits_has_no_commit_ts),
    };

    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
