#ifndef SL_SLUICE_LAPTOP_H
#define SL_SLUICE_LAPTOP_H

/* A whole cluster in this process: a registry and its clock in a directory, a pump with its real
 * storage, a drainer; the same actors as in the programs pump and drainer, over real gRPC on
 * 127.0.0.1. Each has a runtime of its own. What is the process's belongs to the main thread: its
 * signals (the threads of the runtimes take none), its log, its crash report.
 *
 *     DIR/registry/     pd-urls = "local:DIR/registry", with ddl-history.jsonl
 *     DIR/pump/         data-dir of the pump, settings in DIR/pump.toml
 *     DIR/drainer/      data-dir of the drainer, settings in DIR/drainer.toml
 *     DIR/sluice.log
 *
 * The two TOML files are written at each start and say all that is not a default: the programs
 * pump and drainer can be run with them in place of this process. */

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/ts.h"

struct laptop;
struct sl_drainer_board;

/* Where the drainer writes. Borrowed for the call. */
struct laptop_target {
    bool        is_stdout; /* a line of JSON per change, and the rest has no meaning */
    const char *host;
    uint16_t    port;
    const char *user;
    const char *password;
};

/* dir: from the root. Make the registry, or see to it that it is there. cluster_id 0: that of
 * the registry, or a random one for a new registry. first_tso: as sl_local_init has it. Begins
 * to log. Blocks. */
enum sl_err laptop_open(const struct sl_env *env, const char *dir, uint64_t cluster_id,
                        sl_ts first_tso, struct laptop **out, struct sl_why *why);
/* Start pump and drainer, and wait until both are online. SL_STOPPED: cli_is_stopped. Blocks. */
enum sl_err laptop_start(struct laptop *laptop, const struct laptop_target *target,
                         struct sl_why *why);
/* Stop what runs, drainer first, close all, end the log and null the pointer. Blocks for seconds.
 * *laptop may be NULL. The first failure is told. */
enum sl_err laptop_stop(struct laptop **laptop, struct sl_why *why);

/* SL_OK: both run. */
enum sl_err laptop_check(struct laptop *laptop, struct sl_why *why);

/* Constant once it is open; strings live as long as it. */
uint64_t    laptop_cluster_id(const struct laptop *laptop);
const char *laptop_pd_urls(const struct laptop *laptop);
const char *laptop_ddl_history(const struct laptop *laptop); /* path of ddl-history.jsonl */
const char *laptop_log(const struct laptop *laptop);         /* path */
/* Once it is started. */
const char              *laptop_pump_address(const struct laptop *laptop);
const char              *laptop_drainer_address(const struct laptop *laptop);
struct sl_drainer_board *laptop_board(struct laptop *laptop);             /* of the drainer */
sl_ts                    laptop_pump_newest(const struct laptop *laptop); /* that is complete */

#endif
