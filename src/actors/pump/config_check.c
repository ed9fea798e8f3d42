#include <stdio.h>
#include <string.h>

#include "actors/common/config.h"
#include "actors/pump/config.h"

/* The checks of pump spec 6.5, in its order and with its words. */

#define DEFAULT_PORT "8250"

enum { HEARTBEAT_S = 2 };

static const char unix_prefix[] = "unix:";

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* ---- gc ---- */

static enum sl_err check_gc(struct sl_pump_config *config, struct sl_why *why)
{
    struct sl_why inner = {0};

    if (sl_config_days_or_duration(config->gc, &config->gc_nanos, &inner) != SL_OK)
        return sl_fail(why, SL_CONFIG, "parse GC time failed, err: %s", inner.text);
    if (config->gc_nanos <= 0)
        return sl_fail(why, SL_CONFIG, "GC is %.100s, must bigger than 0", config->gc);
    return SL_OK;
}

/* ---- host:port ---- */

/* Check one address, which `name` names in the words of the original; the host goes into
 * host[SL_ADDR_BYTES_MAX]. */
static enum sl_err check_address(const char *name, char *address, char *host, struct sl_why *why)
{
    struct sl_why inner = {0};

    switch (sl_config_check_address(address, host, &inner)) {
    case SL_CONFIG_ADDRESS_FINE: return SL_OK;
    case SL_CONFIG_ADDRESS_TOO_LONG:
        return sl_fail(why, SL_CONFIG, "bad %s host format: %.60s..., %s", name, address,
                       inner.text);
    case SL_CONFIG_ADDRESS_NO_URL:
        return sl_fail(why, SL_CONFIG, "parse %s error: http://%s, %s", name, address, inner.text);
    case SL_CONFIG_ADDRESS_NO_PAIR: break;
    }
    return sl_fail(why, SL_CONFIG, "bad %s host format: %s, %s", name, address, inner.text);
}

static enum sl_err check_addresses(struct sl_pump_config *config, struct sl_why *why)
{
    char        host[SL_ADDR_BYTES_MAX];
    enum sl_err err;

    if ((err = check_address("ListenAddr", config->addr, host, why)) != SL_OK)
        return err;
    if ((err = check_address("AdvertiseAddr", config->advertise_addr, host, why)) != SL_OK)
        return err;
    if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0)
        return sl_fail(why, SL_CONFIG, "invalid advertiseAddr host: %s", host);
    return SL_OK;
}

/* ---- socket ---- */

/* The path of "unix:///path", "unix:/path" or "/path". The original binds the host of the URL
 * instead, which is nothing or an accident; what was meant is told here (pump spec 6.7). */
static enum sl_err check_socket(struct sl_pump_config *config, struct sl_why *why)
{
    const char *path = config->socket;
    const char *scheme = strstr(path, "://");
    char        address[sizeof unix_prefix + SL_UNIX_PATH_BYTES_MAX];

    if (path[0] == '\0')
        return SL_OK;
    if (scheme != NULL && !starts_with(path, "unix://"))
        return sl_fail(why, SL_CONFIG, "parse Socket error: %.200s, the scheme must be unix", path);
    if (starts_with(path, unix_prefix))
        path += strlen(unix_prefix);
    if (starts_with(path, "//") && path[2] != '/')
        return sl_fail(why, SL_CONFIG,
                       "bad Socket addr format: %.200s, a path begins with a third slash, as in "
                       "unix:///tmp/pump.sock",
                       config->socket);
    if (starts_with(path, "//"))
        path += 2;
    if (strchr(path, '/') == NULL)
        return sl_fail(why, SL_CONFIG, "bad Socket addr format: %.200s", path);
    if (strlen(path) >= SL_UNIX_PATH_BYTES_MAX)
        return sl_fail(why, SL_CONFIG, "bad Socket addr format: %.200s, longer than %d bytes", path,
                       SL_UNIX_PATH_BYTES_MAX - 1);
    (void)snprintf(address, sizeof address, "%s%s", unix_prefix, path);
    sl_config_set(&config->socket, address);
    return SL_OK;
}

/* ---- all of it ---- */

/* Defaults that depend on the host and on each other. */
static void complete(struct sl_pump_config *config, const struct sl_conf_report *report,
                     const char *own_ipv4)
{
    size_t addr = sl_conf_row_index(&sl_pump_config_table, "addr");

    sl_config_complete_addr(&config->addr, &report->origin[addr], own_ipv4, DEFAULT_PORT);
    if (config->advertise_addr[0] == '\0')
        sl_config_set(&config->advertise_addr, config->addr);
    if (config->data_dir[0] == '\0')
        sl_config_set(&config->data_dir, "data.pump");
    if (config->heartbeat_s == 0)
        config->heartbeat_s = HEARTBEAT_S;
    if (config->slow_write_s <= 0)
        config->slow_write_s = 1.0;
}

enum sl_err sl_pump_config_check(struct sl_pump_config *config, const struct sl_conf_report *report,
                                 const char *own_ipv4, struct sl_why *why)
{
    enum sl_err err;

    complete(config, report, own_ipv4);
    if ((err = check_gc(config, why)) != SL_OK)
        return err;
    if ((err = check_addresses(config, why)) != SL_OK)
        return err;
    if ((err = check_socket(config, why)) != SL_OK)
        return err;
    if ((err = sl_config_check_pd_urls(config->pd_urls, why)) != SL_OK)
        return err;
    return sl_config_check_log_level(config->log_level, &config->level, why);
}
