#include "explore/explore.h"

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define SLUICE_EXPLORE 1
#include "runtime/sync.h"

enum { STACK_BYTES = 1 << 16, POINTS_MAX = 4096 };

enum thread_state { RUNNABLE, WAITING, ENDED };

struct thread {
    ucontext_t        context;
    char             *stack;
    enum thread_state state;
    _Atomic uint32_t *word; /* WAITING: runnable again when *word != value */
    uint32_t          value;
};

/* One decision: how many ways there were to go on, and which was taken. */
struct decision {
    uint8_t options;
    uint8_t taken;
};

static struct {
    const struct explore_scenario *scenario;
    struct thread                  threads[EXPLORE_THREADS_MAX];
    ucontext_t                     scheduler;
    unsigned                       current;
    unsigned                       preemptions;
    struct decision                path[POINTS_MAX];
    unsigned                       depth;   /* decisions made in this run */
    unsigned                       planned; /* decisions fixed beforehand */
} x;

static void thread_main(void)
{
    x.scenario->thread[x.current]();
    x.threads[x.current].state = ENDED;
    swapcontext(&x.threads[x.current].context, &x.scheduler);
}

void explore_point(void)
{
    swapcontext(&x.threads[x.current].context, &x.scheduler);
}

void explore_await_change(_Atomic uint32_t *word, uint32_t value)
{
    struct thread *t = &x.threads[x.current];

    t->word = word;
    t->value = value;
    t->state = WAITING;
    swapcontext(&t->context, &x.scheduler);
}

static bool runnable(unsigned i)
{
    struct thread *t = &x.threads[i];

    if (t->state == WAITING && atomic_load(t->word) != t->value)
        t->state = RUNNABLE;
    return t->state == RUNNABLE;
}

/* The threads that may go on, the current one first. Without preemptions left, only that one if it
 * can. */
static unsigned candidates(unsigned *out)
{
    unsigned count = 0;
    bool     stay = runnable(x.current);

    if (stay)
        out[count++] = x.current;
    if (stay && x.preemptions == x.scenario->preemptions_max)
        return count;
    for (unsigned i = 0; i < x.scenario->thread_count; i++) {
        if (i != x.current && runnable(i))
            out[count++] = i;
    }
    return count;
}

static unsigned decide(unsigned options)
{
    if (options == 1)
        return 0;
    SL_ASSERT(x.depth < POINTS_MAX);
    if (x.depth >= x.planned)
        x.path[x.depth] = (struct decision){.options = (uint8_t)options, .taken = 0};
    SL_ASSERT(x.path[x.depth].options == options); /* the scenario does the same in every run */
    return x.path[x.depth++].taken;
}

static void run_once(void)
{
    unsigned who[EXPLORE_THREADS_MAX];
    unsigned count;

    x.depth = 0;
    x.preemptions = 0;
    x.current = 0;
    x.scenario->set_up();
    for (unsigned i = 0; i < x.scenario->thread_count; i++) {
        struct thread *t = &x.threads[i];

        getcontext(&t->context);
        t->context.uc_stack.ss_sp = t->stack;
        t->context.uc_stack.ss_size = STACK_BYTES;
        t->context.uc_link = NULL;
        makecontext(&t->context, thread_main, 0);
        t->state = RUNNABLE;
    }
    while ((count = candidates(who)) > 0) {
        unsigned next = who[decide(count)];

        if (next != x.current && x.threads[x.current].state == RUNNABLE)
            x.preemptions++;
        x.current = next;
        swapcontext(&x.scheduler, &x.threads[next].context);
    }
}

/* Change the last decision that has another way left. False: all are tried. */
static bool next_schedule(void)
{
    while (x.depth > 0) {
        struct decision *d = &x.path[x.depth - 1];

        if (d->taken + 1 < d->options) {
            d->taken++;
            x.planned = x.depth;
            return true;
        }
        x.depth--;
    }
    return false;
}

struct explore_result explore(const struct explore_scenario *scenario, uint64_t schedules_max)
{
    struct explore_result result = {0};

    memset(&x, 0, sizeof x);
    x.scenario = scenario;
    for (unsigned i = 0; i < scenario->thread_count; i++) {
        x.threads[i].stack = malloc(STACK_BYTES);
        SL_ASSERT(x.threads[i].stack != NULL);
    }
    do {
        run_once();
        result.schedules++;
        if (x.depth > result.points)
            result.points = x.depth;
        result.failed = !scenario->check();
        scenario->tear_down();
    } while (!result.failed && result.schedules < schedules_max && next_schedule());
    for (unsigned i = 0; i < scenario->thread_count; i++)
        free(x.threads[i].stack);
    return result;
}
