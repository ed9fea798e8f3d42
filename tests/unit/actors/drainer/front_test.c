/* The front of a drainer on a stage: the real gateway, sessions, admin and registrar over the
 * simulated network and a local cluster, between clients that the test plays and a double of the
 * collector. Pumps are told when they are known, operators what is so, and the registry what the
 * drainer does, also when it does not answer at first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/front.h"
#include "lib/stage.h"
#include "net/grpc.h"
#include "net/local.h"

enum { POLL_MS = 1, SEEDS = 20, CLIENTS = 2, CALLS_MAX = 40, TEXT_BYTES = 1 << 16, SEATS = 4 };
enum { POLL = SL_DRAINER_SAMPLE };

static const char  address[] = "drainer:8249";
static const sl_ts first_ts = INT64_C(412518831548007863);

static struct sl_drainer_front front;

/* ---- collector ---- */

static struct {
    bool        hold;   /* keep questions until false */
    enum sl_err err;    /* answer FAILED with this */
    bool        vanish; /* free them unanswered */
    uint32_t    asked;
} collector;

struct collector_state {
    struct sl_timer poll;
    struct sl_msg  *held[SL_DRAINER_NOTIFY_CREDITS];
    uint32_t        count;
};

static void answer_one(struct sl_ctx *ctx, struct sl_msg *question)
{
    struct sl_asker asker;

    if (collector.vanish) {
        sl_msg_discard(question, &question);
        return;
    }
    asker = sl_asker_of(question);
    sl_msg_discard(question, &question);
    if (collector.err != SL_OK) {
        struct sl_drainer_failed *failed = sl_drainer_failed_new(collector.err, NULL);

        sl_reply(ctx, asker, &failed);
    } else {
        struct sl_msg *notified = sl_msg_new(struct sl_msg, SL_DRAINER_NOTIFIED);

        sl_reply_msg(ctx, asker, notified, &notified);
    }
}

static enum sl_err collector_start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)args;
    sl_timer_arm(ctx, &((struct collector_state *)self)->poll, POLL, POLL_MS);
    return SL_OK;
}

static enum sl_err collector_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct collector_state *c = self;

    if (msg->type == SL_DRAINER_NOTIFY) {
        collector.asked++;
        assert_true(c->count < SL_DRAINER_NOTIFY_CREDITS);
        c->held[c->count++] = sl_take(ctx);
        return SL_OK;
    }
    sl_timer_arm(ctx, &c->poll, POLL, POLL_MS);
    for (uint32_t i = 0; !collector.hold && i < c->count; i++)
        answer_one(ctx, c->held[i]);
    if (!collector.hold)
        c->count = 0;
    return SL_OK;
}

static void collector_stop(struct sl_ctx *ctx, void *self)
{
    struct collector_state *c = self;

    (void)ctx;
    for (uint32_t i = 0; i < c->count; i++)
        sl_msg_discard(c->held[i], &c->held[i]);
}

static const struct sl_actor_class collector_class = {
    .name = "collector",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct collector_state),
    .timers_max = 1,
    .start = collector_start,
    .handle = collector_handle,
    .stop = collector_stop,
};

/* ---- clients ---- */

struct call {
    bool                over;
    enum sl_grpc_status status;
    char                text[200];
    uint32_t            messages;
    size_t              bytes;
};

static struct client {
    struct sl_socket *socket;
    struct sl_io      io;
    struct sl_timer   poll;
    struct sl_grpc   *grpc; /* NULL: it speaks raw bytes */
    bool              connected;
    bool              ended;
    char              out[TEXT_BYTES];
    size_t            out_count;
    char              in[TEXT_BYTES];
    size_t            in_count;
    struct call       calls[CALLS_MAX];
    uint32_t          call_count;
} clients[CLIENTS];

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct call *c = context;

    (void)call;
    c->messages++;
    c->bytes += (*message)->len;
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct call *c = context;

    (void)call;
    c->over = true;
    c->status = status;
    (void)snprintf(c->text, sizeof c->text, "%s", text);
}

