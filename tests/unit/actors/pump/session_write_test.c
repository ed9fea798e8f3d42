/* WriteBinlog at a session: the golden bytes of the specification's Appendix A, every row of its
 * table of refusals, the order of records on a full line, large messages, and clients that give up.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/record.h"
#include "unit/actors/pump/entrance.h"
#include "net/node.h"

static const char write_path[] = "/binlog.Pump/WriteBinlog";

static bool all_over(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].over_count == clients[0].call_count;
}

static void open_client(struct sl_ctx *ctx)
{
    client_open(ctx, 0, true, false);
}

/* ---- golden bytes ---- */

static void send_golden(struct sl_ctx *ctx)
{
    open_client(ctx);
    (void)client_call_hex(0, write_path, entrance_write_hex);
}

static void check_golden(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
    assert_int_equal(clients[0].calls[0].messages, 1);
    assert_int_equal(clients[0].calls[0].bytes, 0);
    assert_int_equal(writer.count, 1);
    assert_string_equal(writer.last_hex, entrance_fake_hex);
    assert_int_equal(writer.start_ts[0], ENTRANCE_COMMIT_TS);
    assert_int_equal(writer.commit_ts[0], ENTRANCE_COMMIT_TS);
    assert_int_equal(atomic_load(&entrance_pump.board.writes), 1);
}

static void a_record_reaches_its_shard_as_it_came_and_is_answered_empty(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_golden}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_golden);
}

static void send_probe(struct sl_ctx *ctx)
{
    open_client(ctx);
    (void)client_call_hex(0, write_path, entrance_probe_hex);
}

static void check_probe(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
    assert_int_equal(writer.count, 0);
    assert_int_equal(atomic_load(&entrance_pump.board.writes), 1);
}

static void the_empty_probe_is_answered_without_a_record(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_probe}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_probe);
}

/* Of a later TiDB, perhaps. */
static void send_unknown_type(struct sl_ctx *ctx)
{
    open_client(ctx);
    (void)client_write(0, 9, ENTRANCE_START_TS, ENTRANCE_COMMIT_TS, 0);
}

static void check_unknown_type(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
    assert_int_equal(writer.count, 1);
    assert_int_equal(writer.start_ts[0], ENTRANCE_START_TS);
    assert_int_equal(writer.commit_ts[0], ENTRANCE_COMMIT_TS);
    assert_non_null(strstr(writer.last_hex, "0809")); /* as it came */
}

static void a_record_of_an_unknown_type_is_taken_like_a_commit(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_unknown_type}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_unknown_type);
}

/* ---- the table of pump spec 1.4 ---- */

enum row {
    ROW_CLUSTER,
    ROW_PAYLOAD,
    ROW_STATE,
    ROW_PROBE_STATE,
    ROW_COMMIT_IN_STATE,
    ROW_SPACE,
    ROW_PROBE_SPACE,
    ROW_FAKE_SPACE,
    ROW_TOO_LARGE,
    ROW_SERVICE,
    ROW_METHOD,
    ROW_OUTER,
    ROWS
};

static uint32_t row_call[ROWS];

static void send_while_online(struct sl_ctx *ctx)
{
    open_client(ctx);
    row_call[ROW_CLUSTER] = client_call_hex(0, write_path, "08051200");
    row_call[ROW_PAYLOAD] = client_call_hex(0, write_path, "08b5c4f49281d3a8945b120108");
    row_call[ROW_SERVICE] = client_call_hex(0, "/binlog.Cistern/Notify", "");
    row_call[ROW_METHOD] = client_call_hex(0, "/binlog.Pump/Drop", "");
    row_call[ROW_OUTER] = client_call_hex(0, write_path, "08");
    row_call[ROW_TOO_LARGE] = client_write(0, SL_RECORD_PREWRITE, 5, 0, ENTRANCE_MESSAGE_BYTES_MAX);
}

static void send_while_pausing(struct sl_ctx *ctx)
{
    (void)ctx;
    atomic_store(&entrance_pump.board.state, SL_NODE_PAUSING);
    row_call[ROW_STATE] = client_write(0, SL_RECORD_PREWRITE, 5, 0, 0);
    row_call[ROW_PROBE_STATE] = client_call_hex(0, write_path, entrance_probe_hex);
    row_call[ROW_COMMIT_IN_STATE] = client_write(0, SL_RECORD_COMMIT, 5, 6, 0);
}

static void send_without_space(struct sl_ctx *ctx)
{
    (void)ctx;
    atomic_store(&entrance_pump.board.state, SL_NODE_ONLINE);
    atomic_store(&entrance_pump.board.space_available, ENTRANCE_STOP_WRITE_BYTES);
    row_call[ROW_SPACE] = client_write(0, SL_RECORD_COMMIT, 5, 6, 0);
    row_call[ROW_PROBE_SPACE] = client_call_hex(0, write_path, entrance_probe_hex);
    row_call[ROW_FAKE_SPACE] = client_write(0, SL_RECORD_ROLLBACK, 7, 7, 0);
}

