#include "tools/fakemeta.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "net/tikv_key.h"

const char fakemeta_get_path[] = "/tikvpb.Tikv/KvGet";
const char fakemeta_scan_path[] = "/tikvpb.Tikv/KvScan";

enum { ID_BYTES = 8, JOBS_MAX = 1 << 16, LOCK_VERSION = 11, LOCK_TTL_MS = 3000 };

struct job {
    int64_t         id;
    sl_ts           since;
    struct sl_slice text;
    struct sl_buf  *key;
};

struct fakemeta {
    struct sl_buf *bytes;
    struct job    *jobs; /* by id, as their keys are */
    uint32_t       count;
    uint64_t       locked; /* reads to come */
};

/* ---- keys ---- */

static void put_id(uint8_t *out, uint64_t id)
{
    for (unsigned i = 0; i < ID_BYTES; i++)
        out[i] = (uint8_t)(id >> (8 * (ID_BYTES - 1 - i)));
}

static struct sl_buf *key_of(int64_t id)
{
    struct sl_buf *name = sl_tikv_key_encode(sl_slice_from_string("DDLJobHistory"));
    uint8_t        number[ID_BYTES];
    struct sl_buf *field;
    struct sl_buf *key;

    put_id(number, (uint64_t)id);
    field = sl_tikv_key_encode((struct sl_slice){number, sizeof number});
    key = sl_buf_new(1 + name->len + ID_BYTES + field->len);
    key->data[0] = 'm';
    memcpy(key->data + 1, name->data, name->len);
    put_id(key->data + 1 + name->len, 'h');
    memcpy(key->data + 1 + name->len + ID_BYTES, field->data, field->len);
    sl_buf_free(&name);
    sl_buf_free(&field);
    return key;
}

/* ---- the file ---- */

static int64_t int_of(const struct sl_json *object, const char *name)
{
    const struct sl_json *value = object == NULL ? NULL : sl_json_member(object, name);

    return value != NULL && sl_json_kind(value) == SL_JSON_INT ? sl_json_int(value) : 0;
}

static enum sl_err take_line(struct fakemeta *meta, struct sl_slice line, struct sl_why *why)
{
    struct sl_json       *document;
    const struct sl_json *binlog;
    struct job           *job;
    enum sl_err           err;

    if ((err = sl_json_parse(line, &document, why)) != SL_OK)
        return sl_wrap(why, err, "ddl-history.jsonl");
    SL_ASSERT(meta->count < JOBS_MAX);
    binlog = sl_json_member(document, "binlog");
    job = &meta->jobs[meta->count++];
    *job = (struct job){.id = int_of(document, "id"), .text = line};
    if (binlog != NULL && sl_json_kind(binlog) == SL_JSON_OBJECT)
        job->since = int_of(binlog, "FinishedTS");
    if (job->since == 0)
        job->since = int_of(document, "start_ts");
    job->key = key_of(job->id);
    sl_json_free(&document);
    return SL_OK;
}

static enum sl_err take_lines(struct fakemeta *meta, struct sl_why *why)
{
    const uint8_t *at = meta->bytes->data;
    const uint8_t *end = at + meta->bytes->len;
    enum sl_err    err = SL_OK;

    while (at < end && err == SL_OK) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        const uint8_t *stop = newline != NULL ? newline : end;

        if (stop > at)
            err = take_line(meta, (struct sl_slice){at, (size_t)(stop - at)}, why);
        at = stop + 1;
    }
    return err;
}