static const struct sl_grpc_events client_events = {.message = on_message, .over = on_over};

static void call(uint32_t i, const char *path)
{
    struct client       *c = &clients[i];
    struct sl_buf       *request = sl_buf_new(0);
    struct sl_grpc_call *begun;

    assert_true(c->call_count < CALLS_MAX);
    assert_int_equal(sl_grpc_call(c->grpc, path, SL_GRPC_NEVER, &client_events,
                                  &c->calls[c->call_count++], &begun, NULL),
                     SL_OK);
    assert_int_equal(sl_grpc_send(begun, &request), SL_OK);
    sl_grpc_half_close(begun);
}

static void say(uint32_t i, const char *text)
{
    struct client *c = &clients[i];

    c->in_count = 0;
    memset(c->in, 0, sizeof c->in);
    memcpy(c->out + c->out_count, text, strlen(text));
    c->out_count += strlen(text);
}

static void read_all(struct client *c)
{
    static uint8_t bytes[TEXT_BYTES];
    struct sl_why  why;
    size_t         got;

    while (!c->ended && sl_socket_read(c->socket, bytes, sizeof bytes, &got, &why) == SL_OK) {
        c->ended = got == 0;
        if (got > 0 && c->grpc != NULL) {
            struct sl_buf *input = sl_buf_new(got);

            memcpy(input->data, bytes, got);
            (void)sl_h2_receive(sl_grpc_h2(c->grpc), input, &why);
            sl_buf_free(&input);
        } else if (got < sizeof c->in - c->in_count) {
            memcpy(c->in + c->in_count, bytes, got);
            c->in_count += got;
        }
    }
}

static void write_all(struct client *c)
{
    struct sl_slice out;
    struct sl_why   why;
    size_t          put;

    while (c->grpc != NULL && sl_h2_pending(sl_grpc_h2(c->grpc), &out) &&
           sl_socket_write(c->socket, out.bytes, out.len, &put, &why) == SL_OK)
        sl_h2_sent(sl_grpc_h2(c->grpc), put);
    if (c->out_count > 0 && sl_socket_write(c->socket, c->out, c->out_count, &put, &why) == SL_OK) {
        c->out_count -= put;
        memmove(c->out, c->out + put, c->out_count);
    }
}

static void move_bytes(struct client *c)
{
    struct sl_why why;

    if (!c->connected && sl_socket_connected(c->socket, &why) != SL_OK)
        return;
    c->connected = true;
    read_all(c);
    if (!c->ended)
        write_all(c);
}

static enum sl_err client_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct client *c = &clients[*(const uint32_t *)args];

    *(struct client **)self = c;
    assert_int_equal(sl_net_connect(sl_env(ctx)->net, address, &c->socket, sl_why(ctx)), SL_OK);
    sl_timer_arm(ctx, &c->poll, POLL, POLL_MS);
    return SL_OK;
}

static enum sl_err client_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct client *c = *(struct client **)self;

    (void)msg;
    move_bytes(c);
    if (c->ended)
        sl_stop(ctx);
    else
        sl_timer_arm(ctx, &c->poll, POLL, POLL_MS);
    return SL_OK;
}

static void client_stop(struct sl_ctx *ctx, void *self)
{
    struct client *c = *(struct client **)self;

    (void)ctx;
    sl_grpc_free(&c->grpc);
    sl_socket_close(&c->socket);
}

static const struct sl_actor_class client_class = {
    .name = "client",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_IO,
    .state_bytes = sizeof(struct client *),
    .timers_max = 1,
    .start = client_start,
    .handle = client_handle,
    .stop = client_stop,
};

