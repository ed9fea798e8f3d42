#ifndef SL_ACTORS_DRAINER_CONFIG_H
#define SL_ACTORS_DRAINER_CONFIG_H

/* The configuration of the drainer (drainer spec 5 and 3.7): every key, flag and variable of the
 * original, the few of our own, and the checks before a start.
 *
 *     err = sl_conf_load(&sl_drainer_config_table, &input, &config, &report, &why);
 *     (answer report.help and report.asked)
 *     err = sl_drainer_config_check(&config, &report, &surroundings, &why);
 *     sl_config_log(&sl_drainer_config_table, &report);       actors/common/config.h
 *     sl_drainer_config_notes(&config, &report, log_note, NULL);
 *
 * What the original takes and this version has no use for is accepted and noted; what it would need
 * and does not have (relay log, loopback control, Kafka, files, Oracle, TLS, encrypted passwords,
 * schema snapshots) is refused when it is set to anything but its default. Pure, but that loading
 * reads the file and the check may look whether a file is there; any thread. */

#include "actors/common/config.h"
#include "base/conf.h"
#include "base/log.h"

/* Where the changes go. */
enum sl_drainer_destination { SL_DRAINER_MYSQL, SL_DRAINER_TIDB, SL_DRAINER_STDOUT };

/* Where the checkpoint is kept. */
enum sl_drainer_checkpoint_kind {
    SL_DRAINER_CHECKPOINT_SERVER, /* in a table, of a server that speaks MySQL's protocol */
    SL_DRAINER_CHECKPOINT_FILE,   /* data-dir/savepoint */
};

/* Where table definitions come from. */
enum sl_drainer_schema_kind {
    SL_DRAINER_SCHEMA_TIKV, /* TiKV, through PD */
    SL_DRAINER_SCHEMA_HTTP, /* the status port of a TiDB */
    SL_DRAINER_SCHEMA_FILE, /* a file of jobs, a line each, which may grow */
};

/* One element of replicate-do-table or ignore-table. */
struct sl_drainer_table_name {
    char *schema;
    char *table;
};

/* One element of syncer.to.params: a variable of downstream sessions. */
struct sl_drainer_param {
    char *name;
    char *value;
};

/* One element of syncer.binlog-filter-rule. */
struct sl_drainer_event_rule {
    char                  *name;
    struct sl_conf_strings events;
    struct sl_conf_strings sqls;
};

/* One element of syncer.table-migrate-rule. */
struct sl_drainer_migrate_rule {
    struct sl_conf_strings rules;
    char                  *schema;
    char                  *table;
};

/* A server that speaks MySQL's protocol. */
struct sl_drainer_server {
    char   *host;
    int64_t port;
    char   *user;
    char   *password;
};

/* Filled by sl_conf_load, brought into its final form by sl_drainer_config_check, given back by
 * sl_conf_free. Strings are owned and never NULL. The forms told here hold after the check. */
struct sl_drainer_config {
    char             *addr; /* host:port to listen on; the host may be empty: all addresses */
    char             *advertise_addr; /* host:port as others reach it; never empty */
    char             *pd_urls;        /* URLs, sorted, separated by commas; or "local:DIR" */
    char             *data_dir;       /* relative to the working directory; never empty */
    char             *node_id;        /* "": from the data directory or the host name */
    int64_t           detect_s;       /* between two looks at the registry; 1.. */
    char             *log_level;      /* as written */
    enum sl_log_level level;          /* the same */
    char   *log_file;     /* "": standard output; for STDOUT, which needs that, standard error */
    char   *metrics_addr; /* a Pushgateway; "": none */
    int64_t metrics_interval_s;
    int64_t initial_commit_ts; /* without a checkpoint; -1: now */
    int64_t synced_check_min;  /* without a change for so long: Synced; minutes */
    char   *compressor;        /* of the streams from pumps: "" or "gzip" */

