#ifndef SL_ACTORS_DRAINER_FRONT_H
#define SL_ACTORS_DRAINER_FRONT_H

/* The front of a drainer: what pumps, operators and the registry see of it.
 *
 *     pump, curl ══► gateway, session ──NOTIFY──► collector
 *                                     ──HTTP────► admin ──TUNE──► dispatcher
 *                                                       ──LEAVE─► root
 *                                                                   │ PUBLISH
 *     registry ◄── registrar ◄──────────────────────────────────────┘
 *     Pushgateway ◄── pusher
 *
 *     gateway: accepts connections; a session per connection (gRPC or HTTP, by its first bytes).
 *     registrar: writes the drainer's record: states, heartbeats with the checkpoint.
 *     admin: answers HTTP; counts what there is per second.
 *     pusher: sends metrics to a Pushgateway, when there is one.
 *
 * Its actors know what is behind them by references and by the notice board (board.h) alone. All of
 * them get struct sl_drainer_front_args but sessions, which the gateway starts. All but the
 * registrar may run before what is behind does: it says that the drainer is there. Stop them so:
 * publish pausing or closing; gateway; whatever is behind; publish paused or offline, which takes
 * the last checkpoint along; admin, pusher, registrar. */

#include "actors/drainer/board.h"
#include "actors/drainer/front_messages.h"
#include "actors/drainer/metrics.h"
#include "runtime/topology.h"

struct sl_socket;

/* What the front must know. Borrowed for its life. */
struct sl_drainer_front_options {
    const char *pd_urls; /* see net/cluster.h */
    const char *node_id;
    const char *advertise;       /* host:port that others are told */
    const char *push_addr;       /* of a Pushgateway; NULL: none */
    uint32_t    push_ms;         /* between two pushes */
    uint64_t    synced_check_ms; /* without a success for so long: Synced */
    uint64_t    budget_bytes;    /* for the metric */
    bool        tells_progress;  /* a line in the log now and then */
    uint32_t    workers_max;     /* that are started: so many may be in use */
    uint32_t    part_rows;       /* at the start */
    bool        is_kept;         /* upstream transactions stay whole: nothing to tune */
};

/* Part of struct sl_drainer. Constant while actors run, but for what is said to belong to one. */
struct sl_drainer_front {
    struct sl_drainer_front_options options;
    sl_nanos                        started_at; /* monotonic */
    struct sl_socket               *listener;   /* gateway; owned until it has been started */
    struct sl_drainer_board         board;
    struct sl_metric_registry      *registry; /* owned */
    struct sl_drainer_metrics       metrics;  /* anybody adds */
    /* Written by root before whoever uses them is started. */
    struct sl_ref root_ref;
    struct sl_ref admin_ref;
    struct sl_ref registrar_ref;
    /* Nobody, until root starts them behind the sessions and the admin that ask them. Partners:
     * root's stores and the loads of these, in the order that they have by default: whoever sees
     * the reference sees the actor. */
    _Atomic(struct sl_ref) collector_ref;
    _Atomic(struct sl_ref) dispatcher_ref;
};

/* Make board and metrics: before the first actor runs. env outlives it. `seats`: pumps at one time.
 */
void sl_drainer_front_init(struct sl_drainer_front *front, const struct sl_env *env,
                           const struct sl_drainer_front_options *options, uint32_t seats);
/* After the runtime is freed. Harmless on all zeros. */
void sl_drainer_front_done(struct sl_drainer_front *front);

/* The text of /metrics: gauges are brought up to date first. now: monotonic. Any thread. */
struct sl_buf *sl_drainer_front_metrics(struct sl_drainer_front *front, sl_nanos now);

/* What root gives the classes below, but the session. */
struct sl_drainer_front_args {
    struct sl_drainer_front *front;
};

/* The classes. */
#define SL_DRAINER_FRONT_CLASSES(X) \
    X(sl_drainer_gateway_class)     \
    X(sl_drainer_session_class)     \
    X(sl_drainer_admin_class)       \
    X(sl_drainer_registrar_class)   \
    X(sl_drainer_pusher_class)
#define SL_DRAINER_FRONT_CLASS(name) extern const struct sl_actor_class name;
SL_DRAINER_FRONT_CLASSES(SL_DRAINER_FRONT_CLASS)
#undef SL_DRAINER_FRONT_CLASS

/* Their rows for the topology's table of actors. */
#define SL_DRAINER_FRONT_ACTORS                                                              \
    {&sl_drainer_gateway_class, 1}, {&sl_drainer_session_class, SL_DRAINER_CONNECTIONS_MAX}, \
        {&sl_drainer_admin_class, 1}, {&sl_drainer_registrar_class, 1},                      \
    {                                                                                        \
        &sl_drainer_pusher_class, 1                                                          \
    }

/* The lines: indexes for sl_line. Input 0. */
enum sl_drainer_front_line {
    SL_LINE_FRONT_NOTIFY,  /* session -> collector */
    SL_LINE_FRONT_HTTP,    /* session -> admin */
    SL_LINE_FRONT_LEAVE,   /* admin -> root */
    SL_LINE_FRONT_TUNE,    /* admin -> dispatcher */
    SL_LINE_FRONT_PUBLISH, /* root -> registrar */
    SL_DRAINER_FRONT_LINES,
};

/* Their rows for the topology's table of lines, given the classes behind. */
#define SL_DRAINER_FRONT_LINE_ROWS(root_class, collector_class, dispatcher_class)          \
    [SL_LINE_FRONT_NOTIFY] = {.name = "notify",                                            \
                              .credits = SL_DRAINER_NOTIFY_CREDITS,                        \
                              .inputs = 1,                                                 \
                              .path = {&sl_drainer_session_class, &(collector_class)}},    \
    [SL_LINE_FRONT_HTTP] = {.name = "http",                                                \
                            .credits = SL_DRAINER_HTTP_CREDITS,                            \
                            .bytes = SL_DRAINER_HTTP_CREDITS * SL_HTTP_BODY_BYTES_MAX,     \
                            .inputs = 1,                                                   \
                            .path = {&sl_drainer_session_class, &sl_drainer_admin_class}}, \
    [SL_LINE_FRONT_LEAVE] = {.name = "leave",                                              \
                             .credits = SL_DRAINER_HTTP_CREDITS,                           \
                             .inputs = 1,                                                  \
                             .path = {&sl_drainer_admin_class, &(root_class)}},            \
    [SL_LINE_FRONT_TUNE] = {.name = "tune",                                                \
                            .credits = 1, /* admin asks one at a time */                   \
                            .inputs = 1,                                                   \
                            .path = {&sl_drainer_admin_class, &(dispatcher_class)}},       \
    [SL_LINE_FRONT_PUBLISH] = {.name = "publish",                                          \
                               .credits = 2,                                               \
                               .inputs = 1,                                                \
                               .path = {&(root_class), &sl_drainer_registrar_class}}

#endif
