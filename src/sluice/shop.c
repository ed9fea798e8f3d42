#include "sluice/shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/prng.h"
#include "binlog/message.h"
#include "binlog/record.h"
#include "sluice/pair.h"
#include "sluice/row_bytes.h"
#include "sluice/shop_rows.h"

/* Sizes of the shop. */
enum {
    STOCK_ROWS = 64,
    ORDER_ROWS = 4096,
    STOCK_AT_ONCE = SHOP_CHANGES_MAX, /* rows of one of the first transactions */
    QUANTITY_MAX = 1000,
    BOUGHT_MAX = 5,
    PRICE_MAX = 10000,
    LOOKS = 16,      /* at random rows for one that will do */
    ABORT_OF = 50,   /* one transaction of so many is rolled back */
    JOB_EVERY = 250, /* transactions between two DDL jobs */
};

static_assert(STOCK_ROWS % STOCK_AT_ONCE == 0, "the first transactions fill the stock");

/* Columns that transactions look at; those that jobs add stand behind. */
enum { STOCK_ITEM = 1, STOCK_QUANTITY = 2, STOCK_PRICE = 3 };
enum { ORDER_ITEM = 1, ORDER_QUANTITY = 2, ORDER_STATE = 3 };
enum { PAYMENT_AMOUNT = 1, PAYMENT_METHOD = 2 };

/* What a caller is at. */
struct txn {
    struct shop_change changes[SHOP_CHANGES_MAX];
    uint32_t           count;
    bool               aborts;
};

struct shop {
    struct mix           mix;
    const struct sl_env *env;
    const char          *ddl_history; /* borrowed; or NULL */
    uint64_t             cluster_id;
    struct sl_prng       prng;
    struct shop_schema   schema;
    /* The history has the job, whose commit is under way. */
    int64_t         job_id;
    const char     *job_query;
    bool            job_runs;
    uint32_t        since_job; /* transactions */
    int64_t         last_order_id;
    struct txn     *txns; /* owned; of each caller */
    struct shop_row stock[STOCK_ROWS];
    struct shop_row orders[ORDER_ROWS];
    struct shop_row payments[ORDER_ROWS]; /* of the order in the same place */
};

static struct shop *shop_of(struct mix *mix)
{
    return (struct shop *)(void *)mix;
}

static uint64_t below(struct shop *s, uint64_t end)
{
    return sl_prng_below(&s->prng, end);
}

static struct shop_row *rows_of(struct shop *s, int table, uint32_t *count)
{
    *count = table == SHOP_STOCK ? STOCK_ROWS : ORDER_ROWS;
    if (table == SHOP_STOCK)
        return s->stock;
    return table == SHOP_ORDERS ? s->orders : s->payments;
}

/* ---- DDL jobs ---- */

static bool has_job(struct mix *mix)
{
    const struct shop *s = shop_of(mix);

    return s->job_runs || shop_schema_is_making(&s->schema) || s->since_job >= JOB_EVERY;
}

static struct sl_buf *job_prewrite(struct mix *mix, sl_ts start_ts)
{
    struct shop *s = shop_of(mix);

    s->job_runs = true;
    s->job_id = shop_job_id(&s->schema);
    s->job_query = shop_job_query(&s->schema);
    return pair_ddl(s->cluster_id, start_ts, 0, s->job_id, s->job_query);
}

/* What a job does to the columns, its rows feel. */
static void follow(struct shop *s, const struct shop_step *step)
{
    uint32_t         count;
    struct shop_row *rows = rows_of(s, step->table, &count);
    const uint32_t   behind = SHOP_COLUMNS_MAX - step->column - 1;

    for (uint32_t i = 0; i < count; i++) {
        struct shop_value *cell = &rows[i].cells[step->column];

        if (step->does == SHOP_ADDS)
            *cell = shop_default(&s->schema.tables[step->table].columns[step->column]);
        else
            memmove(cell, cell + 1, behind * sizeof *cell);
    }
}

