#ifndef SL_SLUICE_PULLER_H
#define SL_SLUICE_PULLER_H

/* Reads a pump's stream as a drainer does (pump spec 1.5): from a commit ts on, in order, and again
 * from the last one when the stream has ended. Whoever steps it owns its time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "binlog/record.h"

struct puller;

/* What to read. */
struct puller_options {
    const char *pump; /* address; borrowed for puller_new */
    uint64_t    cluster_id;
    sl_ts       from;      /* the commit ts before the first one wanted */
    uint64_t    count;     /* of transactions, then it is over; 0: no limit */
    sl_ts       until;     /* the last commit ts wanted; 0: no limit */
    bool        once;      /* over when the stream ends, instead of asking again */
    sl_nanos    reconnect; /* from the end of a stream to the next; a drainer waits 1 s */
    sl_nanos    idle_exit; /* over when no transaction came for so long; 0: never */
    /* Hears each transaction and fake binlog; payload is valid during the call. Anything but SL_OK
     * ends the reading. */
    enum sl_err (*heard)(void *context, const struct sl_record *record, struct sl_slice payload,
                         struct sl_why *why);
    void *context;
};

/* Connects to nobody yet. SL_INVALID: not an address. */
enum sl_err puller_new(const struct sl_env *env, const struct puller_options *options,
                       struct puller **out, struct sl_why *why);
/* Nulls the pointer; *puller may be NULL. */
void puller_free(struct puller **puller);

/* Go on, blocking for `wait` at most. SL_AGAIN: it goes on. SL_OK: what was wanted has come.
 * SL_UNAVAILABLE: `once`, or idle, without a pump. SL_INVALID: the pump refuses, or sends what it
 * must not: no records, or commit ts that do not rise. */
enum sl_err puller_step(struct puller *puller, sl_nanos wait, struct sl_why *why);

/* Transactions heard, without fake binlogs; and streams begun. */
uint64_t puller_transactions(const struct puller *puller);
uint32_t puller_streams(const struct puller *puller);

#endif
