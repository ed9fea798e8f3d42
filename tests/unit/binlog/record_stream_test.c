/* A record that comes in pieces is what sl_record_decode makes of the whole: the same record, or
 * the same error in the same words, wherever it is cut and whatever is wrong with it. */

#include "binlog/record_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/prng.h"

enum { MESSAGE_MAX = 4096 };

/* A message under construction. */
struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t  len;
};

static void put_varint(struct message *m, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        m->bytes[m->len++] = (uint8_t)(value | 0x80);
    m->bytes[m->len++] = (uint8_t)value;
}

static void put_number(struct message *m, unsigned field, uint64_t value)
{
    put_varint(m, field << 3);
    put_varint(m, value);
}

static void put_bytes(struct message *m, unsigned field, size_t len, uint8_t first)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, len);
    for (size_t i = 0; i < len; i++)
        m->bytes[m->len++] = (uint8_t)(first + i);
}

/* Pieces up to `split`, from there to the end: two when piece_max is large, else many. */
static void feed(struct sl_record_stream *stream, const struct message *m, size_t split,
                 size_t piece_max)
{
    sl_record_stream_begin(stream, m->len);
    for (size_t at = 0; at < m->len;) {
        size_t end = at < split ? split : m->len;
        size_t count = end - at < piece_max ? end - at : piece_max;

        if (!sl_record_stream_feed(stream, (struct sl_slice){m->bytes + at, count}))
            break;
        at += count;
    }
}

static void assert_same(const struct sl_record *whole, const struct sl_record_around *around,
                        const struct message *m)
{
    struct sl_record record = around->record;
    uint8_t          a[MESSAGE_MAX];
    uint8_t          b[MESSAGE_MAX];
    size_t           len = sl_record_encoded_bytes(whole);

    assert_null(record.prewrite_value.bytes);
    assert_int_equal(around->has_value, whole->prewrite_value.bytes != NULL);
    if (around->has_value)
        assert_true(sl_slice_sub((struct sl_slice){m->bytes, m->len}, around->value_at,
                                 around->value_bytes, &record.prewrite_value));
    assert_true(record.prewrite_value.bytes == whole->prewrite_value.bytes);
    assert_int_equal(sl_record_encoded_bytes(&record), len);
    assert_true(len <= MESSAGE_MAX);
    sl_record_encode(whole, a);
    sl_record_encode(&record, b);
    assert_memory_equal(a, b, len);
}

static void assert_agrees(const struct message *m, size_t split, size_t piece_max)
{
    struct sl_record        whole = {0};
    struct sl_record_stream stream;
    struct sl_record_around around;
    struct sl_why           whole_why = {0};
    struct sl_why           why = {0};
    enum sl_err err = sl_record_decode((struct sl_slice){m->bytes, m->len}, &whole, &whole_why);

    feed(&stream, m, split, piece_max);
    assert_int_equal(sl_record_stream_take(&stream, &around, &why), err);
    if (err == SL_OK)
        assert_same(&whole, &around, m);
    else
        assert_string_equal(why.text, whole_why.text);
    sl_record_stream_end(&stream);
}

static void assert_agrees_everywhere(const struct message *m)
{
    for (size_t split = 0; split <= m->len; split++)
        assert_agrees(m, split, SIZE_MAX);
    assert_agrees(m, 0, 1);
    assert_agrees(m, 0, 3);
}

/* As TiDB writes it, with a field of a newer protocol. */
static struct message prewrite(void)
{
    struct message m = {.len = 0};

    put_number(&m, 1, 0);
    put_number(&m, 2, UINT64_C(431234567890123456));
    put_number(&m, 3, 0);
    put_bytes(&m, 4, 19, 'k');
    put_bytes(&m, 5, 300, 'v');
    put_bytes(&m, 6, 30, 'q');
    put_number(&m, 7, (uint64_t)-5);
    put_number(&m, 8, 2);
    put_bytes(&m, 99, 7, 'u');
    put_varint(&m, 98 << 3 | 1);
    m.len += 8;
    put_varint(&m, 97 << 3 | 5);
    m.len += 4;
    return m;
}

