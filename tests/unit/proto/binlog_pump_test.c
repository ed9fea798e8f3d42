/* proto/binlog.proto and proto/pump.proto give, byte for byte, the vectors of the pump
 * specification's appendix A, and read them back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "binlog.pb-c.h"
#include "pump.pb-c.h"

enum { BYTES_MAX = 128 };

static const int64_t  commit_ts = INT64_C(412518831548007863);
static const int64_t  start_ts = INT64_C(412518831548007786);
static const uint64_t cluster_id = UINT64_C(6568678830546690613);

static const char fake_hex[] = "080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
static const char prewrite_hex[] = "080010ea8ad08c91f6e3dc05180022016b2a017638004000";
static const char write_hex[] =
    "08b5c4f49281d3a8945b121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000";
static const char probe_hex[] = "08b5c4f49281d3a8945b";
static const char pull_hex[] = "08b5c4f49281d3a8945b120a10b78bd08c91f6e3dc05";
static const char pull_all_hex[] = "08b5c4f49281d3a8945b1200";
static const char entity_hex[] = "0a340a00121a080210b78bd08c91f6e3dc0518b78bd08c91f6e3dc0538004000"
                                 "221408b78bd08c91f6e3dc0510b78bd08c91f6e3dc05";

struct vector {
    uint8_t bytes[BYTES_MAX];
    size_t  len;
};

static struct vector vector_of(const char *hex)
{
    struct vector vector = {.len = strlen(hex) / 2};
    unsigned      byte;

    assert_in_range(vector.len, 1, BYTES_MAX);
    for (size_t i = 0; i < vector.len; i++) {
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        vector.bytes[i] = (uint8_t)byte;
    }
    return vector;
}

static void assert_packs(const ProtobufCMessage *message, const char *hex)
{
    struct vector expected = vector_of(hex);
    uint8_t       bytes[BYTES_MAX];

    assert_int_equal(protobuf_c_message_get_packed_size(message), expected.len);
    assert_int_equal(protobuf_c_message_pack(message, bytes), expected.len);
    assert_memory_equal(bytes, expected.bytes, expected.len);
}

/* Read the vector and write it again. */
static void assert_returns(const ProtobufCMessageDescriptor *type, const char *hex)
{
    struct vector     vector = vector_of(hex);
    ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, vector.len, vector.bytes);

    assert_non_null(message);
    assert_packs(message, hex);
    protobuf_c_message_free_unpacked(message, NULL);
}

static Sluice__Binlog fake_binlog(void)
{
    Sluice__Binlog binlog = SLUICE__BINLOG__INIT;

    binlog.has_tp = true;
    binlog.tp = SLUICE__BINLOG_TYPE__ROLLBACK;
    binlog.has_start_ts = true;
    binlog.start_ts = commit_ts;
    binlog.has_commit_ts = true;
    binlog.commit_ts = commit_ts;
    binlog.has_ddl_job_id = true;
    binlog.has_ddl_schema_state = true;
    return binlog;
}

static void a_fake_binlog_is_the_vector(void **state)
{
    Sluice__Binlog binlog = fake_binlog();

    (void)state;
    assert_packs(&binlog.base, fake_hex);
    assert_returns(&sluice__binlog__descriptor, fake_hex);
}

static void a_prewrite_is_the_vector(void **state)
{
    Sluice__Binlog binlog = fake_binlog();

    (void)state;
    binlog.tp = SLUICE__BINLOG_TYPE__PREWRITE;
    binlog.start_ts = start_ts;
    binlog.commit_ts = 0;
    binlog.has_prewrite_key = true;
    binlog.prewrite_key = (ProtobufCBinaryData){1, (uint8_t[]){'k'}};
    binlog.has_prewrite_value = true;
    binlog.prewrite_value = (ProtobufCBinaryData){1, (uint8_t[]){'v'}};
    assert_packs(&binlog.base, prewrite_hex);
    assert_returns(&sluice__binlog__descriptor, prewrite_hex);
}

static void a_write_and_a_probe_are_the_vectors(void **state)
{
    struct vector          payload = vector_of(fake_hex);
    Sluice__WriteBinlogReq request = SLUICE__WRITE_BINLOG_REQ__INIT;

    (void)state;
    request.cluster_id = cluster_id;
    assert_packs(&request.base, probe_hex);
    assert_returns(&sluice__write_binlog_req__descriptor, probe_hex);
    request.payload = (ProtobufCBinaryData){payload.len, payload.bytes};
    assert_packs(&request.base, write_hex);
    assert_returns(&sluice__write_binlog_req__descriptor, write_hex);
}

static void a_good_answer_has_no_bytes(void **state)
{
    Sluice__WriteBinlogResp answer = SLUICE__WRITE_BINLOG_RESP__INIT;
    Sluice__NotifyReq       notify = SLUICE__NOTIFY_REQ__INIT;
    Sluice__NotifyResp      notified = SLUICE__NOTIFY_RESP__INIT;

    (void)state;
    assert_int_equal(protobuf_c_message_get_packed_size(&answer.base), 0);
    assert_int_equal(protobuf_c_message_get_packed_size(&notify.base), 0);
    assert_int_equal(protobuf_c_message_get_packed_size(&notified.base), 0);
}

static void pulls_are_the_vectors(void **state)
{
    Sluice__Pos           pos = SLUICE__POS__INIT;
    Sluice__PullBinlogReq request = SLUICE__PULL_BINLOG_REQ__INIT;

    (void)state;
    request.cluster_id = cluster_id;
    request.start_from = &pos;
    assert_packs(&request.base, pull_all_hex);
    assert_returns(&sluice__pull_binlog_req__descriptor, pull_all_hex);
    pos.offset = commit_ts;
    assert_packs(&request.base, pull_hex);
    assert_returns(&sluice__pull_binlog_req__descriptor, pull_hex);
}

static void an_entity_is_the_vector(void **state)
{
    struct vector          payload = vector_of(fake_hex);
    Sluice__Pos            pos = SLUICE__POS__INIT;
    Sluice__Meta           meta = SLUICE__META__INIT;
    Sluice__Entity         entity = SLUICE__ENTITY__INIT;
    Sluice__PullBinlogResp answer = SLUICE__PULL_BINLOG_RESP__INIT;

    (void)state;
    meta.start_ts = commit_ts;
    meta.commit_ts = commit_ts;
    entity.pos = &pos;
    entity.payload = (ProtobufCBinaryData){payload.len, payload.bytes};
    entity.meta = &meta;
    answer.entity = &entity;
    assert_packs(&answer.base, entity_hex);
    assert_returns(&sluice__pull_binlog_resp__descriptor, entity_hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fake_binlog_is_the_vector),
        cmocka_unit_test(a_prewrite_is_the_vector),
        cmocka_unit_test(a_write_and_a_probe_are_the_vectors),
        cmocka_unit_test(a_good_answer_has_no_bytes),
        cmocka_unit_test(pulls_are_the_vectors),
        cmocka_unit_test(an_entity_is_the_vector),
    };

    return cmocka_run_group_tests_name("binlog_pump", tests, NULL, NULL);
}
