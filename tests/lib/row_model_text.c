/* The tables of the model as others see them: TableInfo, a description of a downstream, SQL, and
 * rows in binlogs. */

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/datum.h"
#include "binlog/message.h"
#include "lib/row_model.h"

enum { VARCHAR_CHARACTERS = 20 };

static const char *collation_of(const struct model_column *column)
{
    if (!column->is_text)
        return NULL;
    return column->is_folded ? "utf8mb4_general_ci" : "utf8mb4_bin";
}

static bool is_primary(const struct model_table *t, uint32_t column)
{
    for (uint32_t i = 0; t->key_count > 0 && t->keys[0].is_primary && i < t->keys[0].part_count;
         i++) {
        if (t->keys[0].parts[i].column == column)
            return true;
    }
    return false;
}

/* ---- images ---- */

static struct model_cell cell_of(const struct model_column *column, const struct sl_value *value)
{
    struct model_cell cell = {0};

    if (value == NULL)
        return column->is_nullable ? model_null() : model_int(MODEL_DEFAULT);
    switch (value->kind) {
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: return model_null();
    case SL_VALUE_INT: return model_int(value->i);
    case SL_VALUE_UINT: return model_int((int64_t)value->u);
    case SL_VALUE_FLOAT:
    case SL_VALUE_DOUBLE: break;
    case SL_VALUE_TEXT:
        if (!column->is_text) /* a default */
            return model_int(value->text.bytes[0] - '0');
        SL_ASSERT(value->text.len < sizeof cell.text);
        cell.len = (uint8_t)value->text.len;
        memcpy(cell.text, value->text.bytes, cell.len);
        return cell;
    }
    SL_UNREACHABLE("the model has no such column");
}

struct model_row model_row_of(const struct model_table *t, const struct sl_table *image_of,
                              const struct sl_value *values)
{
    struct model_row row = {0};

    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct sl_value *value = NULL;

        for (uint32_t j = 0; j < image_of->column_count; j++) {
            if (sl_slice_equal(image_of->columns[j].name, sl_slice_from_string(t->columns[i].name)))
                value = &values[j];
        }
        row.cells[i] = cell_of(&t->columns[i], value);
    }
    return row;
}

/* ---- a downstream's description ---- */

struct sl_sink_table *model_sink_table(const struct model_table *t, const char *schema)
{
    struct sl_sink_table_builder *builder =
        sl_sink_table_begin(sl_slice_from_string(schema), sl_slice_from_string(t->name));
    struct sl_sink_table *out = NULL;
    enum sl_err           err = SL_OK;

    for (uint32_t i = 0; i < t->column_count && err == SL_OK; i++) {
        const struct model_column      *c = &t->columns[i];
        const struct sl_sink_column_row row = {c->name, c->is_text ? "varchar" : "int",
                                               c->is_nullable ? "YES" : "NO", "", collation_of(c)};

        err = sl_sink_table_add_column(builder, &row, NULL);
    }
    for (uint32_t i = 0; i < t->key_count; i++) {
        for (uint32_t j = 0; j < t->keys[i].part_count && err == SL_OK; j++) {
            const struct model_part      *part = &t->keys[i].parts[j];
            char                          prefix[16];
            const struct sl_sink_part_row row = {
                t->keys[i].is_primary ? "PRIMARY" : t->keys[i].name, t->columns[part->column].name,
                part->prefix == 0 ? NULL : prefix};

            (void)snprintf(prefix, sizeof prefix, "%" PRIu32, part->prefix);
            err = sl_sink_table_add_part(builder, &row, NULL);
        }
    }
    if (err != SL_OK || sl_sink_table_finish(&builder, &out, NULL) != SL_OK)
        SL_UNREACHABLE("a table of the model is a table");
    return out;
}

/* ---- TableInfo ---- */

static void print_column_info(FILE *out, const struct model_table *t, uint32_t i)
{
    const struct model_column *c = &t->columns[i];
    const unsigned             flags =
        (c->is_nullable ? 0 : SL_COLUMN_NOT_NULL) | (is_primary(t, i) ? SL_COLUMN_PRIMARY : 0);

    (void)fprintf(
        out, "{\"id\":%" PRId64 ",\"name\":{\"O\":\"%s\",\"L\":\"%s\"},\"offset\":%" PRIu32 ",",
        c->id, c->name, c->name, i);
    if (c->is_added && !c->is_nullable)
        (void)fprintf(out, "\"origin_default\":\"%d\",\"default\":\"%d\",", MODEL_DEFAULT,
                      MODEL_DEFAULT);
    (void)fprintf(out,
                  "\"type\":{\"Tp\":%d,\"Flag\":%u,\"Flen\":%d,\"Decimal\":0,\"Charset\":\"%s\","
                  "\"Collate\":\"%s\",\"Elems\":null},\"state\":5,\"comment\":\"\"}",
                  c->is_text ? SL_TYPE_VARCHAR : SL_TYPE_LONG, flags,
                  c->is_text ? VARCHAR_CHARACTERS : 11, c->is_text ? "utf8mb4" : "binary",
                  c->is_text ? collation_of(c) : "binary");
}

