#include "ctl/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "ctl/cli.h"
#include "ctl/text.h"
#include "net/http_ask.h"

enum { HTTP_OK = 200, HTTP_UNAVAILABLE = 503 };

/* ---- asking ---- */

static void read_status(struct ctl_node *node, const struct sl_http_ask *ask)
{
    struct sl_slice body;

    node->answer = ask->err;
    if (ask->err != SL_OK) {
        ctl_text_clean(ask->why.text, node->silence.text, sizeof node->silence.text);
        return;
    }
    body = sl_slice_from_buf(ask->answer);
    if (ask->status != HTTP_OK)
        node->answer =
            sl_fail(&node->silence, SL_INVALID, "it answers with HTTP status %u", ask->status);
    else if (node->kind == SL_NODE_PUMP)
        node->answer = ctl_answer_of_pump(body, &node->silence);
    else
        node->answer = ctl_answer_of_drainer(body, &node->drainer, &node->silence);
}

/* Ours alone have a /readyz: 200, or 503 and why. */
static void read_ready(struct ctl_node *node, const struct sl_http_ask *ask)
{
    char text[SL_WHY_BYTES_MAX]; /* of which the first line is read */

    if (ask->err != SL_OK || (ask->status != HTTP_OK && ask->status != HTTP_UNAVAILABLE))
        return;
    node->ready = ask->status == HTTP_OK ? CTL_READY : CTL_NOT_READY;
    if (node->ready == CTL_READY)
        return;
    (void)snprintf(text, sizeof text, "%.*s", (int)ask->answer->len,
                   (const char *)ask->answer->data);
    text[strcspn(text, "\n")] = '\0';
    ctl_text_clean(text, node->not_ready, sizeof node->not_ready);
}

static void read_figures(struct ctl_node *node, const struct sl_http_ask *ask)
{
    if (ask->err == SL_OK && ask->status == HTTP_OK)
        ctl_answer_of_metrics(sl_slice_from_buf(ask->answer), &node->figures);
}

/* What a pump is asked, and a drainer the first of it. The order is that of the readers below. */
static const char *const paths[] = {"/status", "/readyz", "/metrics"};

enum { PATHS = sizeof paths / sizeof *paths };

/* How many of the questions a node gets. */
static size_t questions_for(const struct ctl_node *node)
{
    if (node->record.state == SL_NODE_OFFLINE)
        return 0;
    return node->kind == SL_NODE_PUMP ? PATHS : 1;
}

static void ask_nodes(const struct sl_env *env, struct ctl_view *view)
{
    static void (*const readers[PATHS])(struct ctl_node *, const struct sl_http_ask *) = {
        read_status, read_ready, read_figures};
    struct sl_http_ask *asks = calloc(PATHS * view->count + 1, sizeof *asks);
    size_t              count = 0;

    SL_ASSERT(asks != NULL);
    for (size_t i = 0; i < view->count; i++)
        for (size_t q = 0; q < questions_for(&view->nodes[i]); q++)
            asks[count++] = (struct sl_http_ask){
                .method = "GET", .address = view->nodes[i].record.host, .path = paths[q]};
    sl_http_ask_all(env, asks, count, (sl_nanos)SL_CTL_PROBE_MS * SL_NANOS_PER_MS);
    count = 0;
    for (size_t i = 0; i < view->count; i++)
        for (size_t q = 0; q < questions_for(&view->nodes[i]); q++) {
            readers[q](&view->nodes[i], &asks[count]);
            sl_buf_free(&asks[count++].answer);
        }
    free(asks);
}

/* ---- the view ---- */

static enum sl_err add_kind(struct sl_cluster *cluster, enum sl_node_kind kind,
                            struct ctl_view *view, struct sl_why *why)
{
    struct sl_node_list list;
    enum sl_err         err = sl_registry_list(sl_cluster_registry(cluster), kind, &list, why);

    if (err != SL_OK)
        return err;
    view->nodes = realloc(view->nodes, (view->count + list.count + 1) * sizeof *view->nodes);
    SL_ASSERT(view->nodes != NULL);
    for (size_t i = 0; i < list.count; i++)
        view->nodes[view->count++] = (struct ctl_node){
            .record = list.nodes[i], .kind = kind, .answer = SL_GONE, .drainer.doing.lag_s = -1};
    sl_node_list_free(&list);
    return SL_OK;
}

enum sl_err ctl_gather(const struct sl_env *env, struct sl_cluster *cluster, struct ctl_view *out,
                       struct sl_why *why)
{
    struct ctl_view view = {.cluster_id = sl_cluster_id(cluster)};
    enum sl_err     err;

    if ((err = add_kind(cluster, SL_NODE_PUMP, &view, why)) == SL_OK &&
        (err = add_kind(cluster, SL_NODE_DRAINER, &view, why)) == SL_OK) {
        ask_nodes(env, &view);
        err = ctl_now(cluster, &view.now, why);
    }
    view.wall_ms = sl_env_wall(env) / SL_NANOS_PER_MS;
    if (err == SL_OK)
        *out = view;
    else
        ctl_view_free(&view);
    return err;
}

void ctl_view_free(struct ctl_view *view)
{
    free(view->nodes);
    *view = (struct ctl_view){0};
}

/* ---- what follows from it ---- */

bool ctl_node_claims_to_run(const struct ctl_node *node)
{
    return node->record.state == SL_NODE_ONLINE || node->record.state == SL_NODE_PAUSING ||
           node->record.state == SL_NODE_CLOSING;
}

sl_ts ctl_node_checkpoint(const struct ctl_node *node)
{
    sl_ts said = node->answer == SL_OK ? node->drainer.last_ts : 0;

    return said > node->record.max_commit_ts ? said : node->record.max_commit_ts;
}

static int64_t since(const struct ctl_view *view, sl_ts ts)
{
    int64_t ms = sl_ts_physical_ms(view->now) - sl_ts_physical_ms(ts);

    if (ts <= 0)
        return -1;
    return ms > 0 ? ms : 0;
}

int64_t ctl_node_lag_ms(const struct ctl_view *view, const struct ctl_node *node)
{
    if (node->kind == SL_NODE_PUMP)
        return since(view, node->record.max_commit_ts);
    if (node->answer == SL_OK && node->drainer.doing.lag_s >= 0 &&
        node->drainer.doing.lag_s <= INT64_MAX / 1000)
        return node->drainer.doing.lag_s * 1000;
    return since(view, ctl_node_checkpoint(node));
}

int64_t ctl_node_silent_ms(const struct ctl_view *view, const struct ctl_node *node)
{
    return since(view, node->record.update_ts);
}
