#ifndef SL_BASE_ENV_OS_PARTS_H
#define SL_BASE_ENV_OS_PARTS_H

/* The parts of the Linux environment, one per file env_os_<part>.c; env_os.c puts them together.
 * Private to env_os*.c: everybody else asks sl_env_os(). All are static and without state. */

#include "base/env.h"

extern struct sl_fs      env_os_fs;
extern struct sl_net     env_os_net;
extern struct sl_threads env_os_threads;

#endif
