#include "actors/drainer/causality.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"

struct sl_causality_entry {
    uint64_t key;
    uint64_t part; /* number of the worker's part, from 1; 0: never used */
    uint32_t worker;
};

static struct sl_causality_entry *new_entries(uint32_t room)
{
    struct sl_causality_entry *entries = calloc(room, sizeof *entries);

    SL_ASSERT(entries != NULL);
    return entries;
}

void sl_causality_init(struct sl_causality *c, uint32_t workers)
{
    *c = (struct sl_causality){.room = SL_CAUSALITY_ROOM_MIN, .workers = workers};
    c->entries = new_entries(c->room);
    c->given = calloc(workers, sizeof *c->given);
    c->applied = calloc(workers, sizeof *c->applied);
    SL_ASSERT(c->given != NULL && c->applied != NULL);
}

void sl_causality_done(struct sl_causality *c)
{
    free(c->entries);
    free(c->given);
    free(c->applied);
    *c = (struct sl_causality){0};
}

static bool is_live(const struct sl_causality *c, const struct sl_causality_entry *entry)
{
    return entry->part > c->applied[entry->worker];
}

/* Where the key is, or the place that ends the search for it. Keys are hashes: they need no other.
 * */
static struct sl_causality_entry *find(const struct sl_causality *c, uint64_t key)
{
    for (uint32_t i = (uint32_t)key & (c->room - 1);; i = (i + 1) & (c->room - 1)) {
        struct sl_causality_entry *entry = &c->entries[i];

        if (entry->part == 0 || entry->key == key)
            return entry;
    }
}

int64_t sl_causality_owner(const struct sl_causality *c, const uint64_t *keys, uint32_t count)
{
    int64_t owner = SL_CAUSALITY_NOBODY;

    for (uint32_t i = 0; i < count; i++) {
        const struct sl_causality_entry *entry = find(c, keys[i]);

        if (entry->part == 0 || !is_live(c, entry))
            continue;
        if (owner != SL_CAUSALITY_NOBODY && owner != entry->worker)
            return SL_CAUSALITY_SEVERAL;
        owner = entry->worker;
    }
    return owner;
}

/* Leave the dead behind, and take more room when the living need it. */
static void sweep(struct sl_causality *c)
{
    struct sl_causality_entry *old = c->entries;
    uint32_t                   old_room = c->room;
    uint32_t                   live = 0;

    for (uint32_t i = 0; i < old_room; i++)
        live += old[i].part != 0 && is_live(c, &old[i]);
    while (live > c->room / 4)
        c->room *= 2;
    c->entries = new_entries(c->room);
    c->used = live;
    for (uint32_t i = 0; i < old_room; i++) {
        if (old[i].part != 0 && is_live(c, &old[i]))
            *find(c, old[i].key) = old[i];
    }
    free(old);
}

void sl_causality_add(struct sl_causality *c, uint32_t worker, const uint64_t *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sl_causality_entry *entry;

        if (c->used >= c->room / 2)
            sweep(c);
        entry = find(c, keys[i]);
        c->used += entry->part == 0;
        *entry = (struct sl_causality_entry){
            .key = keys[i], .part = c->given[worker] + 1, .worker = worker};
    }
}

void sl_causality_given(struct sl_causality *c, uint32_t worker)
{
    c->given[worker]++;
}

void sl_causality_applied(struct sl_causality *c, uint32_t worker)
{
    SL_ASSERT(c->applied[worker] < c->given[worker]);
    c->applied[worker]++;
}

uint64_t sl_causality_open(const struct sl_causality *c, uint32_t worker)
{
    return c->given[worker] - c->applied[worker];
}
