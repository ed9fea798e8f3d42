/* Files of large entities: what is finished is read back by pieces, byte for byte, or damage is
 * told; a start keeps exactly the files that the log refers to. */

#include "unit/storage/large_kit.h"

#include "base/env_os.h"
#include "lib/folder.h"

enum { CHUNK = SL_LARGE_CHUNK_BYTES, HEADER = 4096 };

struct kit {
    struct sl_env_sim *sim;
    struct sl_fs      *fs;
    struct sl_large   *large;
    struct sl_why      why;
};

static void reopen(struct kit *k)
{
    sl_large_close(&k->large);
    assert_int_equal(sl_large_open(k->fs, large_dir, &k->large, &k->why), SL_OK);
}

static void begin(struct kit *k)
{
    *k = (struct kit){.sim = sl_env_sim_new(7)};
    k->fs = sl_env_sim_env(k->sim)->fs;
    reopen(k);
}

static void end(struct kit *k)
{
    sl_large_close(&k->large);
    sl_env_sim_free(&k->sim);
    assert_int_equal(sl_buf_live_count(), 0);
}

static struct sl_large_ref write_one(struct kit *k, uint64_t id, uint64_t size)
{
    struct sl_large_ref ref;

    assert_int_equal(try_write(k->large, id, size, 100 * 1000, &ref), SL_OK);
    return ref;
}

static void round_trip(struct sl_fs *fs, const char *dir)
{
    static const uint64_t sizes[] = {1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 12345};
    static const size_t   pieces[] = {4096, 77777, CHUNK};
    struct sl_large      *large;
    struct sl_large_ref   ref;

    assert_int_equal(sl_large_open(fs, dir, &large, NULL), SL_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            assert_int_equal(try_write(large, i, sizes[i], pieces[j], &ref), SL_OK);
            assert_int_equal(ref.bytes, sizes[i]);
            assert_int_equal(try_read(fs, dir, i, &ref, pieces[2 - j]), SL_OK);
        }
    }
    assert_int_equal(sl_large_count(large), 18);
    sl_large_close(&large);
}

static void entities_come_back_by_pieces_of_any_size(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    round_trip(k.fs, "/other/large");
    end(&k);
}

static void the_same_on_a_real_disk(void **state)
{
    char folder[FOLDER_PATH_BYTES];
    char dir[FOLDER_PATH_BYTES];

    (void)state;
    folder_make(folder);
    folder_join(dir, folder, "large");
    round_trip(sl_env_os()->fs, dir);
    folder_remove(folder);
}

static void any_range_can_be_read(void **state)
{
    struct kit              k;
    struct sl_large_reader *reader;
    struct sl_large_ref     ref;
    struct sl_prng          prng;
    static uint8_t          expected[CHUNK];

    (void)state;
    begin(&k);
    sl_prng_seed(&prng, 3);
    ref = write_one(&k, 9, 2 * CHUNK + 500);
    assert_int_equal(sl_large_reader_open(k.fs, large_dir, &ref, &reader, NULL), SL_OK);
    for (int i = 0; i < 30; i++) {
        uint64_t       at = sl_prng_below(&prng, ref.bytes);
        uint64_t       chunk_left = CHUNK - at % CHUNK;
        size_t         count = (size_t)sl_prng_range(&prng, 1, CHUNK);
        size_t         expected_bytes = count;
        struct sl_buf *bytes;

        if (expected_bytes > chunk_left)
            expected_bytes = (size_t)chunk_left;
        if (expected_bytes > ref.bytes - at)
            expected_bytes = (size_t)(ref.bytes - at);
        assert_int_equal(sl_large_reader_read(reader, at, count, &bytes, NULL), SL_OK);
        assert_int_equal(bytes->len, expected_bytes);
        entity_bytes(9, at, expected, bytes->len);
        assert_memory_equal(bytes->data, expected, bytes->len);
        sl_buf_free(&bytes);
    }
    sl_large_reader_close(&reader);
    end(&k);
}

/* ---- damage ---- */

