/* Any bytes, cut anywhere, are the same record in pieces as in one, or the same error in the same
 * words; and as a request nothing aborts or leaks. Input: byte 0 is how long a piece is. Build: as
 * h2_fuzz.c. */

#include <string.h>

#include "base/assert.h"
#include "binlog/record_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct sl_record *whole, const struct sl_record_around *around,
                    struct sl_slice bytes)
{
    const struct sl_record *rest = &around->record;
    struct sl_slice         value = {0};

    SL_ASSERT(around->has_value == (whole->prewrite_value.bytes != NULL));
    if (around->has_value)
        SL_ASSERT(sl_slice_sub(bytes, around->value_at, around->value_bytes, &value));
    SL_ASSERT(value.bytes == whole->prewrite_value.bytes && value.len == whole->prewrite_value.len);
    SL_ASSERT(rest->type == whole->type && rest->start_ts == whole->start_ts);
    SL_ASSERT(rest->commit_ts == whole->commit_ts && rest->ddl_job_id == whole->ddl_job_id);
    SL_ASSERT(sl_slice_equal(rest->prewrite_key, whole->prewrite_key));
    SL_ASSERT(sl_slice_equal(rest->ddl_query, whole->ddl_query));
    SL_ASSERT(rest->ddl_schema_state == whole->ddl_schema_state);
    SL_ASSERT(rest->unknown_count == whole->unknown_count);
    for (uint32_t i = 0; i < rest->unknown_count; i++)
        SL_ASSERT(sl_slice_equal(rest->unknown[i], whole->unknown[i]));
}

static void try_record(struct sl_slice bytes, size_t piece_bytes)
{
    struct sl_record_stream stream;
    struct sl_record_around around;
    struct sl_record        whole;
    struct sl_why           whole_why = {0};
    struct sl_why           why = {0};
    enum sl_err             err = sl_record_decode(bytes, &whole, &whole_why);
    bool                    good = true;

    sl_record_stream_begin(&stream, bytes.len);
    for (size_t at = 0; good && at < bytes.len; at += piece_bytes) {
        size_t count = bytes.len - at < piece_bytes ? bytes.len - at : piece_bytes;

        good = sl_record_stream_feed(&stream, (struct sl_slice){bytes.bytes + at, count});
    }
    SL_ASSERT(sl_record_stream_take(&stream, &around, &why) == err);
    SL_ASSERT(strcmp(why.text, whole_why.text) == 0);
    if (err == SL_OK)
        compare(&whole, &around, bytes);
    sl_record_stream_end(&stream);
}

static void try_request(struct sl_slice bytes, size_t piece_bytes)
{
    struct sl_write_stream  stream;
    struct sl_record_around around;
    struct sl_slice         value;
    uint64_t                cluster_id;
    bool                    good = true;

    sl_write_stream_begin(&stream, bytes.len);
    for (size_t at = 0; good && at < bytes.len; at += piece_bytes) {
        size_t count = bytes.len - at < piece_bytes ? bytes.len - at : piece_bytes;

        good = sl_write_stream_feed(&stream, (struct sl_slice){bytes.bytes + at, count});
    }
    if (sl_write_stream_cluster(&stream, &cluster_id, NULL) == SL_OK &&
        sl_write_stream_take(&stream, &around, NULL) == SL_OK && around.has_value)
        SL_ASSERT(sl_slice_sub(bytes, around.value_at, around.value_bytes, &value));
    sl_write_stream_end(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_slice bytes = {data + 1, size - 1};

    if (size < 1)
        return 0;
    try_record(bytes, 1 + data[0] % 64);
    try_request(bytes, 1 + data[0] % 64);
    return 0;
}
