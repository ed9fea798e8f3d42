/* The admin actor over a registry, an index and a log in simulation: every route of the
 * specification's section 5 with its status, content type and body, methods and paths that are
 * none, knobs, and what makes a pump not ready. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/body.h"
#include "actors/common/http_mail.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/status.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/record.h"
#include "lib/stage.h"
#include "net/http.h"
#include "net/local.h"
#include "storage/vlog.h"

enum { ANSWERS_MAX = 16, TEXT_BYTES = 1 << 16, SHARDS = 2 };

#define COMMIT_TS INT64_C(412518831548007863)
#define START_TS INT64_C(412518831548007786)

static struct sl_pump pump;

static struct {
    unsigned    status;
    const char *content_type;
    char        body[TEXT_BYTES];
} answers[ANSWERS_MAX];
static uint32_t asked;
static uint32_t answered;
static uint32_t left; /* LEAVE that root heard */
static bool     left_for_good;
static bool     gc_busy;
static bool     gc_silent;

/* ---- retention ---- */

static enum sl_err retention_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct sl_asker asker;

    (void)self;
    assert_int_equal(msg->type, SL_PUMP_GC);
    if (gc_silent)
        return SL_OK;
    asker = sl_asker_of(msg);
    if (gc_busy) {
        struct sl_pump_failed *failed = sl_pump_failed_new(SL_IN_USE, NULL);

        sl_reply(ctx, asker, &failed);
    } else {
        struct sl_msg *done = sl_msg_alloc(sizeof *done, SL_PUMP_DONE, NULL);

        sl_reply_msg(ctx, asker, done, &done);
    }
    return SL_OK;
}

static const struct sl_actor_class retention_class = {
    .name = "retention",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .handle = retention_handle,
};

/* ---- root asks, as a session does ---- */

static const struct sl_topology_actor actors[] = {
    {&stage_root_class, 1}, {&sl_pump_admin_class, 1}, {&retention_class, 1}};

static const struct sl_topology_line lines[SL_LINE_GC + 1] = {
#define UNUSED(line, text) \
    [line] = {             \
        .name = (text), .credits = 1, .inputs = 1, .path = {&stage_root_class, &retention_class}}
    UNUSED(SL_LINE_WRITE, "write"),
    UNUSED(SL_LINE_FAKE, "fake"),
    UNUSED(SL_LINE_MARK, "mark"),
    UNUSED(SL_LINE_CUT, "cut"),
    UNUSED(SL_LINE_WATCH, "watch"),
    UNUSED(SL_LINE_NEXT, "next"),
    UNUSED(SL_LINE_TS, "ts"),
    UNUSED(SL_LINE_PUBLISH, "publish"),
    UNUSED(SL_LINE_TRIM, "trim"),
#undef UNUSED
    [SL_LINE_HTTP] = {.name = "http",
                      .credits = ANSWERS_MAX,
                      .bytes = SL_HTTP_BODY_BYTES_MAX,
                      .inputs = 1,
                      .path = {&stage_root_class, &sl_pump_admin_class}},
    [SL_LINE_LEAVE] = {.name = "leave",
                       .credits = 1,
                       .inputs = 1,
                       .path = {&sl_pump_admin_class, &stage_root_class}},
    [SL_LINE_GC] = {.name = "gc",
                    .credits = 1,
                    .inputs = 1,
                    .path = {&sl_pump_admin_class, &retention_class}},
};

static const struct sl_topology topology = STAGE_TOPOLOGY(actors, lines);

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_http_answer *r = (const struct sl_http_answer *)(void *)msg;

    (void)ctx, (void)self;
    if (msg->type == SL_PUMP_LEAVE) {
        left++;
        left_for_good = ((const struct sl_pump_leave *)(void *)msg)->for_good;
        return SL_OK;
    }
    assert_int_equal(msg->type, SL_PUMP_HTTP_RESPONSE);
    answers[msg->tag].status = r->status;
    answers[msg->tag].content_type = r->content_type;
    (void)snprintf(answers[msg->tag].body, TEXT_BYTES, "%.*s",
                   r->body != NULL ? (int)r->body->len : 0,
                   r->body != NULL ? (const char *)r->body->data : "");
    answered++;
    return SL_OK;
}

