#include "binlog/ddl_case.h"

#include "binlog/sql_edit.h"

/* A statement being looked through. */
struct names {
    const struct sql_text  *sql;
    const struct sl_schema *schema;
    struct sl_slice         database;
    struct sl_arena        *arena;
    struct sql_edits        edits;
    bool                    of_index; /* CREATE or DROP INDEX: its table stands behind ON */
};

/* The name of a table stands at c. */
static void mend_table(struct names *n, struct sql_cursor c)
{
    struct sql_out         out = {.arena = n->arena};
    size_t                 begin = n->sql->tokens[c.at].at;
    struct sql_table_name  name;
    const struct sl_table *table;
    bool                   same;

    if (!sql_take_table(&c, n->arena, &name))
        return;
    table = sl_schema_find(n->schema, name.schema.len > 0 ? name.schema : n->database, name.table);
    if (table == NULL)
        return;
    same = sl_slice_equal(table->name, name.table) &&
           (name.schema.len == 0 || sl_slice_equal(table->schema, name.schema));
    if (same)
        return;
    sql_put_table(&out, name.schema.len > 0 ? table->schema : name.schema, table->name);
    sql_edit(&n->edits, begin, sql_behind(&c) - begin, (const char *)sql_written(&out).bytes);
}

/* The database of what a statement makes, or the name of a database, stands at c. */
static void mend_database(struct names *n, struct sql_cursor c, bool is_qualifier)
{
    struct sql_out  out = {.arena = n->arena};
    uint32_t        token = c.at;
    struct sl_slice name;

    if (!sql_take_name(&c, n->arena, &name) || (is_qualifier && !sql_take_sign(&c, '.')) ||
        !sql_same_name(name, n->database) || sl_slice_equal(name, n->database))
        return;
    sql_put_name(&out, n->database);
    sql_edit(&n->edits, n->sql->tokens[token].at, n->sql->tokens[token].len,
             (const char *)sql_written(&out).bytes);
}

/* What is made is not known yet; only its database may be written otherwise. */
static void mend_new(struct names *n, struct sql_cursor c)
{
    (void)sql_take_words(&c, "if not exists");
    mend_database(n, c, true);
}

static void mend_known(struct names *n, struct sql_cursor c)
{
    (void)sql_take_words(&c, "if exists");
    mend_table(n, c);
}

/* CREATE, ALTER, DROP or TRUNCATE and what it is about. Where the rest begins. */
static struct sql_cursor mend_head(struct names *n, struct sql_cursor c)
{
    bool is_new = sql_take_word(&c, "create");
    bool is_truncate = !is_new && sql_take_word(&c, "truncate");

    if (!is_new && !is_truncate && !sql_take_word(&c, "alter") && !sql_take_word(&c, "drop")) {
        c.at = n->sql->count;
        return c;
    }
    if (is_truncate && !sql_is_word(n->sql, c.at, "table")) {
        mend_known(n, c);
        return c;
    }
    while (c.at < n->sql->count) {
        if (sql_take_word(&c, "index")) {
            n->of_index = true;
            return c;
        }
        if (sql_take_word(&c, "database") || sql_take_word(&c, "schema")) {
            if (!is_new)
                (void)sql_take_words(&c, "if exists");
            mend_database(n, c, false);
            return c;
        }
        if (sql_take_word(&c, "table") || sql_take_word(&c, "view") ||
            sql_take_word(&c, "sequence")) {
            if (is_new)
                mend_new(n, c);
            else
                mend_known(n, c);
            return c;
        }
        (void)sql_step(&c);
    }
    return c;
}

struct sl_slice ddl_own_case(const struct sql_text *sql, const struct sl_schema *schema,
                             struct sl_slice database, struct sl_arena *arena)
{
    struct names      n = {.sql = sql, .schema = schema, .database = database, .arena = arena};
    struct sql_cursor c = sql_begin(sql, 0);

    n.edits = sql_edits_begin(arena, sql->count + 1);
    c = mend_head(&n, c);
    while (c.at < sql->count) {
        bool names_table = sql_take_word(&c, "like") || sql_take_word(&c, "references") ||
                           sql_take_words(&c, "with table");

        if (!names_table && n.of_index && sql_take_word(&c, "on")) {
            names_table = true;
            n.of_index = false;
        }
        if (names_table)
            mend_table(&n, c);
        else
            (void)sql_step(&c);
    }
    return n.edits.count == 0 ? sql->text : sql_edited(&n.edits, sql->text, arena);
}
