#ifndef SL_BASE_ENV_OS_H
#define SL_BASE_ENV_OS_H

/* The environment on Linux: CLOCK_MONOTONIC and CLOCK_REALTIME, getrandom, POSIX files, sockets,
 * pthreads and futexes. The object is static and immutable; any thread may use it. */

#include <stdbool.h>

#include "base/env.h"

/* The one object of this process; never NULL, not to be freed. */
const struct sl_env *sl_env_os(void);

/* The name of this host into out[SL_NAME_BYTES_MAX], which holds any that Linux allows. */
void sl_env_os_host_name(char *out);

/* The first IPv4 address of this host's interfaces that is not a loopback address, as text into
 * out[SL_NAME_BYTES_MAX]. False: there is none. */
bool sl_env_os_ipv4(char *out);

/* Freed memory goes back to the system soon, for programs that are to stay within so many bytes:
 * blocks from SL_ENV_OS_BLOCK_BYTES on at once, whatever was allocated before. Once, before there
 * are threads. */
void sl_env_os_give_memory_back(void);

#endif
