#include "binlog/record_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum { FIELD_PREWRITE_VALUE = 5 };
enum { FIELD_CLUSTER_ID = 1, FIELD_PAYLOAD = 2 };
enum { VARINT_BITS_MAX = 70, TAG_BITS = 3, REST_ROOM_MIN = 256 };

/* ---- scanning ---- */

/*     TAG ──> LENGTH ──> VALUE ──> TAG      a field with a length
 *      ├─────────────────> ^                a field of fixed size
 *      ├──> NUMBER ──> TAG                  a varint
 *      └──> BROKEN                          from everywhere */
enum scan_state { SCAN_TAG, SCAN_LENGTH, SCAN_VALUE, SCAN_NUMBER, SCAN_BROKEN };

enum scan_event {
    SCAN_NOTHING, /* the piece is used up */
    SCAN_HEAD,    /* a field begins: its head is in the scan */
    SCAN_BYTES,   /* of the present field, behind its head */
    SCAN_FAILED,  /* this is no message; the head broke it */
};

static void scan_begin(struct sl_record_scan *scan, uint64_t bytes)
{
    *scan = (struct sl_record_scan){.left = bytes, .state = SCAN_TAG};
}

/* Between two fields, at the end. */
static bool scan_is_whole(const struct sl_record_scan *scan)
{
    return scan->left == 0 && scan->state == SCAN_TAG && scan->head_bytes == 0;
}

static void drop(struct sl_record_scan *scan, struct sl_slice *piece, size_t count)
{
    piece->bytes += count;
    piece->len -= count;
    scan->left -= count;
}

/* One byte of a varint. True when it was the last; a varint that is too long breaks the message. */
static bool take_digit(struct sl_record_scan *scan, uint8_t byte)
{
    scan->number |= (uint64_t)(byte & 0x7f) << scan->bits;
    scan->bits += 7;
    if ((byte & 0x80) == 0)
        return true;
    if (scan->bits == VARINT_BITS_MAX)
        scan->state = SCAN_BROKEN;
    return false;
}

/* A varint follows. */
static void expect(struct sl_record_scan *scan, enum scan_state state)
{
    scan->state = (uint8_t)state;
    scan->number = 0;
    scan->bits = 0;
}

/* So many bytes follow. */
static void expect_value(struct sl_record_scan *scan, uint64_t bytes)
{
    scan->value_left = bytes;
    expect(scan, bytes > 0 ? SCAN_VALUE : SCAN_TAG);
}

/* The tag is whole: what comes next? False: a length does, so the head is not whole. */
static bool judge_tag(struct sl_record_scan *scan)
{
    scan->field = scan->number >> TAG_BITS;
    scan->wire = (uint8_t)(scan->number & ((1u << TAG_BITS) - 1));
    if (scan->field == 0 || scan->field > INT32_MAX) {
        scan->state = SCAN_BROKEN;
        return true;
    }
    switch (scan->wire) {
    case WIRE_VARINT: expect(scan, SCAN_NUMBER); return true;
    case WIRE_FIXED64: expect_value(scan, sizeof(uint64_t)); return true;
    case WIRE_FIXED32: expect_value(scan, sizeof(uint32_t)); return true;
    case WIRE_BYTES: expect(scan, SCAN_LENGTH); return false;
    default: scan->state = SCAN_BROKEN; return true;
    }
}

/* Take tag and length, as far as they have come. */
static enum scan_event take_head(struct sl_record_scan *scan, struct sl_slice *piece)
{
    bool whole = false;

    while (piece->len > 0 && !whole && scan->state != SCAN_BROKEN) {
        uint8_t byte = piece->bytes[0];

        SL_ASSERT(scan->head_bytes < sizeof scan->head);
        scan->head[scan->head_bytes++] = byte;
        drop(scan, piece, 1);
        if (!take_digit(scan, byte))
            continue;
        if (scan->state == SCAN_TAG) {
            whole = judge_tag(scan);
            continue;
        }
        whole = true;
        if (scan->number > scan->left)
            scan->state = SCAN_BROKEN;
        else
            expect_value(scan, scan->number);
    }
    if (scan->state == SCAN_BROKEN)
        return SCAN_FAILED;
    return whole ? SCAN_HEAD : SCAN_NOTHING;
}

static size_t take_number(struct sl_record_scan *scan, struct sl_slice piece)
{
    size_t count = 0;

    while (count < piece.len && scan->state == SCAN_NUMBER) {
        if (take_digit(scan, piece.bytes[count++]))
            scan->state = SCAN_TAG; /* the number stays to be read */
    }
    return count;
}

