#ifndef SL_ACTORS_DRAINER_SINK_STDOUT_H
#define SL_ACTORS_DRAINER_SINK_STDOUT_H

/* A sink that prints: one JSON line per row change or DDL, to standard output, for a first look and
 * for tests. Whole transactions in commit ts order. The checkpoint is a savepoint in the data
 * directory (storage/savepoint.h).
 *
 *     {"commit_ts":N,"type":"insert","schema":"s","table":"t","values":{"c":1,...}}
 *     {"commit_ts":N,"type":"update","schema":"s","table":"t","values":{...},"old":{...}}
 *     {"commit_ts":N,"type":"delete","schema":"s","table":"t","values":{...}}
 *     {"commit_ts":N,"type":"ddl","schema":"s","query":"..."} */

#include "actors/drainer/sink.h"
#include "base/env.h"

/* data_dir outlives it. Owned: sl_sink_free. */
enum sl_err sl_sink_stdout_open(const struct sl_env *env, const char *data_dir,
                                struct sl_sink **out, struct sl_why *why);

#endif
