#include "actors/common/reload.h"

bool sl_reload_differs(const struct sl_conf_table *table, const struct sl_reload_keys *keys,
                       const void *a, const void *b)
{
    for (size_t i = 0; i < keys->count; i++) {
        size_t row = sl_conf_row_index(table, keys->keys[i]);

        if (!sl_conf_is_same(&table->rows[row], a, b))
            return true;
    }
    return false;
}

static void tell(const struct sl_conf_table *table, size_t row,
                 const struct sl_reload_side *started, const struct sl_reload_side *fresh)
{
    char origin[SL_WHY_BYTES_MAX];
    char was[SL_CONF_KEY_BYTES_MAX];
    char is[SL_CONF_KEY_BYTES_MAX];

    sl_conf_origin_text(table, fresh->report, row, origin, sizeof origin);
    sl_conf_value_text(&table->rows[row], started->config, was, sizeof was);
    sl_conf_value_text(&table->rows[row], fresh->config, is, sizeof is);
    sl_log(SL_LOG_WARN, "setting needs a restart",
           sl_field_str("setting", table->rows[row].key != NULL ? table->rows[row].key
                                                                : table->rows[row].flag),
           sl_field_str("from", origin), sl_field_str("in_effect", was),
           sl_field_str("configured", is));
}

void sl_reload_tell_fixed(const struct sl_conf_table *table, const struct sl_reload_side *started,
                          const struct sl_reload_side *fresh)
{
    for (size_t row = 0; row < table->row_count; row++) {
        bool is_derived = started->report->origin[row].source == SL_CONF_FROM_DEFAULT &&
                          fresh->report->origin[row].source == SL_CONF_FROM_DEFAULT;

        if (is_derived || (table->rows[row].flags & SL_CONF_LIVE) != 0 ||
            sl_conf_is_same(&table->rows[row], started->config, fresh->config))
            continue;
        tell(table, row, started, fresh);
    }
}

void sl_reload_refuse(enum sl_err err, const struct sl_why *why)
{
    sl_log(SL_LOG_ERROR, "configuration is not reloaded, nothing has changed",
           sl_field_err(err, why));
}

void sl_reload_log(enum sl_log_level level)
{
    struct sl_why why = {0};
    enum sl_err   err = sl_log_reopen(&why);

    if (err != SL_OK)
        sl_log(SL_LOG_WARN, "log file is not opened again, the old one goes on",
               sl_field_err(err, &why));
    sl_log_set_level(level);
}
