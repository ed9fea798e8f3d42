/* The bodies that the pump answers over HTTP, against recordings of the original in
 * tests/corpus/ops and the texts of pump spec 5. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/common/action.h"
#include "actors/pump/status.h"

enum { RECORDING_BYTES_MAX = 4096 };

/* The body in a recording of curl -i: behind the empty line, before the exit code. */
static const char *recorded(const char *name)
{
    static char text[RECORDING_BYTES_MAX];
    char        path[128];
    FILE       *file;
    size_t      count;
    char       *body;
    char       *end;

    (void)snprintf(path, sizeof path, "tests/corpus/ops/pump-%s.txt", name);
    file = fopen(path, "re");
    assert_non_null(file);
    count = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    text[count] = '\0';
    body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    end = strstr(body, "[exit 0]");
    assert_non_null(end);
    *end = '\0';
    return body + 4;
}

/* Compare and free. */
static void assert_body(struct sl_buf *body, const char *expected)
{
    assert_int_equal(body->len, strlen(expected));
    assert_memory_equal(body->data, expected, body->len);
    sl_buf_free(&body);
}

/* The records that stand in a recording, from each "{"nodeId" to its "}". */
static size_t nodes_in(const char *text, struct sl_node *nodes, size_t room)
{
    size_t count = 0;

    while ((text = strstr(text, "{\"nodeId\"")) != NULL) {
        struct sl_slice json = {(const uint8_t *)text, strcspn(text, "}") + 1};

        assert_true(count < room);
        assert_int_equal(sl_node_decode(json, &nodes[count++], NULL), SL_OK);
        text += json.len;
    }
    return count;
}

/* ---- nodes ---- */

static void status_is_the_originals(void **state)
{
    struct sl_node      nodes[2];
    const char         *body = recorded("GET-status");
    struct sl_node_list pumps = {nodes, nodes_in(body, nodes, 2)};

    (void)state;
    assert_int_equal(pumps.count, 2);
    assert_body(sl_status_body(&pumps, 470615686988169217, ""), body);
}

static void status_without_pumps_and_failed_status_have_their_forms(void **state)
{
    struct sl_node_list none = {NULL, 0};

    (void)state;
    assert_body(sl_status_body(&none, 7, ""),
                "{\"status\":{},\"CommitTS\":7,\"Checkpoint\":{},\"ErrMsg\":\"\"}\n");
    assert_body(sl_status_failure_body("can't \"do\" <it>"),
                "{\"status\":null,\"CommitTS\":0,\"Checkpoint\":{},\"ErrMsg\":\"can't \\\"do\\\" "
                "\\u003cit\\u003e\"}\n");
}

static void drainers_are_the_originals(void **state)
{
    struct sl_node      node;
    const char         *body = recorded("GET-drainers");
    struct sl_node_list drainers = {&node, nodes_in(body, &node, 1)};
    struct sl_node_list none = {NULL, 0};

    (void)state;
    assert_body(sl_status_drainers_body(&drainers), body);
    assert_body(sl_status_drainers_body(&none), "null\n");
    assert_body(sl_status_drainers_body(NULL), "null\n");
}

/* The worst that a registry can hold finds room. */
static void the_largest_records_fit(void **state)
{
    struct sl_node      nodes[2];
    struct sl_node_list list = {nodes, 2};
    struct sl_buf      *body;

    (void)state;
    memset(nodes, 0, sizeof nodes);
    for (int i = 0; i < 2; i++) {
        memset(nodes[i].id, '<', sizeof nodes[i].id - 1);
        memset(nodes[i].host, '<', sizeof nodes[i].host - 1);
        nodes[i].state = SL_NODE_OFFLINE;
        nodes[i].score = INT64_MIN;
        nodes[i].max_commit_ts = INT64_MIN;
        nodes[i].update_ts = INT64_MIN;
    }
    body = sl_status_body(&list, INT64_MIN, "");
    assert_true(body->len > 2 * 6 * (2 * 255 + 279));
    sl_buf_free(&body);
    body = sl_status_drainers_body(&list);
    sl_buf_free(&body);
}

/* ---- state ---- */

static void refusals_of_state_are_the_originals(void **state)
{
    enum sl_action action;

    (void)state;
    assert_body(sl_action_body("invalide", "nobody", "pause", "gopump-0", SL_NODE_ONLINE, &action),
                recorded("PUT-state-wrong-node"));
    assert_int_equal(action, SL_ACTION_NONE);
    assert_body(
        sl_action_body("invalide", "gopump-0", "nonsense", "gopump-0", SL_NODE_ONLINE, &action),
        recorded("PUT-state-wrong-action"));
    assert_int_equal(action, SL_ACTION_NONE);
    assert_body(sl_action_body("invalide", "p", "close", "p", SL_NODE_PAUSING, &action),
                "{\n  \"message\": \"this pump's state is pausing, apply close failed!\",\n"
                "  \"code\": 3,\n  \"data\": null\n}\n");
    assert_int_equal(action, SL_ACTION_NONE);
}

static void checks_of_state_come_in_the_originals_order(void **state)
{
    enum sl_action action;

    (void)state;
    assert_body(sl_action_body("invalide", "nobody", "x", "gopump-0", SL_NODE_PAUSED, &action),
                recorded("PUT-state-wrong-node"));
    assert_body(sl_action_body("invalide", "p", "x", "p", SL_NODE_PAUSED, &action),
                "{\n  \"message\": \"this pump's state is paused, apply x failed!\",\n"
                "  \"code\": 3,\n  \"data\": null\n}\n");
}

