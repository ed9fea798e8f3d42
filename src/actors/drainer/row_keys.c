#include "actors/drainer/row_keys.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"

/* How the values of a part are hashed. */
enum part_mode {
    PART_EXACT,  /* as they stand */
    PART_BLANKS, /* text, without trailing blanks */
    PART_FOLDED, /* text, ASCII letters folded, without trailing blanks */
};

struct part {
    uint32_t       column; /* place in table->columns */
    enum part_mode mode;
    uint32_t       prefix; /* characters, or bytes of a binary column; 0: all */
};

struct sl_row_key {
    bool        is_wide; /* one hash for all rows */
    uint32_t    part_count;
    struct part parts[SL_KEY_PARTS_MAX];
};

/* ---- compiling ---- */

static bool same_name(struct sl_slice a, struct sl_slice b)
{
    return a.len == b.len && strncasecmp((const char *)a.bytes, (const char *)b.bytes, a.len) == 0;
}

static bool find_column(const struct sl_table *table, struct sl_slice name, uint32_t *out)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].state == SL_SCHEMA_PUBLIC &&
            same_name(table->columns[i].name, name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static enum part_mode mode_of(const struct sl_sink_column *column)
{
    switch (column->comparison) {
    case SL_SINK_BY_VALUE: return PART_EXACT;
    case SL_SINK_BY_BYTES: return column->pads_blanks ? PART_BLANKS : PART_EXACT;
    case SL_SINK_BY_COLLATION: return PART_FOLDED;
    }
    SL_UNREACHABLE("not a comparison");
}

/* A key of the downstream. */
static struct sl_row_key sink_key(const struct sl_row_keys *k, const struct sl_sink_key *from)
{
    struct sl_row_key key = {.is_wide =
                                 from->has_expression || from->part_count > SL_KEY_PARTS_MAX};

    for (uint32_t i = 0; i < from->part_count && !key.is_wide; i++) {
        const struct sl_sink_part   *part = &from->parts[i];
        const struct sl_sink_column *column = &k->sink_table->columns[part->column];
        struct part                 *to = &key.parts[key.part_count++];

        key.is_wide = !find_column(k->table, column->name, &to->column);
        to->mode = mode_of(column);
        to->prefix = part->prefix;
    }
    return key;
}

/* A key of the upstream, compared as the downstream compares its columns. */
static struct sl_row_key table_key(const struct sl_row_keys *k, const struct sl_index_info *from)
{
    struct sl_row_key key = {.is_wide = from->part_count > SL_KEY_PARTS_MAX};

    for (uint32_t i = 0; i < from->part_count && !key.is_wide; i++) {
        const struct sl_index_part *part = &from->parts[i];
        struct part                *to = &key.parts[key.part_count++];
        int32_t column = sl_sink_table_find(k->sink_table, k->table->columns[part->column].name);

        to->column = part->column;
        to->mode = column < 0 ? PART_EXACT : mode_of(&k->sink_table->columns[column]);
        to->prefix = part->length < 0 ? 0 : (uint32_t)part->length;
    }
    return key;
}

static bool same_key(const struct sl_row_key *a, const struct sl_row_key *b)
{
    if (a->part_count != b->part_count || a->is_wide != b->is_wide)
        return false;
    for (uint32_t i = 0; i < a->part_count; i++) {
        if (a->parts[i].column != b->parts[i].column || a->parts[i].mode != b->parts[i].mode ||
            a->parts[i].prefix != b->parts[i].prefix)
            return false;
    }
    return true;
}

static void add_key(struct sl_row_keys *k, const struct sl_row_key *key)
{
    for (uint32_t i = 0; i < k->key_count; i++) {
        if (same_key(&k->keys[i], key))
            return;
    }
    if (k->key_count < SL_KEYS_MAX)
        k->keys[k->key_count++] = *key;
    else /* more than can be told apart: all rows collide */
        k->keys[0].is_wide = true;
}

/* A row is found by it: each part is a column that rows always have. */
static bool identifies(const struct sl_row_keys *k, const struct sl_sink_key *from,
                       const struct sl_row_key *key, bool whole)
{
    if (!from->is_not_null || from->has_expression || key->is_wide || key->part_count == 0)
        return false;
    for (uint32_t i = 0; i < key->part_count; i++) {
        if (!sl_column_is_writable(&k->table->columns[key->parts[i].column]) ||
            (whole && key->parts[i].prefix != 0))
            return false;
    }
    return true;
}

/* The primary key comes first; a key on prefixes serves when there is no other. */
static void choose_identity(struct sl_row_keys *k)
{
    for (int whole = 1; whole >= 0 && !k->is_keyed; whole--) {
        for (uint32_t i = 0; i < k->sink_table->key_count && !k->is_keyed; i++) {
            struct sl_row_key key = sink_key(k, &k->sink_table->keys[i]);

            if (!identifies(k, &k->sink_table->keys[i], &key, whole == 1))
                continue;
            k->is_keyed = true;
            k->identity_count = key.part_count;
            for (uint32_t j = 0; j < key.part_count; j++)
                k->identity[j] = key.parts[j].column;
        }
    }
}

static void add_handle(struct sl_row_keys *k)
{
    for (uint32_t i = 0; i < k->table->column_count && k->table->pk_is_handle; i++) {
        const struct sl_row_key key = {.part_count = 1, .parts = {{.column = i}}};

        if (k->table->columns[i].flags & SL_COLUMN_PRIMARY)
            add_key(k, &key);
    }
}

static uint64_t hash_name(const struct sl_table *table)
{
    uint64_t hash = sl_hash_bytes(0, table->schema.bytes, table->schema.len);

    return sl_hash_combine(hash, sl_hash_bytes(1, table->name.bytes, table->name.len));
}

struct sl_row_keys *sl_row_keys_new(const struct sl_table *table, struct sl_sink_table *sink_table)
{
    struct sl_row_keys *k = calloc(1, sizeof *k);

    SL_ASSERT(k != NULL);
    k->keys = calloc(SL_KEYS_MAX, sizeof *k->keys);
    SL_ASSERT(k->keys != NULL);
    k->table = sl_table_ref((struct sl_table *)(uintptr_t)table);
    k->sink_table = sl_sink_table_ref(sink_table);
    k->seed = hash_name(table);
    k->lane = (uint32_t)(k->seed % SL_ROW_LANES);
    for (uint32_t i = 0; i < sink_table->key_count; i++) {
        const struct sl_row_key key = sink_key(k, &sink_table->keys[i]);

        add_key(k, &key);
    }
    add_handle(k);
    for (uint32_t i = 0; i < table->index_count; i++) {
        const struct sl_row_key key = table_key(k, &table->indexes[i]);

        if (table->indexes[i].is_unique || table->indexes[i].is_primary)
            add_key(k, &key);
    }
    choose_identity(k);
    return k;
}

void sl_row_keys_free(struct sl_row_keys **keys)
{
    struct sl_row_keys *old = *keys;

    *keys = NULL;
    if (old == NULL)
        return;
    sl_table_free(&old->table);
    sl_sink_table_free(&old->sink_table);
    free(old->keys);
    free(old);
}

/* ---- values ---- */

static bool is_number(enum sl_column_type type)
{
    switch ((int)type) {
    case SL_TYPE_TINY:
    case SL_TYPE_SHORT:
    case SL_TYPE_INT24:
    case SL_TYPE_LONG:
    case SL_TYPE_LONGLONG:
    case SL_TYPE_FLOAT:
    case SL_TYPE_DOUBLE:
    case SL_TYPE_YEAR:
    case SL_TYPE_BIT:
    case SL_TYPE_ENUM:
    case SL_TYPE_SET: return true;
    default: return false;
    }
}

/* The first `characters` of UTF-8 text; of what is none, bytes that look like beginnings count. */
static struct sl_slice prefix_of(struct sl_slice text, uint32_t characters, bool bytes)
{
    uint32_t seen = 0;

    if (bytes)
        return (struct sl_slice){text.bytes, text.len < characters ? text.len : characters};
    for (size_t i = 0; i < text.len; i++) {
        if ((text.bytes[i] & 0xc0) != 0x80 && seen++ == characters)
            return (struct sl_slice){text.bytes, i};
    }
    return text;
}

static struct sl_slice without_blanks(struct sl_slice text)
{
    while (text.len > 0 && text.bytes[text.len - 1] == ' ')
        text.len--;
    return text;
}

static struct sl_slice compared(const struct sl_row_keys *k, const struct part *part,
                                struct sl_slice text)
{
    if (part->prefix != 0)
        text = prefix_of(text, part->prefix, k->table->columns[part->column].is_binary);
    return part->mode == PART_EXACT ? text : without_blanks(text);
}

static uint64_t hash_folded(struct sl_slice text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a over what is left after folding */

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint64_t)tolower(text.bytes[i])) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_value(const struct sl_row_keys *k, const struct part *part,
                           const struct sl_value *value)
{
    struct sl_slice text;
    double          number;
    uint64_t        bits;

    switch (value->kind) {
    case SL_VALUE_INT: return sl_hash_u64((uint64_t)value->i);
    case SL_VALUE_UINT: return sl_hash_u64(value->u);
    case SL_VALUE_FLOAT:
    case SL_VALUE_DOUBLE:
        number = value->d == 0 ? 0 : value->d; /* the two zeros are equal */
        memcpy(&bits, &number, sizeof bits);
        return sl_hash_u64(bits);
    case SL_VALUE_TEXT:
        text = compared(k, part, value->text);
        return part->mode == PART_FOLDED ? hash_folded(text)
                                         : sl_hash_bytes(0, text.bytes, text.len);
    case SL_VALUE_ABSENT:
    case SL_VALUE_NULL: break;
    }
    SL_UNREACHABLE("has no hash");
}

