#ifndef SL_ACTORS_DRAINER_CAUSALITY_H
#define SL_ACTORS_DRAINER_CAUSALITY_H

/* Causality: which worker has a change with this key in flight. Two changes with a key in common
 * must be applied in their order, so they go to the same worker, which keeps its order. A key is a
 * 64-bit hash; two keys that collide only wait for each other.
 *
 * Each worker counts the parts it was given and those it has applied. An entry names the worker and
 * the part that touched the key last; it is dead once that part is applied, and dead entries are
 * overwritten or swept out. So the table holds about as many entries as there are keys in flight.
 * Used by one thread at a time. */

#include <stdbool.h>
#include <stdint.h>

/* All zero but for the entries. */
struct sl_causality {
    struct sl_causality_entry *entries; /* owned; room is a power of two */
    uint32_t                   room;
    uint32_t                   used; /* dead ones too */
    uint32_t                   workers;
    uint64_t                  *given;   /* owned: parts, of each worker */
    uint64_t                  *applied; /* owned */
};

/* The key's last part is still in flight? */
enum { SL_CAUSALITY_NOBODY = -1, SL_CAUSALITY_SEVERAL = -2 };

/* For so many workers. */
void sl_causality_init(struct sl_causality *c, uint32_t workers);
void sl_causality_done(struct sl_causality *c);

/* Which worker has one of these keys in flight: its number, NOBODY, or SEVERAL. */
int64_t sl_causality_owner(const struct sl_causality *c, const uint64_t *keys, uint32_t count);
/* The part that the worker is given next touches these keys. */
void sl_causality_add(struct sl_causality *c, uint32_t worker, const uint64_t *keys,
                      uint32_t count);
/* The worker was given a part; it has applied its oldest one. */
void sl_causality_given(struct sl_causality *c, uint32_t worker);
void sl_causality_applied(struct sl_causality *c, uint32_t worker);
/* Parts of that worker in flight. */
uint64_t sl_causality_open(const struct sl_causality *c, uint32_t worker);

#endif
