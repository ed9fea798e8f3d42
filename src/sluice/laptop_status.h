#ifndef SL_SLUICE_LAPTOP_STATUS_H
#define SL_SLUICE_LAPTOP_STATUS_H

/* How a laptop's cluster does, in a line for people: rows per second, how far behind (features 3.2:
 * what is not known is "-"), and what it waits on. */

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "sluice/laptop.h"

enum { LAPTOP_STATUS_BYTES_MAX = 512 };

/* Made by laptop_status_of. */
struct laptop_status {
    const struct sl_env *env;
    struct laptop       *laptop;
    sl_nanos             counted_at;
    uint64_t             counted; /* rows, then */
    double               rate;    /* rows per second, until then */
};

struct laptop_status laptop_status_of(const struct sl_env *env, struct laptop *laptop);

/* "1,234 rows/s | 0.2 s behind | waiting on: nothing"; cut at `size`. */
void laptop_status_text(struct laptop_status *status, char *out, size_t size);
/* "2,014 rows and 62 DDL jobs"; out, cut at `size`. */
const char *laptop_status_totals(struct laptop_status *status, char *out, size_t size);

/* Everything at or below it is in the target. */
sl_ts laptop_applied(struct laptop *laptop);

#endif
