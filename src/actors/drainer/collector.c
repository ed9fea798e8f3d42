/* collector: owns the doors of registry and timestamps. Answers the merger's question for a fence:
 * a timestamp, and behind it a complete listing of the pumps. While either door does not answer,
 * the question waits, and status says so.
 *
 * A pump's Notify is answered when a listing that began after it has become the merger's: when the
 * merger asks again.
 *
 * On the peer lane, because both doors may let it wait. */

#include <stdlib.h>
#include <string.h>

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/purge.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/cluster.h"
#include "runtime/actor.h"

struct collector {
    struct sl_drainer *drainer;
    struct sl_cluster *cluster; /* owned; NULL: to be opened */
    struct sl_msg     *waiting; /* owned: the merger's question; NULL: none */
    struct sl_msg     *told[SL_DRAINER_NOTIFY_CREDITS]; /* owned: pumps that want to be known */
    uint32_t           told_count;
    uint32_t           told_before; /* of them came before the last listing began */
    struct sl_timer    retry;
    struct sl_purge    purge;
};

/* A fresh timestamp or, where the replay that drives the door leaves no room, how far it has come:
 * all that commits at or below it was prepared before. */
static enum sl_err fetch_ts(struct sl_tso *tso, sl_ts *out, struct sl_why *why)
{
    struct sl_tso_drive_info drive;
    enum sl_err              err = sl_tso_now(tso, 1, out, why);

    if (err != SL_AGAIN || (err = sl_tso_drive_info(tso, &drive, why)) != SL_OK)
        return err;
    if (!drive.running) /* any more */
        return sl_tso_now(tso, 1, out, why);
    *out = drive.floor;
    return SL_OK;
}

static enum sl_err look(struct sl_ctx *ctx, struct collector *c, struct sl_drainer_fenced *answer)
{
    struct sl_why *why = sl_why(ctx);
    enum sl_err    err;

    if (c->cluster == NULL &&
        (err = sl_cluster_open(sl_env(ctx), c->drainer->options.config->pd_urls, &c->cluster,
                               why)) != SL_OK)
        return sl_wrap(why, err, "open the cluster");
    if ((err = fetch_ts(sl_cluster_tso(c->cluster), &answer->fence, why)) != SL_OK)
        return sl_wrap(why, err, "get a timestamp");
    err = sl_registry_list(sl_cluster_registry(c->cluster), SL_NODE_PUMP, &answer->pumps, why);
    if (err != SL_OK)
        return sl_wrap(why, err, "list the pumps");
    if (c->drainer->options.asks_pumps && c->drainer->start_ts > 0) {
        answer->removed_ms = calloc(answer->pumps.count + 1, sizeof *answer->removed_ms);
        SL_ASSERT(answer->removed_ms != NULL);
        sl_purge_ask(sl_env(ctx), &c->purge, &answer->pumps, answer->removed_ms);
    }
    return SL_OK;
}

static void answer(struct sl_ctx *ctx, struct collector *c)
{
    struct sl_drainer_fenced *fenced = sl_drainer_fenced_new();
    uint32_t                  told = c->told_count;
    struct sl_asker           asker;
    enum sl_err               err = look(ctx, c, fenced);

    if (err != SL_OK) {
        sl_msg_free(&fenced);
        sl_metric_add(c->drainer->front.metrics.errors[SL_DRAINER_ERROR_REGISTRY], 1);
        sl_log(SL_LOG_WARN, "the registry does not answer, trying again",
               sl_field_str("pd-urls", c->drainer->options.config->pd_urls),
               sl_field_err(err, sl_why(ctx)));
        sl_drainer_board_note(&c->drainer->front.board, SL_DRAINER_PART_REGISTRY,
                              SL_DRAINER_WAITING, err, sl_why(ctx)->text);
        sl_timer_arm(ctx, &c->retry, SL_DRAINER_RETRY, SL_COLLECTOR_RETRY_MS);
        return;
    }
    sl_drainer_board_note(&c->drainer->front.board, SL_DRAINER_PART_REGISTRY, SL_DRAINER_RUNNING,
                          SL_OK, NULL);
    atomic_store_explicit(&c->drainer->front.board.newest_at, sl_now(ctx), memory_order_relaxed);
    atomic_store_explicit(&c->drainer->front.board.newest_ts, fenced->fence, memory_order_relaxed);
    c->told_before = told;
    asker = sl_asker_of(c->waiting);
    sl_msg_discard(c->waiting, &c->waiting);
    sl_reply(ctx, asker, &fenced);
}

/* The merger has the listing that those waited for. */
static void answer_told(struct sl_ctx *ctx, struct collector *c)
{
    for (uint32_t i = 0; i < c->told_before; i++) {
        struct sl_asker asker = sl_asker_of(c->told[i]);
        struct sl_msg  *done = sl_msg_alloc(sizeof *done, SL_DRAINER_NOTIFIED, NULL);

        sl_msg_discard(c->told[i], &c->told[i]);
        sl_reply_msg(ctx, asker, done, &done);
    }
    c->told_count -= c->told_before;
    memmove(c->told, c->told + c->told_before, c->told_count * sizeof(struct sl_msg *));
    c->told_before = 0;
}

/* ---- hooks ---- */

static enum sl_err start(struct sl_ctx *ctx, void *self, const void *args)
{
    (void)ctx;
    ((struct collector *)self)->drainer = ((const struct sl_drainer_args *)args)->drainer;
    return SL_OK;
}

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    struct collector *c = self;

    if (msg->type == SL_DRAINER_NOTIFY) {
        SL_ASSERT(c->told_count < SL_DRAINER_NOTIFY_CREDITS);
        c->told[c->told_count++] = sl_take(ctx);
        return SL_OK;
    }
    if (msg->type == SL_DRAINER_FENCE) {
        SL_ASSERT(c->waiting == NULL);
        c->waiting = sl_take(ctx);
        answer_told(ctx, c);
    } else {
        SL_ASSERT(msg->type == SL_DRAINER_RETRY);
    }
    if (c->waiting != NULL)
        answer(ctx, c);
    return SL_OK;
}

static void stop(struct sl_ctx *ctx, void *self)
{
    struct collector *c = self;

    (void)ctx;
    if (c->waiting != NULL)
        sl_msg_discard(c->waiting, &c->waiting);
    for (uint32_t i = 0; i < c->told_count; i++)
        sl_msg_discard(c->told[i], &c->told[i]);
    sl_cluster_free(&c->cluster);
}

const struct sl_actor_class sl_drainer_collector_class = {
    .name = "collector",
    .msg_names = sl_drainer_msg_names,
    .msg_count = SL_DRAINER_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct collector),
    .timers_max = 1,
    .start = start,
    .handle = handle,
    .stop = stop,
};
