/* Is a write taken? The checks of the original in its order, with its codes and texts (pump spec
 * 1.4), and ours behind them. */

#include <inttypes.h>

#include "actors/pump/session_private.h"
#include "base/assert.h"
#include "binlog/request.h"
#include "net/node.h"

/* Who hears UNAVAILABLE tries another pump. Every other failure is UNKNOWN: RESOURCE_EXHAUSTED
 * would make TiDB give up its transaction. */
enum sl_grpc_status session_status_of(enum sl_err err)
{
    bool elsewhere = err == SL_STOPPED || err == SL_GONE || err == SL_UNAVAILABLE;

    return elsewhere ? SL_GRPC_UNAVAILABLE : SL_GRPC_UNKNOWN;
}

static bool refuse(struct session_refusal *out, enum sl_pump_refusal reason, enum sl_err err)
{
    out->reason = reason;
    out->status = session_status_of(err);
    return false;
}

static bool refuse_request(struct session_refusal *out)
{
    (void)refuse(out, SL_PUMP_REFUSED_PAYLOAD,
                 sl_wrap(&out->why, SL_INVALID, "grpc: error unmarshalling request"));
    out->status = SL_GRPC_INTERNAL;
    return false;
}

static bool check_cluster(const struct session *s, uint64_t cluster_id, struct session_refusal *out)
{
    if (cluster_id == s->pump->cluster_id)
        return true;
    return refuse(out, SL_PUMP_REFUSED_CLUSTER,
                  sl_fail(&out->why, SL_INVALID, "cluster ID are mismatch, %" PRIu64 " vs %" PRIu64,
                          cluster_id, s->pump->cluster_id));
}

static bool check_request(const struct session *s, const struct sl_buf *message,
                          struct sl_write_request *request, struct session_refusal *out)
{
    if (sl_write_request_decode(sl_slice_from_buf(message), request, &out->why) != SL_OK)
        return refuse_request(out);
    return check_cluster(s, request->cluster_id, out);
}

static bool check_state(const struct sl_pump *pump, const struct sl_record *record,
                        struct session_refusal *out)
{
    enum sl_node_state state =
        (enum sl_node_state)atomic_load_explicit(&pump->board.state, memory_order_relaxed);
    struct sl_node_rights rights = sl_node_rights_of(state);

    if (record->type == SL_RECORD_PREWRITE ? rights.takes_prewrites : rights.takes_outcomes)
        return true;
    return refuse(out, SL_PUMP_REFUSED_STATE,
                  sl_fail(&out->why, SL_INVALID, "no online: %s", sl_node_state_name(state)));
}

/* bytes: of a request whose size matters, else 0. */
static bool check_space(const struct sl_pump *pump, const struct sl_record *record, uint64_t bytes,
                        struct session_refusal *out)
{
    uint64_t space = atomic_load_explicit(&pump->board.space_available, memory_order_relaxed);

    if ((space > bytes && space - bytes > pump->options.stop_write_bytes) ||
        sl_record_is_fake(record))
        return true;
    return refuse(out, SL_PUMP_REFUSED_SPACE,
                  sl_fail(&out->why, SL_NOSPACE,
                          "no available space, available: %" PRIu64
                          ", StopWriteAtAvailableSpace: %" PRIu64,
                          space, pump->options.stop_write_bytes));
}

/* A pump that knows too many prewrites without outcome takes no more, and the probe fails too, so
 * that TiDB goes elsewhere. */
static bool check_unresolved(const struct sl_pump *pump, const struct sl_record *record,
                             struct session_refusal *out)
{
    for (uint32_t k = 0; k < pump->options.shards && record->type == SL_RECORD_PREWRITE; k++) {
        uint32_t count = atomic_load_explicit(&pump->board.unresolved[k], memory_order_relaxed);

        if (count >= SL_UNRESOLVED_MAX)
            return refuse(out, SL_PUMP_REFUSED_UNRESOLVED,
                          sl_fail(&out->why, SL_UNAVAILABLE,
                                  "%" PRIu32 " transactions of shard %" PRIu32
                                  " have no outcome yet; no prewrites are taken until some have",
                                  count, k));
    }
    return true;
}

