#ifndef SL_NET_SCHEMA_SOURCE_H
#define SL_NET_SCHEMA_SOURCE_H

/* Where TiDB's DDL jobs are read (drainer spec 1.6, 1.7): `[syncer] schema-source`.
 *
 *     file:PATH           JSON lines, a job each, in any order, followed as the file grows; it may
 *                         be made later
 *     http://HOST:PORT    the status port of a TiDB: /ddl/history
 *     tikv                where TiDB keeps them
 *
 * A job is handed out as its JSON (binlog/job.h reads it), because this folder knows nothing of
 * tables. All calls block, so an actor of the disk or peer lane owns the object. */

#include <stdint.h>

#include "base/env.h"
#include "base/json.h"
#include "base/ts.h"

struct sl_schema_source;

/* Which jobs of the past are wanted: those above the first that one of the other two reaches.
 *
 * With `above`, a source that has answered before reads only the end of the history again: from
 * SL_HISTORY_MARGIN jobs before the first, by id, that is above. Jobs stand there by id, which is
 * when they were asked for, and a job that takes long ends after others that were asked for later;
 * one that more than so many have passed is found without `above` only. */
struct sl_history_bound {
    int64_t above;    /* SchemaVersion above this; 0: all */
    int64_t version;  /* SchemaVersion at most; 0: none by version */
    sl_ts   finished; /* FinishedTS at most; 0: none by time. That is the start ts of the binlog of
                       * the DDL, whose commit ts is a little later. */
};

/* Called with each job, which it takes over. Anything but SL_OK ends the round with that error. */
typedef enum sl_err (*sl_history_visit)(void *context, struct sl_json **job);

/* What an implementation brings; the functions below say what each must do. */
struct sl_schema_source_ops {
    enum sl_err (*job)(struct sl_schema_source *source, int64_t id, struct sl_json **out,
                       struct sl_why *why);
    enum sl_err (*each)(struct sl_schema_source *source, const struct sl_history_bound *bound,
                        sl_history_visit visit, void *context, struct sl_why *why);
    void (*free)(struct sl_schema_source *source);
};

/* Implementations embed it as their first member. */
struct sl_schema_source {
    const struct sl_schema_source_ops *ops;
    int64_t newest; /* SchemaVersion: the highest that the last round met, wanted or not; 0: none */
};

/* Open the source that the text names; env outlives it. SL_CONFIG: it names none. SL_DENIED, ... as
 * the file system fails; a file that is missing is looked for again by each call. A server is not
 * asked yet. */
enum sl_err sl_schema_source_open(const struct sl_env *env, const char *text,
                                  struct sl_schema_source **out, struct sl_why *why);
/* Open the source "tikv": TiDB's own store, found through the PD at these URLs; the default where
 * there is one. Errors as of sl_pd_open, whose transient ones are worth a retry. */
enum sl_err sl_schema_source_open_tikv(const struct sl_env *env, const char *pd_urls,
                                       struct sl_schema_source **out, struct sl_why *why);
/* Null the pointer. *source may be NULL. */
void sl_schema_source_free(struct sl_schema_source **source);

/* The job of that id, owned by the caller. SL_NOT_FOUND: it is not there yet: ask again in a
 * moment. SL_UNAVAILABLE, SL_RESET, SL_TIMEOUT: the server, or the file, is not there.
 * SL_INVALID, SL_TOO_LARGE: what is there is no job; the reason says where. */
enum sl_err sl_schema_source_job(struct sl_schema_source *source, int64_t id, struct sl_json **out,
                                 struct sl_why *why);

/* Visit the jobs within the bound in the order of their SchemaVersion, those without one left out.
 * What ends the round early is the error; jobs may have been visited by then. */
enum sl_err sl_schema_source_each(struct sl_schema_source       *source,
                                  const struct sl_history_bound *bound, sl_history_visit visit,
                                  void *context, struct sl_why *why);

#endif
