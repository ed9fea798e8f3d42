#include "net/http_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void http_bytes_add(struct http_bytes *bytes, const void *from, size_t count)
{
    size_t needed = bytes->len + count;

    if (needed > bytes->capacity) {
        size_t capacity = bytes->capacity * 2 > needed ? bytes->capacity * 2 : needed;

        bytes->data = realloc(bytes->data, capacity);
        SL_ASSERT(bytes->data != NULL);
        bytes->capacity = capacity;
    }
    if (count > 0)
        memcpy(bytes->data + bytes->len, from, count);
    bytes->len = needed;
}

void http_bytes_drop(struct http_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct http_bytes){0};
}
