/* Every DDL binlog of the recordings does what it should: its own text, unless that would fail or
 * hit twice. The cases no recording has are made up here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/prng.h"
#include "binlog/ddl.h"
#include "lib/ddl_stream.h"

/* ---- recordings ---- */

/* What becomes of a job's text when it is not executed as it is; NULL: it is skipped. */
struct rewritten {
    int64_t     job;
    const char *text;
};

static const struct rewritten of_ddl[] = {
    {72, NULL}, /* rolled back */
    {77, "RENAME TABLE `d1`.`a` TO `d1`.`b`"},
    {80, "RENAME TABLE `d1`.`b` TO `d2`.`b`"},
    {81, "RENAME TABLE `d2`.`b` TO `d1`.`b2`"},
    {82, "RENAME TABLE `d1`.`b2` TO `d1`.`b3`"},
    {87, "RENAME TABLE `d1`.`sw1` TO `d1`.`sw0`"},
    {88, "RENAME TABLE `d1`.`sw2` TO `d1`.`sw1`"},
    {89, "RENAME TABLE `d1`.`sw0` TO `d1`.`sw2`"},
    {101, "DROP TABLE IF EXISTS `d1`.`dr`"},
    {108, "DROP TABLE `d1`.`dr2`"},
    {109, "DROP TABLE `d1`.`lk`"},
    {143, "ALTER TABLE `d1`.`cs` CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"},
    {152, NULL},                                                   /* shard_row_id_bits */
    {163, "alter table `UpCase` add column NewCol int default 2"}, /* UPCASE */
    {164, "RENAME TABLE `d1`.`UpCase` TO `d1`.`upcase2`"},
    {189, NULL}, /* rolled back */
};

struct expected {
    const struct rewritten *rewritten;
    size_t                  count;
    size_t                  seen;
};

static const struct rewritten *rewritten_of(const struct expected *expected, int64_t job)
{
    for (size_t i = 0; i < expected->count; i++) {
        if (expected->rewritten[i].job == job)
            return &expected->rewritten[i];
    }
    return NULL;
}

static struct sl_ddl_action *planned(const struct sl_ddl_input *input)
{
    struct sl_ddl_action *action = NULL;
    struct sl_why         why = {0};

    if (sl_ddl_plan(input, &action, &why) != SL_OK)
        fail_msg("%s", why.text);
    return action;
}

/* The text without what ddl_collations.h adds, which has a test of its own. */
static const char *without_collations(struct sl_slice text)
{
    static const char *const added[] = {" CHARACTER SET utf8mb4", " COLLATE utf8mb4_bin",
                                        " COLLATE utf8_bin", " COLLATE ascii_bin",
                                        " COLLATE latin1_bin"};
    static char              bytes[1 << 16];

    assert_true(text.len < sizeof bytes);
    memcpy(bytes, text.bytes, text.len + 1);
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        char *at;

        while ((at = strstr(bytes, added[i])) != NULL)
            memmove(at, at + strlen(added[i]), strlen(at + strlen(added[i])) + 1);
    }
    return bytes;
}

static enum sl_err check(void *context, const struct sl_ddl_input *input)
{
    struct expected        *expected = context;
    const struct rewritten *rewritten = rewritten_of(expected, input->job->id);
    struct sl_ddl_action   *action = planned(input);

    expected->seen++;
    if (rewritten != NULL && rewritten->text == NULL) {
        assert_int_equal(action->kind, SL_DDL_SKIP);
        assert_non_null(action->reason);
        assert_int_equal(action->statement_count, 0);
    } else {
        assert_int_equal(action->kind, SL_DDL_EXECUTE);
        assert_int_equal(action->statement_count, 1);
        assert_true(action->touched_count > 0);
        if (rewritten != NULL)
            assert_string_equal(action->statements[0].text.bytes, rewritten->text);
        else
            assert_true(
                sl_slice_equal(sl_slice_from_string(without_collations(action->statements[0].text)),
                               input->query));
    }
    sl_ddl_action_free(&action);
    assert_null(action);
    return SL_OK;
}

static void play(const char *corpus, const struct rewritten *rewritten, size_t count,
                 size_t records)
{
    struct expected expected = {rewritten, count, 0};
    struct sl_why   why = {0};
    char            folder[64];

    (void)snprintf(folder, sizeof folder, "tests/corpus/%s", corpus);
    if (ddl_stream_play(folder, SL_DDL_MARIADB, check, &expected, &why) != SL_OK)
        fail_msg("%s", why.text);
    assert_int_equal(expected.seen, records);
}

