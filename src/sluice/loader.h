#ifndef SL_SLUICE_LOADER_H
#define SL_SLUICE_LOADER_H

/* Generates load on pumps: callers, each of which is a TiDB session that commits one transaction
 * after the other. A commit ts is asked for when the prewrite is acknowledged, not before (pump
 * spec 2.7). One question for timestamps serves all callers that wait.
 *
 *          begin               acknowledged          stamped
 *     IDLE ----> PREWRITING -----------------> PREWRITTEN ----> FINISHING ----> IDLE
 *                     \------ given up: a rollback follows -------^
 *
 * What the transactions are, and the DDL jobs before and between them, a mix says (mix.h). A job is
 * played by one caller while all others are idle. Whoever steps it owns its time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "net/tso.h"
#include "sluice/histogram.h"
#include "sluice/mix.h"
#include "sluice/writer.h"

struct loader;

/* What to generate. */
struct loader_options {
    struct writer_options writer;  /* its `done` and context are the loader's */
    struct sl_tso        *tso;     /* NULL: timestamps from the wall clock; outlives the loader */
    uint32_t              callers; /* at most SL_LOAD_CALLERS_MAX and the calls of the writer */
    struct mix           *mix;     /* outlives the loader */
    uint64_t              rate;    /* transactions begun per second; 0: no limit */
    uint64_t              pairs;   /* to begin; 0: no limit */
    const char           *acked;   /* path, or NULL */
};

/* What came of it. */
struct loader_counts {
    uint64_t         begun; /* transactions, without the DDL jobs */
    uint64_t         acked; /* of these: prewrite and commit acknowledged */
    uint64_t         rolled_back;
    uint64_t         given_up;       /* records of any kind */
    uint64_t         jobs;           /* DDL jobs, acknowledged */
    sl_ts            last_commit_ts; /* the greatest that was sent; 0: none */
    struct histogram prewrites;      /* nanoseconds from the first attempt to the answer */
    struct histogram commits;
};

/* Opens the files; strings are borrowed for the life of the loader. Blocks. */
enum sl_err loader_new(const struct sl_env *env, const struct loader_options *options,
                       struct loader **out, struct sl_why *why);
/* Nulls the pointer; *loader may be NULL. */
void loader_free(struct loader **loader);

/* Begin nothing more; what is begun goes on. */
void loader_stop(struct loader *loader);
/* Go on, blocking until the moment `until` at most. SL_AGAIN: there is more to do. SL_OK: all that
 * was begun is over, and nothing more will be. Other errors end it: no timestamps, a DDL job or a
 * file that failed. */
enum sl_err loader_step(struct loader *loader, sl_nanos until, struct sl_why *why);

const struct loader_counts *loader_counts(const struct loader *loader);
struct writer_counts        loader_writes(const struct loader *loader);
/* Records under way. */
uint32_t loader_busy(const struct loader *loader);

#endif
