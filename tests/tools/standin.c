/* A stand-in for the programs to come: it reads a configuration, opens its log and data directory,
 * and serves an echo on a port until it is told to stop. It shows that wrong input is answered as
 * pump will answer it (pump spec 6.8), and is the smallest whole program on the machine. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/env_os.h"
#include "base/log.h"
#include "base/panic.h"
#include "runtime/run.h"

enum {
    EXIT_START = 1, /* config, log or server creation */
    EXIT_SERVE = 2, /* flags, or failure while starting to serve */
    SESSIONS_MAX = 16,
    ECHO_BYTES = 4096,
};

struct standin_config {
    char   *addr;
    char   *data_dir;
    char   *log_level;
    char   *log_file;
    char   *config;
    int64_t heartbeat_s;
    char   *compressor;
    bool    topology;
    bool    version;
};

static const struct sl_conf_row conf_rows[] = {
    {.key = "addr",
     .flag = "addr",
     SL_CONF_AT(STRING, struct standin_config, addr),
     .def = "127.0.0.1:8250",
     .help = "address to listen on"},
    {.key = "data-dir",
     .flag = "data-dir",
     SL_CONF_AT(STRING, struct standin_config, data_dir),
     .def = "data.standin",
     .help = "directory of the data"},
    {.key = "log-level",
     .flag = "L",
     SL_CONF_AT(STRING, struct standin_config, log_level),
     .def = "info",
     .help = "log level: debug, info, warn, error, fatal"},
    {.key = "log-file",
     .flag = "log-file",
     SL_CONF_AT(STRING, struct standin_config, log_file),
     .help = "log file path; empty: standard output"},
    {.key = "heartbeat-interval",
     .flag = "heartbeat-interval",
     SL_CONF_AT(INT, struct standin_config, heartbeat_s),
     .def = "2",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "time between two heartbeats"},
    {.key = "compressor",
     SL_CONF_AT(STRING, struct standin_config, compressor),
     .flags = SL_CONF_NOT_YET,
     .help = "compression of records"},
    {.flag = "config",
     SL_CONF_AT(STRING, struct standin_config, config),
     .flags = SL_CONF_PATH,
     .help = "path to the configuration file"},
    {.flag = "topology",
     SL_CONF_AT(BOOL, struct standin_config, topology),
     .flags = SL_CONF_ASK,
     .help = "print the actors and lines and exit"},
    {.flag = "V",
     SL_CONF_AT(BOOL, struct standin_config, version),
     .flags = SL_CONF_ASK,
     .help = "print the version and exit"},
};

static const struct sl_conf_table conf_table = {
    .program = "standin",
    .env_prefix = "STANDIN_",
    .rows = conf_rows,
    .row_count = sizeof conf_rows / sizeof *conf_rows,
    .struct_bytes = sizeof(struct standin_config),
};

/* ---- session: echoes what it reads ---- */

struct session {
    struct sl_socket *socket; /* owned */
    struct sl_io      io;
    uint8_t           bytes[ECHO_BYTES];
    size_t            held; /* read and not written yet */
};

static enum sl_err no_messages(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

static enum sl_err session_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct session *s = self;

    memcpy(&s->socket, args, sizeof s->socket);
    return sl_io_watch(ctx, &s->io, s->socket, SL_SOCKET_READABLE);
}

static enum sl_err session_write(struct sl_ctx *ctx, struct session *s)
{
    size_t      put;
    enum sl_err err = sl_socket_write(s->socket, s->bytes, s->held, &put, sl_why(ctx));

    if (err == SL_OK) {
        s->held -= put;
        memmove(s->bytes, s->bytes + put, s->held);
    }
    return err;
}

/* One buffer's worth at a time: what cannot be written yet stops the reading. */
static enum sl_err session_ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct session *s = self;
    enum sl_err     err = SL_OK;

    (void)events;
    if (s->held == 0) {
        err = sl_socket_read(s->socket, s->bytes, sizeof s->bytes, &s->held, sl_why(ctx));
        if (err == SL_OK && s->held == 0)
            sl_stop(ctx);
    }
    if (err == SL_OK && s->held > 0)
        err = session_write(ctx, s);
    if (err != SL_OK && err != SL_AGAIN) {
        sl_stop(ctx); /* the peer's trouble ends the session, nothing more */
        return SL_OK;
    }
    return sl_io_watch(ctx, io, s->socket, s->held > 0 ? SL_SOCKET_WRITABLE : SL_SOCKET_READABLE);
}

static void session_stop(struct sl_ctx *ctx, void *self)
{
    struct session *s = self;

    sl_io_unwatch(ctx, &s->io);
    sl_socket_close(&s->socket);
}

static const struct sl_actor_class session_class = {
    .name = "session",
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct session),
    .start = session_start,
    .handle = no_messages,
    .ready = session_ready,
    .stop = session_stop,
};

/* ---- listener ---- */

struct listener_args {
    const char *addr; /* the configuration's, which outlives the actors */
};

struct listener {
    struct sl_socket *socket; /* owned */
    struct sl_io      io;
};

static enum sl_err listener_start(struct sl_ctx *ctx, void *self, const void *args)
{
    const struct listener_args *a = args;
    struct listener            *l = self;
    char                        local[SL_ADDR_BYTES_MAX];
    enum sl_err                 err;

