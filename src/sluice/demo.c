/* sluice demo: the main job before one's eyes. A cluster in this process, a private MariaDB as its
 * downstream; a recorded stream of a genuine TiDB, then a live workload; at the end source and
 * target compared, row by row. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/env_os_process.h"
#include "sluice/cli.h"
#include "sluice/compare.h"
#include "sluice/laptop.h"
#include "sluice/laptop_status.h"
#include "sluice/loader.h"
#include "sluice/player.h"
#include "sluice/private_mariadb.h"
#include "sluice/recording.h"
#include "sluice/shop.h"
#include "sluice/terminal.h"
#include "sluice/where.h"

/* The live workload: transactions at one time, and begun per second. */
enum { CALLERS = 16, RATE = 1000 };

struct demo_config {
    int64_t seconds;
    char   *corpus;
    char   *to;
    bool    keep;
};

static const struct sl_conf_row rows[] = {
    {.flag = "seconds",
     SL_CONF_AT(INT, struct demo_config, seconds),
     .def = "10",
     .min = 0,
     .max = 1000000000,
     .unit = "s",
     .help = "how long the live workload runs; 0: until Ctrl-C"},
    {.flag = "corpus",
     SL_CONF_AT(STRING, struct demo_config, corpus),
     .def = "types",
     .help = "the recording to begin with: a name of tests/corpus, a folder, or none"},
    {.flag = "to",
     SL_CONF_AT(STRING, struct demo_config, to),
     .def = "mariadb",
     .help = "where the changes go: mariadb, a private server; or stdout, as a line of JSON each"},
    {.flag = "keep",
     SL_CONF_AT(BOOL, struct demo_config, keep),
     .help = "leave the folder with all data; sluice up goes on with it"},
};

static const struct sl_conf_table table = {
    .program = "sluice demo",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct demo_config),
};

/* All that one demonstration holds. */
struct demo {
    const struct sl_env      *env;
    const struct demo_config *config;
    struct terminal           terminal;
    sl_nanos                  began;
    char                      folder[SL_PATH_BYTES_MAX];    /* "": not made yet */
    char                      recording[SL_PATH_BYTES_MAX]; /* "": none */
    struct corpus             corpus;
    struct private_mariadb   *mariadb; /* NULL: to standard output */
    struct laptop            *laptop;
    struct laptop_target      target;
    struct laptop_status      status;
    struct cli_cluster        cluster;
    struct compare           *compare;
    struct mix               *shop;
};

static bool is_to_stdout(const struct demo *d)
{
    return strcmp(d->config->to, "stdout") == 0;
}

static double seconds_since(const struct demo *d, sl_nanos then)
{
    return (double)(sl_env_now(d->env) - then) / (double)SL_NANOS_PER_S;
}

/* ---- starting ---- */

static enum sl_err check(const struct demo_config *config, struct sl_why *why)
{
    if (strcmp(config->to, "mariadb") == 0 || strcmp(config->to, "stdout") == 0)
        return SL_OK;
    return sl_fail(why, SL_USAGE, "--to %.100s is neither mariadb nor stdout", config->to);
}

static enum sl_err load_recording(struct demo *d, struct sl_why *why)
{
    char        expected[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if (strcmp(d->config->corpus, "none") == 0)
        return SL_OK;
    if ((err = recording_find(d->env->fs, d->config->corpus, d->recording, why)) != SL_OK ||
        (err = corpus_load(d->env->fs, d->recording, &d->corpus, why)) != SL_OK ||
        (err = sl_path_join(expected, d->recording, "expected", why)) != SL_OK)
        return err;
    return compare_expect_folder(d->compare, expected, why);
}

static enum sl_err start_mariadb(struct demo *d, struct sl_why *why)
{
    char        dir[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if (is_to_stdout(d))
        return SL_OK;
    if ((err = sl_path_join(dir, d->folder, "mariadb", why)) != SL_OK)
        return err;
    return private_mariadb_start(d->env, dir, false, &d->mariadb, why);
}

static enum sl_err start_cluster(struct demo *d, struct sl_why *why)
{
    enum sl_err err;

