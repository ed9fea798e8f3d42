#ifndef SL_ACTORS_DRAINER_RELOAD_H
#define SL_ACTORS_DRAINER_RELOAD_H

/* SIGHUP of a drainer: its flags, environment and file are read again, and what can change while it
 * runs takes effect:
 *
 *     log level                at once; a log file is opened again under its name
 *     filters                  by message to the planner, which says from which commit ts on
 *     txn-batch, worker-count  by message to the dispatcher
 *
 * Of all else that differs a warning is logged, "needs a restart". A configuration that the program
 * would not start with changes nothing. */

#include "actors/drainer/config.h"

struct sl_runtime;

/* What a reload stands on. The main thread's; what it points to is borrowed for its life. */
struct sl_drainer_reload {
    const struct sl_conf_input           *input;
    const struct sl_drainer_surroundings *around;
    const struct sl_drainer_config       *config; /* that it was started with */
    const struct sl_conf_report          *report; /* likewise */
    /* Owned: what was reloaded last; all zeros: nothing was. */
    struct sl_drainer_config last;
    bool                     has_last;
};

/* Do it. Reads a file: blocks. */
void sl_drainer_reload(struct sl_drainer_reload *reload, struct sl_runtime *rt);
/* Free what it owns. */
void sl_drainer_reload_done(struct sl_drainer_reload *reload);

#endif
