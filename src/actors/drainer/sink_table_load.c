#include "actors/drainer/sink_table_load.h"

#include "binlog/sql_text.h"

enum { COLUMN_CELLS = 5, PART_CELLS = 3 };

static enum sl_err take_column(void *arg, const struct sl_mysql_cell *cells, size_t count,
                               struct sl_why *why)
{
    if (count != COLUMN_CELLS)
        return sl_fail(why, SL_UNSUPPORTED, "the server answers %zu columns, not %d", count,
                       COLUMN_CELLS);
    return sl_sink_table_add_column(arg,
                                    &(struct sl_sink_column_row){.name = cells[0].text,
                                                                 .type = cells[1].text,
                                                                 .nullable = cells[2].text,
                                                                 .extra = cells[3].text,
                                                                 .collation = cells[4].text},
                                    why);
}

static enum sl_err take_part(void *arg, const struct sl_mysql_cell *cells, size_t count,
                             struct sl_why *why)
{
    if (count != PART_CELLS)
        return sl_fail(why, SL_UNSUPPORTED, "the server answers %zu columns, not %d", count,
                       PART_CELLS);
    return sl_sink_table_add_part(arg,
                                  &(struct sl_sink_part_row){.index = cells[0].text,
                                                             .column = cells[1].text,
                                                             .prefix = cells[2].text},
                                  why);
}

static void put_condition(struct sl_sql *sql, struct sl_slice schema, struct sl_slice name)
{
    sl_sql_puts(sql, " WHERE table_schema=");
    sl_sql_string(sql, schema);
    sl_sql_puts(sql, " AND table_name=");
    sl_sql_string(sql, name);
}

static enum sl_err ask_columns(struct sl_mysql *mysql, struct sl_sql *sql, struct sl_slice schema,
                               struct sl_slice name, struct sl_sink_table_builder *builder,
                               struct sl_why *why)
{
    sl_sql_clear(sql);
    sl_sql_puts(sql, "SELECT column_name, data_type, is_nullable, extra, collation_name"
                     " FROM information_schema.columns");
    put_condition(sql, schema, name);
    sl_sql_puts(sql, " ORDER BY ordinal_position");
    return sl_mysql_query(mysql, sql->text, sql->len, take_column, builder, why);
}

static enum sl_err ask_keys(struct sl_mysql *mysql, struct sl_sql *sql, struct sl_slice schema,
                            struct sl_slice name, struct sl_sink_table_builder *builder,
                            struct sl_why *why)
{
    sl_sql_clear(sql);
    sl_sql_puts(sql, "SELECT index_name, column_name, sub_part FROM information_schema.statistics");
    put_condition(sql, schema, name);
    sl_sql_puts(sql, " AND non_unique=0 ORDER BY index_name, seq_in_index");
    return sl_mysql_query(mysql, sql->text, sql->len, take_part, builder, why);
}

enum sl_err sl_sink_table_load(struct sl_mysql *mysql, struct sl_slice schema, struct sl_slice name,
                               struct sl_sink_table **out, struct sl_why *why)
{
    struct sl_sql sql = {.no_backslash_escapes = sl_mysql_session(mysql)->no_backslash_escapes};
    struct sl_sink_table_builder *builder = sl_sink_table_begin(schema, name);
    enum sl_err                   err = ask_columns(mysql, &sql, schema, name, builder, why);

    if (err == SL_OK)
        err = ask_keys(mysql, &sql, schema, name, builder, why);
    if (err == SL_OK)
        err = sl_sink_table_finish(&builder, out, why);
    else
        err = sl_wrap(why, err, "ask what table %.*s.%.*s is like downstream", (int)schema.len,
                      (const char *)schema.bytes, (int)name.len, (const char *)name.bytes);
    sl_sink_table_abandon(&builder);
    sl_sql_done(&sql);
    return err;
}
