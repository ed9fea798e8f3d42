/* admin: answers HTTP (drainer spec 4; the bodies: status.h). Scripts of the original know its
 * routes and texts; /healthz, /readyz and /knobs are ours. And it looks at what is counted once a
 * second, for a rate, and for a line in the log now and then about how it goes.
 *
 * It never waits: what it tells stands on the notice board, and a knob is the dispatcher's, whose
 * answer is the answer. */

#include <inttypes.h>
#include <stdio.h>

#include "actors/common/action.h"
#include "actors/common/body.h"
#include "actors/common/knobs.h"
#include "actors/common/routes.h"
#include "actors/drainer/front.h"
#include "actors/drainer/status.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/units.h"
#include "runtime/actor.h"

/* What was counted at one moment. */
struct sample {
    sl_nanos at;
    uint64_t rows;
};

struct admin {
    struct sl_drainer_front *front;
    struct sl_timer          timer;
    struct sample            samples[SL_DRAINER_SAMPLES + 1]; /* a ring */
    uint32_t                 sampled;                         /* ever */
    sl_nanos                 told_at;
    struct sl_asker          tuner; /* awaits the dispatcher's answer; nobody: ref.generation 0 */
};

/* ---- how it goes ---- */

static uint64_t count_rows(const struct sl_drainer_board *board)
{
    uint64_t rows = 0;

    for (unsigned i = 0; i < SL_DRAINER_ROW_KINDS; i++)
        rows += atomic_load_explicit(&board->rows[i], memory_order_relaxed);
    return rows;
}

/* Over the samples that there are; below 0: there are not two. */
static double rows_per_second(const struct admin *a)
{
    enum { ROOM = SL_DRAINER_SAMPLES + 1 };
    const struct sample *newest = &a->samples[(a->sampled + ROOM - 1) % ROOM];
    const struct sample *oldest = &a->samples[a->sampled < ROOM ? 0 : a->sampled % ROOM];

    if (a->sampled < 2 || newest->at <= oldest->at)
        return -1;
    return (double)(newest->rows - oldest->rows) * 1e9 / (double)(newest->at - oldest->at);
}

static void tell_progress(struct sl_ctx *ctx, struct admin *a)
{
    struct sl_drainer_board *board = &a->front->board;
    struct sl_drainer_lag    lag = sl_drainer_board_lag(board, sl_now(ctx));
    struct sl_drainer_note   note;
    enum sl_drainer_part     part;
    char                     text[SL_DURATION_TEXT_BYTES] = "-";
    double                   rows = rows_per_second(a);

    sl_drainer_board_worst(board, &part, &note);
    if (lag.known) /* to a tenth of a second: more would only flicker */
        sl_duration_format((int64_t)(lag.total - lag.total % (SL_NANOS_PER_S / 10)), text);
    sl_log(SL_LOG_INFO, "progress", sl_field_str("state", sl_drainer_health_name(note.health)),
           sl_field_str("lag", text), sl_field_u64("rows/s", rows > 0 ? (uint64_t)rows : 0),
           sl_field_i64("checkpoint", atomic_load_explicit(&board->saved_ts, memory_order_relaxed)),
           sl_field_str("reason", note.why.text));
}

static void sample(struct sl_ctx *ctx, struct admin *a)
{
    sl_nanos now = sl_now(ctx);

    a->samples[a->sampled++ % (SL_DRAINER_SAMPLES + 1)] =
        (struct sample){.at = now, .rows = count_rows(&a->front->board)};
    if (a->front->options.tells_progress &&
        now - a->told_at >= (sl_nanos)SL_DRAINER_TELL_MS * SL_NANOS_PER_MS) {
        a->told_at = now;
        tell_progress(ctx, a);
    }
    sl_timer_arm(ctx, &a->timer, SL_DRAINER_SAMPLE, SL_DRAINER_SAMPLE_MS);
}

/* ---- answers ---- */

