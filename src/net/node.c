#include "net/node.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"

/* ---- ids ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

enum sl_err sl_node_id_check(const char *id, struct sl_why *why)
{
    size_t length = strlen(id);

    if (length == 0)
        return sl_fail(why, SL_INVALID, "the node id is empty");
    if (length >= SL_NODE_ID_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "a node id of %zu bytes, the limit is %d: %.64s...", length,
                       SL_NODE_ID_BYTES_MAX - 1, id);
    if (!sl_json_is_utf8(id))
        return sl_fail(why, SL_INVALID, "the node id is not UTF-8");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)id[i];

        if (c < ' ' || c == 0x7f || c == '/')
            return sl_fail(why, SL_INVALID,
                           "the node id holds a slash or a control character at byte %zu", i);
    }
    if (is_space(id[0]) || is_space(id[length - 1]))
        return sl_fail(why, SL_INVALID, "the node id '%s' begins or ends with white space", id);
    return SL_OK;
}

/* ---- encoding ---- */

static const char *bool_text(bool value)
{
    return value ? "true" : "false";
}

size_t sl_node_encode(const struct sl_node *node, char *out)
{
    struct sl_json_out json = {.bytes = out, .room = SL_NODE_JSON_BYTES_MAX};

    SL_ASSERT(node->state != SL_NODE_ABSENT);
    sl_json_put(&json, "{\"nodeId\":");
    sl_json_put_text(&json, node->id);
    sl_json_put(&json, ",\"host\":");
    sl_json_put_text(&json, node->host);
    sl_json_put(&json, ",\"state\":");
    sl_json_put_text(&json, sl_node_state_name(node->state));
    sl_json_put(&json, ",\"isAlive\":");
    sl_json_put(&json, bool_text(node->is_alive));
    sl_json_put(&json, ",\"score\":");
    sl_json_put_int(&json, node->score);
    sl_json_put(&json, ",\"label\":");
    sl_json_put(&json, node->label[0] != '\0' ? node->label : "null");
    sl_json_put(&json, ",\"maxCommitTS\":");
    sl_json_put_int(&json, node->max_commit_ts);
    sl_json_put(&json, ",\"updateTS\":");
    sl_json_put_int(&json, node->update_ts);
    sl_json_put(&json, "}");
    SL_ASSERT(!json.full); /* limits.h: whatever a record holds can be written */
    return json.used;
}

/* ---- decoding ---- */

/* The member of that name if it is there and not null, and then of this kind. */
static enum sl_err find_member(const struct sl_json *object, const char *name,
                               enum sl_json_kind kind, const struct sl_json **out,
                               struct sl_why *why)
{
    const struct sl_json *value = sl_json_member(object, name);

    *out = NULL;
    if (value == NULL || sl_json_kind(value) == SL_JSON_NULL)
        return SL_OK;
    if (sl_json_kind(value) != kind)
        return sl_fail(why, SL_INVALID, "%s is %s, not %s", name,
                       sl_json_kind_name(sl_json_kind(value)), sl_json_kind_name(kind));
    *out = value;
    return SL_OK;
}

static enum sl_err take_bool(const struct sl_json *object, const char *name, bool *out,
                             struct sl_why *why)
{
    const struct sl_json *value;
    enum sl_err           err = find_member(object, name, SL_JSON_BOOL, &value, why);

    if (err == SL_OK && value != NULL)
        *out = sl_json_bool(value);
    return err;
}

static enum sl_err take_int(const struct sl_json *object, const char *name, int64_t *out,
                            struct sl_why *why)
{
    const struct sl_json *value;
    enum sl_err           err = find_member(object, name, SL_JSON_INT, &value, why);

    if (err == SL_OK && value != NULL)
        *out = sl_json_int(value);
    return err;
}

/* Without the white space at either end: the original's readers trim. */
static enum sl_err take_text(const struct sl_json *object, const char *name, char *out, size_t room,
                             struct sl_why *why)
{
    const struct sl_json *value;
    const char           *text;
    size_t                length;
    enum sl_err           err = find_member(object, name, SL_JSON_TEXT, &value, why);

    if (err != SL_OK || value == NULL)
        return err;
    for (text = sl_json_text(value); is_space(text[0]);)
        text++;
    for (length = strlen(text); length > 0 && is_space(text[length - 1]);)
        length--;
    if (length >= room)
        return sl_fail(why, SL_TOO_LARGE, "%s has %zu bytes, the limit is %zu", name, length,
                       room - 1);
    memcpy(out, text, length);
    out[length] = '\0';
    return SL_OK;
}

static enum sl_err take_state(const struct sl_json *object, enum sl_node_state *out,
                              struct sl_why *why)
{
    char        name[SL_NAME_BYTES_MAX] = "";
    enum sl_err err = take_text(object, "state", name, sizeof name, why);

