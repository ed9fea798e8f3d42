#include "actors/common/routes.h"

#include <stdio.h>

#include "actors/common/body.h"
#include "base/assert.h"
#include "runtime/actor.h"

const char *sl_exchange_param(const struct sl_exchange *x, size_t index,
                              char out[SL_HTTP_URL_BYTES_MAX])
{
    struct sl_slice slice = x->params.value[index];

    SL_ASSERT(index < x->params.count && slice.len < SL_HTTP_URL_BYTES_MAX);
    (void)snprintf(out, SL_HTTP_URL_BYTES_MAX, "%.*s", (int)slice.len, (const char *)slice.bytes);
    return out;
}

static void find(struct sl_exchange *x, const struct sl_route *routes, size_t count)
{
    struct sl_slice path = sl_slice_from_buf(x->question->path);
    bool            known = false;

    for (size_t i = 0; i < count; i++) {
        if (!sl_http_route_match(routes[i].pattern, path, &x->params))
            continue;
        known = true;
        if (routes[i].method != x->question->method)
            continue;
        routes[i].answer(x);
        return;
    }
    x->status = known ? 405 : 404;
    if (known)
        x->content_type = NULL;
    else
        x->body = sl_body_line("404 page not found\n");
}

void sl_routes_serve(struct sl_ctx *ctx, const struct sl_route *routes, size_t count, void *context,
                     struct sl_http_question *question, unsigned type)
{
    struct sl_exchange     x = {.context = context,
                                .ctx = ctx,
                                .question = question,
                                .status = 200,
                                .content_type = sl_body_text};
    struct sl_http_answer *answer;

    find(&x, routes, count);
    if (x.later)
        return;
    answer = sl_http_answer_new(type, x.status, x.content_type, &x.body);
    sl_reply(ctx, sl_asker_of(&question->hdr), &answer);
}
