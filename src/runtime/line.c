/* Lines: credits taken at the entrance, given back where a message is freed, and those who wait for
 * them.
 *
 * A waiter appends itself and then looks at the credits; whoever brings credits home adds them and
 * then looks at the waiters; a full fence lies between, so at least one of the two serves. */

#include "runtime/line.h"

#include <stdlib.h>

#include "runtime/machine.h"

static void line_init(struct sl_line *line, struct line_group *group, uint32_t input)
{
    atomic_init(&line->credits_free, group->spec->credits);
    atomic_init(&line->bytes_free, (int64_t)group->spec->bytes);
    line->group = group;
    line->input = input;
    sync_lock_init(&line->lock);
    line->last = &line->first;
}

void line_groups_init(struct sl_runtime *rt)
{
    const struct sl_topology *topology = rt->options.topology;

    for (uint32_t id = 0; id < topology->line_count; id++) {
        struct line_group             *group = &rt->groups[id];
        const struct sl_topology_line *spec = &topology->lines[id];
        size_t                         bytes = spec->inputs * sizeof *group->inputs;

        group->spec = spec;
        group->rt = rt;
        group->id = id;
        atomic_init(&group->common_free, spec->common_credits);
        atomic_init(&group->minimum, UINT32_MAX);
        if (spec->inputs == 0)
            continue; /* left out */
        group->inputs = aligned_alloc(MACHINE_CACHE_LINE, bytes);
        SL_ASSERT(group->inputs != NULL);
        memset(group->inputs, 0, bytes);
        for (uint32_t i = 0; i < spec->inputs; i++)
            line_init(&group->inputs[i], group, i);
    }
}

static void waits_free(struct sl_line *line)
{
    while (line->first != NULL) {
        struct line_wait *wait = line->first;

        line->first = wait->next;
        free(wait);
    }
}

void line_groups_free(struct sl_runtime *rt)
{
    for (uint32_t id = 0; id < rt->options.topology->line_count; id++) {
        struct line_group *group = &rt->groups[id];

        SL_ASSERT(atomic_load(&group->common_free) == group->spec->common_credits);
        for (uint32_t i = 0; i < group->spec->inputs; i++) {
            struct sl_line *line = &group->inputs[i];

            SL_ASSERT(sl_line_credits_free(line) ==
                      group->spec->credits); /* every pool is full again */
            SL_ASSERT(sl_line_bytes_free(line) == (int64_t)group->spec->bytes);
            waits_free(line); /* of actors that died waiting */
            sync_lock_free(&line->lock);
        }
        free(group->inputs);
    }
}

/* Take n from a pool that never goes below 0. */
static bool pool_take(_Atomic int64_t *pool, int64_t n)
{
    /* acquire: partner of the release in pool_give, so that what the freed message guarded is seen
     */
    int64_t seen = atomic_load_explicit(pool, memory_order_acquire);

    while (seen >= n) {
        if (atomic_compare_exchange_weak_explicit(pool, &seen, seen - n, memory_order_acquire,
                                                  memory_order_acquire))
            return true;
    }
    return false;
}

static void pool_give(_Atomic int64_t *pool, int64_t n, int64_t full)
{
    int64_t before = atomic_fetch_add_explicit(pool, n, memory_order_release);

    SL_ASSERT(before + n <= full); /* nothing comes home twice */
}

/* Take a credit for `bytes`, from the input's own pools or, where it holds the minimum, from the
 * common one (which is counted in messages alone). */
static bool credit_take(struct sl_line *line, uint32_t bytes, bool *common)
{
    struct line_group *group = line->group;

    *common = false;
    if (pool_take(&line->credits_free, 1)) {
        if (bytes == 0 || pool_take(&line->bytes_free, bytes))
            return true;
        pool_give(&line->credits_free, 1, group->spec->credits);
    }
    if (group->spec->common_credits == 0 ||
        atomic_load_explicit(&group->minimum, memory_order_acquire) != line->input)
        return false;
    *common = pool_take(&group->common_free, 1);
    return *common;
}

/* ---- waiting ---- */

/* Is there room enough to make a waiter who was told "open" happy for a while? */
static bool open_enough(struct sl_line *line, uint32_t bytes)
{
    int64_t quarter = ((int64_t)line->group->spec->credits + 3) / 4; /* rounded up: at least one */

    return sl_line_credits_free(line) >= quarter && sl_line_bytes_free(line) >= bytes;
}

/* Open for a waiter by way of the common pool? */
static bool open_by_minimum(struct sl_line *line)
{
    struct line_group *group = line->group;

    return group->spec->common_credits > 0 &&
           atomic_load_explicit(&group->minimum, memory_order_acquire) == line->input &&
           atomic_load_explicit(&group->common_free, memory_order_acquire) > 0;
}

