/* While a replay drives the timestamps of a local directory, what the door hands out fits into the
 * replayed stream; when the driver ends, or dies, or the power is cut, they jump above the stream
 * and never fall. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/prng.h"
#include "lib/env_sim.h"
#include "lib/folder.h"
#include "net/local.h"

static const char dir[] = "/cluster";

/* Where time begins, and a stream a day later. */
#define BEGINNING sl_ts_of_ms(INT64_C(1573000000000))
#define STREAM sl_ts_of_ms(INT64_C(1573086400000))

struct world {
    struct sl_env_sim   *sim;
    const struct sl_env *env;
    struct sl_local     *pump; /* two processes */
    struct sl_local     *driver;
};

static struct world world_new(uint64_t seed)
{
    struct world w = {.sim = sl_env_sim_new(seed)};

    w.env = sl_env_sim_env(w.sim);
    assert_int_equal(sl_local_init(w.env, dir, 1, BEGINNING, NULL), SL_OK);
    assert_int_equal(sl_local_open(w.env, dir, &w.pump, NULL), SL_OK);
    assert_int_equal(sl_local_open(w.env, dir, &w.driver, NULL), SL_OK);
    return w;
}

static void world_free(struct world *w)
{
    sl_local_free(&w->pump);
    sl_local_free(&w->driver);
    sl_env_sim_free(&w->sim);
}

static sl_ts now(struct world *w)
{
    struct sl_why why = {0};
    sl_ts         ts = 0;

    if (sl_tso_now(sl_local_tso(w->pump), 1, &ts, &why) != SL_OK)
        fail_msg("%s", why.text);
    return ts;
}

static struct sl_tso_drive *begun(struct world *w, sl_ts first, sl_ts last)
{
    struct sl_tso_drive *drive = NULL;
    struct sl_why        why = {0};

    if (sl_tso_drive_begin(sl_local_tso(w->driver), first, last, &drive, &why) != SL_OK)
        fail_msg("%s", why.text);
    return drive;
}

static struct sl_tso_drive_info info(struct world *w)
{
    struct sl_tso_drive_info out;

    assert_int_equal(sl_tso_drive_info(sl_local_tso(w->pump), &out, NULL), SL_OK);
    return out;
}

/* ---- one drive ---- */

static void timestamps_stay_between_floor_and_ceiling(void **state)
{
    struct world         w = world_new(1);
    struct sl_tso_drive *drive;
    struct sl_why        why = {0};
    sl_ts                ts;

    (void)state;
    assert_int_equal(now(&w), BEGINNING);
    drive = begun(&w, STREAM, STREAM + 1000);
    assert_int_equal(now(&w), BEGINNING + 1);
    sl_env_sim_advance(w.sim, (sl_nanos)86400 * 2 * SL_NANOS_PER_S);
    assert_int_equal(now(&w), BEGINNING + 2);
    assert_int_equal(sl_tso_drive_move(drive, STREAM + 10, STREAM + 13, NULL), SL_OK);
    assert_int_equal(now(&w), STREAM + 11);
    assert_int_equal(now(&w), STREAM + 12);
    assert_int_equal(sl_tso_now(sl_local_tso(w.pump), 1, &ts, &why), SL_AGAIN);
    assert_true(sl_err_is_transient(SL_AGAIN));
    assert_non_null(strstr(why.text, "leaves no room"));
    assert_int_equal(sl_tso_drive_move(drive, STREAM + 20, STREAM + 30, NULL), SL_OK);
    assert_int_equal(sl_tso_now(sl_local_tso(w.pump), 10, &ts, NULL), SL_AGAIN);
    assert_int_equal(sl_tso_now(sl_local_tso(w.pump), 9, &ts, NULL), SL_OK);
    assert_int_equal(ts, STREAM + 21);
    assert_true(info(&w).running);
    assert_int_equal(info(&w).floor, STREAM + 20);
    assert_int_equal(info(&w).ceiling, STREAM + 30);
    assert_int_equal(info(&w).last_commit, STREAM + 1000);
    assert_int_equal(sl_tso_drive_end(&drive, NULL), SL_OK);
    assert_null(drive);
    world_free(&w);
}

