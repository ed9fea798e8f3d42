/* The clients of PD and etcd against members that misbehave: each answer that cannot be used is
 * refused or asked of the next member, and what is said names who said it. The members are hosts on
 * a thread, which answer each method with what the test has put down. What real servers do is the
 * business of tests/integration/live_cluster.py. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "etcd.pb-c.h"
#include "lib/host.h"
#include "net/cluster.h"
#include "net/etcd.h"
#include "net/pd.h"
#include "net/pd_registry.h"
#include "pdpb.pb-c.h"

enum { MEMBERS = 2, CLUSTER = 77, PATHS_MAX = 5, BYTES_MAX = 512, LOOK_MS = 10 };

/* ---- the members ---- */

struct rule {
    const char         *path; /* NULL: free */
    enum sl_grpc_status status;
    const char         *text;
    uint8_t             bytes[BYTES_MAX]; /* of the answer, with status OK */
    size_t              count;
};

struct member {
    struct host host;
    char        url[SL_ADDR_BYTES_MAX + 8];
    struct rule rules[PATHS_MAX];
    atomic_uint asked;
};

static struct member     members[MEMBERS];
static struct sl_thread *thread;
static atomic_bool       stop;
static atomic_uint       lock; /* of the rules: a spin lock, as no one waits long */

static void enter(void)
{
    while (atomic_exchange(&lock, 1) != 0)
        ;
}

static void leave(void)
{
    atomic_store(&lock, 0);
}

static struct rule *find(struct member *member, struct sl_slice path)
{
    for (size_t i = 0; i < PATHS_MAX; i++) {
        const char *known = member->rules[i].path;

        if (known != NULL && sl_slice_equal(path, sl_slice_from_string(known)))
            return &member->rules[i];
    }
    return NULL;
}

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    struct rule *rule;

    enter();
    rule = find(context, path);
    leave();
    if (rule == NULL)
        return SL_GRPC_NO_METHOD;
    atomic_fetch_add(&((struct member *)context)->asked, 1);
    sl_grpc_call_set_context(call, rule);
    return SL_GRPC_MANY_MESSAGES;
}

/* Streams of timestamps stay open; all else is answered and over. */
static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    struct rule    rule;
    struct sl_buf *answer;

    sl_grpc_consume(call, (*message)->len);
    enter();
    rule = *(struct rule *)context;
    leave();
    if (rule.status != SL_GRPC_OK) {
        sl_grpc_finish(call, rule.status, rule.text);
        return;
    }
    answer = sl_buf_new(rule.count);
    memcpy(answer->data, rule.bytes, rule.count);
    assert_int_equal(sl_grpc_send(call, &answer), SL_OK);
    if (strcmp(rule.path, "/pdpb.PD/Tso") != 0)
        sl_grpc_finish(call, SL_GRPC_OK, NULL);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    (void)context, (void)call, (void)status, (void)text;
}

static const struct sl_grpc_events member_events = {
    .called = on_called, .message = on_message, .over = on_over};

static void serve(void *argument)
{
    struct sl_socket_wait waits[MEMBERS * HOST_WAITS_MAX];

    (void)argument;
    while (!atomic_load(&stop)) {
        sl_nanos until = sl_env_now(sl_env_os()) + LOOK_MS * (sl_nanos)SL_NANOS_PER_MS;
        uint32_t count = 0;

        for (int i = 0; i < MEMBERS; i++)
            count += host_waits(&members[i].host, waits + count, &until);
        sl_net_wait(sl_env_os()->net, waits, count, until);
        for (int i = 0; i < MEMBERS; i++)
            host_step(&members[i].host);
    }
}

static int start(void **state)
{
    (void)state;
    for (int i = 0; i < MEMBERS; i++) {
        struct member *m = &members[i];

        assert_int_equal(host_open(&m->host, sl_env_os(), "127.0.0.1:0", &member_events, m, NULL),
                         SL_OK);
        (void)snprintf(m->url, sizeof m->url, "http://%s", m->host.address);
    }
    return sl_env_os()->threads->start(sl_env_os()->threads, "members", serve, NULL, &thread,
                                       NULL) == SL_OK
               ? 0
               : -1;
}

static int end(void **state)
{
    (void)state;
    atomic_store(&stop, true);
    sl_env_os()->threads->join(sl_env_os()->threads, &thread);
    for (int i = 0; i < MEMBERS; i++)
        host_close(&members[i].host);
    return sl_buf_live_count() == 0 ? 0 : -1;
}

