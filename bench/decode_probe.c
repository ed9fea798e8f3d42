#include "decode_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "binlog.pb-c.h"

/* ---- input ---- */

enum { RECORD_BYTES_MAX = 1 << 17, STRING_BYTES_MAX = 24 };

static uint8_t *put_uvarint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_varint(uint8_t *at, int64_t value)
{
    return put_uvarint(at, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static uint8_t *put_value(uint8_t *at, uint32_t column, struct sl_prng *prng)
{
    if (column % 2 == 0) {
        *at++ = 8;
        return put_varint(at, (int64_t)(sl_prng_next(prng) >> sl_prng_below(prng, 64)));
    }
    size_t len = sl_prng_below(prng, STRING_BYTES_MAX + 1);

    *at++ = 2;
    at = put_varint(at, (int64_t)len);
    memset(at, 'a' + (int)(column % 26), len);
    return at + len;
}

static uint8_t *put_row(uint8_t *at, uint32_t columns, uint32_t first, struct sl_prng *prng)
{
    for (uint32_t i = first; i < columns; i++) {
        *at++ = 8;
        at = put_value(put_varint(at, i + 1), i, prng);
    }
    return at;
}

static uint8_t *put_field(uint8_t *at, unsigned field, const uint8_t *bytes, size_t len)
{
    *at++ = (uint8_t)(field << 3 | 2);
    at = put_uvarint(at, len);
    memcpy(at, bytes, len);
    return at + len;
}

/* The mutation, into out; row is room for one. */
static uint8_t *put_mutation(uint8_t *out, uint8_t *row, uint32_t columns, struct sl_prng *prng)
{
    static const uint8_t sequence[PROBE_ROWS] = {0, 0, 1, 0, 1, 4, 0, 0, 1, 0, 1, 1, 0, 4, 0, 1};
    static const uint8_t kinds[] = {0, 1, 4};
    static const uint8_t fields[] = {2, 3, 6};
    uint8_t             *at = out;

    *at++ = 1 << 3;
    at = put_uvarint(at, 47);
    for (unsigned k = 0; k < sizeof kinds; k++) {
        for (unsigned i = 0; i < PROBE_ROWS; i++) {
            uint8_t *end = row;

            if (sequence[i] != kinds[k])
                continue;
            if (kinds[k] == 0)
                end = put_value(end, 0, prng);
            end = put_row(end, columns, kinds[k] == 0, prng);
            if (kinds[k] == 1)
                end = put_row(end, columns, 0, prng);
            at = put_field(at, fields[k], row, (size_t)(end - row));
        }
    }
    for (unsigned i = 0; i < PROBE_ROWS; i++) {
        *at++ = 7 << 3;
        *at++ = sequence[i];
    }
    return at;
}

static struct sl_slice record_of(uint8_t *room[4], uint32_t columns, struct sl_prng *prng)
{
    static const uint8_t head[] = {0x08, 1, 0x10, 100, 0x18, 0xc8, 0x01};
    static const uint8_t tail[] = {0x38, 0};
    uint8_t             *at = room[1];
    uint8_t             *copy;
    size_t               len = (size_t)(put_mutation(room[0], room[3], columns, prng) - room[0]);

    *at++ = 1 << 3;
    *at++ = 30;
    at = put_field(at, 2, room[0], len);
    len = (size_t)(at - room[1]);
    memcpy(room[2], head, sizeof head);
    at = put_field(room[2] + sizeof head, 5, room[1], len);
    memcpy(at, tail, sizeof tail);
    len = (size_t)(at + sizeof tail - room[2]);
    if ((copy = malloc(len)) == NULL)
        abort();
    return (struct sl_slice){memcpy(copy, room[2], len), len};
}

struct probe_input *probe_input_new(uint32_t columns)
{
    struct probe_input *input = calloc(1, sizeof *input);
    uint8_t            *room[4];
    struct sl_prng      prng;

    for (unsigned i = 0; i < 4; i++) {
        if ((room[i] = malloc(RECORD_BYTES_MAX)) == NULL)
            abort();
    }
    if (input == NULL || columns > PROBE_COLUMNS_MAX)
        abort();
    sl_prng_seed(&prng, columns);
    input->columns = columns;
    for (unsigned i = 0; i < PROBE_RECORDS; i++)
        input->records[i] = record_of(room, columns, &prng);
    for (unsigned i = 0; i < 4; i++)
        free(room[i]);
    return input;
}

void probe_input_free(struct probe_input **input)
{
    for (unsigned i = 0; i < PROBE_RECORDS; i++)
        free((void *)(uintptr_t)(*input)->records[i].bytes);
    free(*input);
    *input = NULL;
}

/* ---- by hand ---- */

struct value {
    uint64_t        kind; /* the flag */
    struct sl_slice text; /* of an integer: its number in len */
};

static struct value images[2][PROBE_COLUMNS_MAX];
static uint64_t     seen;

uint64_t probe_seen(void)
{
    return seen;
}

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static inline bool take(struct cursor *c, uint64_t *out)
{
    uint64_t value;
    unsigned shift = 7;

    if (c->at == c->end)
        return false;
    if ((value = *c->at++) < 0x80) {
        *out = value;
        return true;
    }
    for (value &= 0x7f; shift < 64 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static inline bool take_slice(struct cursor *c, uint64_t len, struct sl_slice *out)
{
    if (len > (uint64_t)(c->end - c->at))
        return false;
    *out = (struct sl_slice){c->at, (size_t)len};
    c->at += len;
    return true;
}

static inline uint64_t unzigzag(uint64_t u)
{
    return u >> 1 ^ (0 - (u & 1));
}

static inline bool take_value(struct cursor *c, struct value *out)
{
    uint64_t number;

    if (c->at == c->end)
        return false;
    out->kind = *c->at++;
    if (out->kind == 0)
        return true;
    if (!take(c, &number))
        return false;
    if (out->kind == 8)
        out->text.len = unzigzag(number);
    else if (out->kind == 2)
        return take_slice(c, unzigzag(number), &out->text);
    else
        return false;
    return true;
}

static bool walk_row(struct sl_slice row, unsigned kind, uint32_t columns)
{
    struct cursor c = {row.bytes, row.bytes + row.len};
    struct value *image = images[0];
    uint64_t      last = 0;
    uint64_t      id;

    memset(images[0], 0, columns * sizeof *image);
    if (kind == 1)
        memset(images[1], 0, columns * sizeof *image);
    if (kind == 0 && !take_value(&c, image))
        return false;
    while (c.at < c.end) {
        if (*c.at++ != 8 || !take(&c, &id))
            return false;
        id = (id >> 1) - 1;
        if (id < last)
            image = images[1];
        last = id;
        if (id >= columns || !take_value(&c, &image[id]))
            return false;
    }
    seen += images[0][columns - 1].text.len;
    return true;
}

/* The lists of a mutation, each walked by a cursor of its own. */
struct mutation {
    struct cursor  all;
    const uint8_t *first[8]; /* by field */
};

static bool open_mutation(struct mutation *m)
{
    struct cursor   c = m->all;
    struct sl_slice bytes;
    uint64_t        key;
    uint64_t        number;

    while (c.at < c.end) {
        const uint8_t *from = c.at;

        if (!take(&c, &key) || !take(&c, &number))
            return false;
        if (key >> 3 < 8 && m->first[key >> 3] == NULL)
            m->first[key >> 3] = from;
        if ((key & 7) == 2 && !take_slice(&c, number, &bytes))
            return false;
    }
    return true;
}

static uint32_t walk_mutation(struct sl_slice bytes, uint32_t columns, bool decode)
{
    static const uint8_t fields[] = {2, 3, 0, 0, 6};
    struct mutation      m = {.all = {bytes.bytes, bytes.bytes + bytes.len}};
    struct cursor        sequence = m.all;
    uint32_t             rows = 0;

    if (!open_mutation(&m) || m.first[7] == NULL)
        return 0;
    for (sequence.at = m.first[7]; sequence.at < sequence.end; rows++) {
        struct cursor   c = m.all;
        struct sl_slice row;
        uint64_t        key;
        uint64_t        kind;
        uint64_t        len;

        if (!take(&sequence, &key) || !take(&sequence, &kind) || kind > 4)
            return 0;
        if ((c.at = m.first[fields[kind]]) == NULL)
            return 0;
        if (!take(&c, &key) || key != ((uint64_t)fields[kind] << 3 | 2) || !take(&c, &len) ||
            !take_slice(&c, len, &row) || (decode && !walk_row(row, (unsigned)kind, columns)))
            return 0;
        seen += row.len;
        m.first[fields[kind]] = c.at;
    }
    return rows;
}

/* The value of that field of a message. */
static bool find(struct sl_slice message, unsigned field, struct sl_slice *out)
{
    struct cursor   c = {message.bytes, message.bytes + message.len};
    struct sl_slice bytes;
    uint64_t        key;
    uint64_t        number;
    bool            found = false;

    while (c.at < c.end) {
        if (!take(&c, &key) || !take(&c, &number))
            return false;
        if ((key & 7) != 2)
            continue;
        if (!take_slice(&c, number, &bytes))
            return false;
        if (key >> 3 == field) {
            *out = bytes;
            found = true;
        }
    }
    return found;
}

uint32_t probe_walk(const struct probe_input *input, struct sl_slice record, bool rows)
{
    struct sl_slice value;
    struct sl_slice mutation;

    if (!find(record, 5, &value) || !find(value, 2, &mutation))
        return 0;
    return walk_mutation(mutation, input->columns, rows);
}

/* ---- protobuf-c ---- */

static bool rows_of(const Sluice__TableMutation *m, uint32_t columns)
{
    size_t at[3] = {0};

    for (size_t i = 0; i < m->n_sequence; i++) {
        const ProtobufCBinaryData *row;

        if (m->sequence[i] == SLUICE__MUTATION_TYPE__INSERT)
            row = &m->inserted_rows[at[0]++];
        else if (m->sequence[i] == SLUICE__MUTATION_TYPE__UPDATE)
            row = &m->updated_rows[at[1]++];
        else
            row = &m->deleted_rows[at[2]++];
        if (!walk_row((struct sl_slice){row->data, row->len}, (unsigned)m->sequence[i], columns))
            return false;
    }
    return true;
}

uint32_t probe_protobuf(const struct probe_input *input, struct sl_slice record, bool rows)
{
    Sluice__Binlog        *binlog = sluice__binlog__unpack(NULL, record.len, record.bytes);
    Sluice__PrewriteValue *value = NULL;
    uint32_t               count = 0;

    if (binlog != NULL)
        value = sluice__prewrite_value__unpack(NULL, binlog->prewrite_value.len,
                                               binlog->prewrite_value.data);
    if (value != NULL && (!rows || rows_of(value->mutations[0], input->columns)))
        count = (uint32_t)value->mutations[0]->n_sequence;
    seen += count;
    if (value != NULL)
        sluice__prewrite_value__free_unpacked(value, NULL);
    if (binlog != NULL)
        sluice__binlog__free_unpacked(binlog, NULL);
    return count;
}
