#ifndef SL_ACTORS_DRAINER_STATUS_H
#define SL_ACTORS_DRAINER_STATUS_H

/* What the drainer answers over HTTP about itself (drainer spec 4): the original's members first,
 * as its scripts know them, then an object "sluice" of our own. A body is a new buffer with one
 * reference, the caller's. */

#include "actors/drainer/board.h"
#include "base/buf.h"

/* What the board does not know. */
struct sl_drainer_status {
    sl_nanos    now;             /* monotonic */
    sl_nanos    started_at;      /* likewise */
    uint64_t    synced_check_ms; /* see "Synced" */
    double      rows_per_second; /* below 0: not known yet */
    const char *node_id;
};

/* GET /status:
 *
 *     {"PumpPos":{"ID":TS,...},"Synced":false,"LastTS":TS,"TsMap":"","sluice":{...}}
 *
 * PumpPos is null before the first pass. Synced: nothing was applied for longer than it is allowed
 * to take. Of "sluice": `state` is the health of the worst part and `since` the wall clock in
 * milliseconds since when, `waiting_on` that part, `code` and `reason` why; `lag_seconds` and its
 * two summands are null as long as they are not known. */
struct sl_buf *sl_drainer_status_body(struct sl_drainer_board        *board,
                                      const struct sl_drainer_status *status);

/* GET /commit_ts. */
struct sl_buf *sl_drainer_commit_ts_body(const struct sl_drainer_board *board);

/* Why the drainer is not ready, as a line; NULL: it is ready. It is when it is registered, knows
 * the pumps, and nobody has to do anything. The caller's. */
struct sl_buf *sl_drainer_not_ready_body(struct sl_drainer_board *board);

#endif
