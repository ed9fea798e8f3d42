#ifndef SL_ACTORS_COMMON_HTTP_MAIL_H
#define SL_ACTORS_COMMON_HTTP_MAIL_H

/* A request to the admin port, and its answer, as messages between a session and the actor that
 * answers. The numbers are those of the program's protocol. */

#include <stdbool.h>

#include "base/buf.h"
#include "net/http.h"
#include "runtime/msg.h"

/* Asked by a session; hdr.bytes is the size of its body. */
struct sl_http_question {
    struct sl_msg       hdr;
    enum sl_http_method method;
    bool                trusted; /* came over loopback: may change things by doors of our own */
    struct sl_buf      *path;    /* owned */
    struct sl_buf      *query;   /* owned; may be NULL */
    struct sl_buf      *body;    /* owned; may be NULL */
};

/* With copies of the request's parts. */
struct sl_http_question *sl_http_question_new(unsigned type, const struct sl_http_request *request,
                                              bool trusted);

/* Answers it. */
struct sl_http_answer {
    struct sl_msg  hdr;
    unsigned       status;
    const char    *content_type; /* static; NULL: none */
    struct sl_buf *body;         /* owned; may be NULL */
};

/* One that takes *body (which may be NULL). */
struct sl_http_answer *sl_http_answer_new(unsigned type, unsigned status, const char *content_type,
                                          struct sl_buf **body);

#endif
