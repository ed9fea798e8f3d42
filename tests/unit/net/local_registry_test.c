/* The local directory as a registry: what is put is found again by everybody, whole, whatever call
 * fails and whenever the power is cut; what is damaged is refused with its path. In simulation,
 * where each call is cut in turn; several real processes are in local_processes_test. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"
#include "net/local.h"

enum { CLUSTER = 77 };

static const char dir[] = "/cluster";

struct world {
    struct sl_env_sim   *sim;
    const struct sl_env *env;
    struct sl_local     *local; /* NULL: not open */
    struct sl_registry  *registry;
};

static void open_it(struct world *w)
{
    struct sl_why why = {0};

    if (sl_local_open(w->env, dir, &w->local, &why) != SL_OK)
        fail_msg("%s", why.text);
    w->registry = sl_local_registry(w->local);
}

static struct world world_new(uint64_t seed)
{
    struct world w = {.sim = sl_env_sim_new(seed)};

    w.env = sl_env_sim_env(w.sim);
    assert_int_equal(sl_local_init(w.env, dir, CLUSTER, 0, NULL), SL_OK);
    open_it(&w);
    return w;
}

static void world_free(struct world *w)
{
    sl_local_free(&w->local);
    sl_env_sim_free(&w->sim);
}

static struct sl_node node_of(const char *id, sl_ts ts)
{
    struct sl_node node = {.state = SL_NODE_ONLINE, .max_commit_ts = ts, .update_ts = ts};

    (void)snprintf(node.id, sizeof node.id, "%s", id);
    (void)snprintf(node.host, sizeof node.host, "%s", "127.0.0.1:8250");
    return node;
}

static enum sl_err put(struct sl_registry *r, enum sl_node_kind kind, const char *id, sl_ts ts)
{
    struct sl_node node = node_of(id, ts);

    return sl_registry_put(r, kind, &node, NULL);
}

static void write_file(struct world *w, const char *path, const char *text)
{
    struct sl_file *f;

    assert_int_equal(sl_fs_create(w->env->fs, path, &f, NULL), SL_OK);
    assert_int_equal(sl_file_write(f, text, strlen(text), NULL), SL_OK);
    sl_file_close(&f);
}

static void assert_said(const struct sl_why *why, const char *words)
{
    if (strstr(why->text, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, why->text);
}

/* ---- the directory ---- */

static void a_url_names_a_directory(void **state)
{
    (void)state;
    assert_string_equal(sl_local_dir_of_url("local:/var/x"), "/var/x");
    assert_string_equal(sl_local_dir_of_url("local:x"), "x");
    assert_null(sl_local_dir_of_url("local:"));
    assert_null(sl_local_dir_of_url("http://127.0.0.1:2379"));
}

static void a_directory_is_made_once_and_for_one_cluster(void **state)
{
    struct world  w = world_new(1);
    struct sl_why why = {0};
    uint64_t      id = 0;

    (void)state;
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 5), SL_OK);
    assert_int_equal(sl_local_init(w.env, dir, CLUSTER, 0, NULL), SL_OK);
    assert_int_equal(sl_local_init(w.env, dir, CLUSTER + 1, 0, &why), SL_EXISTS);
    assert_said(&why, "/cluster belongs to cluster 77, not 78");
    assert_int_equal(sl_registry_cluster_id(w.registry, &id, NULL), SL_OK);
    assert_int_equal(id, CLUSTER);
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_PUMP, "p", &(struct sl_node){0}, NULL),
                     SL_OK);
    world_free(&w);
}

static void what_is_not_there_is_said(void **state)
{
    struct sl_env_sim   *sim = sl_env_sim_new(1);
    const struct sl_env *env = sl_env_sim_env(sim);
    struct sl_local     *local = NULL;
    struct sl_why        why = {0};

    (void)state;
    assert_int_equal(sl_local_open(env, "/none", &local, &why), SL_NOT_FOUND);
    assert_said(&why, "no cluster in /none; make one with 'sluice init local:/none'");
    assert_int_equal(sl_local_open(env, "", &local, NULL), SL_INVALID);
    assert_int_equal(sl_local_init(env, "/d", 1, -1, &why), SL_INVALID);
    assert_int_equal(sl_local_init(env, "/d", 1, INT64_MAX, &why), SL_INVALID);
    assert_null(local);
    sl_env_sim_free(&sim);
}