static bool check_held(const struct session *s, struct session_refusal *out)
{
    if (s->writes.held < SL_PUMP_SESSION_HELD)
        return true;
    return refuse(out, SL_PUMP_REFUSED_BUSY,
                  sl_fail(&out->why, SL_UNAVAILABLE, "too many writes of this connection wait"));
}

bool session_check_stopping(const struct session *s, struct session_refusal *out)
{
    if (!s->connection.stopping)
        return true;
    return refuse(out, SL_PUMP_REFUSED_STOPPING,
                  sl_fail(&out->why, SL_STOPPED, "%s", session_stopping_text));
}

bool session_check(const struct session *s, const struct sl_buf *message, struct sl_slice *payload,
                   struct sl_record *record, struct session_refusal *out)
{
    struct sl_write_request request;
    enum sl_err             err;

    out->why.text[0] = '\0';
    if (!session_check_stopping(s, out) || !check_request(s, message, &request, out))
        return false;
    *payload = request.payload;
    if ((err = sl_record_decode(request.payload, record, &out->why)) != SL_OK)
        return refuse(out, SL_PUMP_REFUSED_PAYLOAD, err);
    return check_state(s->pump, record, out) && check_space(s->pump, record, 0, out) &&
           check_unresolved(s->pump, record, out) && check_held(s, out);
}

/* ---- in pieces ---- */

uint32_t session_large_bytes(const struct session *s)
{
    uint64_t asked = s->pump->options.large_bytes;

    SL_ASSERT(asked == 0 || asked >= SL_SPOOL_PIECE_BYTES_MIN);
    return asked > 0 && asked < SL_VLOG_PAYLOAD_BYTES_MAX ? (uint32_t)asked
                                                          : SL_VLOG_PAYLOAD_BYTES_MAX;
}

/* Counted when the call is over, as are those that never came so far. */
bool session_check_too_large(uint64_t bytes, uint64_t max, struct session_refusal *out)
{
    out->reason = SL_PUMP_REFUSED_SIZE;
    out->status = SL_GRPC_RESOURCE_EXHAUSTED;
    (void)sl_fail(&out->why, SL_TOO_LARGE,
                  "grpc: received message larger than max (%" PRIu64 " vs. %" PRIu64 ")", bytes,
                  max);
    return false;
}

/* A log that is broken takes no references: whole entities would be written for nothing. */
static bool check_log(const struct sl_pump *pump, sl_ts start_ts, struct session_refusal *out)
{
    uint32_t k = sl_pump_shard_of(pump, start_ts);

    if (atomic_load_explicit(&pump->board.broken[k], memory_order_relaxed) == 0)
        return true;
    return refuse(
        out, SL_PUMP_REFUSED_BUSY,
        sl_fail(&out->why, SL_IO,
                "write to disk failed: the value log of shard %" PRIu32 " cannot be opened", k));
}

bool session_check_begin(const struct session *s, uint64_t cluster_id,
                         const struct sl_record *record, uint64_t bytes,
                         struct session_refusal *out)
{
    out->why.text[0] = '\0';
    if (record->type != SL_RECORD_PREWRITE) /* any other is small, or it is nonsense */
        return session_check_too_large(bytes, session_large_bytes(s), out);
    return session_check_stopping(s, out) && check_cluster(s, cluster_id, out) &&
           check_state(s->pump, record, out) && check_space(s->pump, record, bytes, out) &&
           check_unresolved(s->pump, record, out) && check_log(s->pump, record->start_ts, out);
}

bool session_check_end(const struct session *s, struct sl_write_stream *stream, uint64_t bytes,
                       struct sl_record_around *around, struct session_refusal *out)
{
    uint64_t    cluster_id;
    enum sl_err err;

    out->why.text[0] = '\0';
    if (sl_write_stream_cluster(stream, &cluster_id, &out->why) != SL_OK)
        return refuse_request(out);
    if ((err = sl_write_stream_take(stream, around, &out->why)) != SL_OK)
        return refuse(out, SL_PUMP_REFUSED_PAYLOAD, err);
    return session_check_begin(s, cluster_id, &around->record, bytes, out);
}
