#ifndef SL_NET_TIKV_H
#define SL_NET_TIKV_H

/* TiKV: what became of a transaction, and what keys held at a moment.
 *
 * A transaction's fate is asked of the place where it is decided. A transaction is
 * committed when its primary key is, so the question goes to the store that leads that key's
 * region: PD says which (net/pd.h).
 *
 *     look up the primary's history    a commit or rollback of the transaction: that is its fate
 *     if there is none, and only when the asker permits it:
 *     check the transaction            TiKV rolls it back unless it is committed or its lock lives
 *
 * The check changes TiKV: it can end a transaction that was about to commit. Hence the permission,
 * and hence nothing is ever guessed: without an answer the fate is unknown.
 *
 * Every call blocks; one thread at a time. */

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/ts.h"

struct sl_tikv;

/* May TiKV be made to roll back what it does not know? */
enum sl_tikv_permission {
    SL_TIKV_LOOK,             /* no: only look */
    SL_TIKV_ROLL_BACK_ABSENT, /* if the look-up found neither lock nor record: for a transaction
                                 that TiDB itself has given up */
    SL_TIKV_ROLL_BACK,        /* if it found no record and no living lock: for one that is old */
};

/* About one transaction. */
struct sl_tikv_question {
    struct sl_slice         primary; /* its primary key, raw; borrowed for the call */
    sl_ts                   start_ts;
    sl_ts                   current_ts; /* a recent timestamp, which says whether locks live */
    enum sl_tikv_permission may;
};

/* What became of one. */
enum sl_tikv_fate {
    SL_TIKV_UNKNOWN,     /* no answer, or none that says it: `why` */
    SL_TIKV_LOCKED,      /* under way: its lock is there */
    SL_TIKV_COMMITTED,   /* at commit_ts, above its start ts */
    SL_TIKV_ROLLED_BACK, /* for ever */
};

/* The answer about one. */
struct sl_tikv_verdict {
    enum sl_tikv_fate fate;
    sl_ts             commit_ts;
    struct sl_why     why;
};

/* Requests sent and region errors received, since the opening. */
struct sl_tikv_counts {
    uint64_t looks;
    uint64_t checks;
    uint64_t reads;
    uint64_t region_errors;
};

/* A client of the TiKV behind the PD at these URLs; stores are found when they are needed. Owned:
 * sl_tikv_free. env outlives it. Errors as of sl_pd_open. */
enum sl_err sl_tikv_open(const struct sl_env *env, const char *pd_urls, struct sl_tikv **out,
                         struct sl_why *why);
/* Nulls the pointer; *tikv may be NULL. */
void sl_tikv_free(struct sl_tikv **tikv);

/* Ask about `count` transactions (1..SL_TIKV_QUESTIONS_MAX) at once; verdicts[i] answers
 * questions[i]. Returns when each has its verdict or the timeout has passed: what is then not
 * answered is unknown. Other leaders, split regions, busy and dead stores are followed, asked again
 * and waited for within that time; one request takes at most SL_TIKV_REQUEST_S of it. */
void sl_tikv_status_ask(struct sl_tikv *tikv, const struct sl_tikv_question *questions,
                        uint32_t count, sl_nanos timeout, struct sl_tikv_verdict *verdicts);

/* ---- snapshots (pd spec 5.5, 5.6) ----
 *
 * What raw keys held at `version`, a timestamp that has been handed out. Other leaders, split
 * regions, busy and dead stores are followed, asked again and waited for, and so are locks, which
 * may hide a value that was committed before `version`: they are never resolved, so this is for
 * keys whose writers are short, as those of TiDB's meta data are. `patience` bounds the time
 * without progress, which for a scan is a page.
 *
 * Errors: SL_TIMEOUT (the patience is over: why says what was in the way), SL_UNSUPPORTED (there is
 * no TiKV, or it does not know the method), SL_TOO_LARGE (one value is above
 * SL_DOOR_MESSAGE_BYTES_MAX, or a key above SL_TIKV_KEY_BYTES_MAX), SL_INVALID (PD's or TiKV's
 * answer makes no sense, or TiKV refuses for good). */

/* The value of one key, a new buffer. SL_NOT_FOUND: it had none. */
enum sl_err sl_tikv_get(struct sl_tikv *tikv, struct sl_slice key, sl_ts version, sl_nanos patience,
                        struct sl_buf **out, struct sl_why *why);

/* One key and its value, valid during the call. Anything but SL_OK ends the scan with that; not
 * SL_AGAIN. */
typedef enum sl_err (*sl_tikv_visit)(void *context, struct sl_slice key, struct sl_slice value);

/* All keys from `start` on, below `end` (empty: to the last one), in their order. An error may come
 * after some of them. */
enum sl_err sl_tikv_scan(struct sl_tikv *tikv, struct sl_slice start, struct sl_slice end,
                         sl_ts version, sl_nanos patience, sl_tikv_visit visit, void *context,
                         struct sl_why *why);

/* So far. */
struct sl_tikv_counts sl_tikv_counts(const struct sl_tikv *tikv);

#endif
