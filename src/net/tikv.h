#ifndef SL_NET_TIKV_H
#define SL_NET_TIKV_H

/* What became of a transaction, asked of TiKV: the place where it is decided. A transaction is
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

/* So far. */
struct sl_tikv_counts sl_tikv_counts(const struct sl_tikv *tikv);

#endif
