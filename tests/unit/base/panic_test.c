/* Children die in every way the report covers; the parent reads what they said and what killed
 * them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/panic.h"
#include "base/trace.h"
#include "lib/child.h"

static const struct sl_trace_site event = {"test.event", "number", NULL};

static void assert_says(const struct child_end *end, const char *words)
{
    if (strstr(end->text, words) == NULL)
        fail_msg("wanted \"%s\" in: %s", words, end->text);
}

static unsigned times(const char *text, const char *words)
{
    unsigned count = 0;

    for (; (text = strstr(text, words)) != NULL; text++)
        count++;
    return count;
}

static void panic_with_everything(void)
{
    sl_panic_install("1.2.3-test");
    sl_panic_doing("shard_writer", "SHARD_APPEND");
    sl_trace_now(1500000000);
    sl_trace(&event, 17, 0);
    SL_PANIC("position %d is\nbehind %s", 5, "the head");
}

static void the_report_says_what_where_who_and_what_before(void **state)
{
    const struct child_end *end = child_run(panic_with_everything);

    (void)state;
    assert_int_equal(end->signal, SIGABRT);
    assert_int_equal(strncmp(end->text, "panic: ", 7), 0);
    assert_says(end, "panic_test.c:");
    assert_says(end, ": panic_with_everything: position 5 is?behind the head\n");
    assert_says(end, "\nversion: 1.2.3-test\n");
    assert_says(end, "\nthread: ");
    assert_says(end, "\ndoing: shard_writer SHARD_APPEND\n");
    assert_says(end, ": the last 1 of 1\n  1.500000000 test.event number=17\n");
    assert_says(end, "\nend of report\n");
}

static void fail_an_assertion(void)
{
    int three = 3;

    SL_ASSERT(three == 4);
}

static void an_assertion_reports_even_before_install(void **state)
{
    const struct child_end *end = child_run(fail_an_assertion);

    (void)state;
    assert_int_equal(end->signal, SIGABRT);
    assert_says(end, ": fail_an_assertion: assertion failed: three == 4\n");
    assert_says(end, "\nversion: unknown\n");
    assert_says(end, "\ndoing: nothing noted\n");
}

static void panic_at_length(void)
{
    char big[2 * SL_WHY_BYTES_MAX];

    memset(big, 'a', sizeof big);
    big[sizeof big - 1] = '\0';
    SL_PANIC("%s", big);
}

static void a_long_text_is_cut(void **state)
{
    const struct child_end *end = child_run(panic_at_length);

    (void)state;
    assert_int_equal(strspn(strstr(end->text, "aaaa"), "a"), SL_WHY_BYTES_MAX - 1);
    assert_says(end, "\nend of report\n");
}

static void write_to_16(void)
{
    volatile uintptr_t address = 16;

    sl_panic_install("v");
    sl_panic_doing("sorter", NULL);
    *(volatile char *)address = 1;
}

static void a_segmentation_fault_is_reported_with_its_address(void **state)
{
    const struct child_end *end = child_run(write_to_16);

    (void)state;
    assert_int_equal(end->signal, SIGSEGV);
    assert_says(end, "panic: signal 11 SIGSEGV at address 0x10\n");
    assert_says(end, "\ndoing: sorter\n");
    assert_says(end, "\nend of report\n");
}

static void call_abort(void)
{
    sl_panic_install("v");
    abort();
}

static void an_ordinary_abort_is_reported(void **state)
{
    const struct child_end *end = child_run(call_abort);

    (void)state;
    assert_int_equal(end->signal, SIGABRT);
    assert_says(end, "panic: signal 6 SIGABRT sent by process ");
    assert_int_equal(times(end->text, "panic: "), 1);
}

static void get_bus_error_from_outside(void)
{
    sl_panic_install("v");
    (void)kill(getpid(), SIGBUS);
    (void)pause();
}

static void a_signal_from_a_process_names_it(void **state)
{
    const struct child_end *end = child_run(get_bus_error_from_outside);

    (void)state;
    assert_int_equal(end->signal, SIGBUS);
    assert_says(end, "panic: signal 7 SIGBUS sent by process ");
}

/* Frames of 64 KiB, so that the sanitizers' own books do not fill up first. */
static int overflow(int depth)
{
    volatile char frame[65536];

    frame[0] = (char)depth;
    return depth == INT32_MAX ? 0 : overflow(depth + 1) + frame[0];
}

static void overflow_the_stack(void)
{
    sl_panic_install("v");
    _exit(overflow(0));
}

static void *overflow_in_thread(void *argument)
{
    (void)argument;
    sl_panic_thread();
    _exit(overflow(0));
}

