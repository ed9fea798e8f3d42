/* B10, translate: records of 16 changed rows, from their bytes to SQL text for a downstream: found,
 * decoded, made into REPLACE, UPDATE and DELETE. The limit is the walk of B9 alone, written by hand
 * for these very rows, which makes no text. */

#include <stdio.h>
#include <stdlib.h>

#include "base/env_os.h"
#include "binlog/change.h"
#include "binlog/record.h"
#include "binlog/statement.h"
#include "binlog/table_private.h"
#include "decode_probe.h"
#include "harness.h"

enum { NAME_BYTES = 8, STATEMENT_BYTES = 1 << 20, STATEMENT_ROWS = 1024 };

struct translator {
    uint32_t                   columns;
    char                       names[PROBE_COLUMNS_MAX][NAME_BYTES];
    struct sl_table           *table; /* owned, as are the others */
    struct sl_sink_table      *sink;
    struct sl_zone            *zone;
    struct sl_statement_maker *maker;
    struct sl_arena            arena;
    uint64_t                   text_bytes;
};

/* ---- both sides of the table ---- */

static struct sl_table *table_new(const struct translator *t)
{
    struct sl_arena   memory = {0};
    struct sl_column *all = sl_arena_alloc(&memory, t->columns * sizeof *all);

    for (uint32_t i = 0; i < t->columns; i++) {
        all[i] = (struct sl_column){
            .id = i + 1,
            .name = sl_slice_from_string(t->names[i]),
            .type = i % 2 == 0 ? SL_TYPE_LONGLONG : SL_TYPE_VARCHAR,
            .state = SL_SCHEMA_PUBLIC,
            .flags = i == 0 ? SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL : 0,
            .flen = -1,
            .decimal = -1,
        };
    }
    return sl_table_seal(
        &memory, &(struct sl_table){
                     .id = 47, .columns = all, .column_count = t->columns, .pk_is_handle = true});
}

static bool make_sink(struct translator *t)
{
    struct sl_sink_table_builder *b =
        sl_sink_table_begin(sl_slice_from_string("bench"), sl_slice_from_string("t"));
    bool good = true;

    for (uint32_t i = 0; i < t->columns && good; i++) {
        const struct sl_sink_column_row row = {.name = t->names[i],
                                               .type = i % 2 == 0 ? "bigint" : "varchar",
                                               .nullable = i == 0 ? "NO" : "YES",
                                               .extra = "",
                                               .collation = i % 2 == 0 ? NULL : "utf8mb4_bin"};

        good = sl_sink_table_add_column(b, &row, NULL) == SL_OK;
    }
    good = good && sl_sink_table_add_part(
                       b, &(struct sl_sink_part_row){.index = "PRIMARY", .column = t->names[0]},
                       NULL) == SL_OK;
    if (good)
        return sl_sink_table_finish(&b, &t->sink, NULL) == SL_OK;
    sl_sink_table_abandon(&b);
    return false;
}

static bool open_translator(struct translator *t, uint32_t columns)
{
    const struct sl_statement_options options = {
        .bytes_max = STATEMENT_BYTES, .rows_max = STATEMENT_ROWS, .has_utf8mb4 = true};

    t->columns = columns;
    for (uint32_t i = 0; i < columns; i++)
        (void)snprintf(t->names[i], NAME_BYTES, "c%u", i);
    t->table = table_new(t);
    t->maker = sl_statement_maker_new(&options);
    return make_sink(t) && sl_zone_open(sl_env_os()->fs, "UTC", &t->zone, NULL) == SL_OK &&
           sl_statement_use(t->maker, t->table, t->sink, NULL) == SL_OK;
}

static void close_translator(struct translator *t)
{
    sl_statement_maker_free(&t->maker);
    sl_sink_table_free(&t->sink);
    sl_zone_free(&t->zone);
    sl_table_free(&t->table);
    sl_arena_done(&t->arena);
}

/* ---- a record ---- */

