/* binlogctl explain-error CODE: what base/condition.h knows of it. */

#include <stdio.h>
#include <string.h>

#include "base/condition.h"
#include "ctl/cli.h"

enum { LINE_COLUMNS = 88, INDENT = 8 };

static const char all[] = "all";

/* There are no flags; a table has a row all the same. */
struct explain_config {
    char *pd_urls; /* owned; not used: whoever gives it to all verbs may give it to this one */
};

static const struct sl_conf_row rows[] = {CTL_PD_URLS_ROW(struct explain_config)};

static const struct sl_conf_table table = {
    .program = "binlogctl",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct explain_config),
};

/* A paragraph beside its word, broken at blanks. */
static void write_paragraph(const char *word, const char *text)
{
    int column = printf("%-*s", INDENT, word);

    while (*text != '\0') {
        int bytes = (int)strcspn(text, " ");

        if (column > INDENT && column + 1 + bytes > LINE_COLUMNS)
            column = printf("\n%*s", INDENT, "") - 1;
        column += printf("%s%.*s", column > INDENT ? " " : "", bytes, text);
        text += bytes;
        text += *text == ' ';
    }
    putchar('\n');
}

static void write_row(const struct sl_condition_row *row)
{
    printf("%s %s: %s\n", row->code, row->name, row->title);
    write_paragraph("cause", row->cause);
    write_paragraph("effect", row->effect);
    write_paragraph("do", row->remedy);
}

static enum sl_ctl_exit explain(const char *word)
{
    enum sl_condition condition = sl_condition_find(word);
    struct sl_why     why;

    if (condition != SL_CONDITIONS) {
        write_row(sl_condition_row(condition));
        return SL_CTL_OK;
    }
    if (strcmp(word, all) != 0)
        return ctl_fail(&sl_ctl_explain,
                        sl_fail(&why, SL_USAGE,
                                "%.60s is no code; 'binlogctl explain-error all' prints all there "
                                "are",
                                word),
                        &why);
    for (unsigned i = 0; i < SL_CONDITIONS; i++)
        write_row(sl_condition_row((enum sl_condition)i));
    return SL_CTL_OK;
}

static enum sl_ctl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    struct explain_config config;
    const char           *word = NULL;
    enum sl_ctl_exit      code;

    (void)env;
    if (!ctl_read(&sl_ctl_explain, &table, argc, argv, &word, &config, &code))
        return code;
    code = explain(word);
    sl_conf_free(&table, &config);
    return code;
}

const struct sl_ctl_verb sl_ctl_explain = {
    .name = "explain-error",
    .operand = "CODE",
    .summary = "say what a code means, what it does and what to do about it",
    .text = "CODE is one as SL-2201, which status shows, or its name; or all.",
    .run = run,
};
