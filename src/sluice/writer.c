#include "sluice/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "net/channel.h"
#include "binlog/message.h"

/* Answers are empty or short. */
enum { ANSWER_BYTES_MAX = 1 << 16 };

/* A pump with more errors in a row is probed until it answers (pump spec 2.5). */
enum { ERRORS_MAX = 10 };

static const char method[] = "/binlog.Pump/WriteBinlog";

struct connection {
    struct sl_channel *channel; /* owned */
    uint32_t           calls;
};

struct pump {
    uint32_t     busy;   /* records begun and not done */
    uint32_t     errors; /* in a row */
    sl_nanos     probe_at;
    bool         probing;
    struct write probe;
};

struct writer {
    const struct sl_env  *env;
    struct writer_options options;
    struct pump          *pumps;       /* owned; options.pump_count */
    struct connection    *connections; /* owned; the first pump's, then the second's, ... */
    struct sl_channel   **channels;    /* owned array of theirs, in the same order */
    struct sl_heap        timers;      /* writes that wait for their next attempt */
    struct sl_list        over;        /* writes whose attempt has ended */
    struct sl_buf        *probe;       /* request; owned */
    struct writer_counts  counts;
};

struct writer_options writer_options_default(void)
{
    return (struct writer_options){
        .connections = 1,
        .calls_max = SL_WRITER_CALLS_MAX,
        .timeout = UINT64_C(15) * SL_NANOS_PER_S,
        .prewrite_gap = UINT64_C(100) * SL_NANOS_PER_MS,
        .finish_gap = UINT64_C(1) * SL_NANOS_PER_S,
        .probe_gap = UINT64_C(30) * SL_NANOS_PER_S,
        .finish_limit = UINT64_C(600) * SL_NANOS_PER_S,
    };
}

/* ---- one attempt ---- */

static bool timer_before(const struct sl_heap_node *a, const struct sl_heap_node *b)
{
    return SL_CONTAINER_OF(a, struct write, timer)->retry_at <
           SL_CONTAINER_OF(b, struct write, timer)->retry_at;
}

/* Judged later, out of writer_step: whoever calls us now may be in the midst of something. */
static void attempt_over(struct write *w, enum sl_grpc_status status, const char *text)
{
    w->status = status;
    if (status != SL_GRPC_OK)
        (void)sl_fail(&w->why, SL_UNAVAILABLE, "%s: %s", sl_grpc_status_name(status), text);
    if (w->call != NULL)
        w->connection->calls--;
    w->call = NULL;
    sl_buf_free(&w->unsent);
    sl_list_push_back(&w->writer->over, &w->over);
}

static void on_message(void *context, struct sl_grpc_call *call, struct sl_buf **message)
{
    (void)context; /* an answer with status OK says all there is to say */
    (void)call;
    (void)message;
}

static void on_over(void *context, struct sl_grpc_call *call, enum sl_grpc_status status,
                    const char *text)
{
    (void)call;
    attempt_over(context, status, text);
}

/* SL_FULL leaves the request where it is: `writable` comes. */
static void on_writable(void *context, struct sl_grpc_call *call)
{
    struct write *w = context;

    if (w->unsent != NULL && sl_grpc_send(call, &w->unsent) == SL_OK)
        sl_grpc_half_close(call);
}

static const struct sl_grpc_events events = {
    .message = on_message,
    .writable = on_writable,
    .over = on_over,
};

/* The connection of the pump with the fewest calls. */
static struct connection *choose(struct writer *writer, uint32_t pump)
{
    struct connection *first = &writer->connections[pump * writer->options.connections];
    struct connection *best = first;

    for (uint32_t i = 1; i < writer->options.connections; i++) {
        if (first[i].calls < best->calls)
            best = &first[i];
    }
    return best;
}

