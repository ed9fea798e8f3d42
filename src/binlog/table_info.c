#include "binlog/table_info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "binlog/job_json.h"
#include "binlog/table_private.h"

/* ---- leaves ---- */

static struct sl_slice copy_text(struct sl_arena *arena, struct sl_slice text)
{
    uint8_t *bytes = sl_arena_alloc(arena, text.len + 1);

    if (text.len > 0)
        memcpy(bytes, text.bytes, text.len);
    bytes[text.len] = '\0';
    return (struct sl_slice){bytes, text.len};
}

/* A number that TiDB keeps in more bits than we need: the length of LONGTEXT is 4294967295. */
static int32_t clamped(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : value < -1 ? -1 : (int32_t)value;
}

static enum sl_err take_state(const struct sl_json *object, enum sl_schema_state *out,
                              struct sl_why *why)
{
    int64_t     value;
    enum sl_err err = job_take_int(object, "state", &value, why);

    if (err != SL_OK)
        return err;
    /* "replica only" and "global txn only" are of no concern to rows; they read as not public. */
    *out = value >= 0 && value <= SL_SCHEMA_PUBLIC ? (enum sl_schema_state)value : SL_SCHEMA_NONE;
    return SL_OK;
}

static enum sl_err check_count(const char *what, size_t count, size_t limit, struct sl_why *why)
{
    if (count <= limit)
        return SL_OK;
    return sl_fail(why, SL_TOO_LARGE, "%zu %s, the limit is %zu", count, what, limit);
}

static enum sl_err expect_object(const struct sl_json *value, const char *what, struct sl_why *why)
{
    if (sl_json_kind(value) == SL_JSON_OBJECT)
        return SL_OK;
    return sl_fail(why, SL_INVALID, "%s holds %s", what, sl_json_kind_name(sl_json_kind(value)));
}

/* ---- columns ---- */

static enum sl_err take_elements(const struct sl_json *type, struct sl_arena *arena,
                                 struct sl_column *out, struct sl_why *why)
{
    const struct sl_json *list;
    struct sl_slice      *elements;
    size_t                count;
    enum sl_err           err;

    if ((err = job_take_array(type, "Elems", &list, why)) != SL_OK ||
        (err = check_count("elements", job_count(list), SL_TABLE_ELEMENTS_MAX, why)) != SL_OK)
        return err;
    count = job_count(list);
    elements = sl_arena_alloc(arena, count * sizeof *elements);
    for (size_t i = 0; i < count; i++) {
        const struct sl_json *value = sl_json_at(list, i);

        if (sl_json_kind(value) != SL_JSON_TEXT)
            return sl_fail(why, SL_INVALID, "Elems holds %s",
                           sl_json_kind_name(sl_json_kind(value)));
        elements[i] = copy_text(arena, sl_json_slice(value));
    }
    out->elements = elements;
    out->element_count = (uint32_t)count;
    return SL_OK;
}

static enum sl_err take_type(const struct sl_json *column, struct sl_arena *arena,
                             struct sl_column *out, struct sl_why *why)
{
    const struct sl_json *type;
    struct sl_slice       charset;
    struct sl_slice       collation;
    int64_t               code;
    int64_t               flags;
    int64_t               flen;
    int64_t               decimal;
    enum sl_err           err;

    if ((err = job_take_object(column, "type", &type, why)) != SL_OK ||
        (err = job_take_int(type, "Tp", &code, why)) != SL_OK ||
        (err = job_take_int(type, "Flag", &flags, why)) != SL_OK ||
        (err = job_take_int(type, "Flen", &flen, why)) != SL_OK ||
        (err = job_take_int(type, "Decimal", &decimal, why)) != SL_OK ||
        (err = job_take_text(type, "Charset", &charset, why)) != SL_OK ||
        (err = job_take_text(type, "Collate", &collation, why)) != SL_OK ||
        (err = take_elements(type, arena, out, why)) != SL_OK)
        return err;
    if (type == NULL || code < 0 || code > UINT8_MAX)
        return sl_fail(why, SL_INVALID, "type Tp is %" PRId64, code);
    out->type = (enum sl_column_type)code;
    out->flags = (uint32_t)flags;
    out->flen = clamped(flen);
    out->decimal = clamped(decimal);
    out->is_binary = sl_slice_equal(charset, sl_slice_from_string("binary"));
    out->charset = copy_text(arena, charset);
    out->collation = copy_text(arena, collation);
    return SL_OK;
}

