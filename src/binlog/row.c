#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/row_private.h"
#include "binlog/table_private.h"

/* A row in format v1 is pairs of datums, an id and a value; a row without columns is one NULL. What
 * stands around it (codec spec 2.3):
 *
 *     insert: the row's key, one datum or one for each part of the primary index | row
 *     update: row before | row after, with the same ids, so that an id seen again is of the second
 *     delete: row
 */

/* ---- places ---- */

enum sl_err row_refuse(const struct row_reader *r, const struct sl_column *column,
                       const uint8_t *from, struct sl_why *why)
{
    const struct sl_table *table = r->context->table;
    size_t                 offset = (size_t)(from - r->bytes.bytes);

    if (column == NULL)
        return sl_wrap(why, SL_INVALID, "row of table %.*s.%.*s (id %lld), offset %zu",
                       (int)table->schema.len, (const char *)table->schema.bytes,
                       (int)table->name.len, (const char *)table->name.bytes, (long long)table->id,
                       offset);
    return sl_wrap(why, SL_INVALID, "row of table %.*s.%.*s (id %lld), column %.*s, offset %zu",
                   (int)table->schema.len, (const char *)table->schema.bytes, (int)table->name.len,
                   (const char *)table->name.bytes, (long long)table->id, (int)column->name.len,
                   (const char *)column->name.bytes, offset);
}

bool row_find(struct row_reader *r, int64_t id, uint32_t *place, const struct sl_column **typed)
{
    const struct sl_table *table = r->context->table;
    uint32_t               at;
    uint32_t               written;

    if (!table_find(table, id, r->guess, &at))
        return false;
    *place = at;
    *typed = &table->columns[at];
    r->guess = at + 1 < table->column_count ? at + 1 : 0;
    if (r->written_as == table)
        return true;
    if (table_find(r->written_as, id, r->typed_guess, &written)) {
        *typed = &r->written_as->columns[written];
        r->typed_guess = written + 1 < r->written_as->column_count ? written + 1 : 0;
    }
    return true;
}

/* Where the next value of that column goes; NULL: it has all it can have. */
static struct sl_value *slot_of(const struct row_reader *r, uint32_t place)
{
    if (r->old != NULL && r->old[place].kind == SL_VALUE_ABSENT)
        return &r->old[place];
    return r->values[place].kind == SL_VALUE_ABSENT ? &r->values[place] : NULL;
}

enum sl_err row_place(struct row_reader *r, int64_t id, const struct datum *datum,
                      const uint8_t *from, struct sl_why *why)
{
    const struct sl_column *typed;
    struct sl_value        *slot;
    struct sl_value         value;
    uint32_t                place;

    if (!row_find(r, id, &place, &typed))
        return SL_OK;
    if ((slot = slot_of(r, place)) == NULL) {
        (void)sl_fail(why, SL_INVALID, "the column is there more often than it can be");
        return row_refuse(r, typed, from, why);
    }
    if (row_value(r->context, typed, datum, &value, why) != SL_OK)
        return row_refuse(r, typed, from, why);
    *slot = value;
    return SL_OK;
}

/* ---- pairs ---- */

static enum sl_err take_id(struct wire_cursor *c, int64_t *out, struct sl_why *why)
{
    struct datum datum;
    enum sl_err  err;

    if ((err = datum_take(c, &datum, why)) != SL_OK)
        return err;
    if (datum.kind != DATUM_INT)
        return sl_fail(why, SL_INVALID, "%s where the id of a column belongs",
                       datum_kind_name(datum.kind));
    *out = datum.i;
    return SL_OK;
}

static enum sl_err take_pair(struct row_reader *r, struct wire_cursor *c, struct sl_why *why)
{
    const uint8_t *from = c->at;
    struct datum   datum;
    int64_t        id;

    if (take_id(c, &id, why) != SL_OK)
        return row_refuse(r, NULL, from, why);
    from = c->at;
    if (datum_take(c, &datum, why) != SL_OK)
        return row_refuse(r, sl_table_column(r->context->table, id), from, why);
    return row_place(r, id, &datum, from, why);
}

/* A number as long as it may be, without words for what is wrong with it; false also for numbers of
 * more than 63 bits. */
static inline bool take_number(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    const uint8_t *from = *at;
    uint64_t       value;

    if (from == end)
        return false;
    value = *from++;
    /* What says that a byte follows is the bit that the next byte's lowest adds to. */
    for (unsigned shift = 7; value >> (shift - 7) >= 0x80; shift += 7) {
        if (from == end || shift > 56)
            return false;
        value += ((uint64_t)*from++ - 1) << shift;
    }
    *at = from;
    *out = value;
    return true;
}

