#include "net/h2_output.h"

#include <string.h>

#include "base/assert.h"

bool h2_output_has_room(const struct h2_output *output)
{
    return output->frame.len == 0;
}

void h2_output_add(struct h2_output *output, struct sl_slice frame)
{
    SL_ASSERT(h2_output_has_room(output));
    if (frame.len > SL_H2_GATHER_FRAME_BYTES_MAX ||
        frame.len > sizeof output->gather - output->gathered) {
        output->frame = frame;
        return;
    }
    memcpy(output->gather + output->gathered, frame.bytes, frame.len);
    output->gathered += frame.len;
}

struct sl_slice h2_output_next(const struct h2_output *output)
{
    if (output->gathered_sent < output->gathered)
        return (struct sl_slice){output->gather + output->gathered_sent,
                                 output->gathered - output->gathered_sent};
    return output->frame;
}

void h2_output_sent(struct h2_output *output, size_t count)
{
    if (output->gathered_sent == output->gathered) {
        SL_ASSERT(count <= output->frame.len);
        output->frame.bytes += count;
        output->frame.len -= count;
        return;
    }
    SL_ASSERT(count <= output->gathered - output->gathered_sent);
    output->gathered_sent += count;
    if (output->gathered_sent == output->gathered)
        output->gathered_sent = output->gathered = 0;
}