/* A default that is no text: rare, and of old TiDB. */
static enum sl_err default_text(const struct sl_json *value, char text[static 40],
                                struct sl_why *why)
{
    enum sl_json_kind kind = sl_json_kind(value);

    if (kind == SL_JSON_INT)
        (void)snprintf(text, 40, "%" PRId64, sl_json_int(value));
    else if (kind == SL_JSON_REAL)
        (void)snprintf(text, 40, "%.17g", sl_json_real(value));
    else if (kind == SL_JSON_BOOL)
        (void)snprintf(text, 40, "%d", sl_json_bool(value));
    else
        return sl_fail(why, SL_INVALID, "origin_default is %s", sl_json_kind_name(kind));
    return SL_OK;
}

static enum sl_err take_bits(struct sl_slice text, struct sl_arena *arena, struct sl_column *out,
                             struct sl_why *why)
{
    uint8_t *bytes = sl_arena_alloc(arena, sl_base64_room(text.len));
    size_t   count;

    if (!sl_base64_decode(text, bytes, &count))
        return sl_fail(why, SL_INVALID, "origin_default_bit is no base64");
    out->default_kind = SL_DEFAULT_BITS;
    out->default_value = (struct sl_slice){bytes, count};
    return SL_OK;
}

/* Bits win over text, which TiDB keeps of them for its own older versions. */
static enum sl_err take_default(const struct sl_json *column, struct sl_arena *arena,
                                struct sl_column *out, struct sl_why *why)
{
    const struct sl_json *bits = sl_json_field(column, "origin_default_bit");
    const struct sl_json *value = sl_json_field(column, "origin_default");
    char                  text[40];
    enum sl_err           err;

    if (bits != NULL && sl_json_kind(bits) == SL_JSON_TEXT)
        return take_bits(sl_json_slice(bits), arena, out, why);
    if (value == NULL || sl_json_kind(value) == SL_JSON_NULL)
        return SL_OK;
    out->default_kind = SL_DEFAULT_TEXT;
    if (sl_json_kind(value) == SL_JSON_TEXT) {
        out->default_value = copy_text(arena, sl_json_slice(value));
        return SL_OK;
    }
    if ((err = default_text(value, text, why)) == SL_OK)
        out->default_value = copy_text(arena, sl_slice_from_string(text));
    return err;
}

static enum sl_err take_column(const struct sl_json *column, struct sl_arena *arena,
                               struct sl_column *out, struct sl_why *why)
{
    struct sl_slice name;
    struct sl_slice expression;
    enum sl_err     err;

    *out = (struct sl_column){.default_value = sl_slice_from_string("")};
    if ((err = job_take_name(column, "name", &name, why)) != SL_OK)
        return err;
    out->name = copy_text(arena, name);
    if ((err = job_take_int(column, "id", &out->id, why)) != SL_OK ||
        (err = take_state(column, &out->state, why)) != SL_OK ||
        (err = job_take_bool(column, "hidden", &out->is_hidden, why)) != SL_OK ||
        (err = job_take_text(column, "generated_expr_string", &expression, why)) != SL_OK ||
        (err = job_take_bool(column, "generated_stored", &out->is_stored, why)) != SL_OK ||
        (err = take_type(column, arena, out, why)) != SL_OK ||
        (err = take_default(column, arena, out, why)) != SL_OK)
        return sl_wrap(why, err, "column %s", (const char *)out->name.bytes);
    out->is_generated = expression.len > 0;
    return SL_OK;
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static enum sl_err check_ids(const struct sl_table *draft, struct sl_arena *arena,
                             struct sl_why *why)
{
    int64_t *ids = sl_arena_alloc(arena, draft->column_count * sizeof *ids);

