#include "merge_reference.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { ITEM_BYTES = 64, NAME_BYTES = 16, SLOTS = 128 };

/* As large as a descriptor of ours. */
struct item {
    uint64_t ts;
    uint32_t source;
    uint8_t  rest[ITEM_BYTES - 12];
};

/* ---- a queue between two goroutines ---- */

struct queue {
    pthread_mutex_t mutex;
    struct item    *items;
    uint32_t        first;
    uint32_t        last;
    uint32_t        room;
};

static void queue_push(struct queue *q, const struct item *item)
{
    pthread_mutex_lock(&q->mutex);
    q->items[q->last++ % q->room] = *item;
    pthread_mutex_unlock(&q->mutex);
}

static bool queue_pop(struct queue *q, struct item *out)
{
    bool found;

    pthread_mutex_lock(&q->mutex);
    found = q->first != q->last;
    if (found)
        *out = q->items[q->first++ % q->room];
    pthread_mutex_unlock(&q->mutex);
    return found;
}

/* ---- a map by name ---- */

struct slot {
    const char *name; /* NULL: free */
    void       *value;
};

struct map {
    struct slot slots[SLOTS];
};

static struct slot *map_find(struct map *m, const char *name)
{
    uint64_t at = sl_hash_bytes(0, name, strlen(name));

    while (m->slots[at % SLOTS].name != NULL && strcmp(m->slots[at % SLOTS].name, name) != 0)
        at++;
    return &m->slots[at % SLOTS];
}

static void map_put(struct map *m, const char *name, void *value)
{
    *map_find(m, name) = (struct slot){name, value};
}

/* ---- the merge ---- */

struct source {
    char         name[NAME_BYTES];
    struct queue queue;
    struct item *items; /* of one pass */
    uint32_t     count;
    bool         waits; /* an item of it is in the heap */
};

struct merge_reference {
    pthread_mutex_t mutex; /* of the map */
    struct map      sources;
    struct map      waiting; /* by name: a source whose item is in the heap */
    struct source  *all;
    uint32_t        k;
    struct item   **heap;
    uint32_t        heap_count;
    struct queue    output;
};

static void *zeroed(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);

    if (p == NULL)
        abort();
    return p;
}

static void queue_make(struct queue *q, uint32_t room)
{
    q->items = zeroed(room, sizeof *q->items);
    q->room = room;
    pthread_mutex_init(&q->mutex, NULL);
}

struct merge_reference *merge_reference_new(uint32_t k, const uint32_t *owner, uint32_t count)
{
    struct merge_reference *m = zeroed(1, sizeof *m);

    m->k = k;
    m->all = zeroed(k, sizeof *m->all);
    m->heap = zeroed(k, sizeof(struct item *));
    pthread_mutex_init(&m->mutex, NULL);
    queue_make(&m->output, 1);
    for (uint32_t s = 0; s < k; s++) {
        snprintf(m->all[s].name, NAME_BYTES, "source-%u", s);
        m->all[s].items = zeroed(count, sizeof(struct item));
        queue_make(&m->all[s].queue, count);
        map_put(&m->sources, m->all[s].name, &m->all[s]);
        map_put(&m->waiting, m->all[s].name, &m->all[s].waits);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct source *source = &m->all[owner[i]];

        source->items[source->count++] = (struct item){.ts = i + 1, .source = owner[i]};
    }
    return m;
}

void merge_reference_free(struct merge_reference **reference)
{
    struct merge_reference *m = *reference;

    *reference = NULL;
    for (uint32_t s = 0; s < m->k; s++) {
        free(m->all[s].items);
        free(m->all[s].queue.items);
    }
    free(m->output.items);
    free(m->all);
    free((void *)m->heap);
    free(m);
}

static void swap(struct item **a, struct item **b)
{
    struct item *held = *a;

    *a = *b;
    *b = held;
}

static void heap_push(struct merge_reference *m, struct item *item)
{
    uint32_t at = m->heap_count++;

    m->heap[at] = item;
    for (; at > 0 && m->heap[at]->ts < m->heap[(at - 1) / 2]->ts; at = (at - 1) / 2)
        swap(&m->heap[at], &m->heap[(at - 1) / 2]);
}

static struct item *heap_pop(struct merge_reference *m)
{
    struct item *top = m->heap[0];
    uint32_t     at = 0;

    m->heap[0] = m->heap[--m->heap_count];
    for (uint32_t child; (child = 2 * at + 1) < m->heap_count; at = child) {
        if (child + 1 < m->heap_count && m->heap[child + 1]->ts < m->heap[child]->ts)
            child++;
        if (m->heap[at]->ts <= m->heap[child]->ts)
            break;
        swap(&m->heap[at], &m->heap[child]);
    }
    return top;
}

static struct map *copy_sources(struct merge_reference *m)
{
    struct map *copy = zeroed(1, sizeof *copy);

    pthread_mutex_lock(&m->mutex);
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (m->sources.slots[i].name != NULL)
            map_put(copy, m->sources.slots[i].name, m->sources.slots[i].value);
    }
    pthread_mutex_unlock(&m->mutex);
    return copy;
}

static void receive(struct merge_reference *m, struct map *sources)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct source *source = sources->slots[i].value;
        struct item    got;
        struct item   *kept;

        if (source == NULL || *(bool *)map_find(&m->waiting, source->name)->value ||
            !queue_pop(&source->queue, &got))
            continue;
        kept = zeroed(1, sizeof *kept);
        *kept = got;
        source->waits = true;
        heap_push(m, kept);
    }
}

/* Give out the smallest; false: there is none. */
static bool give_one(struct merge_reference *m, struct item *out)
{
    struct map  *sources = copy_sources(m);
    struct item *least;

    receive(m, sources);
    free(sources);
    if (m->heap_count == 0)
        return false;
    least = heap_pop(m);
    *(bool *)map_find(&m->waiting, m->all[least->source].name)->value = false;
    queue_push(&m->output, least);
    free(least);
    return queue_pop(&m->output, out);
}

uint32_t merge_reference_pass(struct merge_reference *m)
{
    struct item item;
    uint32_t    count = 0;

    for (uint32_t s = 0; s < m->k; s++) {
        for (uint32_t i = 0; i < m->all[s].count; i++)
            queue_push(&m->all[s].queue, &m->all[s].items[i]);
    }
    while (give_one(m, &item)) {
        if (item.ts != ++count)
            abort();
    }
    return count;
}
