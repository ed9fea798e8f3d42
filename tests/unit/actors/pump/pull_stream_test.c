/* The stream of a puller, without actors: what a batch holds, and how it meets each kind of trouble
 * in index and log. That it gives all in order, tests/sim/puller_test.c shows. */

#include "sim/pull_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/pump/pull_stream.h"
#include "base/log.h"
#include "lib/env_sim.h"
#include "storage/vlog_format.h"

/* A world of one shard, a stream of it and its last batch. */
static struct sl_env_sim *sim;
static struct pull_stream stream;
static struct sl_buf     *batch[SL_PULL_BATCH_ITEMS];
static uint32_t           batch_count;
static uint32_t           pieces_of;
static struct sl_why      why;

static int begin(void **state)
{
    (void)state;
    sim = sl_env_sim_new(1);
    world_begin(sl_env_sim_env(sim), 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    pull_stream_close(&stream);
    world_end();
    sl_env_sim_free(&sim);
    assert_int_equal(sl_buf_live_count(), 0);
    return 0;
}

/* The series of the original's alert. */
static void assert_counted(const char *type, unsigned count)
{
    char  *text = NULL;
    char   line[128];
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);

    sl_metric_write(world.pump.metric_registry, out);
    assert_int_equal(fclose(out), 0);
    (void)snprintf(line, sizeof line, "\nbinlog_pump_storage_error_count{type=\"%s\"} %u\n", type,
                   count);
    assert_non_null(strstr(text, line));
    free(text);
}

static void open_after(sl_ts after)
{
    pull_stream_close(&stream);
    assert_int_equal(pull_stream_open(&stream, &world.pump, after, "peer", &why), SL_OK);
}

/* The stream may go as far as what is written now. */
static void publish(void)
{
    sl_ts watermark = world_publish(0);

    pull_shard_allow(&stream.shards[0], watermark, sl_vlog_end(world.pump.shard[0].vlog));
}

static enum sl_err next(void)
{
    why.text[0] = '\0';
    return pull_stream_next(&stream, batch, &batch_count, &pieces_of, &why);
}

static void drop_batch(void)
{
    for (uint32_t i = 0; i < batch_count; i++)
        sl_buf_free(&batch[i]);
    batch_count = 0;
}

/* The next batch has so many entities. */
static void assert_next(uint32_t count)
{
    enum sl_err err = next();

    if (err != SL_OK)
        print_error("%s\n", why.text);
    assert_int_equal(err, SL_OK);
    assert_int_equal(batch_count, count);
    drop_batch();
}

