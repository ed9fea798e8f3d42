/* Which rows collide by their hashes: never fewer than those that a downstream takes for equal.
 * Every kind of key by hand, and random rows of every shape against a model of a server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/known_tables.h"
#include "actors/drainer/row_keys.h"
#include "lib/row_stream.h"
#include "lib/table.h"

enum { SEEDS = 200, ROUNDS = 60 };

static struct sl_arena arena;

static int begin(void **state)
{
    (void)state;
    sl_arena_init(&arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sl_arena_done(&arena);
    return 0;
}

/* ---- one table by hand ---- */

/* Columns a INT NOT NULL, b VARCHAR, c VARCHAR; keys as `parts` say. */
struct hand {
    struct sl_table      *table;
    struct sl_sink_table *sink;
    struct sl_row_keys   *keys;
};

static struct hand hand_of(const char *collation, const char *b_nullable,
                           const struct sl_sink_part_row *parts, uint32_t count,
                           const struct sl_index_info *upstream, uint32_t upstream_count)
{
    const struct sl_column columns[] = {
        table_column(1, "a", SL_TYPE_LONG, SL_COLUMN_NOT_NULL),
        table_column(2, "b", SL_TYPE_VARCHAR, 0),
        table_column(3, "c", SL_TYPE_VARCHAR, 0),
    };
    const struct sl_table           draft = {.id = 1,
                                             .schema = sl_slice_from_string("test"),
                                             .name = sl_slice_from_string("t"),
                                             .columns = columns,
                                             .column_count = 3,
                                             .indexes = upstream,
                                             .index_count = upstream_count};
    const struct sl_sink_column_row rows[] = {
        {"c", "varchar", "YES", "", collation}, /* in another order */
        {"A", "int", "NO", "", NULL},
        {"b", "varchar", b_nullable, "", collation},
    };
    struct sl_sink_table_builder *builder =
        sl_sink_table_begin(sl_slice_from_string("test"), sl_slice_from_string("t"));
    struct hand h = {.table = table_new(&draft)};

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sl_sink_table_add_column(builder, &rows[i], NULL), SL_OK);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(sl_sink_table_add_part(builder, &parts[i], NULL), SL_OK);
    assert_int_equal(sl_sink_table_finish(&builder, &h.sink, NULL), SL_OK);
    h.keys = sl_row_keys_new(h.table, h.sink);
    return h;
}

static void drop(struct hand *h)
{
    sl_row_keys_free(&h->keys);
    sl_sink_table_free(&h->sink);
    sl_table_free(&h->table);
}

static struct sl_value text(const char *bytes)
{
    return (struct sl_value){.kind = SL_VALUE_TEXT, .text = sl_slice_from_string(bytes)};
}

static struct sl_value number(int64_t i)
{
    return (struct sl_value){.kind = SL_VALUE_INT, .i = i};
}

static const struct sl_value null = {.kind = SL_VALUE_NULL};
static const struct sl_value absent = {.kind = SL_VALUE_ABSENT};

static struct sl_change insert(const struct hand *h, struct sl_value a, struct sl_value b,
                               struct sl_value c)
{
    struct sl_value *values = sl_arena_alloc(&arena, 3 * sizeof *values);

    values[0] = a;
    values[1] = b;
    values[2] = c;
    return (struct sl_change){.table = h->table, .kind = SL_CHANGE_INSERT, .values = values};
}

/* No key is too narrow for either, and they have a hash in common. */
static bool meet(const struct hand *h, struct sl_change x, struct sl_change y)
{
    uint64_t a[2 * SL_KEYS_MAX];
    uint64_t b[2 * SL_KEYS_MAX];
    uint32_t a_count;
    uint32_t b_count;

    (void)sl_row_keys_widen(h->keys, &x);
    (void)sl_row_keys_widen(h->keys, &y);
    a_count = sl_row_keys_hash(h->keys, &x, a);
    b_count = sl_row_keys_hash(h->keys, &y, b);
    for (uint32_t i = 0; i < a_count; i++) {
        for (uint32_t j = 0; j < b_count; j++) {
            if (a[i] == b[j])
                return true;
        }
    }
    return false;
}

