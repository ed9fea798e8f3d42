#include <string.h>

#include "base/units.h"
#include "binlog/packed_time.h"
#include "binlog/row_private.h"
#include "binlog/zone_private.h"

/* Longer than any number; what is longer stays text. */
enum { NUMBER_BYTES_MAX = 64, BIT_BYTES_MAX = 8 };

static void set_text(struct sl_value *out, struct sl_slice text)
{
    out->kind = SL_VALUE_TEXT;
    out->text = text;
}

static void set_constant(struct sl_value *out, const char *text)
{
    set_text(out, sl_slice_from_string(text));
}

static void set_uint(struct sl_value *out, uint64_t value)
{
    out->kind = SL_VALUE_UINT;
    out->u = value;
}

/* ---- an original default: text for all types. Each false: it is none of the type ---- */

static bool read_integer(const struct sl_column *column, struct sl_slice text, struct sl_value *out)
{
    bool     is_negative = text.len > 0 && text.bytes[0] == '-';
    size_t   at = is_negative;
    uint64_t value = 0;

    if (at == text.len)
        return false;
    for (; at < text.len; at++) {
        unsigned digit = (unsigned)text.bytes[at] - '0';

        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    if ((column->flags & SL_COLUMN_UNSIGNED) != 0 && !is_negative) {
        set_uint(out, value);
        return true;
    }
    if (value > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = (struct sl_value){.kind = SL_VALUE_INT, .i = (int64_t)(is_negative ? 0 - value : value)};
    return true;
}

static bool read_floating(const struct sl_column *column, struct sl_slice text,
                          struct sl_value *out)
{
    char   copy[NUMBER_BYTES_MAX];
    double value;

    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.bytes, text.len);
    copy[text.len] = '\0';
    if (sl_float_parse(copy, &value, NULL) != SL_OK)
        return false;
    out->kind = column->type == SL_TYPE_FLOAT ? SL_VALUE_FLOAT : SL_VALUE_DOUBLE;
    out->d = column->type == SL_TYPE_FLOAT ? (double)(float)value : value;
    return true;
}

static bool read_bits(struct sl_slice bytes, struct sl_value *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        if (value >> (8 * (BIT_BYTES_MAX - 1)) != 0)
            return false;
        value = value << 8 | bytes.bytes[i];
    }
    set_uint(out, value);
    return true;
}

static bool read_timestamp(const struct sl_row_context *context, const struct sl_column *column,
                           struct sl_slice text, struct sl_value *out)
{
    struct civil_time t;
    unsigned          digits = column->decimal > 0 ? (unsigned)column->decimal : 0;
    char             *shown;
    int64_t           seconds;

    if (!civil_time_parse(text, &t))
        return false;
    seconds = civil_time_seconds(&t);
    if (!civil_time_from_seconds(seconds + zone_offset_at(context->zone, seconds), &t))
        return false;
    if (digits > TIME_FRACTION_DIGITS_MAX)
        digits = TIME_FRACTION_DIGITS_MAX;
    shown = sl_arena_alloc(context->arena, PACKED_TIME_TEXT_BYTES_MAX);
    set_text(out, (struct sl_slice){(const uint8_t *)shown, civil_time_text(&t, digits, shown)});
    return true;
}

/* The place of an element, counted from 1; 0: there is none of that name. */
static uint32_t element_named(const struct sl_column *column, struct sl_slice name)
{
    for (uint32_t i = 0; i < column->element_count; i++) {
        if (sl_slice_equal(column->elements[i], name))
            return i + 1;
    }
    return 0;
}

static bool read_enum(const struct sl_column *column, struct sl_slice text, struct sl_value *out)
{
    uint32_t place = element_named(column, text);

    if (place > 0)
        set_uint(out, place);
    return place > 0;
}

/* "a,b" */
static bool read_set(const struct sl_column *column, struct sl_slice text, struct sl_value *out)
{
    uint64_t mask = 0;

    while (text.len > 0) {
        const uint8_t *comma = memchr(text.bytes, ',', text.len);
        size_t         len = comma != NULL ? (size_t)(comma - text.bytes) : text.len;
        uint32_t       place = element_named(column, (struct sl_slice){text.bytes, len});

        if (place == 0 || place > 64)
            return false;
        mask |= UINT64_C(1) << (place - 1);
        len += comma != NULL;
        text = (struct sl_slice){text.bytes + len, text.len - len};
    }
    set_uint(out, mask);
    return true;
}

