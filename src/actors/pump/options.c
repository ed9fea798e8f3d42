#include "actors/pump/config.h"
#include "actors/pump/pump.h"

/* A day is as good as for ever. */
static sl_nanos slow_write_of(const struct sl_pump_config *config)
{
    const double day_s = 24 * 3600;
    double       seconds = config->slow_write_s < day_s ? config->slow_write_s : day_s;

    return (sl_nanos)(seconds * (double)SL_NANOS_PER_S);
}

struct sl_pump_options sl_pump_options_of(const struct sl_pump_config *config,
                                          const struct sl_env *env, const char *host_name)
{
    return (struct sl_pump_options){
        .env = env,
        .data_dir = config->data_dir,
        .node_id = config->node_id,
        .host_name = host_name,
        .addr = config->addr,
        .advertise = config->advertise_addr,
        .socket = config->socket[0] != '\0' ? config->socket : NULL,
        .pd_urls = config->pd_urls,
        .shards = sl_pump_config_shards(config, env->threads->cpus(env->threads)),
        .shards_asked = config->shards != 0,
        .segment_bytes = config->segment_bytes,
        .no_sync = !config->sync_log,
        .slow_write = slow_write_of(config),
        .engine = SL_INDEX_WIREDTIGER,
        .message_bytes_max = (uint64_t)config->message_bytes_max,
        .stop_write_bytes = config->stop_write_bytes,
        .fake_interval_ms = (uint32_t)(config->fake_interval_s * 1000),
        .heartbeat_ms = (uint32_t)(config->heartbeat_s * 1000),
        .gc_ms = config->gc_nanos / SL_NANOS_PER_MS,
        .push_addr = config->metrics_addr[0] != '\0' && config->metrics_interval_s > 0
                         ? config->metrics_addr
                         : NULL,
        .push_ms = (uint32_t)(config->metrics_interval_s * 1000),
    };
}
