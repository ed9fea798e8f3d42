/* Entities against the vectors of the pump specification's appendix A and against protobuf-c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/pull_entity.h"
#include "base/prng.h"
#include "pump.pb-c.h"

static const sl_ts golden_ts = INT64_C(412518831548007863);
static const char  golden_hex[] = "0a340a00121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000"
                                  "221408b78bd08c91f6e3dc0510b78bd08c91f6e3dc05";

static void assert_is_hex(struct sl_buf *entity, const char *hex)
{
    unsigned byte;

    assert_int_equal(entity->len, strlen(hex) / 2);
    for (size_t i = 0; i < entity->len; i++) {
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        assert_int_equal(entity->data[i], byte);
    }
    sl_buf_free(&entity);
}

static void a_fake_is_the_vector(void **state)
{
    const struct sl_record fake = sl_record_fake(golden_ts);
    uint8_t                bytes[64];

    (void)state;
    assert_is_hex(pull_entity_fake(golden_ts), golden_hex);
    sl_record_encode(&fake, bytes);
    assert_is_hex(pull_entity_stored(golden_ts, golden_ts,
                                     (struct sl_slice){bytes, sl_record_encoded_bytes(&fake)}),
                  golden_hex);
}

static void a_zero_is_left_out_of_meta_and_kept_in_the_record(void **state)
{
    const struct sl_record prewrite = {.type = SL_RECORD_PREWRITE};
    const struct sl_record commit = {.type = SL_RECORD_COMMIT, .commit_ts = 5};

    (void)state;
    assert_is_hex(pull_entity_joined(&prewrite, &commit), "0a100a00120808011000180538002202"
                                                          "1005");
}

static struct sl_record commit_of(struct sl_prng *p, uint8_t *bytes, size_t count)
{
    return (struct sl_record){
        .type = SL_RECORD_COMMIT,
        .start_ts = (sl_ts)(sl_prng_next(p) >> sl_prng_below(p, 64)),
        .commit_ts = (sl_ts)(sl_prng_next(p) >> sl_prng_below(p, 64)),
        .prewrite_key = {bytes, count},
        .has_schema_state = sl_prng_chance(p, 1, 2),
    };
}

static void assert_is_packed(struct sl_buf *entity, const struct sl_record *joined)
{
    static uint8_t         record[1 << 16];
    static uint8_t         packed[1 << 16];
    Sluice__Pos            pos = SLUICE__POS__INIT;
    Sluice__Meta           meta = SLUICE__META__INIT;
    Sluice__Entity         inner = SLUICE__ENTITY__INIT;
    Sluice__PullBinlogResp resp = SLUICE__PULL_BINLOG_RESP__INIT;

    sl_record_encode(joined, record);
    meta.start_ts = joined->start_ts;
    meta.commit_ts = joined->commit_ts;
    inner.pos = &pos;
    inner.meta = &meta;
    inner.payload = (ProtobufCBinaryData){sl_record_encoded_bytes(joined), record};
    resp.entity = &inner;
    assert_int_equal(sluice__pull_binlog_resp__get_packed_size(&resp), entity->len);
    sluice__pull_binlog_resp__pack(&resp, packed);
    assert_memory_equal(packed, entity->data, entity->len);
    sl_buf_free(&entity);
}

static void joined_entities_are_what_protobuf_writes(void **state)
{
    static uint8_t bytes[20000];
    struct sl_prng p;

    (void)state;
    sl_prng_seed(&p, 1);
    for (unsigned i = 0; i < 5000; i++) {
        size_t count = (size_t)sl_prng_below(&p, 1 + (sizeof bytes >> sl_prng_below(&p, 14)));
        struct sl_record commit = commit_of(&p, bytes, count / 2);
        struct sl_record prewrite = {.type = SL_RECORD_PREWRITE,
                                     .start_ts = commit.start_ts,
                                     .prewrite_value = {bytes, count},
                                     .ddl_query = {bytes, count % 300},
                                     .ddl_job_id = (int64_t)count};
        struct sl_record joined = sl_record_join(&prewrite, &commit);

        assert_is_packed(pull_entity_joined(&prewrite, &commit), &joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fake_is_the_vector),
        cmocka_unit_test(a_zero_is_left_out_of_meta_and_kept_in_the_record),
        cmocka_unit_test(joined_entities_are_what_protobuf_writes),
    };

    return cmocka_run_group_tests_name("pull_entity", tests, NULL, NULL);
}
