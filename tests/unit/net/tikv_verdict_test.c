/* What TiKV's answers come to: keys in the encoding of PD, region errors by what is to be done
 * about them, and, as a table, every branch of the way from a look-up and a check to a verdict. The
 * answers are packed by the generated code and go through the client's unpacking. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/tikv_key.h"
#include "net/tikv_verdict.h"
#include "tikv.pb-c.h"

/* ---- keys ---- */

static void expect_key(const char *raw, size_t raw_bytes, const char *encoded, size_t bytes)
{
    struct sl_buf *key = sl_tikv_key_encode((struct sl_slice){(const uint8_t *)raw, raw_bytes});

    assert_int_equal(key->len, bytes);
    assert_memory_equal(key->data, encoded, bytes);
    sl_buf_free(&key);
}

static void keys_are_encoded_in_padded_groups_of_eight(void **state)
{
    (void)state;
    expect_key("", 0, "\0\0\0\0\0\0\0\0\xf7", 9);
    expect_key("abc", 3, "abc\0\0\0\0\0\xfa", 9);
    expect_key("abcdefgh", 8,
               "abcdefgh\xff"
               "\0\0\0\0\0\0\0\0\xf7",
               18);
    expect_key("abcdefghi", 9,
               "abcdefgh\xff"
               "i\0\0\0\0\0\0\0\xf8",
               18);
}

static void encoded_keys_keep_the_order_of_raw_ones(void **state)
{
    static const struct {
        const char *bytes;
        size_t      count;
    } sorted[] = {{"", 0},
                  {"\0", 1},
                  {"a", 1},
                  {"a\0", 2},
                  {"a\0\0\0\0\0\0\0", 8},
                  {"a\0\0\0\0\0\0\0\0", 9},
                  {"ab", 2},
                  {"abcdefgh", 8},
                  {"abcdefgh\0", 9},
                  {"b", 1},
                  {"\xff\xff", 2}};

    (void)state;
    for (size_t i = 0; i + 1 < sizeof sorted / sizeof sorted[0]; i++) {
        struct sl_buf *a = sl_tikv_key_encode(
            (struct sl_slice){(const uint8_t *)sorted[i].bytes, sorted[i].count});
        struct sl_buf *b = sl_tikv_key_encode(
            (struct sl_slice){(const uint8_t *)sorted[i + 1].bytes, sorted[i + 1].count});

        assert_true(sl_tikv_key_compare(sl_slice_from_buf(a), sl_slice_from_buf(b)) < 0);
        assert_true(sl_tikv_key_compare(sl_slice_from_buf(b), sl_slice_from_buf(a)) > 0);
        assert_int_equal(sl_tikv_key_compare(sl_slice_from_buf(a), sl_slice_from_buf(a)), 0);
        sl_buf_free(&a);
        sl_buf_free(&b);
    }
}

/* ---- region errors ---- */

static struct sl_buf *packed(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    return buf;
}

static struct tikv_trouble trouble_of(Sluice__Tikv__RegionError *error)
{
    Sluice__Tikv__MvccGetByKeyResponse response = SLUICE__TIKV__MVCC_GET_BY_KEY_RESPONSE__INIT;
    struct tikv_trouble                trouble;
    struct tikv_found                  found;
    struct sl_buf                     *buf;

    response.region_error = error;
    buf = packed(&response.base);
    assert_true(tikv_unpack_found(buf, 1, &trouble, &found));
    sl_buf_free(&buf);
    return trouble;
}

