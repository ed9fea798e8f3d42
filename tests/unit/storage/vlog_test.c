/* The value log keeps what it acknowledged, cuts what it did not, tells the two apart, and refuses
 * what it cannot trust. On a simulated disk; crashes at every call are in vlog_crash_test.c. */

#include "unit/storage/vlog_kit.h"

#include "storage/vlog_format.h"

/* ---- what was acknowledged ---- */

static void records_come_back_byte_for_byte_in_order(void **state)
{
    static struct sl_position all[KIT_FOUND_MAX];
    struct sl_prng            prng;
    struct kit                k;
    uint64_t                  next = 1;

    (void)state;
    kit_init(&k, 1);
    sl_prng_seed(&prng, 1);
    kit_open(&k, 0);
    while (next < 1000) {
        uint32_t count = (uint32_t)sl_prng_range(&prng, 1, 5);

        assert_int_equal(kit_try_append(&k, next, count, &all[next]), SL_OK);
        next += count;
        if (sl_prng_chance(&prng, 1, 20))
            assert_int_equal(sl_vlog_mark_idle(k.vlog, NULL), SL_OK);
        if (sl_prng_chance(&prng, 1, 40)) {
            kit_open(&k, 0);
            kit_assert_found(&k, 1, next - 1);
        }
    }
    assert_true(kit_segment_count(&k) > 10);
    sl_env_sim_power_cut(k.sim);
    kit_open(&k, 0);
    kit_assert_found(&k, 1, next - 1);
    for (uint64_t i = 1; i < next; i++) {
        assert_int_equal(k.found[i - 1].offset, all[i].offset);
        assert_int_equal(k.found[i - 1].bytes, all[i].bytes);
    }
    kit_free(&k);
}

static void visits_begin_at_the_head_in_any_segment(void **state)
{
    static struct sl_position all[KIT_FOUND_MAX];
    struct kit                k;
    uint64_t                  next = 1;

    (void)state;
    kit_init(&k, 2);
    kit_open(&k, 0);
    while (kit_segment_count(&k) < 3) {
        all[next] = kit_append(&k, next, 1);
        next++;
    }
    for (uint64_t i = 1; i < next; i++) {
        kit_open(&k, all[i].offset);
        kit_assert_found(&k, i, next - i);
    }
    kit_open(&k, all[next - 1].offset + all[next - 1].bytes);
    kit_assert_found(&k, next, 0);
    kit_free(&k);
}

/* ---- measuring ---- */

static void note_part(void *context, enum sl_vlog_part part, sl_nanos took)
{
    uint32_t *counts = context;

    assert_true(took >= 0);
    counts[part]++;
}

static void who_watches_is_told_of_each_part_of_an_append(void **state)
{
    struct kit           k;
    uint32_t             counts[3] = {0};
    struct sl_vlog_watch watch = {.took = note_part, .context = counts};

    (void)state;
    kit_init(&k, 11);
    watch.env = k.env;
    k.options.watch = &watch;
    kit_open(&k, 0);
    assert_int_equal(counts[SL_VLOG_PART_WRITE], 0);
    (void)kit_append(&k, 1, 3);
    assert_int_equal(counts[SL_VLOG_PART_WRITE], 1);
    assert_int_equal(counts[SL_VLOG_PART_SYNC], 1);
    assert_int_equal(counts[SL_VLOG_PART_ROTATE], 0);
    (void)kit_fill_segments(&k, 4, 3);
    assert_int_equal(counts[SL_VLOG_PART_ROTATE], 2);
    k.options.no_sync = true;
    memset(counts, 0, sizeof counts);
    sl_vlog_close(&k.vlog);
    assert_int_equal(sl_vlog_open(&k.options, 0, NULL, NULL, &k.vlog, NULL), SL_OK);
    (void)kit_append(&k, 1, 1);
    assert_int_equal(counts[SL_VLOG_PART_WRITE], 1);
    assert_int_equal(counts[SL_VLOG_PART_SYNC], 0);
    kit_free(&k);
}

