#include "sluice/compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "sluice/compare_lines.h"
#include "sluice/corpus.h"

enum { TOLD_LINE_BYTES_MAX = 120, TELL_BYTES_MAX = 600 };

/* One table that is expected. */
struct expected {
    char          *name;  /* owned; SCHEMA.TABLE */
    char          *path;  /* owned; of the file, or NULL */
    struct sl_buf *text;  /* owned; of the table, or NULL */
    struct mask   *masks; /* owned */
    uint32_t       mask_count;
    bool           seen; /* the server has it */
};

struct compare {
    const struct sl_env *env;
    struct expected     *tables; /* owned */
    uint32_t             count;
};

/* ---- what is expected ---- */

struct compare *compare_new(const struct sl_env *env)
{
    struct compare *c = calloc(1, sizeof *c);

    SL_ASSERT(c != NULL);
    c->env = env;
    return c;
}

static void masks_free(struct expected *e)
{
    for (uint32_t i = 0; i < e->mask_count; i++) {
        free(e->masks[i].column);
        free(e->masks[i].key);
    }
    free(e->masks);
}

void compare_free(struct compare **compare)
{
    struct compare *old = *compare;

    *compare = NULL;
    if (old == NULL)
        return;
    for (uint32_t i = 0; i < old->count; i++) {
        free(old->tables[i].name);
        free(old->tables[i].path);
        sl_buf_free(&old->tables[i].text);
        masks_free(&old->tables[i]);
    }
    free(old->tables);
    free(old);
}

static struct expected *find(struct compare *c, const char *name)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (strcmp(c->tables[i].name, name) == 0)
            return &c->tables[i];
    }
    return NULL;
}

static char *copy(const char *text, size_t len)
{
    char *out = strndup(text, len);

    SL_ASSERT(out != NULL);
    return out;
}

static struct expected *expect(struct compare *c, const char *name, size_t len)
{
    char            *own = copy(name, len);
    struct expected *e = find(c, own);

    if (e != NULL) {
        free(own);
        return e;
    }
    c->tables = realloc(c->tables, (c->count + 1) * sizeof *c->tables);
    SL_ASSERT(c->tables != NULL);
    e = &c->tables[c->count++];
    *e = (struct expected){.name = own};
    return e;
}

void compare_expect_table(struct compare *compare, const char *name, struct sl_buf **text)
{
    struct expected *e = expect(compare, name, strlen(name));

    sl_buf_free(&e->text);
    e->text = *text;
    *text = NULL;
}

static const char differences_file[] = "downstream-differences.tsv";

/* The length of the name without the ending; 0: it has another. */
static size_t without(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t end = strlen(ending);

    return len > end && strcmp(name + len - end, ending) == 0 ? len - end : 0;
}

/* What is needed to go through a folder. */
struct folder {
    struct compare *compare;
    const char     *path;
    struct sl_why  *why;
};

static enum sl_err expect_file(void *context, const char *name)
{
    struct folder   *f = context;
    size_t           len = without(name, ".tsv");
    char             path[SL_PATH_BYTES_MAX];
    struct expected *e;
    enum sl_err      err;

    if (len == 0)
        len = without(name, ".tsv.zst");
    if (len == 0 || strcmp(name, differences_file) == 0)
        return SL_OK;
    if ((err = sl_path_join(path, f->path, name, f->why)) != SL_OK)
        return err;
    e = expect(f->compare, name, len);
    free(e->path);
    e->path = copy(path, strlen(path));
    return SL_OK;
}

/* One line of the list: table, column, key, reason. */
static enum sl_err add_mask(struct compare *c, struct sl_slice line, struct sl_why *why)
{
    struct sl_slice  cells[3];
    struct expected *e;
    struct mask     *mask;
    char            *name;

    if (!lines_cells(line, cells, 3))
        return sl_fail(why, SL_INVALID, "%s: a line has less than three cells", differences_file);
    name = copy((const char *)cells[0].bytes, cells[0].len);
    e = find(c, name);
    free(name);
    if (e == NULL)
        return SL_OK; /* a table that is not in this recording's end */
    e->masks = realloc(e->masks, (e->mask_count + 1) * sizeof *e->masks);
    SL_ASSERT(e->masks != NULL);
    mask = &e->masks[e->mask_count++];
    mask->column = copy((const char *)cells[1].bytes, cells[1].len);
    mask->key = copy((const char *)cells[2].bytes, cells[2].len);
    return SL_OK;
}

static enum sl_err read_masks(struct compare *c, const char *folder, struct sl_why *why)
{
    char            path[SL_PATH_BYTES_MAX];
    struct sl_buf  *text;
    struct sl_slice rest;
    struct sl_slice line;
    bool            head = true;
    enum sl_err     err;

    if ((err = sl_path_join(path, folder, differences_file, why)) != SL_OK)
        return err;
    if ((err = corpus_read(c->env->fs, path, &text, why)) != SL_OK)
        return err == SL_NOT_FOUND ? SL_OK : err;
    rest = sl_slice_from_buf(text);
    while (err == SL_OK && lines_next(&rest, &line)) {
        if (!head)
            err = add_mask(c, line, why);
        head = false;
    }
    sl_buf_free(&text);
    return err;
}

