#ifndef SL_BASE_BASE64_H
#define SL_BASE_BASE64_H

/* Base64 with padding (RFC 4648, section 4), as JSON carries bytes. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Room that is always enough for what text decodes to. */
static inline size_t sl_base64_room(size_t text_len)
{
    return text_len / 4 * 3;
}

/* Decode all of text into out, which has that room; *count is how many bytes. False: it is no
 * base64. */
bool sl_base64_decode(struct sl_slice text, uint8_t *out, size_t *count);

#endif
