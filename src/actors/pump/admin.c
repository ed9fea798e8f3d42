/* admin: answers HTTP (pump spec 5; the bodies: status.h). Scripts of the original know its routes,
 * texts and that nearly everything is 200; /healthz, /readyz and /knobs are ours.
 *
 *     session ──request──► admin ──┬─ registry, timestamps, index and log: its own doors
 *                                  ├─ leave ──► root
 *                                  └─ gc ──► retention, whose answer is the answer
 *
 * On the peer lane: the registry, the timestamp door and the log may let it wait. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/common/action.h"
#include "actors/common/body.h"
#include "actors/common/knobs.h"
#include "actors/common/routes.h"
#include "actors/pump/exposition.h"
#include "actors/pump/lookup.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/status.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/cluster.h"
#include "net/http.h"
#include "net/http_route.h"

struct admin {
    struct sl_pump     *pump;
    struct sl_cluster  *cluster; /* owned */
    struct sl_registry *registry;
    struct sl_tso      *tso;
    struct sl_asker     gc; /* who awaits retention's answer; nobody: ref.generation 0 */
};

static enum sl_node_state state_of(const struct sl_pump *pump)
{
    return (enum sl_node_state)atomic_load_explicit(&pump->board.state, memory_order_relaxed);
}

/* ---- nodes ---- */

static enum sl_err look_at_cluster(struct admin *a, struct sl_node_list *pumps, sl_ts *now,
                                   struct sl_why *why)
{
    enum sl_err err = sl_tso_now(a->tso, 1, now, why);

    if (err == SL_AGAIN) { /* a replay leaves no room for another */
        *now = atomic_load_explicit(&a->pump->board.newest_ts, memory_order_relaxed);
        err = SL_OK;
    }
    return err == SL_OK ? sl_registry_list(a->registry, SL_NODE_PUMP, pumps, why) : err;
}

/* What is known to be wrong with the logs; "": nothing. */
static void find_trouble(const struct sl_pump *pump, struct sl_why *out)
{
    out->text[0] = '\0';
    for (uint32_t k = 0; k < pump->options.shards && out->text[0] == '\0'; k++) {
        uint64_t segment = atomic_load_explicit(&pump->board.damaged[k], memory_order_relaxed);

        if (segment != 0)
            (void)sl_fail(out, SL_CORRUPT,
                          "%s/%08" PRIu64 ".seg is damaged: the pump's log says where, and what "
                          "can be done",
                          pump->vlog_options[k].dir, segment);
    }
}

static void get_status(struct sl_exchange *x)
{
    struct sl_node_list pumps;
    struct sl_why       why = {0};
    sl_ts               now;

    if (look_at_cluster(x->context, &pumps, &now, &why) != SL_OK) {
        x->body = sl_status_failure_body(why.text);
        return;
    }
    find_trouble(((struct admin *)x->context)->pump, &why);
    x->body = sl_status_body(&pumps, now, why.text);
    sl_node_list_free(&pumps);
}

static void get_drainers(struct sl_exchange *x)
{
    struct sl_node_list drainers;
    struct sl_why       why = {0};
    enum sl_err         err =
        sl_registry_list(((struct admin *)x->context)->registry, SL_NODE_DRAINER, &drainers, &why);

    if (err != SL_OK) {
        sl_log(SL_LOG_ERROR, "list drainers failed", sl_field_err(err, &why));
        x->body = sl_status_drainers_body(NULL);
        return;
    }
    x->body = sl_status_drainers_body(&drainers);
    sl_node_list_free(&drainers);
}

