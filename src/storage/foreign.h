#ifndef SL_STORAGE_FOREIGN_H
#define SL_STORAGE_FOREIGN_H

/* Recognises a data directory of the original pump, whose records this program does not read: to
 * start there as if it were empty would hide what it holds. */

#include "base/env.h"

/* SL_OK: nothing of the original in `dir` (which need not exist). SL_UNSUPPORTED: its value log
 * (value/NNNNNN.vlog) or its index (kv/CURRENT) is there; the reason says what to do. Other errors:
 * it could not be looked at. */
enum sl_err sl_storage_refuse_foreign(struct sl_fs *fs, const char *dir, struct sl_why *why);

#endif
