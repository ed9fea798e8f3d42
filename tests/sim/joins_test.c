/* The three joins under exhausted credits, some hundred seeds each: all that goes in comes out, in
 * order, and nothing stands still. And the same joins with one line for all inputs, which must
 * stand still: else these tests could not fail. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/child.h"
#include "sim/joins.h"

enum { SEEDS_DEFAULT = 200, SEEDS_SHARED = 20 };

static void check_seed(enum joins_kind kind, uint64_t seed)
{
    struct sim_run     run = joins_run(kind, false, seed);
    struct joins_seen *seen = &joins_seen;

    if (run.err == SL_OK && seen->made > 0 && seen->emitted == seen->made && seen->disorder == 0)
        return;
    print_error("join %d, seed %llu: %s; %llu made, %llu emitted, %llu out of order\n", (int)kind,
                (unsigned long long)seed, run.err == SL_OK ? "ended" : run.why.text,
                (unsigned long long)seen->made, (unsigned long long)seen->emitted,
                (unsigned long long)seen->disorder);
    sim_print_replay();
    fail();
}

static void check_join(enum joins_kind kind)
{
    struct sim_seeds  seeds = sim_seeds(SEEDS_DEFAULT);
    struct joins_seen sum = {0};
    uint64_t          exhausted = 0; /* seeds that saw refusals */

    for (uint64_t i = 0; i < seeds.count; i++) {
        sim_note_seed("joins", seeds.first + i);
        check_seed(kind, seeds.first + i);
        sum.emitted += joins_seen.emitted;
        sum.full += joins_seen.full;
        sum.common += joins_seen.common;
        sum.window_full += joins_seen.window_full;
        exhausted += joins_seen.full > 0;
    }
    print_message("%llu seeds: %llu emitted, %llu refused, %llu from the common pool, %llu waited "
                  "for the reader\n",
                  (unsigned long long)seeds.count, (unsigned long long)sum.emitted,
                  (unsigned long long)sum.full, (unsigned long long)sum.common,
                  (unsigned long long)sum.window_full);
    if (seeds.count < SEEDS_DEFAULT)
        return;
    /* It was as narrow as it was meant to be. */
    assert_true(exhausted > seeds.count * 9 / 10);
    assert_true(sum.common > seeds.count);
    assert_true((sum.window_full > seeds.count) == (kind == JOINS_PULLER));
}

static void a_merger_emits_all_in_order_while_its_inputs_are_full(void **state)
{
    (void)state;
    check_join(JOINS_MERGER);
}

static void a_puller_emits_all_in_order_under_the_window_of_a_slow_reader(void **state)
{
    (void)state;
    check_join(JOINS_PULLER);
}

static void a_gate_restores_the_order_of_decoders_with_few_credits(void **state)
{
    (void)state;
    check_join(JOINS_GATE);
}

/* ---- could the tests fail? ---- */

static enum joins_kind kind_shared;

static void body_shared(void)
{
    for (uint64_t seed = 1; seed <= SEEDS_SHARED; seed++) {
        struct sim_run run = joins_run(kind_shared, true, seed);

        if (run.err == SL_GONE)
            fprintf(stderr, "deadlock: %s\n", run.why.text);
    }
}

static void a_join_whose_inputs_share_their_credits_stands_still(void **state)
{
    (void)state;
    for (kind_shared = JOINS_MERGER; kind_shared <= JOINS_GATE; kind_shared++) {
        const struct child_end *end = child_run(body_shared);

        assert_int_equal(end->signal, 0);
        assert_int_equal(end->exit_code, 0);
        assert_non_null(strstr(end->text, "deadlock: nothing can happen any more"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merger_emits_all_in_order_while_its_inputs_are_full),
        cmocka_unit_test(a_puller_emits_all_in_order_under_the_window_of_a_slow_reader),
        cmocka_unit_test(a_gate_restores_the_order_of_decoders_with_few_credits),
        cmocka_unit_test(a_join_whose_inputs_share_their_credits_stands_still),
    };

    return cmocka_run_group_tests_name("joins", tests, NULL, NULL);
}
