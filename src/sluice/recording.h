#ifndef SL_SLUICE_RECORDING_H
#define SL_SLUICE_RECORDING_H

/* Where the recording of a demonstration is: a folder with writes.bin, ddl-history.jsonl, meta.json
 * and expected/, as those of tests/corpus. */

#include "base/env.h"
#include "base/err.h"
#include "sluice/corpus.h"

/* Find it by its path, or, when `name` has no '/', as tests/corpus/NAME in one of the folders above
 * this program, or as share/sluice/corpus/NAME there. Into out[SL_PATH_BYTES_MAX]. SL_NOT_FOUND.
 * Blocks. */
enum sl_err recording_find(struct sl_fs *fs, const char *name, char *out, struct sl_why *why);

/* Put its DDL jobs, which must not be there yet, where a cluster has them. Blocks. */
enum sl_err recording_copy_history(struct sl_fs *fs, const char *recording, const char *to,
                                   struct sl_why *why);

/* A timestamp with which to begin a cluster that the recording is played into: a day before its
 * first commit. 0: it has none. */
sl_ts recording_first_tso(const struct corpus *corpus);
/* The last commit ts; 0: it has none. */
sl_ts recording_last_commit(const struct corpus *corpus);

#endif
