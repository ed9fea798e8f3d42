#include "actors/common/push.h"

#include <stdio.h>
#include <string.h>

#include "actors/common/body.h"
#include "base/assert.h"
#include "base/log.h"
#include "net/http_ask.h"
#include "net/http_post.h"

enum sl_err sl_push_target(const char *metrics_addr, const char *node_id,
                           struct sl_push_target *out, struct sl_why *why)
{
    static const char scheme[] = "http://";
    const char       *at = metrics_addr;
    const char       *prefix;
    char              id[3 * SL_NODE_ID_BYTES_MAX];
    int               address;
    int               path;

    if (strncmp(at, scheme, sizeof scheme - 1) == 0)
        at += sizeof scheme - 1;
    if ((prefix = strchr(at, '/')) == NULL)
        prefix = at + strlen(at);
    address = snprintf(out->address, sizeof out->address, "%.*s", (int)(prefix - at), at);
    while (*prefix != '\0' && prefix[strlen(prefix) - 1] == '/' && prefix[1] == '\0')
        prefix++;
    if (!sl_http_encode(node_id, id, sizeof id))
        SL_UNREACHABLE("a byte becomes three at most");
    path = snprintf(out->path, sizeof out->path, "%s/metrics/job/binlog/instance/%s", prefix, id);
    if (address < 0 || (size_t)address >= sizeof out->address || path < 0 ||
        (size_t)path >= sizeof out->path)
        return sl_fail(why, SL_TOO_LARGE, "metrics-addr is too long");
    return SL_OK;
}

void sl_push(const struct sl_env *env, const struct sl_push_target *target, struct sl_buf **body)
{
    const struct sl_http_post post = {.address = target->address,
                                      .path = target->path,
                                      .content_type = sl_body_metrics_text,
                                      .body = (*body)->data,
                                      .body_bytes = (*body)->len,
                                      .timeout = (sl_nanos)SL_PUSH_MS * SL_NANOS_PER_MS};
    struct sl_why             why = {0};
    enum sl_err               err = sl_http_post(env, &post, &why);

    if (err != SL_OK)
        sl_log(SL_LOG_ERROR, "push metrics to Prometheus Pushgateway failed",
               sl_field_err(err, &why));
    sl_buf_free(body);
}
