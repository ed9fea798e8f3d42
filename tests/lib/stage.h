#ifndef SL_TESTS_LIB_STAGE_H
#define SL_TESTS_LIB_STAGE_H

/* A stage for unit tests of the actor machine: a root actor that plays scenes one after another.
 *
 * A scene waits until its condition holds (asked once a millisecond) and then plays, as the root:
 * it spawns, sends, waits and looks. After the last scene the root stops, and with it its children;
 * the runtime is freed, which checks that every message and credit came home. Under the seeded
 * scheduler handlers may use cmocka's assertions and plain globals; on threads neither. */

#include <stdbool.h>
#include <stdint.h>

#include "runtime/runtime.h"

/* The root's own message types begin here; STAGE_TICK is the stage's. */
enum { STAGE_TICK = SL_MSG_USER, STAGE_USER };

/* Seeds that stage_play runs: enough to meet each order of a handful of turns. */
enum { STAGE_SEEDS = 50 };

struct stage_scene {
    void (*play)(struct sl_ctx *ctx);  /* NULL: only wait */
    bool (*ready)(struct sl_ctx *ctx); /* NULL: at the next tick */
    uint32_t kept;                     /* not before the keeper has had so many messages */
};

struct stage {
    const struct stage_scene *scenes;
    uint32_t                  scene_count;
    bool                      layered; /* seeded: the network has a layer above it (lib/layer.h) */
    /* The root's other mail. NULL: as a class without the hook; handle: mail is dropped. */
    enum sl_err (*handle)(struct sl_ctx *ctx, void *self, struct sl_msg *msg);
    enum sl_err (*system)(struct sl_ctx *ctx, void *self, struct sl_msg *msg);
};

#define STAGE_COUNT(array) (sizeof(array) / sizeof *(array))

/* A stage from an array of scenes, and a topology from its two arrays. */
#define STAGE(scenes_array) .scenes = (scenes_array), .scene_count = STAGE_COUNT(scenes_array)
#define STAGE_TOPOLOGY(actors_array, lines_array)                                               \
    {                                                                                           \
        .program = "stage", .actors = (actors_array), .actor_count = STAGE_COUNT(actors_array), \
        .lines = (lines_array), .line_count = STAGE_COUNT(lines_array)                          \
    }

/* The class of the root: 8 questions, 8 waits, 64 children; on the compute lane. */
extern const struct sl_actor_class stage_root_class;

/* Play under STAGE_SEEDS seeds; `reset` runs before each, `check` after it (either may be NULL). A
 * root that does not end without error fails the test. */
void stage_play(const struct stage *stage, const struct sl_topology *topology, void (*reset)(void),
                void (*check)(void));

/* Play once under one seed; returns how the root ended. Frees the runtime. */
enum sl_err stage_play_seed(const struct stage *stage, const struct sl_topology *topology,
                            uint64_t seed, struct sl_why *why);

/* Play once on threads, in the environment `env`. `options` gives the numbers of threads and
 * on_stuck. */
enum sl_err stage_play_on_threads(const struct stage *stage, struct sl_runtime_options options,
                                  struct sl_why *why);

/* The runtime that plays now. */
struct sl_runtime *stage_runtime(void);
/* The fingerprint of the last play under a seed. */
uint64_t stage_fingerprint(void);

/* A class that takes every message and keeps it in stage_kept, in the order of arrival. Single
 * threaded plays only. Whoever plays frees them, before the end. */
enum { STAGE_KEPT_MAX = 512 };
extern const struct sl_actor_class stage_keeper_class;
extern struct sl_msg              *stage_kept[STAGE_KEPT_MAX];
extern uint32_t                    stage_kept_count;

/* Free one or all kept messages. */
void stage_free_kept(uint32_t index);
void stage_free_all_kept(void);

#endif