    /* [syncer] */
    char                       *db_type; /* as written */
    enum sl_drainer_destination destination;
    char                       *sql_mode;     /* in capitals, for downstream sessions and DDL */
    bool                        sql_mode_set; /* else the server's own */
    struct sl_conf_ints         ignore_commit_ts;
    int64_t                     txn_batch; /* row changes of a downstream transaction; 1.. */
    int64_t  worker_count;  /* 1..SL_DRAINER_WORKERS_MAX; 1 when that is all there can be */
    int64_t  workers_asked; /* as configured */
    bool     dispatch; /* false: an upstream transaction is a downstream transaction, in its turn */
    bool     detect;   /* as configured; changes of one key always keep their order */
    bool     safe_mode;
    bool     sync_ddl;
    uint64_t memory_budget; /* bytes that may be held in all */
    bool     exit_when_held;
    char    *schema_source; /* "tikv", "http://HOST:PORT", "file:PATH" */
    enum sl_drainer_schema_kind schema_kind;
    const char *schema_place; /* of HTTP its URL, of FILE its path, in schema_source; else "" */

    /* Filters. sl_drainer_config_filters makes them. */
    char                  *ignore_schemas; /* separated by commas, not trimmed */
    struct sl_conf_strings do_schemas;
    struct sl_conf_tables  do_tables;     /* struct sl_drainer_table_name */
    struct sl_conf_tables  ignore_tables; /* likewise */
    bool                   case_sensitive;
    struct sl_conf_tables  event_rules;   /* struct sl_drainer_event_rule */
    struct sl_conf_tables  migrate_rules; /* struct sl_drainer_migrate_rule */

    /* [syncer.to]; of MYSQL and TIDB */
    struct sl_drainer_server to;
    struct sl_conf_tables    params;       /* struct sl_drainer_param, in the order of the file */
    char                    *read_timeout; /* as written */
    int64_t                  read_timeout_nanos; /* above 0 */
    int64_t                  sync_mode;          /* 2: columns may be missing downstream */
    bool                     merge;              /* changes of a row become one */

    /* [syncer.to.checkpoint] */
    char                           *checkpoint_type; /* as written */
    enum sl_drainer_checkpoint_kind checkpoint_kind;
    char                           *checkpoint_schema; /* of SERVER: never empty */
    char                           *checkpoint_table;  /* likewise */
    struct sl_drainer_server        checkpoint;        /* likewise */

    char *config;   /* the path given with -config */
    bool  version;  /* -V */
    bool  topology; /* -topology */

    /* Four places each for dispatch and detect; `dispatch` and `detect` are what comes of them. */
    bool enable_dispatch_flag;
    bool enable_dispatch_file;
    bool disable_dispatch_flag;
    bool disable_dispatch_file;
    bool enable_detect_flag;
    bool enable_detect_file;
    bool disable_detect_flag;
    bool disable_detect_file;
};

/* All of it, for sl_conf_load, help and manual. */
extern const struct sl_conf_table sl_drainer_config_table;

/* What the check looks at besides. All of it is borrowed for the call. */
struct sl_drainer_surroundings {
    const char        *own_ipv4; /* sl_env_os_ipv4's, for the default of `addr`; NULL: none */
    const char *const *env;      /* as environ, for MYSQL_HOST and its like; NULL: none */
};

/* Check what the table cannot, in the order and with the words of drainer spec 5, and bring all
 * fields into their final form. SL_CONFIG or SL_UNSUPPORTED; the caller frees the configuration all
 * the same. */
enum sl_err sl_drainer_config_check(struct sl_drainer_config             *config,
                                    const struct sl_conf_report          *report,
                                    const struct sl_drainer_surroundings *around,
                                    struct sl_why                        *why);

/* Call `note` for what was set and is taken otherwise than it was written, or may not be meant so.
 * After the check. */
void sl_drainer_config_notes(const struct sl_drainer_config *config,
                             const struct sl_conf_report *report, sl_config_note note,
                             void *context);

/* Row changes of one part, unless upstream transactions stay whole: what txn-batch says, within
 * what a part takes. */
uint32_t sl_drainer_config_part_rows(const struct sl_drainer_config *config);

struct sl_filter;
struct sl_event_filter;

/* The filters that it describes, owned by the caller (binlog/filter.h, binlog/event_filter.h).
 * SL_CONFIG: one of them is wrong; why names the key. The check has tried it, so after it this
 * cannot fail. */
enum sl_err sl_drainer_config_filters(const struct sl_drainer_config *config,
                                      struct sl_filter              **filter,
                                      struct sl_event_filter **event_filter, struct sl_why *why);

#endif
