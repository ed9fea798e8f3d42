#include "base/env_os.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/env_os_parts.h"

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0)
        SL_PANIC("clock_gettime(%d): %s", (int)id, strerror(errno));
    SL_ASSERT(t.tv_sec >= 0);
    return (uint64_t)t.tv_sec * SL_NANOS_PER_S + (uint64_t)t.tv_nsec;
}

static sl_nanos now(struct sl_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t wall(struct sl_clock *clock)
{
    (void)clock;
    return (int64_t)read_clock(CLOCK_REALTIME);
}

/* getrandom may be interrupted, and gives large requests in pieces. */
static void fill(struct sl_random *random, void *bytes, size_t count)
{
    uint8_t *at = bytes;

    (void)random;
    while (count > 0) {
        ssize_t n = getrandom(at, count, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            SL_PANIC("getrandom: %s", strerror(errno));
        at += n;
        count -= (size_t)n;
    }
}

void sl_env_os_host_name(char *out)
{
    if (gethostname(out, SL_NAME_BYTES_MAX) != 0)
        SL_PANIC("gethostname: %s", strerror(errno));
    out[SL_NAME_BYTES_MAX - 1] = '\0'; /* a name that was cut need not be terminated */
}

const struct sl_env *sl_env_os(void)
{
    static struct sl_clock     clock = {.now = now, .wall = wall};
    static struct sl_random    random = {.fill = fill};
    static const struct sl_env env = {
        .clock = &clock,
        .random = &random,
        .fs = &env_os_fs,
        .net = &env_os_net,
        .threads = &env_os_threads,
    };

    return &env;
}

/* By itself malloc raises the first two bounds with what it is asked for, up to 32 and 64 MiB, and
 * has eight heaps for each processor, each with blocks of its own that are free. Another malloc, as
 * sanitizers bring one, knows none of this and does as it does. */
void sl_env_os_give_memory_back(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, SL_ENV_OS_BLOCK_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * SL_ENV_OS_BLOCK_BYTES);
    (void)mallopt(M_ARENA_MAX, SL_ENV_OS_HEAPS);
}
