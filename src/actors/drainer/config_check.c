#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "actors/drainer/config.h"
#include "base/assert.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "net/local.h"

/* The checks of drainer spec 5, in its order and with its words. */

#define DEFAULT_PORT "8249"

enum { DETECT_S = 5, SYNCED_CHECK_MIN = 5, MYSQL_PORT = 3306, PORT_MAX = 65535 };

static const char file_scheme[] = "file:";
static const char http_scheme[] = "http://";

static const struct sl_conf_origin *origin_of(const struct sl_conf_report *report, const char *row)
{
    return &report->origin[sl_conf_row_index(&sl_drainer_config_table, row)];
}

/* ---- the four places of a switch ---- */

/* A variable of the environment counts for nothing here, as in the original. */
static bool switched(const struct sl_conf_report *report, const char *flag, const char *key,
                     bool from_flag, bool from_file, bool *out)
{
    if (origin_of(report, flag)->source == SL_CONF_FROM_FLAG)
        *out = from_flag;
    else if (origin_of(report, key)->source == SL_CONF_FROM_FILE)
        *out = from_file;
    else
        return false;
    return true;
}

static void decide_switches(struct sl_drainer_config *c, const struct sl_conf_report *report)
{
    bool set = false;

    c->dispatch = true;
    if (switched(report, "disable-dispatch", "syncer.disable-dispatch", c->disable_dispatch_flag,
                 c->disable_dispatch_file, &set))
        c->dispatch = !set;
    else
        (void)switched(report, "enable-dispatch", "syncer.enable-dispatch", c->enable_dispatch_flag,
                       c->enable_dispatch_file, &c->dispatch);
    c->detect = true;
    if (switched(report, "disable-detect", "syncer.disable-detect", c->disable_detect_flag,
                 c->disable_detect_file, &set))
        c->detect = !set;
    else
        (void)switched(report, "enable-detect", "syncer.enable-detect", c->enable_detect_flag,
                       c->enable_detect_file, &c->detect);
}

/* ---- sql-mode ---- */

static bool is_sql_mode(const char *word)
{
    static const char *const modes[] = {
        "REAL_AS_FLOAT",
        "PIPES_AS_CONCAT",
        "ANSI_QUOTES",
        "IGNORE_SPACE",
        "NOT_USED",
        "ONLY_FULL_GROUP_BY",
        "NO_UNSIGNED_SUBTRACTION",
        "NO_DIR_IN_CREATE",
        "POSTGRESQL",
        "ORACLE",
        "MSSQL",
        "DB2",
        "MAXDB",
        "NO_KEY_OPTIONS",
        "NO_TABLE_OPTIONS",
        "NO_FIELD_OPTIONS",
        "MYSQL323",
        "MYSQL40",
        "ANSI",
        "NO_AUTO_VALUE_ON_ZERO",
        "NO_BACKSLASH_ESCAPES",
        "STRICT_TRANS_TABLES",
        "STRICT_ALL_TABLES",
        "NO_ZERO_IN_DATE",
        "NO_ZERO_DATE",
        "ALLOW_INVALID_DATES",
        "ERROR_FOR_DIVISION_BY_ZERO",
        "TRADITIONAL",
        "NO_AUTO_CREATE_USER",
        "HIGH_NOT_PRECEDENCE",
        "NO_ENGINE_SUBSTITUTION",
        "PAD_CHAR_TO_FULL_LENGTH",
    };

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(word, modes[i]) == 0)
            return true;
    }
    return word[0] == '\0';
}

static enum sl_err check_sql_mode(struct sl_drainer_config *c, const struct sl_conf_report *report,
                                  struct sl_why *why)
{
    char       *list = strdup(c->sql_mode);
    char       *rest = list;
    enum sl_err err = SL_OK;

