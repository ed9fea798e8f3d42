/* The socket of a session and the phases that its bytes lead through. The first bytes say what the
 * connection speaks; then bytes move between the socket and the machine of that protocol.
 *
 *                   preface of HTTP/2
 *                 ┌──────────────────► GRPC ──over, broken──┐
 *     SNIFFING ───┤                                         ├──► LEAVING ───► OVER
 *         │       └──────────────────► HTTP ──over──────────┘                  ▲
 *         │         method of HTTP/1                                           │
 *         └───────────── anything else, 10 s, a reset, an end ─────────────────┘
 *
 * LEAVING: everything is written, our side is shut, and what the peer still sends is dropped until
 * it closes: closing with input unread would make the system throw away the last answer. From
 * every phase a broken connection leads to OVER. */

#include "actors/pump/session_private.h"
#include "base/assert.h"
#include "net/http_route.h"

static const struct sl_sm_state phases[SESSION_PHASES] = {
    [SESSION_SNIFFING] = {"sniffing", SL_SM_BIT(SESSION_GRPC) | SL_SM_BIT(SESSION_HTTP) |
                                          SL_SM_BIT(SESSION_OVER)},
    [SESSION_GRPC] = {"grpc", SL_SM_BIT(SESSION_LEAVING) | SL_SM_BIT(SESSION_OVER)},
    [SESSION_HTTP] = {"http", SL_SM_BIT(SESSION_LEAVING) | SL_SM_BIT(SESSION_OVER)},
    [SESSION_LEAVING] = {"leaving", SL_SM_BIT(SESSION_OVER)},
    [SESSION_OVER] = {"over", 0},
};

static const struct sl_sm_table phase_table = {
    .trace = {"session.phase", "from", "to"},
    .states = phases,
    .state_count = SESSION_PHASES,
};

void session_begin(struct session *s)
{
    sl_sm_init(&s->phase, &phase_table, SESSION_SNIFFING, NULL);
    s->heard_at = sl_now(s->ctx);
    s->limit_at = session_after_ms(s, SL_PUMP_SNIFF_S * 1000);
}

/* ---- ends ---- */

/* Nothing more can be done with the connection. */
void session_close(struct session *s)
{
    if (session_phase(s) == SESSION_OVER)
        return;
    sl_sm_move(&s->phase, SESSION_OVER);
    sl_stop(s->ctx);
}

/* All is written: let the peer close. */
void session_leave(struct session *s)
{
    struct sl_why why;

    sl_sm_move(&s->phase, SESSION_LEAVING);
    session_grpc_end(s);
    session_http_end(s);
    if (s->input_ended || sl_socket_shut(s->socket, &why) != SL_OK) {
        session_close(s);
        return;
    }
    s->limit_at = session_after_ms(s, SL_PUMP_LINGER_MS);
}

/* ---- output ---- */

static bool pending(struct session *s, struct sl_slice *out)
{
    if (s->grpc != NULL)
        return sl_h2_pending(sl_grpc_h2(s->grpc), out);
    return s->http != NULL && sl_http_pending(s->http, out);
}

static void sent(struct session *s, size_t count)
{
    if (s->grpc != NULL)
        sl_h2_sent(sl_grpc_h2(s->grpc), count);
    else
        sl_http_sent(s->http, count);
}

/* Write what goes. True: there is more, for later. */
bool session_flush(struct session *s)
{
    size_t          budget = SL_PUMP_WRITE_BUDGET;
    struct sl_slice bytes;
    struct sl_why   why;
    enum sl_err     err;

    while (session_phase(s) != SESSION_OVER && pending(s, &bytes)) {
        size_t put;

        if (budget == 0)
            return true;
        err = sl_socket_write(s->socket, bytes.bytes, bytes.len, &put, &why);
        if (err == SL_AGAIN)
            return true;
        if (err != SL_OK) {
            session_close(s);
            return false;
        }
        sent(s, put);
        budget -= put < budget ? put : budget;
    }
    return false;
}

/* ---- input ---- */

