/* The tracker follows the DDL jobs of the recordings to the tables that TiDB had at their end, any
 * number of times; and made-up jobs of every shape, also those that the original cannot follow. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/schema.h"

/* ---- jobs ---- */

static struct sl_job *parsed(struct sl_slice json)
{
    struct sl_job *job = NULL;
    struct sl_why  why = {0};

    if (sl_job_parse(json, &job, &why) != SL_OK)
        fail_msg("%s", why.text);
    return job;
}

static void apply_json(struct sl_schema *schema, const char *json)
{
    struct sl_job *job = parsed(sl_slice_from_string(json));
    struct sl_why  why = {0};

    if (sl_schema_apply(schema, job, &why) != SL_OK)
        fail_msg("%s", why.text);
    sl_job_free(&job);
}

/* Apply the jobs of a recording whose schema version is at most `until`. */
static void apply_history(struct sl_schema *schema, const char *corpus, int64_t until)
{
    char    path[128];
    char   *line = NULL;
    size_t  room = 0;
    ssize_t len;
    FILE   *file;

    (void)snprintf(path, sizeof path, "tests/corpus/%s/ddl-history.jsonl", corpus);
    file = fopen(path, "r");
    assert_non_null(file);
    while ((len = getline(&line, &room, file)) > 0) {
        struct sl_job *job = parsed((struct sl_slice){(const uint8_t *)line, (size_t)len});
        struct sl_why  why = {0};

        if (job->schema_version <= until && sl_schema_apply(schema, job, &why) != SL_OK)
            fail_msg("%s", why.text);
        sl_job_free(&job);
    }
    free(line);
    (void)fclose(file);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char  *all[256];
    size_t count;
};

static enum sl_err note_name(void *context, struct sl_table *table)
{
    struct names *names = context;
    char          text[256];

    if (strcmp((const char *)table->schema.bytes, "mysql") == 0)
        return SL_OK;
    (void)snprintf(text, sizeof text, "%s.%s", (const char *)table->schema.bytes,
                   (const char *)table->name.bytes);
    names->all[names->count++] = strdup(text);
    return SL_OK;
}

/* "-- d1.t" stands above each table of expected/schema.sql, in order of names. */
static void assert_as_expected(struct sl_schema *schema, const char *corpus)
{
    struct names names = {0};
    char         path[128];
    char         line[4096];
    size_t       seen = 0;
    FILE        *file;

    assert_int_equal(sl_schema_each(schema, note_name, &names), SL_OK);
    qsort(names.all, names.count, sizeof names.all[0], by_text);
    (void)snprintf(path, sizeof path, "tests/corpus/%s/expected/schema.sql", corpus);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "-- ", 3) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        assert_true(seen < names.count);
        assert_string_equal(line + 3, names.all[seen++]);
    }
    assert_int_equal(seen, names.count);
    (void)fclose(file);
    for (size_t i = 0; i < names.count; i++)
        free(names.all[i]);
}

/* ---- recordings ---- */

static void recordings_end_with_the_tables_that_tidb_had(void **state)
{
    static const char *const corpora[] = {"types", "ddl", "ddl_quiet", "bank"};

    (void)state;
    for (size_t i = 0; i < sizeof corpora / sizeof corpora[0]; i++) {
        struct sl_schema *schema = sl_schema_new();

        apply_history(schema, corpora[i], INT64_MAX);
        assert_as_expected(schema, corpora[i]);
        apply_history(schema, corpora[i], INT64_MAX);
        assert_as_expected(schema, corpora[i]);
        sl_schema_free(&schema);
        assert_null(schema);
    }
}

/* A stream is read again from an earlier point: what was dropped meanwhile must not come back. */
static void going_back_changes_nothing(void **state)
{
    struct sl_schema *schema = sl_schema_new();

    (void)state;
    apply_history(schema, "ddl", 200);
    assert_int_equal(sl_schema_version(schema), 200);
    apply_history(schema, "ddl", 120);
    assert_int_equal(sl_schema_version(schema), 200);
    assert_int_equal(sl_schema_fate(schema, 96), SL_TABLE_DROPPED);
    assert_int_equal(sl_schema_fate(schema, 90), SL_TABLE_TRUNCATED);
    apply_history(schema, "ddl", INT64_MAX);
    assert_as_expected(schema, "ddl");
    sl_schema_free(&schema);
}

