#ifndef SL_NET_LOCAL_DIR_H
#define SL_NET_LOCAL_DIR_H

/* What the files local_*.c share: the object, its lock, and files that are read as a whole. Private
 * to them. */

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

/* Read the whole file, which has at most `room` bytes; SL_TOO_LARGE. */
enum sl_err local_read(struct sl_fs *fs, const char *path, void *bytes, size_t room, size_t *count,
                       struct sl_why *why);
/* The operations behind the doors. */
extern const struct sl_registry_ops local_registry_ops;
extern const struct sl_tso_ops      local_tso_ops;

#endif