static void open_client(struct sl_ctx *ctx, uint32_t i, bool speaks_grpc)
{
    const struct sl_grpc_options options = {.authority = address};
    struct sl_ref                ref;

    if (speaks_grpc)
        clients[i].grpc = sl_grpc_new(SL_H2_CLIENT, NULL, NULL, &options, sl_now(ctx));
    assert_int_equal(sl_spawn(ctx, &client_class, &i, sizeof i, &ref), SL_OK);
}

/* ---- the stage ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1},   {&collector_class, 1},   {&client_class, CLIENTS},
    {&stage_keeper_class, 1}, SL_DRAINER_FRONT_ACTORS,
};
static const struct sl_topology_line lines[] = {
    SL_DRAINER_FRONT_LINE_ROWS(stage_root_class, collector_class, stage_keeper_class),
};
static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static struct sl_ref gateway;
static uint32_t      left;
static bool          left_for_good;
static uint32_t      published;
static uint32_t      not_published;
static uint32_t      ended;

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx, (void)self;
    if (msg->type == SL_DRAINER_LEAVE) {
        left++;
        left_for_good = ((const struct sl_drainer_leave *)(void *)msg)->for_good;
    }
    published += msg->type == SL_DRAINER_PUBLISHED;
    not_published += msg->type == SL_DRAINER_FAILED;
    return SL_OK;
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    ended += msg->type == SL_MSG_CHILD_ENDED;
    return SL_OK;
}

static void init_cluster(struct sl_ctx *ctx)
{
    assert_int_equal(sl_local_init(sl_env(ctx), "/cluster", 7, first_ts, NULL), SL_OK);
}

static void spawn(struct sl_ctx *ctx, const struct sl_actor_class *class_of, struct sl_ref *out)
{
    const struct sl_drainer_front_args args = {.front = &front};

    assert_int_equal(sl_spawn(ctx, class_of, &args, sizeof args, out), SL_OK);
}

static void begin(struct sl_ctx *ctx)
{
    static const struct sl_drainer_front_options options = {.pd_urls = "local:/cluster",
                                                            .node_id = "own",
                                                            .advertise = "10.0.0.1:8249",
                                                            .synced_check_ms = 300000,
                                                            .budget_bytes = 1 << 20,
                                                            .tells_progress = true};
    struct sl_ref                                collector_ref;

    sl_drainer_front_init(&front, sl_env(ctx), &options, SEATS);
    atomic_store(&front.board.is_open, true);
    atomic_store(&front.board.saved_ts, first_ts + 5);
    assert_int_equal(sl_net_listen(sl_env(ctx)->net, address, &front.listener, NULL), SL_OK);
    front.root_ref = sl_self(ctx);
    spawn(ctx, &collector_class, &collector_ref);
    atomic_store(&front.collector_ref, collector_ref);
    spawn(ctx, &sl_drainer_registrar_class, &front.registrar_ref);
    spawn(ctx, &sl_drainer_admin_class, &front.admin_ref);
    spawn(ctx, &sl_drainer_gateway_class, &gateway);
}

static void reset(void)
{
    memset(&collector, 0, sizeof collector);
    memset(clients, 0, sizeof clients);
    left = published = not_published = ended = 0;
    left_for_good = false;
}

static void play(const struct stage_scene *scenes, uint32_t count)
{
    struct stage stage = {
        .scenes = scenes, .scene_count = count, .handle = root_handle, .system = root_system};

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sl_why why = {0};

        reset();
        if (stage_play_seed(&stage, &topology, seed, &why) != SL_OK)
            fail_msg("seed %u: %s", (unsigned)seed, why.text);
        assert_null(front.listener);
        sl_drainer_front_done(&front);
        assert_int_equal(sl_buf_live_count(), 0);
    }
}

/* ---- the registry ---- */

static struct sl_node node_of(struct sl_ctx *ctx)
{
    struct sl_node   node = {0};
    struct sl_local *local;

    assert_int_equal(sl_local_open(sl_env(ctx), "/cluster", &local, NULL), SL_OK);
    if (sl_registry_get(sl_local_registry(local), SL_NODE_DRAINER, "own", &node, NULL) != SL_OK)
        node.state = SL_NODE_ABSENT;
    sl_local_free(&local);
    return node;
}

