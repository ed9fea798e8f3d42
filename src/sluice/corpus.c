#include "sluice/corpus.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/limits.h"

static uint64_t little_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;

    for (unsigned i = count; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* ---- the recording ---- */

/* Take the record at *offset apart; its payload is not looked into. */
static enum sl_err take_head(struct sl_slice all, size_t *offset, struct corpus_record *out,
                             struct sl_why *why)
{
    struct sl_slice head;
    uint64_t        length;

    if (!sl_slice_sub(all, *offset, CORPUS_HEAD_BYTES, &head))
        return sl_fail(why, SL_INVALID, "the file ends within its head");
    length = little_endian(head.bytes, 4);
    out->pump = head.bytes[4];
    out->arrival_ns = little_endian(head.bytes + 8, 8);
    if ((head.bytes[5] | head.bytes[6] | head.bytes[7]) != 0)
        return sl_fail(why, SL_INVALID, "bytes 5 to 7 of its head are not zero");
    if (!sl_slice_sub(all, *offset + CORPUS_HEAD_BYTES, (size_t)length, &out->payload))
        return sl_fail(why, SL_INVALID, "the file ends within its %" PRIu64 " bytes", length);
    *offset += CORPUS_HEAD_BYTES + (size_t)length;
    return SL_OK;
}

static enum sl_err count_records(struct sl_slice all, uint32_t *count, struct sl_why *why)
{
    struct corpus_record record;
    size_t               offset = 0;
    enum sl_err          err;

    for (*count = 0; offset < all.len; (*count)++) {
        size_t at = offset;

        if (*count == SL_CORPUS_RECORDS_MAX)
            return sl_fail(why, SL_TOO_LARGE, "more than %d records", SL_CORPUS_RECORDS_MAX);
        if ((err = take_head(all, &offset, &record, why)) != SL_OK)
            return sl_wrap(why, err, "record %" PRIu32 " at byte %zu", *count, at);
    }
    return *count > 0 ? SL_OK : sl_fail(why, SL_INVALID, "no records");
}

static enum sl_err decode(struct corpus *corpus, struct corpus_record *record, struct sl_why *why)
{
    struct sl_record binlog;
    enum sl_err      err = sl_record_decode(record->payload, &binlog, why);

    if (err != SL_OK)
        return err;
    if (binlog.type < SL_RECORD_PREWRITE || binlog.type > SL_RECORD_ROLLBACK)
        return sl_fail(why, SL_INVALID, "its type is %" PRId32, binlog.type);
    if (binlog.start_ts <= 0)
        return sl_fail(why, SL_INVALID, "its start ts is %" PRId64, binlog.start_ts);
    if (binlog.type == SL_RECORD_COMMIT && binlog.commit_ts <= binlog.start_ts)
        return sl_fail(why, SL_INVALID, "commit ts %" PRId64 " is not after start ts %" PRId64,
                       binlog.commit_ts, binlog.start_ts);
    record->type = (enum sl_record_type)binlog.type;
    record->start_ts = binlog.start_ts;
    record->commit_ts = record->type == SL_RECORD_COMMIT ? binlog.commit_ts : 0;
    corpus->prewrites += record->type == SL_RECORD_PREWRITE;
    corpus->commits += record->type == SL_RECORD_COMMIT;
    corpus->rollbacks += record->type == SL_RECORD_ROLLBACK;
    return SL_OK;
}

static enum sl_err decode_records(struct corpus *corpus, struct sl_why *why)
{
    struct sl_slice all = sl_slice_from_buf(corpus->bytes);
    uint64_t        first = 0;
    uint64_t        last = 0;
    size_t          offset = 0;

    for (uint32_t i = 0; i < corpus->count; i++) {
        struct corpus_record *record = &corpus->records[i];
        enum sl_err           err = take_head(all, &offset, record, why);

        SL_ASSERT(err == SL_OK); /* they were counted so */
        if ((err = decode(corpus, record, why)) != SL_OK)
            return sl_wrap(why, err, "record %" PRIu32, i);
        if (i == 0)
            first = record->arrival_ns;
        /* Clients of the recorder race for its clock: a step back is no step. */
        if (record->arrival_ns < first + last)
            record->arrival_ns = first + last;
        last = record->arrival_ns - first;
        record->arrival_ns = last;
    }
    return SL_OK;
}

/* ---- each commit's prewrite ---- */

struct prewrite {
    sl_ts    start_ts;
    uint32_t index;
};

static int compare_prewrites(const void *a, const void *b)
{
    sl_ts left = ((const struct prewrite *)a)->start_ts;
    sl_ts right = ((const struct prewrite *)b)->start_ts;

    return (left > right) - (left < right);
}

/* The prewrites by start ts; freed by the caller. NULL when two have the same. */
static struct prewrite *sorted_prewrites(const struct corpus *corpus, struct sl_why *why)
{
    struct prewrite *all = calloc(corpus->prewrites + UINT32_C(1), sizeof *all);
    uint32_t         count = 0;

    SL_ASSERT(all != NULL);
    for (uint32_t i = 0; i < corpus->count; i++) {
        if (corpus->records[i].type == SL_RECORD_PREWRITE)
            all[count++] = (struct prewrite){corpus->records[i].start_ts, i};
    }
    SL_ASSERT(count == corpus->prewrites);
    qsort(all, count, sizeof *all, compare_prewrites);
    for (uint32_t i = 1; i < count; i++) {
        if (all[i].start_ts == all[i - 1].start_ts) {
            (void)sl_fail(why, SL_INVALID, "two prewrites with start ts %" PRId64, all[i].start_ts);
            free(all);
            return NULL;
        }
    }
    return all;
}

static enum sl_err find_prewrites(struct corpus *corpus, struct sl_why *why)
{
    struct prewrite *all = sorted_prewrites(corpus, why);
    enum sl_err      err = SL_OK;

    if (all == NULL)
        return SL_INVALID;
    for (uint32_t i = 0; i < corpus->count && err == SL_OK; i++) {
        struct corpus_record  *record = &corpus->records[i];
        struct prewrite        key = {.start_ts = record->start_ts};
        const struct prewrite *found =
            bsearch(&key, all, corpus->prewrites, sizeof *all, compare_prewrites);

        if (found == NULL || found->index > i)
            err = sl_fail(why, SL_INVALID,
                          "record %" PRIu32 ": no prewrite with start ts %" PRId64 " before it", i,
                          record->start_ts);
        else
            record->prewrite = found->index;
    }
    free(all);
    return err;
}

enum sl_err corpus_parse(struct sl_buf **bytes, struct corpus *out, struct sl_why *why)
{
    struct corpus corpus = {.bytes = *bytes};
    enum sl_err   err;

    *bytes = NULL;
    if ((err = count_records(sl_slice_from_buf(corpus.bytes), &corpus.count, why)) != SL_OK)
        goto fail;
    corpus.records = calloc(corpus.count, sizeof *corpus.records);
    SL_ASSERT(corpus.records != NULL);
    if ((err = decode_records(&corpus, why)) != SL_OK ||
        (err = find_prewrites(&corpus, why)) != SL_OK)
        goto fail;
    *out = corpus;
    return SL_OK;

fail:
    corpus_free(&corpus);
    return err;
}

void corpus_free(struct corpus *corpus)
{
    free(corpus->records);
    sl_buf_free(&corpus->bytes);
    *corpus = (struct corpus){0};
}

/* ---- files ---- */

/* The cluster_id of a meta.json: a number as text, because JSON's numbers end at 2^53 for many. */
static enum sl_err read_cluster_id(struct sl_slice text, uint64_t *out, struct sl_why *why)
{
    struct sl_json       *meta;
    const struct sl_json *id;
    const char           *digits;
    uint64_t              value = 0;
    enum sl_err           err;

    if ((err = sl_json_parse(text, &meta, why)) != SL_OK)
        return err;
    id = sl_json_kind(meta) == SL_JSON_OBJECT ? sl_json_member(meta, "cluster_id") : NULL;
    digits = id != NULL && sl_json_kind(id) == SL_JSON_TEXT ? sl_json_text(id) : "";
    err = digits[0] != '\0' ? SL_OK : SL_INVALID;
    for (; err == SL_OK && *digits != '\0'; digits++) {
        unsigned digit = (unsigned)*digits - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            err = SL_INVALID;
        value = value * 10 + digit;
    }
    sl_json_free(&meta);
    if (err != SL_OK)
        return sl_fail(why, err, "no cluster_id that is a number in a text");
    *out = value;
    return SL_OK;
}

/* The meta.json in the same directory; it may be missing. */
static enum sl_err read_meta(struct sl_fs *fs, const char *path, uint64_t *cluster_id,
                             struct sl_why *why)
{
    const char    *slash = strrchr(path, '/');
    char           meta[SL_PATH_BYTES_MAX];
    struct sl_buf *text;
    enum sl_err    err;

    *cluster_id = 0;
    if ((size_t)snprintf(meta, sizeof meta, "%.*smeta.json",
                         slash != NULL ? (int)(slash + 1 - path) : 0, path) >= sizeof meta)
        return sl_fail(why, SL_TOO_LARGE, "%.100s: the path is too long", path);
    err = corpus_read(fs, meta, &text, why);
    if (err == SL_NOT_FOUND)
        return SL_OK;
    if (err != SL_OK)
        return err;
    err = read_cluster_id(sl_slice_from_buf(text), cluster_id, why);
    sl_buf_free(&text);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "%s", meta);
}

