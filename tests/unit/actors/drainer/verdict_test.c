/* What the filters say of tables and DDL, and that it is asked once per version of a table and
 * again after it was forgotten. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/drainer/verdict.h"
#include "binlog/event_filter.h"
#include "binlog/filter.h"
#include "lib/row_stream.h"

static struct sl_table *table_named(const char *name)
{
    struct model_table model = stream_table(STREAM_HANDLE, 1, name);

    return stream_sl_table(&model);
}

static struct sl_filter *filter_for(const char *table)
{
    const struct sl_filter_table only[] = {{"test", table}};
    struct sl_filter            *filter = NULL;

    assert_int_equal(
        sl_filter_new(&(struct sl_filter_lists){.do_tables = only, .do_table_count = 1}, &filter,
                      NULL),
        SL_OK);
    return filter;
}

static bool is_skipped(struct sl_verdicts *v, struct sl_table *table)
{
    struct sl_verdict verdict = {0};
    struct sl_why     why = {0};

    assert_int_equal(sl_verdict_of_table(v, table, &verdict, &why), SL_OK);
    return verdict.is_skipped;
}

static const char *ddl_reason(const struct sl_verdicts *v, const char *table)
{
    const struct sl_ddl_object object = {sl_slice_from_string("test"), sl_slice_from_string(table)};
    const char                *reason = "none was given";
    struct sl_why              why = {0};

    assert_int_equal(
        sl_verdict_of_ddl(v, &object, sl_slice_from_string("drop table x"), &reason, &why), SL_OK);
    return reason;
}

static void without_filters_everything_passes(void **state)
{
    struct sl_table   *t = table_named("t");
    struct sl_verdicts v;

    (void)state;
    sl_verdicts_init(&v, NULL, NULL);
    assert_false(is_skipped(&v, t));
    assert_null(ddl_reason(&v, "t"));
    sl_verdicts_done(&v);
    sl_table_free(&t);
}

static void tables_are_judged_by_name_and_remembered_by_version(void **state)
{
    struct sl_filter  *filter = filter_for("t");
    struct sl_filter  *other = filter_for("u");
    struct sl_table   *t = table_named("t");
    struct sl_table   *u = table_named("u");
    struct sl_verdicts v;

    (void)state;
    sl_verdicts_init(&v, filter, NULL);
    assert_false(is_skipped(&v, t));
    assert_true(is_skipped(&v, u));
    assert_null(ddl_reason(&v, "t"));
    assert_string_equal(ddl_reason(&v, "u"), "the table filter");
    v.filter = other; /* nobody asks it about what is known, */
    assert_false(is_skipped(&v, t));
    assert_true(is_skipped(&v, u));
    sl_verdicts_forget(&v); /* until that is forgotten */
    assert_true(is_skipped(&v, t));
    assert_false(is_skipped(&v, u));
    sl_verdicts_done(&v);
    sl_table_free(&t);
    sl_table_free(&u);
    sl_filter_free(&filter);
    sl_filter_free(&other);
}

static void what_is_known_keeps_its_table(void **state)
{
    struct sl_table   *t = table_named("t");
    struct sl_table   *same = t;
    struct sl_verdicts v;

    (void)state;
    sl_verdicts_init(&v, NULL, NULL);
    assert_false(is_skipped(&v, t));
    sl_table_free(&t); /* the verdict's own reference stays, so no other one gets its address */
    assert_int_equal(v.known.count, 1);
    assert_string_equal((const char *)same->name.bytes, "t");
    sl_verdicts_done(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_filters_everything_passes),
        cmocka_unit_test(tables_are_judged_by_name_and_remembered_by_version),
        cmocka_unit_test(what_is_known_keeps_its_table),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
