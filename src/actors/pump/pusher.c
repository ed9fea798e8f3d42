/* pusher: sends the metrics to a Pushgateway at intervals (pump spec 7), the first time after one
 * interval. A gateway that fails is logged and tried again at the next. On the peer lane, because
 * the gateway may let it wait. */

#include <stdio.h>
#include <string.h>

#include "actors/pump/exposition.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/http_ask.h"
#include "net/http_post.h"

struct pusher {
    struct sl_pump *pump;
    char            address[SL_ADDR_BYTES_MAX];
    char            path[SL_PUSH_PATH_BYTES_MAX];
    struct sl_timer timer;
};

/* "http://host:port/prefix" or "host:port/prefix", of which the prefix may be absent. */
static enum sl_err settle_target(struct pusher *p, struct sl_why *why)
{
    static const char scheme[] = "http://";
    const char       *at = p->pump->options.push_addr;
    const char       *prefix;
    char              id[3 * SL_NODE_ID_BYTES_MAX];
    int               address;
    int               path;

    if (strncmp(at, scheme, sizeof scheme - 1) == 0)
        at += sizeof scheme - 1;
    if ((prefix = strchr(at, '/')) == NULL)
        prefix = at + strlen(at);
    address = snprintf(p->address, sizeof p->address, "%.*s", (int)(prefix - at), at);
    while (*prefix != '\0' && prefix[strlen(prefix) - 1] == '/' && prefix[1] == '\0')
        prefix++;
    if (!sl_http_encode(p->pump->node_id, id, sizeof id))
        SL_UNREACHABLE("a byte becomes three at most");
    path = snprintf(p->path, sizeof p->path, "%s/metrics/job/binlog/instance/%s", prefix, id);
    if (address < 0 || (size_t)address >= sizeof p->address || path < 0 ||
        (size_t)path >= sizeof p->path)
        return sl_fail(why, SL_TOO_LARGE, "metrics-addr is too long");
    return SL_OK;
}

static void push(struct sl_ctx *ctx, struct pusher *p)
{
    struct sl_buf            *body = sl_pump_exposition(p->pump);
    const struct sl_http_post post = {.address = p->address,
                                      .path = p->path,
                                      .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                      .body = body->data,
                                      .body_bytes = body->len,
                                      .timeout = (sl_nanos)SL_PUSH_MS * SL_NANOS_PER_MS};
    struct sl_why             why = {0};
    enum sl_err               err = sl_http_post(sl_env(ctx), &post, &why);

    if (err != SL_OK)
        sl_log(SL_LOG_ERROR, "push metrics to Prometheus Pushgateway failed",
               sl_field_err(err, &why));
    sl_buf_free(&body);
    sl_timer_arm(ctx, &p->timer, SL_PUMP_TICK, p->pump->options.push_ms);
}

static enum sl_err pusher_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct pusher *p = self;
    enum sl_err    err;

    p->pump = ((const struct sl_pump_args *)args)->pump;
    if ((err = settle_target(p, sl_why(ctx))) != SL_OK)
        return err;
    sl_timer_arm(ctx, &p->timer, SL_PUMP_TICK, p->pump->options.push_ms);
    return SL_OK;
}

static enum sl_err pusher_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    SL_ASSERT(msg->type == SL_PUMP_TICK);
    push(ctx, self);
    return SL_OK;
}

const struct sl_actor_class sl_pump_pusher_class = {
    .name = "pusher",
    .msg_names = sl_pump_msg_names,
    .msg_count = SL_PUMP_MSG_END - SL_MSG_USER,
    .lane = SL_LANE_PEER,
    .state_bytes = sizeof(struct pusher),
    .timers_max = 1,
    .start = pusher_start,
    .handle = pusher_handle,
};
