#ifndef SL_TESTS_UNIT_BASE_CONF_SAMPLE_H
#define SL_TESTS_UNIT_BASE_CONF_SAMPLE_H

/* A configuration with a row of every kind, shaped after the real ones, and a file system that
 * holds one file in memory. For the tests of base/conf.h and its fuzzer. */

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"

struct sample_table_name {
    char *schema;
    char *table;
};

struct sample_rule {
    char                  *name;
    struct sl_conf_strings ignore_event;
    struct sl_conf_strings ignore_sql;
};

struct sample_param {
    char *name;
    char *value;
};

struct sample_migrate {
    struct sl_conf_strings rules;
    char                  *source_schema;
    int64_t                later;
};

struct sample {
    char                  *addr;
    char                  *log_level;
    char                  *config;
    int64_t                heartbeat_s;
    int64_t                gc_nanos;
    int64_t                read_timeout_nanos;
    uint64_t               available_bytes;
    double                 slow_write_s;
    bool                   sync_ddl;
    bool                   version;
    char                  *password;
    char                  *compressor;
    struct sl_conf_strings allowed_cn;
    struct sl_conf_ints    ignore_ts;
    struct sl_conf_tables  do_tables; /* struct sample_table_name */
    struct sl_conf_tables  rules;     /* struct sample_rule */
    struct sl_conf_tables  params;    /* struct sample_param */
    struct sl_conf_tables  migrate;   /* struct sample_migrate */
    struct sl_conf_tables  routes;    /* struct sample_table_name */
};

static const struct sl_conf_row sample_table_name_rows[] = {
    {.key = "db-name", SL_CONF_AT(STRING, struct sample_table_name, schema), .help = "schema"},
    {.key = "tbl-name",
     SL_CONF_AT(STRING, struct sample_table_name, table),
     .def = "*",
     .help = "table"},
};
static const struct sl_conf_table sample_table_name_table = {.rows = sample_table_name_rows,
                                                             .row_count = 2,
                                                             .struct_bytes =
                                                                 sizeof(struct sample_table_name)};

static const struct sl_conf_row sample_rule_rows[] = {
    {SL_CONF_AT(STRING, struct sample_rule, name), .flags = SL_CONF_NAME},
    {.key = "ignore-event",
     SL_CONF_AT(STRINGS, struct sample_rule, ignore_event),
     .help = "events"},
    {.key = "ignore-sql",
     SL_CONF_AT(STRINGS, struct sample_rule, ignore_sql),
     .help = "a|b patterns"},
};
static const struct sl_conf_table sample_rule_table = {
    .rows = sample_rule_rows, .row_count = 3, .struct_bytes = sizeof(struct sample_rule)};

static const struct sl_conf_row sample_param_rows[] = {
    {SL_CONF_AT(STRING, struct sample_param, name), .flags = SL_CONF_NAME},
    {.key = "", SL_CONF_AT(STRING, struct sample_param, value), .help = "session variable"},
};
static const struct sl_conf_table sample_param_table = {
    .rows = sample_param_rows, .row_count = 2, .struct_bytes = sizeof(struct sample_param)};

static const struct sl_conf_row sample_migrate_rows[] = {
    {.key = "binlog-filter-rule",
     SL_CONF_AT(STRINGS, struct sample_migrate, rules),
     .help = "names of rules"},
    {.key = "source.schema",
     SL_CONF_AT(STRING, struct sample_migrate, source_schema),
     .help = "pattern"},
    {.key = "later",
     SL_CONF_AT(INT, struct sample_migrate, later),
     .flags = SL_CONF_NOT_YET,
     .help = "later"},
};
static const struct sl_conf_table sample_migrate_table = {
    .rows = sample_migrate_rows, .row_count = 3, .struct_bytes = sizeof(struct sample_migrate)};

