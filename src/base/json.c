#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/assert.h"

/* ---- reading ---- */

/* A document and its values are jansson's own; this header's name for them keeps it in this file.
 */
static const json_t *inside(const struct sl_json *value)
{
    SL_ASSERT(value != NULL);
    return (const json_t *)value;
}

/* Brackets are counted before the parser, which calls itself for each, sees them. Inside a text
 * they do not count. */
static enum sl_err check_depth(struct sl_slice text, struct sl_why *why)
{
    bool     quoted = false;
    unsigned depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.bytes[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > SL_JSON_DEPTH_MAX)
            return sl_fail(why, SL_TOO_LARGE, "byte %zu: more than %d objects within each other", i,
                           SL_JSON_DEPTH_MAX);
    }
    return SL_OK;
}

/* A reason is one line whatever the document holds. */
static void make_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            *text = '?';
    }
}

static enum sl_err parse(struct sl_slice text, size_t bytes_max, size_t flags, struct sl_json **out,
                         struct sl_why *why)
{
    json_error_t error = {0};
    json_t      *root;
    enum sl_err  err;

    SL_ASSERT(out != NULL);
    if (text.len > bytes_max)
        return sl_fail(why, SL_TOO_LARGE, "a document of %zu bytes, the limit is %zu", text.len,
                       bytes_max);
    if (text.len == 0)
        return sl_fail(why, SL_INVALID, "no document: 0 bytes");
    if ((err = check_depth(text, why)) != SL_OK)
        return err;
    root = json_loadb((const char *)text.bytes, text.len, flags, &error);
    if (root == NULL) {
        SL_ASSERT(json_error_code(&error) != json_error_out_of_memory);
        make_one_line(error.text);
        return sl_fail(why, SL_INVALID, "line %d column %d: %s", error.line, error.column,
                       error.text);
    }
    *out = (struct sl_json *)root;
    return SL_OK;
}

enum sl_err sl_json_parse(struct sl_slice text, struct sl_json **out, struct sl_why *why)
{
    return parse(text, SL_JSON_BYTES_MAX, 0, out, why);
}

enum sl_err sl_json_parse_data(struct sl_slice text, size_t bytes_max, struct sl_json **out,
                               struct sl_why *why)
{
    return parse(text, bytes_max, JSON_ALLOW_NUL, out, why);
}

void sl_json_free(struct sl_json **document)
{
    SL_ASSERT(document != NULL);
    json_decref((json_t *)*document);
    *document = NULL;
}

enum sl_json_kind sl_json_kind(const struct sl_json *value)
{
    switch (json_typeof(inside(value))) {
    case JSON_OBJECT: return SL_JSON_OBJECT;
    case JSON_ARRAY: return SL_JSON_ARRAY;
    case JSON_STRING: return SL_JSON_TEXT;
    case JSON_INTEGER: return SL_JSON_INT;
    case JSON_REAL: return SL_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE: return SL_JSON_BOOL;
    case JSON_NULL: return SL_JSON_NULL;
    }
    SL_UNREACHABLE("a kind of JSON that there is not");
}

const char *sl_json_kind_name(enum sl_json_kind kind)
{
    switch (kind) {
    case SL_JSON_NULL: return "null";
    case SL_JSON_BOOL: return "true or false";
    case SL_JSON_INT: return "an integer";
    case SL_JSON_REAL: return "a number with a fraction or an exponent";
    case SL_JSON_TEXT: return "a text";
    case SL_JSON_ARRAY: return "an array";
    case SL_JSON_OBJECT: return "an object";
    }
    SL_UNREACHABLE("a kind of JSON that there is not");
}

enum sl_err sl_json_each(const struct sl_json *object, sl_json_visit visit, void *context)
{
    json_t *all = (json_t *)inside(object); /* its iterators are not const; nothing is changed */
    enum sl_err err = SL_OK;

    SL_ASSERT(json_is_object(all));
    for (void *at = json_object_iter(all); at != NULL && err == SL_OK;
         at = json_object_iter_next(all, at)) {
        const struct sl_json *value = (const struct sl_json *)json_object_iter_value(at);

        err = visit(context, json_object_iter_key(at), value);
    }
    return err;
}

struct wanted {
    const char           *name;
    const struct sl_json *found;
};

static enum sl_err keep_if_wanted(void *context, const char *name, const struct sl_json *value)
{
    struct wanted *wanted = context;

    if (strcasecmp(name, wanted->name) == 0)
        wanted->found = value;
    return SL_OK;
}

