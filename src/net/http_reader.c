#include "net/http_reader.h"

#include <http_parser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "net/http_bytes.h"
#include "net/http_route.h"

static const struct http_refusal malformed = {400, "malformed request"};
static const struct http_refusal bad_host = {400, "not exactly one Host field"};
static const struct http_refusal bad_url = {400, "malformed URL"};
static const struct http_refusal long_body = {413, "the body is over its limit"};
static const struct http_refusal long_url = {414, "the URL is over its limit"};
static const struct http_refusal long_header = {431, "the header is over its limit"};
static const struct http_refusal unknown_method = {501, "unknown method"};
static const struct http_refusal unknown_coding = {501, "unknown transfer coding"};
static const struct http_refusal unknown_version = {505, "unknown version of HTTP"};

/* A name or a value as far as it is looked at. len is one more than there is room for when the text
 * was longer, so that it equals nothing. */
struct word {
    char   text[SL_HTTP_NAME_BYTES_MAX];
    size_t len;
};

/* What is forgotten between two requests. */
struct request {
    http_parser         parser;
    size_t              wire_bytes; /* parsed so far, header and body */
    size_t              url_len;
    struct word         name, value; /* of the field that is being received */
    bool                in_name;
    unsigned            hosts;
    bool                coding_unknown;
    struct http_finding found;
};

struct http_reader {
    const struct sl_http_limits *limits;
    struct request               request;
    struct http_bytes            body;
    uint8_t                      url[SL_HTTP_URL_BYTES_MAX];  /* as it came */
    uint8_t                      path[SL_HTTP_URL_BYTES_MAX]; /* decoded */
};

static const struct {
    enum http_method theirs;
    const char      *name;
} methods[SL_HTTP_METHODS] = {
    [SL_HTTP_OPTIONS] = {HTTP_OPTIONS, "OPTIONS"},
    [SL_HTTP_GET] = {HTTP_GET, "GET"},
    [SL_HTTP_HEAD] = {HTTP_HEAD, "HEAD"},
    [SL_HTTP_POST] = {HTTP_POST, "POST"},
    [SL_HTTP_PUT] = {HTTP_PUT, "PUT"},
    [SL_HTTP_DELETE] = {HTTP_DELETE, "DELETE"},
    [SL_HTTP_TRACE] = {HTTP_TRACE, "TRACE"},
};

const char *sl_http_method_name(enum sl_http_method method)
{
    SL_ASSERT(method < SL_HTTP_METHODS);
    return methods[method].name;
}

/* ---- words ---- */

static void add_to_word(struct word *word, const char *from, size_t count)
{
    if (word->len > sizeof word->text || count > sizeof word->text - word->len) {
        word->len = sizeof word->text + 1;
        return;
    }
    memcpy(word->text + word->len, from, count);
    word->len += count;
}

/* Upper and lower case are the same, and spaces behind the word do not count. */
static bool word_is(const struct word *word, const char *text)
{
    size_t len = word->len;

    if (len > sizeof word->text)
        return false;
    while (len > 0 && (word->text[len - 1] == ' ' || word->text[len - 1] == '\t'))
        len--;
    return len == strlen(text) && strncasecmp(word->text, text, len) == 0;
}

/* ---- what the parser finds ---- */

/* To be returned by a callback: the parser stops. */
static int stop(struct http_reader *reader, const struct http_refusal *refusal)
{
    reader->request.found.refusal = refusal;
    return -1;
}

/* What is over the limit is only counted: whether it is well-formed comes first. */
static int on_url(http_parser *parser, const char *at, size_t count)
{
    struct http_reader *reader = parser->data;
    struct request     *request = &reader->request;

    if (request->url_len < sizeof reader->url && count <= sizeof reader->url - request->url_len)
        memcpy(reader->url + request->url_len, at, count);
    request->url_len += count;
    return 0;
}

/* A field is there with name and value: keep what it says, if it says something to us. */
static void note_field(struct request *request)
{
    if (word_is(&request->name, "host"))
        request->hosts++;
    if (word_is(&request->name, "expect"))
        request->found.expects_continue = word_is(&request->value, "100-continue");
    if (word_is(&request->name, "transfer-encoding") && !word_is(&request->value, "chunked"))
        request->coding_unknown = true;
    request->name.len = 0;
    request->value.len = 0;
}

static int on_field(http_parser *parser, const char *at, size_t count)
{
    struct http_reader *reader = parser->data;
    struct request     *request = &reader->request;

    if (!request->in_name)
        note_field(request);
    request->in_name = true;
    add_to_word(&request->name, at, count);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t count)
{
    struct http_reader *reader = parser->data;

    reader->request.in_name = false;
    add_to_word(&reader->request.value, at, count);
    return 0;
}

/* The part of the URL that is this field; empty when it has none. */
static struct sl_slice url_part(const struct http_reader     *reader,
                                const struct http_parser_url *parts,
                                enum http_parser_url_fields   field)
{
    if ((parts->field_set & 1u << field) == 0)
        return (struct sl_slice){0};
    return (struct sl_slice){reader->url + parts->field_data[field].off,
                             parts->field_data[field].len};
}

/* Fill in what is told of the URL: "/path?query" or, as if to a proxy, "http://host/path?query". */
static bool read_url(struct http_reader *reader)
{
    struct http_parser_url  parts;
    struct sl_slice         path;
    struct sl_http_request *told = &reader->request.found.told;

    http_parser_url_init(&parts);
    if (http_parser_parse_url((const char *)reader->url, reader->request.url_len, 0, &parts) != 0)
        return false;
    path = url_part(reader, &parts, UF_PATH);
    if (path.len == 0)
        path = sl_slice_from_string("/");
    told->query = url_part(reader, &parts, UF_QUERY);
    told->path.bytes = reader->path;
    return sl_http_decode(path, reader->path, &told->path.len);
}

