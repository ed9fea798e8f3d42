#ifndef SL_NET_H2_PRIVATE_H
#define SL_NET_H2_PRIVATE_H

/* What the parts of net/h2.h share: h2.c speaks to nghttp2, h2_stream.c keeps streams and what they
 * have to send. */

#include "base/list.h"
#include "net/h2.h"
#include "net/h2_block.h"
#include "net/h2_budget.h"
#include "net/h2_output.h"
#include "net/h2_queue.h"

struct nghttp2_session;

/* See net/h2.h. */
struct sl_h2_stream {
    struct sl_list_node   node; /* in the connection's streams */
    struct sl_h2         *h2;
    int32_t               id;
    void                 *context;
    struct h2_queue       queue;
    struct sl_h2_headers *trailers;   /* owned; sent behind the queue; may be NULL */
    struct sl_list_node   starved;    /* linked: the owner awaits `writable` */
    struct sl_list_node   announcing; /* linked: consumed > 0 */
    size_t                consumed;   /* the peer is to hear of it with the next output */
    size_t                window;     /* bytes the peer may still send */
    bool                  headed;     /* server: we responded; client: the server did */
    bool                  peer_ended;
    bool                  ended;    /* nothing will be queued any more */
    bool                  end_sent; /* and all was handed to the output */
    bool                  reset;
};

/* See net/h2.h. */
struct sl_h2 {
    enum sl_h2_role            role;
    const struct sl_h2_events *events;
    void                      *context;
    struct sl_h2_limits        limits;
    struct nghttp2_session    *session;
    struct sl_list             streams;
    uint32_t                   stream_count;
    struct sl_list             starved;
    struct sl_list             announcing;
    size_t                     queue_cost; /* of all streams */
    struct h2_budget           budget;
    struct sl_buf             *input; /* borrowed, during sl_h2_receive */
    struct h2_block            block; /* header being received */
    bool                       goaway_begun;
    enum sl_err                failed; /* SL_OK while the connection is alive */
    struct sl_why              why;    /* of failed */
    struct h2_output           output;
};

/* ---- h2_stream.c ---- */

/* A stream with this id, 0 while it is not known. */
struct sl_h2_stream *h2_stream_add(struct sl_h2 *h2, int32_t id);
void                 h2_stream_free(struct sl_h2_stream *stream);
/* Forget what is queued and what the owner waits for. */
void h2_stream_drop_queue(struct sl_h2_stream *stream);

/* Move up to room bytes of the stream's queue to out; returns how many. */
size_t h2_stream_take(struct sl_h2_stream *stream, uint8_t *out, size_t room);

/* Wake the owners whose sends were refused and for whom there is room. True when any was. */
bool h2_relieve(struct sl_h2 *h2);

/* Note why the connection ends; the first reason stays. detail may be NULL when it has no bytes. */
void h2_give_up(struct sl_h2 *h2, enum sl_err err, const char *reason, const char *detail,
                size_t detail_bytes);

/* One frame without use. False when the peer has sent too many: then stop reading. */
bool h2_charge(struct sl_h2 *h2);

/* ---- h2_receive.c: false means stop reading ---- */

/* Reset a stream whose peer misbehaves; its owner may not have heard of it yet. */
bool h2_refuse(struct sl_h2 *h2, int32_t id, enum sl_h2_code code);
/* The header in h2->block is whole. last: the peer ends the stream with it. */
bool h2_headers_received(struct sl_h2 *h2, int32_t id, bool last);
/* bytes lie in h2->input. */
bool h2_data_received(struct sl_h2 *h2, int32_t id, struct sl_slice bytes);
/* The peer has ended its side. */
void h2_tell_ended(struct sl_h2_stream *stream);
/* Both sides have, or one has reset it. */
void h2_stream_closed(struct sl_h2 *h2, int32_t id, uint32_t code);

/* ---- h2.c ---- */

/* The stream with this id that its owner knows, or NULL. */
struct sl_h2_stream *h2_find(struct sl_h2 *h2, int32_t id);
/* From now on h2_find finds it. */
void h2_adopt(struct sl_h2_stream *stream);
/* The stream has something to send, or its end. */
void h2_resume(struct sl_h2_stream *stream);
/* RST_STREAM is next for this stream. */
void h2_submit_reset(struct sl_h2 *h2, int32_t id, enum sl_h2_code code);
/* Let the peer send as much as it likes as far as the connection is concerned. */
void h2_open_connection_window(struct sl_h2 *h2);

#endif
