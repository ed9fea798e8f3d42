/* The record codec against golden bytes (pump spec, Appendix A) and against a genuine recording:
 * every commit joined with its prewrite gives the bytes that the original pump sent. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "binlog/record.h"

static const sl_ts   golden_ts = 412518831548007863;
static const uint8_t golden_fake[] = {0x08, 0x02, 0x10, 0xb7, 0x8b, 0xd0, 0x8c, 0x91, 0xf6,
                                      0xe3, 0xdc, 0x05, 0x18, 0xb7, 0x8b, 0xd0, 0x8c, 0x91,
                                      0xf6, 0xe3, 0xdc, 0x05, 0x38, 0x00, 0x40, 0x00};
static const uint8_t golden_prewrite[] = {0x08, 0x00, 0x10, 0xea, 0x8a, 0xd0, 0x8c, 0x91,
                                          0xf6, 0xe3, 0xdc, 0x05, 0x18, 0x00, 0x22, 0x01,
                                          0x6b, 0x2a, 0x01, 0x76, 0x38, 0x00, 0x40, 0x00};

/* Head, value and tail are what the encoder writes at once. */
static void assert_parts(const struct sl_record *r, const uint8_t *bytes, size_t count)
{
    uint8_t part[256];
    size_t  head = sl_record_head_bytes(r);
    size_t  tail = count - head - r->prewrite_value.len;

    assert_true(count <= sizeof part);
    sl_record_encode_head(r, part);
    assert_memory_equal(part, bytes, head);
    if (r->prewrite_value.len > 0)
        assert_memory_equal(bytes + head, r->prewrite_value.bytes, r->prewrite_value.len);
    sl_record_encode_tail(r, part);
    assert_memory_equal(part, bytes + count - tail, tail);
}

static void assert_encodes_to(const struct sl_record *r, const uint8_t *bytes, size_t count)
{
    uint8_t out[256];

    assert_true(count <= sizeof out);
    assert_int_equal(sl_record_encoded_bytes(r), count);
    sl_record_encode(r, out);
    assert_memory_equal(out, bytes, count);
    assert_parts(r, bytes, count);
}

static struct sl_record decoded(const uint8_t *bytes, size_t count)
{
    struct sl_record r;
    struct sl_why    why = {0};

    assert_int_equal(sl_record_decode((struct sl_slice){bytes, count}, &r, &why), SL_OK);
    return r;
}

static void golden_bytes_are_read_and_written(void **state)
{
    struct sl_record fake = sl_record_fake(golden_ts);
    struct sl_record r;

    (void)state;
    assert_encodes_to(&fake, golden_fake, sizeof golden_fake);
    r = decoded(golden_fake, sizeof golden_fake);
    assert_true(sl_record_is_fake(&r) && r.start_ts == golden_ts && r.type == SL_RECORD_ROLLBACK);
    r = decoded(golden_prewrite, sizeof golden_prewrite);
    assert_int_equal(r.type, SL_RECORD_PREWRITE);
    assert_int_equal(r.start_ts, 412518831548007786);
    assert_int_equal(r.prewrite_key.len, 1);
    assert_memory_equal(r.prewrite_value.bytes, "v", 1);
    assert_false(sl_record_is_fake(&r));
    assert_encodes_to(&r, golden_prewrite, sizeof golden_prewrite);
}

static void an_empty_record_is_a_probe(void **state)
{
    struct sl_record r = decoded((const uint8_t *)"", 0);

    (void)state;
    assert_true(r.type == SL_RECORD_PREWRITE && r.start_ts == 0 && r.commit_ts == 0);
}

static void any_order_and_unknown_fields_are_kept(void **state)
{
    /* commit_ts first, unknown field 9 (bytes "x"), start_ts, unknown field 15 (varint 5), type */
    const uint8_t    in[] = {0x18, 0x07, 0x4a, 0x01, 0x78, 0x10, 0x05, 0x78, 0x05, 0x08, 0x01};
    const uint8_t    out[] = {0x08, 0x01, 0x10, 0x05, 0x18, 0x07, 0x38,
                              0x00, 0x4a, 0x01, 0x78, 0x78, 0x05};
    struct sl_record r = decoded(in, sizeof in);

    (void)state;
    assert_encodes_to(&r, out, sizeof out);
}

static void negative_numbers_take_ten_bytes(void **state)
{
    struct sl_record r = {.type = SL_RECORD_COMMIT, .start_ts = -1, .commit_ts = INT64_MIN};
    uint8_t          out[64];
    struct sl_record back;

    (void)state;
    assert_int_equal(sl_record_encoded_bytes(&r), 2 + 11 + 11 + 2);
    sl_record_encode(&r, out);
    back = decoded(out, sl_record_encoded_bytes(&r));
    assert_true(back.start_ts == -1 && back.commit_ts == INT64_MIN);
}

static void refused(const char *bytes, size_t count, const char *words)
{
    struct sl_record r;
    struct sl_why    why = {0};

    assert_int_equal(sl_record_decode((struct sl_slice){(const uint8_t *)bytes, count}, &r, &why),
                     SL_INVALID);
    assert_string_equal(why.text, words);
}

