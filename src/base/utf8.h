#ifndef SL_BASE_UTF8_H
#define SL_BASE_UTF8_H

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. For bytes
 * from outside that go into formats which are text. All functions are pure. */

#include <stdbool.h>
#include <stddef.h>

/* The length, 1..4, of the character that begins at bytes; 0 when the first byte begins none within
 * len bytes. A decoder then skips that one byte and goes on. */
size_t sl_utf8_length(const char *bytes, size_t len);

/* True when all len bytes are whole characters. */
bool sl_utf8_valid(const char *bytes, size_t len);

#endif
