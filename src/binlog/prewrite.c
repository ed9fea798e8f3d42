#include <stdbool.h>

#include "base/assert.h"
#include "binlog/change.h"
#include "binlog/wire.h"

/* PrewriteValue and TableMutation (codec spec 2.1, 2.2). Both are checked whole when they are
 * opened, which costs little beside decoding the rows, so that a walk cannot fail halfway through a
 * transaction that was begun. */

enum prewrite_field { PREWRITE_SCHEMA_VERSION = 1, PREWRITE_MUTATIONS = 2 };

enum mutation_field {
    MUTATION_TABLE_ID = 1,
    MUTATION_INSERTED = 2,
    MUTATION_UPDATED = 3,
    MUTATION_DELETED = 6,
    MUTATION_SEQUENCE = 7,
};

/* Values of a sequence entry; 2 and 3 are of a protocol that no supported TiDB speaks. */
enum { SEQUENCE_INSERT = 0, SEQUENCE_UPDATE = 1, SEQUENCE_DELETE = 4 };

/* Cursors of a walk: by enum sl_change_kind, then the sequence. */
enum { CURSOR_SEQUENCE = SL_CHANGE_DELETE + 1, CURSORS };
static_assert(CURSORS == sizeof((struct sl_row_walk *)0)->at / sizeof(size_t),
              "one place for each");

static enum sl_err wrong_wire(const char *message, uint32_t field, unsigned wire,
                              struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "proto: wrong wireType = %u for field %u of %s", wire, field,
                   message);
}

/* Say where it was. */
static enum sl_err refuse(const char *message, struct sl_slice whole, const uint8_t *at,
                          struct sl_why *why)
{
    return sl_wrap(why, SL_INVALID, "%s of %zu bytes, offset %zu", message, whole.len,
                   (size_t)(at - whole.bytes));
}

/* ---- prewrite values ---- */

/* One field; *is_mutation: what *mutation now shows. */
static enum sl_err take_prewrite_field(struct wire_cursor *c, int64_t *version, bool *is_mutation,
                                       struct sl_slice *mutation, struct sl_why *why)
{
    static const char name[] = "PrewriteValue";
    uint32_t          field;
    unsigned          wire;
    uint64_t          number;
    enum sl_err       err;

    *is_mutation = false;
    if ((err = wire_take_key(c, name, &field, &wire, why)) != SL_OK)
        return err;
    if (field == PREWRITE_SCHEMA_VERSION) {
        if (wire != WIRE_VARINT)
            return wrong_wire(name, field, wire, why);
        if ((err = wire_take_varint(c, &number, why)) == SL_OK)
            *version = (int64_t)number;
        return err;
    }
    if (field != PREWRITE_MUTATIONS)
        return wire_skip(c, wire, why);
    if (wire != WIRE_BYTES)
        return wrong_wire(name, field, wire, why);
    *is_mutation = true;
    return wire_take_bytes(c, mutation, why);
}

enum sl_err sl_prewrite_open(struct sl_slice value, struct sl_prewrite *out, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(value);
    struct sl_prewrite prewrite = {.rest = value};
    struct sl_slice    mutation;
    bool               is_mutation;

    while (c.at < c.end) {
        const uint8_t *from = c.at;

        if (take_prewrite_field(&c, &prewrite.schema_version, &is_mutation, &mutation, why) !=
            SL_OK)
            return refuse("PrewriteValue", value, from, why);
    }
    *out = prewrite;
    return SL_OK;
}

/* The table of a mutation: a writer puts it first. */
static enum sl_err table_of(struct sl_slice mutation, int64_t *out, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(mutation);
    uint32_t           field;
    unsigned           wire;
    uint64_t           number;

    *out = 0;
    while (c.at < c.end) {
        const uint8_t *from = c.at;
        enum sl_err    err;

        if ((err = wire_take_key(&c, "TableMutation", &field, &wire, why)) != SL_OK)
            return refuse("TableMutation", mutation, from, why);
        if (field == MUTATION_TABLE_ID && wire == WIRE_VARINT) {
            if (wire_take_varint(&c, &number, why) != SL_OK)
                return refuse("TableMutation", mutation, from, why);
            *out = (int64_t)number;
            return SL_OK;
        }
        if (wire_skip(&c, wire, why) != SL_OK)
            return refuse("TableMutation", mutation, from, why);
    }
    return SL_OK;
}

