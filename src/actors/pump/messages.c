#include "actors/pump/messages.h"

#include <string.h>

#include "base/assert.h"
#include "binlog/record.h"

const char *const sl_pump_msg_names[SL_PUMP_MSG_END - SL_MSG_USER] = {
#define SL_PUMP_MSG_NAME(code, text) [(code)-SL_MSG_USER] = (text),
    SL_PUMP_MSG_TABLE(SL_PUMP_MSG_NAME)
#undef SL_PUMP_MSG_NAME
};

struct sl_pump_failed *sl_pump_failed_new(enum sl_err err, const struct sl_why *why)
{
    struct sl_pump_failed *failed = sl_msg_new(struct sl_pump_failed, SL_PUMP_FAILED);

    SL_ASSERT(err != SL_OK);
    failed->err = err;
    if (why != NULL && why->text[0] != '\0')
        failed->why = *why;
    else
        sl_fail(&failed->why, err, "%s", sl_err_text(err));
    return failed;
}

static void write_release(struct sl_msg *msg)
{
    sl_buf_free(&((struct sl_pump_write *)(void *)msg)->payload);
}

struct sl_pump_write *sl_pump_write_new(struct sl_buf **payload, int32_t type, sl_ts start_ts,
                                        sl_ts commit_ts)
{
    struct sl_pump_write *write =
        sl_msg_new_owning(struct sl_pump_write, SL_PUMP_WRITE, write_release);

    write->hdr.bytes = (uint32_t)(*payload)->len; /* at most SL_BUF_BYTES_MAX */
    write->payload = *payload;
    *payload = NULL;
    write->type = type;
    write->start_ts = start_ts;
    write->commit_ts = commit_ts;
    return write;
}

struct sl_pump_write *sl_pump_spool_new(uint64_t serial, sl_ts start_ts)
{
    struct sl_pump_write *write =
        sl_msg_new_owning(struct sl_pump_write, SL_PUMP_SPOOL, write_release);

    write->is_large = true;
    write->serial = serial;
    write->type = SL_RECORD_PREWRITE;
    write->start_ts = start_ts;
    return write;
}

static void piece_release(struct sl_msg *msg)
{
    sl_buf_free(&((struct sl_pump_piece *)(void *)msg)->bytes);
}

struct sl_pump_piece *sl_pump_piece_new(uint64_t serial, struct sl_buf **bytes)
{
    struct sl_pump_piece *piece =
        sl_msg_new_owning(struct sl_pump_piece, SL_PUMP_PIECE, piece_release);

    piece->serial = serial;
    piece->bytes = *bytes;
    *bytes = NULL;
    return piece;
}

static void spool_end_release(struct sl_msg *msg)
{
    sl_buf_free(&((struct sl_pump_spool_end *)(void *)msg)->rest);
}

struct sl_pump_spool_end *sl_pump_spool_end_new(uint64_t serial, struct sl_slice rest)
{
    struct sl_pump_spool_end *end =
        sl_msg_new_owning(struct sl_pump_spool_end, SL_PUMP_SPOOL_END, spool_end_release);

    end->serial = serial;
    end->rest = sl_buf_new(rest.len);
    if (rest.len > 0)
        memcpy(end->rest->data, rest.bytes, rest.len);
    return end;
}

static void batch_release(struct sl_msg *msg)
{
    struct sl_pump_batch *batch = (struct sl_pump_batch *)(void *)msg;

    for (uint32_t i = 0; i < batch->count; i++)
        sl_buf_free(&batch->entities[i]);
}

struct sl_pump_batch *sl_pump_batch_new(void)
{
    return sl_msg_new_owning(struct sl_pump_batch, SL_PUMP_BATCH, batch_release);
}
