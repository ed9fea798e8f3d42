/* What the filters say of tables, remembered with each version of one. */

#include "actors/drainer/verdict.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/hash.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"

/* One version of a table. */
struct known {
    struct sl_map_node node;  /* by the version's address */
    struct sl_table   *table; /* owned reference */
    struct sl_verdict  verdict;
};

static bool is_known(const struct sl_map_node *node, const void *key)
{
    return SL_CONTAINER_OF(node, struct known, node)->table == key;
}

void sl_verdicts_init(struct sl_verdicts *v, const struct sl_filter *filter,
                      const struct sl_event_filter *events)
{
    *v = (struct sl_verdicts){.filter = filter, .events = events};
    sl_map_init(&v->known, is_known);
}

void sl_verdicts_forget(struct sl_verdicts *v)
{
    struct sl_map_iter at = {0};

    for (struct sl_map_node *n; (n = sl_map_next(&v->known, &at)) != NULL;) {
        struct known *known = SL_CONTAINER_OF(n, struct known, node);

        sl_map_remove(&v->known, n);
        sl_table_free(&known->table);
        free(known);
    }
}

void sl_verdicts_done(struct sl_verdicts *v)
{
    sl_verdicts_forget(v);
    sl_map_done(&v->known);
}

static enum sl_err skips(const struct sl_verdicts *v, struct sl_slice schema, struct sl_slice table,
                         bool *out, struct sl_why *why)
{
    *out = false;
    return v->filter == NULL ? SL_OK : sl_filter_skips(v->filter, schema, table, out, why);
}

enum sl_err sl_verdict_of_table(struct sl_verdicts *v, struct sl_table *table,
                                struct sl_verdict *out, struct sl_why *why)
{
    uint64_t            hash = sl_hash_u64((uint64_t)(uintptr_t)table);
    struct sl_map_node *node = sl_map_find(&v->known, hash, table);
    struct known       *known;
    enum sl_err         err;

    if (node != NULL) {
        *out = SL_CONTAINER_OF(node, struct known, node)->verdict;
        return SL_OK;
    }
    *out = (struct sl_verdict){0};
    if ((err = skips(v, table->schema, table->name, &out->is_skipped, why)) != SL_OK)
        return err;
    if (v->events != NULL && (err = sl_event_filter_kinds(v->events, table->schema, table->name,
                                                          &out->kinds_skipped, why)) != SL_OK)
        return err;
    known = calloc(1, sizeof *known);
    SL_ASSERT(known != NULL);
    known->table = sl_table_ref(table);
    known->verdict = *out;
    sl_map_add(&v->known, hash, table, &known->node);
    return SL_OK;
}

enum sl_err sl_verdict_of_ddl(const struct sl_verdicts *v, const struct sl_ddl_object *object,
                              struct sl_slice query, const char **reason, struct sl_why *why)
{
    bool        is_out;
    enum sl_err err = skips(v, object->schema, object->table, &is_out, why);

    *reason = NULL;
    if (err == SL_OK && is_out)
        *reason = "the table filter";
    if (err != SL_OK || is_out || v->events == NULL)
        return err;
    err = sl_event_filter_skips_ddl(v->events, object->schema, object->table, query, &is_out, why);
    if (err == SL_OK && is_out)
        *reason = "an event filter";
    return err;
}
