/* sluice replay CORPUS: a recorded stream into running pumps. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "sluice/cli.h"
#include "sluice/player.h"

struct replay_config {
    struct cli_target target;
    char             *speed;
};

static const struct sl_conf_row rows[] = {
    CLI_TARGET_ROWS(struct replay_config),
    {.flag = "speed",
     SL_CONF_AT(STRING, struct replay_config, speed),
     .def = "max",
     .help = "times the recorded pace, or max: as fast as the pumps answer"},
};

static const struct sl_conf_table table = {
    .program = "sluice replay",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct replay_config),
};

/* All that one replay holds. */
struct replay {
    const struct sl_env *env;
    struct corpus        corpus;
    struct cli_cluster   cluster;
    struct player       *player;
    sl_nanos             began;
};

static enum sl_err read_options(const struct replay_config *config, struct player_options *out,
                                struct sl_why *why)
{
    enum sl_err err = cli_writer_options(&config->target, &out->writer, why);

    if (err != SL_OK || strcmp(config->speed, "max") == 0)
        return err;
    if (sl_float_parse(config->speed, &out->speed, NULL) != SL_OK || out->speed <= 0)
        return sl_fail(why, SL_USAGE, "--speed %.100s is neither max nor a number above 0",
                       config->speed);
    return SL_OK;
}

/* Whose pumps they are: what the flags say, else where the recording was made. */
static enum sl_err find_cluster(struct replay *r, const struct cli_target *target, uint64_t *id,
                                struct sl_why *why)
{
    enum sl_err err =
        cli_cluster_open(r->env, target->pd_urls, target->cluster_id, &r->cluster, why);

    if (err != SL_OK)
        return err;
    *id = r->cluster.id != 0 ? r->cluster.id : r->corpus.cluster_id;
    if (*id == 0)
        return sl_fail(why, SL_USAGE, "no cluster id: there is no meta.json; give --cluster-id");
    return SL_OK;
}

static void print_summary(const struct replay *r, enum sl_err err)
{
    struct player_counts counts = player_counts(r->player);
    struct writer_counts writes = player_writes(r->player);
    uint32_t             acked = counts.prewrites + counts.commits + counts.rollbacks;
    double               seconds = (double)(sl_env_now(r->env) - r->began) / (double)SL_NANOS_PER_S;

    printf("replay %s: %" PRIu32 " of %" PRIu32 " records acknowledged (%" PRIu32
           " prewrites, %" PRIu32 " commits, %" PRIu32 " rollbacks) in %.3f s, %.0f records/s; "
           "%" PRIu64 " retries, %" PRIu64 " probes, %" PRIu32 " errors\n",
           err == SL_OK ? "done" : "ended early", acked, r->corpus.count, counts.prewrites,
           counts.commits, counts.rollbacks, seconds, seconds > 0 ? acked / seconds : 0,
           writes.retries, writes.probes, counts.given_up);
}

static enum sl_err play(struct replay *r, const struct player_options *options, struct sl_why *why)
{
    enum sl_err err;

    r->began = sl_env_now(r->env);
    if ((err = player_new(r->env, &r->corpus, options, &r->player, why)) != SL_OK)
        return err;
    do {
        err = player_step(r->player, UINT64_MAX, why);
        if (err == SL_AGAIN && cli_is_stopped())
            err = sl_fail(why, SL_STOPPED, "stopped by a signal");
    } while (err == SL_AGAIN);
    print_summary(r, err);
    if (err == SL_OK && player_counts(r->player).given_up > 0)
        err = sl_fail(why, SL_UNAVAILABLE, "not everything was acknowledged");
    player_free(&r->player);
    return err;
}

static enum sl_err replay(struct replay *r, const char *path, const struct replay_config *config,
                          struct sl_why *why)
{
    struct player_options options = {0};
    enum sl_err           err;

    if ((err = read_options(config, &options, why)) != SL_OK ||
        (err = corpus_load(r->env->fs, path, &r->corpus, why)) != SL_OK ||
        (err = find_cluster(r, &config->target, &options.writer.cluster_id, why)) != SL_OK)
        return err;
    options.tso = r->cluster.tso;
    return play(r, &options, why);
}

static enum sl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    struct replay        r = {.env = env};
    struct replay_config config;
    struct sl_why        why = {0};
    const char          *path;
    enum sl_exit         code;
    enum sl_err          err;

    if (!cli_read(&sl_verb_replay, &table, argc, argv, &path, &config, &code))
        return code;
    cli_catch_signals();
    err = replay(&r, path, &config, &why);
    cli_cluster_close(&r.cluster);
    corpus_free(&r.corpus);
    sl_conf_free(&table, &config);
    return err == SL_OK ? SL_EXIT_OK : cli_fail(&sl_verb_replay, err, &why);
}

const struct sl_verb sl_verb_replay = {
    .name = "replay",
    .operand = "CORPUS",
    .summary = "play a recorded stream into running pumps",
    .text =
        "CORPUS is a directory with writes.bin or writes.bin.zst and meta.json, or such a file.\n"
        "A commit or rollback is sent when every prewrite recorded before it was answered, to\n"
        "the pump that took its prewrite. With --pd-urls local:DIR the timestamps of that\n"
        "cluster are driven along the recording, and jump above its last commit at the end.\n"
        "Exits with 1 when anything was not acknowledged.",
    .run = run,
};
