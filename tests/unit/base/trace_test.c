/* The newest events of every thread come out in order, while others write and after their thread
 * has ended; rings are reused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/trace.h"

static const struct sl_trace_site both = {"test.both", "first", "second"};
static const struct sl_trace_site bare = {"test.bare", NULL, NULL};

/* The dump as text; valid until the next call. */
static const char *dump(unsigned count)
{
    static char text[1 << 20];
    int         fd = memfd_create("dump", MFD_CLOEXEC);
    ssize_t     n;

    assert_true(fd >= 0);
    sl_trace_dump(fd, count);
    n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    (void)close(fd);
    return text;
}

static unsigned times(const char *text, const char *words)
{
    unsigned count = 0;

    for (; (text = strstr(text, words)) != NULL; text++)
        count++;
    return count;
}

static void *in_thread(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    void     *result;

    assert_int_equal(pthread_create(&thread, NULL, body, argument), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    return result;
}

static void an_event_shows_time_name_and_labelled_numbers(void **state)
{
    (void)state;
    sl_trace_now(UINT64_C(12000000345));
    sl_trace(&both, 7, UINT64_MAX);
    sl_trace(&bare, 1, 2);
    assert_non_null(strstr(dump(2),
                           "\n  12.000000345 test.both first=7 second=18446744073709551615\n"
                           "  12.000000345 test.bare\n"));
}

static void the_ring_keeps_the_newest_in_order(void **state)
{
    uint64_t before = sl_trace_count();
    char     words[64];

    (void)state;
    for (uint64_t i = 0; i < 3 * SL_TRACE_ENTRIES; i++)
        sl_trace(&both, i, 0);
    assert_int_equal(sl_trace_count(), before + 3 * SL_TRACE_ENTRIES);
    assert_int_equal(times(dump(5), "test.both"), 5);
    assert_int_equal(times(dump(2 * SL_TRACE_ENTRIES), "test.both"), SL_TRACE_ENTRIES);
    for (uint64_t i = 2 * SL_TRACE_ENTRIES; i + 1 < 3 * SL_TRACE_ENTRIES; i += 100) {
        const char *here;
        const char *next;

        (void)snprintf(words, sizeof words, "first=%u ", (unsigned)i);
        here = strstr(dump(SL_TRACE_ENTRIES), words);
        assert_non_null(here);
        (void)snprintf(words, sizeof words, "first=%u ", (unsigned)i + 1);
        next = strstr(here, words);
        assert_non_null(next);
        assert_int_equal(times(here, "\n") - times(next, "\n"), 1);
    }
}

static void *note_one(void *argument)
{
    sl_trace(&both, (uintptr_t)argument, 0);
    return NULL;
}

static void the_events_of_an_ended_thread_remain(void **state)
{
    (void)state;
    (void)in_thread(note_one, (void *)4242);
    assert_non_null(strstr(dump(10), "(ended): the last 1 of 1\n"));
    assert_non_null(strstr(dump(10), "first=4242"));
}

/* Far more threads than there are rings; LeakSanitizer must stay silent, too. */
static void rings_are_reused_when_threads_come_and_go(void **state)
{
    (void)state;
    for (uintptr_t i = 0; i < SL_TRACE_THREADS_MAX + 100; i++)
        (void)in_thread(note_one, (void *)i);
    assert_int_equal(times(dump(1), "trace of thread"), 2);
    assert_int_equal(times(dump(10), "(ended): the last 1 of 1\n"), 1);
}

/* True in *argument ends it. */
static void *write_until_told(void *argument)
{
    atomic_bool *stop = argument;

    for (uint64_t i = 0; !atomic_load(stop); i++) {
        sl_trace_now(i);
        sl_trace(&both, i, i);
    }
    return NULL;
}

static void a_dump_while_others_write_is_safe(void **state)
{
    enum { WRITERS = 3 };
    pthread_t   writers[WRITERS];
    atomic_bool stop = false;

    (void)state;
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_until_told, &stop), 0);
    for (unsigned i = 0; i < 50; i++)
        assert_true(times(dump(20), "trace of thread") > 0);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_shows_time_name_and_labelled_numbers),
        cmocka_unit_test(the_ring_keeps_the_newest_in_order),
        cmocka_unit_test(the_events_of_an_ended_thread_remain),
        cmocka_unit_test(rings_are_reused_when_threads_come_and_go),
        cmocka_unit_test(a_dump_while_others_write_is_safe),
    };

    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