static enum sl_err job_finish(struct mix *mix, sl_ts start_ts, sl_ts commit_ts, struct sl_buf **out,
                              struct sl_why *why)
{
    struct shop     *s = shop_of(mix);
    struct shop_step step = shop_job_step(&s->schema);
    char             line[SHOP_LINE_BYTES_MAX];
    size_t           len = shop_job_run(&s->schema, start_ts, commit_ts, line);
    enum sl_err      err = SL_OK;

    if (step.does != SHOP_KEEPS)
        follow(s, &step);
    if (s->ddl_history != NULL)
        err = ddl_append_line(s->env->fs, s->ddl_history, line, len, why);
    if (err == SL_OK)
        *out = pair_ddl(s->cluster_id, start_ts, commit_ts, s->job_id, s->job_query);
    return err;
}

static void job_over(struct mix *mix)
{
    struct shop *s = shop_of(mix);

    s->job_runs = false;
    s->since_job = 0;
}

/* ---- transactions: each takes the rows it touches, or does nothing and says false ---- */

/* The row after the change, which begins as it is before. */
static struct shop_row *change(struct txn *txn, enum shop_table_number table, struct shop_row *row)
{
    struct shop_change *c = &txn->changes[txn->count++];

    SL_ASSERT(!row->is_busy && txn->count <= SHOP_CHANGES_MAX);
    row->is_busy = true;
    *c = (struct shop_change){.table = table, .row = row, .after = *row};
    c->after.exists = true;
    return &c->after;
}

/* A new row has the defaults of its columns where nothing else is said. */
static struct shop_row *insert(struct shop *s, struct txn *txn, enum shop_table_number table,
                               struct shop_row *row, int64_t id)
{
    const struct shop_table *t = &s->schema.tables[table];
    struct shop_row         *after = change(txn, table, row);

    for (uint32_t i = 0; i < t->column_count; i++)
        after->cells[i] = shop_default(&t->columns[i]);
    after->cells[0] = shop_int(id);
    return after;
}

static bool is_free(const struct shop_row *row)
{
    return row->exists && !row->is_busy;
}

static struct shop_row *some_stock(struct shop *s)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        struct shop_row *row = &s->stock[below(s, STOCK_ROWS)];

        if (is_free(row))
            return row;
    }
    return NULL;
}

/* An order in that state; NULL: a place without one. */
static struct shop_row *some_order(struct shop *s, const char *state)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        struct shop_row *row = &s->orders[below(s, ORDER_ROWS)];

        if (row->is_busy || s->payments[row - s->orders].is_busy)
            continue;
        if (state == NULL ? !row->exists
                          : row->exists && strcmp(row->cells[ORDER_STATE].text, state) == 0)
            return row;
    }
    return NULL;
}

static struct shop_row *payment_of(struct shop *s, const struct shop_row *order)
{
    return &s->payments[order - s->orders];
}

static bool fill_stock(struct shop *s, struct txn *txn)
{
    for (uint32_t i = 0; i < STOCK_ROWS && txn->count < STOCK_AT_ONCE; i++) {
        struct shop_row *after;
        char             item[SHOP_TEXT_BYTES_MAX];

        if (s->stock[i].exists || s->stock[i].is_busy)
            continue;
        after = insert(s, txn, SHOP_STOCK, &s->stock[i], i + 1);
        (void)snprintf(item, sizeof item, "thing no. %" PRIu32 " \xc3\xbc", i + 1);
        after->cells[STOCK_ITEM] = shop_text(item);
        after->cells[STOCK_QUANTITY] = shop_int(QUANTITY_MAX);
        after->cells[STOCK_PRICE] = shop_int((int64_t)below(s, PRICE_MAX) + 1);
    }
    return txn->count > 0;
}

