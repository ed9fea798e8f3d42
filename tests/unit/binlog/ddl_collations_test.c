/* Statements that make text are told what TiDB compares it by, at the place where the grammar wants
 * it; what says it already stays as it is, byte for byte. That servers take these statements is the
 * concern of integration/ddl_statements. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/prng.h"
#include "binlog/ddl_collations.h"

#define COLUMN(id, name, type, charset, collation)                                  \
    "{\"id\":" id ",\"name\":\"" name "\",\"state\":5,\"type\":{\"Tp\":" type       \
    ",\"Flag\":0,\"Flen\":9,\"Decimal\":0,\"Elems\":[\"x\"],\"Charset\":\"" charset \
    "\",\"Collate\":\"" collation "\"}}"

/* A table of utf8mb4 with a number i, texts a, b, c (latin1), ai (0900) and key, and bytes y. */
#define NUMBER COLUMN("1", "i", "3", "binary", "binary")
#define TEXT_A COLUMN("2", "a", "15", "utf8mb4", "utf8mb4_bin")
#define TEXT_B COLUMN("3", "b", "252", "utf8mb4", "utf8mb4_bin")
#define ENUM_C COLUMN("4", "c", "247", "latin1", "latin1_bin")
#define TEXT_AI COLUMN("5", "ai", "15", "utf8mb4", "utf8mb4_0900_ai_ci")
#define BYTES COLUMN("6", "y", "15", "binary", "binary")
#define TEXT_KEY COLUMN("7", "key", "15", "utf8mb4", "utf8mb4_bin")
static const char table[] = "{\"id\":1,\"name\":\"t\",\"charset\":\"utf8mb4\",\"collate\":"
                            "\"utf8mb4_bin\",\"cols\":[" NUMBER "," TEXT_A "," TEXT_B "," ENUM_C
                            "," TEXT_AI "," BYTES "," TEXT_KEY "]}";

static struct sl_slice collated(const char *text, enum sl_ddl_target target, const char *info,
                                const struct sl_job_database *database, struct sl_arena *arena,
                                bool *is_other)
{
    struct ddl_described described = {.database = database};
    struct sl_json      *json = NULL;
    struct sl_why        why = {0};
    struct sl_slice      out;

    if (info != NULL &&
        sl_json_parse_data(sl_slice_from_string(info), SL_JOB_BYTES_MAX, &json, &why) != SL_OK)
        fail_msg("%s", why.text);
    described.info = json;
    out = ddl_collations(sl_slice_from_string(text), target, &described, arena, is_other);
    sl_json_free(&json);
    return out;
}

static void assert_collated(const char *info, enum sl_ddl_target target, const char *text,
                            const char *wanted)
{
    struct sl_arena arena;
    bool            is_other;

    sl_arena_init(&arena);
    assert_string_equal(collated(text, target, info, NULL, &arena, &is_other).bytes, wanted);
    sl_arena_done(&arena);
}

#define ASSERT_TABLE(text, wanted) assert_collated(table, SL_DDL_MYSQL, text, wanted)
#define ASSERT_SAME(text) assert_collated(table, SL_DDL_MYSQL, text, text)
#define ALL " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

