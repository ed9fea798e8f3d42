#ifndef SL_NET_TIKV_KEY_H
#define SL_NET_TIKV_KEY_H

/* Keys as PD orders them (pd spec 5.1). Requests to TiKV carry raw keys; PD and the borders of
 * regions have them encoded, so that they compare as bytes and no key is the beginning of another:
 * groups of 8 bytes, padded with zeros, each followed by 0xff less the number of padding bytes; the
 * last group is the first with padding, 8 zeros and 0xf7 when the length is a multiple of 8. */

#include "base/buf.h"

/* The encoded key: a new buffer. */
struct sl_buf *sl_tikv_key_encode(struct sl_slice raw);

/* The least raw key whose encoding is not below the border of a region: a new buffer. A border may
 * be the beginning of an encoding, or none at all. */
struct sl_buf *sl_tikv_key_of_border(struct sl_slice border);

/* Below, equal or above: less than 0, 0, greater than 0. Of encoded keys, and of raw
 * ones, which have the same order. */
int sl_tikv_key_compare(struct sl_slice a, struct sl_slice b);

#endif
