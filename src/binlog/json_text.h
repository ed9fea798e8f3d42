#ifndef SL_BINLOG_JSON_TEXT_H
#define SL_BINLOG_JSON_TEXT_H

/* Writing JSON text, twice: first without memory, to learn how much it takes, then into it. Private
 * to binlog. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Where the text goes. With out == NULL it is only counted. */
struct json_text {
    char  *out;
    size_t len;
    bool   escapes_html; /* in strings "<", ">" and "&" become "\u003c" and so on */
};

/* These bytes as they are. */
void json_text_put(struct json_text *t, const char *text, size_t len);
/* Numbers; the double is finite. */
void json_text_put_int(struct json_text *t, int64_t value);
void json_text_put_uint(struct json_text *t, uint64_t value);
void json_text_put_double(struct json_text *t, double value);
/* In quotes, escaped as TiDB does; what is not UTF-8 becomes U+FFFD. */
void json_text_put_string(struct json_text *t, struct sl_slice text);
/* Standard alphabet, padded, without quotes. */
void json_text_put_base64(struct json_text *t, struct sl_slice bytes);

#endif