static void a_new_table_has_the_collations_of_its_columns(void **state)
{
    (void)state;
    ASSERT_TABLE("create table t (i int, a varchar(9), b text)",
                 "create table t (i int, a varchar(9), b text)" ALL);
    ASSERT_TABLE("create table if not exists d.t(`a` varchar(9) primary key) comment 'x' partition "
                 "by key(a);",
                 "create table if not exists d.t(`a` varchar(9) primary key)" ALL
                 " comment 'x' partition by key(a);");
    ASSERT_TABLE("create table t (a char(9)) engine=innodb default charset = 'utf8mb4' comment 'c'",
                 "create table t (a char(9)) engine=innodb default charset = 'utf8mb4' COLLATE "
                 "utf8mb4_bin comment 'c'");
    ASSERT_TABLE("create table t (a varchar(9) charset utf8mb4 not null, c enum('x)','y') "
                 "character set latin1 default 'y', key k (a, c)) collate utf8mb4_bin",
                 "create table t (a varchar(9) charset utf8mb4 COLLATE utf8mb4_bin not null, c "
                 "enum('x)','y') character set latin1 COLLATE latin1_bin default 'y', key k (a, "
                 "c)) collate utf8mb4_bin");
    /* The table's default is not the column's. */
    ASSERT_TABLE(
        "create table t (a varchar(9), c enum('x') not null) charset=utf8mb4 collate=utf8mb4_bin",
        "create table t (a varchar(9), c enum('x') CHARACTER SET latin1 COLLATE latin1_bin not "
        "null) charset=utf8mb4 collate=utf8mb4_bin");
    /* TiDB made another charset of the one that is written. */
    ASSERT_TABLE("create table t (a varchar(9) charset utf8) charset utf8",
                 "create table t (a varchar(9) charset utf8mb4 COLLATE utf8mb4_bin) charset "
                 "utf8mb4 COLLATE utf8mb4_bin");
    ASSERT_TABLE("create table t (a national varchar(9), b nchar varying(3), c char ascii)" ALL,
                 "create table t (a  varchar(9), b char varying(3), c char CHARACTER SET latin1 "
                 "COLLATE latin1_bin)" ALL);
    ASSERT_TABLE(
        "CREATE TABLE /*!32312 IF NOT EXISTS*/ `t` (`a` varchar(9) /*!40100 CHARACTER SET utf8mb4 "
        "*/ NOT NULL) /*!40100 DEFAULT CHARSET=utf8mb4 */ /*!50100 PARTITION BY KEY (a) */",
        "CREATE TABLE /*!32312 IF NOT EXISTS*/ `t` (`a` varchar(9) /*!40100 CHARACTER SET utf8mb4 "
        "COLLATE utf8mb4_bin */ NOT NULL) /*!40100 DEFAULT CHARSET=utf8mb4 COLLATE utf8mb4_bin */ "
        "/*!50100 PARTITION BY KEY (a) */");
}

static void what_says_it_stays_as_it_is(void **state)
{
    (void)state;
    ASSERT_SAME(
        "create table t (a varchar(9) collate utf8mb4_bin, i int, y varchar(9) charset binary) "
        "charset utf8mb4 collate utf8mb4_bin");
    ASSERT_SAME("create table t (a varchar(9) binary, c enum('x') charset latin1 binary) collate "
                "utf8mb4_bin");
    ASSERT_SAME("create table t like d.s");
    ASSERT_SAME("create table t (like s)");
    ASSERT_SAME("create index a on t (a)");
    ASSERT_SAME("drop table a");
    ASSERT_SAME("alter table t add index (a), drop column charset, rename column a to charset, "
                "add unique key a (a), add constraint a check (a > 'x'), alter index a invisible");
    ASSERT_SAME("alter table t add column i int, modify y varbinary(3), add column z int");
    ASSERT_SAME("alter table t comment 'charset utf8', add partition (partition p values in (1))");
    ASSERT_SAME("alter table t charset utf8mb4 collate utf8mb4_bin");
    ASSERT_SAME("alter table t truncate partition a, exchange partition a with table b");
    ASSERT_SAME("create table t (a varchar(9) 'never ends");
    ASSERT_SAME("");
    assert_collated(table, SL_DDL_TIDB, "create table t (a varchar(9))",
                    "create table t (a varchar(9))");
    assert_collated(NULL, SL_DDL_MYSQL, "create table t (a varchar(9))",
                    "create table t (a varchar(9))");
}

