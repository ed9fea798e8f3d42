#ifndef SL_BINLOG_EVENT_FILTER_H
#define SL_BINLOG_EVENT_FILTER_H

/* Which events of a table take part: `binlog-filter-rule` and `table-migrate-rule` (drainer spec
 * 3.7). A rule says for which tables it is, and what of theirs is left out: kinds of events, and
 * DDL whose text a regular expression finds something in. Tables without a rule lose nothing.
 *
 * Names of tables are patterns: `*` at the end is anything, `?` one character, [a-c] and [!a-c] one
 * of a class, or not of it. A rule without a table is for the schema and all its tables; all rules
 * that fit are asked. Rules for the same two patterns are one: their events are one list.
 *
 * A list of events is read from its front until something fits: `all`, `all ddl`, `all dml`, and
 * names take the event out; `none`, `none ddl`, `none dml` end the reading.
 *
 * A filter does not change after it was made: any number of threads may use it at one time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Kinds of events. What is done to partitions is an `alter table`, as in the original: the names
 * that it has for that are known, and never happen. */
enum sl_event_kind {
    SL_EVENT_INSERT,
    SL_EVENT_UPDATE,
    SL_EVENT_DELETE,
    SL_EVENT_CREATE_DATABASE,
    SL_EVENT_DROP_DATABASE,
    SL_EVENT_ALTER_DATABASE,
    SL_EVENT_CREATE_TABLE,
    SL_EVENT_DROP_TABLE,
    SL_EVENT_TRUNCATE_TABLE,
    SL_EVENT_RENAME_TABLE,
    SL_EVENT_ALTER_TABLE,
    SL_EVENT_CREATE_INDEX,
    SL_EVENT_DROP_INDEX,
    SL_EVENT_CREATE_VIEW,
    SL_EVENT_DROP_VIEW,
    SL_EVENT_ADD_PARTITION,
    SL_EVENT_DROP_PARTITION,
    SL_EVENT_TRUNCATE_PARTITION,
    SL_EVENT_OTHER, /* DDL of no kind, as sequences: only its text may match */
    SL_EVENT_KINDS,
};

/* The kind of a DDL statement, by its first words; comments are passed over. Never a row's. */
enum sl_event_kind sl_event_of_ddl(struct sl_slice sql);

/* One rule, as it is configured. All of it is borrowed for sl_event_filter_new. */
struct sl_event_rule {
    const char        *schema; /* pattern; not empty */
    const char        *table;  /* pattern; "": the schema */
    const char *const *events;
    size_t             event_count;
    const char *const *sqls;
    size_t             sql_count;
};

struct sl_event_filter;

/* *out is owned: sl_event_filter_free. SL_INVALID: an event, a pattern or a regular expression is
 * none. */
enum sl_err sl_event_filter_new(const struct sl_event_rule *rules, size_t count,
                                bool case_sensitive, struct sl_event_filter **out,
                                struct sl_why *why);
/* Nulls the pointer; *filter may be NULL. */
void sl_event_filter_free(struct sl_event_filter **filter);

/* The kinds of events of this table that are left out, a bit each: 1 << kind. Does not change, so
 * remember it with the table. SL_TOO_LARGE as sl_pattern_find. */
enum sl_err sl_event_filter_kinds(const struct sl_event_filter *filter, struct sl_slice schema,
                                  struct sl_slice table, uint32_t *out, struct sl_why *why);

/* Is this DDL left out? `sql` is the upstream's text; the table is "" when it is about the
 * schema. */
enum sl_err sl_event_filter_skips_ddl(const struct sl_event_filter *filter, struct sl_slice schema,
                                      struct sl_slice table, struct sl_slice sql, bool *out,
                                      struct sl_why *why);

#endif
