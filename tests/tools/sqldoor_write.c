#include "tools/sqldoor_write.h"

#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_table_load.h"
#include "base/arena.h"
#include "binlog/statement.h"

enum { COLUMNS_MAX = 64, ROWS_MAX = 1000 };

static struct sl_column columns[COLUMNS_MAX];
static struct sl_table  table;

static void read_columns(char *words)
{
    char *state = NULL;

    table = (struct sl_table){.columns = columns};
    for (char *word = strtok_r(words, ",", &state); word != NULL;
         word = strtok_r(NULL, ",", &state)) {
        char             *kind = strchr(word, ':');
        struct sl_column *c = &columns[table.column_count++];

        *kind++ = '\0';
        *c = (struct sl_column){.id = (int64_t)table.column_count,
                                .name = sl_slice_from_string(word),
                                .state = SL_SCHEMA_PUBLIC,
                                .is_binary = *kind == 'b'};
        c->type = *kind == 's'                   ? SL_TYPE_TIMESTAMP
                  : *kind == 'j'                 ? SL_TYPE_JSON
                  : *kind == 't' || *kind == 'b' ? SL_TYPE_VARCHAR
                                                 : SL_TYPE_LONGLONG;
    }
}

static struct sl_slice from_hex(struct sl_arena *arena, const char *text)
{
    size_t   len = strlen(text) / 2;
    uint8_t *bytes = sl_arena_alloc(arena, len);

    for (size_t i = 0; i < len; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (struct sl_slice){bytes, len};
}

static struct sl_value read_value(struct sl_arena *arena, const char *word)
{
    switch (word[0]) {
    case 'N': return (struct sl_value){.kind = SL_VALUE_NULL};
    case 'i': return (struct sl_value){.kind = SL_VALUE_INT, .i = strtoll(word + 1, NULL, 10)};
    case 'u': return (struct sl_value){.kind = SL_VALUE_UINT, .u = strtoull(word + 1, NULL, 10)};
    case 'd': return (struct sl_value){.kind = SL_VALUE_DOUBLE, .d = strtod(word + 1, NULL)};
    case 'x': return (struct sl_value){.kind = SL_VALUE_TEXT, .text = from_hex(arena, word + 1)};
    default: return (struct sl_value){.kind = SL_VALUE_ABSENT};
    }
}

static struct sl_value *read_image(struct sl_arena *arena, char *words)
{
    struct sl_value *image = sl_arena_alloc(arena, COLUMNS_MAX * sizeof *image);
    char            *state = NULL;
    uint32_t         i = 0;

    memset(image, 0, COLUMNS_MAX * sizeof *image);
    for (char *word = strtok_r(words, ",", &state); word != NULL && i < table.column_count;
         word = strtok_r(NULL, ",", &state))
        image[i++] = read_value(arena, word);
    return image;
}

static enum sl_err run(struct sl_mysql *mysql, struct sl_statement_maker *maker,
                       uint32_t *statements, uint32_t *rows, struct sl_why *why)
{
    struct sl_slice text = sl_statement_text(maker);
    enum sl_err     err = SL_OK;

    if (text.len > 0) {
        err = sl_mysql_exec(mysql, (const char *)text.bytes, text.len, NULL, why);
        *statements += 1;
        *rows += sl_statement_rows(maker);
    }
    sl_statement_clear(maker);
    return err;
}

static enum sl_err add_row(struct sl_mysql *mysql, struct sl_statement_maker *maker,
                           enum sl_statement_op op, struct sl_change *change, uint32_t *statements,
                           uint32_t *rows, struct sl_why *why)
{
    enum sl_err err;

    while ((err = sl_statement_add(maker, op, change, why)) == SL_FULL)
        if ((err = run(mysql, maker, statements, rows, why)) != SL_OK)
            return err;
    return err;
}

static enum sl_statement_op read_op(const char *word)
{
    return word[0] == 'i'   ? SL_STATEMENT_INSERT
           : word[0] == 'r' ? SL_STATEMENT_REPLACE
           : word[0] == 'u' ? SL_STATEMENT_UPDATE
                            : SL_STATEMENT_DELETE;
}

static enum sl_err write_rows(struct sl_mysql *mysql, struct sl_statement_maker *maker,
                              enum sl_statement_op op, char **state, uint32_t *statements,
                              uint32_t *rows, struct sl_why *why)
{
    struct sl_arena arena = {0};
    enum sl_err     err = SL_OK;

    for (char *row = strtok_r(NULL, " ", state); row != NULL && err == SL_OK;
         row = strtok_r(NULL, " ", state)) {
        char            *old = strchr(row, '/');
        struct sl_change change = {.table = &table};

        if (old != NULL)
            *old++ = '\0';
        change.values = read_image(&arena, row);
        change.old = old != NULL ? read_image(&arena, old) : NULL;
        err = add_row(mysql, maker, op, &change, statements, rows, why);
    }
    if (err == SL_OK)
        err = run(mysql, maker, statements, rows, why);
    sl_arena_done(&arena);
    return err;
}

enum sl_err sqldoor_write(struct sl_mysql *mysql, char *line, uint32_t *statements, uint32_t *rows,
                          struct sl_why *why)
{
    const struct sl_mysql_session *session = sl_mysql_session(mysql);
    char                          *state = NULL;
    const char                    *op = strtok_r(line, " ", &state);
    const char                    *schema = strtok_r(NULL, " ", &state);
    const char                    *name = strtok_r(NULL, " ", &state);
    char                          *words = strtok_r(NULL, " ", &state);
    struct sl_statement_maker     *maker;
    struct sl_sink_table          *sink;
    enum sl_err                    err;

    if (words == NULL)
        return sl_fail(why, SL_USAGE, "write OP SCHEMA NAME COLUMNS ROW...");
    err = sl_sink_table_load(mysql, sl_slice_from_string(schema), sl_slice_from_string(name), &sink,
                             why);
    if (err != SL_OK)
        return err;
    read_columns(words);
    maker = sl_statement_maker_new(
        &(struct sl_statement_options){.bytes_max = (size_t)session->statement_bytes_max,
                                       .rows_max = ROWS_MAX,
                                       .is_partial = strstr(op, "-partial") != NULL,
                                       .no_backslash_escapes = session->no_backslash_escapes,
                                       .has_utf8mb4 = session->has_utf8mb4});
    err = sl_statement_use(maker, &table, sink, why);
    if (err == SL_OK)
        err = write_rows(mysql, maker, read_op(op), &state, statements, rows, why);
    sl_statement_maker_free(&maker);
    sl_sink_table_free(&sink);
    return err;
}
