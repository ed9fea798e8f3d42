#ifndef SL_RUNTIME_MSG_H
#define SL_RUNTIME_MSG_H

/* Messages: what actors say to each other.
 *
 * A message is a struct whose first member is `struct sl_msg hdr`. It has one owner at a time:
 * whoever made it, then the mailbox, then the runtime while the handler runs, then whoever took it
 * with sl_take. Passing a message on moves it: the giver's pointer is NULL afterwards. A message
 * that holds a credit of a line (runtime/line.h) gives it back where it is freed; a question that
 * is freed unanswered answers its asker with SL_MSG_GONE. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* Where an actor can be reached. Stays valid to use after the actor's death: mail to it is then
 * freed. */
struct sl_ref {
    uint32_t index;
    uint32_t generation; /* 0: nobody */
};

/* Messages of the runtime itself; they go to the `system` hook of a class. */
enum sl_system_msg {
    SL_MSG_STOP,        /* struct sl_msg: end in an orderly way (sl_stop when ready) */
    SL_MSG_GONE,        /* struct sl_msg: the question with this tag will not be answered */
    SL_MSG_CHILD_ENDED, /* struct sl_child_ended */
    SL_MSG_OPEN,        /* struct sl_msg: the line waited for with this tag has room again */
    SL_MSG_GRANTED, /* struct sl_msg: the reservation with this tag; take it with sl_permit_of */
    SL_SYSTEM_MSGS,
};

/* The first number an actor's own protocol may use. */
enum { SL_MSG_USER = 16 };

struct sl_line;
struct sl_msg;

/* Frees what a message owns besides itself. Called once, when the message is freed. */
typedef void (*sl_msg_release)(struct sl_msg *msg);

/* The head of every message. Actors read `type` and `tag` and may set `bytes` before sending; the
 * rest is the runtime's. */
struct sl_msg {
    uint16_t        type;          /* of the receiver's protocol */
    uint8_t         flags;         /* enum msg_flags */
    uint8_t         size_class;    /* where its memory came from */
    uint32_t        bytes;         /* payload bytes it is charged on its line; set before sl_send */
    uint32_t        to_generation; /* of the receiver meant */
    uint32_t        reserved;
    struct sl_line *line;    /* whose credit it holds, or NULL */
    struct sl_ref   asker;   /* who awaits an answer, or nobody */
    uint64_t        tag;     /* the asker's name for the question; echoed in the answer */
    sl_msg_release  release; /* or NULL */
};

/* The duty to answer one question. */
struct sl_asker {
    struct sl_ref ref;
    uint64_t      tag;
};

/* A child has ended: by itself or on request (err SL_OK), or by an error. */
struct sl_child_ended {
    struct sl_msg hdr;
    struct sl_ref child;
    const char   *class_name;
    enum sl_err   err;
    struct sl_why why;
};

/* 1 when both mean the same life of the same actor, else 0. */
static inline int sl_ref_equal(struct sl_ref a, struct sl_ref b)
{
    return a.index == b.index && a.generation == b.generation;
}

/* A zeroed message of this struct type and protocol number, from the pool of the calling thread.
 * Never NULL. Any thread of the runtime. The second form is for messages that own something:
 * `release` frees it. */
#define sl_msg_new(T, type_number) ((T *)(void *)sl_msg_alloc(sizeof(T), (type_number), NULL))
#define sl_msg_new_owning(T, type_number, release_fn) \
    ((T *)(void *)sl_msg_alloc(sizeof(T), (type_number), (release_fn)))

/* Free *mp and null it: payload released, credit home, an open question answered SL_MSG_GONE. *mp
 * is not NULL; mp is evaluated twice. */
#define sl_msg_free(mp) sl_msg_discard(&(*(mp))->hdr, (mp))

/* The duty to answer this message; it leaves the message, which may now be freed or passed on in
 * peace. The message is a question, and the caller answers it exactly once with sl_reply. */
struct sl_asker sl_asker_of(struct sl_msg *msg);

/* Behind the macros. */
void *sl_msg_alloc(size_t bytes, unsigned type, sl_msg_release release);
void  sl_msg_discard(struct sl_msg *msg, void *pointer_to_null);

#endif
