/* A reader finds every acknowledged record by its position, beside a writer that goes on, fails,
 * removes and recycles; and never returns a byte that was not written there. */

#include "unit/storage/vlog_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/env_os.h"
#include "storage/vlog_format.h"
#include "storage/vlog_reader.h"

static struct sl_position all[KIT_FOUND_MAX];

/* Append records 1.. until the log has so many segments; their number. */
static uint64_t fill(struct kit *k, uint32_t segments)
{
    uint64_t id = 0;
    uint32_t count;

    do {
        id++;
        all[id] = kit_append(k, id, 1);
        (void)sl_vlog_segments(k->vlog, &count);
    } while (count < segments);
    return id;
}

static void assert_reads(struct sl_vlog_reader *reader, uint64_t id)
{
    struct sl_vlog_record record;
    struct sl_buf        *payload;
    struct sl_why         why = {0};
    enum sl_err           err = sl_vlog_reader_read(reader, all[id], &record, &payload, &why);

    if (err != SL_OK)
        print_error("read %d: %s\n", (int)id, why.text);
    assert_int_equal(err, SL_OK);
    assert_int_equal(record.start_ts, id);
    assert_true(kit_is_whole(&record));
    assert_ptr_equal(record.payload.bytes, payload->data);
    sl_buf_free(&payload);
}

/* What reading says; a payload, should it come, is given back. */
static enum sl_err try_read(struct sl_vlog_reader *reader, struct sl_position position,
                            struct sl_why *why)
{
    struct sl_vlog_record record;
    struct sl_buf        *payload = NULL;
    enum sl_err           err = sl_vlog_reader_read(reader, position, &record, &payload, why);

    sl_buf_free(&payload);
    return err;
}

static void records_are_read_in_order_and_at_random(void **state)
{
    struct sl_vlog_reader *reader;
    struct sl_prng         prng;
    struct kit             k;
    uint64_t               count;

    (void)state;
    kit_init(&k, 1);
    kit_open(&k, 0);
    count = fill(&k, 3 * SL_VLOG_READER_FILES_MAX);
    reader = sl_vlog_reader_new(&k.options);
    sl_prng_seed(&prng, 1);
    for (unsigned i = 0; i < 500; i++)
        assert_reads(reader, sl_prng_range(&prng, 1, count));
    sl_vlog_reader_allow(reader, sl_vlog_end(k.vlog));
    for (uint64_t id = 1; id <= count; id++)
        assert_reads(reader, id);
    for (unsigned i = 0; i < 500; i++)
        assert_reads(reader, sl_prng_range(&prng, 1, count));
    sl_vlog_reader_free(&reader);
    kit_free(&k);
}

static void reading_in_order_takes_few_calls(void **state)
{
    struct sl_vlog_reader *reader;
    struct kit             k;
    uint64_t               count;

    (void)state;
    kit_init(&k, 2);
    kit_open(&k, 0);
    count = fill(&k, 2) - 1; /* the first segment */
    reader = sl_vlog_reader_new(&k.options);
    sl_vlog_reader_allow(reader, sl_vlog_end(k.vlog));
    assert_reads(reader, 1);
    assert_reads(reader, 2);
    sl_env_sim_fail_nth(k.sim, 1, UINT64_MAX, SL_IO); /* all is in the window now */
    for (uint64_t id = 3; id <= count; id++)
        assert_reads(reader, id);
    sl_env_sim_fail_nth(k.sim, 0, 0, SL_OK);
    sl_vlog_reader_free(&reader);
    kit_free(&k);
}

static void a_reader_follows_the_writer_into_new_segments(void **state)
{
    struct sl_vlog_reader *reader;
    struct kit             k;
    uint32_t               segments;
    uint64_t               id = 0;

    (void)state;
    kit_init(&k, 3);
    kit_open(&k, 0);
    reader = sl_vlog_reader_new(&k.options);
    do {
        id++;
        all[id] = kit_append(&k, id, 1);
        if (id % 2 == 0)
            sl_vlog_reader_allow(reader, sl_vlog_end(k.vlog));
        assert_reads(reader, id);
        (void)sl_vlog_segments(k.vlog, &segments);
    } while (segments < 6);
    sl_vlog_reader_free(&reader);
    kit_free(&k);
}

/* Bytes behind the acknowledged end may change: a batch that failed for want of space gives its
 * place to another. */
