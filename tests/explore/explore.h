#ifndef SL_TESTS_EXPLORE_EXPLORE_H
#define SL_TESTS_EXPLORE_EXPLORE_H

/* Bounded exhaustive exploration of interleavings.
 *
 * The threads of a scenario are coroutines on one real thread. At every explore_point() the
 * explorer may switch to another runnable one. It runs the scenario again and again, depth first,
 * until every schedule with at most `preemptions_max` switches away from a runnable thread has been
 * tried. Memory is sequentially consistent here: what weaker orders add is argued at each atomic
 * and watched by ThreadSanitizer. */

#include <stdbool.h>
#include <stdint.h>

enum { EXPLORE_THREADS_MAX = 4 };

struct explore_scenario {
    const char *name;
    void (*set_up)(void);
    unsigned thread_count;
    void (*thread[EXPLORE_THREADS_MAX])(void);
    /* Called when every thread has ended or waits for ever. True: all is as it should be. */
    bool (*check)(void);
    void (*tear_down)(void);
    unsigned preemptions_max;
};

struct explore_result {
    uint64_t schedules; /* tried */
    unsigned points;    /* in the longest one */
    bool     failed;    /* check said no; the last schedule tried is the one */
};

/* Try all schedules, or stop at the first that fails or after schedules_max. */
struct explore_result explore(const struct explore_scenario *scenario, uint64_t schedules_max);

#endif
