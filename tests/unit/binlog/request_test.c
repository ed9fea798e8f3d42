/* Requests to a pump: the golden bytes of the specification's Appendix A, fields in any order,
 * repeated, unknown and missing, and every way in which bytes can be no request. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/request.h"

enum { BYTES_MAX = 128 };

#define CLUSTER_ID UINT64_C(6568678830546690613)
#define COMMIT_TS INT64_C(412518831548007863)

static const char fake_hex[] = "080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
static const char write_hex[] =
    "08b5c4f49281d3a8945b121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
static const char probe_hex[] = "08b5c4f49281d3a8945b";
static const char pull_hex[] = "08b5c4f49281d3a8945b120a10b78bd08c91f6e3dc05";
static const char pull_all_hex[] = "08b5c4f49281d3a8945b1200";

struct vector {
    uint8_t bytes[BYTES_MAX];
    size_t  len;
};

static struct vector vector_of(const char *hex)
{
    struct vector v = {.len = strlen(hex) / 2};
    unsigned      byte;

    assert_true(v.len <= BYTES_MAX);
    for (size_t i = 0; i < v.len; i++) {
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        v.bytes[i] = (uint8_t)byte;
    }
    return v;
}

static enum sl_err write_of(struct vector *v, struct sl_write_request *out, struct sl_why *why)
{
    return sl_write_request_decode((struct sl_slice){v->bytes, v->len}, out, why);
}

static enum sl_err pull_of(struct vector *v, struct sl_pull_request *out, struct sl_why *why)
{
    return sl_pull_request_decode((struct sl_slice){v->bytes, v->len}, out, why);
}

static void golden_requests_are_read(void **state)
{
    struct vector           fake = vector_of(fake_hex);
    struct vector           v = vector_of(write_hex);
    struct sl_write_request write;
    struct sl_pull_request  pull;
    struct sl_why           why;

    (void)state;
    assert_int_equal(write_of(&v, &write, &why), SL_OK);
    assert_true(write.cluster_id == CLUSTER_ID);
    assert_int_equal(write.payload.len, fake.len);
    assert_memory_equal(write.payload.bytes, fake.bytes, fake.len);
    assert_ptr_equal(write.payload.bytes, v.bytes + v.len - fake.len); /* nothing is copied */
    v = vector_of(probe_hex);
    assert_int_equal(write_of(&v, &write, &why), SL_OK);
    assert_int_equal(write.payload.len, 0);
    v = vector_of(pull_hex);
    assert_int_equal(pull_of(&v, &pull, &why), SL_OK);
    assert_true(pull.cluster_id == CLUSTER_ID && pull.after == COMMIT_TS);
    v = vector_of(pull_all_hex);
    assert_int_equal(pull_of(&v, &pull, &why), SL_OK);
    assert_true(pull.cluster_id == CLUSTER_ID && pull.after == 0);
}

static void nothing_is_a_request_of_zeros(void **state)
{
    struct sl_write_request write;
    struct sl_pull_request  pull;
    struct sl_why           why;

    (void)state;
    assert_int_equal(sl_write_request_decode((struct sl_slice){0}, &write, &why), SL_OK);
    assert_true(write.cluster_id == 0 && write.payload.len == 0);
    assert_int_equal(sl_pull_request_decode((struct sl_slice){0}, &pull, &why), SL_OK);
    assert_true(pull.cluster_id == 0 && pull.after == 0);
}

static void fields_come_in_any_order_and_unknown_ones_are_skipped(void **state)
{
    /* Payload "a", field 9 of each wire type, cluster id 5, payload "b": the last one counts. */
    struct vector           v = vector_of("120161"
                                                    "4805"
                                                    "490102030405060708"
                                                    "4a0178"
                                                    "4d01020304"
                                                    "0805"
                                                    "120162");
    struct sl_write_request write;
    struct sl_pull_request  pull;
    struct sl_why           why;

    (void)state;
    assert_int_equal(write_of(&v, &write, &why), SL_OK);
    assert_true(write.cluster_id == 5 && write.payload.len == 1 && write.payload.bytes[0] == 'b');
    v = vector_of("1206"
                  "0807"
                  "1009"
                  "1805"
                  "0805"); /* a position with suffix 7, offset 9 and an unknown field */
    assert_int_equal(pull_of(&v, &pull, &why), SL_OK);
    assert_true(pull.cluster_id == 5 && pull.after == 9);
    v = vector_of("120b10ffffffffffffffffff01"); /* -1 */
    assert_int_equal(pull_of(&v, &pull, &why), SL_OK);
    assert_true(pull.after == -1);
}

static void whatever_is_cut_off_is_an_unexpected_end(void **state)
{
    struct vector whole[] = {vector_of(write_hex), vector_of(pull_hex)};

    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t len = 1; len < whole[kind].len; len++) {
            struct sl_slice         cut = {whole[kind].bytes, len};
            struct sl_write_request write;
            struct sl_pull_request  pull;
            struct sl_why           why = {0};
            enum sl_err             err = kind == 0 ? sl_write_request_decode(cut, &write, &why)
                                                    : sl_pull_request_decode(cut, &pull, &why);

            if (len == sizeof probe_hex / 2)
                continue; /* between two fields: a probe */
            assert_int_equal(err, SL_INVALID);
            assert_string_equal(why.text, "unexpected EOF");
        }
    }
}

static void bytes_that_are_no_request_are_refused_in_the_originals_words(void **state)
{
    static const struct {
        bool        pull;
        const char *hex;
        const char *text;
    } rows[] = {
        {false, "0a00", "proto: wrong wireType = 2 for field ClusterID"},
        {false, "1000", "proto: wrong wireType = 0 for field Payload"},
        {false, "00", "proto: WriteBinlogReq: illegal tag 0 (wire type 0)"},
        {false, "4b", "proto: illegal wireType 3"},
        {false, "08ffffffffffffffffffff01", "proto: integer overflow"},
        {true, "1000", "proto: wrong wireType = 0 for field StartFrom"},
        {true, "12020a00", "proto: wrong wireType = 2 for field Suffix"},
        {true, "12021200", "proto: wrong wireType = 2 for field Offset"},
        {true, "1201ff", "unexpected EOF"},
        {true, "120107", "proto: Pos: illegal tag 0 (wire type 7)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct vector           v = vector_of(rows[i].hex);
        struct sl_write_request write = {.cluster_id = 77};
        struct sl_pull_request  pull = {.cluster_id = 77};
        struct sl_why           why = {0};

        assert_int_equal(rows[i].pull ? pull_of(&v, &pull, &why) : write_of(&v, &write, &why),
                         SL_INVALID);
        assert_string_equal(why.text, rows[i].text);
        assert_true(write.cluster_id == 77 && pull.cluster_id == 77); /* untouched */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_requests_are_read),
        cmocka_unit_test(nothing_is_a_request_of_zeros),
        cmocka_unit_test(fields_come_in_any_order_and_unknown_ones_are_skipped),
        cmocka_unit_test(whatever_is_cut_off_is_an_unexpected_end),
        cmocka_unit_test(bytes_that_are_no_request_are_refused_in_the_originals_words),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
