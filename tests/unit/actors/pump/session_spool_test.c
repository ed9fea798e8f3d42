/* WriteBinlog of requests that are too large to be held, at a session and a real spooler: what is
 * written and referred to, what is refused before it is written, clients that go away, and how many
 * are taken at one time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/record.h"
#include "net/node.h"
#include "unit/actors/pump/entrance.h"

enum { LARGE = SL_SPOOL_PIECE_BYTES_MIN, VALUE_BYTES = 5 * LARGE + 77 };

static const char write_path[] = "/binlog.Pump/WriteBinlog";

static bool all_over(struct sl_ctx *ctx)
{
    (void)ctx;
    return clients[0].over_count == clients[0].call_count;
}

static void open_client(struct sl_ctx *ctx)
{
    entrance_pump.options.large_bytes = LARGE;
    atomic_store(&entrance_pump.board.space_available, 100 * LARGE);
    client_open(ctx, 0, true, false);
}

static enum sl_err count_one(void *context, const char *name)
{
    (void)name;
    ++*(uint32_t *)context;
    return SL_OK;
}

/* Files in the folders, finished or not. */
static uint32_t files(struct sl_ctx *ctx)
{
    uint32_t count = 0;

    for (uint32_t k = 0; k < ENTRANCE_SHARDS; k++)
        assert_int_equal(
            sl_fs_list(sl_env(ctx)->fs, entrance_pump.large_dir[k], count_one, &count, NULL),
            SL_OK);
    return count;
}

static void expect_no_file(struct sl_ctx *ctx)
{
    assert_int_equal(files(ctx), 0);
}

/* ---- taken ---- */

static void send_one(struct sl_ctx *ctx)
{
    open_client(ctx);
    (void)client_write(0, SL_RECORD_PREWRITE, 5, 0, VALUE_BYTES);
}

/* The file holds the request, and the reference says where the value is in it. */
static void expect_file(struct sl_ctx *ctx)
{
    uint8_t                 payload[128];
    struct sl_large_record  reference;
    struct sl_large_reader *reader;
    struct sl_record        rest;
    struct sl_buf          *bytes;
    unsigned                byte;

    for (size_t i = 0; i < writer.bytes[0]; i++) {
        assert_int_equal(sscanf(writer.last_hex + 2 * i, "%2x", &byte), 1);
        payload[i] = (uint8_t)byte;
    }
    assert_int_equal(
        sl_large_record_decode((struct sl_slice){payload, writer.bytes[0]}, &reference, NULL),
        SL_OK);
    assert_true(reference.has_value);
    assert_int_equal(reference.value_bytes, VALUE_BYTES);
    assert_int_equal(sl_record_decode(reference.rest, &rest, NULL), SL_OK);
    assert_int_equal(rest.start_ts, 5);
    assert_null(rest.prewrite_value.bytes);
    assert_int_equal(sl_large_reader_open(sl_env(ctx)->fs,
                                          entrance_pump.large_dir[writer.shard_of[0]],
                                          &reference.ref, &reader, NULL),
                     SL_OK);
    assert_int_equal(sl_large_reader_read(reader, reference.value_at - 4, 4, &bytes, NULL), SL_OK);
    assert_memory_equal(bytes->data, "\x2a\xcd\x80\x14", 4); /* field 5, and its length */
    sl_buf_free(&bytes);
    sl_large_reader_close(&reader);
    assert_int_equal(files(ctx), 1);
}

static void check_one(void)
{
    client_expect(0, 0, SL_GRPC_OK, "");
    assert_int_equal(clients[0].calls[0].messages, 1);
    assert_int_equal(writer.count, 1);
    assert_int_equal(writer.start_ts[0], 5);
    assert_int_equal(atomic_load(&entrance_pump.board.writes), 1);
}

static void a_large_prewrite_goes_to_a_file_and_its_reference_to_the_writer(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_one},
                                                {.ready = all_over, .play = expect_file}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_one);
}

static void send_to_a_writer_that_fails(struct sl_ctx *ctx)
{
    writer.err = SL_IO;
    writer.text = "write to disk failed: no";
    send_one(ctx);
}

