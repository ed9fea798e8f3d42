#ifndef SL_BINLOG_DECIMAL_H
#define SL_BINLOG_DECIMAL_H

/* Decimals as MySQL packs them (codec spec 1.6): nine digits to four bytes, most significant first,
 * all bytes inverted when negative, the first bit inverted always, so that they sort as bytes.
 * Private to binlog.
 *
 *     u8 digits | u8 of them behind the point | integer part | fraction
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* Of any decimal as text: a sign, a zero before the point, the point; no terminator. */
enum { DECIMAL_TEXT_BYTES_MAX = SL_DECIMAL_DIGITS_MAX + 3 };

/* How many bytes the decimal at the start of bytes takes, by what its first two say; they may be
 * more than there are. SL_INVALID: cut short before that, or more digits than a decimal has. */
enum sl_err decimal_size(struct sl_slice bytes, size_t *out, struct sl_why *why);

/* The text of a decimal of exactly the size that decimal_size gives, into
 * out[DECIMAL_TEXT_BYTES_MAX]: no exponent, all digits behind the point. Sets *len. SL_INVALID: a
 * group of digits is more than its digits can say. */
enum sl_err decimal_text(struct sl_slice decimal, char *out, size_t *len, struct sl_why *why);

#endif