enum sl_err sl_prewrite_next(struct sl_prewrite *prewrite, struct sl_mutation *out,
                             struct sl_why *why)
{
    struct wire_cursor c = wire_begin(prewrite->rest);
    int64_t            version;
    struct sl_slice    mutation;
    bool               is_mutation = false;
    enum sl_err        err = SL_OK;

    while (c.at < c.end && !is_mutation && err == SL_OK)
        err = take_prewrite_field(&c, &version, &is_mutation, &mutation, why);
    if (err != SL_OK)
        return err;
    prewrite->rest = (struct sl_slice){c.at, (size_t)(c.end - c.at)};
    if (!is_mutation)
        return SL_NOT_FOUND;
    out->bytes = mutation;
    return table_of(mutation, &out->table_id, why);
}

/* ---- mutations ---- */

/* The list of a field: CURSORS for none. */
static unsigned cursor_of(uint32_t field)
{
    switch (field) {
    case MUTATION_INSERTED: return SL_CHANGE_INSERT;
    case MUTATION_UPDATED: return SL_CHANGE_UPDATE;
    case MUTATION_DELETED: return SL_CHANGE_DELETE;
    case MUTATION_SEQUENCE: return CURSOR_SEQUENCE;
    default: return CURSORS;
    }
}

static enum sl_err kind_of(uint64_t entry, enum sl_change_kind *out, struct sl_why *why)
{
    switch (entry) {
    case SEQUENCE_INSERT: *out = SL_CHANGE_INSERT; return SL_OK;
    case SEQUENCE_UPDATE: *out = SL_CHANGE_UPDATE; return SL_OK;
    case SEQUENCE_DELETE: *out = SL_CHANGE_DELETE; return SL_OK;
    default:
        return sl_fail(why, SL_INVALID, "unknown mutation type %llu in the sequence",
                       (unsigned long long)entry);
    }
}

/* What a mutation holds, while it is checked. */
struct census {
    uint64_t there[CURSOR_SEQUENCE];  /* rows of each kind */
    uint64_t wanted[CURSOR_SEQUENCE]; /* by the sequence */
    bool     seen[CURSORS];           /* the first of this list */
    bool     has_table;
};

static enum sl_err count_entry(struct wire_cursor *c, struct census *census, struct sl_why *why)
{
    enum sl_change_kind kind;
    uint64_t            entry;
    enum sl_err         err;

    if ((err = wire_take_varint(c, &entry, why)) != SL_OK ||
        (err = kind_of(entry, &kind, why)) != SL_OK)
        return err;
    census->wanted[kind]++;
    return SL_OK;
}

static enum sl_err count_sequence(struct wire_cursor *c, unsigned wire, struct census *census,
                                  struct sl_why *why)
{
    struct sl_slice    packed;
    struct wire_cursor inner;
    enum sl_err        err;

    if (wire == WIRE_VARINT)
        return count_entry(c, census, why);
    if (wire != WIRE_BYTES)
        return wrong_wire("TableMutation", MUTATION_SEQUENCE, wire, why);
    if ((err = wire_take_bytes(c, &packed, why)) != SL_OK)
        return err;
    inner = wire_begin(packed);
    while (inner.at < inner.end && err == SL_OK)
        err = count_entry(&inner, census, why);
    return err;
}

static enum sl_err count_field(struct wire_cursor *c, struct sl_row_walk *walk,
                               struct census *census, struct sl_why *why)
{
    size_t          offset = (size_t)(c->at - walk->bytes.bytes);
    struct sl_slice row;
    uint32_t        field;
    unsigned        wire;
    unsigned        cursor;
    enum sl_err     err;

    if ((err = wire_take_key(c, "TableMutation", &field, &wire, why)) != SL_OK)
        return err;
    if (field == MUTATION_TABLE_ID) {
        if (wire != WIRE_VARINT)
            return wrong_wire("TableMutation", field, wire, why);
        if (census->has_table)
            return sl_fail(why, SL_INVALID, "a second table");
        census->has_table = true;
    }
    cursor = cursor_of(field);
    if (cursor == CURSORS)
        return wire_skip(c, wire, why);
    if (!census->seen[cursor])
        walk->at[cursor] = offset;
    census->seen[cursor] = true;
    if (cursor == CURSOR_SEQUENCE)
        return count_sequence(c, wire, census, why);
    census->there[cursor]++;
    return wire == WIRE_BYTES ? wire_take_bytes(c, &row, why)
                              : wrong_wire("TableMutation", field, wire, why);
}

