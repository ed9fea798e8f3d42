#ifndef SL_NET_LOCAL_TSO_H
#define SL_NET_LOCAL_TSO_H

/* The state behind the timestamps of a local directory. Private to the files local_*.c.
 *
 * Two files hold the same 88 bytes, little endian:
 *
 *     0  8 bytes "SLTSO" 0 0 1 (the last is the format)
 *     8 16 bytes boot id (tso.now); zeros (tso)
 *    24  i64 last         the greatest timestamp handed out
 *    32  i64 end          all timestamps handed out are below
 *    40  i64 shift_ms     what is added to the wall clock
 *    48  i64 floor        of the drive that is on; the next three likewise, else zero
 *    56  i64 ceiling
 *    64  i64 last_commit
 *    72  u64 lost         drives whose driver died
 *    80  u32 driven       1: a drive is on
 *    84  u32 CRC-32C of the bytes before
 *
 * `tso` is durable and replaced as a whole, about once in SL_TSO_WINDOW_MS while timestamps are
 * asked for; of its `last` nothing is known. `tso.now` is written in place before each answer and
 * never synced: it counts only within one boot of the machine. Both change under the directory's
 * lock.
 *
 * Invariants
 *   1. What is handed out is below an `end` that was durable before.
 *   2. tso.now, when its CRC and boot id are right, has seen all that was handed out, and its `end`
 *      is durable. When they are not, the end of `tso` takes its place: the next timestamp is at or
 *      above it.
 *   3. While a drive is on, end > last_commit in both files. So whatever ends the boot also ends
 * the drive, with the jump that its orderly end makes. */

#include "net/local_dir.h"

struct tso_state {
    sl_ts    last;
    sl_ts    end; /* 0: not known to be durable */
    int64_t  shift_ms;
    sl_ts    floor;
    sl_ts    ceiling;
    sl_ts    last_commit;
    uint64_t lost;
    bool     driven;
};

/* SL_INVALID: the first timestamp of a new directory is negative or too far in the future. */
enum sl_err tso_check_first(sl_ts first, struct sl_why *why);
/* Make `tso` when there is none. `old`: the directory had timestamps before, so that a new
 * beginning needs `first`. Under the lock. */
enum sl_err tso_make(const struct sl_local *local, sl_ts first, bool old, struct sl_why *why);

/* Read the state, under the lock. A drive whose driver has died is ended on the way. */
enum sl_err tso_load(struct sl_local *local, struct tso_state *out, struct sl_why *why);
/* Write tso.now; or make `end` durable in `tso` first. Under the lock. */
enum sl_err tso_store(struct sl_local *local, const struct tso_state *state, struct sl_why *why);
enum sl_err tso_store_durably(struct sl_local *local, const struct tso_state *state,
                              struct sl_why *why);
/* End the drive that is on: above its last commit ts, at the clock's speed from there; store it. */
enum sl_err tso_finish_drive(struct sl_local *local, struct tso_state *state, bool lost,
                             struct sl_why *why);

/* local_drive.c. Take the driver's lock; *out is closed to give it back. SL_IN_USE: a driver lives.
 */
enum sl_err drive_lock(struct sl_local *local, struct sl_file **out, struct sl_why *why);
enum sl_err drive_begin(struct sl_tso *tso, sl_ts first_commit, sl_ts last_commit,
                        struct sl_tso_drive **out, struct sl_why *why);
enum sl_err drive_info(struct sl_tso *tso, struct sl_tso_drive_info *out, struct sl_why *why);

struct sl_local *local_of_tso(struct sl_tso *tso);

#endif
