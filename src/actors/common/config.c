#include "actors/common/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/units.h"
#include "net/local.h"

enum { PORT_MAX = 65535, PORT_DIGITS_MAX = 5, SETTING_BYTES_MAX = 256 };

static const char space[] = " \t\r\n";

void sl_config_set(char **field, const char *text)
{
    char *copy = strdup(text);

    SL_ASSERT(copy != NULL);
    free(*field);
    *field = copy;
}

const char *sl_config_env(const char *const *env, const char *name)
{
    size_t bytes = strlen(name);

    for (; env != NULL && *env != NULL; env++) {
        if (strncmp(*env, name, bytes) == 0 && (*env)[bytes] == '=')
            return *env + bytes + 1;
    }
    return NULL;
}

char *sl_config_trimmed(char *text)
{
    size_t bytes;

    text += strspn(text, space);
    bytes = strlen(text);
    while (bytes > 0 && strchr(space, text[bytes - 1]) != NULL)
        bytes--;
    text[bytes] = '\0';
    return text;
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

enum sl_config_address sl_config_check_address(char *address, char *host, struct sl_why *why)
{
    size_t      bytes = strcspn(address, "/?#");
    const char *port = "";
    const char *wrong;

    if (strstr(address, "://") != NULL) { /* Go's packages take the scheme for a host */
        (void)sl_fail(why, SL_CONFIG, "host:port is written without a scheme");
        return SL_CONFIG_ADDRESS_NO_PAIR;
    }
    if (bytes >= SL_ADDR_BYTES_MAX) {
        (void)sl_fail(why, SL_CONFIG, "longer than %d bytes", SL_ADDR_BYTES_MAX - 1);
        return SL_CONFIG_ADDRESS_TOO_LONG;
    }
    if (!is_host_text(address)) {
        (void)sl_fail(why, SL_CONFIG, "parse \"http://%s\": invalid character in host name",
                      address);
        return SL_CONFIG_ADDRESS_NO_URL;
    }
    address[bytes] = '\0';
    if ((wrong = split(address, host, &port)) == NULL && port[0] == '\0')
        wrong = "missing port in address";
    if (wrong == NULL && port[strspn(port, "0123456789")] != '\0') {
        (void)sl_fail(why, SL_CONFIG, "parse \"http://%s\": invalid port \":%s\" after host",
                      address, port);
        return SL_CONFIG_ADDRESS_NO_URL;
    }
    if (wrong == NULL && (strlen(port) > PORT_DIGITS_MAX || strtol(port, NULL, 10) > PORT_MAX))
        wrong = "invalid port";
    if (wrong == NULL)
        return SL_CONFIG_ADDRESS_FINE;
    (void)sl_fail(why, SL_CONFIG, "address %s: %s", address, wrong);
    return SL_CONFIG_ADDRESS_NO_PAIR;
}

void sl_config_complete_addr(char **addr, const struct sl_conf_origin *origin, const char *own_ipv4,
                             const char *port)
{
    bool asked_for_own = origin->source == SL_CONF_FROM_DEFAULT;
    char text[SL_ADDR_BYTES_MAX];

    if ((*addr)[0] != '\0')
        return;
    (void)snprintf(text, sizeof text, "%s:%s",
                   asked_for_own && own_ipv4 != NULL ? own_ipv4 : "127.0.0.1", port);
    sl_config_set(addr, text);
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
        url[*count] = sl_config_trimmed(part);
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

enum sl_err sl_config_check_pd_urls(char *pd_urls, struct sl_why *why)
{
    char         *url[SL_PD_URLS_MAX];
    struct sl_why inner = {0};
    char         *list;
    size_t        count;
    enum sl_err   err;

    if (sl_local_dir_of_url(pd_urls) != NULL)
        return SL_OK;
    if (strcmp(pd_urls, "local:") == 0)
        return sl_fail(why, SL_CONFIG, "parse EtcdURLs error: local:, a directory must follow");
    list = strdup(pd_urls);
    SL_ASSERT(list != NULL);
    err = take_urls(list, url, &count, &inner);
    if (err != SL_OK) {
        err = sl_fail(why, SL_CONFIG, "parse EtcdURLs error: %.200s, %s", pd_urls, inner.text);
    } else {
        qsort(url, count, sizeof url[0], by_bytes);
        put_list(pd_urls, url, count);
    }
    free(list);
    return err;
}

/* ---- values ---- */

static enum sl_err parse_days_or_duration(const char *text, int64_t *nanos, struct sl_why *why)
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

enum sl_err sl_config_days_or_duration(const char *text, int64_t *nanos, struct sl_why *why)
{
    struct sl_why inner = {0};

    if (parse_days_or_duration(text, nanos, &inner) != SL_OK)
        return sl_fail(why, SL_INVALID,
                       "unsupported gc time %.100s, etc: use 7 for 7 day, 7h for 7 hour: %s", text,
                       inner.text);
    return SL_OK;
}

enum sl_err sl_config_check_log_level(const char *text, enum sl_log_level *out, struct sl_why *why)
{
    struct sl_why inner = {0};

    if (sl_log_level_parse(text, out, &inner) != SL_OK)
        return sl_fail(why, SL_CONFIG, "log-level: %s", inner.text);
    return SL_OK;
}

/* ---- telling ---- */

void sl_config_notes(const struct sl_conf_table *table, const struct sl_conf_report *report,
                     sl_config_note note, void *context)
{
    char setting[SL_CONF_KEY_BYTES_MAX];
    char text[SL_WHY_BYTES_MAX];

    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];

        /* What is not built was set to its default, which is what happens. */
        if ((row->flags & SL_CONF_IGNORED) == 0 || (row->flags & SL_CONF_NOT_YET) != 0 ||
            report->origin[i].source == SL_CONF_FROM_DEFAULT)
            continue;
        (void)snprintf(setting, sizeof setting, "%s%s", row->key != NULL ? "" : "-",
                       row->key != NULL ? row->key : row->flag);
        (void)snprintf(text, sizeof text, "accepted and without effect: %s", row->help);
        note(context, setting, text);
    }
}

static void log_note(void *context, const char *setting, const char *text)
{
    (void)context;
    sl_log(SL_LOG_WARN, "setting has no effect", sl_field_str("setting", setting),
           sl_field_str("note", text));
}

void sl_config_text(const struct sl_conf_table *table, const void *config, char *out, size_t size)
{
    struct sl_json_out json = {.bytes = out, .room = size - 1};

    SL_ASSERT(size > 0);
    sl_json_put(&json, "{");
    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];
        char                      value[SETTING_BYTES_MAX];

        if ((row->flags & (SL_CONF_IGNORED | SL_CONF_NOT_YET | SL_CONF_ASK)) != 0)
            continue;
        sl_conf_value_text(row, config, value, sizeof value);
        sl_json_put(&json, json.used > 1 ? "," : "");
        sl_json_put_text(&json, row->key != NULL ? row->key : row->flag);
        sl_json_put(&json, ":");
        sl_json_put_text(&json, value);
    }
    sl_json_put(&json, "}");
    out[json.used] = '\0';
}

void sl_config_log(const struct sl_conf_table *table, const struct sl_conf_report *report)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct sl_conf_row *row = &table->rows[i];
        char                      name[SL_NAME_BYTES_MAX];

        if (report->origin[i].source == SL_CONF_FROM_ENV && sl_conf_env_name(table, row, name))
            sl_log(SL_LOG_INFO, "recognized and used environment variable",
                   sl_field_str("key", name), sl_field_str("flag", row->flag));
    }
    sl_config_notes(table, report, log_note, NULL);
}
