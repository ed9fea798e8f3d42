/* What a data directory says about the pump that uses it: one pump at a time, one cluster, one
 * number of shards, one node id, through crashes and on a real disk. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "actors/common/node_identity.h"
#include "base/env_os.h"
#include "lib/env_sim.h"
#include "lib/folder.h"

static const struct sl_data_dir        four = {.cluster_id = UINT64_MAX, .shards = 4};
static const struct sl_node_id_sources plain = {
    .configured = "", .host_name = "vm", .addr = "0.0.0.0:8250"};

static struct sl_env_sim *sim;
static struct sl_fs      *fs;
static struct sl_why      why;
static struct sl_why      note;
static char               id[SL_NODE_ID_BYTES_MAX];

static int begin(void **state)
{
    (void)state;
    sim = sl_env_sim_new(1);
    fs = sl_env_sim_env(sim)->fs;
    why.text[0] = '\0';
    return sl_fs_mkdir_all(fs, "/d", NULL) == SL_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    sl_env_sim_free(&sim);
    return 0;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(sl_fs_replace(fs, path, text, strlen(text), NULL), SL_OK);
}

static void holds(const char *path, const char *text)
{
    char   bytes[512];
    size_t count;

    assert_int_equal(sl_fs_read(fs, path, bytes, sizeof bytes, &count, NULL), SL_OK);
    assert_int_equal(count, strlen(text));
    assert_memory_equal(bytes, text, count);
}

/* ---- lock ---- */

static void a_second_pump_is_kept_out_until_the_first_is_gone(void **state)
{
    struct sl_file *lock;
    struct sl_file *other;

    (void)state;
    assert_int_equal(sl_data_dir_lock(fs, "/a/b", &lock, &why), SL_OK);
    assert_int_equal(sl_data_dir_lock(fs, "/a/b", &other, &why), SL_IN_USE);
    assert_string_equal(why.text, "/a/b/.lock: pkg/file: file already locked");
    sl_file_close(&lock);
    assert_int_equal(sl_data_dir_lock(fs, "/a/b", &lock, &why), SL_OK);
    sl_file_close(&lock);
}

static void the_originals_data_is_refused_and_the_lock_given_back(void **state)
{
    struct sl_file *lock;

    (void)state;
    assert_int_equal(sl_fs_mkdir_all(fs, "/d/kv", NULL), SL_OK);
    put("/d/kv/CURRENT", "MANIFEST-000000\n");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sl_data_dir_lock(fs, "/d", &lock, &why), SL_UNSUPPORTED);
        assert_non_null(strstr(why.text, "/d holds the index of a pump of the original"));
    }
}

static void a_lock_that_fails_leaves_nothing_open(void **state)
{
    struct sl_file *lock;
    uint64_t        nth = 0;

    (void)state;
    do {
        enum sl_err err;

        sl_env_sim_fail_nth(sim, ++nth, 1, SL_IO);
        err = sl_data_dir_lock(fs, "/n", &lock, NULL);
        if (err == SL_OK)
            sl_file_close(&lock);
        else
            assert_int_equal(err, SL_IO);
    } while (sl_env_sim_failed(sim) > 0); /* open files would make freeing the simulation panic */
    assert_true(nth > 5);
}

/* ---- sluice.json ---- */

static void a_new_directory_becomes_what_is_wanted(void **state)
{
    struct sl_data_dir got;

    (void)state;
    assert_int_equal(sl_data_dir_settle(fs, "/d", &four, false, &got, &why), SL_OK);
    assert_true(got.cluster_id == UINT64_MAX);
    assert_int_equal(got.shards, 4);
    holds("/d/sluice.json", "{\"format\":1,\"clusterId\":\"18446744073709551615\",\"shards\":4}\n");
}

