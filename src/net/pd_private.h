#ifndef SL_NET_PD_PRIVATE_H
#define SL_NET_PD_PRIVATE_H

/* What the parts of net/pd.h share: pd.c (members and leader), pd_tso.c (timestamps) and pd_drive.c
 * (the drive of a stand-in). */

#include "net/endpoints.h"
#include "net/pd.h"

/* See net/pd.h. */
struct sl_pd {
    struct sl_tso             tso; /* must be first */
    const struct sl_env      *env;
    struct sl_endpoints       endpoints;
    uint64_t                  cluster_id;
    char                      leader[SL_ADDR_BYTES_MAX]; /* its URL; "": to be found */
    sl_nanos                  refreshed_at;
    struct sl_channel_stream *stream; /* owned; of timestamps from the leader; NULL: none */
    sl_ts                     last;   /* the greatest timestamp got */
};

/* ---- pd.c ---- */

/* The leader's channel, valid until the next call of any function for this pd. Blocks while the
 * leader is to be found. */
enum sl_err pd_leader(struct sl_pd *pd, struct sl_channel **out, struct sl_why *why);
/* The leader has failed: the next pd_leader asks the members. */
void pd_forget_leader(struct sl_pd *pd);

/* What the end of a call means. SL_INVALID: asking again does not help. */
enum sl_err pd_err_of(enum sl_err err, const struct sl_channel_end *end);

/* ---- pd_tso.c ---- */

enum sl_err pd_tso_now(struct sl_tso *tso, uint32_t count, sl_ts *first, struct sl_why *why);

/* ---- pd_drive.c ---- */

enum sl_err pd_drive_begin(struct sl_tso *tso, sl_ts first_commit, sl_ts last_commit,
                           struct sl_tso_drive **out, struct sl_why *why);
enum sl_err pd_drive_info(struct sl_tso *tso, struct sl_tso_drive_info *out, struct sl_why *why);

#endif
