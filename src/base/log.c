#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "base/log_parts.h"

enum { NOTICE_BYTES_MAX = 2048 }; /* a line of the log about itself: one reason, escaped */
static_assert((int)NOTICE_BYTES_MAX >= (int)LOG_LINE_BYTES_MIN, "the encoders' least");

static const char *const level_names[] = {
    [SL_LOG_DEBUG] = "DEBUG", [SL_LOG_INFO] = "INFO",     [SL_LOG_WARN] = "WARN",
    [SL_LOG_ERROR] = "ERROR", [SL_LOG_DPANIC] = "DPANIC", [SL_LOG_PANIC] = "PANIC",
    [SL_LOG_FATAL] = "FATAL",
};
enum { LEVELS = sizeof level_names / sizeof level_names[0] };

_Atomic int sl_log_threshold = SL_LOG_INFO;

/* Written by sl_log_init and sl_log_done while there is one thread. */
static const struct sl_env *clock_env; /* NULL: the system's */
static enum sl_log_format   line_format = SL_LOG_TEXT;

/* Where lines go; one thread at a time. */
static struct {
    pthread_mutex_t lock;
    struct log_file file;
    uint64_t        untold;   /* lines lost since the last "log lines lost" */
    struct sl_why   lost_why; /* of the first of them */
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .file = {.fd = STDERR_FILENO}};

/* Written under sink.lock, read by anybody. Relaxed: a figure. */
static _Atomic uint64_t lost_count;

/* ---- levels ---- */

void sl_log_set_level(enum sl_log_level level)
{
    SL_ASSERT((unsigned)level < LEVELS);
    atomic_store_explicit(&sl_log_threshold, (int)level, memory_order_relaxed);
}

enum sl_log_level sl_log_level(void)
{
    return (enum sl_log_level)atomic_load_explicit(&sl_log_threshold, memory_order_relaxed);
}

enum sl_err sl_log_level_parse(const char *text, enum sl_log_level *out, struct sl_why *why)
{
    if (text[0] == '\0')
        text = level_names[SL_LOG_INFO];
    for (unsigned i = 0; i < LEVELS; i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *out = (enum sl_log_level)i;
            return SL_OK;
        }
    }
    return sl_fail(why, SL_INVALID, "not a log level: \"%.32s\" (debug, info, warn, error, fatal)",
                   text);
}

const char *sl_log_level_name(enum sl_log_level level)
{
    SL_ASSERT((unsigned)level < LEVELS);
    return level_names[level];
}

/* ---- rate limit ---- */