static void fates_are_told_apart(void **state)
{
    struct sl_schema *schema = sl_schema_new();

    (void)state;
    apply_history(schema, "ddl", INT64_MAX);
    assert_int_equal(sl_schema_fate(schema, 94), SL_TABLE_LIVE);
    assert_int_equal(sl_schema_fate(schema, 92), SL_TABLE_TRUNCATED);
    assert_int_equal(sl_schema_fate(schema, 99), SL_TABLE_DROPPED);
    assert_int_equal(sl_schema_fate(schema, 193), SL_TABLE_DROPPED); /* with its database */
    assert_int_equal(sl_schema_fate(schema, 9999), SL_TABLE_UNKNOWN);
    assert_int_equal(sl_schema_fate(schema, SL_TABLE_ID_MAX + 1), SL_TABLE_SYSTEM);
    assert_null(sl_schema_table(schema, 92));
    assert_null(sl_schema_database(schema, 191));
    assert_string_equal(sl_schema_database(schema, 198)->name.bytes, "d3");
    assert_int_equal(
        sl_schema_find(schema, sl_slice_from_string("D1"), sl_slice_from_string("UPCASE2"))->id,
        161);
    sl_schema_free(&schema);
}

/* Table t of `ddl`: c6 came at version 42, c7 at 46. */
static void rows_find_the_version_they_were_written_as(void **state)
{
    struct sl_schema *schema = sl_schema_new();
    struct sl_table  *kept;

    (void)state;
    apply_history(schema, "ddl", 46);
    assert_int_equal(sl_schema_table(schema, 35)->version, 46);
    assert_int_equal(sl_schema_table_at(schema, 35, 52)->version, 46);
    assert_int_equal(sl_schema_table_at(schema, 35, 46)->version, 46);
    assert_int_equal(sl_schema_table_at(schema, 35, 45)->version, 42);
    assert_int_equal(sl_schema_table_at(schema, 35, 7)->version, 42);
    assert_int_equal(sl_schema_table_at(schema, 35, 45)->column_count, 8);
    kept = sl_table_ref(sl_schema_table_at(schema, 35, 45));
    apply_history(schema, "ddl", 60);
    assert_int_equal(sl_schema_table_at(schema, 35, 45)->version, 54);
    sl_schema_free(&schema);
    assert_int_equal(kept->column_count, 8);
    assert_non_null(sl_table_column(kept, 8));
    assert_null(sl_table_column(kept, 9));
    sl_table_free(&kept);
}

/* ---- made-up jobs ---- */

#define INFO(id, name)                                          \
    "{\"id\":" id ",\"name\":{\"O\":\"" name "\",\"L\":\"" name \
    "\"},\"cols\":[{\"id\":1,\"name\":{"                        \
    "\"O\":\"a\",\"L\":\"a\"},\"type\":{\"Tp\":3,\"Flag\":3},\"state\":5}]}"
#define JOB(type, schema, table, version, query, rest)                                            \
    "{\"id\":" version ",\"type\":" type ",\"state\":6,\"schema_id\":" schema                     \
    ",\"table_id\":" table ",\"query\":\"" query "\",\"binlog\":{\"SchemaVersion\":" version rest \
    "}}"
#define DATABASE(id, name, version) \
    JOB("1", id, "0", version, "", ",\"DBInfo\":{\"id\":" id ",\"db_name\":{\"O\":\"" name "\"}}")
#define CREATE(schema, id, name, version) \
    JOB("3", schema, id, version, "", ",\"TableInfo\":" INFO(id, name))

static struct sl_schema *two_databases(void)
{
    struct sl_schema *schema = sl_schema_new();

    apply_json(schema, DATABASE("10", "d1", "1"));
    apply_json(schema, DATABASE("11", "d2", "2"));
    apply_json(schema, CREATE("10", "20", "a", "3"));
    apply_json(schema, CREATE("10", "21", "b", "4"));
    return schema;
}

static void assert_named(struct sl_schema *schema, int64_t id, const char *database,
                         const char *name)
{
    const struct sl_table *table = sl_schema_table(schema, id);

    assert_non_null(table);
    assert_string_equal(table->schema.bytes, database);
    assert_string_equal(table->name.bytes, name);
}