static void recordings_are_executed_as_they_are_but_where_that_fails(void **state)
{
    (void)state;
    play("ddl", of_ddl, sizeof of_ddl / sizeof of_ddl[0], 133);
    play("types", NULL, 0, 62);
    play("bank", NULL, 0, 21);
}

static enum sl_err check_names(void *context, const struct sl_ddl_input *input)
{
    struct sl_ddl_action *action = planned(input);

    (void)context;
    if (input->job->id == 80) { /* rename table b to d2.b */
        assert_int_equal(action->touched_count, 2);
        assert_string_equal(action->touched[0].schema.bytes, "d1");
        assert_string_equal(action->touched[1].schema.bytes, "d2");
        assert_string_equal(action->object.schema.bytes, "d2");
        assert_int_equal(action->repeat, SL_DDL_CHECKABLE);
    } else if (input->job->id == 194) { /* create table d3.x, in whatever database */
        assert_string_equal(action->use_database.bytes, "d3");
        assert_string_equal(action->object.table.bytes, "x");
    } else if (input->job->id == 93) { /* truncate */
        assert_int_equal(action->repeat, SL_DDL_REPEATABLE);
        assert_int_equal(action->touched_count, 1);
    } else if (input->job->id == 34 || input->job->id == 197) { /* create, drop database */
        assert_int_equal(action->use_database.len, 0);
        assert_int_equal(action->object.table.len, 0);
        assert_int_equal(action->is_create_database, input->job->id == 34);
    } else if (input->job->id == 58 || input->job->id == 57) { /* change, modify a column */
        assert_int_equal(action->repeat,
                         input->job->id == 58 ? SL_DDL_CHECKABLE : SL_DDL_REPEATABLE);
    } else if (input->job->id == 154) {
        assert_true(action->may_fail); /* create view */
    }
    sl_ddl_action_free(&action);
    return SL_OK;
}

static void names_and_classes_go_with_the_statements(void **state)
{
    struct sl_why why = {0};

    (void)state;
    if (ddl_stream_play("tests/corpus/ddl", SL_DDL_MYSQL, check_names, NULL, &why) != SL_OK)
        fail_msg("%s", why.text);
}

/* ---- made-up jobs ---- */

#define INFO(id, name, rest)                                                                      \
    "{\"id\":" id ",\"name\":{\"O\":\"" name "\"},\"pk_is_handle\":true,\"charset\":\"utf8mb4\"," \
    "\"collate\":\"utf8mb4_bin\",\"cols\":[{\"id\":1,\"name\":{\"O\":\"a\"},\"type\":{\"Tp\":3,"  \
    "\"Flag\":3,\"Flen\":11,\"Decimal\":0,\"Charset\":\"binary\"},\"state\":5}]" rest "}"
#define JOB(type, table, rest)                                                     \
    "{\"id\":9,\"type\":" type ",\"state\":6,\"schema_id\":10,\"table_id\":" table \
    ",\"binlog\":{\"SchemaVersion\":9" rest "}}"
#define TABLE(info) ",\"TableInfo\":" info

static void apply(struct sl_schema *schema, const char *json)
{
    struct sl_job *job = NULL;
    struct sl_why  why = {0};

    if (sl_job_parse(sl_slice_from_string(json), &job, &why) != SL_OK ||
        sl_schema_apply(schema, job, &why) != SL_OK)
        fail_msg("%s", why.text);
    sl_job_free(&job);
}

/* Databases d (10) and e (11), tables d.t (20) and d.u (21). */
static struct sl_schema *some_tables(void)
{
    struct sl_schema *schema = sl_schema_new();

    apply(schema,
          "{\"id\":1,\"type\":1,\"state\":6,\"schema_id\":10,\"binlog\":{\"SchemaVersion\":1,"
          "\"DBInfo\":{\"id\":10,\"db_name\":\"d\"}}}");
    apply(schema,
          "{\"id\":2,\"type\":1,\"state\":6,\"schema_id\":11,\"binlog\":{\"SchemaVersion\":2,"
          "\"DBInfo\":{\"id\":11,\"db_name\":\"e\"}}}");
    apply(schema, "{\"id\":3,\"type\":3,\"state\":6,\"schema_id\":10,\"table_id\":20,\"binlog\":{"
                  "\"SchemaVersion\":3,\"TableInfo\":" INFO("20", "t", "") "}}");
    apply(schema, "{\"id\":4,\"type\":3,\"state\":6,\"schema_id\":10,\"table_id\":21,\"binlog\":{"
                  "\"SchemaVersion\":4,\"TableInfo\":" INFO("21", "u", "") "}}");
    return schema;
}