static void texts_meet_as_their_collation_says(void **state)
{
    const struct sl_sink_part_row parts[] = {{"kb", "b", NULL}};
    struct hand                   ci = hand_of("utf8mb4_general_ci", "NO", parts, 1, NULL, 0);
    struct hand                   bin = hand_of("utf8mb4_bin", "NO", parts, 1, NULL, 0);
    struct hand                   exact = hand_of("utf8mb4_nopad_bin", "NO", parts, 1, NULL, 0);

    (void)state;
    assert_true(meet(&ci, insert(&ci, number(1), text("aB"), null),
                     insert(&ci, number(2), text("Ab"), null)));
    assert_true(meet(&ci, insert(&ci, number(1), text("a"), null),
                     insert(&ci, number(2), text("a  "), null)));
    assert_false(meet(&ci, insert(&ci, number(1), text("a"), null),
                      insert(&ci, number(2), text("b"), null)));
    assert_false(meet(&bin, insert(&bin, number(1), text("aB"), null),
                      insert(&bin, number(2), text("Ab"), null)));
    assert_true(meet(&bin, insert(&bin, number(1), text("a"), null),
                     insert(&bin, number(2), text("a "), null)));
    assert_false(meet(&exact, insert(&exact, number(1), text("a"), null),
                      insert(&exact, number(2), text("a "), null)));
    drop(&ci);
    drop(&bin);
    drop(&exact);
}

static void a_prefix_key_looks_at_so_many_characters(void **state)
{
    const struct sl_sink_part_row parts[] = {{"kb", "b", "2"}};
    struct hand                   h = hand_of("utf8mb4_bin", "NO", parts, 1, NULL, 0);

    (void)state;
    assert_true(meet(&h, insert(&h, number(1), text("abX"), null),
                     insert(&h, number(2), text("abY"), null)));
    assert_true(meet(&h, insert(&h, number(1), text("\xc3\xa9\xc3\xa9X"), null),
                     insert(&h, number(2), text("\xc3\xa9\xc3\xa9Y"), null)));
    assert_false(meet(&h, insert(&h, number(1), text("\xc3\xa9\xc3\xa8X"), null),
                      insert(&h, number(2), text("\xc3\xa9\xc3\xa9X"), null)));
    assert_true(meet(&h, insert(&h, number(1), text("a XX"), null),
                     insert(&h, number(2), text("a"), null)));
    assert_true(h.keys->is_keyed); /* there is no other */
    drop(&h);
}

static void what_a_collation_may_fold_widens_the_key_for_good(void **state)
{
    const struct sl_sink_part_row parts[] = {{"kb", "b", NULL}};
    struct hand                   h = hand_of("utf8mb4_general_ci", "NO", parts, 1, NULL, 0);
    struct sl_change              plain = insert(&h, number(1), text("e"), null);
    struct sl_change              accent = insert(&h, number(2), text("\xc3\xa9"), null);
    struct sl_change              update = accent;

    (void)state;
    assert_false(sl_row_keys_widen(h.keys, &plain));
    update.kind = SL_CHANGE_UPDATE;
    update.old = accent.values;
    update.values = plain.values;
    assert_true(sl_row_keys_widen(h.keys, &update)); /* the old image counts too */
    assert_false(sl_row_keys_widen(h.keys, &accent));
    assert_true(meet(&h, plain, accent));
    assert_true(meet(&h, plain, insert(&h, number(3), text("zzz"), null)));
    drop(&h);
}

static void an_absent_part_widens_and_a_null_meets_nothing(void **state)
{
    const struct sl_sink_part_row parts[] = {{"ka", "a", NULL}, {"kb", "b", NULL}};
    struct hand                   h = hand_of("utf8mb4_bin", "YES", parts, 2, NULL, 0);

    (void)state;
    assert_false(meet(&h, insert(&h, number(1), null, null), insert(&h, number(2), null, null)));
    assert_true(
        meet(&h, insert(&h, number(1), absent, null), insert(&h, number(2), text("x"), null)));
    drop(&h);
}

static void a_key_on_an_expression_is_wide_from_the_start(void **state)
{
    const struct sl_sink_part_row parts[] = {{"ka", "a", NULL}, {"ke", NULL, NULL}};
    struct hand                   h = hand_of("utf8mb4_bin", "NO", parts, 2, NULL, 0);

    (void)state;
    assert_true(
        meet(&h, insert(&h, number(1), text("x"), null), insert(&h, number(2), text("y"), null)));
    assert_true(h.keys->is_keyed); /* by a */
    assert_int_equal(h.keys->identity_count, 1);
    assert_int_equal(h.keys->identity[0], 0);
    drop(&h);
}

static void keys_of_the_upstream_count_as_well(void **state)
{
    const struct sl_sink_part_row parts[] = {{"ka", "a", NULL}};
    const struct sl_index_part    b = {1, -1};
    const struct sl_index_info    upstream[] = {{.name = sl_slice_from_string("kb"),
                                                 .state = SL_SCHEMA_PUBLIC,
                                                 .is_unique = true,
                                                 .parts = &b,
                                                 .part_count = 1}};
    struct hand                   h = hand_of("utf8mb4_general_ci", "YES", parts, 1, upstream, 1);

    (void)state;
    assert_true(
        meet(&h, insert(&h, number(1), text("x"), null), insert(&h, number(2), text("X"), null)));
    assert_false(
        meet(&h, insert(&h, number(1), text("x"), null), insert(&h, number(2), text("y"), null)));
    drop(&h);
}

