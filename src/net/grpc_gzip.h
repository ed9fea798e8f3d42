#ifndef SL_NET_GRPC_GZIP_H
#define SL_NET_GRPC_GZIP_H

/* Compressed messages of net/grpc.h: each is one gzip member (RFC 1952), whole in memory.
 *
 * A few bytes can become a thousand times as many. So nobody unpacks before he has read, in the
 * member's last four bytes, how many they will be: no memory is taken for more, nor for more than
 * deflate can make of the bytes that came, and who lied is found broken. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* What zlib needs for both directions, about 300 KiB, kept from one message to the next. For one
 * thread. */
struct grpc_gzip;

struct grpc_gzip *grpc_gzip_new(void);
/* Nulls the pointer; *gzip may be NULL. */
void grpc_gzip_free(struct grpc_gzip **gzip);

/* How many bytes the member says it becomes. False: it is too short to be one. */
bool grpc_gzip_size(struct sl_slice packed, uint32_t *out);

/* Unpack what becomes exactly `size` bytes, at most SL_BUF_BYTES_MAX. One reference, the caller's;
 * NULL: broken. */
struct sl_buf *grpc_gzip_unpack(struct grpc_gzip *gzip, struct sl_slice packed, uint32_t size);

/* Pack at most SL_BUF_BYTES_MAX bytes. One reference, the caller's; NULL when the result might
 * exceed SL_BUF_BYTES_MAX: send it as it is. */
struct sl_buf *grpc_gzip_pack(struct grpc_gzip *gzip, struct sl_slice plain);

#endif
