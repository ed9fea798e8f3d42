#ifndef SL_BASE_ENV_OS_H
#define SL_BASE_ENV_OS_H

/* The environment on Linux: CLOCK_MONOTONIC and CLOCK_REALTIME, getrandom, POSIX files, sockets,
 * pthreads and futexes. The object is static and immutable; any thread may use it. */

#include "base/env.h"

/* The one object of this process; never NULL, not to be freed. */
const struct sl_env *sl_env_os(void);

#endif