static void what_is_no_record_is_refused_in_the_originals_words(void **state)
{
    (void)state;
    refused("\x08", 1, "unexpected EOF");
    refused("\x22\x05kk", 4, "unexpected EOF");
    refused("\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "unexpected EOF");
    refused("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "proto: integer overflow");
    refused("\x0a\x01k", 3, "proto: wrong wireType = 2 for field Tp");
    refused("\x20\x01", 2, "proto: wrong wireType = 0 for field PrewriteKey");
    refused("\x00\x01", 2, "proto: Binlog: illegal tag 0 (wire type 0)");
    refused("\x4c", 1, "proto: illegal wireType 4");
    refused("\x49\x01", 2, "unexpected EOF");
}

static void every_cut_of_a_record_is_refused_or_shorter(void **state)
{
    struct sl_record r;

    (void)state;
    for (size_t count = 0; count < sizeof golden_prewrite; count++)
        (void)sl_record_decode((struct sl_slice){golden_prewrite, count}, &r,
                               NULL); /* sanitizers watch */
}

static void random_bytes_never_harm(void **state)
{
    struct sl_prng   p;
    struct sl_record r;
    uint8_t          bytes[64];

    (void)state;
    sl_prng_seed(&p, 1);
    for (int i = 0; i < 200000; i++) {
        size_t count = (size_t)sl_prng_below(&p, sizeof bytes + 1);

        for (size_t k = 0; k < count; k++)
            bytes[k] = (uint8_t)sl_prng_next(&p);
        if (sl_record_decode((struct sl_slice){bytes, count}, &r, NULL) == SL_OK)
            assert_true(sl_record_encoded_bytes(&r) > 0);
    }
}

/* ---- a genuine recording: tests/corpus/types ---- */

struct file {
    uint8_t *bytes;
    size_t   count;
};

static struct file read_file(const char *path)
{
    struct file f = {0};
    FILE       *in = fopen(path, "rb");
    long        size;

    if (in == NULL)
        fail_msg("cannot open %s: run the tests from the root of the tree", path);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    size = ftell(in);
    assert_true(size > 0);
    rewind(in);
    f.count = (size_t)size;
    f.bytes = malloc(f.count);
    assert_non_null(f.bytes);
    assert_int_equal(fread(f.bytes, 1, f.count, in), f.count);
    fclose(in);
    return f;
}

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

enum { RECORDS_MAX = 4096, WRITES_HEAD_BYTES = 16 };

struct transaction {
    struct sl_record commit;
    struct sl_record prewrite;
};

static int by_commit_ts(const void *a, const void *b)
{
    sl_ts x = ((const struct transaction *)a)->commit.commit_ts;
    sl_ts y = ((const struct transaction *)b)->commit.commit_ts;

    return x < y ? -1 : x > y;
}

/* Pair prewrites and commits of writes.bin by start ts. Returns how many transactions. */
static size_t load_transactions(const struct file *writes, struct transaction *out)
{
    static struct sl_record prewrites[RECORDS_MAX];
    size_t                  prewrite_count = 0;
    size_t                  count = 0;

    for (size_t at = 0; at < writes->count;) {
        uint32_t         length = u32_at(writes->bytes + at);
        struct sl_record r = decoded(writes->bytes + at + WRITES_HEAD_BYTES, length);

        at += WRITES_HEAD_BYTES + length;
        if (r.type == SL_RECORD_PREWRITE)
            prewrites[prewrite_count++] = r;
        for (size_t i = 0; r.type == SL_RECORD_COMMIT && i < prewrite_count; i++) {
            if (prewrites[i].start_ts == r.start_ts)
                out[count++] = (struct transaction){.commit = r, .prewrite = prewrites[i]};
        }
    }
    qsort(out, count, sizeof *out, by_commit_ts);
    return count;
}

static void joined_recordings_equal_what_the_original_pump_sent(void **state)
{
    static struct transaction transactions[RECORDS_MAX];
    struct file               writes = read_file("tests/corpus/types/writes.bin");
    struct file               golden = read_file("tests/corpus/types/golden/pull/pump0.bin");
    size_t                    count = load_transactions(&writes, transactions);
    size_t                    at = 0;

    (void)state;
    assert_int_equal(count, 1052);
    for (size_t i = 0; i < count; i++) {
        struct sl_record joined =
            sl_record_join(&transactions[i].prewrite, &transactions[i].commit);
        size_t   bytes = sl_record_encoded_bytes(&joined);
        uint8_t *out = malloc(bytes);

        assert_non_null(out);
        sl_record_encode(&joined, out);
        assert_int_equal(u32_at(golden.bytes + at), bytes);
        assert_memory_equal(golden.bytes + at + 4, out, bytes);
        at += 4 + bytes;
        free(out);
    }
    assert_int_equal(at, golden.count);
    free(writes.bytes);
    free(golden.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes_are_read_and_written),
        cmocka_unit_test(an_empty_record_is_a_probe),
        cmocka_unit_test(any_order_and_unknown_fields_are_kept),
        cmocka_unit_test(negative_numbers_take_ten_bytes),
        cmocka_unit_test(what_is_no_record_is_refused_in_the_originals_words),
        cmocka_unit_test(every_cut_of_a_record_is_refused_or_shorter),
        cmocka_unit_test(random_bytes_never_harm),
        cmocka_unit_test(joined_recordings_equal_what_the_original_pump_sent),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
