#include "actors/common/knobs.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/common/body.h"
#include "base/assert.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/log.h"

enum { STATUS_WRONG = 400, STATUS_REFUSED = 403 };
/* The codes in a body are the original's, not those of HTTP. */
enum { STATUS_OK = 200, CODE_OK = 200, CODE_WRONG = 1, CODE_OTHER = 3 };

static const char levels[] = "debug, info, warn, error or fatal";

struct sl_knob sl_knob_of_log_level(void)
{
    return (struct sl_knob){
        .name = "log-level", .is_level = true, .value = (int64_t)sl_log_level()};
}

/* ---- GET ---- */

static void level_text(int64_t level, char out[SL_NAME_BYTES_MAX])
{
    const char *name = sl_log_level_name((enum sl_log_level)level);
    size_t      bytes = 0;

    for (; name[bytes] != '\0'; bytes++)
        out[bytes] = (char)tolower((unsigned char)name[bytes]);
    out[bytes] = '\0';
}

static void put_knob(struct sl_json_out *out, const struct sl_knob *knob)
{
    char text[SL_NAME_BYTES_MAX];

    sl_json_put_text(out, knob->name);
    sl_json_put(out, ":{\"value\":");
    if (knob->is_level) {
        level_text(knob->value, text);
        sl_json_put_text(out, text);
        sl_json_put(out, ",\"allowed\":");
        sl_json_put_text(out, levels);
    } else {
        sl_json_put_int(out, knob->value);
        sl_json_put(out, ",\"min\":");
        sl_json_put_int(out, knob->min);
        sl_json_put(out, ",\"max\":");
        sl_json_put_int(out, knob->max);
    }
    if (knob->fixed != NULL) {
        sl_json_put(out, ",\"fixed\":");
        sl_json_put_text(out, knob->fixed);
    }
    sl_json_put(out, "}");
}

struct sl_buf *sl_knobs_body(const struct sl_knob *knobs, size_t count)
{
    struct sl_json_out out = sl_body_begin((count + 1) * 2 * (size_t)SL_BODY_FRAME_BYTES);

    sl_json_put(&out, "{");
    for (size_t i = 0; i < count; i++) {
        sl_json_put(&out, i > 0 ? "," : "");
        put_knob(&out, &knobs[i]);
    }
    sl_json_put(&out, "}\n");
    return sl_body_end(&out);
}

/* ---- PUT ---- */

/* A PUT being read. */
struct taking {
    struct sl_knob *knobs;
    size_t          count;
    struct sl_why  *why;
};

static enum sl_err refuse_unknown(const struct taking *t, const char *name)
{
    const char *names[SL_KNOBS_MAX];
    char        list[SL_BODY_FRAME_BYTES] = "";
    const char *near;

    SL_ASSERT(t->count <= SL_KNOBS_MAX);
    for (size_t i = 0; i < t->count; i++) {
        size_t used = strlen(list);

        names[i] = t->knobs[i].name;
        (void)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    near = sl_conf_nearest(name, names, t->count);
    return sl_fail(t->why, SL_INVALID, "%.60s: there is no such knob here; there is %s%s%s%s", name,
                   list, near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                   near != NULL ? "?" : "");
}

static enum sl_err take_level(struct sl_knob *knob, const struct sl_json *value, struct sl_why *why)
{
    enum sl_log_level level;

    if (sl_json_kind(value) != SL_JSON_TEXT)
        return sl_fail(why, SL_INVALID, "%s: it is %s; allowed is %s", knob->name,
                       sl_json_kind_name(sl_json_kind(value)), levels);
    if (sl_json_text(value)[0] == '\0' ||
        sl_log_level_parse(sl_json_text(value), &level, NULL) != SL_OK)
        return sl_fail(why, SL_INVALID, "%s: \"%.60s\" is no level; allowed is %s", knob->name,
                       sl_json_text(value), levels);
    knob->value = (int64_t)level;
    return SL_OK;
}

static enum sl_err take_number(struct sl_knob *knob, const struct sl_json *value,
                               struct sl_why *why)
{
    char text[SL_WHY_BYTES_MAX / 2];

