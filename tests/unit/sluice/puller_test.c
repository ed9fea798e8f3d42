/* A pump's stream as a drainer reads it: all of it once and in order, across streams that end and
 * connections that are refused; and every way for it to be over. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "lib/fake_pump.h"
#include "sluice/puller.h"

enum { RECORDS = 20, CLUSTER_ID = 3, SECONDS_MAX = 60, HEARD_MAX = 100 };

struct world {
    const struct sl_env  *env;
    struct fake_pump     *pump;
    struct puller        *puller;
    struct puller_options options;
    unsigned              per_stream; /* records, then the stream ends */
    bool                  unordered;
    bool                  garbage;
    sl_ts                 heard[HEARD_MAX];
    unsigned              heard_count;
    struct sl_why         why;
};

/* Commit ts 10, 20, ...; each fourth is a fake binlog. */
static struct sl_buf *next_payload(void *context, uint64_t cluster_id, sl_ts from, unsigned sent)
{
    const struct world *w = context;
    sl_ts               ts = (from / 10 + 1 + (sl_ts)sent) * 10;
    struct sl_record    record = {
           .type = SL_RECORD_COMMIT, .start_ts = ts - 5, .commit_ts = w->unordered ? 10 : ts};
    struct sl_buf *out;

    assert_int_equal(cluster_id, CLUSTER_ID);
    if (sent == w->per_stream || ts > 10 * RECORDS)
        return NULL;
    if (ts % 40 == 0)
        record = sl_record_fake(ts);
    out = sl_buf_new(sl_record_encoded_bytes(&record));
    sl_record_encode(&record, out->data);
    if (w->garbage)
        out->data[0] = 0xff;
    return out;
}

static enum fake_answer no_write(void *context, uint32_t pump, uint64_t cluster_id,
                                 const struct sl_record *record, struct sl_slice payload,
                                 unsigned *steps)
{
    (void)context;
    (void)pump;
    (void)cluster_id;
    (void)record;
    (void)payload;
    (void)steps;
    fail_msg("a puller does not write");
    return FAKE_OK;
}

static enum sl_err note(void *context, const struct sl_record *record, struct sl_slice payload,
                        struct sl_why *why)
{
    struct world *w = context;

    (void)why;
    assert_true(payload.len > 0);
    assert_true(w->heard_count < HEARD_MAX);
    w->heard[w->heard_count++] = record->commit_ts;
    return SL_OK;
}

static void world_begin(struct world *w)
{
    struct fake_pump_events events = {.write = no_write, .pull = next_payload, .context = w};

    memset(w, 0, sizeof *w);
    w->env = sl_env_os();
    w->per_stream = 1000;
    w->pump = fake_pump_new(w->env, 0, &events);
    w->options = (struct puller_options){
        .cluster_id = CLUSTER_ID, .reconnect = SL_NANOS_PER_MS, .heard = note, .context = w};
}

static void world_end(struct world *w)
{
    puller_free(&w->puller);
    fake_pump_free(&w->pump);
}

static enum sl_err pull(struct world *w)
{
    sl_nanos    limit = sl_env_now(w->env) + (sl_nanos)SECONDS_MAX * SL_NANOS_PER_S;
    enum sl_err err;

    w->options.pump = fake_pump_address(w->pump);
    if (puller_new(w->env, &w->options, &w->puller, &w->why) != SL_OK)
        fail_msg("%s", w->why.text);
    do {
        fake_pump_step(w->pump);
        err = puller_step(w->puller, SL_NANOS_PER_MS / 10, &w->why);
        if (sl_env_now(w->env) > limit)
            fail_msg("it goes on for ever");
    } while (err == SL_AGAIN);
    return err;
}

/* Heard: first, first + 10, ..., last. */
static void heard_all(const struct world *w, sl_ts first, sl_ts last)
{
    assert_int_equal(w->heard_count, (last - first) / 10 + 1);
    for (unsigned i = 0; i < w->heard_count; i++)
        assert_int_equal(w->heard[i], first + 10 * (sl_ts)i);
}

static void streams_that_end_are_taken_up_where_they_ended(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w);
    w.per_stream = 3;
    w.options.until = 10 * RECORDS;
    assert_int_equal(pull(&w), SL_OK);
    heard_all(&w, 10, 10 * RECORDS);
    assert_int_equal(puller_streams(w.puller), (RECORDS + 2) / 3);
    assert_int_equal(puller_transactions(w.puller), RECORDS - RECORDS / 4);
    world_end(&w);
}

static void once_means_one_stream(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w);
    w.per_stream = 3;
    w.options.once = true;
    w.options.from = 50;
    assert_int_equal(pull(&w), SL_OK);
    heard_all(&w, 60, 80);
    assert_int_equal(puller_streams(w.puller), 1);
    world_end(&w);
}

static void count_counts_transactions_and_until_may_lie_between_two(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w);
    w.options.count = 4; /* 10 20 30 (40) 50 */
    assert_int_equal(pull(&w), SL_OK);
    heard_all(&w, 10, 50);
    world_end(&w);
    world_begin(&w);
    w.options.until = 55;
    assert_int_equal(pull(&w), SL_OK);
    heard_all(&w, 10, 50);
    world_end(&w);
}

static void idleness_ends_it_and_without_a_pump_is_a_failure(void **state)
{
    struct world w;
    const char  *gone;

    (void)state;
    world_begin(&w);
    w.options.idle_exit = UINT64_C(50) * SL_NANOS_PER_MS;
    w.options.reconnect = UINT64_C(1000) * SL_NANOS_PER_S; /* the stream's end is OK: no reason */
    assert_int_equal(pull(&w), SL_OK);
    heard_all(&w, 10, 10 * RECORDS);
    world_end(&w);
    world_begin(&w);
    w.options.idle_exit = UINT64_C(50) * SL_NANOS_PER_MS;
    gone = "127.0.0.1:1"; /* nobody may listen there */
    w.options.pump = gone;
    assert_int_equal(puller_new(w.env, &w.options, &w.puller, &w.why), SL_OK);
    while (puller_step(w.puller, SL_NANOS_PER_MS, &w.why) == SL_AGAIN)
        continue;
    assert_int_equal(puller_step(w.puller, SL_NANOS_PER_MS, &w.why), SL_UNAVAILABLE);
    world_end(&w);
}

static void what_no_pump_may_send_is_refused(void **state)
{
    struct world w;

    (void)state;
    world_begin(&w);
    w.unordered = true;
    assert_int_equal(pull(&w), SL_INVALID);
    assert_string_equal(w.why.text, "commit ts 10 comes after 10");
    world_end(&w);
    world_begin(&w);
    w.garbage = true;
    assert_int_equal(pull(&w), SL_INVALID);
    assert_non_null(strstr(w.why.text, "an entity that is no record"));
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_that_end_are_taken_up_where_they_ended),
        cmocka_unit_test(once_means_one_stream),
        cmocka_unit_test(count_counts_transactions_and_until_may_lie_between_two),
        cmocka_unit_test(idleness_ends_it_and_without_a_pump_is_a_failure),
        cmocka_unit_test(what_no_pump_may_send_is_refused),
    };

    return cmocka_run_group_tests_name("puller", tests, NULL, NULL);
}
