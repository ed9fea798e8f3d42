/* fakepd: a stand-in for one member of PD, for tests and replays.
 *
 *     fakepd --etcd ADDR --cluster-id N [--listen ADDR] [--tso TS] [--data DIR] [--tikv CORPUS]
 *            [--member URL]...
 *
 * One address, as with PD: it answers GetMembers and Tso itself, forwards etcd's calls to a real
 * etcd, and says of all regions that there are none. With --tikv it is also the store of the only
 * region, which has the recorded transactions and DDL jobs, and takes commands from its standard
 * input (tests/tools/faketikv.h). Timestamps are those
 * of a local cluster (net/local.h): in memory, or in the directory --data, which several members of
 * one PD share. They begin at --tso, or follow the clock. A replay may drive them
 * (proto/fakepd.proto), unless "--undriven yes" makes it as deaf to that as a real PD.
 *
 * It leads until SIGUSR1, and again after the next. --member names the others: the first of them
 * leads when this one does not. Prints "listening on ADDR" when it serves. */

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_os.h"
#include "base/list.h"
#include "base/panic.h"
#include "etcd.pb-c.h"
#include "fakepd.pb-c.h"
#include "lib/env_sim.h"
#include "lib/host.h"
#include "net/channel.h"
#include "net/local.h"
#include "net/pd_wire.h"
#include "pdpb.pb-c.h"
#include "tools/faketikv.h"

enum { MEMBERS_MAX = 8, PATH_BYTES = 64, LOOK_MS = 100, LINE_BYTES = 256 };

struct fakepd {
    struct host        host;
    struct sl_channel *etcd;
    struct sl_local   *local;
    uint64_t           cluster_id;
    char               own_url[SL_ADDR_BYTES_MAX + 8];
    const char        *others[MEMBERS_MAX];
    size_t             other_count;
    bool               leads;
    bool               undriven; /* like a real one, it knows no drives */
    struct sl_list     tso_calls;
    struct faketikv   *tikv;             /* NULL: there is none */
    char               line[LINE_BYTES]; /* of a command, as far as it has come */
    size_t             line_bytes;
};

enum kind {
    GET_MEMBERS,
    TSO,
    GET_REGION,
    GET_STORE,
    DRIVE,
    DRIVE_INFO,
    MEMBER_LIST,
    TIKV,     /* of several methods */
    ANSWERED, /* the kinds before are answered here */
    FORWARDED = ANSWERED,
};

static const char *const answered[TIKV] = {
    "/pdpb.PD/GetMembers",
    "/pdpb.PD/Tso",
    "/pdpb.PD/GetRegion",
    "/pdpb.PD/GetStore",
    "/sluice.FakePd/Drive",
    "/sluice.FakePd/DriveInfo",
    "/etcdserverpb.Cluster/MemberList",
};

/* One call of a client. */
struct call {
    struct sl_list_node  node; /* of tso_calls */
    struct fakepd       *pd;
    struct sl_grpc_call *near; /* NULL: finished */
    struct sl_grpc_call *far;  /* FORWARDED: at etcd; NULL: none */
    enum kind            kind;
    struct sl_tso_drive *drive; /* DRIVE; owned */
    char                 path[PATH_BYTES];
};

static volatile sig_atomic_t toggles;

static void on_toggle(int signal_number)
{
    (void)signal_number;
    toggles++;
}

/* ---- answers ---- */

static void finish(struct call *call, enum sl_grpc_status status, const char *text)
{
    struct sl_grpc_call *near = call->near;

    call->near = NULL;
    if (sl_list_linked(&call->node))
        sl_list_remove(&call->node);
    if (near != NULL)
        sl_grpc_finish(near, status, text);
}

/* A client that does not read loses its call. */
static void give(struct call *call, struct sl_buf **message)
{
    if (call->near != NULL && sl_grpc_send(call->near, message) != SL_OK)
        finish(call, SL_GRPC_RESOURCE_EXHAUSTED, "fakepd: the client does not read");
    sl_buf_free(message);
}

