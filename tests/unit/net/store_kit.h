#ifndef SL_TESTS_UNIT_NET_STORE_KIT_H
#define SL_TESTS_UNIT_NET_STORE_KIT_H

/* A PD and the only store of its TiKV in one host on a thread, for tests of the client of both. The
 * test says which regions there are and what the store answers; what is wrong is told by atomics:
 * so many answers to come, or until it is set to 0. */

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

enum { KIT_CLUSTER = 77, KIT_LOOK_MS = 10 };

/* What the store serves, besides PD's methods; a method is known by its place here. */
struct kit_store {
    const char *const *paths; /* NULL at the end */
    void (*asked)(struct sl_grpc_call *call, const char *path, const struct sl_buf *bytes);
    /* The region of this encoded key; NULL: one that has all keys. */
    void (*region)(struct sl_slice key, Sluice__Pd__Region *out);
};

static const struct kit_store *kit_store;
static struct host             host;
static struct sl_thread       *thread;
static atomic_bool             stop;
static char                    url[SL_ADDR_BYTES_MAX + 8];

static atomic_int  store_elsewhere; /* PD tells an address where nobody listens */
static atomic_int  damaged;         /* TiKV's answers are no messages */
static atomic_int  failing;         /* TiKV ends calls without an answer */
static atomic_bool no_regions;      /* PD says that there is no TiKV */
static atomic_uint stores_asked;

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

/* Is the store out of order? Then it has answered. */
static bool kit_fails(struct sl_grpc_call *call)
{
    struct sl_buf *garbage;

    if (next(&failing)) {
        sl_grpc_finish(call, SL_GRPC_UNKNOWN, "out of order");
        return true;
    }
    if (!next(&damaged))
        return false;
    garbage = sl_buf_new(1);
    garbage->data[0] = 0xff;
    assert_int_equal(sl_grpc_send(call, &garbage), SL_OK);
    sl_grpc_finish(call, SL_GRPC_OK, NULL);
    return true;
}

/* ---- PD ---- */

static void get_members(struct sl_grpc_call *call)
{
    Sluice__Pd__GetMembersResponse response = SLUICE__PD__GET_MEMBERS_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader     header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Member             member = SLUICE__PD__MEMBER__INIT;
    Sluice__Pd__Member            *members[] = {&member};
    char                          *urls[] = {url};

    header.cluster_id = KIT_CLUSTER;
    member.n_client_urls = response.n_members = 1;
    member.client_urls = urls;
    response.header = &header;
    response.members = members;
    response.leader = &member;
    answer(call, &response.base);
}

static void get_region(struct sl_grpc_call *call, const struct sl_buf *bytes)
{
    static char                   text[] = "cluster is not bootstrapped";
    Sluice__Pd__GetRegionRequest *request =
        sluice__pd__get_region_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Pd__GetRegionResponse response = SLUICE__PD__GET_REGION_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader    header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Error             error = SLUICE__PD__ERROR__INIT;
    Sluice__Pd__Region            region = SLUICE__PD__REGION__INIT;
    Sluice__Pd__Peer              peer = SLUICE__PD__PEER__INIT;

    assert_non_null(request);
    error.type = 2;
    error.message = text;
    header.cluster_id = KIT_CLUSTER;
    header.error = atomic_load(&no_regions) ? &error : NULL;
    region.id = peer.id = peer.store_id = 1;
    if (kit_store->region != NULL)
        kit_store->region((struct sl_slice){request->region_key.data, request->region_key.len},
                          &region);
    response.header = &header;
    response.region = &region;
    response.leader = &peer;
    answer(call, &response.base);
    sluice__pd__get_region_request__free_unpacked(request, NULL);
}

static void get_store(struct sl_grpc_call *call)
{
    static char                  nobody[] = "127.0.0.1:1";
    Sluice__Pd__GetStoreResponse response = SLUICE__PD__GET_STORE_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader   header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Store            store = SLUICE__PD__STORE__INIT;

    atomic_fetch_add(&stores_asked, 1);
    header.cluster_id = KIT_CLUSTER;
    store.id = 1;
    store.address = next(&store_elsewhere) ? nobody : host.address;
    response.header = &header;
    response.store = &store;
    answer(call, &response.base);
}

/* ---- the host ---- */

static const char *const kit_paths[] = {"/pdpb.PD/GetMembers", "/pdpb.PD/GetRegion",
                                        "/pdpb.PD/GetStore"};

static const char *known(struct sl_slice path)
{
    for (size_t i = 0; i < sizeof kit_paths / sizeof kit_paths[0]; i++)
        if (sl_slice_equal(path, sl_slice_from_string(kit_paths[i])))
            return kit_paths[i];
    for (const char *const *p = kit_store->paths; *p != NULL; p++)
        if (sl_slice_equal(path, sl_slice_from_string(*p)))
            return *p;
    return NULL;
}

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    const char *found = known(path);

    (void)context;
    if (found == NULL)
        return SL_GRPC_NO_METHOD;
    sl_grpc_call_set_context(call, (void *)(uintptr_t)found);
    return SL_GRPC_ONE_MESSAGE;
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    if (context == kit_paths[0])
        get_members(call);
    else if (context == kit_paths[1])
        get_region(call, *message);
    else if (context == kit_paths[2])
        get_store(call);
    else
        kit_store->asked(call, context, *message);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    (void)context, (void)call, (void)status, (void)text;
}

static const struct sl_grpc_events kit_events = {
    .called = on_called, .message = on_message, .over = on_over};

static void serve(void *argument)
{
    struct sl_socket_wait waits[HOST_WAITS_MAX];

    (void)argument;
    while (!atomic_load(&stop)) {
        sl_nanos until = sl_env_now(sl_env_os()) + KIT_LOOK_MS * (sl_nanos)SL_NANOS_PER_MS;
        uint32_t count = host_waits(&host, waits, &until);

        sl_net_wait(sl_env_os()->net, waits, count, until);
        host_step(&host);
    }
}

/* Nothing is wrong; *state becomes a struct sl_tikv. */
static int kit_start(const struct kit_store *store, void **state)
{
    struct sl_tikv *tikv;

    kit_store = store;
    atomic_store(&store_elsewhere, 0);
    atomic_store(&damaged, 0);
    atomic_store(&failing, 0);
    atomic_store(&no_regions, false);
    atomic_store(&stores_asked, 0);
    atomic_store(&stop, false);
    assert_int_equal(host_open(&host, sl_env_os(), "127.0.0.1:0", &kit_events, NULL, NULL), SL_OK);
    (void)snprintf(url, sizeof url, "http://%s", host.address);
    assert_int_equal(
        sl_env_os()->threads->start(sl_env_os()->threads, "host", serve, NULL, &thread, NULL),
        SL_OK);
    assert_int_equal(sl_tikv_open(sl_env_os(), url, &tikv, NULL), SL_OK);
    *state = tikv;
    return 0;
}

static int kit_stop(void **state)
{
    struct sl_tikv *tikv = *state;

    sl_tikv_free(&tikv);
    atomic_store(&stop, true);
    sl_env_os()->threads->join(sl_env_os()->threads, &thread);
    host_close(&host);
    return 0;
}

#endif
