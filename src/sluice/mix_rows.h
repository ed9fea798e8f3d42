#ifndef SL_SLUICE_MIX_ROWS_H
#define SL_SLUICE_MIX_ROWS_H

/* The mix for measuring: each transaction inserts rows of a given size into the table
 * sluice_load.t (pair.h), which two DDL jobs make first, unless the history has them already. */

#include <stddef.h>

#include "base/env.h"
#include "sluice/mix.h"

/* size and rows: of a prewrite, as pair.h bounds them. ddl_history: path, or NULL; the string is
 * borrowed for the life of the mix. SL_INVALID: a line of the file is no job. Blocks. *out:
 * mix_free. */
enum sl_err mix_rows_new(const struct sl_env *env, uint64_t cluster_id, size_t size, uint32_t rows,
                         const char *ddl_history, struct mix **out, struct sl_why *why);

#endif
