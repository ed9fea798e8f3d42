/* Requests to the admin port: each goes to the admin actor as a message, and its answer back into
 * the connection. One at a time (net/http.h). */

#include <string.h>

#include "actors/pump/session_private.h"
#include "base/assert.h"

/* ---- requests ---- */

/* Only who is on this machine may change things by the doors that the original did not have. */
static bool is_loopback(const char *peer)
{
    static const char *const hosts[] = {"127.", "[::1]:", "[::ffff:127."};

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (strncmp(peer, hosts[i], strlen(hosts[i])) == 0)
            return true;
    }
    return false;
}

/* Ask, or wait until that can be done. */
static void ask(struct session *s)
{
    struct sl_line *line = sl_line(s->ctx, SL_LINE_HTTP, 0);
    uint64_t        tag = session_tag(TOPIC_HTTP, 0);

    if (sl_ask(s->ctx, line, s->pump->admin_ref, tag, &s->request) != SL_OK)
        sl_line_wait(s->ctx, line, s->request->hdr.bytes, tag);
}

static void on_request(void *context, struct sl_http *http, const struct sl_http_request *request)
{
    struct session *s = context;

    (void)http;
    SL_ASSERT(s->request == NULL);
    s->request = sl_http_question_new(SL_PUMP_HTTP_REQUEST, request, is_loopback(s->peer));
    s->answering = true;
    ask(s);
}

static const struct sl_http_events events = {.request = on_request};

void session_http_open(struct session *s)
{
    if (s->request != NULL)
        ask(s);
}

void session_http_respond(struct session *s, unsigned status, const char *content_type,
                          struct sl_buf **body)
{
    s->answering = false;
    if (s->http != NULL)
        sl_http_respond(s->http, status, content_type, body);
}

/* ---- the connection ---- */

void session_http_begin(struct session *s)
{
    s->http = sl_http_new(&events, s, NULL, sl_now(s->ctx));
}

bool session_http_stop(struct session *s)
{
    struct sl_slice unwritten;

    sl_http_finish(s->http);
    return s->answering || sl_http_pending(s->http, &unwritten);
}

void session_http_end(struct session *s)
{
    sl_http_free(&s->http);
    if (s->request != NULL)
        sl_msg_free(&s->request);
}
