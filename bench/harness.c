#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A probe this much slower than the best: the round is noisy. */
static const double NOISE_MAX = 0.15;
/* So long one program may repeat noisy rounds, all cases together. A bound by number would let
 * cases whose rounds take long go on for minutes on a machine that is never quiet. */
static const double REPEAT_S_MAX = 5;
/* For a quick look a case begins no further round behind this. */
static const double QUICK_S_MAX = 1.5;

enum { PROBE_SPINS = 20 * 1000 * 1000, PROBE_SPINS_QUICK = PROBE_SPINS / 10, WHO_COUNT = 3 };

enum who { OURS, LIMIT, PEER };

static const char *const who_names[WHO_COUNT] = {"ours", "limit", "peer"};

/* What a child sends back, and what the parent learns of it. */
struct outcome {
    bool                had;
    struct bench_sample sample;
    double              cpu_s;
    long                rss_kb;
};

struct round {
    struct outcome of[WHO_COUNT];
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double bench_cpu_now(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- one measurement ---- */

static void measure_in_child(bench_measure measure, const struct bench_options *options, int fd)
{
    struct outcome outcome = {0};

    outcome.had = measure(options, &outcome.sample);
    if (write(fd, &outcome, sizeof outcome) != sizeof outcome)
        _exit(1);
    _exit(0);
}

static struct outcome measure_one(bench_measure measure, const struct bench_options *options)
{
    struct outcome outcome = {0};
    struct rusage  usage;
    int            status;
    int            ends[2];
    pid_t          child;

    if (measure == NULL || pipe(ends) != 0)
        return outcome;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        measure_in_child(measure, options, ends[1]);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &outcome, sizeof outcome) != sizeof outcome)
        outcome.had = false;
    close(ends[0]);
    if (child > 0 && wait4(child, &status, 0, &usage) == child) {
        if (WIFSIGNALED(status))
            fprintf(stderr, "bench: a measurement ended by %s\n", strsignal(WTERMSIG(status)));
        outcome.had = outcome.had && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        outcome.cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        outcome.rss_kb = usage.ru_maxrss;
    }
    return outcome;
}