static void answer(struct call *call, const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    give(call, &buf);
}

static void answer_once(struct call *call, const ProtobufCMessage *message)
{
    answer(call, message);
    finish(call, SL_GRPC_OK, NULL);
}

/* Who is asked for a cluster that is not ours says so; true: it was. */
static bool refuse_stranger(struct call *call, const Sluice__Pd__RequestHeader *header)
{
    uint64_t id = header != NULL ? header->cluster_id : 0;
    char     text[128];

    if (!call->pd->leads) {
        finish(call, SL_GRPC_UNKNOWN, "rpc error: code = Unavailable desc = not leader");
        return true;
    }
    if (id == call->pd->cluster_id)
        return false;
    (void)snprintf(text, sizeof text, "mismatch cluster id, need %" PRIu64 " but got %" PRIu64,
                   call->pd->cluster_id, id);
    finish(call, SL_GRPC_FAILED_PRECONDITION, text);
    return true;
}

/* ---- PD ---- */

static char *url_of(struct fakepd *pd, size_t index)
{
    /* The cast drops const, which the generated types lack; nobody writes. */
    return index == 0 ? pd->own_url : (char *)(uintptr_t)pd->others[index - 1];
}

static void get_members(struct call *call)
{
    struct fakepd                 *pd = call->pd;
    Sluice__Pd__GetMembersResponse response = SLUICE__PD__GET_MEMBERS_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader     header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Member             members[MEMBERS_MAX + 1];
    Sluice__Pd__Member            *pointers[MEMBERS_MAX + 1];
    char                          *urls[MEMBERS_MAX + 1];

    for (size_t i = 0; i <= pd->other_count; i++) {
        urls[i] = url_of(pd, i);
        sluice__pd__member__init(&members[i]);
        members[i].member_id = i + 1;
        members[i].n_client_urls = 1;
        members[i].client_urls = &urls[i];
        pointers[i] = &members[i];
    }
    header.cluster_id = pd->cluster_id;
    response.header = &header;
    response.n_members = pd->other_count + 1;
    response.members = pointers;
    if (pd->leads)
        response.leader = &members[0];
    else if (pd->other_count > 0)
        response.leader = &members[1];
    answer_once(call, &response.base);
}

static void give_timestamps(struct call *call, uint32_t count)
{
    Sluice__Pd__TsoResponse    response = SLUICE__PD__TSO_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Error          error = SLUICE__PD__ERROR__INIT;
    Sluice__Pd__Timestamp      timestamp = SLUICE__PD__TIMESTAMP__INIT;
    struct sl_why              why = {0};
    sl_ts                      first = 0;
    enum sl_err                err;

    if (count == 0 || count > SL_TSO_COUNT_MAX) {
        finish(call, SL_GRPC_UNKNOWN, "tso count should be positive and not that large");
        return;
    }
    err = sl_tso_now(sl_local_tso(call->pd->local), count, &first, &why);
    header.cluster_id = call->pd->cluster_id;
    response.header = &header;
    response.count = count;
    if (err == SL_OK) {
        timestamp.physical = sl_ts_physical_ms(first + count - 1);
        timestamp.logical = sl_ts_logical(first + count - 1);
        response.timestamp = &timestamp;
    } else {
        error.type = err == SL_AGAIN ? PD_ERROR_NO_ROOM : 1;
        error.message = why.text;
        header.error = &error;
    }
    answer(call, &response.base);
}

static void tso(struct call *call, const struct sl_buf *message)
{
    Sluice__Pd__TsoRequest *request =
        sluice__pd__tso_request__unpack(NULL, message->len, message->data);

    if (request == NULL)
        finish(call, SL_GRPC_INTERNAL, "a damaged request");
    else if (!refuse_stranger(call, request->header))
        give_timestamps(call, request->count);
    if (request != NULL)
        sluice__pd__tso_request__free_unpacked(request, NULL);
}

