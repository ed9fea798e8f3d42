/* Allocations are aligned, apart from each other and keep their bytes; a reset starts over in the
 * same memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdalign.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/prng.h"
#include "lib/child.h"

struct piece {
    uint8_t *bytes;
    size_t   size;
};

static void assert_filled(const struct piece *piece, uint8_t with)
{
    for (size_t i = 0; i < piece->size; i++)
        assert_int_equal(piece->bytes[i], with);
}

static void allocations_are_aligned_and_apart(void **state)
{
    enum { PIECES = 2000 };
    static struct piece pieces[PIECES];
    struct sl_arena     arena;
    struct sl_prng      prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    sl_arena_init(&arena);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < PIECES; i++) {
            struct piece *piece = &pieces[i];

            piece->size = sl_prng_chance(&prng, 1, 100) ? sl_prng_below(&prng, 100000)
                                                        : sl_prng_below(&prng, 100);
            piece->bytes = sl_arena_alloc(&arena, piece->size);
            assert_int_equal((uintptr_t)piece->bytes % alignof(max_align_t), 0);
            memset(piece->bytes, (int)(i & 0xff), piece->size);
        }
        for (unsigned i = 0; i < PIECES; i++)
            assert_filled(&pieces[i], (uint8_t)i);
        sl_arena_reset(&arena);
    }
    sl_arena_done(&arena);
}

static void a_larger_than_usual_allocation_fits(void **state)
{
    struct sl_arena arena;
    uint8_t        *small;
    uint8_t        *large;

    (void)state;
    sl_arena_init(&arena);
    small = sl_arena_alloc(&arena, 1);
    *small = 7;
    large = sl_arena_alloc(&arena, 2 * (size_t)SL_ARENA_KEEP_BYTES_MAX);
    large[0] = 1;
    large[2 * (size_t)SL_ARENA_KEEP_BYTES_MAX - 1] = 1;
    assert_int_equal(*small, 7);
    sl_arena_reset(&arena);
    sl_arena_done(&arena);
}

#ifdef SLUICE_SANITIZED

static void steady_state_stays_in_one_block(void **state)
{
    (void)state;
    print_message("sanitizer builds give each allocation its own malloc\n");
    skip();
}

#else

/* One round as an actor does it; the address of the first allocation tells the block. */
static uint8_t *one_round(struct sl_arena *arena)
{
    uint8_t *first;

    sl_arena_reset(arena);
    first = sl_arena_alloc(arena, 1);
    for (unsigned i = 0; i < 100; i++)
        (void)sl_arena_alloc(arena, SL_ARENA_BLOCK_BYTES / 10);
    return first;
}

/* After the first rounds the kept block holds all of a round: it starts and ends in the same one.
 */
static void steady_state_stays_in_one_block(void **state)
{
    struct sl_arena arena;
    uint8_t        *steady;

    (void)state;
    sl_arena_init(&arena);
    (void)one_round(&arena);
    (void)one_round(&arena);
    steady = one_round(&arena);
    for (unsigned i = 0; i < 10; i++) {
        assert_ptr_equal(one_round(&arena), steady);
        assert_true(arena.used > 10 * (size_t)SL_ARENA_BLOCK_BYTES);
    }
    sl_arena_done(&arena);
}

#endif

static void ask_too_much(void)
{
    struct sl_arena arena = {0};

    (void)sl_arena_alloc(&arena, (size_t)SL_BUF_BYTES_MAX + 1);
}

static void a_size_over_the_limit_is_caught(void **state)
{
    (void)state;
    child_assert_panics(ask_too_much, "size <= SL_BUF_BYTES_MAX");
}

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))

static void write_behind(void)
{
    struct sl_arena   arena = {0};
    volatile uint8_t *bytes = sl_arena_alloc(&arena, 5);

    bytes[5] = 1;
}

static void use_after_reset(void)
{
    struct sl_arena   arena = {0};
    volatile uint8_t *bytes = sl_arena_alloc(&arena, 5);

    sl_arena_reset(&arena);
    bytes[0] = 1;
}

static void the_sanitizer_sees_misuse(void **state)
{
    (void)state;
    assert_non_null(strstr(child_run(write_behind)->text, "heap-buffer-overflow"));
    assert_non_null(strstr(child_run(use_after_reset)->text, "heap-use-after-free"));
}

#else

static void the_sanitizer_sees_misuse(void **state)
{
    (void)state;
    print_message("only AddressSanitizer can show this\n");
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(a_larger_than_usual_allocation_fits),
        cmocka_unit_test(steady_state_stays_in_one_block),
        cmocka_unit_test(a_size_over_the_limit_is_caught),
        cmocka_unit_test(the_sanitizer_sees_misuse),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
