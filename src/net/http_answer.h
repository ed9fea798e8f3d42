#ifndef SL_NET_HTTP_ANSWER_H
#define SL_NET_HTTP_ANSWER_H

/* What an HTTP/1 connection (net/http.h) has still to write: a header, composed here, and a body
 * that is sent from where it lies. Private to net. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"

/* All zero: nothing to write. */
struct http_answer {
    char           head[SL_HTTP_ANSWER_BYTES_MAX];
    size_t         head_len;
    struct sl_buf *body; /* owned; NULL: none */
    size_t         sent; /* of head, then of body */
};

/* How an answer is composed. */
struct http_answer_form {
    unsigned    status;
    const char *content_type; /* NULL: none */
    bool        without_body; /* the request was HEAD: say how long the body is, and leave it out */
    bool        old;          /* the request was HTTP/1.0, where staying open must be said */
    bool        close;        /* it is the last answer */
};

/* "Not Found" for 404 and so on; "" for statuses that are not known by name. Static string. */
const char *http_answer_reason(unsigned status);

/* Tell the client that its body is waited for. Nothing else is pending. */
void http_answer_continue(struct http_answer *answer);
/* Append a whole answer; at most "100 Continue" is pending. Takes the reference to body, which may
 * be NULL. */
void http_answer_compose(struct http_answer *answer, const struct http_answer_form *form,
                         struct sl_buf *body);

/* The next bytes to write; false when there are none. Valid until the answer changes. */
bool http_answer_pending(const struct http_answer *answer, struct sl_slice *out);
/* count bytes of these are written. */
void http_answer_sent(struct http_answer *answer, size_t count);
/* Drop what is not yet written. */
void http_answer_clear(struct http_answer *answer);

#endif
