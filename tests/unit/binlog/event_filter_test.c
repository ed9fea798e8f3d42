/* Which events take part: every rule of drainer spec 3.7, and the suite `binlogfilter` of its
 * 9.4. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/event_filter.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__})
#define EVENTS(...) \
    .events = LIST(__VA_ARGS__), .event_count = sizeof LIST(__VA_ARGS__) / sizeof(char *)
#define SQLS(...) .sqls = LIST(__VA_ARGS__), .sql_count = sizeof LIST(__VA_ARGS__) / sizeof(char *)
#define BIT(kind) (UINT32_C(1) << (kind))
#define DML (BIT(SL_EVENT_INSERT) | BIT(SL_EVENT_UPDATE) | BIT(SL_EVENT_DELETE))
#define ALL (BIT(SL_EVENT_OTHER) - 1)

static struct sl_why           why;
static struct sl_event_filter *filter;

static void make(const struct sl_event_rule *rules, size_t count, bool case_sensitive)
{
    why.text[0] = '\0';
    assert_int_equal(sl_event_filter_new(rules, count, case_sensitive, &filter, &why), SL_OK);
}

static void make_one(struct sl_event_rule rule)
{
    make(&rule, 1, false);
}

static uint32_t kinds(const char *schema, const char *table)
{
    uint32_t out = 0;

    assert_int_equal(sl_event_filter_kinds(filter, sl_slice_from_string(schema),
                                           sl_slice_from_string(table), &out, &why),
                     SL_OK);
    return out;
}

static bool skips(const char *schema, const char *table, const char *sql)
{
    bool out = false;

    assert_int_equal(sl_event_filter_skips_ddl(filter, sl_slice_from_string(schema),
                                               sl_slice_from_string(table),
                                               sl_slice_from_string(sql), &out, &why),
                     SL_OK);
    return out;
}

static void done(void)
{
    sl_event_filter_free(&filter);
    assert_null(filter);
}

static void without_rules_nothing_is_left_out(void **state)
{
    (void)state;
    make(NULL, 0, false);
    assert_int_equal(kinds("s", "t"), 0);
    assert_false(skips("s", "t", "drop table t"));
    done();
}

static void the_suite_of_the_original(void **state)
{
    const struct sl_event_rule rules[] = {
        {.schema = "db1", .table = "t*", EVENTS("truncate table", "delete")},
        {.schema = "db1", .table = "t*", SQLS("alter table .* add column aaa int")},
        {.schema = "db2", .table = "t*", SQLS("alter table .* add column aaa int")},
        {.schema = "db3", .table = "t*", EVENTS("delete")},
    };

    (void)state;
    make(rules, 4, false);
    assert_true(skips("db1", "t1", "truncate table t1"));
    assert_false(skips("db2", "t1", "truncate table t1"));
    assert_true(skips("db1", "t1", "ALTER TABLE t1 add column AAA int"));
    assert_true(skips("db2", "t1", "alter table t1 add column aaa int"));
    assert_false(skips("db3", "t1", "alter table t1 add column aaa int"));
    assert_int_equal(kinds("db1", "t1"), BIT(SL_EVENT_DELETE) | BIT(SL_EVENT_TRUNCATE_TABLE));
    assert_int_equal(kinds("db2", "t1"), 0);
    assert_int_equal(kinds("db3", "t1"), BIT(SL_EVENT_DELETE));
    assert_int_equal(kinds("db3", "x"), 0);
    done();
}

static void every_name_of_an_event_is_known(void **state)
{
    static const struct {
        const char *name;
        uint32_t    kinds;
    } names[] = {
        {"all", ALL},
        {"ALL DDL", ALL & ~DML},
        {"all dml", DML},
        {"none", 0},
        {"none ddl", 0},
        {"none dml", 0},
        {"insert", BIT(SL_EVENT_INSERT)},
        {"update", BIT(SL_EVENT_UPDATE)},
        {"delete", BIT(SL_EVENT_DELETE)},
        {"create database", BIT(SL_EVENT_CREATE_DATABASE)},
        {"create schema", BIT(SL_EVENT_CREATE_DATABASE)},
        {"drop database", BIT(SL_EVENT_DROP_DATABASE)},
        {"drop schema", BIT(SL_EVENT_DROP_DATABASE)},
        {"alter database", BIT(SL_EVENT_ALTER_DATABASE)},
        {"alter schema", BIT(SL_EVENT_ALTER_DATABASE)},
        {"create table", BIT(SL_EVENT_CREATE_TABLE)},
        {"drop table", BIT(SL_EVENT_DROP_TABLE)},
        {"truncate table", BIT(SL_EVENT_TRUNCATE_TABLE)},
        {"rename table", BIT(SL_EVENT_RENAME_TABLE)},
        {"alter table", BIT(SL_EVENT_ALTER_TABLE)},
        {"create index", BIT(SL_EVENT_CREATE_INDEX)},
        {"drop index", BIT(SL_EVENT_DROP_INDEX)},
        {"create view", BIT(SL_EVENT_CREATE_VIEW)},
        {"drop view", BIT(SL_EVENT_DROP_VIEW)},
        {"add table partition", BIT(SL_EVENT_ADD_PARTITION)},
        {"drop table partition", BIT(SL_EVENT_DROP_PARTITION)},
        {"truncate table partition", BIT(SL_EVENT_TRUNCATE_PARTITION)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_one((struct sl_event_rule){.schema = "s", .table = "t", EVENTS(names[i].name)});
        assert_int_equal(kinds("s", "t"), names[i].kinds);
        done();
    }
}

static void none_ends_the_reading(void **state)
{
    (void)state;
    make_one((struct sl_event_rule){.schema = "s", .table = "t", EVENTS("delete", "none", "all")});
    assert_int_equal(kinds("s", "t"), BIT(SL_EVENT_DELETE));
    done();
    make_one((struct sl_event_rule){.schema = "s", .table = "t", EVENTS("none ddl", "all")});
    assert_int_equal(kinds("s", "t"), DML);
    done();
    make_one((struct sl_event_rule){.schema = "s", .table = "t", EVENTS("none dml", "all")});
    assert_int_equal(kinds("s", "t"), ALL & ~DML);
    done();
}

static void rules_of_the_same_patterns_are_one_and_others_are_not(void **state)
{
    const struct sl_event_rule same[] = {
        {.schema = "s", .table = "t", EVENTS("none"), SQLS("aaa")},
        {.schema = "s", .table = "t", EVENTS("delete"), SQLS("bbb")},
    };
    const struct sl_event_rule others[] = {
        {.schema = "s", .table = "t", EVENTS("none")},
        {.schema = "s", .table = "t*", EVENTS("delete")},
    };

    (void)state;
    make(same, 2, false);
    assert_int_equal(kinds("s", "t"), 0);
    assert_true(skips("s", "t", "alter table t comment 'aaa'"));
    assert_true(skips("s", "t", "alter table t comment 'BBB'"));
    done();
    make(others, 2, false);
    assert_int_equal(kinds("s", "t"), BIT(SL_EVENT_DELETE));
    done();
}

static void an_empty_table_is_the_schema_and_its_tables(void **state)
{
    const struct sl_event_rule rules[] = {
        {.schema = "s", .table = "", EVENTS("drop database", "insert")},
        {.schema = "s", .table = "*", EVENTS("create database")},
    };

    (void)state;
    make(rules, 2, false);
    assert_true(skips("s", "", "drop database s"));
    assert_false(skips("s", "", "create database s")); /* the rule is about tables */
    assert_int_equal(kinds("s", "t"), BIT(SL_EVENT_DROP_DATABASE) | BIT(SL_EVENT_INSERT) |
                                          BIT(SL_EVENT_CREATE_DATABASE));
    done();
}

