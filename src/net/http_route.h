#ifndef SL_NET_HTTP_ROUTE_H
#define SL_NET_HTTP_ROUTE_H

/* What HTTP/1 is asked for: whether a connection speaks it at all, which text its percent-encodings
 * stand for, and which route a path takes. Nothing here allocates; all inputs may come from outside
 * except patterns. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

/* What the first bytes of a connection are. */
enum sl_http_start { SL_HTTP_START_NO, SL_HTTP_START_MORE, SL_HTTP_START_YES };

/* Do these first bytes of a connection begin an HTTP/1 request: are they one of the methods
 * OPTIONS, GET, HEAD, POST, PUT, DELETE, TRACE, CONNECT? MORE: so far yes. */
enum sl_http_start sl_http_is_request_start(const uint8_t *bytes, size_t count);

/* Put what the percent-encoded text stands for into out, which has room for as many bytes as text
 * has (they may not overlap), and its length into *out_len. False, with nothing promised about out,
 * when a '%' is not followed by two hexadecimal digits or the result would hold a byte 0. '+'
 * stays. */
bool sl_http_decode(struct sl_slice text, uint8_t *out, size_t *out_len);

/* The segments of a path that stand where its pattern has placeholders, in that order. */
struct sl_http_params {
    size_t          count;
    struct sl_slice value[SL_HTTP_PARAMS_MAX]; /* borrowed from the path */
};

/* Does the path (decoded) match the pattern? A pattern is a path in which "{name}" takes the place
 * of whole segments, at most SL_HTTP_PARAMS_MAX, that are not empty; the rest is compared byte by
 * byte. *params is set on true only. */
bool sl_http_route_match(const char *pattern, struct sl_slice path, struct sl_http_params *params);

#endif
