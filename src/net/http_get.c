#include "net/http_get.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "net/http_client.h"

enum { HEAD_BYTES = 1024, FIRST_ROOM = 1 << 16 };

/* An answer as it comes, with a terminator behind it. */
struct answer {
    char  *bytes; /* owned */
    size_t used;
    size_t room;
};

static void make_room(struct answer *a)
{
    if (a->used + 1 < a->room)
        return;
    a->room = a->room == 0 ? FIRST_ROOM : 2 * a->room;
    a->bytes = realloc(a->bytes, a->room);
    SL_ASSERT(a->bytes != NULL);
}

static enum sl_err read_all(struct http_client *c, size_t bytes_max, struct answer *a,
                            struct sl_why *why)
{
    for (;;) {
        size_t      got;
        enum sl_err err;

        make_room(a);
        if ((err = http_client_read(c, a->bytes + a->used, a->room - 1 - a->used, &got, why)) !=
            SL_OK)
            return err;
        a->used += got;
        a->bytes[a->used] = '\0';
        if (got == 0)
            return SL_OK;
        if (a->used > bytes_max + SL_HTTP_HEADER_BYTES_MAX)
            return sl_fail(why, SL_TOO_LARGE, "%s answers with more than %zu bytes", c->address,
                           bytes_max);
    }
}

/* The length that the head promises; SIZE_MAX: it promises none. */
static size_t promised_length(const char *head)
{
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        static const char  name[] = "content-length:";
        char              *end;
        unsigned long long value;

        line += 2;
        if (strncasecmp(line, name, sizeof name - 1) != 0)
            continue;
        value = strtoull(line + sizeof name - 1, &end, 10);
        return *end == '\r' || *end == '\0' ? (size_t)value : SIZE_MAX;
    }
    return SIZE_MAX;
}

static bool is_chunked(const char *head)
{
    return strcasestr(head, "\r\ntransfer-encoding:") != NULL;
}

static enum sl_err take_body(const struct answer *a, const struct sl_http_get *get,
                             struct sl_buf **body, struct sl_why *why)
{
    char       *end = a->bytes == NULL ? NULL : strstr(a->bytes, "\r\n\r\n");
    const char *text;
    size_t      len;
    size_t      promised;
    char       *line_end;
    enum sl_err err;

    if (end == NULL)
        return sl_fail(why, a->used == 0 ? SL_RESET : SL_INVALID, "%s does not answer in HTTP",
                       get->address);
    *end = '\0';
    text = end + 4;
    len = a->used - (size_t)(text - a->bytes);
    promised = promised_length(a->bytes);
    if (is_chunked(a->bytes))
        return sl_fail(why, SL_INVALID, "%s answers HTTP/1.0 in chunks", get->address);
    if ((line_end = strstr(a->bytes, "\r\n")) != NULL)
        *line_end = '\0';
    if ((err = http_client_judge(a->bytes, get->address, why)) != SL_OK)
        return err;
    if (promised != SIZE_MAX && len < promised)
        return sl_fail(why, SL_RESET, "%s was cut off after %zu of %zu bytes", get->address, len,
                       promised);
    if (len > get->body_bytes)
        return sl_fail(why, SL_TOO_LARGE, "%s answers with %zu bytes, the limit is %zu",
                       get->address, len, get->body_bytes);
    *body = sl_buf_new(len);
    memcpy((*body)->data, text, len);
    return SL_OK;
}

static enum sl_err ask(struct http_client *c, const struct sl_http_get *get, struct answer *a,
                       struct sl_why *why)
{
    char        head[HEAD_BYTES];
    enum sl_err err;
    int         count = snprintf(head, sizeof head,
                                 "GET %s HTTP/1.0\r\nHost: %s\r\nAccept: application/json\r\n\r\n",
                                 get->path, get->address);

    if (count < 0 || (size_t)count >= sizeof head)
        return sl_fail(why, SL_TOO_LARGE, "the path for %s is too long", get->address);
    if ((err = http_client_connect(c, why)) != SL_OK ||
        (err = http_client_send(c, head, (size_t)count, why)) != SL_OK)
        return err;
    return read_all(c, get->body_bytes, a, why);
}

enum sl_err sl_http_get(const struct sl_env *env, const struct sl_http_get *get,
                        struct sl_buf **body, struct sl_why *why)
{
    struct http_client c = {
        .env = env, .address = get->address, .until = sl_env_now(env) + get->timeout};
    struct answer a = {0};
    enum sl_err   err = ask(&c, get, &a, why);

    http_client_close(&c);
    if (err == SL_OK)
        err = take_body(&a, get, body, why);
    free(a.bytes);
    return err;
}
