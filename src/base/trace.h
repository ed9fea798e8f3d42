#ifndef SL_BASE_TRACE_H
#define SL_BASE_TRACE_H

/* Trace ring: the last SL_TRACE_ENTRIES events of each thread as raw words, always on, formatted
 * only when the process dies (base/panic.h) or somebody asks. A point costs a few nanoseconds: no
 * formatting, no clock read of its own (sl_trace_now stamps the ring once per turn), no lock.
 *
 * A thread gets its ring with its first point. The ring outlives the thread, so that its last
 * events can be reported, until another thread takes it over. Threads beyond SL_TRACE_THREADS_MAX
 * at a time go unrecorded. */

#include <stdint.h>

/* One kind of event. Define one static object per call site: the name, and what the two numbers
 * mean. */
struct sl_trace_site {
    const char *name; /* "msg.send" */
    const char *a;    /* label of the first number; NULL: it means nothing */
    const char *b;
};

/* Set the time that the calling thread's next points carry, in nanoseconds of the environment's
 * clock. */
void sl_trace_now(uint64_t nanos);

/* Note an event of the calling thread. `site` is static. Not for signal handlers: a thread's first
 * point allocates. */
void sl_trace(const struct sl_trace_site *site, uint64_t a, uint64_t b);

/* Write the newest `count` entries of every thread's ring to fd, oldest first, a line each, below a
 * line that names the thread by its system-wide id. Async-signal-safe: entries being written
 * meanwhile may come out torn, never a crash. */
void sl_trace_dump(int fd, unsigned count);

/* The number of entries the calling thread has noted so far (for tests). */
uint64_t sl_trace_count(void);

#endif
