/* Crashes of the value log at every call to the file system: a seeded script of appends, markers,
 * segment changes, removals and reopenings runs with its n-th call failing, for every n; then the
 * power is cut or the process dies, opening itself is disturbed too, and the log is compared with
 * what was acknowledged: P1, P7 and P8.
 *
 * A failure prints mode, seed and n, which name the run for good. */

#include "unit/storage/vlog_kit.h"

enum { IDS_MAX = 1000, STEPS = 90, CALLS_MAX = 5000, SEEDS = 2 };

/* Sanitizers slow the simulated disk down, and their findings do not hang on one call more. */
#ifdef SLUICE_SANITIZED
enum { STRIDE = 7 };
#else
enum { STRIDE = 1 };
#endif

static const uint64_t FOREVER = UINT64_MAX;

struct mode {
    const char *name;
    enum sl_err err;
    uint64_t    times; /* calls that fail from the n-th on */
    bool        power_cut;
};

/* What must be true of the log. */
struct model {
    bool               acknowledged[IDS_MAX];
    struct sl_position position[IDS_MAX];
    uint64_t           next;    /* id of the next record; all below were submitted */
    uint64_t           end;     /* behind the last acknowledged record */
    uint64_t           removed; /* all before this offset may be gone */
};

static struct kit   k;
static struct model model;
static char         running[64]; /* empty: nothing went wrong */

/* ---- the script ---- */

/* False: the environment gives no more; this life is over. */
static bool reopen(void)
{
    enum sl_err err;

    for (unsigned attempt = 0; attempt < 2; attempt++) {
        if ((err = kit_try_open(&k, model.end)) == SL_OK)
            return true;
        assert_int_not_equal(err, SL_CORRUPT);
    }
    return false;
}

static bool step_append(struct sl_prng *prng)
{
    struct sl_position positions[KIT_BATCH_MAX];
    uint32_t           count = (uint32_t)sl_prng_range(prng, 1, 4);
    uint64_t           first = model.next;
    enum sl_err        err;

    assert_true(first + count <= IDS_MAX);
    model.next += count;
    err = kit_try_append(&k, first, count, positions);
    for (uint32_t i = 0; i < count && err == SL_OK; i++) {
        model.acknowledged[first + i] = true;
        model.position[first + i] = positions[i];
        model.end = positions[i].offset + positions[i].bytes;
    }
    if (err == SL_OK || err == SL_NOSPACE)
        return true;
    assert_int_equal(err, SL_IO);
    assert_int_equal(kit_try_append(&k, first, 1, positions), SL_IO); /* P7 */
    return reopen();
}

static bool step_remove(void)
{
    uint32_t                      count;
    const struct sl_vlog_segment *all = sl_vlog_segments(k.vlog, &count);
    uint64_t                      offset = all[count / 2].first;

    if (offset > model.removed)
        model.removed = offset;
    (void)sl_vlog_remove_before(k.vlog, offset, NULL);
    return true;
}

static bool step(struct sl_prng *prng)
{
    uint64_t left;

    switch (sl_prng_below(prng, 16)) {
    case 0: return sl_vlog_mark_idle(k.vlog, NULL) != SL_IO || reopen();
    case 1: (void)sl_vlog_prepare(k.vlog, 30000, &left, NULL); return true;
    case 2: return step_remove();
    case 3: return reopen();
    default: return step_append(prng);
    }
}

static void run_script(uint64_t seed)
{
    struct sl_prng prng;

    sl_prng_seed(&prng, seed);
    if (!reopen())
        return;
    for (unsigned i = 0; i < STEPS && step(&prng); i++)
        continue;
}

/* ---- the verdict ---- */

static void assert_log_is_sound(void)
{
    uint64_t oldest;
    uint64_t last = 0;
    size_t   at = 0;
    uint32_t count;

    kit_open(&k, 0);
    oldest = sl_vlog_segments(k.vlog, &count)[0].first;
    assert_true(oldest <= model.removed || model.removed == 0);
    for (size_t i = 0; i < k.found_count; i++) { /* in order, and nothing that was not submitted */
        assert_true(k.found_id[i] > last && k.found_id[i] < model.next);
        last = k.found_id[i];
    }
    for (uint64_t id = 1; id < model.next; id++) { /* P1 */
        if (!model.acknowledged[id] || model.position[id].offset < oldest)
            continue;
        while (at < k.found_count && k.found_id[at] < id)
            at++;
        assert_true(at < k.found_count && k.found_id[at] == id);
        assert_int_equal(k.found[at].offset, model.position[id].offset);
        assert_int_equal(k.found[at].bytes, model.position[id].bytes);
    }
    kit_open(&k, model.end); /* the index says that much was durable, and may */
}

