/* sluice VERB: one program for what is done around pumps and drainers. Here a verb is chosen; what
 * it does stands in src/sluice. */

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/env_os.h"
#include "base/panic.h"
#include "sluice/verbs.h"

static const struct sl_verb *const verbs[] = {
    &sl_verb_demo, &sl_verb_init, &sl_verb_load, &sl_verb_pull, &sl_verb_replay, &sl_verb_up,
};

enum { VERBS = sizeof verbs / sizeof *verbs };

static void help(void)
{
    printf("sluice VERB ...\n\n");
    for (size_t i = 0; i < VERBS; i++)
        printf("  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
    printf("\nsluice VERB --help tells more. Exit codes: 0 done, 1 not done, 2 wrong usage.\n");
}

static int wrong_verb(const char *word)
{
    const char *names[VERBS];
    const char *near;

    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i]->name;
    near = sl_conf_nearest(word, names, VERBS);
    fprintf(stderr, "sluice: '%.100s' is not a verb%s%s%s; see 'sluice --help'\n", word,
            near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
            near != NULL ? "'?" : "");
    return SL_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv;

    sl_panic_install("sluice");
    if (argc < 2) {
        fprintf(stderr, "sluice: no verb given; see 'sluice --help'\n");
        return SL_EXIT_USAGE;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-help") == 0 ||
        strcmp(words[1], "-h") == 0 || strcmp(words[1], "help") == 0) {
        help();
        return SL_EXIT_OK;
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(words[1], verbs[i]->name) == 0)
            return (int)verbs[i]->run(sl_env_os(), argc - 1, words + 1);
    }
    return wrong_verb(words[1]);
}
