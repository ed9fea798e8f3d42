/* What a hook may ask of its context, lines, timers and sending aside. All of it acts for the actor
 * whose turn runs: ctx->slot. */

#include "runtime/machine.h"

struct sl_ref sl_self(const struct sl_ctx *ctx)
{
    const struct slot *s = ctx->slot;

    return (struct sl_ref){s->index, atomic_load_explicit(&s->generation, memory_order_relaxed)};
}

sl_nanos sl_now(const struct sl_ctx *ctx)
{
    return ctx->now;
}

struct sl_prng *sl_random(struct sl_ctx *ctx)
{
    return &ctx->slot->prng;
}

struct sl_why *sl_why(struct sl_ctx *ctx)
{
    return &ctx->why;
}

const struct sl_env *sl_env(const struct sl_ctx *ctx)
{
    return ctx->worker->rt->env;
}

struct sl_msg *sl_take(struct sl_ctx *ctx)
{
    struct sl_msg *msg = ctx->msg;

    SL_ASSERT(msg != NULL); /* taken once; a timer's message is not for keeping */
    ctx->msg = NULL;
    return msg;
}

/* ---- children and the own end ---- */

enum sl_err sl_spawn(struct sl_ctx *ctx, const struct sl_actor_class *class_of, const void *args,
                     size_t args_bytes, struct sl_ref *out)
{
    SL_ASSERT(ctx->slot->phase == PHASE_LIVE);
    return turn_spawn(ctx->worker, ctx->slot, class_of, args, args_bytes, out, &ctx->why);
}

void sl_stop_child(struct sl_ctx *ctx, struct sl_ref child)
{
    for (uint32_t i = 0; i < ctx->slot->child_count; i++) {
        if (sl_ref_equal(ctx->slot->children[i], child))
            turn_send_stop(ctx->worker, child);
    }
}

void sl_stop(struct sl_ctx *ctx)
{
    ctx->slot->stop_wanted = true;
}

/* ---- sockets ---- */

enum sl_err sl_io_watch(struct sl_ctx *ctx, struct sl_io *io, struct sl_socket *socket,
                        unsigned events)
{
    struct slot *s = ctx->slot;
    enum sl_err  err;

    SL_ASSERT(s->class_of->lane == SL_LANE_IO && s->class_of->ready != NULL);
    SL_ASSERT(s->phase == PHASE_LIVE); /* not in stop: nobody would take the watch away */
    SL_ASSERT(io->socket == NULL || io->socket == socket);
    if (io->socket == NULL) {
        io->owner = s->index;
        io->next = s->ios;
        s->ios = io;
        io->socket = socket;
    }
    io->events = events;
    err = ctx->worker->rt->sched->watch(ctx->worker, s, io, events);
    if (err != SL_OK)
        sl_io_unwatch(ctx, io);
    return err;
}

void sl_io_unwatch(struct sl_ctx *ctx, struct sl_io *io)
{
    struct sl_io **at = &ctx->slot->ios;

    if (io->socket == NULL)
        return;
    while (*at != io)
        at = &(*at)->next;
    *at = io->next;
    ctx->worker->rt->sched->unwatch(ctx->worker, io);
    *io = (struct sl_io){0};
}
