#ifndef SL_CTL_CTL_H
#define SL_CTL_CTL_H

/* The program binlogctl, which steers a cluster's pumps and drainers: the flags of the original,
 * with its output (drainer spec 8.1), and verbs of ours for people (tables) and programs (--json).
 * One file each; bin/binlogctl.c chooses. All of them block, on one thread, without actors. */

#include "base/env.h"

/* How the program ends. */
enum sl_ctl_exit {
    SL_CTL_OK = 0,
    SL_CTL_FAILED = 1,    /* it could not be done or found out; standard error says why */
    SL_CTL_USAGE = 2,     /* the command line is wrong; nothing was done */
    SL_CTL_DEGRADED = 10, /* found out: something does not work, or is not done yet */
    SL_CTL_AT_RISK = 20,  /* found out: data may be lost */
};

/* One verb. Text is static. */
struct sl_ctl_verb {
    const char *name;
    const char *operand; /* what stands behind the verb: "NODE"; NULL: nothing but flags */
    const char *summary; /* one line for the list of verbs */
    const char *text;    /* lines for its own help, above its flags */
    /* Do it. argv[0] is the verb itself. */
    enum sl_ctl_exit (*run)(const struct sl_env *env, int argc, const char *const *argv);
};

/* All of them. */
extern const struct sl_ctl_verb sl_ctl_drainers;
extern const struct sl_ctl_verb sl_ctl_explain;
extern const struct sl_ctl_verb sl_ctl_get;
extern const struct sl_ctl_verb sl_ctl_offline;
extern const struct sl_ctl_verb sl_ctl_pause;
extern const struct sl_ctl_verb sl_ctl_pumps;
extern const struct sl_ctl_verb sl_ctl_resume;
extern const struct sl_ctl_verb sl_ctl_set;
extern const struct sl_ctl_verb sl_ctl_status;
extern const struct sl_ctl_verb sl_ctl_wait;

/* What the original's flags ask for: argv[0] is the program, all else begins with '-'. Prints the
 * original's lines to standard output. *help: the help was asked for and written, to which the
 * caller may add. */
enum sl_ctl_exit sl_ctl_legacy(const struct sl_env *env, int argc, const char *const *argv,
                               bool *help);

#endif
