/* Requests to the admin port: each goes to the admin actor as a message, and its answer back into
 * the connection. One at a time (net/http.h). */

#include <string.h>

#include "actors/pump/session_private.h"
#include "base/assert.h"

/* ---- requests ---- */

/* Ask, or wait until that can be done. */
static void ask(struct session *s)
{
    struct sl_line *line = sl_line(s->connection.ctx, SL_LINE_HTTP, 0);
    uint64_t        tag = session_tag(TOPIC_HTTP, 0);

    if (sl_ask(s->connection.ctx, line, s->pump->admin_ref, tag, &s->request) != SL_OK)
        sl_line_wait(s->connection.ctx, line, s->request->hdr.bytes, tag);
}

void session_http_request(void *context, const struct sl_http_request *request)
{
    struct session *s = context;

    SL_ASSERT(s->request == NULL);
    s->request =
        sl_http_question_new(SL_PUMP_HTTP_REQUEST, request, sl_connection_is_local(&s->connection));
    ask(s);
}

void session_http_open(struct session *s)
{
    if (s->request != NULL)
        ask(s);
}
