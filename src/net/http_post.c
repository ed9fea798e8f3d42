#include "net/http_post.h"

#include <stdio.h>
#include <string.h>

#include "net/http_client.h"

enum { HEAD_BYTES = 1024, STATUS_LINE_BYTES = 256 };

/* The first line of the answer, without its end. */
static enum sl_err read_status_line(struct http_client *c, char *line, struct sl_why *why)
{
    size_t used = 0;

    for (;;) {
        size_t      got;
        char       *end;
        enum sl_err err = http_client_read(c, line + used, STATUS_LINE_BYTES - 1 - used, &got, why);

        if (err != SL_OK)
            return err;
        used += got;
        line[used] = '\0';
        if ((end = strpbrk(line, "\r\n")) != NULL) {
            *end = '\0';
            return SL_OK;
        }
        if (got == 0 || used == STATUS_LINE_BYTES - 1)
            return sl_fail(why, SL_INVALID, "%s does not answer in HTTP", c->address);
    }
}

static enum sl_err exchange(struct http_client *c, const struct sl_http_post *p, struct sl_why *why)
{
    char        head[HEAD_BYTES];
    char        line[STATUS_LINE_BYTES];
    int         count;
    enum sl_err err;

    count = snprintf(head, sizeof head,
                     "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n",
                     p->path, p->address, p->content_type, p->body_bytes);
    if (count < 0 || (size_t)count >= sizeof head)
        return sl_fail(why, SL_TOO_LARGE, "the path for %s is too long", p->address);
    if ((err = http_client_connect(c, why)) != SL_OK ||
        (err = http_client_send(c, head, (size_t)count, why)) != SL_OK ||
        (err = http_client_send(c, p->body, p->body_bytes, why)) != SL_OK ||
        (err = read_status_line(c, line, why)) != SL_OK)
        return err;
    return http_client_judge(line, p->address, why);
}

enum sl_err sl_http_post(const struct sl_env *env, const struct sl_http_post *post,
                         struct sl_why *why)
{
    struct http_client c = {
        .env = env, .address = post->address, .until = sl_env_now(env) + post->timeout};
    enum sl_err err = exchange(&c, post, why);

    http_client_close(&c);
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
