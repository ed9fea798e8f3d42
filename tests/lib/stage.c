#include "lib/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"
#include "lib/env_sim.h"
#include "lib/layer.h"
#include "lib/sim.h"

enum { TICK_MS = 1, TICKS_MAX = 20000, STEPS_MAX = 1000000, CHILDREN_MAX = 64 };

struct root {
    struct sl_timer tick;
    uint32_t        scene;
    uint32_t        ticks; /* of this scene */
};

static const struct stage *playing;
static struct sl_runtime  *runtime;
static uint64_t            fingerprint;

struct sl_msg *stage_kept[STAGE_KEPT_MAX];
uint32_t       stage_kept_count;

struct sl_runtime *stage_runtime(void)
{
    return runtime;
}

uint64_t stage_fingerprint(void)
{
    return fingerprint;
}

/* ---- root ---- */

static enum sl_err root_tick(struct sl_ctx *ctx, struct root *r)
{
    const struct stage_scene *scene = &playing->scenes[r->scene];

    if (r->scene == playing->scene_count) {
        sl_stop(ctx);
        return SL_OK;
    }
    sl_timer_arm(ctx, &r->tick, STAGE_TICK, TICK_MS);
    if (stage_kept_count < scene->kept || (scene->ready != NULL && !scene->ready(ctx))) {
        if (++r->ticks == TICKS_MAX)
            return sl_fail(sl_why(ctx), SL_TIMEOUT, "scene %u waits in vain", r->scene);
        return SL_OK;
    }
    r->scene++;
    r->ticks = 0;
    if (scene->play != NULL)
        scene->play(ctx);
    return SL_OK;
}

static enum sl_err root_start(struct sl_ctx *ctx, void *self, const void *args)
{
    struct root *r = self;

    (void)args;
    sl_timer_arm(ctx, &r->tick, STAGE_TICK, 0);
    return SL_OK;
}

static enum sl_err root_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    if (msg->type == STAGE_TICK)
        return root_tick(ctx, self);
    return playing->handle == NULL ? SL_OK : playing->handle(ctx, self, msg);
}

static enum sl_err root_system(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    const struct sl_child_ended *ended = (const struct sl_child_ended *)msg;

    if (playing->system != NULL)
        return playing->system(ctx, self, msg);
    if (msg->type == SL_MSG_STOP)
        sl_stop(ctx);
    else
        SL_ASSERT(msg->type == SL_MSG_CHILD_ENDED && ended->err == SL_OK);
    return SL_OK;
}

const struct sl_actor_class stage_root_class = {
    .name = "root",
    .lane = SL_LANE_COMPUTE,
    .state_bytes = sizeof(struct root),
    .questions_max = 8,
    .waits_max = 8,
    .timers_max = 1,
    .children_max = CHILDREN_MAX,
    .start = root_start,
    .handle = root_handle,
    .system = root_system,
};

/* ---- keeper ---- */

static enum sl_err keeper_handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)self;
    (void)msg;
    SL_ASSERT(stage_kept_count < STAGE_KEPT_MAX);
    stage_kept[stage_kept_count++] = sl_take(ctx);
    return SL_OK;
}

const struct sl_actor_class stage_keeper_class = {
    .name = "keeper",
    .lane = SL_LANE_COMPUTE,
    .handle = keeper_handle,
};

void stage_free_kept(uint32_t index)
{
    sl_msg_discard(stage_kept[index], &stage_kept[index]);
}

void stage_free_all_kept(void)
{
    for (uint32_t i = 0; i < stage_kept_count; i++) {
        if (stage_kept[i] != NULL)
            stage_free_kept(i);
    }
}

/* ---- playing ---- */

static sl_nanos next_event(void *sim)
{
    return sl_env_sim_next_event(sim);
}

static void advance_to(void *sim, sl_nanos moment)
{
    sl_env_sim_advance(sim, moment - sl_env_now(sl_env_sim_env(sim)));
}

enum sl_err stage_play_seed(const struct stage *stage, const struct sl_topology *topology,
                            uint64_t seed, struct sl_why *why)
{
    struct sl_env_sim        *sim = sl_env_sim_new(seed);
    struct sl_env             env = *sl_env_sim_env(sim);
    struct layer_net          layer;
    struct sl_runtime_options options = {
        .env = &env,
        .topology = topology,
        .seeded = true,
        .seed = seed,
        .next_event = next_event,
        .advance_to = advance_to,
        .sim = sim,
    };
    enum sl_err err;

    if (stage->layered) {
        layer_init(&layer, env.net, seed);
        env.net = &layer.base;
    }
    playing = stage;
    stage_kept_count = 0;
    if (sl_runtime_new(&options, &runtime, why) != SL_OK)
        SL_PANIC("%s", why->text);
    err = sl_runtime_start(runtime, NULL, 0, why);
    SL_ASSERT(err == SL_OK);
    err = sl_runtime_run(runtime, STEPS_MAX, why);
    fingerprint = sl_runtime_fingerprint(runtime);
    if (err == SL_TIMEOUT || err == SL_GONE)
        return err; /* the root still lives: nothing can be freed */
    sl_runtime_free(&runtime);
    sl_env_sim_free(&sim);
    return err;
}

void stage_play(const struct stage *stage, const struct sl_topology *topology, void (*reset)(void),
                void (*check)(void))
{
    for (uint64_t seed = 1; seed <= STAGE_SEEDS; seed++) {
        struct sl_why why = {0};

        if (reset != NULL)
            reset();
        if (stage_play_seed(stage, topology, seed, &why) != SL_OK)
            fail_msg("seed %u: %s", (unsigned)seed, why.text);
        if (check != NULL)
            check();
    }
}

enum sl_err stage_play_on_threads(const struct stage *stage, struct sl_runtime_options options,
                                  struct sl_why *why)
{
    enum sl_err err;

    playing = stage;
    if (sl_runtime_new(&options, &runtime, why) != SL_OK)
        SL_PANIC("%s", why->text);
    if ((err = sl_runtime_start(runtime, NULL, 0, why)) == SL_OK)
        err = sl_runtime_wait(runtime, why);
    sl_runtime_free(&runtime);
    return err;
}
