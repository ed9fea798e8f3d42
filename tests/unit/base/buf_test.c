/* The last reference frees a buffer, whoever gives it back and from which thread; slices keep their
 * parent alive; views refuse what is out of bounds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/prng.h"
#include "lib/child.h"

static struct sl_buf *buf_with(const char *text)
{
    struct sl_buf *buf = sl_buf_new(strlen(text));

    memcpy(buf->data, text, buf->len);
    return buf;
}

static bool buf_shows(const struct sl_buf *buf, const char *text)
{
    return sl_slice_equal(sl_slice_from_buf(buf), sl_slice_from_string(text));
}

static void the_last_reference_frees_the_buffer(void **state)
{
    struct sl_buf *buf = buf_with("binlog");
    struct sl_buf *again = sl_buf_ref(buf);

    (void)state;
    assert_ptr_equal(again, buf);
    assert_int_equal(sl_buf_live_count(), 1);
    sl_buf_free(&buf);
    assert_null(buf);
    assert_true(buf_shows(again, "binlog"));
    assert_int_equal(sl_buf_live_count(), 1);
    sl_buf_free(&again);
    sl_buf_free(&again);
    assert_int_equal(sl_buf_live_count(), 0);
}

static void a_slice_keeps_its_parent_alive(void **state)
{
    struct sl_buf *buf = buf_with("prewrite commit");
    struct sl_buf *commit = sl_buf_slice(buf, 9, 6);
    struct sl_buf *mid = sl_buf_slice(commit, 2, 3);

    (void)state;
    sl_buf_free(&buf);
    assert_true(buf_shows(commit, "commit"));
    sl_buf_free(&commit);
    assert_true(buf_shows(mid, "mmi"));
    assert_int_equal(sl_buf_live_count(), 2);
    sl_buf_free(&mid);
    assert_int_equal(sl_buf_live_count(), 0);
}

static void empty_buffers_and_slices_are_allowed(void **state)
{
    struct sl_buf *buf = sl_buf_new(0);
    struct sl_buf *end = sl_buf_slice(buf, 0, 0);

    (void)state;
    assert_true(buf_shows(end, ""));
    sl_buf_free(&end);
    sl_buf_free(&buf);
    assert_int_equal(sl_buf_live_count(), 0);
}

/* Reads its buffer, makes references and slices of it, and gives all back in random order. */
static void *use_shared(void *argument)
{
    struct sl_buf *buf = argument;
    struct sl_prng prng;

    sl_prng_seed(&prng, (uintptr_t)&prng);
    for (unsigned i = 0; i < 2000; i++) {
        size_t         offset = sl_prng_below(&prng, buf->len);
        struct sl_buf *slice = sl_buf_slice(buf, offset, 1);
        struct sl_buf *ref = sl_buf_ref(sl_prng_chance(&prng, 1, 2) ? buf : slice);

        if (slice->data[0] != (uint8_t)offset)
            return NULL; /* its reference stays, and the live count shows it */
        sl_buf_free(&slice);
        sl_buf_free(&ref);
    }
    sl_buf_free(&buf);
    return NULL;
}

static void threads_share_one_buffer(void **state)
{
    enum { THREADS = 4, BYTES = 256 };
    pthread_t      threads[THREADS];
    struct sl_buf *buf = sl_buf_new(BYTES);

    (void)state;
    for (unsigned i = 0; i < BYTES; i++)
        buf->data[i] = (uint8_t)i;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_shared, sl_buf_ref(buf)), 0);
    sl_buf_free(&buf);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(sl_buf_live_count(), 0);
}

static void ask_too_much(void)
{
    (void)sl_buf_new((size_t)SL_BUF_BYTES_MAX + 1);
}

static void slice_beyond(void)
{
    struct sl_buf *buf = sl_buf_new(4);

    (void)sl_buf_slice(buf, 2, 3);
}

static void sizes_over_their_bounds_are_caught(void **state)
{
    (void)state;
    child_assert_panics(ask_too_much, "size <= SL_BUF_BYTES_MAX");
    child_assert_panics(slice_beyond, "len <= parent->len - offset");
}

static void views_compare_by_content(void **state)
{
    struct sl_slice nothing = {0};

    (void)state;
    assert_true(sl_slice_equal(sl_slice_from_string("ab"), sl_slice_from_string("ab")));
    assert_false(sl_slice_equal(sl_slice_from_string("ab"), sl_slice_from_string("ac")));
    assert_false(sl_slice_equal(sl_slice_from_string("ab"), sl_slice_from_string("abc")));
    assert_true(sl_slice_equal(nothing, sl_slice_from_string("")));
}

static void views_refuse_what_is_out_of_bounds(void **state)
{
    const struct sl_slice whole = sl_slice_from_string("0123456789");
    struct sl_slice       part = {0};

    (void)state;
    assert_false(sl_slice_sub(whole, 11, 0, &part));
    assert_false(sl_slice_sub(whole, 5, 6, &part));
    assert_false(sl_slice_sub(whole, 1, SIZE_MAX, &part));
    assert_false(sl_slice_sub(whole, SIZE_MAX, 1, &part));
    assert_null(part.bytes);
    assert_true(sl_slice_sub(whole, 5, 5, &part));
    assert_true(sl_slice_equal(part, sl_slice_from_string("56789")));
    assert_true(sl_slice_sub(whole, 10, 0, &part));
    assert_int_equal(part.len, 0);
    assert_true(sl_slice_sub((struct sl_slice){0}, 0, 0, &part));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_frees_the_buffer),
        cmocka_unit_test(a_slice_keeps_its_parent_alive),
        cmocka_unit_test(empty_buffers_and_slices_are_allowed),
        cmocka_unit_test(threads_share_one_buffer),
        cmocka_unit_test(sizes_over_their_bounds_are_caught),
        cmocka_unit_test(views_compare_by_content),
        cmocka_unit_test(views_refuse_what_is_out_of_bounds),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
