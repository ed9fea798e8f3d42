#include "actors/common/connection.h"

#include <string.h>

#include "base/assert.h"
#include "net/http_route.h"

static const struct sl_sm_state phases[SL_CONNECTION_PHASES] = {
    [SL_CONNECTION_SNIFFING] = {"sniffing", SL_SM_BIT(SL_CONNECTION_GRPC) |
                                                SL_SM_BIT(SL_CONNECTION_HTTP) |
                                                SL_SM_BIT(SL_CONNECTION_OVER)},
    [SL_CONNECTION_GRPC] = {"grpc",
                            SL_SM_BIT(SL_CONNECTION_LEAVING) | SL_SM_BIT(SL_CONNECTION_OVER)},
    [SL_CONNECTION_HTTP] = {"http",
                            SL_SM_BIT(SL_CONNECTION_LEAVING) | SL_SM_BIT(SL_CONNECTION_OVER)},
    [SL_CONNECTION_LEAVING] = {"leaving", SL_SM_BIT(SL_CONNECTION_OVER)},
    [SL_CONNECTION_OVER] = {"over", 0},
};

static const struct sl_sm_table phase_table = {
    .trace = {"connection.phase", "from", "to"},
    .states = phases,
    .state_count = SL_CONNECTION_PHASES,
};

static sl_nanos earlier(sl_nanos a, sl_nanos b)
{
    return a < b ? a : b;
}

static sl_nanos after_ms(const struct sl_connection *c, uint64_t ms)
{
    return sl_now(c->ctx) + ms * SL_NANOS_PER_MS;
}

/* A listener that has only the address of a network card is reached by that, also from here: then
 * both ends have it, which nobody else can do. */
static bool has_one_host(const struct sl_connection *c)
{
    char        own[SL_ADDR_BYTES_MAX];
    const char *port = strrchr(c->peer, ':');

    sl_socket_local(c->socket, own);
    return port != NULL && strncmp(own, c->peer, (size_t)(port + 1 - c->peer)) == 0;
}

bool sl_connection_is_local(const struct sl_connection *c)
{
    static const char *const hosts[] = {"127.", "[::1]:", "[::ffff:127.", "unix:"};

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        if (strncmp(c->peer, hosts[i], strlen(hosts[i])) == 0)
            return true;
    }
    return has_one_host(c);
}

/* ---- ends ---- */

/* Nothing more can be done with the connection. */
static void close_now(struct sl_connection *c)
{
    if (sl_connection_phase(c) == SL_CONNECTION_OVER)
        return;
    sl_sm_move(&c->phase, SL_CONNECTION_OVER);
    sl_stop(c->ctx);
}

static void free_machines(struct sl_connection *c)
{
    if (c->grpc != NULL) {
        sl_grpc_free(&c->grpc);
        if (c->rules->grpc_over != NULL)
            c->rules->grpc_over(c->context);
    }
    sl_http_free(&c->http);
}

/* All is written: let the peer close. */
static void leave(struct sl_connection *c)
{
    struct sl_why why;

    sl_sm_move(&c->phase, SL_CONNECTION_LEAVING);
    free_machines(c);
    if (c->input_ended || sl_socket_shut(c->socket, &why) != SL_OK) {
        close_now(c);
        return;
    }
    c->limit_at = after_ms(c, SL_CONNECTION_LINGER_MS);
}

/* ---- output ---- */

static bool pending(struct sl_connection *c, struct sl_slice *out)
{
    if (c->grpc != NULL)
        return sl_h2_pending(sl_grpc_h2(c->grpc), out);
    return c->http != NULL && sl_http_pending(c->http, out);
}

static void sent(struct sl_connection *c, size_t count)
{
    if (c->grpc != NULL)
        sl_h2_sent(sl_grpc_h2(c->grpc), count);
    else
        sl_http_sent(c->http, count);
}