/* ---- widening ---- */

static bool is_plain(struct sl_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] < 0x20 || text.bytes[i] > 0x7e)
            return false;
    }
    return true;
}

/* Cannot this value's equals be told by its hash? */
static bool is_too_much(const struct sl_row_keys *k, const struct part *part,
                        const struct sl_value *value)
{
    if (value->kind == SL_VALUE_ABSENT)
        return true;
    if (value->kind != SL_VALUE_TEXT)
        return false;
    if (is_number(k->table->columns[part->column].type))
        return true; /* a default in the form of text: 5 and "5" are one */
    return part->mode == PART_FOLDED && !is_plain(compared(k, part, value->text));
}

static bool widen(struct sl_row_keys *k, const struct sl_value *image)
{
    bool any = false;

    for (uint32_t i = 0; i < k->key_count; i++) {
        struct sl_row_key *key = &k->keys[i];

        for (uint32_t j = 0; j < key->part_count && !key->is_wide; j++) {
            if (is_too_much(k, &key->parts[j], &image[key->parts[j].column]))
                any = key->is_wide = true;
        }
    }
    return any;
}

bool sl_row_keys_widen(struct sl_row_keys *keys, const struct sl_change *change)
{
    bool any = widen(keys, change->values);

    return (change->kind == SL_CHANGE_UPDATE && widen(keys, change->old)) || any;
}

/* ---- hashes ---- */

static uint32_t hash_image(const struct sl_row_keys *k, const struct sl_value *image, uint64_t *out)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < k->key_count; i++) {
        const struct sl_row_key *key = &k->keys[i];
        uint64_t                 hash = sl_hash_combine(k->seed, i);
        bool                     has_null = false;

        for (uint32_t j = 0; j < key->part_count && !key->is_wide && !has_null; j++) {
            const struct sl_value *value = &image[key->parts[j].column];

            has_null = value->kind == SL_VALUE_NULL;
            if (!has_null)
                hash = sl_hash_combine(hash, hash_value(k, &key->parts[j], value));
        }
        if (!has_null)
            out[count++] = hash;
    }
    return count;
}

uint32_t sl_row_keys_hash(const struct sl_row_keys *keys, const struct sl_change *change,
                          uint64_t *out)
{
    uint32_t count = hash_image(keys, change->values, out);

    if (change->kind == SL_CHANGE_UPDATE)
        count += hash_image(keys, change->old, out + count);
    return count;
}
