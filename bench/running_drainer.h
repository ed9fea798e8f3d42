#ifndef SL_BENCH_RUNNING_DRAINER_H
#define SL_BENCH_RUNNING_DRAINER_H

/* A real drainer process under measurement, between a running pump that holds a recording of
 * tests/corpus and a private MariaDB. The programs are those in bin beside the benchmark, built as
 * it is. All of it dies with its starter. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "running_pump.h"
#include "sink_probe.h"

struct running_drainer {
    struct running_pump pump;
    struct sink_server  server; /* pid 0: not running */
    pid_t               pid;    /* of the drainer; 0: not running */
    char                recording[4096];
    uint64_t            last_ts; /* the recording's last commit ts */
    double              began;   /* when the drainer was started */
    double              peak_mib;
};

/* Make a cluster, play the recording of that name into its pump, start a server. False: standard
 * error says why, as for the others. */
bool running_drainer_make(struct running_drainer *d, const struct bench_options *options,
                          const char *recording);
/* Start the drainer, at the recording's begin. */
bool running_drainer_start(struct running_drainer *d);
/* Wait until the checkpoint in the server is at or behind the last commit ts; seconds since the
 * start, negative: it is not going to be. */
double running_drainer_await(struct running_drainer *d);
/* End everything, remove everything. */
void running_drainer_remove(struct running_drainer *d);

#endif
