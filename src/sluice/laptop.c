#include "sluice/laptop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/topology.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/env_os.h"
#include "base/log.h"
#include "base/panic.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "net/local.h"
#include "runtime/runtime.h"
#include "sluice/cli.h"
#include "sluice/laptop_files.h"

/* A lone pump has no others that wait for its marks; they cost most of what an idle one costs. */
enum { TIDE_MS = 250 };

/* Threads of a runtime that only compute: two runtimes share the machine with the downstream. */
enum { COMPUTE_THREADS_MAX = 4 };

/* One of the two runtimes. */
struct part {
    const char        *name;
    struct sl_runtime *rt;    /* owned; NULL: not started */
    _Atomic bool       ended; /* its root has; written by the thread that ran it. Seen late: told
                                 late. Relaxed: nothing else is read by it. */
};

struct laptop {
    const struct sl_env     *env;
    struct laptop_paths      paths;
    struct sl_file          *lock; /* of DIR; owned */
    uint64_t                 cluster_id;
    char                     host_name[SL_NAME_BYTES_MAX];
    struct sl_pump_config    pump_config;
    struct sl_drainer_config drainer_config;
    struct sl_filter        *filter;
    struct sl_event_filter  *event_filter;
    struct sl_pump          *pump;
    struct sl_drainer       *drainer;
    struct sl_drainer_wiring drainer_wiring;
    struct part              pump_part;
    struct part              drainer_part;
};

/* ---- the directory ---- */

static enum sl_err lock_dir(struct laptop *l, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if ((err = sl_path_join(path, l->paths.dir, ".lock", why)) != SL_OK ||
        (err = sl_fs_open(l->env->fs, path, SL_OPEN_WRITE | SL_OPEN_CREATE, &l->lock, why)) !=
            SL_OK)
        return err;
    if ((err = sl_file_lock(l->lock, why)) == SL_IN_USE)
        return sl_fail(why, err, "another sluice runs on %s", l->paths.dir);
    return err;
}

/* The id that the registry has, or 0: there is none. */
static enum sl_err read_cluster_id(struct laptop *l, uint64_t *out, struct sl_why *why)
{
    struct sl_cluster *cluster;
    enum sl_err        err = sl_cluster_open(l->env, l->paths.pd_urls, &cluster, why);

    *out = 0;
    if (err == SL_NOT_FOUND)
        return SL_OK;
    if (err != SL_OK)
        return err;
    *out = sl_cluster_id(cluster);
    sl_cluster_free(&cluster);
    return SL_OK;
}

static uint64_t random_id(const struct sl_env *env)
{
    uint64_t id;

    env->random->fill(env->random, &id, sizeof id);
    id &= INT64_MAX;
    return id != 0 ? id : 1;
}

static enum sl_err see_to_registry(struct laptop *l, uint64_t cluster_id, sl_ts first_tso,
                                   struct sl_why *why)
{
    enum sl_err err;

    l->cluster_id = cluster_id;
    if (cluster_id == 0 && (err = read_cluster_id(l, &l->cluster_id, why)) != SL_OK)
        return err;
    if (l->cluster_id == 0)
        l->cluster_id = random_id(l->env);
    return sl_local_init(l->env, l->paths.registry, l->cluster_id, first_tso, why);
}

enum sl_err laptop_open(const struct sl_env *env, const char *dir, uint64_t cluster_id,
                        sl_ts first_tso, struct laptop **out, struct sl_why *why)
{
    struct laptop        *l = calloc(1, sizeof *l);
    struct sl_log_options log = {.level = SL_LOG_INFO};
    enum sl_err           err;

    SL_ASSERT(l != NULL);
    l->env = env;
    l->pump_part.name = "pump";
    l->drainer_part.name = "drainer";
    sl_env_os_host_name(l->host_name);
    log.path = l->paths.log;
    if ((err = laptop_paths_of(dir, &l->paths, why)) != SL_OK ||
        (err = sl_fs_mkdir_all(env->fs, dir, why)) != SL_OK || (err = lock_dir(l, why)) != SL_OK ||
        (err = see_to_registry(l, cluster_id, first_tso, why)) != SL_OK ||
        (err = sl_log_init(env, &log, why)) != SL_OK) {
        sl_file_close(&l->lock);
        free(l);
        return err;
    }
    sl_panic_also_to(sl_log_fd());
    *out = l;
    return SL_OK;
}

