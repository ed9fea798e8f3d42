/* What Debian 12's static archives expect of glibc 2.36 and an older target's glibc does not have.
 * Built against 2.36 or newer, this file is empty. Hidden visibility keeps the names inside. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#if defined(__GLIBC__) && (__GLIBC__ < 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 36))

/* Requests up to this size are not interrupted once the kernel's generator is seeded. */
enum { RANDOM_BYTES_AT_ONCE = 256 };

uint32_t arc4random(void);
void     arc4random_buf(void *bytes, size_t count);

/* For libevent's evutil_secure_rng. Cannot fail: a system without a source of randomness ends the
 * process. */
void arc4random_buf(void *bytes, size_t count)
{
    unsigned char *at = bytes;

    while (count > 0) {
        size_t  wanted = count > RANDOM_BYTES_AT_ONCE ? RANDOM_BYTES_AT_ONCE : count;
        ssize_t got = getrandom(at, wanted, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort();
        at += got;
        count -= (size_t)got;
    }
}

uint32_t arc4random(void)
{
    uint32_t value;

    arc4random_buf(&value, sizeof value);
    return value;
}

#endif