static bool is_online(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&front.board.state) == SL_NODE_ONLINE;
}

static void check_record(struct sl_ctx *ctx)
{
    struct sl_node node = node_of(ctx);

    assert_int_equal(node.state, SL_NODE_ONLINE);
    assert_string_equal(node.host, "10.0.0.1:8249");
    assert_true(node.max_commit_ts == first_ts + 5);
    assert_true(node.update_ts >= first_ts);
    atomic_store(&front.board.saved_ts, first_ts + 99);
}

static bool heartbeat_has_come(struct sl_ctx *ctx)
{
    return node_of(ctx).max_commit_ts == first_ts + 99;
}

static void publish(struct sl_ctx *ctx, enum sl_node_state state)
{
    struct sl_drainer_publish *question = sl_msg_new(struct sl_drainer_publish, SL_DRAINER_PUBLISH);

    question->state = state;
    assert_int_equal(
        sl_ask(ctx, sl_line(ctx, SL_LINE_FRONT_PUBLISH, 0), front.registrar_ref, 0, &question),
        SL_OK);
}

static void publish_closing(struct sl_ctx *ctx)
{
    publish(ctx, SL_NODE_CLOSING);
}

static bool one_published(struct sl_ctx *ctx)
{
    (void)ctx;
    return published + not_published == 1;
}

static void publish_offline(struct sl_ctx *ctx)
{
    assert_int_equal(not_published, 0);
    assert_int_equal(node_of(ctx).state, SL_NODE_CLOSING);
    atomic_store(&front.board.saved_ts, first_ts + 100);
    publish(ctx, SL_NODE_OFFLINE);
}

static bool two_published(struct sl_ctx *ctx)
{
    (void)ctx;
    return published == 2;
}

static void check_offline(struct sl_ctx *ctx)
{
    struct sl_node node = node_of(ctx);

    assert_int_equal(node.state, SL_NODE_OFFLINE);
    assert_true(node.max_commit_ts == first_ts + 100);
    publish(ctx, SL_NODE_PAUSING); /* nothing leads there from offline */
}

static bool one_failed(struct sl_ctx *ctx)
{
    (void)ctx;
    return not_published == 1;
}

static void the_registry_hears_of_every_state_and_checkpoint(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = init_cluster},
        {.play = begin},
        {.play = check_record, .ready = is_online},
        {.play = publish_closing, .ready = heartbeat_has_come},
        {.play = publish_offline, .ready = one_published},
        {.play = check_offline, .ready = two_published},
        {.ready = one_failed},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

static bool waits_for_the_registry(struct sl_ctx *ctx)
{
    struct sl_drainer_note note;
    enum sl_drainer_part   part;

    (void)ctx;
    sl_drainer_board_worst(&front.board, &part, &note);
    return part == SL_DRAINER_PART_HEARTBEAT && note.health == SL_DRAINER_WAITING &&
           note.why.text[0] != '\0';
}

static void publish_without_a_cluster(struct sl_ctx *ctx)
{
    publish(ctx, SL_NODE_PAUSED);
}

static void check_refused(struct sl_ctx *ctx)
{
    assert_int_equal(not_published, 1);
    init_cluster(ctx);
}

static void check_well(struct sl_ctx *ctx)
{
    assert_int_equal(node_of(ctx).state, SL_NODE_ONLINE);
    assert_false(waits_for_the_registry(ctx));
}

static void a_registry_that_is_away_is_waited_for(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = begin},
        {.play = publish_without_a_cluster, .ready = waits_for_the_registry},
        {.play = check_refused, .ready = one_published},
        {.play = check_well, .ready = is_online},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

/* ---- Notify ---- */

static void open_grpc(struct sl_ctx *ctx)
{
    open_client(ctx, 0, true);
}