static void names_are_patterns(void **state)
{
    static const struct {
        const char *pattern;
        const char *name;
        bool        fits;
    } cases[] = {
        {"*", "", true},          {"*", "x\ny", true},          {"db*", "db", true},
        {"db*", "db_1", true},    {"db*", "a_db", false},       {"d?", "db", true},
        {"d?", "d", false},       {"d?", "d表", true},          {"d?", "dbb", false},
        {"t[a-c]", "tb", true},   {"t[a-c]", "td", false},      {"t[!a-c]", "td", true},
        {"t[!a-c]", "tb", false}, {"t[!a-c]", "t", false},      {"t[ab]x", "tbx", true},
        {"t[.]x", "t.x", true},   {"t[.]x", "tax", false},      {"a.b", "a.b", true},
        {"a.b", "axb", false},    {"a+(b)|$", "a+(b)|$", true}, {"a\\E", "a\\E", true},
        {"DB", "db", true},       {"ÄB", "äb", true},           {"t[^a]", "t^", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_one((struct sl_event_rule){.schema = cases[i].pattern, .table = "", EVENTS("all")});
        if ((kinds(cases[i].name, "t") != 0) != cases[i].fits)
            fail_msg("%s and %s", cases[i].pattern, cases[i].name);
        done();
    }
}

static void case_counts_when_told(void **state)
{
    const struct sl_event_rule rule = {.schema = "Db", .table = "T*", EVENTS("all"), SQLS("AAA")};

    (void)state;
    make(&rule, 1, true);
    assert_int_equal(kinds("Db", "T1"), ALL);
    assert_int_equal(kinds("db", "T1"), 0);
    assert_int_equal(kinds("Db", "t1"), 0);
    assert_true(skips("Db", "T", "create sequence aaa")); /* SQL is never case-sensitive */
    done();
}

static void ddl_of_no_kind_is_known_by_its_text_alone(void **state)
{
    (void)state;
    make_one(
        (struct sl_event_rule){.schema = "s", .table = "", EVENTS("all"), SQLS("^create seq")});
    assert_true(skips("s", "q", "create sequence q"));
    assert_false(skips("s", "q", "drop sequence q"));
    assert_true(skips("s", "q", "drop table q"));
    done();
}

static void refused(struct sl_event_rule rule, const char *words)
{
    assert_int_equal(sl_event_filter_new(&rule, 1, false, &filter, &why), SL_INVALID);
    assert_non_null(strstr(why.text, words));
    assert_null(filter);
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    refused((struct sl_event_rule){.schema = "s", .table = "", EVENTS("drop tabel")},
            "event type drop tabel not valid");
    refused((struct sl_event_rule){.schema = "s", .table = "", SQLS("ok", "a(")},
            "invalid regular expression `a(`");
    refused((struct sl_event_rule){.schema = "", .table = "t"}, "schema pattern is empty");
    refused((struct sl_event_rule){.schema = "a*b", .table = ""}, "* stands at the end only");
    refused((struct sl_event_rule){.schema = "s", .table = "t[a-"}, "does not end");
    refused((struct sl_event_rule){.schema = "s", .table = "t[]"}, "does not end");
    refused((struct sl_event_rule){.schema = "s[z-a]", .table = ""}, "invalid regular expression");
}

static void a_search_that_explodes_is_told(void **state)
{
    bool out = false;

    (void)state;
    make_one((struct sl_event_rule){.schema = "s", .table = "", SQLS("^(a+)+$")});
    assert_int_equal(sl_event_filter_skips_ddl(
                         filter, sl_slice_from_string("s"), sl_slice_from_string("t"),
                         sl_slice_from_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                         &out, &why),
                     SL_TOO_LARGE);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_nothing_is_left_out),
        cmocka_unit_test(the_suite_of_the_original),
        cmocka_unit_test(every_name_of_an_event_is_known),
        cmocka_unit_test(none_ends_the_reading),
        cmocka_unit_test(rules_of_the_same_patterns_are_one_and_others_are_not),
        cmocka_unit_test(an_empty_table_is_the_schema_and_its_tables),
        cmocka_unit_test(names_are_patterns),
        cmocka_unit_test(case_counts_when_told),
        cmocka_unit_test(ddl_of_no_kind_is_known_by_its_text_alone),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(a_search_that_explodes_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
