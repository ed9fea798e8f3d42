#include "net/tikv.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"
#include "net/tikv_key.h"
#include "net/tikv_private.h"
#include "net/tikv_verdict.h"

static const sl_nanos request_max = SL_TIKV_REQUEST_S * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos pd_max = SL_TIKV_PD_MS * (sl_nanos)SL_NANOS_PER_MS;

/* Where a question is:
 *
 *     LOOK ──► CHECK ──► CLEAN      each: find the store, ask it, again while that is in vain
 *       └────────┴─────────┴──► DONE */
enum step { STEP_LOOK, STEP_CHECK, STEP_CLEAN, STEP_DONE };

static const char *const paths[STEP_DONE] = {
    [STEP_LOOK] = "/tikvpb.Tikv/MvccGetByKey",
    [STEP_CHECK] = "/tikvpb.Tikv/KvCheckTxnStatus",
    [STEP_CLEAN] = "/tikvpb.Tikv/KvCleanup",
};

/* One question on its way. */
struct task {
    const struct sl_tikv_question *question;
    struct sl_tikv_verdict        *verdict;
    struct sl_buf                 *key; /* owned; encoded */
    enum step                      step;
    sl_nanos                       due;      /* not before, when no call is open */
    uint64_t                       pause_ms; /* before the next try */
    /* The request that is open, or over and not looked at. */
    struct sl_grpc_call *call; /* NULL: over, or none */
    bool                 asked;
    uint64_t             region_id;
    uint64_t             store_id;
    struct sl_buf       *response; /* owned */
    enum sl_grpc_status  status;
    struct sl_why        why;
};

struct sl_tikv {
    const struct sl_env  *env;
    struct sl_pd         *pd;
    struct tikv_routes    routes;
    sl_nanos              pd_due;                       /* PD failed: not asked before */
    struct task           tasks[SL_TIKV_QUESTIONS_MAX]; /* of the present sl_tikv_status_ask */
    struct sl_tikv_counts counts;
};

/* ---- the end of a task, and another try ---- */

static void done(struct task *t)
{
    t->step = STEP_DONE;
}

static void unknown(struct task *t, const struct sl_why *why)
{
    *t->verdict = (struct sl_tikv_verdict){.fate = SL_TIKV_UNKNOWN, .why = *why};
}

/* Later, in vain so far for this reason. Each pause is twice the one before. */
static void again(struct task *t, sl_nanos now, uint64_t first_ms, uint64_t most_ms,
                  const struct sl_why *why)
{
    uint64_t pause = t->pause_ms < first_ms ? first_ms : 2 * t->pause_ms;

    t->pause_ms = pause < most_ms ? pause : most_ms;
    t->due = now + t->pause_ms * (sl_nanos)SL_NANOS_PER_MS;
    unknown(t, why);
}

/* ---- asking ---- */

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct task *t = context;

    sl_grpc_consume(call, (*message)->len);
    if (t->response != NULL)
        return; /* a second one is not looked at */
    t->response = *message;
    *message = NULL;
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    struct task *t = context;

    (void)call;
    t->call = NULL;
    t->status = status;
    (void)sl_fail(&t->why, SL_UNAVAILABLE, "TiKV: %s: %s", sl_grpc_status_name(status), text);
}

static const struct sl_grpc_events events = {.message = on_message, .over = on_over};

static struct sl_buf *pack(const struct task *t, const struct sl_pd_region *region)
{
    switch (t->step) {
    case STEP_LOOK: return tikv_pack_look(region, t->question);
    case STEP_CHECK: return tikv_pack_check(region, t->question);
    case STEP_CLEAN: return tikv_pack_clean(region, t->question);
    case STEP_DONE: break;
    }
    SL_UNREACHABLE("nothing is asked for an answered question");
}

static enum sl_err send(struct sl_tikv *tikv, struct task *t, const struct sl_pd_region *region,
                        struct sl_channel *channel, sl_nanos deadline, struct sl_why *why)
{
    struct sl_buf  *request;
    struct sl_grpc *grpc;
    enum sl_err     err;

    if ((err = sl_channel_grpc(channel, &grpc, why)) != SL_OK ||
        (err = sl_grpc_call(grpc, paths[t->step], deadline, &events, t, &t->call, why)) != SL_OK)
        return err;
    request = pack(t, region);
    if ((err = sl_grpc_send(t->call, &request)) != SL_OK) {
        sl_grpc_cancel(t->call);
        t->call = NULL;
        sl_buf_free(&request);
        return sl_fail(why, err, "the store reads too slowly");
    }
    sl_grpc_half_close(t->call);
    t->asked = true;
    t->region_id = region->id;
    t->store_id = region->peer.store_id;
    if (t->step == STEP_LOOK)
        tikv->counts.looks++;
    else
        tikv->counts.checks++;
    return SL_OK;
}