static void put_state(struct sl_exchange *x)
{
    char                  id[SL_HTTP_URL_BYTES_MAX];
    char                  action[SL_HTTP_URL_BYTES_MAX];
    struct sl_pump       *pump = ((struct admin *)x->context)->pump;
    enum sl_action        wanted;
    struct sl_pump_leave *leave;

    x->content_type = sl_body_json;
    x->body =
        sl_action_body("invalide", sl_exchange_param(x, 0, id), sl_exchange_param(x, 1, action),
                       pump->node_id, state_of(pump), &wanted);
    if (wanted == SL_ACTION_NONE)
        return;
    sl_log(SL_LOG_INFO, "receive action", sl_field_str("action", action));
    leave = sl_msg_new(struct sl_pump_leave, SL_PUMP_LEAVE);
    leave->for_good = wanted == SL_ACTION_CLOSE;
    if (sl_send(x->ctx, sl_line(x->ctx, SL_LINE_LEAVE, 0), pump->root_ref, &leave) != SL_OK)
        sl_msg_free(&leave); /* others have asked for it */
}

/* ---- records ---- */

static void get_record(struct sl_exchange *x)
{
    char           text[SL_HTTP_URL_BYTES_MAX];
    struct sl_why  why = {0};
    struct sl_buf *record;
    enum sl_err    err;
    sl_ts          ts;

    if (!sl_status_parse_ts(sl_exchange_param(x, 0, text), &ts)) {
        x->body = sl_status_bad_ts_body(text);
        return;
    }
    err = sl_pump_lookup(((struct admin *)x->context)->pump, ts, &record, &why);
    if (err != SL_OK) {
        x->body =
            sl_status_no_record_body(ts, err == SL_NOT_FOUND ? "leveldb: not found" : why.text);
        return;
    }
    x->body = sl_status_record_body(sl_slice_from_buf(record));
    sl_buf_free(&record);
}

/* ---- gc ---- */

static void trigger_gc(struct sl_exchange *x)
{
    struct admin  *a = x->context;
    struct sl_msg *question;

    if (a->gc.ref.generation != 0) { /* it has been asked to, and has not got to it */
        x->body = sl_status_gc_body(false);
        return;
    }
    question = sl_msg_new(struct sl_msg, SL_PUMP_GC);
    if (sl_ask_msg(x->ctx, sl_line(x->ctx, SL_LINE_GC, 0), a->pump->retention_ref, 0, question,
                   &question) != SL_OK) {
        sl_msg_discard(question, &question);
        x->body = sl_status_gc_body(false);
        return;
    }
    a->gc = sl_asker_of(&x->question->hdr);
    x->later = true;
}

static void gc_answered(struct sl_ctx *ctx, struct admin *a, bool begins)
{
    struct sl_buf         *body = sl_status_gc_body(begins);
    struct sl_http_answer *response =
        sl_http_answer_new(SL_PUMP_HTTP_RESPONSE, 200, sl_body_text, &body);
    struct sl_asker asker = a->gc;

    a->gc = (struct sl_asker){0};
    sl_reply(ctx, asker, &response);
}

/* ---- knobs ---- */

static void get_knobs(struct sl_exchange *x)
{
    struct sl_knob level = sl_knob_of_log_level();

    x->content_type = sl_body_json;
    x->body = sl_knobs_body(&level, 1);
}

static void put_knobs(struct sl_exchange *x)
{
    struct sl_knob level = sl_knob_of_log_level();

    if (!sl_knobs_accept(x, &level, 1))
        return;
    sl_knobs_tell(&level, 1);
    sl_knobs_answer(x, 200, "knobs are set");
}

/* ---- metrics ---- */

static void get_metrics(struct sl_exchange *x)
{
    x->content_type = sl_body_metrics_text;
    x->body = sl_pump_exposition(((struct admin *)x->context)->pump);
}

/* ---- health ---- */

/* This is running, as who reads it can see. */
static void get_health(struct sl_exchange *x)
{
    x->body = sl_body_line("ok\n");
}

