#include "actors/drainer/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/common/body.h"
#include "base/assert.h"
#include "base/condition.h"
#include "net/node.h"

/* Everything of "sluice" but the texts and the pumps. */
enum { MEMBERS_BYTES = 2048, NUMBER_BYTES = 64 };

static sl_ts load_ts(const _Atomic int64_t *fact)
{
    return atomic_load_explicit(fact, memory_order_relaxed);
}

static uint64_t load_count(const _Atomic uint64_t *fact)
{
    return atomic_load_explicit(fact, memory_order_relaxed);
}

/* ---- parts ---- */

static void put_member(struct sl_json_out *out, const char *name, int64_t value)
{
    sl_json_put(out, name);
    sl_json_put_int(out, value);
}

static void put_seconds(struct sl_json_out *out, const char *name, bool known, sl_nanos nanos)
{
    char text[NUMBER_BYTES];

    (void)snprintf(text, sizeof text, "%.3f", (double)nanos / 1e9);
    sl_json_put(out, name);
    sl_json_put(out, known ? text : "null");
}

static void put_positions(struct sl_json_out *out, const struct sl_drainer_seat *seats,
                          uint32_t count)
{
    sl_json_put(out, "{");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_put(out, i > 0 ? "," : "");
        sl_json_put_text(out, seats[i].node_id);
        put_member(out, ":", seats[i].received);
    }
    sl_json_put(out, "}");
}

/* What an operator can look up about a part that is not well. */
static enum sl_condition condition_of(enum sl_drainer_part part, const struct sl_drainer_note *note)
{
    bool is_held = note->health == SL_DRAINER_HELD;

    if (note->health == SL_DRAINER_RUNNING || note->health == SL_DRAINER_STOPPED)
        return SL_CONDITIONS;
    switch (part) {
    case SL_DRAINER_PART_REGISTRY: return SL_DRAINER_REGISTRY_AWAITED;
    case SL_DRAINER_PART_HEARTBEAT: return SL_DRAINER_RECORD_NOT_WRITTEN;
    case SL_DRAINER_PART_MERGE: return is_held ? SL_DRAINER_ORDER_BROKEN : SL_DRAINER_PUMP_AWAITED;
    case SL_DRAINER_PART_SPOOL: return SL_DRAINER_SPOOL_FAILS;
    case SL_DRAINER_PART_SCHEMA: return SL_DRAINER_JOB_AWAITED;
    case SL_DRAINER_PART_STREAM:
        if (note->code == SL_UNSUPPORTED)
            return SL_DRAINER_DDL_NOT_FOLLOWED;
        return note->code == SL_NOT_FOUND ? SL_DRAINER_TABLE_UNKNOWN
                                          : SL_DRAINER_BINLOG_NOT_UNDERSTOOD;
    case SL_DRAINER_PART_APPLY:
    case SL_DRAINER_PART_CHECKPOINT: break;
    case SL_DRAINER_PARTS: SL_UNREACHABLE("no part");
    }
    if (!is_held)
        return SL_DRAINER_DOWNSTREAM_FAILS;
    if (note->code == SL_DENIED)
        return SL_DRAINER_DOWNSTREAM_FORBIDS;
    if (note->code == SL_NOT_FOUND)
        return SL_DRAINER_TABLE_MISSING;
    if (part == SL_DRAINER_PART_APPLY)
        return SL_DRAINER_ROWS_REFUSED;
    return note->code == SL_CONFIG ? SL_DRAINER_DDL_IN_DOUBT : SL_DRAINER_DDL_REFUSED;
}

static void put_health(struct sl_json_out *out, struct sl_drainer_board *board)
{
    struct sl_drainer_note note;
    enum sl_drainer_part   part;
    enum sl_condition      condition;

    sl_drainer_board_worst(board, &part, &note);
    condition = condition_of(part, &note);
    sl_json_put(out, "\"state\":");
    sl_json_put_text(out, sl_drainer_health_name(note.health));
    put_member(out, ",\"since\":", note.since_ms);
    sl_json_put(out, ",\"code\":");
    sl_json_put_text(out, condition != SL_CONDITIONS ? sl_condition_row(condition)->code : "");
    sl_json_put(out, ",\"reason\":");
    sl_json_put_text(out, note.health != SL_DRAINER_RUNNING ? note.why.text : "");
    sl_json_put(out, ",\"waiting_on\":");
    sl_json_put_text(out, note.health != SL_DRAINER_RUNNING ? sl_drainer_part_name(part) : "");
}

static void put_progress(struct sl_json_out *out, struct sl_drainer_board *board,
                         const struct sl_drainer_status *status)
{
    struct sl_drainer_lag lag = sl_drainer_board_lag(board, status->now);
    char                  text[NUMBER_BYTES];

    put_seconds(out, ",\"lag_seconds\":", lag.known, lag.total);
    put_seconds(out, ",\"lag_pull_seconds\":", lag.known, lag.pull);
    put_seconds(out, ",\"lag_apply_seconds\":", lag.known, lag.apply);
    (void)snprintf(text, sizeof text, "%.1f", status->rows_per_second);
    sl_json_put(out, ",\"rows_per_second\":");
    sl_json_put(out, status->rows_per_second < 0 ? "null" : text);
    put_member(out,
               ",\"rows_inserted\":", (int64_t)load_count(&board->rows[SL_DRAINER_ROWS_INSERTED]));
    put_member(out,
               ",\"rows_updated\":", (int64_t)load_count(&board->rows[SL_DRAINER_ROWS_UPDATED]));
    put_member(out,
               ",\"rows_deleted\":", (int64_t)load_count(&board->rows[SL_DRAINER_ROWS_DELETED]));
    put_member(out, ",\"transactions\":", (int64_t)load_count(&board->transactions));
    put_member(out, ",\"ddls\":", (int64_t)load_count(&board->ddls));
    put_member(out, ",\"schema_version\":", load_ts(&board->schema_version));
    put_member(out, ",\"applied_ts\":", load_ts(&board->applied_ts));
    put_member(out, ",\"held_bytes\":", (int64_t)load_count(&board->held_bytes));
}