static void several_renames_leave_every_name_right(void **state)
{
    struct sl_schema *schema = two_databases();

    (void)state;
    /* A swap by way of a third name, as TiDB tells it: an info per step. */
    apply_json(schema, JOB("47", "10", "20", "5", "rename table a to tmp, b to a, tmp to b",
                           ",\"MultipleTableInfos\":[" INFO("20", "tmp") "," INFO(
                               "21", "a") "," INFO("20", "b") "]"));
    assert_named(schema, 20, "d1", "b");
    assert_named(schema, 21, "d1", "a");
    /* Old TiDB: an info of the last table only. Another database; the first is not named. */
    apply_json(schema, JOB("47", "11", "20", "6", "RENAME TABLE b TO d2.`x y`, a TO d2.z",
                           ",\"TableInfo\":" INFO("21", "z")));
    assert_named(schema, 20, "d2", "x y");
    assert_named(schema, 21, "d2", "z");
    assert_int_equal(sl_schema_table_at(schema, 20, 5)->version, 5);
    apply_json(schema, JOB("47", "10", "20", "5", "rename table a to tmp, b to a, tmp to b",
                           ",\"MultipleTableInfos\":[" INFO("20", "tmp") "," INFO(
                               "21", "a") "," INFO("20", "b") "]"));
    assert_named(schema, 21, "d2", "z");
    sl_schema_free(&schema);
}

#define PARTITIONED(id, first, second)                                                   \
    "{\"id\":" id                                                                        \
    ",\"name\":{\"O\":\"p\"},\"cols\":[],\"partition\":{\"definitions\":[{\"id\":" first \
    ",\"name\":{\"O\":\"p0\"}},{\"id\":" second ",\"name\":{\"O\":\"p1\"}}]}}"

static void an_exchange_swaps_the_ids(void **state)
{
    struct sl_schema *schema = two_databases();

    (void)state;
    apply_json(schema,
               JOB("3", "11", "30", "5", "", ",\"TableInfo\":" PARTITIONED("30", "31", "32")));
    apply_json(schema,
               JOB("42", "10", "20", "6", "", ",\"TableInfo\":" PARTITIONED("30", "31", "20")));
    assert_named(schema, 32, "d1", "a");
    assert_int_equal(sl_schema_fate(schema, 20), SL_TABLE_DROPPED);
    assert_named(schema, 30, "d2", "p");
    /* And back. */
    apply_json(schema,
               JOB("42", "10", "32", "7", "", ",\"TableInfo\":" PARTITIONED("30", "31", "32")));
    assert_named(schema, 20, "d1", "a");
    assert_int_equal(sl_schema_fate(schema, 32), SL_TABLE_DROPPED);
    sl_schema_free(&schema);
}

static void what_comes_back_is_live_again(void **state)
{
    struct sl_schema *schema = two_databases();

    (void)state;
    apply_json(schema, JOB("11", "10", "20", "5", "", ",\"TableInfo\":" INFO("22", "a")));
    assert_int_equal(sl_schema_fate(schema, 20), SL_TABLE_TRUNCATED);
    apply_json(schema, JOB("25", "10", "20", "6", "", ",\"TableInfo\":" INFO("20", "a_old")));
    assert_named(schema, 20, "d1", "a_old");
    apply_json(schema, JOB("2", "10", "0", "7", "", ",\"DBInfo\":{\"id\":10,\"db_name\":\"d1\"}"));
    assert_int_equal(sl_schema_fate(schema, 20), SL_TABLE_DROPPED);
    assert_null(sl_schema_database(schema, 10));
    sl_schema_free(&schema);
}

static void a_charset_of_a_database_keeps_its_tables(void **state)
{
    struct sl_schema *schema = two_databases();

    (void)state;
    apply_json(schema, JOB("26", "10", "0", "5", "",
                           ",\"DBInfo\":{\"id\":10,\"db_name\":\"d1\",\"charset\":\"utf8\"}"));
    assert_string_equal(sl_schema_database(schema, 10)->charset.bytes, "utf8");
    assert_named(schema, 20, "d1", "a");
    apply_json(schema, JOB("2", "10", "0", "6", "", ""));
    assert_int_equal(sl_schema_fate(schema, 20), SL_TABLE_DROPPED);
    sl_schema_free(&schema);
}

