#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/sm.h"
#include "net/http_answer.h"
#include "net/http_bytes.h"
#include "net/http_reader.h"

/* ---- state ----
 *
 *     IDLE --> HEAD --> BODY --> ASKED --> ANSWER --> IDLE
 *               |         |        |
 *               +---------+--------+-----> LAST
 *
 * and from every state but ASKED to OVER. Input is parsed in the first three, held in ASKED and
 * ANSWER, and dropped in the others. */
enum state {
    IDLE,   /* between requests */
    HEAD,   /* in a request's header */
    BODY,   /* in its body */
    ASKED,  /* the owner has the request */
    ANSWER, /* an answer is being written, another request may follow */
    LAST,   /* an answer is being written, then the connection ends */
    OVER,
    STATES
};

static const struct http_refusal timed_out = {408, "the request did not come in time"};

struct sl_http {
    const struct sl_http_events *events;
    void                        *context;
    struct sl_http_limits        limits;
    struct sl_sm                 sm;
    sl_nanos                     now;
    sl_nanos                     due;    /* when the present state has lasted too long */
    struct http_reader          *reader; /* of the request that is received or answered */
    struct http_answer           answer;
    struct http_bytes            held; /* input for later; none while input is parsed */
    bool                         finishing;
    bool                         input_ended;
    const char                  *why;
};

static bool invariant(const void *context, unsigned from, unsigned to)
{
    const struct sl_http *http = context;
    struct sl_slice       pending;

    (void)from;
    if (to == IDLE || to == HEAD)
        return !sl_http_pending(http, &pending) &&
               http_reader_found(http->reader)->told.body.len == 0;
    if (to == ANSWER || to == LAST)
        return sl_http_pending(http, &pending);
    return true;
}

static const struct sl_sm_state state_rows[STATES] = {
    [IDLE] = {"idle", SL_SM_BIT(HEAD) | SL_SM_BIT(OVER)},
    [HEAD] = {"head", SL_SM_BIT(BODY) | SL_SM_BIT(LAST) | SL_SM_BIT(OVER)},
    [BODY] = {"body", SL_SM_BIT(ASKED) | SL_SM_BIT(LAST) | SL_SM_BIT(OVER)},
    [ASKED] = {"asked", SL_SM_BIT(ANSWER) | SL_SM_BIT(LAST)},
    [ANSWER] = {"answer", SL_SM_BIT(IDLE) | SL_SM_BIT(OVER)},
    [LAST] = {"last", SL_SM_BIT(OVER)},
    [OVER] = {"over", 0},
};

static const struct sl_sm_table state_table = {
    .trace = {"http", "from", "to"},
    .states = state_rows,
    .state_count = STATES,
    .invariant = invariant,
};

const struct sl_http_limits sl_http_limits_default = {
    .url_bytes_max = SL_HTTP_URL_BYTES_MAX,
    .header_bytes_max = SL_HTTP_HEADER_BYTES_MAX,
    .body_bytes_max = SL_HTTP_BODY_BYTES_MAX,
    .idle = (sl_nanos)SL_HTTP_IDLE_S * SL_NANOS_PER_S,
    .head = (sl_nanos)SL_HTTP_HEAD_S * SL_NANOS_PER_S,
    .body = (sl_nanos)SL_HTTP_BODY_S * SL_NANOS_PER_S,
    .answer = (sl_nanos)SL_HTTP_ANSWER_S * SL_NANOS_PER_S,
};

/* ---- moves ---- */

static void enter(struct sl_http *http, enum state state, sl_nanos lasting)
{
    http->due = lasting < UINT64_MAX - http->now ? http->now + lasting : UINT64_MAX;
    sl_sm_move(&http->sm, state);
}

static bool is_parsing(const struct sl_http *http)
{
    return http->sm.state <= BODY;
}

static void end(struct sl_http *http, const char *why)
{
    http_answer_clear(&http->answer);
    http_reader_drop_body(http->reader);
    http_bytes_drop(&http->held);
    if (http->why[0] == '\0')
        http->why = why;
    enter(http, OVER, UINT64_MAX);
}

/* Compose the answer and move on. Takes the reference to body. */
static void answer(struct sl_http *http, unsigned status, const char *content_type, bool last,
                   struct sl_buf *body)
{
    const struct http_finding *found = http_reader_found(http->reader);
    struct http_answer_form    form = {
           .status = status,
           .content_type = content_type,
           .without_body = found->is_head,
           .old = found->is_old,
           .close = last,
    };

    http_answer_compose(&http->answer, &form, body);
    http_reader_drop_body(http->reader);
    if (last)
        http_bytes_drop(&http->held);
    enter(http, last ? LAST : ANSWER, http->limits.answer);
}

static void refuse(struct sl_http *http, const struct http_refusal *refusal)
{
    char           text[128];
    int            len = snprintf(text, sizeof text, "%u %s: %s\n", refusal->status,
                                  http_answer_reason(refusal->status), refusal->why);
    struct sl_buf *body;

    SL_ASSERT(len > 0 && (size_t)len < sizeof text);
    body = sl_buf_new((size_t)len);
    memcpy(body->data, text, body->len);
    http->why = refusal->why;
    answer(http, refusal->status, "text/plain; charset=utf-8", true, body);
}

/* ---- receiving ---- */

/* Go where the reader has got to. */
static void follow(struct sl_http *http)
{
    const struct http_finding *found = http_reader_found(http->reader);

    if (http->sm.state == HEAD && found->header_whole) {
        enter(http, BODY, http->limits.body);
        if (found->expects_continue && !found->is_old)
            http_answer_continue(&http->answer);
    }
    if (found->refusal != NULL) {
        refuse(http, found->refusal);
    } else if (found->whole) {
        enter(http, ASKED, UINT64_MAX);
        http->events->request(http->context, http, &found->told);
    }
}

