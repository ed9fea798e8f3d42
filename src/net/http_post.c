#include "net/http_post.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { HEAD_BYTES = 1024, STATUS_LINE_BYTES = 256 };

/* One exchange. */
struct exchange {
    const struct sl_env       *env;
    const struct sl_http_post *post;
    struct sl_socket          *socket; /* owned */
    sl_nanos                   until;
};

static enum sl_err wait(struct exchange *x, unsigned events, struct sl_why *why)
{
    struct sl_socket_wait w = {.socket = x->socket, .events = events};

    if (sl_env_now(x->env) >= x->until)
        return sl_fail(why, SL_TIMEOUT, "%s does not answer in time", x->post->address);
    sl_net_wait(x->env->net, &w, 1, x->until);
    return SL_OK;
}

static enum sl_err connect(struct exchange *x, struct sl_why *why)
{
    enum sl_err err = sl_net_connect(x->env->net, x->post->address, &x->socket, why);

    if (err != SL_OK)
        return err;
    while ((err = sl_socket_connected(x->socket, why)) == SL_AGAIN)
        if ((err = wait(x, SL_SOCKET_WRITABLE, why)) != SL_OK)
            return err;
    return err;
}

static enum sl_err send(struct exchange *x, const void *bytes, size_t count, struct sl_why *why)
{
    const char *at = bytes;

    while (count > 0) {
        size_t      put;
        enum sl_err err = sl_socket_write(x->socket, at, count, &put, why);

        if (err == SL_AGAIN) {
            if ((err = wait(x, SL_SOCKET_WRITABLE, why)) != SL_OK)
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

/* The first line of the answer, without its end. */
static enum sl_err read_status_line(struct exchange *x, char *line, struct sl_why *why)
{
    size_t used = 0;

    for (;;) {
        size_t      got;
        char       *end;
        enum sl_err err =
            sl_socket_read(x->socket, line + used, STATUS_LINE_BYTES - 1 - used, &got, why);

        if (err == SL_AGAIN) {
            if ((err = wait(x, SL_SOCKET_READABLE, why)) != SL_OK)
                return err;
            continue;
        }
        if (err != SL_OK)
            return err;
        used += got;
        line[used] = '\0';
        if ((end = strpbrk(line, "\r\n")) != NULL) {
            *end = '\0';
            return SL_OK;
        }
        if (got == 0 || used == STATUS_LINE_BYTES - 1)
            return sl_fail(why, SL_INVALID, "%s does not answer in HTTP", x->post->address);
    }
}

static enum sl_err judge(const char *line, const char *address, struct sl_why *why)
{
    const char *status = strchr(line, ' ');

    if (strncmp(line, "HTTP/1.", 7) != 0 || status == NULL)
        return sl_fail(why, SL_INVALID, "%s does not answer in HTTP", address);
    if (status[1] == '2')
        return SL_OK;
    return sl_fail(why, SL_INVALID, "%s answers \"%s\"", address, status + 1);
}

static enum sl_err exchange(struct exchange *x, struct sl_why *why)
{
    const struct sl_http_post *p = x->post;
    char                       head[HEAD_BYTES];
    char                       line[STATUS_LINE_BYTES];
    int                        count;
    enum sl_err                err;

    count = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n",
                     p->path, p->address, p->content_type, p->body_bytes);
    if (count < 0 || (size_t)count >= sizeof head)
        return sl_fail(why, SL_TOO_LARGE, "the path for %s is too long", p->address);
    if ((err = connect(x, why)) != SL_OK || (err = send(x, head, (size_t)count, why)) != SL_OK ||
        (err = send(x, p->body, p->body_bytes, why)) != SL_OK ||
        (err = read_status_line(x, line, why)) != SL_OK)
        return err;
    return judge(line, p->address, why);
}

enum sl_err sl_http_post(const struct sl_env *env, const struct sl_http_post *post,
                         struct sl_why *why)
{
    struct exchange x = {.env = env, .post = post, .until = sl_env_now(env) + post->timeout};
    enum sl_err     err = exchange(&x, why);

    sl_socket_close(&x.socket);
    return err;
}

bool sl_http_encode(const char *text, char *out, size_t room)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    size_t used = 0;

    for (; *text != '\0'; text++) {
        bool   as_is = strchr(plain, *text) != NULL;
        size_t need = as_is ? 1 : 3;

        if (used + need >= room)
            return false;
        if (as_is)
            out[used] = *text;
        else
            (void)snprintf(out + used, room - used, "%%%02X", (unsigned)(unsigned char)*text);
        used += need;
    }
    out[used] = '\0';
    return true;
}
