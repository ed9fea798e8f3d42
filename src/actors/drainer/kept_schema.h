#ifndef SL_ACTORS_DRAINER_KEPT_SCHEMA_H
#define SL_ACTORS_DRAINER_KEPT_SCHEMA_H

/* The schema as of a start, kept in the data directory: the next start reads only the jobs that
 * came since. It is a copy of what the history says: without it, or with one that does not serve,
 * the history is read from its beginning. The opener's. */

#include "base/env.h"
#include "base/err.h"
#include "binlog/schema.h"

/* What it is the schema of. Borrowed. */
struct sl_kept_schema {
    struct sl_fs *fs;
    const char   *data_dir;
    uint64_t      cluster_id;
    const char   *source; /* of the jobs: [syncer] schema-source */
};

/* Load what is kept, if it has no job above that schema version; owned by the caller. Blocks.
 * SL_NOT_FOUND: nothing is kept, or it is of something else or too new. SL_INVALID: it is damaged.
 * Other errors as the file system fails. */
enum sl_err sl_kept_schema_load(const struct sl_kept_schema *kept, int64_t version,
                                struct sl_schema **out, struct sl_why *why);

/* Keep this instead, durably. Blocks for two syncs. */
enum sl_err sl_kept_schema_save(const struct sl_kept_schema *kept, const struct sl_schema *schema,
                                struct sl_why *why);

#endif
