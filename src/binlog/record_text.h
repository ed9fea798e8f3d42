#ifndef SL_BINLOG_RECORD_TEXT_H
#define SL_BINLOG_RECORD_TEXT_H

/* Records as text for people: protobuf's text form in one line, as the original writes it (pump
 * spec 5, gogo/protobuf's CompactTextString): fields by number, each followed by a blank; numbers
 * that are 0 left out; bytes in quotes with octal escapes; fields that we do not know left out. All
 * of it is pure and bounded. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Text being put together in memory of the caller, without a terminator. What does not fit is left
 * out, in the middle of a field if need be, and remembered. */
struct sl_text {
    char  *bytes;
    size_t room;
    size_t used;
    bool   full;
};

/* Append a string, or as much of it as fits. */
void sl_text_put(struct sl_text *text, const char *string);

/* Append a record, given as the bytes of a Binlog message: `tp:Commit start_ts:7 `. SL_INVALID: it
 * is none, and nothing was appended. */
enum sl_err sl_record_text_put(struct sl_text *text, struct sl_slice binlog, struct sl_why *why);

/* The same for the bytes of a PrewriteValue, with the mutations of each table:
 * `schema_version:1 mutations:<table_id:2 inserted_rows:"\001" sequence:Insert > `. */
enum sl_err sl_prewrite_value_text_put(struct sl_text *text, struct sl_slice value,
                                       struct sl_why *why);

#endif