enum sl_err compare_expect_folder(struct compare *compare, const char *folder, struct sl_why *why)
{
    struct folder f = {.compare = compare, .path = folder, .why = why};
    enum sl_err   err = sl_fs_list(compare->env->fs, folder, expect_file, &f, why);

    return err == SL_OK ? read_masks(compare, folder, why) : err;
}

/* ---- what the server has ---- */

/* One table of the server, and how its rows are asked for. */
struct found {
    char *name;  /* owned; SCHEMA.TABLE */
    char *query; /* owned; SELECT, without the table's name at its end */
    char *head;  /* owned; the names of its columns, with tabs */
    char *from;  /* owned; `schema`.`table` */
};

struct server {
    struct sl_mysql *connection; /* owned */
    struct found    *tables;     /* owned */
    uint32_t         count;
};

/* Columns of all tables, in order; what may stand for a value is said here. */
static const char columns_query[] =
    "SELECT c.table_schema, c.table_name, column_name,"
    " CONCAT('`', REPLACE(c.table_schema, '`', '``'), '`.`', REPLACE(c.table_name, '`', '``'),"
    " '`'),"
    " REPLACE(CASE"
    " WHEN data_type IN ('binary','varbinary','tinyblob','blob','mediumblob','longblob')"
    " THEN 'HEX(?)'"
    " WHEN data_type = 'bit' THEN 'CONV(HEX(?),16,10)'"
    " WHEN data_type = 'float' AND column_type NOT LIKE '%(%' OR column_type LIKE '%zerofill%'"
    " THEN '?+0' ELSE '?' END, '?', CONCAT('`', REPLACE(column_name, '`', '``'), '`'))"
    " FROM information_schema.columns c JOIN information_schema.tables t"
    " USING (table_schema, table_name) WHERE table_type = 'BASE TABLE' AND c.table_schema NOT IN"
    " ('information_schema', 'performance_schema', 'mysql', 'sys', 'tidb_binlog')"
    " ORDER BY c.table_schema, c.table_name, ordinal_position";

enum { COLUMN_SCHEMA, COLUMN_TABLE, COLUMN_NAME, COLUMN_FROM, COLUMN_EXPRESSION, COLUMN_CELLS };

/* Put text behind *text, which is owned and may be NULL. */
static void append(char **text, const char *more)
{
    size_t have = *text != NULL ? strlen(*text) : 0;
    size_t bytes = strlen(more) + 1;

    *text = realloc(*text, have + bytes);
    SL_ASSERT(*text != NULL);
    memcpy(*text + have, more, bytes);
}

static enum sl_err take_column(void *context, const struct sl_mysql_cell *cells, size_t count,
                               struct sl_why *why)
{
    struct server *s = context;
    struct found  *t = s->count > 0 ? &s->tables[s->count - 1] : NULL;
    bool           first;

    (void)why;
    SL_ASSERT(count == COLUMN_CELLS);
    first = t == NULL || strcmp(t->from, cells[COLUMN_FROM].text) != 0;
    if (first) {
        s->tables = realloc(s->tables, (s->count + 1) * sizeof *s->tables);
        SL_ASSERT(s->tables != NULL);
        t = &s->tables[s->count++];
        *t = (struct found){0};
        append(&t->name, cells[COLUMN_SCHEMA].text);
        append(&t->name, ".");
        append(&t->name, cells[COLUMN_TABLE].text);
        append(&t->from, cells[COLUMN_FROM].text);
    }
    append(&t->query, first ? "SELECT " : ",");
    append(&t->query, cells[COLUMN_EXPRESSION].text);
    if (!first)
        append(&t->head, "\t");
    append(&t->head, cells[COLUMN_NAME].text);
    return SL_OK;
}

static void server_done(struct server *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        free(s->tables[i].name);
        free(s->tables[i].query);
        free(s->tables[i].head);
        free(s->tables[i].from);
    }
    free(s->tables);
    sl_mysql_close(&s->connection);
}

static enum sl_err take_row(void *context, const struct sl_mysql_cell *cells, size_t count,
                            struct sl_why *why)
{
    struct lines *lines = context;
    size_t        bytes = 0;
    char         *line;
    char         *at;

    (void)why;
    for (size_t i = 0; i < count; i++)
        bytes += 2 * cells[i].len + 3;
    line = at = sl_arena_alloc(&lines->arena, bytes);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *at++ = '\t';
        at = lines_put_cell(at, cells[i].text, cells[i].len);
    }
    lines_add(lines, (struct sl_slice){(uint8_t *)line, (size_t)(at - line)});
    return SL_OK;
}

static enum sl_err read_rows(struct server *s, const struct found *t, struct lines *out,
                             struct sl_why *why)
{
    char       *query = NULL;
    enum sl_err err;

    append(&query, t->query);
    append(&query, " FROM ");
    append(&query, t->from);
    err = sl_mysql_query(s->connection, query, strlen(query), take_row, out, why);
    free(query);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "read %s", t->name);
}

