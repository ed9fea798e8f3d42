#include <string.h>

#include "base/bytes.h"
#include "binlog/decimal.h"
#include "binlog/row_private.h"

/* Row format v2, TiDB's storage format (codec spec 2.8), little endian. No TiDB writes it into a
 * binlog; the original reads it in inserts and deletes, and so does this.
 *
 *     u8 0x80 | u8 flags | u16 values | u16 NULLs | ids of values, then of NULLs: u8, large: u32 |
 *     for each value the offset of its end: u16, large: u32 | values | a checksum, not looked at
 *
 * A value has no flag: the column says what it is. Ids that the row does not list are left out. */

enum { HEAD_BYTES = 6, FLAG_LARGE = 1 };

struct v2 {
    const uint8_t  *ids;
    const uint8_t  *offsets;
    struct sl_slice data;
    uint32_t        values;
    uint32_t        nulls;
    bool            is_large;
};

static uint32_t small(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t id_at(const struct v2 *v, uint32_t i)
{
    return v->is_large ? sl_bytes_get_u32(v->ids + 4 * (size_t)i) : v->ids[i];
}

static uint32_t offset_at(const struct v2 *v, uint32_t i)
{
    return v->is_large ? sl_bytes_get_u32(v->offsets + 4 * (size_t)i)
                       : small(v->offsets + 2 * (size_t)i);
}

static enum sl_err open_v2(struct sl_slice bytes, struct v2 *out, struct sl_why *why)
{
    size_t id_bytes;
    size_t offset_bytes;

    if (bytes.len < HEAD_BYTES)
        return sl_fail(why, SL_INVALID, "cut short in its head");
    out->is_large = (bytes.bytes[1] & FLAG_LARGE) != 0;
    out->values = small(bytes.bytes + 2);
    out->nulls = small(bytes.bytes + 4);
    id_bytes = (out->values + out->nulls) * (out->is_large ? sizeof(uint32_t) : 1);
    offset_bytes = out->values * (out->is_large ? sizeof(uint32_t) : sizeof(uint16_t));
    if (bytes.len - HEAD_BYTES < id_bytes + offset_bytes)
        return sl_fail(why, SL_INVALID, "cut short in its list of columns");
    out->ids = bytes.bytes + HEAD_BYTES;
    out->offsets = out->ids + id_bytes;
    out->data.bytes = out->offsets + offset_bytes;
    out->data.len = bytes.len - HEAD_BYTES - id_bytes - offset_bytes;
    return SL_OK;
}

/* ---- values ---- */

static enum sl_err cell_uint(struct sl_slice cell, struct datum *out, struct sl_why *why)
{
    uint64_t value = 0;

    if (cell.len != 1 && cell.len != 2 && cell.len != 4 && cell.len != 8)
        return sl_fail(why, SL_INVALID, "an integer of %zu bytes", cell.len);
    for (size_t i = 0; i < cell.len; i++)
        value |= (uint64_t)cell.bytes[i] << (8 * i);
    *out = (struct datum){.kind = DATUM_UINT, .u = value};
    return SL_OK;
}

static enum sl_err cell_int(struct sl_slice cell, struct datum *out, struct sl_why *why)
{
    enum sl_err err;
    unsigned    unused;

    if ((err = cell_uint(cell, out, why)) != SL_OK)
        return err;
    /* The sign is the highest bit of the bytes that are there. */
    unused = 64 - 8 * (unsigned)cell.len;
    *out = (struct datum){.kind = DATUM_INT, .i = (int64_t)(out->u << unused) >> unused};
    return SL_OK;
}

static enum sl_err cell_double(struct sl_slice cell, struct datum *out, struct sl_why *why)
{
    if (cell.len != sizeof(double))
        return sl_fail(why, SL_INVALID, "a floating point number of %zu bytes", cell.len);
    *out = (struct datum){.kind = DATUM_DOUBLE, .d = datum_double(cell.bytes)};
    return SL_OK;
}

static enum sl_err cell_decimal(struct sl_slice cell, struct datum *out, struct sl_why *why)
{
    size_t      bytes;
    enum sl_err err;

    if ((err = decimal_size(cell, &bytes, why)) != SL_OK)
        return err;
    if (bytes != cell.len)
        return sl_fail(why, SL_INVALID, "a decimal of %zu bytes in %zu", bytes, cell.len);
    *out = (struct datum){.kind = DATUM_DECIMAL, .bytes = cell};
    return SL_OK;
}

static enum sl_err cell_datum(const struct sl_column *column, struct sl_slice cell,
                              struct datum *out, struct sl_why *why)
{
    switch ((unsigned)column->type) {
    case SL_TYPE_TINY:
    case SL_TYPE_SHORT:
    case SL_TYPE_LONG:
    case SL_TYPE_LONGLONG:
    case SL_TYPE_INT24:
        return (column->flags & SL_COLUMN_UNSIGNED) != 0 ? cell_uint(cell, out, why)
                                                         : cell_int(cell, out, why);
    case SL_TYPE_YEAR:
    case SL_TYPE_DURATION: return cell_int(cell, out, why);
    case SL_TYPE_ENUM:
    case SL_TYPE_SET:
    case SL_TYPE_BIT:
    case SL_TYPE_DATE:
    case SL_TYPE_NEWDATE:
    case SL_TYPE_DATETIME:
    case SL_TYPE_TIMESTAMP: return cell_uint(cell, out, why);
    case SL_TYPE_FLOAT:
    case SL_TYPE_DOUBLE: return cell_double(cell, out, why);
    case SL_TYPE_UNSPECIFIED:
    case SL_TYPE_NEWDECIMAL: return cell_decimal(cell, out, why);
    case SL_TYPE_JSON: *out = (struct datum){.kind = DATUM_JSON, .bytes = cell}; return SL_OK;
    default: *out = (struct datum){.kind = DATUM_BYTES, .bytes = cell}; return SL_OK;
    }
}

/* ---- the row ---- */

static enum sl_err take_cell(struct row_reader *r, uint32_t id, struct sl_slice cell,
                             struct sl_why *why)
{
    const struct sl_column *typed;
    struct datum            datum;
    uint32_t                place;

    if (!row_find(r, id, &place, &typed))
        return SL_OK;
    r->guess = place; /* row_place finds it again */
    if (cell_datum(typed, cell, &datum, why) != SL_OK)
        return row_refuse(r, typed, cell.bytes, why);
    return row_place(r, id, &datum, cell.bytes, why);
}

enum sl_err row_take_v2(struct row_reader *r, struct sl_slice bytes, struct sl_why *why)
{
    const struct datum null = {.kind = DATUM_NULL};
    struct v2          v;
    uint32_t           start = 0;
    enum sl_err        err;

    if (open_v2(bytes, &v, why) != SL_OK)
        return row_refuse(r, NULL, bytes.bytes, why);
    for (uint32_t i = 0; i < v.values; i++) {
        uint32_t end = offset_at(&v, i);

        if (end < start || end > v.data.len) {
            (void)sl_fail(why, SL_INVALID, "the value of column id %u ends at %u of %zu bytes",
                          id_at(&v, i), end, v.data.len);
            return row_refuse(r, NULL, bytes.bytes, why);
        }
        err = take_cell(r, id_at(&v, i), (struct sl_slice){v.data.bytes + start, end - start}, why);
        if (err != SL_OK)
            return err;
        start = end;
    }
    for (uint32_t i = v.values; i < v.values + v.nulls; i++) {
        if ((err = row_place(r, id_at(&v, i), &null, bytes.bytes, why)) != SL_OK)
            return err;
    }
    return SL_OK;
}