static const struct sl_conf_row sample_rows[] = {
    {.key = "addr",
     .flag = "addr",
     SL_CONF_AT(STRING, struct sample, addr),
     .def = "127.0.0.1:8250",
     .help = "address to listen on"},
    {.key = "log-level",
     .flag = "L",
     SL_CONF_AT(STRING, struct sample, log_level),
     .def = "info",
     .help = "log level"},
    {.flag = "config",
     SL_CONF_AT(STRING, struct sample, config),
     .flags = SL_CONF_PATH,
     .help = "path to the configuration file"},
    {.flag = "V",
     SL_CONF_AT(BOOL, struct sample, version),
     .flags = SL_CONF_ASK,
     .help = "print the version and exit"},
    {.key = "heartbeat-interval",
     .flag = "heartbeat-interval",
     SL_CONF_AT(INT, struct sample, heartbeat_s),
     .def = "2",
     .min = 0,
     .max = 3600,
     .unit = "s",
     .help = "time between heartbeats"},
    {.key = "gc",
     .flag = "gc",
     SL_CONF_AT(DURATION, struct sample, gc_nanos),
     .def = "7",
     .bare_nanos = INT64_C(86400000000000),
     .min = 1,
     .max = INT64_MAX,
     .unit = "days",
     .help = "age at which binlogs are removed"},
    {.key = "storage.stop-write-at-available-space",
     SL_CONF_AT(BYTES, struct sample, available_bytes),
     .def = "10 gib",
     .unit = "bytes",
     .help = "free space that is kept"},
    {.key = "storage.slow_write_threshold",
     SL_CONF_AT(FLOAT, struct sample, slow_write_s),
     .def = "1.0",
     .unit = "s",
     .help = "writes that take longer are logged"},
    {.key = "storage.kv.compaction-L0-trigger",
     .type = SL_CONF_INT,
     .flags = SL_CONF_IGNORED,
     .def = "8",
     .help = "for LevelDB"},
    {.flag = "log-rotate", .type = SL_CONF_STRING, .flags = SL_CONF_IGNORED, .help = "DEPRECATED"},
    {.key = "MetricsInterval",
     .flag = "metrics-interval",
     .type = SL_CONF_INT,
     .flags = SL_CONF_IGNORED,
     .def = "15",
     .max = 1000,
     .help = "push interval"},
    {.key = "security.cert-allowed-cn",
     SL_CONF_AT(STRINGS, struct sample, allowed_cn),
     .def = "root,tidb",
     .help = "names in client certificates"},
    {.key = "compressor",
     .flag = "compressor",
     SL_CONF_AT(STRING, struct sample, compressor),
     .flags = SL_CONF_NOT_YET,
     .help = "compression of the stream"},
    {.key = "syncer.sync-ddl",
     .flag = "sync-ddl",
     SL_CONF_AT(BOOL, struct sample, sync_ddl),
     .def = "true",
     .help = "execute DDL"},
    {.key = "syncer.ignore-txn-commit-ts",
     .flag = "ignore-ts",
     SL_CONF_AT(INTS, struct sample, ignore_ts),
     .help = "transactions to skip"},
    {.key = "syncer.replicate-do-table",
     SL_CONF_AT(TABLES, struct sample, do_tables),
     .nested = &sample_table_name_table,
     .help = "tables to take"},
    {.key = "syncer.table-migrate-rule",
     SL_CONF_AT(TABLES, struct sample, migrate),
     .nested = &sample_migrate_table,
     .help = "rules per table"},
    {.key = "syncer.routes",
     SL_CONF_AT(TABLES, struct sample, routes),
     .flags = SL_CONF_NOT_YET,
     .nested = &sample_table_name_table,
     .help = "new names"},
    {.key = "syncer.binlog-filter-rule",
     SL_CONF_AT(NAMED, struct sample, rules),
     .nested = &sample_rule_table,
     .help = "filter rules"},
    {.key = "syncer.to.password",
     .flag = "password",
     SL_CONF_AT(STRING, struct sample, password),
     .flags = SL_CONF_SECRET,
     .help = "of the downstream user"},
    {.key = "syncer.to.read-timeout",
     SL_CONF_AT(DURATION, struct sample, read_timeout_nanos),
     .def = "1m",
     .min = INT64_C(1000000),
     .max = INT64_C(3600000000000),
     .help = "wait for the downstream"},
    {.key = "syncer.to.params",
     SL_CONF_AT(NAMED, struct sample, params),
     .nested = &sample_param_table,
     .help = "session variables"},
};

