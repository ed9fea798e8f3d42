/* A list behaves like an array under random pushes and removals, and refuses to link a node twice.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"
#include "base/prng.h"
#include "lib/child.h"

enum { ITEMS = 40, STEPS = 20000 };

struct item {
    unsigned            number;
    struct sl_list_node node;
};

/* The model: the same items in an array. */
struct model {
    struct item *items[ITEMS];
    unsigned     count;
};

static void model_insert(struct model *model, unsigned place, struct item *item)
{
    memmove(&model->items[place + 1], &model->items[place],
            (model->count - place) * sizeof model->items[0]);
    model->items[place] = item;
    model->count++;
}

static void model_remove(struct model *model, unsigned place)
{
    model->count--;
    memmove(&model->items[place], &model->items[place + 1],
            (model->count - place) * sizeof model->items[0]);
}

static void assert_same(const struct sl_list *list, const struct model *model)
{
    unsigned i = 0;

    assert_int_equal(sl_list_empty(list), model->count == 0);
    for (struct sl_list_node *n = sl_list_first(list); n != NULL; n = sl_list_next(list, n)) {
        assert_true(i < model->count);
        assert_ptr_equal(SL_CONTAINER_OF(n, struct item, node), model->items[i]);
        i++;
    }
    assert_int_equal(i, model->count);
}

static void add_or_remove(struct sl_prng *prng, struct sl_list *list, struct model *model,
                          struct item *item)
{
    if (sl_list_linked(&item->node)) {
        unsigned place = 0;

        while (model->items[place] != item)
            place++;
        sl_list_remove(&item->node);
        model_remove(model, place);
    } else if (sl_prng_chance(prng, 1, 2)) {
        sl_list_push_back(list, &item->node);
        model_insert(model, model->count, item);
    } else {
        sl_list_push_front(list, &item->node);
        model_insert(model, 0, item);
    }
}

static void list_behaves_like_an_array(void **state)
{
    struct item    items[ITEMS] = {0};
    struct model   model = {0};
    struct sl_list list;
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    sl_list_init(&list);
    for (unsigned step = 0; step < STEPS; step++) {
        add_or_remove(&prng, &list, &model, &items[sl_prng_below(&prng, ITEMS)]);
        if (sl_prng_chance(&prng, 1, 10)) {
            struct sl_list_node *first = sl_list_pop_front(&list);

            assert_ptr_equal(first, model.count == 0 ? NULL : &model.items[0]->node);
            if (first != NULL)
                model_remove(&model, 0);
        }
        assert_same(&list, &model);
    }
}

static void the_current_node_can_be_removed_while_visiting(void **state)
{
    struct item          items[ITEMS] = {0};
    struct sl_list       list;
    struct sl_list_node *next;

    (void)state;
    sl_list_init(&list);
    for (unsigned i = 0; i < ITEMS; i++)
        sl_list_push_back(&list, &items[i].node);
    for (struct sl_list_node *n = sl_list_first(&list); n != NULL; n = next) {
        next = sl_list_next(&list, n);
        sl_list_remove(n);
    }
    assert_true(sl_list_empty(&list));
    assert_null(sl_list_pop_front(&list));
}

static void link_twice(void)
{
    struct sl_list      list;
    struct sl_list_node node = {0};

    sl_list_init(&list);
    sl_list_push_back(&list, &node);
    sl_list_push_back(&list, &node);
}

static void remove_unlinked(void)
{
    struct sl_list_node node = {0};

    sl_list_remove(&node);
}

static void misuse_is_caught(void **state)
{
    (void)state;
    child_assert_panics(link_twice, "!sl_list_linked(node)");
    child_assert_panics(remove_unlinked, "sl_list_linked(node)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_behaves_like_an_array),
        cmocka_unit_test(the_current_node_can_be_removed_while_visiting),
        cmocka_unit_test(misuse_is_caught),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
