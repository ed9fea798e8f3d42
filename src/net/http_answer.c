#include "net/http_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

const char *http_answer_reason(unsigned status)
{
    static const struct {
        unsigned    status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Request Entity Too Large"},
        {414, "Request URI Too Long"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "";
}

static void append(struct http_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct http_answer *answer, const char *format, ...)
{
    size_t  room = sizeof answer->head - answer->head_len;
    va_list args;
    int     len;

    va_start(args, format);
    len = vsnprintf(answer->head + answer->head_len, room, format, args);
    va_end(args);
    SL_ASSERT(len >= 0 && (size_t)len < room);
    answer->head_len += (size_t)len;
}

void http_answer_continue(struct http_answer *answer)
{
    SL_ASSERT(answer->head_len == 0);
    append(answer, "HTTP/1.1 100 Continue\r\n\r\n");
}

void http_answer_compose(struct http_answer *answer, const struct http_answer_form *form,
                         struct sl_buf *body)
{
    bool never_body = form->status == 204 || form->status == 304;

    SL_ASSERT(answer->body == NULL);
    append(answer, "HTTP/1.1 %u %s\r\n", form->status, http_answer_reason(form->status));
    if (form->content_type != NULL) {
        SL_ASSERT(strlen(form->content_type) <= SL_HTTP_CONTENT_TYPE_BYTES_MAX);
        append(answer, "Content-Type: %s\r\n", form->content_type);
    }
    if (!never_body)
        append(answer, "Content-Length: %zu\r\n", body != NULL ? body->len : 0);
    if (form->close)
        append(answer, "Connection: close\r\n");
    else if (form->old)
        append(answer, "Connection: keep-alive\r\n");
    append(answer, "\r\n");
    if (body == NULL || body->len == 0 || never_body || form->without_body)
        sl_buf_free(&body);
    answer->body = body;
}

bool http_answer_pending(const struct http_answer *answer, struct sl_slice *out)
{
    size_t sent = answer->sent;

    if (sent < answer->head_len) {
        *out = (struct sl_slice){(const uint8_t *)answer->head + sent, answer->head_len - sent};
        return true;
    }
    if (answer->body == NULL)
        return false;
    sent -= answer->head_len;
    *out = (struct sl_slice){answer->body->data + sent, answer->body->len - sent};
    return true;
}

void http_answer_sent(struct http_answer *answer, size_t count)
{
    size_t whole = answer->head_len + (answer->body != NULL ? answer->body->len : 0);

    SL_ASSERT(count <= whole - answer->sent);
    answer->sent += count;
    if (answer->sent == whole)
        http_answer_clear(answer);
}

void http_answer_clear(struct http_answer *answer)
{
    sl_buf_free(&answer->body);
    answer->head_len = 0;
    answer->sent = 0;
}
