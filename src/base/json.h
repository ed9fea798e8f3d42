#ifndef SL_BASE_JSON_H
#define SL_BASE_JSON_H

/* JSON as our peers and files speak it: reading by a library, bounded before it begins; writing by
 * hand, because the bytes must be those of the original's encoder (Go's encoding/json, which also
 * escapes <, > and &). Pure; any thread, one at a time per document. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* ---- reading ---- */

/* What a value is. */
enum sl_json_kind {
    SL_JSON_NULL,
    SL_JSON_BOOL,
    SL_JSON_INT,  /* fits 64 bits with a sign, written without point and exponent */
    SL_JSON_REAL, /* any other number */
    SL_JSON_TEXT,
    SL_JSON_ARRAY,
    SL_JSON_OBJECT,
};

/* One value. Those inside a document live as long as it. */
struct sl_json;

/* Parse one document, which is an object or an array. At most SL_JSON_BYTES_MAX and
 * SL_JSON_DEPTH_MAX (SL_TOO_LARGE); what is no JSON, no UTF-8, or has an integer of more than 64
 * bits or a NUL in a text is SL_INVALID, with line and column. *out is owned by the caller. */
enum sl_err sl_json_parse(struct sl_slice text, struct sl_json **out, struct sl_why *why);
/* The same for data of a size of its own: at most bytes_max. A NUL in a text is let through,
 * because defaults of binary columns have some; sl_json_slice shows such a text whole. */
enum sl_err sl_json_parse_data(struct sl_slice text, size_t bytes_max, struct sl_json **out,
                               struct sl_why *why);
/* Free a document and null the pointer. *document may be NULL. */
void sl_json_free(struct sl_json **document);

/* The kind of a value. */
enum sl_json_kind sl_json_kind(const struct sl_json *value);
/* "null", "true or false", "an integer", ...: for reasons. Static string. */
const char *sl_json_kind_name(enum sl_json_kind kind);

/* The member of that name, its case ignored as Go does; of several the last. NULL: none. The value
 * is of kind OBJECT. */
const struct sl_json *sl_json_member(const struct sl_json *object, const char *name);
/* The member of exactly that name, found without a search; for documents of many members. */
const struct sl_json *sl_json_field(const struct sl_json *object, const char *name);

/* How many values an array has, and the one at that place, which is below the count. */
size_t                sl_json_count(const struct sl_json *array);
const struct sl_json *sl_json_at(const struct sl_json *array, size_t index);

/* Called once per member, in the order of the document. Anything but SL_OK ends the round with that
 * error. */
typedef enum sl_err (*sl_json_visit)(void *context, const char *name, const struct sl_json *value);
enum sl_err sl_json_each(const struct sl_json *object, sl_json_visit visit, void *context);

/* The value, an object or an array, as a document of its own, which lives on without the one it is
 * in: freed by sl_json_free. Both belong to one thread until one of them is freed. */
struct sl_json *sl_json_keep(const struct sl_json *value);

/* The value of the kind that the name says; another is our mistake. */
bool    sl_json_bool(const struct sl_json *value);
int64_t sl_json_int(const struct sl_json *value);
/* UTF-8 without NUL but the terminator; lives as long as the document. */
const char *sl_json_text(const struct sl_json *value);
/* The same with its length, for texts that may hold a NUL. */
struct sl_slice sl_json_slice(const struct sl_json *value);
double          sl_json_real(const struct sl_json *value);

/* ---- writing ---- */

/* Text being put together in memory of the caller, without a terminator. What does not fit is left
 * out and remembered: look at `full` once, at the end. */
struct sl_json_out {
    char  *bytes;
    size_t room;
    size_t used;
    bool   full;
};

/* As it stands: punctuation, names, and what is JSON already. */
void sl_json_put(struct sl_json_out *out, const char *json);
void sl_json_put_int(struct sl_json_out *out, int64_t value);
/* In quotes, escaped as Go does; bytes that are no UTF-8 become U+FFFD. */
void sl_json_put_text(struct sl_json_out *out, const char *text);

/* Is all of it UTF-8? */
bool sl_json_is_utf8(const char *text);

#endif
