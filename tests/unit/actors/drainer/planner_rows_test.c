/* Rows cut into windows: whatever their number and size, all of them come once and in order, with
 * the ordinals that they have in one piece, and no window takes more than it may, but for a row
 * that is larger alone. What is checked step by step is told to be forgotten. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/planner_private.h"
#include "base/prng.h"
#include "binlog/job.h"

enum { ROWS_MAX = 2000, MUTATIONS_MAX = 3, ROW_BYTES_MAX = 3000 };

/* A prewrite value under construction. */
struct text {
    uint8_t *bytes;
    size_t   len;
};

static uint8_t image[ROWS_MAX * (ROW_BYTES_MAX + 8)];

static void put_varint(struct text *t, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        t->bytes[t->len++] = (uint8_t)(value | 0x80);
    t->bytes[t->len++] = (uint8_t)value;
}

/* Inserts, each beginning with its number in four bytes. */
static void put_mutation(struct text *t, int64_t table_id, uint32_t first, uint32_t rows,
                         uint32_t row_bytes)
{
    struct text inner = {image, 0};

    put_varint(&inner, 1 << 3);
    put_varint(&inner, (uint64_t)table_id);
    for (uint32_t i = first; i < first + rows; i++) {
        put_varint(&inner, 2 << 3 | 2);
        put_varint(&inner, row_bytes);
        memset(inner.bytes + inner.len, 0, row_bytes);
        memcpy(inner.bytes + inner.len, &i, sizeof i);
        inner.len += row_bytes;
    }
    for (uint32_t i = 0; i < rows; i++) {
        put_varint(&inner, 7 << 3);
        put_varint(&inner, 0);
    }
    put_varint(t, 2 << 3 | 2);
    put_varint(t, inner.len);
    memcpy(t->bytes + t->len, inner.bytes, inner.len);
    t->len += inner.len;
}

/* ---- a schema with a table ---- */

static struct sl_schema *schema;
static int64_t           table_id;

static enum sl_err note_table(void *context, struct sl_table *table)
{
    (void)context;
    if (strcmp((const char *)table->schema.bytes, "mysql") != 0)
        table_id = table->id;
    return SL_OK;
}