/* Most pairs are an integer, a string or NULL of the column behind the one before. They are decoded
 * here, in one piece and without words; false, and nothing happened, for all others and for what is
 * damaged, which take_pair sees to. */
static inline bool take_usual_pair(struct row_reader *r, struct wire_cursor *c)
{
    const uint8_t          *at = c->at;
    uint32_t                place = r->guess;
    const struct table_cell cell = r->cells[place];
    struct sl_value        *slot = &r->values[place];
    uint64_t                number;
    unsigned                flag;

    if (*at++ != DATUM_FLAG_VARINT || !take_number(&at, c->end, &number) ||
        (int64_t)datum_unzigzag(number) != cell.id || at == c->end)
        return false;
    if (r->old != NULL && r->old[place].kind == SL_VALUE_ABSENT)
        slot = &r->old[place];
    if (slot->kind != SL_VALUE_ABSENT)
        return false;
    flag = *at++;
    if (flag == DATUM_FLAG_NIL) {
        slot->kind = SL_VALUE_NULL;
    } else if (!take_number(&at, c->end, &number)) {
        return false;
    } else if (flag == DATUM_FLAG_BYTES && cell.kind == TABLE_CELL_STRING) {
        /* Odd lengths are negative. */
        if ((number & 1) != 0 || number >> 1 > (uint64_t)(c->end - at))
            return false;
        *slot = (struct sl_value){.kind = SL_VALUE_TEXT, .text = {at, (size_t)(number >> 1)}};
        at += number >> 1;
    } else if (flag == DATUM_FLAG_VARINT && cell.kind == TABLE_CELL_INTEGER) {
        *slot = (struct sl_value){.kind = SL_VALUE_INT, .i = (int64_t)datum_unzigzag(number)};
    } else if (flag == DATUM_FLAG_UVARINT && cell.kind == TABLE_CELL_INTEGER) {
        *slot = (struct sl_value){.kind = SL_VALUE_UINT, .u = number};
    } else {
        return false;
    }
    r->guess = place + 1 < r->context->table->column_count ? place + 1 : 0;
    c->at = at;
    return true;
}

/* One row, or the two of an update, without columns. */
static bool is_empty(struct wire_cursor c, bool is_update)
{
    size_t left = (size_t)(c.end - c.at);

    if (left == 1 || (left == 2 && is_update && c.at[1] == DATUM_FLAG_NIL))
        return c.at[0] == DATUM_FLAG_NIL;
    return false;
}

static enum sl_err take_row(struct row_reader *r, struct wire_cursor c, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    if (c.at == c.end) {
        (void)sl_fail(why, SL_INVALID, "the row is missing");
        return row_refuse(r, NULL, c.at, why);
    }
    if (is_empty(c, r->old != NULL))
        return SL_OK;
    if (*c.at == ROW_V2_MARK && r->old == NULL)
        return row_take_v2(r, (struct sl_slice){c.at, (size_t)(c.end - c.at)}, why);
    while (c.at < c.end && err == SL_OK) {
        if (r->cells == NULL || !take_usual_pair(r, &c))
            err = take_pair(r, &c, why);
    }
    return err;
}

/* ---- keys of inserts ---- */

static enum sl_err take_handle(struct row_reader *r, struct wire_cursor *c, struct datum *out,
                               struct sl_why *why)
{
    const uint8_t *from = c->at;

    if (datum_take(c, out, why) != SL_OK)
        return row_refuse(r, NULL, from, why);
    if (out->kind == DATUM_INT || out->kind == DATUM_UINT)
        return SL_OK;
    (void)sl_fail(why, SL_INVALID, "%s where the key of the row belongs",
                  datum_kind_name(out->kind));
    return row_refuse(r, NULL, from, why);
}

/* An integer that is the key goes to the primary column, unless it is hidden. It is signed on its
 * way, whatever the column is. */
static void fill_handle(struct row_reader *r, const struct datum *handle)
{
    const struct sl_table *table = r->context->table;

    if (!r->written_as->pk_is_handle)
        return;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct sl_column *column = &table->columns[i];

        if ((column->flags & SL_COLUMN_PRIMARY) == 0)
            continue;
        r->values[i] = (column->flags & SL_COLUMN_UNSIGNED) != 0
                           ? (struct sl_value){.kind = SL_VALUE_UINT, .u = handle->u}
                           : (struct sl_value){.kind = SL_VALUE_INT, .i = handle->i};
    }
}