/* ---- runtimes ---- */

static void on_end(void *context)
{
    struct part *part = context;

    atomic_store_explicit(&part->ended, true, memory_order_relaxed);
}

/* Signals are the main thread's: the threads that start here inherit that they take none. */
static enum sl_err part_start(const struct sl_env *env, struct part *part,
                              const struct sl_topology *topology, const void *args, size_t bytes,
                              struct sl_why *why)
{
    const unsigned                  cpus = env->threads->cpus(env->threads);
    const struct sl_runtime_options options = {
        .env = env,
        .topology = topology,
        .compute_threads = cpus < COMPUTE_THREADS_MAX ? cpus : COMPUTE_THREADS_MAX,
        .on_end = on_end,
        .on_end_context = part,
    };
    sigset_t    all;
    sigset_t    before;
    enum sl_err err = sl_runtime_new(&options, &part->rt, why);

    if (err != SL_OK)
        return err;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    err = sl_runtime_start(part->rt, args, bytes, why);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static enum sl_err part_stop(struct part *part, struct sl_why *why)
{
    enum sl_err err;

    if (part->rt == NULL)
        return SL_OK;
    sl_runtime_stop(part->rt);
    err = sl_runtime_wait(part->rt, why);
    sl_runtime_free(&part->rt);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "%s", part->name);
}

static enum sl_err part_check(struct part *part, struct sl_why *why)
{
    enum sl_err err;

    if (part->rt == NULL || !atomic_load_explicit(&part->ended, memory_order_relaxed))
        return SL_OK;
    err = part_stop(part, why);
    return err != SL_OK ? err : sl_fail(why, SL_UNAVAILABLE, "the %s has ended", part->name);
}

enum sl_err laptop_check(struct laptop *laptop, struct sl_why *why)
{
    enum sl_err err = part_check(&laptop->pump_part, why);

    return err == SL_OK ? part_check(&laptop->drainer_part, why) : err;
}

static enum sl_err wait_until_online(struct laptop *l, const _Atomic uint32_t *state,
                                     const char *name, struct sl_why *why)
{
    enum { LOOK_MS = 10, PATIENCE_S = 60 };
    sl_nanos    give_up_at = sl_env_now(l->env) + PATIENCE_S * (sl_nanos)SL_NANOS_PER_S;
    enum sl_err err;

    while (atomic_load_explicit(state, memory_order_relaxed) != SL_NODE_ONLINE) {
        if ((err = laptop_check(l, why)) != SL_OK)
            return err;
        if (cli_is_stopped())
            return sl_fail(why, SL_STOPPED, "stopped by a signal");
        if (sl_env_now(l->env) > give_up_at)
            return sl_fail(why, SL_TIMEOUT, "the %s is not online after %d s; see %s", name,
                           PATIENCE_S, l->paths.log);
        cli_pause(l->env, LOOK_MS);
    }
    return SL_OK;
}

/* ---- starting ---- */

static enum sl_err start_pump(struct laptop *l, struct sl_why *why)
{
    struct sl_pump_options options;
    enum sl_err            err = laptop_pump_config(l->env, &l->paths, &l->pump_config, why);

    if (err != SL_OK)
        return err;
    options = sl_pump_options_of(&l->pump_config, l->env, l->host_name);
    options.tide_ms = TIDE_MS;
    if ((err = sl_pump_open(&options, &l->pump, why)) != SL_OK ||
        (err = sl_pump_listen(l->pump, why)) != SL_OK ||
        (err = part_start(l->env, &l->pump_part, &sl_pump_topology, &l->pump, sizeof(void *),
                          why)) != SL_OK)
        return sl_wrap(why, err, "start the pump");
    return wait_until_online(l, &l->pump->board.state, "pump", why);
}

