#ifndef SL_ACTORS_DRAINER_FRONT_MESSAGES_H
#define SL_ACTORS_DRAINER_FRONT_MESSAGES_H

/* What the actors of a drainer's front say, to each other and to those behind. Their numbers are
 * the first of the drainer's one numbering, and their lines the first of its lines: messages.h and
 * topology.h go on behind SL_DRAINER_FRONT_MSG_END and SL_DRAINER_FRONT_LINES. */

#include <stdbool.h>

#include "net/node.h"
#include "runtime/msg.h"

/* In the comments: Q asks a question, A is an answer, T is a timer's own. */
#define SL_DRAINER_FRONT_MSG_TABLE(X)                                                         \
    X(SL_DRAINER_NOTIFY, "notify")          /* Q session -> collector: plain */               \
    X(SL_DRAINER_NOTIFIED, "notified")      /* A plain: every pump there is has its seat */   \
    X(SL_DRAINER_FAILED, "failed")          /* A struct sl_drainer_failed: to any question */ \
    X(SL_DRAINER_PUBLISH, "publish")        /* Q root -> registrar */                         \
    X(SL_DRAINER_PUBLISHED, "published")    /* A plain: the registry has it */                \
    X(SL_DRAINER_LEAVE, "leave")            /* admin -> root */                               \
    X(SL_DRAINER_TUNE, "tune")              /* Q admin -> dispatcher */                       \
    X(SL_DRAINER_TUNED, "tuned")            /* A plain: it is in effect, or will be soon */   \
    X(SL_DRAINER_HTTP_REQUEST, "request")   /* Q session -> admin: struct sl_http_question */ \
    X(SL_DRAINER_HTTP_RESPONSE, "response") /* A struct sl_http_answer */                     \
    X(SL_DRAINER_ACCEPT, "accept")          /* T gateway: try again */                        \
    X(SL_DRAINER_DUE, "due")                /* T session: something has its deadline now */   \
    X(SL_DRAINER_HEARTBEAT, "heartbeat")    /* T registrar */                                 \
    X(SL_DRAINER_SAMPLE, "sample")          /* T admin: look at what is counted */            \
    X(SL_DRAINER_PUSH, "push")              /* T pusher */

/* The numbers, made from the table; the first is SL_MSG_USER. */
enum sl_drainer_front_msg {
    SL_DRAINER_FRONT_MSG_BEFORE = SL_MSG_USER - 1,
#define SL_DRAINER_FRONT_MSG_MEMBER(code, text) code,
    SL_DRAINER_FRONT_MSG_TABLE(SL_DRAINER_FRONT_MSG_MEMBER)
#undef SL_DRAINER_FRONT_MSG_MEMBER
        SL_DRAINER_FRONT_MSG_END
};

/* Their names, for the classes of the front, which meet no others. */
extern const char *const sl_drainer_front_msg_names[SL_DRAINER_FRONT_MSG_END - SL_MSG_USER];

/* The question that was asked cannot be met. why.text is what a client is told, as it stands. */
struct sl_drainer_failed {
    struct sl_msg hdr;
    enum sl_err   err;
    struct sl_why why;
};

/* With err and why (copied; may be NULL: the text of err). */
struct sl_drainer_failed *sl_drainer_failed_new(enum sl_err err, const struct sl_why *why);

/* "Make this the drainer's state": answered PUBLISHED when the registry says so, with the
 * checkpoint of that moment; FAILED when it cannot be told. */
struct sl_drainer_publish {
    struct sl_msg      hdr;
    enum sl_node_state state;
};

/* "Go on with these": answered TUNED when it is taken. Batches change at once;
 * workers with the next change, when all in flight is applied. */
struct sl_drainer_tune {
    struct sl_msg hdr;
    uint32_t      workers;   /* of those that were started; 0: as it is */
    uint32_t      part_rows; /* row changes of one part; 0: as it is */
};

/* "Stop": like a signal, or for good. */
struct sl_drainer_leave {
    struct sl_msg hdr;
    bool          for_good;
};

#endif
