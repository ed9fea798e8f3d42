#ifndef SL_SLUICE_CORPUS_H
#define SL_SLUICE_CORPUS_H

/* A corpus: what a TiDB server sent to its pumps, recorded, and read to be played again.
 *
 * The recording (writes.bin, or writes.bin.zst, the same packed by zstd) is a sequence of records,
 * little endian:
 *
 *     u32 payload bytes | u8 pump | 3 zero bytes | u64 arrival, ns since the recorder's start |
 *     payload: one serialized Binlog
 *
 * Beside it lies meta.json, whose cluster_id says where it was recorded. The file comes from
 * outside: every length is checked, each payload must decode, and a commit or rollback must have
 * its prewrite before it. The whole recording is held in memory, at most SL_CORPUS_BYTES_MAX. */

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/ts.h"
#include "binlog/record.h"

/* Size of what stands before each payload. */
enum { CORPUS_HEAD_BYTES = 16 };

/* One record. */
struct corpus_record {
    struct sl_slice     payload;    /* valid as long as the corpus */
    uint64_t            arrival_ns; /* since the first record; never falls */
    sl_ts               start_ts;
    sl_ts               commit_ts; /* 0 but in a commit */
    uint32_t            prewrite;  /* index of the transaction's prewrite; of one: its own */
    uint32_t            pump;      /* that took it */
    enum sl_record_type type;      /* PREWRITE, COMMIT or ROLLBACK */
};

/* A recording in memory. All zero owns nothing. */
struct corpus {
    uint64_t              cluster_id; /* where it was recorded; 0: not known */
    struct sl_buf        *bytes;      /* owned */
    struct corpus_record *records;    /* owned; in order of arrival */
    uint32_t              count;      /* at least 1 */
    uint32_t              prewrites;
    uint32_t              commits;
    uint32_t              rollbacks;
};

/* Read the recording at path: a directory with one of the two files in it, or such a file. Fails as
 * the file system does, and with SL_INVALID or SL_TOO_LARGE for what is no recording; the reason
 * names file and record. Blocks. */
enum sl_err corpus_load(struct sl_fs *fs, const char *path, struct corpus *out, struct sl_why *why);

/* The same from memory; cluster_id stays 0. Takes *bytes in any case. */
enum sl_err corpus_parse(struct sl_buf **bytes, struct corpus *out, struct sl_why *why);

/* Free what it owns and zero it. */
void corpus_free(struct corpus *corpus);

/* ---- corpus_file.c, for corpus_load ---- */

/* The whole recording at the path of a file, unpacked when its name ends with ".zst". */
enum sl_err corpus_read(struct sl_fs *fs, const char *path, struct sl_buf **out,
                        struct sl_why *why);

#endif