static void check_table(void)
{
    static const char no_space[] =
        "no available space, available: 1000, StopWriteAtAvailableSpace: 1000";

    client_expect(0, row_call[ROW_CLUSTER], SL_GRPC_UNKNOWN,
                  "cluster ID are mismatch, 5 vs 6568678830546690613");
    client_expect(0, row_call[ROW_STATE], SL_GRPC_UNKNOWN, "no online: pausing");
    client_expect(0, row_call[ROW_PROBE_STATE], SL_GRPC_UNKNOWN, "no online: pausing");
    client_expect(0, row_call[ROW_COMMIT_IN_STATE], SL_GRPC_OK, "");
    client_expect(0, row_call[ROW_SPACE], SL_GRPC_UNKNOWN, no_space);
    client_expect(0, row_call[ROW_PROBE_SPACE], SL_GRPC_UNKNOWN, no_space);
    client_expect(0, row_call[ROW_FAKE_SPACE], SL_GRPC_OK, "");
    client_expect(0, row_call[ROW_TOO_LARGE], SL_GRPC_RESOURCE_EXHAUSTED,
                  "grpc: received message larger than max (2097180 vs. 2097152)");
    client_expect(0, row_call[ROW_SERVICE], SL_GRPC_UNIMPLEMENTED,
                  "unknown service binlog.Cistern");
    client_expect(0, row_call[ROW_METHOD], SL_GRPC_UNIMPLEMENTED,
                  "unknown method Drop for service binlog.Pump");
    client_expect(0, row_call[ROW_OUTER], SL_GRPC_INTERNAL,
                  "grpc: error unmarshalling request: unexpected EOF");
    client_expect(0, row_call[ROW_PAYLOAD], SL_GRPC_UNKNOWN, "unexpected EOF");
    assert_int_equal(writer.count, 2);
}

static void every_row_of_the_table_of_refusals_has_its_code_and_text(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_while_online},
                                                {.play = send_while_pausing, .ready = all_over},
                                                {.play = send_without_space, .ready = all_over},
                                                {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_table);
}

/* ---- what the writer says ---- */

static void fail_to_write(struct sl_ctx *ctx)
{
    open_client(ctx);
    writer.err = SL_IO;
    writer.text = "write to disk failed: unable to write to log file: /d/1: input/output error";
    (void)client_write(0, SL_RECORD_PREWRITE, 5, 0, 0);
}

static void fail_stopping(struct sl_ctx *ctx)
{
    (void)ctx;
    writer.err = SL_STOPPED;
    writer.text = "the pump is stopping";
    (void)client_write(0, SL_RECORD_PREWRITE, 7, 0, 0);
}

static void vanish(struct sl_ctx *ctx)
{
    (void)ctx;
    writer.vanish = true;
    (void)client_write(0, SL_RECORD_PREWRITE, 9, 0, 0);
}

static void check_failures(void)
{
    client_expect(0, 0, SL_GRPC_UNKNOWN,
                  "write to disk failed: unable to write to log file: /d/1: input/output error");
    client_expect(0, 1, SL_GRPC_UNAVAILABLE, "the pump is stopping");
    client_expect(0, 2, SL_GRPC_UNAVAILABLE, "the pump is stopping");
}

static void what_the_writer_says_reaches_the_client(void **state)
{
    static const struct stage_scene scenes[] = {{.play = fail_to_write},
                                                {.play = fail_stopping, .ready = all_over},
                                                {.play = vanish, .ready = all_over},
                                                {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_failures);
}

/* ---- a full line ---- */

enum { MANY = 200 };

static void send_many(struct sl_ctx *ctx)
{
    open_client(ctx);
    writer.hold = true;
    for (int64_t i = 1; i <= MANY; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, i, 0, 100);
}

static bool line_full(struct sl_ctx *ctx)
{
    (void)ctx;
    return writer.holding == ENTRANCE_WRITE_CREDITS &&
           atomic_load(&entrance_pump.board.writes) == MANY;
}

static void let_go(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(clients[0].over_count, 0);
    writer.hold = false;
}

static void check_order(void)
{
    sl_ts last[ENTRANCE_SHARDS] = {0};

    assert_int_equal(writer.count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t shard = writer.shard_of[i];

        client_expect(0, i, SL_GRPC_OK, "");
        assert_int_equal(shard, writer.start_ts[i] % ENTRANCE_SHARDS);
        assert_true(writer.start_ts[i] > last[shard]);
        last[shard] = writer.start_ts[i];
    }
}

static void on_a_full_line_records_wait_in_their_order(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_many}, {.play = let_go, .ready = line_full}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_order);
}

