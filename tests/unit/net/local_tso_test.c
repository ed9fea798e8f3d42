/* Timestamps of a local directory are never given twice and never fall: not across processes,
 * kills, power cuts, failing disks and steps of the wall clock. In simulation by seeds, with a disk
 * that lies as the proof that the check can fail; several real processes are in
 * local_processes_test. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "lib/env_sim.h"
#include "net/local.h"

static const char dir[] = "/cluster";

/* One simulated machine with two processes on it. */
struct world {
    struct sl_env_sim   *sim;
    const struct sl_env *env;
    struct sl_local     *local[2];
};

static void open_both(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        struct sl_why why = {0};

        sl_local_free(&w->local[i]);
        if (sl_local_open(w->env, dir, &w->local[i], &why) != SL_OK)
            fail_msg("%s", why.text);
    }
}

static struct world world_new(uint64_t seed, sl_ts first)
{
    struct world w = {.sim = sl_env_sim_new(seed)};

    w.env = sl_env_sim_env(w.sim);
    assert_int_equal(sl_local_init(w.env, dir, 1, first, NULL), SL_OK);
    open_both(&w);
    return w;
}

static void world_free(struct world *w)
{
    sl_local_free(&w->local[0]);
    sl_local_free(&w->local[1]);
    sl_env_sim_free(&w->sim);
}

static sl_ts now(struct world *w, int process, uint32_t count)
{
    struct sl_why why = {0};
    sl_ts         first = 0;

    if (sl_tso_now(sl_local_tso(w->local[process]), count, &first, &why) != SL_OK)
        fail_msg("%s", why.text);
    return first;
}

static int64_t wall_ms(const struct world *w)
{
    return sl_env_wall(w->env) / SL_NANOS_PER_MS;
}

static const sl_nanos second = SL_NANOS_PER_S;

/* ---- time ---- */

static void they_follow_the_wall_clock(void **state)
{
    struct world w = world_new(1, 0);

    (void)state;
    assert_int_equal(now(&w, 0, 1), sl_ts_of_ms(wall_ms(&w)));
    assert_int_equal(now(&w, 1, 3), sl_ts_of_ms(wall_ms(&w)) + 1);
    assert_int_equal(now(&w, 0, 1), sl_ts_of_ms(wall_ms(&w)) + 4);
    sl_env_sim_advance(w.sim, 3600 * second);
    assert_int_equal(now(&w, 1, 1), sl_ts_of_ms(wall_ms(&w)));
    world_free(&w);
}

static void they_begin_where_told_and_run_on_from_there(void **state)
{
    sl_ts        first = INT64_C(412518831548007863);
    struct world w = world_new(1, first);

    (void)state;
    assert_int_equal(now(&w, 0, 2), first);
    assert_int_equal(now(&w, 1, 1), first + 2);
    sl_env_sim_advance(w.sim, 10 * second);
    assert_int_equal(now(&w, 0, 1), sl_ts_of_ms(sl_ts_physical_ms(first) + 10000));
    assert_int_equal(sl_local_init(w.env, dir, 1, first, NULL), SL_OK);
    assert_int_equal(now(&w, 0, 1), sl_ts_of_ms(sl_ts_physical_ms(first) + 10000) + 1);
    world_free(&w);
}

static void they_never_fall_with_the_wall_clock(void **state)
{
    struct world w = world_new(1, 0);
    sl_ts        before = now(&w, 0, SL_TSO_COUNT_MAX);

    (void)state;
    sl_env_sim_set_skew(w.sim, -INT64_C(3600) * SL_NANOS_PER_S);
    assert_int_equal(now(&w, 0, 1), before + SL_TSO_COUNT_MAX);
    sl_env_sim_advance(w.sim, 3599 * second);
    assert_int_equal(now(&w, 1, 1), before + SL_TSO_COUNT_MAX + 1);
    sl_env_sim_advance(w.sim, 2 * second);
    assert_int_equal(now(&w, 1, 1), sl_ts_of_ms(wall_ms(&w)));
    sl_env_sim_set_skew(w.sim, INT64_MIN / 2);
    before = now(&w, 0, 1);
    assert_int_equal(now(&w, 0, 1), before + 1);
    world_free(&w);
}

static void a_clock_beyond_reason_is_refused(void **state)
{
    sl_ts         far = sl_ts_of_ms((INT64_C(1) << 44) - 1);
    struct world  w = world_new(1, far);
    struct sl_why why = {0};
    sl_ts         ts = 0;

    (void)state;
    assert_int_equal(now(&w, 0, 1), far);
    sl_env_sim_advance(w.sim, second);
    assert_int_equal(sl_tso_now(sl_local_tso(w.local[0]), 1, &ts, &why), SL_SYSTEM);
    assert_non_null(strstr(why.text, "past the year 2500"));
    world_free(&w);
}

