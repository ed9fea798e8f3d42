/* What ThreadSanitizer must not report. It sees memcpy, calloc and mutexes inside WiredTiger,
 * which is not instrumented, but not the atomics by which WiredTiger hands memory from one
 * thread to another. Reports whose stack passes through it are about its memory alone: it calls
 * nothing of ours but the message callback. */

#ifdef SLUICE_TSAN
const char *__tsan_default_suppressions(void);

/* Asked by the runtime at start. Names are found only where llvm-symbolizer is installed. */
const char *__tsan_default_suppressions(void)
{
    return "race:__wt_\n";
}
#else
typedef int tests_lib_tsan_unused;
#endif
