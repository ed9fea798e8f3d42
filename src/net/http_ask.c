#include "net/http_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

enum { HEAD_BYTES = 1024, READ_BYTES_MIN = 4096 };
static_assert((int)SL_HTTP_ASKS_MAX <= (int)SL_NET_WAIT_MAX, "one wait serves all");

enum phase { CONNECTING, SENDING_HEAD, SENDING_BODY, READING, OVER };

/* One question on its way. */
struct exchange {
    struct sl_http_ask *ask;
    struct sl_socket   *socket; /* owned */
    enum phase          phase;
    char                head[HEAD_BYTES];
    size_t              head_bytes;
    size_t              sent; /* of head, then of the body */
    char               *in;   /* owned: the answer so far, and a terminator behind it */
    size_t              in_bytes;
    size_t              in_room;
};

/* ---- the answer ---- */

/* The value of a field of the head, which ends at `end`; NULL: it is not there. */
static const char *field_of(const char *head, const char *end, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = head; line < end; line = strstr(line, "\r\n") + 2)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    return NULL;
}

/* Where the body begins; NULL while the head is not whole. */
static const char *body_of(const struct exchange *x)
{
    const char *end = x->in_bytes > 0 ? strstr(x->in, "\r\n\r\n") : NULL;

    return end != NULL ? end + 4 : NULL;
}

static size_t bytes_max(const struct exchange *x)
{
    return x->ask->answer_bytes_max > 0 ? x->ask->answer_bytes_max : SL_HTTP_ASK_BYTES_MAX;
}

/* How long the body is by its own account; SIZE_MAX: until the connection ends. */
static enum sl_err length_of(const struct exchange *x, const char *body, size_t *out,
                             struct sl_why *why)
{
    const char   *text = field_of(x->in, body - 2, "Content-Length");
    char         *end;
    unsigned long value;

    *out = SIZE_MAX;
    if (field_of(x->in, body - 2, "Transfer-Encoding") != NULL)
        return sl_fail(why, SL_INVALID, "%s answers in pieces, which was not asked for",
                       x->ask->address);
    if (text == NULL)
        return SL_OK;
    if (text[0] < '0' || text[0] > '9')
        return sl_fail(why, SL_INVALID, "%s does not say how long its answer is", x->ask->address);
    value = strtoul(text, &end, 10);
    if (value > bytes_max(x))
        return sl_fail(why, SL_TOO_LARGE, "%s answers with more than %zu bytes", x->ask->address,
                       bytes_max(x));
    *out = value;
    return SL_OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Take what has come; SL_AGAIN: more must come. `ended`: no more will. */
static enum sl_err take_answer(struct exchange *x, bool ended, struct sl_why *why)
{
    const char *body = body_of(x);
    const char *status = x->in + strlen("HTTP/1.x ");
    size_t      have, length;
    enum sl_err err;

    if (body == NULL && !ended)
        return SL_AGAIN;
    if (body == NULL || strncmp(x->in, "HTTP/1.", 7) != 0 || x->in[8] != ' ' ||
        !is_digit(status[0]) || !is_digit(status[1]) || !is_digit(status[2]))
        return sl_fail(why, SL_INVALID, "%s does not answer in HTTP", x->ask->address);
    if ((err = length_of(x, body, &length, why)) != SL_OK)
        return err;
    have = x->in_bytes - (size_t)(body - x->in);
    if (have < length && !ended)
        return SL_AGAIN;
    if (have < length && length != SIZE_MAX)
        return sl_fail(why, SL_RESET, "%s broke off its answer", x->ask->address);
    have = have < length ? have : length;
    x->ask->status = (unsigned)((status[0] - '0') * 100 + (status[1] - '0') * 10 + status[2] - '0');
    x->ask->answer = sl_buf_new(have);
    if (have > 0)
        memcpy(x->ask->answer->data, body, have);
    return SL_OK;
}

static enum sl_err make_room(struct exchange *x, struct sl_why *why)
{
    if (x->in_room - x->in_bytes > 1)
        return SL_OK;
    if (x->in_room > bytes_max(x))
        return sl_fail(why, SL_TOO_LARGE, "%s answers with more than %zu bytes", x->ask->address,
                       bytes_max(x));
    x->in_room = x->in_room == 0 ? READ_BYTES_MIN : 2 * x->in_room;
    x->in = realloc(x->in, x->in_room);
    SL_ASSERT(x->in != NULL);
    return SL_OK;
}

/* ---- the exchange ---- */

static enum sl_err begin(const struct sl_env *env, struct exchange *x, struct sl_why *why)
{
    const struct sl_http_ask *ask = x->ask;
    bool                      with_body = ask->content_type != NULL;
    int                       count;

