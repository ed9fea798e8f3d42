#ifndef SL_BASE_CONF_H
#define SL_BASE_CONF_H

/* Configuration: one table says what can be set, and gives the parser of the TOML file, of the
 * command line and of the environment, the defaults, the `--help` text and the manual.
 *
 *     static const struct sl_conf_row rows[] = {
 *         {.key = "addr",
 *          .flag = "addr",
 *          SL_CONF_AT(STRING, struct pump_config, addr),
 *          .def = "127.0.0.1:8250",
 *          .help = "address to listen on"},
 *     };
 *     static const struct sl_conf_table table = {.program = "pump",
 *                                                .env_prefix = "PUMP_",
 *                                                .rows = rows,
 *                                                .row_count = 1,
 *                                                .struct_bytes = sizeof(struct pump_config)};
 *
 *     if ((err = sl_conf_load(&table, &input, &config, &report, &why)) != SL_OK) {
 *         fprintf(stderr, "pump: %s\n", why.text);
 *         return sl_conf_exit_code(err);
 *     }
 *
 * Command line wins over environment, that over the file, that over the default. Input is never
 * asserted upon: whatever stands in a file or on a command line is taken or refused with one line
 * that says where. Tables are ours and are asserted upon. Nothing here keeps state; each call may
 * be made on any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/env.h"
#include "base/err.h"
#include "base/limits.h"

/* ---- the table ---- */

/* What a row sets, and the type of its field in the configuration struct. */
enum sl_conf_type {
    SL_CONF_STRING,   /* char *: owned, never NULL */
    SL_CONF_BOOL,     /* bool */
    SL_CONF_INT,      /* int64_t */
    SL_CONF_FLOAT,    /* double, finite; whole numbers are accepted in a file */
    SL_CONF_DURATION, /* int64_t nanoseconds; written as Go does ("1h30m"), see bare_nanos */
    SL_CONF_BYTES,    /* uint64_t bytes; written as "10 gib" or as a number */
    SL_CONF_STRINGS,  /* struct sl_conf_strings; as text: separated by commas */
    SL_CONF_INTS,     /* struct sl_conf_ints; as text: separated by commas */
    SL_CONF_TABLES,   /* struct sl_conf_tables: [[key]], an element of `nested` each */
    SL_CONF_NAMED,    /* struct sl_conf_tables: [key.NAME], an element of `nested` each */
};

/* Items and array are owned by the configuration struct: sl_conf_free frees them. No item is NULL.
 * At most SL_CONF_LIST_ITEMS_MAX, here and in the next two. */
struct sl_conf_strings {
    char **items;
    size_t count;
};

/* Owned likewise. */
struct sl_conf_ints {
    int64_t *items;
    size_t   count;
};

/* `items` is an array of the nested table's struct: cast it. */
struct sl_conf_tables {
    void  *items;
    size_t count;
};

/* What is out of the ordinary about a row: a set of these in its `flags`. */
enum sl_conf_row_flags {
    /* A STRING or STRINGS that is never printed, and wiped when freed. */
    SL_CONF_SECRET = 1,
    /* Accepted and checked for type, but has no field; help says why. */
    SL_CONF_IGNORED = 2,
    /* Not built: any value but the default stops the start; of a list: any member. With IGNORED: it
     * has no field. */
    SL_CONF_NOT_YET = 4,
    /* A boolean flag like -V: once on the command line, nothing else is read. No environment. */
    SL_CONF_ASK = 8,
    /* The flag that names the file (-config); at most one row. No environment. */
    SL_CONF_PATH = 16,
    /* In the nested table of a NAMED row: the STRING field that takes NAME. Has no key. */
    SL_CONF_NAME = 32,
    /* A STRING that a file may also write as an integer; the field gets its decimal digits. */
    SL_CONF_OR_INT = 64,
    /* The program takes another value while it runs, when it is told to read its settings again.
     * For the manual, and for who compares two configurations. */
    SL_CONF_LIVE = 128,
};

struct sl_conf_table;

/* One thing that can be set. Text is static. */
struct sl_conf_row {
    /* In the file, dotted ("security.ssl-ca"); NULL: not in the file. "" in the nested table of a
     * NAMED row: the value of NAME itself. */
    const char *key;
    /* On the command line, without "-", and in the environment; NULL: neither. */
    const char       *flag;
    enum sl_conf_type type; /* with offset: SL_CONF_AT */
    unsigned          flags;
    size_t            offset;
    const char       *def; /* as on a command line; NULL: zero, false, "" or an empty list */
    /* Allowed range in the field's unit, ends included; both 0: any. INT64_MIN, INT64_MAX: open. */
    int64_t min;
    int64_t max;
    /* For people: "s"; of a DURATION: what a number without a unit is; NULL: nothing to say. */
    const char                 *unit;
    int64_t                     bare_nanos; /* DURATION: what a bare number counts; 0: refused */
    const struct sl_conf_table *nested;     /* TABLES and NAMED */
    const char                 *help;       /* one phrase, small letter first, no full stop */
};

/* All that a program, or one element of a list of tables, can be told. Static and constant;
 * sl_conf_load asserts that it is sound. */
