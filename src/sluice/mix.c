#include "sluice/mix.h"

#include <stddef.h>

void mix_free(struct mix **mix)
{
    struct mix *old = *mix;

    *mix = NULL;
    if (old != NULL)
        old->ops->free(old);
}