    for (uint32_t i = 0; i < draft->column_count; i++)
        ids[i] = draft->columns[i].id;
    qsort(ids, draft->column_count, sizeof *ids, by_id);
    for (uint32_t i = 1; i < draft->column_count; i++) {
        if (ids[i] == ids[i - 1])
            return sl_fail(why, SL_INVALID, "two columns of id %" PRId64, ids[i]);
    }
    return SL_OK;
}

static enum sl_err take_columns(const struct sl_json *info, struct sl_arena *arena,
                                struct sl_table *draft, struct sl_why *why)
{
    const struct sl_json *list;
    struct sl_column     *columns;
    size_t                count;
    enum sl_err           err;

    if ((err = job_take_array(info, "cols", &list, why)) != SL_OK ||
        (err = check_count("columns", job_count(list), SL_TABLE_COLUMNS_MAX, why)) != SL_OK)
        return err;
    count = job_count(list);
    columns = sl_arena_alloc(arena, count * sizeof *columns);
    for (size_t i = 0; i < count; i++) {
        if ((err = expect_object(sl_json_at(list, i), "cols", why)) != SL_OK ||
            (err = take_column(sl_json_at(list, i), arena, &columns[i], why)) != SL_OK)
            return err;
    }
    draft->columns = columns;
    draft->column_count = (uint32_t)count;
    return check_ids(draft, arena, why);
}

/* ---- indexes ---- */

static enum sl_err take_part(const struct sl_json *part, const struct sl_table *draft,
                             struct sl_index_part *out, struct sl_why *why)
{
    int64_t     offset;
    int64_t     length;
    enum sl_err err;

    if ((err = expect_object(part, "idx_cols", why)) != SL_OK ||
        (err = job_take_int(part, "offset", &offset, why)) != SL_OK ||
        (err = job_take_int(part, "length", &length, why)) != SL_OK)
        return err;
    if (offset < 0 || offset >= draft->column_count)
        return sl_fail(why, SL_INVALID, "column %" PRId64 " of %" PRIu32, offset,
                       draft->column_count);
    *out = (struct sl_index_part){.column = (uint32_t)offset, .length = clamped(length)};
    return SL_OK;
}

static enum sl_err take_parts(const struct sl_json *index, const struct sl_table *draft,
                              struct sl_arena *arena, struct sl_index_info *out, struct sl_why *why)
{
    const struct sl_json *list;
    struct sl_index_part *parts;
    size_t                count;
    enum sl_err           err;

    if ((err = job_take_array(index, "idx_cols", &list, why)) != SL_OK ||
        (err = check_count("columns of an index", job_count(list), SL_TABLE_COLUMNS_MAX, why)) !=
            SL_OK)
        return err;
    count = job_count(list);
    parts = sl_arena_alloc(arena, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        if ((err = take_part(sl_json_at(list, i), draft, &parts[i], why)) != SL_OK)
            return err;
    }
    out->parts = parts;
    out->part_count = (uint32_t)count;
    return SL_OK;
}

static enum sl_err take_index(const struct sl_json *index, const struct sl_table *draft,
                              struct sl_arena *arena, struct sl_index_info *out, struct sl_why *why)
{
    struct sl_slice name;
    enum sl_err     err;

    *out = (struct sl_index_info){0};
    if ((err = job_take_name(index, "idx_name", &name, why)) != SL_OK)
        return err;
    out->name = copy_text(arena, name);
    if ((err = take_state(index, &out->state, why)) != SL_OK ||
        (err = job_take_bool(index, "is_unique", &out->is_unique, why)) != SL_OK ||
        (err = job_take_bool(index, "is_primary", &out->is_primary, why)) != SL_OK ||
        (err = take_parts(index, draft, arena, out, why)) != SL_OK)
        return sl_wrap(why, err, "index %s", (const char *)out->name.bytes);
    return SL_OK;
}

static enum sl_err take_indexes(const struct sl_json *info, struct sl_arena *arena,
                                struct sl_table *draft, struct sl_why *why)
{
    const struct sl_json *list;
    struct sl_index_info *indexes;
    size_t                count;
    enum sl_err           err;

