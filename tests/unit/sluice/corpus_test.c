/* The corpus reader takes the project's recording whole, packed or not, and refuses whatever is
 * none with a reason that names the record: every length, every cut, every damaged byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/env_os.h"
#include "base/limits.h"
#include "base/prng.h"
#include "lib/folder.h"
#include "sluice/corpus.h"

static const char recording[] = "tests/corpus/types";

static struct corpus loaded(const char *path)
{
    struct corpus corpus;
    struct sl_why why = {0};

    if (corpus_load(sl_env_os()->fs, path, &corpus, &why) != SL_OK)
        fail_msg("%s", why.text);
    return corpus;
}

static void the_recording_is_read_as_its_meta_file_counts_it(void **state)
{
    struct corpus corpus = loaded(recording);

    (void)state;
    assert_true(corpus.cluster_id == UINT64_C(7710540778703454155));
    assert_int_equal(corpus.count, 2116);
    assert_int_equal(corpus.prewrites, 1058);
    assert_int_equal(corpus.commits, 1052);
    assert_int_equal(corpus.rollbacks, 6);
    for (uint32_t i = 0; i < corpus.count; i++) {
        const struct corpus_record *record = &corpus.records[i];
        const struct corpus_record *prewrite = &corpus.records[record->prewrite];

        assert_true(record->prewrite <= i);
        assert_int_equal(prewrite->type, SL_RECORD_PREWRITE);
        assert_int_equal(prewrite->start_ts, record->start_ts);
        assert_true(i == 0 || record->arrival_ns >= corpus.records[i - 1].arrival_ns);
    }
    assert_int_equal(corpus.records[0].arrival_ns, 0);
    corpus_free(&corpus);
}

/* ---- made by hand ---- */

static struct sl_buf *written;

static void begin(void)
{
    sl_buf_free(&written);
    written = sl_buf_new(0);
}

static void append(const void *bytes, size_t count)
{
    struct sl_buf *longer = sl_buf_new(written->len + count);

    if (written->len > 0)
        memcpy(longer->data, written->data, written->len);
    memcpy(longer->data + written->len, bytes, count);
    sl_buf_free(&written);
    written = longer;
}

static void add(int32_t type, sl_ts start_ts, sl_ts commit_ts, uint64_t arrival)
{
    struct sl_record record = {.type = type, .start_ts = start_ts, .commit_ts = commit_ts};
    uint8_t          head[CORPUS_HEAD_BYTES] = {0};
    uint8_t          payload[64];
    size_t           size = sl_record_encoded_bytes(&record);

    assert_true(size <= sizeof payload);
    sl_record_encode(&record, payload);
    head[0] = (uint8_t)size;
    head[4] = 1;
    for (unsigned i = 0; i < 8; i++)
        head[8 + i] = (uint8_t)(arrival >> (8 * i));
    append(head, sizeof head);
    append(payload, size);
}

/* Parse what was written; "" or the reason. */
static const char *parsed(struct corpus *corpus)
{
    static struct sl_why why;
    struct sl_buf       *bytes = written;
    enum sl_err          err;

    why.text[0] = '\0';
    written = NULL;
    err = corpus_parse(&bytes, corpus, &why);
    assert_null(bytes);
    assert_int_equal(err == SL_OK, why.text[0] == '\0');
    assert_true(err == SL_OK || err == SL_INVALID);
    return why.text;
}