static void the_end_jumps_above_and_time_runs_on_from_there(void **state)
{
    struct world         w = world_new(1);
    struct sl_tso_drive *drive = begun(&w, STREAM, STREAM + 1000);
    sl_ts                ts;

    (void)state;
    assert_int_equal(sl_tso_drive_end(&drive, NULL), SL_OK);
    ts = now(&w);
    assert_true(ts > STREAM + 1000);
    assert_in_range(sl_ts_physical_ms(ts) - sl_ts_physical_ms(STREAM), 0, 2);
    sl_env_sim_advance(w.sim, (sl_nanos)10 * SL_NANOS_PER_S);
    assert_int_equal(sl_ts_physical_ms(now(&w)) - sl_ts_physical_ms(ts), 10000);
    assert_false(info(&w).running);
    assert_int_equal(info(&w).lost, 0);
    drive = begun(&w, STREAM + sl_ts_of_ms(20000), STREAM + sl_ts_of_ms(30000));
    assert_int_equal(sl_tso_drive_end(&drive, NULL), SL_OK);
    assert_true(now(&w) > STREAM + sl_ts_of_ms(30000));
    world_free(&w);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct world         w = world_new(1);
    struct sl_tso       *tso = sl_local_tso(w.driver);
    struct sl_tso_drive *drive = NULL;
    struct sl_tso_drive *other = NULL;
    struct sl_why        why = {0};
    sl_ts                given = now(&w);

    (void)state;
    assert_int_equal(sl_tso_drive_begin(tso, given, STREAM, &drive, &why), SL_INVALID);
    assert_non_null(strstr(why.text, "replay into a new directory"));
    assert_int_equal(sl_tso_drive_begin(tso, STREAM, STREAM - 1, &drive, NULL), SL_INVALID);
    assert_int_equal(sl_tso_drive_begin(tso, 0, STREAM, &drive, NULL), SL_INVALID);
    assert_int_equal(sl_tso_drive_begin(tso, STREAM, INT64_MAX, &drive, NULL), SL_INVALID);
    assert_false(info(&w).running);
    drive = begun(&w, STREAM, STREAM + 9);
    assert_int_equal(sl_tso_drive_begin(tso, STREAM, STREAM, &other, &why), SL_IN_USE);
    assert_non_null(strstr(why.text, "another replay drives the timestamps of /cluster"));
    assert_int_equal(sl_tso_drive_move(drive, 0, STREAM - 1, NULL), SL_INVALID);
    assert_int_equal(sl_tso_drive_move(drive, STREAM + 5, STREAM + 5, NULL), SL_INVALID);
    assert_int_equal(sl_tso_drive_move(drive, 0, STREAM + 11, NULL), SL_INVALID);
    assert_int_equal(sl_tso_drive_move(drive, STREAM + 4, STREAM + 10, NULL), SL_OK);
    assert_int_equal(sl_tso_drive_move(drive, STREAM + 2, STREAM + 10, NULL), SL_OK);
    assert_int_equal(info(&w).floor, STREAM + 4);
    assert_int_equal(sl_tso_drive_end(&drive, NULL), SL_OK);
    world_free(&w);
}

/* ---- a stream ---- */

enum { COMMITS = 200 };

struct stream {
    sl_ts commit[COMMITS]; /* rising */
    bool  answered[COMMITS];
};

static void make_stream(struct stream *s, struct sl_prng *dice)
{
    sl_ts at = STREAM;

    *s = (struct stream){0};
    for (int i = 0; i < COMMITS; i++) {
        at += (sl_ts)sl_prng_range(dice, 1, 6); /* neighbours included */
        s->commit[i] = at;
    }
}