/* ---- what they shall answer ---- */

static void set_rule(int member, const char *path, enum sl_grpc_status status, const char *text,
                     const uint8_t *bytes, size_t count)
{
    struct rule *rule;

    assert_true(count <= BYTES_MAX);
    enter();
    rule = find(&members[member], sl_slice_from_string(path));
    for (size_t i = 0; rule == NULL; i++) {
        assert_true(i < PATHS_MAX);
        if (members[member].rules[i].path == NULL)
            rule = &members[member].rules[i];
    }
    *rule = (struct rule){.path = path, .status = status, .text = text, .count = count};
    if (count > 0)
        memcpy(rule->bytes, bytes, count);
    leave();
}

static void refuse(int member, const char *path, enum sl_grpc_status status, const char *text)
{
    set_rule(member, path, status, text, NULL, 0);
}

static void say(int member, const char *path, const ProtobufCMessage *message)
{
    uint8_t bytes[BYTES_MAX];
    size_t  count = protobuf_c_message_get_packed_size(message);

    assert_true(count <= sizeof bytes);
    (void)protobuf_c_message_pack(message, bytes);
    set_rule(member, path, SL_GRPC_OK, NULL, bytes, count);
}

static void garble(int member, const char *path)
{
    static const uint8_t garbage[] = {0x0a, 0xff, 0xff};

    set_rule(member, path, SL_GRPC_OK, NULL, garbage, sizeof garbage);
}

static const char get_members[] = "/pdpb.PD/GetMembers";
static const char tso[] = "/pdpb.PD/Tso";
static const char range[] = "/etcdserverpb.KV/Range";
static const char txn[] = "/etcdserverpb.KV/Txn";
static const char member_list[] = "/etcdserverpb.Cluster/MemberList";

/* leader: index, -1: none. */
static void say_members(int member, uint64_t cluster_id, int leader)
{
    Sluice__Pd__GetMembersResponse response = SLUICE__PD__GET_MEMBERS_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader     header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Member             infos[MEMBERS];
    Sluice__Pd__Member            *pointers[MEMBERS];
    char                          *urls[MEMBERS];

    for (int i = 0; i < MEMBERS; i++) {
        sluice__pd__member__init(&infos[i]);
        urls[i] = members[i].url;
        infos[i].n_client_urls = 1;
        infos[i].client_urls = &urls[i];
        pointers[i] = &infos[i];
    }
    header.cluster_id = cluster_id;
    response.header = &header;
    response.n_members = MEMBERS;
    response.members = pointers;
    response.leader = leader >= 0 ? pointers[leader] : NULL;
    say(member, get_members, &response.base);
}

static void say_timestamp(int member, uint32_t count, int64_t physical, int64_t logical,
                          uint32_t suffix_bits)
{
    Sluice__Pd__TsoResponse    response = SLUICE__PD__TSO_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Timestamp      timestamp = SLUICE__PD__TIMESTAMP__INIT;

    header.cluster_id = CLUSTER;
    timestamp.physical = physical;
    timestamp.logical = logical;
    timestamp.suffix_bits = suffix_bits;
    response.header = &header;
    response.count = count;
    response.timestamp = &timestamp;
    say(member, tso, &response.base);
}

/* One key; NULL: none. */
static void say_key(int member, const char *key, const char *value, int64_t revision)
{
    Sluice__Etcd__RangeResponse response = SLUICE__ETCD__RANGE_RESPONSE__INIT;
    Sluice__Etcd__KeyValue      kv = SLUICE__ETCD__KEY_VALUE__INIT;
    Sluice__Etcd__KeyValue     *kvs[] = {&kv};
    char                        bytes[2][BYTES_MAX / 2];

    if (key != NULL) {
        kv.key.len = (size_t)snprintf(bytes[0], sizeof bytes[0], "%s", key);
        kv.value.len = (size_t)snprintf(bytes[1], sizeof bytes[1], "%s", value);
        kv.key.data = (uint8_t *)bytes[0];
        kv.value.data = (uint8_t *)bytes[1];
        kv.mod_revision = revision;
        response.n_kvs = 1;
        response.kvs = kvs;
    }
    say(member, range, &response.base);
}

