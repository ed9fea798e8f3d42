/* What is written of a tracker is the same tracker when it is read, at any point of a recording,
 * and goes on from there as the first does. Bytes that are cut or damaged are refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/prng.h"
#include "binlog/schema_store.h"

/* Apply the jobs of the recording `ddl` of schema versions above..until. */
static void apply_history(struct sl_schema *schema, int64_t above, int64_t until)
{
    FILE   *file = fopen("tests/corpus/ddl/ddl-history.jsonl", "r");
    char   *line = NULL;
    size_t  room = 0;
    ssize_t len;

    assert_non_null(file);
    while ((len = getline(&line, &room, file)) > 0) {
        struct sl_job *job = NULL;
        struct sl_why  why = {0};

        if (sl_job_parse((struct sl_slice){(const uint8_t *)line, (size_t)len}, &job, &why) !=
            SL_OK)
            fail_msg("%s", why.text);
        if (job->schema_version > above && job->schema_version <= until &&
            sl_schema_apply(schema, job, &why) != SL_OK)
            fail_msg("%s", why.text);
        sl_job_free(&job);
    }
    free(line);
    (void)fclose(file);
}

static struct sl_buf *written(const struct sl_schema *schema)
{
    struct sl_buf *bytes = NULL;

    assert_int_equal(sl_schema_write(schema, &bytes, NULL), SL_OK);
    return bytes;
}

static struct sl_schema *read_again(const struct sl_buf *bytes)
{
    struct sl_schema *schema = NULL;
    struct sl_why     why = {0};

    if (sl_schema_read(sl_slice_from_buf(bytes), &schema, &why) != SL_OK)
        fail_msg("%s", why.text);
    return schema;
}

static void assert_same_text(struct sl_slice a, struct sl_slice b)
{
    assert_true(sl_slice_equal(a, b));
    assert_int_equal(b.bytes[b.len], '\0');
}

static void assert_same_table(const struct sl_table *a, const struct sl_table *b)
{
    assert_int_equal(a->version, b->version);
    assert_same_text(a->schema, b->schema);
    assert_same_text(a->name, b->name);
    assert_int_equal(a->column_count, b->column_count);
    for (uint32_t i = 0; i < a->column_count; i++) {
        const struct sl_column *x = &a->columns[i];
        const struct sl_column *y = sl_table_column(b, x->id);

        assert_ptr_equal(y, &b->columns[i]);
        assert_same_text(x->name, y->name);
        assert_true(x->type == y->type && x->state == y->state && x->flags == y->flags);
        assert_true(x->flen == y->flen && x->decimal == y->decimal);
        assert_true(x->is_binary == y->is_binary && x->is_generated == y->is_generated);
        assert_true(x->is_stored == y->is_stored && x->is_hidden == y->is_hidden);
        assert_same_text(x->collation, y->collation);
        assert_int_equal(x->element_count, y->element_count);
        for (uint32_t k = 0; k < x->element_count; k++)
            assert_same_text(x->elements[k], y->elements[k]);
        assert_int_equal(x->default_kind, y->default_kind);
        assert_same_text(x->default_value, y->default_value);
    }
    assert_int_equal(a->index_count, b->index_count);
    for (uint32_t i = 0; i < a->index_count; i++) {
        assert_same_text(a->indexes[i].name, b->indexes[i].name);
        assert_int_equal(a->indexes[i].is_primary, b->indexes[i].is_primary);
        assert_int_equal(a->indexes[i].part_count, b->indexes[i].part_count);
        for (uint32_t k = 0; k < a->indexes[i].part_count; k++) {
            assert_int_equal(a->indexes[i].parts[k].column, b->indexes[i].parts[k].column);
            assert_int_equal(a->indexes[i].parts[k].length, b->indexes[i].parts[k].length);
        }
    }
}

