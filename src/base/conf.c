#include "base/conf.h"

#include <string.h>

#include "base/assert.h"
#include "base/conf_private.h"

/* The value of an environment variable, or NULL. Empty counts as not set. */
static const char *env_value(const struct sl_conf_input *input, const char *name)
{
    size_t bytes = strlen(name);

    for (const char *const *entry = input->env; entry != NULL && *entry != NULL; entry++) {
        if (strncmp(*entry, name, bytes) == 0 && (*entry)[bytes] == '=')
            return (*entry)[bytes + 1] != '\0' ? *entry + bytes + 1 : NULL;
    }
    return NULL;
}

/* Set a row that no flag has set from the environment. */
static enum sl_err apply_env_row(struct conf_loader *loader, const struct sl_conf_row *row,
                                 struct sl_why *why)
{
    struct sl_conf_origin *origin = &loader->report->origin[row - loader->table->rows];
    char                   name[SL_NAME_BYTES_MAX];
    struct sl_why          inner = {0};
    const char            *value;
    enum sl_err            err;

    if (origin->source == SL_CONF_FROM_FLAG || !sl_conf_env_name(loader->table, row, name))
        return SL_OK;
    if ((value = env_value(loader->input, name)) == NULL)
        return SL_OK;
    err = conf_set_text(row, value, conf_slot(row, loader->config), &inner);
    if (err == SL_OK) {
        *origin = (struct sl_conf_origin){.source = SL_CONF_FROM_ENV};
        return SL_OK;
    }
    if (err == SL_UNSUPPORTED)
        return sl_fail(why, err, "%s", inner.text);
    if ((row->flags & SL_CONF_SECRET) != 0)
        return sl_fail(why, SL_CONFIG, "environment variable %s: not %s", name,
                       conf_type_phrase(row->type));
    return sl_fail(why, SL_CONFIG, "environment variable %s: invalid value \"%.100s\": %s", name,
                   value, inner.text);
}

static enum sl_err apply_env(struct conf_loader *loader, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (size_t i = 0; err == SL_OK && i < loader->table->row_count; i++)
        err = apply_env_row(loader, &loader->table->rows[i], why);
    return err;
}

/* The file that a flag named, if any. */
static enum sl_err apply_file(struct conf_loader *loader, struct sl_why *why)
{
    const struct sl_conf_row *row = conf_path_row(loader->table);
    const char               *path = row != NULL ? *(char **)conf_slot(row, loader->config) : "";

    if (path[0] == '\0')
        return SL_OK;
    SL_ASSERT(loader->input->fs != NULL);
    if (strlen(path) >= sizeof loader->report->path)
        return sl_fail(why, SL_CONFIG, "config file: a path of %zu bytes is too long",
                       strlen(path));
    (void)snprintf(loader->report->path, sizeof loader->report->path, "%s", path);
    return conf_file_apply(loader, path, why);
}

/* Whatever a user wrote stands in the reason: keep it to one line and out of the terminal's hands.
 */
static void make_one_line(struct sl_why *why)
{
    for (char *c = why->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
}

enum sl_err sl_conf_load(const struct sl_conf_table *table, const struct sl_conf_input *input,
                         void *config, struct sl_conf_report *report, struct sl_why *why)
{
    struct conf_loader loader = {
        .table = table, .input = input, .config = config, .report = report};
    enum sl_err err;

    SL_ASSERT(table->program != NULL);
    conf_table_check(table);
    memset(config, 0, table->struct_bytes);
    memset(report, 0, sizeof *report);
    conf_set_defaults(table, config);

    if ((err = conf_flags_apply(&loader, why)) != SL_OK)
        goto fail;
    if (report->help || report->asked)
        return SL_OK;
    if ((err = apply_file(&loader, why)) != SL_OK)
        goto fail;
    if ((err = apply_env(&loader, why)) != SL_OK)
        goto fail;
    return SL_OK;

fail:
    sl_conf_free(table, config);
    if (why != NULL)
        make_one_line(why);
    return err;
}

int sl_conf_exit_code(enum sl_err err)
{
    SL_ASSERT(err != SL_OK);
    return err == SL_USAGE ? 2 : 1;
}

void sl_conf_origin_text(const struct sl_conf_table *table, const struct sl_conf_report *report,
                         size_t row_index, char *out, size_t size)
{
    const struct sl_conf_origin *origin = &report->origin[row_index];
    const struct sl_conf_row    *row = &table->rows[row_index];
    char                         name[SL_NAME_BYTES_MAX] = "";

    SL_ASSERT(row_index < table->row_count);
    switch (origin->source) {
    case SL_CONF_FROM_DEFAULT: (void)snprintf(out, size, "default"); return;
    case SL_CONF_FROM_FILE: (void)snprintf(out, size, "%s:%u", report->path, origin->line); return;
    case SL_CONF_FROM_FLAG: (void)snprintf(out, size, "-%s", row->flag); return;
    case SL_CONF_FROM_ENV:
        (void)sl_conf_env_name(table, row, name);
        (void)snprintf(out, size, "%s", name);
        return;
    }
    SL_UNREACHABLE("not a source");
}
