#ifndef SL_BASE_PANIC_H
#define SL_BASE_PANIC_H

/* Crash report: what the process says when it dies of its own mistake.
 *
 * sl_panic, and a fatal signal after sl_panic_install, write to standard error (and to one more descriptor if
 * set): reason, place, version, what the thread was doing (actor and message, as the runtime noted it), and the
 * last entries of every thread's trace ring (base/trace.h). Then the process aborts, so that a core can be had.
 * Only async-signal-safe calls are made. The first panic reports; other threads that fail meanwhile wait. */

/* What the calling thread is doing, for the report. Both strings static; NULL: nothing. The runtime sets it
 * around each handler; costs two stores. */
void sl_panic_doing(const char *actor, const char *message);

/* Catch SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT with the report, on an alternate stack for the calling
 * thread; call sl_panic_thread in every further thread. `version` is static and printed. Once per process. */
void sl_panic_install(const char *version);

/* Give the calling thread an alternate signal stack, so that a stack overflow can be reported too; freed by
 * sl_panic_thread_end, before the thread ends. */
void sl_panic_thread(void);
void sl_panic_thread_end(void);

/* Also write reports to this descriptor (a log file); -1: no more. The caller keeps it open meanwhile. */
void sl_panic_also_to(int fd);

/* Report and abort. Never returns. Safe in any context, also inside a signal handler. */
_Noreturn void sl_panic(const char *file, int line, const char *function, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
