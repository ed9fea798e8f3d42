/* The shop's jobs: each is one line of JSON with rising ids and versions, and says what the table
 * looks like behind it; after a round of changes the tables are as they were. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "sluice/shop_schema.h"

enum { ROUND = 6 };

static int64_t integer(const struct sl_json *object, const char *name)
{
    return sl_json_int(sl_json_member(object, name));
}

/* Run the job to come and look at its line. */
static void run_job(struct shop_schema *s, int64_t *id, int64_t *version)
{
    static char           line[SHOP_LINE_BYTES_MAX];
    const char           *query = shop_job_query(s);
    const int             table = shop_job_step(s).table;
    const int64_t         expected_id = shop_job_id(s);
    const size_t          len = shop_job_run(s, 7, 9, line);
    const struct sl_json *binlog;
    struct sl_json       *job;

    assert_int_equal(line[len - 1], '\n');
    assert_null(memchr(line, '\n', len - 1));
    assert_int_equal(sl_json_parse((struct sl_slice){(uint8_t *)line, len}, &job, NULL), SL_OK);
    binlog = sl_json_member(job, "binlog");
    assert_int_equal(integer(job, "id"), expected_id);
    assert_true(integer(job, "id") > *id && integer(binlog, "SchemaVersion") > *version);
    assert_string_equal(sl_json_text(sl_json_member(job, "query")), query);
    if (table >= 0)
        assert_int_equal(sl_json_count(sl_json_member(sl_json_member(binlog, "TableInfo"), "cols")),
                         s->tables[table].column_count);
    *id = integer(job, "id");
    *version = integer(binlog, "SchemaVersion");
    sl_json_free(&job);
}

static void jobs_rise_and_a_round_leaves_the_tables_as_they_were(void **state)
{
    const struct ddl_end end = {.id = 2000, .version = 300};
    struct shop_schema   s = shop_schema_behind(&end);
    int64_t              id = end.id;
    int64_t              version = end.version;
    uint32_t             columns[SHOP_TABLES];

    (void)state;
    while (shop_schema_is_making(&s))
        run_job(&s, &id, &version);
    for (int t = 0; t < SHOP_TABLES; t++) {
        assert_true(s.tables[t].id > end.id);
        columns[t] = s.tables[t].column_count;
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < ROUND; i++)
            run_job(&s, &id, &version);
        for (int t = 0; t < SHOP_TABLES; t++)
            assert_int_equal(s.tables[t].column_count, columns[t]);
        assert_null(s.tables[SHOP_ORDERS].index_column);
    }
    assert_int_equal(s.tables[SHOP_ORDERS].last_column_id, 4 + 3); /* no column id comes twice */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_rise_and_a_round_leaves_the_tables_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
