/* Opening a value log tells a torn tail from damage to what was acknowledged: the one is cut, for
 * good, the other refused, naming file and byte. And it refuses a log that is not ours or not
 * whole. */

#include "unit/storage/vlog_kit.h"

#include "base/crc32c.h"
#include "storage/vlog_format.h"

/* Where in its file the record at this position of segment i stands. */
static uint64_t place(const struct kit *k, uint32_t i, struct sl_position at)
{
    return VLOG_BLOCK_BYTES + at.offset - kit_segment(k, i).first;
}

/* ---- damage and torn tails ---- */

static void refused_as_damaged(struct kit *k, uint64_t head, unsigned number, uint64_t at)
{
    uint8_t before[SL_VLOG_SEGMENT_BYTES_MIN];
    uint8_t after[SL_VLOG_SEGMENT_BYTES_MIN];
    char    words[64];

    kit_read(k, number, 0, before, sizeof before);
    assert_int_equal(kit_try_open(k, head), SL_CORRUPT);
    (void)snprintf(words, sizeof words, "/%08u.seg is damaged at byte %d", number, (int)at);
    assert_non_null(strstr(k->why.text, words));
    assert_non_null(strstr(k->why.text, "restore the file from a copy"));
    kit_read(k, number, 0, after, sizeof after);
    assert_memory_equal(before, after, sizeof before); /* evidence is left as it is */
}

static void damage_below_a_later_records_witness_is_refused(void **state)
{
    struct sl_position first;
    struct kit         k;
    uint64_t           at;

    (void)state;
    kit_init(&k, 5);
    kit_open(&k, 0);
    (void)kit_append(&k, 1, 3);
    first = kit_append(&k, 4, 1);
    (void)kit_append(&k, 5, 1);
    at = place(&k, 0, first);
    kit_damage(&k, 1, at + 20);
    refused_as_damaged(&k, 0, 1, at);
    kit_free(&k);
}

static void damage_below_the_idle_marker_is_refused(void **state)
{
    struct sl_position last;
    struct kit         k;
    uint64_t           at;

    (void)state;
    kit_init(&k, 6);
    kit_open(&k, 0);
    last = kit_append(&k, 1, 2);
    assert_int_equal(sl_vlog_mark_idle(k.vlog, NULL), SL_OK);
    at = place(&k, 0, last);
    kit_damage(&k, 1, at + last.bytes - 8); /* in the payload or the header's end */
    kit_damage(&k, 1, at + 1);
    refused_as_damaged(&k, 0, 1, at);
    kit_free(&k);
}

static void damage_below_the_callers_head_is_refused(void **state)
{
    struct sl_position last;
    struct kit         k;
    uint64_t           at;

    (void)state;
    kit_init(&k, 7);
    kit_open(&k, 0);
    last = kit_append(&k, 1, 1);
    at = place(&k, 0, last);
    kit_damage(&k, 1, at + 30);
    refused_as_damaged(&k, last.offset + last.bytes, 1, at);
    kit_open(&k, last.offset); /* nobody says that this record was durable */
    kit_assert_found(&k, 1, 0);
    kit_free(&k);
}

static void a_log_that_ends_before_the_head_is_refused(void **state)
{
    struct kit k;
    unsigned   refused = 0;
    uint64_t   end;

    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) { /* the disk may keep all by chance */
        kit_init(&k, 500 + seed);
        kit_open(&k, 0);
        sl_env_sim_disk(k.sim)->lose_syncs = true; /* it lies */
        (void)kit_append(&k, 1, 9);
        end = sl_vlog_end(k.vlog);
        sl_env_sim_power_cut(k.sim);
        refused += kit_try_open(&k, end) == SL_CORRUPT;
        kit_free(&k);
    }
    assert_true(refused >= 3);
}

static void a_torn_tail_is_cut_and_the_log_goes_on(void **state)
{
    struct sl_position last;
    struct kit         k;

    (void)state;
    kit_init(&k, 9);
    kit_open(&k, 0);
    (void)kit_append(&k, 1, 5);
    last = kit_append(&k, 6, 3);
    kit_damage(&k, 1, place(&k, 0, last) + 5);
    kit_open(&k, 0);
    kit_assert_found(&k, 1, 5);
    assert_int_equal(sl_vlog_end(k.vlog), last.offset);
    assert_int_equal(sl_vlog_durable(k.vlog), last.offset);
    assert_int_equal(kit_append(&k, 6, 2).offset, last.offset);
    kit_open(&k, 0);
    kit_assert_found(&k, 1, 7);
    kit_free(&k);
}

