/* The client of TiKV against a PD and a store that misbehave: what passes by itself is waited for,
 * what does not is unknown in time, and no question waits for another one. Both are one host on a
 * thread, told by atomics what to answer. What the answers mean is tikv_verdict_test.c's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/limits.h"
#include "lib/host.h"
#include "net/tikv.h"
#include "pdpb.pb-c.h"
#include "tikv.pb-c.h"

enum { CLUSTER = 77, LOOK_MS = 10, MANY = 300 };

static const sl_nanos patience = 20 * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos glance = 300 * (sl_nanos)SL_NANOS_PER_MS;

/* ---- the host ---- */

static struct host       host;
static struct sl_thread *thread;
static atomic_bool       stop;
static char              url[SL_ADDR_BYTES_MAX + 8];

/* What is wrong: so many answers to come, or until it is set to 0. */
static atomic_int  store_elsewhere; /* PD tells an address where nobody listens */
static atomic_int  damaged;         /* TiKV's answers are no messages */
static atomic_int  failing;         /* TiKV ends calls without an answer */
static atomic_bool no_regions;      /* PD says that there is no TiKV */
static atomic_uint stores_asked;
static atomic_uint looks;

static bool next(atomic_int *left)
{
    return atomic_load(left) > 0 && atomic_fetch_sub(left, 1) > 0;
}

static void answer(struct sl_grpc_call *call, const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    assert_int_equal(sl_grpc_send(call, &buf), SL_OK);
    sl_grpc_finish(call, SL_GRPC_OK, NULL);
}

static void get_members(struct sl_grpc_call *call)
{
    Sluice__Pd__GetMembersResponse response = SLUICE__PD__GET_MEMBERS_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader     header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Member             member = SLUICE__PD__MEMBER__INIT;
    Sluice__Pd__Member            *members[] = {&member};
    char                          *urls[] = {url};

    header.cluster_id = CLUSTER;
    member.n_client_urls = response.n_members = 1;
    member.client_urls = urls;
    response.header = &header;
    response.members = members;
    response.leader = &member;
    answer(call, &response.base);
}

static void get_region(struct sl_grpc_call *call)
{
    static char                   text[] = "cluster is not bootstrapped";
    Sluice__Pd__GetRegionResponse response = SLUICE__PD__GET_REGION_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader    header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Error             error = SLUICE__PD__ERROR__INIT;
    Sluice__Pd__Region            region = SLUICE__PD__REGION__INIT;
    Sluice__Pd__Peer              peer = SLUICE__PD__PEER__INIT;

    error.type = 2;
    error.message = text;
    header.cluster_id = CLUSTER;
    header.error = atomic_load(&no_regions) ? &error : NULL;
    region.id = peer.id = peer.store_id = 1;
    response.header = &header;
    response.region = &region;
    response.leader = &peer;
    answer(call, &response.base);
}

static void get_store(struct sl_grpc_call *call)
{
    static char                  nobody[] = "127.0.0.1:1";
    Sluice__Pd__GetStoreResponse response = SLUICE__PD__GET_STORE_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader   header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Store            store = SLUICE__PD__STORE__INIT;

    atomic_fetch_add(&stores_asked, 1);
    header.cluster_id = CLUSTER;
    store.id = 1;
    store.address = next(&store_elsewhere) ? nobody : host.address;
    response.header = &header;
    response.store = &store;
    answer(call, &response.base);
}