static void region_errors_say_where_to_ask_next(void **state)
{
    Sluice__Tikv__RegionError  error = SLUICE__TIKV__REGION_ERROR__INIT;
    Sluice__Tikv__NotLeader    not_leader = SLUICE__TIKV__NOT_LEADER__INIT;
    Sluice__Tikv__Peer         leader = SLUICE__TIKV__PEER__INIT;
    Sluice__Tikv__ServerIsBusy busy = SLUICE__TIKV__SERVER_IS_BUSY__INIT;
    Sluice__Tikv__Present      present = SLUICE__TIKV__PRESENT__INIT;
    struct tikv_trouble        trouble;

    (void)state;
    assert_int_equal(trouble_of(NULL).kind, TIKV_NO_TROUBLE);
    assert_int_equal(trouble_of(&error).kind, TIKV_BUSY); /* one that is not known */
    error.not_leader = &not_leader;
    assert_int_equal(trouble_of(&error).kind, TIKV_OTHER_REGION);
    leader.id = 7;
    leader.store_id = 8;
    not_leader.leader = &leader;
    trouble = trouble_of(&error);
    assert_int_equal(trouble.kind, TIKV_OTHER_LEADER);
    assert_int_equal(trouble.leader.store_id, 8);
    error.not_leader = NULL;
    error.epoch_not_match = &present;
    assert_int_equal(trouble_of(&error).kind, TIKV_OTHER_REGION);
    error.epoch_not_match = NULL;
    error.region_not_found = &present;
    assert_int_equal(trouble_of(&error).kind, TIKV_OTHER_REGION);
    error.region_not_found = NULL;
    error.flashback_in_progress = &present;
    assert_int_equal(trouble_of(&error).kind, TIKV_CLOSED);
    error.flashback_in_progress = NULL;
    busy.backoff_ms = 123;
    error.server_is_busy = &busy;
    trouble = trouble_of(&error);
    assert_int_equal(trouble.kind, TIKV_BUSY);
    assert_int_equal(trouble.wait_ms, 123);
}

/* ---- the look-up ---- */

enum { START = 1000, CHECK = -1 };

static const sl_ts start_ts = (sl_ts)START << SL_TS_LOGICAL_BITS;

struct look {
    const char             *name;
    uint64_t                write_start; /* physical; 0: no write record */
    uint32_t                write_type;  /* 0 Put, 2 Lock, 3 Rollback */
    int64_t                 write_commit;
    uint64_t                lock_start; /* physical; 0: no lock */
    uint64_t                lock_ttl;
    const char             *error;
    int64_t                 now; /* physical */
    enum sl_tikv_permission may;
    int                     fate; /* or CHECK */
};

static const struct look looks[] = {
    {"a Put is a commit", START, 0, 1001, 0, 0, "", 1002, SL_TIKV_LOOK, SL_TIKV_COMMITTED},
    {"a Lock record too", START, 2, 1001, 0, 0, "", 1002, SL_TIKV_LOOK, SL_TIKV_COMMITTED},
    {"not at its start", START, 0, 1000, 0, 0, "", 1002, SL_TIKV_ROLL_BACK, SL_TIKV_UNKNOWN},
    {"nor before it", START, 0, 5, 0, 0, "", 1002, SL_TIKV_ROLL_BACK, SL_TIKV_UNKNOWN},
    {"a Rollback", START, 3, 1000, 0, 0, "", 1002, SL_TIKV_LOOK, SL_TIKV_ROLLED_BACK},
    {"another's record", 999, 0, 1001, 0, 0, "", 1002, SL_TIKV_LOOK, SL_TIKV_UNKNOWN},
    {"another's rollback", 999, 3, 999, 0, 0, "", 1002, SL_TIKV_LOOK, SL_TIKV_UNKNOWN},
    {"nothing, look only", 0, 0, 0, 0, 0, "", 9000, SL_TIKV_LOOK, SL_TIKV_UNKNOWN},
    {"nothing, given up", 0, 0, 0, 0, 0, "", 1001, SL_TIKV_ROLL_BACK_ABSENT, CHECK},
    {"nothing, old", 0, 0, 0, 0, 0, "", 9000, SL_TIKV_ROLL_BACK, CHECK},
    {"a lock, look only", 0, 0, 0, START, 10, "", 9000, SL_TIKV_LOOK, SL_TIKV_LOCKED},
    {"a lock, given up", 0, 0, 0, START, 0, "", 9000, SL_TIKV_ROLL_BACK_ABSENT, SL_TIKV_LOCKED},
    {"a living lock", 0, 0, 0, START, 3000, "", 3999, SL_TIKV_ROLL_BACK, SL_TIKV_LOCKED},
    {"a dead lock", 0, 0, 0, START, 3000, "", 4000, SL_TIKV_ROLL_BACK, CHECK},
    {"another's lock", 0, 0, 0, 999, 9000, "", 1001, SL_TIKV_ROLL_BACK_ABSENT, CHECK},
    {"an error, look only", START, 0, 1001, 0, 0, "x", 9000, SL_TIKV_LOOK, SL_TIKV_UNKNOWN},
    {"an error, given up", 0, 0, 0, 0, 0, "x", 9000, SL_TIKV_ROLL_BACK_ABSENT, SL_TIKV_UNKNOWN},
    {"an error, old", 0, 0, 0, 0, 0, "x", 9000, SL_TIKV_ROLL_BACK, CHECK},
};

