#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "actors/pump/config.h"
#include "base/assert.h"
#include "base/units.h"
#include "net/local.h"

/* The checks of pump spec 6.5. The original makes URLs of all addresses and lets Go's net/url and
 * net packages judge them; the words here are theirs. */

#define DEFAULT_PORT "8250"

enum { HEARTBEAT_S = 2, PORT_MAX = 65535, PORT_DIGITS_MAX = 5 };

static const char unix_prefix[] = "unix:";

static void set(char **field, const char *text)
{
    char *copy = strdup(text);

    SL_ASSERT(copy != NULL);
    free(*field);
    *field = copy;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* ---- gc ---- */

/* Days as a number without a sign, else a duration, which knows hours and less. */
static enum sl_err parse_gc(const char *text, int64_t *nanos, struct sl_why *why)
{
    const int64_t day = INT64_C(24) * 3600 * SL_NANOS_PER_S;
    int64_t       days;
    enum sl_err   err;

    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0') {
        err = sl_duration_parse(text, nanos, why);
        return err == SL_OK ? SL_OK : sl_wrap(why, err, "time");
    }
    errno = 0;
    days = strtoll(text, NULL, 10);
    if (errno != 0 || __builtin_mul_overflow(days, day, nanos))
        return sl_fail(why, SL_INVALID, "too large: %.100s", text);
    return SL_OK;
}

static enum sl_err check_gc(struct sl_pump_config *config, struct sl_why *why)
{
    struct sl_why inner = {0};

    if (parse_gc(config->gc, &config->gc_nanos, &inner) != SL_OK)
        return sl_fail(why, SL_CONFIG,
                       "parse GC time failed, err: unsupported gc time %.100s, etc: use 7 for 7 "
                       "day, 7h for 7 hour: %s",
                       config->gc, inner.text);
    if (config->gc_nanos <= 0)
        return sl_fail(why, SL_CONFIG, "GC is %.100s, must bigger than 0", config->gc);
    return SL_OK;
}

/* ---- host:port ---- */

/* Split as Go's net.SplitHostPort does. NULL: done, with the host in host[SL_ADDR_BYTES_MAX], which
 * address fits, and *port within address; else what is wrong. */
static const char *split(const char *address, char *host, const char **port)
{
    const char *colon = strrchr(address, ':');
    const char *begin = address;
    const char *end = colon;

    if (colon == NULL)
        return "missing port in address";
    if (address[0] == '[') {
        begin = address + 1;
        end = strchr(begin, ']');
        if (end == NULL)
            return "missing ']' in address";
        if (end + 1 != colon)
            return end[1] == ':' ? "too many colons in address" : "missing port in address";
    } else if (memchr(address, ':', (size_t)(colon - address)) != NULL) {
        return "too many colons in address";
    }
    if (strchr(begin, '[') != NULL)
        return "unexpected '[' in address";
    if (strchr(address[0] == '[' ? colon : address, ']') != NULL)
        return "unexpected ']' in address";
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    *port = colon + 1;
    return NULL;
}

/* What Go calls an invalid character in a host name, as far as it matters. */
static bool is_host_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || strchr("\x7f\"<>\\^`{|}", *text) != NULL)
            return false;
    }
    return true;
}

/* Check one address, which `name` names in the words of the original, and cut off what Go would
 * take for the path of a URL. The host goes into host[SL_ADDR_BYTES_MAX]. */
static enum sl_err check_address(const char *name, char *address, char *host, struct sl_why *why)
{
    size_t      bytes = strcspn(address, "/?#");
    const char *port = "";
    const char *wrong;

    if (bytes >= SL_ADDR_BYTES_MAX)
        return sl_fail(why, SL_CONFIG, "bad %s host format: %.60s..., longer than %d bytes", name,
                       address, SL_ADDR_BYTES_MAX - 1);
    if (!is_host_text(address))
        return sl_fail(why, SL_CONFIG,
                       "parse %s error: http://%s, parse \"http://%s\": invalid character in host "
                       "name",
                       name, address, address);
    address[bytes] = '\0';
    if ((wrong = split(address, host, &port)) == NULL && port[0] == '\0')
        wrong = "missing port in address";
    if (wrong == NULL && port[strspn(port, "0123456789")] != '\0')
        return sl_fail(why, SL_CONFIG,
                       "parse %s error: http://%s, parse \"http://%s\": invalid port \":%s\" after "
                       "host",
                       name, address, address, port);
    if (wrong == NULL && (strlen(port) > PORT_DIGITS_MAX || strtol(port, NULL, 10) > PORT_MAX))
        wrong = "invalid port";
    if (wrong != NULL)
        return sl_fail(why, SL_CONFIG, "bad %s host format: %s, address %s: %s", name, address,
                       address, wrong);
    return SL_OK;
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
    set(&config->socket, address);
    return SL_OK;
}

/* ---- pd-urls ---- */

