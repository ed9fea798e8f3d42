/* Memory of messages, and what happens when one is freed.
 *
 * Each worker keeps one magazine of free messages per size class. Work flows one way, so one thread
 * allocates what another frees: when a magazine is full, it goes to the depot whole, and an
 * empty-handed worker takes a whole one from there. So the depot's lock is taken once per
 * SL_MAGAZINE_ITEMS messages. Sanitizer builds use the heap for every message: a pool would hide a
 * use after free. */

#include <stdlib.h>

#include "runtime/machine.h"

enum { CLASS_HEAP = 255 };

static uint8_t class_for(size_t bytes)
{
#ifdef SLUICE_SANITIZED
    (void)bytes;
    return CLASS_HEAP;
#else
    size_t room = SL_MSG_CLASS_BYTES_MIN;

    for (uint8_t c = 0; c < SL_MSG_CLASSES; c++, room *= 2) {
        if (bytes <= room)
            return c;
    }
    return CLASS_HEAP;
#endif
}

static size_t class_bytes(uint8_t size_class)
{
    return (size_t)SL_MSG_CLASS_BYTES_MIN << size_class;
}

void msg_pool_init(struct sl_runtime *rt)
{
    sync_lock_init(&rt->depot_lock);
}

static void free_chain(void *top)
{
    while (top != NULL) {
        void *next = *(void **)top;

        free(top);
        top = next;
    }
}

void msg_pool_free(struct sl_runtime *rt)
{
    for (unsigned c = 0; c < SL_MSG_CLASSES; c++) {
        for (uint32_t i = 0; i < rt->depot_count[c]; i++)
            free_chain(rt->depot[c][i].top);
        free(rt->depot[c]);
    }
    sync_lock_free(&rt->depot_lock);
}

/* Take a full magazine from the depot, if there is one. */
static bool depot_take(struct worker *w, uint8_t size_class)
{
    struct sl_runtime *rt = w->rt;
    bool               taken = false;

    sync_lock_take(&rt->depot_lock);
    if (rt->depot_count[size_class] > 0) {
        w->msgs[size_class] = rt->depot[size_class][--rt->depot_count[size_class]];
        taken = true;
    }
    sync_lock_give(&rt->depot_lock);
    return taken;
}

/* Hand a magazine in. */
static void depot_give(struct worker *w, uint8_t size_class)
{
    struct sl_runtime *rt = w->rt;

    sync_lock_take(&rt->depot_lock);
    if (rt->depot_count[size_class] == rt->depot_room[size_class]) {
        uint32_t room = rt->depot_room[size_class] == 0 ? 16 : 2 * rt->depot_room[size_class];

        rt->depot[size_class] =
            realloc(rt->depot[size_class], room * sizeof *rt->depot[size_class]);
        SL_ASSERT(rt->depot[size_class] != NULL);
        rt->depot_room[size_class] = room;
    }
    rt->depot[size_class][rt->depot_count[size_class]++] = w->msgs[size_class];
    sync_lock_give(&rt->depot_lock);
    w->msgs[size_class] = (struct magazine){0};
}

void msg_flush(struct worker *w)
{
    for (uint8_t c = 0; c < SL_MSG_CLASSES; c++) {
        if (w->msgs[c].count > 0)
            depot_give(w, c);
    }
}

static void *memory_take(struct worker *w, uint8_t size_class, size_t bytes)
{
    struct magazine *m;
    void            *memory;

    if (size_class == CLASS_HEAP) {
        memory = malloc(bytes);
    } else {
        m = &w->msgs[size_class];
        if (m->top != NULL || depot_take(w, size_class)) {
            memory = m->top;
            m->top = *(void **)memory;
            m->count--;
            return memory;
        }
        memory = malloc(class_bytes(size_class));
    }
    SL_ASSERT(memory != NULL);
    return memory;
}

static void memory_give(struct worker *w, uint8_t size_class, void *memory)
{
    struct magazine *m;

    if (size_class == CLASS_HEAP) {
        free(memory);
        return;
    }
    m = &w->msgs[size_class];
    if (m->count == SL_MAGAZINE_ITEMS)
        depot_give(w, size_class);
    *(void **)memory = m->top;
    m->top = memory;
    m->count++;
}

void *msg_alloc(struct worker *w, size_t bytes, unsigned type, sl_msg_release release)
{
    uint8_t        size_class = class_for(bytes);
    struct sl_msg *msg = memory_take(w, size_class, bytes);

    SL_ASSERT(bytes >= sizeof *msg && type <= UINT16_MAX);
    memset(msg, 0, bytes);
    msg->type = (uint16_t)type;
    msg->size_class = size_class;
    msg->release = release;
    figure_add(&w->made, 1);
    return msg;
}

/* Tell the asker of an unanswered question that nobody will. */
static void answer_gone(struct worker *w, struct sl_asker asker)
{
    struct sl_msg *gone = msg_alloc(w, sizeof *gone, SL_MSG_GONE, NULL);

    gone->flags = MSG_ANSWER;
    gone->tag = asker.tag;
    mail_push(w, asker.ref, gone);
}

void msg_discard(struct worker *w, struct sl_msg *msg)
{
    struct sl_asker asker = {.ref = msg->asker, .tag = msg->tag};

    struct sl_msg expiry;

    if ((msg->flags & MSG_TIMER) != 0) {
        (void)timers_receive(w->rt, msg, &expiry);
        return;
    }
    if (msg->release != NULL)
        msg->release(msg);
    if (msg->line != NULL)
        line_leave(w, msg);
    figure_add(&w->freed, 1);
    memory_give(w, msg->size_class, msg);
    if (asker.ref.generation != 0)
        answer_gone(w, asker);
}

void *sl_msg_alloc(size_t bytes, unsigned type, sl_msg_release release)
{
    SL_ASSERT(worker_self != NULL); /* messages are made inside the runtime */
    return msg_alloc(worker_self, bytes, type, release);
}

void sl_msg_discard(struct sl_msg *msg, void *pointer_to_null)
{
    SL_ASSERT(worker_self != NULL);
    memset(pointer_to_null, 0, sizeof(void *));
    msg_discard(worker_self, msg);
}

struct sl_asker sl_asker_of(struct sl_msg *msg)
{
    struct sl_asker asker = {.ref = msg->asker, .tag = msg->tag};

    SL_ASSERT(asker.ref.generation != 0); /* it is a question, and not answered yet */
    msg->asker = (struct sl_ref){0};
    return asker;
}
