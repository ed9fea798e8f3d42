#include "binlog/json_text.h"

#include <string.h>

#include "base/utf8.h"
#include "binlog/float_text.h"

/* Sign and digits of any 64-bit number. */
enum { INTEGER_BYTES_MAX = 20 };

void json_text_put(struct json_text *t, const char *text, size_t len)
{
    if (t->out != NULL)
        memcpy(t->out + t->len, text, len);
    t->len += len;
}

static void put_integer(struct json_text *t, bool is_negative, uint64_t value)
{
    char   digits[INTEGER_BYTES_MAX];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    if (is_negative)
        json_text_put(t, "-", 1);
    json_text_put(t, digits + at, sizeof digits - at);
}

void json_text_put_int(struct json_text *t, int64_t value)
{
    put_integer(t, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_text_put_uint(struct json_text *t, uint64_t value)
{
    put_integer(t, false, value);
}

void json_text_put_double(struct json_text *t, double value)
{
    char                text[FLOAT_TEXT_BYTES_MAX];
    struct float_digits digits;

    float_digits_of(value, &digits);
    json_text_put(t, text, float_text_json(&digits, text));
}

/* ---- strings ---- */

static void put_escape(struct json_text *t, uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    char              text[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};

    switch (byte) {
    case '"': json_text_put(t, "\\\"", 2); return;
    case '\\': json_text_put(t, "\\\\", 2); return;
    case '\n': json_text_put(t, "\\n", 2); return;
    case '\r': json_text_put(t, "\\r", 2); return;
    case '\t': json_text_put(t, "\\t", 2); return;
    default: json_text_put(t, text, sizeof text);
    }
}

/* One character, or one byte that begins none. Returns how long it was. */
static size_t put_wide(struct json_text *t, const char *at, size_t left)
{
    size_t length = sl_utf8_length(at, left);

    if (length == 0) {
        json_text_put(t, "\\ufffd", 6);
        return 1;
    }
    /* Line and paragraph separators end a line in JavaScript. */
    if (length == 3 && memcmp(at, "\xe2\x80\xa8", 3) == 0)
        json_text_put(t, "\\u2028", 6);
    else if (length == 3 && memcmp(at, "\xe2\x80\xa9", 3) == 0)
        json_text_put(t, "\\u2029", 6);
    else
        json_text_put(t, at, length);
    return length;
}

/* Does the byte stand for itself in a string? */
static bool is_plain(uint8_t byte, bool escapes_html)
{
    if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
        return false;
    return !escapes_html || (byte != '<' && byte != '>' && byte != '&');
}

void json_text_put_string(struct json_text *t, struct sl_slice text)
{
    const char *at = (const char *)text.bytes;
    size_t      done = 0;

    json_text_put(t, "\"", 1);
    while (done < text.len) {
        size_t start = done;

        while (done < text.len && is_plain(text.bytes[done], t->escapes_html))
            done++;
        if (done > start)
            json_text_put(t, at + start, done - start);
        if (done == text.len)
            break;
        if (text.bytes[done] < 0x80)
            put_escape(t, text.bytes[done++]);
        else
            done += put_wide(t, at + done, text.len - done);
    }
    json_text_put(t, "\"", 1);
}

void json_text_put_base64(struct json_text *t, struct sl_slice bytes)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t   left = bytes.len - at;
        uint32_t group = (uint32_t)bytes.bytes[at] << 16 |
                         (left > 1 ? (uint32_t)bytes.bytes[at + 1] << 8 : 0) |
                         (left > 2 ? bytes.bytes[at + 2] : 0u);
        char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=',
                        left > 2 ? alphabet[group & 63] : '='};

        json_text_put(t, text, sizeof text);
    }
}
