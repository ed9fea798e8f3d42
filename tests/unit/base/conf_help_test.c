/* Help and manual are the golden texts below: every row appears, secrets keep their default, bars
 * are escaped. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/base/conf_sample.h"

static const char help[] =
    "Usage of pump:\n"
    "  -L string\n"
    "    \tlog level (default \"info\")\n"
    "  -V\tprint the version and exit\n"
    "  -addr string\n"
    "    \taddress to listen on (default \"127.0.0.1:8250\")\n"
    "  -compressor string\n"
    "    \tcompression of the stream; not supported in this version\n"
    "  -config string\n"
    "    \tpath to the configuration file\n"
    "  -gc duration\n"
    "    \tage at which binlogs are removed (default 7)\n"
    "  -heartbeat-interval int\n"
    "    \ttime between heartbeats (default 2)\n"
    "  -ignore-ts list\n"
    "    \ttransactions to skip\n"
    "  -log-rotate string\n"
    "    \tDEPRECATED\n"
    "  -metrics-interval int\n"
    "    \tpush interval (default 15)\n"
    "  -password string\n"
    "    \tof the downstream user\n"
    "  -sync-ddl\n"
    "    \texecute DDL (default true)\n"
    "Flags may stand in the environment too: PUMP_ and the flag's name, upper-cased, with _ for "
    "-.\n"
    "A flag wins over the environment, that over the file given with -config.\n";

static const char manual[] =
    "| Key | Flag | Environment | Default | Unit, range | Meaning |\n"
    "| --- | --- | --- | --- | --- | --- |\n"
    "| `addr` | `-addr` | `PUMP_ADDR` | `127.0.0.1:8250` | | address to listen on |\n"
    "| `log-level` | `-L` | `PUMP_L` | `info` | | log level |\n"
    "| | `-config` | | | | path to the configuration file |\n"
    "| | `-V` | | | | print the version and exit |\n"
    "| `heartbeat-interval` | `-heartbeat-interval` | `PUMP_HEARTBEAT_INTERVAL` | `2` | 0 to 3600 "
    "s | time between heartbeats |\n"
    "| `gc` | `-gc` | `PUMP_GC` | `7` | at least 1ns; without a unit: days | age at which binlogs "
    "are removed |\n"
    "| `storage.stop-write-at-available-space` | | | `10 gib` | bytes | free space that is kept |\n"
    "| `storage.slow_write_threshold` | | | `1.0` | s | writes that take longer are logged |\n"
    "| `storage.kv.compaction-L0-trigger` | | | `8` | | for LevelDB; accepted and ignored |\n"
    "| | `-log-rotate` | `PUMP_LOG_ROTATE` | | | DEPRECATED; accepted and ignored |\n"
    "| `MetricsInterval` | `-metrics-interval` | `PUMP_METRICS_INTERVAL` | `15` | 0 to 1000 | push "
    "interval; accepted and ignored |\n"
    "| `security.cert-allowed-cn` | | | `root,tidb` | | names in client certificates |\n"
    "| `compressor` | `-compressor` | `PUMP_COMPRESSOR` | | | compression of the stream; not "
    "supported in this version |\n"
    "| `syncer.sync-ddl` | `-sync-ddl` | `PUMP_SYNC_DDL` | `true` | | execute DDL |\n"
    "| `syncer.ignore-txn-commit-ts` | `-ignore-ts` | `PUMP_IGNORE_TS` | | | transactions to skip "
    "|\n"
    "| `syncer.replicate-do-table[]` | | | | | tables to take |\n"
    "| `syncer.replicate-do-table[].db-name` | | | | | schema |\n"
    "| `syncer.replicate-do-table[].tbl-name` | | | `*` | | table |\n"
    "| `syncer.table-migrate-rule[]` | | | | | rules per table |\n"
    "| `syncer.table-migrate-rule[].binlog-filter-rule` | | | | | names of rules |\n"
    "| `syncer.table-migrate-rule[].source.schema` | | | | | pattern |\n"
    "| `syncer.table-migrate-rule[].later` | | | | | later; not supported in this version |\n"
    "| `syncer.routes[]` | | | | | new names; not supported in this version |\n"
    "| `syncer.routes[].db-name` | | | | | schema |\n"
    "| `syncer.routes[].tbl-name` | | | `*` | | table |\n"
    "| `syncer.binlog-filter-rule.NAME` | | | | | filter rules |\n"
    "| `syncer.binlog-filter-rule.NAME.ignore-event` | | | | | events |\n"
    "| `syncer.binlog-filter-rule.NAME.ignore-sql` | | | | | a\\|b patterns |\n"
    "| `syncer.to.password` | `-password` | `PUMP_PASSWORD` | | | of the downstream user; never "
    "printed |\n"
    "| `syncer.to.read-timeout` | | | `1m` | 1ms to 1h0m0s | wait for the downstream |\n"
    "| `syncer.to.params.NAME` | | | | | session variables |\n";

static void prints(void (*put)(const struct sl_conf_table *table, FILE *out), const char *text)
{
    char  *shown = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&shown, &bytes);

    assert_non_null(out);
    put(&sample_table, out);
    fclose(out);
    assert_string_equal(shown, text);
    free(shown);
}

static void help_is_in_gos_style(void **state)
{
    (void)state;
    prints(sl_conf_help, help);
}

static void the_manual_has_a_row_per_key(void **state)
{
    (void)state;
    prints(sl_conf_manual, manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_is_in_gos_style),
        cmocka_unit_test(the_manual_has_a_row_per_key),
    };

    return cmocka_run_group_tests_name("conf_help", tests, NULL, NULL);
}
