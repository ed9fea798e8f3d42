#include "actors/drainer/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const char *const part_names[SL_DRAINER_PARTS] = {
    "registry", "spool", "merge", "schema", "stream", "apply", "checkpoint", "heartbeat"};
static const char *const health_names[] = {"running", "waiting", "retrying", "held", "stopped"};

const char *sl_drainer_part_name(enum sl_drainer_part part)
{
    SL_ASSERT(part < SL_DRAINER_PARTS);
    return part_names[part];
}

const char *sl_drainer_health_name(enum sl_drainer_health health)
{
    SL_ASSERT(health <= SL_DRAINER_STOPPED);
    return health_names[health];
}

static void lock(struct sl_drainer_board *board)
{
    int failed = pthread_mutex_lock(&board->lock);

    SL_ASSERT(failed == 0);
}

static void unlock(struct sl_drainer_board *board)
{
    int failed = pthread_mutex_unlock(&board->lock);

    SL_ASSERT(failed == 0);
}

static int64_t wall_ms(const struct sl_drainer_board *board)
{
    return sl_env_wall(board->env) / SL_NANOS_PER_MS;
}

void sl_drainer_board_init(struct sl_drainer_board *board, const struct sl_env *env, uint32_t seats)
{
    int failed;

    SL_ASSERT(seats > 0 && seats <= SL_MERGE_SOURCES_MAX);
    memset(board, 0, sizeof *board);
    board->env = env;
    board->seat_count = seats;
    board->seats = calloc(seats, sizeof *board->seats);
    SL_ASSERT(board->seats != NULL);
    failed = pthread_mutex_init(&board->lock, NULL);
    SL_ASSERT(failed == 0);
    for (unsigned i = 0; i < SL_DRAINER_PARTS; i++)
        board->notes[i].since_ms = wall_ms(board);
}

void sl_drainer_board_done(struct sl_drainer_board *board)
{
    if (board->seats == NULL)
        return;
    free(board->seats);
    board->seats = NULL;
    pthread_mutex_destroy(&board->lock);
}

/* ---- notes ---- */

void sl_drainer_board_note(struct sl_drainer_board *board, enum sl_drainer_part part,
                           enum sl_drainer_health health, enum sl_err code, const char *reason)
{
    struct sl_drainer_note *note = &board->notes[part];

    SL_ASSERT(part < SL_DRAINER_PARTS);
    lock(board);
    if (note->health != health)
        note->since_ms = wall_ms(board);
    note->health = health;
    note->code = code;
    (void)snprintf(note->why.text, sizeof note->why.text, "%s", reason != NULL ? reason : "");
    if (health == SL_DRAINER_HELD && !board->was_held) {
        board->was_held = true;
        board->held_why = note->why;
    }
    unlock(board);
}

void sl_drainer_board_restart(struct sl_drainer_board *board)
{
    atomic_store_explicit(&board->held_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&board->windows, 0, memory_order_relaxed);
    for (unsigned i = 0; i < SL_DRAINER_PARTS; i++) {
        if (i != SL_DRAINER_PART_APPLY && i != SL_DRAINER_PART_HEARTBEAT)
            sl_drainer_board_note(board, (enum sl_drainer_part)i, SL_DRAINER_RUNNING, SL_OK, NULL);
    }
    lock(board);
    memset(board->seats, 0, board->seat_count * sizeof *board->seats);
    board->looked = false;
    unlock(board);
}

bool sl_drainer_board_was_held(struct sl_drainer_board *board, struct sl_why *why)
{
    bool was_held;

    lock(board);
    was_held = board->was_held;
    if (was_held)
        *why = board->held_why;
    unlock(board);
    return was_held;
}

void sl_drainer_board_worst(struct sl_drainer_board *board, enum sl_drainer_part *part,
                            struct sl_drainer_note *out)
{
    unsigned worst = 0;

    lock(board);
    for (unsigned i = 1; i < SL_DRAINER_PARTS; i++) {
        const struct sl_drainer_note *note = &board->notes[i];
        const struct sl_drainer_note *before = &board->notes[worst];

        if (note->health > before->health ||
            (note->health == SL_DRAINER_RUNNING && before->health == SL_DRAINER_RUNNING &&
             note->since_ms > before->since_ms))
            worst = i;
    }
    *part = (enum sl_drainer_part)worst;
    *out = board->notes[worst];
    unlock(board);
}