static struct line_wait *take_first(struct sl_line *line)
{
    struct line_wait *wait = line->first;

    line->first = wait->next;
    if (line->first == NULL)
        line->last = &line->first;
    atomic_fetch_sub_explicit(&line->waiting, 1, memory_order_relaxed);
    if (wait->reserve)
        atomic_fetch_sub_explicit(&line->reserves, 1, memory_order_release);
    return wait;
}

/* Take the dead off the head of the queue: what they were granted would only have to come back, and
 * until then those behind them would wait. Lock held, inside a section. */
static void forget_the_dead(struct sl_line *line)
{
    while (line->first != NULL && slot_find(line->group->rt, line->first->actor) == NULL)
        free(take_first(line));
}

/* Take the first waiter off the queue if it can be served; a reservation's permit is taken too. */
static struct line_wait *serve_first(struct sl_line *line, struct sl_permit *permit)
{
    struct line_wait *wait = line->first;

    *permit = (struct sl_permit){0};
    if (wait == NULL)
        return NULL;
    if (wait->reserve) {
        if (!credit_take(line, wait->bytes, &permit->common))
            return NULL;
        permit->line = line;
        permit->bytes = permit->common ? 0 : wait->bytes;
    } else if (!open_enough(line, wait->bytes) && !open_by_minimum(line)) {
        return NULL;
    }
    return take_first(line);
}

static void tell(struct worker *w, const struct line_wait *wait, const struct sl_permit *permit)
{
    struct sl_msg *msg =
        msg_alloc(w, sizeof *msg, wait->reserve ? SL_MSG_GRANTED : SL_MSG_OPEN, NULL);

    msg->flags = MSG_WAIT;
    msg->tag = wait->tag;
    msg->line = permit->line; /* the message holds the credit until the waiter takes it */
    msg->bytes = permit->bytes;
    if (permit->common)
        msg->flags |= MSG_COMMON;
    mail_push(w, wait->actor, msg);
}

/* Tell every waiter who can go on. The push is made without the lock: when the waiter dies just
 * before it, freeing what it was granted leads back here. */
static void serve(struct worker *w, struct sl_line *line)
{
    struct sl_permit  permit;
    struct line_wait *wait;

    section_enter(w);
    for (;;) {
        sync_lock_take(&line->lock);
        forget_the_dead(line);
        wait = serve_first(line, &permit);
        sync_lock_give(&line->lock);
        if (wait == NULL)
            break;
        tell(w, wait, &permit);
        free(wait);
    }
    section_leave(w);
}

static void serve_if_waiting(struct worker *w, struct sl_line *line)
{
    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in queue_wait */
    if (atomic_load_explicit(&line->waiting, memory_order_relaxed) > 0)
        serve(w, line);
}

enum sl_err line_enter(struct worker *w, struct sl_line *line, struct sl_msg *msg)
{
    bool common;

    if (msg->bytes > line->group->spec->bytes)
        return SL_TOO_LARGE;
    if (atomic_load_explicit(&line->reserves, memory_order_acquire) > 0)
        return SL_FULL; /* whoever reserved comes first */
    if (!credit_take(line, msg->bytes, &common)) {
        /* A waiter may have missed the credit that was held here for a moment. */
        serve_if_waiting(w, line);
        return SL_FULL;
    }
    msg->line = line;
    if (common)
        msg->flags |= MSG_COMMON;
    return SL_OK;
}

static void queue_wait(struct sl_ctx *ctx, struct sl_line *line, uint32_t bytes, uint64_t tag,
                       bool reserve)
{
    struct slot      *self = ctx->slot;
    struct line_wait *wait = malloc(sizeof *wait);

    SL_ASSERT(wait != NULL);
    SL_ASSERT(self->waits < self->class_of->waits_max); /* the notice needs its place */
    self->waits++;
    *wait =
        (struct line_wait){.actor = sl_self(ctx), .tag = tag, .bytes = bytes, .reserve = reserve};
    sync_lock_take(&line->lock);
    *line->last = wait;
    line->last = &wait->next;
    atomic_fetch_add_explicit(&line->waiting, 1, memory_order_relaxed);
    if (reserve)
        atomic_fetch_add_explicit(&line->reserves, 1, memory_order_relaxed);
    sync_lock_give(&line->lock);
    serve_if_waiting(ctx->worker, line);
}

void sl_line_wait(struct sl_ctx *ctx, struct sl_line *line, uint32_t bytes, uint64_t tag)
{
    SL_ASSERT(bytes <= line->group->spec->bytes);
    line_flush(ctx->worker); /* what we hold back ourselves must not keep us waiting */
    queue_wait(ctx, line, bytes, tag, false);
}

