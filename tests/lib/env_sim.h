#ifndef SL_TESTS_LIB_ENV_SIM_H
#define SL_TESTS_LIB_ENV_SIM_H

/* A deterministic environment: clock, random, disk and network in memory, every choice drawn from
 * one seed. The same seed and the same calls in the same order give the same results, byte for
 * byte, on every machine. For one thread; nothing blocks; no real time passes.
 *
 * Modelled
 *   clock    Stands still until sl_env_sim_advance. The wall clock is a fixed epoch plus the
 * virtual time plus a skew that may be set. disk     Two images: what was written and what is
 * durable. A sync makes contents and size durable; a sync of the directory makes its names durable
 * (created, renamed, removed). A power cut keeps of the rest what the seed says: any set of the
 * unsynced 512-byte sectors, an unsynced size old, new or between, each unsynced name old or new. A
 *            rename is kept or lost as one, and one name's changes are kept in their order, as a
 *            journal does. A failed sync loses some of the dirty sectors for good: they count as
 *            clean, and reading shows them or what the disk has. Quota (ENOSPC with a part
 *            written), errors by chance, the n-th call failing, syncs that do nothing.
 *   network  Streams between addresses that are mere text. Each chunk has its delay; order is kept;
 *            buffers are bounded; reads and writes may be short; connections are refused where
 *            nobody listens, and reset by chance or on demand. Half-close works. Closing with
 *            unread bytes, or being sent bytes after closing, resets the peer, as TCP does.
 *   threads  One processor. Starting, joining or parking panics: no seed could replay it.
 *
 * Not modelled
 *   Bit rot, misdirected writes, slow disks, permissions, links; a failed rename, remove or create
 *   that took effect all the same; partitions, half-open connections, loss of what the peer has
 *   received but not read after an orderly close; name resolution; unix socket files on the disk.
 */

#include "base/env.h"

enum { SL_ENV_SIM_SECTOR_BYTES = 512, SL_ENV_SIM_ALWAYS_PPM = 1000000 };

struct sl_env_sim;

/* Of the disk. Chances are per call, in parts per million. Initially no fault and 1 GiB. */
struct sl_env_sim_disk {
    uint64_t quota_bytes;    /* sum of all file sizes; beyond it SL_NOSPACE */
    uint32_t read_fail_ppm;  /* SL_IO */
    uint32_t write_fail_ppm; /* SL_IO; any prefix was written */
    uint32_t
         sync_fail_ppm; /* SL_IO; files: dirty sectors are lost; directories: names stay unsynced */
    bool lose_syncs;    /* every sync says SL_OK and does nothing: a lying disk, for canaries */
};

/* Of the network. Initially delays of 50 us to 1 ms, 64 KiB buffers, short reads and writes one in
 * ten, no resets. */
struct sl_env_sim_net {
    sl_nanos delay_min; /* of a chunk, one way; drawn between the two, both included */
    sl_nanos delay_max;
    uint32_t buffer_bytes; /* of one direction: on the way or unread; at least 1 */
    uint32_t short_ppm;    /* chance that a read or write moves less than it could; 1 at least */
    uint32_t reset_ppm;    /* chance that a write breaks the connection instead */
};

/* The object owns everything below it. Free it last: it panics when a file or a socket is still
 * open, so that every simulated test checks for leaks. Nulls the pointer; *sim may be NULL. */
struct sl_env_sim *sl_env_sim_new(uint64_t seed);
void               sl_env_sim_free(struct sl_env_sim **sim);

/* The environment to hand to the code under test; valid as long as sim. */
const struct sl_env *sl_env_sim_env(struct sl_env_sim *sim);

/* ---- clock ---- */

void sl_env_sim_advance(struct sl_env_sim *sim, sl_nanos nanos);
/* When the network next changes by itself, as a value of now(), always later than now; UINT64_MAX:
 * never, without a call. */
sl_nanos sl_env_sim_next_event(const struct sl_env_sim *sim);
/* Shift the wall clock; decisions must not change. */
void sl_env_sim_set_skew(struct sl_env_sim *sim, int64_t nanos);

/* ---- disk ---- */

/* The settings in force; change them at any time. */
struct sl_env_sim_disk *sl_env_sim_disk(struct sl_env_sim *sim);

/* Fail the nth call to the file system from here (1: the next one) and those after it, `times` in
 * all, with err; nth 0: fail none. Every call of sl_fs_ops and sl_file_ops counts except close. A
 * failed write has written any prefix, a failed sync lost dirty sectors; anything else did nothing.
 */
void sl_env_sim_fail_nth(struct sl_env_sim *sim, uint64_t nth, uint64_t times, enum sl_err err);
/* How many calls failed through the last sl_env_sim_fail_nth: 0 tells a sweep that it is through.
 */
uint64_t sl_env_sim_failed(const struct sl_env_sim *sim);

/* Cut the power of the disk and give it back: what is not durable is lost, at least partly. Open
 * files are of no use any more (SL_IO) but must still be closed; locks are gone. Sockets and clock
 * are untouched. */
void sl_env_sim_power_cut(struct sl_env_sim *sim);

/* ---- network ---- */

/* The settings in force; change them at any time. buffer_bytes applies to new connections. */
struct sl_env_sim_net *sl_env_sim_net(struct sl_env_sim *sim);

/* Break the connection now, at both ends: whatever is on the way or unread is lost. */
void sl_env_sim_reset(struct sl_env_sim *sim, struct sl_socket *s);

#endif
