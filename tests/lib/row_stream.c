#include "lib/row_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "binlog/table_info.h"

enum { NUMBERS = 24, RARE = 40, TEMPORARY = 1000, ROWS_WANTED = 16, ROWS_MAX = 40 };

/* ---- shapes ---- */

static void add_column(struct model_table *t, const char *name, bool is_text, bool is_folded,
                       bool is_nullable)
{
    struct model_column *c = &t->columns[t->column_count++];

    c->id = t->column_count;
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    c->is_text = is_text;
    c->is_folded = is_folded;
    c->is_nullable = is_nullable;
}

static void add_key(struct model_table *t, const char *name, uint32_t part_count,
                    const struct model_part *parts)
{
    struct model_key *key = &t->keys[t->key_count++];

    (void)snprintf(key->name, sizeof key->name, "%s", name);
    key->is_primary = strcmp(name, "pk") == 0;
    key->part_count = part_count;
    memcpy(key->parts, parts, part_count * sizeof *parts);
}

#define KEY(t, name, ...)                                                                    \
    add_key(t, name, sizeof((struct model_part[]){__VA_ARGS__}) / sizeof(struct model_part), \
            (const struct model_part[]){__VA_ARGS__})

struct model_table stream_table(enum stream_shape shape, int64_t id, const char *name)
{
    struct model_table t = {.id = id, .pk_is_handle = shape == STREAM_HANDLE};

    (void)snprintf(t.name, sizeof t.name, "%s", name);
    switch (shape) {
    case STREAM_HANDLE:
        add_column(&t, "id", false, false, false);
        add_column(&t, "u", true, true, true);
        add_column(&t, "v", false, false, true);
        KEY(&t, "pk", {0, 0});
        KEY(&t, "ku", {1, 0});
        KEY(&t, "kv", {2, 0});
        break;
    case STREAM_TEXT_PK:
        add_column(&t, "k", true, true, false);
        add_column(&t, "v", false, false, false);
        KEY(&t, "pk", {0, 0});
        KEY(&t, "kv", {1, 0});
        break;
    case STREAM_PREFIX_PK:
        add_column(&t, "a", true, false, false);
        add_column(&t, "b", true, true, true);
        KEY(&t, "pk", {0, 2});
        KEY(&t, "kb", {1, 1});
        break;
    case STREAM_COMPOSITE:
        add_column(&t, "a", false, false, false);
        add_column(&t, "b", true, false, false);
        add_column(&t, "c", true, true, true);
        KEY(&t, "pk", {0, 0}, {1, 0});
        KEY(&t, "kc", {2, 0}, {0, 0});
        break;
    case STREAM_UNIQUE_ONLY:
        add_column(&t, "a", false, false, false);
        add_column(&t, "b", true, true, true);
        KEY(&t, "ka", {0, 0});
        KEY(&t, "kb", {1, 2});
        break;
    case STREAM_NO_KEY: add_column(&t, "x", false, false, true); break;
    case STREAM_NULLABLE_UNIQUE:
        add_column(&t, "x", false, false, true);
        KEY(&t, "kx", {0, 0});
        break;
    case STREAM_NULLABLE_PREFIX:
        add_column(&t, "x", true, true, true);
        KEY(&t, "kx", {0, 2});
        break;
    case STREAM_SHAPES: SL_UNREACHABLE("not a shape");
    }
    add_column(&t, "w", true, false, true);
    return t;
}

/* ---- values ---- */

static struct model_cell draw_text(struct sl_prng *dice)
{
    static const char *const letters[] = {"a", "A", "b", "B", "c"};
    static const char *const rare[] = {"\xc3\xa9", "\xc3\x89", " ", "e"};
    char                     text[MODEL_TEXT_BYTES] = "";
    size_t                   len = 0;
    uint64_t                 count = sl_prng_below(dice, 4);

