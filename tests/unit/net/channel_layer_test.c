/* Channels and a server over a layer that behaves as TLS does (lib/layer.h), both ends on one
 * thread: every message comes through as it was sent, whichever way bytes have to move first, and
 * nobody waits for an event that does not come. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "lib/host.h"
#include "lib/layer.h"
#include "net/channel.h"

enum { CALLS = 60, LARGE = 300 * 1000 /* more than a window */ };

static const sl_nanos patience = 20 * (sl_nanos)SL_NANOS_PER_S;

/* One end's view of the network: each has dice of its own, so one may be changed alone. */
struct end {
    struct layer_net layer;
    struct sl_env    env;
};

static struct end near, far;

static void end_init(struct end *end, uint64_t seed)
{
    layer_init(&end->layer, sl_env_os()->net, seed);
    end->env = *sl_env_os();
    end->env.net = &end->layer.base;
}

/* ---- the server sends back what it gets ---- */

static enum sl_grpc_verdict on_called(void *context, struct sl_grpc_call *call,
                                      struct sl_slice path)
{
    (void)context, (void)call, (void)path;
    return SL_GRPC_ONE_MESSAGE;
}

static void on_asked(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    (void)context;
    sl_grpc_consume(call, (*message)->len);
    assert_int_equal(sl_grpc_send(call, message), SL_OK);
    sl_grpc_finish(call, SL_GRPC_OK, NULL);
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    (void)context, (void)call, (void)status, (void)text;
}

static const struct sl_grpc_events server_events = {
    .called = on_called, .message = on_asked, .over = on_over};

/* ---- the client ---- */

struct client {
    uint32_t answered;
    uint32_t over;
};

/* A call: who made it, and how long its message is. */
struct made {
    struct client *client;
    size_t         bytes;
};

/* As long as the call was told, and of the same bytes. */
static void on_answer(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    const struct made *made = context;
    size_t             bytes = made->bytes;

    sl_grpc_consume(call, (*message)->len);
    assert_int_equal((*message)->len, bytes);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal((*message)->data[i], (uint8_t)(i * 7 + bytes));
    made->client->answered++;
}

static void on_call_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                         const char *text)
{
    (void)call;
    if (status != SL_GRPC_OK)
        fail_msg("%s: %s", sl_grpc_status_name(status), text);
    ((struct made *)context)->client->over++;
}

static const struct sl_grpc_events client_events = {.message = on_answer, .over = on_call_over};

static void call(struct sl_channel *channel, struct made *made)
{
    struct sl_buf       *message = sl_buf_new(made->bytes);
    struct sl_grpc      *grpc;
    struct sl_grpc_call *begun;

    for (size_t i = 0; i < made->bytes; i++)
        message->data[i] = (uint8_t)(i * 7 + made->bytes);
    assert_int_equal(sl_channel_grpc(channel, &grpc, NULL), SL_OK);
    assert_int_equal(sl_grpc_call(grpc, "/test.Test/Echo", sl_env_now(&near.env) + patience,
                                  &client_events, made, &begun, NULL),
                     SL_OK);
    assert_int_equal(sl_grpc_send(begun, &message), SL_OK);
    sl_grpc_half_close(begun);
}

/* Each end waits for what it wants through its own network; then both look. A lost wake-up shows as
 * a call that ends at its deadline. */
static void move(struct host *host, struct sl_channel *channel)
{
    struct sl_socket_wait waits[HOST_WAITS_MAX];
    sl_nanos              until = sl_env_now(&far.env) + SL_NANOS_PER_MS;
    uint32_t              count = host_waits(host, waits, &until);

    sl_net_wait(far.env.net, waits, count, until);
    host_step(host);
    sl_channel_wait(&channel, 1, sl_env_now(&near.env) + SL_NANOS_PER_MS);
    assert_int_equal(sl_channel_step(channel, NULL), SL_OK);
}

static void messages_of_every_size_come_through_whole(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 4000, 20000, LARGE};
    struct host         host;
    struct sl_channel  *channel;
    struct client       client = {0};
    struct made         made[CALLS];
    uint32_t            count = 0;

    (void)state;
    end_init(&near, 1);
    end_init(&far, 2);
    assert_int_equal(host_open(&host, &far.env, "127.0.0.1:0", &server_events, NULL, NULL), SL_OK);
    assert_int_equal(sl_channel_new(&near.env, host.address, 0, &channel, NULL), SL_OK);
    while (client.over < CALLS) {
        for (; count < CALLS && count < client.over + 8; count++) {
            made[count] = (struct made){&client, sizes[count % (sizeof sizes / sizeof sizes[0])]};
            call(channel, &made[count]);
        }
        move(&host, channel);
    }
    assert_int_equal(client.answered, CALLS);
    assert_true(near.layer.write_waited_for_read > 0 && far.layer.write_waited_for_read > 0);
    assert_true(near.layer.read_waited_for_write > 0 && far.layer.read_waited_for_write > 0);
    assert_true(near.layer.held > 0 && far.layer.held > 0);
    sl_channel_free(&channel);
    host_close(&host);
    assert_int_equal(sl_buf_live_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_every_size_come_through_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