/* Seconds that a fixed piece of work takes now. */
static double noise_probe(const struct bench_options *o)
{
    const int         spins = o->quick ? PROBE_SPINS_QUICK : PROBE_SPINS;
    volatile uint64_t x = 88172645463325252u;
    double            began = bench_now();

    for (int i = 0; i < spins; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return bench_now() - began;
}

/* ---- rounds ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

struct spread {
    double min;
    double median;
    double max;
    bool   had;
};

static struct spread spread_of(const struct round *rounds, unsigned count, enum who who,
                               unsigned metric)
{
    double        values[BENCH_ROUNDS_MAX];
    unsigned      n = 0;
    struct spread s = {0};

    for (unsigned i = 0; i < count; i++) {
        if (rounds[i].of[who].had)
            values[n++] = rounds[i].of[who].sample.value[metric];
    }
    if (n == 0)
        return s;
    qsort(values, n, sizeof *values, by_value);
    s.min = values[0];
    s.max = values[n - 1];
    s.median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    s.had = true;
    return s;
}

static double ratio(const struct bench_metric *m, double ours, double other)
{
    if (ours <= 0 || other <= 0)
        return 0;
    return m->smaller_is_better ? other / ours : ours / other;
}

/* The rounds of one case that count, and how many of them, and of those repeated, were noisy. */
struct rounds {
    struct round kept[BENCH_ROUNDS_MAX];
    unsigned     count;
    unsigned     noisy;
    unsigned     repeated;
};

static bool is_noisy(double probe, double *best)
{
    if (*best == 0 || probe < *best)
        *best = probe;
    return probe > *best * (1 + NOISE_MAX);
}

/* *repeat_s: how long noisy rounds may still be repeated. False: a measurement failed. */
static bool run_rounds(const struct bench_case *c, const struct bench_options *o, double *repeat_s,
                       struct rounds *out)
{
    double began = bench_now();
    double best = 0;

    *out = (struct rounds){0};
    while (out->count < o->rounds &&
           (out->count == 0 || !o->quick || bench_now() - began < QUICK_S_MAX)) {
        double       round_began = bench_now();
        bool         noisy = is_noisy(noise_probe(o), &best);
        struct round r = {.of = {[OURS] = measure_one(c->ours, o),
                                 [LIMIT] = measure_one(c->limit, o),
                                 [PEER] = measure_one(c->peer, o)}};

        if (!r.of[OURS].had || (c->limit != NULL && !r.of[LIMIT].had))
            return false;
        noisy = is_noisy(noise_probe(o), &best) || noisy;
        if (noisy && *repeat_s > 0) {
            *repeat_s -= bench_now() - round_began;
            out->repeated++;
            continue;
        }
        out->noisy += noisy;
        out->kept[out->count++] = r;
    }
    return true;
}

/* ---- output ---- */

/* ./dev bench says which commit this is. */
static const char *commit_of(void)
{
    const char *commit = getenv("SLUICE_COMMIT");

    return commit == NULL ? "unknown" : commit;
}

static void json_number(FILE *f, const char *key, double value, bool had)
{
    if (had)
        fprintf(f, ",\"%s\":%.6g", key, value);
    else
        fprintf(f, ",\"%s\":null", key);
}

struct result {
    struct spread of[WHO_COUNT];
    double        cpu_s;
    long          rss_kb;
};

static struct result result_of(const struct bench_case *c, unsigned metric,
                               const struct round *rounds, unsigned count)
{
    struct result r = {0};

    for (unsigned who = 0; who < WHO_COUNT; who++)
        r.of[who] = spread_of(rounds, count, (enum who)who, metric);
    if (c->metrics[metric].limit > 0) {
        double fixed = c->metrics[metric].limit;

        r.of[LIMIT] = (struct spread){fixed, fixed, fixed, true};
    }
    for (unsigned i = 0; i < count; i++) {
        r.cpu_s += rounds[i].of[OURS].cpu_s / count;
        if (rounds[i].of[OURS].rss_kb > r.rss_kb)
            r.rss_kb = rounds[i].of[OURS].rss_kb;
    }
    return r;
}

/* The beginning of a line: what it is about. */
static void json_names(FILE *f, const char *bench, const char *name, const struct bench_metric *m)
{
    size_t length = bench != NULL ? strlen(bench) : strcspn(name, "/");

    fprintf(f, "{\"bench\":\"%.*s\",\"case\":\"%s\",\"metric\":\"%s\",\"unit\":\"%s\"", (int)length,
            bench != NULL ? bench : name, bench != NULL ? name : name + length + 1, m->name,
            m->unit);
}

static void write_json(const char *bench, const struct bench_case *c, unsigned metric,
                       const struct result *r, unsigned rounds, const char *path)
{
    const struct bench_metric *m = &c->metrics[metric];
    FILE                      *f;

    if (path == NULL)
        return;
    f = fopen(path, "a");
    if (f == NULL) {
        fprintf(stderr, "bench: cannot append to %s: %s\n", path, strerror(errno));
        return;
    }
    json_names(f, bench, c->name, m);
    for (unsigned who = 0; who < WHO_COUNT; who++)
        json_number(f, who_names[who], r->of[who].median, r->of[who].had);
    json_number(f, "ratio_limit", ratio(m, r->of[OURS].median, r->of[LIMIT].median),
                r->of[LIMIT].had);
    json_number(f, "ratio_peer", ratio(m, r->of[OURS].median, r->of[PEER].median), r->of[PEER].had);
    fprintf(f, ",\"rounds\":%u,\"cpu_s\":%.3f,\"rss_kb\":%ld,\"commit\":\"%s\"}\n", rounds,
            r->cpu_s, r->rss_kb, commit_of());
    fclose(f);
}

static void write_rounds(const char *bench, const struct bench_case *c, const struct round *rounds,
                         unsigned count, const char *path)
{
    FILE *f;

    if (path == NULL)
        return;
    f = fopen(path, "a");
    if (f == NULL) {
        fprintf(stderr, "bench: cannot append to %s: %s\n", path, strerror(errno));
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        for (unsigned m = 0; m < BENCH_METRICS_MAX && c->metrics[m].name != NULL; m++) {
            json_names(f, bench, c->name, &c->metrics[m]);
            fprintf(f, ",\"round\":%u", i + 1);
            for (unsigned who = 0; who < WHO_COUNT; who++)
                json_number(f, who_names[who], rounds[i].of[who].sample.value[m],
                            rounds[i].of[who].had);
            fprintf(f, ",\"cpu_s\":%.3f,\"rss_kb\":%ld}\n", rounds[i].of[OURS].cpu_s,
                    rounds[i].of[OURS].rss_kb);
        }
    }
    fclose(f);
}

static void print_spread(const struct spread *s)
{
    char text[64];

    if (!s->had)
        snprintf(text, sizeof text, "-");
    else
        snprintf(text, sizeof text, "%.4g [%.3g..%.3g]", s->median, s->min, s->max);
    printf(" %-30s", text);
}

static void print_ratio(const struct bench_metric *m, const struct spread *ours,
                        const struct spread *other)
{
    if (other->had)
        printf(" %7.2f", ratio(m, ours->median, other->median));
    else
        printf(" %7s", "-");
}

static void print_head(const char *bench, const struct bench_options *o)
{
    printf("%s%s%s%u rounds of %.2g s, commit %s\n", bench != NULL ? bench : "",
           bench != NULL ? ": " : "", o->quick && o->rounds > 1 ? "up to " : "", o->rounds,
           o->seconds, commit_of());
    printf("%-20s %-20s %-30s %-30s %-30s %7s %7s\n", "case", "metric", "ours", "limit", "peer",
           "/limit", "/peer");
}

static void print_noise(const struct rounds *rounds)
{
    if (rounds->repeated > 0)
        printf("  (%u noisy repeated)", rounds->repeated);
    if (rounds->noisy > 0)
        printf("  (%u of %u noisy)", rounds->noisy, rounds->count);
}

static bool run_case(const char *bench, const struct bench_case *c, const struct bench_options *o,
                     double *repeat_s)
{
    static struct rounds rounds;
    char                 metric[64];

    if (!run_rounds(c, o, repeat_s, &rounds)) {
        printf("%-20s failed\n", c->name);
        return false;
    }
    for (unsigned m = 0; m < BENCH_METRICS_MAX && c->metrics[m].name != NULL; m++) {
        struct result r = result_of(c, m, rounds.kept, rounds.count);

        snprintf(metric, sizeof metric, "%s %s", c->metrics[m].name, c->metrics[m].unit);
        printf("%-20s %-20s", c->name, metric);
        for (unsigned who = 0; who < WHO_COUNT; who++)
            print_spread(&r.of[who]);
        print_ratio(&c->metrics[m], &r.of[OURS], &r.of[LIMIT]);
        print_ratio(&c->metrics[m], &r.of[OURS], &r.of[PEER]);
        if (m == 0)
            print_noise(&rounds);
        printf("\n");
        write_json(bench, c, m, &r, rounds.count, o->json);
    }
    write_rounds(bench, c, rounds.kept, rounds.count, o->rounds_json);
    fflush(stdout);
    return true;
}

/* ---- options ---- */

/* The value of option `name` if argv[*i] is it; moves *i over a separate value. */
static bool take(const char *name, int argc, char **argv, int *i, const char **value)
{
    size_t length = strlen(name);

    if (strncmp(argv[*i], name, length) != 0)
        return false;
    if (argv[*i][length] == '=') {
        *value = argv[*i] + length + 1;
        return true;
    }
    if (argv[*i][length] != '\0' || *i + 1 >= argc)
        return false;
    *value = argv[++*i];
    return true;
}

static bool parse(struct bench_options *o, int argc, char **argv)
{
    const char *value;
    unsigned    least;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            o->seconds = 0.1;
            o->quick = true;
        } else if (take("--seconds", argc, argv, &i, &value)) {
            o->seconds = strtod(value, NULL);
        } else if (take("--rounds", argc, argv, &i, &value)) {
            o->rounds = (unsigned)strtoul(value, NULL, 10);
        } else if (take("--json", argc, argv, &i, &o->json) ||
                   take("--rounds-json", argc, argv, &i, &o->rounds_json) ||
                   take("--peer-pump", argc, argv, &i, &o->peer_pump) ||
                   take("--peer-bench", argc, argv, &i, &o->peer_bench)) {
            continue;
        } else if (argv[i][0] != '-' && o->filter == NULL) {
            o->filter = argv[i];
        } else {
            fprintf(stderr,
                    "%s: unknown option %s; options: --seconds N --rounds N --quick --json FILE "
                    "--rounds-json FILE --peer-pump PATH --peer-bench PATH [case]\n",
                    argv[0], argv[i]);
            return false;
        }
    }
    least = o->quick ? BENCH_ROUNDS_QUICK : BENCH_ROUNDS_MIN;
    if (o->rounds == 0)
        o->rounds = least;
    if (o->seconds < 0.01 || o->seconds > 3600 || o->rounds < least ||
        o->rounds > BENCH_ROUNDS_MAX) {
        fprintf(stderr, "%s: --seconds must be 0.01..3600 and --rounds %u..%d\n", argv[0], least,
                BENCH_ROUNDS_MAX);
        return false;
    }
    return true;
}