enum sl_err sl_line_reserve(struct sl_ctx *ctx, struct sl_line *line, uint32_t bytes, uint64_t tag,
                            struct sl_permit *out)
{
    bool common;

    if (bytes > line->group->spec->bytes)
        return SL_TOO_LARGE;
    line_flush(ctx->worker);
    if (atomic_load_explicit(&line->reserves, memory_order_acquire) == 0 &&
        credit_take(line, bytes, &common)) {
        *out = (struct sl_permit){.line = line, .bytes = common ? 0 : bytes, .common = common};
        return SL_OK;
    }
    queue_wait(ctx, line, bytes, tag, true);
    return SL_FULL;
}

struct sl_permit sl_permit_of(struct sl_msg *granted)
{
    struct sl_permit permit = {.line = granted->line,
                               .bytes = granted->bytes,
                               .common = (granted->flags & MSG_COMMON) != 0};

    SL_ASSERT(granted->type == SL_MSG_GRANTED && permit.line != NULL);
    granted->line = NULL;
    return permit;
}

/* ---- going home ---- */

void line_flush(struct worker *w)
{
    while (w->home.line != NULL) { /* again: a grant may have met a dead waiter and be back */
        struct homecoming home = w->home;

        w->home = (struct homecoming){0};
        pool_give(&home.line->credits_free, home.credits, home.line->group->spec->credits);
        if (home.bytes > 0)
            pool_give(&home.line->bytes_free, home.bytes, (int64_t)home.line->group->spec->bytes);
        serve_if_waiting(w, home.line);
    }
}

static void common_home(struct worker *w, struct line_group *group)
{
    uint32_t minimum;

    pool_give(&group->common_free, 1, group->spec->common_credits);
    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in sl_line_set_minimum */
    minimum = atomic_load_explicit(&group->minimum, memory_order_acquire);
    if (minimum < group->spec->inputs)
        serve_if_waiting(w, &group->inputs[minimum]);
}

static void credit_home(struct worker *w, struct sl_line *line, uint32_t bytes, bool common)
{
    if (common) {
        common_home(w, line->group);
        return;
    }
    if (w->home.line != line)
        line_flush(w);
    w->home.line = line;
    w->home.credits++;
    w->home.bytes += bytes;
    if (w->blocking)
        line_flush(w);
}

void line_leave(struct worker *w, struct sl_msg *msg)
{
    struct sl_line *line = msg->line;

    msg->line = NULL;
    credit_home(w, line, msg->bytes, (msg->flags & MSG_COMMON) != 0);
}

void sl_permit_return(struct sl_ctx *ctx, struct sl_permit *permit)
{
    SL_ASSERT(permit->line != NULL);
    credit_home(ctx->worker, permit->line, permit->bytes, permit->common);
    *permit = (struct sl_permit){0};
}

void sl_line_set_minimum(struct sl_ctx *ctx, struct sl_line *line)
{
    struct line_group *group = line->group;

    SL_ASSERT(group->spec->common_credits > 0);
    if (atomic_load_explicit(&group->minimum, memory_order_relaxed) == line->input)
        return;
    atomic_store_explicit(&group->minimum, line->input, memory_order_release);
    serve_if_waiting(ctx->worker, line); /* its fence: partner of the one in common_home */
}

/* ---- looking ---- */

void line_check(const struct sl_line *line, const struct slot *from, const struct slot *to)
{
    const struct sl_runtime *rt = line->group->rt;
    uint8_t                  there = rt->classes[to->class_index].place[line->group->id];
    uint8_t here = from == NULL ? 0 : rt->classes[from->class_index].place[line->group->id];

    if (there == 0 || there <= here || (from != NULL && here == 0))
        SL_PANIC("line %s does not lead from %s to %s", line->group->spec->name,
                 from == NULL ? "outside" : from->class_of->name, to->class_of->name);
}

struct sl_line *sl_line(struct sl_ctx *ctx, unsigned id, unsigned input)
{
    struct sl_runtime *rt = ctx->worker->rt;

    SL_ASSERT(id < rt->options.topology->line_count);
    SL_ASSERT(input < rt->groups[id].spec->inputs);
    return &rt->groups[id].inputs[input];
}

int64_t sl_line_credits_free(const struct sl_line *line)
{
    return atomic_load_explicit(&line->credits_free, memory_order_acquire);
}

uint64_t sl_line_bytes(const struct sl_line *line)
{
    return line->group->spec->bytes;
}

int64_t sl_line_bytes_free(const struct sl_line *line)
{
    return atomic_load_explicit(&line->bytes_free, memory_order_acquire);
}
