#include "base/base64.h"

/* The six bits of a character, or -1. */
static int bits_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* How many '=' end the text: 0..2. */
static size_t padding(struct sl_slice text)
{
    size_t count = 0;

    while (count < 2 && count < text.len && text.bytes[text.len - 1 - count] == '=')
        count++;
    return count;
}

bool sl_base64_decode(struct sl_slice text, uint8_t *out, size_t *count)
{
    size_t pad = padding(text);
    size_t used = 0;

    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t   real = i + 4 < text.len ? 4 : 4 - pad;
        uint32_t group = 0;

        for (size_t k = 0; k < 4; k++) {
            int bits = k < real ? bits_of(text.bytes[i + k]) : 0;

            if (bits < 0)
                return false;
            group = group << 6 | (uint32_t)bits;
        }
        for (size_t k = 0; k + 1 < real; k++)
            out[used++] = (uint8_t)(group >> (16 - 8 * k));
    }
    *count = used;
    return true;
}