/* The two answers have their header at the same place; more is not said. */
static void no_regions(struct call *call)
{
    Sluice__Pd__GetRegionResponse response = SLUICE__PD__GET_REGION_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader    header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Error             error = SLUICE__PD__ERROR__INIT;
    static char                   text[] = "cluster is not bootstrapped";

    error.type = PD_ERROR_NOT_BOOTSTRAPPED;
    error.message = text;
    header.cluster_id = call->pd->cluster_id;
    header.error = &error;
    response.header = &header;
    answer_once(call, &response.base);
}

/* ---- TiKV: one region, one peer, one store ---- */

static void get_region(struct call *call)
{
    Sluice__Pd__GetRegionResponse response = SLUICE__PD__GET_REGION_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader    header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Region            region = SLUICE__PD__REGION__INIT;
    Sluice__Pd__RegionEpoch       epoch = SLUICE__PD__REGION_EPOCH__INIT;
    Sluice__Pd__Peer              peer = SLUICE__PD__PEER__INIT;
    Sluice__Pd__Peer             *peers[] = {&peer};

    header.cluster_id = call->pd->cluster_id;
    peer.id = peer.store_id = region.id = epoch.conf_ver = epoch.version = 1;
    region.region_epoch = &epoch;
    region.n_peers = 1;
    region.peers = peers;
    response.header = &header;
    response.region = &region;
    response.leader = &peer;
    answer_once(call, &response.base);
}

static void get_store(struct call *call)
{
    Sluice__Pd__GetStoreResponse response = SLUICE__PD__GET_STORE_RESPONSE__INIT;
    Sluice__Pd__ResponseHeader   header = SLUICE__PD__RESPONSE_HEADER__INIT;
    Sluice__Pd__Store            store = SLUICE__PD__STORE__INIT;

    header.cluster_id = call->pd->cluster_id;
    store.id = 1;
    store.address = call->pd->host.address;
    response.header = &header;
    response.store = &store;
    answer_once(call, &response.base);
}

static void tikv(struct call *call, const struct sl_buf *message)
{
    struct sl_buf      *response;
    enum sl_grpc_status status = faketikv_answer(call->pd->tikv, call->path, message, &response);

    if (status != SL_GRPC_OK) {
        finish(call, status, "unknown method");
    } else if (response != NULL) {
        give(call, &response);
        finish(call, SL_GRPC_OK, NULL);
    }
}

/* ---- the drive ---- */

static enum sl_err drive_by(struct call *call, const Sluice__Fakepd__DriveRequest *request,
                            struct sl_why *why)
{
    if (call->drive == NULL)
        return sl_tso_drive_begin(sl_local_tso(call->pd->local), request->low, request->high,
                                  &call->drive, why);
    if (request->end)
        return sl_tso_drive_end(&call->drive, why);
    return sl_tso_drive_move(call->drive, request->low, request->high, why);
}

static void drive(struct call *call, const struct sl_buf *message)
{
    Sluice__Fakepd__DriveRequest *request =
        sluice__fakepd__drive_request__unpack(NULL, message->len, message->data);
    Sluice__Fakepd__DriveAnswer response = SLUICE__FAKEPD__DRIVE_ANSWER__INIT;
    struct sl_why               why = {0};

    if (request == NULL) {
        finish(call, SL_GRPC_INTERNAL, "a damaged request");
        return;
    }
    response.err = drive_by(call, request, &why);
    response.why = why.text;
    answer(call, &response.base);
    if (call->drive == NULL) /* over, or it never began */
        finish(call, SL_GRPC_OK, NULL);
    sluice__fakepd__drive_request__free_unpacked(request, NULL);
}

