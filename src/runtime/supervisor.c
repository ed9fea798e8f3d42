#include "runtime/supervisor.h"

#include "base/assert.h"

void sl_supervisor_init(struct sl_supervisor *sup, struct sl_supervised *children, uint32_t room,
                        unsigned timer_type, sl_child_started on_start, void *parent)
{
    SL_ASSERT(room > 0 && room <= SL_SUPERVISED_MAX);
    SL_ASSERT(timer_type >= SL_MSG_USER);
    *sup = (struct sl_supervisor){
        .children = children,
        .room = room,
        .timer_type = timer_type,
        .on_start = on_start,
        .parent = parent,
    };
}

static void move(struct sl_ctx *ctx, struct sl_supervised *child, enum sl_child_state state)
{
    child->state = state;
    child->since = sl_now(ctx);
}

static enum sl_err start(struct sl_ctx *ctx, struct sl_supervisor *sup, uint32_t index)
{
    struct sl_supervised *child = &sup->children[index];
    enum sl_err           err;

    err = sl_spawn(ctx, child->spec->class_of, child->args_bytes > 0 ? child->args : NULL,
                   child->args_bytes, &child->ref);
    if (err != SL_OK)
        return sl_wrap(sl_why(ctx), err, "start %s", child->spec->class_of->name);
    move(ctx, child, SL_CHILD_RUNNING);
    if (sup->on_start != NULL)
        sup->on_start(ctx, sup->parent, index, child->ref);
    return SL_OK;
}

enum sl_err sl_supervisor_add(struct sl_ctx *ctx, struct sl_supervisor *sup,
                              const struct sl_child_spec *spec, const void *args, size_t args_bytes,
                              uint32_t *index)
{
    struct sl_supervised *child;

    SL_ASSERT(sup->count < sup->room);
    SL_ASSERT(args_bytes <= SL_SPAWN_ARGS_BYTES_MAX);
    SL_ASSERT(spec->backoff_min_ms >= SL_BACKOFF_MS_MIN &&
              spec->backoff_min_ms <= spec->backoff_max_ms);
    SL_ASSERT(spec->backoff_max_ms <= SL_BACKOFF_MS_MAX);
    *index = sup->count;
    child = &sup->children[sup->count++];
    *child = (struct sl_supervised){.spec = spec, .args_bytes = args_bytes};
    if (args_bytes > 0)
        memcpy(child->args, args, args_bytes);
    return start(ctx, sup, *index);
}

/* Back-off after so many failures in a row: min, 2 min, 4 min, ... up to max. */
static uint32_t backoff_ms(const struct sl_child_spec *spec, uint32_t failures)
{
    uint64_t delay = spec->backoff_min_ms;

    for (uint32_t i = 1; i < failures && delay < spec->backoff_max_ms; i++)
        delay *= 2;
    return delay < spec->backoff_max_ms ? (uint32_t)delay : spec->backoff_max_ms;
}

static enum sl_err escalate(struct sl_ctx *ctx, const struct sl_supervised *child)
{
    const char *name = child->spec->class_of->name;

    if (child->spec->restart == SL_RESTART_NEVER || sl_err_class_of(child->err) == SL_CLASS_CORRUPT)
        return sl_fail(sl_why(ctx), child->err, "%s: %s", name, child->why.text);
    return sl_fail(sl_why(ctx), child->err, "%s failed %u times in a row: %s", name,
                   child->failures, child->why.text);
}

static enum sl_err failed(struct sl_ctx *ctx, struct sl_supervisor *sup, uint32_t index)
{
    struct sl_supervised       *child = &sup->children[index];
    const struct sl_child_spec *spec = child->spec;
    sl_nanos                    lived = sl_now(ctx) - child->since;

    if (lived >= (sl_nanos)spec->healthy_ms * SL_NANOS_PER_MS)
        child->failures = 0;
    child->failures++;
    if (spec->restart == SL_RESTART_NEVER || child->failures > spec->failures_max ||
        sl_err_class_of(child->err) == SL_CLASS_CORRUPT) {
        move(ctx, child, SL_CHILD_ENDED);
        return escalate(ctx, child);
    }
    move(ctx, child, SL_CHILD_WAITING);
    sl_timer_arm(ctx, &child->timer, sup->timer_type + index, backoff_ms(spec, child->failures));
    return SL_OK;
}

enum sl_err sl_supervisor_ended(struct sl_ctx *ctx, struct sl_supervisor *sup,
                                const struct sl_child_ended *ended, bool *ours)
{
    *ours = false;
    for (uint32_t i = 0; i < sup->count; i++) {
        struct sl_supervised *child = &sup->children[i];

        if (!sl_ref_equal(child->ref, ended->child))
            continue;
        *ours = true;
        SL_ASSERT(child->state == SL_CHILD_RUNNING);
        child->ref = (struct sl_ref){0};
        if (ended->err == SL_OK) {
            move(ctx, child, SL_CHILD_ENDED);
            return SL_OK;
        }
        child->err = ended->err;
        child->why = ended->why;
        return failed(ctx, sup, i);
    }
    return SL_OK;
}

enum sl_err sl_supervisor_timer(struct sl_ctx *ctx, struct sl_supervisor *sup,
                                const struct sl_msg *msg)
{
    uint32_t index = (uint32_t)msg->type - sup->timer_type;

    SL_ASSERT(msg->type >= sup->timer_type && index < sup->count);
    SL_ASSERT(sup->children[index].state == SL_CHILD_WAITING);
    return start(ctx, sup, index);
}

struct sl_ref sl_supervisor_ref(const struct sl_supervisor *sup, uint32_t index)
{
    SL_ASSERT(index < sup->count);
    return sup->children[index].ref;
}
