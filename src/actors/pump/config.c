#include "actors/pump/config.h"

#include <string.h>

#include "base/assert.h"

enum {
    INTERVAL_S_MAX = 60 * 60 * 24, /* of anything that is done again and again */
    SHARDS_BY_ITSELF = 4,          /* at most, on a machine that has so many processors */
};

static_assert(SL_VLOG_SEGMENT_BYTES_DEFAULT == 256 << 20, "the default that the table gives");

#define AT(kind, field) SL_CONF_AT(kind, struct sl_pump_config, field)

/* A setting of the original's LevelDB. */
#define LEVELDB(name, kind, value)                                                          \
    {                                                                                       \
        .key = "storage.kv." name, .type = SL_CONF_##kind, .flags = SL_CONF_IGNORED,        \
        .def = (value), .help = "for the original's index, LevelDB, which is not used here" \
    }

/* What the original calls deprecated. */
#define DEPRECATED(name, kind)                                                                 \
    {                                                                                          \
        .flag = (name), .type = SL_CONF_##kind, .flags = SL_CONF_IGNORED, .help = "DEPRECATED" \
    }

/* The helps of the original's flags are the original's. */
static const struct sl_conf_row rows[] = {
    {.flag = "V",
     AT(BOOL, version),
     .flags = SL_CONF_ASK,
     .help = "print version information and exit"},
    {.flag = "topology",
     AT(BOOL, topology),
     .flags = SL_CONF_ASK,
     .help = "print the actors and the lines between them and exit"},
    {.flag = "config",
     AT(STRING, config),
     .flags = SL_CONF_PATH,
     .help = "path to the pump configuration file"},
    {.key = "addr",
     .flag = "addr",
     AT(STRING, addr),
     .help = "addr(i.e. 'host:port') to listen on for client traffic; if not specified, the first "
             "IPv4 address of this host that is not loopback, and port 8250"},
    {.key = "advertise-addr",
     .flag = "advertise-addr",
     AT(STRING, advertise_addr),
     .help = "addr(i.e. 'host:port') to advertise to the public; if not specified, addr"},
    {.key = "socket",
     .flag = "socket",
     AT(STRING, socket),
     .help = "unix socket addr to listen on for client traffic: unix:///path or /path"},
    {.key = "pd-urls",
     .flag = "pd-urls",
     AT(STRING, pd_urls),
     .def = "http://127.0.0.1:2379",
     .help = "a comma separated list of the PD endpoints; or local:DIR, a directory that takes "
             "their place on one machine"},
    {.key = "data-dir",
     .flag = "data-dir",
     AT(STRING, data_dir),
     .def = "data.pump",
     .help = "the path to store binlog data"},
    {.key = "heartbeat-interval",
     .flag = "heartbeat-interval",
     AT(INT, heartbeat_s),
     .def = "2",
     .min = 0,
     .max = INTERVAL_S_MAX,
     .unit = "s",
     .help = "number of seconds between heartbeat ticks; 0: the default"},
    {.key = "gc",
     .flag = "gc",
     AT(STRING, gc),
     .flags = SL_CONF_OR_INT,
     .def = "7",
     .unit = "days, or a duration as 8h",
     .help = "recycle binlog files older than gc days, or older than a duration as 8h or 1h30m"},
    {.key = "log-level",
     .flag = "L",
     AT(STRING, log_level),
     .flags = SL_CONF_LIVE,
     .def = "info",
     .help = "log level: debug, info, warn, error, fatal"},
    {.key = "log-file", .flag = "log-file", AT(STRING, log_file), .help = "log file path"},
    {.key = "node-id",
     .flag = "node-id",
     AT(STRING, node_id),
     .help = "the ID of pump node; if not specify, we will generate one from hostname and the "
             "listening port"},
    {.key = "gen-binlog-interval",
     .flag = "fake-binlog-interval",
     AT(INT, fake_interval_s),
     .def = "3",
     .min = 1,
     .max = INTERVAL_S_MAX,
     .unit = "s",
     .help = "interval time to generate fake binlog, the unit is second"},
    /* These three have no name for the file in the original, but its decoder finds the field. */
    {.key = "MetricsAddr",
     .flag = "metrics-addr",
     AT(STRING, metrics_addr),
     .help = "prometheus pushgateway address, leaves it empty will disable prometheus push"},
    {.key = "MetricsInterval",
     .flag = "metrics-interval",
     AT(INT, metrics_interval_s),
     .def = "15",
     .min = 0,
     .max = INTERVAL_S_MAX,
     .unit = "s",
     .help = "prometheus client push interval in second, set \"0\" to disable prometheus push"},
    {.key = "EtcdDialTimeout",
     .type = SL_CONF_DURATION,
     .flags = SL_CONF_IGNORED,
     .def = "5s",
     .bare_nanos = 1,
     .unit = "ns",
     .help = "how long to wait for a connection to PD; always 5 s"},
    {.flag = "max-message-size",
     AT(INT, message_bytes_max),
     .def = "9223372036850581503",
     .min = 1,
     .max = INT64_MAX,
     .unit = "bytes",
     .help = "max size of one message that is received"},
    {.flag = "enable-debug",
     .type = SL_CONF_BOOL,
     .flags = SL_CONF_IGNORED,
     .help = "enable print debug log; use -L debug"},
    {.flag = "enable-tolerant",
     .type = SL_CONF_BOOL,
     .flags = SL_CONF_IGNORED,
     .def = "true",
     .help = "answered failed writes as if they had succeeded; a failed write is always told"},
    DEPRECATED("binlog-file-size", INT),
    DEPRECATED("enable-binlog-slice", BOOL),
    DEPRECATED("binlog-slice-size", INT),
    DEPRECATED("log-rotate", STRING),

    {.key = "security.ssl-ca",
     AT(STRING, ssl_ca),
     .flags = SL_CONF_NOT_YET,
     .help = "path of the file with the trusted certificate authorities"},
    {.key = "security.ssl-cert",
     AT(STRING, ssl_cert),
     .flags = SL_CONF_NOT_YET,
     .help = "path of the file with the certificate"},
    {.key = "security.ssl-key",
     AT(STRING, ssl_key),
     .flags = SL_CONF_NOT_YET,
     .help = "path of the file with the certificate's key"},
    {.key = "security.cert-allowed-cn",
     AT(STRINGS, allowed_cn),
     .flags = SL_CONF_NOT_YET,
     .help = "common names that clients' certificates may have"},

    {.key = "storage.sync-log",
     AT(BOOL, sync_log),
     .def = "true",
     .help = "sync every write to the disk before it is acknowledged"},
    {.key = "storage.slow_write_threshold",
     AT(FLOAT, slow_write_s),
     .def = "1.0",
     .unit = "s",
     .help = "writes that take longer are logged; 0 and less: the default"},
    {.key = "storage.stop-write-at-available-space",
     AT(BYTES, stop_write_bytes),
     .def = "10 gib",
     .unit = "bytes",
     .help = "writes are refused unless more than this is free on the disk"},
    {.key = "storage.shards",
     AT(INT, shards),
     .def = "0",
     .min = 0,
     .max = SL_PUMP_SHARDS_MAX,
     .help = "parts that work side by side, fixed when the data directory is made; 0: one per "
             "processor, at most 4"},
    {.key = "storage.segment-size",
     AT(BYTES, segment_bytes),
     .def = "256 mib",
     .min = SL_VLOG_SEGMENT_BYTES_MIN,
     .max = SL_VLOG_SEGMENT_BYTES_MAX,
     .unit = "bytes",
     .help = "size of one file of the log; smaller ones are for tests and refuse large records"},
    {.key = "storage.kv_chan_cap",
     .type = SL_CONF_INT,
     .flags = SL_CONF_IGNORED,
     .def = "1048576",
     .help = "length of a queue inside the original"},
    LEVELDB("block-cache-capacity", INT, "8388608"),
    LEVELDB("block-restart-interval", INT, "16"),
    LEVELDB("block-size", INT, "4096"),
    LEVELDB("compaction-L0-trigger", INT, "8"),
    LEVELDB("compaction-table-size", INT, "67108864"),
    LEVELDB("compaction-total-size", INT, "536870912"),
    LEVELDB("compaction-total-size-multiplier", FLOAT, "8.0"),
    LEVELDB("write-buffer", INT, "67108864"),
    LEVELDB("write-L0-pause-trigger", INT, "24"),
    LEVELDB("write-L0-slowdown-trigger", INT, "17"),
};

const struct sl_conf_table sl_pump_config_table = {
    .program = "pump",
    .env_prefix = "PUMP_",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .struct_bytes = sizeof(struct sl_pump_config),
};

uint32_t sl_pump_config_shards(const struct sl_pump_config *config, unsigned cpus)
{
    SL_ASSERT(cpus > 0);
    SL_ASSERT(config->shards >= 0 && config->shards <= SL_PUMP_SHARDS_MAX);
    if (config->shards > 0)
        return (uint32_t)config->shards;
    return cpus < SHARDS_BY_ITSELF ? cpus : SHARDS_BY_ITSELF;
}
