/* Is a write taken? The checks of the original in its order, with its codes and texts (pump spec
 * 1.4), and ours behind them. */

#include <inttypes.h>

#include "actors/pump/session_private.h"
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

static bool check_request(const struct session *s, const struct sl_buf *message,
                          struct sl_write_request *request, struct session_refusal *out)
{
    if (sl_write_request_decode(sl_slice_from_buf(message), request, &out->why) != SL_OK) {
        (void)refuse(out, SL_PUMP_REFUSED_PAYLOAD,
                     sl_wrap(&out->why, SL_INVALID, "grpc: error unmarshalling request"));
        out->status = SL_GRPC_INTERNAL;
        return false;
    }
    if (request->cluster_id == s->pump->cluster_id)
        return true;
    return refuse(out, SL_PUMP_REFUSED_CLUSTER,
                  sl_fail(&out->why, SL_INVALID, "cluster ID are mismatch, %" PRIu64 " vs %" PRIu64,
                          request->cluster_id, s->pump->cluster_id));
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

static bool check_space(const struct sl_pump *pump, const struct sl_record *record,
                        struct session_refusal *out)
{
    uint64_t space = atomic_load_explicit(&pump->board.space_available, memory_order_relaxed);

    if (space > pump->options.stop_write_bytes || sl_record_is_fake(record))
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
    if (!s->stopping)
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
    return check_state(s->pump, record, out) && check_space(s->pump, record, out) &&
           check_unresolved(s->pump, record, out) && check_held(s, out);
}