static uint64_t ts_of(int64_t physical)
{
    return (uint64_t)physical << SL_TS_LOGICAL_BITS;
}

static void run_look(const struct look *row)
{
    Sluice__Tikv__MvccGetByKeyResponse response = SLUICE__TIKV__MVCC_GET_BY_KEY_RESPONSE__INIT;
    Sluice__Tikv__MvccInfo             info = SLUICE__TIKV__MVCC_INFO__INIT;
    Sluice__Tikv__MvccWrite            write = SLUICE__TIKV__MVCC_WRITE__INIT;
    Sluice__Tikv__MvccWrite           *writes[] = {&write};
    Sluice__Tikv__MvccLock             lock = SLUICE__TIKV__MVCC_LOCK__INIT;
    const struct sl_tikv_question      question = {
             .start_ts = start_ts, .current_ts = (sl_ts)ts_of(row->now), .may = row->may};
    struct sl_tikv_verdict verdict = {0};
    struct tikv_trouble    trouble;
    struct tikv_found      found;
    struct sl_buf         *buf;
    int                    got;

    write.start_ts = ts_of((int64_t)row->write_start);
    write.type = row->write_type;
    write.commit_ts = ts_of(row->write_commit);
    lock.start_ts = ts_of((int64_t)row->lock_start);
    lock.ttl = row->lock_ttl;
    info.writes = writes;
    info.n_writes = row->write_start != 0 ? 1 : 0;
    info.lock = row->lock_start != 0 ? &lock : NULL;
    response.info = &info;
    response.error = (char *)(uintptr_t)row->error;
    buf = packed(&response.base);
    assert_true(tikv_unpack_found(buf, start_ts, &trouble, &found));
    sl_buf_free(&buf);
    got = tikv_judge_found(&question, &found, &verdict) ? (int)verdict.fate : CHECK;
    if (got != row->fate)
        fail_msg("%s: %d instead of %d", row->name, got, row->fate);
    if (got == SL_TIKV_COMMITTED)
        assert_int_equal(verdict.commit_ts, ts_of(row->write_commit));
    else
        assert_int_equal(verdict.commit_ts, 0);
    if (got == SL_TIKV_UNKNOWN)
        assert_true(verdict.why.text[0] != '\0');
}

static void a_look_up_settles_or_leads_to_a_check_only_with_permission(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        run_look(&looks[i]);
}

/* ---- the check ---- */

struct check {
    const char       *name;
    uint64_t          ttl;
    int64_t           commit; /* physical */
    uint32_t          action;
    bool              async;
    bool              error;
    enum sl_tikv_fate fate;
};

static const struct check checks[] = {
    {"committed", 0, 1001, 0, false, false, SL_TIKV_COMMITTED},
    {"committed before its start", 0, 999, 0, false, false, SL_TIKV_UNKNOWN},
    {"a lock lives", 3000, 0, 0, false, false, SL_TIKV_LOCKED},
    {"a lock pushed", 3000, 0, 3, false, false, SL_TIKV_LOCKED},
    {"was rolled back", 0, 0, 0, false, false, SL_TIKV_ROLLED_BACK},
    {"rolled back, expired", 0, 0, 1, false, false, SL_TIKV_ROLLED_BACK},
    {"rolled back, absent", 0, 0, 2, false, false, SL_TIKV_ROLLED_BACK},
    {"pushed without a lock", 0, 0, 3, false, false, SL_TIKV_UNKNOWN},
    {"a pessimistic lock removed", 0, 0, 4, false, false, SL_TIKV_UNKNOWN},
    {"nothing done", 0, 0, 5, false, false, SL_TIKV_UNKNOWN},
    {"an action of the future", 0, 0, 99, false, false, SL_TIKV_UNKNOWN},
    {"async commit", 3000, 0, 0, true, false, SL_TIKV_UNKNOWN},
    {"an error", 0, 0, 0, false, true, SL_TIKV_UNKNOWN},
    {"an error beside a commit", 0, 1001, 0, false, true, SL_TIKV_UNKNOWN},
};