static int by_id(const void *a, const void *b)
{
    const struct job *left = a;
    const struct job *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

/* The jobs whose binlogs were recorded are there when the last of these was committed. */
static void take_commits(struct fakemeta *meta, const struct corpus *corpus)
{
    for (uint32_t i = 0; i < corpus->count; i++) {
        const struct corpus_record *commit = &corpus->records[i];
        struct sl_record            prewrite;
        struct job                  wanted;
        struct job                 *job;

        if (commit->type != SL_RECORD_COMMIT ||
            sl_record_decode(corpus->records[commit->prewrite].payload, &prewrite, NULL) != SL_OK)
            continue;
        wanted.id = prewrite.ddl_job_id;
        job = bsearch(&wanted, meta->jobs, meta->count, sizeof *meta->jobs, by_id);
        if (job != NULL && commit->commit_ts > job->since)
            job->since = commit->commit_ts;
    }
}

enum sl_err fakemeta_open(const struct sl_env *env, const char *path, const struct corpus *corpus,
                          struct fakemeta **out, struct sl_why *why)
{
    struct fakemeta    *meta = calloc(1, sizeof *meta);
    char                file[SL_PATH_BYTES_MAX];
    struct sl_file_info info;
    enum sl_err         err;

    SL_ASSERT(meta != NULL);
    *out = meta;
    if (sl_path_join(file, path, "ddl-history.jsonl", NULL) != SL_OK ||
        sl_fs_info(env->fs, file, &info, NULL) != SL_OK)
        return SL_OK;
    meta->jobs = calloc(JOBS_MAX, sizeof *meta->jobs);
    SL_ASSERT(meta->jobs != NULL);
    if ((err = corpus_read(env->fs, file, &meta->bytes, why)) != SL_OK ||
        (err = take_lines(meta, why)) != SL_OK)
        return err;
    qsort(meta->jobs, meta->count, sizeof *meta->jobs, by_id);
    take_commits(meta, corpus);
    return SL_OK;
}

/* ---- answers ---- */

void fakemeta_lock(struct fakemeta *meta, uint64_t count)
{
    meta->locked = count;
}

/* An error of a key; NULL: it can be read. */
static Sluice__Tikv__KeyError *next_lock(struct fakemeta *meta, Sluice__Tikv__KeyError *error,
                                         Sluice__Tikv__LockInfo *lock)
{
    if (meta->locked == 0)
        return NULL;
    meta->locked--;
    sluice__tikv__key_error__init(error);
    sluice__tikv__lock_info__init(lock);
    lock->lock_version = LOCK_VERSION;
    lock->lock_ttl = LOCK_TTL_MS;
    error->locked = lock;
    return error;
}

static struct sl_slice slice_of(ProtobufCBinaryData data)
{
    return (struct sl_slice){data.data, data.len};
}

static ProtobufCBinaryData data_of(struct sl_slice slice)
{
    return (ProtobufCBinaryData){.len = slice.len, .data = (uint8_t *)(uintptr_t)slice.bytes};
}

static struct sl_buf *packed(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    return buf;
}

static struct sl_buf *get(struct fakemeta *meta, const struct sl_buf *bytes,
                          Sluice__Tikv__RegionError *error)
{
    Sluice__Tikv__GetRequest *request =
        sluice__tikv__get_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Tikv__GetResponse response = SLUICE__TIKV__GET_RESPONSE__INIT;
    Sluice__Tikv__KeyError    key_error;
    Sluice__Tikv__LockInfo    lock;

    SL_ASSERT(request != NULL);
    response.region_error = error;
    if (error == NULL)
        response.error = next_lock(meta, &key_error, &lock);
    response.not_found = error == NULL && response.error == NULL;
    for (uint32_t i = 0; i < meta->count && response.not_found; i++) {
        const struct job *job = &meta->jobs[i];

        if (sl_slice_equal(sl_slice_from_buf(job->key), slice_of(request->key)) &&
            (uint64_t)job->since <= request->version) {
            response.not_found = false;
            response.value = data_of(job->text);
        }
    }
    sluice__tikv__get_request__free_unpacked(request, NULL);
    return packed(&response.base);
}

static bool is_asked(const struct job *job, const Sluice__Tikv__ScanRequest *request)
{
    struct sl_slice key = sl_slice_from_buf(job->key);

    return sl_tikv_key_compare(key, slice_of(request->start_key)) >= 0 &&
           (request->end_key.len == 0 ||
            sl_tikv_key_compare(key, slice_of(request->end_key)) < 0) &&
           (uint64_t)job->since <= request->version;
}

static struct sl_buf *scan(struct fakemeta *meta, const struct sl_buf *bytes,
                           Sluice__Tikv__RegionError *error)
{
    Sluice__Tikv__ScanRequest *request =
        sluice__tikv__scan_request__unpack(NULL, bytes->len, bytes->data);
    Sluice__Tikv__ScanResponse response = SLUICE__TIKV__SCAN_RESPONSE__INIT;
    Sluice__Tikv__KvPair      *pairs = calloc(meta->count + 1, sizeof *pairs);
    Sluice__Tikv__KeyError     key_error;
    Sluice__Tikv__LockInfo     lock;
    struct sl_buf             *buf;

    SL_ASSERT(request != NULL && pairs != NULL);
    response.pairs = calloc(meta->count + 1, sizeof *response.pairs);
    SL_ASSERT(response.pairs != NULL);
    response.region_error = error;
    for (uint32_t i = 0; i < meta->count && error == NULL; i++) {
        Sluice__Tikv__KvPair *pair = &pairs[response.n_pairs];

        if (response.n_pairs == request->limit || !is_asked(&meta->jobs[i], request))
            continue;
        sluice__tikv__kv_pair__init(pair);
        pair->error = next_lock(meta, &key_error, &lock);
        if (pair->error == NULL) {
            pair->key = data_of(sl_slice_from_buf(meta->jobs[i].key));
            pair->value = data_of(meta->jobs[i].text);
        }
        response.pairs[response.n_pairs++] = pair;
    }
    buf = packed(&response.base);
    free(response.pairs);
    free(pairs);
    sluice__tikv__scan_request__free_unpacked(request, NULL);
    return buf;
}

struct sl_buf *fakemeta_answer(struct fakemeta *meta, const char *path,
                               const struct sl_buf *request, Sluice__Tikv__RegionError *error)
{
    return strcmp(path, fakemeta_get_path) == 0 ? get(meta, request, error)
                                                : scan(meta, request, error);
}
