#ifndef SL_TESTS_LIB_WIRE_H
#define SL_TESTS_LIB_WIRE_H

/* A wire in memory between two HTTP/2 connections, which cuts the bytes into pieces as a network
 * may; and a way to speak to a connection in raw frames. */

#include "base/prng.h"
#include "net/h2.h"

/* Moves what each side has pending to the other, in pieces of 1 to piece_max bytes: always
 * piece_max when `random` is false. */
struct wire {
    struct sl_h2  *client;
    struct sl_h2  *server;
    size_t         piece_max;
    bool           random;
    struct sl_prng prng;
    enum sl_err    client_err; /* of the last sl_h2_receive; a failed side receives no more */
    enum sl_err    server_err;
    uint64_t       moved; /* bytes, both directions */
};

/* Pieces of piece_max bytes; with a seed other than 0: of random sizes up to it. */
struct wire wire_between(struct sl_h2 *client, struct sl_h2 *server, size_t piece_max,
                         uint64_t seed);
/* Until neither side has anything pending. */
void wire_run(struct wire *wire);

/* Give count bytes to a connection, as one input. */
enum sl_err wire_give(struct sl_h2 *to, const void *bytes, size_t count, struct sl_why *why);

/* Take all that is pending, as one buffer (the caller's). */
struct sl_buf *wire_take(struct sl_h2 *from);

/* ---- frames ---- */

struct wire_frame {
    uint32_t       length;
    uint8_t        type;
    uint8_t        flags;
    uint32_t       stream;
    const uint8_t *payload;
};

enum {
    WIRE_DATA = 0,
    WIRE_HEADERS = 1,
    WIRE_PRIORITY = 2,
    WIRE_RST_STREAM = 3,
    WIRE_SETTINGS = 4,
    WIRE_PING = 6,
    WIRE_GOAWAY = 7,
    WIRE_WINDOW_UPDATE = 8,
    WIRE_CONTINUATION = 9,
    WIRE_END_STREAM = 0x1,
    WIRE_ACK = 0x1,
    WIRE_END_HEADERS = 0x4,
    WIRE_PADDED = 0x8,
};

/* A growing sequence of frames. All zero is empty. */
struct wire_script {
    uint8_t *bytes;
    size_t   count;
    size_t   room;
};

void wire_script_free(struct wire_script *script);
void wire_add_bytes(struct wire_script *script, const void *bytes, size_t count);
void wire_add_frame(struct wire_script *script, uint8_t type, uint8_t flags, uint32_t stream,
                    const void *payload, size_t length);
/* A client's preface and empty SETTINGS. */
void wire_add_opening(struct wire_script *script);
/* HEADERS of a gRPC request for path (at most 120 bytes), without compression. */
void wire_add_request(struct wire_script *script, uint32_t stream, const char *path, uint8_t flags);
/* HEADERS with these fields; names and values of at most 126 bytes; ends with a NULL name. */
void wire_add_headers(struct wire_script *script, uint32_t stream, uint8_t flags,
                      const char *const *names_and_values);

/* Take the frame at *offset of bytes; false at the end. Panics if half a frame is left. */
bool wire_next_frame(struct sl_slice bytes, size_t *offset, struct wire_frame *out);
/* How many frames of this type there are. *first is the first one; may be NULL. */
uint32_t wire_count_frames(struct sl_slice bytes, uint8_t type, struct wire_frame *first);

uint32_t wire_u32(const uint8_t *bytes);

#endif