static enum sl_err start_drainer(struct laptop *l, const struct laptop_target *target,
                                 struct sl_why *why)
{
    struct sl_drainer_options options = {
        .env = l->env, .config = &l->drainer_config, .host_name = l->host_name};
    enum sl_err err = laptop_drainer_config(l->env, &l->paths, target, &l->drainer_config, why);

    if (err != SL_OK)
        return err;
    if ((err = sl_drainer_config_filters(&l->drainer_config, &l->filter, &l->event_filter, why)) !=
        SL_OK)
        return err;
    options.filter = l->filter;
    options.event_filter = l->event_filter;
    if ((err = sl_drainer_open(&options, &l->drainer, why)) != SL_OK ||
        (err = sl_drainer_listen(l->drainer, why)) != SL_OK)
        return sl_wrap(why, err, "start the drainer");
    sl_drainer_wire(&l->drainer_wiring, l->drainer_config.memory_budget);
    if ((err = part_start(l->env, &l->drainer_part, &l->drainer_wiring.topology, &l->drainer,
                          sizeof(void *), why)) != SL_OK)
        return sl_wrap(why, err, "start the drainer");
    return wait_until_online(l, &l->drainer->front.board.state, "drainer", why);
}

/* The drainer wants the history of jobs to be there, be it empty. */
static enum sl_err see_to_history(struct laptop *l, struct sl_why *why)
{
    struct sl_file *file;
    enum sl_err     err =
        sl_fs_open(l->env->fs, l->paths.ddl_history, SL_OPEN_WRITE | SL_OPEN_CREATE, &file, why);

    if (err == SL_OK)
        sl_file_close(&file);
    return err;
}

enum sl_err laptop_start(struct laptop *laptop, const struct laptop_target *target,
                         struct sl_why *why)
{
    enum sl_err err;

    if ((err = see_to_history(laptop, why)) != SL_OK || (err = start_pump(laptop, why)) != SL_OK)
        return err;
    return start_drainer(laptop, target, why);
}

enum sl_err laptop_stop(struct laptop **laptop, struct sl_why *why)
{
    struct laptop *l = *laptop;
    enum sl_err    err;
    enum sl_err    pump_err;

    *laptop = NULL;
    if (l == NULL)
        return SL_OK;
    err = part_stop(&l->drainer_part, why);
    sl_drainer_close(&l->drainer);
    pump_err = part_stop(&l->pump_part, err == SL_OK ? why : NULL);
    sl_pump_close(&l->pump);
    sl_filter_free(&l->filter);
    sl_event_filter_free(&l->event_filter);
    sl_conf_free(&sl_pump_config_table, &l->pump_config);
    sl_conf_free(&sl_drainer_config_table, &l->drainer_config);
    sl_panic_also_to(-1);
    sl_log_done();
    sl_file_close(&l->lock);
    free(l);
    return err != SL_OK ? err : pump_err;
}

/* ---- facts ---- */

uint64_t laptop_cluster_id(const struct laptop *laptop)
{
    return laptop->cluster_id;
}

const char *laptop_pd_urls(const struct laptop *laptop)
{
    return laptop->paths.pd_urls;
}

const char *laptop_ddl_history(const struct laptop *laptop)
{
    return laptop->paths.ddl_history;
}

const char *laptop_log(const struct laptop *laptop)
{
    return laptop->paths.log;
}

const char *laptop_pump_address(const struct laptop *laptop)
{
    return laptop->pump->advertise;
}

const char *laptop_drainer_address(const struct laptop *laptop)
{
    return laptop->drainer->advertise;
}

struct sl_drainer_board *laptop_board(struct laptop *laptop)
{
    return &laptop->drainer->front.board;
}

sl_ts laptop_pump_newest(const struct laptop *laptop)
{
    return sl_pump_max_commit_ts(laptop->pump);
}
