#include <string.h>

#include "base/assert.h"
#include "base/conf_private.h"
#include "base/units.h"

/* ---- --help ---- */

/* True when the default is worth a word: Go leaves out what is zero anyway. */
static bool default_speaks(const struct sl_conf_row *row)
{
    return row->def != NULL && (row->flags & SL_CONF_SECRET) == 0 && strcmp(row->def, "") != 0 &&
           strcmp(row->def, "0") != 0 && strcmp(row->def, "false") != 0;
}

static void put_flag(const struct sl_conf_row *row, FILE *out)
{
    const char *word = conf_type_word(row->type);
    const char *quote = row->type == SL_CONF_STRING ? "\"" : "";

    fprintf(out, "  -%s%s%s", row->flag, word[0] != '\0' ? " " : "", word);
    fprintf(out, strlen(row->flag) == 1 && word[0] == '\0' ? "\t" : "\n    \t");
    fprintf(out, "%s", row->help);
    if ((row->flags & SL_CONF_NOT_YET) != 0)
        fprintf(out, "; %s", sl_err_text(SL_UNSUPPORTED));
    if (default_speaks(row))
        fprintf(out, " (default %s%s%s)", quote, row->def, quote);
    fprintf(out, "\n");
}

/* The row whose flag comes next in order of bytes after `last`; NULL: there is none. */
static const struct sl_conf_row *next_flag(const struct sl_conf_table *table, const char *last)
{
    const struct sl_conf_row *next = NULL;

    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];

        if (row->flag == NULL || strcmp(row->flag, last) <= 0)
            continue;
        if (next == NULL || strcmp(row->flag, next->flag) < 0)
            next = row;
    }
    return next;
}

void sl_conf_help(const struct sl_conf_table *table, FILE *out)
{
    const struct sl_conf_row *row = next_flag(table, "");
    const struct sl_conf_row *path = conf_path_row(table);

    conf_table_check(table);
    fprintf(out, "Usage of %s:\n", table->program);
    for (; row != NULL; row = next_flag(table, row->flag))
        put_flag(row, out);
    if (table->env_prefix != NULL)
        fprintf(out,
                "Flags may stand in the environment too: %s and the flag's name, upper-cased, with "
                "_ for -.\n",
                table->env_prefix);
    if (path != NULL)
        fprintf(out, "A flag wins over the environment, that over the file given with -%s.\n",
                path->flag);
}

/* ---- manual ---- */

/* Text of a cell: a bar would end it. */
static void put_cell(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_code(const char *before, const char *text, FILE *out)
{
    if (text == NULL || text[0] == '\0') {
        fprintf(out, " |");
        return;
    }
    fprintf(out, " `%s", before);
    put_cell(text, out);
    fprintf(out, "` |");
}

static void put_unit_and_range(const struct sl_conf_row *row, FILE *out)
{
    char range[SL_CONF_KEY_BYTES_MAX];

    conf_range_text(row, range, sizeof range);
    if (row->unit != NULL && row->bare_nanos != 0)
        conf_append(range, sizeof range, "%swithout a unit: %s", range[0] != '\0' ? "; " : "",
                    row->unit);
    else if (row->unit != NULL && range[0] == '\0')
        conf_append(range, sizeof range, "%s", row->unit);
    fprintf(out, "%s", range[0] != '\0' ? " " : "");
    put_cell(range, out);
    fprintf(out, " | ");
}

static void put_row(const struct sl_conf_table *table, const struct sl_conf_row *row,
                    const char *key, FILE *out)
{
    char env[SL_NAME_BYTES_MAX] = "";

    (void)sl_conf_env_name(table, row, env);
    fprintf(out, "|");
    put_code("", key, out);
    put_code("-", row->flag, out);
    put_code("", env, out);
    put_code("",
             default_speaks(row) || (row->def != NULL && conf_type_word(row->type)[0] == '\0')
                 ? row->def
                 : NULL,
             out);
    put_unit_and_range(row, out);
    put_cell(row->help, out);
    if ((row->flags & SL_CONF_IGNORED) != 0 && (row->flags & SL_CONF_NOT_YET) == 0)
        fprintf(out, "; accepted and ignored");
    if ((row->flags & SL_CONF_NOT_YET) != 0)
        fprintf(out, "; %s", sl_err_text(SL_UNSUPPORTED));
    if ((row->flags & SL_CONF_SECRET) != 0)
        fprintf(out, "; never printed");
    if ((row->flags & SL_CONF_LIVE) != 0)
        fprintf(out, "; live");
    fprintf(out, " |\n");
}

/* Rows of a table whose keys stand below `section` ("": the top). */
static void put_rows(const struct sl_conf_table *table, const char *section, FILE *out)
{
    char key[SL_CONF_KEY_BYTES_MAX];

    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];

        if (row->key != NULL ? row->key[0] == '\0' : row->flag == NULL)
            continue; /* the NAME and its value: the row above speaks for them */
        key[0] = '\0';
        if (row->key != NULL)
            conf_append(key, sizeof key, "%s%s%s", section, section[0] != '\0' ? "." : "",
                        row->key);
        if (row->nested == NULL) {
            put_row(table, row, key, out);
            continue;
        }
        conf_append(key, sizeof key, row->type == SL_CONF_TABLES ? "[]" : ".NAME");
        put_row(table, row, key, out);
        put_rows(row->nested, key, out);
    }
}

void sl_conf_manual(const struct sl_conf_table *table, FILE *out)
{
    conf_table_check(table);
    fprintf(out, "| Key | Flag | Environment | Default | Unit, range | Meaning |\n");
    fprintf(out, "| --- | --- | --- | --- | --- | --- |\n");
    put_rows(table, "", out);
}
