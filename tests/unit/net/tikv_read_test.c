/* Snapshots from a store whose keys lie in several regions: every key is told once, in order, as it
 * was at that moment, through splits, locks, damaged and missing answers, and answers that are too
 * large; what does not pass ends in time and says why. */

#include "net/tikv_key.h"
#include "unit/net/store_kit.h"

enum { KEYS = 1000, KEY_BYTES = 16, BORDERS_MAX = 8, LARGE_LIMIT = 100, LATE = KEYS / 2 };

static const sl_nanos patience = 20 * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos glance = 300 * (sl_nanos)SL_NANOS_PER_MS;

/* ---- the store: keys k0000.., of which those from LATE on came at 20, the others at 10 ---- */

struct border {
    struct sl_buf *encoded; /* or the beginning of it */
};

static struct border borders[BORDERS_MAX]; /* changed by the host's thread alone once it runs */
static uint32_t      border_count;
static atomic_uint   epoch;
static atomic_int    locked;
static atomic_int    splits;    /* after so many pages there is another border */
static atomic_bool   too_large; /* pages of more than LARGE_LIMIT pairs */
static atomic_uint   pages;

static const char get_path[] = "/tikvpb.Tikv/KvGet";
static const char scan_path[] = "/tikvpb.Tikv/KvScan";

static void key_name(uint32_t i, char *out)
{
    (void)snprintf(out, KEY_BYTES, "k%04u", i);
}

static void add_border(const char *raw, size_t bytes)
{
    struct sl_buf *whole = sl_tikv_key_encode(sl_slice_from_string(raw));

    assert_true(border_count < BORDERS_MAX && bytes <= whole->len);
    borders[border_count++].encoded = sl_buf_slice(whole, 0, bytes == 0 ? whole->len : bytes);
    sl_buf_free(&whole);
}

static ProtobufCBinaryData data_of(struct sl_slice slice)
{
    return (ProtobufCBinaryData){.len = slice.len, .data = (uint8_t *)(uintptr_t)slice.bytes};
}

/* Borders are in no order: the nearest ones around the key are its region's. */
static void region_of(struct sl_slice key, Sluice__Pd__Region *out)
{
    static Sluice__Pd__RegionEpoch region_epoch;
    struct sl_slice                start = {NULL, 0};
    struct sl_slice                end = {NULL, 0};

    out->id = 1;
    for (uint32_t i = 0; i < border_count; i++) {
        struct sl_slice border = sl_slice_from_buf(borders[i].encoded);

        if (sl_tikv_key_compare(border, key) <= 0) {
            if (sl_tikv_key_compare(border, start) > 0) {
                start = border;
                out->id = 2 + i;
            }
        } else if (end.len == 0 || sl_tikv_key_compare(border, end) < 0) {
            end = border;
        }
    }
    sluice__pd__region_epoch__init(&region_epoch);
    region_epoch.version = atomic_load(&epoch);
    out->region_epoch = &region_epoch;
    out->start_key = data_of(start);
    out->end_key = data_of(end);
}

static uint64_t came_at(uint32_t i)
{
    return i < LATE ? 10 : 20;
}

static struct sl_slice slice_of(ProtobufCBinaryData data)
{
    return (struct sl_slice){data.data, data.len};
}

/* Is the request's picture of the region an old one? */
static bool is_stale(const Sluice__Tikv__Context *context, ProtobufCBinaryData key)
{
    struct sl_buf     *encoded = sl_tikv_key_encode(slice_of(key));
    Sluice__Pd__Region region = SLUICE__PD__REGION__INIT;

    region_of(sl_slice_from_buf(encoded), &region);
    sl_buf_free(&encoded);
    return context->region_id != region.id || context->region_epoch->version != atomic_load(&epoch);
}

struct troubles {
    Sluice__Tikv__RegionError region;
    Sluice__Tikv__Present     present;
    Sluice__Tikv__KeyError    key;
    Sluice__Tikv__LockInfo    lock;
};

