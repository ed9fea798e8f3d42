#include <stdbool.h>

#include "base/assert.h"
#include "binlog/change.h"
#include "binlog/wire.h"

/* TableMutation (codec spec 2.1, 2.2): three lists of rows, and a sequence that says from which
 * list the next one comes. Checked whole when it is opened, which costs little beside decoding the
 * rows, so that a walk cannot fail halfway through a transaction. */

enum mutation_field {
    MUTATION_TABLE_ID = 1,
    MUTATION_INSERTED = 2,
    MUTATION_UPDATED = 3,
    MUTATION_DELETED = 6,
    MUTATION_SEQUENCE = 7,
};

/* The highest value of a sequence entry; 2 and 3 are of a protocol that no supported TiDB speaks.
 */
enum { SEQUENCE_DELETE = 4 };

/* Cursors of a walk: by enum sl_change_kind, then the sequence. */
enum { CURSOR_SEQUENCE = SL_CHANGE_DELETE + 1, CURSORS };
static_assert(CURSORS == sizeof((struct sl_row_walk *)0)->at / sizeof(size_t),
              "one place for each");

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

/* The list of a key of one byte, when its field is written as usual: CURSORS for none. */
static inline unsigned usual_cursor(uint8_t key)
{
    switch (key) {
    case MUTATION_INSERTED << WIRE_KEY_BITS | WIRE_BYTES: return SL_CHANGE_INSERT;
    case MUTATION_UPDATED << WIRE_KEY_BITS | WIRE_BYTES: return SL_CHANGE_UPDATE;
    case MUTATION_DELETED << WIRE_KEY_BITS | WIRE_BYTES: return SL_CHANGE_DELETE;
    case MUTATION_SEQUENCE << WIRE_KEY_BITS | WIRE_VARINT: return CURSOR_SEQUENCE;
    default: return CURSORS;
    }
}

/* By entry of the sequence. */
enum { NO_KIND = 0xff };
static const uint8_t usual_kind[SEQUENCE_DELETE + 1] = {
    SL_CHANGE_INSERT, SL_CHANGE_UPDATE, NO_KIND, NO_KIND, SL_CHANGE_DELETE,
};

static enum sl_err kind_of(uint64_t entry, enum sl_change_kind *out, struct sl_why *why)
{
    if (entry > SEQUENCE_DELETE || usual_kind[entry] == NO_KIND)
        return sl_fail(why, SL_INVALID, "unknown mutation type %llu in the sequence",
                       (unsigned long long)entry);
    *out = (enum sl_change_kind)usual_kind[entry];
    return SL_OK;
}

static_assert(CURSORS == sizeof((struct sl_row_check *)0)->seen / sizeof(bool) &&
                  CURSOR_SEQUENCE == sizeof((struct sl_row_check *)0)->there / sizeof(uint64_t),
              "one for each");

static enum sl_err count_entry(struct wire_cursor *c, struct sl_row_check *check,
                               struct sl_why *why)
{
    enum sl_change_kind kind;
    uint64_t            entry;
    enum sl_err         err;

    if ((err = wire_take_varint(c, &entry, why)) != SL_OK ||
        (err = kind_of(entry, &kind, why)) != SL_OK)
        return err;
    check->wanted[kind]++;
    return SL_OK;
}

static enum sl_err count_sequence(struct wire_cursor *c, unsigned wire, struct sl_row_check *check,
                                  struct sl_why *why)
{
    struct sl_slice    packed;
    struct wire_cursor inner;
    enum sl_err        err;

    if (wire == WIRE_VARINT)
        return count_entry(c, check, why);
    if (wire != WIRE_BYTES)
        return wire_wrong("TableMutation", MUTATION_SEQUENCE, wire, why);
    if ((err = wire_take_bytes(c, &packed, why)) != SL_OK)
        return err;
    inner = wire_begin(packed);
    while (inner.at < inner.end && err == SL_OK)
        err = count_entry(&inner, check, why);
    return err;
}

static enum sl_err count_field(struct wire_cursor *c, struct sl_row_check *check,
                               struct sl_why *why)
{
    struct sl_row_walk *walk = &check->walk;
    size_t              offset = (size_t)(c->at - walk->bytes.bytes);
    struct sl_slice     row;
    uint32_t            field;
    unsigned            wire;
    unsigned            cursor;
    enum sl_err         err;

    if ((err = wire_take_key(c, "TableMutation", &field, &wire, why)) != SL_OK)
        return err;
    if (field == MUTATION_TABLE_ID) {
        if (wire != WIRE_VARINT)
            return wire_wrong("TableMutation", field, wire, why);
        if (check->has_table)
            return sl_fail(why, SL_INVALID, "a second table");
        check->has_table = true;
    }
    cursor = cursor_of(field);
    if (cursor == CURSORS)
        return wire_skip(c, wire, why);
    if (!check->seen[cursor])
        walk->at[cursor] = offset;
    check->seen[cursor] = true;
    if (cursor == CURSOR_SEQUENCE)
        return count_sequence(c, wire, check, why);
    check->there[cursor]++;
    return wire == WIRE_BYTES ? wire_take_bytes(c, &row, why)
                              : wire_wrong("TableMutation", field, wire, why);
}

/* Most fields are a row or an entry of the sequence, with a key of one byte and at most two of
 * length. These are read in registers by functions called usual; they say false, and nothing
 * happened, for all others and for what is damaged, which slower ones then see to. */

