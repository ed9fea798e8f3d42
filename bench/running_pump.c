#include "running_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "append_probe.h"
#include "base/env_os.h"
#include "net/local.h"
#include "sluice/mix_rows.h"

static const char node_id[] = "bench";

static const double START_S_MAX = 60;

enum { POLL_US = 500, QUICK_SEGMENT_BYTES = 32 << 20 };

static bool say(const char *what, const struct sl_why *why)
{
    fprintf(stderr, "running pump: %s: %s\n", what, why->text);
    return false;
}

/* ---- the cluster ---- */

/* A pump that waits for more free space than the machine has would measure nothing. */
static bool write_config(const struct running_pump *p)
{
    char  path[96];
    FILE *f;
    bool  good;

    (void)snprintf(path, sizeof path, "%s/pump.toml", p->dir);
    f = fopen(path, "w");
    if (f == NULL)
        return false;
    fprintf(f, "[storage]\nshards = 1\nstop-write-at-available-space = 0\n");
    if (p->segment_bytes != 0)
        fprintf(f, "segment-size = %" PRIu64 "\n", p->segment_bytes);
    good = ferror(f) == 0;
    return fclose(f) == 0 && good;
}

uint64_t running_pump_segment(const struct bench_options *options)
{
    return options->quick ? QUICK_SEGMENT_BYTES : 0;
}

bool running_pump_make(struct running_pump *p, uint64_t segment_bytes)
{
    return running_pump_make_at(p, segment_bytes, 0);
}

bool running_pump_make_at(struct running_pump *p, uint64_t segment_bytes, sl_ts first_ts)
{
    struct sl_why why = {0};
    char          registry[96];

    *p = (struct running_pump){.segment_bytes = segment_bytes};
    if (!probe_dir_make(p->dir))
        return false;
    (void)snprintf(registry, sizeof registry, "%s/registry", p->dir);
    if (sl_local_init(sl_env_os(), registry, RUNNING_PUMP_CLUSTER, first_ts, &why) != SL_OK)
        return say("cluster", &why);
    return write_config(p) || say("pump.toml", &why);
}

void running_pump_remove(struct running_pump *p)
{
    running_pump_kill(p);
    if (p->dir[0] != '\0')
        probe_dir_remove(p->dir);
    p->dir[0] = '\0';
}

/* ---- the process ---- */

/* bin/pump in the folder of this program. */
static bool pump_path(char *out, size_t room)
{
    ssize_t length = readlink("/proc/self/exe", out, room);
    char   *slash;

    if (length <= 0 || (size_t)length >= room)
        return false;
    out[length] = '\0';
    slash = strrchr(out, '/');
    if (slash == NULL || (size_t)(slash - out) + sizeof "/bin/pump" > room)
        return false;
    (void)memcpy(slash, "/bin/pump", sizeof "/bin/pump");
    return true;
}