static bool read_typed(const struct sl_row_context *context, const struct sl_column *column,
                       struct sl_slice text, struct sl_value *out)
{
    switch ((unsigned)column->type) {
    case SL_TYPE_TINY:
    case SL_TYPE_SHORT:
    case SL_TYPE_LONG:
    case SL_TYPE_LONGLONG:
    case SL_TYPE_INT24:
    case SL_TYPE_YEAR: return read_integer(column, text, out);
    case SL_TYPE_FLOAT:
    case SL_TYPE_DOUBLE: return read_floating(column, text, out);
    case SL_TYPE_TIMESTAMP: return read_timestamp(context, column, text, out);
    case SL_TYPE_ENUM: return read_enum(column, text, out);
    case SL_TYPE_SET: return read_set(column, text, out);
    case SL_TYPE_BIT: return read_bits(text, out);
    default: return false;
    }
}

/* ---- no original default: what is not NULL is zero ---- */

static void set_padding(const struct sl_row_context *context, const struct sl_column *column,
                        struct sl_value *out)
{
    size_t len = column->flen > 0 && column->is_binary ? (size_t)column->flen : 0;

    /* CHAR and BINARY have at most 255 characters. */
    if (len > UINT8_MAX)
        len = 0;
    set_text(out, (struct sl_slice){memset(sl_arena_alloc(context->arena, len), 0, len), len});
}

static void set_zero(const struct sl_row_context *context, const struct sl_column *column,
                     struct sl_value *out)
{
    switch ((unsigned)column->type) {
    case SL_TYPE_TINY:
    case SL_TYPE_SHORT:
    case SL_TYPE_LONG:
    case SL_TYPE_LONGLONG:
    case SL_TYPE_INT24:
    case SL_TYPE_YEAR:
        *out = (struct sl_value){.kind = SL_VALUE_INT, .i = 0};
        if ((column->flags & SL_COLUMN_UNSIGNED) != 0)
            set_uint(out, 0);
        break;
    case SL_TYPE_FLOAT: *out = (struct sl_value){.kind = SL_VALUE_FLOAT, .d = 0}; break;
    case SL_TYPE_DOUBLE: *out = (struct sl_value){.kind = SL_VALUE_DOUBLE, .d = 0}; break;
    case SL_TYPE_BIT:
    case SL_TYPE_SET: set_uint(out, 0); break;
    case SL_TYPE_ENUM: set_uint(out, column->element_count > 0); break;
    case SL_TYPE_UNSPECIFIED:
    case SL_TYPE_NEWDECIMAL: set_constant(out, "0"); break;
    case SL_TYPE_DATE:
    case SL_TYPE_NEWDATE: set_constant(out, "0000-00-00"); break;
    case SL_TYPE_DATETIME:
    case SL_TYPE_TIMESTAMP: set_constant(out, "0000-00-00 00:00:00"); break;
    case SL_TYPE_DURATION: set_constant(out, "00:00:00"); break;
    case SL_TYPE_JSON: set_constant(out, "null"); break;
    case SL_TYPE_STRING: set_padding(context, column, out); break;
    default: set_constant(out, ""); break;
    }
}

/* ---- the rule ---- */

/* In the arena, because the version that the default is of may go before the change does. */
static void set_copy(const struct sl_row_context *context, struct sl_slice text,
                     struct sl_value *out)
{
    uint8_t *copy = sl_arena_alloc(context->arena, text.len);

    if (text.len > 0)
        memcpy(copy, text.bytes, text.len);
    set_text(out, (struct sl_slice){copy, text.len});
}

void row_default(const struct sl_row_context *context, const struct sl_column *column,
                 struct sl_value *out)
{
    switch (column->default_kind) {
    case SL_DEFAULT_BITS:
        if (read_bits(column->default_value, out))
            return;
        break;
    case SL_DEFAULT_TEXT:
        if (!read_typed(context, column, column->default_value, out))
            set_copy(context, column->default_value, out);
        return;
    case SL_DEFAULT_NONE: break;
    }
    if ((column->flags & SL_COLUMN_NOT_NULL) == 0)
        out->kind = SL_VALUE_NULL;
    else
        set_zero(context, column, out);
}