enum sl_err sl_row_walk_open(struct sl_slice mutation, struct sl_row_walk *out, uint64_t *rows,
                             struct sl_why *why)
{
    static const char *const names[] = {"inserted", "updated", "deleted"};
    struct wire_cursor       c = wire_begin(mutation);
    struct sl_row_walk       walk = {.bytes = mutation};
    struct census            census = {0};
    uint64_t                 total = 0;

    for (unsigned i = 0; i < CURSORS; i++)
        walk.at[i] = mutation.len;
    while (c.at < c.end) {
        const uint8_t *from = c.at;

        if (count_field(&c, &walk, &census, why) != SL_OK)
            return refuse("TableMutation", mutation, from, why);
    }
    for (unsigned i = 0; i < CURSOR_SEQUENCE; i++) {
        if (census.wanted[i] > census.there[i])
            return sl_fail(why, SL_INVALID,
                           "TableMutation of %zu bytes: %llu %s rows in its sequence, but %llu are "
                           "there",
                           mutation.len, (unsigned long long)census.wanted[i], names[i],
                           (unsigned long long)census.there[i]);
        total += census.wanted[i];
    }
    *out = walk;
    if (rows != NULL)
        *rows = total;
    return SL_OK;
}

/* ---- walking rows ---- */

/* Move the cursor of a list to its next field: c stands behind the key. SL_NOT_FOUND: there is no
 * more. What is read here was checked when the walk was opened. */
static enum sl_err seek(const struct sl_row_walk *walk, unsigned cursor, struct wire_cursor *c,
                        unsigned *wire, struct sl_why *why)
{
    uint32_t    field;
    enum sl_err err;

    *c = wire_begin(walk->bytes);
    c->at += walk->at[cursor];
    while (c->at < c->end) {
        if ((err = wire_take_key(c, "TableMutation", &field, wire, why)) != SL_OK)
            return err;
        if (cursor_of(field) == cursor)
            return SL_OK;
        if ((err = wire_skip(c, *wire, why)) != SL_OK)
            return err;
    }
    return SL_NOT_FOUND;
}

static size_t offset_of(const struct sl_row_walk *walk, const struct wire_cursor *c)
{
    return (size_t)(c->at - walk->bytes.bytes);
}

/* The next entry of the sequence, which may stand in a field of its own or packed among others. */
static enum sl_err next_entry(struct sl_row_walk *walk, uint64_t *out, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(walk->bytes);
    const uint8_t     *from;
    unsigned           wire;
    enum sl_err        err;

    c.at += walk->at[CURSOR_SEQUENCE];
    while (walk->packed_left == 0) {
        if ((err = seek(walk, CURSOR_SEQUENCE, &c, &wire, why)) != SL_OK)
            return err;
        if (wire == WIRE_VARINT) {
            err = wire_take_varint(&c, out, why);
            walk->at[CURSOR_SEQUENCE] = offset_of(walk, &c);
            return err;
        }
        if ((err = wire_take_varint(&c, &walk->packed_left, why)) != SL_OK)
            return err;
        walk->at[CURSOR_SEQUENCE] = offset_of(walk, &c);
    }
    from = c.at;
    if ((err = wire_take_varint(&c, out, why)) != SL_OK)
        return err;
    walk->packed_left -= (uint64_t)(c.at - from);
    walk->at[CURSOR_SEQUENCE] = offset_of(walk, &c);
    return SL_OK;
}

enum sl_err sl_row_walk_next(struct sl_row_walk *walk, struct sl_raw_row *out, struct sl_why *why)
{
    struct wire_cursor  c;
    struct sl_slice     row;
    enum sl_change_kind kind;
    uint64_t            entry;
    unsigned            wire;
    enum sl_err         err;

    if ((err = next_entry(walk, &entry, why)) != SL_OK ||
        (err = kind_of(entry, &kind, why)) != SL_OK)
        return err;
    err = seek(walk, kind, &c, &wire, why);
    SL_ASSERT(err == SL_OK && wire == WIRE_BYTES);
    if ((err = wire_take_bytes(&c, &row, why)) != SL_OK)
        return err;
    walk->at[kind] = offset_of(walk, &c);
    *out = (struct sl_raw_row){kind, row};
    return SL_OK;
}