static void ask_with(struct sl_ctx *ctx, enum sl_http_method method, const char *path,
                     const char *body, bool is_trusted)
{
    const struct sl_http_request asked_for = {
        .method = method, .path = sl_slice_from_string(path), .body = sl_slice_from_string(body)};
    struct sl_http_question *request =
        sl_http_question_new(SL_PUMP_HTTP_REQUEST, &asked_for, is_trusted);

    assert_int_equal(sl_ask(ctx, sl_line(ctx, SL_LINE_HTTP, 0), pump.admin_ref, asked++, &request),
                     SL_OK);
}

static void ask(struct sl_ctx *ctx, enum sl_http_method method, const char *path)
{
    ask_with(ctx, method, path, "", false);
}

static bool all_answered(struct sl_ctx *ctx)
{
    (void)ctx;
    return answered == asked;
}

static void expect(uint32_t i, unsigned status, const char *content_type, const char *body)
{
    assert_string_equal(answers[i].body, body);
    assert_int_equal(answers[i].status, status);
    if (content_type == NULL)
        assert_null(answers[i].content_type);
    else
        assert_string_equal(answers[i].content_type, content_type);
}

/* ---- a pump's stores ---- */

static void put_node(struct sl_local *local, enum sl_node_kind kind, const char *id)
{
    struct sl_node node = {
        .state = SL_NODE_ONLINE, .max_commit_ts = COMMIT_TS, .update_ts = COMMIT_TS + 1};
    struct sl_why why;

    (void)snprintf(node.id, sizeof node.id, "%s", id);
    (void)snprintf(node.host, sizeof node.host, "127.0.0.1:8250");
    assert_int_equal(sl_registry_put(sl_local_registry(local), kind, &node, &why), SL_OK);
}

static void open_registry(struct sl_ctx *ctx)
{
    struct sl_local *local;
    struct sl_why    why;

    assert_int_equal(sl_local_init(sl_env(ctx), "/cluster", 7, COMMIT_TS, &why), SL_OK);
    assert_int_equal(sl_local_open(sl_env(ctx), "/cluster", &local, &why), SL_OK);
    put_node(local, SL_NODE_PUMP, "pump:8250");
    put_node(local, SL_NODE_DRAINER, "drainer:8249");
    sl_local_free(&local);
}

static void spawn_all(struct sl_ctx *ctx)
{
    struct sl_pump_args args = {.pump = &pump};

    pump.root_ref = sl_self(ctx);
    assert_int_equal(sl_spawn(ctx, &retention_class, NULL, 0, &pump.retention_ref), SL_OK);
    assert_int_equal(sl_spawn(ctx, &sl_pump_admin_class, &args, sizeof args, &pump.admin_ref),
                     SL_OK);
}

static void begin(struct sl_ctx *ctx)
{
    struct sl_index_options options = {.engine = SL_INDEX_PLAIN,
                                       .fs = sl_env(ctx)->fs,
                                       .dir = "/index",
                                       .shard_count = SHARDS,
                                       .create = true};
    struct sl_why           why;

    open_registry(ctx);
    assert_int_equal(sl_index_open(&options, &pump.index, &why), SL_OK);
    for (uint32_t k = 0; k < SHARDS; k++)
        pump.shard[k].index = sl_index_shard_of(pump.index, k);
    spawn_all(ctx);
}

static void end(struct sl_ctx *ctx)
{
    sl_stop_child(ctx, pump.admin_ref);
}

static bool admin_ended;

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx, (void)self;
    if (msg->type == SL_MSG_CHILD_ENDED)
        admin_ended = true;
    else if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    return SL_OK;
}

static bool has_ended(struct sl_ctx *ctx)
{
    (void)ctx;
    return admin_ended;
}

static void close_stores(struct sl_ctx *ctx)
{
    (void)ctx;
    sl_index_close(&pump.index);
}

static void reset(void)
{
    memset(&pump, 0, sizeof pump);
    memset(answers, 0, sizeof answers);
    asked = answered = left = 0;
    left_for_good = gc_busy = gc_silent = admin_ended = false;
    pump.options.shards = SHARDS;
    pump.options.pd_urls = "local:/cluster";
    pump.options.data_dir = "/data";
    pump.options.stop_write_bytes = 1000;
    (void)snprintf(pump.node_id, sizeof pump.node_id, "pump:8250");
    pump.metric_registry = sl_metric_registry_new();
    sl_pump_metrics_add(pump.metric_registry, &pump.board, &pump.metrics);
    atomic_store(&pump.board.state, SL_NODE_ONLINE);
    atomic_store(&pump.board.space_available, 1001);
    sl_metric_add(pump.metrics.deleted_kv, 3);
}

