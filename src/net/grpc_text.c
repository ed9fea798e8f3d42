#include "net/grpc_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const struct {
    char     letter;
    sl_nanos nanos;
} units[] = {
    {'n', 1},
    {'u', SL_NANOS_PER_US},
    {'m', SL_NANOS_PER_MS},
    {'S', SL_NANOS_PER_S},
    {'M', UINT64_C(60) * SL_NANOS_PER_S},
    {'H', UINT64_C(3600) * SL_NANOS_PER_S},
};

enum { UNIT_COUNT = sizeof units / sizeof units[0] };

bool grpc_timeout_parse(struct sl_slice text, sl_nanos *out)
{
    sl_nanos value = 0;
    size_t   digits = text.len > 0 ? text.len - 1 : 0;

    if (digits == 0 || digits > SL_GRPC_TIMEOUT_DIGITS)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return false;
        value = value * 10 + (sl_nanos)(text.bytes[i] - '0');
    }
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (units[i].letter != (char)text.bytes[digits])
            continue;
        if (__builtin_mul_overflow(value, units[i].nanos, out))
            *out = UINT64_MAX;
        return true;
    }
    return false;
}

void grpc_timeout_format(sl_nanos span, char out[static GRPC_TIMEOUT_BYTES])
{
    const sl_nanos value_max = 99999999; /* SL_GRPC_TIMEOUT_DIGITS of them */
    size_t         i = 0;
    sl_nanos       value = span;

    while (value > value_max && i < UNIT_COUNT - 1) {
        i++;
        value = span / units[i].nanos + (span % units[i].nanos != 0);
    }
    SL_ASSERT(value <= value_max); /* 2^64 ns are 5 million hours */
    (void)snprintf(out, GRPC_TIMEOUT_BYTES, "%" PRIu64 "%c", value, units[i].letter);
}

size_t grpc_message_encode(const char *text, char out[static GRPC_MESSAGE_BYTES])
{
    static const char hex[] = "0123456789ABCDEF";
    size_t            done = 0;

    for (; *text != '\0' && done + 3 < GRPC_MESSAGE_BYTES; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte >= ' ' && byte <= '~' && byte != '%') {
            out[done++] = (char)byte;
            continue;
        }
        out[done++] = '%';
        out[done++] = hex[byte >> 4];
        out[done++] = hex[byte & 0xf];
    }
    out[done] = '\0';
    return done;
}

/* -1 when it is no hexadecimal digit. */
static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

void grpc_message_decode(struct sl_slice text, char out[static SL_WHY_BYTES_MAX])
{
    size_t done = 0;

    for (size_t i = 0; i < text.len && done < SL_WHY_BYTES_MAX - 1; i++) {
        int byte = text.bytes[i];

        if (byte == '%' && text.len - i > 2 && hex_value(text.bytes[i + 1]) >= 0 &&
            hex_value(text.bytes[i + 2]) >= 0) {
            byte = hex_value(text.bytes[i + 1]) * 16 + hex_value(text.bytes[i + 2]);
            i += 2;
        }
        out[done++] = byte < ' ' || byte == 0x7f ? '?' : (char)byte;
    }
    out[done] = '\0';
}
