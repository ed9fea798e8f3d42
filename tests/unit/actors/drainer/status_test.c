/* What stands on the drainer's notice board, and the bodies made of it, against recordings of the
 * original in tests/corpus/ops and the texts of drainer spec 4. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/action.h"
#include "actors/drainer/status.h"
#include "lib/env_sim.h"
#include "base/json.h"
#include "net/node.h"

enum { RECORDING_BYTES_MAX = 4096, SEATS = 4, MINUTES = 5 };

static struct sl_env_sim      *sim;
static struct sl_drainer_board board;
static sl_nanos                started;

static int begin(void **state)
{
    (void)state;
    sim = sl_env_sim_new(1);
    sl_drainer_board_init(&board, sl_env_sim_env(sim), SEATS);
    started = sl_env_now(sl_env_sim_env(sim));
    return 0;
}

static int end(void **state)
{
    (void)state;
    sl_drainer_board_done(&board);
    sl_env_sim_free(&sim);
    return 0;
}

static const char *text_of(struct sl_buf *body)
{
    static char text[1 << 14];

    assert_true(body->len < sizeof text);
    (void)snprintf(text, sizeof text, "%.*s", (int)body->len, (const char *)body->data);
    sl_buf_free(&body);
    return text;
}

static const char *status_at(sl_nanos now, double rows_per_second)
{
    const struct sl_drainer_status status = {.now = now,
                                             .started_at = started,
                                             .synced_check_ms = MINUTES * 60 * 1000,
                                             .rows_per_second = rows_per_second,
                                             .node_id = "vm:8249"};

    return text_of(sl_drainer_status_body(&board, &status));
}

/* The body in a recording of curl -i: behind the empty line, before the exit code. */
static const char *recorded(const char *name)
{
    static char text[RECORDING_BYTES_MAX];
    char        path[128];
    FILE       *file;
    size_t      count;
    char       *body;
    char       *exit_line;

    (void)snprintf(path, sizeof path, "tests/corpus/ops/drainer-%s.txt", name);
    file = fopen(path, "re");
    assert_non_null(file);
    count = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    text[count] = '\0';
    body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    exit_line = strstr(body, "[exit 0]");
    assert_non_null(exit_line);
    *exit_line = '\0';
    return body + 4;
}

/* ---- bodies ---- */

static void the_status_begins_as_the_originals(void **state)
{
    const char *wanted = recorded("GET-status");
    const char *got;
    size_t      bytes = strlen(wanted) - strlen("}\n");

    (void)state;
    sl_drainer_board_seat(&board, 2, "gopump-1");
    sl_drainer_board_seat(&board, 0, "gopump-0");
    sl_drainer_board_received(&board, 0, INT64_C(470615685978914817), NULL);
    sl_drainer_board_received(&board, 2, INT64_C(470615686031605764), NULL);
    sl_drainer_board_looked(&board);
    atomic_store(&board.is_open, true);
    atomic_store(&board.saved_ts, INT64_C(470615686031605764));
    got = status_at(started + (sl_nanos)(MINUTES * 60 + 1) * SL_NANOS_PER_S, -1);
    assert_int_equal(strncmp(got, wanted, bytes), 0);
    assert_int_equal(strncmp(got + bytes, ",\"sluice\":{", 11), 0);
    assert_string_equal(got + strlen(got) - 3, "}}\n");
}

static void before_the_first_pass_positions_are_null(void **state)
{
    struct sl_json *document;
    struct sl_why   why;
    const char     *text = status_at(started, -1);

    (void)state;
    assert_int_equal(
        strncmp(text, "{\"PumpPos\":null,\"Synced\":false,\"LastTS\":0,\"TsMap\":\"\",", 52), 0);
    assert_non_null(strstr(text, "\"lag_seconds\":null"));
    assert_non_null(strstr(text, "\"rows_per_second\":null"));
    assert_int_equal(sl_json_parse(sl_slice_from_string(text), &document, &why), SL_OK);
    sl_json_free(&document);
}

