#ifndef SL_ACTORS_PUMP_CONFIG_H
#define SL_ACTORS_PUMP_CONFIG_H

/* The configuration of the pump (pump spec 6 and 3.11): every key, flag and variable of the
 * original, the few of our own, and the checks before a start.
 *
 *     err = sl_conf_load(&sl_pump_config_table, &input, &config, &report, &why);
 *     (answer report.help and report.asked)
 *     own = sl_env_os_ipv4(address) ? address : NULL;
 *     err = sl_pump_config_check(&config, &report, own, &why);
 *     sl_config_log(&sl_pump_config_table, &report);
 *
 * What the original takes and this version has no use for is accepted and noted; what would change
 * who may connect (TLS) is refused as long as it is not built. Pure, but that loading reads the
 * file; any thread. */

#include "base/conf.h"
#include "base/log.h"

/* Filled by sl_conf_load, brought into its final form by sl_pump_config_check, given back by
 * sl_conf_free. Strings are owned and never NULL. The forms told here hold after the check. */
struct sl_pump_config {
    char             *addr; /* host:port to listen on; the host may be empty: all addresses */
    char             *advertise_addr; /* host:port as others reach it; never empty */
    char             *socket;         /* "unix:/path" for sl_net_listen; "": none */
    char             *pd_urls;        /* URLs, sorted, separated by commas; or "local:DIR" */
    char             *data_dir;       /* relative to the working directory */
    char             *node_id; /* "": from the data directory or the host name (node_identity.h) */
    int64_t           heartbeat_s;        /* 1.. */
    int64_t           fake_interval_s;    /* 1.. */
    char             *gc;                 /* as written: days, or a duration */
    int64_t           gc_nanos;           /* the same; above 0 */
    char             *log_level;          /* as written */
    enum sl_log_level level;              /* the same */
    char             *log_file;           /* "": standard output */
    char             *metrics_addr;       /* a Pushgateway; "": none */
    int64_t           metrics_interval_s; /* likewise */
    int64_t           message_bytes_max;  /* of one gRPC message; practically unlimited */
    bool              sync_log;         /* false: acknowledged writes may be lost with the power */
    double            slow_write_s;     /* writes that take longer are logged; above 0 */
    uint64_t          stop_write_bytes; /* writes are refused unless more than this is free */
    int64_t           shards;           /* of a new data directory; 0: sl_pump_config_shards says */
    uint64_t          segment_bytes;    /* SL_VLOG_SEGMENT_BYTES_MIN..MAX; for tests */

    char *config;   /* the path given with -config */
    bool  version;  /* -V */
    bool  topology; /* -topology */

    /* Refused unless empty, so they are: for TLS, which is not built. */
    char                  *ssl_ca;
    char                  *ssl_cert;
    char                  *ssl_key;
    struct sl_conf_strings allowed_cn;
};

/* All of it, for sl_conf_load, help and manual. */
extern const struct sl_conf_table sl_pump_config_table;

/* Check what the table cannot, in the order and with the words of pump spec 6.5, and bring all
 * fields into their final form. own_ipv4: sl_env_os_ipv4's, for the default of `addr`; NULL: there
 * is none. SL_CONFIG; the caller frees the configuration all the same. */
enum sl_err sl_pump_config_check(struct sl_pump_config *config, const struct sl_conf_report *report,
                                 const char *own_ipv4, struct sl_why *why);

/* How many shards a new data directory gets on a machine with so many processors: what is
 * configured, or as many as there are processors, at most four. */
uint32_t sl_pump_config_shards(const struct sl_pump_config *config, unsigned cpus);

#endif