static void drive_info(struct call *call)
{
    Sluice__Fakepd__DriveInfoAnswer response = SLUICE__FAKEPD__DRIVE_INFO_ANSWER__INIT;
    struct sl_tso_drive_info        info = {0};
    struct sl_why                   why = {0};

    response.err = sl_tso_drive_info(sl_local_tso(call->pd->local), &info, &why);
    response.why = why.text;
    response.running = info.running;
    response.floor = info.floor;
    response.ceiling = info.ceiling;
    response.last_commit = info.last_commit;
    response.lost = info.lost;
    answer_once(call, &response.base);
}

/* ---- etcd ---- */

/* Its own list would lead clients past us. */
static void member_list(struct call *call)
{
    struct fakepd                   *pd = call->pd;
    Sluice__Etcd__MemberListResponse response = SLUICE__ETCD__MEMBER_LIST_RESPONSE__INIT;
    Sluice__Etcd__Member             members[MEMBERS_MAX + 1];
    Sluice__Etcd__Member            *pointers[MEMBERS_MAX + 1];
    char                            *urls[MEMBERS_MAX + 1];

    for (size_t i = 0; i <= pd->other_count; i++) {
        urls[i] = url_of(pd, i);
        sluice__etcd__member__init(&members[i]);
        members[i].id = i + 1;
        members[i].n_client_urls = 1;
        members[i].client_urls = &urls[i];
        pointers[i] = &members[i];
    }
    response.n_members = pd->other_count + 1;
    response.members = pointers;
    answer_once(call, &response.base);
}

static void far_message(void *context, struct sl_grpc_call *far, struct sl_buf **message)
{
    sl_grpc_consume(far, (*message)->len);
    give(context, message);
}

static void far_over(void *context, struct sl_grpc_call *far, enum sl_grpc_status status,
                     const char *text)
{
    struct call *call = context;

    (void)far;
    call->far = NULL;
    finish(call, status, text);
}

static const struct sl_grpc_events far_events = {.message = far_message, .over = far_over};

/* The call at etcd; false: there is none, and the client has been told. */
static bool reach_etcd(struct call *call)
{
    struct sl_grpc *grpc;
    struct sl_why   why = {0};

    if (call->far != NULL || call->near == NULL)
        return call->far != NULL;
    if (sl_channel_grpc(call->pd->etcd, &grpc, &why) != SL_OK ||
        sl_grpc_call(grpc, call->path, sl_grpc_deadline(call->near), &far_events, call, &call->far,
                     &why) != SL_OK)
        finish(call, SL_GRPC_UNAVAILABLE, why.text);
    return call->far != NULL;
}

static void forward(struct call *call, struct sl_buf **message)
{
    if (reach_etcd(call) && sl_grpc_send(call->far, message) != SL_OK) {
        sl_grpc_cancel(call->far);
        call->far = NULL;
        finish(call, SL_GRPC_RESOURCE_EXHAUSTED, "fakepd: etcd does not read");
    }
}

/* ---- calls ---- */

static enum kind kind_of(struct sl_slice path)
{
    unsigned kind = 0;

    if (faketikv_serves(path))
        return TIKV;
    while (kind < TIKV && !sl_slice_equal(path, sl_slice_from_string(answered[kind])))
        kind++;
    return kind < TIKV ? (enum kind)kind : FORWARDED;
}

static bool begins(struct sl_slice path, const char *prefix)
{
    return path.len >= strlen(prefix) && memcmp(path.bytes, prefix, strlen(prefix)) == 0;
}

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *near,
                                      struct sl_slice path)
{
    struct fakepd *pd = context;
    struct call   *call;
    enum kind      kind = kind_of(path);

    if (kind == FORWARDED && !begins(path, "/etcdserverpb."))
        return begins(path, "/pdpb.PD/") ? SL_GRPC_NO_METHOD : SL_GRPC_NO_SERVICE;
    if ((pd->undriven && begins(path, "/sluice.")) || (kind == TIKV && pd->tikv == NULL))
        return SL_GRPC_NO_SERVICE;
    if (path.len >= PATH_BYTES)
        return SL_GRPC_NO_METHOD;
    call = calloc(1, sizeof *call);
    SL_ASSERT(call != NULL);
    call->pd = pd;
    call->near = near;
    call->kind = kind;
    memcpy(call->path, path.bytes, path.len);
    if (kind == TSO)
        sl_list_push_back(&pd->tso_calls, &call->node);
    sl_grpc_call_set_context(near, call);
    return kind == TSO || kind == DRIVE || kind == FORWARDED ? SL_GRPC_MANY_MESSAGES
                                                             : SL_GRPC_ONE_MESSAGE;
}