/* One scene between beginning and end. */
static void play(void (*scene)(struct sl_ctx *ctx), void (*check)(void))
{
    const struct stage_scene scenes[] = {{.play = begin},
                                         {.play = scene},
                                         {.play = end, .ready = all_answered},
                                         {.play = close_stores, .ready = has_ended}};
    const struct stage       stage = {STAGE(scenes), .handle = root_handle, .system = root_system};
    struct sl_why            why = {0};

    reset();
    if (stage_play_seed(&stage, &topology, 1, &why) != SL_OK)
        fail_msg("%s", why.text);
    sl_metric_registry_free(&pump.metric_registry);
    check();
}

/* ---- nodes ---- */

static void ask_nodes(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_GET, "/status");
    ask(ctx, SL_HTTP_GET, "/drainers");
}

static void check_nodes(void)
{
    static const char status[] =
        "{\"status\":{\"pump:8250\":{\"nodeId\":\"pump:8250\",\"host\":\"127.0.0.1:8250\","
        "\"state\":\"online\",\"isAlive\":false,\"score\":0,\"label\":null,"
        "\"maxCommitTS\":412518831548007863,\"updateTS\":412518831548007864}},\"CommitTS\":"
        "41251883";

    assert_memory_equal(answers[0].body, status, sizeof status - 1);
    assert_non_null(strstr(answers[0].body, ",\"Checkpoint\":{},\"ErrMsg\":\"\"}\n"));
    assert_int_equal(answers[0].status, 200);
    assert_string_equal(answers[0].content_type, sl_body_text);
    expect(1, 200, sl_body_text,
           "[{\"nodeId\":\"drainer:8249\",\"host\":\"127.0.0.1:8250\",\"state\":\"online\","
           "\"isAlive\":false,\"score\":0,\"label\":null,\"maxCommitTS\":412518831548007863,"
           "\"updateTS\":412518831548007864}]\n");
}

static void status_and_drainers_show_what_is_registered(void **state)
{
    (void)state;
    play(ask_nodes, check_nodes);
}

/* ---- state ---- */

static void ask_pause(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_PUT, "/state/other/pause");
    ask(ctx, SL_HTTP_PUT, "/state/pump:8250/drop");
    ask(ctx, SL_HTTP_PUT, "/state/pump:8250/pause");
    ask(ctx, SL_HTTP_PUT, "/state/pump:8250/pause"); /* the line to root is full: no harm */
}

static void check_pause(void)
{
    static const char success[] =
        "{\n  \"message\": \"apply action pause success!\",\n  \"code\": 200,\n"
        "  \"data\": null\n}\n";

    expect(0, 200, sl_body_json,
           "{\n  \"message\": \"invalide nodeID other, this pump's nodeID is pump:8250\",\n"
           "  \"code\": 3,\n  \"data\": null\n}\n");
    expect(1, 200, sl_body_json,
           "{\n  \"message\": \"invalide action drop\",\n  \"code\": 3,\n  \"data\": null\n}\n");
    expect(2, 200, sl_body_json, success);
    expect(3, 200, sl_body_json, success);
    assert_true(left >= 1);
    assert_false(left_for_good);
}

static void a_pause_is_asked_of_root_when_node_and_action_are_right(void **state)
{
    (void)state;
    play(ask_pause, check_pause);
}

static void ask_close(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_PUT, "/state/pump:8250/close");
}

static void check_close(void)
{
    assert_int_equal(left, 1);
    assert_true(left_for_good);
}

static void a_close_is_for_good(void **state)
{
    (void)state;
    play(ask_close, check_close);
}

/* ---- gc ---- */

static void ask_gc(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_POST, "/debug/gc/trigger");
}

static void check_gc(void)
{
    expect(0, 200, sl_body_text, gc_busy ? "gc is working\n" : "trigger gc success\n");
}