static void changed_columns_have_their_own(void **state)
{
    (void)state;
    ASSERT_TABLE("alter table t add column a varchar(9) not null first, add `b` text after i;",
                 "alter table t add column a varchar(9)" ALL " not null first, add `b` text" ALL
                 " after i;");
    ASSERT_TABLE("alter table t add column (a varchar(9), i int, b text, key `key` (`key`)), add "
                 "key key2 (a)",
                 "alter table t add column (a varchar(9)" ALL ", i int, b text" ALL
                 ", key `key` (`key`)), add key key2 (a)");
    ASSERT_TABLE("alter table t change column t.`old,` t.a varchar(9) charset utf8mb4 default "
                 "(concat('x' collate utf8mb4_bin, ')'))",
                 "alter table t change column t.`old,` t.a varchar(9) charset utf8mb4 COLLATE "
                 "utf8mb4_bin default (concat('x' collate utf8mb4_bin, ')'))");
    ASSERT_TABLE(
        "alter table d.t modify c enum('x','y') -- end",
        "alter table d.t modify c enum('x','y') CHARACTER SET latin1 COLLATE latin1_bin -- end");
    ASSERT_TABLE("ALTER TABLE t add if not exists b long varchar generated always as (concat(a, "
                 "'x')) stored",
                 "ALTER TABLE t add if not exists b long varchar" ALL
                 " generated always as (concat(a, 'x')) stored");
}

static void charsets_of_tables_have_collations(void **state)
{
    (void)state;
    ASSERT_TABLE(
        "alter table t default character set = utf8mb4, add column i int",
        "alter table t default character set = utf8mb4 COLLATE utf8mb4_bin, add column i int");
    ASSERT_TABLE("alter table t convert to charset utf8mb4",
                 "alter table t convert to charset utf8mb4 COLLATE utf8mb4_bin");
    /* A description without a collation means the binary one. */
    assert_collated("{\"id\":1,\"name\":\"t\",\"charset\":\"gbk\",\"cols\":[" COLUMN(
                        "1", "a", "15", "gbk", "") "]}",
                    SL_DDL_MYSQL, "create table t (a char(1)) charset gbk",
                    "create table t (a char(1)) charset gbk COLLATE gbk_bin");
    assert_collated(
        "{\"id\":1,\"name\":\"t\",\"cols\":[" COLUMN("1", "a", "15", "utf8", "utf8_bin") "]}",
        SL_DDL_MYSQL, "create table t (a char(1))",
        "create table t (a char(1) CHARACTER SET utf8 COLLATE utf8_bin)");
}

