#include "actors/drainer/reload.h"

#include <stdio.h>

#include "actors/common/reload.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "runtime/runtime.h"

static const char *const filter_keys[] = {
    "syncer.ignore-schemas",     "syncer.ignore-table",   "syncer.replicate-do-db",
    "syncer.replicate-do-table", "syncer.case-sensitive", "syncer.table-migrate-rule",
    "syncer.binlog-filter-rule",
};
static const struct sl_reload_keys filters = {filter_keys,
                                              sizeof filter_keys / sizeof *filter_keys};

/* ---- messages ---- */

static struct sl_msg *make_filter(void *config)
{
    struct sl_filter         *filter;
    struct sl_event_filter   *event_filter;
    struct sl_drainer_filter *msg;

    if (sl_drainer_config_filters(config, &filter, &event_filter, NULL) != SL_OK)
        SL_UNREACHABLE("the check has tried them");
    msg = sl_drainer_filter_new(&filter, &event_filter);
    return &msg->hdr;
}

static struct sl_msg *make_tune(void *wanted)
{
    const struct sl_drainer_tune *tune = wanted;
    struct sl_drainer_tune       *msg = sl_msg_new(struct sl_drainer_tune, SL_DRAINER_RETUNE);

    msg->workers = tune->workers;
    msg->part_rows = tune->part_rows;
    return &msg->hdr;
}

/* ---- what changes ---- */

/* As many as were started, at most. */
static uint32_t workers_of(const struct sl_drainer_reload *r, const struct sl_drainer_config *fresh)
{
    int64_t started = r->config->worker_count;
    bool    could_be_more =
        started < SL_DRAINER_WORKERS_MAX && r->config->destination != SL_DRAINER_STDOUT;

    if (fresh->workers_asked <= started)
        return (uint32_t)fresh->workers_asked;
    if (could_be_more)
        sl_log(SL_LOG_WARN, "setting needs a restart",
               sl_field_str("setting", "syncer.worker-count"), sl_field_i64("in_effect", started),
               sl_field_i64("configured", fresh->workers_asked));
    return (uint32_t)started;
}

static enum sl_err tell_numbers(const struct sl_drainer_reload *r,
                                const struct sl_drainer_config *fresh, struct sl_runtime *rt)
{
    struct sl_drainer_tune tune = {0};

    if (!r->config->dispatch) /* transactions stay whole, with one worker */
        return SL_OK;
    tune.workers = workers_of(r, fresh);
    tune.part_rows = sl_drainer_config_part_rows(fresh);
    return sl_runtime_tell(rt, SL_LINE_RELOAD, make_tune, &tune);
}

static enum sl_err tell_filters(const struct sl_drainer_reload *r, struct sl_drainer_config *fresh,
                                struct sl_runtime *rt)
{
    const struct sl_drainer_config *before = r->has_last ? &r->last : r->config;

    if (!sl_reload_differs(&sl_drainer_config_table, &filters, before, fresh))
        return SL_OK;
    return sl_runtime_tell(rt, SL_LINE_RELOAD, make_filter, fresh);
}

/* ---- all of it ---- */

/* Everything that it says can be taken. */
static void take(struct sl_drainer_reload *r, struct sl_drainer_config *fresh,
                 const struct sl_conf_report *report, struct sl_runtime *rt)
{
    const struct sl_reload_side started = {r->config, r->report};
    const struct sl_reload_side now = {fresh, report};

    if (tell_filters(r, fresh, rt) != SL_OK || tell_numbers(r, fresh, rt) != SL_OK) {
        sl_log(SL_LOG_WARN, "an earlier reload is still under way, so this one is not done whole: "
                            "send SIGHUP again");
        sl_conf_free(&sl_drainer_config_table, fresh);
        return;
    }
    sl_reload_log(fresh->level);
    sl_log(SL_LOG_INFO, "configuration is reloaded", sl_field_str("file", report->path),
           sl_field_str("log_level", fresh->log_level));
    sl_reload_tell_fixed(&sl_drainer_config_table, &started, &now);
    sl_drainer_reload_done(r);
    r->last = *fresh;
    r->has_last = true;
}

void sl_drainer_reload(struct sl_drainer_reload *reload, struct sl_runtime *rt)
{
    static struct sl_conf_report report; /* some KiB; the main thread's */
    struct sl_drainer_config     fresh;
    struct sl_why                why = {0};
    enum sl_err err = sl_conf_load(&sl_drainer_config_table, reload->input, &fresh, &report, &why);

    if (err == SL_OK &&
        (err = sl_drainer_config_check(&fresh, &report, reload->around, &why)) != SL_OK)
        sl_conf_free(&sl_drainer_config_table, &fresh);
    if (err != SL_OK)
        sl_reload_refuse(err, &why);
    else
        take(reload, &fresh, &report, rt);
}

void sl_drainer_reload_done(struct sl_drainer_reload *reload)
{
    if (reload->has_last)
        sl_conf_free(&sl_drainer_config_table, &reload->last);
    reload->has_last = false;
}
