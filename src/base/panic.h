#ifndef SL_BASE_PANIC_H
#define SL_BASE_PANIC_H

/* Crash report: what the process says when it dies of its own mistake.
 *
 * sl_panic, and a fatal signal after sl_panic_install, write to standard error (and to one more
 * descriptor if set): reason, place, version, what the thread was doing (actor and message, as the
 * runtime noted it), and the last entries of every thread's trace ring (base/trace.h). Then the
 * process ends by the signal it was hit by, or by SIGABRT after sl_panic, with its default action,
 * so that a core can be had. Only async-signal-safe calls are made. The first panic reports; other
 * threads that fail meanwhile wait for the end.
 *
 *     panic: src/pump/sorter.c:88: note: assertion failed: bound > 0
 *     version: 1.0.0
 *     thread: 4711
 *     doing: sorter SORTER_NOTE
 *     trace of thread 4711: the last 2 of 2
 *       12.000000345 msg.receive type=3 from=9
 *       12.000000345 sorter from=0 to=1
 *     end of report
 *
 * After a signal the first line is "panic: signal 11 SIGSEGV at address 0x10", or "... sent by
 * process 4700". */

/* What the calling thread is doing, for the report. Both strings static; NULL: nothing. The runtime
 * sets it around each handler; costs two stores. */
void sl_panic_doing(const char *actor, const char *message);

/* Catch SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT with the report, on an alternate stack for the
 * calling thread; call sl_panic_thread in every further thread. `version` is static and printed.
 * Once per process, before there are other threads. */
void sl_panic_install(const char *version);

/* Give the calling thread an alternate signal stack, so that a stack overflow can be reported too,
 * unless it has one already (a sanitizer's, say); freed by sl_panic_thread_end, before the thread
 * ends. */
void sl_panic_thread(void);
void sl_panic_thread_end(void);

/* Also write reports to this descriptor (a log file); -1: no more. The caller keeps it open
 * meanwhile. */
void sl_panic_also_to(int fd);

/* Report and abort. Never returns. Safe in any context; inside a signal handler use only %s, %c and
 * integer formats, which glibc formats without malloc. The text is cut at SL_WHY_BYTES_MAX. */
_Noreturn void sl_panic(const char *file, int line, const char *function, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