    d->target = where_target(d->mariadb);
    if ((err = laptop_open(d->env, d->folder, d->corpus.cluster_id, recording_first_tso(&d->corpus),
                           &d->laptop, why)) != SL_OK)
        return err;
    if (d->recording[0] != '\0' &&
        (err = recording_copy_history(d->env->fs, d->recording, laptop_ddl_history(d->laptop),
                                      why)) != SL_OK)
        return err;
    if ((err = laptop_start(d->laptop, &d->target, why)) != SL_OK)
        return err;
    d->status = laptop_status_of(d->env, d->laptop);
    return cli_cluster_open(d->env, laptop_pd_urls(d->laptop), 0, &d->cluster, why);
}

static enum sl_err start(struct demo *d, struct sl_why *why)
{
    enum sl_err err;

    if ((err = load_recording(d, why)) != SL_OK ||
        (err = sl_folder_temporary("sluice-demo-", d->folder, why)) != SL_OK ||
        (err = start_mariadb(d, why)) != SL_OK || (err = start_cluster(d, why)) != SL_OK)
        return err;
    where_say(&d->terminal, d->laptop, d->mariadb, &d->target);
    where_say_sql(&d->terminal, d->mariadb);
    return SL_OK;
}

/* ---- looking after all of it ---- */

/* Are all parts alive? Says how it goes. */
static enum sl_err look(struct demo *d, const char *doing, struct sl_why *why)
{
    char        text[LAPTOP_STATUS_BYTES_MAX];
    enum sl_err err = laptop_check(d->laptop, why);

    if (err == SL_OK && d->mariadb != NULL)
        err = private_mariadb_check(d->mariadb, why);
    if (err != SL_OK)
        return err;
    laptop_status_text(&d->status, text, sizeof text);
    terminal_status(&d->terminal, "%-9s %s", doing, text);
    return SL_OK;
}

/* Until the target has everything up to there. */
static enum sl_err wait_until_applied(struct demo *d, sl_ts ts, bool stops, struct sl_why *why)
{
    enum { LOOK_MS = 20 };
    enum sl_err err = SL_OK;

    while (err == SL_OK && laptop_applied(d->laptop) < ts) {
        if (stops && cli_is_stopped())
            return sl_fail(why, SL_STOPPED, "stopped by a signal");
        cli_pause(d->env, LOOK_MS);
        err = look(d, "applying", why);
    }
    return err;
}

static void tell_difference(void *context, const char *line)
{
    struct demo *d = context;

    terminal_say(&d->terminal, "differs   %s", line);
}

/* Compare all that is expected so far with what the target has. */
static enum sl_err compare(struct demo *d, struct compare_result *out, struct sl_why *why)
{
    enum { TIMEOUT_MS = 60 * 1000 };
    const struct sl_mysql_options options = {
        .socket = private_mariadb_place(d->mariadb).socket,
        .user = "root",
        .connect_timeout_ms = TIMEOUT_MS,
        .read_timeout_ms = TIMEOUT_MS,
        .write_timeout_ms = TIMEOUT_MS,
    };

    return compare_run(d->compare, &options, tell_difference, d, out, why);
}

/* ---- the recording ---- */

static enum sl_err drive_player(struct demo *d, struct player *player, struct sl_why *why)
{
    enum { STEP_MS = 50 };
    enum sl_err err = SL_AGAIN;

    while (err == SL_AGAIN) {
        if (cli_is_stopped())
            return sl_fail(why, SL_STOPPED, "stopped by a signal");
        if ((err = look(d, "recording", why)) != SL_OK)
            return err;
        err = player_step(player, sl_env_now(d->env) + STEP_MS * (sl_nanos)SL_NANOS_PER_MS, why);
    }
    if (err == SL_OK && player_counts(player).given_up > 0)
        err = sl_fail(why, SL_UNAVAILABLE, "not everything was acknowledged");
    return err;
}

static enum sl_err play(struct demo *d, struct sl_why *why)
{
    const char           *pump = laptop_pump_address(d->laptop);
    struct player_options options = {.writer = writer_options_default(), .tso = d->cluster.tso};
    struct player        *player;
    enum sl_err           err;