/* Write what goes. True: there is more, for later. */
static bool flush(struct sl_connection *c)
{
    size_t          budget = SL_CONNECTION_WRITE_BUDGET;
    struct sl_slice bytes;
    struct sl_why   why;
    enum sl_err     err;

    while (sl_connection_phase(c) != SL_CONNECTION_OVER && pending(c, &bytes)) {
        size_t put;

        if (budget == 0)
            return true;
        err = sl_socket_write(c->socket, bytes.bytes, bytes.len, &put, &why);
        if (err == SL_AGAIN)
            return true;
        if (err != SL_OK) {
            close_now(c);
            return false;
        }
        sent(c, put);
        budget -= put < budget ? put : budget;
    }
    return false;
}

/* ---- input ---- */

static bool wants_input(const struct sl_connection *c)
{
    return !c->input_ended && (c->http == NULL || sl_http_wants_input(c->http));
}

/* Is some of it here already, held by a layer above the socket, so that no event tells of it? */
static bool holds_input(const struct sl_connection *c)
{
    return sl_connection_phase(c) != SL_CONNECTION_OVER && wants_input(c) &&
           (sl_socket_wants(c->socket, SL_SOCKET_READABLE) & SL_SOCKET_HELD) != 0;
}

static void begin_phase(struct sl_connection *c, enum sl_connection_phase speaks)
{
    sl_sm_move(&c->phase, speaks);
    c->limit_at = UINT64_MAX;
}

static void on_request(void *context, struct sl_http *http, const struct sl_http_request *request)
{
    struct sl_connection *c = context;

    (void)http;
    c->answering = true;
    c->rules->request(c->context, request);
}

static const struct sl_http_events http_events = {.request = on_request};

/* What the first bytes say; they stay in the input until that is known. */
static void sniff(struct sl_connection *c)
{
    enum sl_h2_preface h2 = sl_h2_is_preface(c->input->data, c->filled);
    enum sl_http_start http = c->rules->grpc_only
                                  ? SL_HTTP_START_NO
                                  : sl_http_is_request_start(c->input->data, c->filled);

    if (h2 == SL_H2_PREFACE_YES) {
        c->grpc =
            sl_grpc_new(SL_H2_SERVER, c->rules->calls, c->context, c->rules->grpc, sl_now(c->ctx));
        begin_phase(c, SL_CONNECTION_GRPC);
    } else if (http == SL_HTTP_START_YES) {
        c->http = sl_http_new(&http_events, c, NULL, sl_now(c->ctx));
        begin_phase(c, SL_CONNECTION_HTTP);
    } else if (h2 == SL_H2_PREFACE_NO && http == SL_HTTP_START_NO) {
        close_now(c);
    }
}

static void give_grpc(struct sl_connection *c, size_t from, size_t count)
{
    struct sl_buf *piece = sl_buf_slice(c->input, from, count);
    struct sl_why  why;
    bool           goes_on;

    sl_grpc_tick(c->grpc, sl_now(c->ctx));
    goes_on = sl_h2_receive(sl_grpc_h2(c->grpc), piece, &why) == SL_OK;
    sl_buf_free(&piece);
    if (!goes_on) /* it is told why, if it reads that soon */
        c->limit_at = earlier(c->limit_at, after_ms(c, SL_CONNECTION_LINGER_MS));
}

/* `got` more bytes are in the input. */
static void take(struct sl_connection *c, size_t got)
{
    size_t from = c->filled;

    c->heard_at = sl_now(c->ctx);
    c->pinged = false;
    c->filled += got;
    if (sl_connection_phase(c) == SL_CONNECTION_SNIFFING) {
        sniff(c);
        from = 0;
    }
    if (c->grpc != NULL) {
        give_grpc(c, from, c->filled - from);
    } else if (c->http != NULL) {
        sl_http_tick(c->http, sl_now(c->ctx));
        sl_http_receive(c->http, (struct sl_slice){c->input->data + from, c->filled - from});
        c->filled = 0; /* nothing of it is kept */
    } else if (sl_connection_phase(c) == SL_CONNECTION_LEAVING) {
        c->filled = 0;
    }
}