static void it_is_synced_when_nothing_was_applied_for_long(void **state)
{
    const sl_nanos minute = (sl_nanos)60 * SL_NANOS_PER_S;

    (void)state;
    assert_non_null(strstr(status_at(started + MINUTES * minute + 1, 0), "\"Synced\":false"));
    atomic_store(&board.is_open, true);
    assert_non_null(strstr(status_at(started + MINUTES * minute, 0), "\"Synced\":false"));
    assert_non_null(strstr(status_at(started + MINUTES * minute + 1, 0), "\"Synced\":true"));
    atomic_store(&board.success_at, started + minute);
    assert_non_null(strstr(status_at(started + MINUTES * minute + 1, 0), "\"Synced\":false"));
    assert_non_null(strstr(status_at(started + (MINUTES + 1) * minute + 1, 0), "\"Synced\":true"));
}

static void what_is_stuck_is_not_synced_however_long_it_is(void **state)
{
    const sl_nanos late = started + (sl_nanos)60 * MINUTES * 60 * SL_NANOS_PER_S;

    (void)state;
    atomic_store(&board.is_open, true);
    assert_non_null(strstr(status_at(late, 0), "\"Synced\":true"));
    for (enum sl_drainer_health h = SL_DRAINER_WAITING; h <= SL_DRAINER_HELD; h++) {
        sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, h, SL_OK, "it does not answer");
        assert_non_null(strstr(status_at(late, 0), "\"Synced\":false"));
    }
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_RUNNING, SL_OK, NULL);
    atomic_store(&board.held_bytes, 1); /* a statement that runs and runs */
    assert_non_null(strstr(status_at(late, 0), "\"Synced\":false"));
    atomic_store(&board.held_bytes, 0);
    assert_non_null(strstr(status_at(late, 0), "\"Synced\":true"));
}

static void commit_ts_is_the_originals(void **state)
{
    (void)state;
    atomic_store(&board.saved_ts, INT64_C(470615686031605764));
    assert_string_equal(text_of(sl_drainer_commit_ts_body(&board)), recorded("GET-commit_ts"));
}

static void actions_are_answered_with_the_drainers_spelling(void **state)
{
    enum sl_action action;

    (void)state;
    assert_string_equal(
        text_of(sl_action_body("invalid", "other", "pause", "own", SL_NODE_ONLINE, &action)),
        "{\n  \"message\": \"invalid nodeID other, this pump's nodeID is own\",\n  \"code\": 3,\n"
        "  \"data\": null\n}\n");
    assert_int_equal(action, SL_ACTION_NONE);
    assert_string_equal(
        text_of(sl_action_body("invalid", "own", "stop", "own", SL_NODE_ONLINE, &action)),
        "{\n  \"message\": \"invalid action stop\",\n  \"code\": 3,\n  \"data\": null\n}\n");
    assert_int_equal(action, SL_ACTION_NONE);
    assert_string_equal(
        text_of(sl_action_body("invalid", "own", "pause", "own", SL_NODE_ABSENT, &action)),
        "{\n  \"message\": \"this pump's state is starting, apply pause failed!\",\n"
        "  \"code\": 3,\n  \"data\": null\n}\n");
    assert_int_equal(action, SL_ACTION_NONE);
}

/* Everything at its longest, and full of what grows when it is escaped. */
static void whatever_stands_on_the_board_fits_the_status(void **state)
{
    char            id[SL_NODE_ID_BYTES_MAX];
    char            why_text[SL_WHY_BYTES_MAX];
    struct sl_json *document;
    struct sl_why   why;

    (void)state;
    memset(id, '\x01', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    memset(why_text, '<', sizeof why_text - 1);
    why_text[sizeof why_text - 1] = '\0';
    for (uint32_t i = 0; i < SEATS; i++) {
        sl_drainer_board_seat(&board, i, id);
        sl_drainer_board_received(&board, i, INT64_MAX, why_text);
    }
    sl_drainer_board_looked(&board);
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_HELD, SL_UNSUPPORTED, why_text);
    atomic_store(&board.saved_ts, INT64_MAX);
    for (unsigned i = 0; i < SL_DRAINER_ROW_KINDS; i++)
        atomic_store(&board.rows[i], UINT64_MAX / 2);
    {
        const struct sl_drainer_status status = {.rows_per_second = 1e15, .node_id = id};
        struct sl_buf                 *body = sl_drainer_status_body(&board, &status);

        assert_int_equal(sl_json_parse(sl_slice_from_buf(body), &document, &why), SL_OK);
        sl_buf_free(&body);
    }
    sl_json_free(&document);
}

