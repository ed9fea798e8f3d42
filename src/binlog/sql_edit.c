#include "binlog/sql_edit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { FIRST_ROOM = 256 };

/* ---- writing ---- */

static void put_bytes(struct sql_out *out, const void *bytes, size_t count)
{
    if (count > out->room - out->len) {
        size_t room = out->room == 0 ? FIRST_ROOM : out->room;
        char  *more;

        while (room - out->len < count)
            room *= 2;
        more = sl_arena_alloc(out->arena, room);
        if (out->len > 0)
            memcpy(more, out->bytes, out->len);
        out->bytes = more;
        out->room = room;
    }
    if (count > 0)
        memcpy(out->bytes + out->len, bytes, count);
    out->len += count;
}

void sql_put(struct sql_out *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

void sql_put_slice(struct sql_out *out, struct sl_slice text)
{
    put_bytes(out, text.bytes, text.len);
}

void sql_put_int(struct sql_out *out, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    sql_put(out, text);
}

void sql_put_name(struct sql_out *out, struct sl_slice name)
{
    sql_put(out, "`");
    for (size_t i = 0; i < name.len; i++) {
        if (name.bytes[i] == '`')
            sql_put(out, "`");
        put_bytes(out, name.bytes + i, 1);
    }
    sql_put(out, "`");
}

void sql_put_table(struct sql_out *out, struct sl_slice schema, struct sl_slice table)
{
    if (schema.len > 0) {
        sql_put_name(out, schema);
        sql_put(out, ".");
    }
    sql_put_name(out, table);
}

void sql_put_text(struct sql_out *out, struct sl_slice text)
{
    sql_put(out, "'");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.bytes[i];

        if (c == '\'' || c == '\\')
            put_bytes(out, c == '\'' ? "'" : "\\", 1);
        if (c == '\0')
            sql_put(out, "\\0");
        else
            put_bytes(out, &c, 1);
    }
    sql_put(out, "'");
}

struct sl_slice sql_written(struct sql_out *out)
{
    size_t len = out->len;

    put_bytes(out, "", 1);
    return (struct sl_slice){(const uint8_t *)out->bytes, len};
}

/* ---- editing ---- */

struct sql_edits sql_edits_begin(struct sl_arena *arena, uint32_t room)
{
    struct sql_edits edits = {.room = room};

    edits.all = sl_arena_alloc(arena, room * sizeof edits.all[0]);
    return edits;
}

void sql_edit(struct sql_edits *edits, size_t at, size_t len, const char *by)
{
    SL_ASSERT(edits->count < edits->room);
    edits->all[edits->count++] = (struct sql_edit){at, len, by};
}

static int by_place(const void *a, const void *b)
{
    const struct sql_edit *x = a;
    const struct sql_edit *y = b;

    if (x->at == y->at)
        return x->len < y->len ? -1 : x->len > y->len;
    return x->at < y->at ? -1 : 1;
}

struct sl_slice sql_edited(struct sql_edits *edits, struct sl_slice text, struct sl_arena *arena)
{
    struct sql_out out = {.arena = arena};
    size_t         done = 0;

    qsort(edits->all, edits->count, sizeof edits->all[0], by_place);
    for (uint32_t i = 0; i < edits->count; i++) {
        const struct sql_edit *edit = &edits->all[i];

        SL_ASSERT(edit->at >= done && edit->at + edit->len <= text.len);
        put_bytes(&out, text.bytes + done, edit->at - done);
        sql_put(&out, edit->by);
        done = edit->at + edit->len;
    }
    put_bytes(&out, text.bytes + done, text.len - done);
    return sql_written(&out);
}