/* Messages are slices of the input, so what holds some is not written again. */
static void make_room(struct sl_connection *c)
{
    struct sl_buf *fresh;

    if (c->input != NULL && c->input->len - c->filled >= SL_CONNECTION_READ_ROOM)
        return;
    SL_ASSERT(sl_connection_phase(c) != SL_CONNECTION_SNIFFING ||
              c->input == NULL); /* decided by 24 bytes */
    fresh = sl_buf_new(SL_CONNECTION_READ_BYTES);
    sl_buf_free(&c->input);
    c->input = fresh;
    c->filled = 0;
}

/* The peer will send no more. A client of gRPC is gone then; one of HTTP may wait for an answer. */
static void end_input(struct sl_connection *c)
{
    c->input_ended = true;
    if (c->http != NULL)
        sl_http_end_input(c->http);
    else
        close_now(c);
}

static void read_input(struct sl_connection *c)
{
    size_t budget = SL_CONNECTION_READ_BUDGET;

    while (sl_connection_phase(c) != SL_CONNECTION_OVER && wants_input(c)) {
        struct sl_why why;
        enum sl_err   err;
        size_t        got;

        make_room(c);
        err = sl_socket_read(c->socket, c->input->data + c->filled, c->input->len - c->filled, &got,
                             &why);
        if (err == SL_AGAIN)
            return;
        if (err != SL_OK)
            close_now(c);
        else if (got == 0)
            end_input(c);
        else
            take(c, got);
        if (err != SL_OK || (got >= budget && !holds_input(c)))
            return;
        budget -= got < budget ? got : budget;
    }
}

/* ---- time ---- */

static sl_nanos silence_ends(const struct sl_connection *c)
{
    uint64_t seconds = SL_CONNECTION_PING_S + (c->pinged ? (uint64_t)SL_CONNECTION_PONG_S : 0);

    return c->heard_at + seconds * SL_NANOS_PER_S;
}

static sl_nanos next_due(const struct sl_connection *c)
{
    if (c->grpc != NULL)
        return earlier(c->limit_at, earlier(sl_grpc_next_due(c->grpc), silence_ends(c)));
    if (c->http != NULL)
        return earlier(c->limit_at, sl_http_next_due(c->http));
    return c->limit_at;
}

/* A timer that comes too early is armed again when it comes: cheaper than moving it each time. */
static void arm(struct sl_connection *c)
{
    sl_nanos now = sl_now(c->ctx);
    sl_nanos due = next_due(c);
    uint64_t ms;

    if (due == UINT64_MAX || (sl_timer_armed(&c->due) && c->due_at <= due))
        return;
    ms = due > now ? (due - now + SL_NANOS_PER_MS - 1) / SL_NANOS_PER_MS : 1;
    c->due_at = due;
    sl_timer_arm(c->ctx, &c->due, c->rules->due_msg,
                 ms < SL_TIMER_DELAY_MS_MAX ? ms : SL_TIMER_DELAY_MS_MAX);
}

void sl_connection_due(struct sl_connection *c, struct sl_ctx *ctx)
{
    sl_nanos now = sl_now(ctx);

    c->ctx = ctx;
    if (now >= c->limit_at) {
        close_now(c);
        return;
    }
    if (c->http != NULL)
        sl_http_tick(c->http, now);
    if (c->grpc == NULL)
        return;
    sl_grpc_tick(c->grpc, now);
    if (now < silence_ends(c))
        return;
    if (c->pinged) {
        close_now(c);
        return;
    }
    c->pinged = true;
    sl_h2_ping(sl_grpc_h2(c->grpc));
}

/* ---- after each turn ---- */

static bool is_over(const struct sl_connection *c)
{
    return c->grpc != NULL ? sl_h2_is_over(sl_grpc_h2(c->grpc))
                           : c->http != NULL && sl_http_is_over(c->http);
}

