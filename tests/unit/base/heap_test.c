/* A heap behaves like an unordered array searched for its least member, under random pushes, pops
 * and removals from the middle. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/prng.h"
#include "lib/child.h"

enum { ITEMS = 200, STEPS = 50000 };

struct item {
    uint64_t            key;
    struct sl_heap_node node;
};

static bool key_before(const struct sl_heap_node *a, const struct sl_heap_node *b)
{
    return SL_CONTAINER_OF(a, struct item, node)->key < SL_CONTAINER_OF(b, struct item, node)->key;
}

static uint64_t key_of(const struct sl_heap_node *node)
{
    return SL_CONTAINER_OF(node, struct item, node)->key;
}

/* Of the items that are in the heap: how many there are, and the least key. */
static unsigned model_least(const struct item *items, uint64_t *least)
{
    unsigned count = 0;

    *least = UINT64_MAX;
    for (unsigned i = 0; i < ITEMS; i++) {
        if (!sl_heap_linked(&items[i].node))
            continue;
        count++;
        if (items[i].key < *least)
            *least = items[i].key;
    }
    return count;
}

static void heap_behaves_like_a_searched_array(void **state)
{
    struct item    items[ITEMS] = {0};
    struct sl_heap heap;
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    sl_heap_init(&heap, key_before);
    for (unsigned step = 0; step < STEPS; step++) {
        struct item *item = &items[sl_prng_below(&prng, ITEMS)];
        uint64_t     least;
        unsigned     count;

        if (sl_heap_linked(&item->node)) {
            sl_heap_remove(&heap, &item->node);
        } else {
            item->key = sl_prng_below(&prng, 100); /* with ties */
            sl_heap_push(&heap, &item->node);
        }
        count = model_least(items, &least);
        assert_int_equal(heap.count, count);
        assert_int_equal(sl_heap_top(&heap) == NULL, count == 0);
        if (count > 0)
            assert_int_equal(key_of(sl_heap_top(&heap)), least);
        if (count > 0 && sl_prng_chance(&prng, 1, 8)) {
            struct sl_heap_node *top = sl_heap_pop(&heap);

            assert_int_equal(key_of(top), least);
            assert_false(sl_heap_linked(top));
        }
    }
    while (sl_heap_pop(&heap) != NULL)
        ;
    sl_heap_done(&heap);
}

static void popping_all_sorts(void **state)
{
    enum { MANY = 10000 };
    struct item   *items = calloc(MANY, sizeof *items);
    uint64_t       last = 0;
    struct sl_heap heap;
    struct sl_prng prng;

    (void)state;
    assert_non_null(items);
    sl_prng_seed(&prng, 2);
    sl_heap_init(&heap, key_before);
    for (unsigned i = 0; i < MANY; i++) {
        items[i].key = sl_prng_next(&prng);
        sl_heap_push(&heap, &items[i].node);
    }
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t key = key_of(sl_heap_pop(&heap));

        assert_true(key >= last);
        last = key;
    }
    assert_null(sl_heap_pop(&heap));
    sl_heap_done(&heap);
    free(items);
}

static void push_twice(void)
{
    struct sl_heap heap;
    struct item    item = {0};

    sl_heap_init(&heap, key_before);
    sl_heap_push(&heap, &item.node);
    sl_heap_push(&heap, &item.node);
}

static void remove_from_another(void)
{
    struct sl_heap here;
    struct sl_heap there;
    struct item    mine = {0};
    struct item    theirs = {0};

    sl_heap_init(&here, key_before);
    sl_heap_init(&there, key_before);
    sl_heap_push(&here, &mine.node);
    sl_heap_push(&there, &theirs.node);
    sl_heap_remove(&here, &theirs.node);
}

static void misuse_is_caught(void **state)
{
    (void)state;
    child_assert_panics(push_twice, "!sl_heap_linked(node)");
    child_assert_panics(remove_from_another, "heap->nodes[index] == node");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_behaves_like_a_searched_array),
        cmocka_unit_test(popping_all_sorts),
        cmocka_unit_test(misuse_is_caught),
    };

    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
