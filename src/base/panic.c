#include "base/panic.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/rawline.h"
#include "base/trace.h"

enum { EXIT_AFTER_SIGABRT = 128 + SIGABRT };

static const struct fatal_signal {
    int         number;
    const char *name;
} fatal_signals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"},
};
enum { FATAL_SIGNALS = sizeof fatal_signals / sizeof fatal_signals[0] };

/* Written by sl_panic_install while there is one thread. */
static const char *program_version;

/* Partner: report() in any thread. Relaxed: the number is all there is to it. */
static atomic_int also_to = -1;

/* The thread that reports; 0: none yet. Partner: itself, in threads that fail at the same time.
 * Relaxed: it only chooses one, nothing is handed over. */
static atomic_int reporter;

/* Volatile, since the partner is a signal handler in the same thread. */
static _Thread_local const char *volatile doing_actor;
static _Thread_local const char *volatile doing_message;

static _Thread_local void *signal_stack; /* owned; NULL: none, or not ours */

/* Why the process dies. */
struct cause {
    const char      *file; /* of a panic; NULL: it was a signal */
    int              line;
    const char      *function;
    const char      *text;
    int              signal;
    const siginfo_t *info;
};

/* ---- the report: async-signal-safe from here ---- */

static int thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

static const char *signal_name(int number)
{
    for (unsigned i = 0; i < FATAL_SIGNALS; i++) {
        if (fatal_signals[i].number == number)
            return fatal_signals[i].name;
    }
    return "?";
}

static void report_panic(struct rawline *line, const struct cause *cause)
{
    rawline_text(line, cause->file);
    rawline_text(line, ":");
    rawline_decimal(line, (uint64_t)cause->line, 1);
    rawline_text(line, ": ");
    rawline_text(line, cause->function);
    rawline_text(line, ": ");
    rawline_text(line, cause->text);
}

static void report_signal(struct rawline *line, const struct cause *cause)
{
    rawline_text(line, "signal ");
    rawline_decimal(line, (uint64_t)cause->signal, 1);
    rawline_text(line, " ");
    rawline_text(line, signal_name(cause->signal));
    if (cause->info->si_code > 0) { /* from the kernel, for what an instruction did */
        rawline_text(line, " at address ");
        rawline_hex(line, (uintptr_t)cause->info->si_addr);
    } else {
        rawline_text(line, " sent by process ");
        rawline_decimal(line, (uint64_t)cause->info->si_pid, 1);
    }
}

static void report_thread(struct rawline *line)
{
    const char *actor = doing_actor;
    const char *message = doing_message;

    rawline_text(line, "thread: ");
    rawline_decimal(line, (uint64_t)thread_id(), 1);
    rawline_end(line);
    rawline_text(line, "doing: ");
    rawline_text(line, actor != NULL ? actor : "nothing noted");
    if (message != NULL) {
        rawline_text(line, " ");
        rawline_text(line, message);
    }
    rawline_end(line);
}

static void report_to(int fd, const struct cause *cause)
{
    struct rawline line;

    rawline_start(&line, fd);
    rawline_text(&line, "panic: ");
    if (cause->file != NULL)
        report_panic(&line, cause);
    else
        report_signal(&line, cause);
    rawline_end(&line);
    rawline_text(&line, "version: ");
    rawline_text(&line, program_version != NULL ? program_version : "unknown");
    rawline_end(&line);
    report_thread(&line);
    sl_trace_dump(fd, SL_TRACE_DUMP_ENTRIES);
    rawline_text(&line, "end of report");
    rawline_end(&line);
}

/* End the process by the default action of the signal. */
static _Noreturn void die(int number)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t         set;

    (void)sigaction(number, &by_default, NULL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(number);
    _exit(EXIT_AFTER_SIGABRT); /* process 1 of a container is immune to its own signals */
}

static _Noreturn void report(const struct cause *cause)
{
    int self = thread_id();
    int first = 0;

    if (!atomic_compare_exchange_strong_explicit(&reporter, &first, self, memory_order_relaxed,
                                                 memory_order_relaxed)) {
        if (first == self)
            die(cause->signal); /* the report itself failed: leave it at what was written */
        for (;;)
            (void)pause();
    }
    report_to(STDERR_FILENO, cause);
    if (atomic_load_explicit(&also_to, memory_order_relaxed) >= 0)
        report_to(atomic_load_explicit(&also_to, memory_order_relaxed), cause);
    die(cause->signal);
}

static void on_fatal_signal(int number, siginfo_t *info, void *context)
{
    struct cause cause = {.signal = number, .info = info};

    (void)context;
    report(&cause);
}

/* ---- set-up ---- */

void sl_panic_doing(const char *actor, const char *message)
{
    doing_actor = actor;
    doing_message = message;
}

void sl_panic_install(const char *version)
{
    struct sigaction action = {.sa_sigaction = on_fatal_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    SL_ASSERT(version != NULL);
    SL_ASSERT(program_version == NULL);
    program_version = version;
    sl_panic_thread();
    (void)sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < FATAL_SIGNALS; i++) {
        int failed = sigaction(fatal_signals[i].number, &action, NULL);

        SL_ASSERT(failed == 0);
    }
}

void sl_panic_thread(void)
{
    stack_t present;
    stack_t wanted = {.ss_size = SL_SIGNAL_STACK_BYTES};
    int     failed = sigaltstack(NULL, &present);

    SL_ASSERT(failed == 0);
    SL_ASSERT(signal_stack == NULL);
    if ((present.ss_flags & SS_DISABLE) == 0)
        return;
    signal_stack = malloc(SL_SIGNAL_STACK_BYTES);
    SL_ASSERT(signal_stack != NULL);
    wanted.ss_sp = signal_stack;
    failed = sigaltstack(&wanted, NULL);
    SL_ASSERT(failed == 0);
}

void sl_panic_thread_end(void)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    int     failed;

    if (signal_stack == NULL)
        return;
    failed = sigaltstack(&none, NULL);
    SL_ASSERT(failed == 0);
    free(signal_stack);
    signal_stack = NULL;
}

void sl_panic_also_to(int fd)
{
    atomic_store_explicit(&also_to, fd, memory_order_relaxed);
}

_Noreturn void sl_panic(const char *file, int line, const char *function, const char *format, ...)
{
    char         text[SL_WHY_BYTES_MAX];
    struct cause cause = {
        .file = file, .line = line, .function = function, .text = text, .signal = SIGABRT};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    report(&cause);
}
