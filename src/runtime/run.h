#ifndef SL_RUNTIME_RUN_H
#define SL_RUNTIME_RUN_H

/* What the main of every program does with a topology: start it, turn signals into an orderly stop,
 * wait for its end, check that everything came home.
 *
 * SIGINT, SIGTERM and SIGQUIT ask the root to stop (SL_MSG_STOP); a second one ends the process at
 * once with 128 + its number, for whoever cannot wait. SIGHUP calls on_hangup, or stops too when
 * that is NULL; a stop that is under way is not disturbed by it. SIGPIPE is ignored. */

#include "runtime/runtime.h"

/* From here on SIGHUP waits for sl_run: who is told to read its settings again while it starts
 * shall not end. To be called from the main thread, before others are started. */
void sl_run_hold_hangup(void);

/* Borrowed for the call of sl_run. */
struct sl_run_options {
    struct sl_runtime_options runtime; /* not seeded; on_end and on_end_context are set by sl_run */
    const void               *args;    /* of the root; copied */
    size_t                    args_bytes;
    /* On the calling thread, which may block in it: SIGHUP has come. NULL: it stops. */
    void (*on_hangup)(void *context, struct sl_runtime *rt);
    void (*on_stopping)(void *context,
                        int   signal_number); /* likewise: a stop has been asked for; or NULL */
    void *context;
};

/* Run to the end of the root. Blocks; to be called once, from the main thread, before other threads
 * are started (they inherit the signal mask). Returns the root's error, or why it could not start
 * (SL_INVALID, SL_SYSTEM). */
enum sl_err sl_run(const struct sl_run_options *options, struct sl_why *why);

#endif