static void init_troubles(struct troubles *t)
{
    static char text[] = "epoch not match";

    sluice__tikv__region_error__init(&t->region);
    sluice__tikv__present__init(&t->present);
    sluice__tikv__key_error__init(&t->key);
    sluice__tikv__lock_info__init(&t->lock);
    t->region.message = text;
    t->region.epoch_not_match = &t->present;
    t->lock.lock_version = 4711;
    t->key.locked = &t->lock;
}

static void on_get(struct sl_grpc_call *call, const Sluice__Tikv__GetRequest *request)
{
    Sluice__Tikv__GetResponse response = SLUICE__TIKV__GET_RESPONSE__INIT;
    struct troubles           troubles;

    init_troubles(&troubles);
    if (is_stale(request->context, request->key))
        response.region_error = &troubles.region;
    else if (next(&locked))
        response.error = &troubles.key;
    else
        response.not_found = true;
    for (uint32_t i = 0; i < KEYS && response.not_found; i++) {
        char name[KEY_BYTES];

        key_name(i, name);
        if (!sl_slice_equal(slice_of(request->key), sl_slice_from_string(name)) ||
            came_at(i) > request->version)
            continue;
        response.not_found = false;
        response.value = request->key; /* each key is its own value */
    }
    answer(call, &response.base);
}

static void fill_page(const Sluice__Tikv__ScanRequest *request, Sluice__Tikv__ScanResponse *out,
                      char (*names)[KEY_BYTES], Sluice__Tikv__KvPair                       *pairs)
{
    for (uint32_t i = 0; i < KEYS && out->n_pairs < request->limit; i++) {
        Sluice__Tikv__KvPair *pair = &pairs[out->n_pairs];
        struct sl_slice       key;

        key_name(i, names[i]);
        key = sl_slice_from_string(names[i]);
        if (came_at(i) > request->version ||
            sl_tikv_key_compare(key, slice_of(request->start_key)) < 0 ||
            (request->end_key.len > 0 && sl_tikv_key_compare(key, slice_of(request->end_key)) >= 0))
            continue;
        sluice__tikv__kv_pair__init(pair);
        pair->key = pair->value = data_of(key);
        out->pairs[out->n_pairs++] = pair;
    }
}

static void on_scan(struct sl_grpc_call *call, const Sluice__Tikv__ScanRequest *request)
{
    static char                 names[KEYS][KEY_BYTES];
    static Sluice__Tikv__KvPair pairs[KEYS];
    Sluice__Tikv__KvPair       *list[KEYS];
    Sluice__Tikv__ScanResponse  response = SLUICE__TIKV__SCAN_RESPONSE__INIT;
    struct troubles             troubles;

    if (atomic_load(&too_large) && request->limit > LARGE_LIMIT) {
        sl_grpc_finish(call, SL_GRPC_RESOURCE_EXHAUSTED, "too large");
        return;
    }
    init_troubles(&troubles);
    response.pairs = list;
    if (is_stale(request->context, request->start_key)) {
        response.region_error = &troubles.region;
        answer(call, &response.base);
        return;
    }
    fill_page(request, &response, names, pairs);
    if (response.n_pairs > 1 && next(&locked)) {
        response.n_pairs = 2; /* the second one is locked */
        list[1]->error = &troubles.key;
    }
    answer(call, &response.base);
    if (atomic_fetch_add(&pages, 1) + 1 == (unsigned)atomic_load(&splits)) {
        add_border("k0600", 0);
        atomic_fetch_add(&epoch, 1);
    }
}

static void asked(struct sl_grpc_call *call, const char *path, const struct sl_buf *bytes)
{
    if (kit_fails(call))
        return;
    if (path == get_path) {
        Sluice__Tikv__GetRequest *get =
            sluice__tikv__get_request__unpack(NULL, bytes->len, bytes->data);

        assert_non_null(get);
        on_get(call, get);
        sluice__tikv__get_request__free_unpacked(get, NULL);
    } else {
        Sluice__Tikv__ScanRequest *scan =
            sluice__tikv__scan_request__unpack(NULL, bytes->len, bytes->data);

        assert_non_null(scan);
        on_scan(call, scan);
        sluice__tikv__scan_request__free_unpacked(scan, NULL);
    }
}