    for (uint64_t i = 0; i < count; i++) {
        const char *piece = sl_prng_chance(dice, 1, RARE) ? rare[sl_prng_below(dice, 4)]
                                                          : letters[sl_prng_below(dice, 5)];

        len += (size_t)snprintf(text + len, sizeof text - len, "%s", piece);
    }
    return model_text(text);
}

static struct model_cell draw_cell(struct sl_prng *dice, const struct model_column *column)
{
    if (column->is_nullable && sl_prng_chance(dice, 1, 6))
        return model_null();
    return column->is_text ? draw_text(dice) : model_int((int64_t)sl_prng_below(dice, NUMBERS));
}

static struct model_row draw_row(struct sl_prng *dice, const struct model_table *t)
{
    struct model_row row = {0};

    for (uint32_t i = 0; i < t->column_count; i++)
        row.cells[i] = draw_cell(dice, &t->columns[i]);
    return row;
}

/* ---- statements ---- */

/* What a statement has done so far. */
struct statement {
    struct model_table  t;
    struct stream_step *steps;
    uint32_t            count;
    bool                fails;
};

static void step(struct statement *s, enum sl_change_kind kind, const struct model_row *old,
                 const struct model_row *new_row)
{
    struct stream_step *to = &s->steps[s->count];

    if (s->fails)
        return;
    if (s->count == STREAM_STEPS_MAX || (kind == SL_CHANGE_INSERT && s->t.row_count == ROWS_MAX) ||
        (kind == SL_CHANGE_UPDATE && model_same_row(&s->t, old, new_row))) {
        s->fails = true;
        return;
    }
    *to = (struct stream_step){.kind = kind};
    if (old != NULL)
        to->old = *old;
    if (new_row != NULL)
        to->new_row = *new_row;
    s->fails = !model_apply(&s->t, kind, &to->old, &to->new_row);
    s->count++;
}

/* REPLACE: what is in the way goes first. */
static void replace(struct statement *s, const struct model_row *row)
{
    int32_t place;

    while (!s->fails && (place = model_collision(&s->t, row, MODEL_NO_ROW)) != MODEL_NO_ROW) {
        const struct model_row old = s->t.rows[place];

        step(s, SL_CHANGE_DELETE, &old, NULL);
    }
    step(s, SL_CHANGE_INSERT, NULL, row);
}

/* An update that changes the handle is a delete and an insert. */
static void update(struct statement *s, const struct model_row *old, const struct model_row *row)
{
    uint32_t handle = s->t.pk_is_handle ? s->t.keys[0].parts[0].column : 0;

    if (!s->t.pk_is_handle || old->cells[handle].number == row->cells[handle].number) {
        step(s, SL_CHANGE_UPDATE, old, row);
        return;
    }
    step(s, SL_CHANGE_DELETE, old, NULL);
    step(s, SL_CHANGE_INSERT, NULL, row);
}

/* Two rows change their values of a unique key, by way of a third value. */
static void swap(struct sl_prng *dice, struct statement *s)
{
    struct model_row  a = s->t.rows[sl_prng_below(dice, s->t.row_count)];
    struct model_row  b = s->t.rows[sl_prng_below(dice, s->t.row_count)];
    struct model_row  aside = a;
    struct model_row  a_then = a;
    struct model_row  b_then = b;
    struct model_key *key;

    if (s->t.key_count == 0 || model_same_row(&s->t, &a, &b)) {
        s->fails = true;
        return;
    }
    key = &s->t.keys[sl_prng_below(dice, s->t.key_count)];
    for (uint32_t i = 0; i < key->part_count; i++) {
        uint32_t column = key->parts[i].column;

        aside.cells[column] =
            s->t.columns[column].is_text ? model_text("zz") : model_int(TEMPORARY);
        a_then.cells[column] = b.cells[column];
        b_then.cells[column] = a.cells[column];
    }
    update(s, &a, &aside);
    update(s, &b, &b_then);
    update(s, &aside, &a_then);
}

