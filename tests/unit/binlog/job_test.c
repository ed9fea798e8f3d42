/* Jobs are read as TiDB writes them, whatever they lack, and what is no job is refused by the name
 * of the member. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "binlog/job.h"

static struct sl_job *parsed(const char *json)
{
    struct sl_job *job = NULL;
    struct sl_why  why = {0};

    if (sl_job_parse(sl_slice_from_string(json), &job, &why) != SL_OK)
        fail_msg("%s", why.text);
    return job;
}

static void a_job_is_read_member_by_member(void **state)
{
    struct sl_job *job = parsed(
        "{\"id\":7,\"type\":14,\"state\":6,\"schema_id\":3,\"table_id\":5,\"start_ts\":11,"
        "\"query\":\"rename\",\"schema_name\":\"d\",\"table_name\":\"t\",\"raw_args\":[1,{}],"
        "\"unknown\":{\"x\":[1.5]},\"binlog\":{\"SchemaVersion\":9,\"FinishedTS\":12,\"DBInfo\":{"
        "\"id\":3,\"db_name\":{\"O\":\"D\",\"L\":\"d\"},\"charset\":\"utf8\",\"collate\":\"utf8_"
        "bin\"}"
        ",\"TableInfo\":{\"id\":5,\"name\":\"T\"}}}");

    (void)state;
    assert_int_equal(job->id, 7);
    assert_int_equal(job->type, SL_JOB_RENAME_TABLE);
    assert_true(sl_job_is_done(job));
    assert_int_equal(job->schema_id, 3);
    assert_int_equal(job->table_id, 5);
    assert_int_equal(job->start_ts, 11);
    assert_int_equal(job->finished_ts, 12);
    assert_int_equal(job->schema_version, 9);
    assert_string_equal(job->query.bytes, "rename");
    assert_string_equal(job->schema_name.bytes, "d");
    assert_string_equal(job->table_name.bytes, "t");
    assert_int_equal(sl_json_count(job->raw_args), 2);
    assert_true(job->has_database);
    assert_string_equal(job->database.name.bytes, "D");
    assert_string_equal(job->database.collation.bytes, "utf8_bin");
    assert_int_equal(job->table_count, 1);
    assert_int_equal(job->tables[0].id, 5);
    assert_string_equal(job->tables[0].name.bytes, "T");
    sl_job_free(&job);
    assert_null(job);
    sl_job_free(&job);
}

static void several_tables_take_the_place_of_the_one(void **state)
{
    struct sl_job *job =
        parsed("{\"id\":7,\"type\":60,\"binlog\":{\"TableInfo\":{\"id\":5},\"MultipleTableInfos\":["
               "{\"id\":1,\"name\":{\"O\":\"a\"}},{\"id\":2,\"name\":{\"O\":\"b\"}}]}}");

    (void)state;
    assert_int_equal(job->table_count, 2);
    assert_string_equal(job->tables[1].name.bytes, "b");
    sl_job_free(&job);
}

static void what_is_absent_is_zero(void **state)
{
    struct sl_job *job = parsed("{\"id\":1,\"raw_args\":null,\"binlog\":null}");

    (void)state;
    assert_int_equal(job->schema_version, 0);
    assert_int_equal(job->query.len, 0);
    assert_int_equal(job->table_count, 0);
    assert_null(job->raw_args);
    assert_false(job->has_database);
    assert_false(sl_job_is_done(job));
    assert_false(sl_job_is_internal(job));
    sl_job_free(&job);
}

static void what_is_no_job_is_refused(void **state)
{
    static const char *const bad[][2] = {
        {"[]", "a job is an object, this is an array"},
        {"{}", "a job's id is above 0, this is 0"},
        {"{\"id\":\"1\"}", "id is a text, wanted an integer"},
        {"{\"id\":1,\"type\":-1}", "type is -1"},
        {"{\"id\":1,\"state\":4294967296}", "state is 4294967296"},
        {"{\"id\":1,\"query\":5}", "query is an integer"},
        {"{\"id\":1,\"binlog\":[]}", "DDL job 1: binlog is an array, wanted an object"},
        {"{\"id\":1,\"binlog\":{\"DBInfo\":{\"db_name\":5}}}", "DDL job 1: DBInfo: db_name"},
        {"{\"id\":1,\"binlog\":{\"TableInfo\":{\"id\":true}}}", "DDL job 1: TableInfo: id"},
        {"{\"id\":1,\"binlog\":{\"MultipleTableInfos\":[5]}}", "MultipleTableInfos holds an int"},
        {"{\"id\":1", "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sl_job *job = NULL;
        struct sl_why  why = {0};

        assert_int_equal(sl_job_parse(sl_slice_from_string(bad[i][0]), &job, &why), SL_INVALID);
        assert_null(job);
        if (strstr(why.text, bad[i][1]) == NULL)
            fail_msg("wanted \"%s\", got: %s", bad[i][1], why.text);
    }
}

static void size_and_number_of_tables_are_bounded(void **state)
{
    size_t         room = SL_JOB_TABLES_MAX * 3 + 128;
    char          *text = calloc(1, room);
    struct sl_job *job = NULL;
    size_t         used;

    (void)state;
    assert_non_null(text);
    used = (size_t)snprintf(text, room, "{\"id\":1,\"binlog\":{\"MultipleTableInfos\":[");
    for (int i = 0; i <= SL_JOB_TABLES_MAX; i++) {
        memcpy(text + used, i == 0 ? "{}" : ",{}", i == 0 ? 2 : 3);
        used += i == 0 ? 2 : 3;
    }
    memcpy(text + used, "]}}", 3);
    assert_int_equal(sl_job_parse(sl_slice_from_string(text), &job, NULL), SL_TOO_LARGE);
    assert_int_equal(
        sl_job_parse((struct sl_slice){(const uint8_t *)text, (size_t)SL_JOB_BYTES_MAX + 1}, &job,
                     NULL),
        SL_TOO_LARGE);
    free(text);
}

static void types_have_names(void **state)
{
    (void)state;
    assert_string_equal(sl_job_type_name(SL_JOB_EXCHANGE_PARTITION), "exchange partition");
    assert_string_equal(sl_job_type_name(0), "job type of a newer TiDB");
    assert_string_equal(sl_job_type_name(66), "job type of a newer TiDB");
    assert_string_equal(sl_job_type_name(-5), "job type of a newer TiDB");
    assert_string_equal(sl_job_type_name(1000), "job type of a newer TiDB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_read_member_by_member),
        cmocka_unit_test(several_tables_take_the_place_of_the_one),
        cmocka_unit_test(what_is_absent_is_zero),
        cmocka_unit_test(what_is_no_job_is_refused),
        cmocka_unit_test(size_and_number_of_tables_are_bounded),
        cmocka_unit_test(types_have_names),
    };

    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