static void a_record_is_the_same_wherever_it_is_cut(void **state)
{
    struct message m = prewrite();

    (void)state;
    assert_agrees_everywhere(&m);
    m.len = 0;
    assert_agrees_everywhere(&m);
}

static void the_last_of_several_values_counts(void **state)
{
    struct message m = {.len = 0};

    (void)state;
    put_bytes(&m, 5, 10, 'a');
    put_number(&m, 2, 7);
    put_bytes(&m, 5, 20, 'b');
    put_bytes(&m, 6, 0, 0);
    assert_agrees_everywhere(&m);
    put_bytes(&m, 5, 0, 0);
    assert_agrees_everywhere(&m);
}

static void what_is_cut_off_is_no_record(void **state)
{
    struct message m = prewrite();

    (void)state;
    while (m.len > 0) {
        m.len--;
        assert_agrees(&m, m.len / 2, SIZE_MAX);
        assert_agrees(&m, 0, 1);
    }
}

static void what_is_broken_is_refused_in_the_same_words(void **state)
{
    static const struct {
        uint8_t bytes[24];
        size_t  len;
    } rows[] = {
        {{0x00}, 1},             /* field 0 */
        {{0x0b}, 1},             /* a group */
        {{0x2b}, 1},             /* a group of values */
        {{0x2d, 1, 2, 3, 4}, 5}, /* a value of fixed size */
        {{0x28, 1}, 2},          /* a value that is a number */
        {{0x0a, 1, 1}, 3},       /* a type of bytes */
        {{0x2a, 5, 1}, 3},       /* a value beyond the end */
        {{0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11},
        {{0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 12},
        {{0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 12},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11},
        {{0xfa, 0xff, 0xff, 0xff, 0xff, 0x01, 0}, 7},       /* a field number beyond all */
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 9}, 8}, /* field 0, at length */
    };
    struct message m;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.len = 0;
        put_bytes(&m, 5, 5, 'v');
        memcpy(m.bytes + m.len, rows[i].bytes, rows[i].len);
        m.len += rows[i].len;
        assert_agrees_everywhere(&m);
        put_bytes(&m, 5, 5, 'v');
        put_number(&m, 1, 1);
        assert_agrees_everywhere(&m);
    }
    m.len = 0;
    for (unsigned i = 0; i <= SL_RECORD_UNKNOWN_MAX; i++)
        put_number(&m, 50 + i, i);
    assert_agrees_everywhere(&m);
}

static void bytes_changed_at_random_change_nothing_in_that(void **state)
{
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 4);
    for (int i = 0; i < 20000; i++) {
        struct message m = prewrite();
        uint64_t       changes = sl_prng_range(&prng, 1, 4);

        m.len = (size_t)sl_prng_range(&prng, 1, m.len);
        while (changes-- > 0)
            m.bytes[sl_prng_below(&prng, m.len)] = (uint8_t)sl_prng_below(&prng, 256);
        assert_agrees(&m, (size_t)sl_prng_below(&prng, m.len), 1 + sl_prng_below(&prng, 40));
    }
}

static void a_value_of_any_size_takes_no_memory(void **state)
{
    static const uint8_t    mib[1 << 20];
    const uint64_t          size = UINT64_C(3) << 30;
    struct message          head = {.len = 0};
    struct sl_record_stream stream;
    struct sl_record_around out;

    (void)state;
    put_number(&head, 2, 77);
    put_varint(&head, 5 << 3 | 2);
    put_varint(&head, size);
    sl_record_stream_begin(&stream, head.len + size);
    assert_true(sl_record_stream_feed(&stream, (struct sl_slice){head.bytes, head.len}));
    for (uint64_t fed = 0; fed < size; fed += sizeof mib)
        assert_true(sl_record_stream_feed(&stream, (struct sl_slice){mib, sizeof mib}));
    assert_in_range(stream.rest_room, 1, 1024);
    assert_int_equal(sl_record_stream_take(&stream, &out, NULL), SL_OK);
    assert_int_equal(out.record.start_ts, 77);
    assert_true(out.value_at == head.len && out.value_bytes == size);
    sl_record_stream_end(&stream);
}