/* The row behind its key. */
static inline bool usual_row(const uint8_t *at, const uint8_t *end, struct sl_slice *out)
{
    size_t length;

    if (end - at < 2)
        return false;
    length = *at++;
    if (length >= 0x80) {
        if (*at >= 0x80)
            return false;
        length += ((size_t)*at++ - 1) << 7;
    }
    if (length > (size_t)(end - at))
        return false;
    *out = (struct sl_slice){at, length};
    return true;
}

/* The entry behind its key: NO_KIND for what is none. */
static inline unsigned usual_entry(const uint8_t *at, const uint8_t *end)
{
    return at == end || *at > SEQUENCE_DELETE ? (unsigned)NO_KIND : usual_kind[*at];
}

static inline bool count_usual_field(struct wire_cursor *c, struct sl_row_check *check)
{
    const uint8_t  *from = c->at;
    unsigned        cursor = usual_cursor(*from);
    unsigned        kind;
    struct sl_slice row;

    if (cursor == CURSORS)
        return false;
    if (cursor == CURSOR_SEQUENCE) {
        if ((kind = usual_entry(from + 1, c->end)) == NO_KIND)
            return false;
        check->wanted[kind]++;
        c->at = from + 2;
    } else {
        if (!usual_row(from + 1, c->end, &row))
            return false;
        check->there[cursor]++;
        c->at = row.bytes + row.len;
    }
    if (!check->seen[cursor])
        check->walk.at[cursor] = (size_t)(from - check->walk.bytes.bytes);
    check->seen[cursor] = true;
    return true;
}

void sl_row_check_begin(struct sl_slice mutation, struct sl_row_check *check)
{
    *check = (struct sl_row_check){.walk = {.bytes = mutation}};
    for (unsigned i = 0; i < CURSORS; i++)
        check->walk.at[i] = mutation.len;
}

/* All fields were seen: are there the rows that the sequence names? */
static enum sl_err conclude(const struct sl_row_check *check, struct sl_row_walk *out,
                            uint64_t *rows, struct sl_why *why)
{
    static const char *const names[] = {"inserted", "updated", "deleted"};
    uint64_t                 total = 0;

    for (unsigned i = 0; i < CURSOR_SEQUENCE; i++) {
        if (check->wanted[i] > check->there[i])
            return sl_fail(why, SL_INVALID,
                           "TableMutation of %zu bytes: %llu %s rows in its sequence, but %llu are "
                           "there",
                           check->walk.bytes.len, (unsigned long long)check->wanted[i], names[i],
                           (unsigned long long)check->there[i]);
        total += check->wanted[i];
    }
    *out = check->walk;
    if (rows != NULL)
        *rows = total;
    return SL_OK;
}

enum sl_err sl_row_check_step(struct sl_row_check *check, size_t bytes, struct sl_row_walk *out,
                              uint64_t *rows, struct sl_why *why)
{
    const struct sl_slice mutation = check->walk.bytes;
    struct wire_cursor    c = wire_begin(mutation);
    const uint8_t        *start = c.at;
    const uint8_t        *until;

    if (check->at > 0)
        c.at += check->at;
    until = bytes < (size_t)(c.end - c.at) ? c.at + bytes : c.end;
    while (c.at < until) {
        const uint8_t *from = c.at;

        if (!count_usual_field(&c, check) && count_field(&c, check, why) != SL_OK)
            return wire_refuse("TableMutation", mutation, from, why);
    }
    check->at = (size_t)(c.at - start);
    return c.at < c.end ? SL_AGAIN : conclude(check, out, rows, why);
}

enum sl_err sl_row_walk_open(struct sl_slice mutation, struct sl_row_walk *out, uint64_t *rows,
                             struct sl_why *why)
{
    struct sl_row_check check;

    sl_row_check_begin(mutation, &check);
    return sl_row_check_step(&check, mutation.len, out, rows, why);
}

/* ---- walking ---- */

/* Move the cursor of a list to its next field: c stands behind the key. SL_NOT_FOUND: there is no
 * more. What is read here was checked when the walk was opened. */
static enum sl_err seek(const struct sl_row_walk *walk, unsigned cursor, struct wire_cursor *c,
                        unsigned *wire, struct sl_why *why)
{
    uint32_t    field;
    enum sl_err err;

    *c = wire_begin(walk->bytes);
    c->at += walk->at[cursor];
    if (c->at < c->end && usual_cursor(*c->at) == cursor) {
        *wire = *c->at++ & ((1u << WIRE_KEY_BITS) - 1);
        return SL_OK;
    }
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

static inline bool next_usual(struct sl_row_walk *walk, struct sl_raw_row *out)
{
    const uint8_t *start = walk->bytes.bytes;
    const uint8_t *end = start + walk->bytes.len;
    const uint8_t *entry = start + walk->at[CURSOR_SEQUENCE];
    const uint8_t *row;
    unsigned       kind;

    if (walk->packed_left != 0 || entry == end || usual_cursor(*entry) != CURSOR_SEQUENCE ||
        (kind = usual_entry(entry + 1, end)) == NO_KIND)
        return false;
    row = start + walk->at[kind];
    if (row == end || usual_cursor(*row) != kind || !usual_row(row + 1, end, &out->bytes))
        return false;
    out->kind = (enum sl_change_kind)kind;
    walk->at[CURSOR_SEQUENCE] += 2;
    walk->at[kind] = (size_t)(out->bytes.bytes - start) + out->bytes.len;
    return true;
}

enum sl_err sl_row_walk_next(struct sl_row_walk *walk, struct sl_raw_row *out, struct sl_why *why)
{
    struct wire_cursor  c;
    struct sl_slice     row;
    enum sl_change_kind kind;
    uint64_t            entry;
    unsigned            wire;
    enum sl_err         err;

    if (walk->bytes.len > 0 && next_usual(walk, out))
        return SL_OK;
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