/* ---- seats ---- */

void sl_drainer_board_seat(struct sl_drainer_board *board, uint32_t seat, const char *node_id)
{
    SL_ASSERT(seat < board->seat_count);
    lock(board);
    board->seats[seat] = (struct sl_drainer_seat){0};
    if (node_id != NULL)
        (void)snprintf(board->seats[seat].node_id, sizeof board->seats[seat].node_id, "%s",
                       node_id);
    unlock(board);
}

void sl_drainer_board_received(struct sl_drainer_board *board, uint32_t seat, sl_ts last,
                               const char *reason)
{
    SL_ASSERT(seat < board->seat_count);
    lock(board);
    board->seats[seat].received = last;
    (void)snprintf(board->seats[seat].why.text, sizeof board->seats[seat].why.text, "%s",
                   reason != NULL ? reason : "");
    unlock(board);
}

void sl_drainer_board_trouble(struct sl_drainer_board *board, uint32_t seat, struct sl_why *out)
{
    SL_ASSERT(seat < board->seat_count);
    lock(board);
    *out = board->seats[seat].why;
    unlock(board);
}

void sl_drainer_board_looked(struct sl_drainer_board *board)
{
    lock(board);
    board->looked = true;
    unlock(board);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct sl_drainer_seat *)a)->node_id,
                  ((const struct sl_drainer_seat *)b)->node_id);
}

struct sl_drainer_seat *sl_drainer_board_seats(struct sl_drainer_board *board, uint32_t *count,
                                               bool *looked)
{
    struct sl_drainer_seat *copy = calloc(board->seat_count, sizeof *copy);

    SL_ASSERT(copy != NULL);
    *count = 0;
    lock(board);
    *looked = board->looked;
    for (uint32_t i = 0; i < board->seat_count; i++) {
        if (board->seats[i].node_id[0] != '\0')
            copy[(*count)++] = board->seats[i];
    }
    unlock(board);
    qsort(copy, *count, sizeof *copy, by_id);
    return copy;
}

/* ---- lag ---- */

/* The oldest thing that a pump has sent last; 0: none, or one has not sent anything yet. */
static sl_ts oldest_received(struct sl_drainer_board *board)
{
    sl_ts oldest = 0;

    lock(board);
    for (uint32_t i = 0; i < board->seat_count; i++) {
        const struct sl_drainer_seat *seat = &board->seats[i];

        if (seat->node_id[0] == '\0')
            continue;
        if (seat->received == 0) {
            oldest = 0;
            break;
        }
        if (oldest == 0 || seat->received < oldest)
            oldest = seat->received;
    }
    unlock(board);
    return oldest;
}

static sl_nanos from_to(int64_t from_ms, int64_t to_ms)
{
    return to_ms > from_ms ? (sl_nanos)(to_ms - from_ms) * SL_NANOS_PER_MS : 0;
}

int64_t sl_drainer_board_clock_ms(const struct sl_drainer_board *board, sl_nanos now)
{
    sl_ts    newest = atomic_load_explicit(&board->newest_ts, memory_order_relaxed);
    uint64_t at = atomic_load_explicit(&board->newest_at, memory_order_relaxed);

    if (newest <= 0)
        return 0;
    return sl_ts_physical_ms(newest) + (int64_t)((now > at ? now - at : 0) / SL_NANOS_PER_MS);
}

struct sl_drainer_lag sl_drainer_board_lag(struct sl_drainer_board *board, sl_nanos now)
{
    struct sl_drainer_lag lag = {0};
    sl_ts                 saved = atomic_load_explicit(&board->saved_ts, memory_order_relaxed);
    sl_ts                 received = oldest_received(board);
    int64_t               clock_ms = sl_drainer_board_clock_ms(board, now);

    if (clock_ms == 0 || saved <= 0 || received <= 0)
        return lag;
    if (received < saved) /* a pump that has joined, and what it had is applied */
        received = saved;
    lag.known = true;
    lag.apply = from_to(sl_ts_physical_ms(saved), sl_ts_physical_ms(received));
    lag.pull = from_to(sl_ts_physical_ms(received), clock_ms);
    lag.total = lag.apply + lag.pull;
    return lag;
}
