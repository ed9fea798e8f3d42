#include "sluice/pair.h"

#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "binlog/record.h"
#include "binlog/message.h"
#include "sluice/row_bytes.h"

/* Flags of values in a row, codec spec 1.1; and the id of the column `payload`. */
enum { FLAG_COMPACT_BYTES = 2, FLAG_VARINT = 8, COLUMN_PAYLOAD = 2 };

/* Fields of PrewriteValue and TableMutation; the mutation type Insert is 0. */
enum {
    VALUE_SCHEMA_VERSION = 1,
    VALUE_MUTATIONS = 2,
    MUTATION_TABLE_ID = 1,
    MUTATION_INSERTED_ROWS = 2,
    MUTATION_SEQUENCE = 7,
    MUTATION_INSERT = 0,
};

/* The state of a finished job's object (codec spec 3), and the key of its record: the job's place
 * in the history, which nobody looks at. */
enum { SCHEMA_PUBLIC = 5 };
static const char ddl_key[] = "mDDLJobHistory";

/* ---- value ---- */

enum { ROW_ID_BITS = 20, ROW_ID_TS_BITS = 40 };
static_assert(SL_LOAD_ROWS_MAX <= 1 << ROW_ID_BITS, "each row has an id");

int64_t pair_row_id(sl_ts start_ts, uint32_t row)
{
    int64_t low = start_ts & ((INT64_C(1) << ROW_ID_TS_BITS) - 1);

    return row == 0 ? start_ts : -(low << ROW_ID_BITS | row);
}

/* Sizes of a PrewriteValue and its parts, outside in. */
struct layout {
    uint32_t rows;
    size_t   value;
    size_t   mutation;
    size_t   blob; /* of each row */
};

static size_t row_bytes(int64_t id, size_t blob)
{
    return 1 + sl_message_number_bytes(row_zigzag(id)) + 2 /* column */ + 1 +
           sl_message_number_bytes(row_zigzag((int64_t)blob)) + blob;
}

static struct layout layout_of(const struct pair_table *table, sl_ts start_ts, uint32_t rows,
                               size_t blob)
{
    struct layout l = {.rows = rows, .blob = blob};

    l.mutation = 1 + sl_message_number_bytes((uint64_t)table->table_id) + 2 * (size_t)rows;
    for (uint32_t i = 0; i < rows; i++)
        l.mutation += sl_message_field_bytes(row_bytes(pair_row_id(start_ts, i), blob));
    l.value = 1 + sl_message_number_bytes((uint64_t)table->schema_version) +
              sl_message_field_bytes(l.mutation);
    return l;
}

static uint8_t *put_row(uint8_t *at, sl_ts start_ts, int64_t id, size_t blob, const uint8_t *filler)
{
    size_t own = blob < sizeof(uint64_t) ? blob : sizeof(uint64_t);

    at = sl_message_put_head(at, MUTATION_INSERTED_ROWS, row_bytes(id, blob));
    *at++ = FLAG_VARINT; /* the row id, which is the column `id` */
    at = sl_message_put_number(at, row_zigzag(id));
    *at++ = FLAG_VARINT;
    at = sl_message_put_number(at, row_zigzag(COLUMN_PAYLOAD));
    *at++ = FLAG_COMPACT_BYTES;
    at = sl_message_put_number(at, row_zigzag((int64_t)blob));
    for (size_t i = 0; i < own; i++)
        *at++ = (uint8_t)((uint64_t)start_ts >> (8 * i));
    memcpy(at, filler, blob - own);
    return at + (blob - own);
}