/* ---- one table ---- */

/* One comparison. */
struct run {
    struct compare *compare;
    struct server  *server;
    void (*tell)(void *context, const char *line);
    void                  *context;
    struct compare_result *result;
};

static void tell(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct run *r, const char *format, ...)
{
    char    text[TELL_BYTES_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    r->result->differing++;
    r->tell(r->context, text);
}

/* The first differing row of a side as text for people. */
static const char *shown(const struct sl_slice *line, char *out)
{
    if (line->bytes == NULL)
        return "none";
    (void)snprintf(out, TOLD_LINE_BYTES_MAX, "%.*s", (int)line->len, (const char *)line->bytes);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '\t' ? ' ' : *c;
    return out;
}

static void compare_rows(struct run *r, const char *name, struct lines *want, struct lines *have)
{
    struct lines_difference d;
    char                    missing[TOLD_LINE_BYTES_MAX];
    char                    surplus[TOLD_LINE_BYTES_MAX];

    lines_sort(want);
    lines_sort(have);
    r->result->rows += want->count;
    lines_compare(want, have, &d);
    if (d.missing > 0 || d.surplus > 0)
        tell(r,
             "%s: %" PRIu64 " rows missing or wrong (source: %s), %" PRIu64
             " too many or wrong (target: %s)",
             name, d.missing, shown(&d.first_missing, missing), d.surplus,
             shown(&d.first_surplus, surplus));
}

/* Rows of both sides, without the line of names. */
static enum sl_err compare_texts(struct run *r, const struct expected *e, struct sl_slice want_text,
                                 const struct found *t, struct sl_why *why)
{
    struct lines    want = {0};
    struct lines    have = {0};
    struct sl_slice head = {0};
    struct sl_slice line;
    struct masking  masking;
    enum sl_err     err = read_rows(r->server, t, &have, why);

    (void)lines_next(&want_text, &head);
    masking = masking_of(e->masks, e->mask_count, head);
    while (lines_next(&want_text, &line))
        lines_add(&want, line);
    if (err == SL_OK && !lines_equal_text(head, t->head)) {
        tell(r, "%s: its columns are %s", e->name, t->head);
    } else if (err == SL_OK) {
        masking_apply(&masking, &want);
        masking_apply(&masking, &have);
        compare_rows(r, e->name, &want, &have);
    }
    lines_done(&want);
    lines_done(&have);
    return err;
}

static enum sl_err compare_table(struct run *r, struct expected *e, const struct found *t,
                                 struct sl_why *why)
{
    struct sl_buf *text = NULL;
    enum sl_err    err;

    e->seen = true;
    if (e->text != NULL)
        return compare_texts(r, e, sl_slice_from_buf(e->text), t, why);
    if ((err = corpus_read(r->compare->env->fs, e->path, &text, why)) != SL_OK)
        return err;
    err = compare_texts(r, e, sl_slice_from_buf(text), t, why);
    sl_buf_free(&text);
    return err;
}

/* ---- all tables ---- */

static enum sl_err compare_all(struct run *r, struct sl_why *why)
{
    struct compare *c = r->compare;
    enum sl_err     err;

    for (uint32_t i = 0; i < c->count; i++)
        c->tables[i].seen = false;
    for (uint32_t i = 0; i < r->server->count; i++) {
        const struct found *t = &r->server->tables[i];
        struct expected    *e = find(c, t->name);

        if (e == NULL)
            tell(r, "%s: is in the target only", t->name);
        else if ((err = compare_table(r, e, t, why)) != SL_OK)
            return err;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        if (!c->tables[i].seen)
            tell(r, "%s: is missing in the target", c->tables[i].name);
    }
    return SL_OK;
}

enum sl_err compare_run(struct compare *compare, const struct sl_mysql_options *server,
                        void (*tell_it)(void *context, const char *line), void *context,
                        struct compare_result *out, struct sl_why *why)
{
    static const struct sl_mysql_variable zone = {.name = "time_zone", .value = "+00:00"};
    struct sl_mysql_options               options = *server;
    struct server                         s = {0};
    struct compare_result                 result = {.tables = compare->count};
    struct run                            r = {compare, &s, tell_it, context, &result};
    enum sl_err                           err;

    options.variables = &zone;
    options.variable_count = 1;
    if ((err = sl_mysql_open(&options, &s.connection, NULL, why)) != SL_OK)
        return sl_wrap(why, err, "connect to the target");
    err =
        sl_mysql_query(s.connection, columns_query, sizeof columns_query - 1, take_column, &s, why);
    if (err == SL_OK)
        err = compare_all(&r, why);
    server_done(&s);
    if (err == SL_OK)
        *out = result;
    return err;
}

void compare_verdict(const struct compare_result *result, char *out, size_t size)
{
    if (result->differing == 0)
        (void)snprintf(out, size, "equal (%" PRIu32 " tables, %" PRIu64 " rows)", result->tables,
                       result->rows);
    else
        (void)snprintf(out, size, "differs (%" PRIu32 " of %" PRIu32 " tables)", result->differing,
                       result->tables);
}
