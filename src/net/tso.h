#ifndef SL_NET_TSO_H
#define SL_NET_TSO_H

/* Timestamps: the door to the cluster's oracle. Whoever asks gets timestamps that are greater than
 * all that anybody got before, in this process or another, across crashes and restarts. Local
 * implementation: a window in a directory (net/local.h).
 *
 * The calls block, so an actor of the disk or peer lane owns the object and answers the others;
 * each call is one question with one answer (see net/registry.h). Ask for many at once rather than
 * often.
 *
 * The drive. A replay plays a recorded stream into running pumps, and the pumps' own timestamps
 * must fit into it: a pump that has seen timestamp T takes a later commit at or below T for late.
 * So while a drive is on, the door hands out only timestamps t with floor < t < ceiling, where
 *
 *     ceiling = the least recorded commit ts whose prewrite has not been answered yet
 *     floor   = the greatest recorded commit ts below the ceiling
 *
 * and so none that equals a recorded commit ts, as no recorded one lies between the two. (Commits
 * at or below the floor may still be on their way: the pumps hold their watermark for them, because
 * their prewrites were answered.) The door's time stands still between two moves but for single
 * steps. At its end timestamps jump above the last recorded commit ts, and run on from there at the
 * speed of the clock. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/ts.h"

struct sl_tso;
struct sl_tso_drive;

/* What is known of drives. */
struct sl_tso_drive_info {
    bool     running;
    sl_ts    floor; /* these three only while running */
    sl_ts    ceiling;
    sl_ts    last_commit;
    uint64_t lost; /* drives whose driver died before their end; when it grows, say so */
};

/* What an implementation brings; the functions below say what each must do. */
struct sl_tso_ops {
    enum sl_err (*now)(struct sl_tso *tso, uint32_t count, sl_ts *first, struct sl_why *why);
    /* Both NULL where nobody can drive, as with PD. */
    enum sl_err (*drive)(struct sl_tso *tso, sl_ts first_commit, sl_ts last_commit,
                         struct sl_tso_drive **out, struct sl_why *why);
    enum sl_err (*drive_info)(struct sl_tso *tso, struct sl_tso_drive_info *out,
                              struct sl_why *why);
};

/* The same of a drive. */
struct sl_tso_drive_ops {
    enum sl_err (*move)(struct sl_tso_drive *drive, sl_ts floor, sl_ts ceiling, struct sl_why *why);
    enum sl_err (*end)(struct sl_tso_drive *drive, struct sl_why *why);
    void (*free)(struct sl_tso_drive *drive);
};

/* The door; the implementation's own state lies around it. */
struct sl_tso {
    const struct sl_tso_ops *ops;
};

/* A drive that is on; its driver owns it. */
struct sl_tso_drive {
    const struct sl_tso_drive_ops *ops;
};

/* `count` (1..SL_TSO_COUNT_MAX) fresh timestamps: *first and the count - 1 after it. SL_AGAIN: a
 * drive leaves no room for that many now. After an error nobody gets them: they are lost, not
 * doubled. */
enum sl_err sl_tso_now(struct sl_tso *tso, uint32_t count, sl_ts *first, struct sl_why *why);

/* Begin to drive a stream whose least and greatest commit ts are given: the ceiling is
 * first_commit, the floor the last timestamp handed out. The driver owns *out. SL_IN_USE: another
 * drives. SL_INVALID: the door has handed out first_commit or later already. SL_UNSUPPORTED: this
 * door cannot be driven. */
enum sl_err sl_tso_drive_begin(struct sl_tso *tso, sl_ts first_commit, sl_ts last_commit,
                               struct sl_tso_drive **out, struct sl_why *why);
/* Move both. The ceiling may not fall, and floor < ceiling <= last_commit + 1 (which says that
 * every prewrite is answered); otherwise SL_INVALID. A floor below the one in force leaves that.
 * Cheap: nothing is synced. SL_GONE: the drive is over, because its state was lost or damaged. */
enum sl_err sl_tso_drive_move(struct sl_tso_drive *drive, sl_ts floor, sl_ts ceiling,
                              struct sl_why *why);
/* End the drive, free it and null the pointer. After an error it counts as one whose driver died.
 */
enum sl_err sl_tso_drive_end(struct sl_tso_drive **drive, struct sl_why *why);
/* Let go without an end, as a driver does that dies: the next question at the door ends the drive
 * in the same way, and counts it as lost. Nulls the pointer; *drive may be NULL. */
void sl_tso_drive_free(struct sl_tso_drive **drive);

/* SL_UNSUPPORTED: this door cannot be driven. */
enum sl_err sl_tso_drive_info(struct sl_tso *tso, struct sl_tso_drive_info *out,
                              struct sl_why *why);

#endif
