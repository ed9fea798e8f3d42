#ifndef SL_TESTS_LIB_FAKE_PUMP_H
#define SL_TESTS_LIB_FAKE_PUMP_H

/* A pump that keeps nothing: it hears records and answers as a test tells it to, or not at all, on
 * real sockets. It runs when it is stepped, in the test's own thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "binlog/record.h"

struct fake_pump;

/* What becomes of a record. */
enum fake_answer {
    FAKE_OK,
    FAKE_REFUSE,       /* status UNKNOWN */
    FAKE_TOO_LARGE,    /* status RESOURCE_EXHAUSTED */
    FAKE_DROP,         /* the connection breaks before the record is looked at */
    FAKE_OK_THEN_DROP, /* the record is taken, and the connection breaks instead of an answer */
};

/* What the test brings. */
struct fake_pump_events {
    /* A record has come; slices are valid during the call. *steps: after how many more steps it is
     * answered. payload.bytes NULL: a probe, record is all zero. */
    enum fake_answer (*write)(void *context, uint32_t pump, uint64_t cluster_id,
                              const struct sl_record *record, struct sl_slice payload,
                              unsigned *steps);
    /* The answer "OK" goes out for this prewrite, commit or rollback now. May be NULL. */
    void (*answered)(void *context, uint32_t pump, int32_t type, sl_ts start_ts);
    /* Somebody pulls from this ts on: the next payload with a greater one, a new reference, or
     * NULL: the stream ends with OK, or, when streams stay, there is none for now. Called again for
     * each next one, with the count of those before it in this stream. May be NULL. */
    struct sl_buf *(*pull)(void *context, uint64_t cluster_id, sl_ts from, unsigned sent);
    bool  streams_stay;
    void *context;
};

/* Listens on a free port of 127.0.0.1. `number` is what events say. */
struct fake_pump *fake_pump_new(const struct sl_env *env, uint32_t number,
                                const struct fake_pump_events *events);
void              fake_pump_free(struct fake_pump **pump);
const char       *fake_pump_address(const struct fake_pump *pump);
/* Take what has come, and answer what is due. */
void fake_pump_step(struct fake_pump *pump);

#endif
