#include "sluice/ddl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"

/* Ids below are left to the cluster's own tables. */
enum { ID_MIN = 1000 };

enum { LINE_BYTES_MAX = 4096 };

static const char *const queries[DDL_JOBS] = {
    [DDL_CREATE_DATABASE] = "create database sluice_load",
    [DDL_CREATE_TABLE] = "create table sluice_load.t (id bigint primary key, payload longblob)",
};

const char *ddl_query(enum ddl_job job)
{
    return queries[job];
}

/* ---- reading ---- */

struct history {
    int64_t     id; /* the greatest of any kind */
    int64_t     version;
    const char *database;    /* whose jobs are looked for */
    int64_t     database_id; /* its id; 0: not seen */
    int64_t     table_id;    /* of its table t */
};

/* A member that is an object; NULL: there is none. object may be NULL. */
static const struct sl_json *object_at(const struct sl_json *object, const char *name)
{
    const struct sl_json *member = object != NULL ? sl_json_member(object, name) : NULL;

    return member != NULL && sl_json_kind(member) == SL_JSON_OBJECT ? member : NULL;
}

static int64_t integer_at(const struct sl_json *object, const char *name)
{
    const struct sl_json *member = object != NULL ? sl_json_member(object, name) : NULL;

    return member != NULL && sl_json_kind(member) == SL_JSON_INT ? sl_json_int(member) : 0;
}

/* Is the lower-case form of a name this one? */
static bool is_named(const struct sl_json *object, const char *member, const char *name)
{
    const struct sl_json *names = object_at(object, member);
    const struct sl_json *lower = names != NULL ? sl_json_member(names, "L") : NULL;

    return lower != NULL && sl_json_kind(lower) == SL_JSON_TEXT &&
           strcmp(sl_json_text(lower), name) == 0;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void note_job(struct history *h, const struct sl_json *job)
{
    const struct sl_json *binlog = object_at(job, "binlog");
    const struct sl_json *database = object_at(binlog, "DBInfo");
    const struct sl_json *table = object_at(binlog, "TableInfo");

    h->id = greater(h->id, integer_at(job, "id"));
    h->id = greater(h->id, integer_at(job, "schema_id"));
    h->id = greater(h->id, integer_at(job, "table_id"));
    h->version = greater(h->version, integer_at(binlog, "SchemaVersion"));
    if (database != NULL && is_named(database, "db_name", h->database))
        h->database_id = integer_at(database, "id");
    if (table != NULL && h->database_id != 0 && integer_at(job, "schema_id") == h->database_id &&
        is_named(table, "name", "t"))
        h->table_id = integer_at(table, "id");
}

static enum sl_err read_lines(struct sl_slice all, struct history *h, struct sl_why *why)
{
    struct sl_json *job;
    enum sl_err     err;

    for (unsigned line = 1; all.len > 0; line++) {
        const uint8_t *end = memchr(all.bytes, '\n', all.len);
        size_t         len = end != NULL ? (size_t)(end - all.bytes) : all.len;

        if ((err = sl_json_parse((struct sl_slice){all.bytes, len}, &job, why)) != SL_OK)
            return sl_wrap(why, err, "line %u", line);
        if (sl_json_kind(job) == SL_JSON_OBJECT)
            note_job(h, job);
        sl_json_free(&job);
        len += end != NULL;
        all = (struct sl_slice){all.bytes + len, all.len - len};
    }
    return SL_OK;
}

static enum sl_err read_file(struct sl_fs *fs, const char *path, struct history *h,
                             struct sl_why *why)
{
    struct sl_file *file;
    struct sl_buf  *bytes = NULL;
    uint64_t        size;
    size_t          got;
    enum sl_err     err = sl_fs_open(fs, path, SL_OPEN_READ, &file, why);

    if (err == SL_NOT_FOUND)
        return SL_OK;
    if (err != SL_OK)
        return err;
    if ((err = sl_file_size(file, &size, why)) == SL_OK && size > SL_DDL_HISTORY_BYTES_MAX)
        err = sl_fail(why, SL_TOO_LARGE, "it has more than %d bytes", SL_DDL_HISTORY_BYTES_MAX);
    if (err == SL_OK) {
        bytes = sl_buf_new((size_t)size);
        err = sl_file_read_at(file, 0, bytes->data, bytes->len, &got, why);
    }
    if (err == SL_OK)
        err = read_lines((struct sl_slice){bytes->data, got}, h, why);
    sl_buf_free(&bytes);
    sl_file_close(&file);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "%s", path);
}

enum sl_err ddl_read(struct sl_fs *fs, const char *path, struct ddl_schema *out, struct sl_why *why)
{
    struct history h = {.id = ID_MIN, .database = "sluice_load"};
    enum sl_err    err = path != NULL ? read_file(fs, path, &h, why) : SL_OK;

    if (err != SL_OK)
        return err;
    *out = (struct ddl_schema){
        .exists = h.database_id != 0 && h.table_id != 0,
        .database_id = h.id + 1,
        .table_id = h.id + 3,
        .job_ids = {h.id + 2, h.id + 4},
        .versions = {h.version + 1, h.version + 2},
    };
    if (out->exists) {
        out->database_id = h.database_id;
        out->table_id = h.table_id;
    }
    return SL_OK;
}

