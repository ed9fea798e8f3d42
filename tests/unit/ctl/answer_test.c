/* What nodes answer is read as pumps and drainers of both kinds write it; what is missing is not
 * said; what is no answer of theirs is refused; nothing in it reaches a terminal's controls. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/answer.h"
#include "ctl/text.h"
#include "lib/folder.h"

static struct sl_slice text(const char *json)
{
    return sl_slice_from_string(json);
}

static void orders_are_done_only_with_code_200(void **state)
{
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(
        ctl_answer_to_order(
            text("{\n  \"message\": \"apply action pause success!\",\n  \"code\": 200,\n  "
                 "\"data\": null\n}\n"),
            &why),
        SL_OK);
    assert_int_equal(
        ctl_answer_to_order(
            text("{\"message\":\"this pump's state is paused, apply pause failed!\",\"code\":3}"),
            &why),
        SL_DENIED);
    assert_string_equal(why.text, "this pump's state is paused, apply pause failed!");
    assert_int_equal(ctl_answer_to_order(text("{\"message\":\"\",\"code\":\"200\"}"), &why),
                     SL_DENIED);
    assert_int_equal(ctl_answer_to_order(text("404 page not found\n"), &why), SL_INVALID);
    assert_int_equal(ctl_answer_to_order(text("[]"), &why), SL_INVALID);
    assert_int_equal(ctl_answer_to_order(text(""), &why), SL_INVALID);
}

static void drainers_of_the_original_say_where_they_are(void **state)
{
    struct ctl_drainer_status status;

    (void)state;
    assert_int_equal(
        ctl_answer_of_drainer(text("{\"PumpPos\":{\"gopump-0\":470615685978914817},\"Synced\":true,"
                                   "\"LastTS\":470615686031605764,\"TsMap\":\"\"}\n"),
                              &status, NULL),
        SL_OK);
    assert_int_equal(status.last_ts, 470615686031605764);
    assert_true(status.synced);
    assert_string_equal(status.doing.state, "");
    assert_int_equal(status.doing.lag_s, -1);
    assert_int_equal(
        ctl_answer_of_drainer(
            text("{\"PumpPos\":null,\"Synced\":false,\"LastTS\":0,\"TsMap\":\"\"}"), &status, NULL),
        SL_OK);
    assert_false(status.synced);
}

static void drainers_of_ours_say_what_they_do(void **state)
{
    struct ctl_drainer_status status;

    (void)state;
    assert_int_equal(
        ctl_answer_of_drainer(
            text("{\"PumpPos\":{},\"Synced\":false,\"LastTS\":5,\"TsMap\":\"\",\"sluice\":"
                 "{\"state\":\"held\",\"since\":\"2026-11-30T02:55:12Z\",\"reason\":\"shop.orders: "
                 "\\u001b[31mred\\u0085\\nx\",\"code\":\"SL-2107\",\"lag_seconds\":7,"
                 "\"waiting_on\":\"the downstream\"}}"),
            &status, NULL),
        SL_OK);
    assert_string_equal(status.doing.state, "held");
    assert_string_equal(status.doing.since, "2026-11-30T02:55:12Z");
    assert_string_equal(status.doing.reason, "shop.orders: ?[31mred??x");
    assert_string_equal(status.doing.code, "SL-2107");
    assert_string_equal(status.doing.waiting_on, "the downstream");
    assert_int_equal(status.doing.lag_s, 7);
    assert_int_equal(
        ctl_answer_of_drainer(text("{\"LastTS\":5,\"sluice\":{\"state\":1,\"lag_seconds\":-3}}"),
                              &status, NULL),
        SL_OK);
    assert_string_equal(status.doing.state, "");
    assert_int_equal(status.doing.lag_s, -1);
}

/* As the drainer writes them. */
static void since_may_be_a_number_and_lag_have_a_fraction(void **state)
{
    static const char *const absurd[] = {
        "{\"LastTS\":5,\"sluice\":{\"since\":9223372036854775807,\"lag_seconds\":1e300}}",
        "{\"LastTS\":5,\"sluice\":{\"since\":-1,\"lag_seconds\":-0.5}}",
        "{\"LastTS\":5,\"sluice\":{\"since\":1.5,\"lag_seconds\":null}}",
    };
    struct ctl_drainer_status status;

    (void)state;
    assert_int_equal(
        ctl_answer_of_drainer(
            text("{\"LastTS\":5,\"sluice\":{\"since\":1796012646358,\"lag_seconds\":3.158}}"),
            &status, NULL),
        SL_OK);
    assert_string_equal(status.doing.since, "2026-11-30T04:24:06.358Z");
    assert_int_equal(status.doing.lag_s, 3);
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        assert_int_equal(ctl_answer_of_drainer(text(absurd[i]), &status, NULL), SL_OK);
        assert_string_equal(status.doing.since, "");
        assert_int_equal(status.doing.lag_s, -1);
    }
}