static void check_failed(void)
{
    client_expect(0, 0, SL_GRPC_UNKNOWN, "write to disk failed: no");
}

static void a_writer_that_fails_is_heard(void **state)
{
    static const struct stage_scene scenes[] = {{.play = send_to_a_writer_that_fails},
                                                {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_failed);
}

/* ---- refused ---- */

enum row { ROW_CLUSTER, ROW_COMMIT, ROW_STATE, ROW_SPACE, ROW_LOG, ROW_ORDER, ROW_BROKEN, ROWS };

static uint32_t row_call[ROWS];

/* A request of `bytes` that begins and ends so, with zeros in between. */
static uint32_t send_bytes(const char *begin, size_t begin_bytes, size_t bytes, const char *end)
{
    uint8_t *all = calloc(1, bytes);
    uint32_t call;

    assert_non_null(all);
    memcpy(all, begin, begin_bytes);
    memcpy(all + bytes - strlen(end), end, strlen(end));
    call = client_call_bytes(0, write_path, all, bytes);
    free(all);
    return call;
}

#define OWN_CLUSTER "\x08\xb5\xc4\xf4\x92\x81\xd3\xa8\x94\x5b"

static void send_what_is_none(struct sl_ctx *ctx)
{
    /* cluster 5; a payload of 200000: start ts 5, a value of 199994 */
    static const char other[] = "\x08\x05\x12\xc0\x9a\x0c\x10\x05\x2a\xba\x9a\x0c";
    /* a value of 199994, then the start ts */
    static const char order[] = OWN_CLUSTER "\x12\xc0\x9a\x0c\x2a\xba\x9a\x0c";
    /* a value of 200001 in a payload of 200000 */
    static const char broken[] = OWN_CLUSTER "\x12\xc0\x9a\x0c\x10\x05\x2a\xc1\x9a\x0c";

    open_client(ctx);
    row_call[ROW_CLUSTER] = send_bytes(other, sizeof other - 1, 6 + 200000, "");
    row_call[ROW_ORDER] = send_bytes(order, sizeof order - 1, 14 + 200000, "\x10\x05");
    row_call[ROW_BROKEN] = send_bytes(broken, sizeof broken - 1, 14 + 200000, "");
    row_call[ROW_COMMIT] = client_write(0, SL_RECORD_COMMIT, 5, 6, VALUE_BYTES);
}

static void send_while_pausing(struct sl_ctx *ctx)
{
    (void)ctx;
    atomic_store(&entrance_pump.board.state, SL_NODE_PAUSING);
    row_call[ROW_STATE] = client_write(0, SL_RECORD_PREWRITE, 5, 0, VALUE_BYTES);
}

static void send_without_space(struct sl_ctx *ctx)
{
    (void)ctx;
    atomic_store(&entrance_pump.board.state, SL_NODE_ONLINE);
    atomic_store(&entrance_pump.board.space_available, VALUE_BYTES + ENTRANCE_STOP_WRITE_BYTES);
    row_call[ROW_SPACE] = client_write(0, SL_RECORD_PREWRITE, 5, 0, VALUE_BYTES);
}

static void send_to_a_broken_log(struct sl_ctx *ctx)
{
    (void)ctx;
    atomic_store(&entrance_pump.board.space_available, 100 * LARGE);
    atomic_store(&entrance_pump.board.broken[1], 1);
    row_call[ROW_LOG] = client_write(0, SL_RECORD_PREWRITE, 5, 0, VALUE_BYTES);
}

static void check_table(void)
{
    client_expect(0, row_call[ROW_CLUSTER], SL_GRPC_UNKNOWN,
                  "cluster ID are mismatch, 5 vs 6568678830546690613");
    client_expect(0, row_call[ROW_COMMIT], SL_GRPC_RESOURCE_EXHAUSTED,
                  "grpc: received message larger than max (327783 vs. 65536)");
    client_expect(0, row_call[ROW_STATE], SL_GRPC_UNKNOWN, "no online: pausing");
    client_expect(0, row_call[ROW_SPACE], SL_GRPC_UNKNOWN,
                  "no available space, available: 328757, StopWriteAtAvailableSpace: 1000");
    client_expect(0, row_call[ROW_LOG], SL_GRPC_UNKNOWN,
                  "write to disk failed: the value log of shard 1 cannot be opened");
    client_expect(0, row_call[ROW_ORDER], SL_GRPC_UNKNOWN,
                  "in a record of more than 65536 bytes all else must stand once, before the "
                  "prewrite value");
    client_expect(0, row_call[ROW_BROKEN], SL_GRPC_UNKNOWN, "unexpected EOF");
    assert_int_equal(writer.count, 0);
    assert_int_equal(atomic_load(&entrance_pump.board.spools), 0);
}

static void what_is_refused_is_refused_before_a_byte_is_written(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_what_is_none},
        {.ready = all_over, .play = send_while_pausing},
        {.ready = all_over, .play = send_without_space},
        {.ready = all_over, .play = send_to_a_broken_log},
        {.ready = all_over, .play = expect_no_file},
    };

    (void)state;
    ENTRANCE_PLAY(scenes, check_table);
}