    options.writer.pumps = &pump;
    options.writer.pump_count = 1;
    options.writer.cluster_id = d->cluster.id;
    if ((err = player_new(d->env, &d->corpus, &options, &player, why)) != SL_OK)
        return err;
    err = drive_player(d, player, why);
    player_free(&player);
    return err;
}

static enum sl_err show_recording(struct demo *d, struct sl_why *why)
{
    struct compare_result result;
    char                  verdict[LAPTOP_STATUS_BYTES_MAX];
    enum sl_err           err;

    if (d->recording[0] == '\0')
        return SL_OK;
    terminal_say(&d->terminal, "recording %s: %" PRIu32 " records as a TiDB sent them",
                 d->recording, d->corpus.count);
    if ((err = play(d, why)) != SL_OK ||
        (err = wait_until_applied(d, recording_last_commit(&d->corpus), true, why)) != SL_OK)
        return err;
    terminal_say(&d->terminal, "recording applied after %.1f s: %s", seconds_since(d, d->began),
                 laptop_status_totals(&d->status, verdict, sizeof verdict));
    if (d->mariadb == NULL)
        return SL_OK;
    if ((err = compare(d, &result, why)) != SL_OK)
        return err;
    compare_verdict(&result, verdict, sizeof verdict);
    terminal_say(&d->terminal, "recording %s", verdict);
    return SL_OK;
}

/* ---- the live workload ---- */

/* Until the time is over or Ctrl-C is pressed; then what is under way has as long as one attempt
 * may take. */
static enum sl_err drive_loader(struct demo *d, struct loader *loader, sl_nanos patience,
                                struct sl_why *why)
{
    enum { STEP_MS = 50 };
    sl_nanos    stop_at = UINT64_MAX;
    sl_nanos    give_up_at = UINT64_MAX;
    enum sl_err err = SL_AGAIN;

    if (d->config->seconds > 0)
        stop_at = sl_env_now(d->env) + (sl_nanos)d->config->seconds * (sl_nanos)SL_NANOS_PER_S;
    while (err == SL_AGAIN) {
        sl_nanos now = sl_env_now(d->env);

        if (give_up_at == UINT64_MAX && (now >= stop_at || cli_is_stopped())) {
            loader_stop(loader);
            give_up_at = now + patience;
        }
        if (now >= give_up_at)
            return sl_fail(why, SL_TIMEOUT, "the pump does not answer");
        if ((err = look(d, "live", why)) != SL_OK)
            return err;
        err = loader_step(loader, now + STEP_MS * (sl_nanos)SL_NANOS_PER_MS, why);
    }
    if (err == SL_OK && loader_counts(loader)->given_up > 0)
        err = sl_fail(why, SL_UNAVAILABLE, "not everything was acknowledged");
    return err;
}

static enum sl_err work(struct demo *d, sl_ts *last_commit, struct sl_why *why)
{
    const char           *pump = laptop_pump_address(d->laptop);
    struct loader_options options = {.writer = writer_options_default(),
                                     .tso = d->cluster.tso,
                                     .callers = CALLERS,
                                     .mix = d->shop,
                                     .rate = RATE};
    struct loader        *loader;
    enum sl_err           err;

    options.writer.pumps = &pump;
    options.writer.pump_count = 1;
    options.writer.cluster_id = d->cluster.id;
    if ((err = loader_new(d->env, &options, &loader, why)) != SL_OK)
        return err;
    err = drive_loader(d, loader, options.writer.timeout, why);
    *last_commit = loader_counts(loader)->last_commit_ts;
    if (err == SL_OK)
        terminal_say(&d->terminal,
                     "live      %" PRIu64 " transactions committed, %" PRIu64
                     " rolled back, %" PRIu64 " DDL jobs",
                     loader_counts(loader)->acked, loader_counts(loader)->rolled_back,
                     loader_counts(loader)->jobs);
    loader_free(&loader);
    return err;
}

static enum sl_err show_live(struct demo *d, struct sl_why *why)
{
    sl_ts       last_commit;
    enum sl_err err =
        shop_new(d->env, d->cluster.id, CALLERS, laptop_ddl_history(d->laptop), &d->shop, why);

