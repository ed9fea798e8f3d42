/* binlogctl: steers pumps and drainers. With flags it is the original's program, -cmd and all; with
 * a verb it is ours. Both stand in src/ctl. */

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/env_os.h"
#include "base/panic.h"
#include "ctl/ctl.h"

static const struct sl_ctl_verb *const verbs[] = {
    &sl_ctl_status, &sl_ctl_pumps, &sl_ctl_drainers, &sl_ctl_pause, &sl_ctl_offline,
    &sl_ctl_resume, &sl_ctl_wait,  &sl_ctl_get,      &sl_ctl_set,   &sl_ctl_explain,
};

enum { VERBS = sizeof verbs / sizeof *verbs };

static void help(FILE *out)
{
    fprintf(out, "\nbinlogctl VERB ...\n");
    for (size_t i = 0; i < VERBS; i++)
        fprintf(out, "  %-13s %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(out, "binlogctl VERB --help tells more.\n");
}

static int wrong_verb(const char *word)
{
    const char *names[VERBS];
    const char *near;

    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i]->name;
    near = sl_conf_nearest(word, names, VERBS);
    fprintf(stderr, "binlogctl: '%.100s' is not a verb%s%s%s; see 'binlogctl --help'\n", word,
            near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
            near != NULL ? "'?" : "");
    return SL_CTL_USAGE;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv;
    bool               asked_help;
    int                code;

    sl_panic_install("binlogctl");
    if (argc < 2 || words[1][0] == '-') {
        code = (int)sl_ctl_legacy(sl_env_os(), argc, words, &asked_help);
        if (asked_help)
            help(stderr);
        return code;
    }
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(words[1], verbs[i]->name) == 0)
            return (int)verbs[i]->run(sl_env_os(), argc - 1, words + 1);
    return wrong_verb(words[1]);
}
