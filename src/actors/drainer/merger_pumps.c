/* The merger's pumps: each has a seat, which is an input of the merge, and a source while it is not
 * offline. A seat outlives its source, so that a pump that returns goes on behind what was taken of
 * it. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/merger_private.h"
#include "actors/drainer/topology.h"
#include "base/assert.h"
#include "base/intrusive.h"
#include "base/log.h"

struct seat *merger_seat_of(struct merger *m, uint32_t input)
{
    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        struct seat *seat = &m->seats[i];

        if (seat->state != SEAT_FREE && seat->state != SEAT_GONE && seat->shared->input == input)
            return seat;
    }
    return NULL;
}

uint64_t merger_pending(struct merger *m)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        const struct seat *seat = &m->seats[i];

        if (seat->state != SEAT_FREE && seat->state != SEAT_GONE)
            sum += sl_merge_pending(m->merge, seat->shared->input);
    }
    return sum;
}

void merger_hold(struct merger *m, const char *reason)
{
    if (!m->is_held)
        sl_log(SL_LOG_ERROR, "the stream is held", sl_field_str("reason", reason));
    m->is_held = true;
    sl_drainer_board_note(&m->drainer->front.board, SL_DRAINER_PART_MERGE, SL_DRAINER_HELD,
                          SL_INVALID, reason);
}

/* ---- coming and going ---- */

static void start_source(struct sl_ctx *ctx, struct seat *seat)
{
    enum sl_err err;

    seat->heard_at = sl_now(ctx);
    memcpy(seat->shared->host, seat->next_host, sizeof seat->shared->host);
    seat->shared->after = seat->last;
    seat->has_failed = false;
    err = sl_spawn(ctx, &sl_drainer_source_class, &seat->shared, sizeof seat->shared, &seat->ref);
    if (err == SL_OK) {
        seat->state = SEAT_PULLING;
        return;
    }
    seat->state = SEAT_WAITING;
    seat->restart_at = sl_now(ctx) + SL_SOURCE_RETRY_MS * (sl_nanos)SL_NANOS_PER_MS;
}

void merger_tell_gap(struct merger *m, const struct seat *seat)
{
    struct sl_why why;

    sl_fail(&why, SL_INVALID,
            "pump %s has removed what committed before ts %" PRId64
            ", and this drainer is only at %" PRId64
            ": what lies between is lost; restore a full backup and set the checkpoint to its "
            "timestamp; or, accepting the gap, stop, set commitTS of the checkpoint to the former, "
            "and start; or set the pump offline",
            seat->shared->node_id, sl_ts_of_ms(seat->removed_ms), seat->last);
    merger_hold(m, why.text);
}

/* Begin to pull, if nothing is missing behind the position. */
static void begin(struct sl_ctx *ctx, struct seat *seat, int64_t removed_ms)
{
    seat->removed_ms = removed_ms;
    if (removed_ms < 0)
        seat->state = SEAT_UNCHECKED;
    else if (seat->last > 0 && sl_ts_physical_ms(seat->last) < removed_ms)
        seat->state = SEAT_PURGED;
    else
        start_source(ctx, seat);
}

static void end_source(struct sl_ctx *ctx, struct seat *seat)
{
    if (seat->state != SEAT_PULLING)
        return;
    seat->state = SEAT_ENDING;
    sl_stop_child(ctx, seat->ref);
}

static struct seat *find_seat(struct merger *m, const char *node_id)
{
    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        if (m->seats[i].state != SEAT_FREE && strcmp(m->seats[i].shared->node_id, node_id) == 0)
            return &m->seats[i];
    }
    return NULL;
}

/* A free one, else the first one that is only remembered. */
static struct seat *new_seat(struct merger *m)
{
    struct seat *found = NULL;

    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        if (m->seats[i].state == SEAT_FREE)
            return &m->seats[i];
        if (m->seats[i].state == SEAT_GONE && found == NULL)
            found = &m->seats[i];
    }
    return found;
}

/* A pump joins the merge: behind what is passed, or, when it was here before, behind its own. */
static enum sl_err join(struct sl_ctx *ctx, struct merger *m, struct seat *seat,
                        const struct sl_node *node, int64_t removed_ms)
{
    bool        returns = seat != NULL;
    enum sl_err err;

    if (!returns && (seat = new_seat(m)) == NULL)
        return sl_fail(sl_why(ctx), SL_TOO_LARGE, "more than %d pumps", SL_DRAINER_SOURCES_MAX);
    if (seat->shared == NULL) {
        seat->shared = calloc(1, sizeof *seat->shared);
        SL_ASSERT(seat->shared != NULL);
    }
    if (!returns)
        seat->last = sl_merge_passed(m->merge);
    err = sl_merge_add(m->merge, seat->last, &seat->shared->input, sl_why(ctx));
    if (err != SL_OK)
        return err;
    seat->shared->drainer = m->drainer;
    seat->shared->merger = sl_self(ctx);
    memcpy(seat->shared->node_id, node->id, sizeof seat->shared->node_id);
    memcpy(seat->next_host, node->host, sizeof seat->next_host);
    seat->node_state = node->state;
    seat->is_offline = false;
    sl_drainer_board_seat(&m->drainer->front.board, seat->shared->input, node->id);
    sl_log(SL_LOG_INFO, "a pump joins", sl_field_str("pump", node->id),
           sl_field_str("state", sl_node_state_name(node->state)),
           sl_field_i64("after", seat->last));
    begin(ctx, seat, removed_ms);
    return SL_OK;
}

