#ifndef SL_CTL_SAVEPOINT_H
#define SL_CTL_SAVEPOINT_H

/* The file `savepoint` with which a drainer begins: one line of TOML, "commitTS = N". With a time
 * zone two lines follow, the moment in UTC and there, which are no TOML: so the original writes
 * them, and its drainer does not read them. */

#include "base/env.h"
#include "base/ts.h"

/* Make the directory if need be (mode 0700), and in it `savepoint` for others to read (0644), as a
 * whole and durably. zone "": no further lines. *zone_err: SL_OK, or SL_INVALID with a reason when
 * there is no such zone, and the file is written without. */
enum sl_err ctl_savepoint_write(const struct sl_env *env, const char *dir, sl_ts commit_ts,
                                const char *zone, enum sl_err *zone_err, struct sl_why *zone_why,
                                struct sl_why *why);

#endif
