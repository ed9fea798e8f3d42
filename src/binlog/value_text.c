#include "binlog/value_text.h"

#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "binlog/float_text.h"
#include "binlog/json_text.h"

/* "_binary" and two quotes; "NULL". */
enum { QUOTES_BYTES = 9, NUMBER_BYTES_MAX = FLOAT_TEXT_BYTES_MAX };

/* ---- SQL ---- */

/* The letter behind the backslash; 0: the byte stands as it is. Bytes of multi-byte characters are
 * never escaped, as UTF-8 has none below 0x80. */
static char escape_of(uint8_t byte)
{
    switch (byte) {
    case '\0': return '0';
    case '\n': return 'n';
    case '\r': return 'r';
    case 0x1a: return 'Z';
    case '\'':
    case '"':
    case '\\': return (char)byte;
    default: return 0;
    }
}

static size_t put_quoted(struct sl_slice text, char *out)
{
    char *at = out;

    *at++ = '\'';
    for (size_t i = 0; i < text.len; i++) {
        char letter = escape_of(text.bytes[i]);

        if (letter != 0)
            *at++ = '\\';
        *at++ = letter != 0 ? letter : (char)text.bytes[i];
    }
    *at++ = '\'';
    return (size_t)(at - out);
}

static size_t put_double(const struct sl_value *value, char *out)
{
    struct float_digits digits;

    float_digits_of(value->d, &digits);
    return float_text_sql(&digits, out);
}

static size_t put_integer(const struct sl_value *value, char *out)
{
    struct json_text t = {.out = out};

    if (value->kind == SL_VALUE_INT)
        json_text_put_int(&t, value->i);
    else
        json_text_put_uint(&t, value->u);
    return t.len;
}

size_t sl_value_sql_bytes_max(const struct sl_value *value)
{
    return value->kind == SL_VALUE_TEXT ? 2 * value->text.len + QUOTES_BYTES : NUMBER_BYTES_MAX;
}

static bool is_binary_text(const struct sl_column *column)
{
    switch ((unsigned)column->type) {
    case SL_TYPE_VARCHAR:
    case SL_TYPE_VAR_STRING:
    case SL_TYPE_STRING:
    case SL_TYPE_TINY_BLOB:
    case SL_TYPE_MEDIUM_BLOB:
    case SL_TYPE_LONG_BLOB:
    case SL_TYPE_BLOB:
    case SL_TYPE_GEOMETRY: return column->is_binary;
    default: return false;
    }
}

size_t sl_value_sql(const struct sl_value *value, const struct sl_column *column, char *out)
{
    static const char mark[] = "_binary";
    size_t            count = 0;

    switch (value->kind) {
    case SL_VALUE_ABSENT: break;
    case SL_VALUE_NULL: memcpy(out, "NULL", 4); return 4;
    case SL_VALUE_INT:
    case SL_VALUE_UINT: return put_integer(value, out);
    case SL_VALUE_FLOAT:
    case SL_VALUE_DOUBLE: return put_double(value, out);
    case SL_VALUE_TEXT:
        if (is_binary_text(column)) {
            count = sizeof mark - 1;
            memcpy(out, mark, count);
        }
        return count + put_quoted(value->text, out + count);
    }
    SL_UNREACHABLE("an absent value has no literal");
}

/* ---- JSON ---- */

size_t sl_value_json_bytes_max(const struct sl_value *value)
{
    return value->kind == SL_VALUE_TEXT ? 6 * value->text.len + 2 : NUMBER_BYTES_MAX;
}

static void put_text(const struct sl_value *value, const struct sl_column *column,
                     struct json_text *t)
{
    struct sl_slice text = value->text;

    if (column->type == SL_TYPE_JSON) {
        json_text_put(t, (const char *)text.bytes, text.len);
    } else if (is_binary_text(column) || !sl_utf8_valid((const char *)text.bytes, text.len)) {
        json_text_put(t, "\"", 1);
        json_text_put_base64(t, text);
        json_text_put(t, "\"", 1);
    } else {
        json_text_put_string(t, text);
    }
}

size_t sl_value_json(const struct sl_value *value, const struct sl_column *column, char *out)
{
    struct json_text    t = {.out = out};
    struct float_digits digits;

    switch (value->kind) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: json_text_put(&t, "null", 4); break;
    case SL_VALUE_INT:
    case SL_VALUE_UINT: return put_integer(value, out);
    case SL_VALUE_FLOAT:
        float_digits_of_single((float)value->d, &digits);
        return float_text_json(&digits, out);
    case SL_VALUE_DOUBLE: json_text_put_double(&t, value->d); break;
    case SL_VALUE_TEXT: put_text(value, column, &t); break;
    }
    return t.len;
}
