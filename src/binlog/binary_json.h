#ifndef SL_BINLOG_BINARY_JSON_H
#define SL_BINLOG_BINARY_JSON_H

/* TiDB's binary JSON and its text (codec spec 1.9). Private to binlog.
 *
 * All numbers are little endian; a value is `u8 type | body`. The body of an object or array:
 *
 *     u32 count | u32 bytes of the body |
 *     object: count * (u32 offset of the key, u16 its length) |
 *     count * (u8 type, u32 offset of the body; a literal stands here itself) | keys | values
 *
 * Offsets count from the start of that body. A writer puts keys and values one behind the other in
 * the order of their entries. That is demanded here: else a few bytes, shown by many entries, would
 * be a text without end. */

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* How many bytes the value at the start of bytes takes, by its own word; they may be more than
 * there are. SL_INVALID: cut short before that, or a type that TiDB does not write. */
enum sl_err binary_json_size(struct sl_slice bytes, uint64_t *out, struct sl_why *why);

/* The text of a value, as TiDB shows it, in memory of the arena. TiDB of before 2020 also escapes
 * <, > and &: the value is the same, but MariaDB keeps the text. SL_INVALID: it is damaged, nested
 * deeper than SL_BINARY_JSON_DEPTH_MAX, or its text is over SL_BUF_BYTES_MAX. */
enum sl_err binary_json_text(struct sl_slice json, bool escapes_html, struct sl_arena *arena,
                             struct sl_slice *out, struct sl_why *why);

#endif