struct sl_conf_table {
    const char               *program;    /* "pump"; nested tables: NULL */
    const char               *env_prefix; /* "PUMP_"; nested tables: NULL */
    const struct sl_conf_row *rows;
    size_t                    row_count; /* at most SL_CONF_KEYS_MAX */
    size_t                    struct_bytes;
};

/* .type and .offset of a row, refused by the compiler when the field has another type:
 * SL_CONF_AT(INT, struct x, y) */
#define SL_CONF_AT(kind, owner, field) \
    .type = SL_CONF_##kind,            \
    .offset = offsetof(owner, field) + \
              0 * sizeof(_Generic(&((owner *)0)->field, SL_CONF_C_##kind * : 1))
#define SL_CONF_C_STRING char *
#define SL_CONF_C_BOOL bool
#define SL_CONF_C_INT int64_t
#define SL_CONF_C_FLOAT double
#define SL_CONF_C_DURATION int64_t
#define SL_CONF_C_BYTES uint64_t
#define SL_CONF_C_STRINGS struct sl_conf_strings
#define SL_CONF_C_INTS struct sl_conf_ints
#define SL_CONF_C_TABLES struct sl_conf_tables
#define SL_CONF_C_NAMED struct sl_conf_tables

/* ---- loading ---- */

/* Where the values are read from. All of it is borrowed for the call. */
struct sl_conf_input {
    int                argc; /* as given to main: argv[0] is not read */
    const char *const *argv;
    const char *const *env; /* "NAME=VALUE" strings and a NULL, as in environ; NULL: none */
    struct sl_fs      *fs;  /* for the file; NULL only if no row is SL_CONF_PATH */
};

/* In rising rank: of the places that set a row, the last one here has won. */
enum sl_conf_source {
    SL_CONF_FROM_DEFAULT,
    SL_CONF_FROM_FILE,
    SL_CONF_FROM_ENV,
    SL_CONF_FROM_FLAG
};

/* Where a value came from. Lists of tables: where the first line of them stands. */
struct sl_conf_origin {
    enum sl_conf_source source;
    unsigned            line; /* from 1; 0 unless FROM_FILE */
    unsigned            column;
};

/* What else sl_conf_load found out. The caller's, a few KiB; owns nothing. */
struct sl_conf_report {
    bool                  help;  /* -h or -help: print sl_conf_help and exit with 0 */
    bool                  asked; /* an SL_CONF_ASK flag is true: answer it and exit with 0 */
    struct sl_conf_origin origin[SL_CONF_KEYS_MAX]; /* one per row, in the order of the table */
    char                  path[SL_PATH_BYTES_MAX];  /* of the file that was read; "": none */
};

/* Fill *config (table->struct_bytes bytes, contents ignored) and *report. On success the caller
 * frees it with sl_conf_free, also when report->help or report->asked is set (then nothing but
 * defaults and flags has been read). On an error *config is all zeros and owns nothing, and why is
 * one line for the user, naming the place: SL_USAGE (wrong flag or value of a flag), SL_CONFIG
 * (everything else), SL_UNSUPPORTED (a SL_CONF_NOT_YET row). Retrying makes no sense. Reads a file:
 * blocks. */
enum sl_err sl_conf_load(const struct sl_conf_table *table, const struct sl_conf_input *input,
                         void *config, struct sl_conf_report *report, struct sl_why *why);

/* Free what sl_conf_load allocated and zero *config. Secrets are overwritten first. Harmless on all
 * zeros. */
void sl_conf_free(const struct sl_conf_table *table, void *config);

/* The exit code of a program that refuses to start: 2 for SL_USAGE, else 1. */
int sl_conf_exit_code(enum sl_err err);

/* ---- telling ---- */

/* The index of the row with this key, or else with this flag. Panics when there is none. */
size_t sl_conf_row_index(const struct sl_conf_table *table, const char *key_or_flag);

/* The environment variable of a row into out[SL_NAME_BYTES_MAX]; false: it has none. Rows whose
 * origin is SL_CONF_FROM_ENV are the "recognized and used environment variable"s that a program
 * logs at its start. */
bool sl_conf_env_name(const struct sl_conf_table *table, const struct sl_conf_row *row, char *out);

/* The present value of a row as text, cut at `size`; a secret that is set: "***". IGNORED rows have
 * none: "". */
void sl_conf_value_text(const struct sl_conf_row *row, const void *config, char *out, size_t size);

/* Where a row's value came from, cut at `size`: "default", "pump.toml:12", "PUMP_ADDR", "-addr". */
void sl_conf_origin_text(const struct sl_conf_table *table, const struct sl_conf_report *report,
                         size_t row_index, char *out, size_t size);

/* The one of `count` words nearest to `word`, or NULL when none is near enough to be meant: for
 * "did you mean". */
const char *sl_conf_nearest(const char *word, const char *const *words, size_t count);

/* Is the value of this row the same in two configurations? Of IGNORED rows: true. */
bool sl_conf_is_same(const struct sl_conf_row *row, const void *a, const void *b);

/* The `--help` text: flags in Go's style, sorted by name. */
void sl_conf_help(const struct sl_conf_table *table, FILE *out);

/* The manual: a Markdown table with a row per key, in the table's order, nested tables included. */
void sl_conf_manual(const struct sl_conf_table *table, FILE *out);

#endif
