#include <stdlib.h>
#include <string.h>

#include "actors/drainer/config.h"
#include "base/assert.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"

/* The filters of a configuration (drainer spec 3.6, 3.7), and what is said about it at a start. */

/* ---- tables ---- */

/* "a,b" taken apart; *parts and their text in *copy are the caller's. */
static size_t split_list(const char *list, char **copy, const char ***parts)
{
    size_t count = 1;
    char  *rest;

    for (const char *p = list; *p != '\0'; p++)
        count += *p == ',';
    rest = *copy = strdup(list);
    *parts = calloc(count, sizeof **parts);
    SL_ASSERT(*copy != NULL && *parts != NULL);
    for (size_t i = 0; i < count; i++)
        (*parts)[i] = strsep(&rest, ",");
    return count;
}

static struct sl_filter_table *tables_of(const struct sl_conf_tables *list)
{
    const struct sl_drainer_table_name *names = list->items;
    struct sl_filter_table *tables = calloc(list->count > 0 ? list->count : 1, sizeof *tables);

    SL_ASSERT(tables != NULL);
    for (size_t i = 0; i < list->count; i++)
        tables[i] = (struct sl_filter_table){names[i].schema, names[i].table};
    return tables;
}

static enum sl_err make_filter(const struct sl_drainer_config *c, struct sl_filter **out,
                               struct sl_why *why)
{
    char                   *copy;
    const char            **ignored;
    size_t                  count = split_list(c->ignore_schemas, &copy, &ignored);
    struct sl_filter_table *do_tables = tables_of(&c->do_tables);
    struct sl_filter_table *ignore_tables = tables_of(&c->ignore_tables);
    struct sl_filter_lists  lists = {
         .do_schemas = (const char *const *)c->do_schemas.items,
         .do_schema_count = c->do_schemas.count,
         .do_tables = do_tables,
         .do_table_count = c->do_tables.count,
         .ignore_schemas = ignored,
         .ignore_schema_count = count,
         .ignore_tables = ignore_tables,
         .ignore_table_count = c->ignore_tables.count,
    };
    enum sl_err err = sl_filter_new(&lists, out, why);

    free(copy);
    free(ignored);
    free(do_tables);
    free(ignore_tables);
    return err;
}

/* ---- events ---- */

static const struct sl_drainer_event_rule *find_rule(const struct sl_drainer_config *c,
                                                     const char                     *name)
{
    const struct sl_drainer_event_rule *rules = c->event_rules.items;

    for (size_t i = 0; i < c->event_rules.count; i++) {
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    }
    return NULL;
}

static size_t count_rules(const struct sl_drainer_config *c)
{
    const struct sl_drainer_migrate_rule *migrate = c->migrate_rules.items;
    size_t                                count = 0;

    for (size_t i = 0; i < c->migrate_rules.count; i++)
        count += migrate[i].rules.count;
    return count;
}

/* A rule of events for every name in every table-migrate-rule. */
static enum sl_err list_rules(const struct sl_drainer_config *c, struct sl_event_rule *out,
                              struct sl_why *why)
{
    const struct sl_drainer_migrate_rule *migrate = c->migrate_rules.items;

    for (size_t i = 0; i < c->migrate_rules.count; i++) {
        for (size_t j = 0; j < migrate[i].rules.count; j++) {
            const char                         *name = migrate[i].rules.items[j];
            const struct sl_drainer_event_rule *rule = find_rule(c, name);

            if (rule == NULL)
                return sl_fail(why, SL_CONFIG, "event filter rule name %.100s not found", name);
            *out++ = (struct sl_event_rule){
                .schema = migrate[i].schema,
                .table = migrate[i].table,
                .events = (const char *const *)rule->events.items,
                .event_count = rule->events.count,
                .sqls = (const char *const *)rule->sqls.items,
                .sql_count = rule->sqls.count,
            };
        }
    }
    return SL_OK;
}

static enum sl_err make_event_filter(const struct sl_drainer_config *c,
                                     struct sl_event_filter **out, struct sl_why *why)
{
    size_t                count = count_rules(c);
    struct sl_event_rule *rules = calloc(count > 0 ? count : 1, sizeof *rules);
    struct sl_why         inner = {0};
    enum sl_err           err;

    SL_ASSERT(rules != NULL);
    err = list_rules(c, rules, why);
    if (err == SL_OK &&
        (err = sl_event_filter_new(rules, count, c->case_sensitive, out, &inner)) != SL_OK)
        err = sl_fail(why, SL_CONFIG, "generate binlog event filter error: %s", inner.text);
    free(rules);
    return err;
}

enum sl_err sl_drainer_config_filters(const struct sl_drainer_config *config,
                                      struct sl_filter              **filter,
                                      struct sl_event_filter **event_filter, struct sl_why *why)
{
    struct sl_filter *made;
    struct sl_why     inner = {0};
    enum sl_err       err = make_filter(config, &made, &inner);

    if (err != SL_OK)
        return sl_fail(why, SL_CONFIG, "%s", inner.text);
    if ((err = make_event_filter(config, event_filter, why)) == SL_OK)
        *filter = made;
    else
        sl_filter_free(&made);
    return err;
}

/* ---- notes ---- */

static bool is_loopback_or_none(const char *address)
{
    return address[0] == ':' || strncmp(address, "127.", 4) == 0 ||
           strncmp(address, "localhost:", 10) == 0 || strncmp(address, "[::1]", 5) == 0 ||
           strncmp(address, "[]", 2) == 0;
}

/* A variable of the environment stands for a flag, but not of these. */
static void note_switches(const struct sl_conf_report *report, sl_config_note note, void *context)
{
    static const char *const flags[] = {"enable-dispatch", "disable-dispatch", "enable-detect",
                                        "disable-detect"};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        size_t row = sl_conf_row_index(&sl_drainer_config_table, flags[i]);

        if (report->origin[row].source == SL_CONF_FROM_ENV)
            note(context, flags[i],
                 "its variable in the environment is accepted and without effect, as in the "
                 "original; use the flag or the file");
    }
}

void sl_drainer_config_notes(const struct sl_drainer_config *config,
                             const struct sl_conf_report *report, sl_config_note note,
                             void *context)
{
    char text[SL_WHY_BYTES_MAX];

    if (is_loopback_or_none(config->advertise_addr))
        note(context, "advertise-addr",
             "pumps on other machines cannot reach the drainer at this address");
    if (config->workers_asked > SL_DRAINER_WORKERS_MAX) {
        (void)snprintf(text, sizeof text, "taken as %d, the most there can be",
                       SL_DRAINER_WORKERS_MAX);
        note(context, "syncer.worker-count", text);
    }
    if (!config->detect)
        note(context, "enable-detect",
             "without effect: changes that have a key in common always keep their order");
    note_switches(report, note, context);
}
