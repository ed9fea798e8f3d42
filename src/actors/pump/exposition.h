#ifndef SL_ACTORS_PUMP_EXPOSITION_H
#define SL_ACTORS_PUMP_EXPOSITION_H

/* The text of /metrics, which is also what is pushed. */

#include "base/buf.h"

struct sl_pump;

/* Bring the gauges that follow from the notice board up to date and write all series. The buffer
 * is the caller's. Any thread; two at one time write the same. */
struct sl_buf *sl_pump_exposition(struct sl_pump *pump);

#endif
