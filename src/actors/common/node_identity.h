#ifndef SL_ACTORS_COMMON_NODE_IDENTITY_H
#define SL_ACTORS_COMMON_NODE_IDENTITY_H

/* Who a node is: what its data directory says about itself, and the name in the registry that goes
 * with it (pump spec 4.4). The steps of a start, in this order, the last two under the lock:
 *
 *     sl_data_dir_lock      before anything else is opened or asked
 *     sl_data_dir_settle    when the cluster id is known
 *     sl_node_id_settle
 *
 *     data-dir/.lock        locked (flock) as long as the pump lives; never removed
 *     data-dir/.node        the node id as text
 *     data-dir/sluice.json  {"format":1,"clusterId":"N","shards":K}; K never changes
 *
 * The files are replaced as a whole and durable when a call returns; after a crash or an error the
 * calls may be made again. All block. */

#include "base/env.h"

/* Make the directory when it is missing, for its owner alone (mode 0700; one that is there keeps
 * its mode), lock it, and see that it is not the original's. *lock is the caller's: sl_file_close
 * ends it. SL_IN_USE: another pump has it. SL_UNSUPPORTED: it holds the original's data. */
enum sl_err sl_data_dir_lock(struct sl_fs *fs, const char *dir, struct sl_file **lock,
                             struct sl_why *why);

/* What a data directory is for. */
struct sl_data_dir {
    uint64_t cluster_id;
    uint32_t shards; /* 1..SL_INDEX_SHARDS_MAX */
};

/* Was the directory never settled? */
enum sl_err sl_data_dir_is_new(struct sl_fs *fs, const char *dir, bool *out, struct sl_why *why);

/* Settle what the directory is for: a new one becomes what `wanted` says, and one that has been
 * used before must be of the same cluster. shards_asked: the number of shards was configured, so
 * that another one in the directory is refused; else the directory's is taken. SL_CONFIG: it is for
 * something else. SL_CORRUPT, SL_UNSUPPORTED: sluice.json cannot be read. */
enum sl_err sl_data_dir_settle(struct sl_fs *fs, const char *dir, const struct sl_data_dir *wanted,
                               bool shards_asked, struct sl_data_dir *out, struct sl_why *why);

/* Where a node id can come from. */
struct sl_node_id_sources {
    const char *configured; /* "": not configured */
    const char *host_name;
    const char *addr;            /* host:port to listen on */
    bool        configured_wins; /* over one that is kept: data-dir does not belong to the id */
};

/* The node id into id[SL_NODE_ID_BYTES_MAX]: the one that the directory has kept, or the configured
 * one, or HOST_NAME:PORT. It is kept from then on, so that the pump stays itself when its
 * configuration or its host's name changes. A drainer's configured id comes first: what belongs to
 * its id is in the registry, and the original's follows its configuration. What an operator should
 * hear about it goes into note->text, else "". When what is kept cannot be read, a configured id is
 * used without being kept, and without one the error is that of reading. SL_CONFIG: the id is none
 * (see sl_node_id_check). */
enum sl_err sl_node_id_settle(struct sl_fs *fs, const char *dir,
                              const struct sl_node_id_sources *sources, char *id,
                              struct sl_why *note, struct sl_why *why);

#endif
