#ifndef SL_ACTORS_COMMON_RELOAD_H
#define SL_ACTORS_COMMON_RELOAD_H

/* Reading the configuration again while a program runs, on SIGHUP: what pump and drainer do alike.
 * A configuration that was read anew is compared, after its check, with an earlier one. */

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/log.h"

/* A configuration with the report of its loading. Borrowed. */
struct sl_reload_side {
    const void                  *config;
    const struct sl_conf_report *report;
};

/* Keys of a table. */
struct sl_reload_keys {
    const char *const *keys;
    size_t             count;
};

/* Has one of these settings another value in b than in a? */
bool sl_reload_differs(const struct sl_conf_table *table, const struct sl_reload_keys *keys,
                       const void *a, const void *b);

/* Log a warning for each setting that differs from what the program was started with, but for those
 * that are SL_CONF_LIVE. What only follows from others is not told. */
void sl_reload_tell_fixed(const struct sl_conf_table *table, const struct sl_reload_side *started,
                          const struct sl_reload_side *fresh);

/* Log that it was refused, and that all goes on as it was. */
void sl_reload_refuse(enum sl_err err, const struct sl_why *why);

/* The log goes on at that level, in a file that is opened anew under its name. */
void sl_reload_log(enum sl_log_level level);

#endif
