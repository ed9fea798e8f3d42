#ifndef SL_NET_CHANNEL_H
#define SL_NET_CHANNEL_H

/* A channel: one gRPC client connection with its socket, for code that may block: doors that an
 * actor of the peer or disk lane owns (etcd, PD, TiKV), and command line tools.
 *
 * Two ways to use it. Blocking: sl_channel_unary, sl_channel_stream_*: one call at a time, each
 * bounded by a deadline. Or event by event, for many calls on many channels at one time:
 *
 *     while (...) {
 *         begin calls on sl_channel_grpc(c)
 *         sl_channel_wait(channels, count, until)     blocks until something can be done
 *         sl_channel_step(channels[i])                moves bytes; the calls' events come from it
 *     }
 *
 * A channel connects when it is first needed. When its connection breaks, its calls end as
 * UNAVAILABLE, and the next use connects again; how long to wait before that is the caller's to
 * say. A call may be begun before the connection stands: its bytes wait. When the server says
 * GOAWAY, the calls that are open go on, and the next one gets a new connection. A connection that
 * is not made within SL_CHANNEL_CONNECT_S is given up, and one that is silent while calls are open,
 * a ping included (SL_CHANNEL_PING_S, SL_CHANNEL_PONG_S).
 *
 * Not for simulation, whose network cannot be waited for. A channel is used by one thread at a
 * time, and of all functions here a handler of an event may call sl_channel_grpc alone. */

#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "net/grpc.h"

struct sl_channel;

/* A channel to "host:port", "unix:/path", or a URL of these: "http://host:port" or "unix://path";
 * connects to nobody yet. env outlives it. SL_INVALID: not an address; SL_UNSUPPORTED: https or
 * unixs. message_bytes_max as in struct sl_grpc_options. */
enum sl_err sl_channel_new(const struct sl_env *env, const char *address, size_t message_bytes_max,
                           struct sl_channel **out, struct sl_why *why);
/* What is sent from the next connection on is compressed, and so are the answers of servers that
 * answer as they are asked. */
void sl_channel_use_gzip(struct sl_channel *channel);
/* Ends its calls (`over` is heard as UNAVAILABLE), closes, frees, nulls. *channel may be NULL. */
void sl_channel_free(struct sl_channel **channel);
/* As it was given; valid as long as the channel. */
const char *sl_channel_address(const struct sl_channel *channel);

/* ---- blocking ---- */

/* How a call ended: status, and the server's words or ours. */
struct sl_channel_end {
    enum sl_grpc_status status;
    struct sl_why       why;
};

/* One request, one answer. Takes *request in any case. SL_OK: *response is the caller's. Else `end`
 * says why: SL_UNAVAILABLE (no connection, or status UNAVAILABLE), SL_TIMEOUT, SL_INVALID (every
 * other status; or no message, or more than one: INTERNAL). `end` is set in any case. Events of
 * other calls on the channel come from here too. */
enum sl_err sl_channel_unary(struct sl_channel *channel, const char *path, struct sl_buf **request,
                             sl_nanos timeout, struct sl_buf **response,
                             struct sl_channel_end *end);

/* A call with many messages in either direction. Owned: sl_channel_stream_free, which cancels it
 * when it is not over. Several may be open at one time. It may outlive its channel, and is over
 * then. */
struct sl_channel_stream;
enum sl_err sl_channel_stream_open(struct sl_channel *channel, const char *path,
                                   struct sl_channel_stream **out, struct sl_why *why);
/* Send a message; takes *message but on SL_FULL. SL_UNAVAILABLE: the stream is over,
 * sl_channel_stream_next says why. SL_FULL: the server reads too slowly; try again after a
 * sl_channel_stream_next. Does not block. */
enum sl_err sl_channel_stream_send(struct sl_channel_stream *stream, struct sl_buf **message);
/* No more messages from us. Once. */
void sl_channel_stream_half_close(struct sl_channel_stream *stream);
/* The next message, the caller's. SL_TIMEOUT: none within that time (UINT64_MAX: no limit), the
 * stream goes on; SL_STOPPED: the server ended it with OK; else as sl_channel_unary. `end` is set
 * when the stream is over, and only then. */
enum sl_err sl_channel_stream_next(struct sl_channel_stream *stream, sl_nanos timeout,
                                   struct sl_buf **message, struct sl_channel_end *end);
/* Nulls the pointer; *stream may be NULL. */
void sl_channel_stream_free(struct sl_channel_stream **stream);

/* ---- event by event ---- */

/* The connection to begin calls on (net/grpc.h), connecting if there is none. Ask anew for each
 * call: it is valid until the next call of any function here. SL_UNAVAILABLE: it cannot even be
 * tried now. */
enum sl_err sl_channel_grpc(struct sl_channel *channel, struct sl_grpc **out, struct sl_why *why);
/* Move what can be moved without waiting, and tell the time to the calls. SL_OK, or why the
 * connection is lost (SL_UNAVAILABLE: it was not made; SL_RESET; SL_INVALID or SL_TOO_LARGE: the
 * peer broke the protocol or a limit); its calls have ended then. That a peer closes a connection
 * without open calls is no error. */
enum sl_err sl_channel_step(struct sl_channel *channel, struct sl_why *why);
/* Block until one of them has something to do in sl_channel_step, or until the moment `until`
 * (UINT64_MAX: no limit). May return early. Channels without a connection are passed over; when
 * all are and there is no limit, it returns at once. count is at least 1 and at most
 * SL_NET_WAIT_MAX / SL_CHANNEL_WAITS_MAX; all channels have the same environment. */
void sl_channel_wait(struct sl_channel *const *channels, uint32_t count, sl_nanos until);
/* For who waits for other sockets too, with sl_net_wait: what sl_channel_wait waits for, into
 * waits[SL_CHANNEL_WAITS_MAX]; *until is lowered to the moment by which sl_channel_step has to
 * come. Returns how many. Valid until the next call of any function here. */
uint32_t sl_channel_waits(const struct sl_channel *channel, struct sl_socket_wait *waits,
                          sl_nanos *until);

#endif