    err = sl_net_listen(sl_env(ctx)->net, a->addr, &l->socket, sl_why(ctx));
    if (err != SL_OK)
        return err;
    sl_socket_local(l->socket, local);
    sl_log(SL_LOG_INFO, "start to server request", sl_field_str("addr", local));
    return sl_io_watch(ctx, &l->io, l->socket, SL_SOCKET_READABLE);
}

static enum sl_err listener_ready(struct sl_ctx *ctx, void *self, struct sl_io *io, unsigned events)
{
    struct listener  *l = self;
    struct sl_socket *socket;
    struct sl_ref     ref;

    (void)io;
    (void)events;
    while (sl_socket_accept(l->socket, &socket, sl_why(ctx)) == SL_OK) {
        if (sl_spawn(ctx, &session_class, &socket, sizeof socket, &ref) != SL_OK)
            sl_socket_close(&socket); /* SESSIONS_MAX are open */
    }
    return SL_OK;
}

static void listener_stop(struct sl_ctx *ctx, void *self)
{
    struct listener *l = self;

    sl_io_unwatch(ctx, &l->io);
    sl_socket_close(&l->socket);
}

static enum sl_err listener_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx); /* sessions that end are no news */
    return SL_OK;
}

static const struct sl_actor_class listener_class = {
    .name = "listener",
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct listener),
    .children_max = SESSIONS_MAX,
    .start = listener_start,
    .handle = no_messages,
    .system = listener_system,
    .ready = listener_ready,
    .stop = listener_stop,
};

/* ---- root ---- */

static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct sl_ref ref;

    (void)self;
    return sl_spawn(ctx, &listener_class, args, sizeof(struct listener_args), &ref);
}

static const struct sl_actor_class root_class = {
    .name = "root",
    .lane = SL_LANE_COMPUTE,
    .children_max = 1,
    .start = root_start,
    .handle = no_messages,
};

static const struct sl_topology_actor topology_actors[] = {
    {&root_class, 1}, {&listener_class, 1}, {&session_class, SESSIONS_MAX}};
static const struct sl_topology topology = {
    .program = "standin",
    .actors = topology_actors,
    .actor_count = sizeof topology_actors / sizeof *topology_actors,
};

/* ---- main ---- */

static enum sl_err visit_nothing(void *context, const char *name)
{
    (void)context;
    (void)name;
    return SL_OK;
}

static enum sl_err prepare(const struct standin_config *config, struct sl_why *why)
{
    const struct sl_env  *env = sl_env_os();
    struct sl_log_options log = {.path = config->log_file};
    enum sl_err           err;

    if ((err = sl_log_level_parse(config->log_level, &log.level, why)) != SL_OK)
        return err;
    if ((err = sl_log_init(env, &log, why)) != SL_OK)
        return sl_wrap(why, err, "open the log");
    err = sl_fs_mkdir_all(env->fs, config->data_dir, why);
    if (err == SL_OK)
        err = sl_fs_list(env->fs, config->data_dir, visit_nothing, NULL, why);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "use data-dir %s", config->data_dir);
}

static void log_stopping(void *context, int number)
{
    (void)context;
    sl_log(SL_LOG_INFO, "got signal to exit", sl_field_str("signal", strsignal(number)));
}

static int serve(const struct standin_config *config)
{
    struct listener_args  args = {.addr = config->addr};
    struct sl_run_options run = {
        .runtime = {.env = sl_env_os(),
                    .topology = &topology,
                    .compute_threads = 1,
                    .disk_threads = 1},
        .args = &args,
        .args_bytes = sizeof args,
        .on_stopping = log_stopping,
    };
    struct sl_why why = {0};
    enum sl_err   err;

    if ((err = prepare(config, &why)) != SL_OK) {
        fprintf(stderr, "standin: %s\n", why.text);
        return EXIT_START;
    }
    err = sl_run(&run, &why);
    if (err == SL_OK)
        sl_log(SL_LOG_INFO, "standin exit");
    sl_log_done();
    if (err != SL_OK)
        fprintf(stderr, "standin: %s\n", why.text);
    return err == SL_OK ? 0 : EXIT_SERVE;
}

static int answer(const struct standin_config *config)
{
    if (config->version)
        printf("Release Version: 0\n");
    else
        sl_topology_print(&topology, SL_TOPOLOGY_TEXT, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    static struct sl_conf_report report;
    struct standin_config        config;
    struct sl_conf_input         input = {.argc = argc,
                                          .argv = (const char *const *)argv,
                                          .env = (const char *const *)environ,
                                          .fs = sl_env_os()->fs};
    struct sl_why                why = {0};
    enum sl_err                  err;
    int                          code = 0;

    sl_panic_install("standin 0");
    if ((err = sl_conf_load(&conf_table, &input, &config, &report, &why)) != SL_OK) {
        fprintf(stderr, "standin: %s\n", why.text);
        return sl_conf_exit_code(err);
    }
    if (report.help)
        sl_conf_help(&conf_table, stderr);
    else if (report.asked)
        code = answer(&config);
    else
        code = serve(&config);
    sl_conf_free(&conf_table, &config);
    return code;
}