/* A cluster without TiKV has no answer, however long one waits. */
static void no_route(struct sl_tikv *tikv, struct task *t, enum sl_err err,
                     const struct sl_why *why)
{
    sl_nanos now = sl_env_now(tikv->env);

    if (err == SL_UNSUPPORTED || err == SL_INVALID) {
        unknown(t, why);
        done(t);
        return;
    }
    tikv->pd_due = now + SL_TIKV_PAUSE_MS * (sl_nanos)SL_NANOS_PER_MS;
    again(t, now, SL_TIKV_PAUSE_MS, SL_TIKV_PAUSE_MS_MAX, why);
}

static void ask(struct sl_tikv *tikv, struct task *t, sl_nanos until)
{
    sl_nanos                   now = sl_env_now(tikv->env);
    sl_nanos                   left = until - now;
    struct sl_slice            key = sl_slice_from_buf(t->key);
    const struct sl_pd_region *region;
    struct sl_channel         *channel;
    struct sl_why              why = {0};
    enum sl_err                err;

    if (now < tikv->pd_due && !tikv_route_known(&tikv->routes, key)) {
        t->due = tikv->pd_due;
        return;
    }
    err = tikv_route(&tikv->routes, key, left < pd_max ? left : pd_max, &region, &channel, &why);
    if (err != SL_OK) {
        no_route(tikv, t, err, &why);
        return;
    }
    err = send(tikv, t, region, channel, left < request_max ? until : now + request_max, &why);
    if (err != SL_OK)
        again(t, now, SL_TIKV_PAUSE_MS, SL_TIKV_PAUSE_MS_MAX, &why);
}

/* ---- what came of it ---- */

/* Every kind of trouble is of the route or of the moment, never of the transaction. */
static void meet_trouble(struct sl_tikv *tikv, struct task *t, const struct tikv_trouble *trouble)
{
    sl_nanos      now = sl_env_now(tikv->env);
    struct sl_why why = {0};

    tikv->counts.region_errors++;
    (void)sl_fail(&why, SL_UNAVAILABLE, "%s", trouble->text);
    switch (trouble->kind) {
    case TIKV_NO_TROUBLE: SL_UNREACHABLE("who asks knows that there is some");
    case TIKV_OTHER_LEADER: tikv_route_lead(&tikv->routes, t->region_id, trouble->leader); break;
    case TIKV_OTHER_REGION: tikv_route_forget(&tikv->routes, t->region_id); break;
    case TIKV_BUSY:
        again(t, now, trouble->wait_ms > 0 ? trouble->wait_ms : SL_TIKV_PAUSE_MS,
              SL_TIKV_PAUSE_MS_MAX, &why);
        return;
    case TIKV_CLOSED:
        unknown(t, &why);
        done(t);
        return;
    }
    again(t, now, SL_TIKV_ROUTE_PAUSE_MS, SL_TIKV_ROUTE_PAUSE_MS_MAX, &why);
}

static void judge_look(struct sl_tikv *tikv, struct task *t)
{
    struct tikv_trouble trouble;
    struct tikv_found   found;

    if (!tikv_unpack_found(t->response, t->question->start_ts, &trouble, &found)) {
        trouble = (struct tikv_trouble){.kind = TIKV_BUSY, .text = "its answer is damaged"};
        found = (struct tikv_found){0};
    }
    if (trouble.kind != TIKV_NO_TROUBLE)
        meet_trouble(tikv, t, &trouble);
    else
        t->step = tikv_judge_found(t->question, &found, t->verdict) ? STEP_DONE : STEP_CHECK;
}

static void judge_check(struct sl_tikv *tikv, struct task *t)
{
    bool                clean = t->step == STEP_CLEAN;
    struct tikv_trouble trouble;
    struct tikv_checked checked;

    if (!(clean ? tikv_unpack_cleaned : tikv_unpack_checked)(t->response, &trouble, &checked))
        trouble = (struct tikv_trouble){.kind = TIKV_BUSY, .text = "its answer is damaged"};
    if (trouble.kind != TIKV_NO_TROUBLE) {
        meet_trouble(tikv, t, &trouble);
        return;
    }
    (clean ? tikv_judge_cleaned : tikv_judge_checked)(t->question, &checked, t->verdict);
    done(t);
}

/* The call ended without an answer. A method that is not known has another one behind it. */
static void meet_failure(struct sl_tikv *tikv, struct task *t)
{
    const struct tikv_found silent = {.text = "TiKV does not know MvccGetByKey"};

    if (t->status == SL_GRPC_UNIMPLEMENTED) {
        if (t->step == STEP_CHECK)
            t->step = STEP_CLEAN;
        else if (t->step == STEP_LOOK && !tikv_judge_found(t->question, &silent, t->verdict))
            t->step = STEP_CHECK;
        else {
            unknown(t, &t->why);
            done(t);
        }
        return;
    }
    tikv_route_doubt(&tikv->routes, t->store_id);
    tikv_route_forget(&tikv->routes, t->region_id);
    again(t, sl_env_now(tikv->env), SL_TIKV_PAUSE_MS, SL_TIKV_PAUSE_MS_MAX, &t->why);
}