/* ---- health ---- */

static void the_worst_part_is_told(void **state)
{
    const char *text;

    (void)state;
    sl_drainer_board_note(&board, SL_DRAINER_PART_REGISTRY, SL_DRAINER_WAITING, SL_UNAVAILABLE,
                          "nobody there");
    sl_drainer_board_note(&board, SL_DRAINER_PART_MERGE, SL_DRAINER_HELD, SL_OK,
                          "pump \"p\" is late");
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_RETRYING, SL_RESET, "lost");
    text = status_at(started, 12.34);
    assert_non_null(strstr(text, "\"state\":\"held\",\"since\":"));
    assert_non_null(strstr(text, "\"code\":\"SL-2202\",\"reason\":\"pump \\\"p\\\" is late\","
                                 "\"waiting_on\":\"merge\""));
    assert_non_null(strstr(text, "\"rows_per_second\":12.3"));
    sl_drainer_board_note(&board, SL_DRAINER_PART_MERGE, SL_DRAINER_RUNNING, SL_OK, NULL);
    text = status_at(started, 0);
    assert_non_null(strstr(text, "\"state\":\"retrying\""));
    assert_non_null(strstr(text, "\"code\":\"SL-2401\",\"reason\":\"lost\","
                                 "\"waiting_on\":\"apply\""));
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_RUNNING, SL_OK, "");
    sl_drainer_board_note(&board, SL_DRAINER_PART_REGISTRY, SL_DRAINER_RUNNING, SL_OK, "");
    text = status_at(started, 0);
    assert_non_null(strstr(text, "\"state\":\"running\""));
    assert_non_null(strstr(text, "\"reason\":\"\",\"waiting_on\":\"\""));
}

/* Each way not to be well has a code that can be looked up. */
static void what_is_not_well_has_a_code(void **state)
{
    static const struct {
        enum sl_drainer_part   part;
        enum sl_drainer_health health;
        enum sl_err            err;
        const char            *code;
    } cases[] = {
        {SL_DRAINER_PART_REGISTRY, SL_DRAINER_WAITING, SL_UNAVAILABLE, "SL-2101"},
        {SL_DRAINER_PART_HEARTBEAT, SL_DRAINER_WAITING, SL_TIMEOUT, "SL-2102"},
        {SL_DRAINER_PART_MERGE, SL_DRAINER_WAITING, SL_UNAVAILABLE, "SL-2201"},
        {SL_DRAINER_PART_MERGE, SL_DRAINER_HELD, SL_INVALID, "SL-2202"},
        {SL_DRAINER_PART_SCHEMA, SL_DRAINER_WAITING, SL_NOT_FOUND, "SL-2301"},
        {SL_DRAINER_PART_STREAM, SL_DRAINER_HELD, SL_NOT_FOUND, "SL-2302"},
        {SL_DRAINER_PART_STREAM, SL_DRAINER_HELD, SL_UNSUPPORTED, "SL-2303"},
        {SL_DRAINER_PART_STREAM, SL_DRAINER_HELD, SL_INVALID, "SL-2304"},
        {SL_DRAINER_PART_APPLY, SL_DRAINER_RETRYING, SL_RESET, "SL-2401"},
        {SL_DRAINER_PART_APPLY, SL_DRAINER_HELD, SL_DENIED, "SL-2402"},
        {SL_DRAINER_PART_APPLY, SL_DRAINER_HELD, SL_INVALID, "SL-2403"},
        {SL_DRAINER_PART_APPLY, SL_DRAINER_HELD, SL_NOT_FOUND, "SL-2501"},
        {SL_DRAINER_PART_CHECKPOINT, SL_DRAINER_RETRYING, SL_UNAVAILABLE, "SL-2401"},
        {SL_DRAINER_PART_CHECKPOINT, SL_DRAINER_HELD, SL_DENIED, "SL-2402"},
        {SL_DRAINER_PART_CHECKPOINT, SL_DRAINER_HELD, SL_NOT_FOUND, "SL-2501"},
        {SL_DRAINER_PART_CHECKPOINT, SL_DRAINER_HELD, SL_CONFIG, "SL-2502"},
        {SL_DRAINER_PART_CHECKPOINT, SL_DRAINER_HELD, SL_INVALID, "SL-2503"},
    };
    char wanted[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sl_drainer_board_note(&board, cases[i].part, cases[i].health, cases[i].err, "x");
        (void)snprintf(wanted, sizeof wanted, "\"code\":\"%s\",\"reason\":\"x\"", cases[i].code);
        assert_non_null(strstr(status_at(started, 0), wanted));
        sl_drainer_board_note(&board, cases[i].part, SL_DRAINER_RUNNING, SL_OK, NULL);
    }
    assert_non_null(strstr(status_at(started, 0), "\"code\":\"\""));
}

