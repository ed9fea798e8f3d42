#include "actors/drainer/front.h"

#include <stdlib.h>

#include "actors/common/body.h"
#include "net/node.h"

const char *const sl_drainer_front_msg_names[SL_DRAINER_FRONT_MSG_END - SL_MSG_USER] = {
#define SL_DRAINER_FRONT_MSG_NAME(code, text) [(code)-SL_MSG_USER] = (text),
    SL_DRAINER_FRONT_MSG_TABLE(SL_DRAINER_FRONT_MSG_NAME)
#undef SL_DRAINER_FRONT_MSG_NAME
};

struct sl_drainer_failed *sl_drainer_failed_new(enum sl_err err, const struct sl_why *why)
{
    struct sl_drainer_failed *failed = sl_msg_new(struct sl_drainer_failed, SL_DRAINER_FAILED);

    failed->err = err;
    if (why != NULL && why->text[0] != '\0')
        failed->why = *why;
    else
        sl_fail(&failed->why, err, "%s", sl_err_text(err));
    return failed;
}

void sl_drainer_front_init(struct sl_drainer_front *front, const struct sl_env *env,
                           const struct sl_drainer_front_options *options, uint32_t seats)
{
    *front = (struct sl_drainer_front){.options = *options, .started_at = sl_env_now(env)};
    sl_drainer_board_init(&front->board, env, seats);
    atomic_store_explicit(&front->board.state, SL_NODE_ABSENT, memory_order_relaxed);
    front->registry = sl_metric_registry_new();
    sl_metric_registry_add(front->registry, &sl_metric_process_table, NULL);
    sl_drainer_metrics_add(front->registry, &front->metrics);
    sl_metric_set(front->metrics.budget_bytes, (double)options->budget_bytes);
}

void sl_drainer_front_done(struct sl_drainer_front *front)
{
    sl_socket_close(&front->listener);
    sl_metric_registry_free(&front->registry);
    sl_drainer_board_done(&front->board);
}

/* The position of each pump, under its name. */
static void show_seats(struct sl_drainer_front *front)
{
    uint32_t                count;
    bool                    looked;
    struct sl_drainer_seat *seats = sl_drainer_board_seats(&front->board, &count, &looked);

    for (uint32_t i = 0; i < count; i++) {
        struct sl_drainer_pump_metrics pump;

        sl_drainer_metrics_pump(&front->metrics, seats[i].node_id, &pump);
        sl_metric_set(pump.position_ms, (double)sl_ts_physical_ms(seats[i].received));
    }
    sl_metric_set(front->metrics.pumps, count);
    free(seats);
}

struct sl_buf *sl_drainer_front_metrics(struct sl_drainer_front *front, sl_nanos now)
{
    struct sl_drainer_board         *board = &front->board;
    const struct sl_drainer_metrics *m = &front->metrics;
    struct sl_drainer_lag            lag = sl_drainer_board_lag(board, now);
    struct sl_drainer_note           note;
    enum sl_drainer_part             part;
    sl_ts saved = atomic_load_explicit(&board->saved_ts, memory_order_relaxed);

    sl_drainer_board_worst(board, &part, &note);
    show_seats(front);
    sl_metric_set(m->checkpoint_ms, (double)sl_ts_physical_ms(saved));
    sl_metric_set(m->lag_seconds, lag.known ? (double)lag.total / 1e9 : -1);
    sl_metric_set(m->health, note.health);
    sl_metric_set(m->held_bytes,
                  (double)atomic_load_explicit(&board->held_bytes, memory_order_relaxed));
    sl_metric_set(m->queue_size[SL_DRAINER_QUEUE_INPUT],
                  (double)atomic_load_explicit(&board->windows, memory_order_relaxed));
    return sl_body_metrics(front->registry);
}