enum sl_err ddl_read_end(struct sl_fs *fs, const char *path, const char *database,
                         struct ddl_end *out, struct sl_why *why)
{
    struct history h = {.id = ID_MIN, .database = database};
    enum sl_err    err = path != NULL ? read_file(fs, path, &h, why) : SL_OK;

    if (err == SL_OK)
        *out =
            (struct ddl_end){.id = h.id, .version = h.version, .has_database = h.database_id != 0};
    return err;
}

enum sl_err ddl_append_line(struct sl_fs *fs, const char *path, const char *line, size_t len,
                            struct sl_why *why)
{
    struct sl_file *file;
    uint64_t        size;
    enum sl_err     err = sl_fs_open(fs, path, SL_OPEN_WRITE | SL_OPEN_CREATE, &file, why);

    if (err != SL_OK)
        return err;
    if ((err = sl_file_size(file, &size, why)) == SL_OK)
        err = sl_file_write_at(file, size, line, len, why);
    sl_file_close(&file);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "append to %s", path);
}

/* ---- writing: the shape is that of TiDB's jobs, member by member ---- */

static const char job_format[] =
    "{\"id\":%" PRId64 ",\"type\":%d,\"schema_id\":%" PRId64 ",\"table_id\":%" PRId64
    ",\"state\":6,\"err\":null,\"err_count\":0,\"row_count\":0,\"raw_args\":null,"
    "\"schema_state\":5,\"snapshot_ver\":0,\"start_ts\":%" PRId64
    ",\"dependency_id\":0,\"query\":\"%s\",\"binlog\":{\"SchemaVersion\":%" PRId64
    ",\"DBInfo\":%s,\"TableInfo\":%s,\"FinishedTS\":%" PRId64
    "},\"version\":1,\"reorg_meta\":null,\"priority\":0}\n";

static const char database_format[] =
    "{\"id\":%" PRId64 ",\"db_name\":{\"O\":\"sluice_load\",\"L\":\"sluice_load\"},"
    "\"charset\":\"utf8mb4\",\"collate\":\"utf8mb4_bin\",\"state\":5}";

static const char column_format[] =
    "{\"id\":%d,\"name\":{\"O\":\"%s\",\"L\":\"%s\"},\"offset\":%d,\"origin_default\":null,"
    "\"default\":null,\"default_bit\":null,\"generated_expr_string\":\"\","
    "\"generated_stored\":false,\"dependences\":null,\"type\":{\"Tp\":%d,\"Flag\":%d,"
    "\"Flen\":%" PRId64 ",\"Decimal\":0,\"Charset\":\"binary\",\"Collate\":\"binary\","
    "\"Elems\":null},\"state\":5,\"comment\":\"\"}";

static const char table_format[] =
    "{\"id\":%" PRId64 ",\"name\":{\"O\":\"t\",\"L\":\"t\"},\"charset\":\"utf8mb4\","
    "\"collate\":\"utf8mb4_bin\",\"cols\":[%s,%s],\"index_info\":null,\"fk_info\":null,"
    "\"state\":5,\"pk_is_handle\":true,\"comment\":\"\",\"auto_inc_id\":0,\"max_col_id\":2,"
    "\"max_idx_id\":0,\"update_timestamp\":%" PRId64
    ",\"ShardRowIDBits\":0,\"partition\":null,\"compression\":\"\",\"view\":null}";

/* Types and flags of MySQL: a bigint that is not null and the key, a binary longblob. */
enum { TYPE_BIGINT = 8, TYPE_LONGBLOB = 251, FLAGS_KEY = 3, FLAGS_BINARY = 128 };
enum { ACTION_CREATE_DATABASE = 1, ACTION_CREATE_TABLE = 3 };

static void format_column(char *out, int id, const char *name, int type, int flags, int64_t length)
{
    (void)snprintf(out, LINE_BYTES_MAX, column_format, id, name, name, id - 1, type, flags, length);
}

static void format_table(char *out, const struct ddl_schema *schema, sl_ts start_ts)
{
    char id[LINE_BYTES_MAX];
    char payload[LINE_BYTES_MAX];

    format_column(id, 1, "id", TYPE_BIGINT, FLAGS_KEY, 20);
    format_column(payload, 2, "payload", TYPE_LONGBLOB, FLAGS_BINARY, UINT32_MAX);
    (void)snprintf(out, LINE_BYTES_MAX, table_format, schema->table_id, id, payload, start_ts);
}

enum sl_err ddl_append(struct sl_fs *fs, const char *path, const struct ddl_schema *schema,
                       enum ddl_job job, sl_ts start_ts, sl_ts end_ts, struct sl_why *why)
{
    char made[LINE_BYTES_MAX];
    char line[LINE_BYTES_MAX];
    bool table = job == DDL_CREATE_TABLE;
    int  length;

    if (table)
        format_table(made, schema, start_ts);
    else
        (void)snprintf(made, sizeof made, database_format, schema->database_id);
    length = snprintf(line, sizeof line, job_format, schema->job_ids[job],
                      (int)(table ? ACTION_CREATE_TABLE : ACTION_CREATE_DATABASE),
                      schema->database_id, table ? schema->table_id : 0, start_ts, ddl_query(job),
                      schema->versions[job], table ? "null" : made, table ? made : "null", end_ts);
    SL_ASSERT(length > 0 && length < LINE_BYTES_MAX);
    return ddl_append_line(fs, path, line, (size_t)length, why);
}
