#include "base/env_os_addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/env_os.h"

enum { PORT_MAX = 65535, PORT_DIGITS_MAX = 5 };

static const char unix_prefix[] = "unix:";

static enum sl_err parse_unix(struct os_addr *out, const char *path, struct sl_why *why)
{
    size_t length = strlen(path);

    if (length == 0)
        return sl_fail(why, SL_INVALID, "no path after unix:");
    if (length >= sizeof out->at.local.sun_path)
        return sl_fail(why, SL_INVALID, "the path has %zu bytes, a unix socket allows %zu", length,
                       sizeof out->at.local.sun_path - 1);
    out->at.local.sun_family = AF_UNIX;
    memcpy(out->at.local.sun_path, path, length + 1);
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return SL_OK;
}

/* Split "host:port" or "[host]:port" into host[SL_ADDR_BYTES_MAX] and the port's text. */
static enum sl_err split(const char *address, char *host, const char **port, struct sl_why *why)
{
    const char *colon = strrchr(address, ':');
    const char *begin = address;
    const char *end = colon;
    bool        bracketed;

    if (colon == NULL)
        return sl_fail(why, SL_INVALID, "want host:port or unix:/path");
    bracketed = colon - address >= 2 && address[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        begin++;
        end--;
    } else if (memchr(address, ':', (size_t)(colon - address)) != NULL) {
        return sl_fail(why, SL_INVALID, "an IPv6 address stands in brackets, as in [::1]:8250");
    }
    if (end - begin >= SL_ADDR_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "the host is too long");
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    *port = colon + 1;
    return SL_OK;
}

static enum sl_err check_port(const char *text, bool passive, struct sl_why *why)
{
    size_t digits = strspn(text, "0123456789");
    bool   number = digits > 0 && digits <= PORT_DIGITS_MAX && text[digits] == '\0';
    long   port = number ? strtol(text, NULL, 10) : -1;

    if (port < (passive ? 0 : 1) || port > PORT_MAX)
        return sl_fail(why, SL_INVALID, "the port must be a number from %d to %d", passive ? 0 : 1,
                       PORT_MAX);
    return SL_OK;
}

static enum sl_err resolve_failed(int code, const char *host, struct sl_why *why)
{
    if (code == EAI_SYSTEM)
        return sl_fail_errno(why, errno, "resolve %s", host);
    if (code == EAI_AGAIN)
        return sl_fail(why, SL_UNAVAILABLE, "resolve %s: the name server does not answer", host);
    if (code == EAI_NONAME || code == EAI_NODATA)
        return sl_fail(why, SL_NOT_FOUND, "resolve %s: no such host", host);
    return sl_fail(why, SL_SYSTEM, "resolve %s: %s", host, gai_strerror(code));
}

static void take_preferred(struct os_addr *out, const struct addrinfo *list)
{
    const struct addrinfo *best = list;

    for (const struct addrinfo *a = list; a != NULL && best->ai_family != AF_INET; a = a->ai_next) {
        if (a->ai_family == AF_INET)
            best = a;
    }
    SL_ASSERT(best->ai_addrlen <= sizeof out->at);
    memcpy(&out->at, best->ai_addr, best->ai_addrlen);
    out->length = best->ai_addrlen;
}

enum sl_err os_addr_parse(struct os_addr *out, const char *address, bool passive,
                          struct sl_why *why)
{
    struct addrinfo  hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char             host[SL_ADDR_BYTES_MAX];
    struct addrinfo *list = NULL;
    const char      *port;
    enum sl_err      err;
    int              code;

    memset(out, 0, sizeof *out);
    if (strncmp(address, unix_prefix, sizeof unix_prefix - 1) == 0)
        return parse_unix(out, address + sizeof unix_prefix - 1, why);
    if ((err = split(address, host, &port, why)) != SL_OK)
        return err;
    if ((err = check_port(port, passive, why)) != SL_OK)
        return err;
    out->every = host[0] == '\0';
    if (out->every && !passive)
        return sl_fail(why, SL_INVALID, "no host before the port");
    if (out->every) {
        hints.ai_family = AF_INET6; /* with IPV6_V6ONLY off it serves IPv4 as well */
        hints.ai_flags |= AI_PASSIVE;
    }
    code = getaddrinfo(out->every ? NULL : host, port, &hints, &list);
    if (code != 0)
        return resolve_failed(code, host, why);
    take_preferred(out, list);
    freeaddrinfo(list);
    return SL_OK;
}

static void print_v6(const struct sockaddr_in6 *in6, char *out)
{
    char           host[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        memcpy(&v4, &in6->sin6_addr.s6_addr[12], sizeof v4);
        (void)inet_ntop(AF_INET, &v4, host, sizeof host);
        (void)snprintf(out, SL_ADDR_BYTES_MAX, "%s:%u", host, (unsigned)ntohs(in6->sin6_port));
        return;
    }
    (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    (void)snprintf(out, SL_ADDR_BYTES_MAX, "[%s]:%u", host, (unsigned)ntohs(in6->sin6_port));
}

void os_addr_print(const struct os_addr *a, char *out)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->at.room;
    char                      host[INET_ADDRSTRLEN];
    size_t                    path_bytes;

    switch (a->at.any.sa_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        (void)snprintf(out, SL_ADDR_BYTES_MAX, "%s:%u", host, (unsigned)ntohs(in->sin_port));
        return;
    case AF_INET6: print_v6((const struct sockaddr_in6 *)&a->at.room, out); return;
    case AF_UNIX:
        path_bytes = a->length > offsetof(struct sockaddr_un, sun_path)
                         ? a->length - offsetof(struct sockaddr_un, sun_path)
                         : 0;
        (void)snprintf(out, SL_ADDR_BYTES_MAX, "%s%.*s", unix_prefix, (int)path_bytes,
                       a->at.local.sun_path);
        return;
    default: SL_UNREACHABLE("not a family that we open");
    }
}

int os_addr_port(const struct os_addr *a)
{
    switch (a->at.any.sa_family) {
    case AF_INET: return ntohs(((const struct sockaddr_in *)&a->at.room)->sin_port);
    case AF_INET6: return ntohs(((const struct sockaddr_in6 *)&a->at.room)->sin6_port);
    default: return -1;
    }
}

/* ---- this host ---- */

static bool is_outward_ipv4(const struct sockaddr *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

    return address != NULL && address->sa_family == AF_INET &&
           ntohl(in->sin_addr.s_addr) >> IN_CLASSA_NSHIFT != IN_LOOPBACKNET;
}

bool sl_env_os_ipv4(char *out)
{
    struct ifaddrs       *list = NULL;
    const struct ifaddrs *at;
    bool                  found;

    if (getifaddrs(&list) != 0)
        return false;
    at = list;
    while (at != NULL && !is_outward_ipv4(at->ifa_addr))
        at = at->ifa_next;
    found = at != NULL;
    if (found)
        (void)inet_ntop(AF_INET,
                        &((const struct sockaddr_in *)(const void *)at->ifa_addr)->sin_addr, out,
                        SL_NAME_BYTES_MAX);
    freeifaddrs(list);
    return found;
}
