#ifndef SL_ACTORS_PUMP_STORES_H
#define SL_ACTORS_PUMP_STORES_H

/* What a pump keeps: the index, and of each shard the log, the files of large entities and the
 * sorter's state. Opening brings them together: each log is read from where the index ends, and
 * what is found goes into the index; an index that is damaged or gone is made anew. */

#include "base/err.h"

struct sl_pump;

/* Open all of it, as pump->options and pump->cluster_id say, and set the board. Blocks for as long
 * as reading takes. After an error, as after success: sl_pump_stores_close. SL_CORRUPT: a log lacks
 * what it promised to keep; the reason names file, byte and the choices. */
enum sl_err sl_pump_stores_open(struct sl_pump *pump, struct sl_why *why);

/* Close what is open, with a last checkpoint of the index. */
void sl_pump_stores_close(struct sl_pump *pump);

#endif
