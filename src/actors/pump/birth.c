#include "actors/pump/birth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "net/channel.h"

enum { ANSWER_BYTES_MAX = 1024 };

void sl_birth_done(struct sl_birth *birth)
{
    free(birth->drainers);
    *birth = (struct sl_birth){0};
}

static struct sl_birth_drainer *find(struct sl_birth *birth, const char *id)
{
    struct sl_birth_drainer *d;

    for (uint32_t i = 0; i < birth->count; i++)
        if (strcmp(birth->drainers[i].id, id) == 0)
            return &birth->drainers[i];
    if (birth->count == birth->room) {
        birth->room = birth->room == 0 ? 4 : 2 * birth->room;
        birth->drainers = realloc(birth->drainers, birth->room * sizeof *birth->drainers);
        SL_ASSERT(birth->drainers != NULL);
    }
    d = &birth->drainers[birth->count++];
    *d = (struct sl_birth_drainer){.update_ts = -1};
    snprintf(d->id, sizeof d->id, "%s", id);
    return d;
}

static enum sl_err notify(const struct sl_env *env, const char *host, struct sl_why *why)
{
    struct sl_channel    *channel;
    struct sl_channel_end end;
    struct sl_buf        *request = sl_buf_new(0);
    struct sl_buf        *response = NULL;
    enum sl_err           err = sl_channel_new(env, host, ANSWER_BYTES_MAX, &channel, why);

    if (err != SL_OK) {
        sl_buf_free(&request);
        return err;
    }
    err = sl_channel_unary(channel, "/binlog.Cistern/Notify", &request,
                           (sl_nanos)SL_BIRTH_NOTIFY_MS * SL_NANOS_PER_MS, &response, &end);
    if (err != SL_OK && why != NULL)
        *why = end.why;
    sl_buf_free(&response);
    sl_channel_free(&channel);
    return err;
}

/* True when this drainer need not be waited for. */
static bool settle(struct sl_birth *birth, const struct sl_env *env, const struct sl_node *node,
                   struct sl_why *why)
{
    struct sl_birth_drainer *d = find(birth, node->id);
    sl_nanos                 now = sl_env_now(env);
    enum sl_err              err;

    if (d->told)
        return true;
    if (node->update_ts != d->update_ts) {
        d->update_ts = node->update_ts;
        d->changed = now;
    }
    if ((err = notify(env, node->host, why)) == SL_OK) {
        sl_log(SL_LOG_INFO, "notify success", sl_field_str("drainer", node->id));
        d->told = true;
        return true;
    }
    if (now - d->changed < (sl_nanos)SL_BIRTH_DEAD_MS * SL_NANOS_PER_MS) {
        sl_wrap(why, err, "drainer %s at %s does not answer", node->id, node->host);
        return false;
    }
    sl_log(SL_LOG_WARN,
           "drainer is registered as online but its record stands still, it is not "
           "waited for",
           sl_field_str("drainer", node->id), sl_field_str("host", node->host),
           sl_field_err(err, why));
    d->told = true;
    return true;
}

enum sl_err sl_birth_round(struct sl_birth *birth, const struct sl_env *env,
                           struct sl_registry *registry, struct sl_why *why)
{
    struct sl_node_list list;
    bool                all = true;
    enum sl_err         err = sl_registry_list(registry, SL_NODE_DRAINER, &list, why);

    if (err != SL_OK)
        return err;
    for (size_t i = 0; i < list.count && all; i++)
        if (list.nodes[i].state == SL_NODE_ONLINE)
            all = settle(birth, env, &list.nodes[i], why);
    sl_node_list_free(&list);
    return all ? SL_OK : SL_AGAIN;
}