void running_die_with_parent(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void become_pump(const struct running_pump *p)
{
    char url[96];
    char data[96];
    char config[96];
    char log[96];
    char path[4096];

    (void)snprintf(url, sizeof url, "local:%s/registry", p->dir);
    (void)snprintf(data, sizeof data, "%s/data", p->dir);
    (void)snprintf(config, sizeof config, "%s/pump.toml", p->dir);
    (void)snprintf(log, sizeof log, "%s/pump.log", p->dir);
    running_die_with_parent();
    if (!pump_path(path, sizeof path))
        _exit(126);
    execl(path, "pump", "-addr", "127.0.0.1:0", "-pd-urls", url, "-data-dir", data, "-config",
          config, "-node-id", node_id, "-log-file", log, (char *)NULL);
    _exit(127);
}

/* Its record says where it listens; one from before this start has another update_ts. */
static bool is_online(struct running_pump *p, struct sl_registry *registry, sl_ts before)
{
    struct sl_node node;

    if (sl_registry_get(registry, SL_NODE_PUMP, node_id, &node, NULL) != SL_OK ||
        node.update_ts == before || node.state != SL_NODE_ONLINE)
        return false;
    (void)memcpy(p->host, node.host, sizeof p->host);
    return true;
}

static bool await_online(struct running_pump *p, struct sl_registry *registry, sl_ts before)
{
    const struct timespec pause = {.tv_nsec = POLL_US * 1000};
    double                began = bench_now();
    int                   status;

    while (!is_online(p, registry, before)) {
        if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
            fprintf(stderr, "running pump: ended with status %d\n", status);
            p->pid = 0;
            return false;
        }
        if (bench_now() - began > START_S_MAX) {
            fprintf(stderr, "running pump: not online within %.0f s\n", START_S_MAX);
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    p->start_ms = (bench_now() - began) * 1e3;
    return true;
}

bool running_pump_start(struct running_pump *p)
{
    struct sl_why    why = {0};
    struct sl_node   node = {0};
    struct sl_local *local;
    char             registry[96];
    bool             good;

    (void)snprintf(registry, sizeof registry, "%s/registry", p->dir);
    if (sl_local_open(sl_env_os(), registry, &local, &why) != SL_OK)
        return say("registry", &why);
    if (sl_registry_get(sl_local_registry(local), SL_NODE_PUMP, node_id, &node, NULL) != SL_OK)
        node.update_ts = 0;
    fflush(NULL);
    p->pid = fork();
    if (p->pid == 0)
        become_pump(p);
    good = p->pid > 0 && await_online(p, sl_local_registry(local), node.update_ts);
    sl_local_free(&local);
    return good;
}

void running_pump_kill(struct running_pump *p)
{
    if (p->pid <= 0)
        return;
    (void)kill(p->pid, SIGKILL);
    (void)waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

bool running_pump_stop(struct running_pump *p)
{
    int status = -1;

    (void)kill(p->pid, SIGTERM);
    (void)waitpid(p->pid, &status, 0);
    p->pid = 0;
    if (status != 0)
        fprintf(stderr, "running pump: stopped with status %d\n", status);
    return status == 0;
}

/* ---- what it uses ---- */

static bool read_proc(pid_t pid, const char *name, char *out, size_t room)
{
    char    path[64];
    ssize_t n;
    int     fd;

    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, out, room - 1);
    (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

double running_cpu_s(pid_t pid)
{
    char               text[4096];
    unsigned long long user;
    unsigned long long system;
    const char        *at;

    if (!read_proc(pid, "stat", text, sizeof text) || (at = strrchr(text, ')')) == NULL)
        return 0;
    if (sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* A line of /proc/PID/status that counts kB, in MiB. */
static double status_mib(pid_t pid, const char *line)
{
    char        text[8192];
    const char *at;

    if (!read_proc(pid, "status", text, sizeof text) || (at = strstr(text, line)) == NULL)
        return 0;
    return (double)strtoull(at + strlen(line), NULL, 10) / 1024;
}

double running_rss_mib(pid_t pid)
{
    return status_mib(pid, "VmRSS:");
}

double running_rss_peak_mib(pid_t pid)
{
    return status_mib(pid, "VmHWM:");
}

/* ---- load ---- */

struct writer_options running_pump_writer(const char *const *host, uint32_t calls_max)
{
    struct writer_options options = writer_options_default();

    options.pumps = host;
    options.pump_count = 1;
    options.connections = 1;
    options.calls_max = calls_max;
    options.cluster_id = RUNNING_PUMP_CLUSTER;
    return options;
}

bool running_pump_load(const struct running_pump *p, uint32_t callers, size_t bytes, double seconds,
                       uint64_t pairs, struct loader_counts *counts)
{
    const char           *host = p->host;
    struct loader_options options = {
        .writer = running_pump_writer(&host, callers), .callers = callers, .pairs = pairs};
    const struct sl_env *env = sl_env_os();
    struct loader       *loader = NULL;
    struct sl_why        why = {0};
    sl_nanos             until = UINT64_MAX;
    enum sl_err          err;

    if (mix_rows_new(env, RUNNING_PUMP_CLUSTER, bytes, 1, NULL, &options.mix, &why) != SL_OK)
        return say("load", &why);
    if (loader_new(env, &options, &loader, &why) != SL_OK) {
        mix_free(&options.mix);
        return say("load", &why);
    }
    if (pairs == 0)
        until = sl_env_now(env) + (sl_nanos)(seconds * (double)SL_NANOS_PER_S);
    while ((err = loader_step(loader, until, &why)) == SL_AGAIN) {
        if (sl_env_now(env) >= until)
            loader_stop(loader);
    }
    *counts = *loader_counts(loader);
    loader_free(&loader);
    mix_free(&options.mix);
    return (err == SL_OK && counts->given_up == 0) || say("load", &why);
}