static void notify(struct sl_ctx *ctx)
{
    (void)ctx;
    call(0, "/binlog.Cistern/Notify");
}

static void hold_and_notify(struct sl_ctx *ctx)
{
    collector.hold = true;
    notify(ctx);
    notify(ctx);
}

static bool two_asked(struct sl_ctx *ctx)
{
    (void)ctx;
    return collector.asked == 2;
}

static void let_go(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_false(clients[0].calls[0].over || clients[0].calls[1].over);
    collector.hold = false;
}

static bool all_over(struct sl_ctx *ctx)
{
    (void)ctx;
    for (uint32_t i = 0; i < clients[0].call_count; i++) {
        if (!clients[0].calls[i].over)
            return false;
    }
    return true;
}

static void expect_call(uint32_t i, enum sl_grpc_status status, const char *text)
{
    const struct call *c = &clients[0].calls[i];

    assert_true(c->over);
    assert_string_equal(c->text, text);
    assert_int_equal(c->status, status);
    assert_int_equal(c->messages, status == SL_GRPC_OK);
    assert_int_equal(c->bytes, 0);
}

static void check_notified(struct sl_ctx *ctx)
{
    expect_call(0, SL_GRPC_OK, "");
    expect_call(1, SL_GRPC_OK, "");
    collector.err = SL_UNAVAILABLE;
    notify(ctx);
}

static void check_failed(struct sl_ctx *ctx)
{
    expect_call(2, SL_GRPC_UNAVAILABLE, "peer unavailable");
    collector.vanish = true;
    notify(ctx);
}

static void check_vanished(struct sl_ctx *ctx)
{
    (void)ctx;
    expect_call(3, SL_GRPC_UNAVAILABLE, "the drainer is starting or stopping, try again");
    call(0, "/binlog.Cistern/DumpBinlog");
    call(0, "/binlog.Cistern/DumpDDLJobs");
    call(0, "/binlog.Pump/PullBinlogs");
}

static void check_unknown(struct sl_ctx *ctx)
{
    (void)ctx;
    for (uint32_t i = 4; i < 7; i++)
        assert_int_equal(clients[0].calls[i].status, SL_GRPC_UNIMPLEMENTED);
    assert_non_null(strstr(clients[0].calls[4].text, "unknown method"));
    assert_non_null(strstr(clients[0].calls[6].text, "unknown service"));
    assert_int_equal(collector.asked, 4);
}

static void a_pump_is_answered_when_the_collector_knows_it(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = init_cluster},
        {.play = begin},
        {.play = open_grpc, .ready = is_online},
        {.play = hold_and_notify},
        {.play = let_go, .ready = two_asked},
        {.play = check_notified, .ready = all_over},
        {.play = check_failed, .ready = all_over},
        {.play = check_vanished, .ready = all_over},
        {.play = check_unknown, .ready = all_over},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

static void hold_one(struct sl_ctx *ctx)
{
    collector.hold = true;
    notify(ctx);
}

static bool one_asked(struct sl_ctx *ctx)
{
    (void)ctx;
    return collector.asked == 1;
}

static void stop_gateway(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, gateway);
}

static void stop_collector(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, atomic_load(&front.collector_ref));
}

static bool client_and_gateway_ended(struct sl_ctx *ctx)
{
    (void)ctx;
    return ended >= 3;
}

static void check_stopped(struct sl_ctx *ctx)
{
    (void)ctx;
    expect_call(0, SL_GRPC_UNAVAILABLE, "the drainer is starting or stopping, try again");
}

static void a_stop_answers_what_is_under_way(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = init_cluster},
        {.play = begin},
        {.play = open_grpc, .ready = is_online},
        {.play = hold_one},
        {.play = stop_gateway, .ready = one_asked},
        {.play = stop_collector},
        {.play = check_stopped, .ready = client_and_gateway_ended},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

/* ---- HTTP ---- */

static const char *wanted; /* the answer ends so */