static void records_behind_a_cut_do_not_come_alive(void **state)
{
    struct sl_position batch;
    struct kit         k;

    (void)state;
    kit_init(&k, 10);
    kit_open(&k, 0);
    (void)kit_append_alike(&k, 1, 1);
    batch = kit_append_alike(&k, 2, 3);
    kit_damage(&k, 1, place(&k, 0, batch) + 60); /* records 3 and 4 are still good */
    kit_open_alike(&k);
    assert_int_equal(k.found_count, 1);
    (void)kit_append_alike(&k, 7, 1);
    kit_open_alike(&k);
    assert_int_equal(k.found_count, 2);
    assert_int_equal(k.found_id[1], 7);
    kit_free(&k);
}

static void bytes_of_a_recycled_segment_do_not_come_alive(void **state)
{
    struct kit k;
    uint64_t   id = 1;
    uint8_t    stale[4];

    (void)state;
    kit_init(&k, 11);
    kit_open(&k, 0);
    for (; kit_segment_count(&k) < 2; id++)
        (void)kit_append_alike(&k, id, 1);
    assert_int_equal(sl_vlog_remove_before(k.vlog, kit_segment(&k, 0).end, NULL), SL_OK);
    for (; kit_segment_count(&k) < 2; id++)
        (void)kit_append_alike(&k, id, 1);
    kit_read(&k, 3, VLOG_BLOCK_BYTES + 112, stale, sizeof stale); /* behind its only record */
    assert_int_equal(stale[3], VLOG_RECORD_MAGIC >> 24);          /* it was recycled indeed */
    for (unsigned i = 0; i < 3; i++) {
        kit_open_alike(&k);
        assert_int_equal(k.found_id[k.found_count - 1], id - 1);
        (void)kit_append_alike(&k, id++, 1);
    }
    kit_free(&k);
}

/* ---- logs that are not ours, or not whole ---- */

static void a_log_of_another_cluster_or_shard_is_refused(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k, 12);
    kit_open(&k, 0);
    k.options.identity.cluster_id = 78;
    assert_int_equal(kit_try_open(&k, 0), SL_INVALID);
    assert_non_null(strstr(k.why.text, "belongs to cluster 77 and this pump to cluster 78"));
    k.options.identity.cluster_id = 77;
    k.options.identity.shard = 0;
    assert_int_equal(kit_try_open(&k, 0), SL_INVALID);
    assert_non_null(strstr(k.why.text, "is of shard 1 of 4 and was opened as shard 0 of 4"));
    k.options.identity.shard = 1;
    k.options.identity.shard_count = 5;
    assert_int_equal(kit_try_open(&k, 0), SL_INVALID);
    kit_free(&k);
}

static void a_foreign_format_version_is_refused(void **state)
{
    struct kit k;
    uint8_t    block[VLOG_BLOCK_BYTES];
    uint32_t   crc;

    (void)state;
    kit_init(&k, 13);
    kit_open(&k, 0);
    kit_read(&k, 1, 0, block, sizeof block);
    block[8] = 3;
    crc = sl_crc32c(0, block, sizeof block - 4);
    memcpy(block + sizeof block - 4, &crc, 4);
    kit_write(&k, 1, 0, block, sizeof block);
    assert_int_equal(kit_try_open(&k, 0), SL_UNSUPPORTED);
    assert_non_null(strstr(k.why.text, "format version 3"));
    kit_free(&k);
}

static void an_unknown_record_type_is_refused(void **state)
{
    struct sl_position at;
    struct kit         k;
    uint8_t            header[VLOG_RECORD_HEADER_BYTES];
    uint64_t           seed[2];
    uint32_t           crc;

    (void)state;
    kit_init(&k, 14);
    kit_open(&k, 0);
    at = kit_append(&k, 1, 1);
    kit_read(&k, 1, place(&k, 0, at), header, sizeof header);
    header[32] = 99;
    seed[0] = kit_segment(&k, 0).generation;
    seed[1] = at.offset;
    crc = sl_crc32c(sl_crc32c(0, seed, sizeof seed), header, 44);
    memcpy(header + 44, &crc, sizeof crc);
    kit_write(&k, 1, place(&k, 0, at), header, sizeof header);
    assert_int_equal(kit_try_open(&k, 0), SL_UNSUPPORTED);
    assert_non_null(strstr(k.why.text, "of type 99"));
    kit_free(&k);
}

static void remove_file(struct kit *k, unsigned number)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%08u.seg", kit_dir, number);
    assert_int_equal(sl_fs_remove(k->env->fs, path, NULL), SL_OK);
}

