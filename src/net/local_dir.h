#ifndef SL_NET_LOCAL_DIR_H
#define SL_NET_LOCAL_DIR_H

/* What the files local_*.c share: the object and its lock. Private to them. */

#include <stdbool.h>

#include "net/local.h"

/* The object behind both doors. */
struct sl_local {
    const struct sl_env *env; /* borrowed */
    uint64_t             cluster_id;
    struct sl_registry   registry;
    struct sl_tso        tso;
    char                 dir[SL_PATH_BYTES_MAX];
};

/* Where an operation stands: put at the start of each one that must exclude the others, and taken
 * away by sl_file_close. SL_TIMEOUT: another process keeps the lock. */
enum sl_err local_lock(struct sl_local *local, struct sl_file **out, struct sl_why *why);

/* The operations behind the doors. */
extern const struct sl_registry_ops local_registry_ops;
extern const struct sl_tso_ops      local_tso_ops;

#endif
