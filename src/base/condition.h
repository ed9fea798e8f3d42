#ifndef SL_BASE_CONDITION_H
#define SL_BASE_CONDITION_H

/* Conditions: what an operator may meet, as one table. Each has a code that stays, what causes it,
 * what it does, and what to do about it. A program says the code beside its reason, which names the
 * table, pump or timestamp; `binlogctl explain-error CODE` and docs/errors.md say the rest.
 *
 *     SL-1xxx   a pump; the name is the label `reason` of sluice_pump_writes_refused_total
 *     SL-2xxx   a drainer; the code is in its /status and in binlogctl status
 *
 * Codes are never given to anything else, also when their condition is no more. All pure; static
 * strings. */

#include <stddef.h>

/* In the order of the table. */
enum sl_condition {
    SL_PUMP_WRONG_CLUSTER,
    SL_PUMP_BAD_PAYLOAD,
    SL_PUMP_WRONG_STATE,
    SL_PUMP_TOO_LARGE,
    SL_PUMP_NO_SPACE,
    SL_PUMP_WRONG_TIME,
    SL_PUMP_UNRESOLVED,
    SL_PUMP_BUSY,
    SL_PUMP_STOPPING,
    SL_DRAINER_REGISTRY_AWAITED,
    SL_DRAINER_RECORD_NOT_WRITTEN,
    SL_DRAINER_PUMP_AWAITED,
    SL_DRAINER_ORDER_BROKEN,
    SL_DRAINER_SPOOL_FAILS,
    SL_DRAINER_JOB_AWAITED,
    SL_DRAINER_TABLE_UNKNOWN,
    SL_DRAINER_DDL_NOT_FOLLOWED,
    SL_DRAINER_BINLOG_NOT_UNDERSTOOD,
    SL_DRAINER_DOWNSTREAM_FAILS,
    SL_DRAINER_DOWNSTREAM_FORBIDS,
    SL_DRAINER_ROWS_REFUSED,
    SL_DRAINER_TABLE_MISSING,
    SL_DRAINER_DDL_IN_DOUBT,
    SL_DRAINER_DDL_REFUSED,
    SL_CONDITIONS, /* none */
};

/* What is known of one. */
struct sl_condition_row {
    const char *code;   /* "SL-2101" */
    const char *name;   /* one word: "registry" */
    const char *title;  /* a phrase, small letter first */
    const char *cause;  /* whole sentences */
    const char *effect; /* likewise */
    const char *remedy; /* likewise */
};

/* The row of a condition, which is not SL_CONDITIONS. */
const struct sl_condition_row *sl_condition_row(enum sl_condition condition);

/* The one with this code or name, without regard to case; SL_CONDITIONS: there is none. */
enum sl_condition sl_condition_find(const char *code_or_name);

#endif
