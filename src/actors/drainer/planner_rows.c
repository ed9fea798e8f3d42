/* The rows of a transaction, cut into windows. What a row takes is known before it is decoded: a
 * place for each column, its bytes as they stand, and about as many again as text and as SQL. A
 * mutation that fits whole is not looked at row by row. */

#include "actors/drainer/planner_private.h"

#include <inttypes.h>

#include "base/assert.h"

/* A row's ordinal: the place of its mutation in the record, and its place in the mutation. */
enum { ORDINAL_ROW_BITS = 40 };

/* ---- what rows take ---- */

/* Beside what it holds: its place in lists, its keys. */
enum { ROW_BYTES = sizeof(struct sl_window_change) + 64 };
/* A value with a short text of its own, as that of a date. */
enum { VALUE_BYTES = sizeof(struct sl_value) + 16 };
/* The bytes of the record, text made of them, SQL made of that. */
enum { BYTES_FACTOR = 3 };

static uint64_t row_cost(const struct sl_table *table, uint64_t images, uint64_t bytes)
{
    return ROW_BYTES + images * table->column_count * VALUE_BYTES + BYTES_FACTOR * bytes;
}

/* At most, as if all were updates. */
static uint64_t cost_of_all(const struct sl_window_plan *plan)
{
    return plan->row_count * row_cost(plan->table, 2, 0) + BYTES_FACTOR * plan->rows.bytes.len;
}

/* ---- a mutation ---- */

static enum sl_err refuse_unknown(struct sl_window *w, int64_t table_id,
                                  const struct sl_prewrite *prewrite)
{
    return sl_fail(&w->why, SL_NOT_FOUND,
                   "a row of table id %" PRId64 " (schema version %" PRId64
                   "), which no DDL job made: start the drainer with the complete DDL history as "
                   "schema-source, or leave the transaction out with ignore-txn-commit-ts",
                   table_id, prewrite->schema_version);
}

static void forget_mutation(struct planner_rows *rows)
{
    sl_table_free(&rows->left.table);
    sl_table_free(&rows->left.written_as);
    rows->left = (struct sl_window_plan){0};
    rows->is_checking = rows->is_skipped = false;
}

/* It is under way from now on, unless nobody is interested in it. */
static enum sl_err begin_mutation(struct planner_rows *rows, const struct planner_tools *tools,
                                  const struct sl_mutation *mutation, struct sl_window *w)
{
    const uint64_t         place = rows->place++;
    struct sl_window_plan *left = &rows->left;
    struct sl_table       *table;
    struct sl_verdict      verdict;
    enum sl_err            err;

    switch (sl_schema_fate(tools->schema, mutation->table_id)) {
    case SL_TABLE_LIVE: break;
    case SL_TABLE_SYSTEM:
    case SL_TABLE_TRUNCATED: /* late: the upstream has them no more */
    case SL_TABLE_DROPPED: return SL_OK;
    case SL_TABLE_UNKNOWN: return refuse_unknown(w, mutation->table_id, &rows->prewrite);
    }
    table = sl_schema_table(tools->schema, mutation->table_id);
    if ((err = sl_verdict_of_table(tools->verdicts, table, &verdict, &w->why)) != SL_OK)
        return err;
    rows->is_skipped = verdict.is_skipped;
    left->table = sl_table_ref(table);
    left->written_as = sl_table_ref(
        sl_schema_table_at(tools->schema, mutation->table_id, rows->prewrite.schema_version));
    left->is_old = rows->is_old;
    left->first_ordinal = place << ORDINAL_ROW_BITS;
    left->kinds_skipped = verdict.kinds_skipped;
    rows->is_checking = true;
    sl_row_check_begin(mutation->bytes, &rows->check);
    return SL_OK;
}

/* Its structure is sound, and its rows are counted; SL_AGAIN as above. What was looked at need not
 * stay in memory: of a large one the rows are walked much later. */
static enum sl_err check_mutation(struct planner_rows *rows, const struct planner_tools *tools,
                                  struct sl_window *w)
{
    struct sl_window_plan *left = &rows->left;
    enum sl_err            err =
        sl_row_check_step(&rows->check, SL_ROW_CHECK_BYTES, &left->rows, &left->row_count, &w->why);

