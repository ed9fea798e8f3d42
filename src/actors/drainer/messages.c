#include "actors/drainer/messages.h"

#include <stdlib.h>

#include "base/assert.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "binlog/job.h"
#include "binlog/sink_table.h"

const char *const sl_drainer_msg_names[SL_DRAINER_MSG_END - SL_MSG_USER] = {
#define SL_DRAINER_MSG_NAME(code, text) [(code)-SL_MSG_USER] = (text),
    SL_DRAINER_FRONT_MSG_TABLE(SL_DRAINER_MSG_NAME) SL_DRAINER_MSG_TABLE(SL_DRAINER_MSG_NAME)
#undef SL_DRAINER_MSG_NAME
};

static void block_release(struct sl_msg *msg)
{
    struct sl_drainer_block *block = (struct sl_drainer_block *)(void *)msg;

    for (uint32_t i = 0; i < block->block.count; i++)
        sl_buf_free(&block->items[i].held.owner);
}

struct sl_drainer_block *sl_drainer_block_new(uint32_t input)
{
    struct sl_drainer_block *block =
        sl_msg_new_owning(struct sl_drainer_block, SL_DRAINER_BLOCK, block_release);

    block->input = input;
    block->block.items = block->items;
    return block;
}

static void piece_release(struct sl_msg *msg)
{
    sl_buf_free(&((struct sl_drainer_piece *)(void *)msg)->bytes);
}

struct sl_drainer_piece *sl_drainer_piece_new(uint32_t input, struct sl_buf **bytes)
{
    struct sl_drainer_piece *piece =
        sl_msg_new_owning(struct sl_drainer_piece, SL_DRAINER_PIECE, piece_release);

    piece->input = input;
    piece->bytes = *bytes;
    *bytes = NULL;
    return piece;
}

static void spooled_release(struct sl_msg *msg)
{
    sl_buf_free(&((struct sl_drainer_spooled *)(void *)msg)->whole);
}

struct sl_drainer_spooled *sl_drainer_spooled_new(void)
{
    return sl_msg_new_owning(struct sl_drainer_spooled, SL_DRAINER_SPOOLED, spooled_release);
}

static void fenced_release(struct sl_msg *msg)
{
    struct sl_drainer_fenced *fenced = (struct sl_drainer_fenced *)(void *)msg;

    sl_node_list_free(&fenced->pumps);
    free(fenced->removed_ms);
}

struct sl_drainer_fenced *sl_drainer_fenced_new(void)
{
    return sl_msg_new_owning(struct sl_drainer_fenced, SL_DRAINER_FENCED, fenced_release);
}

static void window_release(struct sl_msg *msg)
{
    sl_window_free(&((struct sl_drainer_window *)(void *)msg)->window);
}

struct sl_drainer_window *sl_drainer_window_new(unsigned type, struct sl_window **window)
{
    struct sl_drainer_window *msg =
        sl_msg_new_owning(struct sl_drainer_window, type, window_release);

    msg->hdr.bytes = (uint32_t)(*window)->bytes; /* within its line */
    msg->window = *window;
    *window = NULL;
    return msg;
}

static void filter_release(struct sl_msg *msg)
{
    struct sl_drainer_filter *filter = (struct sl_drainer_filter *)(void *)msg;

    sl_filter_free(&filter->filter);
    sl_event_filter_free(&filter->event_filter);
}

struct sl_drainer_filter *sl_drainer_filter_new(struct sl_filter       **filter,
                                                struct sl_event_filter **event_filter)
{
    struct sl_drainer_filter *msg =
        sl_msg_new_owning(struct sl_drainer_filter, SL_DRAINER_FILTER, filter_release);

    msg->filter = *filter;
    msg->event_filter = *event_filter;
    *filter = NULL;
    *event_filter = NULL;
    return msg;
}

static void job_release(struct sl_msg *msg)
{
    struct sl_drainer_job *answer = (struct sl_drainer_job *)(void *)msg;

    for (uint32_t i = 0; i < answer->count; i++)
        sl_job_free(&answer->jobs[i]);
    free(answer->jobs);
}

void sl_drainer_job_add(struct sl_drainer_job *answer, struct sl_job **job)
{
    answer->jobs = realloc(answer->jobs, (answer->count + 1) * sizeof(struct sl_job *));
    SL_ASSERT(answer->jobs != NULL);
    answer->jobs[answer->count++] = *job;
    *job = NULL;
}

struct sl_drainer_job *sl_drainer_job_new(void)
{
    return sl_msg_new_owning(struct sl_drainer_job, SL_DRAINER_JOB, job_release);
}

static void describe_release(struct sl_msg *msg)
{
    sl_table_free(&((struct sl_drainer_describe *)(void *)msg)->table);
}

struct sl_drainer_describe *sl_drainer_describe_new(const struct sl_table *table)
{
    struct sl_drainer_describe *describe =
        sl_msg_new_owning(struct sl_drainer_describe, SL_DRAINER_DESCRIBE, describe_release);

    describe->table = sl_table_ref((struct sl_table *)(uintptr_t)table);
    return describe;
}

static void described_release(struct sl_msg *msg)
{
    struct sl_drainer_described *described = (struct sl_drainer_described *)(void *)msg;

    sl_table_free(&described->table);
    sl_sink_table_free(&described->described);
}

struct sl_drainer_described *sl_drainer_described_new(void)
{
    return sl_msg_new_owning(struct sl_drainer_described, SL_DRAINER_DESCRIBED, described_release);
}