static void forget_all(void)
{
    enter();
    for (int i = 0; i < MEMBERS; i++)
        memset(members[i].rules, 0, sizeof members[i].rules);
    leave();
}

/* Both know each other, the first leads, nothing is stored. */
static int all_is_well(void **state)
{
    Sluice__Etcd__TxnResponse done = SLUICE__ETCD__TXN_RESPONSE__INIT;

    (void)state;
    forget_all();
    for (int i = 0; i < MEMBERS; i++) {
        say_members(i, CLUSTER, 0);
        say_key(i, NULL, NULL, 0);
        say(i, txn, &done.base);
        say_timestamp(i, 3, 1000, 7, 0);
    }
    return 0;
}

static void assert_said(const struct sl_why *why, const char *words)
{
    if (strstr(why->text, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, why->text);
}

/* ---- PD ---- */

static struct sl_pd *pd_open(void)
{
    struct sl_pd *pd = NULL;
    struct sl_why why = {0};

    if (sl_pd_open(sl_env_os(), members[0].url, &pd, &why) != SL_OK)
        fail_msg("%s", why.text);
    assert_int_equal(sl_pd_cluster_id(pd), CLUSTER);
    return pd;
}

static void the_greatest_of_the_batch_is_told_and_the_first_is_given(void **state)
{
    struct sl_pd *pd = pd_open();
    sl_ts         first = 0;

    (void)state;
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 3, &first, NULL), SL_OK);
    assert_int_equal(first, sl_ts_of_ms(1000) + 5);
    say_timestamp(0, 1, 1000, 8, 0); /* the very next */
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 1, &first, NULL), SL_OK);
    assert_int_equal(first, sl_ts_of_ms(1000) + 8);
    sl_pd_free(&pd);
}

static void timestamps_that_cannot_be_are_refused(void **state)
{
    static const struct {
        uint32_t    count;
        int64_t     physical;
        int64_t     logical;
        uint32_t    suffix_bits;
        enum sl_err err;
    } cases[] = {
        {2, 1001, 7, 0, SL_INVALID}, /* another count */
        {3, 0, 7, 0, SL_INVALID},    /* no time */
        {3, -5, 7, 0, SL_INVALID},       {3, INT64_MAX, 7, 0, SL_INVALID},
        {3, 1001, -1, 0, SL_INVALID},    {3, 1001, 1 << 18, 0, SL_INVALID},
        {3, 1000, 9, 0, SL_INVALID}, /* the first of them was given before */
        {3, 1001, 7, 2, SL_UNSUPPORTED},
    };
    struct sl_pd *pd = pd_open();
    sl_ts         first = 0;

    (void)state;
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 3, &first, NULL), SL_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        say_timestamp(0, cases[i].count, cases[i].physical, cases[i].logical, cases[i].suffix_bits);
        assert_int_equal(sl_tso_now(sl_pd_tso(pd), 3, &first, NULL), cases[i].err);
    }
    garble(0, tso);
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 3, &first, NULL), SL_INVALID);
    say_timestamp(0, 3, 1001, 7, 0);
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 3, &first, NULL), SL_OK);
    sl_pd_free(&pd);
}

static void a_leader_that_steps_down_is_left_for_the_next(void **state)
{
    struct sl_pd *pd = pd_open();
    sl_ts         first = 0;

    (void)state;
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 3, &first, NULL), SL_OK);
    refuse(0, tso, SL_GRPC_UNKNOWN, "not leader");
    say_members(0, CLUSTER, 1);
    say_timestamp(1, 3, 1002, 7, 0);
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 3, &first, NULL), SL_OK);
    assert_int_equal(first, sl_ts_of_ms(1002) + 5);
    sl_pd_free(&pd);
}

static void a_wrong_cluster_is_said_at_once(void **state)
{
    struct sl_pd *pd = pd_open();
    struct sl_why why = {0};
    sl_ts         first = 0;

    (void)state;
    refuse(0, tso, SL_GRPC_FAILED_PRECONDITION, "mismatch cluster id, need 78 but got 77");
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 1, &first, &why), SL_INVALID);
    assert_said(&why, "mismatch cluster id, need 78 but got 77");
    say_members(0, CLUSTER + 1, 0);
    assert_int_equal(sl_tso_now(sl_pd_tso(pd), 1, &first, &why), SL_INVALID);
    assert_said(&why, "belongs to cluster 78, we belong to cluster 77");
    sl_pd_free(&pd);
}

