#ifndef SL_ACTORS_COMMON_ROUTES_H
#define SL_ACTORS_COMMON_ROUTES_H

/* Which function answers a request to the admin port. A program has a table of routes; a path that
 * is known with another method is 405 without a word, an unknown one 404, as Go's router does. */

#include <stddef.h>

#include "actors/common/http_mail.h"
#include "net/http_route.h"

/* A request on its way to its answer. */
struct sl_exchange {
    void                    *context; /* of sl_routes_serve */
    struct sl_ctx           *ctx;
    struct sl_http_question *question;
    struct sl_http_params    params;
    unsigned                 status;       /* 200 unless set */
    const char              *content_type; /* sl_body_text unless set; NULL: none */
    struct sl_buf           *body;         /* owned; NULL: none */
    bool                     later;        /* the question's asker is kept by somebody */
};

/* One route. */
struct sl_route {
    enum sl_http_method method;
    const char         *pattern; /* see sl_http_route_match */
    void (*answer)(struct sl_exchange *x);
};

/* A part of the path as a string; a path holds no byte 0. Returns out. */
const char *sl_exchange_param(const struct sl_exchange *x, size_t index,
                              char out[SL_HTTP_URL_BYTES_MAX]);

/* Let the route of this question answer it, and send the answer as `type`, unless it is for later.
 */
void sl_routes_serve(struct sl_ctx *ctx, const struct sl_route *routes, size_t count, void *context,
                     struct sl_http_question *question, unsigned type);

#endif