/* ---- clients that give up ---- */

enum { STORMS = 8, STORM = 300 };

static uint32_t storms;

static void storm(struct sl_ctx *ctx)
{
    (void)ctx;
    for (int64_t i = 0; i < STORM; i++)
        (void)client_write(0, SL_RECORD_COMMIT, 1 + i, 2 + i, 0);
    storms++;
}

static void begin_storm(struct sl_ctx *ctx)
{
    open_client(ctx);
    writer.hold = true;
    storms = 0;
    storm(ctx);
}

static bool storm_arrived(struct sl_ctx *ctx)
{
    (void)ctx;
    return atomic_load(&entrance_pump.board.writes) >= (uint64_t)STORM * storms;
}

static void give_up(struct sl_ctx *ctx)
{
    struct client *c = &clients[0];

    (void)ctx;
    for (uint32_t i = 0; i < c->call_count; i++) {
        if (c->calls[i].call != NULL) {
            sl_grpc_cancel(c->calls[i].call);
            c->calls[i].call = NULL;
        }
    }
}

static void next_storm(struct sl_ctx *ctx)
{
    give_up(ctx);
    storm(ctx);
}

static bool storm_settled(struct sl_ctx *ctx)
{
    (void)ctx;
    return writer.count >= SL_PUMP_SESSION_HELD;
}

static void calm(struct sl_ctx *ctx)
{
    (void)ctx;
    writer.hold = false;
}

static uint32_t refused_for_waiting(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < clients[0].call_count; i++) {
        if (clients[0].calls[i].over && clients[0].calls[i].status == SL_GRPC_UNAVAILABLE) {
            assert_string_equal(clients[0].calls[i].text,
                                "too many writes of this connection wait");
            count++;
        }
    }
    return count;
}

static void check_storm(void)
{
    /* Those that were taken were written although their clients had gone. */
    assert_int_equal(writer.count, SL_PUMP_SESSION_HELD + ENTRANCE_WRITE_CREDITS);
    assert_true(refused_for_waiting() > 0);
}

static void
a_client_that_gives_up_again_and_again_is_bounded_and_its_records_are_written(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = begin_storm},
        {.play = next_storm, .ready = storm_arrived},
        {.play = next_storm, .ready = storm_arrived},
        {.play = next_storm, .ready = storm_arrived},
        {.play = next_storm, .ready = storm_arrived},
        {.play = next_storm, .ready = storm_arrived},
        {.play = next_storm, .ready = storm_arrived},
        {.play = next_storm, .ready = storm_arrived},
        {.play = calm, .ready = storm_arrived},
        {.ready = storm_settled},
    };

    (void)state;
    ENTRANCE_PLAY(scenes, check_storm);
}

/* ---- large messages ---- */

enum { LARGE_SIZES = 6 };

static const size_t large[LARGE_SIZES] = {60 << 10,  65400,   (64 << 10) + 1,
                                          300 << 10, 1 << 20, (2 << 20) - 100};

static void send_large(struct sl_ctx *ctx)
{
    open_client(ctx);
    for (size_t i = 0; i < LARGE_SIZES; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, 1 + (int64_t)i, 0, large[i]);
}

static void check_large(void)
{
    uint64_t seen = 0;

    assert_int_equal(writer.count, LARGE_SIZES);
    for (uint32_t i = 0; i < LARGE_SIZES; i++) {
        client_expect(0, i, SL_GRPC_OK, "");
        assert_true(writer.bytes[i] >= large[writer.start_ts[i] - 1]);
        seen |= UINT64_C(1) << writer.start_ts[i];
    }
    assert_int_equal(seen, 0x7e);
}

static void large_messages_reserve_their_bytes_and_arrive(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_large}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_large);
}

/* A large one has bytes of the line while small ones, that came first, wait for them. */
static void crowd(struct sl_ctx *ctx)
{
    open_client(ctx);
    writer.hold = true;
    for (int64_t i = 0; i < 7; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, 1 + i, 0, 60 << 10);
    (void)client_write(0, SL_RECORD_PREWRITE, 8, 0, 2000 << 10);
}

static bool large_is_there(struct sl_ctx *ctx)
{
    (void)ctx;
    for (uint32_t i = 0; i < writer.count; i++) {
        if (writer.start_ts[i] == 8)
            return true;
    }
    return false;
}

static void crowd_more(struct sl_ctx *ctx)
{
    (void)ctx;
    for (int64_t i = 0; i < 50; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, 9 + i, 0, i % 9 == 0 ? 1500 << 10 : 60 << 10);
}

