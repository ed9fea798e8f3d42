#ifndef SL_NET_LOCAL_H
#define SL_NET_LOCAL_H

/* A cluster on one machine: `pd-urls = "local:DIR"`. The directory is registry (net/registry.h) and
 * timestamp door (net/tso.h) of all processes that open it; they take turns by a lock file, need no
 * server, and may be killed at any moment, power included.
 *
 *     DIR/cluster.json     {"format":1,"clusterId":"N"}; written last, once: the directory is whole
 *     DIR/pumps/ID.json    one record each; ID is the node id, with %XX for whatever is not a
 *     DIR/drainers/ID.json letter, digit, '_', '-', ':' or an inner '.'
 *     DIR/lock             locked for the length of each operation
 *     DIR/version          8 bytes, little endian: counts changes of records; a hint, never synced
 *     DIR/tso, tso.now     the timestamps: local_tso.h
 *     DIR/drive            locked by the driver of a replay for as long as it drives
 *     *.new                being written; of no meaning
 *
 * Timestamps follow the wall clock (shifted, when they were made to begin elsewhere) and never
 * fall, whatever the clock does. Records and cluster.json are replaced atomically and are durable
 * when the call returns. What is damaged is refused with its path and what to do.
 *
 * An object is used by one thread at a time; open another for another actor. The file system must
 * be local to the machine. */

#include <stdint.h>

#include "base/env.h"
#include "net/registry.h"
#include "net/tso.h"

struct sl_local;

/* The DIR of "local:DIR"; NULL when url is another or DIR is empty. Points into url. */
const char *sl_local_dir_of_url(const char *url);

/* Make the directory, or see to it that it is there: for the same cluster id, what is missing is
 * made and the rest left as it is, timestamps included. SL_EXISTS: it belongs to another cluster.
 * first_tso is the first timestamp handed out, from which time then runs on; 0: they follow the
 * wall clock. For a replay take one well before its first commit ts, say a day. SL_INVALID:
 * first_tso is out of range, or was not given although the timestamps of an existing directory are
 * missing. Blocks. */
enum sl_err sl_local_init(const struct sl_env *env, const char *dir, uint64_t cluster_id,
                          sl_ts first_tso, struct sl_why *why);

/* Open a directory that sl_local_init made. *out is owned by the caller; env must outlive it.
 * SL_NOT_FOUND: none, or not finished. Blocks. */
enum sl_err sl_local_open(const struct sl_env *env, const char *dir, struct sl_local **out,
                          struct sl_why *why);
/* Frees no drive that is still on; do that first. Nulls the pointer; *local may be NULL. */
void sl_local_free(struct sl_local **local);

/* Its two doors; valid as long as local. */
struct sl_registry *sl_local_registry(struct sl_local *local);
struct sl_tso      *sl_local_tso(struct sl_local *local);

#endif
