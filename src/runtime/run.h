#ifndef SL_RUNTIME_RUN_H
#define SL_RUNTIME_RUN_H

/* What the main of every program does with a topology: start it, turn signals into an orderly stop,
 * wait for its end, check that everything came home.
 *
 * SIGINT, SIGTERM and SIGQUIT ask the root to stop (SL_MSG_STOP); a second one ends the process at
 * once with 128 + its number, for whoever cannot wait. SIGHUP calls on_hangup, or stops too when
 * that is NULL. SIGPIPE is ignored. */

#include "runtime/runtime.h"

/* Borrowed for the call of sl_run. */
struct sl_run_options {
    struct sl_runtime_options runtime; /* not seeded; on_end and on_end_context are set by sl_run */
    const void               *args;    /* of the root; copied */
    size_t                    args_bytes;
    void (*on_hangup)(void *context); /* on the calling thread; NULL: SIGHUP stops */
    void (*on_stopping)(void *context,
                        int   signal_number); /* likewise: a stop has been asked for; or NULL */
    void *context;
};

/* Run to the end of the root. Blocks; to be called once, from the main thread, before other threads
 * are started (they inherit the signal mask). Returns the root's error, or why it could not start
 * (SL_INVALID, SL_SYSTEM). */
enum sl_err sl_run(const struct sl_run_options *options, struct sl_why *why);

#endif