static void print_key_info(FILE *out, const struct model_table *t, uint32_t i)
{
    const struct model_key *key = &t->keys[i];

    (void)fprintf(out,
                  "{\"id\":%" PRIu32 ",\"idx_name\":{\"O\":\"%s\",\"L\":\"%s\"},\"state\":5,"
                  "\"is_unique\":true,\"is_primary\":%s,\"idx_cols\":[",
                  i + 1, key->is_primary ? "PRIMARY" : key->name,
                  key->is_primary ? "primary" : key->name, key->is_primary ? "true" : "false");
    for (uint32_t j = 0; j < key->part_count; j++) {
        const struct model_part *part = &key->parts[j];

        (void)fprintf(
            out, "%s{\"name\":{\"O\":\"%s\",\"L\":\"%s\"},\"offset\":%" PRIu32 ",\"length\":%d}",
            j == 0 ? "" : ",", t->columns[part->column].name, t->columns[part->column].name,
            part->column, part->prefix == 0 ? -1 : (int)part->prefix);
    }
    (void)fputs("]}", out);
}

void model_print_info(FILE *out, const struct model_table *t)
{
    const char *comma = "";

    (void)fprintf(out, "{\"id\":%" PRId64 ",\"name\":{\"O\":\"%s\",\"L\":\"%s\"},\"cols\":[", t->id,
                  t->name, t->name);
    for (uint32_t i = 0; i < t->column_count; i++) {
        (void)fputs(i == 0 ? "" : ",", out);
        print_column_info(out, t, i);
    }
    (void)fputs("],\"index_info\":[", out);
    for (uint32_t i = t->pk_is_handle ? 1 : 0; i < t->key_count; i++) {
        (void)fputs(comma, out);
        print_key_info(out, t, i);
        comma = ",";
    }
    (void)fprintf(out,
                  "],\"state\":5,\"pk_is_handle\":%s,\"charset\":\"utf8mb4\","
                  "\"collate\":\"utf8mb4_bin\"}",
                  t->pk_is_handle ? "true" : "false");
}

/* ---- SQL ---- */

void model_print_create(FILE *out, const struct model_table *t)
{
    (void)fprintf(out, "create table test.%s (", t->name);
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct model_column *c = &t->columns[i];

        (void)fprintf(out, "%s%s %s", i == 0 ? "" : ", ", c->name,
                      c->is_text ? "varchar(20)" : "int");
        if (c->is_text)
            (void)fprintf(out, " collate %s", collation_of(c));
        (void)fputs(c->is_nullable ? " null" : " not null", out);
    }
    for (uint32_t i = 0; i < t->key_count; i++) {
        (void)fputs(t->keys[i].is_primary ? ", primary key (" : ", unique key ", out);
        if (!t->keys[i].is_primary)
            (void)fprintf(out, "%s (", t->keys[i].name);
        for (uint32_t j = 0; j < t->keys[i].part_count; j++) {
            const struct model_part *part = &t->keys[i].parts[j];

            (void)fprintf(out, "%s%s", j == 0 ? "" : ", ", t->columns[part->column].name);
            if (part->prefix != 0)
                (void)fprintf(out, "(%" PRIu32 ")", part->prefix);
        }
        (void)fputc(')', out);
    }
    (void)fputs(") charset utf8mb4 collate utf8mb4_bin", out);
}

void model_print_cell(FILE *out, const struct model_table *t, uint32_t column,
                      const struct model_cell *cell)
{
    if (cell->is_null)
        (void)fputs("NULL", out);
    else if (t->columns[column].is_text)
        (void)fprintf(out, "'%.*s'", (int)cell->len, cell->text);
    else
        (void)fprintf(out, "%" PRId64, cell->number);
}

/* ---- rows in binlogs ---- */

static uint8_t *put_varint(uint8_t *at, int64_t value)
{
    *at++ = DATUM_FLAG_VARINT;
    return sl_message_put_number(at, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

uint8_t *model_put_row(uint8_t *at, const struct model_table *t, const struct model_row *row,
                       bool is_insert)
{
    uint32_t handle = t->pk_is_handle ? t->keys[0].parts[0].column : MODEL_COLUMNS_MAX;

    if (is_insert)
        at = put_varint(at, t->pk_is_handle ? row->cells[handle].number : 1);
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct model_cell *cell = &row->cells[i];

        if (is_insert && i == handle)
            continue;
        at = put_varint(at, t->columns[i].id);
        if (cell->is_null) {
            *at++ = DATUM_FLAG_NIL;
        } else if (t->columns[i].is_text) {
            *at++ = DATUM_FLAG_BYTES;
            at = sl_message_put_number(at, (uint64_t)cell->len << 1);
            memcpy(at, cell->text, cell->len);
            at += cell->len;
        } else {
            at = put_varint(at, cell->number);
        }
    }
    return at;
}
