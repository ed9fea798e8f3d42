#include "binlog/create_table.h"

#include "binlog/job_json.h"

/* The types of a partition that can be written (codec spec 3.5). */
enum partition_kind {
    PARTITION_RANGE = 1,
    PARTITION_HASH = 2,
    PARTITION_LIST = 3,
    PARTITION_KEY = 4,
};

/* Values as TiDB has them: texts of expressions. */
static void put_values(struct sql_out *out, const struct sl_json *list)
{
    for (size_t i = 0; i < job_count(list); i++) {
        sql_put(out, i == 0 ? "(" : ",");
        if (sl_json_kind(sl_json_at(list, i)) == SL_JSON_TEXT)
            sql_put_slice(out, sl_json_slice(sl_json_at(list, i)));
    }
    sql_put(out, ")");
}

static enum sl_err put_in_values(struct sql_out *out, const struct sl_json *definition,
                                 struct sl_why *why)
{
    const struct sl_json *rows;
    enum sl_err           err;

    if ((err = job_take_array(definition, "in_values", &rows, why)) != SL_OK)
        return err;
    sql_put(out, " values in (");
    for (size_t i = 0; i < job_count(rows); i++) {
        const struct sl_json *row = sl_json_at(rows, i);

        if (i > 0)
            sql_put(out, ",");
        if (sl_json_kind(row) != SL_JSON_ARRAY)
            return sl_fail(why, SL_INVALID, "in_values holds %s",
                           sl_json_kind_name(sl_json_kind(row)));
        if (job_count(row) == 1 && sl_json_kind(sl_json_at(row, 0)) == SL_JSON_TEXT)
            sql_put_slice(out, sl_json_slice(sl_json_at(row, 0)));
        else
            put_values(out, row);
    }
    sql_put(out, ")");
    return SL_OK;
}

static enum sl_err put_definition(struct sql_out *out, const struct sl_json *definition,
                                  bool is_list, struct sl_why *why)
{
    const struct sl_json *less_than;
    struct sl_slice       name;
    enum sl_err           err;

    if (sl_json_kind(definition) != SL_JSON_OBJECT)
        return sl_fail(why, SL_INVALID, "definitions holds %s",
                       sl_json_kind_name(sl_json_kind(definition)));
    if ((err = job_take_name(definition, "name", &name, why)) != SL_OK ||
        (err = job_take_array(definition, "less_than", &less_than, why)) != SL_OK)
        return err;
    sql_put(out, "partition ");
    sql_put_name(out, name);
    if (is_list)
        return put_in_values(out, definition, why);
    sql_put(out, " values less than ");
    put_values(out, less_than);
    return SL_OK;
}

static enum sl_err put_definitions(struct sql_out *out, const struct sl_json *partition,
                                   bool is_list, struct sl_why *why)
{
    const struct sl_json *list;
    enum sl_err           err;

    if ((err = job_take_array(partition, "definitions", &list, why)) != SL_OK)
        return err;
    for (size_t i = 0; i < job_count(list) && err == SL_OK; i++) {
        sql_put(out, i == 0 ? " (" : ", ");
        err = put_definition(out, sl_json_at(list, i), is_list, why);
    }
    sql_put(out, ")");
    return err;
}

/* COLUMNS (names), or the expression. */
static enum sl_err put_partition_key(struct sql_out *out, const struct sl_json *partition,
                                     const char *columns_word, struct sl_why *why)
{
    const struct sl_json *columns;
    struct sl_slice       expression;
    struct sl_slice       name;
    enum sl_err           err;

    if ((err = job_take_array(partition, "columns", &columns, why)) != SL_OK ||
        (err = job_take_text(partition, "expr", &expression, why)) != SL_OK)
        return err;
    sql_put(out, job_count(columns) > 0 ? columns_word : "");
    sql_put(out, " (");
    for (size_t i = 0; i < job_count(columns); i++) {
        if ((err = job_name_of(sl_json_at(columns, i), "columns", &name, why)) != SL_OK)
            return err;
        sql_put(out, i == 0 ? "" : ",");
        sql_put_name(out, name);
    }
    if (job_count(columns) == 0)
        sql_put_slice(out, expression);
    sql_put(out, ")");
    return SL_OK;
}

enum sl_err create_table_put_partitions(struct sql_out *out, const struct sl_json *info,
                                        struct sl_why *why)
{
    static const char *const words[] = {[PARTITION_RANGE] = "range",
                                        [PARTITION_HASH] = "hash",
                                        [PARTITION_LIST] = "list",
                                        [PARTITION_KEY] = "key"};
    const struct sl_json    *partition;
    int64_t                  kind;
    int64_t                  number;
    enum sl_err              err;

    if ((err = job_take_object(info, "partition", &partition, why)) != SL_OK ||
        (err = job_take_int(partition, "type", &kind, why)) != SL_OK ||
        (err = job_take_int(partition, "num", &number, why)) != SL_OK)
        return err;
    if (partition == NULL || kind < PARTITION_RANGE || kind > PARTITION_KEY)
        return SL_OK;
    sql_put(out, " partition by ");
    sql_put(out, words[kind]);
    if ((err = put_partition_key(out, partition, kind == PARTITION_KEY ? "" : " columns", why)) !=
        SL_OK)
        return err;
    if (kind == PARTITION_RANGE || kind == PARTITION_LIST)
        return put_definitions(out, partition, kind == PARTITION_LIST, why);
    sql_put(out, " partitions ");
    sql_put_int(out, number);
    return SL_OK;
}