static enum sl_err stop_at_third(void *context, const struct sl_vlog_found *found)
{
    unsigned *count = context;

    (void)found;
    return ++*count == 3 ? SL_STOPPED : SL_OK;
}

static void a_visitor_can_end_the_opening(void **state)
{
    struct kit      k;
    struct sl_vlog *vlog = NULL;
    unsigned        count = 0;

    (void)state;
    kit_init(&k, 3);
    kit_open(&k, 0);
    (void)kit_append(&k, 1, 10);
    sl_vlog_close(&k.vlog);
    assert_int_equal(sl_vlog_open(&k.options, 0, stop_at_third, &count, &vlog, NULL), SL_STOPPED);
    assert_int_equal(count, 3);
    assert_null(vlog);
    kit_free(&k);
}

static void sealed_segments_are_trusted_without_a_visitor_or_before_the_head(void **state)
{
    struct kit k;
    char       words[64];

    (void)state;
    kit_init(&k, 4);
    kit_open(&k, 0);
    (void)kit_fill_segments(&k, 1, 4);
    kit_damage(&k, 2, VLOG_BLOCK_BYTES + 10);
    kit_open(&k, kit_segment(&k, 2).first);
    sl_vlog_close(&k.vlog);
    assert_int_equal(sl_vlog_open(&k.options, 0, NULL, NULL, &k.vlog, &k.why), SL_OK);
    assert_int_equal(kit_try_open(&k, 0), SL_CORRUPT);
    (void)snprintf(words, sizeof words, "00000002.seg is damaged at byte %d", VLOG_BLOCK_BYTES);
    assert_non_null(strstr(k.why.text, words));
    kit_free(&k);
}

/* ---- failing appends ---- */

static void what_does_not_fit_is_refused_and_the_log_goes_on(void **state)
{
    static uint8_t        bytes[SL_VLOG_SEGMENT_BYTES_MIN];
    struct sl_position    positions[2];
    struct sl_vlog_record records[2];
    struct kit            k;

    (void)state;
    kit_init(&k, 21);
    kit_open(&k, 0);
    for (unsigned i = 0; i < 2; i++)
        records[i] = (struct sl_vlog_record){.type = SL_VLOG_PREWRITE, .payload.bytes = bytes};
    records[0].payload.len = SL_VLOG_SEGMENT_BYTES_MIN - VLOG_BLOCK_BYTES - 47;
    assert_int_equal(sl_vlog_append(k.vlog, records, 1, positions, &k.why), SL_TOO_LARGE);
    records[0].payload.len--; /* fills a segment to its last byte */
    assert_int_equal(sl_vlog_append(k.vlog, records, 2, positions, &k.why), SL_TOO_LARGE);
    assert_int_equal(sl_vlog_append(k.vlog, records, 1, positions, &k.why), SL_OK);
    assert_int_equal(positions[0].bytes, sl_vlog_batch_bytes_max(k.vlog));
    assert_int_equal(sl_vlog_mark_idle(k.vlog, NULL), SL_OK); /* no room: nothing */
    assert_int_equal(kit_segment_count(&k), 1);
    records[0].payload.len = SL_VLOG_PAYLOAD_BYTES_MAX + 1;
    assert_int_equal(sl_vlog_append(k.vlog, records, 1, positions, &k.why), SL_TOO_LARGE);
    (void)kit_append(&k, 1, 1);
    assert_int_equal(kit_segment_count(&k), 2);
    kit_free(&k);
}

static void without_room_for_a_segment_appends_wait_and_lose_nothing(void **state)
{
    struct sl_position position;
    struct kit         k;
    uint64_t           next = 1;
    enum sl_err        err;

    (void)state;
    kit_init(&k, 22);
    kit_open(&k, 0);
    sl_env_sim_disk(k.sim)->quota_bytes = SL_VLOG_SEGMENT_BYTES_MIN + 30000; /* half of the next */
    while ((err = kit_try_append(&k, next, 1, &position)) == SL_OK)
        next++;
    assert_int_equal(err, SL_NOSPACE);
    assert_int_equal(kit_try_append(&k, next, 1, &position), SL_NOSPACE);
    sl_env_sim_disk(k.sim)->quota_bytes = 1 << 30;
    next = kit_fill_segments(&k, next, 4);
    sl_env_sim_power_cut(k.sim);
    kit_open(&k, 0);
    kit_assert_found(&k, 1, next - 1);
    kit_free(&k);
}

