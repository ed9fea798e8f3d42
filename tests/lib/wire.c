#include "lib/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct wire wire_between(struct sl_h2 *client, struct sl_h2 *server, size_t piece_max,
                         uint64_t seed)
{
    struct wire wire = {
        .client = client, .server = server, .piece_max = piece_max, .random = seed != 0};

    sl_prng_seed(&wire.prng, seed);
    return wire;
}

enum sl_err wire_give(struct sl_h2 *to, const void *bytes, size_t count, struct sl_why *why)
{
    struct sl_buf *input = sl_buf_new(count);
    enum sl_err    err;

    if (count > 0)
        memcpy(input->data, bytes, count);
    err = sl_h2_receive(to, input, why);
    sl_buf_free(&input);
    return err;
}

/* One piece. False when nothing is pending. */
static bool move(struct wire *wire, struct sl_h2 *from, struct sl_h2 *to, enum sl_err *err)
{
    struct sl_slice pending;
    size_t          count;

    if (!sl_h2_pending(from, &pending))
        return false;
    count = wire->random ? (size_t)sl_prng_range(&wire->prng, 1, wire->piece_max) : wire->piece_max;
    if (count > pending.len)
        count = pending.len;
    if (*err == SL_OK)
        *err = wire_give(to, pending.bytes, count, NULL);
    sl_h2_sent(from, count);
    wire->moved += count;
    return true;
}

void wire_run(struct wire *wire)
{
    bool more = true;

    while (more) {
        more = move(wire, wire->client, wire->server, &wire->server_err);
        more = move(wire, wire->server, wire->client, &wire->client_err) || more;
    }
}

struct sl_buf *wire_take(struct sl_h2 *from)
{
    struct wire_script all = {0};
    struct sl_slice    pending;
    struct sl_buf     *out;

    while (sl_h2_pending(from, &pending)) {
        wire_add_bytes(&all, pending.bytes, pending.len);
        sl_h2_sent(from, pending.len);
    }
    out = sl_buf_new(all.count);
    if (all.count > 0)
        memcpy(out->data, all.bytes, all.count);
    wire_script_free(&all);
    return out;
}

/* ---- frames ---- */

void wire_script_free(struct wire_script *script)
{
    free(script->bytes);
    *script = (struct wire_script){0};
}

void wire_add_bytes(struct wire_script *script, const void *bytes, size_t count)
{
    if (script->count + count > script->room) {
        script->room = 2 * (script->count + count);
        script->bytes = realloc(script->bytes, script->room);
        SL_ASSERT(script->bytes != NULL);
    }
    if (count > 0)
        memcpy(script->bytes + script->count, bytes, count);
    script->count += count;
}

void wire_add_frame(struct wire_script *script, uint8_t type, uint8_t flags, uint32_t stream,
                    const void *payload, size_t length)
{
    const uint8_t head[9] = {(uint8_t)(length >> 16),
                             (uint8_t)(length >> 8),
                             (uint8_t)length,
                             type,
                             flags,
                             (uint8_t)(stream >> 24),
                             (uint8_t)(stream >> 16),
                             (uint8_t)(stream >> 8),
                             (uint8_t)stream};

    wire_add_bytes(script, head, sizeof head);
    wire_add_bytes(script, payload, length);
}

void wire_add_opening(struct wire_script *script)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    wire_add_bytes(script, preface, sizeof preface - 1);
    wire_add_frame(script, WIRE_SETTINGS, 0, 0, NULL, 0);
}

void wire_add_headers(struct wire_script *script, uint32_t stream, uint8_t flags,
                      const char *const *names_and_values)
{
    struct wire_script block = {0};

    /* HPACK: literal without indexing, new name (RFC 7541, 6.2.2). */
    for (; names_and_values[0] != NULL; names_and_values += 2) {
        wire_add_bytes(&block, &(uint8_t){0}, 1);
        for (int i = 0; i < 2; i++) {
            uint8_t length = (uint8_t)strlen(names_and_values[i]);

            SL_ASSERT(length < 127);
            wire_add_bytes(&block, &length, 1);
            wire_add_bytes(&block, names_and_values[i], length);
        }
    }
    wire_add_frame(script, WIRE_HEADERS, flags, stream, block.bytes, block.count);
    wire_script_free(&block);
}

void wire_add_request(struct wire_script *script, uint32_t stream, const char *path, uint8_t flags)
{
    const char *const fields[] = {":method", "POST",         ":scheme",          "http", ":path",
                                  path,      "content-type", "application/grpc", NULL};

    wire_add_headers(script, stream, (uint8_t)(flags | WIRE_END_HEADERS), fields);
}

uint32_t wire_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool wire_next_frame(struct sl_slice bytes, size_t *offset, struct wire_frame *out)
{
    struct sl_slice head;
    struct sl_slice payload;

    if (*offset == bytes.len)
        return false;
    SL_ASSERT(sl_slice_sub(bytes, *offset, 9, &head));
    out->length = wire_u32(head.bytes) >> 8;
    out->type = head.bytes[3];
    out->flags = head.bytes[4];
    out->stream = wire_u32(head.bytes + 5);
    SL_ASSERT(sl_slice_sub(bytes, *offset + 9, out->length, &payload));
    out->payload = payload.bytes;
    *offset += 9 + (size_t)out->length;
    return true;
}

uint32_t wire_count_frames(struct sl_slice bytes, uint8_t type, struct wire_frame *first)
{
    struct wire_frame frame;
    uint32_t          count = 0;

    for (size_t offset = 0; wire_next_frame(bytes, &offset, &frame);) {
        if (frame.type != type)
            continue;
        if (count == 0 && first != NULL)
            *first = frame;
        count++;
    }
    return count;
}