/* ---- the window ---- */

static void contents(struct world *w, const char *path, uint8_t *out)
{
    struct sl_file *f;
    size_t          got;

    memset(out, 0, 128);
    assert_int_equal(sl_fs_open(w->env->fs, path, SL_OPEN_READ, &f, NULL), SL_OK);
    assert_int_equal(sl_file_read_at(f, 0, out, 128, &got, NULL), SL_OK);
    assert_int_equal(got, 88);
    sl_file_close(&f);
}

static void most_answers_need_no_sync(void **state)
{
    struct world w = world_new(1, 0);
    unsigned     changes = 0;
    uint8_t      before[128];
    uint8_t      after[128];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        contents(&w, "/cluster/tso", before);
        (void)now(&w, i % 2, 5);
        contents(&w, "/cluster/tso", after);
        changes += memcmp(before, after, sizeof before) != 0;
        sl_env_sim_advance(w.sim, 20 * SL_NANOS_PER_MS);
    }
    assert_in_range(changes, 6, 8); /* 20 s in windows of 3 s */
    world_free(&w);
}

static void a_power_cut_costs_at_most_a_window(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct world w = world_new(seed, 0);
        sl_ts        last = 0;
        sl_ts        next;

        for (int i = 0; i < 20; i++) {
            last = now(&w, 0, 1);
            sl_env_sim_advance(w.sim, 300 * SL_NANOS_PER_MS);
        }
        sl_env_sim_power_cut(w.sim);
        sl_env_sim_set_skew(w.sim, -INT64_C(3600) * SL_NANOS_PER_S);
        next = now(&w, 1, 1);
        assert_true(next > last);
        assert_true(sl_ts_physical_ms(next) <= sl_ts_physical_ms(last) + SL_TSO_WINDOW_MS);
        world_free(&w);
    }
}

static void kills_cost_nothing(void **state)
{
    struct world w = world_new(1, 0);
    sl_ts        last = now(&w, 0, 1);

    (void)state;
    open_both(&w);
    assert_int_equal(now(&w, 1, 1), last + 1);
    world_free(&w);
}

/* ---- damage ---- */

static void spoil(struct world *w, const char *path, uint64_t at)
{
    struct sl_file *f;
    uint8_t         byte;
    size_t          got;

    assert_int_equal(sl_fs_open(w->env->fs, path, SL_OPEN_READ | SL_OPEN_WRITE, &f, NULL), SL_OK);
    assert_int_equal(sl_file_read_at(f, at, &byte, 1, &got, NULL), SL_OK);
    byte ^= 0x10;
    assert_int_equal(sl_file_write_at(f, at, &byte, 1, NULL), SL_OK);
    sl_file_close(&f);
}

static void every_bad_byte_of_the_present_state_is_seen_and_survived(void **state)
{
    struct world    w = world_new(1, 0);
    sl_ts           last = now(&w, 0, 1);
    struct sl_file *f;

    (void)state;
    for (uint64_t at = 0; at <= 88; at++) {
        sl_ts next;

        spoil(&w, "/cluster/tso.now", at); /* the last one makes it too long */
        next = now(&w, 1, 1);
        assert_true(next > last);
        last = next;
        assert_int_equal(sl_fs_remove(w.env->fs, "/cluster/tso.now", NULL), SL_OK);
        next = now(&w, 1, 1);
        assert_true(next > last);
        last = next;
    }
    assert_int_equal(sl_fs_create(w.env->fs, "/cluster/tso.now", &f, NULL), SL_OK);
    sl_file_close(&f);
    assert_true(now(&w, 0, 1) > last);
    world_free(&w);
}

static void a_damaged_window_is_refused_until_somebody_decides(void **state)
{
    struct world   w = world_new(1, 0);
    struct sl_tso *tso = sl_local_tso(w.local[0]);
    sl_ts          last = now(&w, 0, 1);
    struct sl_why  why = {0};
    sl_ts          ts = 0;

    (void)state;
    for (uint64_t at = 0; at < 88; at++) {
        sl_env_sim_power_cut(w.sim);
        spoil(&w, "/cluster/tso", at);
        assert_int_equal(sl_tso_now(tso, 1, &ts, &why), SL_CORRUPT);
        assert_non_null(strstr(why.text, "/cluster/tso is damaged"));
        assert_non_null(strstr(why.text, "'sluice init local:/cluster' a --tso above"));
        spoil(&w, "/cluster/tso", at);
    }
    assert_int_equal(sl_fs_remove(w.env->fs, "/cluster/tso", NULL), SL_OK);
    assert_int_equal(sl_tso_now(tso, 1, &ts, &why), SL_CORRUPT);
    assert_non_null(strstr(why.text, "/cluster/tso is missing"));
    assert_int_equal(sl_local_init(w.env, dir, 1, 0, &why), SL_INVALID);
    assert_non_null(strstr(why.text, "give a --tso above every commit ts"));
    assert_int_equal(sl_local_init(w.env, dir, 1, last + 1000, NULL), SL_OK);
    assert_int_equal(now(&w, 0, 1), last + 1000);
    world_free(&w);
}

