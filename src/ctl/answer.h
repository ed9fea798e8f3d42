#ifndef SL_CTL_ANSWER_H
#define SL_CTL_ANSWER_H

/* What nodes say over HTTP: their answers to an order, and how they are (pump spec 5, drainer spec
 * 4). The original reads none of it. All texts are made fit for a terminal. */

#include "base/buf.h"
#include "net/node.h"

/* PUT /state/ID/ACTION: "pause", "close", or what else a node may know. SL_OK: it answered that it
 * will. SL_DENIED: it answered that it will not, in its words. SL_UNAVAILABLE, SL_TIMEOUT, ...:
 * nobody is there; SL_INVALID: who is there is no such node. Blocks up to SL_CTL_ACTION_MS. */
enum sl_err ctl_order(const struct sl_env *env, const struct sl_node *node, const char *action,
                      struct sl_why *why);

/* The body that answers an order. Errors: SL_DENIED, SL_INVALID. */
enum sl_err ctl_answer_to_order(struct sl_slice body, struct sl_why *why);

/* How a drainer of ours is, in its own words: "sluice" in its /status. All zero, with lag_s -1: it
 * does not say. */
struct ctl_doing {
    char    state[SL_CTL_WORD_BYTES_MAX]; /* "running", "held", "retrying", ... */
    char    since[SL_CTL_WORD_BYTES_MAX]; /* RFC 3339 */
    char    code[SL_CTL_WORD_BYTES_MAX];  /* "SL-2107" */
    char    reason[SL_WHY_BYTES_MAX];
    char    waiting_on[SL_WHY_BYTES_MAX];
    int64_t lag_s; /* -1: not said */
};

/* A drainer's GET /status. */
struct ctl_drainer_status {
    sl_ts            last_ts; /* its checkpoint; 0: none */
    bool             synced;  /* its word, which only means that nothing was applied lately */
    struct ctl_doing doing;
};

/* Read one; what is not there is left at "not said". SL_INVALID: it is no such answer. */
enum sl_err ctl_answer_of_drainer(struct sl_slice body, struct ctl_drainer_status *out,
                                  struct sl_why *why);

/* Read a pump's GET /status, of which only ErrMsg says anything about itself: SL_UNAVAILABLE with
 * its text. SL_INVALID: it is no such answer. */
enum sl_err ctl_answer_of_pump(struct sl_slice body, struct sl_why *why);

/* What a pump's GET /metrics says about its disk. */
struct ctl_pump_figures {
    uint64_t disk_bytes; /* of the file system with its data; 0: not said */
    uint64_t disk_free_bytes;
    int64_t  removed_ms; /* what was committed before may be gone; 0: nothing yet, or not said */
};

/* Read them from the text of Prometheus, whatever else is in it. */
void ctl_answer_of_metrics(struct sl_slice body, struct ctl_pump_figures *out);

#endif