static bool read_method(struct http_reader *reader)
{
    for (unsigned i = 0; i < SL_HTTP_METHODS; i++) {
        if (methods[i].theirs == reader->request.parser.method) {
            reader->request.found.told.method = (enum sl_http_method)i;
            return true;
        }
    }
    return false;
}

/* What is wrong with a header that has come whole; NULL: nothing. */
static const struct http_refusal *judge_header(struct http_reader *reader)
{
    const struct request *request = &reader->request;
    const http_parser    *parser = &request->parser;

    if (parser->http_major != 1)
        return &unknown_version;
    if (!read_method(reader))
        return &unknown_method;
    if (request->coding_unknown)
        return &unknown_coding;
    if (request->hosts > 1 || (request->hosts == 0 && parser->http_minor >= 1))
        return &bad_host;
    if (parser->content_length != UINT64_MAX &&
        parser->content_length > reader->limits->body_bytes_max)
        return &long_body;
    if (request->url_len > reader->limits->url_bytes_max)
        return &long_url;
    if (!read_url(reader))
        return &bad_url;
    return NULL;
}

static int on_header_end(http_parser *parser)
{
    struct http_reader        *reader = parser->data;
    struct http_finding       *found = &reader->request.found;
    const struct http_refusal *refusal;

    note_field(&reader->request);
    refusal = judge_header(reader);
    if (refusal != NULL)
        return stop(reader, refusal);
    found->header_whole = true;
    found->keep_alive = http_should_keep_alive(parser) != 0;
    return 0;
}

/* Fields behind a chunked body end up in note_field too, where nobody looks at them any more. */
static int on_body(http_parser *parser, const char *at, size_t count)
{
    struct http_reader *reader = parser->data;

    if (count > reader->limits->body_bytes_max - reader->body.len)
        return stop(reader, &long_body);
    http_bytes_add(&reader->body, at, count);
    return 0;
}

/* The parser stops here, so that the next request waits. */
static int on_end(http_parser *parser)
{
    struct http_reader *reader = parser->data;

    reader->request.found.whole = true;
    reader->request.found.told.body = (struct sl_slice){reader->body.data, reader->body.len};
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings parser_settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_header_end,
    .on_body = on_body,
    .on_message_complete = on_end,
};

/* ---- feeding ---- */

/* The refusal for an error of the parser at this byte. */
static const struct http_refusal *refusal_for(enum http_errno error, uint8_t byte)
{
    bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');

    if (error == HPE_INVALID_METHOD && letter)
        return &unknown_method;
    if (error == HPE_INVALID_TRANSFER_ENCODING)
        return &unknown_coding;
    return &malformed;
}

/* The refusal for a request that has not ended at its last byte allowed. */
static const struct http_refusal *refusal_for_length(const struct http_reader *reader)
{
    if (reader->request.found.header_whole)
        return &long_body;
    return reader->request.url_len > reader->limits->url_bytes_max ? &long_url : &long_header;
}

/* How many bytes the request may have so far: only its header, or all of it. */
static size_t wire_bytes_max(const struct http_reader *reader)
{
    size_t body = reader->limits->body_bytes_max * SL_HTTP_FRAMING_FACTOR;

    return reader->limits->header_bytes_max + (reader->request.found.header_whole ? body : 0);
}

/* The parser gets no piece that goes over a limit, so that what is refused does not depend on how
 * the bytes were split. */
size_t http_reader_feed(struct http_reader *reader, const uint8_t *bytes, size_t count)
{
    struct request      *request = &reader->request;
    struct http_finding *found = &request->found;
    http_parser         *parser = &request->parser;
    size_t               room = wire_bytes_max(reader) - request->wire_bytes;
    size_t               used;
    enum http_errno      error;

    SL_ASSERT(!found->whole && found->refusal == NULL && room > 0);
    if (count > room)
        count = room;
    used = http_parser_execute(parser, &parser_settings, (const char *)bytes, count);
    request->wire_bytes += used;
    found->is_head = parser->method == HTTP_HEAD;
    found->is_old = parser->http_major == 1 && parser->http_minor == 0;
    error = HTTP_PARSER_ERRNO(parser);
    if (found->whole || found->refusal != NULL)
        return used;
    if (error != HPE_OK)
        found->refusal = refusal_for(error, used < count ? bytes[used] : 0);
    else if (request->wire_bytes == wire_bytes_max(reader))
        found->refusal = refusal_for_length(reader);
    return used;
}

/* ---- a reader ---- */

void http_reader_start(struct http_reader *reader)
{
    http_reader_drop_body(reader);
    reader->request = (struct request){0};
    http_parser_init(&reader->request.parser, HTTP_REQUEST);
    reader->request.parser.data = reader;
}

const struct http_finding *http_reader_found(const struct http_reader *reader)
{
    return &reader->request.found;
}

void http_reader_drop_body(struct http_reader *reader)
{
    http_bytes_drop(&reader->body);
    reader->request.found.told.body = (struct sl_slice){0};
}

struct http_reader *http_reader_new(const struct sl_http_limits *limits)
{
    struct http_reader *reader = calloc(1, sizeof *reader);

    SL_ASSERT(reader != NULL);
    reader->limits = limits;
    return reader;
}

void http_reader_free(struct http_reader **reader)
{
    if (*reader != NULL)
        http_bytes_drop(&(*reader)->body);
    free(*reader);
    *reader = NULL;
}