/* Fail and cut in the middle of opening, then open in peace. */
static void recover(uint64_t m, bool power_cut)
{
    sl_vlog_close(&k.vlog);
    sl_env_sim_fail_nth(k.sim, 0, 0, SL_OK);
    if (power_cut)
        sl_env_sim_power_cut(k.sim);
    sl_env_sim_fail_nth(k.sim, m, FOREVER, SL_IO);
    (void)kit_try_open(&k, model.end);
    sl_vlog_close(&k.vlog);
    sl_env_sim_fail_nth(k.sim, 0, 0, SL_OK);
    if (power_cut)
        sl_env_sim_power_cut(k.sim);
    assert_log_is_sound();
}

/* False: the script made fewer than n calls. */
static bool crash_at(const struct mode *mode, uint64_t seed, uint64_t n)
{
    struct sl_prng prng;
    bool           met;

    memset(&model, 0, sizeof model);
    model.next = 1;
    kit_init(&k, seed * 100000 + n);
    sl_env_sim_fail_nth(k.sim, n, mode->times, mode->err);
    run_script(seed);
    met = sl_env_sim_failed(k.sim) > 0;
    recover(1 + n % 24, mode->power_cut);
    sl_prng_seed(&prng, n);
    for (unsigned i = 0; i < 8; i++) /* a second life on what the first one left */
        assert_true(step(&prng));
    recover(1 + n % 7, true);
    kit_free(&k);
    return met;
}

static void sweep(const struct mode *mode)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t n = 1;

        for (bool met = true; met; n += STRIDE) {
            (void)snprintf(running, sizeof running, "%s seed %d n %d", mode->name, (int)seed,
                           (int)n);
            assert_true(n < CALLS_MAX);
            met = crash_at(mode, seed, n);
        }
        assert_true(n > 100); /* else the script has stopped testing anything */
    }
    running[0] = '\0';
}

static int tell_where(void **state)
{
    (void)state;
    if (running[0] != '\0')
        print_error("failed at %s\n", running);
    running[0] = '\0';
    return 0;
}

static void power_cut_at_every_call_loses_nothing_acknowledged(void **state)
{
    (void)state;
    sweep(&(struct mode){"power-cut", SL_IO, FOREVER, true});
}

static void death_at_every_call_loses_nothing_acknowledged(void **state)
{
    (void)state;
    sweep(&(struct mode){"death", SL_IO, FOREVER, false});
}

static void one_failing_call_anywhere_loses_nothing_acknowledged(void **state)
{
    (void)state;
    sweep(&(struct mode){"one-error", SL_IO, 1, true});
}

static void a_full_disk_at_any_call_loses_nothing_acknowledged(void **state)
{
    (void)state;
    sweep(&(struct mode){"full-disk", SL_NOSPACE, 1, true});
}

/* The old name of a removed segment may come back with the power: its file must not have become
 * another segment by then. */
static void a_removal_whose_sync_failed_leaves_no_spare(void **state)
{
    struct sl_position position;

    (void)state;
    for (uint64_t n = 1; n <= 200; n += STRIDE) {
        memset(&model, 0, sizeof model);
        kit_init(&k, n);
        kit_open(&k, 0);
        model.next = kit_fill_segments(&k, 1, 2);
        sl_env_sim_fail_nth(k.sim, 2, 1, SL_IO); /* the rename succeeds */
        assert_int_equal(sl_vlog_remove_before(k.vlog, UINT64_MAX, NULL), SL_IO);
        model.removed = kit_segment(&k, 0).first;
        do {
            sl_env_sim_fail_nth(k.sim, 3 + n % 6, UINT64_MAX, SL_IO);
        } while (kit_try_append(&k, model.next++, 1, &position) == SL_OK);
        recover(1 + n % 5, true);
        kit_free(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(power_cut_at_every_call_loses_nothing_acknowledged, tell_where),
        cmocka_unit_test_teardown(death_at_every_call_loses_nothing_acknowledged, tell_where),
        cmocka_unit_test_teardown(one_failing_call_anywhere_loses_nothing_acknowledged, tell_where),
        cmocka_unit_test(a_removal_whose_sync_failed_leaves_no_spare),
        cmocka_unit_test_teardown(a_full_disk_at_any_call_loses_nothing_acknowledged, tell_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
