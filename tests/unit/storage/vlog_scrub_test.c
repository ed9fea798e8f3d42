/* Looking for damage beside the writer: every flipped byte of a sealed segment is found and named,
 * each segment on its own; what is whole, being written, or removed meanwhile is no finding. */

#include "storage/vlog_scrub.h"

#include "unit/storage/vlog_kit.h"

enum { SEGMENTS = 4, STEP = 5000, ALL = 1 << 30 };

static struct kit            k;
static struct sl_vlog_scrub *scrub;
static uint64_t              next_id;

static int begin(void **state)
{
    (void)state;
    kit_init(&k, 1);
    kit_open(&k, 0);
    next_id = kit_fill_segments(&k, 1, SEGMENTS);
    (void)kit_append(&k, next_id++, 1);
    scrub = sl_vlog_scrub_new(&k.options);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sl_vlog_scrub_free(&scrub);
    kit_free(&k);
    return 0;
}

static void again(void)
{
    sl_vlog_scrub_free(&scrub);
    scrub = sl_vlog_scrub_new(&k.options);
}

/* To the end of the pass in steps of `bytes`; how many findings, and the last one. */
static uint32_t pass(uint64_t bytes, uint64_t *segment, enum sl_err *found)
{
    uint32_t findings = 0;
    bool     is_over = false;

    for (uint32_t steps = 0; !is_over; steps++) {
        uint64_t    at;
        enum sl_err err = sl_vlog_scrub_step(scrub, bytes, &is_over, &at, &k.why);

        assert_true(steps < 10000);
        if (err == SL_OK)
            continue;
        findings++;
        *segment = at;
        *found = err;
    }
    return findings;
}

static void a_whole_log_has_no_finding(void **state)
{
    uint64_t    segment;
    enum sl_err err;
    bool        is_over;

    (void)state;
    assert_int_equal(pass(STEP, &segment, &err), 0);
    again();
    assert_int_equal(pass(ALL, &segment, &err), 0);
    again();
    assert_int_equal(sl_vlog_scrub_step(scrub, STEP, &is_over, &segment, NULL), SL_OK);
    assert_false(is_over); /* a step is small */
}

static void a_flipped_byte_anywhere_in_sealed_records_is_found(void **state)
{
    struct sl_vlog_segment s = kit_segment(&k, 1);
    uint64_t               bytes = s.end - s.first;

    (void)state;
    for (uint64_t at = 4096; at < 4096 + bytes; at += 1 + bytes / 97) {
        uint64_t    segment = 0;
        enum sl_err err = SL_OK;

        kit_damage(&k, 2, at);
        again();
        /* The bytes between a record and the next one are not looked at: nothing was there. */
        if (pass(STEP, &segment, &err) > 0) {
            assert_int_equal(err, SL_CORRUPT);
            assert_int_equal(segment, 2);
            assert_non_null(strstr(k.why.text, "00000002.seg is damaged at byte"));
            assert_non_null(strstr(k.why.text, "restore the file from a copy; or, giving up"));
        } else {
            struct sl_vlog_options options = k.options;
            struct sl_vlog        *log;

            sl_vlog_close(&k.vlog); /* then a start that reads everything does not mind it */
            assert_int_equal(sl_vlog_open(&options, 0, NULL, NULL, &log, &k.why), SL_OK);
            k.vlog = log;
        }
        kit_damage(&k, 2, at);
    }
}

static void each_damaged_segment_is_told_once(void **state)
{
    uint64_t    segment;
    enum sl_err err;

    (void)state;
    kit_damage(&k, 1, 4096 + 10);
    kit_damage(&k, 1, 4096 + 5000);
    kit_damage(&k, 3, 4096 + 10);
    assert_int_equal(pass(ALL, &segment, &err), 2);
    assert_int_equal(segment, 3);
    kit_damage(&k, 1, 4096 + 10);
    kit_damage(&k, 1, 4096 + 5000);
    kit_damage(&k, 3, 4096 + 10);
    kit_damage(&k, 2, 10); /* of a header, which says where the one before ends */
    again();
    assert_int_equal(pass(STEP, &segment, &err), 2);
    assert_int_equal(segment, 2);
}

static void what_is_being_written_is_left_to_recovery(void **state)
{
    uint64_t    segment;
    enum sl_err err;

    (void)state;
    kit_damage(&k, SEGMENTS, 4096 + 10);
    assert_int_equal(pass(STEP, &segment, &err), 0);
    kit_damage(&k, SEGMENTS, 4096 + 10);
}

/* Also when its file has become another segment under the reader. */
static void what_is_removed_meanwhile_is_no_damage(void **state)
{
    uint64_t    segment;
    enum sl_err err;
    bool        is_over;

    (void)state;
    assert_int_equal(sl_vlog_scrub_step(scrub, 1, &is_over, &segment, NULL), SL_OK);
    assert_int_equal(segment, 1);
    assert_int_equal(sl_vlog_remove_before(k.vlog, kit_segment(&k, 2).first, &k.why), SL_OK);
    next_id = kit_fill_segments(&k, next_id, 5); /* the files of the removed ones are used again */
    assert_int_equal(pass(STEP, &segment, &err), 0);
}

static void what_cannot_be_read_is_told(void **state)
{
    uint64_t    segment = 0;
    enum sl_err err = SL_OK;
    bool        is_over;

    (void)state;
    assert_int_equal(sl_vlog_scrub_step(scrub, 1, &is_over, &segment, NULL), SL_OK);
    sl_env_sim_disk(k.sim)->read_fail_ppm = 1000000;
    assert_true(pass(2 << 20, &segment, &err) > 0);
    assert_int_equal(err, SL_IO);
    sl_env_sim_disk(k.sim)->read_fail_ppm = 0;
    again();
    assert_int_equal(pass(STEP, &segment, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
        WITH(a_whole_log_has_no_finding),
        WITH(a_flipped_byte_anywhere_in_sealed_records_is_found),
        WITH(each_damaged_segment_is_told_once),
        WITH(what_is_being_written_is_left_to_recovery),
        WITH(what_is_removed_meanwhile_is_no_damage),
        WITH(what_cannot_be_read_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
