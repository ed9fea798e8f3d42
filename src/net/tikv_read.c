/* Snapshots: one request after the other, each where its key is led; in vain, again after a
 * pause, until the patience is over. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "net/channel.h"
#include "net/tikv_key.h"
#include "net/tikv_private.h"
#include "net/tikv_wire.h"

static const sl_nanos request_max = SL_TIKV_REQUEST_S * (sl_nanos)SL_NANOS_PER_S;
static const sl_nanos pd_max = SL_TIKV_PD_MS * (sl_nanos)SL_NANOS_PER_MS;

static const char get_path[] = "/tikvpb.Tikv/KvGet";
static const char scan_path[] = "/tikvpb.Tikv/KvScan";

/* A read on its way. The steps below answer SL_AGAIN after a pause: the request is to be made anew,
 * from the route on. */
struct reading {
    struct sl_tikv *tikv;
    sl_ts           version;
    sl_nanos        patience;
    sl_nanos        until;    /* it is over */
    uint64_t        pause_ms; /* the last one */
};

/* Where a request goes. */
struct place {
    struct sl_channel *channel;
    uint64_t           region_id;
    uint64_t           store_id;
};

static sl_nanos now_of(const struct reading *r)
{
    return sl_env_now(tikv_env(r->tikv));
}

static void begin(struct reading *r, struct sl_tikv *tikv, sl_ts version, sl_nanos patience)
{
    *r = (struct reading){.tikv = tikv, .version = version, .patience = patience};
    r->until = now_of(r) + patience;
}

static void has_come_on(struct reading *r)
{
    r->until = now_of(r) + r->patience;
    r->pause_ms = 0;
}

/* ---- in vain ---- */

/* Each pause is twice the one before. */
static enum sl_err again(struct reading *r, uint64_t first_ms, uint64_t most_ms, const char *reason,
                         struct sl_why *why)
{
    uint64_t pause = r->pause_ms < first_ms ? first_ms : 2 * r->pause_ms;
    sl_nanos until;

    r->pause_ms = pause < most_ms ? pause : most_ms;
    until = now_of(r) + r->pause_ms * (sl_nanos)SL_NANOS_PER_MS;
    if (until >= r->until)
        return sl_fail(why, SL_TIMEOUT, "TiKV could not be read within %" PRIu64 " ms: %s",
                       (uint64_t)(r->patience / SL_NANOS_PER_MS), reason);
    sl_net_wait(tikv_env(r->tikv)->net, NULL, 0, until);
    return SL_AGAIN;
}

static enum sl_err meet_trouble(struct reading *r, const struct place *at,
                                const struct tikv_trouble *trouble, struct sl_why *why)
{
    struct tikv_routes *routes = tikv_routes_of(r->tikv);

    tikv_counts_of(r->tikv)->region_errors++;
    switch (trouble->kind) {
    case TIKV_NO_TROUBLE: SL_UNREACHABLE("who asks knows that there is some");
    case TIKV_OTHER_LEADER: tikv_route_lead(routes, at->region_id, trouble->leader); break;
    case TIKV_OTHER_REGION: tikv_route_forget(routes, at->region_id); break;
    case TIKV_BUSY:
        return again(r, trouble->wait_ms > 0 ? trouble->wait_ms : SL_TIKV_PAUSE_MS,
                     SL_TIKV_PAUSE_MS_MAX, trouble->text, why);
    case TIKV_CLOSED: return sl_fail(why, SL_INVALID, "TiKV: %s", trouble->text);
    }
    return again(r, SL_TIKV_ROUTE_PAUSE_MS, SL_TIKV_ROUTE_PAUSE_MS_MAX, trouble->text, why);
}

static enum sl_err meet_key_error(struct reading *r, const struct tikv_key_error *error,
                                  struct sl_why *why)
{
    if (!error->may_pass)
        return sl_fail(why, SL_INVALID, "TiKV: %s", error->text);
    if (error->locked)
        return again(r, SL_TIKV_LOCK_PAUSE_MS, SL_TIKV_LOCK_PAUSE_MS_MAX, error->text, why);
    return again(r, SL_TIKV_PAUSE_MS, SL_TIKV_PAUSE_MS_MAX, error->text, why);
}

static enum sl_err meet_damage(struct reading *r, struct sl_why *why)
{
    return again(r, SL_TIKV_PAUSE_MS, SL_TIKV_PAUSE_MS_MAX, "its answer is damaged", why);
}

/* ---- a request ---- */

