#ifndef SL_BINLOG_JOB_JSON_H
#define SL_BINLOG_JOB_JSON_H

/* Members of the JSON that TiDB's encoder writes (codec spec 3): one that is absent or null has the
 * zero value, one of another kind is refused by its name. Objects may be NULL, as if all members
 * were absent. Names are exact. */

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* All fail with SL_INVALID and set *out to zero otherwise. Slices borrow from the document and have
 * a terminator behind them. */
enum sl_err job_take_int(const struct sl_json *object, const char *name, int64_t *out,
                         struct sl_why *why);
enum sl_err job_take_bool(const struct sl_json *object, const char *name, bool *out,
                          struct sl_why *why);
enum sl_err job_take_text(const struct sl_json *object, const char *name, struct sl_slice *out,
                          struct sl_why *why);
/* {"O": as written, "L": in lower case}, or the text alone; *out is as written. */
enum sl_err job_take_name(const struct sl_json *object, const char *name, struct sl_slice *out,
                          struct sl_why *why);
/* NULL when absent. */
enum sl_err job_take_object(const struct sl_json *object, const char *name,
                            const struct sl_json **out, struct sl_why *why);
enum sl_err job_take_array(const struct sl_json *object, const char *name,
                           const struct sl_json **out, struct sl_why *why);

/* The same for a value by itself, called `name` in reasons. */
enum sl_err job_name_of(const struct sl_json *value, const char *name, struct sl_slice *out,
                        struct sl_why *why);

/* How many values an array has that may be NULL. */
size_t job_count(const struct sl_json *array);

#endif
