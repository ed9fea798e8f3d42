#ifndef SL_BINLOG_STATEMENT_H
#define SL_BINLOG_STATEMENT_H

/* Row changes as SQL: as many changes of one table as possible in one statement (codec spec 4.6,
 * 5.6).
 *
 *     INSERT INTO `d`.`t`(`a`,`b`) VALUES (1,'x'),(2,'y')       REPLACE likewise
 *     DELETE FROM `d`.`t` WHERE `a` IN (1,2)                    or (`a`,`b`) IN ((1,2),(3,4))
 *     UPDATE `d`.`t` SET `b`='y' WHERE `a`=1 LIMIT 1
 *
 * A row is found by the first unique key of the downstream, the primary one first, whose columns
 * are all in the image and not NULL; without one, by all columns, and then each change is a
 * statement of its own with LIMIT 1, since there may be several equal rows. Columns are matched by
 * name, without regard to case; generated columns of either side are left to the downstream, and a
 * column that a row does not have (ABSENT) is not mentioned, so rows with different columns do not
 * share a statement.
 *
 * The maker is given changes one by one and says when one does not join the open statement:
 *
 *     while ((err = sl_statement_add(maker, op, change, why)) == SL_FULL)
 *         run(sl_statement_text(maker)), sl_statement_clear(maker);
 *
 * Within one statement rows stand in the order given; of a DELETE the order does not matter. What
 * may be reordered or folded is decided before. Used by one thread at a time; does not block. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "binlog/change.h"
#include "binlog/sink_table.h"

struct sl_statement_maker;

/* What is done with a change, whatever its kind. */
enum sl_statement_op {
    SL_STATEMENT_INSERT, /* the new image; fails downstream when there is a row with its key */
    /* The new image, in place of all rows that share a unique key with it. Columns that it does not
     * mention get their defaults, whatever they were. */
    SL_STATEMENT_REPLACE,
    SL_STATEMENT_UPDATE, /* of an update: what is new in the row of the old image */
    SL_STATEMENT_DELETE, /* the old image of an update, the image of others */
};

/* What statements may be like; fixed for the life of a maker. */
struct sl_statement_options {
    size_t
        bytes_max; /* of one statement: what the server takes; at most SL_MYSQL_PACKET_BYTES_MAX */
    uint32_t rows_max; /* in one statement: 1..SL_STATEMENT_ROWS_MAX */
    bool is_partial;   /* sync-mode 2: columns that the downstream lacks are dropped, not refused */
    bool no_backslash_escapes; /* of the session */
    bool has_utf8mb4;          /* of the session */
};

/* A maker without a table. Owned: sl_statement_maker_free. */
struct sl_statement_maker *sl_statement_maker_new(const struct sl_statement_options *options);
/* Nulls the pointer; *maker may be NULL. */
void sl_statement_maker_free(struct sl_statement_maker **maker);

/* The changes that follow are of this version of a table, and go to that table. No statement is
 * open, unless both are the same as before. Both are borrowed until the next call. SL_INVALID: a
 * column that changes have is not in the downstream, and is_partial is off. */
enum sl_err sl_statement_use(struct sl_statement_maker *maker, const struct sl_table *table,
                             const struct sl_sink_table *sink, struct sl_why *why);

/* Add a change of the table in use.
 *
 *     SL_OK         it is in the open statement; or it has no effect (an UPDATE of nothing)
 *     SL_FULL       it does not go into the open statement: run that, clear, add again
 *     SL_TOO_LARGE  a statement for this row alone would be longer than bytes_max
 *     SL_INVALID    the change is not of the table in use, or op does not go with it */
enum sl_err sl_statement_add(struct sl_statement_maker *maker, enum sl_statement_op op,
                             const struct sl_change *change, struct sl_why *why);

/* Changes in the open statement; 0: none is open. */
uint32_t sl_statement_rows(const struct sl_statement_maker *maker);
/* The open statement, which takes no more changes; empty when none is open. Valid until the next
 * call. */
struct sl_slice sl_statement_text(struct sl_statement_maker *maker);
/* Forget the open statement. */
void sl_statement_clear(struct sl_statement_maker *maker);

#endif
