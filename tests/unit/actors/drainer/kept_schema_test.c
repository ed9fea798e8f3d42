/* The schema that is kept: it is given back for the same cluster, source and schema version, or a
 * later one; for anything else there is none. Damage is told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/kept_schema.h"
#include "lib/env_sim.h"

static struct sl_env_sim    *sim;
static struct sl_kept_schema kept;
static struct sl_why         why;

static int begin(void **state)
{
    (void)state;
    sim = sl_env_sim_new(1);
    kept = (struct sl_kept_schema){sl_env_sim_env(sim)->fs, "/data", 7, "file:/jobs"};
    return (int)sl_fs_mkdir(kept.fs, "/data", NULL);
}

static int end(void **state)
{
    (void)state;
    sl_env_sim_free(&sim);
    return 0;
}

static const char job_text[] =
    "{\"id\":%d,\"type\":1,\"schema_id\":%d,\"state\":6,\"query\":\"CREATE DATABASE a\","
    "\"binlog\":{\"SchemaVersion\":%d,\"DBInfo\":{\"id\":%d,\"db_name\":{\"O\":\"a\",\"L\":\"a\"},"
    "\"state\":5},\"FinishedTS\":9}}";

/* Keep a schema of that version, which has a database of that id. */
static void save(int64_t version)
{
    struct sl_schema *schema = sl_schema_new();
    struct sl_job    *job;
    char              text[400];
    int len = snprintf(text, sizeof text, job_text, (int)version + 1, (int)version, (int)version,
                       (int)version);

    assert_int_equal(sl_job_parse((struct sl_slice){(uint8_t *)text, (size_t)len}, &job, &why),
                     SL_OK);
    assert_int_equal(sl_schema_apply(schema, job, &why), SL_OK);
    assert_int_equal(sl_kept_schema_save(&kept, schema, &why), SL_OK);
    sl_job_free(&job);
    sl_schema_free(&schema);
}

static void assert_has(int64_t start, int64_t version)
{
    struct sl_schema *schema = NULL;

    assert_int_equal(sl_kept_schema_load(&kept, start, &schema, &why), SL_OK);
    assert_int_equal(sl_schema_version(schema), version);
    assert_non_null(sl_schema_database(schema, version));
    sl_schema_free(&schema);
}

static void assert_none(int64_t start, enum sl_err err, const char *words)
{
    struct sl_schema *schema = NULL;

    assert_int_equal(sl_kept_schema_load(&kept, start, &schema, &why), err);
    assert_null(schema);
    assert_non_null(strstr(why.text, words));
}

static void what_is_kept_comes_back(void **state)
{
    (void)state;
    assert_none(1000, SL_NOT_FOUND, "/data/schema");
    save(10);
    assert_has(10, 10);
    assert_has(1000, 10);
    save(20);
    assert_has(20, 20);
}

static void of_something_else_there_is_none(void **state)
{
    (void)state;
    save(10);
    assert_none(9, SL_NOT_FOUND, "it is of schema version 10, the start is at 9");
    kept.cluster_id = 70;
    assert_none(10, SL_NOT_FOUND, "not of this cluster and source");
    kept.cluster_id = 7;
    kept.source = "file:/job";
    assert_none(10, SL_NOT_FOUND, "not of this cluster and source");
    kept.source = "file:/jobs2";
    assert_none(10, SL_NOT_FOUND, "not of this cluster and source");
    kept.source = "file:/jobs";
    assert_has(10, 10);
}

static void damage_is_told(void **state)
{
    uint8_t bytes[4096];
    size_t  count;

    (void)state;
    save(10);
    assert_int_equal(sl_fs_read(kept.fs, "/data/schema", bytes, sizeof bytes, &count, &why), SL_OK);
    for (size_t at = 0; at < count; at++) {
        struct sl_schema *schema = NULL;

        bytes[at] ^= 4;
        assert_int_equal(sl_fs_replace(kept.fs, "/data/schema", bytes, count, NULL), SL_OK);
        bytes[at] ^= 4;
        assert_int_not_equal(sl_kept_schema_load(&kept, 10, &schema, &why), SL_OK);
        assert_null(schema);
    }
    for (size_t cut = 0; cut < count; cut++) {
        struct sl_schema *schema = NULL;

        assert_int_equal(sl_fs_replace(kept.fs, "/data/schema", bytes, cut, NULL), SL_OK);
        assert_int_not_equal(sl_kept_schema_load(&kept, 10, &schema, &why), SL_OK);
        assert_null(schema);
    }
    assert_int_equal(sl_fs_replace(kept.fs, "/data/schema", bytes, count - 1, NULL), SL_OK);
    assert_none(10, SL_INVALID, "/data/schema: the stored schema is damaged");
    assert_int_equal(sl_fs_replace(kept.fs, "/data/schema", bytes, count, NULL), SL_OK);
    assert_has(10, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(of_something_else_there_is_none, begin, end),
        cmocka_unit_test_setup_teardown(damage_is_told, begin, end),
    };

    return cmocka_run_group_tests_name("kept_schema", tests, NULL, NULL);
}