static void the_number_of_shards_stays_as_it_was_made(void **state)
{
    const struct sl_data_dir eight = {.cluster_id = UINT64_MAX, .shards = 8};
    struct sl_data_dir       got;

    (void)state;
    assert_int_equal(sl_data_dir_settle(fs, "/d", &four, true, &got, &why), SL_OK);
    assert_int_equal(sl_data_dir_settle(fs, "/d", &eight, false, &got, &why), SL_OK);
    assert_int_equal(got.shards, 4);
    assert_int_equal(sl_data_dir_settle(fs, "/d", &four, true, &got, &why), SL_OK);
    assert_int_equal(sl_data_dir_settle(fs, "/d", &eight, true, &got, &why), SL_CONFIG);
    assert_string_equal(why.text, "data-dir /d was made with 4 shards, which cannot change: set "
                                  "storage.shards to that or to 0, not to 8");
}

static void another_cluster_is_refused(void **state)
{
    const struct sl_data_dir other = {.cluster_id = 7, .shards = 4};
    struct sl_data_dir       got;

    (void)state;
    assert_int_equal(sl_data_dir_settle(fs, "/d", &four, false, &got, &why), SL_OK);
    assert_int_equal(sl_data_dir_settle(fs, "/d", &other, false, &got, &why), SL_CONFIG);
    assert_string_equal(why.text,
                        "data-dir /d belongs to cluster 18446744073709551615, but this is cluster "
                        "7: give this pump an empty data-dir, or the pd-urls of its cluster");
}

static void what_cannot_be_understood_is_never_replaced(void **state)
{
    static const struct {
        const char *text;
        const char *words;
        enum sl_err err;
    } cases[] = {
        {"", "/d/sluice.json: ", SL_CORRUPT},
        {"[]", "/d/sluice.json: not an object", SL_CORRUPT},
        {"{}", "/d/sluice.json: format is missing or no integer", SL_CORRUPT},
        {"{\"format\":2}", "/d/sluice.json: format 2, this version knows 1", SL_UNSUPPORTED},
        {"{\"format\":1,\"clusterId\":7,\"shards\":4}", "/d/sluice.json: clusterId", SL_CORRUPT},
        {"{\"format\":1,\"clusterId\":\"7x\",\"shards\":4}", "/d/sluice.json: clusterId",
         SL_CORRUPT},
        {"{\"format\":1,\"clusterId\":\"7\"}", "/d/sluice.json: shards is missing", SL_CORRUPT},
        {"{\"format\":1,\"clusterId\":\"7\",\"shards\":0}", "/d/sluice.json: shards", SL_CORRUPT},
        {"{\"format\":1,\"clusterId\":\"7\",\"shards\":17}", "/d/sluice.json: shards", SL_CORRUPT},
    };
    struct sl_data_dir got;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("/d/sluice.json", cases[i].text);
        assert_int_equal(sl_data_dir_settle(fs, "/d", &four, false, &got, &why), cases[i].err);
        assert_int_equal(strncmp(why.text, cases[i].words, strlen(cases[i].words)), 0);
        holds("/d/sluice.json", cases[i].text);
    }
}

/* ---- node id ---- */

static void the_first_id_is_host_and_port_and_is_kept(void **state)
{
    struct sl_node_id_sources moved = plain;

    (void)state;
    assert_int_equal(sl_node_id_settle(fs, "/d", &plain, id, &note, &why), SL_OK);
    assert_string_equal(id, "vm:8250");
    assert_string_equal(note.text, "");
    holds("/d/.node", "vm:8250");
    assert_int_equal(sl_node_id_settle(fs, "/d", &plain, id, &note, &why), SL_OK);
    assert_string_equal(note.text, "");
    moved.host_name = "vm2";
    assert_int_equal(sl_node_id_settle(fs, "/d", &moved, id, &note, &why), SL_OK);
    assert_string_equal(id, "vm:8250");
    assert_string_equal(note.text, "the node ID in local file /d/.node is vm:8250, host name and "
                                   "port would make it vm2:8250");
}