static void put_pumps(struct sl_json_out *out, const struct sl_drainer_seat *seats, uint32_t count)
{
    sl_json_put(out, ",\"pumps\":[");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_put(out, i > 0 ? ",{\"node_id\":" : "{\"node_id\":");
        sl_json_put_text(out, seats[i].node_id);
        put_member(out, ",\"received_ts\":", seats[i].received);
        sl_json_put(out, ",\"reason\":");
        sl_json_put_text(out, seats[i].why.text);
        sl_json_put(out, "}");
    }
    sl_json_put(out, "]");
}

/* ---- bodies ---- */

/* Something waits, is tried again or is held, or changes are not applied yet. */
static bool is_busy(struct sl_drainer_board *board)
{
    struct sl_drainer_note note;
    enum sl_drainer_part   part;

    sl_drainer_board_worst(board, &part, &note);
    return note.health != SL_DRAINER_RUNNING || load_count(&board->held_bytes) > 0;
}

/* Nothing was applied for longer than that, since there was nothing: a downstream that hangs is not
 * synced. A start counts as a success, once it has come to what could be applied. */
static bool is_synced(struct sl_drainer_board *board, const struct sl_drainer_status *status)
{
    sl_nanos at = load_count(&board->success_at);

    if (!atomic_load_explicit(&board->is_open, memory_order_relaxed) || is_busy(board))
        return false;
    if (at < status->started_at)
        at = status->started_at;
    return status->now > at &&
           status->now - at > (sl_nanos)status->synced_check_ms * SL_NANOS_PER_MS;
}

/* Room that holds whatever will be put. */
static size_t room_for(uint32_t count)
{
    size_t texts = SL_WHY_BYTES_MAX + SL_NODE_ID_BYTES_MAX;
    size_t pump =
        SL_BODY_GROWTH * (SL_WHY_BYTES_MAX + 2 * SL_NODE_ID_BYTES_MAX) + 2 * SL_BODY_FRAME_BYTES;

    return MEMBERS_BYTES + SL_BODY_GROWTH * texts + count * pump;
}

struct sl_buf *sl_drainer_status_body(struct sl_drainer_board        *board,
                                      const struct sl_drainer_status *status)
{
    uint32_t                count;
    bool                    looked;
    struct sl_drainer_seat *seats = sl_drainer_board_seats(board, &count, &looked);
    struct sl_json_out      out = sl_body_begin(room_for(count));
    uint32_t                state = atomic_load_explicit(&board->state, memory_order_relaxed);

    sl_json_put(&out, "{\"PumpPos\":");
    if (looked)
        put_positions(&out, seats, count);
    else
        sl_json_put(&out, "null");
    sl_json_put(&out, is_synced(board, status) ? ",\"Synced\":true" : ",\"Synced\":false");
    put_member(&out, ",\"LastTS\":", load_ts(&board->saved_ts));
    sl_json_put(&out, ",\"TsMap\":\"\",\"sluice\":{");
    put_health(&out, board);
    put_progress(&out, board, status);
    sl_json_put(&out, ",\"node_id\":");
    sl_json_put_text(&out, status->node_id);
    sl_json_put(&out, ",\"node_state\":");
    sl_json_put_text(&out, sl_node_state_name((enum sl_node_state)state));
    put_pumps(&out, seats, count);
    sl_json_put(&out, "}}\n");
    free(seats);
    return sl_body_end(&out);
}

struct sl_buf *sl_drainer_commit_ts_body(const struct sl_drainer_board *board)
{
    enum { SUCCESS = 200 };
    char data[NUMBER_BYTES];

    (void)snprintf(data, sizeof data, "{\n    \"ts\": %" PRId64 "\n  }", load_ts(&board->saved_ts));
    return sl_body_reply("get drainer's latest ts success!", SUCCESS, data);
}

struct sl_buf *sl_drainer_not_ready_body(struct sl_drainer_board *board)
{
    uint32_t                state = atomic_load_explicit(&board->state, memory_order_relaxed);
    struct sl_drainer_note  note;
    enum sl_drainer_part    part;
    char                    text[SL_WHY_BYTES_MAX + NUMBER_BYTES];
    uint32_t                count;
    bool                    looked;
    struct sl_drainer_seat *seats = sl_drainer_board_seats(board, &count, &looked);

    free(seats);
    sl_drainer_board_worst(board, &part, &note);
    if (note.health >= SL_DRAINER_HELD)
        (void)snprintf(text, sizeof text, "%s is %s: %s\n", sl_drainer_part_name(part),
                       sl_drainer_health_name(note.health), note.why.text);
    else if (!atomic_load_explicit(&board->is_open, memory_order_relaxed))
        (void)snprintf(text, sizeof text, "starting, %s is %s: %s\n", sl_drainer_part_name(part),
                       sl_drainer_health_name(note.health), note.why.text);
    else if (state != SL_NODE_ONLINE)
        (void)snprintf(text, sizeof text, "state is %s\n",
                       sl_node_state_name((enum sl_node_state)state));
    else if (!looked)
        (void)snprintf(text, sizeof text, "the pumps are not known yet\n");
    else
        return NULL;
    return sl_body_line(text);
}