static void put_value(uint8_t *at, const struct pair_table *table, sl_ts start_ts,
                      const struct layout *l, const uint8_t *filler)
{
    uint8_t *end = at + l->value;

    at = sl_message_put_integer(at, VALUE_SCHEMA_VERSION, (uint64_t)table->schema_version);
    at = sl_message_put_head(at, VALUE_MUTATIONS, l->mutation);
    at = sl_message_put_integer(at, MUTATION_TABLE_ID, (uint64_t)table->table_id);
    for (uint32_t i = 0; i < l->rows; i++)
        at = put_row(at, start_ts, pair_row_id(start_ts, i), l->blob, filler);
    for (uint32_t i = 0; i < l->rows; i++)
        at = sl_message_put_integer(at, MUTATION_SEQUENCE, MUTATION_INSERT);
    SL_ASSERT(at == end);
}

/* ---- records ---- */

/* The layout with the largest blobs whose record has at most `size` bytes. */
static struct layout fit(const struct pair_table *table, struct sl_record *record, uint32_t rows,
                         size_t size)
{
    struct layout l;
    size_t        blob = size / rows;
    size_t        bytes;
    size_t        less;

    for (;;) {
        l = layout_of(table, record->start_ts, rows, blob);
        record->prewrite_value.len = l.value;
        bytes = sl_record_encoded_bytes(record);
        if (bytes <= size)
            return l;
        less = (bytes - size + rows - 1) / rows;
        SL_ASSERT(less <= blob); /* a record without blobs is below the least size */
        blob -= less;
    }
}

struct sl_buf *pair_prewrite(const struct pair_table *table, sl_ts start_ts, uint32_t rows,
                             size_t size, const uint8_t *filler)
{
    uint8_t          key[ROW_KEY_BYTES];
    struct sl_record record = {.type = SL_RECORD_PREWRITE,
                               .start_ts = start_ts,
                               .prewrite_key = {key, sizeof key},
                               .prewrite_value = {filler, 0}, /* to be there while it is measured */
                               .has_schema_state = true};
    struct layout    l;
    struct sl_buf   *value;
    struct sl_buf   *out;

    SL_ASSERT(size >= PAIR_SIZE_MIN && size <= SL_LOAD_SIZE_MAX);
    SL_ASSERT(rows > 0 && rows <= SL_LOAD_ROWS_MAX &&
              (rows == 1 || size / rows >= PAIR_ROW_SIZE_MIN));
    row_put_key(key, table->table_id, start_ts);
    l = fit(table, &record, rows, size);
    value = sl_buf_new(l.value);
    put_value(value->data, table, start_ts, &l, filler);
    record.prewrite_value = sl_slice_from_buf(value);
    out = sl_message_write_record(table->cluster_id, &record);
    sl_buf_free(&value);
    return out;
}

struct sl_buf *pair_finish_row(const struct pair_table *table, int64_t row_id, sl_ts start_ts,
                               sl_ts commit_ts)
{
    uint8_t          key[ROW_KEY_BYTES];
    struct sl_record record = {.type = commit_ts != 0 ? SL_RECORD_COMMIT : SL_RECORD_ROLLBACK,
                               .start_ts = start_ts,
                               .commit_ts = commit_ts,
                               .prewrite_key = {key, sizeof key},
                               .has_schema_state = true};

    (void)row_put_key(key, table->table_id, row_id);
    return sl_message_write_record(table->cluster_id, &record);
}

struct sl_buf *pair_finish(const struct pair_table *table, sl_ts start_ts, sl_ts commit_ts)
{
    return pair_finish_row(table, start_ts, start_ts, commit_ts);
}

struct sl_buf *pair_ddl(uint64_t cluster_id, sl_ts start_ts, sl_ts commit_ts, int64_t job_id,
                        const char *query)
{
    struct sl_record record = {.type = commit_ts != 0 ? SL_RECORD_COMMIT : SL_RECORD_PREWRITE,
                               .start_ts = start_ts,
                               .commit_ts = commit_ts,
                               .prewrite_key = sl_slice_from_string(ddl_key),
                               .ddl_query = sl_slice_from_string(query),
                               .ddl_job_id = job_id,
                               .ddl_schema_state = SCHEMA_PUBLIC,
                               .has_schema_state = true};

    return sl_message_write_record(cluster_id, &record);
}