static void ask_gc_busy(struct sl_ctx *ctx)
{
    gc_busy = true;
    ask_gc(ctx);
}

static void ask_gc_silent(struct sl_ctx *ctx)
{
    gc_silent = true;
    ask_gc(ctx);
}

static void check_gc_silent(void)
{
    expect(0, 200, sl_body_text, "gc is working\n");
}

static void gc_is_begun_by_retention_or_under_way(void **state)
{
    (void)state;
    play(ask_gc, check_gc);
    play(ask_gc_busy, check_gc);
    play(ask_gc_silent, check_gc_silent);
}

/* ---- records ---- */

static uint8_t record_bytes[64];
static size_t  record_count;

/* A fake in the log of shard 1, at COMMIT_TS. */
static void store_record(struct sl_ctx *ctx)
{
    struct sl_record        fake = sl_record_fake(COMMIT_TS);
    struct sl_vlog_options *options = &pump.vlog_options[1];
    struct sl_index_entry   entry = {.commit_ts = COMMIT_TS, .start_ts = COMMIT_TS};
    struct sl_index_cut     cut = {.entries = &entry, .entry_count = 1};
    struct sl_vlog_record   record = {
          .type = SL_VLOG_FAKE, .start_ts = (uint64_t)COMMIT_TS, .commit_ts = (uint64_t)COMMIT_TS};
    struct sl_vlog *vlog;
    struct sl_why   why = {0};

    record_count = sl_record_encoded_bytes(&fake);
    sl_record_encode(&fake, record_bytes);
    *options = (struct sl_vlog_options){
        .fs = sl_env(ctx)->fs,
        .random = sl_env(ctx)->random,
        .dir = "/log",
        .identity = {.cluster_id = 7, .shard = 1, .shard_count = SHARDS},
        .segment_bytes = SL_VLOG_SEGMENT_BYTES_MIN,
    };
    record.payload = (struct sl_slice){record_bytes, record_count};
    if (sl_vlog_open(options, 0, NULL, NULL, &vlog, &why) != SL_OK ||
        sl_vlog_append(vlog, &record, 1, &entry.commit, &why) != SL_OK)
        fail_msg("%s", why.text);
    sl_vlog_close(&vlog);
    cut.head = (struct sl_index_head){.offset = 1, .watermark = COMMIT_TS};
    assert_int_equal(sl_index_apply(pump.shard[1].index, &cut, &why), SL_OK);
}

static void ask_records(struct sl_ctx *ctx)
{
    store_record(ctx);
    ask(ctx, SL_HTTP_GET, "/debug/binlog/412518831548007863");
    ask(ctx, SL_HTTP_GET, "/debug/binlog/412518831548007862");
    ask(ctx, SL_HTTP_GET, "/debug/binlog/-1");
    ask(ctx, SL_HTTP_GET, "/debug/binlog/today");
}

static void check_records(void)
{
    assert_non_null(strstr(answers[0].body, "commit_ts:412518831548007863"));
    expect(1, 200, sl_body_text, "fail read binlog by ts: 412518831548007862: leveldb: not found");
    expect(2, 200, sl_body_text, "fail read binlog by ts: -1: leveldb: not found");
    expect(3, 200, sl_body_text, "invalid parameter ts: today");
}

static void a_record_is_shown_by_its_commit_ts(void **state)
{
    (void)state;
    play(ask_records, check_records);
}

/* ---- the rest ---- */

static void ask_wrongly(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_POST, "/status");
    ask(ctx, SL_HTTP_GET, "/state/pump:8250/pause");
    ask(ctx, SL_HTTP_GET, "/stat");
    ask(ctx, SL_HTTP_GET, "/");
}

static void check_wrong(void)
{
    expect(0, 405, NULL, "");
    expect(1, 405, NULL, "");
    expect(2, 404, sl_body_text, "404 page not found\n");
    expect(3, 404, sl_body_text, "404 page not found\n");
    assert_int_equal(left, 0);
}

static void wrong_methods_and_unknown_paths_are_told(void **state)
{
    (void)state;
    play(ask_wrongly, check_wrong);
}

static void ask_metrics(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_GET, "/metrics");
}

