/* B9, decode: records of 16 changed rows, from their bytes to values by column, against a walk
 * written by hand for these very rows, and protobuf-c. In the case `message` rows are found but not
 * decoded. */

#include <stdio.h>
#include <stdlib.h>

#include "base/env_os.h"
#include "binlog/change.h"
#include "binlog/record.h"
#include "binlog/table_private.h"
#include "decode_probe.h"
#include "harness.h"

/* ---- ours ---- */

static struct sl_table *table_new(uint32_t columns)
{
    struct sl_arena   memory = {0};
    struct sl_column *all = sl_arena_alloc(&memory, columns * sizeof *all);

    for (uint32_t i = 0; i < columns; i++) {
        all[i] = (struct sl_column){
            .id = i + 1,
            .name = sl_slice_from_string("c"),
            .type = i % 2 == 0 ? SL_TYPE_LONGLONG : SL_TYPE_VARCHAR,
            .state = SL_SCHEMA_PUBLIC,
            .flags = i == 0 ? SL_COLUMN_PRIMARY | SL_COLUMN_NOT_NULL : 0,
            .flen = -1,
            .decimal = -1,
        };
    }
    return sl_table_seal(
        &memory, &(struct sl_table){
                     .id = 47, .columns = all, .column_count = columns, .pk_is_handle = true});
}

struct decoder {
    struct sl_row_context context;
    struct sl_arena       arena;
    uint64_t              seen;
    bool                  rows; /* decode them, not only find them */
};

static bool decode_rows(struct decoder *d, const struct sl_mutation *mutation, uint32_t *rows)
{
    struct sl_row_walk walk;
    struct sl_raw_row  row;
    struct sl_change   change;

    if (sl_row_walk_open(mutation->bytes, &walk, NULL, NULL) != SL_OK)
        return false;
    while (sl_row_walk_next(&walk, &row, NULL) == SL_OK) {
        d->seen += row.bytes.len;
        if (d->rows) {
            if (sl_row_decode(&d->context, &row, &change, NULL) != SL_OK)
                return false;
            d->seen += change.values[0].u;
        }
        ++*rows;
    }
    return true;
}

static uint32_t decode(struct decoder *d, struct sl_slice bytes)
{
    struct sl_record   record;
    struct sl_prewrite prewrite;
    struct sl_mutation mutation;
    uint32_t           rows = 0;

    if (sl_record_decode(bytes, &record, NULL) != SL_OK ||
        sl_prewrite_open(record.prewrite_value, &prewrite, NULL) != SL_OK)
        return 0;
    while (sl_prewrite_next(&prewrite, &mutation, NULL) == SL_OK) {
        if (!decode_rows(d, &mutation, &rows))
            return 0;
    }
    sl_arena_reset(&d->arena);
    return rows;
}

/* ---- measuring ---- */

enum who { OURS, WALK, PROTOBUF };

struct shape {
    uint32_t columns;
    bool     rows;
};

static uint32_t one(enum who who, struct shape shape, const struct probe_input *input,
                    struct decoder *d, struct sl_slice record)
{
    switch (who) {
    case OURS: return decode(d, record);
    case WALK: return probe_walk(input, record, shape.rows);
    case PROTOBUF: return probe_protobuf(input, record, shape.rows);
    }
    abort();
}

static bool measure(enum who who, struct shape shape, const struct bench_options *options,
                    struct bench_sample *out)
{
    struct probe_input *input = probe_input_new(shape.columns);
    struct sl_table    *table = table_new(shape.columns);
    struct sl_zone     *zone;
    struct decoder      d = {.rows = shape.rows};
    double              rows = 0;
    double              began;
    double              until;
    bool                good = sl_zone_open(sl_env_os()->fs, "UTC", &zone, NULL) == SL_OK;

    d.context = (struct sl_row_context){
        .table = table, .written_as = table, .zone = zone, .arena = &d.arena};
    began = bench_cpu_now();
    until = bench_now() + options->seconds;
    do {
        for (unsigned i = 0; good && i < PROBE_RECORDS; i++)
            good = one(who, shape, input, &d, input->records[i]) == PROBE_ROWS;
        rows += PROBE_RECORDS * PROBE_ROWS;
    } while (good && bench_now() < until);
    out->value[0] = rows / (bench_cpu_now() - began);
    if (!good || d.seen + probe_seen() == 0)
        (void)fprintf(stderr, "decode: a record was refused\n");
    sl_zone_free(&zone);
    sl_table_free(&table);
    sl_arena_done(&d.arena);
    probe_input_free(&input);
    return good;
}

/* ---- cases ---- */

#define CASE(name, columns, rows)                                                     \
    static bool ours_##name(const struct bench_options *o, struct bench_sample *out)  \
    {                                                                                 \
        return measure(OURS, (struct shape){columns, rows}, o, out);                  \
    }                                                                                 \
    static bool limit_##name(const struct bench_options *o, struct bench_sample *out) \
    {                                                                                 \
        return measure(WALK, (struct shape){columns, rows}, o, out);                  \
    }                                                                                 \
    static bool peer_##name(const struct bench_options *o, struct bench_sample *out)  \
    {                                                                                 \
        return measure(PROTOBUF, (struct shape){columns, rows}, o, out);              \
    }

CASE(rows_5, 5, true)
CASE(rows_20, 20, true)
CASE(rows_100, 100, true)
CASE(message, 5, false)

int main(int argc, char **argv)
{
    static const struct bench_metric rate = {.name = "rate", .unit = "row/s"};
    const struct bench_case          cases[] = {
                 {"c5", "5 columns", {rate}, ours_rows_5, limit_rows_5, peer_rows_5},
                 {"c20", "20 columns", {rate}, ours_rows_20, limit_rows_20, peer_rows_20},
                 {"c100", "100 columns", {rate}, ours_rows_100, limit_rows_100, peer_rows_100},
                 {"message", "found only", {rate}, ours_message, limit_message, peer_message},
    };

    return bench_main("decode", cases, sizeof cases / sizeof *cases, argc, argv);
}