/* ---- clients that go away ---- */

static bool under_way(struct sl_ctx *ctx)
{
    return files(ctx) == 1;
}

static bool no_file(struct sl_ctx *ctx)
{
    return files(ctx) == 0;
}

static void hang_up(struct sl_ctx *ctx)
{
    (void)ctx;
    clients[0].hang_up = true;
}

static void cancel(struct sl_ctx *ctx)
{
    (void)ctx;
    sl_grpc_cancel(clients[0].calls[0].call);
    sl_buf_free(&clients[0].calls[0].more);
}

static void check_nothing_written(void)
{
    assert_int_equal(writer.count, 0);
    assert_int_equal(atomic_load(&entrance_pump.board.spools), 1);
}

static void who_hangs_up_amid_an_upload_leaves_no_file(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_one}, {.ready = under_way, .play = hang_up}, {.ready = no_file}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_nothing_written);
}

static void who_cancels_amid_an_upload_leaves_no_file(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_one}, {.ready = under_way, .play = cancel}, {.ready = no_file}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_nothing_written);
}

/* ---- many ---- */

static void send_many(struct sl_ctx *ctx)
{
    writer.hold = true;
    open_client(ctx);
    for (uint32_t i = 0; i < SL_SPOOLS_MAX + 3; i++)
        (void)client_write(0, SL_RECORD_PREWRITE, 5 + i, 0, VALUE_BYTES);
}

static bool most_are_held(struct sl_ctx *ctx)
{
    (void)ctx;
    return writer.holding == SL_SPOOLS_MAX;
}

static void go_on(struct sl_ctx *ctx)
{
    (void)ctx;
    assert_int_equal(atomic_load(&entrance_pump.board.spools), SL_SPOOLS_MAX);
    writer.hold = false;
}

static void check_many(void)
{
    for (uint32_t i = 0; i < SL_SPOOLS_MAX + 3; i++)
        client_expect(0, i, SL_GRPC_OK, "");
    assert_int_equal(writer.count, SL_SPOOLS_MAX + 3);
}

static void more_than_so_many_wait_for_their_turn(void **state)
{
    static const struct stage_scene scenes[] = {
        {.play = send_many}, {.ready = most_are_held, .play = go_on}, {.ready = all_over}};

    (void)state;
    ENTRANCE_PLAY(scenes, check_many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_prewrite_goes_to_a_file_and_its_reference_to_the_writer),
        cmocka_unit_test(a_writer_that_fails_is_heard),
        cmocka_unit_test(what_is_refused_is_refused_before_a_byte_is_written),
        cmocka_unit_test(who_hangs_up_amid_an_upload_leaves_no_file),
        cmocka_unit_test(who_cancels_amid_an_upload_leaves_no_file),
        cmocka_unit_test(more_than_so_many_wait_for_their_turn),
    };

    return cmocka_run_group_tests_name("session_spool", tests, NULL, NULL);
}
