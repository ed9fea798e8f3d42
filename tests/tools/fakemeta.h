#ifndef SL_TESTS_TOOLS_FAKEMETA_H
#define SL_TESTS_TOOLS_FAKEMETA_H

/* TiDB's meta data as TiKV keeps it, as far as the history of DDL jobs goes: of each line of a
 * recording's ddl-history.jsonl (one job as JSON) a key
 *
 *     'm' | encoded "DDLJobHistory" | 'h' as 8 bytes, high one first | encoded job id, likewise
 *
 * whose value is the line, and which is there from the moment on at which the job's last binlog was
 * committed; without one, when the job says that it was finished or, cancelled, begun. */

#include "base/env.h"
#include "base/err.h"
#include "sluice/corpus.h"
#include "tikv.pb-c.h"

extern const char fakemeta_get_path[];
extern const char fakemeta_scan_path[];

struct fakemeta;

/* Read what lies in the folder `path` of this recording; no such file, or no folder: no jobs. */
enum sl_err fakemeta_open(const struct sl_env *env, const char *path, const struct corpus *corpus,
                          struct fakemeta **out, struct sl_why *why);

/* So many reads meet a lock. */
void fakemeta_lock(struct fakemeta *meta, uint64_t count);

/* The answer to a request of one of the two methods; with a region error, nothing else. */
struct sl_buf *fakemeta_answer(struct fakemeta *meta, const char *path,
                               const struct sl_buf *request, Sluice__Tikv__RegionError *error);

#endif