/* Check one URL as etcd's client does. */
static enum sl_err check_url(const char *url, struct sl_why *why)
{
    static const char *const schemes[] = {"http://", "https://", "unix://", "unixs://"};
    char                     address[SL_ADDR_BYTES_MAX];
    char                     host[SL_ADDR_BYTES_MAX];
    const char              *rest = NULL;
    const char              *port = "";
    size_t                   bytes;

    for (size_t i = 0; rest == NULL && i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            rest = url + strlen(schemes[i]);
    }
    if (rest == NULL)
        return sl_fail(why, SL_INVALID, "URL scheme must be http, https, unix, or unixs: %.100s",
                       url);
    bytes = strcspn(rest, "/?#");
    (void)snprintf(address, sizeof address, "%.*s", (int)(bytes % sizeof address), rest);
    if (bytes >= sizeof address || !is_host_text(rest) || split(address, host, &port) != NULL ||
        port[0] == '\0' || port[strspn(port, "0123456789")] != '\0')
        return sl_fail(why, SL_INVALID, "URL address does not have the form \"host:port\": %.100s",
                       url);
    if (rest[bytes] != '\0')
        return sl_fail(why, SL_INVALID, "URL must not contain a path: %.100s", url);
    return SL_OK;
}

/* Cut white space off both ends, in place. */
static char *trimmed(char *text)
{
    size_t bytes;

    text += strspn(text, " \t\r\n");
    bytes = strlen(text);
    while (bytes > 0 && strchr(" \t\r\n", text[bytes - 1]) != NULL)
        bytes--;
    text[bytes] = '\0';
    return text;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Take `list` apart at its commas; SL_INVALID when one of the parts is no URL. */
static enum sl_err take_urls(char *list, char **url, size_t *count, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    *count = 0;
    for (char *comma = list; err == SL_OK && comma != NULL;) {
        char *part = list;

        if (*count == SL_PD_URLS_MAX)
            return sl_fail(why, SL_INVALID, "more than %d URLs", SL_PD_URLS_MAX);
        comma = strchr(list, ',');
        if (comma != NULL) {
            *comma = '\0';
            list = comma + 1;
        }
        url[*count] = trimmed(part);
        err = check_url(url[(*count)++], why);
    }
    return err;
}

/* Join with commas into out, which has room: what it held was at least as long. */
static void put_list(char *out, char *const *url, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t bytes = strlen(url[i]);

        memcpy(out, url[i], bytes);
        out[bytes] = i + 1 < count ? ',' : '\0';
        out += bytes + 1;
    }
}

static enum sl_err check_pd_urls(struct sl_pump_config *config, struct sl_why *why)
{
    char         *url[SL_PD_URLS_MAX];
    struct sl_why inner = {0};
    char         *list;
    size_t        count;
    enum sl_err   err;

    if (sl_local_dir_of_url(config->pd_urls) != NULL)
        return SL_OK;
    list = strdup(config->pd_urls);
    SL_ASSERT(list != NULL);
    err = take_urls(list, url, &count, &inner);
    if (err != SL_OK) {
        err = sl_fail(why, SL_CONFIG, "parse EtcdURLs error: %.200s, %s", config->pd_urls,
                      inner.text);
    } else {
        qsort(url, count, sizeof url[0], by_bytes);
        put_list(config->pd_urls, url, count);
    }
    free(list);
    return err;
}

/* ---- all of it ---- */

/* Defaults that depend on the host and on each other. */
static void complete(struct sl_pump_config *config, const struct sl_conf_report *report,
                     const char *own_ipv4)
{
    size_t addr = sl_conf_row_index(&sl_pump_config_table, "addr");
    bool   asked_for_own = report->origin[addr].source == SL_CONF_FROM_DEFAULT;
    char   text[SL_ADDR_BYTES_MAX];

    if (config->addr[0] == '\0') {
        (void)snprintf(text, sizeof text, "%s:" DEFAULT_PORT,
                       asked_for_own && own_ipv4 != NULL ? own_ipv4 : "127.0.0.1");
        set(&config->addr, text);
    }
    if (config->advertise_addr[0] == '\0')
        set(&config->advertise_addr, config->addr);
    if (config->heartbeat_s == 0)
        config->heartbeat_s = HEARTBEAT_S;
    if (config->slow_write_s <= 0)
        config->slow_write_s = 1.0;
}

enum sl_err sl_pump_config_check(struct sl_pump_config *config, const struct sl_conf_report *report,
                                 const char *own_ipv4, struct sl_why *why)
{
    struct sl_why inner = {0};
    enum sl_err   err;

    complete(config, report, own_ipv4);
    if ((err = check_gc(config, why)) != SL_OK)
        return err;
    if ((err = check_addresses(config, why)) != SL_OK)
        return err;
    if ((err = check_socket(config, why)) != SL_OK)
        return err;
    if ((err = check_pd_urls(config, why)) != SL_OK)
        return err;
    if (sl_log_level_parse(config->log_level, &config->level, &inner) != SL_OK)
        return sl_fail(why, SL_CONFIG, "log-level: %s", inner.text);
    return SL_OK;
}