/* Fail the nth call and all after it, as a dead machine does, while the directory is made. */
static bool make_cut_at(uint64_t nth, uint64_t seed)
{
    struct sl_env_sim   *sim = sl_env_sim_new(seed);
    const struct sl_env *env = sl_env_sim_env(sim);
    struct sl_local     *local = NULL;
    bool                 through;
    sl_ts                ts = 0;

    sl_env_sim_fail_nth(sim, nth, UINT64_MAX, SL_IO);
    through = sl_local_init(env, dir, CLUSTER, 1000, NULL) == SL_OK;
    assert_int_equal(through, sl_env_sim_failed(sim) == 0);
    sl_env_sim_fail_nth(sim, 0, 0, SL_OK);
    sl_env_sim_power_cut(sim);
    if (!through)
        assert_int_equal(sl_local_init(env, dir, CLUSTER, 1000, NULL), SL_OK);
    assert_int_equal(sl_local_open(env, dir, &local, NULL), SL_OK);
    assert_int_equal(put(sl_local_registry(local), SL_NODE_DRAINER, "d", 1), SL_OK);
    assert_int_equal(sl_tso_now(sl_local_tso(local), 1, &ts, NULL), SL_OK);
    assert_int_equal(ts, 1000);
    sl_local_free(&local);
    sl_env_sim_free(&sim);
    return through;
}

static void making_it_can_be_cut_anywhere_and_done_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t nth = 1;

        while (!make_cut_at(nth, seed))
            nth++;
        assert_in_range(nth, 10, 200);
    }
}

static void a_damaged_cluster_file_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum sl_err err;
        const char *words;
    } cases[] = {
        {"", SL_CORRUPT, "cluster.json is damaged"},
        {"[]", SL_CORRUPT, "not an object"},
        {"{\"format\":1}", SL_CORRUPT, "clusterId is missing"},
        {"{\"format\":1,\"clusterId\":7}", SL_CORRUPT, "no number in quotes"},
        {"{\"format\":1,\"clusterId\":\"-7\"}", SL_CORRUPT, "write it anew as"},
        {"{\"format\":1,\"clusterId\":\"18446744073709551616\"}", SL_CORRUPT, "clusterId"},
        {"{\"clusterId\":\"7\"}", SL_CORRUPT, "format is missing"},
        {"{\"format\":2,\"clusterId\":\"7\"}", SL_UNSUPPORTED, "format 2, this version knows 1"},
    };
    struct world w = world_new(1);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_why    why = {0};
        struct sl_local *other = NULL;

        write_file(&w, "/cluster/cluster.json", cases[i].text);
        assert_int_equal(sl_local_open(w.env, dir, &other, &why), cases[i].err);
        assert_said(&why, cases[i].words);
        assert_said(&why, "/cluster/cluster.json");
        assert_int_equal(sl_local_init(w.env, dir, CLUSTER, 0, NULL), cases[i].err);
    }
    write_file(&w, "/cluster/cluster.json",
               "{\"format\":1,\"clusterId\":\"18446744073709551615\"}");
    sl_local_free(&w.local);
    open_it(&w);
    world_free(&w);
}

static void a_missing_lock_is_named_and_a_held_one_waited_for(void **state)
{
    struct world    w = world_new(1);
    struct sl_why   why = {0};
    struct sl_file *lock;

    (void)state;
    assert_int_equal(sl_fs_open(w.env->fs, "/cluster/lock", SL_OPEN_WRITE, &lock, NULL), SL_OK);
    assert_int_equal(sl_file_lock(lock, NULL), SL_OK);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 1), SL_TIMEOUT);
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &(struct sl_node_list){0}, NULL),
                     SL_TIMEOUT);
    sl_file_close(&lock);
    assert_int_equal(sl_fs_remove(w.env->fs, "/cluster/lock", NULL), SL_OK);
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_PUMP, "p", &(struct sl_node){0}, &why),
                     SL_NOT_FOUND);
    assert_said(&why, "'sluice init local:/cluster' makes what is missing");
    assert_int_equal(sl_local_init(w.env, dir, CLUSTER, 0, NULL), SL_OK);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 1), SL_OK);
    world_free(&w);
}

/* ---- records ---- */

