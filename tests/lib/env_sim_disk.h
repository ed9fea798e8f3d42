#ifndef SL_TESTS_LIB_ENV_SIM_DISK_H
#define SL_TESTS_LIB_ENV_SIM_DISK_H

/* The disk under the simulated file system: nodes (files and directories), names, and for both what
 * is written and what is durable. env_sim_disk.c knows nothing of paths (env_sim_fs.c), handles or
 * faults (env_sim_file.c). Private to these.
 *
 * Invariants
 *   1. Of a file, bytes beyond its size are zero in both images, up to its capacity.
 *   2. A sector in which the images differ is dirty, or its write-back has failed.
 *   3. A name's durable node becomes its written one when the changes that wait are applied in
 * order.
 *   4. A node lives while a name, a waiting change or an open file refers to it. */

#include "lib/env_sim_parts.h"

enum { SIM_NAME_BYTES_MAX = 255 };

/* One entry of a directory. Both NULL and no change waiting: it goes. */
struct sim_name {
    struct sim_name *next;
    struct sim_node *written; /* owned in part (reference); NULL: absent */
    struct sim_node *durable; /* likewise */
    unsigned         waiting; /* changes of this name that no sync has made durable */
    bool             marked;  /* scratch of the passes over the waiting changes */
    char             text[SIM_NAME_BYTES_MAX + 1];
};

struct sim_node {
    enum sl_file_kind kind;
    unsigned          references;
    struct sim_name  *names; /* of a directory; owned, oldest first */
    uint8_t          *written;
    uint8_t          *durable;
    uint8_t          *dirty; /* per sector, 1: a sync would write it */
    uint64_t          capacity;
    uint64_t          size;
    uint64_t          durable_size;
    bool              size_dirty;
    struct sl_file   *locked_by; /* borrowed; NULL: nobody */
};

struct sim_node *sim_node_new(enum sl_file_kind kind);
struct sim_node *sim_node_get(struct sim_node *node);
/* Give a reference back; the last one frees. *node may be NULL; nulls it. */
void sim_node_put(struct sim_disk *disk, struct sim_node **node);

/* Write what the quota allows; the number of bytes written. */
size_t sim_node_write(struct sim_disk *disk, struct sim_node *file, uint64_t at, const void *bytes,
                      size_t count);
/* False when the quota does not allow it. */
bool sim_node_resize(struct sim_disk *disk, struct sim_node *file, uint64_t size);
void sim_node_sync(struct sim_node *file);
/* The write-back fails: of what was dirty some reaches the disk and the rest never will. */
void sim_node_fail_sync(struct sim_disk *disk, struct sim_node *file);

/* The entry with a written node of this name, or NULL. */
struct sim_name *sim_name_find(struct sim_node *dir, const char *text);
bool             sim_dir_is_empty(const struct sim_node *dir);
/* Let the name mean node from now on; NULL: remove it. Not durable until sim_names_sync. */
void sim_name_set(struct sim_disk *disk, struct sim_node *dir, const char *text,
                  struct sim_node *node);
/* Both at once: what `from` meant is meant by `to`, and `from` is gone. */
void sim_name_move(struct sim_disk *disk, struct sim_node *from_dir, const char *from,
                   struct sim_node *to_dir, const char *to);
/* Make the names of dir durable, and those changes elsewhere that come before or along with them.
 */
void sim_names_sync(struct sim_disk *disk, struct sim_node *dir);

/* What a power cut leaves becomes what is written. */
void sim_disk_cut(struct sim_disk *disk);
/* Free everything; nothing may be open. */
void sim_disk_clear(struct sim_disk *disk);

/* env_sim_file.c: open files, and the faults of every call. */

/* The gate at the start of every call: SL_OK, or it fails, as planned or by chance, for no fault of
 * the caller. */
enum sl_err sim_disk_pass(struct sl_env_sim *sim, uint32_t fail_ppm, const char *verb,
                          const char *path, struct sl_why *why);
/* A handle on the node, owned by the caller. */
struct sl_file *sim_file_new(struct sl_env_sim *sim, struct sim_node *node, unsigned flags,
                             const char *path);

#endif
