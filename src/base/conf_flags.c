#include <string.h>

#include "base/assert.h"
#include "base/conf_private.h"

/* The command line as Go's flag package reads it: -f v, -f=v, --f v, --f=v; a boolean takes a value
 * only with "=";
 * "--" and the first word that is no flag end the flags. */

/* One argument taken apart. */
struct flag_word {
    const char *name; /* not terminated */
    size_t      name_bytes;
    const char *value; /* behind "="; NULL: none */
};

/* False: not a flag, the flags end here. */
static bool take_apart(const char *argument, struct flag_word *out)
{
    if (argument[0] != '-' || argument[1] == '\0')
        return false;
    out->name = argument + (argument[1] == '-' ? 2 : 1);
    out->name_bytes = strcspn(out->name, "=");
    out->value = out->name[out->name_bytes] == '=' ? out->name + out->name_bytes + 1 : NULL;
    return true;
}

static enum sl_err refuse_unknown(const struct conf_loader *loader, const struct flag_word *word,
                                  struct sl_why *why)
{
    const char *program = loader->table->program;
    char        name[SL_NAME_BYTES_MAX];
    const char *near;

    (void)snprintf(name, sizeof name, "%.*s", (int)(word->name_bytes % sizeof name), word->name);
    near = word->name_bytes < sizeof name ? conf_nearest_flag(loader->table, name) : NULL;
    if (near != NULL)
        return sl_fail(why, SL_USAGE,
                       "flag provided but not defined: -%s, did you mean -%s?; see '%s --help'",
                       name, near, program);
    return sl_fail(why, SL_USAGE, "flag provided but not defined: -%s; see '%s --help'", name,
                   program);
}

/* Set the row. Values of secrets stay out of the message, and so does a reason that may quote them.
 */
static enum sl_err set_flag(struct conf_loader *loader, const struct sl_conf_row *row,
                            const char *value, struct sl_why *why)
{
    const char   *program = loader->table->program;
    struct sl_why inner = {0};
    enum sl_err   err = conf_set_text(row, value, conf_slot(row, loader->config), &inner);

    if (err == SL_OK) {
        loader->report->origin[row - loader->table->rows].source = SL_CONF_FROM_FLAG;
        return SL_OK;
    }
    if (err == SL_UNSUPPORTED)
        return sl_fail(why, err, "%s", inner.text);
    if ((row->flags & SL_CONF_SECRET) != 0)
        return sl_fail(why, SL_USAGE, "invalid value for flag -%s: not %s; see '%s --help'",
                       row->flag, conf_type_phrase(row->type), program);
    return sl_fail(why, SL_USAGE, "invalid value \"%.100s\" for flag -%s: %.200s; see '%s --help'",
                   value, row->flag, inner.text, program);
}

/* Read the flag at argv[*at] and its value; *at moves to the next argument. */
static enum sl_err take_flag(struct conf_loader *loader, const struct flag_word *word, int *at,
                             struct sl_why *why)
{
    const struct sl_conf_input *input = loader->input;
    const char                 *program = loader->table->program;
    const struct sl_conf_row   *row;
    const char                 *value = word->value;

    (*at)++;
    if (word->name_bytes == 0 || word->name[0] == '-')
        return sl_fail(why, SL_USAGE, "bad flag syntax: %.100s; see '%s --help'",
                       input->argv[*at - 1], program);
    row = conf_row_of_flag(loader->table, word->name, word->name_bytes);
    if (row == NULL)
        return refuse_unknown(loader, word, why);
    if (value == NULL && row->type == SL_CONF_BOOL)
        value = "true";
    if (value == NULL && *at < input->argc)
        value = input->argv[(*at)++];
    if (value == NULL)
        return sl_fail(why, SL_USAGE, "flag needs an argument: -%s; see '%s --help'", row->flag,
                       program);
    return set_flag(loader, row, value, why);
}

static bool is_help(const struct flag_word *word)
{
    return (word->name_bytes == 1 && word->name[0] == 'h') ||
           (word->name_bytes == 4 && memcmp(word->name, "help", 4) == 0);
}

/* True when a flag like -V was given. */
static bool asked(const struct conf_loader *loader)
{
    const struct sl_conf_table *table = loader->table;

    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];

        if ((row->flags & SL_CONF_ASK) != 0 && *(bool *)conf_slot(row, loader->config))
            return true;
    }
    return false;
}

enum sl_err conf_flags_apply(struct conf_loader *loader, struct sl_why *why)
{
    const struct sl_conf_input *input = loader->input;
    struct flag_word            word;
    enum sl_err                 err;
    int                         at = 1;

    while (at < input->argc && take_apart(input->argv[at], &word)) {
        if (strcmp(input->argv[at], "--") == 0) {
            at++;
            break;
        }
        if (is_help(&word)) {
            loader->report->help = true;
            return SL_OK;
        }
        if ((err = take_flag(loader, &word, &at, why)) != SL_OK)
            return err;
    }
    loader->report->asked = asked(loader);
    if (at < input->argc && !loader->report->asked)
        return sl_fail(why, SL_CONFIG, "'%.200s' is not a valid flag", input->argv[at]);
    return SL_OK;
}
