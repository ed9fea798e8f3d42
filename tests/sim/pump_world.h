#ifndef SL_TESTS_SIM_PUMP_WORLD_H
#define SL_TESTS_SIM_PUMP_WORLD_H

/* One seed's world around a whole pump: its simulated machine, the lives and deaths of the pump, a
 * model TiDB that writes into it and drainers that pull from it.
 *
 *     model TiDB (pump_tidb.c) ──gRPC──► pump under the seeded scheduler ──gRPC──► drainers
 *          │ timestamps                     │                                   (pump_drainer.c)
 *          └──► local: registry ◄───────────┴── log, index: the same simulated disk
 *
 * The models are no actors: they are moved between two steps of the scheduler. They know what was
 * promised, and the first promise that is found broken ends the seed. */

#include "base/prng.h"
#include "base/ts.h"
#include "lib/env_sim.h"
#include "lib/layer.h"
#include "net/grpc.h"

enum {
    WORLD_CLUSTER_ID = 7,
    WORLD_LINKS = 3,    /* connections of the model TiDB */
    WORLD_DRAINERS = 3, /* the last one begins when all is quiet, and reads everything again */
    WORLD_AUDITOR = WORLD_DRAINERS - 1,
    WORLD_TXNS_MAX = 256,
    WORLD_OPEN_MAX = 16, /* transactions under way at one time */
    WORLD_VALUE_BYTES_MAX = 150000,
};

/* The promises, by their numbers in the list of invariants. */
enum world_promise {
    WORLD_KEPT,
    P1_ACKNOWLEDGED_IS_PULLED,
    P2_ORDER_ASCENDS,
    P3_WHOLE_TRANSACTIONS,
    P4_NOTHING_COMES_LATE,
    P5_WATERMARK_NEVER_FALLS,
    P8_WHOLE_OR_NOT_AT_ALL,
    P10_FULL_DISK_TAKES_NOTHING,
    C1_COMES_TO_REST,
    TIMESTAMPS_ASCEND,
    OPENS_WHAT_IT_WROTE, /* a log or an index that no fault can have damaged is refused */
};

struct world;

/* A connection of a model: lost now and then, and made again. */
struct link {
    struct sl_socket *socket;
    struct sl_grpc   *grpc;
    bool              connected;
    sl_nanos          due; /* not moved before: to connect again, or because it is slow */
};

/* Read and write what goes; connect when there is no connection. */
void link_move(struct world *w, struct link *link);
/* The calls hear UNAVAILABLE. */
void link_lose(struct link *link);

/* ---- the model TiDB ---- */

enum txn_step { TXN_PREWRITE, TXN_DRAW, TXN_FINISH, TXN_SETTLED };

/* P, and when that was acknowledged C; or R when it is given up. */
struct txn {
    sl_ts                start_ts;
    sl_ts                commit_ts; /* 0: none drawn */
    uint32_t             value_bytes;
    enum txn_step        step;
    bool                 rolls_back;
    bool                 is_doubtful; /* its P may still be on its way when its outcome is not */
    bool                 commits;     /* C was sent */
    uint32_t             tries;
    sl_nanos             due; /* not before */
    sl_nanos             sent_at;
    struct sl_grpc_call *call; /* under way; NULL: none */
    struct world        *world;
    uint32_t             seen; /* a bit for each drainer */
};

struct tidb {
    struct link links[WORLD_LINKS];
    struct txn  txns[WORLD_TXNS_MAX];
    uint32_t    txn_count;
    uint32_t    txns_max;
    uint32_t    open_max;
    uint32_t    value_bytes_max; /* of a few: */
    uint32_t    big_one_in;
};

void tidb_move(struct world *w);
/* Every transaction that was begun has an outcome that the pump has acknowledged. */
bool tidb_is_settled(const struct world *w);
/* Say the outcome of what is doubtful once more. */
void        tidb_repeat_doubtful(struct world *w);
struct txn *tidb_find(struct world *w, sl_ts start_ts);

/* What a drainer must be sent, byte for byte. The caller's. */
struct sl_buf *tidb_entity(const struct txn *txn);
struct sl_buf *tidb_fake_entity(sl_ts ts);

/* ---- drainers ---- */

struct drainer {
    struct link          link;
    struct sl_grpc_call *call;
    struct world        *world;
    uint32_t             index;
    bool                 is_on;
    sl_ts                last; /* passed */
    uint32_t             transactions;
};

void drainer_move(struct world *w, struct drainer *d);

/* ---- the world ---- */

struct world {
    struct sl_prng       dice;
    struct sl_env_sim   *sim;
    struct sl_env        own_env; /* of sim; in one seed of five its network has a layer above it */
    struct layer_net     layer;
    const struct sl_env *env;
    struct sl_local     *door;  /* timestamps of the model TiDB */
    sl_ts                drawn; /* last, from the door */
    struct sl_pump      *pump;  /* NULL: it is down */
    struct sl_runtime   *rt;
    uint64_t             seed;
    bool                 lies; /* the disk forgets what it was told to sync */
    bool                 is_quiet;
    bool                 has_ended; /* the pump, by itself */
    sl_nanos             moved_at;  /* the models */
    sl_nanos       full_since; /* the pump has known so long that its disk is full; 0: it is not */
    sl_ts          max_commit_ts; /* of this life */
    sl_ts          published;     /* in the registry, of all lives */
    bool           is_unsure;     /* its sync may have failed: it can be seen, and a power cut, in
                                   * this life or a later one, may take it */
    struct tidb    tidb;
    struct drainer drainers[WORLD_DRAINERS];
    enum world_promise  broken;
    char                text[512];
    struct world_tally *tally;
};

/* Over all seeds of a test: what was met. */
struct world_tally {
    uint64_t steps;
    uint32_t lives;
    uint32_t crashes;               /* in mid-air */
    uint32_t failed_opens;          /* starts that a fault ended */
    uint32_t failed_lives;          /* pumps that ended by an error of their own */
    uint64_t full;                  /* steps on a full disk */
    uint32_t transactions;          /* pulled by the auditor */
    uint32_t retries;               /* of writes */
    uint64_t read_waited_for_write; /* of the layer, as the next */
    uint64_t write_waited_for_read;
    uint64_t large; /* entities begun to be written to files of their own */
};

/* Play one seed. On a disk that lies only P1 is looked at. Returns the first promise that was
 * broken, with `text` in out (of 512 bytes). */
enum world_promise world_play(uint64_t seed, bool lies, struct world_tally *tally, char *out);

/* Note a broken promise, unless one was noted before. */
void world_blame(struct world *w, enum world_promise promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A fresh timestamp. False: not now. */
bool     world_draw(struct world *w, sl_ts *out);
bool     world_chance(struct world *w, uint32_t one_in);
sl_nanos world_after_ms(struct world *w, uint64_t least, uint64_t most);

#endif
