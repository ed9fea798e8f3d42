#include "running_drainer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/mysql.h"

enum { POLL_MS = 5, META_BYTES = 4096, SERVER_MS = 60000 };

static const double AWAIT_S_MAX = 120;

static bool say(const char *text)
{
    fprintf(stderr, "running drainer: %s\n", text);
    return false;
}

/* ---- places ---- */

/* What is `up` folders above this program, and `rest` below that. */
static bool place(unsigned up, const char *rest, char *out, size_t room)
{
    ssize_t length = readlink("/proc/self/exe", out, room - 1);

    out[length > 0 ? length : 0] = '\0';
    for (unsigned i = 0; i < up; i++) {
        char *slash = strrchr(out, '/');

        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    length = (ssize_t)strlen(out);
    return snprintf(out + length, room - (size_t)length, "/%s", rest) <
           (int)(room - (size_t)length);
}

/* zig-out/bench is two folders below the root of the tree. */
static bool find_recording(struct running_drainer *d, const char *recording)
{
    static const char key[] = "\"last_commit_ts\": \"";
    char              path[sizeof d->recording + 16];
    char              text[META_BYTES] = "";
    char              rest[128];
    const char       *at;
    FILE             *f;

    (void)snprintf(rest, sizeof rest, "tests/corpus/%s", recording);
    if (!place(3, rest, d->recording, sizeof d->recording))
        return say("the path is too long");
    (void)snprintf(path, sizeof path, "%s/meta.json", d->recording);
    if ((f = fopen(path, "r")) == NULL)
        return say("the recording has no meta.json");
    (void)fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    at = strstr(text, key);
    d->last_ts = at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
    return d->last_ts != 0 || say("meta.json has no last_commit_ts");
}

/* ---- processes ---- */

static void become(const char *program, char *const *args)
{
    char path[4096];
    char rest[64];

    running_die_with_parent();
    (void)snprintf(rest, sizeof rest, "bin/%s", program);
    if (place(1, rest, path, sizeof path))
        execv(path, args);
    _exit(127);
}

static bool replay(const struct running_drainer *d)
{
    char  url[96];
    char  log[96];
    int   status = -1;
    pid_t pid;

    (void)snprintf(url, sizeof url, "local:%s/registry", d->pump.dir);
    (void)snprintf(log, sizeof log, "%s/replay.log", d->pump.dir);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        char *args[] = {(char *)"sluice",
                        (char *)"replay",
                        (char *)d->recording,
                        (char *)"--pumps",
                        (char *)d->pump.host,
                        (char *)"--pd-urls",
                        url,
                        NULL};

        if (freopen(log, "w", stdout) == NULL)
            _exit(126);
        become("sluice", args);
    }
    if (pid > 0)
        (void)waitpid(pid, &status, 0);
    return status == 0 || say("sluice replay failed");
}

static bool write_config(const struct running_drainer *d)
{
    char  path[96];
    FILE *f;
    bool  good;

    (void)snprintf(path, sizeof path, "%s/drainer.toml", d->pump.dir);
    if ((f = fopen(path, "w")) == NULL)
        return say("cannot write drainer.toml");
    fprintf(f,
            "pd-urls = \"local:%s/registry\"\naddr = \"127.0.0.1:0\"\nnode-id = \"bench\"\n"
            "data-dir = \"%s/drainer\"\nlog-file = \"%s/drainer.log\"\ninitial-commit-ts = 0\n"
            "[syncer]\ndb-type = \"mysql\"\nschema-source = \"file:%s/ddl-history.jsonl\"\n"
            "[syncer.to]\nhost = \"127.0.0.1\"\nport = %d\nuser = \"root\"\n",
            d->pump.dir, d->pump.dir, d->pump.dir, d->recording, d->server.port);
    good = ferror(f) == 0;
    return fclose(f) == 0 && good;
}

bool running_drainer_make(struct running_drainer *d, const struct bench_options *options,
                          const char *recording)
{
    *d = (struct running_drainer){0};
    return find_recording(d, recording) &&
           running_pump_make_at(&d->pump, running_pump_segment(options), 1) &&
           running_pump_start(&d->pump) && replay(d) && sink_server_start(&d->server) &&
           write_config(d);
}

bool running_drainer_start(struct running_drainer *d)
{
    char config[96];

    (void)snprintf(config, sizeof config, "%s/drainer.toml", d->pump.dir);
    fflush(NULL);
    d->began = bench_now();
    d->pid = fork();
    if (d->pid == 0) {
        char *args[] = {(char *)"drainer", (char *)"-config", config, NULL};

        become("drainer", args);
    }
    return d->pid > 0;
}

void running_drainer_remove(struct running_drainer *d)
{
    if (d->pid > 0) {
        (void)kill(d->pid, SIGKILL);
        (void)waitpid(d->pid, NULL, 0);
    }
    if (d->server.pid > 0)
        sink_server_stop(&d->server);
    running_pump_remove(&d->pump);
    d->pid = 0;
}

/* ---- its checkpoint ---- */

static enum sl_err take_ts(void *arg, const struct sl_mysql_cell *cells, size_t count,
                           struct sl_why *why)
{
    (void)why;
    if (count == 1 && cells[0].text != NULL)
        *(uint64_t *)arg = strtoull(cells[0].text, NULL, 10);
    return SL_OK;
}

double running_drainer_await(struct running_drainer *d)
{
    static const char question[] =
        "SELECT JSON_VALUE(checkPoint, '$.commitTS') FROM tidb_binlog.checkpoint";
    const struct timespec   pause = {.tv_nsec = POLL_MS * 1000000L};
    struct sl_mysql_options options = {.host = "127.0.0.1",
                                       .port = d->server.port,
                                       .user = "root",
                                       .connect_timeout_ms = SERVER_MS,
                                       .read_timeout_ms = SERVER_MS};
    struct sl_mysql        *conn = NULL;
    struct sl_why           why = {0};
    uint64_t                ts = 0;
    double                  seconds = -1;

    if (sl_mysql_open(&options, &conn, NULL, &why) != SL_OK)
        return say(why.text) ? 0 : -1;
    while (ts < d->last_ts && waitpid(d->pid, NULL, WNOHANG) == 0 &&
           bench_now() - d->began < AWAIT_S_MAX) {
        double rss = running_rss_peak_mib(d->pid);

        if (rss > d->peak_mib)
            d->peak_mib = rss;
        /* Before the drainer has made it there is no table. */
        (void)sl_mysql_query(conn, question, sizeof question - 1, take_ts, &ts, NULL);
        (void)nanosleep(&pause, NULL);
    }
    if (ts >= d->last_ts)
        seconds = bench_now() - d->began;
    else
        (void)say("the drainer has not reached the recording's end");
    sl_mysql_close(&conn);
    return seconds;
}