    if (sl_json_kind(value) == SL_JSON_INT && sl_json_int(value) >= knob->min &&
        sl_json_int(value) <= knob->max) {
        knob->value = sl_json_int(value);
        return SL_OK;
    }
    if (sl_json_kind(value) == SL_JSON_INT)
        (void)snprintf(text, sizeof text, "%" PRId64 " is out of range", sl_json_int(value));
    else if (sl_json_kind(value) == SL_JSON_TEXT)
        (void)snprintf(text, sizeof text, "\"%.60s\" is no number", sl_json_text(value));
    else
        (void)snprintf(text, sizeof text, "it is %s", sl_json_kind_name(sl_json_kind(value)));
    return sl_fail(why, SL_INVALID, "%s: %s; allowed is %" PRId64 " to %" PRId64, knob->name, text,
                   knob->min, knob->max);
}

static enum sl_err take_member(void *context, const char *name, const struct sl_json *value)
{
    struct taking  *t = context;
    struct sl_knob *knob = NULL;

    for (size_t i = 0; i < t->count && knob == NULL; i++) {
        if (strcmp(t->knobs[i].name, name) == 0)
            knob = &t->knobs[i];
    }
    if (knob == NULL)
        return refuse_unknown(t, name);
    if (knob->fixed != NULL)
        return sl_fail(t->why, SL_INVALID, "%s: it cannot be changed: %s", name, knob->fixed);
    knob->is_set = true;
    return knob->is_level ? take_level(knob, value, t->why) : take_number(knob, value, t->why);
}

enum sl_err sl_knobs_take(struct sl_knob *knobs, size_t count, struct sl_slice body,
                          struct sl_why *why)
{
    struct taking   t = {.knobs = knobs, .count = count, .why = why};
    struct sl_json *document;
    enum sl_err     err;

    if (sl_json_parse(body, &document, why) != SL_OK)
        return sl_wrap(why, SL_INVALID, "the body");
    if (sl_json_kind(document) == SL_JSON_OBJECT)
        err = sl_json_each(document, take_member, &t);
    else
        err = sl_fail(why, SL_INVALID, "the body: want an object, as {\"log-level\":\"info\"}");
    sl_json_free(&document);
    return err;
}

/* ---- a request ---- */

void sl_knobs_answer(struct sl_exchange *x, unsigned status, const char *message)
{
    int code = status == STATUS_OK ? CODE_OK : status == STATUS_WRONG ? CODE_WRONG : CODE_OTHER;

    x->status = status;
    x->content_type = sl_body_json;
    x->body = sl_body_reply(message, code, "null");
}

bool sl_knobs_accept(struct sl_exchange *x, struct sl_knob *knobs, size_t count)
{
    const struct sl_buf *body = x->question->body;
    struct sl_why        why = {0};

    if (!x->question->trusted) {
        sl_knobs_answer(x, STATUS_REFUSED,
                        "knobs are set from the machine of the node only: run it there");
        return false;
    }
    if (sl_knobs_take(knobs, count, body != NULL ? sl_slice_from_buf(body) : (struct sl_slice){0},
                      &why) == SL_OK)
        return true;
    sl_knobs_answer(x, STATUS_WRONG, why.text);
    return false;
}

void sl_knobs_tell(const struct sl_knob *knobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[SL_NAME_BYTES_MAX];

        if (!knobs[i].is_set)
            continue;
        if (knobs[i].is_level) {
            sl_log_set_level((enum sl_log_level)knobs[i].value);
            level_text(knobs[i].value, text);
        } else {
            (void)snprintf(text, sizeof text, "%" PRId64, knobs[i].value);
        }
        sl_log(SL_LOG_INFO, "knob is set", sl_field_str("knob", knobs[i].name),
               sl_field_str("value", text));
    }
}
