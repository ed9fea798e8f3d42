/* Which tables take part: every rule of drainer spec 3.6, and the acceptance cases of its 9.2. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "binlog/filter.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static struct sl_why     why;
static struct sl_filter *filter;

static void make(const struct sl_filter_lists *lists)
{
    assert_int_equal(sl_filter_new(lists, &filter, &why), SL_OK);
}

static bool skips(const char *schema, const char *table)
{
    bool out = false;

    assert_int_equal(sl_filter_skips(filter, sl_slice_from_string(schema),
                                     sl_slice_from_string(table), &out, &why),
                     SL_OK);
    return out;
}

static void done(void)
{
    sl_filter_free(&filter);
    assert_null(filter);
}

static void without_lists_everything_is_taken(void **state)
{
    (void)state;
    make(&(struct sl_filter_lists){0});
    assert_false(skips("a", "b"));
    assert_false(skips("", ""));
    done();
}

static void the_cases_of_the_original(void **state)
{
    const char *const            schemas[] = {"fulldb", "~fulldb_re.*"};
    const struct sl_filter_table tables[] = {{"db", "table"}, {"db2", "~table"}};
    const char *const            ignored[] = {"db2"};
    struct sl_filter_lists       lists = {.do_schemas = schemas,
                                          .do_schema_count = COUNT(schemas),
                                          .do_tables = tables,
                                          .do_table_count = COUNT(tables)};

    (void)state;
    make(&lists);
    assert_false(skips("Fulldb", "t1"));
    assert_false(skips("fulldb_re_x", ""));
    assert_true(skips("db", "table_skip"));
    assert_false(skips("db2", "table"));
    assert_false(skips("db2", "a_table_b"));
    done();
    lists.ignore_schemas = ignored;
    lists.ignore_schema_count = COUNT(ignored);
    make(&lists);
    assert_true(skips("db2", "table"));
    assert_false(skips("db", "table"));
    done();
}

static void a_schema_that_is_taken_brings_all_its_tables(void **state)
{
    const char *const            schemas[] = {"s"};
    const struct sl_filter_table tables[] = {{"s", "only"}};

    (void)state;
    make(&(struct sl_filter_lists){
        .do_schemas = schemas, .do_schema_count = 1, .do_tables = tables, .do_table_count = 1});
    assert_false(skips("s", "other"));
    assert_false(skips("s", ""));
    done();
}

static void with_tables_alone_a_schema_by_itself_is_left_out(void **state)
{
    const struct sl_filter_table tables[] = {{"s", "t"}};

    (void)state;
    make(&(struct sl_filter_lists){.do_tables = tables, .do_table_count = 1});
    assert_true(skips("s", ""));
    assert_false(skips("s", "T"));
    assert_true(skips("s", "tt"));
    assert_true(skips("xs", "t"));
    done();
}

static void an_empty_name_matches_the_empty_name(void **state)
{
    const char *const schemas[] = {""};

    (void)state;
    make(&(struct sl_filter_lists){.do_schemas = schemas, .do_schema_count = 1});
    assert_false(skips("", "t"));
    assert_true(skips("s", "t"));
    done();
}

static void ignored_tables_and_schemas_are_left_out(void **state)
{
    const char *const            schemas[] = {"INFORMATION_SCHEMA", "~^tmp_", " spaced"};
    const struct sl_filter_table tables[] = {{"S", "~^Log"}, {"~", "trash"}};

    (void)state;
    make(&(struct sl_filter_lists){.ignore_schemas = schemas,
                                   .ignore_schema_count = COUNT(schemas),
                                   .ignore_tables = tables,
                                   .ignore_table_count = COUNT(tables)});
    assert_true(skips("information_schema", "t"));
    assert_true(skips("TMP_1", "t"));
    assert_false(skips("a_tmp_", "t"));
    assert_false(skips("spaced", "t")); /* elements are not trimmed */
    assert_true(skips("s", "logs"));
    assert_false(skips("s", "catalog"));
    assert_true(skips("any", "trash"));
    assert_false(skips("s", ""));
    done();
}

static void a_plain_name_is_a_regular_expression_too(void **state)
{
    const char *const schemas[] = {"a.b", "x|y"};

    (void)state;
    make(&(struct sl_filter_lists){.do_schemas = schemas, .do_schema_count = COUNT(schemas)});
    assert_false(skips("a.b", "t"));
    assert_false(skips("aXb", "t"));
    assert_true(skips("ab", "t"));
    assert_false(skips("x_and_more", "t")); /* ^x|y$, as the original makes it */
    assert_false(skips("my", "t"));
    assert_true(skips("yx_", "t"));
    done();
}

static void classes_keep_their_case(void **state)
{
    const char *const schemas[] = {"~^\\D+$"};

    (void)state;
    make(&(struct sl_filter_lists){.do_schemas = schemas, .do_schema_count = 1});
    assert_false(skips("letters", "t"));
    assert_true(skips("d1", "t"));
    done();
}

static void what_is_no_regular_expression_is_refused_with_its_list(void **state)
{
    const char *const            bad[] = {"ok", "~a("};
    const struct sl_filter_table bad_tables[] = {{"s", "*t"}};
    static char                  text[SL_PATTERN_BYTES_MAX + 1];
    const char *const            endless[] = {text};

    (void)state;
    assert_int_equal(
        sl_filter_new(&(struct sl_filter_lists){.do_schemas = bad, .do_schema_count = 2}, &filter,
                      &why),
        SL_INVALID);
    assert_string_equal(why.text, "replicate-do-db: invalid regular expression `a(`: missing "
                                  "closing parenthesis at byte 2");
    assert_int_equal(sl_filter_new(&(struct sl_filter_lists){.ignore_tables = bad_tables,
                                                             .ignore_table_count = 1},
                                   &filter, &why),
                     SL_INVALID);
    assert_non_null(strstr(why.text, "ignore-table: invalid regular expression `^*t$`"));
    memset(text, 'a', SL_PATTERN_BYTES_MAX);
    assert_int_equal(sl_filter_new(&(struct sl_filter_lists){.ignore_schemas = endless,
                                                             .ignore_schema_count = 1},
                                   &filter, &why),
                     SL_INVALID);
    assert_non_null(strstr(why.text, "ignore-schemas: `aaa"));
    assert_null(filter);
}

static void a_search_that_explodes_is_told(void **state)
{
    const char *const schemas[] = {"~^(a+)+$"};
    bool              out = false;

    (void)state;
    make(&(struct sl_filter_lists){.do_schemas = schemas, .do_schema_count = 1});
    assert_int_equal(
        sl_filter_skips(filter,
                        sl_slice_from_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                        sl_slice_from_string("t"), &out, &why),
        SL_TOO_LARGE);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_lists_everything_is_taken),
        cmocka_unit_test(the_cases_of_the_original),
        cmocka_unit_test(a_schema_that_is_taken_brings_all_its_tables),
        cmocka_unit_test(with_tables_alone_a_schema_by_itself_is_left_out),
        cmocka_unit_test(an_empty_name_matches_the_empty_name),
        cmocka_unit_test(ignored_tables_and_schemas_are_left_out),
        cmocka_unit_test(a_plain_name_is_a_regular_expression_too),
        cmocka_unit_test(classes_keep_their_case),
        cmocka_unit_test(what_is_no_regular_expression_is_refused_with_its_list),
        cmocka_unit_test(a_search_that_explodes_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
