#ifndef SL_BINLOG_VALUE_TEXT_H
#define SL_BINLOG_VALUE_TEXT_H

/* Values as text: literals of SQL for MySQL, MariaDB and TiDB (codec spec 4.3), and JSON for people
 * and programs. Nothing here ends its text with a NUL. */

#include <stddef.h>

#include "binlog/change.h"

/* How much room sl_value_sql may need; at most 2 * text.len + 9 where the value is text, which the
 * caller bounds. */
size_t sl_value_sql_bytes_max(const struct sl_value *value);
/* Write the literal of a value that is not ABSENT, of that column, to out and return its length. A
 * FLOAT is written as the double it widens to: stored, that is the same float32, and compared with
 * the column it is equal, which the fewer digits of the float32 itself are not. Strings are quoted,
 * with backslash escapes: the session's sql_mode must not have NO_BACKSLASH_ESCAPES. Text of binary
 * columns is marked `_binary`, so that no server takes offence at bytes that are no characters. */
size_t sl_value_sql(const struct sl_value *value, const struct sl_column *column, char *out);

/* How much room sl_value_json may need: at most 6 * text.len + 2 where the value is text. */
size_t sl_value_json_bytes_max(const struct sl_value *value);
/* Write the value as JSON and return its length: null (also for ABSENT), a number, or a string; of
 * text that is no UTF-8 or belongs to a binary column, its base64 form. JSON columns are written as
 * the JSON they hold. */
size_t sl_value_json(const struct sl_value *value, const struct sl_column *column, char *out);

#endif