static void a_missing_segment_in_the_middle_is_refused(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k, 15);
    kit_open(&k, 0);
    (void)kit_fill_segments(&k, 1, 4);
    remove_file(&k, 2);
    assert_int_equal(kit_try_open(&k, 0), SL_CORRUPT);
    assert_non_null(strstr(k.why.text, "segment 00000002.seg is missing"));
    kit_free(&k);
}

static void a_segment_that_cannot_follow_its_predecessor_is_refused(void **state)
{
    struct vlog_header header;
    struct kit         k;
    uint8_t            block[VLOG_BLOCK_BYTES];

    (void)state;
    kit_init(&k, 16);
    kit_open(&k, 0);
    (void)kit_fill_segments(&k, 1, 2);
    kit_read(&k, 2, 0, block, sizeof block);
    assert_int_equal(vlog_header_decode(block, "", &header, NULL), SL_OK);
    header.first += SL_VLOG_SEGMENT_BYTES_MIN;
    vlog_header_encode(&header, block);
    kit_write(&k, 2, 0, block, sizeof block);
    assert_int_equal(kit_try_open(&k, 0), SL_CORRUPT);
    assert_non_null(strstr(k.why.text, "cannot follow its predecessor"));
    kit_free(&k);
}

static void an_empty_directory_is_refused_when_the_index_knows_better(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k, 17);
    assert_int_equal(kit_try_open(&k, 5000), SL_CORRUPT);
    assert_non_null(strstr(k.why.text, "holds no segment"));
    kit_open(&k, 0);
    kit_free(&k);
}

static void damaged_headers_and_shortened_files_are_refused(void **state)
{
    struct sl_file *file;
    struct kit      k;

    (void)state;
    kit_init(&k, 18);
    kit_open(&k, 0);
    kit_damage(&k, 1, 60);
    assert_int_equal(kit_try_open(&k, 0), SL_CORRUPT);
    assert_non_null(strstr(k.why.text, "00000001.seg, its header, are damaged"));
    kit_damage(&k, 1, 60);
    kit_open(&k, 0);
    sl_vlog_close(&k.vlog);
    file = kit_segment_file(&k, 1);
    assert_int_equal(sl_file_truncate(file, 30000, NULL), SL_OK);
    sl_file_close(&file);
    assert_int_equal(kit_try_open(&k, 0), SL_CORRUPT);
    assert_non_null(strstr(k.why.text, "has 30000 bytes and had 65536"));
    kit_free(&k);
}

static void a_misnamed_segment_is_refused(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k, 19);
    kit_open(&k, 0);
    assert_int_equal(
        sl_fs_rename(k.env->fs, "/data/shard0/00000001.seg", "/data/shard0/00000007.seg", NULL),
        SL_OK);
    assert_int_equal(kit_try_open(&k, 0), SL_CORRUPT);
    assert_non_null(strstr(k.why.text, "is segment 1 by its header"));
    kit_free(&k);
}

static void wrong_segment_sizes_are_refused(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k, 20);
    k.options.segment_bytes = SL_VLOG_SEGMENT_BYTES_MIN - 4096;
    assert_int_equal(kit_try_open(&k, 0), SL_CONFIG);
    k.options.segment_bytes = SL_VLOG_SEGMENT_BYTES_MIN + 512;
    assert_int_equal(kit_try_open(&k, 0), SL_CONFIG);
    kit_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_below_a_later_records_witness_is_refused),
        cmocka_unit_test(damage_below_the_idle_marker_is_refused),
        cmocka_unit_test(damage_below_the_callers_head_is_refused),
        cmocka_unit_test(a_log_that_ends_before_the_head_is_refused),
        cmocka_unit_test(a_torn_tail_is_cut_and_the_log_goes_on),
        cmocka_unit_test(records_behind_a_cut_do_not_come_alive),
        cmocka_unit_test(bytes_of_a_recycled_segment_do_not_come_alive),
        cmocka_unit_test(a_log_of_another_cluster_or_shard_is_refused),
        cmocka_unit_test(a_foreign_format_version_is_refused),
        cmocka_unit_test(an_unknown_record_type_is_refused),
        cmocka_unit_test(a_missing_segment_in_the_middle_is_refused),
        cmocka_unit_test(a_segment_that_cannot_follow_its_predecessor_is_refused),
        cmocka_unit_test(an_empty_directory_is_refused_when_the_index_knows_better),
        cmocka_unit_test(damaged_headers_and_shortened_files_are_refused),
        cmocka_unit_test(a_misnamed_segment_is_refused),
        cmocka_unit_test(wrong_segment_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
