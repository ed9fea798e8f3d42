#include "binlog/event_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/limits.h"
#include "binlog/pattern.h"

/* ---- words of an event list ---- */

/* What a word adds to the answer. */
struct word {
    const char *name;
    uint32_t    kinds; /* of these events it decides */
    bool        keeps; /* they stay, whatever comes behind in the list */
};

#define ONE(kind) (UINT32_C(1) << (kind))
#define DML (ONE(SL_EVENT_INSERT) | ONE(SL_EVENT_UPDATE) | ONE(SL_EVENT_DELETE))
#define ALL (ONE(SL_EVENT_OTHER) - 1)
#define DDL (ALL & ~DML)

static_assert(SL_EVENT_KINDS <= 32, "a set of kinds is a word");

static const struct word words[] = {
    {"all", ALL, false},
    {"all ddl", DDL, false},
    {"all dml", DML, false},
    {"none", ALL, true},
    {"none ddl", DDL, true},
    {"none dml", DML, true},
    {"insert", ONE(SL_EVENT_INSERT), false},
    {"update", ONE(SL_EVENT_UPDATE), false},
    {"delete", ONE(SL_EVENT_DELETE), false},
    {"create database", ONE(SL_EVENT_CREATE_DATABASE), false},
    {"create schema", ONE(SL_EVENT_CREATE_DATABASE), false},
    {"drop database", ONE(SL_EVENT_DROP_DATABASE), false},
    {"drop schema", ONE(SL_EVENT_DROP_DATABASE), false},
    {"alter database", ONE(SL_EVENT_ALTER_DATABASE), false},
    {"alter schema", ONE(SL_EVENT_ALTER_DATABASE), false},
    {"create table", ONE(SL_EVENT_CREATE_TABLE), false},
    {"drop table", ONE(SL_EVENT_DROP_TABLE), false},
    {"truncate table", ONE(SL_EVENT_TRUNCATE_TABLE), false},
    {"rename table", ONE(SL_EVENT_RENAME_TABLE), false},
    {"alter table", ONE(SL_EVENT_ALTER_TABLE), false},
    {"create index", ONE(SL_EVENT_CREATE_INDEX), false},
    {"drop index", ONE(SL_EVENT_DROP_INDEX), false},
    {"create view", ONE(SL_EVENT_CREATE_VIEW), false},
    {"drop view", ONE(SL_EVENT_DROP_VIEW), false},
    {"add table partition", ONE(SL_EVENT_ADD_PARTITION), false},
    {"drop table partition", ONE(SL_EVENT_DROP_PARTITION), false},
    {"truncate table partition", ONE(SL_EVENT_TRUNCATE_PARTITION), false},
};

static const struct word *find_word(const char *name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(words[i].name, name) == 0)
            return &words[i];
    }
    return NULL;
}

/* ---- state ---- */

/* All that is configured for one pair of patterns. */
struct rule {
    char               *schema_text;
    char               *table_text;
    struct sl_pattern  *schema;
    struct sl_pattern  *table;   /* NULL: the schema, and all its tables */
    uint32_t            decided; /* by the words read so far */
    uint32_t            skipped; /* of these */
    struct sl_pattern **sqls;
    size_t              sql_count;
};

struct sl_event_filter {
    struct rule *rules;
    size_t       count;
};

/* ---- patterns of names ---- */

struct builder {
    char   text[SL_PATTERN_BYTES_MAX];
    size_t used;
};

static void put(struct builder *b, const char *text, size_t len)
{
    SL_ASSERT(sizeof b->text - b->used > len);
    memcpy(b->text + b->used, text, len);
    b->used += len;
    b->text[b->used] = '\0';
}