static size_t take_value(struct sl_record_scan *scan, struct sl_slice piece)
{
    size_t count = piece.len < scan->value_left ? piece.len : (size_t)scan->value_left;

    scan->value_left -= count;
    if (scan->value_left == 0)
        scan->state = SCAN_TAG;
    return count;
}

/* Take the next thing off the piece. *bytes: of SCAN_BYTES. */
static enum scan_event scan_next(struct sl_record_scan *scan, struct sl_slice *piece,
                                 struct sl_slice *bytes)
{
    size_t count = 0;

    if (piece->len == 0)
        return SCAN_NOTHING;
    switch ((enum scan_state)scan->state) {
    case SCAN_TAG:
        if (scan->head_bytes == 0)
            expect(scan, SCAN_TAG);
        return take_head(scan, piece);
    case SCAN_LENGTH: return take_head(scan, piece);
    case SCAN_VALUE: count = take_value(scan, *piece); break;
    case SCAN_NUMBER: count = take_number(scan, *piece); break;
    case SCAN_BROKEN: drop(scan, piece, piece->len); return SCAN_NOTHING;
    }
    *bytes = (struct sl_slice){piece->bytes, count};
    drop(scan, piece, count);
    return SCAN_BYTES;
}

/* ---- records ---- */

void sl_record_stream_begin(struct sl_record_stream *stream, uint64_t bytes)
{
    *stream = (struct sl_record_stream){.bytes = bytes};
    scan_begin(&stream->scan, bytes);
}

void sl_record_stream_end(struct sl_record_stream *stream)
{
    free(stream->rest);
    *stream = (struct sl_record_stream){0};
}

static void grow_rest(struct sl_record_stream *stream, size_t bytes)
{
    size_t room = stream->rest_room > 0 ? stream->rest_room : REST_ROOM_MIN;

    while (room < bytes)
        room *= 2;
    stream->rest = realloc(stream->rest, room);
    SL_ASSERT(stream->rest != NULL);
    stream->rest_room = room;
}

static void keep(struct sl_record_stream *stream, struct sl_slice bytes)
{
    if (bytes.len == 0)
        return;
    if (bytes.len > SL_RECORD_REST_BYTES_MAX - stream->rest_bytes) {
        stream->rest_over = true;
        stream->scan.state = SCAN_BROKEN;
        return;
    }
    if (stream->rest_bytes + bytes.len > stream->rest_room)
        grow_rest(stream, stream->rest_bytes + bytes.len);
    memcpy(stream->rest + stream->rest_bytes, bytes.bytes, bytes.len);
    stream->rest_bytes += bytes.len;
}

static void keep_head(struct sl_record_stream *stream)
{
    keep(stream, (struct sl_slice){stream->scan.head, stream->scan.head_bytes});
    stream->scan.head_bytes = 0;
}

static bool in_value(const struct sl_record_scan *scan)
{
    return scan->field == FIELD_PREWRITE_VALUE && scan->wire == WIRE_BYTES;
}

/* The last value counts, as in the decoder. */
static void begin_value(struct sl_record_stream *stream)
{
    stream->has_value = true;
    stream->value_at = stream->bytes - stream->scan.left;
    stream->value_bytes = stream->scan.value_left;
    stream->scan.head_bytes = 0;
}

bool sl_record_stream_feed(struct sl_record_stream *stream, struct sl_slice piece)
{
    struct sl_record_scan *scan = &stream->scan;
    struct sl_slice        bytes;

    SL_ASSERT(piece.len <= scan->left);
    for (;;) {
        switch (scan_next(scan, &piece, &bytes)) {
        case SCAN_NOTHING: return scan->state != SCAN_BROKEN;
        case SCAN_FAILED: keep_head(stream); break;
        case SCAN_HEAD:
            if (in_value(scan))
                begin_value(stream);
            else
                keep_head(stream);
            break;
        case SCAN_BYTES:
            if (!in_value(scan))
                keep(stream, bytes);
            break;
        }
    }
}

/* What broke the scan, or is cut off, is at the end of the rest: there the decoder finds it and has
 * the words. */
enum sl_err sl_record_stream_take(struct sl_record_stream *stream, struct sl_record_around *out,
                                  struct sl_why *why)
{
    bool             whole = scan_is_whole(&stream->scan);
    struct sl_record record;
    enum sl_err      err;