    if ((err = job_take_array(info, "index_info", &list, why)) != SL_OK ||
        (err = check_count("indexes", job_count(list), SL_TABLE_INDEXES_MAX, why)) != SL_OK)
        return err;
    count = job_count(list);
    indexes = sl_arena_alloc(arena, count * sizeof *indexes);
    for (size_t i = 0; i < count; i++) {
        if ((err = expect_object(sl_json_at(list, i), "index_info", why)) != SL_OK ||
            (err = take_index(sl_json_at(list, i), draft, arena, &indexes[i], why)) != SL_OK)
            return err;
    }
    draft->indexes = indexes;
    draft->index_count = (uint32_t)count;
    return SL_OK;
}

/* ---- tables ---- */

static enum sl_err take_draft(const struct sl_json *info, struct sl_arena *arena,
                              struct sl_table *draft, struct sl_why *why)
{
    const struct sl_json *view;
    const struct sl_json *sequence;
    enum sl_err           err;

    if ((err = job_take_int(info, "id", &draft->id, why)) != SL_OK ||
        (err = job_take_bool(info, "pk_is_handle", &draft->pk_is_handle, why)) != SL_OK ||
        (err = job_take_bool(info, "is_common_handle", &draft->is_common_handle, why)) != SL_OK ||
        (err = job_take_object(info, "view", &view, why)) != SL_OK ||
        (err = job_take_object(info, "sequence", &sequence, why)) != SL_OK ||
        (err = take_columns(info, arena, draft, why)) != SL_OK ||
        (err = take_indexes(info, arena, draft, why)) != SL_OK)
        return err;
    if (draft->id <= 0)
        return sl_fail(why, SL_INVALID, "id is %" PRId64, draft->id);
    draft->is_view = view != NULL;
    draft->is_sequence = sequence != NULL;
    return SL_OK;
}

enum sl_err table_info_read(const struct sl_json *info, struct sl_slice schema, int64_t version,
                            struct sl_table **out, struct sl_why *why)
{
    struct sl_arena arena;
    struct sl_table draft = {.version = version};
    struct sl_slice name;
    enum sl_err     err;

    sl_arena_init(&arena);
    if ((err = job_take_name(info, "name", &name, why)) != SL_OK)
        return sl_wrap(why, err, "TableInfo");
    draft.schema = copy_text(&arena, schema);
    draft.name = copy_text(&arena, name);
    if ((err = take_draft(info, &arena, &draft, why)) != SL_OK) {
        err = sl_wrap(why, err, "TableInfo of %s.%s", (const char *)draft.schema.bytes,
                      (const char *)draft.name.bytes);
        sl_arena_done(&arena);
        return err;
    }
    *out = sl_table_seal(&arena, &draft);
    return SL_OK;
}

static enum sl_err take_partition(const struct sl_json *definition, struct sl_arena *arena,
                                  struct table_partition *out, struct sl_why *why)
{
    struct sl_slice name;
    enum sl_err     err;

    if ((err = expect_object(definition, "definitions", why)) != SL_OK ||
        (err = job_take_int(definition, "id", &out->id, why)) != SL_OK ||
        (err = job_take_name(definition, "name", &name, why)) != SL_OK)
        return err;
    out->name = copy_text(arena, name);
    return SL_OK;
}

enum sl_err table_info_partitions(const struct sl_json *info, struct sl_arena *arena,
                                  const struct table_partition **out, uint32_t *count,
                                  struct sl_why *why)
{
    const struct sl_json   *partition;
    const struct sl_json   *list;
    struct table_partition *all;
    enum sl_err             err;

    if ((err = job_take_object(info, "partition", &partition, why)) != SL_OK ||
        (err = job_take_array(partition, "definitions", &list, why)) != SL_OK ||
        (err = check_count("partitions", job_count(list), SL_TABLE_PARTITIONS_MAX, why)) != SL_OK)
        return sl_wrap(why, err, "partition");
    *count = (uint32_t)job_count(list);
    all = sl_arena_alloc(arena, *count * sizeof *all);
    for (uint32_t i = 0; i < *count; i++) {
        if ((err = take_partition(sl_json_at(list, i), arena, &all[i], why)) != SL_OK)
            return sl_wrap(why, err, "partition");
    }
    *out = all;
    return SL_OK;
}

bool table_info_is_temporary(const struct sl_json *info)
{
    const struct sl_json *kind = sl_json_field(info, "temp_table_type");

    return kind != NULL && sl_json_kind(kind) == SL_JSON_INT && sl_json_int(kind) != 0;
}