static void assert_same(const struct sl_schema *a, const struct sl_schema *b)
{
    assert_int_equal(sl_schema_version(a), sl_schema_version(b));
    for (int64_t id = 0; id < 220; id++) {
        assert_int_equal(sl_schema_fate(a, id), sl_schema_fate(b, id));
        assert_int_equal(sl_schema_database(a, id) != NULL, sl_schema_database(b, id) != NULL);
        if (sl_schema_database(a, id) != NULL)
            assert_same_text(sl_schema_database(a, id)->name, sl_schema_database(b, id)->name);
        if (sl_schema_fate(a, id) != SL_TABLE_LIVE)
            continue;
        assert_same_table(sl_schema_table(a, id), sl_schema_table(b, id));
        assert_same_table(sl_schema_table_at(a, id, 0), sl_schema_table_at(b, id, 0));
    }
}

static void a_tracker_comes_back_and_goes_on(void **state)
{
    static const int64_t points[] = {0, 18, 46, 131, 169, 276};

    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct sl_schema *schema = sl_schema_new();
        struct sl_schema *copy;
        struct sl_buf    *bytes;

        apply_history(schema, 0, points[i]);
        bytes = written(schema);
        copy = read_again(bytes);
        assert_same(schema, copy);
        apply_history(schema, 0, INT64_MAX);
        apply_history(copy, points[i] / 2, INT64_MAX); /* some are applied already */
        assert_same(schema, copy);
        sl_buf_free(&bytes);
        sl_schema_free(&copy);
        sl_schema_free(&schema);
    }
}

static void assert_refused(const uint8_t *bytes, size_t len, const char *words)
{
    struct sl_schema *schema = NULL;
    struct sl_why     why = {0};

    assert_int_equal(sl_schema_read((struct sl_slice){bytes, len}, &schema, &why), SL_INVALID);
    assert_null(schema);
    if (strstr(why.text, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, why.text);
}

static void damage_is_seen(void **state)
{
    struct sl_schema *schema = sl_schema_new();
    struct sl_buf    *bytes;
    uint8_t          *copy;
    struct sl_prng    prng;

    (void)state;
    apply_history(schema, 0, 46);
    bytes = written(schema);
    copy = malloc(bytes->len);
    assert_non_null(copy);
    sl_prng_seed(&prng, 5);
    for (size_t cut = 0; cut < bytes->len; cut += 1 + cut / 16)
        assert_refused(bytes->data, cut, cut < 12 ? "no stored schema" : "damaged");
    for (int i = 0; i < 300; i++) {
        size_t at = (size_t)sl_prng_below(&prng, bytes->len);

        memcpy(copy, bytes->data, bytes->len);
        copy[at] ^= (uint8_t)(1 << sl_prng_below(&prng, 8));
        assert_refused(copy, bytes->len, at < 8 ? "no stored schema" : "damaged");
    }
    free(copy);
    sl_buf_free(&bytes);
    sl_schema_free(&schema);
}

/* Whatever stands under a right sum: it is refused, or read, but nothing is overrun. */
static void a_right_sum_is_not_believed(void **state)
{
    struct sl_schema *schema = sl_schema_new();
    struct sl_buf    *bytes;
    struct sl_prng    prng;

    (void)state;
    apply_history(schema, 0, 46);
    bytes = written(schema);
    sl_prng_seed(&prng, 6);
    for (int i = 0; i < 3000; i++) {
        uint8_t          *copy = malloc(bytes->len);
        size_t            len = 12 + (size_t)sl_prng_below(&prng, bytes->len - 11);
        struct sl_schema *read = NULL;

        assert_non_null(copy);
        memcpy(copy, bytes->data, bytes->len);
        copy[8 + sl_prng_below(&prng, len - 11)] = (uint8_t)sl_prng_next(&prng);
        sl_bytes_put_u32(copy + len - 4, sl_crc32c(0, copy, len - 4));
        (void)sl_schema_read((struct sl_slice){copy, len}, &read, NULL);
        sl_schema_free(&read);
        free(copy);
    }
    sl_buf_free(&bytes);
    sl_schema_free(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tracker_comes_back_and_goes_on),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(a_right_sum_is_not_believed),
    };

    return cmocka_run_group_tests_name("schema_store", tests, NULL, NULL);
}
