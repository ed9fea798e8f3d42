/* A connection of a model, driven by hand. */

#include <string.h>

#include "base/assert.h"
#include "sim/pump_world.h"

enum { READ_BYTES = 1 << 15 };

static const struct sl_grpc_options options = {.authority = "pump:8250"};

static void connect_again(struct world *w, struct link *link)
{
    struct sl_why why;

    if (sl_net_connect(w->env->net, "pump:8250", &link->socket, &why) == SL_OK)
        link->grpc = sl_grpc_new(SL_H2_CLIENT, NULL, NULL, &options, sl_env_now(w->env));
    else
        link->due = world_after_ms(w, 1, 50);
}

void link_lose(struct link *link)
{
    sl_grpc_free(&link->grpc);
    sl_socket_close(&link->socket);
    link->connected = false;
}

/* False: the connection is broken or ended. */
static bool take_input(struct link *link)
{
    static uint8_t bytes[READ_BYTES];
    struct sl_why  why;
    size_t         got;
    enum sl_err    err;

    while ((err = sl_socket_read(link->socket, bytes, sizeof bytes, &got, &why)) == SL_OK) {
        struct sl_buf *input;

        if (got == 0)
            return false;
        input = sl_buf_new(got);
        memcpy(input->data, bytes, got);
        err = sl_h2_receive(sl_grpc_h2(link->grpc), input, &why);
        sl_buf_free(&input);
        if (err != SL_OK)
            return false;
    }
    return err == SL_AGAIN;
}

static bool give_output(struct link *link)
{
    struct sl_slice out;
    struct sl_why   why;
    size_t          put;
    enum sl_err     err = SL_OK;

    while (err == SL_OK && sl_h2_pending(sl_grpc_h2(link->grpc), &out)) {
        err = sl_socket_write(link->socket, out.bytes, out.len, &put, &why);
        if (err == SL_OK)
            sl_h2_sent(sl_grpc_h2(link->grpc), put);
    }
    return err == SL_OK || err == SL_AGAIN;
}

void link_move(struct world *w, struct link *link)
{
    struct sl_why why;
    enum sl_err   err;

    if (sl_env_now(w->env) < link->due)
        return;
    if (link->socket == NULL) {
        connect_again(w, link);
        return;
    }
    if (!link->connected) {
        err = sl_socket_connected(link->socket, &why);
        if (err == SL_AGAIN)
            return;
        link->connected = err == SL_OK;
    }
    if (link->connected) {
        sl_grpc_tick(link->grpc, sl_env_now(w->env));
        link->connected =
            take_input(link) && give_output(link) && !sl_h2_is_over(sl_grpc_h2(link->grpc));
    }
    if (!link->connected) {
        link_lose(link);
        link->due = world_after_ms(w, 1, 50);
    }
}
