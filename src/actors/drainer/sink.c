#include "actors/drainer/sink.h"

void sl_sink_free(struct sl_sink **sink)
{
    struct sl_sink *old = *sink;

    *sink = NULL;
    if (old != NULL)
        old->ops->close(old);
}