/* Take one of the site's places in this second. */
static bool site_admits(struct sl_log_site *site, sl_nanos now)
{
    uint64_t second = (uint64_t)(uint32_t)(now / SL_NANOS_PER_S + 1) << 32;
    uint64_t old = atomic_load_explicit(&site->window, memory_order_relaxed);
    uint64_t new;

    do {
        uint32_t used = old >> 32 == second >> 32 ? (uint32_t)old : 0;

        if (used == SL_LOG_SITE_LINES_PER_S)
            return false;
        new = second | (used + 1);
    } while (!atomic_compare_exchange_weak_explicit(&site->window, &old, new, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

/* ---- writing ---- */

static int32_t utc_offset_at(int64_t wall)
{
    time_t    seconds = (time_t)(wall / SL_NANOS_PER_S);
    struct tm local;

    return localtime_r(&seconds, &local) != NULL ? (int32_t)local.tm_gmtoff : 0;
}

static size_t encode(const struct log_record *record, char *out, size_t size)
{
    switch (line_format) {
    case SL_LOG_TEXT: return log_text_encode(record, out, size);
    case SL_LOG_JSON: return log_json_encode(record, out, size);
    }
    SL_UNREACHABLE("not a log format");
}

/* A warning of the log about itself, at the time of the line that is being written. */
static enum sl_err put_notice(const struct log_record *cause, int line, const char *message,
                              const struct sl_field *fields, struct sl_why *why)
{
    char              text[NOTICE_BYTES_MAX];
    struct log_record record = {
        .wall = cause->wall,
        .utc_offset_s = cause->utc_offset_s,
        .level = SL_LOG_WARN,
        .file = __FILE__,
        .line = line,
        .message = message,
        .fields = fields,
    };
    size_t count = encode(&record, text, sizeof text);

    return log_file_write(&sink.file, text, count, why);
}

static enum sl_err tell_lost(const struct log_record *cause, struct sl_why *why)
{
    const struct sl_field fields[] = {
        sl_field_u64("count", sink.untold),
        sl_field_str("error", sink.lost_why.text),
        sl_field_end(),
    };
    enum sl_err err;

    if (sink.untold == 0)
        return SL_OK;
    if ((err = put_notice(cause, __LINE__, "log lines lost", fields, why)) == SL_OK)
        sink.untold = 0;
    return err;
}

static enum sl_err make_room(const struct log_record *cause, size_t count, struct sl_why *why)
{
    enum sl_err err;

    if (!log_file_is_full(&sink.file, count))
        return SL_OK;
    err = log_file_rotate(&sink.file, cause->wall, cause->utc_offset_s, why);
    if (err == SL_OK)
        return SL_OK;
    return put_notice(cause, __LINE__, "log rotation failed",
                      (const struct sl_field[]){sl_field_err(err, why), sl_field_end()}, why);
}

/* The sink is locked. */
static void put_line(const struct log_record *record, const char *line, size_t count)
{
    struct sl_why why = {0};

    if (make_room(record, count, &why) == SL_OK && tell_lost(record, &why) == SL_OK &&
        log_file_write(&sink.file, line, count, &why) == SL_OK)
        return;
    if (sink.untold++ == 0)
        sink.lost_why = why;
    (void)atomic_fetch_add_explicit(&lost_count, 1, memory_order_relaxed);
}

void sl_log_write(struct sl_log_site *site, enum sl_log_level level, const char *message,
                  const struct sl_field *fields)
{
    char                 line[SL_LOG_LINE_BYTES_MAX];
    const struct sl_env *env = clock_env != NULL ? clock_env : sl_env_os();
    struct log_record    record;
    size_t               count;

    if (level < SL_LOG_FATAL && !site_admits(site, sl_env_now(env))) {
        (void)atomic_fetch_add_explicit(&site->suppressed, 1, memory_order_relaxed);
        return;
    }
    record = (struct log_record){
        .wall = sl_env_wall(env),
        .level = level,
        .file = site->file,
        .line = site->line,
        .message = message,
        .fields = fields,
        .suppressed = atomic_exchange_explicit(&site->suppressed, 0, memory_order_relaxed),
    };
    record.utc_offset_s = utc_offset_at(record.wall);
    count = encode(&record, line, sizeof line);
    (void)pthread_mutex_lock(&sink.lock);
    put_line(&record, line, count);
    (void)pthread_mutex_unlock(&sink.lock);
}

/* ---- set-up ---- */

static void ignore_write_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    int                    failed = sigaction(SIGPIPE, &ignore, NULL);

    SL_ASSERT(failed == 0);
    failed = sigaction(SIGXFSZ, &ignore, NULL);
    SL_ASSERT(failed == 0);
}

enum sl_err sl_log_init(const struct sl_env *env, const struct sl_log_options *options,
                        struct sl_why *why)
{
    const char *path = options->path != NULL ? options->path : "";
    uint64_t    rotate_bytes =
        options->rotate_bytes != 0 ? options->rotate_bytes : SL_LOG_FILE_BYTES_MAX;
    enum sl_err err;

    SL_ASSERT(env != NULL);
    SL_ASSERT(clock_env == NULL);
    if ((err = log_file_open(&sink.file, path, rotate_bytes, why)) != SL_OK)
        return err;
    if (path[0] == '\0' && options->to_stderr)
        sink.file.fd = STDERR_FILENO;
    ignore_write_signals();
    clock_env = env;
    line_format = options->format;
    sl_log_set_level(options->level);
    sink.untold = 0;
    atomic_store_explicit(&lost_count, 0, memory_order_relaxed);
    return SL_OK;
}

void sl_log_done(void)
{
    log_file_close(&sink.file);
    clock_env = NULL;
    line_format = SL_LOG_TEXT;
    sl_log_set_level(SL_LOG_INFO);
}

enum sl_err sl_log_reopen(struct sl_why *why)
{
    enum sl_err err;

    (void)pthread_mutex_lock(&sink.lock);
    err = log_file_reopen(&sink.file, why);
    (void)pthread_mutex_unlock(&sink.lock);
    return err;
}

int sl_log_fd(void)
{
    return sink.file.path[0] != '\0' ? sink.file.fd : -1;
}

uint64_t sl_log_lost_count(void)
{
    return atomic_load_explicit(&lost_count, memory_order_relaxed);
}
