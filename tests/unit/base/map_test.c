/* A map behaves like an array indexed by the key, under random additions, removals and visits; also
 * when all hashes collide. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/prng.h"
#include "lib/child.h"

enum { KEYS = 500, STEPS = 20000 };

struct item {
    uint32_t           key;
    bool               visited;
    struct sl_map_node node;
};

typedef uint64_t (*hash_of_key)(uint32_t key);

static uint64_t good_hash(uint32_t key)
{
    return sl_hash_u64(key);
}

static uint64_t bad_hash(uint32_t key)
{
    return key % 3;
}

static struct item *item_of(const struct sl_map_node *node)
{
    return SL_CONTAINER_OF(node, struct item, node);
}

static bool has_key(const struct sl_map_node *node, const void *key)
{
    return item_of(node)->key == *(const uint32_t *)key;
}

static struct item *new_item(uint32_t key)
{
    struct item *item = calloc(1, sizeof *item);

    assert_non_null(item);
    item->key = key;
    return item;
}

/* Visit all; remove and free some of them on the way. */
static void visit(struct sl_prng *prng, struct sl_map *map, struct item **model, uint64_t odds)
{
    struct sl_map_iter at = {0};
    uint32_t           expected = map->count;
    uint32_t           seen = 0;

    for (struct sl_map_node *node; (node = sl_map_next(map, &at)) != NULL; seen++) {
        struct item *item = item_of(node);

        assert_ptr_equal(model[item->key], item);
        if (sl_prng_chance(prng, 1, odds)) {
            sl_map_remove(map, node);
            model[item->key] = NULL;
            free(item);
        }
    }
    assert_int_equal(seen, expected);
}

static void compare_with_model(hash_of_key hash, uint64_t seed)
{
    struct item   *model[KEYS] = {0};
    struct sl_map  map;
    struct sl_prng prng;

    sl_prng_seed(&prng, seed);
    sl_map_init(&map, has_key);
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t            key = (uint32_t)sl_prng_below(&prng, KEYS);
        struct sl_map_node *found = sl_map_find(&map, hash(key), &key);

        assert_ptr_equal(found, model[key] == NULL ? NULL : &model[key]->node);
        if (found == NULL) {
            model[key] = new_item(key);
            sl_map_add(&map, hash(key), &key, &model[key]->node);
        } else if (sl_prng_chance(&prng, 1, 2)) {
            sl_map_remove(&map, found);
            free(model[key]);
            model[key] = NULL;
        }
        if (sl_prng_chance(&prng, 1, 500))
            visit(&prng, &map, model, 4);
    }
    visit(&prng, &map, model, 1);
    assert_int_equal(map.count, 0);
    sl_map_done(&map);
}

static void map_behaves_like_an_array(void **state)
{
    (void)state;
    compare_with_model(good_hash, 1);
}

static void collisions_only_cost_time(void **state)
{
    (void)state;
    compare_with_model(bad_hash, 2);
}

static void visiting_shows_each_node_once(void **state)
{
    struct item        items[KEYS] = {0};
    struct sl_map_iter at = {0};
    struct sl_map      map;

    (void)state;
    sl_map_init(&map, has_key);
    assert_null(sl_map_next(&map, &at));
    for (uint32_t i = 0; i < KEYS; i++) {
        items[i].key = i;
        sl_map_add(&map, good_hash(i), &i, &items[i].node);
    }
    for (struct sl_map_node *node; (node = sl_map_next(&map, &at)) != NULL;) {
        assert_false(item_of(node)->visited);
        item_of(node)->visited = true;
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_true(items[i].visited);
        sl_map_remove(&map, &items[i].node);
    }
    sl_map_done(&map);
}

static void add_twice(void)
{
    struct sl_map map;
    struct item   items[2] = {{.key = 5}, {.key = 5}};

    sl_map_init(&map, has_key);
    sl_map_add(&map, good_hash(5), &items[0].key, &items[0].node);
    sl_map_add(&map, good_hash(5), &items[1].key, &items[1].node);
}

static void misuse_is_caught(void **state)
{
    (void)state;
    child_assert_panics(add_twice, "sl_map_find(map, hash, key) == NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_behaves_like_an_array),
        cmocka_unit_test(collisions_only_cost_time),
        cmocka_unit_test(visiting_shows_each_node_once),
        cmocka_unit_test(misuse_is_caught),
    };

    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
