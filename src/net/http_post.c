#include "net/http_post.h"

#include "net/http_ask.h"

enum sl_err sl_http_post(const struct sl_env *env, const struct sl_http_post *post,
                         struct sl_why *why)
{
    struct sl_http_ask ask = {.method = "POST",
                              .address = post->address,
                              .path = post->path,
                              .content_type = post->content_type,
                              .body = post->body,
                              .body_bytes = post->body_bytes};

    sl_http_ask_all(env, &ask, 1, post->timeout);
    sl_buf_free(&ask.answer);
    if (ask.err != SL_OK)
        return sl_fail(why, ask.err, "%s", ask.why.text);
    if (ask.status / 100 != 2)
        return sl_fail(why, SL_INVALID, "%s answers with status %u", post->address, ask.status);
    return SL_OK;
}