static void an_action_that_is_taken_says_so(void **state)
{
    enum sl_action action;

    (void)state;
    assert_body(sl_action_body("invalide", "p", "pause", "p", SL_NODE_ONLINE, &action),
                "{\n  \"message\": \"apply action pause success!\",\n  \"code\": 200,\n"
                "  \"data\": null\n}\n");
    assert_int_equal(action, SL_ACTION_PAUSE);
    assert_body(sl_action_body("invalide", "p", "close", "p", SL_NODE_ONLINE, &action),
                "{\n  \"message\": \"apply action close success!\",\n  \"code\": 200,\n"
                "  \"data\": null\n}\n");
    assert_int_equal(action, SL_ACTION_CLOSE);
}

static void the_longest_path_is_answered(void **state)
{
    char           id[SL_HTTP_URL_BYTES_MAX];
    char           own[SL_NODE_ID_BYTES_MAX];
    enum sl_action action;
    struct sl_buf *body;

    (void)state;
    memset(id, 1, sizeof id - 1);
    id[sizeof id - 1] = '\0';
    memset(own, '<', sizeof own - 1);
    own[sizeof own - 1] = '\0';
    body = sl_action_body("invalide", id, "x", own, SL_NODE_ONLINE, &action);
    assert_true(body->len > 6 * (sizeof id - 1 + sizeof own - 1));
    sl_buf_free(&body);
    body = sl_status_bad_ts_body(id);
    sl_buf_free(&body);
}

/* ---- records ---- */

static void a_record_is_followed_by_its_prewrite_value(void **state)
{
    static const uint8_t prewrite[] = {0x10, 0x05, 0x22, 0x01, 'k',  0x2a, 0x08, 0x08,
                                       0x18, 0x12, 0x04, 0x08, 0x2d, 0x38, 0x00};
    static const uint8_t odd[] = {0x10, 0x05, 0x2a, 0x01, 'v'};
    static const uint8_t commit[] = {0x08, 0x01, 0x10, 0x05, 0x18, 0x07};

    (void)state;
    assert_body(sl_status_record_body((struct sl_slice){prewrite, sizeof prewrite}),
                "start_ts:5 prewrite_key:\"k\" "
                "prewrite_value:\"\\010\\030\\022\\004\\010-8\\000\" \n\n PrewriteValue: \n"
                "schema_version:24 mutations:<table_id:45 sequence:Insert > ");
    assert_body(sl_status_record_body((struct sl_slice){odd, sizeof odd}),
                "start_ts:5 prewrite_value:\"v\" \n\n PrewriteValue: \n <Unmarshallable>");
    assert_body(sl_status_record_body((struct sl_slice){commit, sizeof commit}),
                "tp:Commit start_ts:5 commit_ts:7 ");
}

/* Packed numbers are what grows most: 65520 of them, each in two places. */
static void the_text_of_a_record_has_room(void **state)
{
    static uint8_t record[14 + 0xfff0];
    const uint8_t  head[] = {0x10, 0x05, 0x2a, 0xf8, 0xff, 0x03, 0x12,
                             0xf4, 0xff, 0x03, 0x3a, 0xf0, 0xff, 0x03};
    const char     end[] = "sequence:DeleteRow > ";
    struct sl_buf *body;

    (void)state;
    memset(record, 0x04, sizeof record);
    memcpy(record, head, sizeof head);
    body = sl_status_record_body((struct sl_slice){record, sizeof record});
    assert_true(body->len > (4 + 19) * (size_t)0xfff0);
    assert_memory_equal(body->data + body->len - strlen(end), end, strlen(end));
    sl_buf_free(&body);
}

static void what_cannot_be_shown_is_said_in_the_originals_words(void **state)
{
    (void)state;
    assert_body(sl_status_bad_ts_body("x7"), "invalid parameter ts: x7");
    assert_body(sl_status_no_record_body(2, "leveldb: not found"),
                "fail read binlog by ts: 2: leveldb: not found");
}

static void a_ts_is_read_as_go_reads_it(void **state)
{
    static const char *const refused[] = {
        "", "x", "7x", " 7", "7 ", "0x7", "+", "1.0", "9223372036854775808"};
    sl_ts ts = 0;

    (void)state;
    assert_true(sl_status_parse_ts("9223372036854775807", &ts) && ts == INT64_MAX);
    assert_true(sl_status_parse_ts("-9223372036854775808", &ts) && ts == INT64_MIN);
    assert_true(sl_status_parse_ts("+007", &ts) && ts == 7);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_false(sl_status_parse_ts(refused[i], &ts));
    assert_int_equal(ts, 7);
}

static void gc_is_triggered_or_at_work(void **state)
{
    (void)state;
    assert_body(sl_status_gc_body(true), "trigger gc success\n");
    assert_body(sl_status_gc_body(false), "gc is working\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_the_originals),
        cmocka_unit_test(status_without_pumps_and_failed_status_have_their_forms),
        cmocka_unit_test(drainers_are_the_originals),
        cmocka_unit_test(the_largest_records_fit),
        cmocka_unit_test(refusals_of_state_are_the_originals),
        cmocka_unit_test(checks_of_state_come_in_the_originals_order),
        cmocka_unit_test(an_action_that_is_taken_says_so),
        cmocka_unit_test(the_longest_path_is_answered),
        cmocka_unit_test(a_record_is_followed_by_its_prewrite_value),
        cmocka_unit_test(the_text_of_a_record_has_room),
        cmocka_unit_test(what_cannot_be_shown_is_said_in_the_originals_words),
        cmocka_unit_test(a_ts_is_read_as_go_reads_it),
        cmocka_unit_test(gc_is_triggered_or_at_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