/* Walk the parts of a key. With fill they go to columns that the row has not set: where the row has
 * one too the key's may be a sort key, and the key has only a prefix where the index does. */
static enum sl_err take_parts(struct row_reader *r, const struct sl_index_info *primary, bool fill,
                              struct wire_cursor *c, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (uint32_t i = 0; i < primary->part_count && err == SL_OK; i++) {
        const struct sl_index_part *part = &primary->parts[i];
        const struct sl_column     *column = &r->written_as->columns[part->column];
        const uint8_t              *from = c->at;
        struct datum                datum;
        const struct sl_column     *typed;
        uint32_t                    place;

        if (datum_take(c, &datum, why) != SL_OK)
            return row_refuse(r, column, from, why);
        if (fill && part->length < 0 && row_find(r, column->id, &place, &typed) &&
            r->values[place].kind == SL_VALUE_ABSENT)
            err = row_place(r, column->id, &datum, from, why);
    }
    return err;
}

static void fill_defaults(struct row_reader *r)
{
    const struct sl_table *table = r->context->table;

    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct sl_column *column = &table->columns[i];
        uint32_t                place;

        if (r->values[i].kind != SL_VALUE_ABSENT || !sl_column_is_writable(column))
            continue;
        if (r->written_as != table && table_find(r->written_as, column->id, i, &place))
            column = &r->written_as->columns[place];
        row_default(r->context, column, &r->values[i]);
    }
}

static enum sl_err take_insert(struct row_reader *r, struct sl_why *why)
{
    struct wire_cursor          c = wire_begin(r->bytes);
    struct wire_cursor          key = c;
    const struct sl_index_info *primary = NULL;
    struct datum                handle = {0};
    enum sl_err                 err;

    if (r->written_as->is_common_handle && (primary = sl_table_primary(r->written_as)) == NULL) {
        (void)sl_fail(why, SL_INVALID, "the table has no primary index, which is its key");
        return row_refuse(r, NULL, c.at, why);
    }
    if (primary != NULL)
        err = take_parts(r, primary, false, &c, why);
    else
        err = take_handle(r, &c, &handle, why);
    if (err != SL_OK || (err = take_row(r, c, why)) != SL_OK)
        return err;
    if (primary == NULL)
        fill_handle(r, &handle);
    else if ((err = take_parts(r, primary, true, &key, why)) != SL_OK)
        return err;
    fill_defaults(r);
    return SL_OK;
}

/* ---- rows ---- */

static enum sl_err take_update(struct row_reader *r, struct sl_why *why)
{
    const struct sl_table *table = r->context->table;
    enum sl_err            err;

    if ((err = take_row(r, wire_begin(r->bytes), why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (r->old[i].kind != SL_VALUE_ABSENT && r->values[i].kind == SL_VALUE_ABSENT) {
            (void)sl_fail(why, SL_INVALID, "the image after the update lacks the column");
            return row_refuse(r, &table->columns[i], r->bytes.bytes + r->bytes.len, why);
        }
    }
    return SL_OK;
}

static struct sl_value *absent_values(const struct sl_row_context *context)
{
    size_t           bytes = context->table->column_count * sizeof(struct sl_value);
    struct sl_value *values = sl_arena_alloc(context->arena, bytes);

    static_assert(SL_VALUE_ABSENT == 0, "no values are all zero");
    return memset(values, 0, bytes);
}

enum sl_err sl_row_decode(const struct sl_row_context *context, const struct sl_raw_row *row,
                          struct sl_change *out, struct sl_why *why)
{
    struct row_reader r = {
        .context = context,
        .written_as = context->written_as != NULL ? context->written_as : context->table,
        .bytes = row->bytes,
        .values = absent_values(context),
        .old = row->kind == SL_CHANGE_UPDATE ? absent_values(context) : NULL,
    };
    enum sl_err err;

    if (r.written_as == context->table && context->table->column_count > 0)
        r.cells = table_cells(context->table);
    switch (row->kind) {
    case SL_CHANGE_INSERT: err = take_insert(&r, why); break;
    case SL_CHANGE_UPDATE: err = take_update(&r, why); break;
    case SL_CHANGE_DELETE: err = take_row(&r, wire_begin(r.bytes), why); break;
    default: SL_UNREACHABLE("a kind of change");
    }
    if (err == SL_OK)
        *out = (struct sl_change){context->table, row->kind, r.values, r.old};
    return err;
}
