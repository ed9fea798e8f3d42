#ifndef SL_BASE_ASSERT_H
#define SL_BASE_ASSERT_H

/* Assertions: for our mistakes only. Input from network, disk, configuration and operators is
 * validated and refused with an error; it must never reach an assertion.
 *
 * Three grades, by what they cost:
 *
 *     SL_ASSERT(x)            always on, in production too; cheap enough for every function
 *     SL_VERIFY(x)            costly checks (walk a list, re-decode); on in Debug and sanitizer
 * builds static_assert(x, text)  free: ties limits and layouts together at compile time
 *
 * and two for places rather than conditions:
 *
 *     SL_UNREACHABLE(text)    control cannot come here
 *     SL_PANIC(format, ...)   an invariant broke; says with values what and where
 *
 * All of them end the process with a crash report (base/panic.h). */

#include <assert.h>
#include <stdbool.h>

#include "base/panic.h"

#define SL_ASSERT(condition) \
    ((condition) ? (void)0   \
                 : sl_panic(__FILE__, __LINE__, __func__, "assertion failed: %s", #condition))

#ifdef SLUICE_VERIFY
#define SL_VERIFY(condition) SL_ASSERT(condition)
#else
#define SL_VERIFY(condition) ((void)sizeof(condition))
#endif

#define SL_UNREACHABLE(text) sl_panic(__FILE__, __LINE__, __func__, "unreachable: %s", (text))

#define SL_PANIC(...) sl_panic(__FILE__, __LINE__, __func__, __VA_ARGS__)

/* a implies b. */
#define SL_IMPLIES(a, b) (!(a) || (b))

#endif