/* Who leads the key's region; both are valid until the next request. */
static enum sl_err find(struct reading *r, struct sl_slice key, const struct sl_pd_region **region,
                        struct place *at, struct sl_why *why)
{
    struct sl_buf *encoded = sl_tikv_key_encode(key);
    sl_nanos       now = now_of(r);
    sl_nanos       left = r->until > now ? r->until - now : 0;
    struct sl_why  reason = {0};
    enum sl_err    err = tikv_route(tikv_routes_of(r->tikv), sl_slice_from_buf(encoded),
                                 left < pd_max ? left : pd_max, region, &at->channel, &reason);

    sl_buf_free(&encoded);
    if (err == SL_OK) {
        at->region_id = (*region)->id;
        at->store_id = (*region)->peer.store_id;
        return SL_OK;
    }
    if (err == SL_UNSUPPORTED || err == SL_INVALID)
        return sl_fail(why, err, "%s", reason.text);
    return again(r, SL_TIKV_PAUSE_MS, SL_TIKV_PAUSE_MS_MAX, reason.text, why);
}

/* Takes *request. SL_TOO_LARGE: the answer is above the limit of a message. */
static enum sl_err ask(struct reading *r, const struct place *at, const char *path,
                       struct sl_buf **request, struct sl_buf **response, struct sl_why *why)
{
    sl_nanos              now = now_of(r);
    sl_nanos              left = r->until > now ? r->until - now : 0;
    struct sl_channel_end end;

    tikv_counts_of(r->tikv)->reads++;
    if (sl_channel_unary(at->channel, path, request, left < request_max ? left : request_max,
                         response, &end) == SL_OK)
        return SL_OK;
    if (end.status == SL_GRPC_RESOURCE_EXHAUSTED)
        return sl_fail(why, SL_TOO_LARGE, "TiKV: %s", end.why.text);
    if (end.status == SL_GRPC_UNIMPLEMENTED)
        return sl_fail(why, SL_UNSUPPORTED, "TiKV does not know %s: %s", path, end.why.text);
    tikv_route_doubt(tikv_routes_of(r->tikv), at->store_id);
    tikv_route_forget(tikv_routes_of(r->tikv), at->region_id);
    return again(r, SL_TIKV_PAUSE_MS, SL_TIKV_PAUSE_MS_MAX, end.why.text, why);
}

/* ---- one key ---- */

static enum sl_err get(struct reading *r, struct sl_slice key, struct sl_buf **out,
                       struct sl_why *why)
{
    const struct sl_pd_region *region;
    struct place               at;
    struct sl_buf             *request;
    struct sl_buf             *response;
    struct tikv_trouble        trouble;
    struct tikv_value          value;
    bool                       whole;
    enum sl_err                err;

    if ((err = find(r, key, &region, &at, why)) != SL_OK)
        return err;
    request = tikv_pack_get(region, key, r->version);
    if ((err = ask(r, &at, get_path, &request, &response, why)) != SL_OK)
        return err;
    whole = tikv_unpack_value(response, &trouble, &value);
    sl_buf_free(&response);
    if (!whole)
        return meet_damage(r, why);
    if (trouble.kind != TIKV_NO_TROUBLE)
        return meet_trouble(r, &at, &trouble, why);
    if (value.error.failed)
        return meet_key_error(r, &value.error, why);
    if (!value.found)
        return sl_fail(why, SL_NOT_FOUND, "the key had no value at %" PRId64, r->version);
    *out = value.bytes;
    return SL_OK;
}

static enum sl_err check_key(struct sl_slice key, struct sl_why *why)
{
    if (key.len > SL_TIKV_KEY_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "a key of %zu bytes; at most %d", key.len,
                       SL_TIKV_KEY_BYTES_MAX);
    return SL_OK;
}

enum sl_err sl_tikv_get(struct sl_tikv *tikv, struct sl_slice key, sl_ts version, sl_nanos patience,
                        struct sl_buf **out, struct sl_why *why)
{
    struct reading r;
    enum sl_err    err;

    begin(&r, tikv, version, patience);
    if ((err = check_key(key, why)) != SL_OK)
        return err;
    do
        err = get(&r, key, out, why);
    while (err == SL_AGAIN);
    return err;
}

/* ---- many keys ---- */

struct scanning {
    struct reading  r;
    struct sl_slice end;
    struct sl_buf  *cursor; /* owned: all below has been told */
    uint32_t        limit;
    bool            done;
    sl_tikv_visit   visit;
    void           *context;
};

/* On from here, or from the next possible key behind it. */
static void move_cursor(struct scanning *s, struct sl_slice to, bool behind)
{
    struct sl_buf *cursor = sl_buf_new(to.len + (behind ? 1 : 0));

    if (to.len > 0)
        memcpy(cursor->data, to.bytes, to.len);
    if (behind)
        cursor->data[to.len] = 0;
    sl_buf_free(&s->cursor);
    s->cursor = cursor;
}

