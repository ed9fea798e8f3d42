#ifndef SL_NET_GRPC_TEXT_H
#define SL_NET_GRPC_TEXT_H

/* Values of gRPC's header fields: timeouts, and messages for humans in percent-encoding. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/limits.h"

enum {
    GRPC_TIMEOUT_BYTES = SL_GRPC_TIMEOUT_DIGITS + 2, /* digits, unit, terminator */
    GRPC_MESSAGE_BYTES = 3 * SL_WHY_BYTES_MAX,       /* an encoded text, terminator included */
};

/* "15000000u": 1 to 8 digits and one of H M S m u n. False when it is anything else. Spans that
 * sl_nanos cannot hold are the longest it can. */
bool grpc_timeout_parse(struct sl_slice text, sl_nanos *out);
/* The shortest text that is not less than the span, in the finest unit that can say it. */
void grpc_timeout_format(sl_nanos span, char out[static GRPC_TIMEOUT_BYTES]);

/* Printable ASCII stays but for '%', all other bytes become %XX. text is cut so that it fits.
 * Returns the length. */
size_t grpc_message_encode(const char *text, char out[static GRPC_MESSAGE_BYTES]);
/* The reverse, cut at SL_WHY_BYTES_MAX with its terminator; what is no valid encoding stays as it
 * is, and bytes that would break a log line become '?'. */
void grpc_message_decode(struct sl_slice text, char out[static SL_WHY_BYTES_MAX]);

#endif