static void request(const char *method, const char *path, const char *ending)
{
    char text[256];

    (void)snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: d\r\n\r\n", method, path);
    say(1, text);
    wanted = ending;
}

static bool answer_has_come(struct sl_ctx *ctx)
{
    (void)ctx;
    return strstr(clients[1].in, wanted) != NULL;
}

static void open_http(struct sl_ctx *ctx)
{
    open_client(ctx, 1, false);
    request("GET", "/commit_ts", "    \"ts\": 412518831548007868\n  }\n}\n");
}

static void ask_status(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(strncmp(clients[1].in, "HTTP/1.1 200 ", 13), 0);
    sl_drainer_board_seat(&front.board, 0, "p");
    sl_drainer_board_received(&front.board, 0, first_ts + 7, NULL);
    request("GET", "/status", "}}\n");
}

static void ask_ready(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_non_null(strstr(clients[1].in, "{\"PumpPos\":null,\"Synced\":false,"
                                          "\"LastTS\":412518831548007868,\"TsMap\":\"\","));
    request("GET", "/readyz", "the pumps are not known yet\n");
}

static void ask_ready_again(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(strncmp(clients[1].in, "HTTP/1.1 503 ", 13), 0);
    sl_drainer_board_looked(&front.board);
    request("GET", "/readyz", "\r\n\r\nready\n");
}

static void ask_metrics(struct sl_ctx *ctx)
{
    (void)ctx;
    request("GET", "/metrics", "sluice_drainer_connections 1\n");
}

static void ask_unknown(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_non_null(strstr(clients[1].in, "\nbinlog_drainer_pump_position{nodeID=\"p\"} "));
    assert_non_null(strstr(clients[1].in, "\nbinlog_drainer_checkpoint_tso "));
    assert_non_null(strstr(clients[1].in, "\nsluice_drainer_budget_bytes 1.048576e+06\n"));
    request("GET", "/nosuch", "404 page not found\n");
}

static void ask_wrongly(struct sl_ctx *ctx)
{
    (void)ctx;
    request("POST", "/status", "HTTP/1.1 405 ");
}

static void ask_wrong_id(struct sl_ctx *ctx)
{
    (void)ctx;
    request("PUT", "/state/other/pause",
            "\"message\": \"invalid nodeID other, this pump's nodeID is own\",\n  \"code\": 3");
}

static void ask_pause(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(left, 0);
    request("PUT", "/state/own/pause", "apply action pause success!");
}

static bool has_left(struct sl_ctx *ctx)
{
    return answer_has_come(ctx) && left == 1;
}

static void ask_close(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_false(left_for_good);
    request("PUT", "/state/own/close", "apply action close success!");
}

static bool has_left_for_good(struct sl_ctx *ctx)
{
    return answer_has_come(ctx) && left == 2 && left_for_good;
}

static void operators_are_answered_over_http(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = init_cluster},
        {.play = begin},
        {.play = open_http, .ready = is_online},
        {.play = ask_status, .ready = answer_has_come},
        {.play = ask_ready, .ready = answer_has_come},
        {.play = ask_ready_again, .ready = answer_has_come},
        {.play = ask_metrics, .ready = answer_has_come},
        {.play = ask_unknown, .ready = answer_has_come},
        {.play = ask_wrongly, .ready = answer_has_come},
        {.play = ask_wrong_id, .ready = answer_has_come},
        {.play = ask_pause, .ready = answer_has_come},
        {.play = ask_close, .ready = has_left},
        {.ready = has_left_for_good},
    };

    (void)state;
    play(scenes, STAGE_COUNT(scenes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registry_hears_of_every_state_and_checkpoint),
        cmocka_unit_test(a_registry_that_is_away_is_waited_for),
        cmocka_unit_test(a_pump_is_answered_when_the_collector_knows_it),
        cmocka_unit_test(a_stop_answers_what_is_under_way),
        cmocka_unit_test(operators_are_answered_over_http),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
