#ifndef SL_BINLOG_DDL_H
#define SL_BINLOG_DDL_H

/* What a DDL binlog does downstream: its job, the tracker before the job is applied, and the text
 * that TiDB put into the binlog become statements, or a reason why there are none (codec spec 2.6
 * and 4.7, drainer spec 3.4, observed 7-9 and 12). Texts are sent as they are unless they would
 * fail or hit twice: one text may belong to several jobs, names may be unqualified, and some
 * clauses only TiDB knows. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "binlog/job.h"
#include "binlog/schema.h"

/* Who executes it. */
enum sl_ddl_target { SL_DDL_MYSQL, SL_DDL_MARIADB, SL_DDL_TIDB };

/* What is to be done. */
enum sl_ddl_kind {
    SL_DDL_EXECUTE,
    SL_DDL_SKIP, /* nothing, and that is right */
    SL_DDL_STOP, /* it cannot be followed: the stream is held until somebody decides */
};

/* What is to be done when it may have been executed already (architecture: the DDL intent). */
enum sl_ddl_class {
    SL_DDL_CHECKABLE,  /* its effect shows in the definition; a second run fails or does harm */
    SL_DDL_REPEATABLE, /* a second run changes nothing */
    SL_DDL_INVISIBLE,  /* a second run undoes the first, and the definitions may be the same */
};

/* A database, or a table when `table` is not empty. */
struct sl_ddl_object {
    struct sl_slice schema;
    struct sl_slice table;
};

/* One statement, executed by itself, and the object that a table filter judges it by. */
struct sl_ddl_statement {
    struct sl_slice      text; /* with a terminator behind it */
    struct sl_ddl_object object;
};

/* What a DDL binlog does. Immutable; owns all it points to, but reason and
 * notice are static. */
struct sl_ddl_action {
    enum sl_ddl_kind               kind;
    enum sl_ddl_class              repeat;       /* of EXECUTE */
    const char                    *reason;       /* of SKIP and STOP; else NULL */
    const char                    *notice;       /* what comes out otherwise downstream, or NULL */
    struct sl_slice                use_database; /* before the statements; empty: none */
    struct sl_ddl_object           object;       /* for table filters: of a rename the new name */
    const struct sl_ddl_statement *statements;   /* more than one only of CREATE TABLES (type 60) */
    uint32_t                       statement_count;
    const struct sl_ddl_object    *touched; /* old and new names whose definition may change */
    uint32_t                       touched_count;
    bool                           is_create_database;
    /* Views and sequences: nothing of the stream depends on them, so one that the downstream does
     * not take is noted and passed over. */
    bool may_fail;
};

/* What it is made of. All borrowed for the call. */
struct sl_ddl_input {
    const struct sl_job    *job;
    const struct sl_schema *schema;       /* before the job is applied */
    struct sl_slice         query;        /* of the binlog */
    int32_t                 schema_state; /* of the binlog; 0 when it has none */
    enum sl_ddl_target      target;
};

/* Is it "select setval ...", which is no DDL? TiDB has no job of it to look up. */
bool sl_ddl_is_setval(struct sl_slice query);

/* Make the action; it is the caller's. Fails with SL_INVALID when the job lacks what its kind must
 * have, which the tracker would refuse as well. */
enum sl_err sl_ddl_plan(const struct sl_ddl_input *input, struct sl_ddl_action **out,
                        struct sl_why *why);
/* Free and null the pointer. *action may be NULL. */
void sl_ddl_action_free(struct sl_ddl_action **action);

#endif