static void change_row(struct sl_prng *dice, struct statement *s)
{
    const struct model_row old = s->t.rows[sl_prng_below(dice, s->t.row_count)];
    struct model_row       row = old;

    for (uint32_t i = 0; i < s->t.column_count; i++) {
        if (sl_prng_chance(dice, 1, 2))
            row.cells[i] = draw_cell(dice, &s->t.columns[i]);
    }
    update(s, &old, &row);
}

static void delete_row(struct sl_prng *dice, struct statement *s)
{
    const struct model_row old = s->t.rows[sl_prng_below(dice, s->t.row_count)];

    step(s, SL_CHANGE_DELETE, &old, NULL);
}

static void insert_row(struct sl_prng *dice, struct statement *s)
{
    const struct model_row row = draw_row(dice, &s->t);

    if (sl_prng_chance(dice, 1, 3))
        replace(s, &row);
    else
        step(s, SL_CHANGE_INSERT, NULL, &row);
}

uint32_t stream_draw(struct sl_prng *dice, struct model_table *t,
                     struct stream_step steps[STREAM_STEPS_MAX])
{
    struct statement s = {.t = *t, .steps = steps};

    if (t->row_count < ROWS_WANTED && sl_prng_chance(dice, 1, 2)) {
        insert_row(dice, &s);
    } else if (t->row_count > 0) {
        switch (sl_prng_below(dice, 5)) {
        case 0: swap(dice, &s); break;
        case 1: delete_row(dice, &s); break;
        case 2: insert_row(dice, &s); break;
        default: change_row(dice, &s); break;
        }
    }
    if (s.fails)
        return 0;
    *t = s.t;
    return s.count;
}

/* ---- as the drainer sees it ---- */

struct sl_table *stream_sl_table(const struct model_table *t)
{
    char            *text = NULL;
    size_t           len = 0;
    FILE            *out = open_memstream(&text, &len);
    struct sl_json  *info = NULL;
    struct sl_table *table = NULL;

    SL_ASSERT(out != NULL);
    model_print_info(out, t);
    (void)fclose(out);
    if (sl_json_parse((struct sl_slice){(const uint8_t *)text, len}, &info, NULL) != SL_OK ||
        table_info_read(info, sl_slice_from_string("test"), 1, &table, NULL) != SL_OK)
        SL_PANIC("no TableInfo: %s", text);
    sl_json_free(&info);
    free(text);
    return table;
}

static struct sl_value *values_of(struct sl_arena *arena, const struct model_table *t,
                                  const struct sl_table *table, const struct model_row *row)
{
    struct sl_value *values = sl_arena_alloc(arena, table->column_count * sizeof *values);

    SL_ASSERT(table->column_count == t->column_count);
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct model_cell *cell = &row->cells[i];

        values[i] = (struct sl_value){.kind = SL_VALUE_NULL};
        if (cell->is_null)
            continue;
        values[i].kind = t->columns[i].is_text ? SL_VALUE_TEXT : SL_VALUE_INT;
        values[i].i = cell->number;
        if (t->columns[i].is_text) {
            uint8_t *bytes = sl_arena_alloc(arena, cell->len + 1u);

            memcpy(bytes, cell->text, cell->len);
            values[i].text = (struct sl_slice){bytes, cell->len};
        }
    }
    return values;
}

struct sl_change stream_change(struct sl_arena *arena, const struct model_table *t,
                               const struct sl_table *table, const struct stream_step *step_made)
{
    const bool       is_delete = step_made->kind == SL_CHANGE_DELETE;
    struct sl_change change = {.table = table, .kind = step_made->kind};

    change.values = values_of(arena, t, table, is_delete ? &step_made->old : &step_made->new_row);
    if (step_made->kind == SL_CHANGE_UPDATE)
        change.old = values_of(arena, t, table, &step_made->old);
    return change;
}