static enum sl_err watch(struct sl_connection *c, bool more_output)
{
    unsigned would = (wants_input(c) ? (unsigned)SL_SOCKET_READABLE : 0) |
                     (more_output ? (unsigned)SL_SOCKET_WRITABLE : 0);
    unsigned events = sl_socket_wants(c->socket, would) & ~(unsigned)SL_SOCKET_HELD;

    if (events == c->io.events)
        return SL_OK;
    if (events == 0) {
        sl_io_unwatch(c->ctx, &c->io);
        return SL_OK;
    }
    return sl_io_watch(c->ctx, &c->io, c->socket, events);
}

enum sl_err sl_connection_settle(struct sl_connection *c, struct sl_ctx *ctx)
{
    bool more;

    c->ctx = ctx;
    more = flush(c);
    while (holds_input(c)) { /* which no event will tell of */
        read_input(c);
        more = flush(c);
    }
    if (sl_connection_phase(c) != SL_CONNECTION_OVER && !more && is_over(c))
        leave(c);
    if (sl_connection_phase(c) == SL_CONNECTION_OVER)
        return SL_OK;
    arm(c);
    return watch(c, more);
}

enum sl_err sl_connection_ready(struct sl_connection *c, struct sl_ctx *ctx, unsigned events)
{
    c->ctx = ctx;
    if ((events & sl_socket_wants(c->socket, SL_SOCKET_READABLE)) != 0)
        read_input(c);
    return sl_connection_settle(c, ctx);
}

/* ---- life ---- */

void sl_connection_begin(struct sl_connection *c, struct sl_ctx *ctx, struct sl_socket *socket,
                         const struct sl_connection_rules *rules, void *context)
{
    c->ctx = ctx;
    c->rules = rules;
    c->context = context;
    c->socket = socket;
    sl_sm_init(&c->phase, &phase_table, SL_CONNECTION_SNIFFING, NULL);
    sl_socket_peer(c->socket, c->peer);
    c->heard_at = sl_now(ctx);
    c->limit_at = after_ms(c, SL_CONNECTION_SNIFF_S * 1000);
}

/* Has the peer only to hear that we stop? A dead one does not hold the program up for long then. */
static bool nothing_is_under_way(const struct sl_connection *c)
{
    return c->grpc != NULL && sl_h2_stream_count(sl_grpc_h2(c->grpc)) == 0;
}

static bool http_is_under_way(struct sl_connection *c)
{
    struct sl_slice unwritten;

    sl_http_finish(c->http);
    return c->answering || sl_http_pending(c->http, &unwritten);
}

void sl_connection_stop(struct sl_connection *c, struct sl_ctx *ctx)
{
    uint32_t ms = nothing_is_under_way(c) ? SL_CONNECTION_LINGER_MS : SL_CONNECTION_STOP_S * 1000;

    c->ctx = ctx;
    c->stopping = true;
    c->limit_at = earlier(c->limit_at, after_ms(c, ms));
    if (c->grpc != NULL) {
        if (c->rules->stopping != NULL)
            c->rules->stopping(c->context);
        sl_h2_goaway(sl_grpc_h2(c->grpc));
    } else if (c->http != NULL && !http_is_under_way(c)) {
        leave(c); /* what a client may still send of a request is not waited for */
    } else if (sl_connection_phase(c) == SL_CONNECTION_SNIFFING) {
        close_now(c);
    }
}

void sl_connection_respond(struct sl_connection *c, unsigned status, const char *content_type,
                           struct sl_buf **body)
{
    c->answering = false;
    if (c->http != NULL)
        sl_http_respond(c->http, status, content_type, body);
}

void sl_connection_end(struct sl_connection *c, struct sl_ctx *ctx)
{
    c->ctx = ctx;
    free_machines(c);
    sl_buf_free(&c->input);
    sl_socket_close(&c->socket);
}
