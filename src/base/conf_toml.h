#ifndef SL_BASE_CONF_TOML_H
#define SL_BASE_CONF_TOML_H

/* TOML documents as a walk over their values in the order of the text. The parser behind it is
 * toml++, which no other file sees.
 *
 * A leaf is a value with the path to it: names and array indexes from the root. Arrays and tables
 * are not leaves, except empty ones. Safe on any input: size and nesting are bounded, and errors
 * name line and column. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a leaf is, and so which member of struct sl_toml_leaf holds its value. */
enum sl_toml_type {
    SL_TOML_STRING,
    SL_TOML_INTEGER,
    SL_TOML_FLOAT, /* may be infinite or not a number */
    SL_TOML_BOOLEAN,
    SL_TOML_TIME,  /* a date, a time or both; its value is not handed over */
    SL_TOML_ARRAY, /* an empty one */
    SL_TOML_TABLE, /* an empty one */
};

/* A name in a table, or with name == NULL an index into an array. The same key of the document is
 * the same pointer in all leaves below it, and different keys are different pointers, throughout
 * the walk. */
struct sl_toml_step {
    const char *name;
    size_t      index;
};

/* Valid during the visit, with all it points to. */
struct sl_toml_leaf {
    const struct sl_toml_step *path;
    size_t                     depth; /* 1..SL_CONF_DEPTH_MAX steps */
    enum sl_toml_type          type;
    const char                *text; /* STRING: ends with a NUL, may also hold some */
    size_t                     text_bytes;
    int64_t                    integer;
    double                     number;
    bool                       boolean;
    unsigned                   line; /* of the value, from 1; of an empty [table]: its header */
    unsigned                   column;
};

/* Anything but SL_OK ends the walk with that error. */
typedef enum sl_err (*sl_toml_visit)(void *context, const struct sl_toml_leaf *leaf,
                                     struct sl_why *why);

/* Parse `bytes` bytes of text and visit every leaf. SL_CONFIG when it is not TOML, larger than
 * SL_CONF_FILE_BYTES_MAX or nested deeper than SL_CONF_DEPTH_MAX; the reason starts with
 * `path:line:column: `, and quotes no values. No leaf has been visited then. */
enum sl_err sl_toml_walk(const char *path, const char *text, size_t bytes, sl_toml_visit visit,
                         void *context, struct sl_why *why);

#ifdef __cplusplus
}
#endif

#endif
