/* Sending: how a message gets from one actor into the mailbox of another. */

#include "runtime/machine.h"

static const struct sl_trace_site trace_send = {"msg.send", "to", "type"};

static const char *const system_names[SL_SYSTEM_MSGS] = {
    [SL_MSG_STOP] = "STOP", [SL_MSG_GONE] = "GONE",       [SL_MSG_CHILD_ENDED] = "CHILD_ENDED",
    [SL_MSG_OPEN] = "OPEN", [SL_MSG_GRANTED] = "GRANTED",
};

const char *mail_type_name(const struct sl_actor_class *class_of, unsigned type)
{
    if (type < SL_SYSTEM_MSGS)
        return system_names[type];
    if (type >= SL_MSG_USER && type - SL_MSG_USER < class_of->msg_count)
        return class_of->msg_names[type - SL_MSG_USER];
    return "?";
}

/* Push to a slot that was found in the open section, or free the message when there is none. */
static void post(struct worker *w, struct slot *s, struct sl_ref to, struct sl_msg *msg)
{
    figure_add(&w->sent, 1);
    if (s == NULL) {
        figure_add(&w->returned, 1);
        msg_discard(w, msg); /* the mail of the dead is freed; askers hear GONE */
        return;
    }
    SL_ASSERT(msg->type < SL_SYSTEM_MSGS || msg->type >= SL_MSG_USER);
    msg->to_generation = to.generation;
    sl_trace(&trace_send, to.index, msg->type);
    if (!ring_push_mpsc(s->mailbox, msg))
        SL_PANIC(
            "mailbox of %s overflows at %u places: a line or bound of the topology is not kept",
            s->class_of->name, s->mailbox_items);
    if (word_pushed(&s->word))
        w->rt->sched->ready(w, s);
}

void mail_push(struct worker *w, struct sl_ref to, struct sl_msg *msg)
{
    section_enter(w);
    post(w, slot_find(w->rt, to), to, msg);
    section_leave(w);
}

static void push_on_line(struct sl_ctx *ctx, struct sl_ref to, struct sl_msg *msg)
{
    struct worker *w = ctx->worker;
    struct slot   *s;

    section_enter(w);
    s = slot_find(w->rt, to);
    if (s != NULL)
        line_check(msg->line, ctx->slot, s);
    post(w, s, to, msg);
    section_leave(w);
}

enum sl_err sl_send_msg(struct sl_ctx *ctx, struct sl_line *line, struct sl_ref to,
                        struct sl_msg *msg, void *pointer_to_null)
{
    enum sl_err err;

    SL_ASSERT(msg->line == NULL && msg->asker.generation == 0);
    if ((err = line_enter(ctx->worker, line, msg)) != SL_OK)
        return err;
    push_on_line(ctx, to, msg);
    memset(pointer_to_null, 0, sizeof(void *));
    return SL_OK;
}

/* The answer has its place in the asker's mailbox from here on. */
static void become_question(struct sl_ctx *ctx, struct sl_msg *msg, uint64_t tag)
{
    ctx->slot->questions++;
    msg->asker = sl_self(ctx);
    msg->tag = tag;
}

enum sl_err sl_ask_msg(struct sl_ctx *ctx, struct sl_line *line, struct sl_ref to, uint64_t tag,
                       struct sl_msg *msg, void *pointer_to_null)
{
    struct slot *self = ctx->slot;
    enum sl_err  err;

    SL_ASSERT(msg->line == NULL && msg->asker.generation == 0);
    SL_ASSERT(self->questions < self->class_of->questions_max); /* the answer needs its place */
    if ((err = line_enter(ctx->worker, line, msg)) != SL_OK)
        return err;
    become_question(ctx, msg, tag);
    push_on_line(ctx, to, msg);
    memset(pointer_to_null, 0, sizeof(void *));
    return SL_OK;
}

static void enter_permitted(struct sl_permit *permit, struct sl_msg *msg)
{
    SL_ASSERT(permit->line != NULL && msg->line == NULL);
    msg->line = permit->line;
    msg->bytes = permit->bytes;
    if (permit->common)
        msg->flags |= MSG_COMMON;
    *permit = (struct sl_permit){0};
}

void sl_send_permitted_msg(struct sl_ctx *ctx, struct sl_permit *permit, struct sl_ref to,
                           struct sl_msg *msg, void *pointer_to_null)
{
    enter_permitted(permit, msg);
    push_on_line(ctx, to, msg);
    memset(pointer_to_null, 0, sizeof(void *));
}

void sl_ask_permitted_msg(struct sl_ctx *ctx, struct sl_permit *permit, struct sl_ref to,
                          uint64_t tag, struct sl_msg *msg, void *pointer_to_null)
{
    SL_ASSERT(msg->asker.generation == 0);
    SL_ASSERT(ctx->slot->questions < ctx->slot->class_of->questions_max);
    enter_permitted(permit, msg);
    become_question(ctx, msg, tag);
    push_on_line(ctx, to, msg);
    memset(pointer_to_null, 0, sizeof(void *));
}

void sl_forward_msg(struct sl_ctx *ctx, struct sl_ref to, unsigned type, struct sl_msg *msg,
                    void *pointer_to_null)
{
    SL_ASSERT(msg->line != NULL); /* only what is on a line has a place kept in the next mailbox */
    SL_ASSERT(msg != ctx->msg);   /* taken first */
    SL_ASSERT(type >= SL_MSG_USER && type <= UINT16_MAX);
    msg->type = (uint16_t)type;
    push_on_line(ctx, to, msg);
    memset(pointer_to_null, 0, sizeof(void *));
}

void sl_reply_msg(struct sl_ctx *ctx, struct sl_asker asker, struct sl_msg *msg,
                  void *pointer_to_null)
{
    SL_ASSERT(asker.ref.generation != 0);
    SL_ASSERT(msg->line == NULL && msg->asker.generation == 0);
    msg->flags |= MSG_ANSWER;
    msg->tag = asker.tag;
    mail_push(ctx->worker, asker.ref, msg);
    memset(pointer_to_null, 0, sizeof(void *));
}
