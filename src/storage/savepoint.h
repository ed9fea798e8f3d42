#ifndef SL_STORAGE_SAVEPOINT_H
#define SL_STORAGE_SAVEPOINT_H

/* The savepoint of a drainer whose downstream cannot keep one: a small TOML file, as the original's
 * (drainer spec 3.12), so that either can go on where the other stopped:
 *
 *     consistent = false
 *     commitTS = 435000000000000000
 *     schema-version = 123
 *
 * Older files have the second line alone; lines that are no key and value, as binlogctl adds them,
 * are passed over. Blocking; the file is replaced as a whole and synced. */

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/ts.h"

/* What it says. */
struct sl_savepoint {
    sl_ts   commit_ts; /* 0: none */
    int64_t schema_version;
    bool    is_consistent;
};

/* Read <dir>/savepoint. A missing file is a savepoint of all zeros. SL_INVALID: a value is no
 * number, or there is no commitTS, as in a file that a crash has left empty: who took that for a
 * missing file would pass over what lies between. The reason names file and line. */
enum sl_err sl_savepoint_read(struct sl_fs *fs, const char *dir, struct sl_savepoint *out,
                              struct sl_why *why);
/* Write it durably. */
enum sl_err sl_savepoint_write(struct sl_fs *fs, const char *dir,
                               const struct sl_savepoint *savepoint, struct sl_why *why);

#endif
