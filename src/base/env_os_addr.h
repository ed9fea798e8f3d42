#ifndef SL_BASE_ENV_OS_ADDR_H
#define SL_BASE_ENV_OS_ADDR_H

/* Addresses as text and as the system wants them: "host:port", "[v6]:port", "unix:/path". Private
 * to env_os*.c.
 *
 * A host name with addresses of both families gives its first IPv4 one, for listening as for
 * connecting: the two ends of "localhost" then agree, which "the first the resolver says" does not
 * promise. */

#include <sys/socket.h>
#include <sys/un.h>

#include "base/env.h"

struct os_addr {
    union {
        struct sockaddr         any;
        struct sockaddr_storage room;
        struct sockaddr_un      local; /* "unix:/path" */
    } at;
    socklen_t length;
    bool      every; /* no host was given: listen on all addresses of both families */
};

/* Parse and, where the host is a name, resolve (which may block). `passive`: to listen on, so that
 * the host may be empty and the port 0. The reasons do not repeat the address. Errors: SL_INVALID,
 * SL_NOT_FOUND (no such name), SL_UNAVAILABLE (the resolver does not answer), SL_SYSTEM. */
enum sl_err os_addr_parse(struct os_addr *out, const char *address, bool passive,
                          struct sl_why *why);

/* The other way, into out[SL_ADDR_BYTES_MAX]. An IPv4 peer of an IPv6 socket is shown as IPv4; a
 * unix socket without a name as "unix:". */
void os_addr_print(const struct os_addr *a, char *out);

/* The port of an IP address, -1 for a unix socket. */
int os_addr_port(const struct os_addr *a);

#endif
