/* A data directory of the original pump is told from an empty one and from ours. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"
#include "storage/foreign.h"

static void put(struct sl_fs *fs, const char *dir, const char *path)
{
    struct sl_file *file;

    assert_int_equal(sl_fs_mkdir_all(fs, dir, NULL), SL_OK);
    assert_int_equal(sl_fs_create(fs, path, &file, NULL), SL_OK);
    sl_file_close(&file);
}

static void the_originals_files_are_refused_with_advice(void **state)
{
    struct sl_env_sim *sim = sl_env_sim_new(1);
    struct sl_fs      *fs = sl_env_sim_env(sim)->fs;
    struct sl_why      why = {0};

    (void)state;
    put(fs, "/a/value", "/a/value/000000.vlog");
    put(fs, "/b/kv", "/b/kv/CURRENT");
    assert_int_equal(sl_storage_refuse_foreign(fs, "/a", &why), SL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "/a holds the value log"));
    assert_non_null(strstr(why.text, "empty data directory"));
    assert_int_equal(sl_storage_refuse_foreign(fs, "/b", &why), SL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "/b holds the index"));
    sl_env_sim_free(&sim);
}

static void other_directories_pass(void **state)
{
    struct sl_env_sim *sim = sl_env_sim_new(1);
    struct sl_fs      *fs = sl_env_sim_env(sim)->fs;

    (void)state;
    put(fs, "/ours/shard0", "/ours/shard0/00000001.seg");
    put(fs, "/odd/value", "/odd/value/.vlog");
    put(fs, "/odd/kv", "/odd/kv/LOG");
    assert_int_equal(sl_storage_refuse_foreign(fs, "/none", NULL), SL_OK);
    assert_int_equal(sl_storage_refuse_foreign(fs, "/ours", NULL), SL_OK);
    assert_int_equal(sl_storage_refuse_foreign(fs, "/odd", NULL), SL_OK);
    sl_env_sim_free(&sim);
}

static void what_cannot_be_looked_at_does_not_pass(void **state)
{
    struct sl_env_sim *sim = sl_env_sim_new(1);
    struct sl_fs      *fs = sl_env_sim_env(sim)->fs;

    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        sl_env_sim_fail_nth(sim, n, 1, SL_IO);
        assert_int_equal(sl_storage_refuse_foreign(fs, "/data", NULL), SL_IO);
    }
    sl_env_sim_free(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_originals_files_are_refused_with_advice),
        cmocka_unit_test(other_directories_pass),
        cmocka_unit_test(what_cannot_be_looked_at_does_not_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