static void attempt(struct writer *writer, struct write *w, sl_nanos now)
{
    struct sl_grpc *grpc;
    struct sl_why   why = {0};
    enum sl_err     err;

    w->attempts++;
    writer->counts.attempts++;
    w->connection = choose(writer, w->pump);
    err = sl_channel_grpc(w->connection->channel, &grpc, &why);
    if (err == SL_OK)
        err = sl_grpc_call(grpc, method, now + writer->options.timeout, &events, w, &w->call, &why);
    if (err != SL_OK) {
        w->call = NULL;
        attempt_over(w, SL_GRPC_UNAVAILABLE, why.text);
        return;
    }
    w->connection->calls++;
    w->unsent = sl_buf_ref(w->request);
    on_writable(w, w->call);
}

/* ---- its end ---- */

/* Every error counts, every success forgives (pump spec 2.5). */
static void note_health(struct writer *writer, struct pump *pump, bool well, sl_nanos now)
{
    pump->errors = well ? 0 : pump->errors + 1;
    if (pump->errors == ERRORS_MAX + 1)
        pump->probe_at = now + writer->options.probe_gap;
}

static bool says_too_large(const struct write *w)
{
    return w->status == SL_GRPC_RESOURCE_EXHAUSTED || strstr(w->why.text, "ResourceExhausted");
}

static bool is_given_up(const struct writer *writer, const struct write *w, sl_nanos now)
{
    sl_nanos spent = now - w->begun;

    switch (w->kind) {
    case WRITE_PREWRITE:
        return says_too_large(w) ||
               (spent > writer->options.timeout && w->attempts > writer->options.pump_count + 1);
    case WRITE_FINISH: return spent > writer->options.finish_limit;
    case WRITE_PROBE: return true;
    }
    SL_UNREACHABLE("not a kind");
}

static void finish_probe(struct writer *writer, struct pump *pump, sl_nanos now)
{
    pump->probing = false;
    pump->probe_at = now + writer->options.probe_gap;
    writer->counts.probes_failed += pump->probe.status != SL_GRPC_OK;
}

static void judge(struct writer *writer, struct write *w, sl_nanos now)
{
    struct pump *pump = &writer->pumps[w->pump];
    bool         well = w->status == SL_GRPC_OK;

    note_health(writer, pump, well, now);
    if (w->kind == WRITE_PROBE) {
        finish_probe(writer, pump, now);
        return;
    }
    if (!well && !is_given_up(writer, w, now)) {
        w->retry_at = now + (w->kind == WRITE_PREWRITE ? writer->options.prewrite_gap
                                                       : writer->options.finish_gap);
        sl_heap_push(&writer->timers, &w->timer);
        return;
    }
    w->err = well ? SL_OK : SL_UNAVAILABLE;
    writer->counts.given_up += !well;
    pump->busy--;
    writer->options.done(writer->options.context, w);
}

static void probe_pumps(struct writer *writer, sl_nanos now)
{
    for (uint32_t i = 0; i < writer->options.pump_count; i++) {
        struct pump *pump = &writer->pumps[i];

        if (pump->errors <= ERRORS_MAX || pump->probing || now < pump->probe_at)
            continue;
        pump->probing = true;
        pump->probe.writer = writer;
        pump->probe.pump = i;
        pump->probe.kind = WRITE_PROBE;
        pump->probe.request = writer->probe;
        writer->counts.probes++;
        attempt(writer, &pump->probe, now);
    }
}

static void retry_due(struct writer *writer, sl_nanos now)
{
    struct sl_heap_node *top;

    while ((top = sl_heap_top(&writer->timers)) != NULL) {
        struct write *w = SL_CONTAINER_OF(top, struct write, timer);

        if (w->retry_at > now)
            return;
        (void)sl_heap_pop(&writer->timers);
        writer->counts.retries++;
        attempt(writer, w, now);
    }
}

/* ---- the writer ---- */

static uint32_t connection_count(const struct writer *writer)
{
    return writer->options.pump_count * writer->options.connections;
}

enum sl_err writer_new(const struct sl_env *env, const struct writer_options *options,
                       struct writer **out, struct sl_why *why)
{
    struct writer *writer = calloc(1, sizeof *writer);
    enum sl_err    err = SL_OK;