/* The stream ends with this error and these words, and nothing is left behind. */
static void assert_ends(enum sl_err err, const char *words)
{
    assert_int_equal(next(), err);
    assert_int_equal(batch_count, 0);
    if (strstr(why.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
}

static void commit_with(size_t value_bytes)
{
    world_commit(world_prewrite(value_bytes), SL_RECORD_COMMIT);
}

/* ---- batches ---- */

static void a_batch_is_bounded_by_its_items(void **state)
{
    (void)state;
    open_after(0);
    for (unsigned i = 0; i < SL_PULL_BATCH_ITEMS + 3; i++)
        commit_with(10);
    publish();
    assert_next(SL_PULL_BATCH_ITEMS);
    assert_next(3);
    assert_next(0);
}

static void a_batch_is_bounded_by_its_bytes(void **state)
{
    enum { VALUE_BYTES = 40000, FIT = SL_PULL_BATCH_BYTES / VALUE_BYTES };

    (void)state;
    open_after(0);
    for (unsigned i = 0; i < FIT + 2; i++)
        commit_with(VALUE_BYTES);
    publish();
    assert_next(FIT);
    assert_next(2);
}

static void a_batch_spans_blocks_and_blocks_span_one_commit_ts(void **state)
{
    (void)state;
    open_after(0);
    commit_with(1);
    for (unsigned i = 0; i < 3 * SL_PULL_BLOCK_ITEMS; i++)
        world_repeat();
    for (unsigned i = 0; i < SL_PULL_BATCH_ITEMS; i++)
        commit_with(1);
    publish();
    assert_next(SL_PULL_BATCH_ITEMS);
    assert_next(1);
    assert_next(0);
    assert_int_equal(atomic_load(&world.pump.board.pull_repeats), 3 * SL_PULL_BLOCK_ITEMS);
}

static void nothing_above_the_watermark_is_given(void **state)
{
    uint32_t held;

    (void)state;
    open_after(0);
    commit_with(10);
    held = world_prewrite(10);
    commit_with(10);
    publish();
    assert_next(1);
    assert_next(0);
    assert_true(pull_stream_watermark(&stream) == world.told[0]);
    world_rollback(held);
    publish();
    assert_next(1);
}

static void an_orphan_is_skipped_and_a_fake_moves_the_reader_past_it(void **state)
{
    struct sl_buf *fake;
    bool           is_fake;
    sl_ts          ts;

    (void)state;
    open_after(0);
    world_orphan();
    publish();
    assert_next(0);
    assert_int_equal(atomic_load(&world.pump.board.pull_orphans), 1);
    assert_counted("feed_pre_write_value", 1);
    fake = pull_stream_fake(&stream);
    ts = world_ts_of(fake, &is_fake);
    assert_true(is_fake && ts == world.newest && stream.sent == ts);
    sl_buf_free(&fake);
    commit_with(10);
    publish();
    assert_next(1);
}

/* ---- large entities ---- */

/* The pieces of the next batches are this entity. */
static void assert_comes_in_pieces(const struct sl_buf *entity)
{
    size_t at = 0;

    while (at < entity->len) {
        assert_int_equal(next(), SL_OK);
        assert_int_equal(pieces_of, entity->len);
        assert_true(batch_count > 0);
        for (uint32_t i = 0; i < batch_count; i++) {
            assert_in_range(batch[i]->len, 1, entity->len - at);
            assert_memory_equal(batch[i]->data, entity->data + at, batch[i]->len);
            at += batch[i]->len;
        }
        drop_batch();
    }
}

static void a_large_entity_comes_in_pieces_between_whole_ones(void **state)
{
    enum { VALUE_BYTES = 5 * SL_LARGE_CHUNK_BYTES / 2 };

    (void)state;
    open_after(0);
    commit_with(10);
    commit_with(10);
    world_commit(world_prewrite_large(VALUE_BYTES), SL_RECORD_COMMIT);
    world_commit(world_prewrite_large(1), SL_RECORD_COMMIT);
    commit_with(10);
    publish();
    assert_next(2);
    assert_int_equal(pieces_of, 0);
    assert_true(world.entries[2].entity->len > VALUE_BYTES);
    assert_comes_in_pieces(world.entries[2].entity);
    assert_comes_in_pieces(world.entries[3].entity);
    assert_next(1);
    assert_int_equal(pieces_of, 0);
    assert_next(0);
}

static void a_stream_may_end_within_a_large_entity(void **state)
{
    (void)state;
    open_after(0);
    world_commit(world_prewrite_large(3 * SL_LARGE_CHUNK_BYTES), SL_RECORD_COMMIT);
    commit_with(10);
    publish();
    assert_int_equal(next(), SL_OK);
    assert_true(pieces_of > 0);
    drop_batch();
}

static void a_large_entity_whose_file_is_gone_ends_the_stream(void **state)
{
    (void)state;
    open_after(0);
    commit_with(10);
    world_commit(world_prewrite_large(100000), SL_RECORD_COMMIT);
    publish();
    assert_int_equal(sl_large_remove_before(world.pump.shard[0].large, UINT64_MAX, NULL), SL_OK);
    assert_next(1);
    assert_ends(SL_NOT_FOUND, "/large-0/");
}

static void damage_within_a_large_entity_ends_the_stream(void **state)
{
    struct sl_file *file;
    uint8_t         byte = 'x';

    (void)state;
    open_after(0);
    world_commit(world_prewrite_large(3 * SL_LARGE_CHUNK_BYTES), SL_RECORD_COMMIT);
    publish();
    assert_int_equal(
        sl_fs_open(world.pump.vlog_options[0].fs, "/large-0/00000001", SL_OPEN_WRITE, &file, NULL),
        SL_OK);
    assert_int_equal(sl_file_write_at(file, 2 * SL_LARGE_CHUNK_BYTES, &byte, 1, NULL), SL_OK);
    sl_file_close(&file);
    assert_int_equal(next(), SL_OK);
    drop_batch();
    assert_ends(SL_CORRUPT, "is damaged");
}

/* ---- trouble ---- */

static void a_commit_below_what_was_told_is_not_sent_behind_it(void **state)
{
    sl_ts hole;

    (void)state;
    open_after(0);
    commit_with(10);
    hole = world.newest + 1;
    world.clock += 10;
    commit_with(10);
    publish();
    assert_next(2);
    world_late(hole);
    publish();
    assert_next(0);
    /* The cursor stands behind it; one that has not moved so far would see it. */
    world_fake();
    publish();
    assert_next(1);
    open_after(0);
    publish();
    assert_next(4);
}

static void a_late_commit_that_the_cursor_meets_is_skipped(void **state)
{
    uint32_t held;
    sl_ts    hole;

    (void)state;
    open_after(0);
    commit_with(10);
    hole = world.newest + 1;
    world.clock += 10;
    held = world_prewrite(10); /* raises the watermark above the hole, without an entry there */
    commit_with(10);
    publish();
    assert_next(1);
    world_late(hole);
    world_rollback(held);
    publish();
    assert_next(1);
    assert_int_equal(atomic_load(&world.pump.board.pull_late), 1);
}

static void retention_that_passes_an_open_stream_ends_it(void **state)
{
    (void)state;
    open_after(0);
    for (unsigned i = 0; i < 3; i++)
        commit_with(10);
    publish();
    assert_next(3);
    commit_with(10);
    commit_with(10);
    publish();
    world_remove(world.newest - 1);
    assert_ends(SL_NOT_FOUND, "may have been removed");
    open_after(world.newest - 1);
    publish();
    assert_next(1);
}

/* Blocks were read, then the log goes. */
static void a_removed_log_ends_the_stream(void **state)
{
    (void)state;
    open_after(0);
    for (unsigned i = 0; i < 40; i++)
        commit_with(30000);
    publish();
    assert_int_equal(next(), SL_OK);
    drop_batch();
    world_remove(world.newest);
    assert_ends(SL_NOT_FOUND, "was removed");
}

static void damage_ends_the_stream_with_file_and_byte(void **state)
{
    struct sl_file *file;
    uint8_t         byte = 'x';

    (void)state;
    open_after(0);
    commit_with(10);
    commit_with(10);
    publish();
    assert_int_equal(sl_fs_open(world.pump.vlog_options[0].fs, "/log-0/00000001.seg", SL_OPEN_WRITE,
                                &file, NULL),
                     SL_OK);
    assert_int_equal(
        sl_file_write_at(file,
                         VLOG_BLOCK_BYTES +
                             (world.entries[1].index.prewrite.offset - VLOG_FIRST_OFFSET) +
                             VLOG_RECORD_HEADER_BYTES + 3,
                         &byte, 1, NULL),
        SL_OK);
    sl_file_close(&file);
    assert_ends(SL_CORRUPT, "/log-0/00000001.seg is damaged at byte");
}

/* A stream over the index as world.entries has it now. */
static void open_with_entries_as_they_are(void)
{
    world.is_published[0] = false;
    open_after(0);
    publish();
}

static void an_index_that_points_elsewhere_ends_the_stream(void **state)
{
    struct sl_index_entry *first = &world.entries[0].index;
    struct sl_index_entry *second = &world.entries[1].index;
    struct sl_index_entry  right;

    (void)state;
    commit_with(10);
    commit_with(10);
    right = *first;
    first->commit = second->commit;
    open_with_entries_as_they_are();
    assert_ends(SL_CORRUPT, "says that the commit of start ts");
    first->commit = right.prewrite;
    open_with_entries_as_they_are();
    assert_ends(SL_CORRUPT, "says that the commit of start ts");
    *first = right;
    first->prewrite = second->prewrite;
    open_with_entries_as_they_are();
    assert_ends(SL_CORRUPT, "says that the prewrite of start ts");
    *first = right;
    open_with_entries_as_they_are();
    assert_next(2);
}

static void every_failing_read_ends_the_stream_and_leaves_nothing(void **state)
{
    uint64_t failed = 1;

    (void)state;
    open_after(0);
    for (unsigned i = 0; i < 20; i++)
        commit_with(30000);
    publish();
    for (uint64_t nth = 1; failed > 0; nth++) {
        open_after(0);
        publish();
        sl_env_sim_fail_nth(sim, nth, 1, SL_IO);
        while (next() == SL_OK && batch_count > 0)
            drop_batch();
        assert_int_equal(batch_count, 0);
        failed = sl_env_sim_failed(sim);
        assert_true((why.text[0] != '\0') == (failed > 0));
    }
    sl_env_sim_fail_nth(sim, 0, 0, SL_OK);
}

int main(void)
{
#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        STREAM_TEST(a_batch_is_bounded_by_its_items),
        STREAM_TEST(a_batch_is_bounded_by_its_bytes),
        STREAM_TEST(a_batch_spans_blocks_and_blocks_span_one_commit_ts),
        STREAM_TEST(nothing_above_the_watermark_is_given),
        STREAM_TEST(an_orphan_is_skipped_and_a_fake_moves_the_reader_past_it),
        STREAM_TEST(a_large_entity_comes_in_pieces_between_whole_ones),
        STREAM_TEST(a_stream_may_end_within_a_large_entity),
        STREAM_TEST(a_large_entity_whose_file_is_gone_ends_the_stream),
        STREAM_TEST(damage_within_a_large_entity_ends_the_stream),
        STREAM_TEST(a_commit_below_what_was_told_is_not_sent_behind_it),
        STREAM_TEST(a_late_commit_that_the_cursor_meets_is_skipped),
        STREAM_TEST(retention_that_passes_an_open_stream_ends_it),
        STREAM_TEST(a_removed_log_ends_the_stream),
        STREAM_TEST(damage_ends_the_stream_with_file_and_byte),
        STREAM_TEST(an_index_that_points_elsewhere_ends_the_stream),
        STREAM_TEST(every_failing_read_ends_the_stream_and_leaves_nothing),
    };

    sl_log_set_level(SL_LOG_FATAL); /* what is skipped is logged, and counted */
    return cmocka_run_group_tests_name("pull_stream", tests, NULL, NULL);
}