    SL_ASSERT(list != NULL);
    c->sql_mode_set = origin_of(report, "syncer.sql-mode")->source != SL_CONF_FROM_DEFAULT;
    for (char *p = c->sql_mode; *p != '\0'; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    memcpy(list, c->sql_mode, strlen(c->sql_mode));
    while (err == SL_OK && rest != NULL) {
        const char *word = strsep(&rest, ",");

        if (!is_sql_mode(word))
            err = sl_fail(why, SL_CONFIG,
                          "invalid config: `sql-mode` must be a valid SQL_MODE: ERROR 1231 "
                          "(42000): Variable sql_mode can't be set to the value of '%.100s'",
                          word);
    }
    free(list);
    return err;
}

/* ---- addresses ---- */

/* The words are those of the original's validateAddr below the name of the setting. */
static enum sl_err check_address(const char *name, char *address, struct sl_why *why)
{
    struct sl_why inner = {0};
    char          host[SL_ADDR_BYTES_MAX];

    switch (sl_config_check_address(address, host, &inner)) {
    case SL_CONFIG_ADDRESS_FINE: return SL_OK;
    case SL_CONFIG_ADDRESS_TOO_LONG:
        return sl_fail(why, SL_CONFIG, "%s: invalid host %.60s..., %s", name, address, inner.text);
    case SL_CONFIG_ADDRESS_NO_URL:
        return sl_fail(why, SL_CONFIG, "%s: failed to parse addr http://%s: %s", name, address,
                       inner.text);
    case SL_CONFIG_ADDRESS_NO_PAIR: break;
    }
    return sl_fail(why, SL_CONFIG, "%s: invalid host %s: %s", name, address, inner.text);
}

/* ---- destination ---- */

static enum sl_err check_db_type(struct sl_drainer_config *c, struct sl_why *why)
{
    static const char *const known[] = {"mysql", "tidb", "stdout"};
    static const char *const later[] = {"kafka", "file", "pb", "oracle"};
    const char              *meant = sl_conf_nearest(c->db_type, known, 3);

    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(c->db_type, known[i]) != 0)
            continue;
        c->destination = (enum sl_drainer_destination)i;
        return SL_OK;
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (strcmp(c->db_type, later[i]) == 0)
            return sl_fail(why, SL_UNSUPPORTED,
                           "db-type \"%s\": not supported in this version; it writes to mysql, "
                           "tidb or stdout",
                           later[i]);
    }
    if (strcmp(c->db_type, "flash") == 0)
        return sl_fail(why, SL_UNSUPPORTED, "the flash DestDBType is no longer supported");
    return sl_fail(why, SL_CONFIG,
                   "unknown DestDBType: %.60s; db-type is mysql, tidb or stdout%s%s%s", c->db_type,
                   meant != NULL ? "; did you mean \"" : "", meant != NULL ? meant : "",
                   meant != NULL ? "\"?" : "");
}

static const char *or_env(const char *const *env, const char *name, const char *otherwise)
{
    const char *value = sl_config_env(env, name);

    return value != NULL && value[0] != '\0' ? value : otherwise;
}

static enum sl_err take_env_port(struct sl_drainer_server *to, const char *const *env,
                                 struct sl_why *why)
{
    const char *text = or_env(env, "MYSQL_PORT", "3306");
    long        port = MYSQL_PORT;

    if (text[strspn(text, "0123456789")] == '\0' && strlen(text) <= 5)
        port = strtol(text, NULL, 10);
    else
        port = -1;
    if (port <= 0 || port > PORT_MAX)
        return sl_fail(why, SL_CONFIG,
                       "MYSQL_PORT in the environment: no port: %.60s; set syncer.to.port or unset "
                       "it",
                       text);
    to->port = port;
    return SL_OK;
}

static enum sl_err check_to(struct sl_drainer_config *c, const char *const *env, struct sl_why *why)
{
    struct sl_drainer_server *to = &c->to;
    struct sl_why             inner = {0};
    enum sl_err               err;