static void databases_have_theirs(void **state)
{
    static const struct case_of {
        const char *text;
        const char *wanted;
    } cases[] = {
        {"create database d", "create database d CHARACTER SET utf8 COLLATE utf8_bin"},
        {"CREATE SCHEMA if not exists `d`;",
         "CREATE SCHEMA if not exists `d` CHARACTER SET utf8 COLLATE utf8_bin;"},
        {"CREATE DATABASE /*!32312 IF NOT EXISTS*/ `d` /*!40100 DEFAULT CHARACTER SET utf8 */",
         "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `d` /*!40100 DEFAULT CHARACTER SET utf8 COLLATE "
         "utf8_bin */"},
        {"create database d charset utf8mb3", "create database d charset utf8mb3 COLLATE utf8_bin"},
        {"create database d collate utf8_bin", "create database d collate utf8_bin"},
        {"alter database d default character set utf8",
         "alter database d default character set utf8 COLLATE utf8_bin"},
        {"alter database character set = utf8",
         "alter database character set = utf8 COLLATE utf8_bin"},
        {"alter database d collate = utf8_bin", "alter database d collate = utf8_bin"},
        {"drop database d", "drop database d"},
    };
    const struct sl_job_database database = {.id = 1,
                                             .name = sl_slice_from_string("d"),
                                             .charset = sl_slice_from_string("utf8"),
                                             .collation = sl_slice_from_string("utf8_bin")};
    struct sl_arena              arena;
    bool                         is_other;

    (void)state;
    sl_arena_init(&arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(
            collated(cases[i].text, SL_DDL_MARIADB, NULL, &database, &arena, &is_other).bytes,
            cases[i].wanted);
    sl_arena_done(&arena);
}

static void mariadb_has_the_nearest(void **state)
{
    static const char text[] =
        "create table t (ai varchar(9) charset utf8mb4, a varchar(9) collate "
        "'utf8mb4_0900_bin') collate = utf8mb4_bin";
    struct sl_arena arena;
    bool            is_other;

    (void)state;
    sl_arena_init(&arena);
    assert_string_equal(
        collated(text, SL_DDL_MARIADB, table, NULL, &arena, &is_other).bytes,
        "create table t (ai varchar(9) charset utf8mb4 COLLATE utf8mb4_unicode_520_nopad_ci, a "
        "varchar(9) collate utf8mb4_nopad_bin) collate = utf8mb4_bin");
    assert_true(is_other);
    assert_string_equal(collated(text, SL_DDL_MYSQL, table, NULL, &arena, &is_other).bytes,
                        "create table t (ai varchar(9) charset utf8mb4 COLLATE utf8mb4_0900_ai_ci, "
                        "a varchar(9) collate 'utf8mb4_0900_bin') collate = utf8mb4_bin");
    assert_false(is_other);
    /* Also without a description. */
    assert_string_equal(collated("create view v as select a collate utf8mb4_0900_ai_ci from t",
                                 SL_DDL_MARIADB, NULL, NULL, &arena, &is_other)
                            .bytes,
                        "create view v as select a collate utf8mb4_unicode_520_nopad_ci from t");
    assert_true(is_other);
    sl_arena_done(&arena);
}

/* Whatever words stand in whatever order: what comes out says all, so that nothing is added to
 * it. */
static void any_words_settle(void **state)
{
    static const char *const words[] = {"create",
                                        "alter",
                                        "table",
                                        "t",
                                        "(a, b text)",
                                        "primary key (a)",
                                        ",",
                                        "a",
                                        "charset",
                                        "utf8mb4",
                                        "c",
                                        "collate",
                                        "'x'",
                                        ".",
                                        "add",
                                        "column",
                                        "modify",
                                        "b",
                                        "change",
                                        "binary",
                                        "=",
                                        "ascii",
                                        "like",
                                        "national varchar(3)",
                                        "convert to",
                                        "utf8mb4_bin",
                                        "varchar(9)",
                                        "partition",
                                        "/*!40100 charset utf8mb4 */"};
    struct sl_prng           prng;
    int                      changed = 0;

    (void)state;
    sl_prng_seed(&prng, 20181);
    for (int round = 0; round < 20000; round++) {
        struct sl_arena arena;
        char            text[1024];
        size_t          len;
        bool            is_other;
        struct sl_slice once;
        struct sl_slice twice;

        sl_arena_init(&arena);
        len = (size_t)snprintf(text, sizeof text, "%s",
                               round % 2 == 0 ? "create table t (i int, " : "alter table t ");
        for (uint64_t i = sl_prng_below(&prng, 24); i > 0; i--)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s ",
                                    words[sl_prng_below(&prng, sizeof words / sizeof words[0])]);
        (void)snprintf(text + len, sizeof text - len, "%s", round % 2 == 0 ? ")" : "");
        once = collated(text, SL_DDL_MARIADB, table, NULL, &arena, &is_other);
        twice = collated((const char *)once.bytes, SL_DDL_MARIADB, table, NULL, &arena, &is_other);
        changed += !sl_slice_equal(once, sl_slice_from_string(text));
        if (!sl_slice_equal(once, twice))
            fail_msg("%s\nbecomes %s\nand then %s", text, (const char *)once.bytes,
                     (const char *)twice.bytes);
        sl_arena_done(&arena);
    }
    assert_true(changed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_table_has_the_collations_of_its_columns),
        cmocka_unit_test(what_says_it_stays_as_it_is),
        cmocka_unit_test(changed_columns_have_their_own),
        cmocka_unit_test(charsets_of_tables_have_collations),
        cmocka_unit_test(databases_have_theirs),
        cmocka_unit_test(mariadb_has_the_nearest),
        cmocka_unit_test(any_words_settle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
