#ifndef SL_ACTORS_PUMP_RELOAD_H
#define SL_ACTORS_PUMP_RELOAD_H

/* SIGHUP of a pump: its flags, environment and file are read again. The log level takes effect at
 * once, and a log file is opened again under its name; of all else that differs a warning is
 * logged, "needs a restart". A configuration that the program would not start with changes nothing.
 */

#include "actors/pump/config.h"

/* What a reload stands on. Borrowed for its life. */
struct sl_pump_reload {
    const struct sl_conf_input  *input;
    const char                  *own_ipv4; /* as for sl_pump_config_check */
    const struct sl_pump_config *config;   /* that it was started with */
    const struct sl_conf_report *report;   /* likewise */
};

/* Do it, on the main thread. Reads a file: blocks. */
void sl_pump_reload(const struct sl_pump_reload *reload);

#endif