static void check_metrics(void)
{
    assert_non_null(strstr(answers[0].body, "\nbinlog_pump_storage_deleted_kv_total 3\n"));
    assert_int_equal(answers[0].status, 200);
    assert_string_equal(answers[0].content_type, "text/plain; version=0.0.4; charset=utf-8");
}

static void metrics_show_what_is_counted(void **state)
{
    (void)state;
    play(ask_metrics, check_metrics);
}

static void ask_health(struct sl_ctx *ctx)
{
    ask(ctx, SL_HTTP_GET, "/healthz");
    ask(ctx, SL_HTTP_GET, "/readyz");
}

static void check_ready(void)
{
    expect(0, 200, sl_body_text, "ok\n");
    expect(1, 200, sl_body_text, "ready\n");
}

static void ask_paused(struct sl_ctx *ctx)
{
    atomic_store(&pump.board.state, SL_NODE_PAUSED);
    ask_health(ctx);
}

static void check_paused(void)
{
    expect(0, 200, sl_body_text, "ok\n");
    expect(1, 503, sl_body_text, "state is paused\n");
}

static void ask_full(struct sl_ctx *ctx)
{
    atomic_store(&pump.board.space_available, 1000);
    ask_health(ctx);
}

static void check_full(void)
{
    expect(1, 503, sl_body_text,
           "1000 bytes of /data are available, and stop-write-at-available-space is 1000\n");
}

static void ask_broken(struct sl_ctx *ctx)
{
    atomic_store(&pump.board.broken[1], 1);
    ask_health(ctx);
}

static void check_broken(void)
{
    expect(1, 503, sl_body_text, "the log of shard 1 takes no records\n");
}

static void ask_unresolved(struct sl_ctx *ctx)
{
    atomic_store(&pump.board.unresolved[0], SL_UNRESOLVED_MAX);
    ask_health(ctx);
}

static void check_unresolved(void)
{
    expect(1, 503, sl_body_text, "too many transactions of shard 0 have no outcome\n");
}

static void whoever_takes_no_writes_is_not_ready_and_says_why(void **state)
{
    (void)state;
    play(ask_health, check_ready);
    play(ask_paused, check_paused);
    play(ask_full, check_full);
    play(ask_broken, check_broken);
    play(ask_unresolved, check_unresolved);
}

static enum sl_log_level before; /* of this program's log */

static void ask_knobs(struct sl_ctx *ctx)
{
    before = sl_log_level();
    sl_log_set_level(SL_LOG_ERROR);
    ask(ctx, SL_HTTP_GET, "/knobs");
    ask_with(ctx, SL_HTTP_PUT, "/knobs", "{\"log-level\":\"fatal\"}", false);
    ask_with(ctx, SL_HTTP_PUT, "/knobs", "{\"workers\":4}", true);
    ask_with(ctx, SL_HTTP_PUT, "/knobs", "{\"log-level\":\"fatal\"}", true);
    ask(ctx, SL_HTTP_GET, "/knobs");
}

static void check_knobs(void)
{
    enum sl_log_level now = sl_log_level();

    sl_log_set_level(before);
    assert_int_equal(now, SL_LOG_FATAL);
    assert_non_null(strstr(answers[0].body, "{\"log-level\":{\"value\":\"error\","));
    assert_int_equal(answers[1].status, 403);
    assert_int_equal(answers[2].status, 400);
    assert_non_null(strstr(answers[2].body, "there is log-level"));
    assert_int_equal(answers[3].status, 200);
    assert_non_null(strstr(answers[4].body, "{\"log-level\":{\"value\":\"fatal\","));
}

static void the_log_level_is_a_knob_for_this_machine(void **state)
{
    (void)state;
    play(ask_knobs, check_knobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_and_drainers_show_what_is_registered),
        cmocka_unit_test(a_pause_is_asked_of_root_when_node_and_action_are_right),
        cmocka_unit_test(a_close_is_for_good),
        cmocka_unit_test(gc_is_begun_by_retention_or_under_way),
        cmocka_unit_test(a_record_is_shown_by_its_commit_ts),
        cmocka_unit_test(wrong_methods_and_unknown_paths_are_told),
        cmocka_unit_test(metrics_show_what_is_counted),
        cmocka_unit_test(the_log_level_is_a_knob_for_this_machine),
        cmocka_unit_test(whoever_takes_no_writes_is_not_ready_and_says_why),
    };

    return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