static void nothing_is_read_ahead_of_what_was_acknowledged(void **state)
{
    struct sl_position     lost[2];
    struct sl_vlog_reader *reader;
    struct kit             k;

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        kit_init(&k, 400 + seed);
        kit_open(&k, 0);
        reader = sl_vlog_reader_new(&k.options);
        all[1] = kit_append(&k, 1, 1);
        all[2] = kit_append(&k, 2, 1);
        sl_vlog_reader_allow(reader, sl_vlog_end(k.vlog));
        sl_env_sim_fail_nth(k.sim, 1, 1, SL_NOSPACE);
        assert_int_equal(kit_try_append(&k, 10, 2, lost), SL_NOSPACE);
        assert_reads(reader, 1);
        assert_reads(reader, 2);
        all[3] = kit_append(&k, 3, 1);
        assert_reads(reader, 3);
        sl_vlog_reader_free(&reader);
        kit_free(&k);
    }
}

static void damage_is_refused_naming_file_and_byte(void **state)
{
    struct sl_vlog_reader *reader;
    struct sl_why          why = {0};
    struct kit             k;
    uint64_t               bytes;
    uint64_t               id = 2;
    char                   words[80];

    (void)state;
    kit_init(&k, 5);
    kit_open(&k, 0);
    (void)fill(&k, 2);
    bytes = VLOG_BLOCK_BYTES + all[id].offset - VLOG_FIRST_OFFSET;
    kit_damage(&k, 1, bytes + 47);
    reader = sl_vlog_reader_new(&k.options);
    assert_int_equal(try_read(reader, all[id], &why), SL_CORRUPT);
    (void)snprintf(words, sizeof words, "00000001.seg is damaged at byte %d", (int)bytes);
    assert_non_null(strstr(why.text, words));
    assert_reads(reader, id + 1);
    kit_damage(&k, 1, bytes + 47);
    assert_reads(reader, id);
    sl_vlog_reader_free(&reader);
    kit_free(&k);
}

static void what_is_no_position_is_refused(void **state)
{
    struct sl_vlog_reader *reader;
    struct sl_position     wrong;
    struct kit             k;

    (void)state;
    kit_init(&k, 6);
    kit_open(&k, 0);
    (void)fill(&k, 2);
    reader = sl_vlog_reader_new(&k.options);
    assert_int_equal(try_read(reader, (struct sl_position){0, 0}, NULL), SL_INVALID);
    wrong = all[1];
    wrong.bytes += 4;
    assert_int_equal(try_read(reader, wrong, NULL), SL_INVALID);
    wrong.bytes += 4; /* the size of no record there */
    assert_int_equal(try_read(reader, wrong, NULL), SL_CORRUPT);
    wrong = (struct sl_position){all[1].offset + 8, 48};
    assert_int_equal(try_read(reader, wrong, NULL), SL_CORRUPT);
    wrong = (struct sl_position){(uint64_t)1 << 40, 48};
    assert_int_equal(try_read(reader, wrong, NULL), SL_CORRUPT);
    sl_vlog_reader_free(&reader);
    kit_free(&k);
}

static void removed_records_are_not_found_even_when_their_file_is_recycled(void **state)
{
    struct sl_vlog_reader        *warm; /* has the segment open */
    struct sl_vlog_reader        *cold;
    const struct sl_vlog_segment *segments;
    struct sl_why                 why = {0};
    struct kit                    k;
    uint64_t                      count;
    uint32_t                      n;

    (void)state;
    kit_init(&k, 7);
    kit_open(&k, 0);
    count = fill(&k, 3);
    warm = sl_vlog_reader_new(&k.options);
    cold = sl_vlog_reader_new(&k.options);
    assert_reads(warm, 1);
    assert_reads(warm, count);
    segments = sl_vlog_segments(k.vlog, &n);
    assert_int_equal(sl_vlog_remove_before(k.vlog, segments[n - 1].first, NULL), SL_OK);
    (void)kit_fill_segments(&k, 1000, 3); /* both files are written again */
    assert_int_equal(try_read(warm, all[2], &why), SL_NOT_FOUND);
    assert_non_null(strstr(why.text, "was removed"));
    assert_int_equal(try_read(cold, all[1], NULL), SL_NOT_FOUND);
    assert_reads(warm, count);
    assert_reads(cold, count);
    sl_vlog_reader_free(&warm);
    sl_vlog_reader_free(&cold);
    kit_free(&k);
}

