/* Timers: requests for a message later, in one heap ordered by deadline.
 *
 * Each timer object of an actor has one node in its slot, so at most one expiry of it is in the
 * mailbox. An expiry that was sent for an older request is dropped when it is received: the node
 * carries the generation it fired for. */

#include "runtime/machine.h"

static struct timer_node *node_of(struct sl_heap_node *h)
{
    return SL_CONTAINER_OF(h, struct timer_node, heap);
}

static bool fires_before(const struct sl_heap_node *a, const struct sl_heap_node *b)
{
    const struct timer_node *x = SL_CONTAINER_OF(a, const struct timer_node, heap);
    const struct timer_node *y = SL_CONTAINER_OF(b, const struct timer_node, heap);

    return x->due != y->due ? x->due < y->due : x->order < y->order;
}

void timers_init(struct timers *t)
{
    sync_lock_init(&t->lock);
    sl_heap_init(&t->heap, fires_before);
    t->awaited = UINT64_MAX;
}

void timers_free(struct timers *t)
{
    sl_heap_done(&t->heap);
    sync_lock_free(&t->lock);
}

sl_nanos timers_next(struct timers *t)
{
    struct sl_heap_node *top;
    sl_nanos             due = UINT64_MAX;

    sync_lock_take(&t->lock);
    if ((top = sl_heap_top(&t->heap)) != NULL)
        due = node_of(top)->due;
    t->awaited = due;
    sync_lock_give(&t->lock);
    return due;
}

/* The actor's node for this timer object; the first use binds one. */
static struct timer_node *node_for(struct slot *s, struct sl_timer *timer)
{
    if (timer->node == 0) {
        SL_ASSERT(s->timer_count < s->class_of->timers_max);
        timer->node = ++s->timer_count;
    }
    return &s->timers[timer->node - 1];
}

void sl_timer_arm(struct sl_ctx *ctx, struct sl_timer *timer, unsigned type, uint64_t delay_ms)
{
    struct sl_runtime *rt = ctx->worker->rt;
    struct timers     *t = &rt->timers;
    struct timer_node *node = node_for(ctx->slot, timer);
    bool               earlier;

    SL_ASSERT(type >= SL_MSG_USER && type <= UINT16_MAX);
    SL_ASSERT(delay_ms <= SL_TIMER_DELAY_MS_MAX);
    timer->generation++;
    timer->armed = true;
    sync_lock_take(&t->lock);
    if (sl_heap_linked(&node->heap))
        sl_heap_remove(&t->heap, &node->heap);
    node->actor = sl_self(ctx);
    node->timer = timer;
    node->type = (uint16_t)type;
    node->generation = timer->generation;
    node->due = sl_env_now(rt->env) + delay_ms * SL_NANOS_PER_MS;
    node->order = t->armed++;
    sl_heap_push(&t->heap, &node->heap);
    /* A timer that is put off again and again, and is the first each time, must not wake anybody
     * each time. */
    earlier = node->due < t->awaited;
    if (earlier)
        t->awaited = node->due;
    sync_lock_give(&t->lock);
    if (earlier)
        rt->sched->timer_changed(rt);
}

void sl_timer_disarm(struct sl_ctx *ctx, struct sl_timer *timer)
{
    struct timers     *t = &ctx->worker->rt->timers;
    struct timer_node *node;

    if (!timer->armed)
        return;
    timer->generation++;
    timer->armed = false;
    node = node_for(ctx->slot, timer);
    sync_lock_take(&t->lock);
    if (sl_heap_linked(&node->heap))
        sl_heap_remove(&t->heap, &node->heap);
    sync_lock_give(&t->lock);
}

bool sl_timer_armed(const struct sl_timer *timer)
{
    return timer->armed;
}

/* Take one due node out of the heap and note that its expiry is on its way. NULL: none is due. */
static struct timer_node *take_due(struct timers *t, sl_nanos now, bool *push)
{
    struct sl_heap_node *top;
    struct timer_node   *node;

    top = sl_heap_top(&t->heap);
    if (top == NULL || node_of(top)->due > now)
        return NULL;
    sl_heap_remove(&t->heap, top);
    node = node_of(top);
    node->fired_generation = node->generation;
    node->fired_type = node->type;
    *push = !node->in_mailbox; /* an older expiry still lies there: it will speak for this one */
    node->in_mailbox = true;
    if (*push) { /* else the receiver may be reading it */
        node->mail.type = node->type;
        node->mail.flags = MSG_TIMER;
    }
    return node;
}

unsigned timers_fire(struct worker *w, sl_nanos now)
{
    struct timers     *t = &w->rt->timers;
    struct timer_node *node;
    struct sl_ref      actor;
    unsigned           fired = 0;
    bool               push;

    for (;;) {
        section_enter(w); /* the node's slot is not given to another actor between the two */
        sync_lock_take(&t->lock);
        push = false;
        node = take_due(t, now, &push);
        actor = node == NULL ? (struct sl_ref){0} : node->actor;
        sync_lock_give(&t->lock);
        if (node != NULL && push)
            mail_push(w, actor, &node->mail);
        section_leave(w);
        if (node == NULL)
            return fired;
        fired++;
    }
}

bool timers_receive(struct sl_runtime *rt, struct sl_msg *mail, struct sl_msg *expiry)
{
    struct timer_node *node = SL_CONTAINER_OF(mail, struct timer_node, mail);
    struct sl_timer   *timer;
    uint32_t           fired;
    bool               wanted;

    sync_lock_take(&rt->timers.lock);
    node->in_mailbox = false;
    fired = node->fired_generation;
    *expiry = (struct sl_msg){.type = node->fired_type, .flags = MSG_TIMER};
    timer = node->timer;
    sync_lock_give(&rt->timers.lock);
    /* NULL: the actor has ended. Else the caller is its runner, and the object is its own. */
    wanted = timer != NULL && timer->armed && timer->generation == fired;
    if (wanted)
        timer->armed = false;
    return wanted;
}

void timers_cancel_all(struct sl_runtime *rt, struct slot *s)
{
    sync_lock_take(&rt->timers.lock);
    for (uint32_t i = 0; i < s->timer_count; i++) {
        if (sl_heap_linked(&s->timers[i].heap))
            sl_heap_remove(&rt->timers.heap, &s->timers[i].heap);
        s->timers[i].timer = NULL;
    }
    sync_lock_give(&rt->timers.lock);
    s->timer_count = 0;
}
