/* Knobs as JSON: what is told of them, what is taken, and with which words the rest is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/knobs.h"
#include "base/log.h"

enum { WORKERS, FIXED, LEVEL, KNOBS };

static struct sl_knob knobs[KNOBS];

static int begin(void **state)
{
    (void)state;
    sl_log_set_level(SL_LOG_WARN);
    knobs[WORKERS] = (struct sl_knob){.name = "workers", .value = 4, .min = 1, .max = 16};
    knobs[FIXED] = (struct sl_knob){
        .name = "batch", .value = 8, .min = 1, .max = 16, .fixed = "it is how it is"};
    knobs[LEVEL] = sl_knob_of_log_level();
    return 0;
}

static void values_and_what_is_allowed_are_told(void **state)
{
    static const char wanted[] =
        "{\"workers\":{\"value\":4,\"min\":1,\"max\":16},"
        "\"batch\":{\"value\":8,\"min\":1,\"max\":16,\"fixed\":\"it is how it is\"},"
        "\"log-level\":{\"value\":\"warn\","
        "\"allowed\":\"debug, info, warn, error or fatal\"}}\n";
    struct sl_buf *body = sl_knobs_body(knobs, KNOBS);

    (void)state;
    assert_int_equal(body->len, sizeof wanted - 1);
    assert_memory_equal(body->data, wanted, body->len);
    sl_buf_free(&body);
}

static void what_is_right_is_taken_and_marked(void **state)
{
    static const char body[] = "{\"log-level\":\"DEBUG\",\"workers\":16}";
    struct sl_why     why = {0};

    (void)state;
    assert_int_equal(sl_knobs_take(knobs, KNOBS, sl_slice_from_string(body), &why), SL_OK);
    assert_true(knobs[WORKERS].is_set && knobs[LEVEL].is_set && !knobs[FIXED].is_set);
    assert_int_equal(knobs[WORKERS].value, 16);
    assert_int_equal(knobs[LEVEL].value, SL_LOG_DEBUG);
    assert_int_equal(sl_log_level(), SL_LOG_WARN); /* not yet */
    sl_knobs_tell(knobs, KNOBS);
    assert_int_equal(sl_log_level(), SL_LOG_DEBUG);
    assert_int_equal(sl_knobs_take(knobs, KNOBS, sl_slice_from_string("{}"), &why), SL_OK);
}

static void all_else_is_refused_with_what_is_allowed(void **state)
{
    static const struct {
        const char *body;
        const char *text;
    } cases[] = {
        {"{\"workers\":0}", "workers: 0 is out of range; allowed is 1 to 16"},
        {"{\"workers\":17}", "workers: 17 is out of range; allowed is 1 to 16"},
        {"{\"workers\":\"many\"}", "workers: \"many\" is no number; allowed is 1 to 16"},
        {"{\"workers\":2.5}", "workers: it is a number with a fraction or an exponent; allowed is "
                              "1 to 16"},
        {"{\"workers\":null}", "workers: it is null; allowed is 1 to 16"},
        {"{\"batch\":5}", "batch: it cannot be changed: it is how it is"},
        {"{\"workrs\":5}",
         "workrs: there is no such knob here; there is workers, batch, log-level; "
         "did you mean workers?"},
        {"{\"log-level\":\"loud\"}",
         "log-level: \"loud\" is no level; allowed is debug, info, warn, error or fatal"},
        {"{\"log-level\":3}",
         "log-level: it is an integer; allowed is debug, info, warn, error or fatal"},
        {"[1]", "the body: want an object, as {\"log-level\":\"info\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_why why = {0};

        assert_int_equal(sl_knobs_take(knobs, KNOBS, sl_slice_from_string(cases[i].body), &why),
                         SL_INVALID);
        assert_string_equal(why.text, cases[i].text);
    }
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const bodies[] = {"", "{", "{\"workers\":}", "\xff", "{\"workers\":1}x"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct sl_why why = {0};

        assert_int_equal(sl_knobs_take(knobs, KNOBS, sl_slice_from_string(bodies[i]), &why),
                         SL_INVALID);
        assert_int_equal(strncmp(why.text, "the body: ", 10), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_and_what_is_allowed_are_told, begin),
        cmocka_unit_test_setup(what_is_right_is_taken_and_marked, begin),
        cmocka_unit_test_setup(all_else_is_refused_with_what_is_allowed, begin),
        cmocka_unit_test_setup(what_is_no_json_is_refused, begin),
    };

    return cmocka_run_group_tests_name("knobs", tests, NULL, NULL);
}