static void flip(struct kit *k, uint64_t number, uint64_t at)
{
    struct sl_file *file;
    char            path[64];
    uint8_t         byte;
    size_t          got;

    (void)snprintf(path, sizeof path, "%s/%08u", large_dir, (unsigned)number);
    assert_int_equal(sl_fs_open(k->fs, path, SL_OPEN_READ | SL_OPEN_WRITE, &file, NULL), SL_OK);
    assert_int_equal(sl_file_read_at(file, at, &byte, 1, &got, NULL), SL_OK);
    assert_int_equal(got, 1);
    byte ^= 0x20;
    assert_int_equal(sl_file_write_at(file, at, &byte, 1, NULL), SL_OK);
    sl_file_close(&file);
}

static void damage_anywhere_is_told(void **state)
{
    const uint64_t      size = 2 * CHUNK + 100;
    const uint64_t      places[] = {0,
                                    9,
                                    13,
                                    17,
                                    30,
                                    33,
                                    512,
                                    519,
                                    522,
                                    HEADER,
                                    HEADER + CHUNK - 1,
                                    HEADER + CHUNK,
                                    HEADER + size - 1,
                                    HEADER + size,
                                    HEADER + size + 11};
    struct kit          k;
    struct sl_large_ref ref;

    (void)state;
    begin(&k);
    ref = write_one(&k, 1, size);
    assert_int_equal(sl_large_keep(k.large, &ref, 4096, NULL), SL_OK);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        flip(&k, ref.number, places[i]);
        assert_int_equal(try_read(k.fs, large_dir, 1, &ref, CHUNK), SL_CORRUPT);
        if (places[i] < HEADER) {
            struct sl_large *large;

            assert_int_equal(sl_large_open(k.fs, large_dir, &large, &k.why), SL_CORRUPT);
            assert_non_null(strstr(k.why.text, "/data/large/00000001: the "));
            assert_non_null(strstr(k.why.text, " is damaged"));
        }
        flip(&k, ref.number, places[i]);
    }
    assert_int_equal(try_read(k.fs, large_dir, 1, &ref, CHUNK), SL_OK);
    end(&k);
}

static void a_chunk_is_good_when_another_is_damaged(void **state)
{
    struct kit              k;
    struct sl_large_reader *reader;
    struct sl_large_ref     ref;
    struct sl_buf          *bytes;

    (void)state;
    begin(&k);
    ref = write_one(&k, 1, 3 * CHUNK);
    flip(&k, ref.number, HEADER + CHUNK + 5);
    assert_int_equal(sl_large_reader_open(k.fs, large_dir, &ref, &reader, NULL), SL_OK);
    assert_int_equal(sl_large_reader_read(reader, 0, 10, &bytes, NULL), SL_OK);
    sl_buf_free(&bytes);
    assert_int_equal(sl_large_reader_read(reader, CHUNK, 10, &bytes, &k.why), SL_CORRUPT);
    assert_string_equal(k.why.text, "/data/large/00000001: the chunk at 1052672 is damaged");
    assert_int_equal(sl_large_reader_read(reader, 2 * CHUNK, 10, &bytes, NULL), SL_OK);
    sl_buf_free(&bytes);
    sl_large_reader_close(&reader);
    end(&k);
}

static void a_file_of_another_reference_is_refused(void **state)
{
    struct kit          k;
    struct sl_large_ref a;
    struct sl_large_ref b;

    (void)state;
    begin(&k);
    a = write_one(&k, 1, 5000);
    b = write_one(&k, 2, 5000);
    assert_true(b.number > a.number);
    b.number = a.number;
    assert_int_equal(try_read(k.fs, large_dir, 2, &b, CHUNK), SL_CORRUPT);
    assert_int_equal(sl_large_keep(k.large, &b, 4096, &k.why), SL_CORRUPT);
    a.number = 77;
    assert_int_equal(try_read(k.fs, large_dir, 1, &a, CHUNK), SL_NOT_FOUND);
    assert_int_equal(sl_large_keep(k.large, &a, 4096, &k.why), SL_CORRUPT);
    assert_string_equal(k.why.text, "/data/large: file 77 of the record at 4096 is missing");
    end(&k);
}

/* ---- life ---- */