static void get_status(struct sl_exchange *x)
{
    struct admin                  *a = x->context;
    const struct sl_drainer_status status = {.now = sl_now(x->ctx),
                                             .started_at = a->front->started_at,
                                             .synced_check_ms = a->front->options.synced_check_ms,
                                             .rows_per_second = rows_per_second(a),
                                             .node_id = a->front->options.node_id};

    x->body = sl_drainer_status_body(&a->front->board, &status);
}

static void get_commit_ts(struct sl_exchange *x)
{
    x->content_type = sl_body_json;
    x->body = sl_drainer_commit_ts_body(&((struct admin *)x->context)->front->board);
}

static void put_state(struct sl_exchange *x)
{
    char                     id[SL_HTTP_URL_BYTES_MAX];
    char                     action[SL_HTTP_URL_BYTES_MAX];
    struct sl_drainer_front *front = ((struct admin *)x->context)->front;
    uint32_t state = atomic_load_explicit(&front->board.state, memory_order_relaxed);
    struct sl_drainer_leave *leave;
    enum sl_action           wanted;

    x->content_type = sl_body_json;
    x->body =
        sl_action_body("invalid", sl_exchange_param(x, 0, id), sl_exchange_param(x, 1, action),
                       front->options.node_id, (enum sl_node_state)state, &wanted);
    if (wanted == SL_ACTION_NONE)
        return;
    sl_log(SL_LOG_INFO, "receive action", sl_field_str("action", action));
    leave = sl_msg_new(struct sl_drainer_leave, SL_DRAINER_LEAVE);
    leave->for_good = wanted == SL_ACTION_CLOSE;
    if (sl_send(x->ctx, sl_line(x->ctx, SL_LINE_FRONT_LEAVE, 0), front->root_ref, &leave) != SL_OK)
        sl_msg_free(&leave); /* others have asked for it */
}

/* ---- knobs ---- */

enum { KNOB_WORKERS, KNOB_BATCH, KNOB_LEVEL, KNOBS };

/* Why they cannot be turned; NULL: they can. */
static const char *why_fixed(struct sl_drainer_front *front)
{
    struct sl_ref dispatcher = atomic_load(&front->dispatcher_ref);

    if (front->options.is_kept)
        return "enable-dispatch is false: a transaction stays whole";
    if (dispatcher.generation == 0)
        return "the drainer still waits for what it stands on";
    return NULL;
}

static void list_knobs(struct sl_drainer_front *front, struct sl_knob out[KNOBS])
{
    uint32_t workers = atomic_load_explicit(&front->board.workers, memory_order_relaxed);
    uint32_t part_rows = atomic_load_explicit(&front->board.part_rows, memory_order_relaxed);

    out[KNOB_WORKERS] =
        (struct sl_knob){.name = "workers",
                         .value = workers != 0 ? workers : front->options.workers_max,
                         .min = 1,
                         .max = front->options.workers_max,
                         .fixed = why_fixed(front)};
    out[KNOB_BATCH] =
        (struct sl_knob){.name = "batch",
                         .value = part_rows != 0 ? part_rows : front->options.part_rows,
                         .min = 1,
                         .max = SL_PART_ROWS_MAX,
                         .fixed = why_fixed(front)};
    out[KNOB_LEVEL] = sl_knob_of_log_level();
}

static void get_knobs(struct sl_exchange *x)
{
    struct sl_knob knobs[KNOBS];

    list_knobs(((struct admin *)x->context)->front, knobs);
    x->content_type = sl_body_json;
    x->body = sl_knobs_body(knobs, KNOBS);
}

static const char knobs_are_set[] = "knobs are set";

