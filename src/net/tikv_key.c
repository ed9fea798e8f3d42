#include "net/tikv_key.h"

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

int sl_tikv_key_compare(struct sl_slice a, struct sl_slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int    order = common > 0 ? memcmp(a.bytes, b.bytes, common) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}
