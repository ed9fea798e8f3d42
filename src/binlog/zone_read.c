#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/zone_private.h"

/* A file of the tz database (TZif, RFC 8536), big endian:
 *
 *     "TZif" | u8 version | 15 zero bytes | six u32 counts, of: marks for UT, marks for standard
 *     time, leap seconds, transitions, types, bytes of names |
 *     transitions * time | transitions * u8 type | types * (i32 offset, u8 summer, u8 name) |
 *     names | leap seconds * (time, i32) | marks for standard time | marks for UT
 *
 * In the first such block a time has 32 bits. From version 2 on a second one with 64 bits follows,
 * and then "\n", a text that says how it goes on (POSIX.1, TZ), "\n". */

enum {
    HEAD_BYTES = 44,
    COUNTS_AT = 20,
    TYPE_BYTES = 6,
    LEAP_BYTES = 4,
    OFFSET_MAX_S = 26 * 3600, /* RFC 8536, 3.2 */
};

/* In the order of the file. */
enum { UT_MARKS, STANDARD_MARKS, LEAPS, TRANSITIONS, TYPES, NAME_BYTES, COUNTS };

struct block {
    uint32_t       count[COUNTS];
    size_t         time_bytes; /* of one time */
    const uint8_t *data;
    size_t         bytes; /* of the data */
    uint8_t        version;
};

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t get_time(const uint8_t *at, size_t bytes)
{
    if (bytes == sizeof(uint32_t))
        return (int32_t)get_u32(at);
    return (int64_t)((uint64_t)get_u32(at) << 32 | get_u32(at + 4));
}

static enum sl_err open_block(struct sl_slice file, size_t at, size_t time_bytes, struct block *out,
                              struct sl_why *why)
{
    const uint8_t *head = file.bytes + at;
    uint64_t       bytes;

    if (file.len - at < HEAD_BYTES || memcmp(head, "TZif", 4) != 0)
        return sl_fail(why, SL_INVALID, "offset %zu: no head of a tz database file", at);
    for (unsigned i = 0; i < COUNTS; i++)
        out->count[i] = get_u32(head + COUNTS_AT + 4 * i);
    bytes = out->count[TRANSITIONS] * (time_bytes + 1ull) +
            out->count[TYPES] * (uint64_t)TYPE_BYTES + out->count[NAME_BYTES] +
            out->count[LEAPS] * (time_bytes + (uint64_t)LEAP_BYTES) + out->count[STANDARD_MARKS] +
            out->count[UT_MARKS];
    if (bytes > file.len - at - HEAD_BYTES)
        return sl_fail(why, SL_INVALID, "offset %zu: a block of %llu bytes, but the file ends", at,
                       (unsigned long long)bytes);
    if (out->count[TYPES] == 0)
        return sl_fail(why, SL_INVALID, "offset %zu: a block without types", at);
    out->version = head[4];
    out->time_bytes = time_bytes;
    out->data = head + HEAD_BYTES;
    out->bytes = (size_t)bytes;
    return SL_OK;
}

static enum sl_err offset_of(const struct block *b, unsigned type, int32_t *out, struct sl_why *why)
{
    const uint8_t *types = b->data + b->count[TRANSITIONS] * (b->time_bytes + 1);

    if (type >= b->count[TYPES])
        return sl_fail(why, SL_INVALID, "a transition to type %u of %u", type, b->count[TYPES]);
    *out = (int32_t)get_u32(types + (size_t)type * TYPE_BYTES);
    if (*out < -OFFSET_MAX_S || *out > OFFSET_MAX_S)
        return sl_fail(why, SL_INVALID, "a clock %d s off UTC", *out);
    return SL_OK;
}

static enum sl_err read_block(const struct block *b, struct sl_zone *out, struct sl_why *why)
{
    uint32_t       count = b->count[TRANSITIONS];
    const uint8_t *types = b->data + count * b->time_bytes;
    enum sl_err    err;

    out->transitions = calloc(count + 1, sizeof *out->transitions);
    SL_ASSERT(out->transitions != NULL);
    /* Before the first transition: type 0 (RFC 8536, 3.2). */
    if ((err = offset_of(b, 0, &out->first_offset_s, why)) != SL_OK)
        return err;
    for (uint32_t i = 0; i < count; i++) {
        struct zone_transition *t = &out->transitions[i];

        t->at_s = get_time(b->data + i * b->time_bytes, b->time_bytes);
        if (i > 0 && t->at_s <= t[-1].at_s)
            return sl_fail(why, SL_INVALID, "transition %u is not later than the one before", i);
        if ((err = offset_of(b, types[i], &t->offset_s, why)) != SL_OK)
            return err;
    }
    out->count = count;
    return SL_OK;
}

/* The text between two line ends at the file's end; it may be empty. */
static enum sl_err read_foot(struct sl_slice file, size_t at, struct sl_zone *out,
                             struct sl_why *why)
{
    const uint8_t *text = file.bytes + at + 1;
    const uint8_t *end;

    if (at >= file.len || file.bytes[at] != '\n' ||
        (end = memchr(text, '\n', file.len - at - 1)) == NULL)
        return sl_fail(why, SL_INVALID, "offset %zu: the foot is missing", at);
    if (end == text)
        return SL_OK;
    out->has_future = true;
    return zone_future_read((struct sl_slice){text, (size_t)(end - text)}, &out->future, why);
}

enum sl_err zone_read(struct sl_slice file, struct sl_zone *out, struct sl_why *why)
{
    struct block first;
    struct block second;
    size_t       at;
    enum sl_err  err;

    if ((err = open_block(file, 0, sizeof(uint32_t), &first, why)) != SL_OK)
        return err;
    if (first.version == 0)
        return read_block(&first, out, why);
    at = HEAD_BYTES + first.bytes;
    if ((err = open_block(file, at, sizeof(uint64_t), &second, why)) != SL_OK ||
        (err = read_block(&second, out, why)) != SL_OK)
        return err;
    return read_foot(file, at + HEAD_BYTES + second.bytes, out, why);
}
