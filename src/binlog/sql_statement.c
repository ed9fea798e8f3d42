#include "binlog/sql_statement.h"

#include <string.h>

#include "base/limits.h"

/* How many commas there are: one less than members of a list. */
static uint32_t commas(const struct sql_text *sql)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < sql->count; i++)
        count += sql_is_sign(sql, i, ',');
    return count;
}

static bool alter_rename(struct sql_cursor c, struct sl_arena *arena, struct sql_renaming *out)
{
    if (!sql_take_words(&c, "alter table") || !sql_take_table(&c, arena, &out->from) ||
        !sql_take_word(&c, "rename"))
        return false;
    if (!sql_take_word(&c, "to"))
        (void)(sql_take_word(&c, "as") || sql_take_sign(&c, '='));
    /* RENAME INDEX and RENAME COLUMN rename something else; so does what goes on behind the name.
     */
    return sql_take_table(&c, arena, &out->to) && sql_at_end(&c);
}

bool sql_renamings(const struct sql_text *sql, struct sl_arena *arena,
                   const struct sql_renaming **out, uint32_t *count)
{
    struct sql_cursor    c = sql_begin(sql, 0);
    uint32_t             room = commas(sql) + 1;
    struct sql_renaming *all;

    if (room > SL_RENAMES_MAX)
        return false;
    all = sl_arena_alloc(arena, room * sizeof *all);
    *out = all;
    *count = 1;
    if (alter_rename(c, arena, all))
        return true;
    if (!sql_take_word(&c, "rename") ||
        !(sql_take_word(&c, "table") || sql_take_word(&c, "tables")))
        return false;
    for (*count = 0;;) {
        struct sql_renaming *one = &all[(*count)++];

        if (!sql_take_table(&c, arena, &one->from) || !sql_take_word(&c, "to") ||
            !sql_take_table(&c, arena, &one->to))
            return false;
        if (!sql_take_sign(&c, ','))
            return sql_at_end(&c);
    }
}

bool sql_drop_list(const struct sql_text *sql, struct sl_arena *arena, struct sql_drop *out)
{
    struct sql_cursor      c = sql_begin(sql, 0);
    uint32_t               room = commas(sql) + 1;
    struct sql_table_name *all;

    if (room > SL_JOB_TABLES_MAX || !sql_take_word(&c, "drop"))
        return false;
    while (sql_take_word(&c, "global") || sql_take_word(&c, "temporary"))
        continue;
    if (!sql_take_word(&c, "table") && !sql_take_word(&c, "tables") && !sql_take_word(&c, "view") &&
        !sql_take_word(&c, "sequence"))
        return false;
    all = sl_arena_alloc(arena, room * sizeof *all);
    *out = (struct sql_drop){.tables = all, .if_exists = sql_take_words(&c, "if exists")};
    do {
        if (!sql_take_table(&c, arena, &all[out->count++]))
            return false;
    } while (sql_take_sign(&c, ','));
    (void)(sql_take_word(&c, "restrict") || sql_take_word(&c, "cascade"));
    return sql_at_end(&c);
}

bool sql_create_like(const struct sql_text *sql, struct sl_arena *arena, struct sql_renaming *out)
{
    struct sql_cursor c = sql_begin(sql, 0);

    if (!sql_take_words(&c, "create table"))
        return false;
    (void)sql_take_words(&c, "if not exists");
    if (!sql_take_table(&c, arena, &out->to))
        return false;
    (void)sql_take_sign(&c, '(');
    return sql_take_word(&c, "like") && sql_take_table(&c, arena, &out->from);
}
