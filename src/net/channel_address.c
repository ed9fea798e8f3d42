#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/channel_private.h"

enum { PORT_MAX = 65535 };

/* What stands behind a prefix, or NULL. */
static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static enum sl_err refuse(const char *text, const char *reason, struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "address \"%.100s\": %s", text, reason);
}

static enum sl_err keep(struct channel_address *out, const char *text, const char *prefix,
                        const char *rest, const char *authority, struct sl_why *why)
{
    int length = snprintf(out->target, sizeof out->target, "%s%s", prefix, rest);

    if (length >= (int)sizeof out->target)
        return refuse(text, "it is too long", why);
    (void)snprintf(out->authority, sizeof out->authority, "%s", authority);
    return SL_OK;
}

static enum sl_err parse_host_port(const char *text, const char *rest, struct channel_address *out,
                                   struct sl_why *why)
{
    const char *colon = strrchr(rest, ':');
    long        port;
    char       *end;

    if (strchr(rest, '/') != NULL)
        return refuse(text, "want host:port, without a path", why);
    if (colon == NULL || colon == rest || colon[1] < '0' || colon[1] > '9')
        return refuse(text, "want host:port", why);
    if (memchr(rest, ':', (size_t)(colon - rest)) != NULL && rest[0] != '[')
        return refuse(text, "an IPv6 address stands in brackets, as in [::1]:2379", why);
    port = strtol(colon + 1, &end, 10);
    if (*end != '\0' || port < 1 || port > PORT_MAX)
        return refuse(text, "the port must be a number from 1 to 65535", why);
    return keep(out, text, "", rest, rest, why);
}

enum sl_err channel_address_parse(const char *text, struct channel_address *out, struct sl_why *why)
{
    const char *rest;

    if (after(text, "https://") != NULL || after(text, "unixs:") != NULL)
        return sl_fail(why, SL_UNSUPPORTED, "address \"%.100s\": TLS is not built yet; use http",
                       text);
    if ((rest = after(text, "http://")) != NULL)
        return parse_host_port(text, rest, out, why);
    if ((rest = after(text, "unix://")) != NULL || (rest = after(text, "unix:")) != NULL) {
        if (rest[0] == '\0')
            return refuse(text, "no path after unix:", why);
        return keep(out, text, "unix:", rest, "localhost", why);
    }
    if (strstr(text, "://") != NULL)
        return refuse(text, "the scheme must be http or unix", why);
    return parse_host_port(text, text, out, why);
}
