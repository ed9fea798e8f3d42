#include "net/tikv_key.h"

#include <stdbool.h>
#include <string.h>

enum { GROUP_BYTES = 8, GROUP_ENCODED = GROUP_BYTES + 1 };

struct sl_buf *sl_tikv_key_encode(struct sl_slice raw)
{
    size_t         groups = raw.len / GROUP_BYTES + 1;
    struct sl_buf *buf = sl_buf_new(groups * GROUP_ENCODED);

    for (size_t i = 0; i < groups; i++) {
        uint8_t *out = buf->data + i * GROUP_ENCODED;
        size_t   left = raw.len - i * GROUP_BYTES;
        size_t   taken = left < GROUP_BYTES ? left : GROUP_BYTES;

        memset(out, 0, GROUP_BYTES);
        if (taken > 0)
            memcpy(out, raw.bytes + i * GROUP_BYTES, taken);
        out[GROUP_BYTES] = (uint8_t)(UINT8_MAX - (GROUP_BYTES - taken));
    }
    return buf;
}

/* How many bytes of this group are of the raw key; *last: nothing follows. A group that is cut off
 * stands for the shortest key that goes on like it: zeros at its end may as well be padding. */
static size_t bytes_of_group(const uint8_t *group, size_t count, bool *last)
{
    size_t padding = count >= GROUP_ENCODED ? (size_t)UINT8_MAX - group[GROUP_BYTES] : SIZE_MAX;
    size_t taken = count < GROUP_BYTES ? count : GROUP_BYTES;

    *last = padding != 0;
    if (padding <= GROUP_BYTES)
        return GROUP_BYTES - padding;
    while (taken > 0 && group[taken - 1] == 0)
        taken--;
    return taken;
}

struct sl_buf *sl_tikv_key_of_border(struct sl_slice border)
{
    struct sl_buf *buf = sl_buf_new(border.len);
    struct sl_buf *key;
    size_t         used = 0;
    bool           last = border.len == 0;

    for (size_t at = 0; !last && at < border.len; at += GROUP_ENCODED) {
        size_t count = bytes_of_group(border.bytes + at, border.len - at, &last);

        memcpy(buf->data + used, border.bytes + at, count);
        used += count;
    }
    key = sl_buf_slice(buf, 0, used);
    sl_buf_free(&buf);
    return key;
}

int sl_tikv_key_compare(struct sl_slice a, struct sl_slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int    order = common > 0 ? memcmp(a.bytes, b.bytes, common) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}