    if (to->host[0] == '\0')
        sl_config_set(&to->host, or_env(env, "MYSQL_HOST", "localhost"));
    if (to->port == 0 && (err = take_env_port(to, env, why)) != SL_OK)
        return err;
    if (to->user[0] == '\0')
        sl_config_set(&to->user, or_env(env, "MYSQL_USER", "root"));
    if (to->password[0] == '\0')
        sl_config_set(&to->password, or_env(env, "MYSQL_PSWD", ""));
    if (c->read_timeout[0] == '\0')
        sl_config_set(&c->read_timeout, "1m");
    if (sl_config_days_or_duration(c->read_timeout, &c->read_timeout_nanos, &inner) != SL_OK)
        return sl_fail(why, SL_CONFIG, "syncer.to.read-timeout: %s", inner.text);
    if (c->read_timeout_nanos <= 0)
        return sl_fail(why, SL_CONFIG, "syncer.to.read-timeout: %.60s, must be above 0",
                       c->read_timeout);
    return SL_OK;
}

static enum sl_err check_params(const struct sl_drainer_config *c, struct sl_why *why)
{
    const struct sl_drainer_param *params = c->params.items;

    if (c->params.count > SL_DRAINER_PARAMS_MAX)
        return sl_fail(why, SL_CONFIG, "syncer.to.params: %zu variables, at most %d",
                       c->params.count, SL_DRAINER_PARAMS_MAX);
    for (size_t i = 0; i < c->params.count; i++) {
        if (strcasecmp(params[i].name, "time_zone") == 0 &&
            (strcasecmp(params[i].value, "SYSTEM") == 0 ||
             strcasecmp(params[i].value, "Local") == 0))
            return sl_fail(why, SL_CONFIG,
                           "syncer.to.params.time_zone: \"%s\" names no zone; write one as "
                           "\"+08:00\" or \"Asia/Shanghai\"",
                           params[i].value);
    }
    return SL_OK;
}

/* ---- checkpoint ---- */

static void set_if_empty(char **field, const char *text)
{
    if ((*field)[0] == '\0')
        sl_config_set(field, text);
}

/* Longer ones no server has; they are parts of statements of bounded size. */
static enum sl_err check_name(const char *key, const char *name, struct sl_why *why)
{
    if (strlen(name) <= SL_SQL_PLAIN_NAME_BYTES_MAX)
        return SL_OK;
    return sl_fail(why, SL_CONFIG, "syncer.to.checkpoint.%s: a name of %zu bytes, at most %d", key,
                   strlen(name), SL_SQL_PLAIN_NAME_BYTES_MAX);
}

static enum sl_err check_checkpoint(struct sl_drainer_config *c, struct sl_why *why)
{
    struct sl_drainer_server *at = &c->checkpoint;
    const char               *type = c->checkpoint_type;
    enum sl_err               err;

    if ((err = check_name("schema", c->checkpoint_schema, why)) != SL_OK ||
        (err = check_name("table", c->checkpoint_table, why)) != SL_OK)
        return err;
    set_if_empty(&c->checkpoint_schema, "tidb_binlog");
    c->checkpoint_kind = SL_DRAINER_CHECKPOINT_SERVER;
    if (strcmp(type, "oracle") == 0)
        return sl_fail(why, SL_UNSUPPORTED,
                       "syncer.to.checkpoint.type \"oracle\": not supported in this version; use "
                       "mysql or tidb");
    if (strcmp(type, "mysql") == 0 || strcmp(type, "tidb") == 0) {
        set_if_empty(&c->checkpoint_table, "checkpoint");
        set_if_empty(&at->host, "127.0.0.1");
        set_if_empty(&at->user, "root");
        at->port = at->port == 0 ? MYSQL_PORT : at->port;
        return SL_OK;
    }
    if (type[0] != '\0')
        return sl_fail(why, SL_CONFIG, "unknown checkpoint type: %.60s; it is mysql, tidb or empty",
                       type);
    sl_config_set(&c->checkpoint_table, "checkpoint"); /* the original looks at it with `type` */
    if (c->destination == SL_DRAINER_STDOUT)
        c->checkpoint_kind = SL_DRAINER_CHECKPOINT_FILE;
    sl_config_set(&at->host, c->to.host);
    sl_config_set(&at->user, c->to.user);
    sl_config_set(&at->password, c->to.password);
    at->port = c->to.port;
    return SL_OK;
}

/* ---- schema-source ---- */

