/* Slots: the type-stable memory of actors, and when it may be used again.
 *
 * A slot keeps its mailbox, timer nodes and (on lanes with a thread per actor) its thread for the
 * next actor of the same class. When an actor dies, its generation is raised, so that nobody finds
 * it any more; but a sender may have found it just before and be about to push. So the slot is
 * buried with the epoch of its death, and reused only when no section that is older is open, its
 * turn is over and its mailbox is empty. */

#include <stdlib.h>

#include "runtime/machine.h"

/* Of a class, beyond twice its count: dying ones that wait for a section to close. */
enum { SLOTS_SPARE = 8 };

enum sl_err slots_init(struct sl_runtime *rt, struct sl_why *why)
{
    const struct sl_topology *topology = rt->options.topology;
    uint64_t                  total = 0;

    sync_lock_init(&rt->slots.lock);
    rt->slots.dying_end = &rt->slots.dying;
    rt->class_count = topology->actor_count;
    for (uint32_t i = 0; i < topology->actor_count; i++) {
        struct class_info *info = &rt->classes[i];

        info->class_of = topology->actors[i].class_of;
        info->count_max = topology->actors[i].count_max;
        info->mailbox_items = (uint32_t)sl_topology_mailbox_items(topology, info->class_of);
        total += 2 * (uint64_t)info->count_max + SLOTS_SPARE;
        for (uint32_t id = 0; id < topology->line_count; id++) {
            for (uint8_t place = 0; topology->lines[id].path[place] != NULL; place++) {
                if (topology->lines[id].path[place] == info->class_of)
                    info->place[id] = (uint8_t)(place + 1);
            }
        }
    }
    if (total > SL_SLOTS_MAX)
        return sl_fail(why, SL_INVALID,
                       "topology %s: room for %llu actors needed, SL_SLOTS_MAX is %u",
                       topology->program, (unsigned long long)total, (unsigned)SL_SLOTS_MAX);
    return SL_OK;
}

static void slot_free(struct slot *s)
{
    SL_ASSERT(s->state == NULL);
    ring_free(&s->mailbox);
    free(s->timers);
    free(s->children);
    free(s);
}

void slots_free(struct sl_runtime *rt)
{
    uint32_t count = atomic_load(&rt->slots.count);

    for (uint32_t i = 0; i < count; i++)
        slot_free(atomic_load(&rt->slots.table[i]));
    sync_lock_free(&rt->slots.lock);
}

struct slot *slot_find(struct sl_runtime *rt, struct sl_ref ref)
{
    struct slot *s;

    if (ref.generation == 0)
        return NULL;
    SL_ASSERT(ref.index < SL_SLOTS_MAX);
    s = atomic_load_explicit(&rt->slots.table[ref.index], memory_order_acquire);
    SL_ASSERT(s != NULL); /* a reference comes from a spawn, and slots are never taken away */
    /* acquire: partner of the store in turn.c that ends a life; the fence in section_enter orders
     * it after the section was announced */
    return atomic_load_explicit(&s->generation, memory_order_acquire) == ref.generation ? s : NULL;
}

/* No section that may have found the dead actor is open, and its last turn is over. Lock held. */
static bool slot_reclaimable(struct sl_runtime *rt, struct slot *s)
{
    uint32_t count;

    if (atomic_load_explicit(&s->word, memory_order_acquire) != WORD_IDLE ||
        ring_count(s->mailbox) > 0)
        return false;
    atomic_thread_fence(memory_order_seq_cst); /* partner: the fence in section_enter */
    count = atomic_load_explicit(&rt->worker_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        /* acquire: what the section pushed is seen once it reads as closed */
        uint64_t section = atomic_load_explicit(&rt->workers[i]->section, memory_order_acquire);

        /* The caller's own section is that of its turn: it is in no push now, and keeps no slot. */
        if (section != 0 && section < s->death_epoch && rt->workers[i] != worker_self)
            return false;
    }
    /* A push that was under way at the first look is visible now that its section is closed. */
    return atomic_load_explicit(&s->word, memory_order_acquire) == WORD_IDLE &&
           ring_count(s->mailbox) == 0;
}

