#ifndef SL_SLUICE_VERBS_H
#define SL_SLUICE_VERBS_H

/* The verbs of the program sluice, one file each. bin/sluice.c chooses among them. */

#include "base/env.h"

/* The exit codes of the program. */
enum sl_exit {
    SL_EXIT_OK = 0,
    SL_EXIT_FAILED = 1,    /* something was not done; standard error says what */
    SL_EXIT_USAGE = 2,     /* the command line is wrong; nothing was done */
    SL_EXIT_STOPPED = 130, /* ended by Ctrl-C before it was done, as shells say it */
};

/* One verb. Text is static. */
struct sl_verb {
    const char *name;
    const char *operand; /* what stands behind the verb: "CORPUS"; NULL: nothing but flags */
    const char *summary; /* one line for the list of verbs */
    const char *text;    /* lines for its own help, above its flags */
    /* Do it. argv[0] is the verb itself. Blocks. */
    enum sl_exit (*run)(const struct sl_env *env, int argc, const char *const *argv);
};

/* All of them. */
extern const struct sl_verb sl_verb_demo;
extern const struct sl_verb sl_verb_init;
extern const struct sl_verb sl_verb_load;
extern const struct sl_verb sl_verb_pull;
extern const struct sl_verb sl_verb_replay;
extern const struct sl_verb sl_verb_up;

#endif