static bool restock(struct shop *s, struct txn *txn)
{
    struct shop_row *stock = some_stock(s);

    if (stock == NULL)
        return false;
    change(txn, SHOP_STOCK, stock)->cells[STOCK_QUANTITY].number = QUANTITY_MAX;
    return true;
}

static bool place(struct shop *s, struct txn *txn)
{
    struct shop_row *stock = some_stock(s);
    struct shop_row *order = some_order(s, NULL);
    struct shop_row *after;
    int64_t          bought = (int64_t)below(s, BOUGHT_MAX) + 1;

    if (stock == NULL || order == NULL || stock->cells[STOCK_QUANTITY].number < bought)
        return false;
    after = insert(s, txn, SHOP_ORDERS, order, ++s->last_order_id);
    after->cells[ORDER_ITEM] = stock->cells[0];
    after->cells[ORDER_QUANTITY] = shop_int(bought);
    after->cells[ORDER_STATE] = shop_text("new");
    change(txn, SHOP_STOCK, stock)->cells[STOCK_QUANTITY].number -= bought;
    return true;
}

static bool pay(struct shop *s, struct txn *txn)
{
    static const char *const methods[] = {"card", "transfer", NULL};
    struct shop_row         *order = some_order(s, "new");
    struct shop_row         *after;
    const char              *method = methods[below(s, sizeof methods / sizeof *methods)];

    if (order == NULL)
        return false;
    after = insert(s, txn, SHOP_PAYMENTS, payment_of(s, order), order->cells[0].number);
    after->cells[PAYMENT_AMOUNT] =
        shop_int(order->cells[ORDER_QUANTITY].number * (int64_t)(1 + below(s, PRICE_MAX)));
    if (method != NULL)
        after->cells[PAYMENT_METHOD] = shop_text(method);
    change(txn, SHOP_ORDERS, order)->cells[ORDER_STATE] = shop_text("paid");
    return true;
}

static bool ship(struct shop *s, struct txn *txn)
{
    struct shop_row *order = some_order(s, "paid");

    if (order == NULL)
        return false;
    change(txn, SHOP_ORDERS, order)->cells[ORDER_STATE] = shop_text("shipped");
    return true;
}

static bool cancel(struct shop *s, struct txn *txn)
{
    struct shop_row *order = some_order(s, "new");
    struct shop_row *stock;

    if (order == NULL)
        return false;
    stock = &s->stock[order->cells[ORDER_ITEM].number - 1];
    if (!is_free(stock))
        return false;
    change(txn, SHOP_STOCK, stock)->cells[STOCK_QUANTITY].number +=
        order->cells[ORDER_QUANTITY].number;
    change(txn, SHOP_ORDERS, order)->exists = false;
    return true;
}

static bool put_away(struct shop *s, struct txn *txn)
{
    struct shop_row *order = some_order(s, "shipped");

    if (order == NULL)
        return false;
    change(txn, SHOP_ORDERS, order)->exists = false;
    change(txn, SHOP_PAYMENTS, payment_of(s, order))->exists = false;
    return true;
}

static bool choose(struct shop *s, struct txn *txn)
{
    static const struct {
        unsigned percent;
        bool (*begin)(struct shop *s, struct txn *txn);
    } kinds[] = {{40, place}, {25, pay}, {15, ship}, {8, cancel}, {12, put_away}};
    uint64_t drawn = below(s, 100);

    if (fill_stock(s, txn))
        return true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (drawn < kinds[i].percent)
            return kinds[i].begin(s, txn) || restock(s, txn);
        drawn -= kinds[i].percent;
    }
    return restock(s, txn);
}

/* ---- a caller's transaction ---- */

static struct sl_buf *begin(struct mix *mix, uint32_t caller, sl_ts start_ts)
{
    struct shop     *s = shop_of(mix);
    struct txn      *txn = &s->txns[caller];
    uint8_t          key[ROW_KEY_BYTES];
    struct sl_record record = {.type = SL_RECORD_PREWRITE,
                               .start_ts = start_ts,
                               .prewrite_key = {key, sizeof key},
                               .has_schema_state = true};
    struct sl_buf   *value;
    struct sl_buf   *out;

