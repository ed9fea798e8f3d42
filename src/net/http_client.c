#include "net/http_client.h"

#include <string.h>

static enum sl_err wait(struct http_client *c, unsigned events, struct sl_why *why)
{
    struct sl_socket_wait w = {.socket = c->socket, .events = events};

    if (sl_env_now(c->env) >= c->until)
        return sl_fail(why, SL_TIMEOUT, "%s does not answer in time", c->address);
    sl_net_wait(c->env->net, &w, 1, c->until);
    return SL_OK;
}

enum sl_err http_client_connect(struct http_client *c, struct sl_why *why)
{
    enum sl_err err = sl_net_connect(c->env->net, c->address, &c->socket, why);

    if (err != SL_OK)
        return err;
    while ((err = sl_socket_connected(c->socket, why)) == SL_AGAIN)
        if ((err = wait(c, SL_SOCKET_WRITABLE, why)) != SL_OK)
            return err;
    return err;
}

enum sl_err http_client_send(struct http_client *c, const void *bytes, size_t count,
                             struct sl_why *why)
{
    const char *at = bytes;

    while (count > 0) {
        size_t      put;
        enum sl_err err = sl_socket_write(c->socket, at, count, &put, why);

        if (err == SL_AGAIN) {
            if ((err = wait(c, SL_SOCKET_WRITABLE, why)) != SL_OK)
                return err;
            continue;
        }
        if (err != SL_OK)
            return err;
        at += put;
        count -= put;
    }
    return SL_OK;
}

enum sl_err http_client_read(struct http_client *c, void *bytes, size_t room, size_t *got,
                             struct sl_why *why)
{
    for (;;) {
        enum sl_err err = sl_socket_read(c->socket, bytes, room, got, why);

        if (err != SL_AGAIN)
            return err;
        if ((err = wait(c, SL_SOCKET_READABLE, why)) != SL_OK)
            return err;
    }
}

void http_client_close(struct http_client *c)
{
    sl_socket_close(&c->socket);
}

enum sl_err http_client_judge(const char *line, const char *address, struct sl_why *why)
{
    const char *status = strchr(line, ' ');

    if (strncmp(line, "HTTP/1.", 7) != 0 || status == NULL)
        return sl_fail(why, SL_INVALID, "%s does not answer in HTTP", address);
    if (status[1] == '2')
        return SL_OK;
    return sl_fail(why, SL_INVALID, "%s answers \"%s\"", address, status + 1);
}