/* False: it cannot be asked now. */
static bool ask_dispatcher(struct sl_exchange *x, const struct sl_knob knobs[KNOBS])
{
    struct admin           *a = x->context;
    struct sl_drainer_tune *question;

    if (a->tuner.ref.generation != 0)
        return false;
    question = sl_msg_new(struct sl_drainer_tune, SL_DRAINER_TUNE);
    if (knobs[KNOB_WORKERS].is_set)
        question->workers = (uint32_t)knobs[KNOB_WORKERS].value;
    if (knobs[KNOB_BATCH].is_set)
        question->part_rows = (uint32_t)knobs[KNOB_BATCH].value;
    if (sl_ask(x->ctx, sl_line(x->ctx, SL_LINE_FRONT_TUNE, 0),
               atomic_load(&a->front->dispatcher_ref), 0, &question) != SL_OK)
        SL_UNREACHABLE("one is asked at a time");
    a->tuner = sl_asker_of(&x->question->hdr);
    x->later = true;
    return true;
}

static void put_knobs(struct sl_exchange *x)
{
    struct sl_knob knobs[KNOBS];

    list_knobs(((struct admin *)x->context)->front, knobs);
    if (!sl_knobs_accept(x, knobs, KNOBS))
        return;
    if ((knobs[KNOB_WORKERS].is_set || knobs[KNOB_BATCH].is_set) && !ask_dispatcher(x, knobs)) {
        sl_knobs_answer(x, 409, "another change is under way, and nothing was changed; try again");
        return;
    }
    sl_knobs_tell(knobs, KNOBS);
    if (!x->later)
        sl_knobs_answer(x, 200, knobs_are_set);
}

static void tuned(struct sl_ctx *ctx, struct admin *a, bool is_done)
{
    struct sl_buf         *body = is_done ? sl_body_reply(knobs_are_set, 200, "null")
                                          : sl_body_reply("the drainer is stopping", 3, "null");
    struct sl_http_answer *answer =
        sl_http_answer_new(SL_DRAINER_HTTP_RESPONSE, is_done ? 200 : 503, sl_body_json, &body);
    struct sl_asker asker = a->tuner;

    a->tuner = (struct sl_asker){0};
    sl_reply(ctx, asker, &answer);
}

/* ---- metrics, health ---- */

static void get_metrics(struct sl_exchange *x)
{
    x->content_type = sl_body_metrics_text;
    x->body = sl_drainer_front_metrics(((struct admin *)x->context)->front, sl_now(x->ctx));
}

/* This is running, as who reads it can see. */
static void get_health(struct sl_exchange *x)
{
    x->body = sl_body_line("ok\n");
}

static void get_ready(struct sl_exchange *x)
{
    x->body = sl_drainer_not_ready_body(&((struct admin *)x->context)->front->board);
    x->status = x->body == NULL ? 200 : 503;
    if (x->body == NULL)
        x->body = sl_body_line("ready\n");
}

static const struct sl_route routes[] = {
    {SL_HTTP_GET, "/status", get_status},
    {SL_HTTP_GET, "/commit_ts", get_commit_ts},
    {SL_HTTP_PUT, "/state/{nodeID}/{action}", put_state},
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

    a->front = ((const struct sl_drainer_front_args *)args)->front;
    a->told_at = sl_now(ctx);
    sample(ctx, a);
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    switch (msg->type) {
    case SL_DRAINER_HTTP_REQUEST:
        sl_routes_serve(ctx, routes, sizeof routes / sizeof *routes, self,
                        (struct sl_http_question *)(void *)msg, SL_DRAINER_HTTP_RESPONSE);
        return SL_OK;
    case SL_DRAINER_TUNED: tuned(ctx, self, true); return SL_OK;
    case SL_DRAINER_SAMPLE: sample(ctx, self); return SL_OK;
    default: SL_UNREACHABLE("not for admin");
    }
}

static enum sl_err system_mail(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    switch ((enum sl_system_msg)msg->type) {
    case SL_MSG_STOP: sl_stop(ctx); return SL_OK;
    case SL_MSG_GONE: tuned(ctx, self, false); return SL_OK;
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

    if (a->tuner.ref.generation != 0)
        tuned(ctx, a, false);
}

const struct sl_actor_class sl_drainer_admin_class = {
    .name = "admin",
    .msg_names = sl_drainer_front_msg_names,
    .msg_count = SL_DRAINER_FRONT_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct admin),
    .questions_max = 1,
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .system = system_mail,
    .stop = stop,
};