static void a_pd_that_is_not_ready_or_none_is_not_opened(void **state)
{
    struct sl_pd *pd = NULL;
    struct sl_why why = {0};

    (void)state;
    say_members(0, 0, 0);
    assert_int_equal(sl_pd_open(sl_env_os(), members[0].url, &pd, &why), SL_UNAVAILABLE);
    assert_said(&why, "has no cluster id yet");
    garble(0, get_members);
    assert_int_equal(sl_pd_open(sl_env_os(), members[0].url, &pd, &why), SL_UNAVAILABLE);
    assert_said(&why, members[0].url);
    forget_all();
    assert_int_equal(sl_pd_open(sl_env_os(), members[0].url, &pd, &why), SL_UNSUPPORTED);
    assert_int_equal(sl_pd_open(sl_env_os(), "", &pd, &why), SL_CONFIG);
    assert_int_equal(sl_pd_open(sl_env_os(), "https://pd:1", &pd, &why), SL_CONFIG);
    assert_null(pd);
}

/* ---- etcd ---- */

static struct sl_etcd *etcd_of(const char *urls)
{
    struct sl_etcd *etcd = NULL;

    assert_int_equal(sl_etcd_new(sl_env_os(), urls, &etcd, NULL), SL_OK);
    return etcd;
}

static struct sl_etcd *etcd_of_both(void)
{
    char urls[2 * sizeof members[0].url + 2];

    (void)snprintf(urls, sizeof urls, "%s, %s", members[0].url, members[1].url);
    return etcd_of(urls);
}

static enum sl_err put(struct sl_etcd *etcd, struct sl_why *why)
{
    return sl_etcd_put(etcd, "k", sl_slice_from_string("v"), why);
}

static void each_refusal_of_etcd_has_its_error(void **state)
{
    static const struct {
        enum sl_grpc_status status;
        enum sl_err         err;
    } cases[] = {
        {SL_GRPC_RESOURCE_EXHAUSTED, SL_NOSPACE}, {SL_GRPC_UNIMPLEMENTED, SL_UNSUPPORTED},
        {SL_GRPC_UNAVAILABLE, SL_UNAVAILABLE},    {SL_GRPC_UNKNOWN, SL_UNAVAILABLE},
        {SL_GRPC_DEADLINE_EXCEEDED, SL_TIMEOUT},  {SL_GRPC_INVALID_ARGUMENT, SL_INVALID},
        {SL_GRPC_PERMISSION_DENIED, SL_INVALID},
    };
    struct sl_etcd *etcd = etcd_of(members[0].url);
    struct sl_why   why = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        refuse(0, txn, cases[i].status, "etcdserver: its words");
        assert_int_equal(put(etcd, &why), cases[i].err);
        assert_said(&why, "etcdserver: its words");
        assert_said(&why, members[0].url);
    }
    garble(0, txn);
    assert_int_equal(put(etcd, &why), SL_INVALID);
    sl_etcd_free(&etcd);
}

static void what_one_member_cannot_do_is_asked_of_the_next(void **state)
{
    struct sl_etcd *etcd = etcd_of_both();
    unsigned        asked;

    (void)state;
    refuse(0, txn, SL_GRPC_UNAVAILABLE, "etcdserver: no leader");
    assert_int_equal(put(etcd, NULL), SL_OK);
    asked = atomic_load(&members[0].asked);
    assert_int_equal(put(etcd, NULL), SL_OK); /* it stays with who answered */
    assert_int_equal(atomic_load(&members[0].asked), asked);
    refuse(1, txn, SL_GRPC_UNAVAILABLE, "etcdserver: no leader");
    assert_int_equal(put(etcd, NULL), SL_UNAVAILABLE);
    sl_etcd_free(&etcd);
}