static void a_configured_id_is_kept_too(void **state)
{
    struct sl_node_id_sources configured = plain;

    (void)state;
    configured.configured = "gopump-0";
    assert_int_equal(sl_node_id_settle(fs, "/d", &configured, id, &note, &why), SL_OK);
    assert_string_equal(id, "gopump-0");
    assert_string_equal(note.text, "");
    holds("/d/.node", "gopump-0");
    configured.configured = "gopump-1";
    assert_int_equal(sl_node_id_settle(fs, "/d", &configured, id, &note, &why), SL_OK);
    assert_string_equal(id, "gopump-0");
    assert_string_equal(note.text, "you had a node ID in local file /d/.node: gopump-0 is used, "
                                   "node-id = gopump-1 is not");
}

static void a_configured_id_wins_where_the_directory_does_not_belong_to_it(void **state)
{
    struct sl_node_id_sources drainer = plain;

    (void)state;
    drainer.configured_wins = true;
    assert_int_equal(sl_node_id_settle(fs, "/d", &drainer, id, &note, &why), SL_OK);
    holds("/d/.node", "vm:8250");
    drainer.configured = "d-1";
    assert_int_equal(sl_node_id_settle(fs, "/d", &drainer, id, &note, &why), SL_OK);
    assert_string_equal(id, "d-1");
    assert_string_equal(note.text, "node-id = d-1 is used, the node ID in local file /d/.node was "
                                   "vm:8250: if that node is no more, make it offline");
    holds("/d/.node", "d-1");
    assert_int_equal(sl_node_id_settle(fs, "/d", &drainer, id, &note, &why), SL_OK);
    assert_string_equal(note.text, "");
    drainer.configured = "a/b";
    assert_int_equal(sl_node_id_settle(fs, "/d", &drainer, id, &note, &why), SL_CONFIG);
    holds("/d/.node", "d-1");
    drainer.configured = "";
    assert_int_equal(sl_node_id_settle(fs, "/d", &drainer, id, &note, &why), SL_OK);
    assert_string_equal(id, "d-1");
}

static void white_space_around_a_kept_id_is_no_part_of_it(void **state)
{
    (void)state;
    put("/d/.node", " \tthis-node\n");
    assert_int_equal(sl_node_id_settle(fs, "/d", &plain, id, &note, &why), SL_OK);
    assert_string_equal(id, "this-node");
}

static void a_kept_id_that_cannot_be_read_is_an_error_unless_one_is_configured(void **state)
{
    struct sl_node_id_sources configured = plain;

    (void)state;
    configured.configured = "gopump-0";
    assert_int_equal(sl_fs_mkdir_all(fs, "/d/.node", NULL), SL_OK);
    assert_int_equal(sl_node_id_settle(fs, "/d", &plain, id, &note, &why), SL_INVALID);
    assert_int_equal(strncmp(why.text, "local nodeID file: ", 19), 0);
    assert_int_equal(sl_node_id_settle(fs, "/d", &configured, id, &note, &why), SL_OK);
    assert_string_equal(id, "gopump-0");
    assert_string_not_equal(note.text, "");
    assert_int_equal(sl_fs_mkdir_all(fs, "/e", NULL), SL_OK);
    put("/e/.node", "\n");
    assert_int_equal(sl_node_id_settle(fs, "/e", &plain, id, &note, &why), SL_INVALID);
    holds("/e/.node", "\n");
}

static void an_id_that_is_none_is_refused(void **state)
{
    struct sl_node_id_sources wrong = plain;

    (void)state;
    wrong.configured = "a/b";
    assert_int_equal(sl_node_id_settle(fs, "/d", &wrong, id, &note, &why), SL_CONFIG);
    assert_int_equal(strncmp(why.text, "node-id: the node id holds a slash", 34), 0);
    wrong.configured = "";
    wrong.host_name = "a/b";
    assert_int_equal(sl_node_id_settle(fs, "/d", &wrong, id, &note, &why), SL_CONFIG);
    assert_int_equal(strncmp(why.text, "the host name makes no node id, set node-id: ", 45), 0);
}

/* ---- crashes ---- */

/* Each call to the disk fails once, then the power goes; the next start sees the directory as new
 * or as settled, never as damaged. */