static const char *const      paths[] = {get_path, scan_path, NULL};
static const struct kit_store store = {.paths = paths, .asked = asked, .region = region_of};

/* ---- the client ---- */

static int setup(void **state)
{
    border_count = 0;
    atomic_store(&epoch, 1);
    atomic_store(&locked, 0);
    atomic_store(&splits, 0);
    atomic_store(&too_large, false);
    atomic_store(&pages, 0);
    add_border("k0100", 0);
    add_border("k0300", 4); /* as cut as borders of regions may be */
    add_border("k0900", 0);
    return kit_start(&store, state);
}

static int teardown(void **state)
{
    int result = kit_stop(state);

    while (border_count > 0)
        sl_buf_free(&borders[--border_count].encoded);
    return result;
}

struct reader {
    uint32_t next; /* expected */
    uint32_t stop_at;
};

static enum sl_err take(void *context, struct sl_slice key, struct sl_slice value)
{
    struct reader *reader = context;
    char           name[KEY_BYTES];

    key_name(reader->next++, name);
    assert_true(sl_slice_equal(key, sl_slice_from_string(name)));
    assert_true(sl_slice_equal(value, key));
    return reader->next == reader->stop_at ? SL_STOPPED : SL_OK;
}

static enum sl_err scan(struct sl_tikv *tikv, struct reader *reader, const char *start,
                        const char *end, sl_ts version, sl_nanos time, struct sl_why *why)
{
    return sl_tikv_scan(tikv, sl_slice_from_string(start), sl_slice_from_string(end), version, time,
                        take, reader, why);
}

static void reads_all(struct sl_tikv *tikv)
{
    struct reader reader = {0};
    struct sl_why why = {0};

    if (scan(tikv, &reader, "", "", 20, patience, &why) != SL_OK)
        fail_msg("%s", why.text);
    assert_int_equal(reader.next, KEYS);
}

static void every_key_of_all_regions_is_told_once_in_order(void **state)
{
    struct reader reader = {.next = 50};

    reads_all(*state);
    assert_int_equal(atomic_load(&pages), 1 + 1 + 3 + 1); /* of 100, 200, 600, 100 keys */
    assert_int_equal(scan(*state, &reader, "k0050", "k0950", 20, patience, NULL), SL_OK);
    assert_int_equal(reader.next, 950);
    assert_int_equal(scan(*state, &reader, "k0950", "k0950", 20, patience, NULL), SL_OK);
    assert_int_equal(reader.next, 950);
}

static void what_came_later_is_not_seen(void **state)
{
    struct reader  reader = {0};
    struct sl_buf *value;

    assert_int_equal(scan(*state, &reader, "", "", 19, patience, NULL), SL_OK);
    assert_int_equal(reader.next, LATE);
    assert_int_equal(sl_tikv_get(*state, sl_slice_from_string("k0700"), 19, patience, &value, NULL),
                     SL_NOT_FOUND);
    assert_int_equal(sl_tikv_get(*state, sl_slice_from_string("k0700"), 20, patience, &value, NULL),
                     SL_OK);
    assert_true(sl_slice_equal(sl_slice_from_buf(value), sl_slice_from_string("k0700")));
    sl_buf_free(&value);
    assert_int_equal(
        sl_tikv_get(*state, sl_slice_from_string("absent"), 20, patience, &value, NULL),
        SL_NOT_FOUND);
}

static void a_region_that_splits_meanwhile_loses_nothing(void **state)
{
    atomic_store(&splits, 3);
    reads_all(*state);
    assert_int_equal(border_count, 4);
    assert_true(sl_tikv_counts(*state).region_errors > 0);
}