bool session_wants_input(const struct session *s)
{
    return !s->input_ended && (s->http == NULL || sl_http_wants_input(s->http));
}

bool session_holds_input(const struct session *s)
{
    return session_phase(s) != SESSION_OVER && session_wants_input(s) &&
           (sl_socket_wants(s->socket, SL_SOCKET_READABLE) & SL_SOCKET_HELD) != 0;
}

static void begin(struct session *s, enum session_phase speaks)
{
    sl_sm_move(&s->phase, speaks);
    s->limit_at = UINT64_MAX;
}

/* What the first bytes say; they stay in the input until that is known. */
static void sniff(struct session *s)
{
    enum sl_h2_preface h2 = sl_h2_is_preface(s->input->data, s->filled);
    enum sl_http_start http =
        s->is_unix ? SL_HTTP_START_NO : sl_http_is_request_start(s->input->data, s->filled);

    if (h2 == SL_H2_PREFACE_YES) {
        session_grpc_begin(s);
        begin(s, SESSION_GRPC);
    } else if (http == SL_HTTP_START_YES) {
        session_http_begin(s);
        begin(s, SESSION_HTTP);
    } else if (h2 == SL_H2_PREFACE_NO && http == SL_HTTP_START_NO) {
        session_close(s);
    }
}

static void give_grpc(struct session *s, size_t from, size_t count)
{
    struct sl_buf *piece = sl_buf_slice(s->input, from, count);
    bool           goes_on = session_grpc_receive(s, piece);

    sl_buf_free(&piece);
    if (!goes_on) /* it is told why, if it reads that soon */
        s->limit_at = session_earlier(s->limit_at, session_after_ms(s, SL_PUMP_LINGER_MS));
}

/* `got` more bytes are in the input. */
static void take(struct session *s, size_t got)
{
    size_t from = s->filled;

    s->heard_at = sl_now(s->ctx);
    s->pinged = false;
    s->filled += got;
    if (session_phase(s) == SESSION_SNIFFING) {
        sniff(s);
        from = 0;
    }
    if (s->grpc != NULL) {
        give_grpc(s, from, s->filled - from);
    } else if (s->http != NULL) {
        sl_http_tick(s->http, sl_now(s->ctx));
        sl_http_receive(s->http, (struct sl_slice){s->input->data + from, s->filled - from});
        s->filled = 0; /* nothing of it is kept */
    } else if (session_phase(s) == SESSION_LEAVING) {
        s->filled = 0;
    }
}

/* Records are slices of the input, so what holds some is not written again. */
static void make_room(struct session *s)
{
    struct sl_buf *fresh;

    if (s->input != NULL && s->input->len - s->filled >= SL_PUMP_READ_ROOM)
        return;
    SL_ASSERT(session_phase(s) != SESSION_SNIFFING || s->input == NULL); /* decided by 24 bytes */
    fresh = sl_buf_new(SL_PUMP_READ_BYTES);
    sl_buf_free(&s->input);
    s->input = fresh;
    s->filled = 0;
}

/* The peer will send no more. A client of gRPC is gone then; one of HTTP may wait for an answer. */
static void input_ended(struct session *s)
{
    s->input_ended = true;
    if (s->http != NULL)
        sl_http_end_input(s->http);
    else
        session_close(s);
}

void session_read(struct session *s)
{
    size_t budget = SL_PUMP_READ_BUDGET;

    while (session_phase(s) != SESSION_OVER && session_wants_input(s)) {
        struct sl_why why;
        enum sl_err   err;
        size_t        got;

        make_room(s);
        err = sl_socket_read(s->socket, s->input->data + s->filled, s->input->len - s->filled, &got,
                             &why);
        if (err == SL_AGAIN)
            return;
        if (err != SL_OK)
            session_close(s);
        else if (got == 0)
            input_ended(s);
        else
            take(s, got);
        if (err != SL_OK || (got >= budget && !session_holds_input(s)))
            return;
        budget -= got < budget ? got : budget;
    }
}
