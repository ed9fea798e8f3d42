#include "base/utf8.h"

#include <stdint.h>

/* By first byte: how long the character is and which second bytes it may have. The odd ranges keep
 * out overlong forms (E0, F0), surrogates (ED) and what is above U+10FFFF (F4). */
static const struct lead {
    uint8_t first, last; /* of the first byte */
    uint8_t length;
    uint8_t second_min, second_max;
} leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};
enum { LEADS = sizeof leads / sizeof leads[0] };

static const struct lead *lead_of(uint8_t byte)
{
    for (unsigned i = 0; i < LEADS; i++) {
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

size_t sl_utf8_length(const char *bytes, size_t len)
{
    const uint8_t     *at = (const uint8_t *)bytes;
    const struct lead *lead;

    if (len == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    lead = lead_of(at[0]);
    if (lead == NULL || lead->length > len || at[1] < lead->second_min || at[1] > lead->second_max)
        return 0;
    for (size_t i = 2; i < lead->length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return lead->length;
}

bool sl_utf8_valid(const char *bytes, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t n = sl_utf8_length(bytes + done, len - done);

        if (n == 0)
            return false;
        done += n;
    }
    return true;
}
