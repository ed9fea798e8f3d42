#ifndef SL_TESTS_SIM_DRAINER_WORLD_H
#define SL_TESTS_SIM_DRAINER_WORLD_H

/* The world around a drainer in one process: its real actors (all behind the front) run under the
 * seeded scheduler; doubles take the place of what leads outside.
 *
 *     script ─► source (double) ─► merger ─► planner ─► decoder[n] ─► dispatcher ─► worker[m]
 *        │          collector (double)          │                         │            │
 *        └────────► schema source in memory ◄─ historian            checkpointer ─► sink in memory
 *
 * Time goes on by commit timestamps: what is at or below `now` has happened. Calls of the sink fail
 * before or after their effect, and the drainer is killed at any of them, or between any two steps,
 * and started again from the sink's checkpoint.
 *
 * Checked, and written to `broken` at the first breach:
 *     D1  every row change takes effect; of tables without a key, once
 *     D2  at a DDL, at an orderly stop and at the end the rows are those of the upstream
 *     D3  the checkpoint never passes what is not applied, nor goes back
 *     D4  a DDL takes effect once, behind all before it, in front of all behind it
 *     D7  changes of rows with a key in common are applied in their order
 */

#include "actors/drainer/drainer.h"
#include "actors/drainer/sink.h"
#include "net/schema_source.h"
#include "sim/drainer_script.h"

enum { WORLD_BROKEN_BYTES = 1024 };

/* What happened in a run, to see that it was as rough as it was meant to be. */
struct world_counts {
    uint64_t lives;
    uint64_t resumed; /* in a life, when a kept transaction was interrupted */
    uint64_t changes; /* applied, again and again */
    uint64_t rows;    /* of the script */
    uint64_t failures;
    uint64_t ddls;
    uint64_t early;
    uint64_t copies;
    uint64_t joins;      /* of pumps that were not there at the start */
    uint64_t moves;      /* pumps that listen elsewhere */
    uint64_t orderly;    /* stops in the middle */
    uint64_t consistent; /* checkpoints at the end */
    uint64_t reloads;    /* filters and numbers that came while it ran */
};

struct world {
    struct script        script;
    struct sl_prng       dice;
    struct script_tables upstream; /* as of `at` */
    uint32_t             at;       /* events in it */
    sl_ts                now;
    struct world_counts  counts;
    char                 broken[WORLD_BROKEN_BYTES];

    /* the drainer */
    struct sl_drainer      *drainer; /* owned */
    struct sl_schema_source jobs;
    bool                    is_killed;
    bool                    wants_stop; /* this life ends in order */
    bool                    is_calm;    /* nothing goes wrong any more */

    /* the sink */
    struct sl_sink       sink;
    struct sl_checkpoint checkpoint;
    struct script_tables downstream;
    bool                 ddl_done[SCRIPT_EVENTS_MAX];
    uint8_t              applied[SCRIPT_EVENTS_MAX][SCRIPT_STEPS_MAX]; /* 1: it took effect */
    uint8_t              in_life[SCRIPT_EVENTS_MAX][SCRIPT_STEPS_MAX]; /* in this life */
    uint32_t             newest; /* event that was applied in this life */
    struct {
        sl_ts    ts;
        uint64_t ordinal;
    } lanes[SL_ROW_LANES];
};

extern struct world world;

/* Note a breach; the first one counts. */
void world_break(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Run one seed to its end. world.broken is empty when all held. */
void world_run(uint64_t seed);

/* Has the pump anything to say, as of now? Of one that left and may return: no. */
enum sl_node_state world_pump_state(uint32_t pump);
/* What the opener finds: a stretch of the stream begins at the sink's checkpoint. */
void world_open(struct sl_drainer *drainer);
/* Time goes on by some commits. */
void world_go_on(struct sl_prng *dice);
/* All has happened, and the checkpoint says so. */
bool world_is_done(void);

/* ---- drainer_sink.c ---- */

extern const struct sl_sink_ops world_sink_ops;
/* The stream begins anew: what counts since then starts anew. */
void world_sink_begin(void);
/* At the end of an orderly stop, or of all. */
void world_sink_check_rows(const char *when);

/* ---- drainer_doubles.c: classes in the place of the drainer's ---- */

extern const struct sl_schema_source_ops world_jobs_ops;

/* Built with the planted fault: finding it is what the program is for. */
extern const bool world_is_planted;

#endif