static void a_batch_cut_short_by_a_full_disk_leaves_nothing_behind(void **state)
{
    struct sl_position    positions[3];
    struct sl_vlog_record records[3];
    struct kit            k;
    uint8_t               bytes[1024];

    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) { /* the length of what was written differs */
        kit_init(&k, 100 + seed);
        kit_open(&k, 0);
        (void)kit_append_alike(&k, 1, 1);
        memset(bytes, 'x', sizeof bytes);
        for (unsigned i = 0; i < 3; i++)
            records[i] = (struct sl_vlog_record){.type = SL_VLOG_PREWRITE,
                                                 .start_ts = 90 + i,
                                                 .payload = {.bytes = bytes, .len = 64}};
        sl_env_sim_fail_nth(k.sim, 1, 1, SL_NOSPACE);
        assert_int_equal(sl_vlog_append(k.vlog, records, 3, positions, &k.why), SL_NOSPACE);
        (void)kit_append_alike(&k, 2, 1);
        kit_open_alike(&k);
        assert_int_equal(k.found_count, 2);
        assert_int_equal(k.found_id[1], 2);
        kit_free(&k);
    }
}

static void after_a_failed_write_or_sync_nothing_is_taken_until_reopened(void **state)
{
    struct sl_position position;
    struct kit         k;
    uint64_t           left;

    (void)state;
    for (uint64_t n = 1; n <= 2; n++) { /* the write, the sync */
        kit_init(&k, 200 + n);
        kit_open(&k, 0);
        (void)kit_append(&k, 1, 4);
        sl_env_sim_fail_nth(k.sim, n, 1, n == 1 ? SL_IO : SL_NOSPACE);
        assert_int_equal(kit_try_append(&k, 5, 1, &position), SL_IO);
        assert_int_equal(kit_try_append(&k, 6, 1, &position), SL_IO);
        assert_non_null(strstr(k.why.text, "must be opened again"));
        assert_int_equal(sl_vlog_mark_idle(k.vlog, &k.why), SL_IO);
        assert_int_equal(sl_vlog_sync(k.vlog, &k.why), SL_IO);
        assert_int_equal(sl_vlog_prepare(k.vlog, 1, &left, &k.why), SL_OK);
        kit_open(&k, 0);
        assert_true(k.found_count >= 4);
        (void)kit_append(&k, 7, 1);
        kit_free(&k);
    }
}

/* The page cache may show what a failed sync lost, and calls it clean. */
static void what_a_failed_sync_lost_is_written_again_before_anything_builds_on_it(void **state)
{
    struct sl_position position;
    struct kit         k;
    unsigned           shown = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        size_t before;

        kit_init(&k, 300 + seed);
        kit_open(&k, 0);
        (void)kit_append(&k, 1, 4);
        sl_env_sim_fail_nth(k.sim, 2, 1, SL_IO);
        assert_int_equal(kit_try_append(&k, 5, 8, &(struct sl_position[8]){0}[0]), SL_IO);
        kit_open(&k, 0);
        before = k.found_count;
        shown += before > 4;
        assert_int_equal(kit_try_append(&k, 20, 1, &position), SL_OK);
        sl_env_sim_power_cut(k.sim);
        kit_open(&k, position.offset + position.bytes);
        kit_open(&k, 0);
        assert_int_equal(k.found_count, before + 1);
        assert_int_equal(k.found_id[before], 20);
        kit_free(&k);
    }
    assert_true(shown > 5); /* else the case was not met */
}

/* ---- no_sync, idle markers, preparing ---- */