static bool is_below(struct sl_slice key, struct sl_slice end)
{
    return end.len == 0 || sl_tikv_key_compare(key, end) < 0;
}

/* Tell the pairs of a page that ends before `end`. */
static enum sl_err tell(struct scanning *s, const struct tikv_page *page, struct sl_slice end,
                        struct sl_why *why)
{
    for (uint32_t i = 0; i < page->count; i++) {
        const struct tikv_pair *pair = &page->pairs[i];
        enum sl_err             err;

        if ((err = check_key(pair->key, why)) != SL_OK)
            return err;
        if (sl_tikv_key_compare(pair->key, sl_slice_from_buf(s->cursor)) < 0 ||
            !is_below(pair->key, end))
            return sl_fail(why, SL_INVALID, "TiKV gave keys that were not asked for");
        err = s->visit(s->context, pair->key, pair->value);
        SL_ASSERT(err != SL_AGAIN);
        if (err != SL_OK)
            return err;
        move_cursor(s, pair->key, true);
    }
    if (page->count > 0)
        has_come_on(&s->r);
    return SL_OK;
}

/* What an answer says, about all below `end`; at_end: nothing of the range is beyond that. */
static enum sl_err take_page(struct scanning *s, const struct tikv_page *page, struct sl_slice end,
                             bool at_end, struct sl_why *why)
{
    enum sl_err err = tell(s, page, end, why);

    if (err != SL_OK)
        return err;
    if (page->error.failed)
        return meet_key_error(&s->r, &page->error, why);
    if (page->count >= s->limit)
        return SL_OK;
    s->done = at_end;
    if (!at_end)
        move_cursor(s, end, false);
    has_come_on(&s->r);
    return SL_OK;
}

/* A page in which all pairs come from one region, whose border is `border` as a raw key. */
static enum sl_err read_page(struct scanning *s, const struct sl_pd_region *region,
                             const struct place *at, struct sl_slice border, struct sl_why *why)
{
    bool            at_end = border.len == 0 || (s->end.len > 0 && !is_below(border, s->end));
    struct sl_slice end = at_end ? s->end : border;
    struct sl_buf  *request =
        tikv_pack_scan(region, sl_slice_from_buf(s->cursor), end, s->r.version, s->limit);
    struct sl_buf      *response;
    struct tikv_trouble trouble;
    struct tikv_page    page;
    bool                whole;
    enum sl_err         err = ask(&s->r, at, scan_path, &request, &response, why);

    if (err == SL_TOO_LARGE && s->limit > 1) {
        s->limit /= 2;
        return SL_AGAIN;
    }
    if (err != SL_OK)
        return err;
    whole = tikv_unpack_page(response, &trouble, &page);
    sl_buf_free(&response);
    if (!whole)
        return meet_damage(&s->r, why);
    if (trouble.kind != TIKV_NO_TROUBLE)
        err = meet_trouble(&s->r, at, &trouble, why);
    else
        err = take_page(s, &page, end, at_end, why);
    tikv_page_free(&page);
    return err;
}

static enum sl_err scan(struct scanning *s, struct sl_why *why)
{
    const struct sl_pd_region *region;
    struct place               at;
    struct sl_buf             *border;
    enum sl_err                err = find(&s->r, sl_slice_from_buf(s->cursor), &region, &at, why);

    if (err != SL_OK)
        return err;
    border = sl_tikv_key_of_border(sl_slice_from_buf(region->end));
    if (is_below(sl_slice_from_buf(s->cursor), sl_slice_from_buf(border))) {
        err = read_page(s, region, &at, sl_slice_from_buf(border), why);
    } else {
        tikv_route_forget(tikv_routes_of(s->r.tikv), at.region_id);
        err = again(&s->r, SL_TIKV_ROUTE_PAUSE_MS, SL_TIKV_ROUTE_PAUSE_MS_MAX,
                    "PD named a region that does not hold the key", why);
    }
    sl_buf_free(&border);
    return err;
}

enum sl_err sl_tikv_scan(struct sl_tikv *tikv, struct sl_slice start, struct sl_slice end,
                         sl_ts version, sl_nanos patience, sl_tikv_visit visit, void *context,
                         struct sl_why *why)
{
    struct scanning s = {
        .end = end, .limit = SL_TIKV_SCAN_PAIRS, .visit = visit, .context = context};
    enum sl_err err;

    begin(&s.r, tikv, version, patience);
    if ((err = check_key(start, why)) != SL_OK || (err = check_key(end, why)) != SL_OK)
        return err;
    s.done = !is_below(start, end);
    move_cursor(&s, start, false);
    while (!s.done && (err == SL_OK || err == SL_AGAIN))
        err = scan(&s, why);
    sl_buf_free(&s.cursor);
    return err;
}
