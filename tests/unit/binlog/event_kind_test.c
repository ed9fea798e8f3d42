/* The kind of a DDL statement by its first words, as the original's parser would say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/event_filter.h"

static const struct {
    const char        *sql;
    enum sl_event_kind kind;
} cases[] = {
    {"CREATE DATABASE IF NOT EXISTS d", SL_EVENT_CREATE_DATABASE},
    {"create schema d", SL_EVENT_CREATE_DATABASE},
    {"drop database d", SL_EVENT_DROP_DATABASE},
    {"Drop Schema if exists d", SL_EVENT_DROP_DATABASE},
    {"alter database d charset utf8", SL_EVENT_ALTER_DATABASE},
    {"alter schema d collate x", SL_EVENT_ALTER_DATABASE},
    {"create table t(a int)", SL_EVENT_CREATE_TABLE},
    {"create temporary table t(a int)", SL_EVENT_CREATE_TABLE},
    {"create global temporary table t(a int)", SL_EVENT_CREATE_TABLE},
    {"drop table a, b", SL_EVENT_DROP_TABLE},
    {"drop temporary table a", SL_EVENT_DROP_TABLE},
    {"drop tables a", SL_EVENT_DROP_TABLE},
    {"truncate table t", SL_EVENT_TRUNCATE_TABLE},
    {"truncate t", SL_EVENT_TRUNCATE_TABLE},
    {"rename table a to b", SL_EVENT_RENAME_TABLE},
    {"alter table t add column c int", SL_EVENT_ALTER_TABLE},
    {"alter ignore table t drop index i", SL_EVENT_ALTER_TABLE},
    {"alter table t add partition (partition p values less than (1))", SL_EVENT_ALTER_TABLE},
    {"alter table t rename to u", SL_EVENT_ALTER_TABLE},
    {"create index i on t(a)", SL_EVENT_CREATE_INDEX},
    {"create unique index i on t(a)", SL_EVENT_CREATE_INDEX},
    {"drop index i on t", SL_EVENT_DROP_INDEX},
    {"create view v as select 1", SL_EVENT_CREATE_VIEW},
    {"create or replace view v as select 1", SL_EVENT_CREATE_VIEW},
    {"create algorithm = undefined definer = `a`@`view` sql security definer view v as select 1",
     SL_EVENT_CREATE_VIEW},
    {"drop view v", SL_EVENT_DROP_VIEW},
    {"create sequence s", SL_EVENT_OTHER},
    {"drop sequence s", SL_EVENT_OTHER},
    {"alter sequence s restart", SL_EVENT_OTHER},
    {"create placement policy p", SL_EVENT_OTHER},
    {"create user u", SL_EVENT_OTHER},
    {"rename user a to b", SL_EVENT_OTHER},
    {"insert into t values (1)", SL_EVENT_OTHER},
    {"createtable t", SL_EVENT_OTHER},
    {"`create` table t", SL_EVENT_OTHER},
    {"create", SL_EVENT_OTHER},
    {"truncate", SL_EVENT_OTHER},
    {"", SL_EVENT_OTHER},
    {" \t\r\n ", SL_EVENT_OTHER},
    {"  drop\n\ttable t", SL_EVENT_DROP_TABLE},
    {"/* create view */ drop /* index */ table t", SL_EVENT_DROP_TABLE},
    {"-- create view\n# drop index\ndrop table t", SL_EVENT_DROP_TABLE},
    {"--create", SL_EVENT_OTHER},
    {"/*!40101 create table t(a int) */", SL_EVENT_CREATE_TABLE},
    {"/*T![auto_rand] create */ table t(a int)", SL_EVENT_CREATE_TABLE},
    {"create /*!50001 or replace */ view v as select 1", SL_EVENT_CREATE_VIEW},
    {"/* never ends drop table t", SL_EVENT_OTHER},
    {"create definer = 'never ends view", SL_EVENT_OTHER},
    {"create definer = 'it\\'s view' view v as select 1", SL_EVENT_CREATE_VIEW},
};

static void the_first_words_say_the_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum sl_event_kind kind = sl_event_of_ddl(sl_slice_from_string(cases[i].sql));

        if (kind != cases[i].kind)
            fail_msg("%s: %d, not %d", cases[i].sql, kind, cases[i].kind);
    }
}

/* Under the sanitizers this shows that nothing is read behind the end. */
static void a_statement_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t len = 0; len < strlen(cases[i].sql); len++) {
            char              *cut = malloc(len > 0 ? len : 1);
            enum sl_event_kind kind;

            assert_non_null(cut);
            memcpy(cut, cases[i].sql, len);
            kind = sl_event_of_ddl((struct sl_slice){(const uint8_t *)cut, len});
            assert_in_range(kind, SL_EVENT_CREATE_DATABASE, SL_EVENT_OTHER);
            free(cut);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_words_say_the_kind),
        cmocka_unit_test(a_statement_may_be_cut_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