enum sl_err merger_look_at_pump(struct sl_ctx *ctx, struct merger *m, const struct sl_node *node,
                                int64_t removed_ms)
{
    struct seat *seat = find_seat(m, node->id);

    if (seat == NULL || seat->state == SEAT_GONE)
        return node->state == SL_NODE_OFFLINE ? SL_OK : join(ctx, m, seat, node, removed_ms);
    if (seat->node_state != node->state)
        sl_log(SL_LOG_INFO, "a pump has another state", sl_field_str("pump", node->id),
               sl_field_str("state", sl_node_state_name(node->state)));
    seat->node_state = node->state;
    seat->is_offline = node->state == SL_NODE_OFFLINE;
    memcpy(seat->next_host, node->host, sizeof seat->next_host);
    if (seat->is_offline || strcmp(seat->shared->host, node->host) != 0)
        end_source(ctx, seat);
    if (seat->is_offline && seat->state == SEAT_PURGED)
        m->is_held = false;
    if (seat->is_offline && (seat->state == SEAT_WAITING || seat->state == SEAT_UNCHECKED ||
                             seat->state == SEAT_PURGED))
        seat->state = SEAT_LEAVING;
    if (!seat->is_offline && (seat->state == SEAT_UNCHECKED ||
                              seat->state == SEAT_LEAVING)) /* it returns before it has left */
        begin(ctx, seat, removed_ms);
    return SL_OK;
}

/* What an offline pump sent is merged: it leaves. */
void merger_let_leave(struct merger *m)
{
    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        struct seat *seat = &m->seats[i];

        if (seat->state != SEAT_LEAVING)
            continue;
        /* Its watermark stays where it is: it may return, and is waited for until it has left. */
        if (sl_merge_pending(m->merge, seat->shared->input) > 0)
            continue;
        sl_merge_remove(m->merge, seat->shared->input);
        sl_drainer_board_seat(&m->drainer->front.board, seat->shared->input, NULL);
        seat->state = SEAT_GONE;
        sl_log(SL_LOG_INFO, "a pump has left", sl_field_str("pump", seat->shared->node_id));
    }
}

void merger_restart_sources(struct sl_ctx *ctx, struct merger *m)
{
    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        struct seat *seat = &m->seats[i];

        if (seat->state == SEAT_WAITING && sl_now(ctx) >= seat->restart_at) {
            m->is_held = false;
            start_source(ctx, seat);
        }
    }
}

/* ---- what they send ---- */

void merger_take_block(struct sl_ctx *ctx, struct merger *m)
{
    struct sl_drainer_block *block = (struct sl_drainer_block *)(void *)sl_take(ctx);
    struct seat             *seat = merger_seat_of(m, block->input);
    struct sl_why            why = {0};
    enum sl_err              err = SL_OK;

    SL_ASSERT(seat != NULL);
    if (seat->has_failed) {
        sl_msg_free(&block); /* behind one that was refused: it will be sent again */
        return;
    }
    if (block->block.count > 0)
        err = sl_merge_push(m->merge, block->input, &block->block, &why);
    if (err != SL_OK) {
        sl_metric_add(m->drainer->front.metrics.disorder, 1);
        sl_wrap(&why, err, "pump %s", seat->shared->node_id);
        merger_hold(m, why.text);
        seat->has_failed = true;
        end_source(ctx, seat);
        sl_msg_free(&block);
        return;
    }
    seat->last = block->watermark;
    seat->heard_at = sl_now(ctx);
    sl_merge_set_watermark(m->merge, block->input, block->watermark);
    sl_drainer_board_received(&m->drainer->front.board, block->input, block->watermark, NULL);
    if (block->block.count == 0)
        sl_msg_free(&block);
}

enum sl_err merger_source_ended(struct sl_ctx *ctx, struct merger *m,
                                const struct sl_child_ended *ended)
{
    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        struct seat *seat = &m->seats[i];

        if ((seat->state != SEAT_PULLING && seat->state != SEAT_ENDING) ||
            !sl_ref_equal(seat->ref, ended->child))
            continue;
        if (ended->err != SL_OK)
            merger_hold(m, ended->why.text);
        seat->state = seat->is_offline ? SEAT_LEAVING : SEAT_WAITING;
        seat->restart_at =
            sl_now(ctx) + (m->is_held ? SL_SOURCE_RETRY_MS : 0) * (sl_nanos)SL_NANOS_PER_MS;
        return SL_OK;
    }
    SL_UNREACHABLE("no child of the merger");
}

void merger_free_spent(struct merger *m)
{
    for (struct sl_merge_block *b; (b = sl_merge_spent(m->merge)) != NULL;) {
        struct sl_drainer_block *block = SL_CONTAINER_OF(b, struct sl_drainer_block, block);

        sl_msg_free(&block);
    }
}

void merger_close_pumps(struct merger *m)
{
    for (uint32_t i = 0; i < SL_DRAINER_SOURCES_MAX; i++) {
        struct seat *seat = &m->seats[i];

        if (seat->state != SEAT_FREE && seat->state != SEAT_GONE)
            sl_merge_remove(m->merge, seat->shared->input);
        free(seat->shared);
    }
    merger_free_spent(m);
}
