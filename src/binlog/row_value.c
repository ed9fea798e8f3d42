#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/binary_json.h"
#include "binlog/decimal.h"
#include "binlog/packed_time.h"
#include "binlog/row_private.h"
#include "binlog/zone_private.h"

static enum sl_err misfit(const struct datum *datum, const char *wanted, struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "%s where %s belongs", datum_kind_name(datum->kind), wanted);
}

static void set_text(struct sl_value *out, const void *text, size_t len)
{
    out->kind = SL_VALUE_TEXT;
    out->text = (struct sl_slice){text, len};
}

/* How many digits behind a second the column shows. */
static unsigned fraction_digits(const struct sl_column *column)
{
    if (column->decimal <= 0)
        return 0;
    return column->decimal < TIME_FRACTION_DIGITS_MAX ? (unsigned)column->decimal
                                                      : (unsigned)TIME_FRACTION_DIGITS_MAX;
}

/* ---- numbers ---- */

static enum sl_err integer(const struct datum *datum, struct sl_value *out, struct sl_why *why)
{
    if (datum->kind == DATUM_INT) {
        out->kind = SL_VALUE_INT;
        out->i = datum->i;
    } else if (datum->kind == DATUM_UINT) {
        out->kind = SL_VALUE_UINT;
        out->u = datum->u;
    } else {
        return misfit(datum, "an integer", why);
    }
    return SL_OK;
}

static enum sl_err floating(const struct datum *datum, bool is_single, struct sl_value *out,
                            struct sl_why *why)
{
    double d = datum->d;

    if (datum->kind != DATUM_DOUBLE)
        return misfit(datum, "a floating point number", why);
    if (!isfinite(d) || (is_single && !isfinite((float)d)))
        return sl_fail(why, SL_INVALID, "a number that is not finite");
    out->kind = is_single ? SL_VALUE_FLOAT : SL_VALUE_DOUBLE;
    out->d = is_single ? (double)(float)d : d;
    return SL_OK;
}

static enum sl_err enumeration(const struct sl_column *column, const struct datum *datum,
                               struct sl_value *out, struct sl_why *why)
{
    if (datum->kind != DATUM_UINT)
        return misfit(datum, "the number of an element", why);
    out->kind = SL_VALUE_UINT;
    out->u = datum->u <= column->element_count ? datum->u : 0; /* as TiDB shows it: no element */
    return SL_OK;
}

static enum sl_err set(const struct sl_column *column, const struct datum *datum,
                       struct sl_value *out, struct sl_why *why)
{
    if (datum->kind != DATUM_UINT)
        return misfit(datum, "a mask of elements", why);
    if (column->element_count < 64 && datum->u >> column->element_count != 0)
        return sl_fail(why, SL_INVALID, "the mask 0x%llx of a set of %u elements",
                       (unsigned long long)datum->u, column->element_count);
    out->kind = SL_VALUE_UINT;
    out->u = datum->u;
    return SL_OK;
}

static enum sl_err bits(const struct sl_column *column, const struct datum *datum,
                        struct sl_value *out, struct sl_why *why)
{
    if (datum->kind != DATUM_UINT)
        return misfit(datum, "a string of bits", why);
    if (column->flen >= 1 && column->flen < 64 && datum->u >> column->flen != 0)
        return sl_fail(why, SL_INVALID, "0x%llx in %d bits", (unsigned long long)datum->u,
                       column->flen);
    out->kind = SL_VALUE_UINT;
    out->u = datum->u;
    return SL_OK;
}

/* ---- text ---- */

static enum sl_err decimal(const struct sl_row_context *context, const struct datum *datum,
                           struct sl_value *out, struct sl_why *why)
{
    char       *text;
    size_t      len;
    enum sl_err err;

    if (datum->kind != DATUM_DECIMAL)
        return misfit(datum, "a decimal", why);
    /* As many digits as it has, and sign, zero and point. */
    text = sl_arena_alloc(context->arena,
                          DECIMAL_TEXT_BYTES_MAX - SL_DECIMAL_DIGITS_MAX + datum->bytes.bytes[0]);
    if ((err = decimal_text(datum->bytes, text, &len, why)) == SL_OK)
        set_text(out, text, len);
    return err;
}

/* From UTC to the zone of whoever reads. */
static enum sl_err to_zone(const struct sl_zone *zone, struct civil_time *t, struct sl_why *why)
{
    int64_t seconds;
    int32_t offset;

    if (!civil_time_is_real(t))
        return sl_fail(why, SL_INVALID, "the day %u-%02u-%02u, which is in no calendar", t->year,
                       t->month, t->day);
    seconds = civil_time_seconds(t);
    offset = zone_offset_at(zone, seconds);
    if (offset != 0 && !civil_time_from_seconds(seconds + offset, t))
        return sl_fail(why, SL_INVALID, "a time out of the years 0 to 9999");
    return SL_OK;
}