static int run_cases(const char *bench, const struct bench_case *cases, unsigned count,
                     const struct bench_options *o)
{
    double   repeat_s = o->rounds == 1 || o->quick ? 0 : REPEAT_S_MAX;
    bool     good = true;
    unsigned run = 0;

    print_head(bench, o);
    for (unsigned i = 0; i < count; i++) {
        char name[128];

        if (bench != NULL)
            snprintf(name, sizeof name, "%s/%s", bench, cases[i].name);
        else
            snprintf(name, sizeof name, "%s", cases[i].name);
        if (o->filter != NULL && strstr(name, o->filter) == NULL)
            continue;
        good = run_case(bench, &cases[i], o, &repeat_s) && good;
        run++;
    }
    if (run == 0) {
        fprintf(stderr, "bench: no case of that name\n");
        return 2;
    }
    return good ? 0 : 1;
}

int bench_main(const char *bench, const struct bench_case *cases, unsigned count, int argc,
               char **argv)
{
    struct bench_options o = {.seconds = 1};

    return parse(&o, argc, argv) ? run_cases(bench, cases, count, &o) : 2;
}

int bench_main_once(const char *bench, const struct bench_case *cases, unsigned count, int argc,
                    char **argv)
{
    struct bench_options o = {.seconds = 1};

    if (!parse(&o, argc, argv))
        return 2;
    o.rounds = 1;
    return run_cases(bench, cases, count, &o);
}