static void errors_of_the_disk_reach_the_caller_and_pass(void **state)
{
    struct sl_vlog_reader *reader;
    struct kit             k;
    uint64_t               count;
    uint64_t               n = 1;

    (void)state;
    kit_init(&k, 8);
    kit_open(&k, 0);
    count = fill(&k, 4);
    for (bool met = true; met; n++) {
        enum sl_err err;

        reader = sl_vlog_reader_new(&k.options);
        sl_env_sim_fail_nth(k.sim, n, 1, SL_IO);
        err = try_read(reader, all[count / 2], NULL);
        met = sl_env_sim_failed(k.sim) > 0;
        assert_int_equal(err, met ? SL_IO : SL_OK);
        sl_env_sim_fail_nth(k.sim, 0, 0, SL_OK);
        assert_reads(reader, count / 2);
        sl_vlog_reader_free(&reader);
    }
    assert_true(n > 5);
    kit_free(&k);
}

/* ---- with threads, on real files ---- */

enum { SHARED_RECORDS = 2000, READERS = 2 };

/* The writer publishes how many records are acknowledged, and where the log ends. The release of
 * `published` pairs with the readers' acquire: with a number they see positions and end. */
struct shared {
    struct sl_vlog_options options;
    struct sl_position     position[SHARED_RECORDS + 1];
    uint64_t               end[SHARED_RECORDS + 1];
    _Atomic uint64_t       published;
};

static void *read_along(void *argument)
{
    struct shared         *s = argument;
    struct sl_vlog_reader *reader = sl_vlog_reader_new(&s->options);
    uint64_t               wrong = 0;
    uint8_t                bytes[KIT_PAYLOAD_BYTES_MAX];

    for (uint64_t id = 1; id <= SHARED_RECORDS;) {
        uint64_t published = atomic_load_explicit(&s->published, memory_order_acquire);

        if (published > 0)
            sl_vlog_reader_allow(reader, s->end[published]);
        for (; id <= published; id++) {
            struct sl_vlog_record record;
            struct sl_vlog_record wanted = kit_record(id, bytes);
            struct sl_buf        *payload = NULL;
            enum sl_err err = sl_vlog_reader_read(reader, s->position[id], &record, &payload, NULL);

            wrong += err != SL_OK || !kit_same(&record, &wanted);
            sl_buf_free(&payload);
        }
    }
    sl_vlog_reader_free(&reader);
    return (void *)(uintptr_t)wrong;
}

static void write_along(struct shared *s)
{
    static uint8_t  bytes[KIT_PAYLOAD_BYTES_MAX];
    struct sl_vlog *vlog;

    assert_int_equal(sl_vlog_open(&s->options, 0, NULL, NULL, &vlog, NULL), SL_OK);
    for (uint64_t id = 1; id <= SHARED_RECORDS; id++) {
        struct sl_vlog_record record = kit_record(id, bytes);

        assert_int_equal(sl_vlog_append(vlog, &record, 1, &s->position[id], NULL), SL_OK);
        s->end[id] = sl_vlog_end(vlog);
        atomic_store_explicit(&s->published, id, memory_order_release);
    }
    sl_vlog_close(&vlog);
}

static enum sl_err remove_entry(void *context, const char *name)
{
    char path[SL_PATH_BYTES_MAX];

    assert_int_equal(sl_path_join(path, context, name, NULL), SL_OK);
    return sl_fs_remove(sl_env_os()->fs, path, NULL);
}

static void readers_in_other_threads_see_what_was_acknowledged(void **state)
{
    static struct shared s;
    char                 dir[] = "/tmp/vlog_reader_test.XXXXXX";
    pthread_t            threads[READERS];
    void                *wrong;

    (void)state;
    assert_non_null(mkdtemp(dir));
    s.options = (struct sl_vlog_options){.fs = sl_env_os()->fs,
                                         .random = sl_env_os()->random,
                                         .dir = dir,
                                         .identity = {.cluster_id = 1, .shard_count = 1},
                                         .segment_bytes = SL_VLOG_SEGMENT_BYTES_MIN,
                                         .no_sync = true};
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_along, &s), 0);
    write_along(&s);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_int_equal((uintptr_t)wrong, 0);
    }
    assert_int_equal(sl_fs_list(sl_env_os()->fs, dir, remove_entry, dir, NULL), SL_OK);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_in_order_and_at_random),
        cmocka_unit_test(reading_in_order_takes_few_calls),
        cmocka_unit_test(a_reader_follows_the_writer_into_new_segments),
        cmocka_unit_test(nothing_is_read_ahead_of_what_was_acknowledged),
        cmocka_unit_test(damage_is_refused_naming_file_and_byte),
        cmocka_unit_test(what_is_no_position_is_refused),
        cmocka_unit_test(removed_records_are_not_found_even_when_their_file_is_recycled),
        cmocka_unit_test(errors_of_the_disk_reach_the_caller_and_pass),
        cmocka_unit_test(readers_in_other_threads_see_what_was_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