static void what_is_kept_is_bounded(void **state)
{
    static const uint8_t    mib[1 << 20];
    struct message          head = {.len = 0};
    struct sl_record_stream stream;
    struct sl_record_around out;
    struct sl_why           why;
    uint32_t                fed = 0;

    (void)state;
    put_varint(&head, 6 << 3 | 2); /* a DDL query */
    put_varint(&head, 1 << 30);
    sl_record_stream_begin(&stream, head.len + (1 << 30));
    assert_true(sl_record_stream_feed(&stream, (struct sl_slice){head.bytes, head.len}));
    while (sl_record_stream_feed(&stream, (struct sl_slice){mib, sizeof mib}))
        fed++;
    assert_int_equal(fed, SL_RECORD_REST_BYTES_MAX / sizeof mib - 1);
    assert_int_equal(sl_record_stream_take(&stream, &out, &why), SL_TOO_LARGE);
    assert_string_equal(why.text, "more than 8388608 bytes beside the prewrite value");
    sl_record_stream_end(&stream);
}

/* ---- requests ---- */

static enum sl_err take_request(const struct message *m, size_t split, struct sl_write_stream *s,
                                uint64_t *cluster_id)
{
    sl_write_stream_begin(s, m->len);
    if (sl_write_stream_feed(s, (struct sl_slice){m->bytes, split}))
        (void)sl_write_stream_feed(s, (struct sl_slice){m->bytes + split, m->len - split});
    return sl_write_stream_cluster(s, cluster_id, NULL);
}

/* A request with a payload that does not count, another that does, and a field nobody knows. */
static struct message request(const struct message *record)
{
    struct message m = {.len = 0};

    put_bytes(&m, 2, 9, 0xff);
    put_number(&m, 1, 1);
    put_varint(&m, 2 << 3 | 2);
    put_varint(&m, record->len);
    memcpy(m.bytes + m.len, record->bytes, record->len);
    m.len += record->len;
    put_bytes(&m, 15, 12, 'x');
    put_number(&m, 1, UINT64_MAX - 5);
    return m;
}

static void a_request_is_the_same_wherever_it_is_cut(void **state)
{
    struct message   record = prewrite();
    struct message   m = request(&record);
    struct sl_record whole;

    (void)state;
    for (size_t split = 0; split <= m.len; split++) {
        struct sl_write_stream  stream;
        struct sl_record_around out;
        struct sl_slice         value;
        uint64_t                cluster_id = 0;

        assert_int_equal(take_request(&m, split, &stream, &cluster_id), SL_OK);
        assert_true(cluster_id == UINT64_MAX - 5);
        assert_int_equal(sl_write_stream_take(&stream, &out, NULL), SL_OK);
        assert_int_equal(
            sl_record_decode((struct sl_slice){record.bytes, record.len}, &whole, NULL), SL_OK);
        assert_true(
            sl_slice_sub((struct sl_slice){m.bytes, m.len}, out.value_at, out.value_bytes, &value));
        assert_true(sl_slice_equal(value, whole.prewrite_value));
        assert_true(sl_slice_equal(out.record.prewrite_key, whole.prewrite_key));
        assert_int_equal(out.record.ddl_job_id, -5);
        assert_int_equal(out.record.unknown_count, 3);
        sl_write_stream_end(&stream);
    }
}

