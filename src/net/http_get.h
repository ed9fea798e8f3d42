#ifndef SL_NET_HTTP_GET_H
#define SL_NET_HTTP_GET_H

/* One HTTP GET to a plain server, for code that may block. It asks in HTTP/1.0, so that the answer
 * comes in one piece and ends with the connection. */

#include "base/buf.h"
#include "base/env.h"

/* What is asked. Borrowed for the call. */
struct sl_http_get {
    const char *address;    /* host:port */
    const char *path;       /* begins with '/'; encoded as it is to be sent */
    size_t      body_bytes; /* the answer may have at most */
    sl_nanos    timeout;    /* for all of it */
};

/* Blocks for at most the timeout (and for resolving the host's name). *body is the answer's, a new
 * buffer. SL_UNAVAILABLE, SL_RESET, SL_TIMEOUT: nobody is there in time, or the answer was cut.
 * SL_TOO_LARGE: its body. SL_INVALID: no HTTP, or a status other than 2xx; the reason says which. */
enum sl_err sl_http_get(const struct sl_env *env, const struct sl_http_get *get,
                        struct sl_buf **body, struct sl_why *why);

#endif