static enum sl_err time_of_day(const struct sl_row_context *context, const struct sl_column *column,
                               const struct datum *datum, struct sl_value *out, struct sl_why *why)
{
    struct civil_time t;
    char             *text;
    enum sl_err       err;

    if (datum->kind != DATUM_UINT)
        return misfit(datum, "a packed time", why);
    if (!packed_time_open(datum->u, &t))
        return sl_fail(why, SL_INVALID, "0x%llx is no packed time", (unsigned long long)datum->u);
    if (column->type == SL_TYPE_TIMESTAMP && datum->u != 0 &&
        (err = to_zone(context->zone, &t, why)) != SL_OK)
        return err;
    text = sl_arena_alloc(context->arena, PACKED_TIME_TEXT_BYTES_MAX);
    if (column->type == SL_TYPE_DATE || column->type == SL_TYPE_NEWDATE)
        set_text(out, text, civil_date_text(&t, text));
    else
        set_text(out, text, civil_time_text(&t, fraction_digits(column), text));
    return SL_OK;
}

static enum sl_err duration(const struct sl_row_context *context, const struct sl_column *column,
                            const struct datum *datum, struct sl_value *out, struct sl_why *why)
{
    char  *text;
    size_t len;

    if (datum->kind != DATUM_INT && datum->kind != DATUM_DURATION)
        return misfit(datum, "a duration", why);
    text = sl_arena_alloc(context->arena, DURATION_TEXT_BYTES_MAX);
    if (!duration_text(datum->i, fraction_digits(column), text, &len))
        return sl_fail(why, SL_INVALID, "a duration of %lld ns, which is more than 838 hours",
                       (long long)datum->i);
    set_text(out, text, len);
    return SL_OK;
}

static enum sl_err json(const struct sl_row_context *context, const struct datum *datum,
                        struct sl_value *out, struct sl_why *why)
{
    if (datum->kind != DATUM_JSON)
        return misfit(datum, "JSON", why);
    out->kind = SL_VALUE_TEXT;
    return binary_json_text(datum->bytes, context->escapes_html, context->arena, &out->text, why);
}

static enum sl_err string(const struct sl_row_context *context, const struct datum *datum,
                          struct sl_value *out, struct sl_why *why)
{
    uint8_t *plain;

    if (datum->kind == DATUM_BYTES) {
        set_text(out, datum->bytes.bytes, datum->bytes.len);
        return SL_OK;
    }
    if (datum->kind != DATUM_GROUPS)
        return misfit(datum, "a string", why);
    plain = sl_arena_alloc(context->arena, datum->bytes.len);
    set_text(out, plain, datum_ungroup(datum->bytes, plain));
    return SL_OK;
}

/* ---- any ---- */

enum sl_err row_value(const struct sl_row_context *context, const struct sl_column *column,
                      const struct datum *datum, struct sl_value *out, struct sl_why *why)
{
    if (datum->kind == DATUM_NULL) {
        out->kind = SL_VALUE_NULL;
        return SL_OK;
    }
    switch (column->type) {
    case SL_TYPE_TINY:
    case SL_TYPE_SHORT:
    case SL_TYPE_LONG:
    case SL_TYPE_LONGLONG:
    case SL_TYPE_INT24:
    case SL_TYPE_YEAR: return integer(datum, out, why);
    case SL_TYPE_FLOAT:
    case SL_TYPE_DOUBLE: return floating(datum, column->type == SL_TYPE_FLOAT, out, why);
    case SL_TYPE_DATE:
    case SL_TYPE_NEWDATE:
    case SL_TYPE_DATETIME:
    case SL_TYPE_TIMESTAMP: return time_of_day(context, column, datum, out, why);
    case SL_TYPE_DURATION: return duration(context, column, datum, out, why);
    case SL_TYPE_UNSPECIFIED:
    case SL_TYPE_NEWDECIMAL: return decimal(context, datum, out, why);
    case SL_TYPE_ENUM: return enumeration(column, datum, out, why);
    case SL_TYPE_SET: return set(column, datum, out, why);
    case SL_TYPE_BIT: return bits(column, datum, out, why);
    case SL_TYPE_JSON: return json(context, datum, out, why);
    case SL_TYPE_VARCHAR:
    case SL_TYPE_VAR_STRING:
    case SL_TYPE_STRING:
    case SL_TYPE_TINY_BLOB:
    case SL_TYPE_MEDIUM_BLOB:
    case SL_TYPE_LONG_BLOB:
    case SL_TYPE_BLOB:
    case SL_TYPE_GEOMETRY: return string(context, datum, out, why);
    case SL_TYPE_NULL: break;
    }
    return sl_fail(why, SL_INVALID, "no value of column type %u is known", (unsigned)column->type);
}