/* Commits whose prewrites are all answered, counted from the first. */
static int least_unanswered(const struct stream *s)
{
    int i = 0;

    while (i < COMMITS && s->answered[i])
        i++;
    return i;
}

static void assert_fits(const struct stream *s, sl_ts ts)
{
    int least = least_unanswered(s);

    assert_true(least == COMMITS || ts < s->commit[least]);
    for (int i = 0; i < COMMITS; i++)
        assert_true(ts != s->commit[i]);
}

static void drive_along(const struct stream *s, struct sl_tso_drive *drive)
{
    int   least = least_unanswered(s);
    sl_ts floor = least > 0 ? s->commit[least - 1] : 0;
    sl_ts ceiling = least < COMMITS ? s->commit[least] : s->commit[COMMITS - 1] + 1;

    assert_int_equal(sl_tso_drive_move(drive, floor, ceiling, NULL), SL_OK);
}

/* Prewrites are answered in an order that strays by a few; the pump asks in between. */
static unsigned play(uint64_t seed)
{
    struct world         w = world_new(seed);
    struct sl_prng       dice;
    struct stream        s;
    struct sl_tso_drive *drive;
    sl_ts                last = now(&w);
    unsigned             got = 0;

    sl_prng_seed(&dice, seed);
    make_stream(&s, &dice);
    drive = begun(&w, s.commit[0], s.commit[COMMITS - 1]);
    while (least_unanswered(&s) < COMMITS) {
        int   next = least_unanswered(&s) + (int)sl_prng_range(&dice, 0, 5);
        sl_ts ts;

        if (next < COMMITS)
            s.answered[next] = true;
        drive_along(&s, drive);
        if (sl_tso_now(sl_local_tso(w.pump), 1, &ts, NULL) != SL_OK)
            continue;
        assert_true(ts > last);
        assert_fits(&s, ts);
        last = ts;
        got++;
    }
    assert_int_equal(sl_tso_drive_end(&drive, NULL), SL_OK);
    assert_true(now(&w) > s.commit[COMMITS - 1]);
    world_free(&w);
    return got;
}

static void what_is_handed_out_fits_the_stream(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        assert_true(play(seed) > COMMITS / 4);
}

/* ---- deaths ---- */

static void a_dead_driver_ends_its_drive_and_is_counted(void **state)
{
    struct world         w = world_new(1);
    struct sl_tso_drive *drive = begun(&w, STREAM, STREAM + 1000);

    (void)state;
    assert_true(now(&w) < STREAM);
    sl_tso_drive_free(&drive);
    assert_true(now(&w) > STREAM + 1000);
    assert_false(info(&w).running);
    assert_int_equal(info(&w).lost, 1);
    drive = begun(&w, STREAM + sl_ts_of_ms(9000), STREAM + sl_ts_of_ms(9001));
    sl_tso_drive_free(&drive);
    drive = begun(&w, STREAM + sl_ts_of_ms(19000), STREAM + sl_ts_of_ms(19001));
    assert_int_equal(info(&w).lost, 2);
    assert_int_equal(sl_tso_drive_end(&drive, NULL), SL_OK);
    world_free(&w);
}

static void a_driver_whose_drive_was_ended_is_told(void **state)
{
    struct world         w = world_new(1);
    struct sl_tso_drive *drive = begun(&w, STREAM, STREAM + 1000);

    (void)state;
    assert_int_equal(sl_fs_remove(w.env->fs, "/cluster/tso.now", NULL), SL_OK);
    assert_true(now(&w) > STREAM + 1000);
    assert_int_equal(sl_tso_drive_move(drive, STREAM, STREAM + 1, NULL), SL_GONE);
    assert_int_equal(sl_tso_drive_end(&drive, NULL), SL_GONE);
    assert_null(drive);
    world_free(&w);
}