static bool crowded(struct sl_ctx *ctx)
{
    (void)ctx;
    return writer.holding == ENTRANCE_WRITE_CREDITS;
}

static void check_crowd(void)
{
    assert_int_equal(writer.count, 58);
    for (uint32_t i = 0; i < 58; i++)
        client_expect(0, i, SL_GRPC_OK, "");
}

static void small_and_large_records_do_not_block_each_other(void **state)
{
    static const struct stage_scene scenes[] = {{.play = crowd},
                                                {.play = crowd_more, .ready = large_is_there},
                                                {.play = calm, .ready = crowded},
                                                {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_crowd);
}

/* Calls that are given up while they wait for a permit, hold one, or are half sent. */
static void send_large_many(struct sl_ctx *ctx)
{
    if (clients[0].call_count == 0)
        open_client(ctx);
    writer.hold = true;
    for (int64_t i = 0; i < 20; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, 1 + i, 0, 1 << 20);
}

static bool some_large(struct sl_ctx *ctx)
{
    (void)ctx;
    return writer.holding >= 1;
}

static void one_more(struct sl_ctx *ctx)
{
    (void)ctx;
    writer.hold = false;
    (void)client_write(0, SL_RECORD_PREWRITE, 1000, 0, 1 << 20);
}

static bool last_is_over(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].calls[clients[0].call_count - 1].over;
}

static void check_given_up(void)
{
    client_expect(0, clients[0].call_count - 1, SL_GRPC_OK, "");
}

static void permits_of_calls_that_are_given_up_come_home(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_large_many}, {.play = give_up, .ready = some_large},
        {.play = send_large_many}, {.play = give_up},
        {.play = one_more},        {.ready = last_is_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_given_up);
}

/* ---- timestamps from the future ---- */

static sl_ts after_newest(int64_t ms)
{
    return ENTRANCE_COMMIT_TS + (ms << SL_TS_LOGICAL_BITS);
}

static void send_future(struct sl_ctx *ctx)
{
    open_client(ctx);
    clock_door.ts = after_newest(30000);
    (void)client_write(0, SL_RECORD_COMMIT, 5, after_newest(60000), 0); /* not asked for */
    (void)client_write(0, SL_RECORD_COMMIT, 6, after_newest(90000), 0); /* fine when asked */
    (void)client_write(0, SL_RECORD_COMMIT, 7, after_newest(90001), 0);
}

static void send_future_blind(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_true(clock_door.asked > 0);
    clock_door.fail = true;
    (void)client_write(0, SL_RECORD_COMMIT, 8, after_newest(60001), 0);
}

static void send_first_ever(struct sl_ctx *ctx)
{
    (void)ctx;
    clock_door.fail = false;
    clock_door.asked = 0;
    atomic_store(&entrance_pump.board.newest_ts, 0);
    (void)client_write(0, SL_RECORD_COMMIT, 9, ENTRANCE_COMMIT_TS, 0);
}

static void check_future(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
    client_expect(0, 1, SL_GRPC_OK, "");
    client_expect(0, 2, SL_GRPC_UNKNOWN,
                  "commit ts 412518855141230007 is more than one minute ahead of the newest "
                  "timestamp 412518839412327863");
    client_expect(0, 3, SL_GRPC_UNKNOWN,
                  "cannot tell whether commit ts 412518847276910007 is from the future: "
                  "timestamp door: no answer");
    client_expect(0, 4, SL_GRPC_OK, "");
    assert_int_equal(clock_door.asked, 1);
    assert_int_equal(writer.count, 3);
}

static void a_commit_ts_from_the_future_is_refused_after_the_clock_was_asked(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_future},
                                                {.play = send_future_blind, .ready = all_over},
                                                {.play = send_first_ever, .ready = all_over},
                                                {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_future);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_reaches_its_shard_as_it_came_and_is_answered_empty),
        cmocka_unit_test(the_empty_probe_is_answered_without_a_record),
        cmocka_unit_test(a_record_of_an_unknown_type_is_taken_like_a_commit),
        cmocka_unit_test(every_row_of_the_table_of_refusals_has_its_code_and_text),
        cmocka_unit_test(what_the_writer_says_reaches_the_client),
        cmocka_unit_test(on_a_full_line_records_wait_in_their_order),
        cmocka_unit_test(
            a_client_that_gives_up_again_and_again_is_bounded_and_its_records_are_written),
        cmocka_unit_test(large_messages_reserve_their_bytes_and_arrive),
        cmocka_unit_test(small_and_large_records_do_not_block_each_other),
        cmocka_unit_test(permits_of_calls_that_are_given_up_come_home),
        cmocka_unit_test(a_commit_ts_from_the_future_is_refused_after_the_clock_was_asked),
    };

    return cmocka_run_group_tests_name("session_write", tests, NULL, NULL);
}
