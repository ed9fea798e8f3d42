#include "actors/common/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/metric.h"

const char sl_body_json[] = "application/json; charset=UTF-8";
const char sl_body_text[] = "text/plain; charset=utf-8";
const char sl_body_metrics_text[] = "text/plain; version=0.0.4; charset=utf-8";

struct sl_buf *sl_body_of(const char *bytes, size_t count)
{
    struct sl_buf *buf = sl_buf_new(count);

    if (count > 0)
        memcpy(buf->data, bytes, count);
    return buf;
}

struct sl_buf *sl_body_line(const char *text)
{
    return sl_body_of(text, strlen(text));
}

struct sl_json_out sl_body_begin(size_t room)
{
    struct sl_json_out out = {.bytes = malloc(room), .room = room};

    SL_ASSERT(out.bytes != NULL);
    return out;
}

struct sl_buf *sl_body_end(struct sl_json_out *out)
{
    struct sl_buf *buf = sl_body_of(out->bytes, out->used);

    SL_ASSERT(!out->full);
    free(out->bytes);
    return buf;
}

struct sl_buf *sl_body_reply(const char *message, int code, const char *data)
{
    struct sl_json_out out =
        sl_body_begin(SL_BODY_GROWTH * strlen(message) + strlen(data) + SL_BODY_FRAME_BYTES);

    sl_json_put(&out, "{\n  \"message\": ");
    sl_json_put_text(&out, message);
    sl_json_put(&out, ",\n  \"code\": ");
    sl_json_put_int(&out, code);
    sl_json_put(&out, ",\n  \"data\": ");
    sl_json_put(&out, data);
    sl_json_put(&out, "\n}\n");
    return sl_body_end(&out);
}

struct sl_buf *sl_body_metrics(struct sl_metric_registry *registry)
{
    char          *text = NULL;
    size_t         count = 0;
    FILE          *out = open_memstream(&text, &count);
    struct sl_buf *body;
    int            failed;

    SL_ASSERT(out != NULL);
    sl_metric_write(registry, out);
    failed = fclose(out);
    SL_ASSERT(failed == 0);
    body = sl_body_of(text, count);
    free(text);
    return body;
}
