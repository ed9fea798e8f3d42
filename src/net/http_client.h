#ifndef SL_NET_HTTP_CLIENT_H
#define SL_NET_HTTP_CLIENT_H

/* One connection to a plain HTTP server, for one request, for code that may block. Private to net.
 */

#include "base/env.h"

/* Set env, address and until; the rest is zero. http_client_close ends it, also after an error. */
struct http_client {
    const struct sl_env *env;
    const char          *address; /* host:port, borrowed */
    sl_nanos             until;   /* for all of it */
    struct sl_socket    *socket;  /* owned */
};

/* All block until `until`: SL_TIMEOUT, or as sockets fail. */
enum sl_err http_client_connect(struct http_client *c, struct sl_why *why);
enum sl_err http_client_send(struct http_client *c, const void *bytes, size_t count,
                             struct sl_why *why);
/* At least one byte, or 0 when the server has closed. */
enum sl_err http_client_read(struct http_client *c, void *bytes, size_t room, size_t *got,
                             struct sl_why *why);
void        http_client_close(struct http_client *c);

/* Is this first line of an answer, without its end, a status of 2xx? SL_INVALID with the status. */
enum sl_err http_client_judge(const char *line, const char *address, struct sl_why *why);

#endif
