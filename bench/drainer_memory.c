/* B19, memory: what a drainer holds resident before it has applied anything, while it applies a
 * recording, and while its downstream is stopped in the middle and takes nothing. The limits are
 * fixed: the goals. */

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "harness.h"
#include "running_drainer.h"

enum { SETTLE_MS = 1500, PAUSE_AFTER_MS = 300 };

static void wait_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* A recording of a few rows, long since applied. */
static bool idle(const struct bench_options *o, struct bench_sample *out)
{
    struct running_drainer d;
    bool                   good;

    good = running_drainer_make(&d, o, "types") && running_drainer_start(&d) &&
           running_drainer_await(&d) > 0;
    if (good) {
        wait_ms(SETTLE_MS);
        out->value[0] = running_rss_mib(d.pid);
    }
    running_drainer_remove(&d);
    return good;
}

static bool load(const struct bench_options *o, struct bench_sample *out)
{
    struct running_drainer d;
    bool                   good;

    good = running_drainer_make(&d, o, "bank") && running_drainer_start(&d) &&
           running_drainer_await(&d) > 0;
    out->value[0] = d.peak_mib;
    running_drainer_remove(&d);
    return good;
}

/* The server is stopped while rows are on their way; what the drainer takes from the pump meanwhile
 * is bounded by the lines between its actors. */
static bool paused(const struct bench_options *o, struct bench_sample *out)
{
    struct running_drainer d;
    pid_t                  server = 0;
    bool                   good;

    good = running_drainer_make(&d, o, "bank") && (server = sink_server_process(&d.server)) > 0 &&
           running_drainer_start(&d);
    if (good) {
        wait_ms(PAUSE_AFTER_MS);
        (void)kill(server, SIGSTOP);
        wait_ms(SETTLE_MS);
        out->value[0] = running_rss_peak_mib(d.pid);
        (void)kill(server, SIGCONT);
        good = running_drainer_await(&d) > 0;
    }
    running_drainer_remove(&d);
    return good;
}

int main(int argc, char **argv)
{
    static const struct bench_metric small = {
        .name = "rss", .unit = "MiB", .smaller_is_better = true, .limit = 32};
    static const struct bench_metric large = {
        .name = "rss-peak", .unit = "MiB", .smaller_is_better = true, .limit = 128};
    const struct bench_case cases[] = {
        {"idle", "nothing to do", {small}, idle, NULL, NULL},
        {"end-to-end", "applies `bank`", {large}, load, NULL, NULL},
        {"paused-downstream", "and cannot", {large}, paused, NULL, NULL},
    };

    return bench_main_once("memory", cases, sizeof cases / sizeof *cases, argc, argv);
}