static void a_row_is_identified_by_a_whole_key_that_is_never_null(void **state)
{
    const struct sl_sink_part_row nullable[] = {{"kb", "b", NULL}};
    const struct sl_sink_part_row both[] = {{"kp", "b", "3"}, {"kw", "b", NULL}, {"kw", "a", NULL}};
    struct hand                   none = hand_of("utf8mb4_bin", "YES", nullable, 1, NULL, 0);
    struct hand                   whole = hand_of("utf8mb4_bin", "NO", both, 3, NULL, 0);

    (void)state;
    assert_false(none.keys->is_keyed);
    assert_true(none.keys->lane < SL_ROW_LANES);
    assert_true(whole.keys->is_keyed);
    assert_int_equal(whole.keys->identity_count, 2);
    assert_int_equal(whole.keys->identity[0], 1); /* in the order of the key, places upstream */
    assert_int_equal(whole.keys->identity[1], 0);
    drop(&none);
    drop(&whole);
}

/* ---- random ---- */

static void play(uint64_t seed, enum stream_shape shape)
{
    struct sl_prng     dice;
    struct model_table t = stream_table(shape, 1, "t");
    struct hand        h = {.table = stream_sl_table(&t), .sink = model_sink_table(&t, "test")};

    h.keys = sl_row_keys_new(h.table, h.sink);
    assert_int_equal(h.keys->is_keyed, shape < STREAM_KEYED_SHAPES);
    sl_prng_seed(&dice, seed);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct stream_step steps[2][STREAM_STEPS_MAX];
        struct sl_change   a;
        struct sl_change   b;

        if (stream_draw(&dice, &t, steps[0]) == 0 || stream_draw(&dice, &t, steps[1]) == 0)
            continue;
        a = stream_change(&arena, &t, h.table, &steps[0][0]);
        b = stream_change(&arena, &t, h.table, &steps[1][0]);
        {
            const struct model_row x = model_row_of(&t, h.table, a.values);
            const struct model_row y = model_row_of(&t, h.table, b.values);

            if (model_keys_meet(&t, &x, &y))
                assert_true(meet(&h, a, b));
        }
    }
    drop(&h);
    sl_arena_reset(&arena);
}

static void rows_that_a_server_takes_for_equal_always_meet(void **state)
{
    (void)state;
    for (int shape = 0; shape < STREAM_SHAPES; shape++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            play(seed, (enum stream_shape)shape);
    }
}

/* ---- known tables ---- */

static void tables_are_known_by_version_until_all_are_forgotten(void **state)
{
    struct model_table     t = stream_table(STREAM_HANDLE, 1, "t");
    struct sl_table       *first = stream_sl_table(&t);
    struct sl_table       *second = stream_sl_table(&t);
    struct sl_sink_table  *sink = model_sink_table(&t, "test");
    struct sl_known_tables known;

    (void)state;
    sl_known_tables_init(&known);
    assert_null(sl_known_tables_find(&known, first));
    sl_known_tables_add(&known, first, sink);
    assert_ptr_equal(sl_known_tables_find(&known, first)->table, first);
    assert_null(sl_known_tables_find(&known, second)); /* another version, though it looks equal */
    assert_true(sl_known_tables_has_other(&known, second));
    assert_false(sl_known_tables_has_other(&known, first));
    sl_known_tables_add(&known, second, sink);
    assert_ptr_equal(sl_known_tables_find(&known, second)->table, second);
    sl_known_tables_forget_other(&known, second);
    assert_null(sl_known_tables_find(&known, first));
    assert_false(sl_known_tables_has_other(&known, second));
    sl_known_tables_forget(&known);
    assert_null(sl_known_tables_find(&known, first));
    sl_known_tables_add(&known, first, sink);
    sl_known_tables_done(&known);
    sl_sink_table_free(&sink);
    sl_table_free(&first);
    sl_table_free(&second);
}

int main(void)
{
#define KEYS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        KEYS_TEST(texts_meet_as_their_collation_says),
        KEYS_TEST(a_prefix_key_looks_at_so_many_characters),
        KEYS_TEST(what_a_collation_may_fold_widens_the_key_for_good),
        KEYS_TEST(an_absent_part_widens_and_a_null_meets_nothing),
        KEYS_TEST(a_key_on_an_expression_is_wide_from_the_start),
        KEYS_TEST(keys_of_the_upstream_count_as_well),
        KEYS_TEST(a_row_is_identified_by_a_whole_key_that_is_never_null),
        KEYS_TEST(rows_that_a_server_takes_for_equal_always_meet),
        KEYS_TEST(tables_are_known_by_version_until_all_are_forgotten),
    };

    return cmocka_run_group_tests_name("row_keys", tests, NULL, NULL);
}