static void files_go_with_their_segment(void **state)
{
    struct kit          k;
    struct sl_large_ref refs[4];

    (void)state;
    begin(&k);
    for (uint64_t i = 0; i < 4; i++) {
        refs[i] = write_one(&k, i, 3000);
        if (i < 3)
            assert_int_equal(sl_large_keep(k.large, &refs[i], 4096 + 100 * i, NULL), SL_OK);
    }
    assert_int_equal(sl_large_remove_before(k.large, 4296, NULL), SL_OK);
    assert_int_equal(try_read(k.fs, large_dir, 0, &refs[0], 10), SL_NOT_FOUND);
    assert_int_equal(try_read(k.fs, large_dir, 1, &refs[1], 10), SL_NOT_FOUND);
    assert_int_equal(try_read(k.fs, large_dir, 2, &refs[2], 4096), SL_OK);
    /* The last one's record is on its way to the log. */
    assert_int_equal(try_read(k.fs, large_dir, 3, &refs[3], 4096), SL_OK);
    sl_large_unlink(k.fs, large_dir, &refs[3]);
    assert_int_equal(try_read(k.fs, large_dir, 3, &refs[3], 10), SL_NOT_FOUND);
    assert_int_equal(sl_large_remove_before(k.large, 4296, NULL), SL_OK);
    assert_int_equal(sl_large_count(k.large), 1);
    end(&k);
}

static void a_mark_is_durable_at_once_and_found_by_the_folder(void **state)
{
    struct kit          k;
    struct sl_large_ref refs[3];

    (void)state;
    begin(&k);
    for (uint64_t i = 0; i < 3; i++)
        refs[i] = write_one(&k, i, 3000);
    for (uint64_t i = 0; i < 2; i++)
        assert_int_equal(sl_large_mark(k.fs, large_dir, &refs[i], 5000 + 1000 * i, NULL), SL_OK);
    /* The folder was not told: it looks, and takes neither the second nor the third for old. */
    assert_int_equal(sl_large_remove_before(k.large, 6000, NULL), SL_OK);
    assert_int_equal(sl_large_count(k.large), 2);
    sl_env_sim_power_cut(k.sim);
    reopen(&k);
    /* All of the log is before the head: nothing is visited. */
    assert_int_equal(sl_large_sweep(k.large, 4096, 9000, NULL), SL_OK);
    assert_int_equal(sl_large_count(k.large), 1);
    assert_int_equal(try_read(k.fs, large_dir, 1, &refs[1], 4096), SL_OK);
    assert_int_equal(sl_large_keep(k.large, &refs[1], 6000, NULL), SL_OK);
    assert_int_equal(sl_large_keep(k.large, &refs[1], 7000, NULL), SL_CORRUPT);
    end(&k);
}

static void a_start_keeps_what_the_log_refers_to(void **state)
{
    struct kit              k;
    struct sl_large_ref     refs[5];
    struct sl_large_writer *writer;
    struct sl_large        *before;

    (void)state;
    begin(&k);
    for (uint64_t i = 0; i < 5; i++)
        refs[i] = write_one(&k, i, 3000);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(sl_large_keep(k.large, &refs[i], 5000 + 1000 * i, NULL), SL_OK);
    assert_int_equal(sl_large_sync(k.large, NULL), SL_OK);
    assert_int_equal(sl_large_create(k.large, &writer, NULL), SL_OK);
    assert_int_equal(try_append(writer, 9, 5000, 1000), SL_OK);
    before = k.large; /* dies here: its writer never finishes */
    k.large = NULL;
    reopen(&k);
    assert_int_equal(sl_large_count(k.large), 5);

    /* The log begins at 5500 and was visited from 7500 on: nothing refers to the first any more,
     * the second and third were before, the fourth was visited, the fifth never got in. */
    assert_int_equal(sl_large_keep(k.large, &refs[3], 8000, NULL), SL_OK);
    assert_int_equal(sl_large_sweep(k.large, 5500, 7500, NULL), SL_OK);
    assert_int_equal(sl_large_count(k.large), 3);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(try_read(k.fs, large_dir, i, &refs[i], 4096),
                         i == 0 || i == 4 ? SL_NOT_FOUND : SL_OK);
    sl_large_abandon(&writer);
    sl_large_close(&before);

    /* The log was cut below the fourth: an offset behind the head proves nothing. */
    reopen(&k);
    assert_int_equal(sl_large_sweep(k.large, 5500, 7500, NULL), SL_OK);
    assert_int_equal(sl_large_count(k.large), 2);
    /* And numbers go on. */
    assert_true(write_one(&k, 1, 10).number > refs[3].number);
    end(&k);
}

