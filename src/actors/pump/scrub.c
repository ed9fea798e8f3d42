#include "actors/pump/scrub.h"

#include "base/log.h"

void sl_scrub_done(struct sl_scrub *scrub)
{
    sl_vlog_scrub_free(&scrub->log);
}

static void tell(struct sl_scrub *scrub, struct sl_pump *pump, uint64_t segment, enum sl_err err,
                 const struct sl_why *why)
{
    sl_log(SL_LOG_ERROR, "value log is damaged or cannot be read", sl_field_u64("shard", scrub->k),
           sl_field_err(err, why));
    sl_metric_add(pump->metrics.errors[SL_PUMP_ERROR_READ_VALUE], 1);
    if (segment == 0 || scrub->first != 0)
        return;
    scrub->first = segment;
    atomic_store_explicit(&pump->board.damaged[scrub->k], segment, memory_order_relaxed);
}

/* All of this shard was looked at. */
static bool end_shard(struct sl_scrub *scrub, struct sl_pump *pump)
{
    if (scrub->first == 0)
        atomic_store_explicit(&pump->board.damaged[scrub->k], 0, memory_order_relaxed);
    sl_vlog_scrub_free(&scrub->log);
    scrub->first = 0;
    scrub->k = (scrub->k + 1) % pump->options.shards;
    return scrub->k == 0;
}

bool sl_scrub_step(struct sl_scrub *scrub, struct sl_pump *pump)
{
    struct sl_why why = {0};
    uint64_t      segment;
    bool          end;
    enum sl_err   err;

    if (scrub->log == NULL)
        scrub->log = sl_vlog_scrub_new(&pump->vlog_options[scrub->k]);
    err = sl_vlog_scrub_step(scrub->log, SL_SCRUB_STEP_BYTES, &end, &segment, &why);
    if (err != SL_OK)
        tell(scrub, pump, segment, err, &why);
    return end && end_shard(scrub, pump);
}