    count = snprintf(x->head, sizeof x->head, "%s %s HTTP/1.0\r\nHost: %s\r\n%s%s%s", ask->method,
                     ask->path, ask->address, with_body ? "Content-Type: " : "",
                     with_body ? ask->content_type : "", with_body ? "\r\n" : "");
    if (count > 0 && (size_t)count < sizeof x->head)
        count += snprintf(x->head + count, sizeof x->head - (size_t)count,
                          "Content-Length: %zu\r\n\r\n", with_body ? ask->body_bytes : 0);
    if (count < 0 || (size_t)count >= sizeof x->head)
        return sl_fail(why, SL_TOO_LARGE, "the question for %s is too long", ask->address);
    x->head_bytes = (size_t)count;
    return sl_net_connect(env->net, ask->address, &x->socket, why);
}

/* Send what is left of `count` bytes, then go on to the next phase. */
static enum sl_err send_rest(struct exchange *x, const void *bytes, size_t count, enum phase next,
                             struct sl_why *why)
{
    size_t      put;
    enum sl_err err = SL_OK;

    if (x->sent < count) {
        err = sl_socket_write(x->socket, (const char *)bytes + x->sent, count - x->sent, &put, why);
        if (err == SL_OK)
            x->sent += put;
    }
    if (err == SL_OK && x->sent == count) {
        x->sent = 0;
        x->phase = next;
    }
    return err;
}

static enum sl_err receive(struct exchange *x, struct sl_why *why)
{
    size_t      got;
    enum sl_err err;

    if ((err = make_room(x, why)) != SL_OK ||
        (err = sl_socket_read(x->socket, x->in + x->in_bytes, x->in_room - x->in_bytes - 1, &got,
                              why)) != SL_OK)
        return err;
    x->in_bytes += got;
    x->in[x->in_bytes] = '\0';
    if ((err = take_answer(x, got == 0, why)) == SL_OK)
        x->phase = OVER;
    return err == SL_AGAIN ? SL_OK : err;
}

/* As far as it goes without waiting. */
static void advance(struct exchange *x)
{
    struct sl_http_ask *ask = x->ask;
    enum sl_err         err = SL_OK;

    while (err == SL_OK && x->phase != OVER) {
        switch (x->phase) {
        case CONNECTING:
            if ((err = sl_socket_connected(x->socket, &ask->why)) == SL_OK)
                x->phase = SENDING_HEAD;
            break;
        case SENDING_HEAD:
            err = send_rest(x, x->head, x->head_bytes, SENDING_BODY, &ask->why);
            break;
        case SENDING_BODY:
            err = send_rest(x, ask->body, ask->content_type != NULL ? ask->body_bytes : 0, READING,
                            &ask->why);
            break;
        case READING: err = receive(x, &ask->why); break;
        case OVER: break;
        }
    }
    if (err == SL_AGAIN)
        return;
    ask->err = err;
    x->phase = OVER;
    sl_socket_close(&x->socket);
}

/* The sockets of those that are not over; how many. */
static uint32_t gather(struct exchange *x, size_t count, struct sl_socket_wait *waits)
{
    uint32_t open = 0;

    for (size_t i = 0; i < count; i++) {
        if (x[i].phase == OVER)
            continue;
        waits[open++] = (struct sl_socket_wait){
            .socket = x[i].socket,
            .events = x[i].phase == READING ? SL_SOCKET_READABLE : SL_SOCKET_WRITABLE};
    }
    return open;
}

static void ask_some(const struct sl_env *env, struct sl_http_ask *asks, size_t count,
                     sl_nanos until)
{
    struct exchange      *x = calloc(count, sizeof *x);
    struct sl_socket_wait waits[SL_HTTP_ASKS_MAX];
    uint32_t              open;

    SL_ASSERT(x != NULL);
    for (size_t i = 0; i < count; i++) {
        x[i].ask = &asks[i];
        asks[i].status = 0;
        asks[i].answer = NULL;
        asks[i].why.text[0] = '\0';
        if ((asks[i].err = begin(env, &x[i], &asks[i].why)) != SL_OK)
            x[i].phase = OVER;
        else
            advance(&x[i]);
    }
    while ((open = gather(x, count, waits)) > 0 && sl_env_now(env) < until) {
        sl_net_wait(env->net, waits, open, until);
        for (size_t i = 0; i < count; i++)
            if (x[i].phase != OVER)
                advance(&x[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (x[i].phase != OVER)
            asks[i].err =
                sl_fail(&asks[i].why, SL_TIMEOUT, "%s does not answer in time", asks[i].address);
        sl_socket_close(&x[i].socket);
        free(x[i].in);
    }
    free(x);
}

void sl_http_ask_all(const struct sl_env *env, struct sl_http_ask *asks, size_t count,
                     sl_nanos timeout)
{
    for (size_t at = 0; at < count; at += SL_HTTP_ASKS_MAX) {
        size_t some = count - at < SL_HTTP_ASKS_MAX ? count - at : SL_HTTP_ASKS_MAX;

        ask_some(env, asks + at, some, sl_env_now(env) + timeout);
    }
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