static void members_that_are_told_of_are_asked_too(void **state)
{
    Sluice__Etcd__MemberListResponse list = SLUICE__ETCD__MEMBER_LIST_RESPONSE__INIT;
    Sluice__Etcd__Member             infos[3];
    Sluice__Etcd__Member            *pointers[3];
    char                             wrong[] = "https://etcd:1";
    char                            *urls[] = {members[1].url, wrong, members[0].url};
    struct sl_etcd                  *etcd = etcd_of(members[0].url);

    (void)state;
    for (int i = 0; i < 3; i++) {
        sluice__etcd__member__init(&infos[i]);
        infos[i].n_client_urls = i < 2 ? 1 : 0; /* the last has not started yet */
        infos[i].client_urls = &urls[i];
        pointers[i] = &infos[i];
    }
    list.n_members = 3;
    list.members = pointers;
    say(0, member_list, &list.base);
    refuse(0, txn, SL_GRPC_UNAVAILABLE, "etcdserver: no leader");
    assert_int_equal(put(etcd, NULL), SL_OK);
    sl_etcd_free(&etcd);
}

static void keys_and_revisions_are_read(void **state)
{
    struct sl_etcd     *etcd = etcd_of(members[0].url);
    struct sl_etcd_list list;
    int64_t             revision = -1;

    (void)state;
    assert_int_equal(sl_etcd_list(etcd, "/a/", &list, NULL), SL_OK);
    assert_int_equal(list.count, 0);
    sl_etcd_list_free(&list);
    assert_int_equal(sl_etcd_latest(etcd, "/a/", &revision, NULL), SL_OK);
    assert_int_equal(revision, 0);
    say_key(0, "/a/b", "value", 12);
    assert_int_equal(sl_etcd_get(etcd, "/a/b", &list, NULL), SL_OK);
    assert_int_equal(list.count, 1);
    assert_true(sl_slice_equal(list.kvs[0].key, sl_slice_from_string("/a/b")));
    assert_true(sl_slice_equal(list.kvs[0].value, sl_slice_from_string("value")));
    assert_int_equal(list.kvs[0].mod_revision, 12);
    sl_etcd_list_free(&list);
    assert_int_equal(sl_etcd_latest(etcd, "/a/", &revision, NULL), SL_OK);
    assert_int_equal(revision, 12);
    sl_etcd_free(&etcd);
}

/* ---- the front ---- */

static void a_cluster_is_opened_by_its_urls(void **state)
{
    struct sl_cluster  *cluster = NULL;
    struct sl_node_list list = {0};
    struct sl_node      node;
    struct sl_why       why = {0};
    uint64_t            id = 0;

    (void)state;
    assert_int_equal(sl_cluster_open(sl_env_os(), members[0].url, &cluster, NULL), SL_OK);
    assert_int_equal(sl_cluster_id(cluster), CLUSTER);
    assert_int_equal(sl_registry_cluster_id(sl_cluster_registry(cluster), &id, NULL), SL_OK);
    assert_int_equal(id, CLUSTER);
    assert_int_equal(
        sl_tso_drive_info(sl_cluster_tso(cluster), &(struct sl_tso_drive_info){0}, NULL),
        SL_UNSUPPORTED);
    assert_int_equal(sl_registry_get(sl_cluster_registry(cluster), SL_NODE_PUMP, "p", &node, &why),
                     SL_NOT_FOUND);
    say_key(0, "/elsewhere", "{}", 1);
    assert_int_equal(sl_registry_list(sl_cluster_registry(cluster), SL_NODE_PUMP, &list, &why),
                     SL_INVALID);
    sl_cluster_free(&cluster);
    assert_int_equal(sl_cluster_open(sl_env_os(), "local:/nowhere", &cluster, NULL), SL_NOT_FOUND);
    assert_null(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_greatest_of_the_batch_is_told_and_the_first_is_given,
                               all_is_well),
        cmocka_unit_test_setup(timestamps_that_cannot_be_are_refused, all_is_well),
        cmocka_unit_test_setup(a_leader_that_steps_down_is_left_for_the_next, all_is_well),
        cmocka_unit_test_setup(a_wrong_cluster_is_said_at_once, all_is_well),
        cmocka_unit_test_setup(a_pd_that_is_not_ready_or_none_is_not_opened, all_is_well),
        cmocka_unit_test_setup(each_refusal_of_etcd_has_its_error, all_is_well),
        cmocka_unit_test_setup(what_one_member_cannot_do_is_asked_of_the_next, all_is_well),
        cmocka_unit_test_setup(members_that_are_told_of_are_asked_too, all_is_well),
        cmocka_unit_test_setup(keys_and_revisions_are_read, all_is_well),
        cmocka_unit_test_setup(a_cluster_is_opened_by_its_urls, all_is_well),
    };

    return cmocka_run_group_tests(tests, start, end);
}
