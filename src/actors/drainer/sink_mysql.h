#ifndef SL_ACTORS_DRAINER_SINK_MYSQL_H
#define SL_ACTORS_DRAINER_SINK_MYSQL_H

/* The sink for MySQL, MariaDB and TiDB.
 *
 * Exactly once in effect. Rows of tables with a key are written by REPLACE and DELETE with that
 * key, which may be done again from any checkpoint on: what is done again ends as it was. Rows of
 * other tables go through lanes, whose progress is part of the same transaction of the downstream
 * as the rows. A DDL has an intent, written before it, that tells after a crash whether it took
 * effect.
 *
 * Fencing. The table sluice_progress, in the schema of the checkpoint but always on the downstream
 * itself, has a row per worker and lane with the epoch of the run that owns it. Every transaction
 * begins by locking the row of its worker and looking at the epoch. A new run raises the epochs
 * first, which waits for whatever the server still does for a drainer that is dead; afterwards
 * nothing of that one can be committed any more.
 *
 *     sluice_progress (cluster_id, name) -> epoch, ts, ordinal, detail
 *         run            the present epoch; detail: the last two checkpoints that we wrote; ts: 1
 *                        when transactions are kept, so that all changes take lane 0
 *         worker-N       fences the worker
 *         lane-N         ts, ordinal: the last change of the lane that is applied
 *         ddl            detail: the intent (sink_mysql_ddl.c); ts: the id of its job; 0: none
 *         early          detail: ids of jobs that were run before their binlogs came
 *
 * The checkpoint is that of the original, in its table (drainer spec 3.12): either can take over
 * from the other. */

#include "actors/drainer/sink.h"
#include "net/mysql.h"

struct sl_drainer_config;

/* Connect, make the tables, raise the epochs. config outlives it. Blocks, also for as long as the
 * server finishes what it does for a dead drainer. SL_IN_USE: a drainer that lives has the
 * checkpoint. Owned: sl_sink_free. */
enum sl_err sl_sink_mysql_open(const struct sl_drainer_config *config, uint64_t cluster_id,
                               uint32_t workers, struct sl_sink **out, struct sl_why *why);

/* Which server it is. */
enum sl_mysql_kind sl_sink_mysql_kind(const struct sl_sink *sink);
/* The time zone in which its sessions read TIMESTAMPs; valid as long as the sink. */
const char *sl_sink_mysql_zone(const struct sl_sink *sink);

#endif
