#include "net/http_route.h"

#include <string.h>

#include "base/assert.h"

enum sl_http_start sl_http_is_request_start(const uint8_t *bytes, size_t count)
{
    /* None begins another, so the first that fits is the only one. */
    static const char *const methods[] = {"OPTIONS", "GET",    "HEAD",  "POST",
                                          "PUT",     "DELETE", "TRACE", "CONNECT"};
    enum sl_http_start       answer = SL_HTTP_START_NO;

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        size_t len = strlen(methods[i]);

        if (count >= len) {
            if (memcmp(bytes, methods[i], len) == 0)
                return SL_HTTP_START_YES;
        } else if (count == 0 || memcmp(bytes, methods[i], count) == 0) {
            answer = SL_HTTP_START_MORE;
        }
    }
    return answer;
}

/* The value of a hexadecimal digit, -1 for other bytes. */
static int digit_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* The byte that the "%XX" at the start of text stands for, -1 when there is none. */
static int encoded_byte(const uint8_t *text, size_t len)
{
    int high, low;

    if (len < 3)
        return -1;
    high = digit_value(text[1]);
    low = digit_value(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool sl_http_decode(struct sl_slice text, uint8_t *out, size_t *out_len)
{
    size_t len = 0;

    for (size_t at = 0; at < text.len; at++) {
        int byte = text.bytes[at];

        if (byte == '%') {
            byte = encoded_byte(text.bytes + at, text.len - at);
            at += 2;
        }
        if (byte <= 0)
            return false;
        out[len++] = (uint8_t)byte;
    }
    *out_len = len;
    return true;
}

bool sl_http_route_match(const char *pattern, struct sl_slice path, struct sl_http_params *params)
{
    struct sl_http_params found = {0};
    size_t                at = 0;

    while (*pattern != '\0') {
        size_t start = at;

        if (*pattern != '{') {
            if (at == path.len || path.bytes[at++] != (uint8_t)*pattern++)
                return false;
            continue;
        }
        pattern = strchr(pattern, '}');
        SL_ASSERT(pattern != NULL && found.count < SL_HTTP_PARAMS_MAX);
        pattern++;
        SL_ASSERT(*pattern == '/' || *pattern == '\0');
        while (at < path.len && path.bytes[at] != '/')
            at++;
        if (at == start)
            return false;
        found.value[found.count++] = (struct sl_slice){path.bytes + start, at - start};
    }
    if (at != path.len)
        return false;
    *params = found;
    return true;
}