static void on_message(void *context, struct sl_grpc_call *near, struct sl_buf **message)
{
    struct call *call = context;

    sl_grpc_consume(near, (*message)->len);
    switch (call->kind) {
    case GET_MEMBERS: get_members(call); return;
    case TSO: tso(call, *message); return;
    case GET_REGION: call->pd->tikv != NULL ? get_region(call) : no_regions(call); return;
    case GET_STORE: call->pd->tikv != NULL ? get_store(call) : no_regions(call); return;
    case TIKV: tikv(call, *message); return;
    case DRIVE: drive(call, *message); return;
    case DRIVE_INFO: drive_info(call); return;
    case MEMBER_LIST: member_list(call); return;
    case FORWARDED: forward(call, message); return;
    }
}

static void on_half_closed(void *context, struct sl_grpc_call *near)
{
    struct call *call = context;

    (void)near;
    if (call->kind == FORWARDED && reach_etcd(call))
        sl_grpc_half_close(call->far);
    else if (call->kind == TSO || call->kind == DRIVE)
        finish(call, SL_GRPC_OK, NULL);
}

/* A driver whose stream ends before its drive has died. */
static void on_over(void *context, struct sl_grpc_call *near, enum sl_grpc_status status,
                    const char *text)
{
    struct call *call = context;

    (void)near, (void)status, (void)text;
    if (sl_list_linked(&call->node))
        sl_list_remove(&call->node);
    if (call->far != NULL)
        sl_grpc_cancel(call->far);
    sl_tso_drive_free(&call->drive);
    free(call);
}

static const struct sl_grpc_events near_events = {
    .called = on_called, .message = on_message, .half_closed = on_half_closed, .over = on_over};

/* ---- the program ---- */

static void look_at_toggles(struct fakepd *pd)
{
    struct sl_list_node *node;
    bool                 leads = toggles % 2 == 0;

    if (leads == pd->leads)
        return;
    pd->leads = leads;
    while (!leads && (node = sl_list_first(&pd->tso_calls)) != NULL)
        finish(SL_CONTAINER_OF(node, struct call, node), SL_GRPC_UNKNOWN, "not leader");
}

/* Commands of the test. */
static void look_at_input(struct fakepd *pd)
{
    char  answer_text[LINE_BYTES];
    char *end;

    for (;;) {
        ssize_t got =
            read(STDIN_FILENO, pd->line + pd->line_bytes, sizeof pd->line - 1 - pd->line_bytes);

        if (got <= 0)
            return;
        pd->line_bytes += (size_t)got;
        pd->line[pd->line_bytes] = '\0';
        while ((end = strchr(pd->line, '\n')) != NULL) {
            *end = '\0';
            faketikv_command(pd->tikv, pd->line, answer_text, sizeof answer_text);
            (void)fputs(answer_text, stdout);
            (void)fflush(stdout);
            pd->line_bytes -= (size_t)(end + 1 - pd->line);
            memmove(pd->line, end + 1, pd->line_bytes + 1);
        }
    }
}

/* The bound is for a signal that comes just before the wait, and for commands. */
static void serve(struct fakepd *pd)
{
    struct sl_socket_wait waits[HOST_WAITS_MAX + SL_CHANNEL_WAITS_MAX];
    const struct sl_env  *env = sl_env_os();

    for (;;) {
        sl_nanos until = sl_env_now(env) + LOOK_MS * (sl_nanos)SL_NANOS_PER_MS;
        uint32_t count = host_waits(&pd->host, waits, &until);

        count += sl_channel_waits(pd->etcd, waits + count, &until);
        sl_net_wait(env->net, waits, count, until);
        look_at_toggles(pd);
        if (pd->tikv != NULL)
            look_at_input(pd);
        host_step(&pd->host);
        (void)sl_channel_step(pd->etcd, NULL);
    }
}