/* Move what may be reused from the dying list to the free lists. Lock held. */
static void reclaim(struct sl_runtime *rt)
{
    struct slot **at = &rt->slots.dying;

    while (*at != NULL) {
        struct slot *s = *at;

        if (!slot_reclaimable(rt, s)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        if (*at == NULL)
            rt->slots.dying_end = at;
        s->phase = PHASE_FREE;
        s->next = rt->classes[s->class_index].free;
        rt->classes[s->class_index].free = s;
    }
}

static struct slot *slot_new(struct sl_runtime *rt, struct class_info *info, uint32_t index)
{
    struct slot *s = aligned_alloc(MACHINE_CACHE_LINE, sizeof *s);

    SL_ASSERT(s != NULL);
    memset(s, 0, sizeof *s);
    s->class_of = info->class_of;
    s->class_index = (uint32_t)(info - rt->classes);
    s->index = index;
    s->mailbox_items = info->mailbox_items;
    s->mailbox = ring_new(info->mailbox_items);
    atomic_init(&s->generation, 1);
    if (info->class_of->timers_max > 0) {
        s->timers = calloc(info->class_of->timers_max, sizeof *s->timers);
        SL_ASSERT(s->timers != NULL);
    }
    if (info->class_of->children_max > 0) {
        s->children = calloc(info->class_of->children_max, sizeof *s->children);
        SL_ASSERT(s->children != NULL);
    }
    return s;
}

/* May another slot be made? A turn elsewhere may hold its section for long while actors die and are
 * replaced, so slots are bounded together, by the table, and not by class; only where each of them
 * takes a thread, by class. Lock held. */
static bool slot_allowed(const struct sl_runtime *rt, const struct class_info *info)
{
    enum sl_lane lane = info->class_of->lane;

    if ((lane == SL_LANE_SYNC || lane == SL_LANE_PEER) &&
        info->made >= 2 * info->count_max + SLOTS_SPARE)
        return false;
    return atomic_load_explicit(&rt->slots.count, memory_order_relaxed) < SL_SLOTS_MAX;
}

/* A slot from the free list, or a new one. Lock held. NULL: none may be made. */
static struct slot *slot_obtain(struct sl_runtime *rt, struct class_info *info, bool *fresh)
{
    struct slot *s;
    uint32_t     count;

    reclaim(rt);
    *fresh = false;
    if ((s = info->free) != NULL) {
        info->free = s->next;
        return s;
    }
    if (!slot_allowed(rt, info))
        return NULL;
    count = atomic_load_explicit(&rt->slots.count, memory_order_relaxed);
    s = slot_new(rt, info, count);
    info->made++;
    *fresh = true;
    atomic_store_explicit(&rt->slots.count, count + 1, memory_order_release);
    /* release: partner of the load in slot_find */
    atomic_store_explicit(&rt->slots.table[count], s, memory_order_release);
    return s;
}

static struct class_info *info_of(struct sl_runtime *rt, const struct sl_actor_class *class_of)
{
    for (uint32_t i = 0; i < rt->class_count; i++) {
        if (rt->classes[i].class_of == class_of)
            return &rt->classes[i];
    }
    SL_PANIC("actor class %s is not in the topology", class_of->name);
}

enum sl_err slot_take(struct sl_runtime *rt, const struct sl_actor_class *class_of,
                      struct slot **out, struct sl_why *why)
{
    struct class_info *info = info_of(rt, class_of);
    struct slot       *s = NULL;
    enum sl_err        err;
    bool               fresh = false;

    sync_lock_take(&rt->slots.lock);
    if (info->alive < info->count_max && (s = slot_obtain(rt, info, &fresh)) != NULL) {
        info->alive++;
        s->phase = PHASE_NEW;
    }
    sync_lock_give(&rt->slots.lock);
    if (s == NULL)
        return sl_fail(why, SL_FULL, "no room for another %s: %u may live at one time",
                       class_of->name, info->count_max);
    if (fresh && (err = rt->sched->place(rt, s, why)) != SL_OK) {
        sync_lock_take(&rt->slots.lock);
        info->alive--;
        info->count_max = info->made - 1; /* this one stays unusable; do not try for more */
        sync_lock_give(&rt->slots.lock);
        s->phase = PHASE_DEAD;
        return err;
    }
    *out = s;
    return SL_OK;
}

void slot_bury(struct sl_runtime *rt, struct slot *s)
{
    sync_lock_take(&rt->slots.lock);
    /* release: the raised generation is seen by whoever enters a section with the new epoch */
    s->death_epoch = atomic_fetch_add_explicit(&rt->epoch, 1, memory_order_acq_rel) + 1;
    s->next = NULL;
    *rt->slots.dying_end = s;
    rt->slots.dying_end = &s->next;
    SL_ASSERT(rt->classes[s->class_index].alive > 0);
    rt->classes[s->class_index].alive--;
    sync_lock_give(&rt->slots.lock);
}
