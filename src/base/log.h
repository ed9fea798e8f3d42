#ifndef SL_BASE_LOG_H
#define SL_BASE_LOG_H

/* Log lines: the name of an event and key=value pairs, told once, where the event is handled.
 *
 *     sl_log(SL_LOG_WARN, "handler runs too long", sl_field_str("actor", actor),
 *            sl_field_nanos("running", running));
 *
 * Two formats, one line per event, one write(2) per line:
 *
 *   text, TiDB's unified log format:
 *     [2019/04/28 09:29:59.016 +00:00] [WARN] [watchdog.c:9] ["handler runs too long"]
 *     [actor=sorter] [running=1.5s]                          (here on two lines for the page only)
 *
 *   JSON, one flat object:
 *     {"time":"2019-04-28T09:29:59.016+00:00","level":"WARN","source":"watchdog.c:9",
 *      "message":"handler runs too long","actor":"sorter","running":"1.5s"}
 *
 * In text, message, keys and values stand in double quotes when they contain a byte up to 0x20 or
 * one of \ " [ ] =; an empty string does not, and an empty message leaves out its brackets. In JSON
 * numbers and booleans are bare (integers of up to 64 bits: read them with a parser that keeps
 * them), all else is a string; a field named time, level, source or message gets "_" appended to
 * its key, as those are taken. In both, bytes that are not UTF-8 come out as \ufffd.
 *
 * A line longer than SL_LOG_LINE_BYTES_MAX is cut: a string in its middle, anything else as a
 * whole, and all fields after it. It stays well-formed and ends with the field cut=true.
 *
 * One call site may say SL_LOG_SITE_LINES_PER_S lines in a second; what it says beyond is counted,
 * and the next line of that site carries the count as the field suppressed. Fatal lines always
 * pass.
 *
 * A log never ends or fails its process: when writing fails (disk full, reader gone), lines are
 * lost and counted, and when it works again, the line "log lines lost" tells how many and why.
 * Writing blocks as long as the descriptor does. Lines go to the real system even in a simulation:
 * nobody's decisions depend on them.
 *
 * Any thread may log, at any time: before sl_log_init and after sl_log_done, lines of level info
 * and above go to standard error as text. Not for signal handlers. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/env.h"
#include "base/err.h"

/* Rising. dpanic and panic are the original's: a configuration may name them, nothing of ours is
 * logged at them. */
enum sl_log_level {
    SL_LOG_DEBUG,
    SL_LOG_INFO,  /* a change of state */
    SL_LOG_WARN,  /* needs a human if it repeats */
    SL_LOG_ERROR, /* needs a human */
    SL_LOG_DPANIC,
    SL_LOG_PANIC,
    SL_LOG_FATAL, /* the process is about to end; to end it is up to the caller */
};

/* ---- fields ---- */

/* Which member of the union in struct sl_field holds the value. */
enum sl_field_kind {
    SL_FIELD_END, /* of the array; not a field */
    SL_FIELD_STR,
    SL_FIELD_I64,
    SL_FIELD_U64,
    SL_FIELD_BOOL,
    SL_FIELD_NANOS,
};

/* Strings are borrowed until the call of sl_log returns. The keys suppressed and cut are the log's
 * own. */
struct sl_field {
    const char        *key;
    enum sl_field_kind kind;
    union {
        struct {
            const char *bytes;
            size_t      len;
        } str;
        int64_t  i64;
        uint64_t u64;
        bool     flag;
        sl_nanos nanos;
    };
};

/* len bytes, which need no terminator and may be anything. */
static inline struct sl_field sl_field_bytes(const char *key, const void *bytes, size_t len)
{
    return (struct sl_field){.key = key, .kind = SL_FIELD_STR, .str = {bytes, len}};
}

/* NULL shows as the empty string. */
static inline struct sl_field sl_field_str(const char *key, const char *text)
{
    return sl_field_bytes(key, text, text != NULL ? strlen(text) : 0);
}

/* Numbers and booleans: bare in JSON, decimal, true or false in text. */
static inline struct sl_field sl_field_i64(const char *key, int64_t value)
{
    return (struct sl_field){.key = key, .kind = SL_FIELD_I64, .i64 = value};
}
static inline struct sl_field sl_field_u64(const char *key, uint64_t value)
{
    return (struct sl_field){.key = key, .kind = SL_FIELD_U64, .u64 = value};
}
static inline struct sl_field sl_field_bool(const char *key, bool value)
{
    return (struct sl_field){.key = key, .kind = SL_FIELD_BOOL, .flag = value};
}

/* A span of time, shown as Go does: 1.5s, 2m0s, 350µs. */
static inline struct sl_field sl_field_nanos(const char *key, sl_nanos value)
{
    return (struct sl_field){.key = key, .kind = SL_FIELD_NANOS, .nanos = value};
}