/* schema_source is "file:PATH". */
static enum sl_err take_file(struct sl_drainer_config *c, struct sl_why *why)
{
    const char *path = c->schema_source + strlen(file_scheme);

    if (path[0] == '\0' || strlen(path) >= SL_PATH_BYTES_MAX)
        return sl_fail(why, SL_CONFIG,
                       "syncer.schema-source: file: needs a path of at most %d bytes behind it",
                       SL_PATH_BYTES_MAX - 1);
    c->schema_kind = SL_DRAINER_SCHEMA_FILE;
    c->schema_place = path;
    return SL_OK;
}

/* schema_source is "http://HOST:PORT", and may end with a slash, which goes. */
static enum sl_err take_http(struct sl_drainer_config *c, struct sl_why *why)
{
    char         *address = c->schema_source + strlen(http_scheme);
    char          host[SL_ADDR_BYTES_MAX];
    struct sl_why inner = {0};
    size_t        bytes = strlen(address);

    if (bytes > 0 && address[bytes - 1] == '/')
        address[bytes - 1] = '\0';
    if (strpbrk(address, "/?#") != NULL)
        return sl_fail(why, SL_CONFIG,
                       "syncer.schema-source: %.100s: only http://HOST:PORT, without a path",
                       c->schema_source);
    if (sl_config_check_address(address, host, &inner) != SL_CONFIG_ADDRESS_FINE || host[0] == '\0')
        return sl_fail(why, SL_CONFIG, "syncer.schema-source: %.100s: %s", c->schema_source,
                       inner.text[0] != '\0' ? inner.text : "missing host in address");
    c->schema_kind = SL_DRAINER_SCHEMA_HTTP;
    c->schema_place = c->schema_source;
    return SL_OK;
}

/* Nothing is configured: a local cluster has its history beside it, or will have. */
static enum sl_err take_local(struct sl_drainer_config *c, const char *dir, struct sl_why *why)
{
    char source[SL_PATH_BYTES_MAX + 32];

    (void)snprintf(source, sizeof source, "%s%s/ddl-history.jsonl", file_scheme, dir);
    sl_config_set(&c->schema_source, source);
    return take_file(c, why);
}

static enum sl_err check_schema_source(struct sl_drainer_config *c, struct sl_why *why)
{
    const char *source = c->schema_source;
    const char *local = sl_local_dir_of_url(c->pd_urls);

    if (source[0] == '\0' && local != NULL)
        return take_local(c, local, why);
    if (source[0] == '\0' || (strcmp(source, "tikv") == 0 && local == NULL)) {
        c->schema_kind = SL_DRAINER_SCHEMA_TIKV;
        sl_config_set(&c->schema_source, "tikv");
        return SL_OK;
    }
    if (strncmp(source, file_scheme, strlen(file_scheme)) == 0)
        return take_file(c, why);
    if (strncmp(source, http_scheme, strlen(http_scheme)) == 0)
        return take_http(c, why);
    if (strcmp(source, "tikv") == 0)
        return sl_fail(why, SL_CONFIG,
                       "syncer.schema-source: tikv is found through PD, and pd-urls is %.100s",
                       c->pd_urls);
    return sl_fail(why, SL_CONFIG,
                   "syncer.schema-source: %.100s: it is tikv, http://HOST:PORT or file:PATH",
                   source);
}

/* ---- filters ---- */

static enum sl_err check_table_names(const struct sl_conf_tables *list, const char *key,
                                     struct sl_why *why)
{
    const struct sl_drainer_table_name *names = list->items;

    for (size_t i = 0; i < list->count; i++) {
        if (names[i].schema[0] == '\0')
            return sl_fail(why, SL_CONFIG, "empty schema name in `%s` config", key);
        if (names[i].table[0] == '\0')
            return sl_fail(why, SL_CONFIG, "empty table name in `%s` config", key);
    }
    return SL_OK;
}

static bool has_empty_part(const char *list)
{
    size_t bytes = strlen(list);

    return bytes == 0 || list[0] == ',' || list[bytes - 1] == ',' || strstr(list, ",,") != NULL;
}