    SL_ASSERT(writer != NULL);
    SL_ASSERT(options->pump_count > 0 && options->pump_count <= SL_WRITER_PUMPS_MAX);
    SL_ASSERT(options->connections > 0 && options->connections <= SL_WRITER_CONNECTIONS_MAX);
    SL_ASSERT(options->pump_count * options->connections <= SL_WRITER_CHANNELS_MAX);
    SL_ASSERT(options->calls_max > 0 && options->calls_max <= SL_WRITER_CALLS_MAX);
    writer->env = env;
    writer->options = *options;
    writer->pumps = calloc(options->pump_count, sizeof *writer->pumps);
    writer->connections = calloc(connection_count(writer), sizeof *writer->connections);
    writer->channels = calloc(connection_count(writer), sizeof(struct sl_channel *));
    SL_ASSERT(writer->pumps != NULL && writer->connections != NULL && writer->channels != NULL);
    sl_heap_init(&writer->timers, timer_before);
    sl_list_init(&writer->over);
    writer->probe = sl_message_probe(options->cluster_id);
    for (uint32_t i = 0; i < connection_count(writer) && err == SL_OK; i++) {
        err = sl_channel_new(env, options->pumps[i / options->connections], ANSWER_BYTES_MAX,
                             &writer->connections[i].channel, why);
        writer->channels[i] = writer->connections[i].channel;
    }
    writer->options.pumps = NULL; /* borrowed for this call only */
    if (err != SL_OK)
        writer_free(&writer);
    else
        *out = writer;
    return err;
}

void writer_free(struct writer **writer)
{
    struct writer *old = *writer;

    *writer = NULL;
    if (old == NULL)
        return;
    for (uint32_t i = 0; i < connection_count(old); i++)
        sl_channel_free(&old->connections[i].channel); /* calls end; nobody judges them */
    while (sl_list_pop_front(&old->over) != NULL)
        continue;
    while (sl_heap_pop(&old->timers) != NULL)
        continue;
    sl_heap_done(&old->timers);
    sl_buf_free(&old->probe);
    free(old->channels);
    free(old->connections);
    free(old->pumps);
    free(old);
}

bool writer_has_room(const struct writer *writer, uint32_t pump)
{
    SL_ASSERT(pump < writer->options.pump_count);
    return writer->pumps[pump].busy < writer->options.connections * writer->options.calls_max;
}

void writer_begin(struct writer *writer, struct write *write)
{
    SL_ASSERT(writer_has_room(writer, write->pump));
    SL_ASSERT(write->request != NULL);
    SL_ASSERT(write->kind != WRITE_PROBE);
    writer->pumps[write->pump].busy++;
    write->writer = writer;
    write->attempts = 0;
    write->begun = sl_env_now(writer->env);
    attempt(writer, write, write->begun);
}

uint32_t writer_busy(const struct writer *writer)
{
    uint32_t busy = 0;

    for (uint32_t i = 0; i < writer->options.pump_count; i++)
        busy += writer->pumps[i].busy;
    return busy;
}

/* When something is to be done although no byte moves. */
static sl_nanos next_due(const struct writer *writer, sl_nanos until)
{
    struct sl_heap_node *top = sl_heap_top(&writer->timers);

    if (top != NULL && SL_CONTAINER_OF(top, struct write, timer)->retry_at < until)
        until = SL_CONTAINER_OF(top, struct write, timer)->retry_at;
    return sl_list_empty(&writer->over) ? until : 0;
}

void writer_step(struct writer *writer, sl_nanos until)
{
    sl_nanos             now = sl_env_now(writer->env);
    sl_nanos             limit = now + (sl_nanos)SL_WRITER_WAIT_MS * SL_NANOS_PER_MS;
    struct sl_list_node *node;

    until = next_due(writer, until < limit ? until : limit);
    sl_channel_wait(writer->channels, connection_count(writer), until);
    for (uint32_t i = 0; i < connection_count(writer); i++)
        (void)sl_channel_step(writer->channels[i], NULL); /* its calls hear why */
    now = sl_env_now(writer->env);
    while ((node = sl_list_pop_front(&writer->over)) != NULL)
        judge(writer, SL_CONTAINER_OF(node, struct write, over), now);
    retry_due(writer, now);
    probe_pumps(writer, now);
}

struct writer_counts writer_counts(const struct writer *writer)
{
    return writer->counts;
}
