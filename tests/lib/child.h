#ifndef SL_TESTS_LIB_CHILD_H
#define SL_TESTS_LIB_CHILD_H

/* Runs a piece of a test in a child process that may die, and tells how it ended and what it wrote
 * to standard error. For what ends the process on purpose: assertions, panics, signals. */

enum { CHILD_TEXT_BYTES_MAX = 1 << 20 };

struct child_end {
    int  signal;    /* that killed it; 0: none */
    int  exit_code; /* when no signal did */
    char text[CHILD_TEXT_BYTES_MAX];
};

/* Run body in a child and wait for its end; when body returns, the child exits with 0. Call it
 * while the process has one thread. *end is valid until the next call. */
const struct child_end *child_run(void (*body)(void));

/* The child died by SIGABRT with a panic whose report contains `words`. */
void child_assert_panics(void (*body)(void), const char *words);

#endif
