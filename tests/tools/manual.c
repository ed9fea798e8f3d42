/* Prints a manual from the tables in the code:
 *
 *     manual configuration    docs/configuration.md: what can be set
 *     manual metrics          docs/metrics.md: what is measured
 *     manual codes            docs/codes.md: what an operator may meet
 *
 * `./dev docs` writes them; tests/integration/manuals.py says when they are stale. */

#include <stdio.h>
#include <string.h>

#include "actors/drainer/config.h"
#include "actors/drainer/metrics.h"
#include "actors/pump/config.h"
#include "actors/pump/metrics.h"
#include "base/condition.h"
#include "base/conf.h"
#include "base/metric.h"

#define NOTE "<!-- Made by `./dev docs` from the tables in the code; do not edit. -->\n\n"

/* The settings of one program, a chapter. */
static void print_program(const char *title, const char *example, const struct sl_conf_table *table)
{
    printf("\n## %s\n\nWith comments: [ops/%s](../ops/%s).\n\n", title, example, example);
    sl_conf_manual(table, stdout);
}

static void print_configuration(void)
{
    puts(NOTE
         "# Configuration\n\n"
         "Each setting is a key of the TOML file given with `-config`, a flag, an environment\n"
         "variable, or all three. A flag wins over the environment, that over the file, that\n"
         "over the default. Flags may have one dash or two. An unknown key or flag, a value of\n"
         "the wrong type or out of its range stops the start with one line that names the\n"
         "place and, where one is near, the word that was meant. Exit codes: 1 for the file\n"
         "and the environment, 2 for flags.\n\n"
         "Sizes are written as `10 gib` or `512 MiB`, durations as `1h30m`. `accepted and\n"
         "ignored` means that the original's files load although the setting has no effect\n"
         "here; `not supported in this version` means that anything but the default stops the\n"
         "start, because leaving it out silently would change what is replicated or who may\n"
         "read it. `live` means that a program that runs takes another value on SIGHUP: see\n"
         "[operations.md](operations.md#take-out-replace-repair).");
    print_program("pump", "pump.toml", &sl_pump_config_table);
    print_program("drainer", "drainer.toml", &sl_drainer_config_table);
}

static void print_metrics(void)
{
    puts(NOTE "# Metrics\n\n"
              "`GET /metrics` on the address of a pump or drainer, in Prometheus' text format, or\n"
              "pushed to a Pushgateway as job `binlog` (`metrics-addr`). Names that begin with\n"
              "`binlog_` are the original's, with its labels and buckets, so that its dashboards\n"
              "and alerts work; names that begin with `sluice_` are new. All series but those of\n"
              "open labels (ids of nodes) are there from the start, at zero.\n\n"
              "Gauges of timestamps are physical milliseconds since 1970, whatever their names\n"
              "say. A dashboard and alert rules: [ops/grafana.json](../ops/grafana.json),\n"
              "[ops/alerts.yml](../ops/alerts.yml).\n");
    sl_metric_manual(&sl_pump_metric_table, stdout);
    putchar('\n');
    sl_metric_manual(&sl_drainer_metric_table, stdout);
    putchar('\n');
    sl_metric_manual(&sl_metric_process_table, stdout);
}

static void print_codes(void)
{
    puts(NOTE "# Codes\n\n"
              "What pumps and drainers say beside a reason, as `binlogctl explain-error CODE`\n"
              "prints it. SL-1xxx: a pump refuses a write; the name is the label `reason` of\n"
              "`sluice_pump_writes_refused_total`. SL-2xxx: a drainer waits, tries again, or is\n"
              "held; `binlogctl status` has the reason, which names the table, pump or timestamp.\n"
              "What held means, and what else may be said: [errors.md](errors.md).");
    for (unsigned i = 0; i < SL_CONDITIONS; i++) {
        const struct sl_condition_row *row = sl_condition_row((enum sl_condition)i);

        printf("\n## %s `%s`: %s\n\n", row->code, row->name, row->title);
        printf("**Cause.** %s\n\n**Effect.** %s\n\n**Do.** %s\n", row->cause, row->effect,
               row->remedy);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "configuration") == 0)
        print_configuration();
    else if (argc == 2 && strcmp(argv[1], "metrics") == 0)
        print_metrics();
    else if (argc == 2 && strcmp(argv[1], "codes") == 0)
        print_codes();
    else {
        fputs("usage: manual configuration|metrics|codes\n", stderr);
        return 2;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