    if (err == SL_AGAIN) {
        sl_buf_forget(w->txns[w->txn_count - 1].owner);
        return err;
    }
    rows->is_checking = false;
    if (rows->is_skipped) { /* of one that cannot be read nobody knows how many */
        w->why = (struct sl_why){0};
        sl_metric_add(tools->skipped, err == SL_OK ? left->row_count : 0);
        forget_mutation(rows);
        return SL_OK;
    }
    return err == SL_OK
               ? SL_OK
               : sl_wrap(&w->why, err, "table %s.%s", (const char *)left->table->schema.bytes,
                         (const char *)left->table->name.bytes);
}

/* ---- into the window ---- */

static void add_plan(const struct planner_rows *rows, uint64_t count, uint64_t cost,
                     struct sl_window *w)
{
    struct sl_window_plan *plan = sl_window_add_plan(w);

    *plan = rows->left;
    plan->txn = w->txn_count - 1;
    plan->row_count = count;
    (void)sl_table_ref(plan->table);
    (void)sl_table_ref(plan->written_as);
    w->bytes += cost;
}

/* As many rows as there is room for, one at least if the window has nothing yet. */
static enum sl_err add_some(struct planner_rows *rows, uint64_t bytes_max, struct sl_window *w)
{
    struct sl_window_plan *left = &rows->left;
    struct sl_row_walk     walk = left->rows;
    struct sl_row_walk     behind = walk; /* the rows that are added */
    uint64_t               count = 0;
    uint64_t               cost = 0;
    struct sl_raw_row      row;
    enum sl_err            err = SL_OK;

    while (count < left->row_count && (err = sl_row_walk_next(&walk, &row, &w->why)) == SL_OK) {
        uint64_t images = row.kind == SL_CHANGE_UPDATE ? 2 : 1;
        uint64_t more = row_cost(left->table, images, row.bytes.len);

        if (w->bytes + cost + more > bytes_max && w->bytes + cost > 0)
            break;
        cost += more;
        count++;
        behind = walk;
    }
    if (err != SL_OK)
        return err;
    if (count > 0)
        add_plan(rows, count, cost, w);
    left->rows = behind;
    left->row_count -= count;
    left->first_ordinal += count;
    return left->row_count > 0 ? SL_FULL : SL_OK;
}

static enum sl_err add_rows(struct planner_rows *rows, uint64_t bytes_max, struct sl_window *w)
{
    uint64_t    cost = cost_of_all(&rows->left);
    enum sl_err err;

    if (rows->left.row_count == 0) {
        forget_mutation(rows);
        return SL_OK;
    }
    if (w->bytes + cost <= bytes_max) {
        add_plan(rows, rows->left.row_count, cost, w);
        err = SL_OK;
    } else {
        err = add_some(rows, bytes_max, w);
    }
    if (err == SL_OK)
        forget_mutation(rows);
    return err;
}

/* ---- a transaction ---- */

void planner_rows_begin(struct planner_rows *rows, const struct sl_prewrite *prewrite, bool is_old)
{
    SL_ASSERT(!rows->is_open);
    *rows = (struct planner_rows){.is_open = true, .is_old = is_old, .prewrite = *prewrite};
}

void planner_rows_end(struct planner_rows *rows)
{
    forget_mutation(rows);
    rows->is_open = false;
}

/* *is_over: there is none any more. */
static enum sl_err next_mutation(struct planner_rows *rows, struct sl_mutation *out, bool *is_over,
                                 struct sl_why *why)
{
    enum sl_err err = sl_prewrite_next(&rows->prewrite, out, why);

    *is_over = err == SL_NOT_FOUND;
    return *is_over ? SL_OK : err;
}

enum sl_err planner_rows_plan(struct planner_rows *rows, const struct planner_tools *tools,
                              struct sl_window *window)
{
    bool        is_over = false;
    enum sl_err err = SL_OK;

    while (err == SL_OK && !is_over) {
        struct sl_mutation mutation;

        if (rows->is_checking)
            err = check_mutation(rows, tools, window);
        else if (rows->left.table != NULL)
            err = add_rows(rows, tools->bytes_max, window);
        else if ((err = next_mutation(rows, &mutation, &is_over, &window->why)) == SL_OK &&
                 !is_over)
            err = begin_mutation(rows, tools, &mutation, window);
    }
    if (err != SL_FULL && err != SL_AGAIN)
        planner_rows_end(rows);
    return err;
}