struct case_of {
    struct sl_schema     *schema;
    struct sl_job        *job;
    struct sl_ddl_action *action;
};

static void plan(struct case_of *c, const char *job, const char *query, enum sl_ddl_target target)
{
    struct sl_ddl_input input = {.query = sl_slice_from_string(query), .target = target};
    struct sl_why       why = {0};

    c->schema = some_tables();
    if (sl_job_parse(sl_slice_from_string(job), &c->job, &why) != SL_OK)
        fail_msg("%s", why.text);
    input.job = c->job;
    input.schema = c->schema;
    if (sl_ddl_plan(&input, &c->action, &why) != SL_OK)
        fail_msg("%s: %s", query, why.text);
}

static void done(struct case_of *c)
{
    sl_ddl_action_free(&c->action);
    sl_job_free(&c->job);
    sl_schema_free(&c->schema);
}

static void assert_text(const char *job, enum sl_ddl_target target, const char *query,
                        const char *text)
{
    struct case_of c;

    plan(&c, job, query, target);
    assert_int_equal(c.action->kind, SL_DDL_EXECUTE);
    assert_int_equal(c.action->statement_count, 1);
    assert_string_equal(c.action->statements[0].text.bytes, text);
    done(&c);
}

static void assert_skipped(const char *job, enum sl_ddl_target target, const char *query,
                           const char *words)
{
    struct case_of c;

    plan(&c, job, query, target);
    if (c.action->kind == SL_DDL_EXECUTE)
        fail_msg("executed: %s", (const char *)c.action->statements[0].text.bytes);
    if (strstr(c.action->reason, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, c.action->reason);
    done(&c);
}

#define CREATE JOB("3", "30", TABLE(INFO("30", "t1", "")))
#define ALTER JOB("5", "20", TABLE(INFO("20", "t", "")))

static void placement_is_stripped_and_rows_do_not_expire(void **state)
{
    (void)state;
    assert_text(CREATE, SL_DDL_TIDB,
                "CREATE TABLE `t1` (`a` INT) /*T![placement] PLACEMENT POLICY=`p1` */",
                "CREATE TABLE `t1` (`a` INT) ");
    assert_text(CREATE, SL_DDL_TIDB,
                "CREATE TABLE `t1` (`a` INT) /*T![placement] PLACEMENT POLICY=`p1` */ "
                "/*T! SHARD_ROW_ID_BITS = 1 */",
                "CREATE TABLE `t1` (`a` INT)  /*T! SHARD_ROW_ID_BITS = 1 */");
    assert_text(ALTER, SL_DDL_TIDB,
                "ALTER TABLE `t1` /*T! SHARD_ROW_ID_BITS = 1 */ "
                "/*T![placement] PLACEMENT POLICY = `p1` */",
                "ALTER TABLE `t1` /*T! SHARD_ROW_ID_BITS = 1 */ ");
    assert_skipped(ALTER, SL_DDL_TIDB,
                   "ALTER TABLE `t1` /*T![placement] PLACEMENT POLICY = `p1` */",
                   "nothing is left");
    assert_text(CREATE, SL_DDL_TIDB,
                "CREATE TABLE `t1` (`created_at` DATETIME) "
                "/*T![ttl] TTL = `created_at` + INTERVAL 1 DAY */",
                "CREATE TABLE `t1` (`created_at` DATETIME) "
                "/*T![ttl] TTL = `created_at` + INTERVAL 1 DAY */ /*T![ttl] TTL_ENABLE = 'OFF' */");
    assert_text(CREATE, SL_DDL_TIDB,
                "CREATE TABLE t1 (c DATETIME) /*T![ttl] TTL = `c` + INTERVAL 1 DAY */ "
                "/*T![ttl] TTL_ENABLE = 'ON' */",
                "CREATE TABLE t1 (c DATETIME) /*T![ttl] TTL = `c` + INTERVAL 1 DAY */ "
                "/*T![ttl] TTL_ENABLE = 'OFF' */");
    assert_text(CREATE, SL_DDL_TIDB,
                "create table t1 (c datetime) ttl = c + interval 1 day ttl_enable='on'",
                "create table t1 (c datetime) ttl = c + interval 1 day ttl_enable='OFF'");
    assert_text(CREATE, SL_DDL_TIDB, "create table t1 (c datetime) ttl c + interval 1 day;",
                "create table t1 (c datetime) ttl c + interval 1 day /*T![ttl] TTL_ENABLE = 'OFF' "
                "*/;");
    assert_text(JOB("67", "20", TABLE(INFO("20", "t", ""))), SL_DDL_TIDB,
                "alter table t /*T![ttl] REMOVE TTL */", "alter table t /*T![ttl] REMOVE TTL */");
    assert_text(CREATE, SL_DDL_TIDB, "create table t1 (a int) placement policy p1 comment 'x'",
                "create table t1 (a int)  comment 'x'");
}

#define ALL " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

static void clauses_of_tidb_alone_are_kept_from_others(void **state)
{
    (void)state;
    assert_text(CREATE, SL_DDL_MARIADB,
                "create table t1 (id bigint auto_random(5, 64) primary key clustered, ttl int, "
                "auto_random int, key clustered (ttl)) SHARD_ROW_ID_BITS = 4, comment 'x', "
                "PRE_SPLIT_REGIONS=2 auto_id_cache 100",
                "create table t1 (id bigint  primary key , ttl int, "
                "auto_random int, key clustered (ttl))" ALL "  comment 'x'");
    assert_text(CREATE, SL_DDL_MYSQL,
                "create table t1 (a int, primary key (a) /* k */ nonclustered) /*!90000 "
                "shard_row_id_bits=2 */",
                "create table t1 (a int, primary key (a) /* k */ )" ALL " ");
    assert_text(ALTER, SL_DDL_MYSQL,
                "alter table t shard_row_id_bits 3, add column ttl int, auto_id_cache=5",
                "alter table t  add column ttl int");
    assert_text(ALTER, SL_DDL_MYSQL, "alter table t add column auto_random int, ttl_enable 'on'",
                "alter table t add column auto_random int");
    assert_skipped(ALTER, SL_DDL_MYSQL, "alter table t shard_row_id_bits = 3;", "nothing is left");
    assert_skipped(ALTER, SL_DDL_MARIADB, "alter table t /*T![ttl] TTL_ENABLE='ON' */",
                   "nothing is left");
    assert_skipped(ALTER, SL_DDL_MARIADB, "alter table t /*!90000 shard_row_id_bits = 3 */",
                   "nothing is left");
    assert_text(ALTER, SL_DDL_TIDB, "alter table t shard_row_id_bits = 3, add c int",
                "alter table t shard_row_id_bits = 3, add c int");
    assert_text(JOB("13", "20", TABLE(INFO("20", "t", ""))), SL_DDL_MYSQL,
                "alter table t force auto_increment = 7", "alter table t  auto_increment = 7");
    assert_skipped(JOB("30", "20", TABLE(INFO("20", "t", ""))), SL_DDL_MYSQL,
                   "alter table t set tiflash replica 1", "only TiDB has");
}

#define CHECKED                                                           \
    JOB("3", "30",                                                        \
        TABLE(INFO("30", "t1",                                            \
                   ",\"constraint_info\":[{\"id\":1,\"constraint_name\":" \
                   "{\"O\":\"c\"},\"enforced\":true,\"state\":5}]")))

static void checks_that_tidb_does_not_keep_to_are_kept_from_others(void **state)
{
    (void)state;
    assert_text(CREATE, SL_DDL_MARIADB,
                "CREATE TABLE `t1` (`a` INT CHECK(`a`>(0)) ENFORCED NOT NULL,`b` INT)",
                "CREATE TABLE `t1` (`a` INT  NOT NULL,`b` INT)" ALL);
    assert_text(CREATE, SL_DDL_MYSQL,
                "create table t1 (a int constraint c check (a > 0) default 1, b int, "
                "constraint check (b in (1, 2)) not enforced, key k (b), check (a > b))",
                "create table t1 (a int  default 1, b int, key k (b))" ALL);
    assert_text(CREATE, SL_DDL_MARIADB, "create table t1 (constraint `c` check (a > 0), a int)",
                "create table t1 ( a int)" ALL);
    assert_text(ALTER, SL_DDL_MYSQL, "alter table t add c int check (c > 0), add check (a > c)",
                "alter table t add c int ");
    assert_skipped(ALTER, SL_DDL_MYSQL, "alter table t add constraint x check (a > 0) enforced",
                   "nothing is left");
    assert_text(ALTER, SL_DDL_MARIADB, "alter table t check partition p0",
                "alter table t check partition p0");
    assert_text(CREATE, SL_DDL_TIDB, "CREATE TABLE `t1` (`a` INT CHECK(`a`>0) ENFORCED)",
                "CREATE TABLE `t1` (`a` INT CHECK(`a`>0) ENFORCED)");
}

static void checks_that_tidb_keeps_to_are_said_in_the_words_of_the_downstream(void **state)
{
    static const char text[] = "CREATE TABLE `t1` (`a` INT, CONSTRAINT `c` CHECK(`a`>0) ENFORCED, "
                               "CHECK(`a`<9) NOT ENFORCED)";

    (void)state;
    assert_text(CHECKED, SL_DDL_MYSQL, text,
                "CREATE TABLE `t1` (`a` INT, CONSTRAINT `c` CHECK(`a`>0) ENFORCED, "
                "CHECK(`a`<9) NOT ENFORCED)" ALL);
    assert_text(CHECKED, SL_DDL_MARIADB, text,
                "CREATE TABLE `t1` (`a` INT, CONSTRAINT `c` CHECK(`a`>0) )" ALL);
}

static void mariadb_hears_its_own_words(void **state)
{
    (void)state;
    assert_text(ALTER, SL_DDL_MARIADB, "alter table t add index i (a) invisible",
                "alter table t add index i (a) IGNORED");
    assert_text(JOB("41", "20", TABLE(INFO("20", "t", ""))), SL_DDL_MARIADB,
                "alter table t alter index i visible", "alter table t alter index i NOT IGNORED");
    assert_text(ALTER, SL_DDL_MYSQL, "alter table t add index i (a) invisible",
                "alter table t add index i (a) invisible");
    assert_text(ALTER, SL_DDL_MARIADB, "alter table t add column invisible int",
                "alter table t add column invisible int");
    assert_text(JOB("42", "21", TABLE(INFO("20", "t", ""))), SL_DDL_MARIADB,
                "alter table t exchange partition p with table u without validation",
                "alter table t exchange partition p with table u ");
}

static void what_mariadb_has_not_is_kept_from_it(void **state)
{
    static const char options[] = "create table t1 (compression int, a int column_format fixed "
                                  "storage disk) COMPRESSION = 'zlib' encryption='n' "
                                  "secondary_engine=NULL comment 'x'";

    (void)state;
    assert_text(CREATE, SL_DDL_MARIADB, options,
                "create table t1 (compression int, a int )" ALL "  comment 'x'");
    assert_text(CREATE, SL_DDL_MYSQL, options,
                "create table t1 (compression int, a int column_format fixed "
                "storage disk)" ALL " COMPRESSION = 'zlib' encryption='n' "
                "secondary_engine=NULL comment 'x'");
    assert_text(
        CREATE, SL_DDL_MARIADB,
        "create table t1 (a int not null, b int GENERATED ALWAYS AS(`a` is not null) STORED "
        "NOT NULL COMMENT 'not null', c int not null as (a+1), d int null)",
        "create table t1 (a int not null, b int GENERATED ALWAYS AS(`a` is not null) STORED "
        " COMMENT 'not null', c int  as (a+1), d int null)" ALL);
    assert_text(ALTER, SL_DDL_MARIADB,
                "alter table t add column b int as (a+1) not null, add c int not null",
                "alter table t add column b int as (a+1) , add c int not null");
    assert_text(ALTER, SL_DDL_MYSQL, "alter table t add column b int as (a+1) not null",
                "alter table t add column b int as (a+1) not null");
}

static void tables_are_dropped_one_by_one(void **state)
{
    static const char list[] = "drop table if exists `x;y`, t, e.u -- all";

    (void)state;
    assert_text(JOB("4", "20", ""), SL_DDL_MYSQL, list, "DROP TABLE IF EXISTS `d`.`t`");
    assert_text(JOB("4", "21", ""), SL_DDL_MYSQL, list, "DROP TABLE IF EXISTS `d`.`u`");
    assert_text(JOB("4", "20", ""), SL_DDL_MYSQL, "drop table /* a, b */ t",
                "drop table /* a, b */ t");
    assert_text(JOB("24", "20", ""), SL_DDL_MYSQL, "drop view v, t", "DROP VIEW `d`.`t`");
    assert_text(JOB("4", "20", ""), SL_DDL_MYSQL,
                "create table t (a int); drop table t; drop table u", "drop table t");
}

static void several_names_change_at_once(void **state)
{
    static const char swap[] = "rename table t to tmp, u to t, tmp to u";
    struct case_of    c;

    (void)state;
    plan(&c,
         "{\"id\":9,\"type\":47,\"state\":6,\"schema_id\":10,\"table_id\":20,\"query\":"
         "\"rename table t to tmp, u to t, tmp to u\",\"binlog\":{\"SchemaVersion\":9,"
         "\"TableInfo\":" INFO("20", "u", "") "}}",
         swap, SL_DDL_MYSQL);
    assert_string_equal(c.action->statements[0].text.bytes,
                        "RENAME TABLE `d`.`t` TO `d`.`tmp`, `d`.`u` TO `d`.`t`, `d`.`tmp` TO "
                        "`d`.`u`");
    assert_int_equal(c.action->repeat, SL_DDL_INVISIBLE);
    assert_int_equal(c.action->touched_count, 3);
    done(&c);
}

static void a_batch_makes_each_table(void **state)
{
    struct case_of c;

    (void)state;
    plan(&c,
         JOB("60", "0",
             ",\"MultipleTableInfos\":[" INFO(
                 "30", "x",
                 "") ",{\"id\":31,\"name\":\"v\",\"view\":{}},"
                     "{\"id\":32,\"name\":\"tmp\",\"temp_table_type\":1}," INFO(
                         "33", "y",
                         ",\"comment\":\"it's\",\"index_info\":[{\"idx_name\":\"k\",\"is_unique\":"
                         "true,"
                         "\"state\":5,\"idx_cols\":[{\"offset\":0,\"length\":-1}]}],\"partition\":{"
                         "\"type\":1,"
                         "\"expr\":\"`a`\",\"definitions\":[{\"id\":1,\"name\":\"p0\",\"less_"
                         "than\":[\"10\"]},"
                         "{\"id\":2,\"name\":\"p1\",\"less_than\":[\"MAXVALUE\"]}]}") "]"),
         "", SL_DDL_MYSQL);
    assert_int_equal(c.action->statement_count, 2);
    assert_string_equal(c.action->statements[0].text.bytes,
                        "create table if not exists `d`.`x` (`a` int(11) not null, primary key "
                        "(`a`)) default charset utf8mb4 collate utf8mb4_bin");
    assert_string_equal(c.action->statements[0].object.table.bytes, "x");
    assert_string_equal(c.action->statements[1].text.bytes,
                        "create table if not exists `d`.`y` (`a` int(11) not null, primary key "
                        "(`a`), unique key `k` (`a`)) default charset utf8mb4 collate utf8mb4_bin "
                        "comment 'it''s' partition by range (`a`) (partition `p0` values less than "
                        "(10), partition `p1` values less than (MAXVALUE))");
    assert_int_equal(c.action->repeat, SL_DDL_REPEATABLE);
    done(&c);
}

static void what_has_no_effect_is_skipped_with_a_reason(void **state)
{
    (void)state;
    assert_skipped(JOB("5", "20", ""), SL_DDL_TIDB, " Select SetVal(s, 5)", "sequence");
    assert_skipped("{\"id\":9,\"type\":5,\"state\":3,\"binlog\":{\"SchemaVersion\":9}}",
                   SL_DDL_TIDB, "alter table t add c int", "rolled back");
    assert_skipped("{\"id\":9,\"type\":5,\"state\":6}", SL_DDL_TIDB, "x", "changed nothing");
    assert_skipped(JOB("51", "0", ""), SL_DDL_TIDB, "create placement policy p", "TiDB alone");
    assert_skipped(JOB("4", "281474976709656", ""), SL_DDL_TIDB, "x", "TiDB's own");
    assert_skipped(JOB("34", "20", ""), SL_DDL_MYSQL, "create sequence s", "no sequences");
    assert_skipped(JOB("3", "30", TABLE(INFO("30", "g", ",\"temp_table_type\":1"))), SL_DDL_MYSQL,
                   "create global temporary table g (a int) on commit delete rows", "temporary");
    assert_skipped(JOB("62", "0", ""), SL_DDL_TIDB, "flashback cluster to timestamp '1'",
                   "no binlog has");
    assert_skipped(JOB("25", "20", TABLE(INFO("20", "t", ""))), SL_DDL_MYSQL, "recover table t",
                   "by hand");
    assert_text(JOB("25", "20", TABLE(INFO("20", "t", ""))), SL_DDL_TIDB, "recover table t",
                "recover table t");
    assert_text(JOB("34", "20", TABLE(INFO("20", "s", ""))), SL_DDL_MARIADB, "create sequence s",
                "create sequence s");
}

static void the_first_half_of_a_drop_is_no_ddl(void **state)
{
    struct sl_schema     *schema = some_tables();
    struct sl_job        *job = NULL;
    struct sl_ddl_action *action;
    struct sl_ddl_input   input = {.schema = schema,
                                   .query = sl_slice_from_string("alter table t drop column b"),
                                   .schema_state = SL_SCHEMA_DELETE_ONLY};

    (void)state;
    assert_int_equal(
        sl_job_parse(sl_slice_from_string(JOB("6", "20", TABLE(INFO("20", "t", "")))), &job, NULL),
        SL_OK);
    input.job = job;
    action = planned(&input);
    assert_int_equal(action->kind, SL_DDL_SKIP);
    sl_ddl_action_free(&action);
    input.schema_state = 0;
    action = planned(&input);
    assert_int_equal(action->kind, SL_DDL_EXECUTE);
    assert_string_equal(action->use_database.bytes, "d");
    sl_ddl_action_free(&action);
    sl_job_free(&job);
    sl_schema_free(&schema);
}

static void views_and_likes_do_not_depend_on_who_made_them(void **state)
{
    (void)state;
    assert_text(JOB("21", "30", TABLE(INFO("30", "v", ",\"view\":{}"))), SL_DDL_MYSQL,
                "create or replace algorithm=undefined definer = `a b`@'%' sql security invoker "
                "view v as select 1",
                "create or replace algorithm=undefined sql security invoker view v as select 1");
    assert_text(JOB("21", "30", TABLE(INFO("30", "v", ",\"view\":{}"))), SL_DDL_MYSQL,
                "create definer=current_user() view v as select definer = 1 from t",
                "create view v as select definer = 1 from t");
    assert_text(CREATE, SL_DDL_MYSQL, "create table t1 like t", "create table t1 like t");
    assert_text(CREATE, SL_DDL_MYSQL, "create table d.t1 like e.t", "create table d.t1 like e.t");
    assert_text(CREATE, SL_DDL_MYSQL, "create table d.t1 like t",
                "create table if not exists `d`.`t1` (`a` int(11) not null, primary key (`a`)) "
                "default charset utf8mb4 collate utf8mb4_bin");
}

static void names_get_the_case_they_were_made_in(void **state)
{
    (void)state;
    assert_text(ALTER, SL_DDL_MYSQL, "alter table D /* x */ . `T` add c int references U (a)",
                "alter table `d`.`t` add c int references `u` (a)");
    assert_text(CREATE, SL_DDL_MYSQL, "create table if not exists D.T1 like d.T",
                "create table if not exists `d`.T1 like `d`.`t`");
    assert_text(JOB("7", "20", TABLE(INFO("20", "t", ""))), SL_DDL_MYSQL,
                "create unique index T on T (a)", "create unique index T on `t` (a)");
    assert_text(JOB("8", "20", TABLE(INFO("20", "t", ""))), SL_DDL_MYSQL,
                "drop index if exists T on D.T", "drop index if exists T on `d`.`t`");
    assert_text(JOB("11", "20", TABLE(INFO("40", "t", ""))), SL_DDL_MYSQL, "truncate T",
                "truncate `t`");
    assert_text(JOB("4", "20", ""), SL_DDL_MYSQL, "drop table if exists T cascade",
                "drop table if exists `t` cascade");
    assert_text(JOB("2", "0", ",\"DBInfo\":{\"id\":10,\"db_name\":\"d\"}"), SL_DDL_MYSQL,
                "drop database if exists D", "drop database if exists `d`");
    assert_text(JOB("42", "21", TABLE(INFO("20", "t", ""))), SL_DDL_MYSQL,
                "alter table t exchange partition p with table U",
                "alter table t exchange partition p with table `u`");
}

static const char *const clause_words[] = {"create",
                                           "table",
                                           "alter",
                                           "drop",
                                           "truncate",
                                           "view",
                                           "index",
                                           "database",
                                           "if exists",
                                           "if not exists",
                                           "T",
                                           "`t`",
                                           "D.",
                                           ".",
                                           "(",
                                           ")",
                                           ",",
                                           ";",
                                           "=",
                                           "like",
                                           "references",
                                           "on",
                                           "with table",
                                           "U",
                                           "'on'",
                                           "ttl",
                                           "ttl_enable",
                                           "+",
                                           "interval",
                                           "1",
                                           "day",
                                           "remove ttl",
                                           "placement policy",
                                           "default",
                                           "set",
                                           "shard_row_id_bits",
                                           "auto_random",
                                           "clustered",
                                           "primary key",
                                           "force auto_increment",
                                           "invisible",
                                           "visible",
                                           "without validation",
                                           "definer=current_user",
                                           "sequence",
                                           "rename",
                                           "to",
                                           "as",
                                           "/*T![ttl] TTL_ENABLE='ON' */",
                                           "/*T![placement] x */",
                                           "/*!90000 x */",
                                           "/* c */",
                                           "/*T![ttl] TTL=a */",
                                           "comment 'x'",
                                           "-- x\n",
                                           "charset",
                                           "partition",
                                           "exchange"};

static void put_words(struct sl_prng *prng, char *query, size_t room)
{
    int count = 1 + (int)sl_prng_below(prng, 14);

    for (int i = 0; i < count; i++) {
        size_t used = strlen(query);

        (void)snprintf(
            query + used, room - used, "%s ",
            clause_words[sl_prng_below(prng, sizeof clause_words / sizeof clause_words[0])]);
    }
}

static void plan_any(struct sl_prng *prng, const struct sl_schema *schema, int type)
{
    struct sl_ddl_input   input = {.schema = schema};
    struct sl_ddl_action *action = NULL;
    struct sl_job        *job = NULL;
    char                  query[512] = "";
    char                  json[1024];

    put_words(prng, query, sizeof query);
    (void)snprintf(json, sizeof json,
                   "{\"id\":9,\"type\":%d,\"state\":6,\"schema_id\":10,\"table_id\":20,"
                   "\"binlog\":{\"SchemaVersion\":9%s}}",
                   type, sl_prng_below(prng, 8) == 0 ? "" : TABLE(INFO("20", "t", "")));
    assert_int_equal(sl_job_parse(sl_slice_from_string(json), &job, NULL), SL_OK);
    input.job = job;
    input.query = sl_slice_from_string(query);
    input.target = (enum sl_ddl_target)sl_prng_below(prng, 3);
    if (sl_ddl_plan(&input, &action, NULL) == SL_OK)
        assert_int_equal(action->kind == SL_DDL_EXECUTE, action->statement_count > 0);
    sl_ddl_action_free(&action);
    sl_job_free(&job);
}

/* Words of all clauses in any order make an action or an error, whatever the job: no edit of a text
 * touches another, and nothing is read beyond its end. */
static void any_words_make_an_action_or_an_error(void **state)
{
    static const int  types[] = {1,  2,  3,  4,  5,  8,  11, 12, 14, 21,
                                 22, 24, 26, 34, 36, 42, 47, 60, 65, 99};
    struct sl_schema *schema = some_tables();
    struct sl_prng    prng;

    (void)state;
    sl_prng_seed(&prng, 11);
    for (int round = 0; round < 30000; round++)
        plan_any(&prng, schema, types[sl_prng_below(&prng, sizeof types / sizeof types[0])]);
    sl_schema_free(&schema);
}

static void what_lacks_its_tables_is_refused(void **state)
{
    static const char *const bad[][2] = {
        {JOB("3", "30", ""), "create table x (a int)"},
        {JOB("4", "99", ""), "drop table x, y"},
        {JOB("14", "99", TABLE(INFO("99", "y", ""))), "rename table x to y"},
        {JOB("5", "20", TABLE(INFO("20", "t", ""))), "alter table t comment 'x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sl_schema     *schema = some_tables();
        struct sl_job        *job = NULL;
        struct sl_ddl_action *action = NULL;
        struct sl_ddl_input   input = {.schema = schema, .query = sl_slice_from_string(bad[i][1])};
        struct sl_why         why = {0};

        assert_int_equal(sl_job_parse(sl_slice_from_string(bad[i][0]), &job, NULL), SL_OK);
        input.job = job;
        assert_int_equal(sl_ddl_plan(&input, &action, &why), SL_INVALID);
        assert_null(action);
        assert_memory_equal(why.text, "DDL job 9 (", 11);
        sl_job_free(&job);
        sl_schema_free(&schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_are_executed_as_they_are_but_where_that_fails),
        cmocka_unit_test(names_and_classes_go_with_the_statements),
        cmocka_unit_test(placement_is_stripped_and_rows_do_not_expire),
        cmocka_unit_test(clauses_of_tidb_alone_are_kept_from_others),
        cmocka_unit_test(checks_that_tidb_does_not_keep_to_are_kept_from_others),
        cmocka_unit_test(checks_that_tidb_keeps_to_are_said_in_the_words_of_the_downstream),
        cmocka_unit_test(mariadb_hears_its_own_words),
        cmocka_unit_test(what_mariadb_has_not_is_kept_from_it),
        cmocka_unit_test(tables_are_dropped_one_by_one),
        cmocka_unit_test(several_names_change_at_once),
        cmocka_unit_test(a_batch_makes_each_table),
        cmocka_unit_test(what_has_no_effect_is_skipped_with_a_reason),
        cmocka_unit_test(the_first_half_of_a_drop_is_no_ddl),
        cmocka_unit_test(views_and_likes_do_not_depend_on_who_made_them),
        cmocka_unit_test(names_get_the_case_they_were_made_in),
        cmocka_unit_test(any_words_make_an_action_or_an_error),
        cmocka_unit_test(what_lacks_its_tables_is_refused),
    };

    return cmocka_run_group_tests_name("ddl", tests, NULL, NULL);
}
