#include "actors/pump/reload.h"

#include "actors/common/reload.h"

static void take(const struct sl_pump_reload *r, const struct sl_pump_config *fresh,
                 const struct sl_conf_report *report)
{
    const struct sl_reload_side started = {r->config, r->report};
    const struct sl_reload_side now = {fresh, report};

    sl_reload_log(fresh->level);
    sl_log(SL_LOG_INFO, "configuration is reloaded", sl_field_str("file", report->path),
           sl_field_str("log_level", fresh->log_level));
    sl_reload_tell_fixed(&sl_pump_config_table, &started, &now);
}

void sl_pump_reload(const struct sl_pump_reload *reload)
{
    static struct sl_conf_report report; /* some KiB; the main thread's */
    struct sl_pump_config        fresh;
    struct sl_why                why = {0};
    enum sl_err err = sl_conf_load(&sl_pump_config_table, reload->input, &fresh, &report, &why);

    if (err == SL_OK &&
        (err = sl_pump_config_check(&fresh, &report, reload->own_ipv4, &why)) == SL_OK)
        take(reload, &fresh, &report);
    else
        sl_reload_refuse(err, &why);
    sl_conf_free(&sl_pump_config_table, &fresh);
}
