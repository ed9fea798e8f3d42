/* Requests to the admin port: each goes to the admin actor as a message, and its answer back into
 * the connection. One at a time (net/http.h). */

#include <string.h>

#include "actors/pump/session_private.h"
#include "base/assert.h"

/* ---- requests ---- */

static struct sl_buf *copy_of(struct sl_slice slice)
{
    struct sl_buf *copy = sl_buf_new(slice.len);

    if (slice.len > 0)
        memcpy(copy->data, slice.bytes, slice.len);
    return copy;
}

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
    struct session              *s = context;
    struct sl_pump_http_request *message = sl_pump_http_request_new();

    (void)http;
    SL_ASSERT(s->request == NULL);
    message->hdr.bytes = (uint32_t)request->body.len; /* at most SL_HTTP_BODY_BYTES_MAX */
    message->method = request->method;
    message->trusted = is_loopback(s->peer);
    message->path = copy_of(request->path);
    if (request->query.len > 0)
        message->query = copy_of(request->query);
    if (request->body.len > 0)
        message->body = copy_of(request->body);
    s->request = message;
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
