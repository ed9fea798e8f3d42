#ifndef SL_NET_HTTP_BYTES_H
#define SL_NET_HTTP_BYTES_H

/* Bytes of an HTTP/1 connection that come piece by piece and are kept in one piece. Whoever adds
 * knows the limit. Private to net. */

#include <stddef.h>
#include <stdint.h>

/* All zero: none, and no memory. */
struct http_bytes {
    uint8_t *data;
    size_t   len;
    size_t   capacity;
};

/* Append a copy of count bytes; from may be NULL when count is 0. */
void http_bytes_add(struct http_bytes *bytes, const void *from, size_t count);
/* Forget them and give the memory back. */
void http_bytes_drop(struct http_bytes *bytes);

#endif