static void records_are_found_listed_in_order_and_replaced(void **state)
{
    struct world        w = world_new(3);
    struct sl_node_list list = {0};
    struct sl_node      node;

    (void)state;
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, NULL), SL_OK);
    assert_int_equal(list.count, 0);
    assert_null(list.nodes);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p:2", 1), SL_OK);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p:10", 2), SL_OK);
    assert_int_equal(put(w.registry, SL_NODE_DRAINER, "p:2", 3), SL_OK);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p:2", 4), SL_OK);
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, NULL), SL_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.nodes[0].id, "p:10");
    assert_string_equal(list.nodes[1].id, "p:2");
    assert_int_equal(list.nodes[1].max_commit_ts, 4);
    sl_node_list_free(&list);
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_DRAINER, "p:2", &node, NULL), SL_OK);
    assert_int_equal(node.max_commit_ts, 3);
    assert_string_equal(node.host, "127.0.0.1:8250");
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_DRAINER, "p:10", &node, NULL),
                     SL_NOT_FOUND);
    world_free(&w);
}

static void every_legal_id_has_a_file_of_its_own(void **state)
{
    static const char *const ids[] = {".",   "..", "a.b", "a%2Eb", "%2E", "A",      "a",
                                      "a b", "-",  "ö",   "x.new", "c:1", "x.json", "~"};
    enum { IDS = sizeof ids / sizeof ids[0] };
    struct world        w = world_new(4);
    struct sl_node_list list;
    struct sl_node      node;
    struct sl_why       why = {0};
    char                longest[SL_NODE_ID_BYTES_MAX] = "";

    (void)state;
    for (int i = 0; i < IDS; i++)
        assert_int_equal(put(w.registry, SL_NODE_PUMP, ids[i], i + 1), SL_OK);
    for (int i = 0; i < IDS; i++) {
        assert_int_equal(sl_registry_get(w.registry, SL_NODE_PUMP, ids[i], &node, NULL), SL_OK);
        assert_int_equal(node.max_commit_ts, i + 1);
    }
    memset(longest, 'x', 246);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, longest, 1), SL_OK);
    longest[245] = '~';
    node = node_of(longest, 1);
    assert_int_equal(sl_registry_put(w.registry, SL_NODE_PUMP, &node, &why), SL_TOO_LARGE);
    assert_said(&why, "too long for a file name");
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_PUMP, "a/b", &node, NULL), SL_INVALID);
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, NULL), SL_OK);
    assert_int_equal(list.count, IDS + 1);
    sl_node_list_free(&list);
    world_free(&w);
}

static void a_record_that_cannot_be_read_fails_its_listing_by_name(void **state)
{
    struct world        w = world_new(5);
    struct sl_node_list list = {0};
    struct sl_node      node;
    struct sl_why       why = {0};

    (void)state;
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "a", 1), SL_OK);
    write_file(&w, "/cluster/pumps/b.json", "{\"nodeId\":\"b\",\"state\":\"online\",}");
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, &why), SL_INVALID);
    assert_said(&why, "/cluster/pumps/b.json is no record of a node; correct it, or remove it");
    assert_said(&why, "line 1");
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_PUMP, "b", &node, NULL), SL_INVALID);
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_PUMP, "a", &node, NULL), SL_OK);
    write_file(&w, "/cluster/pumps/b.json", "{\"nodeId\":\"a\",\"state\":\"online\"}");
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, &why), SL_INVALID);
    assert_said(&why, "b.json is the record of 'a'");
    assert_int_equal(sl_registry_get(w.registry, SL_NODE_PUMP, "b", &node, &why), SL_INVALID);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "b", 1), SL_OK);
    write_file(&w, "/cluster/pumps/c.json.new", "{");
    write_file(&w, "/cluster/pumps/README", "not a record");
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, NULL), SL_OK);
    assert_int_equal(list.count, 2);
    sl_node_list_free(&list);
    world_free(&w);
}

static void the_number_of_records_is_bounded(void **state)
{
    struct world        w = world_new(6);
    struct sl_node_list list = {0};
    struct sl_why       why = {0};
    char                path[64];
    char                text[64];

    (void)state;
    for (int i = 0; i <= SL_NODES_MAX; i++) {
        if (i == SL_NODES_MAX) {
            assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, NULL), SL_OK);
            assert_int_equal(list.count, SL_NODES_MAX);
            sl_node_list_free(&list);
        }
        (void)snprintf(path, sizeof path, "/cluster/pumps/p%d.json", i);
        (void)snprintf(text, sizeof text, "{\"nodeId\":\"p%d\",\"state\":\"online\"}", i);
        write_file(&w, path, text);
    }
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, &why), SL_TOO_LARGE);
    assert_said(&why, "/cluster/pumps has more than 1024 records");
    world_free(&w);
}

