#ifndef SL_ACTORS_PUMP_PULL_ENTITY_H
#define SL_ACTORS_PUMP_PULL_ENTITY_H

/* Entities: what a drainer is sent for a record, as one PullBinlogResp each, encoded at once into
 * the buffer that goes out (pump spec 1.2 and 1.5; the order and presence of fields are those of
 * the original, byte for byte):
 *
 *     0a len  entity
 *       0a 00   pos, always empty
 *       12 len  payload: the record
 *       22 len  meta: 08 start_ts, 10 commit_ts; a zero is left out
 *
 * Every buffer has one reference, the caller's. */

#include "base/buf.h"
#include "base/ts.h"
#include "binlog/record.h"

/* A commit, joined with its prewrite (sl_record_join). */
struct sl_buf *pull_entity_joined(const struct sl_record *prewrite, const struct sl_record *commit);

/* The same in parts, for a prewrite whose value lies elsewhere (its length counts, its bytes must
 * not be NULL): *head, the value, *tail. *total is their sum. */
void pull_entity_around(const struct sl_record *prewrite, const struct sl_record *commit,
                        struct sl_buf **head, struct sl_buf **tail, uint64_t *total);

/* A record as it is stored; not empty. */
struct sl_buf *pull_entity_stored(sl_ts start_ts, sl_ts commit_ts, struct sl_slice record);

/* A fake of this timestamp (above 0). */
struct sl_buf *pull_entity_fake(sl_ts ts);

#endif