static void without_sync_appends_do_not_touch_the_disk_until_asked(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k, 23);
    k.options.no_sync = true;
    kit_open(&k, 0);
    (void)kit_append(&k, 1, 5);
    assert_true(sl_vlog_durable(k.vlog) < sl_vlog_end(k.vlog));
    assert_int_equal(sl_vlog_sync(k.vlog, NULL), SL_OK);
    assert_int_equal(sl_vlog_durable(k.vlog), sl_vlog_end(k.vlog));
    sl_env_sim_fail_nth(k.sim, 2, 1, SL_IO); /* there is no second call */
    (void)kit_append(&k, 6, 1);
    assert_int_equal(sl_env_sim_failed(k.sim), 0);
    sl_env_sim_fail_nth(k.sim, 0, 0, SL_OK);
    sl_env_sim_power_cut(k.sim);
    kit_open(&k, 0);
    assert_true(k.found_count >= 5);
    kit_free(&k);
}

static void an_idle_marker_is_written_once_and_never_visited(void **state)
{
    struct kit k;
    uint64_t   end;

    (void)state;
    kit_init(&k, 24);
    kit_open(&k, 0);
    end = sl_vlog_end(k.vlog);
    assert_int_equal(sl_vlog_mark_idle(k.vlog, NULL), SL_OK);
    assert_int_equal(sl_vlog_end(k.vlog), end); /* nothing to say */
    (void)kit_append(&k, 1, 1);
    end = sl_vlog_end(k.vlog);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sl_vlog_mark_idle(k.vlog, NULL), SL_OK);
    assert_int_equal(sl_vlog_end(k.vlog), end + sl_vlog_record_bytes(0));
    kit_open(&k, 0);
    assert_int_equal(sl_vlog_mark_idle(k.vlog, NULL), SL_OK);
    assert_int_equal(sl_vlog_end(k.vlog), end + sl_vlog_record_bytes(0));
    (void)kit_append(&k, 2, 1);
    kit_open(&k, 0);
    kit_assert_found(&k, 1, 2);
    kit_free(&k);
}

static void a_prepared_segment_needs_no_space_when_it_is_begun(void **state)
{
    struct kit k;
    uint64_t   left = 1;
    unsigned   steps = 0;

    (void)state;
    kit_init(&k, 25);
    kit_open(&k, 0);
    for (; left > 0; steps++)
        assert_int_equal(sl_vlog_prepare(k.vlog, 10000, &left, NULL), SL_OK);
    assert_int_equal(steps, 7); /* 65536 bytes by 10000 */
    sl_env_sim_disk(k.sim)->quota_bytes = 2 * SL_VLOG_SEGMENT_BYTES_MIN;
    (void)kit_fill_segments(&k, 1, 2);
    assert_int_equal(sl_vlog_prepare(k.vlog, 10000, &left, NULL), SL_NOSPACE);
    (void)kit_append(&k, 500, 1);
    kit_free(&k);
}

/* ---- segments ---- */

static void segments_tell_their_newest_commit_ts_without_being_read(void **state)
{
    struct sl_vlog_segment before[5];
    struct kit             k;

    (void)state;
    kit_init(&k, 26);
    kit_open(&k, 0);
    (void)kit_fill_segments(&k, 1, 5);
    for (uint32_t i = 0; i < 5; i++)
        before[i] = kit_segment(&k, i);
    sl_vlog_close(&k.vlog);
    assert_int_equal(sl_vlog_open(&k.options, 0, NULL, NULL, &k.vlog, NULL), SL_OK);
    assert_int_equal(kit_segment_count(&k), 5);
    for (uint32_t i = 0; i < 5; i++) {
        struct sl_vlog_segment now = kit_segment(&k, i);

        assert_memory_equal(&now, &before[i], sizeof now);
        assert_int_equal(now.number, i + 1);
        assert_true(i == 0 || now.first == before[i - 1].end);
        assert_true(i == 0 || now.generation != before[i - 1].generation);
    }
    assert_true(before[0].max_commit_ts > 0 && before[3].max_commit_ts > before[0].max_commit_ts);
    kit_free(&k);
}