    if (err == SL_OK && !sl_node_state_parse(name, out))
        return sl_fail(why, SL_INVALID,
                       "state is '%s', not online, pausing, paused, closing or offline", name);
    return err;
}

/* ---- labels: their names sorted, as Go writes a map ---- */

struct label {
    const char *name; /* borrowed from the document, as is value */
    const char *value;
};

struct labels {
    struct label   items[SL_NODE_LABELS_MAX];
    size_t         count;
    struct sl_why *why;
};

static enum sl_err collect_label(void *context, const char *name, const struct sl_json *value)
{
    struct labels    *labels = context;
    enum sl_json_kind kind = sl_json_kind(value);

    if (kind != SL_JSON_TEXT && kind != SL_JSON_NULL)
        return sl_fail(labels->why, SL_INVALID, "label.labels: '%.64s' is %s, not a text", name,
                       sl_json_kind_name(kind));
    if (labels->count == SL_NODE_LABELS_MAX)
        return sl_fail(labels->why, SL_TOO_LARGE, "label.labels has more than %d names",
                       SL_NODE_LABELS_MAX);
    labels->items[labels->count++] =
        (struct label){name, kind == SL_JSON_TEXT ? sl_json_text(value) : ""};
    return SL_OK;
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static void put_labels(struct sl_json_out *json, const struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        sl_json_put(json, i == 0 ? "{" : ",");
        sl_json_put_text(json, labels->items[i].name);
        sl_json_put(json, ":");
        sl_json_put_text(json, labels->items[i].value);
    }
    sl_json_put(json, labels->count == 0 ? "{}" : "}");
}

static enum sl_err take_label(const struct sl_json *object, char *out, struct sl_why *why)
{
    struct sl_json_out    json = {.bytes = out, .room = SL_NODE_LABEL_BYTES_MAX - 1};
    struct labels         labels = {.why = why};
    const struct sl_json *label;
    const struct sl_json *inner;
    enum sl_err           err;

    if ((err = find_member(object, "label", SL_JSON_OBJECT, &label, why)) != SL_OK || label == NULL)
        return err;
    if ((err = find_member(label, "labels", SL_JSON_OBJECT, &inner, why)) != SL_OK)
        return sl_wrap(why, err, "label");
    if (inner != NULL && (err = sl_json_each(inner, collect_label, &labels)) != SL_OK)
        return err;
    qsort(labels.items, labels.count, sizeof labels.items[0], compare_labels);
    sl_json_put(&json, "{\"labels\":");
    if (inner == NULL)
        sl_json_put(&json, "null");
    else
        put_labels(&json, &labels);
    sl_json_put(&json, "}");
    if (json.full)
        return sl_fail(why, SL_TOO_LARGE, "label has more than %d bytes",
                       SL_NODE_LABEL_BYTES_MAX - 1);
    out[json.used] = '\0';
    return SL_OK;
}

static enum sl_err take_record(const struct sl_json *object, struct sl_node *node,
                               struct sl_why *why)
{
    enum sl_err err;

    if ((err = take_text(object, "nodeId", node->id, sizeof node->id, why)) != SL_OK ||
        (err = sl_node_id_check(node->id, why)) != SL_OK ||
        (err = take_text(object, "host", node->host, sizeof node->host, why)) != SL_OK ||
        (err = take_state(object, &node->state, why)) != SL_OK ||
        (err = take_bool(object, "isAlive", &node->is_alive, why)) != SL_OK ||
        (err = take_int(object, "score", &node->score, why)) != SL_OK ||
        (err = take_label(object, node->label, why)) != SL_OK ||
        (err = take_int(object, "maxCommitTS", &node->max_commit_ts, why)) != SL_OK)
        return err;
    return take_int(object, "updateTS", &node->update_ts, why);
}

enum sl_err sl_node_decode(struct sl_slice json, struct sl_node *out, struct sl_why *why)
{
    struct sl_node  node = {.state = SL_NODE_ABSENT};
    struct sl_json *document;
    enum sl_err     err;

    if (json.len > SL_NODE_JSON_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "a record of %zu bytes, the limit is %d", json.len,
                       SL_NODE_JSON_BYTES_MAX);
    if ((err = sl_json_parse(json, &document, why)) != SL_OK)
        return err;
    if (sl_json_kind(document) != SL_JSON_OBJECT)
        err = sl_fail(why, SL_INVALID, "a record is an object, this is %s",
                      sl_json_kind_name(sl_json_kind(document)));
    else
        err = take_record(document, &node, why);
    sl_json_free(&document);
    if (err == SL_OK)
        *out = node;
    return err;
}

/* ---- update_ts ---- */

sl_ts sl_node_update_ts(sl_ts registered, sl_nanos since)
{
    if (registered == 0)
        return 0;
    return registered + sl_ts_of_ms((int64_t)(since / SL_NANOS_PER_S) * 1000);
}