/* A drive of which the nth call and all after it fail; then the power is cut. */
static bool drive_cut_at(uint64_t nth, uint64_t seed)
{
    struct world         w = world_new(seed);
    struct sl_tso_drive *drive = NULL;
    sl_ts                last = now(&w);
    sl_ts                ts;
    bool                 begun_well;
    bool                 through;

    sl_env_sim_fail_nth(w.sim, nth, UINT64_MAX, SL_IO);
    begun_well =
        sl_tso_drive_begin(sl_local_tso(w.driver), STREAM, STREAM + 1000, &drive, NULL) == SL_OK;
    if (begun_well) {
        if (sl_tso_drive_move(drive, STREAM + 5, STREAM + 500, NULL) == SL_OK &&
            sl_tso_now(sl_local_tso(w.pump), 3, &ts, NULL) == SL_OK)
            last = ts + 2;
        (void)sl_tso_drive_end(&drive, NULL);
        if (sl_tso_now(sl_local_tso(w.pump), 1, &ts, NULL) == SL_OK)
            last = ts;
    }
    through = sl_env_sim_failed(w.sim) == 0;
    sl_env_sim_fail_nth(w.sim, 0, 0, SL_OK);
    sl_env_sim_power_cut(w.sim);
    ts = now(&w);
    assert_true(ts > last);
    if (begun_well)
        assert_true(ts > STREAM + 1000);
    assert_false(info(&w).running);
    world_free(&w);
    return through;
}

static void a_power_cut_anywhere_ends_the_drive_above_the_stream(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t nth = 1;

        while (!drive_cut_at(nth, seed))
            nth++;
        assert_in_range(nth, 30, 200);
    }
}

/* ---- two processes ---- */

/* Drive, say so, and wait to be killed. */
static _Noreturn void be_driver(const char *folder, int told)
{
    struct sl_local     *local = NULL;
    struct sl_tso_drive *drive = NULL;
    char                 byte = 'n';

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody else ends it */
    if (sl_local_open(sl_env_os(), folder, &local, NULL) == SL_OK &&
        sl_tso_drive_begin(sl_local_tso(local), STREAM, STREAM + 1000, &drive, NULL) == SL_OK &&
        sl_tso_drive_move(drive, STREAM + 7, STREAM + 20, NULL) == SL_OK)
        byte = 'y';
    if (write(told, &byte, 1) != 1)
        _exit(1);
    for (;;)
        (void)pause();
}

static void a_killed_driver_lets_go(void **state)
{
    char             folder[FOLDER_PATH_BYTES];
    struct sl_local *local;
    struct sl_tso   *tso;
    pid_t            child;
    int              told[2];
    char             byte = 0;
    sl_ts            ts = 0;

    (void)state;
    folder_make(folder);
    assert_int_equal(sl_local_init(sl_env_os(), folder, 1, BEGINNING, NULL), SL_OK);
    assert_int_equal(sl_local_open(sl_env_os(), folder, &local, NULL), SL_OK);
    tso = sl_local_tso(local);
    assert_int_equal(pipe(told), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_driver(folder, told[1]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(sl_tso_now(tso, 1, &ts, NULL), SL_OK);
    assert_int_equal(ts, STREAM + 8);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(sl_tso_now(tso, 1, &ts, NULL), SL_OK);
    assert_true(ts > STREAM + 1000);
    (void)close(told[0]);
    (void)close(told[1]);
    sl_local_free(&local);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps_stay_between_floor_and_ceiling),
        cmocka_unit_test(the_end_jumps_above_and_time_runs_on_from_there),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(what_is_handed_out_fits_the_stream),
        cmocka_unit_test(a_dead_driver_ends_its_drive_and_is_counted),
        cmocka_unit_test(a_driver_whose_drive_was_ended_is_told),
        cmocka_unit_test(a_power_cut_anywhere_ends_the_drive_above_the_stream),
        cmocka_unit_test(a_killed_driver_lets_go),
    };

    return cmocka_run_group_tests_name("local_drive", tests, NULL, NULL);
}