static const struct sl_tikv_question a_question = {.start_ts = START << SL_TS_LOGICAL_BITS,
                                                   .may = SL_TIKV_ROLL_BACK};

static void run_check(const struct check *row)
{
    Sluice__Tikv__CheckTxnStatusResponse response = SLUICE__TIKV__CHECK_TXN_STATUS_RESPONSE__INIT;
    Sluice__Tikv__LockInfo               lock = SLUICE__TIKV__LOCK_INFO__INIT;
    Sluice__Tikv__KeyError               error = SLUICE__TIKV__KEY_ERROR__INIT;
    Sluice__Tikv__TxnNotFound            not_found = SLUICE__TIKV__TXN_NOT_FOUND__INIT;
    struct sl_tikv_verdict               verdict = {0};
    struct tikv_trouble                  trouble;
    struct tikv_checked                  checked;
    struct sl_buf                       *buf;

    response.lock_ttl = row->ttl;
    response.commit_version = ts_of(row->commit);
    response.action = row->action;
    lock.use_async_commit = row->async;
    response.lock_info = row->async ? &lock : NULL;
    error.txn_not_found = &not_found;
    response.error = row->error ? &error : NULL;
    buf = packed(&response.base);
    assert_true(tikv_unpack_checked(buf, &trouble, &checked));
    sl_buf_free(&buf);
    tikv_judge_checked(&a_question, &checked, &verdict);
    if (verdict.fate != row->fate)
        fail_msg("%s: %d instead of %d", row->name, (int)verdict.fate, (int)row->fate);
}

static void a_check_settles_only_by_a_clear_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        run_check(&checks[i]);
}

static enum sl_tikv_fate cleaned_as(int64_t commit, bool locked, const char *abort_text)
{
    Sluice__Tikv__CleanupResponse response = SLUICE__TIKV__CLEANUP_RESPONSE__INIT;
    Sluice__Tikv__LockInfo        lock = SLUICE__TIKV__LOCK_INFO__INIT;
    Sluice__Tikv__KeyError        error = SLUICE__TIKV__KEY_ERROR__INIT;
    struct sl_tikv_verdict        verdict = {0};
    struct tikv_trouble           trouble;
    struct tikv_checked           cleaned;
    struct sl_buf                *buf;

    response.commit_version = ts_of(commit);
    error.locked = locked ? &lock : NULL;
    error.abort = (char *)(uintptr_t)abort_text;
    response.error = locked || abort_text[0] != '\0' ? &error : NULL;
    buf = packed(&response.base);
    assert_true(tikv_unpack_cleaned(buf, &trouble, &cleaned));
    sl_buf_free(&buf);
    tikv_judge_cleaned(&a_question, &cleaned, &verdict);
    return verdict.fate;
}

static void the_older_cleanup_settles_alike(void **state)
{
    (void)state;
    assert_int_equal(cleaned_as(1001, false, ""), SL_TIKV_COMMITTED);
    assert_int_equal(cleaned_as(0, false, ""), SL_TIKV_ROLLED_BACK);
    assert_int_equal(cleaned_as(0, true, ""), SL_TIKV_LOCKED);
    assert_int_equal(cleaned_as(0, false, "no"), SL_TIKV_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_encoded_in_padded_groups_of_eight),
        cmocka_unit_test(encoded_keys_keep_the_order_of_raw_ones),
        cmocka_unit_test(region_errors_say_where_to_ask_next),
        cmocka_unit_test(a_look_up_settles_or_leads_to_a_check_only_with_permission),
        cmocka_unit_test(a_check_settles_only_by_a_clear_answer),
        cmocka_unit_test(the_older_cleanup_settles_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