/* Parse until the input is used up or a request is being answered. Returns how much was used. */
static size_t parse(struct sl_http *http, const uint8_t *bytes, size_t count)
{
    size_t at = 0;

    while (at < count && is_parsing(http)) {
        if (http->sm.state != IDLE) {
            at += http_reader_feed(http->reader, bytes + at, count - at);
            follow(http);
        } else if (bytes[at] == '\r' || bytes[at] == '\n') {
            at++; /* some clients send an empty line behind a body: that begins no request */
        } else {
            http_reader_start(http->reader);
            enter(http, HEAD, http->limits.head);
        }
    }
    return at;
}

/* Keep input for later. */
static void hold(struct sl_http *http, const uint8_t *bytes, size_t count)
{
    if (http->finishing || count == 0)
        return;
    if (count > SL_HTTP_HELD_BYTES_MAX - http->held.len) {
        http->why = "too many requests at once";
        sl_http_finish(http);
        return;
    }
    http_bytes_add(&http->held, bytes, count);
}

void sl_http_receive(struct sl_http *http, struct sl_slice input)
{
    size_t used = 0;

    if (http->input_ended)
        return;
    if (is_parsing(http))
        used = parse(http, input.bytes, input.len);
    if (http->sm.state == ASKED || http->sm.state == ANSWER)
        hold(http, input.bytes + used, input.len - used);
}

void sl_http_end_input(struct sl_http *http)
{
    http->input_ended = true;
    if (is_parsing(http))
        end(http, "the peer ended its side");
}

bool sl_http_wants_input(const struct sl_http *http)
{
    return http->sm.state != OVER && http->held.len == 0;
}

/* ---- answering ---- */

void sl_http_respond(struct sl_http *http, unsigned status, const char *content_type,
                     struct sl_buf **body)
{
    struct sl_buf *taken = body != NULL ? *body : NULL;

    SL_ASSERT(http->sm.state == ASKED);
    SL_ASSERT(status >= 200 && status <= 599);
    if (body != NULL)
        *body = NULL;
    answer(http, status, content_type,
           http->finishing || !http_reader_found(http->reader)->keep_alive, taken);
}

bool sl_http_pending(const struct sl_http *http, struct sl_slice *out)
{
    return http_answer_pending(&http->answer, out);
}

/* An answer is written, and the connection may stay: on to the next request. */
static void go_on(struct sl_http *http)
{
    struct http_bytes held = http->held;

    enter(http, IDLE, http->limits.idle);
    http->held = (struct http_bytes){0};
    if (http->finishing) {
        end(http, "finished");
    } else if (held.len > 0) {
        size_t used = parse(http, held.data, held.len);

        if (!is_parsing(http) && http->sm.state != LAST)
            hold(http, held.data + used, held.len - used);
    }
    http_bytes_drop(&held);
    if (http->input_ended && is_parsing(http))
        end(http, "the peer ended its side");
}

void sl_http_sent(struct sl_http *http, size_t count)
{
    struct sl_slice left;

    http_answer_sent(&http->answer, count);
    if (http_answer_pending(&http->answer, &left))
        return;
    if (http->sm.state == ANSWER)
        go_on(http);
    else if (http->sm.state == LAST)
        end(http, "the last answer is written");
}

/* ---- ends and times ---- */

void sl_http_finish(struct sl_http *http)
{
    http->finishing = true;
    http_bytes_drop(&http->held);
    if (http->sm.state == IDLE)
        end(http, "finished");
}

bool sl_http_is_over(const struct sl_http *http)
{
    return http->sm.state == OVER;
}

const char *sl_http_why_text(const struct sl_http *http)
{
    return http->why;
}

void sl_http_tick(struct sl_http *http, sl_nanos now)
{
    SL_ASSERT(now >= http->now);
    http->now = now;
    if (now < http->due)
        return;
    switch ((enum state)http->sm.state) {
    case IDLE: end(http, "idle for too long"); break;
    case HEAD:
    case BODY: refuse(http, &timed_out); break;
    case ANSWER:
    case LAST: end(http, "the peer does not read its answer"); break;
    case ASKED:
    case OVER:
    case STATES: break;
    }
}

sl_nanos sl_http_next_due(const struct sl_http *http)
{
    return http->due;
}

/* ---- a connection ---- */

struct sl_http *sl_http_new(const struct sl_http_events *events, void *context,
                            const struct sl_http_limits *limits, sl_nanos now)
{
    struct sl_http *http = calloc(1, sizeof *http);

    SL_ASSERT(http != NULL);
    http->events = events;
    http->context = context;
    http->limits = limits != NULL ? *limits : sl_http_limits_default;
    SL_ASSERT(http->limits.url_bytes_max >= 1 &&
              http->limits.url_bytes_max <= SL_HTTP_URL_BYTES_MAX);
    SL_ASSERT(http->limits.header_bytes_max >= http->limits.url_bytes_max &&
              http->limits.header_bytes_max <= SL_HTTP_HEADER_BYTES_MAX);
    SL_ASSERT(http->limits.body_bytes_max <= SL_HTTP_BODY_BYTES_MAX);
    http->reader = http_reader_new(&http->limits);
    http->why = "";
    http->now = now;
    sl_sm_init(&http->sm, &state_table, IDLE, http);
    http->due = now + http->limits.idle;
    return http;
}

void sl_http_free(struct sl_http **http)
{
    struct sl_http *old = *http;

    *http = NULL;
    if (old == NULL)
        return;
    http_answer_clear(&old->answer);
    http_reader_free(&old->reader);
    http_bytes_drop(&old->held);
    free(old);
}