    txn->count = 0;
    if (!choose(s, txn))
        return NULL;
    txn->aborts = below(s, ABORT_OF) == 0;
    s->since_job++;
    (void)row_put_key(key, s->schema.tables[txn->changes[0].table].id,
                      txn->changes[0].after.cells[0].number);
    value = shop_prewrite_value(&s->schema, txn->changes, txn->count);
    record.prewrite_value = sl_slice_from_buf(value);
    out = sl_message_write_record(s->cluster_id, &record);
    sl_buf_free(&value);
    return out;
}

static bool aborts(struct mix *mix, uint32_t caller)
{
    return shop_of(mix)->txns[caller].aborts;
}

static struct sl_buf *finish(struct mix *mix, uint32_t caller, sl_ts start_ts, sl_ts commit_ts)
{
    const struct shop      *s = shop_of(mix);
    const struct txn       *txn = &s->txns[caller];
    const struct pair_table table = {.cluster_id = s->cluster_id,
                                     .table_id = s->schema.tables[txn->changes[0].table].id};

    return pair_finish_row(&table, txn->changes[0].after.cells[0].number, start_ts, commit_ts);
}

static void over(struct mix *mix, uint32_t caller, bool committed)
{
    struct txn *txn = &shop_of(mix)->txns[caller];

    for (uint32_t i = 0; i < txn->count; i++) {
        struct shop_change *c = &txn->changes[i];

        if (committed)
            *c->row = c->after;
        c->row->is_busy = false;
    }
    txn->count = 0;
}

/* ---- the shop ---- */

static void free_shop(struct mix *mix)
{
    free(shop_of(mix)->txns);
    free(mix);
}

static const struct mix_ops ops = {
    .free = free_shop,
    .has_job = has_job,
    .job_prewrite = job_prewrite,
    .job_finish = job_finish,
    .job_over = job_over,
    .begin = begin,
    .aborts = aborts,
    .finish = finish,
    .over = over,
};

enum sl_err shop_new(const struct sl_env *env, uint64_t cluster_id, uint32_t callers,
                     const char *ddl_history, struct mix **out, struct sl_why *why)
{
    struct ddl_end end;
    struct shop   *s;
    enum sl_err    err = ddl_read_end(env->fs, ddl_history, "shop", &end, why);

    if (err != SL_OK)
        return err;
    if (end.has_database)
        return sl_fail(why, SL_EXISTS,
                       "%s has a database shop already: the shop begins with an empty one, so "
                       "give it a cluster without",
                       ddl_history);
    s = calloc(1, sizeof *s);
    SL_ASSERT(s != NULL);
    s->mix.ops = &ops;
    s->env = env;
    s->ddl_history = ddl_history;
    s->cluster_id = cluster_id;
    s->schema = shop_schema_behind(&end);
    s->txns = calloc(callers, sizeof *s->txns);
    SL_ASSERT(s->txns != NULL);
    sl_prng_seed(&s->prng, cluster_id);
    *out = &s->mix;
    return SL_OK;
}

void shop_expect(const struct mix *shop, struct compare *compare)
{
    const struct shop *s = (const struct shop *)(const void *)shop;

    for (int table = 0; table < SHOP_TABLES; table++) {
        const struct shop_table *t = &s->schema.tables[table];
        const struct shop_row   *rows = table == SHOP_STOCK    ? s->stock
                                        : table == SHOP_ORDERS ? s->orders
                                                               : s->payments;
        struct sl_buf           *text;
        char                     name[SL_NAME_BYTES_MAX];

        if (t->id == 0)
            continue;
        text = shop_table_text(t, rows, table == SHOP_STOCK ? STOCK_ROWS : ORDER_ROWS);
        (void)snprintf(name, sizeof name, "shop.%s", t->name);
        compare_expect_table(compare, name, &text);
    }
}
