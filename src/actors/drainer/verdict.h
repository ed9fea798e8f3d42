#ifndef SL_ACTORS_DRAINER_VERDICT_H
#define SL_ACTORS_DRAINER_VERDICT_H

/* What the filters say of tables and DDL (binlog/filter.h, binlog/event_filter.h). A search takes
 * long, so what was found of a version of a table is remembered with it. The planner's. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "binlog/ddl.h"
#include "binlog/table.h"

struct sl_event_filter;
struct sl_filter;

/* The filters, either may be NULL, and what was found so far. */
struct sl_verdicts {
    const struct sl_filter       *filter;
    const struct sl_event_filter *events;
    struct sl_map                 known;
};

/* Of one version of a table. */
struct sl_verdict {
    bool     is_skipped;
    uint32_t kinds_skipped; /* bit 1 << enum sl_event_kind: of its rows */
};

/* Nothing is known yet. The filters outlive it. */
void sl_verdicts_init(struct sl_verdicts *v, const struct sl_filter *filter,
                      const struct sl_event_filter *events);
/* Forget what is known; free all. */
void sl_verdicts_forget(struct sl_verdicts *v);
void sl_verdicts_done(struct sl_verdicts *v);

/* SL_TOO_LARGE: a pattern takes too long for this name. */
enum sl_err sl_verdict_of_table(struct sl_verdicts *v, struct sl_table *table,
                                struct sl_verdict *out, struct sl_why *why);
/* *reason is why the DDL is left out, static, or NULL. */
enum sl_err sl_verdict_of_ddl(const struct sl_verdicts *v, const struct sl_ddl_object *object,
                              struct sl_slice query, const char **reason, struct sl_why *why);

#endif