/* The key is "error", the value the reason; with why NULL or empty, the text of err. */
static inline struct sl_field sl_field_err(enum sl_err err, const struct sl_why *why)
{
    bool told = why != NULL && why->text[0] != '\0';

    return sl_field_str("error", told ? why->text : sl_err_text(err));
}

/* Says that there is a value and shows "***": the value itself never reaches the log. */
static inline struct sl_field sl_field_secret(const char *key)
{
    return sl_field_str(key, "***");
}

/* What ends an array of fields; sl_log adds it. */
static inline struct sl_field sl_field_end(void)
{
    return (struct sl_field){.kind = SL_FIELD_END};
}

/* ---- logging ---- */

/* One per call of sl_log, static. Its atomics have only each other as partners, in any thread;
 * relaxed: they hand nothing over. */
struct sl_log_site {
    const char      *file;
    int              line;
    _Atomic uint64_t window;     /* 1 + second of the last line admitted << 32, lines in it */
    _Atomic uint64_t suppressed; /* since the last line that passed */
};

/* The lowest level that is written. Partner: sl_log_set_level. Relaxed: a line more or less while
 * it changes does not matter. Read it through sl_log_enabled. */
extern _Atomic int sl_log_threshold;

/* Would a line of this level be written now? For work that is done for the log alone. One relaxed
 * load. */
static inline bool sl_log_enabled(enum sl_log_level level)
{
    return (int)level >= atomic_load_explicit(&sl_log_threshold, memory_order_relaxed);
}

/* sl_log(level, message, field...): log a line with any number of fields. message and keys are
 * short and constant; what varies goes into fields. Fields are evaluated only when the level is
 * enabled; when it is not, the call costs one relaxed load. */
#define sl_log(level, ...) SL_LOG_CALL(level, __VA_ARGS__, sl_field_end())

#define SL_LOG_CALL(level, message, ...)                                                   \
    do {                                                                                   \
        static struct sl_log_site sl_log_site_here = {.file = __FILE__, .line = __LINE__}; \
        if (sl_log_enabled(level))                                                         \
            sl_log_write(&sl_log_site_here, (level), (message),                            \
                         (const struct sl_field[]){__VA_ARGS__});                          \
    } while (0)

/* What sl_log calls. `fields` ends with SL_FIELD_END. Takes the log's one lock for the write. */
void sl_log_write(struct sl_log_site *site, enum sl_log_level level, const char *message,
                  const struct sl_field *fields);

/* ---- set-up ---- */

/* The two formats above: the original's, and one for machines. */
enum sl_log_format { SL_LOG_TEXT, SL_LOG_JSON };

/* Borrowed for the call of sl_log_init. All zero: debug and above, text, to standard output. */
struct sl_log_options {
    enum sl_log_level  level;
    enum sl_log_format format;
    const char        *path;         /* NULL or "": a standard stream */
    bool               to_stderr;    /* of these standard error, because output is for data */
    uint64_t           rotate_bytes; /* 0: SL_LOG_FILE_BYTES_MAX */
};

/* Begin to log as the options say; times come from env, which is borrowed until sl_log_done. Once,
 * before there are other threads. On error the log goes on as it was.
 *
 * A file is created with its parent directories when missing, and appended to. Before a line would
 * make it larger than rotate_bytes, it is renamed to <name>-YYYY-MM-DDThh-mm-ss.mmm<ext> (local
 * time) and begun anew; files are never deleted. Only regular files are rotated.
 *
 * Ignores SIGPIPE and SIGXFSZ in this process: a write that fails shall fail, not kill.
 * Errors: what opening the file says; SL_TOO_LARGE (path). */
enum sl_err sl_log_init(const struct sl_env *env, const struct sl_log_options *options,
                        struct sl_why *why);

/* Close the file; from here on lines go to standard error. No other thread is left. */
void sl_log_done(void);

/* Open the file again under its name, for logrotate and SIGHUP; does nothing without a file. On
 * error the log goes on into the old one. Any thread; blocks. */
enum sl_err sl_log_reopen(struct sl_why *why);

/* The descriptor of the log file, for sl_panic_also_to; -1 when lines go to a standard stream. It
 * stays the same through rotation and reopening, until sl_log_done. */
int sl_log_fd(void);

/* Lines that could not be written since sl_log_init. Any thread. */
uint64_t sl_log_lost_count(void);

/* ---- levels ---- */

/* Any thread, at any time. */
void              sl_log_set_level(enum sl_log_level level);
enum sl_log_level sl_log_level(void);

/* Read debug, info, warn, error, dpanic, panic or fatal, in any case; "" is info, as in the
 * original. SL_INVALID otherwise, and *out untouched. */
enum sl_err sl_log_level_parse(const char *text, enum sl_log_level *out, struct sl_why *why);

/* "DEBUG" and so on. Static string. */
const char *sl_log_level_name(enum sl_log_level level);

#endif
