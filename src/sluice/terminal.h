#ifndef SL_SLUICE_TERMINAL_H
#define SL_SLUICE_TERMINAL_H

/* What a long-running verb says to whoever looks on: lines that stay, and one status line. On a
 * terminal the status is rewritten in its place; elsewhere it is a plain line now and then. */

#include <stdbool.h>
#include <stdio.h>

#include "base/env.h"

/* Made by terminal_on. */
struct terminal {
    const struct sl_env *env;
    FILE                *out;
    bool                 rewrites;  /* it is a terminal */
    unsigned             plain_ms;  /* age of a status that is replaced, elsewhere; 1000 at first */
    bool                 is_dirty;  /* a status line stands there without its end */
    sl_nanos             status_at; /* when the last one was written; 0: never */
};

struct terminal terminal_on(const struct sl_env *env, FILE *out);

/* A line that stays. */
void terminal_say(struct terminal *terminal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The status, without an end of line; dropped when the last one is too young to be replaced. */
void terminal_status(struct terminal *terminal, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The next status is written whatever the age of the last one. */
void terminal_refresh(struct terminal *terminal);

#endif