static void overflow_the_stack_of_a_thread(void)
{
    pthread_t thread;

    sl_panic_install("v");
    (void)pthread_create(&thread, NULL, overflow_in_thread, NULL);
    (void)pthread_join(thread, NULL);
}

static void a_stack_overflow_is_reported(void **state)
{
    void (*const bodies[])(void) = {overflow_the_stack, overflow_the_stack_of_a_thread};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct child_end *end = child_run(bodies[i]);

        assert_int_equal(end->signal, SIGSEGV);
        assert_says(end, "panic: signal 11 SIGSEGV at address 0x");
        assert_says(end, "\nend of report\n");
    }
}

static pthread_barrier_t barrier;

static void *panic_together(void *argument)
{
    (void)argument;
    (void)pthread_barrier_wait(&barrier);
    SL_PANIC("one of several");
}

static void *abort_together(void *argument)
{
    (void)argument;
    (void)pthread_barrier_wait(&barrier);
    abort();
}

static void panic_in_several_threads(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];

    sl_panic_install("v");
    (void)pthread_barrier_init(&barrier, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_create(&threads[i], NULL, i % 2 == 0 ? panic_together : abort_together, NULL);
    }
    for (unsigned i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

static void only_the_first_of_several_panics_reports(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        const struct child_end *end = child_run(panic_in_several_threads);

        assert_int_equal(end->signal, SIGABRT);
        assert_int_equal(times(end->text, "panic: "), 1);
        assert_int_equal(times(end->text, "end of report\n"), 1);
    }
}

static void *trace_and_wait(void *argument)
{
    (void)argument;
    sl_trace(&event, 99, 0);
    (void)pthread_barrier_wait(&barrier);
    for (;;)
        (void)pause();
}

static void panic_beside_another_thread(void)
{
    pthread_t thread;

    (void)pthread_barrier_init(&barrier, NULL, 2);
    sl_trace(&event, 11, 0);
    (void)pthread_create(&thread, NULL, trace_and_wait, NULL);
    (void)pthread_barrier_wait(&barrier);
    SL_PANIC("x");
}

static void the_report_shows_the_events_of_all_threads(void **state)
{
    const struct child_end *end = child_run(panic_beside_another_thread);

    (void)state;
    assert_says(end, "test.event number=11\n");
    assert_says(end, "test.event number=99\n");
}

static int also_pipe[2];

static void panic_to_a_file_too(void)
{
    sl_panic_also_to(also_pipe[1]);
    SL_PANIC("told twice");
}

static void panic_after_taking_the_file_away(void)
{
    sl_panic_also_to(also_pipe[1]);
    sl_panic_also_to(-1);
    SL_PANIC("told once");
}

static void the_report_goes_to_the_second_descriptor_too(void **state)
{
    const struct child_end *end;
    char                    text[65536];
    ssize_t                 n;

    (void)state;
    assert_int_equal(pipe(also_pipe), 0);
    (void)child_run(panic_after_taking_the_file_away);
    end = child_run(panic_to_a_file_too);
    n = read(also_pipe[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, end->text);
    assert_int_equal(times(text, "told twice\n"), 1);
    (void)close(also_pipe[0]);
    (void)close(also_pipe[1]);
}

static void *own_a_signal_stack(void *argument)
{
    stack_t present;

    (void)argument;
    sl_panic_thread();
    if (sigaltstack(NULL, &present) != 0 || (present.ss_flags & SS_DISABLE) != 0)
        return "no stack";
    sl_panic_thread_end();
    return NULL;
}

/* AddressSanitizer counts what is not freed. */
static void threads_get_and_free_their_signal_stack(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        pthread_t thread;
        void     *complaint;

        assert_int_equal(pthread_create(&thread, NULL, own_a_signal_stack, NULL), 0);
        assert_int_equal(pthread_join(thread, &complaint), 0);
        assert_null(complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_says_what_where_who_and_what_before),
        cmocka_unit_test(an_assertion_reports_even_before_install),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(a_segmentation_fault_is_reported_with_its_address),
        cmocka_unit_test(an_ordinary_abort_is_reported),
        cmocka_unit_test(a_signal_from_a_process_names_it),
        cmocka_unit_test(a_stack_overflow_is_reported),
        cmocka_unit_test(only_the_first_of_several_panics_reports),
        cmocka_unit_test(the_report_shows_the_events_of_all_threads),
        cmocka_unit_test(the_report_goes_to_the_second_descriptor_too),
        cmocka_unit_test(threads_get_and_free_their_signal_stack),
    };

    return cmocka_run_group_tests_name("panic", tests, NULL, NULL);
}
