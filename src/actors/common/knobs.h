#ifndef SL_ACTORS_COMMON_KNOBS_H
#define SL_ACTORS_COMMON_KNOBS_H

/* Knobs: the few numbers and words that an operator may change while a program runs.
 *
 *     GET /knobs      {"workers":{"value":16,"min":1,"max":16},"log-level":{"value":"info",...}}
 *     PUT /knobs      with {"workers":4,"log-level":"debug"}: all of it, or nothing
 *
 * What is set lasts until the process ends or reads its configuration again. Only somebody on the
 * same machine may set one (struct sl_http_question, `trusted`). Whose a knob is, and how it takes
 * effect, is the program's. No I/O; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "actors/common/routes.h"
#include "base/buf.h"
#include "base/err.h"

/* One of them. Text is static. */
struct sl_knob {
    const char *name;
    bool        is_level; /* the value is one of enum sl_log_level, else a number */
    int64_t     value;
    int64_t     min; /* of numbers; both ends are allowed */
    int64_t     max;
    const char *fixed;  /* why it cannot be changed; NULL: it can */
    bool        is_set; /* by sl_knobs_take */
};

/* The knob for the log level, as it is now. */
struct sl_knob sl_knob_of_log_level(void);

/* GET /knobs: the body, a new buffer. */
struct sl_buf *sl_knobs_body(const struct sl_knob *knobs, size_t count);

/* Take the values of a PUT, and mark the knobs that have one. SL_INVALID: what is wrong, where, and
 * what is allowed; then the values are not to be used. */
enum sl_err sl_knobs_take(struct sl_knob *knobs, size_t count, struct sl_slice body,
                          struct sl_why *why);

/* The same for a request, which is refused when it does not come from this machine or is wrong.
 * False: it has its answer. */
bool sl_knobs_accept(struct sl_exchange *x, struct sl_knob *knobs, size_t count);

/* The answer to a PUT: with the status, and a body as that of /state. */
void sl_knobs_answer(struct sl_exchange *x, unsigned status, const char *message);

/* A line in the log for each that is set; the log level takes effect. */
void sl_knobs_tell(const struct sl_knob *knobs, size_t count);

#endif