    SL_ASSERT(stream->scan.left == 0 || stream->scan.state == SCAN_BROKEN);
    keep_head(stream);
    if (stream->rest_over)
        return sl_fail(why, SL_TOO_LARGE, "more than %d bytes beside the prewrite value",
                       SL_RECORD_REST_BYTES_MAX);
    err = sl_record_decode((struct sl_slice){stream->rest, stream->rest_bytes}, &record, why);
    if (err != SL_OK)
        return err;
    SL_ASSERT(whole);
    SL_ASSERT(record.prewrite_value.bytes == NULL);
    *out = (struct sl_record_around){.record = record,
                                     .has_value = stream->has_value,
                                     .value_at = stream->value_at,
                                     .value_bytes = stream->value_bytes};
    return SL_OK;
}

struct sl_slice sl_record_stream_rest(const struct sl_record_stream *stream)
{
    return (struct sl_slice){stream->rest, stream->rest_bytes};
}

/* ---- requests ---- */

void sl_write_stream_begin(struct sl_write_stream *stream, uint64_t bytes)
{
    *stream = (struct sl_write_stream){.bytes = bytes};
    scan_begin(&stream->scan, bytes);
    sl_record_stream_begin(&stream->record, 0);
}

void sl_write_stream_end(struct sl_write_stream *stream)
{
    sl_record_stream_end(&stream->record);
    *stream = (struct sl_write_stream){0};
}

static void begin_field(struct sl_write_stream *stream)
{
    struct sl_record_scan *scan = &stream->scan;

    scan->head_bytes = 0;
    if ((scan->field == FIELD_CLUSTER_ID && scan->wire != WIRE_VARINT) ||
        (scan->field == FIELD_PAYLOAD && scan->wire != WIRE_BYTES))
        scan->state = SCAN_BROKEN;
    if (scan->field != FIELD_PAYLOAD || scan->state == SCAN_BROKEN)
        return;
    sl_record_stream_end(&stream->record);
    sl_record_stream_begin(&stream->record, scan->value_left);
    stream->record_at = stream->bytes - scan->left;
}

bool sl_write_stream_feed(struct sl_write_stream *stream, struct sl_slice piece)
{
    struct sl_record_scan *scan = &stream->scan;
    struct sl_slice        bytes;

    SL_ASSERT(piece.len <= scan->left);
    for (;;) {
        switch (scan_next(scan, &piece, &bytes)) {
        case SCAN_NOTHING: return scan->state != SCAN_BROKEN;
        case SCAN_FAILED: break;
        case SCAN_HEAD: begin_field(stream); break;
        case SCAN_BYTES:
            if (scan->field == FIELD_PAYLOAD)
                (void)sl_record_stream_feed(&stream->record, bytes); /* told when it is taken */
            else if (scan->field == FIELD_CLUSTER_ID && scan->state == SCAN_TAG)
                stream->cluster_id = scan->number;
            break;
        }
    }
}

/* Within the value all that was kept are whole fields. */
bool sl_write_stream_peek(const struct sl_write_stream *stream, uint64_t *cluster_id,
                          struct sl_record *record)
{
    const struct sl_record_stream *inner = &stream->record;

    if (stream->scan.state != SCAN_VALUE || stream->scan.field != FIELD_PAYLOAD ||
        inner->scan.state != SCAN_VALUE || !in_value(&inner->scan))
        return false;
    *cluster_id = stream->cluster_id;
    return sl_record_decode(sl_record_stream_rest(inner), record, NULL) == SL_OK;
}

enum sl_err sl_write_stream_cluster(struct sl_write_stream *stream, uint64_t *cluster_id,
                                    struct sl_why *why)
{
    SL_ASSERT(stream->scan.left == 0 || stream->scan.state == SCAN_BROKEN);
    if (stream->scan.state == SCAN_BROKEN)
        return sl_fail(why, SL_INVALID, "proto: WriteBinlogReq: illegal field");
    if (!scan_is_whole(&stream->scan))
        return sl_fail(why, SL_INVALID, "unexpected EOF");
    *cluster_id = stream->cluster_id;
    return SL_OK;
}

enum sl_err sl_write_stream_take(struct sl_write_stream *stream, struct sl_record_around *out,
                                 struct sl_why *why)
{
    enum sl_err err;

    SL_ASSERT(scan_is_whole(&stream->scan));
    if ((err = sl_record_stream_take(&stream->record, out, why)) != SL_OK)
        return err;
    out->value_at += stream->record_at;
    return SL_OK;
}