static void the_version_moves_with_each_change_only(void **state)
{
    struct world        w = world_new(7);
    struct sl_node_list list;
    uint64_t            before;
    uint64_t            after;

    (void)state;
    for (int i = 1; i <= 300; i++) {
        assert_int_equal(sl_registry_version(w.registry, &before, NULL), SL_OK);
        assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", i), SL_OK);
        assert_int_equal(sl_registry_version(w.registry, &after, NULL), SL_OK);
        assert_int_not_equal(before, after);
    }
    assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, NULL), SL_OK);
    sl_node_list_free(&list);
    assert_int_equal(sl_registry_version(w.registry, &before, NULL), SL_OK);
    assert_int_equal(before, after);
    write_file(&w, "/cluster/version", "123");
    assert_int_equal(sl_registry_version(w.registry, &before, NULL), SL_OK);
    assert_int_equal(before, 0);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 1), SL_OK);
    assert_int_equal(sl_registry_version(w.registry, &before, NULL), SL_OK);
    assert_int_equal(before, 1);
    world_free(&w);
}

/* ---- failures ---- */

/* Replace a record while the nth call and the `times` - 1 after it fail; then look, cut the power,
 * and look again. */
static bool put_cut_at(uint64_t nth, uint64_t times, uint64_t seed)
{
    struct world        w = world_new(seed);
    struct sl_node_list list;
    bool                through;
    enum sl_err         err;

    assert_int_equal(put(w.registry, SL_NODE_PUMP, "other", 9), SL_OK);
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 1), SL_OK);
    sl_env_sim_fail_nth(w.sim, nth, times, SL_IO);
    err = put(w.registry, SL_NODE_PUMP, "p", 2);
    through = sl_env_sim_failed(w.sim) == 0;
    sl_env_sim_fail_nth(w.sim, 0, 0, SL_OK);
    for (int look = 0; look < 2; look++) {
        assert_int_equal(sl_registry_list(w.registry, SL_NODE_PUMP, &list, NULL), SL_OK);
        assert_int_equal(list.count, 2);
        assert_int_equal(list.nodes[0].max_commit_ts, 9);
        assert_in_range(list.nodes[1].max_commit_ts, err == SL_OK ? 2 : 1, 2);
        sl_node_list_free(&list);
        sl_env_sim_power_cut(w.sim);
    }
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 3), SL_OK);
    world_free(&w);
    return through;
}

static void a_record_is_old_or_new_whichever_call_fails(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t nth = 1;

        while (!put_cut_at(nth, 1, seed) || !put_cut_at(nth, UINT64_MAX, seed))
            nth++;
        assert_in_range(nth, 8, 50);
    }
}

static void a_full_disk_is_worth_a_retry(void **state)
{
    struct world w = world_new(8);

    (void)state;
    sl_env_sim_disk(w.sim)->quota_bytes = 1;
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 1), SL_NOSPACE);
    assert_true(sl_err_is_transient(SL_NOSPACE));
    sl_env_sim_disk(w.sim)->quota_bytes = 1 << 20;
    assert_int_equal(put(w.registry, SL_NODE_PUMP, "p", 1), SL_OK);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_names_a_directory),
        cmocka_unit_test(a_directory_is_made_once_and_for_one_cluster),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(making_it_can_be_cut_anywhere_and_done_again),
        cmocka_unit_test(a_damaged_cluster_file_is_refused),
        cmocka_unit_test(a_missing_lock_is_named_and_a_held_one_waited_for),
        cmocka_unit_test(records_are_found_listed_in_order_and_replaced),
        cmocka_unit_test(every_legal_id_has_a_file_of_its_own),
        cmocka_unit_test(a_record_that_cannot_be_read_fails_its_listing_by_name),
        cmocka_unit_test(the_number_of_records_is_bounded),
        cmocka_unit_test(the_version_moves_with_each_change_only),
        cmocka_unit_test(a_record_is_old_or_new_whichever_call_fails),
        cmocka_unit_test(a_full_disk_is_worth_a_retry),
    };

    return cmocka_run_group_tests_name("local_registry", tests, NULL, NULL);
}
