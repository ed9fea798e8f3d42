#include "sluice/laptop_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/drainer/board.h"

/* Rates are taken over at least so long. */
enum { RATE_MS = 500 };

enum { NUMBER_BYTES_MAX = 32 };

/* With commas between thousands. */
static const char *number(uint64_t value, char *out)
{
    char   digits[NUMBER_BYTES_MAX];
    size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value);
    char  *at = out;

    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

static uint64_t rows_of(struct sl_drainer_board *board)
{
    uint64_t rows = 0;

    for (unsigned kind = 0; kind < SL_DRAINER_ROW_KINDS; kind++)
        rows += atomic_load_explicit(&board->rows[kind], memory_order_relaxed);
    return rows;
}

struct laptop_status laptop_status_of(const struct sl_env *env, struct laptop *laptop)
{
    return (struct laptop_status){.env = env,
                                  .laptop = laptop,
                                  .counted_at = sl_env_now(env),
                                  .counted = rows_of(laptop_board(laptop))};
}

static void count_rate(struct laptop_status *s, sl_nanos now, uint64_t rows)
{
    sl_nanos passed = now - s->counted_at;

    if (passed < RATE_MS * (sl_nanos)SL_NANOS_PER_MS)
        return;
    s->rate = (double)(rows - s->counted) * (double)SL_NANOS_PER_S / (double)passed;
    s->counted_at = now;
    s->counted = rows;
}

static void put_lag(struct sl_drainer_board *board, sl_nanos now, char *out, size_t size)
{
    struct sl_drainer_lag lag = sl_drainer_board_lag(board, now);

    if (lag.known)
        (void)snprintf(out, size, "%.1f s", (double)lag.total / (double)SL_NANOS_PER_S);
    else
        (void)snprintf(out, size, "-");
}

/* The worst part says what it waits on; when all are well, it is the slower side. */
static void put_waiting(struct sl_drainer_board *board, char *out, size_t size)
{
    struct sl_drainer_note note;
    enum sl_drainer_part   part;

    sl_drainer_board_worst(board, &part, &note);
    if (note.health != SL_DRAINER_RUNNING)
        (void)snprintf(out, size, "%s (%s): %s", sl_drainer_part_name(part),
                       sl_drainer_health_name(note.health), note.why.text);
    else if (atomic_load_explicit(&board->windows, memory_order_relaxed) > 0)
        (void)snprintf(out, size, "the target");
    else
        (void)snprintf(out, size, "the source");
}

void laptop_status_text(struct laptop_status *status, char *out, size_t size)
{
    struct sl_drainer_board *board = laptop_board(status->laptop);
    sl_nanos                 now = sl_env_now(status->env);
    uint64_t                 rows = rows_of(board);
    char                     rate[NUMBER_BYTES_MAX];
    char                     total[NUMBER_BYTES_MAX];
    char                     lag[NUMBER_BYTES_MAX];
    char                     waiting[LAPTOP_STATUS_BYTES_MAX / 2];

    count_rate(status, now, rows);
    put_lag(board, now, lag, sizeof lag);
    put_waiting(board, waiting, sizeof waiting);
    (void)snprintf(out, size,
                   "%s rows/s | %s rows, %" PRIu64 " DDL applied | %s behind | waiting "
                   "on: %s",
                   number((uint64_t)status->rate, rate), number(rows, total),
                   atomic_load_explicit(&board->ddls, memory_order_relaxed), lag, waiting);
}

const char *laptop_status_totals(struct laptop_status *status, char *out, size_t size)
{
    struct sl_drainer_board *board = laptop_board(status->laptop);
    char                     rows[NUMBER_BYTES_MAX];

    (void)snprintf(out, size, "%s rows and %" PRIu64 " DDL jobs", number(rows_of(board), rows),
                   atomic_load_explicit(&board->ddls, memory_order_relaxed));
    return out;
}

sl_ts laptop_applied(struct laptop *laptop)
{
    return atomic_load_explicit(&laptop_board(laptop)->applied_ts, memory_order_relaxed);
}
