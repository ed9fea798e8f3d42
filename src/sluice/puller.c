#include "sluice/puller.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "net/channel.h"
#include "binlog/message.h"

static const char method[] = "/binlog.Pump/PullBinlogs";

struct puller {
    const struct sl_env      *env;
    struct puller_options     options;
    struct sl_channel        *channel; /* owned */
    struct sl_channel_stream *stream;  /* owned; NULL: none is open */
    sl_ts                     last;
    sl_nanos                  reconnect_at;
    sl_nanos                  heard_at; /* a transaction; at first: when it began */
    uint64_t                  transactions;
    uint32_t                  streams;
    struct sl_why             ended; /* why the last stream did */
};

enum sl_err puller_new(const struct sl_env *env, const struct puller_options *options,
                       struct puller **out, struct sl_why *why)
{
    struct puller *p = calloc(1, sizeof *p);
    enum sl_err    err;

    SL_ASSERT(p != NULL);
    p->env = env;
    p->options = *options;
    p->last = options->from;
    p->heard_at = sl_env_now(env);
    if ((err = sl_channel_new(env, options->pump, 0, &p->channel, why)) != SL_OK) {
        free(p);
        return err;
    }
    *out = p;
    return SL_OK;
}

void puller_free(struct puller **puller)
{
    struct puller *old = *puller;

    *puller = NULL;
    if (old == NULL)
        return;
    sl_channel_stream_free(&old->stream);
    sl_channel_free(&old->channel);
    free(old);
}

/* ---- what comes ---- */

/* SL_OK: that was all that is wanted. */
static enum sl_err take_record(struct puller *p, const struct sl_record *record,
                               struct sl_slice payload, struct sl_why *why)
{
    bool        fake = sl_record_is_fake(record);
    enum sl_err err;

    if (record->commit_ts <= p->last)
        return sl_fail(why, SL_INVALID, "commit ts %" PRId64 " comes after %" PRId64,
                       record->commit_ts, p->last);
    p->last = record->commit_ts;
    if (p->options.until != 0 && record->commit_ts > p->options.until)
        return SL_OK;
    if ((err = p->options.heard(p->options.context, record, payload, why)) != SL_OK)
        return err;
    if (!fake) {
        p->transactions++;
        p->heard_at = sl_env_now(p->env);
    }
    if (p->options.until != 0 && record->commit_ts >= p->options.until)
        return SL_OK;
    return p->options.count != 0 && p->transactions == p->options.count ? SL_OK : SL_AGAIN;
}

static enum sl_err take_message(struct puller *p, const struct sl_buf *message, struct sl_why *why)
{
    struct sl_slice  payload;
    struct sl_record record;
    enum sl_err      err;

    if ((err = sl_message_entity(sl_slice_from_buf(message), &payload, why)) != SL_OK)
        return err;
    if ((err = sl_record_decode(payload, &record, why)) != SL_OK)
        return sl_wrap(why, SL_INVALID, "an entity that is no record");
    return take_record(p, &record, payload, why);
}

/* ---- streams ---- */

static enum sl_err open_stream(struct puller *p, struct sl_why *why)
{
    struct sl_buf *request;
    enum sl_err    err;

    if ((err = sl_channel_stream_open(p->channel, method, &p->stream, why)) != SL_OK)
        return err;
    p->streams++;
    request = sl_message_pull(p->options.cluster_id, p->last);
    err = sl_channel_stream_send(p->stream, &request);
    sl_buf_free(&request);
    if (err == SL_OK)
        sl_channel_stream_half_close(p->stream);
    return err;
}

/* The stream is over, or could not be begun. */
static enum sl_err end_stream(struct puller *p, enum sl_err err, struct sl_why *why)
{
    sl_channel_stream_free(&p->stream);
    p->reconnect_at = sl_env_now(p->env) + p->options.reconnect;
    if (err == SL_INVALID) /* asking again would be answered in the same way */
        return sl_wrap(why, err, "%s", sl_channel_address(p->channel));
    if (p->options.once)
        return err == SL_STOPPED ? SL_OK : sl_fail(why, SL_UNAVAILABLE, "%s", p->ended.text);
    return SL_AGAIN;
}

static bool is_idle(const struct puller *p, sl_nanos now)
{
    return p->options.idle_exit != 0 && now - p->heard_at >= p->options.idle_exit;
}

/* Wait no longer than until something is due. */
static sl_nanos wait_at_most(const struct puller *p, sl_nanos now, sl_nanos wait)
{
    sl_nanos left;

    if (p->options.idle_exit == 0)
        return wait;
    left = p->heard_at + p->options.idle_exit - now;
    return left < wait ? left : wait;
}

enum sl_err puller_step(struct puller *puller, sl_nanos wait, struct sl_why *why)
{
    struct sl_channel_end end = {0};
    struct sl_buf        *message = NULL;
    sl_nanos              now = sl_env_now(puller->env);
    enum sl_err           err;

    if (is_idle(puller, now)) /* without a pump that is no end to be content with */
        return puller->stream != NULL || puller->ended.text[0] == '\0'
                   ? SL_OK
                   : sl_fail(why, SL_UNAVAILABLE, "%s", puller->ended.text);
    wait = wait_at_most(puller, now, wait);
    if (puller->stream == NULL && now < puller->reconnect_at) {
        sl_nanos until = now + wait;

        sl_channel_wait(&puller->channel, 1,
                        until < puller->reconnect_at ? until : puller->reconnect_at);
        (void)sl_channel_step(puller->channel, NULL);
        return SL_AGAIN;
    }
    if (puller->stream == NULL && (err = open_stream(puller, &puller->ended)) != SL_OK)
        return end_stream(puller, err, why);
    err = sl_channel_stream_next(puller->stream, wait, &message, &end);
    if (err == SL_TIMEOUT)
        return SL_AGAIN;
    if (err != SL_OK) {
        puller->ended = end.why;
        (void)sl_fail(why, err, "%s", end.why.text);
        return end_stream(puller, err, why);
    }
    puller->ended.text[0] = '\0';
    err = take_message(puller, message, why);
    sl_buf_free(&message);
    return err;
}

uint64_t puller_transactions(const struct puller *puller)
{
    return puller->transactions;
}

uint32_t puller_streams(const struct puller *puller)
{
    return puller->streams;
}
