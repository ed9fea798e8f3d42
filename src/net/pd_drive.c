#include <stdlib.h>

#include "base/assert.h"
#include "fakepd.pb-c.h"
#include "net/pd_private.h"

/* proto/fakepd.proto: a stream for each drive, so that the stand-in hears when its driver dies. */

static const sl_nanos answer_max = SL_PD_TSO_WAIT_MS * (sl_nanos)SL_NANOS_PER_MS;

struct drive {
    struct sl_tso_drive       base;
    struct sl_channel_stream *stream; /* owned; NULL: over */
};

static const struct sl_tso_drive_ops drive_ops;

static struct sl_buf *pack(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    return buf;
}

/* An error as the stand-in numbers it, which is as we do. */
static enum sl_err answered(uint32_t err, const char *text, struct sl_why *why)
{
    if (err == SL_OK)
        return SL_OK;
    return sl_fail(why, err < SL_ERR_COUNT ? (enum sl_err)err : SL_INVALID, "%s", text);
}

/* ---- a drive that is on ---- */

static enum sl_err over(struct drive *drive, enum sl_err err, const struct sl_channel_end *end,
                        struct sl_why *why)
{
    sl_channel_stream_free(&drive->stream);
    if (end->status == SL_GRPC_UNIMPLEMENTED)
        return sl_fail(why, SL_UNSUPPORTED, "the timestamps of a live cluster cannot be driven");
    return sl_fail(why, SL_GONE, "the drive is over: %s",
                   end->why.text[0] != '\0' ? end->why.text : sl_err_text(err));
}

/* One request, one answer. */
static enum sl_err exchange(struct drive *drive, sl_ts low, sl_ts high, bool last,
                            struct sl_why *why)
{
    Sluice__Fakepd__DriveRequest request = SLUICE__FAKEPD__DRIVE_REQUEST__INIT;
    Sluice__Fakepd__DriveAnswer *answer;
    struct sl_channel_end        end = {.status = SL_GRPC_UNAVAILABLE};
    struct sl_buf               *message;
    enum sl_err                  err;

    if (drive->stream == NULL)
        return sl_fail(why, SL_GONE, "the drive is over");
    request.low = low;
    request.high = high;
    request.end = last;
    message = pack(&request.base);
    err = sl_channel_stream_send(drive->stream, &message);
    sl_buf_free(&message);
    if (err == SL_OK || err == SL_UNAVAILABLE)
        err = sl_channel_stream_next(drive->stream, answer_max, &message, &end);
    if (err != SL_OK)
        return over(drive, err, &end, why);
    answer = sluice__fakepd__drive_answer__unpack(NULL, message->len, message->data);
    sl_buf_free(&message);
    if (answer == NULL)
        return over(drive, SL_INVALID, &end, why);
    err = answered(answer->err, answer->why, why);
    sluice__fakepd__drive_answer__free_unpacked(answer, NULL);
    return err;
}

static enum sl_err drive_move(struct sl_tso_drive *base, sl_ts floor, sl_ts ceiling,
                              struct sl_why *why)
{
    return exchange((struct drive *)base, floor, ceiling, false, why);
}

static enum sl_err drive_end(struct sl_tso_drive *base, struct sl_why *why)
{
    return exchange((struct drive *)base, 0, 0, true, why);
}

static void drive_free(struct sl_tso_drive *base)
{
    struct drive *drive = (struct drive *)base;

    sl_channel_stream_free(&drive->stream);
    free(drive);
}

static const struct sl_tso_drive_ops drive_ops = {
    .move = drive_move,
    .end = drive_end,
    .free = drive_free,
};

/* ---- the door ---- */

enum sl_err pd_drive_begin(struct sl_tso *tso, sl_ts first_commit, sl_ts last_commit,
                           struct sl_tso_drive **out, struct sl_why *why)
{
    struct sl_pd      *pd = (struct sl_pd *)tso;
    struct sl_channel *channel;
    struct drive      *drive;
    enum sl_err        err;

    if ((err = pd_leader(pd, &channel, why)) != SL_OK)
        return err;
    drive = calloc(1, sizeof *drive);
    SL_ASSERT(drive != NULL);
    drive->base.ops = &drive_ops;
    err = sl_channel_stream_open(channel, "/sluice.FakePd/Drive", &drive->stream, why);
    if (err == SL_OK)
        err = exchange(drive, first_commit, last_commit, false, why);
    if (err == SL_OK)
        *out = &drive->base;
    else
        drive_free(&drive->base);
    return err == SL_GONE ? SL_UNAVAILABLE : err;
}

enum sl_err pd_drive_info(struct sl_tso *tso, struct sl_tso_drive_info *out, struct sl_why *why)
{
    Sluice__Fakepd__DriveInfoRequest request = SLUICE__FAKEPD__DRIVE_INFO_REQUEST__INIT;
    Sluice__Fakepd__DriveInfoAnswer *answer;
    struct sl_pd                    *pd = (struct sl_pd *)tso;
    struct sl_channel               *channel;
    struct sl_channel_end            end;
    struct sl_buf                   *message = NULL;
    struct sl_buf                   *response = NULL;
    enum sl_err                      err;

    if ((err = pd_leader(pd, &channel, why)) != SL_OK)
        return err;
    message = pack(&request.base);
    err = sl_channel_unary(channel, "/sluice.FakePd/DriveInfo", &message, answer_max, &response,
                           &end);
    if (err != SL_OK && end.status == SL_GRPC_UNIMPLEMENTED)
        return sl_fail(why, SL_UNSUPPORTED, "the timestamps of a live cluster cannot be driven");
    if (err != SL_OK)
        return sl_fail(why, pd_err_of(err, &end), "PD %s: %s", pd->leader, end.why.text);
    answer = sluice__fakepd__drive_info_answer__unpack(NULL, response->len, response->data);
    sl_buf_free(&response);
    if (answer == NULL)
        return sl_fail(why, SL_INVALID, "PD %s: its answer is damaged", pd->leader);
    *out = (struct sl_tso_drive_info){.running = answer->running,
                                      .floor = answer->floor,
                                      .ceiling = answer->ceiling,
                                      .last_commit = answer->last_commit,
                                      .lost = answer->lost};
    err = answered(answer->err, answer->why, why);
    sluice__fakepd__drive_info_answer__free_unpacked(answer, NULL);
    return err;
}
