#include <inttypes.h>

#include "base/assert.h"
#include "net/pd_private.h"
#include "net/pd_wire.h"

static const sl_nanos wait_max = SL_PD_TSO_WAIT_MS * (sl_nanos)SL_NANOS_PER_MS;
static const sl_nanos pause = SL_PD_TSO_PAUSE_MS * (sl_nanos)SL_NANOS_PER_MS;

/* ---- one answer ---- */

static enum sl_err check_header(const struct pd_header *header, struct sl_why *why)
{
    if (header->error == 0)
        return SL_OK;
    return sl_fail(why, header->error == PD_ERROR_NO_ROOM ? SL_AGAIN : SL_UNAVAILABLE, "%s",
                   header->text);
}

/* PD tells the greatest of `count`. With suffixes, which only clusters with local oracles have,
 * they would not stand one after the other. */
static enum sl_err take_timestamps(struct sl_pd *pd, const struct pd_timestamps *answer,
                                   uint32_t count, sl_ts *first, struct sl_why *why)
{
    const int64_t logical_end = INT64_C(1) << SL_TS_LOGICAL_BITS;
    const int64_t physical_end = INT64_C(1) << (63 - SL_TS_LOGICAL_BITS);
    sl_ts         last;

    if (answer->suffix_bits != 0)
        return sl_fail(why, SL_UNSUPPORTED, "PD gives timestamps with suffixes (local TSO)");
    if (answer->count != count || answer->physical_ms <= 0 || answer->physical_ms >= physical_end ||
        answer->logical < 0 || answer->logical >= logical_end)
        return sl_fail(why, SL_INVALID,
                       "asked for %u timestamps, PD gave %u: %" PRId64 " ms, logical %" PRId64,
                       count, answer->count, answer->physical_ms, answer->logical);
    last = sl_ts_of_ms(answer->physical_ms) + answer->logical;
    if (last - (sl_ts)count < pd->last)
        return sl_fail(why, SL_INVALID, "PD gave timestamp %" PRId64 " after %" PRId64,
                       last - (sl_ts)count + 1, pd->last);
    pd->last = last;
    *first = last - (sl_ts)count + 1;
    return SL_OK;
}

/* ---- one try ---- */

static enum sl_err open_stream(struct sl_pd *pd, struct sl_why *why)
{
    struct sl_channel *channel;
    enum sl_err        err;

    /* It may drop the stream, when another leads now. */
    if ((err = pd_leader(pd, &channel, why)) != SL_OK || pd->stream != NULL)
        return err;
    return sl_channel_stream_open(channel, "/pdpb.PD/Tso", &pd->stream, why);
}

static enum sl_err exchange(struct sl_pd *pd, uint32_t count, sl_nanos timeout,
                            struct pd_timestamps *out, struct sl_why *why)
{
    struct sl_buf        *request = pd_pack_tso(pd->cluster_id, count);
    struct sl_buf        *answer = NULL;
    struct sl_channel_end end = {.status = SL_GRPC_UNAVAILABLE};
    enum sl_err           err;
    bool                  whole;

    err = sl_channel_stream_send(pd->stream, &request);
    sl_buf_free(&request);
    if (err == SL_OK || err == SL_UNAVAILABLE)
        err = sl_channel_stream_next(pd->stream, timeout, &answer, &end);
    if (err != SL_OK)
        return sl_fail(why, pd_err_of(err, &end), "PD %s: %s", pd->leader,
                       err == SL_TIMEOUT         ? "no timestamp came in time"
                       : end.why.text[0] != '\0' ? end.why.text
                                                 : "it has ended the stream of timestamps");
    whole = pd_unpack_timestamps(answer, out);
    sl_buf_free(&answer);
    return whole ? SL_OK : sl_fail(why, SL_INVALID, "PD %s: a timestamp is damaged", pd->leader);
}

static enum sl_err try_now(struct sl_pd *pd, uint32_t count, sl_nanos timeout, sl_ts *first,
                           struct sl_why *why)
{
    struct pd_timestamps answer;
    enum sl_err          err;

    if ((err = open_stream(pd, why)) != SL_OK ||
        (err = exchange(pd, count, timeout, &answer, why)) != SL_OK ||
        (err = check_header(&answer.header, why)) != SL_OK)
        return err;
    return take_timestamps(pd, &answer, count, first, why);
}

/* ---- the door ---- */

/* Worth another try, at whoever leads then. */
static bool is_passing(enum sl_err err)
{
    return err == SL_UNAVAILABLE || err == SL_TIMEOUT;
}

/* The first retry is made at once: a new leader is mostly there already. */
enum sl_err pd_tso_now(struct sl_tso *tso, uint32_t count, sl_ts *first, struct sl_why *why)
{
    struct sl_pd *pd = (struct sl_pd *)tso;
    sl_nanos      begun = sl_env_now(pd->env);
    sl_nanos      until = begun + wait_max;
    sl_nanos      now = begun;
    enum sl_err   err;

    for (unsigned tries = 0;; tries++) {
        err = try_now(pd, count, (until - now + 1) / 2, first, why);
        if (err == SL_OK || err == SL_AGAIN)
            return err;
        pd_forget_leader(pd);
        now = sl_env_now(pd->env);
        if (!is_passing(err) || now >= until)
            break;
        if (tries > 0)
            sl_net_wait(pd->env->net, NULL, 0, now + pause < until ? now + pause : until);
        now = sl_env_now(pd->env);
        if (now >= until)
            break;
    }
    return sl_wrap(why, err, "get a timestamp");
}