static void batches_views_and_new_partitioning_are_followed(void **state)
{
    struct sl_schema *schema = two_databases();

    (void)state;
    apply_json(schema, JOB("60", "10", "0", "5", "",
                           ",\"MultipleTableInfos\":[" INFO("40", "x") "," INFO("41", "y") "]"));
    assert_named(schema, 40, "d1", "x");
    assert_named(schema, 41, "d1", "y");
    apply_json(schema, JOB("21", "10", "50", "6", "",
                           ",\"TableInfo\":{\"id\":50,\"name\":{\"O\":\"v\"},\"view\":{}}"));
    apply_json(schema, JOB("21", "10", "51", "7", "",
                           ",\"TableInfo\":{\"id\":51,\"name\":{\"O\":\"V\"},\"view\":{}}"));
    assert_true(sl_schema_table(schema, 51)->is_view);
    assert_int_equal(sl_schema_fate(schema, 50), SL_TABLE_DROPPED);
    apply_json(schema, JOB("71", "10", "40", "8", "", ",\"TableInfo\":" INFO("42", "x")));
    assert_named(schema, 42, "d1", "x");
    assert_int_equal(sl_schema_fate(schema, 40), SL_TABLE_DROPPED);
    apply_json(schema, JOB("99", "10", "42", "9", "", ",\"TableInfo\":" INFO("42", "x2")));
    assert_named(schema, 42, "d1", "x2");
    sl_schema_free(&schema);
}

#define ROLLED_BACK                                                      \
    "{\"id\":8,\"type\":4,\"state\":3,\"schema_id\":10,\"table_id\":20," \
    "\"binlog\":{\"SchemaVersion\":8}}"

static void jobs_without_effect_have_none(void **state)
{
    static const char *const jobs[] = {
        JOB("4", "10", "281474976709656", "5", "", ""), /* a system table */
        JOB("51", "0", "20", "6", "", ""),              /* placement */
        JOB("62", "0", "0", "7", "", ""),               /* flashback cluster */
        ROLLED_BACK,
        "{\"id\":9,\"type\":4,\"state\":5,\"binlog\":null}", /* cancelled */
    };
    struct sl_schema *schema = two_databases();

    (void)state;
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        apply_json(schema, jobs[i]);
    assert_named(schema, 20, "d1", "a");
    assert_int_equal(sl_schema_version(schema), 4);
    sl_schema_free(&schema);
}

static void assert_refused(const char *json, const char *words)
{
    struct sl_schema *schema = two_databases();
    struct sl_job    *job = parsed(sl_slice_from_string(json));
    struct sl_why     why = {0};

    assert_int_equal(sl_schema_apply(schema, job, &why), SL_INVALID);
    if (strstr(why.text, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, why.text);
    assert_int_equal(sl_schema_version(schema), 4);
    assert_named(schema, 20, "d1", "a");
    sl_job_free(&job);
    sl_schema_free(&schema);
}

static void broken_jobs_are_refused_and_change_nothing(void **state)
{
    (void)state;
    assert_refused(CREATE("77", "60", "t", "5"), "database of id 77 was never made");
    assert_refused(JOB("3", "10", "60", "5", "", ""), "DDL job 5 (create table, schema version 5): "
                                                      "it has no TableInfo");
    assert_refused(JOB("5", "10", "20", "5", "", ""), "it has no TableInfo");
    assert_refused(JOB("1", "12", "0", "5", "", ""), "it has no DBInfo");
    assert_refused(JOB("47", "10", "20", "5", "rename table a to nowhere.a, b to c", ""),
                   "database nowhere is not known");
    assert_refused(JOB("47", "10", "20", "5", "rename table q to r, b to c", ""),
                   "table d1.q is not known");
    assert_refused(JOB("47", "10", "20", "5", "rename user a to b", ""), "no RENAME TABLE");
    assert_refused(JOB("42", "10", "20", "5", "", ",\"TableInfo\":" PARTITIONED("30", "31", "32")),
                   "no partition of table id 30");
    assert_refused(JOB("60", "10", "0", "5", "",
                       ",\"MultipleTableInfos\":[" INFO("40", "x") ",{\"id\":41,\"cols\":[{}]}]"),
                   "column : type Tp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_end_with_the_tables_that_tidb_had),
        cmocka_unit_test(going_back_changes_nothing),
        cmocka_unit_test(fates_are_told_apart),
        cmocka_unit_test(rows_find_the_version_they_were_written_as),
        cmocka_unit_test(several_renames_leave_every_name_right),
        cmocka_unit_test(an_exchange_swaps_the_ids),
        cmocka_unit_test(what_comes_back_is_live_again),
        cmocka_unit_test(a_charset_of_a_database_keeps_its_tables),
        cmocka_unit_test(batches_views_and_new_partitioning_are_followed),
        cmocka_unit_test(jobs_without_effect_have_none),
        cmocka_unit_test(broken_jobs_are_refused_and_change_nothing),
    };

    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
