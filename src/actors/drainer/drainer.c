#include "actors/drainer/drainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/common/node_identity.h"
#include "actors/drainer/sink.h"
#include "base/assert.h"
#include "base/log.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "binlog/schema.h"
#include "net/schema_source.h"
#include "storage/spool.h"

/* ---- who it is, and where ---- */

static enum sl_err settle_data_dir(struct sl_drainer *d, struct sl_why *why)
{
    const struct sl_drainer_config *c = d->options.config;
    struct sl_fs                   *fs = d->options.env->fs;
    const struct sl_node_id_sources sources = {.configured = c->node_id,
                                               .configured_wins = true,
                                               .host_name = d->options.host_name,
                                               .addr = c->addr};
    char                            path[SL_PATH_BYTES_MAX];
    struct sl_why                   note = {0};
    enum sl_err                     err;

    if ((err = sl_data_dir_lock(fs, c->data_dir, &d->lock, why)) != SL_OK ||
        (err = sl_node_id_settle(fs, c->data_dir, &sources, d->node_id, &note, why)) != SL_OK)
        return err;
    if (note.text[0] != '\0')
        sl_log(SL_LOG_WARN, "node id", sl_field_str("note", note.text));
    if ((err = sl_path_join(path, c->data_dir, "spool", why)) != SL_OK)
        return err;
    return sl_spool_open(fs, path, &d->spool, why);
}

static void open_front(struct sl_drainer *d)
{
    const struct sl_drainer_config       *c = d->options.config;
    const bool                            pushes = c->metrics_addr[0] != '\0';
    const struct sl_drainer_front_options options = {
        .pd_urls = c->pd_urls,
        .node_id = d->node_id,
        .advertise = d->advertise,
        .push_addr = pushes && c->metrics_interval_s > 0 ? c->metrics_addr : NULL,
        .push_ms = (uint32_t)(c->metrics_interval_s * 1000),
        .synced_check_ms = (uint64_t)c->synced_check_min * 60 * 1000,
        .budget_bytes = c->memory_budget,
        .tells_progress = d->options.tells_progress,
        .workers_max = d->workers,
        .part_rows = d->part_rows,
        .is_kept = !c->dispatch,
    };

    snprintf(d->advertise, sizeof d->advertise, "%s", c->advertise_addr);
    sl_drainer_front_init(&d->front, d->options.env, &options, SL_DRAINER_SOURCES_MAX + 1);
}

/* The port may be the system's choice. */
enum sl_err sl_drainer_listen(struct sl_drainer *drainer, struct sl_why *why)
{
    const char *port = strrchr(drainer->advertise, ':');
    char        local[SL_ADDR_BYTES_MAX];
    enum sl_err err = sl_net_listen(drainer->options.env->net, drainer->options.config->addr,
                                    &drainer->front.listener, why);

    if (err != SL_OK || port == NULL || strcmp(port, ":0") != 0)
        return err;
    sl_socket_local(drainer->front.listener, local);
    snprintf(drainer->advertise + (port - drainer->advertise),
             sizeof drainer->advertise - (size_t)(port - drainer->advertise), "%s",
             strrchr(local, ':'));
    return SL_OK;
}

/* ---- life ---- */

static uint32_t at_most(uint64_t value, uint32_t max)
{
    return value < max ? (uint32_t)value : max;
}

enum sl_err sl_drainer_open(const struct sl_drainer_options *options, struct sl_drainer **out,
                            struct sl_why *why)
{
    const struct sl_env *env = options->env;
    struct sl_drainer   *d = calloc(1, sizeof *d);
    enum sl_err          err;

    SL_ASSERT(d != NULL);
    d->options = *options;
    d->workers = options->config->destination == SL_DRAINER_STDOUT
                     ? 1
                     : at_most((uint64_t)options->config->worker_count, SL_DRAINER_WORKERS_MAX);
    d->decoders = at_most(env->threads->cpus(env->threads), SL_DRAINER_DECODERS_MAX);
    d->part_rows = options->config->dispatch
                       ? sl_drainer_config_part_rows(options->config)
                       : UINT32_MAX; /* a transaction is a part, whatever its size */
    open_front(d);
    if ((err = settle_data_dir(d, why)) != SL_OK) {
        sl_drainer_close(&d);
        return err;
    }
    *out = d;
    return SL_OK;
}

void sl_drainer_close(struct sl_drainer **drainer)
{
    struct sl_drainer *d = *drainer;

    *drainer = NULL;
    if (d == NULL)
        return;
    sl_schema_free(&d->schema);
    sl_schema_source_free(&d->schema_source);
    sl_sink_free(&d->sink);
    sl_spool_close(&d->spool);
    sl_zone_free(&d->zone);
    sl_filter_free(&d->filter);
    sl_event_filter_free(&d->event_filter);
    sl_drainer_front_done(&d->front);
    sl_file_close(&d->lock);
    free(d);
}
