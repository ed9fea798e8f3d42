#ifndef SL_NET_HTTP_ASK_H
#define SL_NET_HTTP_ASK_H

/* Questions over HTTP to plain servers, for code that may block: many at one time, so that those
 * who do not answer cost their time once. Each has a connection of its own, which is made for it
 * and closed behind it. They are put as HTTP/1.0, so that an answer is as long as it says or as the
 * connection lasts, and never comes in chunks. */

#include <stddef.h>

#include "base/buf.h"
#include "base/env.h"

/* One question and what became of it. All but the outcome is borrowed for the call. */
struct sl_http_ask {
    const char *method;       /* "GET" */
    const char *address;      /* host:port */
    const char *path;         /* begins with '/'; encoded as it is to be sent */
    const char *content_type; /* of the body; NULL: there is none */
    const void *body;
    size_t      body_bytes;
    size_t      answer_bytes_max; /* 0: SL_HTTP_ASK_BYTES_MAX */

    /* The outcome. SL_OK: there is an answer, whatever its status. SL_UNAVAILABLE, SL_RESET,
     * SL_TIMEOUT: nobody, or nobody who speaks in time, is there. SL_INVALID: it is no HTTP.
     * SL_TOO_LARGE: the question, or an answer above answer_bytes_max. */
    enum sl_err    err;
    struct sl_why  why;
    unsigned       status; /* 100..999; 0 unless err is SL_OK */
    struct sl_buf *answer; /* the body, the caller's to free; NULL unless err is SL_OK */
};

/* Put all of them and wait for the outcomes: for at most the timeout for every SL_HTTP_ASKS_MAX of
 * them (and for resolving names of hosts). */
void sl_http_ask_all(const struct sl_env *env, struct sl_http_ask *asks, size_t count,
                     sl_nanos timeout);

/* Percent-encode all of text but letters, digits and "-_.~" into out of `room` bytes, with its
 * terminator. False: it does not fit. */
bool sl_http_encode(const char *text, char *out, size_t room);

#endif
