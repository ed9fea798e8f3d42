/* The client of TiKV against a PD and a store that misbehave: what passes by itself is waited for,
 * what does not is unknown in time, and no question waits for another one. Both are one host on a
 * thread, told by atomics what to answer. What the answers mean is tikv_verdict_test.c's. */

#include "unit/net/store_kit.h"

enum { MANY = 300 };

static const sl_nanos patience = 20 * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos glance = 300 * (sl_nanos)SL_NANOS_PER_MS;

/* ---- the store ---- */

static atomic_uint looks;

/* Every key was committed one after its start, which is its first byte. */
static void look(struct sl_grpc_call *call, const char *path, const struct sl_buf *bytes)
{
    Sluice__Tikv__MvccGetByKeyRequest *request =
        sluice__tikv__mvcc_get_by_key_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Tikv__MvccGetByKeyResponse response = SLUICE__TIKV__MVCC_GET_BY_KEY_RESPONSE__INIT;
    Sluice__Tikv__MvccInfo             info = SLUICE__TIKV__MVCC_INFO__INIT;
    Sluice__Tikv__MvccWrite            write = SLUICE__TIKV__MVCC_WRITE__INIT;
    Sluice__Tikv__MvccWrite           *writes[] = {&write};

    (void)path;
    assert_non_null(request);
    atomic_fetch_add(&looks, 1);
    if (!kit_fails(call)) {
        write.start_ts = 1 + request->key.data[0];
        write.commit_ts = write.start_ts + 1;
        info.n_writes = 1;
        info.writes = writes;
        response.info = &info;
        answer(call, &response.base);
    }
    sluice__tikv__mvcc_get_by_key_request__free_unpacked(request, NULL);
}

static const char *const      paths[] = {"/tikvpb.Tikv/MvccGetByKey", NULL};
static const struct kit_store store = {.paths = paths, .asked = look};

static int setup(void **state)
{
    atomic_store(&looks, 0);
    return kit_start(&store, state);
}

/* ---- the client ---- */

static const uint8_t keys[] = {0, 1, 2, 3, 4, 5, 6, 7};

static struct sl_tikv_question question(uint32_t i)
{
    uint32_t k = i % (uint32_t)sizeof keys;

    return (struct sl_tikv_question){.primary = {&keys[k], 1}, .start_ts = 1 + (sl_ts)k};
}

static struct sl_tikv_verdict ask_one(struct sl_tikv *tikv, sl_nanos timeout)
{
    struct sl_tikv_question q = question(0);
    struct sl_tikv_verdict  verdict;

    sl_tikv_status_ask(tikv, &q, 1, timeout, &verdict);
    return verdict;
}

static void many_are_answered_at_once_each_its_own(void **state)
{
    static struct sl_tikv_question questions[MANY];
    static struct sl_tikv_verdict  verdicts[MANY];

    for (uint32_t i = 0; i < MANY; i++)
        questions[i] = question(i);
    sl_tikv_status_ask(*state, questions, MANY, patience, verdicts);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(verdicts[i].fate, SL_TIKV_COMMITTED);
        assert_int_equal(verdicts[i].commit_ts, questions[i].start_ts + 1);
    }
    assert_int_equal(atomic_load(&stores_asked), 1);
    assert_int_equal(sl_tikv_counts(*state).looks, MANY);
}

static void a_store_that_moved_is_found_again(void **state)
{
    atomic_store(&store_elsewhere, 2);
    assert_int_equal(ask_one(*state, patience).fate, SL_TIKV_COMMITTED);
    assert_int_equal(atomic_load(&stores_asked), 3);
}

static void failures_and_damaged_answers_are_asked_again(void **state)
{
    atomic_store(&failing, 2);
    atomic_store(&damaged, 2);
    assert_int_equal(ask_one(*state, patience).fate, SL_TIKV_COMMITTED);
    assert_int_equal(atomic_load(&looks), 5);
}

static void what_does_not_pass_is_unknown_in_time_and_says_why(void **state)
{
    sl_nanos               begun = sl_env_now(sl_env_os());
    struct sl_tikv_verdict verdict;

    atomic_store(&failing, INT32_MAX);
    verdict = ask_one(*state, glance);
    assert_int_equal(verdict.fate, SL_TIKV_UNKNOWN);
    assert_non_null(strstr(verdict.why.text, "out of order"));
    assert_true(sl_env_now(sl_env_os()) - begun < patience);
}

static void a_cluster_without_tikv_says_so_at_once(void **state)
{
    struct sl_tikv_verdict verdict;

    atomic_store(&no_regions, true);
    verdict = ask_one(*state, UINT32_MAX * (sl_nanos)SL_NANOS_PER_S);
    assert_int_equal(verdict.fate, SL_TIKV_UNKNOWN);
    assert_non_null(strstr(verdict.why.text, "not bootstrapped"));
    atomic_store(&no_regions, false);
    assert_int_equal(ask_one(*state, patience).fate, SL_TIKV_COMMITTED);
}

static void a_check_is_not_sent_where_it_is_not_known(void **state)
{
    struct sl_tikv_question q = question(0);
    struct sl_tikv_verdict  verdict;

    q.start_ts = 99; /* the store knows nothing of it, nor any method but the look-up */
    q.may = SL_TIKV_ROLL_BACK;
    sl_tikv_status_ask(*state, &q, 1, patience, &verdict);
    assert_int_equal(verdict.fate, SL_TIKV_UNKNOWN);
    assert_non_null(strstr(verdict.why.text, "UNIMPLEMENTED"));
    assert_int_equal(sl_tikv_counts(*state).checks, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, kit_stop)
        WITH(many_are_answered_at_once_each_its_own),
        WITH(a_store_that_moved_is_found_again),
        WITH(failures_and_damaged_answers_are_asked_again),
        WITH(what_does_not_pass_is_unknown_in_time_and_says_why),
        WITH(a_cluster_without_tikv_says_so_at_once),
        WITH(a_check_is_not_sent_where_it_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