static void a_pump_is_no_drainer_and_says_what_fails(void **state)
{
    static const char         pump[] = "{\"status\":{},\"CommitTS\":7,\"Checkpoint\":{},"
                                       "\"ErrMsg\":\"\"}\n";
    struct ctl_drainer_status status;
    struct sl_why             why = {0};

    (void)state;
    assert_int_equal(ctl_answer_of_drainer(text(pump), &status, &why), SL_INVALID);
    assert_non_null(strstr(why.text, "LastTS"));
    assert_int_equal(ctl_answer_of_pump(text(pump), &why), SL_OK);
    assert_int_equal(
        ctl_answer_of_pump(
            text("{\"status\":null,\"CommitTS\":0,\"Checkpoint\":{},\"ErrMsg\":\"no PD\"}"), &why),
        SL_UNAVAILABLE);
    assert_string_equal(why.text, "no PD");
    assert_int_equal(ctl_answer_of_pump(text("{\"LastTS\":5}"), &why), SL_INVALID);
    assert_int_equal(ctl_answer_of_pump(text("<html>"), &why), SL_INVALID);
}

/* As the original's pump wrote them on a real cluster. */
static void figures_are_found_among_the_metrics_of_a_pump(void **state)
{
    const char             *recorded = folder_read("tests/corpus/ops", "pump-GET-metrics.txt");
    struct ctl_pump_figures figures;

    (void)state;
    assert_non_null(recorded);
    ctl_answer_of_metrics(text(recorded), &figures);
    assert_int_equal(figures.disk_bytes, 270553174016);
    assert_int_equal(figures.disk_free_bytes, 76048117760);
    assert_int_equal(figures.removed_ms, 0);
    ctl_answer_of_metrics(text("\nbinlog_pump_storage_gc_ts 1.795256374e+12"), &figures);
    assert_int_equal(figures.removed_ms, 1795256374000);
    assert_int_equal(figures.disk_bytes, 0);
    ctl_answer_of_metrics(text("\nbinlog_pump_storage_gc_ts x"), &figures);
    assert_int_equal(figures.removed_ms, 0);
    ctl_answer_of_metrics(text("\nbinlog_pump_storage_gc_ts -1e300\n"), &figures);
    assert_int_equal(figures.removed_ms, 0);
    ctl_answer_of_metrics(text("\nbinlog_pump_storage_gc_ts NaN\n"), &figures);
    assert_int_equal(figures.removed_ms, 0);
    ctl_answer_of_metrics(text(""), &figures);
    assert_int_equal(figures.removed_ms, 0);
}

static void texts_are_cut_between_characters(void **state)
{
    char out[6];

    (void)state;
    ctl_text_clean("ab\xc3\xa4\xc3\xa4", out, sizeof out);
    assert_string_equal(out, "ab\xc3\xa4");
    ctl_text_clean("\xff\x7f\tz", out, sizeof out);
    assert_string_equal(out, "???z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_done_only_with_code_200),
        cmocka_unit_test(drainers_of_the_original_say_where_they_are),
        cmocka_unit_test(drainers_of_ours_say_what_they_do),
        cmocka_unit_test(since_may_be_a_number_and_lag_have_a_fraction),
        cmocka_unit_test(a_pump_is_no_drainer_and_says_what_fails),
        cmocka_unit_test(figures_are_found_among_the_metrics_of_a_pump),
        cmocka_unit_test(texts_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
