/* The command line is read as Go's flag package reads it, and what is wrong is named with a hint.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/base/conf_sample.h"

static struct sample_run run;

static void accepted(const char *const *args, const char *addr)
{
    assert_int_equal(sample_load(&run, NULL, args, NULL), SL_OK);
    assert_string_equal(run.config.addr, addr);
    sl_conf_free(&sample_table, &run.config);
}

static void refused(const char *const *args, enum sl_err err, const char *why)
{
    assert_int_equal(sample_load(&run, NULL, args, NULL), err);
    assert_string_equal(run.why.text, why);
}

static void a_flag_has_four_spellings(void **state)
{
    (void)state;
    accepted(SAMPLE_WORDS("-addr", "x"), "x");
    accepted(SAMPLE_WORDS("-addr=x"), "x");
    accepted(SAMPLE_WORDS("--addr", "x"), "x");
    accepted(SAMPLE_WORDS("--addr=x"), "x");
    accepted(SAMPLE_WORDS("-addr", "-gc"), "-gc");
    accepted(SAMPLE_WORDS("-addr=a=b"), "a=b");
    accepted(SAMPLE_WORDS("-addr="), "");
    accepted(SAMPLE_WORDS("-addr=x", "-addr=y"), "y");
}

static void a_boolean_takes_its_value_only_with_an_equals_sign(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-sync-ddl=false"), NULL), SL_OK);
    assert_false(run.config.sync_ddl);
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-sync-ddl=false", "-sync-ddl"), NULL),
                     SL_OK);
    assert_true(run.config.sync_ddl);
    sl_conf_free(&sample_table, &run.config);
    refused(SAMPLE_WORDS("-sync-ddl", "false"), SL_CONFIG, "'false' is not a valid flag");
}

static void flags_end_at_two_dashes_and_at_the_first_other_word(void **state)
{
    (void)state;
    accepted(SAMPLE_WORDS("-addr=x", "--"), "x");
    refused(SAMPLE_WORDS("--", "-addr=x"), SL_CONFIG, "'-addr=x' is not a valid flag");
    refused(SAMPLE_WORDS("more", "-addr=x"), SL_CONFIG, "'more' is not a valid flag");
    refused(SAMPLE_WORDS("-"), SL_CONFIG, "'-' is not a valid flag");
    refused(SAMPLE_WORDS(""), SL_CONFIG, "'' is not a valid flag");
}

static void unknown_flags_are_named_with_the_nearest(void **state)
{
    (void)state;
    refused(SAMPLE_WORDS("-adrr", "x"), SL_USAGE,
            "flag provided but not defined: -adrr, did you mean -addr?; see 'pump --help'");
    refused(SAMPLE_WORDS("--heartbeat_interval=4"), SL_USAGE,
            "flag provided but not defined: -heartbeat_interval, did you mean "
            "-heartbeat-interval?; see "
            "'pump --help'");
    refused(SAMPLE_WORDS("-nosuchflag"), SL_USAGE,
            "flag provided but not defined: -nosuchflag; see 'pump --help'");
    refused(SAMPLE_WORDS("-ADDR=x"), SL_USAGE,
            "flag provided but not defined: -ADDR, did you mean -addr?; see 'pump --help'");
}

static void very_long_flags_are_cut(void **state)
{
    char word[4 * SL_NAME_BYTES_MAX];

    (void)state;
    memset(word, 'a', sizeof word);
    word[0] = '-';
    word[sizeof word - 1] = '\0';
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS(word), NULL), SL_USAGE);
    assert_memory_equal(run.why.text, "flag provided but not defined: -aaaaaaaa", 40);
    assert_non_null(strstr(run.why.text, "a; see 'pump --help'"));
}

static void bad_syntax_and_missing_values_are_refused(void **state)
{
    (void)state;
    refused(SAMPLE_WORDS("---addr"), SL_USAGE, "bad flag syntax: ---addr; see 'pump --help'");
    refused(SAMPLE_WORDS("-=x"), SL_USAGE, "bad flag syntax: -=x; see 'pump --help'");
    refused(SAMPLE_WORDS("--=x"), SL_USAGE, "bad flag syntax: --=x; see 'pump --help'");
    refused(SAMPLE_WORDS("-addr"), SL_USAGE, "flag needs an argument: -addr; see 'pump --help'");
}

static void bad_values_name_the_flag_and_the_reason(void **state)
{
    (void)state;
    refused(SAMPLE_WORDS("-heartbeat-interval", "soon"), SL_USAGE,
            "invalid value \"soon\" for flag -heartbeat-interval: not a whole number: \"soon\"; "
            "see 'pump --help'");
    refused(SAMPLE_WORDS("-heartbeat-interval", "4000"), SL_USAGE,
            "invalid value \"4000\" for flag -heartbeat-interval: out of range, allowed: 0 to 3600 "
            "s; see "
            "'pump --help'");
    refused(
        SAMPLE_WORDS("-sync-ddl=yes"), SL_USAGE,
        "invalid value \"yes\" for flag -sync-ddl: not true or false: \"yes\"; see 'pump --help'");
    refused(SAMPLE_WORDS("-gc=7d"), SL_USAGE,
            "invalid value \"7d\" for flag -gc: unknown unit \"d\" in duration \"7d\"; see 'pump "
            "--help'");
}

static void lists_are_separated_by_commas_and_replaced_as_a_whole(void **state)
{
    (void)state;
    assert_int_equal(
        sample_load(&run, NULL, SAMPLE_WORDS("-ignore-ts=9", "-ignore-ts=1,2,3"), NULL), SL_OK);
    assert_int_equal(run.config.ignore_ts.count, 3);
    assert_int_equal(run.config.ignore_ts.items[2], 3);
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-ignore-ts="), NULL), SL_OK);
    assert_int_equal(run.config.ignore_ts.count, 0);
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-ignore-ts=1,,2"), NULL), SL_USAGE);
}

static void help_and_questions_leave_the_file_alone(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, "not TOML", SAMPLE_WORDS("-h", "-nosuchflag"), NULL), SL_OK);
    assert_true(run.report.help);
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, "not TOML", SAMPLE_WORDS("--help"), NULL), SL_OK);
    assert_true(run.report.help);
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, "not TOML", SAMPLE_WORDS("-V", "more"), NULL), SL_OK);
    assert_false(run.report.help);
    assert_true(run.report.asked && run.config.version);
    sl_conf_free(&sample_table, &run.config);
    assert_int_equal(sample_load(&run, "not TOML", SAMPLE_WORDS("-V=false"), NULL), SL_CONFIG);
}

static void a_wrong_flag_before_help_wins(void **state)
{
    (void)state;
    assert_int_equal(sample_load(&run, NULL, SAMPLE_WORDS("-nosuchflag", "-h"), NULL), SL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_has_four_spellings),
        cmocka_unit_test(a_boolean_takes_its_value_only_with_an_equals_sign),
        cmocka_unit_test(flags_end_at_two_dashes_and_at_the_first_other_word),
        cmocka_unit_test(unknown_flags_are_named_with_the_nearest),
        cmocka_unit_test(very_long_flags_are_cut),
        cmocka_unit_test(bad_syntax_and_missing_values_are_refused),
        cmocka_unit_test(bad_values_name_the_flag_and_the_reason),
        cmocka_unit_test(lists_are_separated_by_commas_and_replaced_as_a_whole),
        cmocka_unit_test(help_and_questions_leave_the_file_alone),
        cmocka_unit_test(a_wrong_flag_before_help_wins),
    };

    return cmocka_run_group_tests_name("conf_flags", tests, NULL, NULL);
}