static void look_at_answer(struct sl_tikv *tikv, struct task *t)
{
    t->asked = false;
    if (t->status != SL_GRPC_OK || t->response == NULL)
        meet_failure(tikv, t);
    else if (t->step == STEP_LOOK)
        judge_look(tikv, t);
    else
        judge_check(tikv, t);
    sl_buf_free(&t->response);
}

/* ---- all tasks ---- */

static void advance(struct sl_tikv *tikv, struct task *t, sl_nanos until)
{
    sl_nanos now = sl_env_now(tikv->env);

    if (t->asked && t->call == NULL)
        look_at_answer(tikv, t);
    if (t->step != STEP_DONE && !t->asked && now >= t->due && now < until)
        ask(tikv, t, until);
}

/* How many are not done. *wake is lowered to when the first of them can go on. */
static uint32_t count_left(const struct sl_tikv *tikv, uint32_t count, sl_nanos *wake)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct task *t = &tikv->tasks[i];
        sl_nanos           due = t->call != NULL ? UINT64_MAX : t->asked ? 0 : t->due;

        if (t->step == STEP_DONE)
            continue;
        left++;
        *wake = due < *wake ? due : *wake;
    }
    return left;
}

static void move_bytes(struct sl_tikv *tikv, sl_nanos wake)
{
    struct sl_channel *channels[SL_TIKV_STORES_MAX];
    uint32_t           count = tikv->routes.store_count;

    for (uint32_t i = 0; i < count; i++)
        channels[i] = tikv->routes.stores[i].channel;
    if (count > 0)
        sl_channel_wait(channels, count, wake);
    else
        sl_net_wait(tikv->env->net, NULL, 0, wake);
    for (uint32_t i = 0; i < count; i++)
        (void)sl_channel_step(channels[i], NULL);
}

static void begin(struct task *t, const struct sl_tikv_question *question,
                  struct sl_tikv_verdict *verdict)
{
    *t = (struct task){.question = question, .verdict = verdict};
    *verdict = (struct sl_tikv_verdict){.fate = SL_TIKV_UNKNOWN};
    if (question->primary.len > SL_TIKV_KEY_BYTES_MAX) {
        (void)sl_fail(&verdict->why, SL_TOO_LARGE, "its primary key has %zu bytes",
                      question->primary.len);
        done(t);
        return;
    }
    (void)sl_fail(&verdict->why, SL_TIMEOUT, "TiKV did not answer in time");
    t->key = sl_tikv_key_encode(question->primary);
}

static void end(struct task *t)
{
    if (t->call != NULL)
        sl_grpc_cancel(t->call);
    sl_buf_free(&t->response);
    sl_buf_free(&t->key);
}

void sl_tikv_status_ask(struct sl_tikv *tikv, const struct sl_tikv_question *questions,
                        uint32_t count, sl_nanos timeout, struct sl_tikv_verdict *verdicts)
{
    sl_nanos until = sl_env_now(tikv->env) + timeout;

    SL_ASSERT(count >= 1 && count <= SL_TIKV_QUESTIONS_MAX);
    for (uint32_t i = 0; i < count; i++)
        begin(&tikv->tasks[i], &questions[i], &verdicts[i]);
    for (;;) {
        sl_nanos wake = until;

        for (uint32_t i = 0; i < count; i++)
            advance(tikv, &tikv->tasks[i], until);
        if (count_left(tikv, count, &wake) == 0 || sl_env_now(tikv->env) >= until)
            break;
        move_bytes(tikv, wake);
    }
    for (uint32_t i = 0; i < count; i++)
        end(&tikv->tasks[i]);
}

/* ---- the object ---- */

enum sl_err sl_tikv_open(const struct sl_env *env, const char *pd_urls, struct sl_tikv **out,
                         struct sl_why *why)
{
    struct sl_tikv *tikv = calloc(1, sizeof *tikv);
    enum sl_err     err;

    SL_ASSERT(tikv != NULL);
    tikv->env = env;
    if ((err = sl_pd_open(env, pd_urls, &tikv->pd, why)) != SL_OK) {
        free(tikv);
        return err;
    }
    tikv_routes_init(&tikv->routes, env, tikv->pd);
    *out = tikv;
    return SL_OK;
}

void sl_tikv_free(struct sl_tikv **tikv)
{
    struct sl_tikv *old = *tikv;

    *tikv = NULL;
    if (old == NULL)
        return;
    tikv_routes_done(&old->routes);
    sl_pd_free(&old->pd);
    free(old);
}

struct sl_tikv_counts sl_tikv_counts(const struct sl_tikv *tikv)
{
    return tikv->counts;
}

/* ---- for tikv_read.c ---- */

const struct sl_env *tikv_env(const struct sl_tikv *tikv)
{
    return tikv->env;
}

struct tikv_routes *tikv_routes_of(struct sl_tikv *tikv)
{
    return &tikv->routes;
}

struct sl_tikv_counts *tikv_counts_of(struct sl_tikv *tikv)
{
    return &tikv->counts;
}