static int set_up(void **state)
{
    FILE   *file = fopen("tests/corpus/bank/ddl-history.jsonl", "r");
    char   *line = NULL;
    size_t  room = 0;
    ssize_t len;

    (void)state;
    assert_non_null(file);
    schema = sl_schema_new();
    while ((len = getline(&line, &room, file)) > 0) {
        struct sl_job *job = NULL;

        assert_int_equal(
            sl_job_parse((struct sl_slice){(const uint8_t *)line, (size_t)len}, &job, NULL), SL_OK);
        assert_int_equal(sl_schema_apply(schema, job, NULL), SL_OK);
        sl_job_free(&job);
    }
    free(line);
    (void)fclose(file);
    assert_int_equal(sl_schema_each(schema, note_table, NULL), SL_OK);
    assert_int_not_equal(table_id, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sl_schema_free(&schema);
    return 0;
}

/* ---- checks ---- */

struct keeper {
    struct sl_buf_keeper keeper;
    uint32_t             forgotten;
};

static void release(struct sl_buf_keeper *keeper, uint8_t *data, size_t len)
{
    (void)keeper;
    (void)len;
    free(data);
}

static void forget(struct sl_buf_keeper *keeper, uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    ((struct keeper *)(void *)keeper)->forgotten++;
}

static struct sl_window *window_of(struct sl_buf *record)
{
    struct sl_window *w = sl_window_new(0);

    w->txns[w->txn_count++] = (struct sl_window_txn){.commit_ts = 7, .owner = sl_buf_ref(record)};
    return w;
}

/* The rows of a window are number *next and those behind it. */
static void check_rows(const struct sl_window *w, uint32_t *next, const uint32_t *firsts)
{
    for (uint32_t i = 0; i < w->plan_count; i++) {
        struct sl_row_walk walk = w->plans[i].rows;

        assert_int_equal(w->plans[i].txn, 0);
        assert_int_equal(w->plans[i].table->id, table_id);
        for (uint64_t j = 0; j < w->plans[i].row_count; j++) {
            uint64_t          ordinal = w->plans[i].first_ordinal + j;
            uint32_t          place = (uint32_t)(ordinal >> 40);
            struct sl_raw_row row;

            assert_int_equal(sl_row_walk_next(&walk, &row, NULL), SL_OK);
            assert_memory_equal(row.bytes.bytes, next, sizeof *next);
            assert_int_equal((uint32_t)ordinal, *next - firsts[place]);
            ++*next;
        }
    }
}

/* Plans one made-up transaction; how many windows it took. */
static uint32_t cut(struct sl_prng *prng, uint64_t bytes_max)
{
    struct sl_verdicts         verdicts;
    const struct planner_tools tools = {
        .schema = schema, .verdicts = &verdicts, .bytes_max = bytes_max};
    struct planner_rows rows = {0};
    struct sl_prewrite  prewrite = {0};
    struct keeper       keeper = {{release, forget}, 0};
    struct text         value = {malloc(MUTATIONS_MAX * sizeof image), 0};
    uint32_t            firsts[MUTATIONS_MAX + 1] = {0};
    uint32_t            mutations = (uint32_t)sl_prng_range(prng, 1, MUTATIONS_MAX);
    uint32_t            windows = 0;
    uint32_t            next = 0;
    struct sl_buf      *record;
    enum sl_err         err = SL_AGAIN;

    for (uint32_t i = 0; i < mutations; i++) {
        uint32_t count = (uint32_t)sl_prng_range(prng, 0, ROWS_MAX / 4);

        put_mutation(&value, table_id, firsts[i], count,
                     (uint32_t)sl_prng_range(prng, 4, ROW_BYTES_MAX));
        firsts[i + 1] = firsts[i] + count;
    }
    record = sl_buf_wrap(value.bytes, value.len, &keeper.keeper);
    sl_verdicts_init(&verdicts, NULL, NULL);
    assert_int_equal(sl_prewrite_open(sl_slice_from_buf(record), &prewrite, NULL), SL_OK);
    planner_rows_begin(&rows, &prewrite, false);
    while (err != SL_OK) {
        struct sl_window *w = window_of(record);
        uint64_t          count = 0;

        while ((err = planner_rows_plan(&rows, &tools, w)) == SL_AGAIN) {
        }
        assert_true(err == SL_OK || err == SL_FULL);
        assert_int_equal(rows.is_open, err == SL_FULL);
        for (uint32_t i = 0; i < w->plan_count; i++)
            count += w->plans[i].row_count;
        assert_true(w->bytes <= bytes_max || count == 1);
        assert_true(err == SL_OK || count > 0);
        check_rows(w, &next, firsts);
        sl_window_free(&w);
        windows++;
    }
    assert_int_equal(next, firsts[mutations]);
    sl_verdicts_done(&verdicts);
    assert_true(keeper.forgotten >= windows);
    sl_buf_free(&record);
    return windows;
}

static void all_rows_come_once_and_in_order(void **state)
{
    static const uint64_t bounds[] = {1, 2000, 50000, 1 << 20, 1 << 30};
    struct sl_prng        prng;
    uint32_t              windows[sizeof bounds / sizeof *bounds] = {0};

    (void)state;
    sl_prng_seed(&prng, 5);
    for (unsigned round = 0; round < 10; round++) {
        for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
            windows[i] += cut(&prng, bounds[i]);
    }
    assert_true(windows[0] > 1000); /* a row each */
    assert_int_equal(windows[4], 10);
    assert_int_equal(sl_buf_live_count(), 0);
}

static void a_table_that_nobody_made_is_refused(void **state)
{
    struct sl_verdicts         verdicts;
    const struct planner_tools tools = {
        .schema = schema, .verdicts = &verdicts, .bytes_max = 1 << 20};
    struct planner_rows rows = {0};
    struct sl_prewrite  prewrite = {0};
    struct sl_buf      *record = sl_buf_new(0);
    struct sl_window   *w = window_of(record);
    struct text         value = {malloc(sizeof image), 0};

    (void)state;
    put_mutation(&value, 987654321, 0, 1, 4);
    sl_verdicts_init(&verdicts, NULL, NULL);
    assert_int_equal(sl_prewrite_open((struct sl_slice){value.bytes, value.len}, &prewrite, NULL),
                     SL_OK);
    planner_rows_begin(&rows, &prewrite, false);
    assert_int_equal(planner_rows_plan(&rows, &tools, w), SL_NOT_FOUND);
    assert_non_null(strstr(w->why.text, "table id 987654321"));
    assert_false(rows.is_open);
    sl_verdicts_done(&verdicts);
    sl_window_free(&w);
    sl_buf_free(&record);
    free(value.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows_come_once_and_in_order),
        cmocka_unit_test(a_table_that_nobody_made_is_refused),
    };

    return cmocka_run_group_tests_name("planner_rows", tests, set_up, tear_down);
}