    if (err != SL_OK)
        return err;
    terminal_say(&d->terminal,
                 "live      a shop works in the same cluster: orders, payments, stock, and DDL%s",
                 d->config->seconds == 0 ? "; Ctrl-C ends it" : "");
    if ((err = work(d, &last_commit, why)) != SL_OK ||
        (err = wait_until_applied(d, last_commit, false, why)) != SL_OK)
        return err;
    shop_expect(d->shop, d->compare);
    return SL_OK;
}

/* ---- the end ---- */

static void say_goodbye(struct demo *d)
{
    if (d->folder[0] == '\0')
        return;
    if (!d->config->keep)
        (void)sl_folder_remove(d->folder, NULL);
    else
        terminal_say(&d->terminal, "kept in %s; go on with: sluice up %s", d->folder, d->folder);
}

static enum sl_err stop(struct demo *d, struct sl_why *why)
{
    enum sl_err err;

    cli_cluster_close(&d->cluster);
    err = laptop_stop(&d->laptop, why);
    private_mariadb_stop(&d->mariadb);
    mix_free(&d->shop);
    corpus_free(&d->corpus);
    compare_free(&d->compare);
    return err;
}

/* ---- all of it ---- */

static enum sl_err show(struct demo *d, struct compare_result *result, struct sl_why *why)
{
    enum sl_err err;

    if ((err = start(d, why)) != SL_OK || (err = show_recording(d, why)) != SL_OK ||
        (err = show_live(d, why)) != SL_OK || d->mariadb == NULL)
        return err;
    return compare(d, result, why);
}

/* The verdict is the last thing that is said, when all has come to its end. */
static enum sl_exit tell_end(struct demo *d, const struct compare_result *result, enum sl_err err,
                             const struct sl_why *why)
{
    char verdict[LAPTOP_STATUS_BYTES_MAX];

    say_goodbye(d);
    if (err == SL_STOPPED) {
        terminal_say(&d->terminal, "stopped before anything was compared");
        return SL_EXIT_STOPPED;
    }
    if (err != SL_OK)
        return cli_fail(&sl_verb_demo, err, why);
    if (is_to_stdout(d))
        return SL_EXIT_OK;
    compare_verdict(result, verdict, sizeof verdict);
    terminal_say(&d->terminal, "verdict: %s", verdict);
    return result->differing == 0 ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static enum sl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    struct demo           d = {.env = env, .began = sl_env_now(env)};
    struct compare_result result = {0};
    struct demo_config    config;
    struct sl_why         why = {0};
    enum sl_exit          code;
    enum sl_err           err;
    enum sl_err           stop_err;

    if (!cli_read(&sl_verb_demo, &table, argc, argv, NULL, &config, &code))
        return code;
    cli_catch_signals();
    d.config = &config;
    d.terminal = terminal_on(env, is_to_stdout(&d) ? stderr : stdout);
    d.compare = compare_new(env);
    if ((err = check(&config, &why)) == SL_OK)
        err = show(&d, &result, &why);
    stop_err = stop(&d, err == SL_OK ? &why : NULL);
    code = tell_end(&d, &result, err != SL_OK ? err : stop_err, &why);
    sl_conf_free(&table, &config);
    return code;
}

const struct sl_verb sl_verb_demo = {
    .name = "demo",
    .summary = "the main job before one's eyes: a TiDB's binlogs into a MariaDB, and a verdict",
    .text =
        "Starts a whole cluster in this process (a registry, a pump, a drainer: the same actors,\n"
        "over real gRPC) and a private MariaDB, all in a temporary folder. First it plays a\n"
        "recording of what a genuine TiDB sent to its pumps, then a small shop works in the same\n"
        "cluster: inserts, updates, deletes, DDL. At the end source and target are compared, row\n"
        "by row. The last line is \"verdict: equal (N tables, M rows)\" and the exit code 0, or\n"
        "\"verdict: differs ...\" and 1. Ctrl-C ends the shop early, and anything else at once\n"
        "(130). With --to stdout changes are printed, the rest is said on standard error, and\n"
        "there is nothing to compare.",
    .run = run,
};
