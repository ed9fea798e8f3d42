#include "actors/pump/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/common/body.h"
#include "base/assert.h"
#include "base/json.h"
#include "binlog/record.h"
#include "binlog/record_text.h"

enum {
    NODE_ROOM =
        SL_NODE_JSON_BYTES_MAX + SL_BODY_GROWTH * SL_NODE_ID_BYTES_MAX + SL_BODY_FRAME_BYTES,
    LINE_BYTES_MAX = 1024, /* a body of one line */
};
static_assert(SL_HTTP_URL_BYTES_MAX > LINE_BYTES_MAX, "a part of a path may be cut");

/* ---- putting together ---- */

static void put_node(struct sl_json_out *out, const struct sl_node *node)
{
    SL_ASSERT(out->room - out->used >= SL_NODE_JSON_BYTES_MAX);
    out->used += sl_node_encode(node, out->bytes + out->used);
}

__attribute__((format(printf, 1, 2))) static struct sl_buf *line(const char *format, ...)
{
    char    text[LINE_BYTES_MAX];
    va_list args;
    int     bytes;

    va_start(args, format);
    bytes = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    SL_ASSERT(bytes >= 0);
    return sl_body_of(text, strlen(text));
}

/* ---- nodes ---- */

struct sl_buf *sl_status_body(const struct sl_node_list *pumps, sl_ts now, const char *trouble)
{
    struct sl_json_out out = sl_body_begin(pumps->count * NODE_ROOM +
                                           SL_BODY_GROWTH * strlen(trouble) + SL_BODY_FRAME_BYTES);

    SL_ASSERT(pumps->count <= SL_NODES_MAX);
    sl_json_put(&out, "{\"status\":{");
    for (size_t i = 0; i < pumps->count; i++) {
        sl_json_put(&out, i > 0 ? "," : "");
        sl_json_put_text(&out, pumps->nodes[i].id);
        sl_json_put(&out, ":");
        put_node(&out, &pumps->nodes[i]);
    }
    sl_json_put(&out, "},\"CommitTS\":");
    sl_json_put_int(&out, now);
    sl_json_put(&out, ",\"Checkpoint\":{},\"ErrMsg\":");
    sl_json_put_text(&out, trouble);
    sl_json_put(&out, "}\n");
    return sl_body_end(&out);
}

struct sl_buf *sl_status_failure_body(const char *why)
{
    struct sl_json_out out = sl_body_begin(SL_BODY_GROWTH * strlen(why) + SL_BODY_FRAME_BYTES);

    sl_json_put(&out, "{\"status\":null,\"CommitTS\":0,\"Checkpoint\":{},\"ErrMsg\":");
    sl_json_put_text(&out, why);
    sl_json_put(&out, "}\n");
    return sl_body_end(&out);
}

struct sl_buf *sl_status_drainers_body(const struct sl_node_list *drainers)
{
    struct sl_json_out out;

    if (drainers == NULL || drainers->count == 0)
        return line("null\n");
    SL_ASSERT(drainers->count <= SL_NODES_MAX);
    out = sl_body_begin(drainers->count * NODE_ROOM + SL_BODY_FRAME_BYTES);
    for (size_t i = 0; i < drainers->count; i++) {
        sl_json_put(&out, i > 0 ? "," : "[");
        put_node(&out, &drainers->nodes[i]);
    }
    sl_json_put(&out, "]\n");
    return sl_body_end(&out);
}

/* ---- records ---- */

/* The most that the text of so many bytes can take, within the limit: each byte of a string four,
 * once as prewrite_value and once within it; each number, of at least two bytes, a long name. */
static size_t text_room(size_t bytes)
{
    size_t most = SL_STATUS_RECORD_BYTES_MAX;

    return bytes > (most - LINE_BYTES_MAX) / 32 ? most : bytes * 32 + LINE_BYTES_MAX;
}

struct sl_buf *sl_status_record_body(struct sl_slice record)
{
    struct sl_text   text = {.room = text_room(record.len)};
    struct sl_record parts;
    struct sl_buf   *buf;

    text.bytes = malloc(text.room);
    SL_ASSERT(text.bytes != NULL);
    if (sl_record_text_put(&text, record, NULL) != SL_OK ||
        sl_record_decode(record, &parts, NULL) != SL_OK) {
        sl_text_put(&text, " <Unmarshallable>");
    } else if (parts.prewrite_value.len > 0) {
        sl_text_put(&text, "\n\n PrewriteValue: \n");
        if (sl_prewrite_value_text_put(&text, parts.prewrite_value, NULL) != SL_OK)
            sl_text_put(&text, " <Unmarshallable>");
    }
    buf = sl_body_of(text.bytes, text.used);
    free(text.bytes);
    return buf;
}

struct sl_buf *sl_status_bad_ts_body(const char *text)
{
    return line("invalid parameter ts: %s", text);
}

struct sl_buf *sl_status_no_record_body(sl_ts ts, const char *why)
{
    return line("fail read binlog by ts: %" PRId64 ": %s", ts, why);
}

bool sl_status_parse_ts(const char *text, sl_ts *out)
{
    const char *digits = text + (text[0] == '+' || text[0] == '-');
    long long   value;

    if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    value = strtoll(text, NULL, 10);
    if (errno != 0)
        return false;
    *out = value;
    return true;
}

/* ---- gc ---- */

struct sl_buf *sl_status_gc_body(bool idle)
{
    return line(idle ? "trigger gc success\n" : "gc is working\n");
}