struct options {
    const char *listen;
    const char *etcd;
    const char *data;
    const char *cluster_id;
    const char *tso;
    const char *tikv;
};

static _Noreturn void usage(void)
{
    (void)fputs("usage: fakepd --etcd ADDR --cluster-id N [--listen ADDR] [--tso TS] [--data DIR] "
                "[--undriven yes] [--tikv CORPUS] [--member URL]...\n",
                stderr);
    exit(2);
}

static void parse(int argc, char **argv, struct options *out, struct fakepd *pd)
{
    *out = (struct options){.listen = "127.0.0.1:0", .tso = "0"};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            usage();
        if (strcmp(argv[i], "--listen") == 0)
            out->listen = argv[i + 1];
        else if (strcmp(argv[i], "--etcd") == 0)
            out->etcd = argv[i + 1];
        else if (strcmp(argv[i], "--data") == 0)
            out->data = argv[i + 1];
        else if (strcmp(argv[i], "--cluster-id") == 0)
            out->cluster_id = argv[i + 1];
        else if (strcmp(argv[i], "--tso") == 0)
            out->tso = argv[i + 1];
        else if (strcmp(argv[i], "--tikv") == 0)
            out->tikv = argv[i + 1];
        else if (strcmp(argv[i], "--member") == 0 && pd->other_count < MEMBERS_MAX)
            pd->others[pd->other_count++] = argv[i + 1];
        else if (strcmp(argv[i], "--undriven") == 0)
            pd->undriven = strcmp(argv[i + 1], "yes") == 0;
        else
            usage();
    }
    if (out->etcd == NULL || out->cluster_id == NULL)
        usage();
}

static enum sl_err begin(struct fakepd *pd, const struct options *options, const struct sl_env *env,
                         struct sl_why *why)
{
    const char *data = options->data != NULL ? options->data : "/fakepd";
    enum sl_err err;

    if ((err = sl_local_init(env, data, pd->cluster_id, (sl_ts)strtoll(options->tso, NULL, 10),
                             why)) != SL_OK ||
        (err = sl_local_open(env, data, &pd->local, why)) != SL_OK ||
        (err = sl_channel_new(env, options->etcd, 0, &pd->etcd, why)) != SL_OK ||
        (err = host_open(&pd->host, env, options->listen, &near_events, pd, why)) != SL_OK)
        return err;
    if (options->tikv != NULL) {
        if ((err = faketikv_open(sl_env_os(), options->tikv, &pd->tikv, why)) != SL_OK)
            return err;
        (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    }
    (void)snprintf(pd->own_url, sizeof pd->own_url, "http://%s", pd->host.address);
    return SL_OK;
}

int main(int argc, char **argv)
{
    static struct fakepd pd = {.leads = true};
    struct sigaction     toggle = {.sa_handler = on_toggle};
    struct sl_env        env = *sl_env_os();
    struct options       options;
    struct sl_why        why = {0};

    sl_panic_install("fakepd");
    sl_list_init(&pd.tso_calls);
    parse(argc, argv, &options, &pd);
    pd.cluster_id = strtoull(options.cluster_id, NULL, 10);
    (void)sigaction(SIGUSR1, &toggle, NULL);
    if (options.data == NULL) /* the simulated disk is a folder in memory */
        env.fs = sl_env_sim_env(sl_env_sim_new(1))->fs;
    if (begin(&pd, &options, &env, &why) != SL_OK) {
        (void)fprintf(stderr, "fakepd: %s\n", why.text);
        return 1;
    }
    (void)printf("listening on %s\n", pd.host.address);
    (void)fflush(stdout);
    serve(&pd);
}