/* Workers that do well do not hide that the stream is held. */
static void a_held_stream_is_not_hidden_by_workers(void **state)
{
    (void)state;
    sl_drainer_board_note(&board, SL_DRAINER_PART_STREAM, SL_DRAINER_HELD, SL_INVALID, "x");
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_RUNNING, SL_OK, NULL);
    assert_non_null(strstr(status_at(started, 0), "\"state\":\"held\""));
}

static void since_stays_while_the_health_stays(void **state)
{
    struct sl_drainer_note first;
    struct sl_drainer_note later;
    enum sl_drainer_part   part;

    (void)state;
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_RETRYING, SL_RESET, "one");
    sl_drainer_board_worst(&board, &part, &first);
    sl_env_sim_advance(sim, (sl_nanos)10 * SL_NANOS_PER_S);
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_RETRYING, SL_RESET, "two");
    sl_drainer_board_worst(&board, &part, &later);
    assert_int_equal(part, SL_DRAINER_PART_APPLY);
    assert_true(first.since_ms == later.since_ms);
    assert_string_equal(later.why.text, "two");
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_HELD, SL_RESET, "three");
    sl_drainer_board_worst(&board, &part, &later);
    assert_int_equal(later.since_ms - first.since_ms, 10000);
}

static void readiness_says_what_is_missing(void **state)
{
    (void)state;
    sl_drainer_board_note(&board, SL_DRAINER_PART_REGISTRY, SL_DRAINER_WAITING, SL_RESET, "y");
    assert_string_equal(text_of(sl_drainer_not_ready_body(&board)),
                        "starting, registry is waiting: y\n");
    sl_drainer_board_note(&board, SL_DRAINER_PART_REGISTRY, SL_DRAINER_RUNNING, SL_OK, NULL);
    atomic_store(&board.is_open, true);
    atomic_store(&board.state, SL_NODE_PAUSING);
    assert_string_equal(text_of(sl_drainer_not_ready_body(&board)), "state is pausing\n");
    atomic_store(&board.state, SL_NODE_ONLINE);
    assert_string_equal(text_of(sl_drainer_not_ready_body(&board)),
                        "the pumps are not known yet\n");
    sl_drainer_board_looked(&board);
    assert_null(sl_drainer_not_ready_body(&board));
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_RETRYING, SL_RESET, "x");
    assert_null(sl_drainer_not_ready_body(&board));
    sl_drainer_board_note(&board, SL_DRAINER_PART_APPLY, SL_DRAINER_HELD, SL_INVALID, "no table t");
    assert_string_equal(text_of(sl_drainer_not_ready_body(&board)), "apply is held: no table t\n");
}

/* ---- lag ---- */