/* Why writes are not taken now; "" when they are. */
static void not_ready(const struct sl_pump *pump, struct sl_why *why)
{
    const struct sl_pump_board *board = &pump->board;
    uint64_t space = atomic_load_explicit(&board->space_available, memory_order_relaxed);

    why->text[0] = '\0';
    if (!sl_node_rights_of(state_of(pump)).takes_prewrites)
        (void)sl_fail(why, SL_UNAVAILABLE, "state is %s\n", sl_node_state_name(state_of(pump)));
    else if (space <= pump->options.stop_write_bytes)
        (void)sl_fail(why, SL_NOSPACE,
                      "%" PRIu64 " bytes of %s are available, and "
                      "stop-write-at-available-space is %" PRIu64 "\n",
                      space, pump->options.data_dir, pump->options.stop_write_bytes);
    for (uint32_t k = 0; k < pump->options.shards && why->text[0] == '\0'; k++) {
        if (atomic_load_explicit(&board->broken[k], memory_order_relaxed) != 0)
            (void)sl_fail(why, SL_IO, "the log of shard %" PRIu32 " takes no records\n", k);
        else if (atomic_load_explicit(&board->unresolved[k], memory_order_relaxed) >=
                 SL_UNRESOLVED_MAX)
            (void)sl_fail(why, SL_FULL,
                          "too many transactions of shard %" PRIu32 " have no outcome\n", k);
    }
}

static void get_ready(struct sl_exchange *x)
{
    struct sl_why why;

    not_ready(((struct admin *)x->context)->pump, &why);
    x->status = why.text[0] == '\0' ? 200 : 503;
    x->body = sl_body_line(why.text[0] == '\0' ? "ready\n" : why.text);
}

/* ---- routes ---- */

static const struct sl_route routes[] = {
    {SL_HTTP_GET, "/status", get_status},
    {SL_HTTP_GET, "/drainers", get_drainers},
    {SL_HTTP_PUT, "/state/{nodeID}/{action}", put_state},
    {SL_HTTP_GET, "/debug/binlog/{ts}", get_record},
    {SL_HTTP_POST, "/debug/gc/trigger", trigger_gc},
    {SL_HTTP_GET, "/knobs", get_knobs},
    {SL_HTTP_PUT, "/knobs", put_knobs},
    {SL_HTTP_GET, "/metrics", get_metrics},
    {SL_HTTP_GET, "/healthz", get_health},
    {SL_HTTP_GET, "/readyz", get_ready},
};

/* ---- class ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct admin *a = self;
    enum sl_err   err;

    a->pump = ((const struct sl_pump_args *)args)->pump;
    err = sl_cluster_open(sl_env(ctx), a->pump->options.pd_urls, &a->cluster, sl_why(ctx));
    if (err != SL_OK)
        return err;
    a->registry = sl_cluster_registry(a->cluster);
    a->tso = sl_cluster_tso(a->cluster);
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    switch (msg->type) {
    case SL_PUMP_HTTP_REQUEST:
        sl_routes_serve(ctx, routes, sizeof routes / sizeof *routes, self,
                        (struct sl_http_question *)(void *)msg, SL_PUMP_HTTP_RESPONSE);
        return SL_OK;
    case SL_PUMP_DONE: gc_answered(ctx, self, true); return SL_OK;
    case SL_PUMP_FAILED: gc_answered(ctx, self, false); return SL_OK;
    default: SL_UNREACHABLE("not for admin");
    }
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_GONE: gc_answered(ctx, self, false); return SL_OK; /* the pump is ending */
    case SL_MSG_CHILD_ENDED:
    case SL_MSG_OPEN:
    case SL_MSG_GRANTED:
    case SL_SYSTEM_MSGS: break;
    }
    SL_UNREACHABLE("admin has no children and waits for no line");
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct admin *a = self;

    if (a->gc.ref.generation != 0)
        gc_answered(ctx, a, false);
    sl_cluster_free(&a->cluster);
}

const struct sl_actor_class sl_pump_admin_class = {
    .name = "admin",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct admin),
    .questions_max = 1,
    .start = start,
    .handle = handle,
    .system = system_mail,
    .stop = stop,
};