const struct sl_json *sl_json_member(const struct sl_json *object, const char *name)
{
    struct wanted wanted = {.name = name};

    (void)sl_json_each(object, keep_if_wanted, &wanted); /* the visitor never fails */
    return wanted.found;
}

const struct sl_json *sl_json_field(const struct sl_json *object, const char *name)
{
    SL_ASSERT(json_is_object(inside(object)));
    return (const struct sl_json *)json_object_get(inside(object), name);
}

size_t sl_json_count(const struct sl_json *array)
{
    SL_ASSERT(sl_json_kind(array) == SL_JSON_ARRAY);
    return json_array_size(inside(array));
}

const struct sl_json *sl_json_at(const struct sl_json *array, size_t index)
{
    SL_ASSERT(index < sl_json_count(array));
    return (const struct sl_json *)json_array_get(inside(array), index);
}

struct sl_json *sl_json_keep(const struct sl_json *value)
{
    /* Counting is no change that anybody sees. */
    return (struct sl_json *)json_incref((json_t *)(uintptr_t)inside(value));
}

bool sl_json_bool(const struct sl_json *value)
{
    SL_ASSERT(sl_json_kind(value) == SL_JSON_BOOL);
    return json_is_true(inside(value));
}

int64_t sl_json_int(const struct sl_json *value)
{
    SL_ASSERT(sl_json_kind(value) == SL_JSON_INT);
    return json_integer_value(inside(value));
}

const char *sl_json_text(const struct sl_json *value)
{
    SL_ASSERT(sl_json_kind(value) == SL_JSON_TEXT);
    return json_string_value(inside(value));
}

struct sl_slice sl_json_slice(const struct sl_json *value)
{
    SL_ASSERT(sl_json_kind(value) == SL_JSON_TEXT);
    return (struct sl_slice){(const uint8_t *)json_string_value(inside(value)),
                             json_string_length(inside(value))};
}

double sl_json_real(const struct sl_json *value)
{
    SL_ASSERT(sl_json_kind(value) == SL_JSON_REAL);
    return json_real_value(inside(value));
}

/* ---- UTF-8 ---- */

/* The bytes of the character at text, which is not the terminator; 0: no UTF-8. A continuation byte
 * is looked at only when the one before was not the terminator. */
static unsigned character_bytes(const unsigned char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned              bytes;

    if (text[0] < 0x80) {
        *code = text[0];
        return 1;
    }
    bytes = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    *code = text[0] & (0x7fu >> bytes);
    for (unsigned i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (text[i] & 0x3f);
    }
    if (*code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
        return 0;
    return bytes;
}

bool sl_json_is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t             code;
    unsigned             bytes;

    for (; *at != '\0'; at += bytes) {
        if ((bytes = character_bytes(at, &code)) == 0)
            return false;
    }
    return true;
}

/* ---- writing ---- */

static void put_bytes(struct sl_json_out *out, const void *bytes, size_t count)
{
    if (out->full || count > out->room - out->used) {
        out->full = true;
        return;
    }
    memcpy(out->bytes + out->used, bytes, count);
    out->used += count;
}

void sl_json_put(struct sl_json_out *out, const char *json)
{
    put_bytes(out, json, strlen(json));
}

void sl_json_put_int(struct sl_json_out *out, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    sl_json_put(out, text);
}

/* The short form of an escaped character; NULL: it has none. */
static const char *short_escape(uint32_t code)
{
    switch (code) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return NULL;
    }
}

/* Go escapes what could end a script in a page of HTML, and the two line ends of JavaScript. */
static bool needs_long_escape(uint32_t code)
{
    return code < ' ' || code == '<' || code == '>' || code == '&' || code == 0x2028 ||
           code == 0x2029;
}

void sl_json_put_text(struct sl_json_out *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    sl_json_put(out, "\"");
    while (*at != '\0') {
        uint32_t    code;
        unsigned    bytes = character_bytes(at, &code);
        const char *shorter;
        char        longer[8];

        if (bytes == 0)
            code = 0xfffd;
        shorter = short_escape(code);
        if (shorter != NULL) {
            sl_json_put(out, shorter);
        } else if (bytes == 0 || needs_long_escape(code)) {
            (void)snprintf(longer, sizeof longer, "\\u%04" PRIx32, code);
            sl_json_put(out, longer);
        } else {
            put_bytes(out, at, bytes);
        }
        at += bytes == 0 ? 1 : bytes;
    }
    sl_json_put(out, "\"");
}