/* A character that stands for itself. Only ASCII punctuation means something to a pattern. */
static void put_plain(struct builder *b, char c)
{
    bool plain = (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 (c >= '0' && c <= '9') || (unsigned char)c <= ' ';

    if (!plain)
        put(b, "\\", 1);
    put(b, &c, 1);
}

/* [a-c] or [!a-c] at `at`; what it takes of it, or 0: it is no class. */
static size_t put_class(struct builder *b, const char *at)
{
    size_t i = at[1] == '!' ? 2 : 1;
    size_t end = i + strcspn(at + i, "]");

    if (at[end] != ']' || end == i)
        return 0;
    put(b, "[", 1);
    if (at[1] == '!')
        put(b, "^", 1);
    for (; i < end; i++) {
        if (at[i] == '-')
            put(b, "-", 1);
        else
            put_plain(b, at[i]);
    }
    put(b, "]", 1);
    return end + 1;
}

/* The regular expression of a pattern. */
static enum sl_err translate(const char *pattern, struct builder *b, struct sl_why *why)
{
    enum { GROWTH = 2 };

    b->used = 0;
    b->text[0] = '\0';
    if (strlen(pattern) * GROWTH + GROWTH >= sizeof b->text)
        return sl_fail(why, SL_INVALID, "`%.60s...`: longer than %zu bytes", pattern,
                       sizeof b->text / GROWTH - GROWTH);
    for (const char *p = pattern; *p != '\0';) {
        size_t taken = 1;

        if (*p == '*' && p[1] != '\0')
            return sl_fail(why, SL_INVALID, "`%.100s`: * stands at the end only", pattern);
        if (*p == '*')
            put(b, ".*", 2);
        else if (*p == '?')
            put(b, ".", 1);
        else if (*p != '[')
            put_plain(b, *p);
        else if ((taken = put_class(b, p)) == 0)
            return sl_fail(why, SL_INVALID,
                           "`%.100s`: [ begins a class, as [a-c] or [!a-c], which does not end",
                           pattern);
        p += taken;
    }
    return SL_OK;
}

static enum sl_err make_name(const char *text, bool case_sensitive, struct sl_pattern **out,
                             struct sl_why *why)
{
    unsigned flags = SL_PATTERN_WHOLE | SL_PATTERN_DOT_ALL |
                     (case_sensitive ? 0 : (unsigned)SL_PATTERN_CASELESS);
    struct builder b;
    enum sl_err    err = translate(text, &b, why);

    return err == SL_OK ? sl_pattern_new(b.text, flags, out, why) : err;
}

/* ---- making ---- */

static char *copy_of(const char *text)
{
    char *copy = strdup(text);

    SL_ASSERT(copy != NULL);
    return copy;
}

/* The rule of these two patterns, made when there is none. */
static enum sl_err find_rule(struct sl_event_filter *f, const struct sl_event_rule *given,
                             bool case_sensitive, struct rule **out, struct sl_why *why)
{
    struct rule *rule = f->rules;
    enum sl_err  err;

    for (; rule < f->rules + f->count; rule++) {
        if (strcmp(rule->schema_text, given->schema) == 0 &&
            strcmp(rule->table_text, given->table) == 0) {
            *out = rule;
            return SL_OK;
        }
    }
    f->count++;
    rule->schema_text = copy_of(given->schema);
    rule->table_text = copy_of(given->table);
    err = make_name(given->schema, case_sensitive, &rule->schema, why);
    if (err == SL_OK && given->table[0] != '\0')
        err = make_name(given->table, case_sensitive, &rule->table, why);
    *out = rule;
    return err;
}

static enum sl_err add_events(struct rule *rule, const struct sl_event_rule *given,
                              struct sl_why *why)
{
    for (size_t i = 0; i < given->event_count; i++) {
        const struct word *word = find_word(given->events[i]);

        if (word == NULL)
            return sl_fail(why, SL_INVALID, "event type %.60s not valid", given->events[i]);
        if (!word->keeps)
            rule->skipped |= word->kinds & ~rule->decided;
        rule->decided |= word->kinds;
    }
    return SL_OK;
}

static enum sl_err add_sqls(struct rule *rule, const struct sl_event_rule *given,
                            struct sl_why *why)
{
    size_t      count = rule->sql_count + given->sql_count;
    enum sl_err err = SL_OK;

    if (given->sql_count == 0)
        return SL_OK;
    rule->sqls = reallocarray(rule->sqls, count, sizeof *rule->sqls);
    SL_ASSERT(rule->sqls != NULL);
    for (size_t i = 0; err == SL_OK && i < given->sql_count; i++) {
        err =
            sl_pattern_new(given->sqls[i], SL_PATTERN_CASELESS, &rule->sqls[rule->sql_count], why);
        rule->sql_count += err == SL_OK;
    }
    return err;
}

enum sl_err sl_event_filter_new(const struct sl_event_rule *rules, size_t count,
                                bool case_sensitive, struct sl_event_filter **out,
                                struct sl_why *why)
{
    struct sl_event_filter *f = calloc(1, sizeof *f);
    struct rule            *rule;
    enum sl_err             err = SL_OK;

    SL_ASSERT(f != NULL);
    f->rules = calloc(count > 0 ? count : 1, sizeof *f->rules);
    SL_ASSERT(f->rules != NULL);
    for (size_t i = 0; err == SL_OK && i < count; i++) {
        if (rules[i].schema[0] == '\0')
            err = sl_fail(why, SL_INVALID, "schema pattern is empty");
        if (err == SL_OK)
            err = find_rule(f, &rules[i], case_sensitive, &rule, why);
        if (err == SL_OK)
            err = add_events(rule, &rules[i], why);
        if (err == SL_OK)
            err = add_sqls(rule, &rules[i], why);
    }
    if (err == SL_OK)
        *out = f;
    else
        sl_event_filter_free(&f);
    return err;
}

static void free_rule(struct rule *rule)
{
    for (size_t i = 0; i < rule->sql_count; i++)
        sl_pattern_free(&rule->sqls[i]);
    free(rule->sqls);
    sl_pattern_free(&rule->schema);
    sl_pattern_free(&rule->table);
    free(rule->schema_text);
    free(rule->table_text);
}

void sl_event_filter_free(struct sl_event_filter **filter)
{
    if (*filter == NULL)
        return;
    for (size_t i = 0; i < (*filter)->count; i++)
        free_rule(&(*filter)->rules[i]);
    free((*filter)->rules);
    free(*filter);
    *filter = NULL;
}

/* ---- asking ---- */

/* A rule with a table is not for the schema itself, even if the table is `*`. */
static enum sl_err fits(const struct rule *rule, struct sl_slice schema, struct sl_slice table,
                        bool *out, struct sl_why *why)
{
    enum sl_err err = sl_pattern_find(rule->schema, schema, out, why);

    if (err != SL_OK || !*out || rule->table == NULL)
        return err;
    if (table.len > 0)
        return sl_pattern_find(rule->table, table, out, why);
    *out = false;
    return SL_OK;
}

enum sl_err sl_event_filter_kinds(const struct sl_event_filter *filter, struct sl_slice schema,
                                  struct sl_slice table, uint32_t *out, struct sl_why *why)
{
    uint32_t kinds = 0;

    for (size_t i = 0; i < filter->count; i++) {
        bool        fit;
        enum sl_err err = fits(&filter->rules[i], schema, table, &fit, why);

        if (err != SL_OK)
            return err;
        if (fit)
            kinds |= filter->rules[i].skipped;
    }
    *out = kinds;
    return SL_OK;
}

static enum sl_err finds_sql(const struct rule *rule, struct sl_slice sql, bool *out,
                             struct sl_why *why)
{
    enum sl_err err = SL_OK;

    *out = false;
    for (size_t i = 0; err == SL_OK && !*out && i < rule->sql_count; i++)
        err = sl_pattern_find(rule->sqls[i], sql, out, why);
    return err;
}

enum sl_err sl_event_filter_skips_ddl(const struct sl_event_filter *filter, struct sl_slice schema,
                                      struct sl_slice table, struct sl_slice sql, bool *out,
                                      struct sl_why *why)
{
    uint32_t    kind = ONE(sl_event_of_ddl(sql));
    bool        skips = false;
    enum sl_err err = SL_OK;

    for (size_t i = 0; err == SL_OK && !skips && i < filter->count; i++) {
        const struct rule *rule = &filter->rules[i];
        bool               fit;

        err = fits(rule, schema, table, &fit, why);
        if (err == SL_OK && fit && (rule->skipped & kind) != 0)
            skips = true;
        else if (err == SL_OK && fit)
            err = finds_sql(rule, sql, &skips, why);
    }
    if (err == SL_OK)
        *out = skips;
    return err;
}
