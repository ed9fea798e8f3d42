#ifndef SL_BASE_ENV_OS_PROCESS_H
#define SL_BASE_ENV_OS_PROCESS_H

/* Other programs, started by this one, and the few things that go with them: where programs are, a
 * temporary folder, the end of a folder. For the main thread of tools; nothing here is simulated.
 *
 * A program that is started is the leader of a session of its own, so a Ctrl-C at the terminal does
 * not reach it: its end is up to whoever started it. When that process dies, however it dies, the
 * system kills the program. */

#include <stdbool.h>

#include "base/env.h"
#include "base/err.h"

/* A program that runs, or has ended and was not given back yet. */
struct sl_process;

/* How to start one. Borrowed for the call. */
struct sl_process_options {
    const char *const *argv; /* argv[0] is the path; ends with NULL */
    const char        *log;  /* what it prints is appended to this file */
};

/* Start it with empty input, no other open files than its output, and default signals. SL_SYSTEM,
 * or what opening the log says. That it could not be executed shows as exit code 127. To be called
 * on a thread that lives as long as the program shall: the system watches that one. */
enum sl_err sl_process_start(const struct sl_process_options *options, struct sl_process **out,
                             struct sl_why *why);
/* Has it ended? *code is its exit code, or 128 + the signal that ended it. Does not block. */
bool sl_process_has_ended(struct sl_process *process, int *code);
/* Ask it to end (SIGTERM) and wait for that; kill it when it takes longer than `patience`. Whatever
 * it has started and left is killed too. Frees it and nulls the pointer; *process may be NULL. */
void sl_process_end(struct sl_process **process, sl_nanos patience);
/* Its process id, for people. */
int sl_process_id(const struct sl_process *process);

/* The path of a program into out[SL_PATH_BYTES_MAX]: looked for in PATH, and where Debian keeps
 * servers. SL_NOT_FOUND. */
enum sl_err sl_program_find(const char *name, char *out, struct sl_why *why);
/* The path of this program, links resolved, into out[SL_PATH_BYTES_MAX]. */
enum sl_err sl_program_own(char *out, struct sl_why *why);

/* Does this process belong to root? */
bool sl_process_is_root(void);

/* A new, empty folder for this process alone, in TMPDIR or /tmp, into out[SL_PATH_BYTES_MAX]; its
 * name begins with `prefix`. */
enum sl_err sl_folder_temporary(const char *prefix, char *out, struct sl_why *why);
/* The path of a folder that exists, from the root and with links resolved, into
 * out[SL_PATH_BYTES_MAX]. */
enum sl_err sl_folder_absolute(const char *path, char *out, struct sl_why *why);
/* Remove it with all that is in it. What cannot be removed stays; the first failure is told. */
enum sl_err sl_folder_remove(const char *path, struct sl_why *why);

#endif