/* Every key was committed one after its start, which is its first byte. */
static void look(struct sl_grpc_call *call, const struct sl_buf *bytes)
{
    Sluice__Tikv__MvccGetByKeyRequest *request =
        sluice__tikv__mvcc_get_by_key_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Tikv__MvccGetByKeyResponse response = SLUICE__TIKV__MVCC_GET_BY_KEY_RESPONSE__INIT;
    Sluice__Tikv__MvccInfo             info = SLUICE__TIKV__MVCC_INFO__INIT;
    Sluice__Tikv__MvccWrite            write = SLUICE__TIKV__MVCC_WRITE__INIT;
    Sluice__Tikv__MvccWrite           *writes[] = {&write};
    struct sl_buf                     *garbage;

    assert_non_null(request);
    atomic_fetch_add(&looks, 1);
    if (next(&failing)) {
        sl_grpc_finish(call, SL_GRPC_UNKNOWN, "out of order");
    } else if (next(&damaged)) {
        garbage = sl_buf_new(1);
        garbage->data[0] = 0xff;
        assert_int_equal(sl_grpc_send(call, &garbage), SL_OK);
        sl_grpc_finish(call, SL_GRPC_OK, NULL);
    } else {
        write.start_ts = 1 + request->key.data[0];
        write.commit_ts = write.start_ts + 1;
        info.n_writes = 1;
        info.writes = writes;
        response.info = &info;
        answer(call, &response.base);
    }
    sluice__tikv__mvcc_get_by_key_request__free_unpacked(request, NULL);
}

static const char *const served[] = {"/pdpb.PD/GetMembers", "/pdpb.PD/GetRegion",
                                     "/pdpb.PD/GetStore", "/tikvpb.Tikv/MvccGetByKey"};

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    (void)context;
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++)
        if (sl_slice_equal(path, sl_slice_from_string(served[i]))) {
            sl_grpc_call_set_context(call, (void *)(uintptr_t)served[i]);
            return SL_GRPC_ONE_MESSAGE;
        }
    return SL_GRPC_NO_METHOD;
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    if (context == served[0])
        get_members(call);
    else if (context == served[1])
        get_region(call);
    else if (context == served[2])
        get_store(call);
    else
        look(call, *message);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    (void)context, (void)call, (void)status, (void)text;
}

static const struct sl_grpc_events events = {
    .called = on_called, .message = on_message, .over = on_over};

static void serve(void *argument)
{
    struct sl_socket_wait waits[HOST_WAITS_MAX];

    (void)argument;
    while (!atomic_load(&stop)) {
        sl_nanos until = sl_env_now(sl_env_os()) + LOOK_MS * (sl_nanos)SL_NANOS_PER_MS;
        uint32_t count = host_waits(&host, waits, &until);

        sl_net_wait(sl_env_os()->net, waits, count, until);
        host_step(&host);
    }
}

/* ---- the client ---- */

static int setup(void **state)
{
    struct sl_tikv *tikv;

    atomic_store(&store_elsewhere, 0);
    atomic_store(&damaged, 0);
    atomic_store(&failing, 0);
    atomic_store(&no_regions, false);
    atomic_store(&stores_asked, 0);
    atomic_store(&looks, 0);
    atomic_store(&stop, false);
    assert_int_equal(host_open(&host, sl_env_os(), "127.0.0.1:0", &events, NULL, NULL), SL_OK);
    (void)snprintf(url, sizeof url, "http://%s", host.address);
    assert_int_equal(
        sl_env_os()->threads->start(sl_env_os()->threads, "host", serve, NULL, &thread, NULL),
        SL_OK);
    assert_int_equal(sl_tikv_open(sl_env_os(), url, &tikv, NULL), SL_OK);
    *state = tikv;
    return 0;
}

static int teardown(void **state)
{
    struct sl_tikv *tikv = *state;

    sl_tikv_free(&tikv);
    atomic_store(&stop, true);
    sl_env_os()->threads->join(sl_env_os()->threads, &thread);
    host_close(&host);
    return 0;
}

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
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        WITH(many_are_answered_at_once_each_its_own),
        WITH(a_store_that_moved_is_found_again),
        WITH(failures_and_damaged_answers_are_asked_again),
        WITH(what_does_not_pass_is_unknown_in_time_and_says_why),
        WITH(a_cluster_without_tikv_says_so_at_once),
        WITH(a_check_is_not_sent_where_it_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