static const struct sl_conf_table sample_table = {
    .program = "pump",
    .env_prefix = "PUMP_",
    .rows = sample_rows,
    .row_count = sizeof sample_rows / sizeof sample_rows[0],
    .struct_bytes = sizeof(struct sample),
};

/* ---- a file system with one file ---- */

struct sample_fs {
    struct sl_fs      fs;   /* first: ops cast back */
    struct sl_file    file; /* the one that is open */
    const char       *path;
    const char       *text;
    size_t            bytes;
    enum sl_err       info_err; /* what info, open and read answer */
    enum sl_err       open_err;
    enum sl_err       read_err;
    enum sl_file_kind kind;
    unsigned          open_count;
};

static inline enum sl_err sample_info(struct sl_fs *fs, const char *path, struct sl_file_info *out,
                                      struct sl_why *why)
{
    struct sample_fs *self = (struct sample_fs *)fs;

    if (strcmp(path, self->path) != 0)
        return sl_fail(why, SL_NOT_FOUND, "%s", path);
    *out = (struct sl_file_info){.kind = self->kind, .bytes = self->bytes};
    return self->info_err;
}

static inline enum sl_err sample_open(struct sl_fs *fs, const char *path, unsigned flags,
                                      struct sl_file **out, struct sl_why *why)
{
    struct sample_fs *self = (struct sample_fs *)fs;

    (void)path;
    (void)flags;
    if (self->open_err != SL_OK)
        return sl_fail(why, self->open_err, "open");
    self->open_count++;
    *out = &self->file;
    return SL_OK;
}

static inline enum sl_err sample_read_at(struct sl_file *f, uint64_t at, void *bytes, size_t count,
                                         size_t *got, struct sl_why *why)
{
    struct sample_fs *self =
        (struct sample_fs *)(void *)((char *)f - offsetof(struct sample_fs, file));

    (void)why;
    if (self->read_err != SL_OK)
        return self->read_err;
    *got = at >= self->bytes ? 0 : self->bytes - (size_t)at;
    *got = *got < count ? *got : count;
    if (*got > 0)
        memcpy(bytes, self->text + at, *got);
    return SL_OK;
}

static inline void sample_close(struct sl_file *f)
{
    struct sample_fs *self =
        (struct sample_fs *)(void *)((char *)f - offsetof(struct sample_fs, file));

    self->open_count--;
}

static const struct sl_fs_ops   sample_fs_ops = {.info = sample_info, .open = sample_open};
static const struct sl_file_ops sample_file_ops = {.read_at = sample_read_at,
                                                   .close = sample_close};

static inline struct sample_fs sample_fs_of(const char *path, const char *text, size_t bytes)
{
    return (struct sample_fs){.fs = {&sample_fs_ops},
                              .file = {.ops = &sample_file_ops},
                              .path = path,
                              .text = text,
                              .bytes = bytes};
}

/* ---- one load ---- */

struct sample_run {
    struct sample_fs      fs;
    struct sample         config;
    struct sl_conf_report report;
    struct sl_why         why;
};

/* Load the sample from the file text (NULL: no file), the arguments behind the program's name and
 * the environment, both ended by NULL (or NULL: none). The caller frees r->config with sl_conf_free
 * on success. */
static inline enum sl_err sample_load(struct sample_run *r, const char *text,
                                      const char *const *args, const char *const *env)
{
    const char          *argv[16] = {"pump"};
    struct sl_conf_input input = {.argc = 1, .argv = argv, .env = env, .fs = &r->fs.fs};

    memset(r, 0, sizeof *r);
    r->fs = sample_fs_of("p.toml", text, text != NULL ? strlen(text) : 0);
    if (text != NULL)
        argv[input.argc++] = "-config=p.toml";
    while (args != NULL && *args != NULL)
        argv[input.argc++] = *args++;
    return sl_conf_load(&sample_table, &input, &r->config, &r->report, &r->why);
}

#define SAMPLE_WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
