#include "actors/common/http_mail.h"

#include <string.h>

static struct sl_buf *copy_of(struct sl_slice slice)
{
    struct sl_buf *copy = sl_buf_new(slice.len);

    if (slice.len > 0)
        memcpy(copy->data, slice.bytes, slice.len);
    return copy;
}

static void question_release(struct sl_msg *msg)
{
    struct sl_http_question *question = (struct sl_http_question *)(void *)msg;

    sl_buf_free(&question->path);
    sl_buf_free(&question->query);
    sl_buf_free(&question->body);
}

struct sl_http_question *sl_http_question_new(unsigned type, const struct sl_http_request *request,
                                              bool trusted)
{
    struct sl_http_question *question =
        sl_msg_new_owning(struct sl_http_question, type, question_release);

    question->hdr.bytes = (uint32_t)request->body.len; /* at most SL_HTTP_BODY_BYTES_MAX */
    question->method = request->method;
    question->trusted = trusted;
    question->path = copy_of(request->path);
    if (request->query.len > 0)
        question->query = copy_of(request->query);
    if (request->body.len > 0)
        question->body = copy_of(request->body);
    return question;
}

static void answer_release(struct sl_msg *msg)
{
    sl_buf_free(&((struct sl_http_answer *)(void *)msg)->body);
}

struct sl_http_answer *sl_http_answer_new(unsigned type, unsigned status, const char *content_type,
                                          struct sl_buf **body)
{
    struct sl_http_answer *answer = sl_msg_new_owning(struct sl_http_answer, type, answer_release);

    answer->status = status;
    answer->content_type = content_type;
    answer->body = *body;
    *body = NULL;
    return answer;
}
