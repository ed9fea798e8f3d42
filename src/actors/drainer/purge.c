#include "actors/drainer/purge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "net/http_ask.h"

enum { NUMBER_BYTES = 64 };

static const char gauge[] = "\nbinlog_pump_storage_gc_ts ";

int64_t sl_purge_read(struct sl_slice metrics)
{
    const uint8_t *at = memmem(metrics.bytes, metrics.len, gauge, sizeof gauge - 1);
    char           text[NUMBER_BYTES] = "";
    size_t         rest;
    double         value;

    if (at == NULL)
        return 0;
    at += sizeof gauge - 1;
    rest = (size_t)(metrics.bytes + metrics.len - at);
    memcpy(text, at, rest < sizeof text - 1 ? rest : sizeof text - 1);
    value = strtod(text, NULL);
    return value > 0 && value < 1e15 ? (int64_t)value : 0;
}

static const struct sl_purge_fact *find(const struct sl_purge *purge, const char *node_id)
{
    for (uint32_t i = 0; i < purge->count; i++) {
        if (strcmp(purge->facts[i].node_id, node_id) == 0)
            return &purge->facts[i];
    }
    return NULL;
}

/* Of a pump that went long ago the place is taken by the next one; it is asked again should it
 * return. */
static void note(struct sl_purge *purge, const char *node_id, int64_t removed_ms)
{
    struct sl_purge_fact *fact =
        &purge->facts[purge->count < SL_DRAINER_SOURCES_MAX ? purge->count++ : 0];

    (void)snprintf(fact->node_id, sizeof fact->node_id, "%s", node_id);
    fact->removed_ms = removed_ms;
}

/* Somebody answered, or nobody is there. */
static int64_t read_outcome(struct sl_http_ask *ask)
{
    int64_t removed_ms = 0;

    if (ask->err == SL_UNAVAILABLE || ask->err == SL_TIMEOUT)
        removed_ms = -1;
    else if (ask->err == SL_OK && ask->answer != NULL)
        removed_ms = sl_purge_read(sl_slice_from_buf(ask->answer));
    sl_buf_free(&ask->answer);
    return removed_ms;
}

void sl_purge_ask(const struct sl_env *env, struct sl_purge *purge,
                  const struct sl_node_list *pumps, int64_t *removed_ms)
{
    struct sl_http_ask *asks = calloc(pumps->count + 1, sizeof *asks);
    size_t             *whose = calloc(pumps->count + 1, sizeof *whose);
    size_t              count = 0;

    SL_ASSERT(asks != NULL && whose != NULL);
    for (size_t i = 0; i < pumps->count; i++) {
        const struct sl_node       *node = &pumps->nodes[i];
        const struct sl_purge_fact *fact = find(purge, node->id);

        removed_ms[i] = fact != NULL ? fact->removed_ms : 0;
        if (fact != NULL || node->state == SL_NODE_OFFLINE)
            continue;
        whose[count] = i;
        asks[count++] = (struct sl_http_ask){.method = "GET",
                                             .address = node->host,
                                             .path = "/metrics",
                                             .answer_bytes_max = SL_PURGE_ANSWER_BYTES_MAX};
    }
    sl_http_ask_all(env, asks, count, SL_PURGE_ASK_MS * (sl_nanos)SL_NANOS_PER_MS);
    for (size_t i = 0; i < count; i++) {
        removed_ms[whose[i]] = read_outcome(&asks[i]);
        if (removed_ms[whose[i]] >= 0)
            note(purge, pumps->nodes[whose[i]].id, removed_ms[whose[i]]);
    }
    free(asks);
    free(whose);
}