static void refused(const char *words)
{
    struct corpus corpus = {0};
    const char   *reason = parsed(&corpus);

    if (strstr(reason, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, reason);
    assert_null(corpus.bytes);
}

static void arrival_times_count_from_the_first_and_never_fall(void **state)
{
    struct corpus corpus;

    (void)state;
    begin();
    add(SL_RECORD_PREWRITE, 1, 0, 1000);
    add(SL_RECORD_PREWRITE, 2, 0, 1500);
    add(SL_RECORD_COMMIT, 1, 5, 900);
    add(SL_RECORD_ROLLBACK, 2, 0, 1600);
    assert_string_equal(parsed(&corpus), "");
    assert_int_equal(corpus.records[0].arrival_ns, 0);
    assert_int_equal(corpus.records[1].arrival_ns, 500);
    assert_int_equal(corpus.records[2].arrival_ns, 500);
    assert_int_equal(corpus.records[3].arrival_ns, 600);
    assert_int_equal(corpus.records[3].pump, 1);
    assert_int_equal(corpus.records[3].prewrite, 1);
    corpus_free(&corpus);
}

static void what_no_tidb_sends_is_refused(void **state)
{
    static const uint8_t probe[CORPUS_HEAD_BYTES] = {0};
    static const uint8_t padded[CORPUS_HEAD_BYTES] = {0, 0, 0, 0, 0, 1};
    static const uint8_t broken[CORPUS_HEAD_BYTES + 1] = {[0] = 1, [CORPUS_HEAD_BYTES] = 0x08};

    (void)state;
    begin();
    refused("no records");
    begin();
    append(probe, sizeof probe);
    refused("record 0: its start ts is 0");
    begin();
    append(padded, sizeof padded);
    refused("record 0 at byte 0: bytes 5 to 7");
    begin();
    append(broken, sizeof broken);
    refused("record 0: unexpected EOF");
    begin();
    add(SL_RECORD_COMMIT, 1, 2, 0);
    refused("record 0: no prewrite with start ts 1");
    begin();
    add(SL_RECORD_COMMIT, 1, 2, 0);
    add(SL_RECORD_PREWRITE, 1, 0, 0);
    refused("record 0: no prewrite with start ts 1");
    begin();
    add(SL_RECORD_PREWRITE, 1, 0, 0);
    add(SL_RECORD_PREWRITE, 1, 0, 0);
    refused("two prewrites with start ts 1");
    begin();
    add(SL_RECORD_PREWRITE, 7, 0, 0);
    add(SL_RECORD_COMMIT, 7, 7, 0);
    refused("record 1: commit ts 7 is not after start ts 7");
    begin();
    add(SL_RECORD_PRE_DDL, 7, 0, 0);
    refused("record 0: its type is 3");
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    begin();
    add(SL_RECORD_PREWRITE, 1, 0, 0);
    add(SL_RECORD_COMMIT, 1, 5, 0);
    for (size_t keep = written->len - 1; keep > 0; keep--) {
        struct sl_buf *whole = sl_buf_ref(written);
        struct sl_buf *cut = sl_buf_new(keep);
        struct corpus  corpus;

        memcpy(cut->data, whole->data, keep);
        sl_buf_free(&written);
        written = cut;
        if (parsed(&corpus)[0] == '\0') { /* between the two */
            assert_int_equal(corpus.count, 1);
            corpus_free(&corpus);
        }
        written = whole;
    }
    sl_buf_free(&written);
}

static void damaged_bytes_are_read_or_refused_within_bounds(void **state)
{
    struct corpus  whole = loaded(recording);
    struct sl_prng prng;

    (void)state;
    sl_prng_seed(&prng, 1);
    for (unsigned round = 0; round < 200; round++) {
        size_t        keep = 1 + (size_t)sl_prng_below(&prng, 20000);
        struct corpus corpus;

        written = sl_buf_new(keep); /* an own allocation: a sanitizer sees its end */
        memcpy(written->data, whole.bytes->data, keep);
        for (unsigned i = 0; i < 3; i++)
            written->data[sl_prng_below(&prng, keep)] = (uint8_t)sl_prng_next(&prng);
        if (parsed(&corpus)[0] == '\0')
            corpus_free(&corpus);
    }
    corpus_free(&whole);
}

/* ---- files ---- */

static void put_file(const char *folder, const char *name, const void *bytes, size_t count)
{
    char            path[FOLDER_PATH_BYTES];
    struct sl_file *file;

    folder_join(path, folder, name);
    assert_int_equal(sl_fs_create(sl_env_os()->fs, path, &file, NULL), SL_OK);
    assert_int_equal(sl_file_write(file, bytes, count, NULL), SL_OK);
    sl_file_close(&file);
}

/* What zstd -19 makes of a recording of one prewrite, start ts 1. */
static const uint8_t packed[] = {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x18, 0xa5, 0x00, 0x00, 0x70, 0x08,
                                 0x00, 0x00, 0x00, 0x01, 0x00, 0x08, 0x00, 0x10, 0x01, 0x18, 0x00,
                                 0x38, 0x00, 0x01, 0x00, 0x1b, 0x28, 0x02, 0x02, 0x47, 0xfc, 0x77};

static void load_fails(const char *path, enum sl_err expected, const char *words)
{
    struct corpus corpus = {0};
    struct sl_why why = {0};

    assert_int_equal(corpus_load(sl_env_os()->fs, path, &corpus, &why), expected);
    if (strstr(why.text, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, why.text);
}

static void packed_files_are_unpacked_and_cut_ones_refused(void **state)
{
    char          folder[FOLDER_PATH_BYTES];
    struct corpus corpus;

    (void)state;
    folder_make(folder);
    load_fails(folder, SL_NOT_FOUND, "neither writes.bin nor writes.bin.zst is in it");
    put_file(folder, "writes.bin.zst", packed, sizeof packed);
    corpus = loaded(folder);
    assert_int_equal(corpus.count, 1);
    assert_int_equal(corpus.cluster_id, 0);
    corpus_free(&corpus);
    for (size_t keep = 1; keep < sizeof packed; keep++) {
        put_file(folder, "writes.bin.zst", packed, keep);
        load_fails(folder, SL_INVALID, "writes.bin.zst: ");
    }
    put_file(folder, "writes.bin.zst", recording, sizeof recording);
    load_fails(folder, SL_INVALID, "unpack: Unknown frame descriptor");
    folder_remove(folder);
}

static void a_meta_file_without_a_cluster_id_is_refused(void **state)
{
    static const char *const wrong[] = {"{}",
                                        "[]",
                                        "{\"cluster_id\":5}",
                                        "{\"cluster_id\":\"\"}",
                                        "{\"cluster_id\":\"12x\"}",
                                        "{\"cluster_id\":\"18446744073709551616\"}"};
    static const char        right[] = "{\"cluster_id\":\"18446744073709551615\"}";
    char                     folder[FOLDER_PATH_BYTES];
    struct corpus            corpus;

    (void)state;
    folder_make(folder);
    put_file(folder, "writes.bin.zst", packed, sizeof packed);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_file(folder, "meta.json", wrong[i], strlen(wrong[i]));
        load_fails(folder, SL_INVALID, "meta.json: no cluster_id");
    }
    put_file(folder, "meta.json", right, strlen(right));
    corpus = loaded(folder);
    assert_true(corpus.cluster_id == UINT64_MAX);
    corpus_free(&corpus);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recording_is_read_as_its_meta_file_counts_it),
        cmocka_unit_test(arrival_times_count_from_the_first_and_never_fall),
        cmocka_unit_test(what_no_tidb_sends_is_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(damaged_bytes_are_read_or_refused_within_bounds),
        cmocka_unit_test(packed_files_are_unpacked_and_cut_ones_refused),
        cmocka_unit_test(a_meta_file_without_a_cluster_id_is_refused),
    };

    return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
