#ifndef SL_SLUICE_PLAYER_H
#define SL_SLUICE_PLAYER_H

/* Plays a recording into pumps the way a TiDB would: a commit or rollback is sent when all
 * prewrites recorded before it are answered (gate.h), to the pump that took its prewrite. Prewrites
 * do not wait for commits: they run ahead by at most SL_REPLAY_AHEAD_MAX records. Whoever steps it
 * owns its time. */

#include <stdint.h>

#include "net/tso.h"
#include "sluice/corpus.h"
#include "sluice/writer.h"

struct player;

/* How to play. */
struct player_options {
    struct writer_options writer; /* its `done` and context are the player's */
    double                speed;  /* times the recorded pace; 0: as fast as the pumps answer */
    struct sl_tso        *tso;    /* to be driven, or NULL; outlives the player */
};

/* What has been acknowledged, and what was given up. */
struct player_counts {
    uint32_t prewrites;
    uint32_t commits;
    uint32_t rollbacks;
    uint32_t given_up;
};

/* Corpus and env outlive the player. Begins to drive the timestamps, so it fails as
 * sl_tso_drive_begin does; or as writer_new. Blocks. */
enum sl_err player_new(const struct sl_env *env, const struct corpus *corpus,
                       const struct player_options *options, struct player **out,
                       struct sl_why *why);
/* Lets go of the timestamps if they are still driven: that counts as a drive lost. Nulls the
 * pointer; *player may be NULL. */
void player_free(struct player **player);

/* Go on, blocking until the moment `until` at most. SL_AGAIN: there is more to do. SL_OK: every
 * record is acknowledged, or it is a commit or rollback that was given up; the drive has ended.
 * Other errors end the replay: a prewrite was given up, behind which nothing may be sent any more,
 * or the timestamps cannot be driven. */
enum sl_err player_step(struct player *player, sl_nanos until, struct sl_why *why);

struct player_counts player_counts(const struct player *player);
struct writer_counts player_writes(const struct player *player);

/* The pump, of `count`, that takes the records of this transaction. */
uint32_t player_pump_of(sl_ts start_ts, uint32_t count);

#endif
