#include "net/schema_source_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/intrusive.h"
#include "net/pd.h"
#include "net/tikv.h"
#include "net/tikv_key.h"

/* TiDB keeps finished jobs as fields of a hash in its meta data (drainer spec 1.7):
 *
 *     "m" | encoded "DDLJobHistory" | u64 BE 'h' | encoded (u64 BE job id)   ->   the job's JSON
 *
 * encoded as net/tikv_key.h says. So a scan meets them by their ids. */

enum { PREFIX_BYTES_MAX = 64, KEY_BYTES_MAX = 128 };

/* What kind of thing a field of a hash is; the next kind ends the range. */
enum { HASH_FIELD = 'h' };

struct tikv_source {
    struct sl_schema_source source;
    struct sl_pd           *pd;    /* owned: for timestamps */
    struct sl_tikv         *tikv;  /* owned */
    struct schema_heads     heads; /* owned: of the last round */
};

/* A key being put together. */
struct key {
    uint8_t bytes[KEY_BYTES_MAX];
    size_t  len;
};

static void put(struct key *key, struct sl_slice bytes)
{
    SL_ASSERT(bytes.len <= sizeof key->bytes - key->len);
    memcpy(key->bytes + key->len, bytes.bytes, bytes.len);
    key->len += bytes.len;
}

static void put_number(struct key *key, uint64_t value)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    put(key, (struct sl_slice){bytes, sizeof bytes});
}

static void put_encoded(struct key *key, struct sl_slice bytes)
{
    struct sl_buf *encoded = sl_tikv_key_encode(bytes);

    put(key, sl_slice_from_buf(encoded));
    sl_buf_free(&encoded);
}

/* The beginning of all keys of that kind. */
static struct key prefix(uint64_t kind)
{
    struct key key = {0};

    put(&key, sl_slice_from_string("m"));
    put_encoded(&key, sl_slice_from_string("DDLJobHistory"));
    put_number(&key, kind);
    return key;
}

static struct key key_of(int64_t id)
{
    struct key key = prefix(HASH_FIELD);
    struct key number = {0};

    put_number(&number, (uint64_t)id);
    put_encoded(&key, (struct sl_slice){number.bytes, number.len});
    return key;
}

static struct sl_slice slice(const struct key *key)
{
    return (struct sl_slice){key->bytes, key->len};
}

/* A timestamp to read as of: now. */
static enum sl_err now(struct tikv_source *t, sl_ts *out, struct sl_why *why)
{
    enum sl_err err = sl_tso_now(sl_pd_tso(t->pd), 1, out, why);

    return err == SL_OK ? SL_OK : sl_wrap(why, err, "a timestamp to read DDL jobs");
}

static const sl_nanos patience = (sl_nanos)SL_HISTORY_ASK_S * SL_NANOS_PER_S;

static enum sl_err find_job(struct sl_schema_source *source, int64_t id, struct sl_json **out,
                            struct sl_why *why)
{
    struct tikv_source *t = SL_CONTAINER_OF(source, struct tikv_source, source);
    struct key          key = key_of(id);
    struct sl_buf      *value = NULL;
    sl_ts               version;
    enum sl_err         err;

    if ((err = now(t, &version, why)) != SL_OK ||
        (err = sl_tikv_get(t->tikv, slice(&key), version, patience, &value, why)) != SL_OK)
        return err == SL_NOT_FOUND ? sl_fail(why, err, "TiKV has no DDL job %" PRId64 " yet", id)
                                   : sl_wrap(why, err, "DDL job %" PRId64 " of TiKV", id);
    err = sl_json_parse_data(sl_slice_from_buf(value), SL_JOB_BYTES_MAX, out, why);
    sl_buf_free(&value);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "DDL job %" PRId64 " of TiKV", id);
}

/* ---- scans ---- */

/* Where the jobs of a scan go: into a page, or their heads alone. */
struct scan {
    struct schema_page  *page;
    struct schema_heads *heads;
    struct sl_why       *why;
};

static enum sl_err take(void *context, struct sl_slice key, struct sl_slice value)
{
    struct scan           *scan = context;
    struct sl_json        *job = NULL;
    struct schema_job_head head;
    enum sl_err            err;

    (void)key;
    if (scan->page != NULL) {
        err = sl_json_parse_data(value, SL_JOB_BYTES_MAX, &job, scan->why);
        return err == SL_OK ? schema_page_add(scan->page, &job, scan->why) : err;
    }
    if ((err = schema_job_head_of_text(value, &head, scan->why)) == SL_OK)
        schema_heads_note(scan->heads, &head);
    return err;
}

static enum sl_err scan_keys(struct tikv_source *t, const struct key *start, const struct key *end,
                             struct scan *scan)
{
    sl_ts       version;
    enum sl_err err = now(t, &version, scan->why);

    if (err == SL_OK)
        err = sl_tikv_scan(t->tikv, slice(start), slice(end), version, patience, take, scan,
                           scan->why);
    return err == SL_OK ? SL_OK : sl_wrap(scan->why, err, "the history of DDL jobs in TiKV");
}

static enum sl_err fetch(struct sl_schema_source *source, int64_t lo, int64_t hi, size_t count,
                         struct schema_page *page, struct sl_why *why)
{
    struct tikv_source *t = SL_CONTAINER_OF(source, struct tikv_source, source);
    struct scan         scan = {.page = page, .why = why};
    struct key          start = key_of(lo);
    struct key          end = key_of(hi + 1);

    (void)count;
    return scan_keys(t, &start, &end, &scan);
}

static enum sl_err visit_all(struct sl_schema_source *source, const struct sl_history_bound *bound,
                             sl_history_visit visit, void *context, struct sl_why *why)
{
    struct tikv_source *t = SL_CONTAINER_OF(source, struct tikv_source, source);
    struct scan         scan = {.heads = &t->heads, .why = why};
    int64_t             from = schema_heads_reopen(&t->heads, bound);
    struct key          start = from == 0 ? prefix(HASH_FIELD) : key_of(from);
    struct key          end = prefix(HASH_FIELD + 1);
    enum sl_err         err = scan_keys(t, &start, &end, &scan);

    if (err == SL_OK)
        err = schema_heads_visit(source, &t->heads, bound, fetch, visit, context, why);
    if (err != SL_OK) /* they are not all there, or not as they were */
        schema_heads_done(&t->heads);
    return err;
}

static void free_source(struct sl_schema_source *source)
{
    struct tikv_source *t = SL_CONTAINER_OF(source, struct tikv_source, source);

    sl_tikv_free(&t->tikv);
    sl_pd_free(&t->pd);
    schema_heads_done(&t->heads);
    free(t);
}

static const struct sl_schema_source_ops ops = {find_job, visit_all, free_source};

enum sl_err sl_schema_source_open_tikv(const struct sl_env *env, const char *pd_urls,
                                       struct sl_schema_source **out, struct sl_why *why)
{
    struct tikv_source *t = calloc(1, sizeof *t);
    enum sl_err         err;

    SL_ASSERT(t != NULL);
    t->source.ops = &ops;
    if ((err = sl_pd_open(env, pd_urls, &t->pd, why)) != SL_OK ||
        (err = sl_tikv_open(env, pd_urls, &t->tikv, why)) != SL_OK) {
        free_source(&t->source);
        return sl_wrap(why, err, "DDL jobs in TiKV");
    }
    *out = &t->source;
    return SL_OK;
}