static void take_text(struct translator *t)
{
    t->text_bytes += sl_statement_text(t->maker).len;
    sl_statement_clear(t->maker);
}

static bool add(struct translator *t, const struct sl_change *change)
{
    static const enum sl_statement_op ops[] = {[SL_CHANGE_INSERT] = SL_STATEMENT_REPLACE,
                                               [SL_CHANGE_UPDATE] = SL_STATEMENT_REPLACE,
                                               [SL_CHANGE_DELETE] = SL_STATEMENT_DELETE};
    enum sl_err                       err;

    while ((err = sl_statement_add(t->maker, ops[change->kind], change, NULL)) == SL_FULL)
        take_text(t);
    return err == SL_OK;
}

static bool translate_rows(struct translator *t, const struct sl_mutation *mutation, uint32_t *rows)
{
    const struct sl_row_context context = {
        .table = t->table, .written_as = t->table, .zone = t->zone, .arena = &t->arena};
    struct sl_row_walk walk;
    struct sl_raw_row  row;
    struct sl_change   change;

    if (sl_row_walk_open(mutation->bytes, &walk, NULL, NULL) != SL_OK)
        return false;
    while (sl_row_walk_next(&walk, &row, NULL) == SL_OK) {
        if (sl_row_decode(&context, &row, &change, NULL) != SL_OK || !add(t, &change))
            return false;
        ++*rows;
    }
    return true;
}

static uint32_t translate(struct translator *t, struct sl_slice bytes)
{
    struct sl_record   record;
    struct sl_prewrite prewrite;
    struct sl_mutation mutation;
    uint32_t           rows = 0;

    if (sl_record_decode(bytes, &record, NULL) != SL_OK ||
        sl_prewrite_open(record.prewrite_value, &prewrite, NULL) != SL_OK)
        return 0;
    while (sl_prewrite_next(&prewrite, &mutation, NULL) == SL_OK) {
        if (!translate_rows(t, &mutation, &rows))
            return 0;
    }
    sl_arena_reset(&t->arena);
    return rows;
}

/* ---- measuring ---- */

static bool measure(bool is_ours, uint32_t columns, const struct bench_options *options,
                    struct bench_sample *out)
{
    struct probe_input *input = probe_input_new(columns);
    struct translator   t = {0};
    bool                good = open_translator(&t, columns);
    double              began = bench_cpu_now();
    double              until = bench_now() + options->seconds;
    double              rows = 0;

    do {
        for (unsigned i = 0; good && i < PROBE_RECORDS; i++)
            good = (is_ours ? translate(&t, input->records[i])
                            : probe_walk(input, input->records[i], true)) == PROBE_ROWS;
        rows += PROBE_RECORDS * PROBE_ROWS;
    } while (good && bench_now() < until);
    out->value[0] = rows / (bench_cpu_now() - began);
    if (!good || t.text_bytes + probe_seen() == 0)
        (void)fprintf(stderr, "translate: a record was refused\n");
    close_translator(&t);
    probe_input_free(&input);
    return good;
}

/* ---- cases ---- */

#define CASE(columns)                                                                    \
    static bool ours_##columns(const struct bench_options *o, struct bench_sample *out)  \
    {                                                                                    \
        return measure(true, columns, o, out);                                           \
    }                                                                                    \
    static bool limit_##columns(const struct bench_options *o, struct bench_sample *out) \
    {                                                                                    \
        return measure(false, columns, o, out);                                          \
    }

CASE(5)
CASE(20)
CASE(100)

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "row/s"};
    const struct bench_case          cases[] = {
                 {"c5", "5 columns", {rate}, ours_5, limit_5, NULL},
                 {"c20", "20 columns", {rate}, ours_20, limit_20, NULL},
                 {"c100", "100 columns", {rate}, ours_100, limit_100, NULL},
    };

    return bench_main("translate", cases, sizeof cases / sizeof *cases, argc, argv);
}