static void only_whole_segments_before_the_offset_go_and_never_the_last(void **state)
{
    static struct sl_position all[KIT_FOUND_MAX];
    struct kit                k;
    uint64_t                  next = 1;
    uint64_t                  third;

    (void)state;
    kit_init(&k, 27);
    kit_open(&k, 0);
    while (kit_segment_count(&k) < 5) {
        all[next] = kit_append(&k, next, 1);
        next++;
    }
    third = kit_segment(&k, 2).first;
    assert_int_equal(sl_vlog_remove_before(k.vlog, kit_segment(&k, 0).end - 1, NULL), SL_OK);
    assert_int_equal(kit_segment_count(&k), 5);
    assert_int_equal(sl_vlog_remove_before(k.vlog, third + 8, NULL), SL_OK);
    assert_int_equal(kit_segment_count(&k), 3);
    kit_open(&k, 0);
    assert_int_equal(k.found[0].offset, third);
    assert_int_equal(k.found_id[k.found_count - 1], next - 1);
    assert_int_equal(sl_vlog_remove_before(k.vlog, UINT64_MAX, NULL), SL_OK);
    assert_int_equal(kit_segment_count(&k), 1);
    (void)kit_append(&k, next, 1);
    sl_env_sim_power_cut(k.sim);
    kit_open(&k, 0);
    assert_int_equal(k.found_id[k.found_count - 1], next);
    kit_free(&k);
}

static enum sl_err count_files(void *context, const char *name)
{
    (void)name;
    ++*(unsigned *)context;
    return SL_OK;
}

static void no_more_than_two_spares_are_kept(void **state)
{
    struct kit k;
    uint64_t   next = 1;
    uint64_t   left;
    unsigned   files;

    (void)state;
    kit_init(&k, 28);
    kit_open(&k, 0);
    for (unsigned life = 0; life < 4; life++) {
        next = kit_fill_segments(&k, next, 6);
        assert_int_equal(sl_vlog_prepare(k.vlog, 1, &left, NULL), SL_OK); /* counts as one */
        assert_int_equal(sl_vlog_remove_before(k.vlog, UINT64_MAX, NULL), SL_OK);
        files = 0;
        assert_int_equal(sl_fs_list(k.env->fs, kit_dir, count_files, &files, NULL), SL_OK);
        assert_int_equal(files, 1 + SL_VLOG_SPARES_MAX);
        kit_open(&k, 0);
    }
    k.options.segment_bytes *= 2; /* spares of another size are of no use */
    kit_open(&k, 0);
    next = kit_fill_segments(&k, next, 2);
    assert_int_equal(kit_segment(&k, 1).bytes, 2 * SL_VLOG_SEGMENT_BYTES_MIN);
    kit_open(&k, 0);
    assert_int_equal(k.found_id[k.found_count - 1], next - 1);
    kit_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_byte_for_byte_in_order),
        cmocka_unit_test(visits_begin_at_the_head_in_any_segment),
        cmocka_unit_test(who_watches_is_told_of_each_part_of_an_append),
        cmocka_unit_test(a_visitor_can_end_the_opening),
        cmocka_unit_test(sealed_segments_are_trusted_without_a_visitor_or_before_the_head),
        cmocka_unit_test(what_does_not_fit_is_refused_and_the_log_goes_on),
        cmocka_unit_test(without_room_for_a_segment_appends_wait_and_lose_nothing),
        cmocka_unit_test(a_batch_cut_short_by_a_full_disk_leaves_nothing_behind),
        cmocka_unit_test(after_a_failed_write_or_sync_nothing_is_taken_until_reopened),
        cmocka_unit_test(what_a_failed_sync_lost_is_written_again_before_anything_builds_on_it),
        cmocka_unit_test(without_sync_appends_do_not_touch_the_disk_until_asked),
        cmocka_unit_test(an_idle_marker_is_written_once_and_never_visited),
        cmocka_unit_test(a_prepared_segment_needs_no_space_when_it_is_begun),
        cmocka_unit_test(segments_tell_their_newest_commit_ts_without_being_read),
        cmocka_unit_test(only_whole_segments_before_the_offset_go_and_never_the_last),
        cmocka_unit_test(no_more_than_two_spares_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