static void lag_is_unknown_until_all_of_it_is_known(void **state)
{
    (void)state;
    assert_false(sl_drainer_board_lag(&board, started).known);
    atomic_store(&board.newest_ts, sl_ts_of_ms(10000));
    atomic_store(&board.newest_at, started);
    assert_false(sl_drainer_board_lag(&board, started).known);
    atomic_store(&board.saved_ts, sl_ts_of_ms(7000));
    assert_false(sl_drainer_board_lag(&board, started).known);
    sl_drainer_board_seat(&board, 1, "p");
    assert_false(sl_drainer_board_lag(&board, started).known); /* it has sent nothing */
    sl_drainer_board_received(&board, 1, sl_ts_of_ms(9000), NULL);
    assert_true(sl_drainer_board_lag(&board, started).known);
}

static void lag_is_a_sum_on_the_clusters_clock(void **state)
{
    struct sl_drainer_lag lag;

    (void)state;
    atomic_store(&board.newest_ts, sl_ts_of_ms(10000));
    atomic_store(&board.newest_at, started);
    atomic_store(&board.saved_ts, sl_ts_of_ms(7000));
    sl_drainer_board_seat(&board, 1, "p");
    sl_drainer_board_seat(&board, 2, "q");
    sl_drainer_board_received(&board, 1, sl_ts_of_ms(9000), NULL);
    sl_drainer_board_received(&board, 2, sl_ts_of_ms(9500), NULL);
    lag = sl_drainer_board_lag(&board, started + (sl_nanos)500 * SL_NANOS_PER_MS);
    assert_int_equal(lag.apply / SL_NANOS_PER_MS, 2000);
    assert_int_equal(lag.pull / SL_NANOS_PER_MS, 1500);
    assert_int_equal(lag.total / SL_NANOS_PER_MS, 3500);
}

static void lag_is_never_negative(void **state)
{
    struct sl_drainer_lag lag;

    (void)state;
    atomic_store(&board.newest_ts, sl_ts_of_ms(10000));
    atomic_store(&board.newest_at, started);
    atomic_store(&board.saved_ts, sl_ts_of_ms(10010));
    sl_drainer_board_seat(&board, 1, "p");
    sl_drainer_board_received(&board, 1, sl_ts_of_ms(5000), NULL);
    lag = sl_drainer_board_lag(&board, started);
    assert_true(lag.known);
    assert_int_equal(lag.total, 0);
}

/* ---- seats ---- */

static void seats_are_listed_by_id_and_given_up(void **state)
{
    struct sl_drainer_seat *seats;
    uint32_t                count;
    bool                    looked;

    (void)state;
    sl_drainer_board_seat(&board, 3, "a");
    sl_drainer_board_seat(&board, 0, "b");
    sl_drainer_board_received(&board, 0, 9, "cut off");
    seats = sl_drainer_board_seats(&board, &count, &looked);
    assert_int_equal(count, 2);
    assert_false(looked);
    assert_string_equal(seats[0].node_id, "a");
    assert_string_equal(seats[1].node_id, "b");
    assert_string_equal(seats[1].why.text, "cut off");
    free(seats);
    sl_drainer_board_seat(&board, 0, NULL);
    seats = sl_drainer_board_seats(&board, &count, &looked);
    assert_int_equal(count, 1);
    free(seats);
}

#define WITH_BOARD(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(the_status_begins_as_the_originals),
        WITH_BOARD(before_the_first_pass_positions_are_null),
        WITH_BOARD(it_is_synced_when_nothing_was_applied_for_long),
        WITH_BOARD(what_is_stuck_is_not_synced_however_long_it_is),
        WITH_BOARD(commit_ts_is_the_originals),
        WITH_BOARD(actions_are_answered_with_the_drainers_spelling),
        WITH_BOARD(whatever_stands_on_the_board_fits_the_status),
        WITH_BOARD(the_worst_part_is_told),
        WITH_BOARD(what_is_not_well_has_a_code),
        WITH_BOARD(a_held_stream_is_not_hidden_by_workers),
        WITH_BOARD(since_stays_while_the_health_stays),
        WITH_BOARD(readiness_says_what_is_missing),
        WITH_BOARD(lag_is_unknown_until_all_of_it_is_known),
        WITH_BOARD(lag_is_a_sum_on_the_clusters_clock),
        WITH_BOARD(lag_is_never_negative),
        WITH_BOARD(seats_are_listed_by_id_and_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
