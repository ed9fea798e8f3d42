#ifndef SL_ACTORS_PUMP_LOOKUP_H
#define SL_ACTORS_PUMP_LOOKUP_H

/* One record by its timestamp, for people who look into a pump (pump spec 5, /debug/binlog): a
 * commit or fake by its commit ts, a prewrite by its start ts. */

#include "actors/pump/pump.h"
#include "base/buf.h"
#include "base/ts.h"

/* The record, a new buffer. The index is by commit ts alone, so the commit of a prewrite is looked
 * for among those that follow its start ts, SL_PUMP_LOOKUP_ENTRIES at most. SL_NOT_FOUND: no such
 * record; or a prewrite that was rolled back, of which the index knows nothing. SL_TOO_LARGE: it is
 * a large entity (storage/large.h), or its commit is too far away; and what index and log say.
 * Blocks; any thread. */
enum sl_err sl_pump_lookup(struct sl_pump *pump, sl_ts ts, struct sl_buf **out, struct sl_why *why);

#endif