/* What stands before the value of prewrite() is known while the value comes, and only then. */
static void what_stands_before_the_value_can_be_looked_at(void **state)
{
    struct message   record = prewrite();
    struct message   m = request(&record);
    struct sl_record whole;
    size_t           seen = 0;

    (void)state;
    assert_int_equal(sl_record_decode((struct sl_slice){record.bytes, record.len}, &whole, NULL),
                     SL_OK);
    for (size_t split = 0; split <= m.len; split++) {
        struct sl_write_stream stream;
        struct sl_record       record_so_far;
        uint64_t               cluster_id;

        sl_write_stream_begin(&stream, m.len);
        assert_true(sl_write_stream_feed(&stream, (struct sl_slice){m.bytes, split}));
        if (sl_write_stream_peek(&stream, &cluster_id, &record_so_far)) {
            seen++;
            assert_int_equal(cluster_id, 1);
            assert_int_equal(record_so_far.type, SL_RECORD_PREWRITE);
            assert_true(record_so_far.start_ts == whole.start_ts);
            assert_true(sl_slice_equal(record_so_far.prewrite_key, whole.prewrite_key));
        }
        sl_write_stream_end(&stream);
    }
    assert_int_equal(seen, whole.prewrite_value.len);
}

static void a_request_that_is_none_is_told_from_a_payload_that_is_none(void **state)
{
    struct message         record = prewrite();
    struct message         m = request(&record);
    struct sl_write_stream stream;
    uint64_t               cluster_id;

    (void)state;
    m.len--; /* the cluster id is cut off */
    assert_int_equal(take_request(&m, 3, &stream, &cluster_id), SL_INVALID);
    sl_write_stream_end(&stream);
    m.bytes[0] = 1 << 3 | 2; /* a cluster id of bytes */
    assert_int_equal(take_request(&m, 0, &stream, &cluster_id), SL_INVALID);
    sl_write_stream_end(&stream);
    m.bytes[0] = 2 << 3; /* a payload that is a number */
    assert_int_equal(take_request(&m, 1, &stream, &cluster_id), SL_INVALID);
    sl_write_stream_end(&stream);

    record.len--;
    m = request(&record);
    for (size_t split = 0; split <= m.len; split++) {
        struct sl_record_around out;
        struct sl_why           why;

        assert_int_equal(take_request(&m, split, &stream, &cluster_id), SL_OK);
        assert_int_equal(sl_write_stream_take(&stream, &out, &why), SL_INVALID);
        assert_string_equal(why.text, "unexpected EOF");
        sl_write_stream_end(&stream);
    }
}

static void a_request_without_a_payload_has_a_record_of_zeros(void **state)
{
    struct message          m = {.len = 0};
    struct sl_write_stream  stream;
    struct sl_record_around out;
    uint64_t                cluster_id;

    (void)state;
    put_number(&m, 1, 8);
    assert_int_equal(take_request(&m, 1, &stream, &cluster_id), SL_OK);
    assert_int_equal(cluster_id, 8);
    assert_int_equal(sl_write_stream_take(&stream, &out, NULL), SL_OK);
    assert_int_equal(out.record.start_ts, 0);
    assert_false(out.has_value);
    sl_write_stream_end(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_the_same_wherever_it_is_cut),
        cmocka_unit_test(the_last_of_several_values_counts),
        cmocka_unit_test(what_is_cut_off_is_no_record),
        cmocka_unit_test(what_is_broken_is_refused_in_the_same_words),
        cmocka_unit_test(bytes_changed_at_random_change_nothing_in_that),
        cmocka_unit_test(a_value_of_any_size_takes_no_memory),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(a_request_is_the_same_wherever_it_is_cut),
        cmocka_unit_test(what_stands_before_the_value_can_be_looked_at),
        cmocka_unit_test(a_request_that_is_none_is_told_from_a_payload_that_is_none),
        cmocka_unit_test(a_request_without_a_payload_has_a_record_of_zeros),
    };

    return cmocka_run_group_tests_name("record_stream", tests, NULL, NULL);
}
