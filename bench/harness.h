#ifndef SL_BENCH_HARNESS_H
#define SL_BENCH_HARNESS_H

/* The benchmark harness: ours, the physical limit and the peer, measured in turn within one run,
 * as ratios.
 *
 * Each measurement runs in a child process of its own, so that its CPU time and peak memory are its
 * own. A round measures ours, then the limit, then the peer; a noise probe (a fixed spin loop)
 * stands before and after, and a round whose probe is off by more than NOISE_MAX from the best seen
 * is measured again while there is time for that. The table says how many were, and how many noisy
 * ones it had to keep. Only ratios taken inside one run mean anything.
 *
 * A quick look shows that everything runs, and roughly where it stands: short measurements, small
 * data, few rounds, none of them repeated; but each with its limit and its peer. */

#include <stdbool.h>
#include <stdint.h>

enum {
    BENCH_METRICS_MAX = 5, /* of one case */
    BENCH_ROUNDS_MIN = 5,
    BENCH_ROUNDS_QUICK = 3, /* or fewer, down to one, of a case whose rounds take long */
    BENCH_ROUNDS_MAX = 100,
};

struct bench_options {
    double      seconds;     /* of one measurement */
    bool        quick;       /* a look only: small data will do */
    unsigned    rounds;      /* kept */
    const char *filter;      /* substring of "<bench>/<case>", or NULL */
    const char *json;        /* append one line per case and metric here, or NULL */
    const char *rounds_json; /* append one line per round here, or NULL */
    const char *peer_pump;   /* path of the original pump, or NULL */
    const char *peer_bench;  /* path of a peer's benchmark program, or NULL */
};

/* What one measurement found: one value per metric of its case. */
struct bench_sample {
    double value[BENCH_METRICS_MAX];
};

/* Measure for about `seconds`. Runs in a child process. False: not to be had, and standard error
 * says why. */
typedef bool (*bench_measure)(const struct bench_options *options, struct bench_sample *out);

struct bench_metric {
    const char *name;
    const char *unit;
    bool        smaller_is_better;
    double      limit; /* a fixed one, where the limit is no measurement; else 0 */
};

struct bench_case {
    const char         *name;
    const char         *text;                       /* one line: what happens in it */
    struct bench_metric metrics[BENCH_METRICS_MAX]; /* ends at a NULL name */
    bench_measure       ours;
    bench_measure       limit; /* or NULL */
    bench_measure       peer;  /* or NULL */
};

/* The main of a benchmark program. With bench NULL it has several, and the names of its cases are
 * "<bench>/<case>". Parses the options (--seconds N --rounds N --quick --json FILE
 * --rounds-json FILE --peer-pump PATH --peer-bench PATH [case]), runs, prints the table. Returns
 * the exit code: 0 measured, 1 something failed, 2 wrong usage. */
int bench_main(const char *bench, const struct bench_case *cases, unsigned count, int argc,
               char **argv);
/* The same for what takes long and no noise touches: one round, whatever the options say. */
int bench_main_once(const char *bench, const struct bench_case *cases, unsigned count, int argc,
                    char **argv);

/* Monotonic seconds. */
double bench_now(void);
/* Seconds of processor time of this thread: for work that waits for nothing, where they say the
 * same as the clock and do not mind company on the machine. How long a measurement goes on is for
 * the clock to say all the same. */
double bench_cpu_now(void);

#endif