static void locks_are_waited_for(void **state)
{
    struct sl_buf *value;
    struct sl_why  why = {0};
    struct reader  reader = {.next = 900};

    atomic_store(&locked, 3);
    reads_all(*state);
    atomic_store(&locked, 2);
    assert_int_equal(sl_tikv_get(*state, sl_slice_from_string("k0001"), 20, patience, &value, NULL),
                     SL_OK);
    sl_buf_free(&value);
    atomic_store(&locked, INT32_MAX);
    assert_int_equal(sl_tikv_get(*state, sl_slice_from_string("k0001"), 20, glance, &value, &why),
                     SL_TIMEOUT);
    assert_non_null(strstr(why.text, "locked by transaction 4711"));
    atomic_store(&locked, 100); /* each answer brings a key, so the time begins anew */
    assert_int_equal(scan(*state, &reader, "k0900", "", 20, glance, &why), SL_OK);
    assert_int_equal(reader.next, KEYS);
}

static void failures_and_damaged_and_too_large_answers_are_asked_again(void **state)
{
    atomic_store(&failing, 2);
    atomic_store(&damaged, 2);
    atomic_store(&store_elsewhere, 1);
    atomic_store(&too_large, true);
    reads_all(*state);
}

static void what_does_not_pass_says_why(void **state)
{
    struct reader  reader = {0};
    struct sl_why  why = {0};
    struct sl_buf *value;

    atomic_store(&failing, INT32_MAX);
    assert_int_equal(scan(*state, &reader, "", "", 20, glance, &why), SL_TIMEOUT);
    assert_non_null(strstr(why.text, "out of order"));
    atomic_store(&failing, 0);
    atomic_store(&no_regions, true);
    assert_int_equal(sl_tikv_get(*state, sl_slice_from_string("other"), 20, patience, &value, &why),
                     SL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "not bootstrapped"));
    assert_int_equal(reader.next, 0);
}

static void who_listens_may_stop(void **state)
{
    struct reader reader = {.stop_at = 300};

    assert_int_equal(scan(*state, &reader, "", "", 20, patience, NULL), SL_STOPPED);
    assert_int_equal(reader.next, 300);
}

/* ---- borders ---- */

static void borders_stand_for_the_least_key_behind_them(void **state)
{
    static const struct {
        const char *border;
        size_t      bytes;
        const char *key;
    } cases[] = {
        {"", 0, ""},
        {"abc\0\0\0\0\0\xfa", 9, "abc"},
        {"abcdefgh\xff\0\0\0\0\0\0\0\0\xf7", 18, "abcdefgh"},
        {"abcdefgh\xffij\0\0\0\0\0\0\xf9", 18, "abcdefghij"},
        {"abcdefgh\xffij", 11, "abcdefghij"},
        {"abcdefgh\xff", 9, "abcdefgh"},
        {"abcdefgh", 8, "abcdefgh"},
        {"ab\0", 3, "ab"},
        {"abcdefgh\x01", 9, "abcdefgh"}, /* no encoding at all */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_slice border = {(const uint8_t *)cases[i].border, cases[i].bytes};
        struct sl_buf  *key = sl_tikv_key_of_border(border);
        struct sl_buf  *encoded = sl_tikv_key_encode(sl_slice_from_buf(key));

        assert_true(sl_slice_equal(sl_slice_from_buf(key), sl_slice_from_string(cases[i].key)));
        assert_true(sl_tikv_key_compare(sl_slice_from_buf(encoded), border) >= 0);
        sl_buf_free(&key);
        sl_buf_free(&encoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        WITH(every_key_of_all_regions_is_told_once_in_order),
        WITH(what_came_later_is_not_seen),
        WITH(a_region_that_splits_meanwhile_loses_nothing),
        WITH(locks_are_waited_for),
        WITH(failures_and_damaged_and_too_large_answers_are_asked_again),
        WITH(what_does_not_pass_says_why),
        WITH(who_listens_may_stop),
        cmocka_unit_test(borders_stand_for_the_least_key_behind_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
