/* Whatever a peer sends is told, refused or ignored within the limits, whole or split anywhere with
 * the same result, and the connection always comes to an end; nothing aborts, leaks or reads out of
 * bounds.
 *
 * Input: a byte that says how long the pieces of the second run are, a byte that says when requests
 * are answered, then what the peer sends. Build: clang-14 -fsanitize=fuzzer,address,undefined. */

#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "net/http.h"
#include "net/http_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small, so that inputs of a few hundred bytes reach them. */
static const struct sl_http_limits limits = {
    .url_bytes_max = 40,
    .header_bytes_max = 160,
    .body_bytes_max = 20,
    .idle = 10,
    .head = 10,
    .body = 10,
    .answer = 10,
};

/* One connection's owner, and the sum of what it was told and wrote. */
struct run {
    bool     answers_later;
    bool     asked;
    uint64_t told;
    uint64_t written;
};

static uint64_t mix(uint64_t sum, struct sl_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        sum = (sum ^ bytes.bytes[i]) * UINT64_C(1099511628211);
    return (sum ^ bytes.len) * UINT64_C(1099511628211);
}

static void answer(struct run *run, struct sl_http *http)
{
    struct sl_buf *body = sl_buf_new(3);

    memcpy(body->data, "yes", 3);
    run->asked = false;
    sl_http_respond(http, 200, "text/plain", &body);
}

static void on_request(void *context, struct sl_http *http, const struct sl_http_request *request)
{
    struct run           *run = context;
    struct sl_http_params params;

    SL_ASSERT(request->path.len > 0 && request->path.len <= limits.url_bytes_max);
    SL_ASSERT(memchr(request->path.bytes, 0, request->path.len) == NULL);
    SL_ASSERT(request->query.len < limits.url_bytes_max);
    SL_ASSERT(request->body.len <= limits.body_bytes_max);
    if (sl_http_route_match("/state/{nodeID}/{action}", request->path, &params))
        run->told = mix(mix(run->told, params.value[0]), params.value[1]);
    run->told = mix(run->told, sl_slice_from_string(sl_http_method_name(request->method)));
    run->told = mix(mix(mix(run->told, request->path), request->query), request->body);
    run->asked = true;
    if (!run->answers_later)
        answer(run, http);
}

/* Answer and write until nothing is left to do. */
static void serve(struct run *run, struct sl_http *http)
{
    struct sl_slice out;

    for (;;) {
        if (run->asked) {
            answer(run, http);
        } else if (sl_http_pending(http, &out)) {
            for (size_t i = 0; i < out.len; i++)
                run->written = mix(run->written, (struct sl_slice){out.bytes + i, 1});
            sl_http_sent(http, out.len);
        } else {
            return;
        }
    }
}

static struct run play(struct sl_slice input, size_t piece_bytes, bool answers_later)
{
    static const struct sl_http_events events = {.request = on_request};
    struct run                         run = {.answers_later = answers_later};
    struct sl_http                    *http = sl_http_new(&events, &run, &limits, 0);

    for (size_t at = 0; at < input.len; at += piece_bytes) {
        size_t          left = input.len - at;
        struct sl_slice piece = {input.bytes + at, left < piece_bytes ? left : piece_bytes};

        sl_http_receive(http, piece);
        if (sl_http_wants_input(http) || answers_later)
            serve(&run, http);
    }
    serve(&run, http);
    for (sl_nanos due = sl_http_next_due(http); due != UINT64_MAX; due = sl_http_next_due(http)) {
        sl_http_tick(http, due);
        serve(&run, http);
    }
    SL_ASSERT(sl_http_is_over(http) && sl_http_why_text(http)[0] != '\0');
    sl_http_free(&http);
    return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole, split;

    if (size < 3)
        return 0;
    (void)sl_http_is_request_start(data + 2, size - 2);
    whole = play((struct sl_slice){data + 2, size - 2}, size, data[1] & 1);
    split = play((struct sl_slice){data + 2, size - 2}, data[0] % 64 + 1, data[1] & 2);
    SL_ASSERT(whole.told == split.told && whole.written == split.written);
    SL_ASSERT(sl_buf_live_count() == 0);
    return 0;
}
