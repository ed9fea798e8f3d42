#ifndef SL_NET_GRPC_PRIVATE_H
#define SL_NET_GRPC_PRIVATE_H

/* What the parts of net/grpc.h share: grpc.c (connections, the interface), grpc_call.c (a call's
 * life), grpc_receive.c and grpc_send.c (its messages), grpc_server.c and grpc_client.c (what the
 * two sides make of headers). */

#include "base/list.h"
#include "net/grpc.h"
#include "net/grpc_gzip.h"
#include "net/grpc_inbox.h"

/* A call lives as long as its stream. Its owner knows it from `called` or sl_grpc_call (told) until
 * `over` or sl_grpc_cancel (gone). */
struct sl_grpc_call {
    struct sl_list_node          node; /* in the connection's calls */
    struct sl_grpc              *grpc;
    struct sl_h2_stream         *stream;
    const struct sl_grpc_events *events;
    void                        *context;
    sl_nanos                     deadline; /* SL_GRPC_NEVER: none */
    struct grpc_inbox            inbox;
    bool                         told;
    bool                         gone;
    bool                         headed;   /* the response's header was sent, or received */
    bool                         many;     /* more than one message may be received */
    bool                         any;      /* one was */
    bool                         finished; /* server: status was given */
    enum sl_grpc_status          status;   /* of finished */
    bool                         granted;  /* the message in the inbox was */
    sl_nanos                     seen_at;  /* tick before its last byte */
    bool                         gzip;     /* the peer's grpc-encoding is gzip */
    bool                         packed;   /* the message in the inbox is compressed */
    /* Of compressed messages delivered and not consumed: what they take of the window, and bytes
     * as they were delivered. */
    uint32_t held_wire;
    uint64_t held_plain;
    /* Of messages in pieces: bytes delivered and not consumed, and bytes for which the window must
     * still grow. */
    uint64_t held_pieces;
    uint64_t ungrown;
    uint32_t piece_bytes;  /* the message in the inbox comes in pieces; 0: whole */
    uint32_t unsent;       /* of the message being sent in pieces */
    bool     unsent_begun; /* its prefix is out */
};

/* One connection. */
struct sl_grpc {
    enum sl_h2_role              role;
    const struct sl_grpc_events *events; /* server: of all calls */
    void                        *context;
    struct sl_grpc_options       options;
    struct sl_h2                *h2;   /* owned */
    struct grpc_gzip            *gzip; /* owned; NULL until a message needs it */
    struct sl_list               calls;
    sl_nanos                     now;
    sl_nanos                     next_due;
};

/* ---- grpc_call.c ---- */

/* A call on this stream, not told to its owner yet. */
struct sl_grpc_call *grpc_call_new(struct sl_grpc *grpc, struct sl_h2_stream *stream,
                                   const struct sl_grpc_events *events, void *context);
void                 grpc_call_free(struct sl_grpc_call *call);

void grpc_note_due(struct sl_grpc *grpc, sl_nanos due);
void grpc_call_set_deadline(struct sl_grpc_call *call, sl_nanos deadline);
/* Remember the peer's grpc-encoding. False: we have no decompressor, and the call has failed. */
bool grpc_call_keep_encoding(struct sl_grpc_call *call, struct sl_slice encoding);
/* The connection's, made when it is first needed. */
struct grpc_gzip *grpc_gzip_of(struct sl_grpc *grpc);

/* Nothing that comes for the call matters any more. */
bool grpc_call_is_settled(const struct sl_grpc_call *call);

/* `over`, if the owner knows the call and has not heard it. */
void grpc_call_tell_over(struct sl_grpc_call *call, enum sl_grpc_status status, const char *text);
/* Server: the status on the wire, in a header of its own when nothing was sent before it. */
void grpc_call_answer(struct sl_grpc_call *call, enum sl_grpc_status status, const char *text);
/* This module ends the call: it tells the peer, then the owner. */
void grpc_call_fail(struct sl_grpc_call *call, enum sl_grpc_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- grpc_receive.c ---- */

/* Take the input and deliver what becomes whole. Handlers may end the call meanwhile, but it is
 * freed only with its stream, not from here. */
void grpc_call_take(struct sl_grpc_call *call, struct grpc_input *input);

/* ---- grpc_server.c ---- */

void grpc_server_begun(void *grpc, struct sl_h2_stream *stream,
                       const struct sl_h2_headers *headers);
void grpc_server_ended(struct sl_grpc_call *call);

/* ---- grpc_client.c ---- */

void grpc_client_headers(void *grpc, struct sl_h2_stream *stream,
                         const struct sl_h2_headers *headers, bool last);
void grpc_client_ended(struct sl_grpc_call *call);

/* ---- values ---- */

extern const char grpc_content_type[];
extern const char grpc_gzip_name[];

/* A type that begins with grpc_content_type, as gRPC has it. */
bool grpc_is_content(struct sl_slice type);
bool grpc_slice_is(struct sl_slice value, const char *text);
/* Arguments for "%.*s": a peer's value, cut. */
int         grpc_shown(struct sl_slice value);
const char *grpc_chars(struct sl_slice value);

#endif