static void a_crash_leaves_it_new_or_settled(void **state)
{
    const struct sl_data_dir two = {.cluster_id = 5, .shards = 2};
    uint64_t                 nth = 0;
    uint64_t                 failed;

    (void)state;
    do {
        struct sl_data_dir got;
        char               dir[16];
        enum sl_err        err;

        (void)snprintf(dir, sizeof dir, "/c%u", (unsigned)++nth);
        assert_int_equal(sl_fs_mkdir_all(fs, dir, NULL), SL_OK);
        assert_int_equal(sl_fs_sync_dir_of(fs, dir, NULL), SL_OK);
        sl_env_sim_fail_nth(sim, nth, 1, SL_IO);
        err = sl_data_dir_settle(fs, dir, &two, true, &got, NULL);
        if (err == SL_OK)
            err = sl_node_id_settle(fs, dir, &plain, id, &note, NULL);
        failed = sl_env_sim_failed(sim);
        sl_env_sim_fail_nth(sim, 0, 0, SL_IO);
        assert_int_equal(err, failed > 0 ? SL_IO : SL_OK);
        sl_env_sim_power_cut(sim);
        assert_int_equal(sl_data_dir_settle(fs, dir, &two, true, &got, &why), SL_OK);
        assert_int_equal(got.shards, 2);
        assert_int_equal(sl_node_id_settle(fs, dir, &plain, id, &note, &why), SL_OK);
        assert_string_equal(id, "vm:8250");
    } while (failed > 0);
    assert_true(nth > 10);
}

/* ---- a real disk ---- */

static void on_a_real_disk_all_is_for_the_owner_alone(void **state)
{
    struct sl_fs      *real = sl_env_os()->fs;
    char               folder[FOLDER_PATH_BYTES];
    char               dir[FOLDER_PATH_BYTES];
    char               path[FOLDER_PATH_BYTES];
    static const char *names[] = {".lock", ".node", "sluice.json"};
    struct sl_data_dir got;
    struct sl_file    *lock;
    struct sl_file    *other;
    struct stat        st;

    (void)state;
    folder_make(folder);
    folder_join(dir, folder, "data.pump");
    assert_int_equal(sl_data_dir_lock(real, dir, &lock, &why), SL_OK);
    assert_int_equal(sl_data_dir_lock(real, dir, &other, &why), SL_IN_USE);
    assert_int_equal(sl_data_dir_settle(real, dir, &four, false, &got, &why), SL_OK);
    assert_int_equal(sl_node_id_settle(real, dir, &plain, id, &note, &why), SL_OK);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        folder_join(path, dir, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    sl_file_close(&lock);
    assert_int_equal(sl_data_dir_lock(real, dir, &lock, &why), SL_OK);
    sl_file_close(&lock);
    folder_remove(folder);
}

#define SIMULATED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIMULATED(a_second_pump_is_kept_out_until_the_first_is_gone),
        SIMULATED(the_originals_data_is_refused_and_the_lock_given_back),
        SIMULATED(a_lock_that_fails_leaves_nothing_open),
        SIMULATED(a_new_directory_becomes_what_is_wanted),
        SIMULATED(the_number_of_shards_stays_as_it_was_made),
        SIMULATED(another_cluster_is_refused),
        SIMULATED(what_cannot_be_understood_is_never_replaced),
        SIMULATED(the_first_id_is_host_and_port_and_is_kept),
        SIMULATED(a_configured_id_is_kept_too),
        SIMULATED(a_configured_id_wins_where_the_directory_does_not_belong_to_it),
        SIMULATED(white_space_around_a_kept_id_is_no_part_of_it),
        SIMULATED(a_kept_id_that_cannot_be_read_is_an_error_unless_one_is_configured),
        SIMULATED(an_id_that_is_none_is_refused),
        SIMULATED(a_crash_leaves_it_new_or_settled),
        cmocka_unit_test(on_a_real_disk_all_is_for_the_owner_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