/* The path of the file into out: path itself, or what lies in the directory path. */
static enum sl_err find_file(struct sl_fs *fs, const char *path, char *out, struct sl_why *why)
{
    struct sl_file_info info;
    enum sl_err         err = sl_fs_info(fs, path, &info, why);

    if (err != SL_OK)
        return err;
    if (info.kind != SL_FILE_DIRECTORY)
        return sl_path_add(out, path, "", why);
    if ((err = sl_path_join(out, path, "writes.bin", why)) != SL_OK ||
        sl_fs_info(fs, out, &info, NULL) == SL_OK)
        return err;
    if ((err = sl_path_join(out, path, "writes.bin.zst", why)) != SL_OK ||
        (err = sl_fs_info(fs, out, &info, NULL)) == SL_OK)
        return err;
    return sl_fail(why, err, "%s: neither writes.bin nor writes.bin.zst is in it", path);
}

enum sl_err corpus_load(struct sl_fs *fs, const char *path, struct corpus *out, struct sl_why *why)
{
    char           file[SL_PATH_BYTES_MAX];
    struct corpus  corpus;
    struct sl_buf *bytes;
    enum sl_err    err;

    if ((err = find_file(fs, path, file, why)) != SL_OK ||
        (err = corpus_read(fs, file, &bytes, why)) != SL_OK)
        return err;
    if ((err = corpus_parse(&bytes, &corpus, why)) != SL_OK)
        return sl_wrap(why, err, "%s", file);
    if ((err = read_meta(fs, file, &corpus.cluster_id, why)) != SL_OK) {
        corpus_free(&corpus);
        return err;
    }
    *out = corpus;
    return SL_OK;
}