static void a_full_disk_leaves_nothing(void **state)
{
    struct kit          k;
    struct sl_large_ref ref;

    (void)state;
    begin(&k);
    sl_env_sim_disk(k.sim)->quota_bytes = 2 * CHUNK;
    assert_int_equal(try_write(k.large, 1, 3 * CHUNK, CHUNK, &ref), SL_NOSPACE);
    assert_int_equal(sl_large_count(k.large), 0);
    assert_int_equal(sl_fs_sync_dir(k.fs, large_dir, NULL), SL_OK); /* gives the space back here */
    assert_int_equal(try_write(k.large, 1, CHUNK, CHUNK, &ref), SL_OK);
    end(&k);
}

/* ---- references ---- */

static void references_are_read_as_they_were_written(void **state)
{
    const struct sl_large_record record = {
        .ref = {.number = 7, .bytes = 4000000000, .crc = 0xdeadbeef},
        .has_value = true,
        .value_at = 60,
        .value_bytes = 3999999000,
        .rest = sl_slice_from_string("the rest")};
    static const uint8_t golden[] = {
        1,    0,    0, 0,    1,    0,    0,    0,    7,   0,   0,   0,   0,    0,
        0,    0,    0, 0x28, 0x6b, 0xee, 0,    0,    0,   0,   60,  0,   0,    0,
        0,    0,    0, 0,    0x18, 0x24, 0x6b, 0xee, 0,   0,   0,   0,   0xef, 0xbe,
        0xad, 0xde, 8, 0,    0,    0,    't',  'h',  'e', ' ', 'r', 'e', 's',  't'};
    struct sl_large_record back;
    uint8_t                bytes[sizeof golden];

    (void)state;
    assert_int_equal(sl_large_record_bytes(&record), sizeof golden);
    sl_large_record_encode(&record, bytes);
    assert_memory_equal(bytes, golden, sizeof golden);
    assert_int_equal(sl_large_record_decode((struct sl_slice){bytes, sizeof bytes}, &back, NULL),
                     SL_OK);
    assert_int_equal(back.ref.number, 7);
    assert_true(back.ref.bytes == record.ref.bytes && back.ref.crc == record.ref.crc);
    assert_true(back.has_value && back.value_at == 60 && back.value_bytes == 3999999000);
    assert_true(sl_slice_equal(back.rest, record.rest));

    for (size_t len = 0; len < sizeof bytes; len++)
        assert_int_equal(sl_large_record_decode((struct sl_slice){bytes, len}, &back, NULL),
                         SL_CORRUPT);
    bytes[24]++; /* the value would end behind the entity */
    bytes[33] = 0x28;
    assert_int_equal(sl_large_record_decode((struct sl_slice){bytes, sizeof bytes}, &back, NULL),
                     SL_CORRUPT);
    bytes[0] = 2;
    assert_int_equal(sl_large_record_decode((struct sl_slice){bytes, sizeof bytes}, &back, NULL),
                     SL_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entities_come_back_by_pieces_of_any_size),
        cmocka_unit_test(the_same_on_a_real_disk),
        cmocka_unit_test(any_range_can_be_read),
        cmocka_unit_test(damage_anywhere_is_told),
        cmocka_unit_test(a_chunk_is_good_when_another_is_damaged),
        cmocka_unit_test(a_file_of_another_reference_is_refused),
        cmocka_unit_test(files_go_with_their_segment),
        cmocka_unit_test(a_mark_is_durable_at_once_and_found_by_the_folder),
        cmocka_unit_test(a_start_keeps_what_the_log_refers_to),
        cmocka_unit_test(a_full_disk_leaves_nothing),
        cmocka_unit_test(references_are_read_as_they_were_written),
    };

    return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
