/* Every interleaving of push, schedule and park, within a bound on preemptions: no message is lost
 * or handled twice, no actor runs on two threads, nobody sleeps while there is work (R1, R2, R3).
 * The real schedule word and crew are compiled into this program with the explorer's locks and
 * sleep under them; the ring is a double that stops between claiming a place and publishing it, as
 * ck_ring can.
 *
 * Built with the planted lost wake-up, the same program must find it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SLUICE_EXPLORE 1
#include "explore/explore.h"
#include "runtime/crew.c" /* the real one, over the explorer's locks */
#include "runtime/word.h"

/* ---- the ring double ---- */

enum { RING_ROOM = 16 };

struct ring {
    void    *items[RING_ROOM];
    bool     published[RING_ROOM];
    uint32_t head; /* next to pop */
    uint32_t tail; /* next to claim */
};

struct ring *ring_new(uint32_t items)
{
    struct ring *r = calloc(1, sizeof *r);

    assert_true(items <= RING_ROOM && r != NULL);
    return r;
}

void ring_free(struct ring **r)
{
    free(*r);
    *r = NULL;
}

static bool push(struct ring *r, void *item)
{
    uint32_t at = r->tail;

    if (at == RING_ROOM)
        return false;
    r->tail++;
    explore_point(); /* claimed, not published */
    r->items[at] = item;
    r->published[at] = true;
    return true;
}

static void *pop(struct ring *r)
{
    if (r->head == r->tail || !r->published[r->head])
        return NULL;
    return r->items[r->head++];
}

uint32_t ring_count(const struct ring *r)
{
    uint32_t count = 0;

    while (r->head + count < r->tail && r->published[r->head + count])
        count++;
    return count;
}

bool ring_push_mpsc(struct ring *r, void *item)
{
    return push(r, item);
}

bool ring_push_mpmc(struct ring *r, void *item)
{
    return push(r, item);
}

void *ring_pop_mpsc(struct ring *r)
{
    return pop(r);
}

void *ring_pop_mpmc(struct ring *r)
{
    return pop(r);
}

/* ---- the machine in small: as mail.c, turn.c and pool.c use word and crew ---- */

enum { ACTORS = 2, SENDERS = 3, MESSAGES_MAX = 4 };

struct actor {
    word         state;
    struct ring *mailbox;
    bool         running;
    unsigned     budget;
    uintptr_t    last_from[SENDERS]; /* FIFO per sender */
};

static struct crew    crew;
static struct actor   actors[ACTORS];
static struct sleeper sleepers[2];
static unsigned       sent;
static unsigned       handled;
static bool           broken;
static bool           relay; /* actor 0 sends on to actor 1 */

static void rouse(struct sleeper *s)
{
    atomic_store(&s->token, 1);
}

/* A message is its sender's number times 100 plus its place in that sender's order. */
static void send(struct actor *to, unsigned sender, unsigned order)
{
    bool pushed = ring_push_mpsc(to->mailbox, (void *)(uintptr_t)(sender * 100 + order));

    assert_true(pushed);
    sent++;
    if (word_pushed(&to->state)) {
        crew_push(&crew, to);
        (void)crew_wake_one(&crew);
    }
}

static void handle(struct actor *a, uintptr_t message)
{
    uintptr_t sender = message / 100;
    uintptr_t order = message % 100;

    broken |= order != a->last_from[sender] + 1; /* R1 */
    a->last_from[sender] = order;
    handled++;
    if (relay && a == &actors[0])
        send(&actors[1], 2, (unsigned)order);
}

static void run_turn(struct actor *a)
{
    void    *message;
    unsigned count = 0;

    word_begin(&a->state);
    broken |= a->running; /* R2 */
    a->running = true;
    while (count < a->budget && (message = ring_pop_mpsc(a->mailbox)) != NULL) {
        handle(a, (uintptr_t)message);
        count++;
        explore_point();
    }
    a->running = false;
    if (word_end(&a->state, ring_count(a->mailbox) > 0))
        crew_push(&crew, a);
}