static enum sl_err check_filters(const struct sl_drainer_config *c, struct sl_why *why)
{
    struct sl_filter       *filter;
    struct sl_event_filter *event_filter;
    enum sl_err             err;

    for (size_t i = 0; i < c->do_schemas.count; i++) {
        if (c->do_schemas.items[i][0] == '\0')
            return sl_fail(why, SL_CONFIG, "empty schema name in `replicate-do-db` config");
    }
    if (has_empty_part(c->ignore_schemas))
        return sl_fail(why, SL_CONFIG, "empty schema name in `ignore-schemas` config");
    if ((err = check_table_names(&c->do_tables, "replicate-do-table", why)) != SL_OK)
        return err;
    if ((err = check_table_names(&c->ignore_tables, "ignore-table", why)) != SL_OK)
        return err;
    if ((err = sl_drainer_config_filters(c, &filter, &event_filter, why)) != SL_OK)
        return err;
    sl_filter_free(&filter);
    sl_event_filter_free(&event_filter);
    return SL_OK;
}

/* ---- all of it ---- */

/* Defaults that depend on the host and on each other. */
static void complete(struct sl_drainer_config *c, const struct sl_conf_report *report,
                     const char *own_ipv4)
{
    sl_config_complete_addr(&c->addr, origin_of(report, "addr"), own_ipv4, DEFAULT_PORT);
    set_if_empty(&c->advertise_addr, c->addr);
    set_if_empty(&c->data_dir, "data.drainer");
    if (c->detect_s == 0)
        c->detect_s = DETECT_S;
    if (c->synced_check_min == 0)
        c->synced_check_min = SYNCED_CHECK_MIN;
    decide_switches(c, report);
    c->schema_place = "";
}

/* How many write at one time. */
static void count_workers(struct sl_drainer_config *c)
{
    c->worker_count =
        c->workers_asked < SL_DRAINER_WORKERS_MAX ? c->workers_asked : SL_DRAINER_WORKERS_MAX;
    if (!c->dispatch || c->destination == SL_DRAINER_STDOUT)
        c->worker_count = 1;
}

uint32_t sl_drainer_config_part_rows(const struct sl_drainer_config *config)
{
    return config->txn_batch < SL_PART_ROWS_MAX ? (uint32_t)config->txn_batch : SL_PART_ROWS_MAX;
}

/* What the original checks, as it does. */
static enum sl_err check_as_original(struct sl_drainer_config             *c,
                                     const struct sl_conf_report          *report,
                                     const struct sl_drainer_surroundings *around,
                                     struct sl_why                        *why)
{
    enum sl_err err;

    if ((err = check_sql_mode(c, report, why)) != SL_OK)
        return err;
    if ((err = check_to(c, around->env, why)) != SL_OK)
        return err;
    if ((err = check_address("invalid addr", c->addr, why)) != SL_OK)
        return err;
    if ((err = check_address("invalid advertise-addr", c->advertise_addr, why)) != SL_OK)
        return err;
    if ((err = sl_config_check_pd_urls(c->pd_urls, why)) != SL_OK)
        return err;
    if (c->compressor[0] != '\0' && strcmp(c->compressor, "gzip") != 0)
        return sl_fail(why, SL_CONFIG, "Invalid compressor: %.60s, must be one of these: [gzip]",
                       c->compressor);
    return check_filters(c, why);
}

enum sl_err sl_drainer_config_check(struct sl_drainer_config             *config,
                                    const struct sl_conf_report          *report,
                                    const struct sl_drainer_surroundings *around,
                                    struct sl_why                        *why)
{
    enum sl_err err;

    complete(config, report, around->own_ipv4);
    if ((err = check_as_original(config, report, around, why)) != SL_OK)
        return err;
    if ((err = sl_config_check_log_level(config->log_level, &config->level, why)) != SL_OK)
        return err;
    if ((err = check_db_type(config, why)) != SL_OK)
        return err;
    if ((err = check_params(config, why)) != SL_OK)
        return err;
    if ((err = check_checkpoint(config, why)) != SL_OK)
        return err;
    count_workers(config);
    return check_schema_source(config, why);
}