static void a_full_disk_gives_none_and_loses_none(void **state)
{
    struct world w = world_new(1, 0);
    sl_ts        last = now(&w, 0, 1);
    sl_ts        ts = 0;

    (void)state;
    sl_env_sim_advance(w.sim, 10 * second);
    sl_env_sim_disk(w.sim)->quota_bytes = 1;
    assert_int_equal(sl_tso_now(sl_local_tso(w.local[0]), 1, &ts, NULL), SL_NOSPACE);
    assert_int_equal(ts, 0);
    sl_env_sim_disk(w.sim)->quota_bytes = 1 << 20;
    assert_true(now(&w, 0, 1) > last);
    world_free(&w);
}

/* ---- by seeds ---- */

struct story {
    struct world   w;
    struct sl_prng dice;
    sl_ts          greatest; /* given so far */
    bool           fell;
};

static void ask(struct story *s)
{
    uint32_t    count = (uint32_t)sl_prng_range(&s->dice, 1, 1000);
    int         process = (int)sl_prng_range(&s->dice, 0, 1);
    sl_ts       first = 0;
    enum sl_err err = sl_tso_now(sl_local_tso(s->w.local[process]), count, &first, NULL);

    if (err != SL_OK)
        return;
    s->fell = s->fell || first <= s->greatest;
    s->greatest = first + count - 1;
}

static void cut_power(struct story *s)
{
    sl_env_sim_fail_nth(s->w.sim, 0, 0, SL_OK);
    sl_env_sim_power_cut(s->w.sim);
    open_both(&s->w);
}

static void step(struct story *s)
{
    int64_t hours = (int64_t)sl_prng_range(&s->dice, 0, 4) - 2;

    switch (sl_prng_range(&s->dice, 0, 7)) {
    case 0: sl_env_sim_advance(s->w.sim, sl_prng_range(&s->dice, 0, 5000) * SL_NANOS_PER_MS); break;
    case 1: sl_env_sim_set_skew(s->w.sim, hours * 3600 * SL_NANOS_PER_S); break;
    case 2: open_both(&s->w); break;
    case 3: /* the machine dies in the middle of a call */
        sl_env_sim_fail_nth(s->w.sim, sl_prng_range(&s->dice, 1, 20), UINT64_MAX, SL_IO);
        ask(s);
        ask(s);
        cut_power(s);
        break;
    case 4: /* one call fails and nobody dies */
        sl_env_sim_fail_nth(s->w.sim, sl_prng_range(&s->dice, 1, 20), 1, SL_IO);
        ask(s);
        ask(s);
        sl_env_sim_fail_nth(s->w.sim, 0, 0, SL_OK);
        break;
    default: ask(s);
    }
}

/* True when every timestamp was above the ones before. */
static bool tell(uint64_t seed, bool lose_syncs)
{
    struct story s = {.w = world_new(seed, 0)};

    sl_prng_seed(&s.dice, seed);
    sl_env_sim_disk(s.w.sim)->lose_syncs = lose_syncs;
    for (int i = 0; i < 200 && !s.fell; i++)
        step(&s);
    world_free(&s.w);
    return !s.fell;
}

static void they_rise_through_cuts_failures_kills_and_clock_steps(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        if (!tell(seed, false))
            fail_msg("seed %d", (int)seed);
    }
}

static void a_lying_disk_is_found_out(void **state)
{
    unsigned fell = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++)
        fell += !tell(seed, true);
    assert_true(fell > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_follow_the_wall_clock),
        cmocka_unit_test(they_begin_where_told_and_run_on_from_there),
        cmocka_unit_test(they_never_fall_with_the_wall_clock),
        cmocka_unit_test(a_clock_beyond_reason_is_refused),
        cmocka_unit_test(most_answers_need_no_sync),
        cmocka_unit_test(a_power_cut_costs_at_most_a_window),
        cmocka_unit_test(kills_cost_nothing),
        cmocka_unit_test(every_bad_byte_of_the_present_state_is_seen_and_survived),
        cmocka_unit_test(a_damaged_window_is_refused_until_somebody_decides),
        cmocka_unit_test(a_full_disk_gives_none_and_loses_none),
        cmocka_unit_test(they_rise_through_cuts_failures_kills_and_clock_steps),
        cmocka_unit_test(a_lying_disk_is_found_out),
    };

    return cmocka_run_group_tests_name("local_tso", tests, NULL, NULL);
}
