#ifndef SL_ACTORS_COMMON_BODY_H
#define SL_ACTORS_COMMON_BODY_H

/* Bodies of answers over HTTP, as pump and drainer give them: text, JSON, metrics. Each returns a
 * buffer that the caller owns. Pure but for the metrics; any thread. */

#include "base/buf.h"
#include "base/json.h"

struct sl_metric_registry;

/* Content types: of /state and its like; of everything else, JSON included, since the original lets
 * Go guess; of /metrics. */
extern const char sl_body_json[];
extern const char sl_body_text[];
extern const char sl_body_metrics_text[];

/* Numbers for the room of JSON: any byte of a text may become six, "\u001f"; what stands around one
 * member takes less than the frame. */
enum { SL_BODY_GROWTH = 6, SL_BODY_FRAME_BYTES = 256 };

/* So many bytes; a text. */
struct sl_buf *sl_body_of(const char *bytes, size_t count);
struct sl_buf *sl_body_line(const char *text);

/* JSON with room for whatever will be put; end gives the room back. */
struct sl_json_out sl_body_begin(size_t room);
struct sl_buf     *sl_body_end(struct sl_json_out *out);

/* The answer of the original's /state and /commit_ts: an object of message, code and data, with an
 * indentation of two blanks. `data` is JSON. */
struct sl_buf *sl_body_reply(const char *message, int code, const char *data);

/* All families of the registry as text. */
struct sl_buf *sl_body_metrics(struct sl_metric_registry *registry);

#endif