static void worker(struct sleeper *s)
{
    struct actor *a;

    for (;;) {
        if ((a = crew_pop(&crew)) != NULL) {
            run_turn(a);
            continue;
        }
        if (!crew_lie_down(&crew, s))
            continue;
        while (atomic_load(&s->token) == 0)
            explore_await_change(&s->token, 0);
        crew_get_up(&crew, s);
    }
}

static void worker_0(void)
{
    worker(&sleepers[0]);
}

static void worker_1(void)
{
    worker(&sleepers[1]);
}

static void send_two_a(void)
{
    send(&actors[0], 0, 1);
    send(&actors[0], 0, 2);
}

static void send_two_b(void)
{
    send(&actors[0], 1, 1);
    send(&actors[0], 1, 2);
}

static void send_three(void)
{
    send(&actors[0], 0, 1);
    send(&actors[0], 0, 2);
    send(&actors[0], 0, 3);
}

static void send_each(void)
{
    send(&actors[0], 0, 1);
    send(&actors[1], 0, 1);
    send(&actors[0], 0, 2);
    send(&actors[1], 0, 2);
}

static void set_up(void)
{
    crew_init(&crew, 8);
    for (unsigned i = 0; i < ACTORS; i++)
        actors[i] = (struct actor){.mailbox = ring_new(8), .budget = 2};
    for (unsigned i = 0; i < 2; i++)
        sleepers[i] = (struct sleeper){.rouse = rouse};
    sent = 0;
    handled = 0;
    broken = false;
}

/* All senders have ended and all workers sleep: was everything handled? */
static bool check(void)
{
    return !broken && sent > 0 && handled == sent && ring_count(crew.queue) == 0;
}

static void tear_down(void)
{
    for (unsigned i = 0; i < ACTORS; i++)
        ring_free(&actors[i].mailbox);
    crew.idle = NULL;
    crew_free(&crew);
}

struct trial {
    struct explore_scenario scenario;
    bool                    relayed; /* actor 0 sends on to actor 1 in its turn */
};

#define SCENARIO(title, count, preemptions, ...)                                             \
    {                                                                                        \
        .name = (title), .set_up = set_up, .thread_count = (count), .thread = {__VA_ARGS__}, \
        .check = check, .tear_down = tear_down, .preemptions_max = (preemptions)             \
    }

static struct trial trials[] = {
    {SCENARIO("no_schedule_loses_mail_of_two_senders", 3, 3, send_two_a, send_two_b, worker_0),
     false},
    {SCENARIO("no_schedule_runs_an_actor_twice_at_once", 3, 3, send_three, worker_0, worker_1),
     false},
    {SCENARIO("no_schedule_leaves_work_to_sleepers", 3, 2, send_each, worker_0, worker_1), false},
    {SCENARIO("no_schedule_loses_mail_sent_in_a_turn", 3, 2, send_three, worker_0, worker_1), true},
    {SCENARIO("no_deep_schedule_loses_mail", 2, 6, send_two_a, worker_0), false},
};

enum { SCHEDULES_MAX = 3000000, TRIALS = sizeof trials / sizeof *trials };

static void explore_trial(void **state)
{
    struct trial         *trial = *state;
    struct explore_result result;

    relay = trial->relayed;
    result = explore(&trial->scenario, SCHEDULES_MAX);
    print_message("%llu schedules, up to %u choices in one\n", (unsigned long long)result.schedules,
                  result.points);
#ifdef SLUICE_PLANT_LOST_WAKEUP
    assert_true(result.failed); /* the planted bug shows in every scenario */
    assert_true(handled < sent);
#else
    assert_false(result.failed);
    assert_true(result.schedules < SCHEDULES_MAX); /* the bound was exhausted, not the patience */
    assert_true(result.schedules > 1000);
#endif
}

int main(void)
{
    struct CMUnitTest tests[TRIALS];

    for (unsigned i = 0; i < TRIALS; i++)
        tests[i] =
            (struct CMUnitTest){trials[i].scenario.name, explore_trial, NULL, NULL, &trials[i]};
#ifdef SLUICE_TSAN
    print_message("[  SKIPPED ] exploration: one thread, nothing for ThreadSanitizer to see\n");
    return 0;
#else
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
#endif
}
