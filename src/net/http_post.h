#ifndef SL_NET_HTTP_POST_H
#define SL_NET_HTTP_POST_H

/* One HTTP/1.1 POST to a plain server, for code that may block: metrics to a Pushgateway. The
 * connection is made for it and closed behind it; of the answer only the status counts. (Other
 * questions, and many at once: net/http_ask.h.) */

#include <stddef.h>

#include "base/env.h"

/* What to send and where. Borrowed for the call. */
struct sl_http_post {
    const char *address;      /* host:port */
    const char *path;         /* begins with '/'; encoded as it is to be sent */
    const char *content_type; /* of the body */
    const void *body;
    size_t      body_bytes;
    sl_nanos    timeout; /* for all of it */
};

/* Blocks for at most the timeout (and for resolving the host's name). SL_OK: the status was 2xx.
 * SL_UNAVAILABLE, SL_RESET, SL_TIMEOUT: nobody, or nobody who speaks HTTP in time, is there.
 * SL_INVALID: another status, or no HTTP; the reason says which. */
enum sl_err sl_http_post(const struct sl_env *env, const struct sl_http_post *post,
                         struct sl_why *why);

#endif
