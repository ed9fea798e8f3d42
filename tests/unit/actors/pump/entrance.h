#ifndef SL_TESTS_UNIT_ACTORS_PUMP_ENTRANCE_H
#define SL_TESTS_UNIT_ACTORS_PUMP_ENTRANCE_H

/* The entrance of a pump on a stage: the real gateway and sessions over the simulated network,
 * between clients that a test plays and doubles of the actors behind.
 *
 *     client ══► gateway, session ──► writer, puller, clock, admin (doubles)
 *                                 ──► spooler (real) ──► writer
 *
 * Everything runs on one thread under a seed, so a test's scenes look into the clients and doubles
 * and set what they do. Clients move their bytes once a millisecond and whenever they can. */

#include <stdbool.h>
#include <stdint.h>

#include "actors/pump/pump.h"
#include "lib/stage.h"
#include "net/grpc.h"

/* Of the line and options that the stage has. */
enum {
    ENTRANCE_WRITE_CREDITS = 8,
    ENTRANCE_WRITE_BYTES = 3 << 20,
    ENTRANCE_MESSAGE_BYTES_MAX = 2 << 20,
    ENTRANCE_SESSIONS_MAX = 6,
    ENTRANCE_SHARDS = 2,
    ENTRANCE_STOP_WRITE_BYTES = 1000,
};

/* Of Appendix A of the pump specification. */
#define ENTRANCE_CLUSTER_ID UINT64_C(6568678830546690613)
#define ENTRANCE_COMMIT_TS INT64_C(412518831548007863)
#define ENTRANCE_START_TS INT64_C(412518831548007786)
extern const char entrance_fake_hex[];
extern const char entrance_prewrite_hex[];
extern const char entrance_write_hex[];
extern const char entrance_probe_hex[];
extern const char entrance_pull_hex[];
extern const char entrance_pull_all_hex[];
extern const char entrance_entity_hex[];

extern struct sl_pump           entrance_pump;
extern const struct sl_topology entrance_topology;
extern struct sl_ref            entrance_gateway;

/* ---- clients ---- */

enum { CLIENTS_MAX = 8, CLIENT_CALLS_MAX = 3000, CLIENT_RAW_BYTES_MAX = 1 << 16 };

struct client_call {
    struct sl_grpc_call *call; /* NULL: over */
    enum sl_grpc_status  status;
    char                 text[200];
    uint32_t             messages;
    uint64_t             bytes;         /* of all messages */
    char                 last_hex[256]; /* the last message, when it is small */
    bool                 over;
    struct sl_buf       *more; /* still to be sent */
    bool                 held; /* does not consume what comes */
    uint64_t             unconsumed;
};

struct client {
    struct sl_socket *socket; /* NULL: closed, or not begun */
    struct sl_io      io;
    struct sl_timer   poll;
    struct sl_grpc   *grpc; /* NULL: it speaks raw bytes */
    bool              connected;
    bool              ended;   /* the peer closed */
    bool              reset;   /* or broke */
    bool              deaf;    /* does not read */
    bool              hang_up; /* to do: close */
    bool              shut;    /* to do: end our side, once all is written */
    uint8_t           raw_out[CLIENT_RAW_BYTES_MAX];
    size_t            raw_out_count;
    char              raw_in[CLIENT_RAW_BYTES_MAX];
    size_t            raw_in_count;

    struct client_call calls[CLIENT_CALLS_MAX];
    uint32_t           call_count;
    uint32_t           over_count;
};
extern struct client clients[CLIENTS_MAX];

/* Start client i, which connects to the pump's port or to its unix socket. */
void client_open(struct sl_ctx *ctx, uint32_t i, bool grpc, bool over_unix);
/* Begin a call with a request, in hex or as bytes; returns its index. */
uint32_t client_call_hex(uint32_t i, const char *path, const char *hex);
uint32_t client_call_bytes(uint32_t i, const char *path, const void *bytes, size_t count);
/* WriteBinlog with the own cluster id and a record of these values, with `filler` bytes of a value
 * when it is a prewrite. */
uint32_t client_write(uint32_t i, int32_t type, sl_ts start_ts, sl_ts commit_ts, size_t filler);
void     client_raw(uint32_t i, const void *bytes, size_t count);
void     client_raw_text(uint32_t i, const char *text);

/* The only call of this index ended so; fails the test otherwise. */
void client_expect(uint32_t i, uint32_t call, enum sl_grpc_status status, const char *text);

/* ---- doubles ---- */

enum { WRITES_MAX = 8192 };

struct writer_double {
    bool        hold; /* keep questions until false */
    enum sl_err err;  /* answer FAILED with this and text */
    const char *text;
    bool        vanish; /* free the question unanswered */
    uint32_t    count;  /* records that came */
    sl_ts       start_ts[WRITES_MAX];
    sl_ts       commit_ts[WRITES_MAX];
    size_t      bytes[WRITES_MAX];
    char        last_hex[256];
    uint32_t    holding;
    uint32_t    shard_of[WRITES_MAX];
};
extern struct writer_double writer;

struct puller_double {
    uint32_t alive;
    uint32_t begun;
    uint32_t asked; /* questions that came */
    uint32_t entities_per_batch;
    size_t   entity_bytes; /* 0: the golden one */
    uint64_t limit;        /* batches in all; then questions are kept */
    uint64_t given;
    bool     fail;   /* end with an error at the next question */
    bool     finish; /* end without an error */
    sl_ts    after;
    char     peer[128];
};
extern struct puller_double puller;

struct clock_double {
    bool     fail;
    sl_ts    ts;
    uint32_t asked;
};
extern struct clock_double clock_door;

struct admin_double {
    uint32_t asked;
    bool     hold;
    bool     vanish;
    char     said[512]; /* the last request */
};
extern struct admin_double admin;

/* ---- playing ---- */

/* Play these scenes under STAGE_SEEDS / 5 seeds, after everything has been started; then stop. In
 * one of three the network has a layer above it (lib/layer.h). */
void entrance_play(const struct stage_scene *scenes, uint32_t count, void (*check)(void));

#define ENTRANCE_PLAY(array, check) entrance_play((array), STAGE_COUNT(array), (check))

#endif
