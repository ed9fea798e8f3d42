/* A node's record has the bytes of the original (pump spec 4.2) and is read as the original reads
 * it: any order and case, unknown fields, missing fields. What is refused is named. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/node.h"

/* The example of the spec. */
static const char golden[] =
    "{\"nodeId\":\"ip-172-16-5-71:8250\",\"host\":\"172.16.5.71:8250\",\"state\":\"online\","
    "\"isAlive\":false,\"score\":0,\"label\":null,\"maxCommitTS\":412518831548007863,"
    "\"updateTS\":412518831338292471}";

static struct sl_node decoded(const char *json)
{
    struct sl_node node;
    struct sl_why  why = {0};

    if (sl_node_decode(sl_slice_from_string(json), &node, &why) != SL_OK)
        fail_msg("%s: %s", json, why.text);
    return node;
}

static void assert_encodes(const struct sl_node *node, const char *json)
{
    char   bytes[SL_NODE_JSON_BYTES_MAX];
    size_t count = sl_node_encode(node, bytes);

    if (count != strlen(json) || memcmp(bytes, json, count) != 0)
        fail_msg("wanted %s, got %.*s", json, (int)count, bytes);
}

static void assert_refused(const char *json, enum sl_err err, const char *words)
{
    struct sl_node node;
    struct sl_why  why = {0};

    assert_int_equal(sl_node_decode(sl_slice_from_string(json), &node, &why), err);
    if (strstr(why.text, words) == NULL)
        fail_msg("wanted \"%s\", got: %s", words, why.text);
}

static void the_example_of_the_spec_goes_both_ways(void **state)
{
    struct sl_node node = decoded(golden);

    (void)state;
    assert_string_equal(node.id, "ip-172-16-5-71:8250");
    assert_string_equal(node.host, "172.16.5.71:8250");
    assert_int_equal(node.state, SL_NODE_ONLINE);
    assert_false(node.is_alive);
    assert_int_equal(node.score, 0);
    assert_string_equal(node.label, "");
    assert_true(node.max_commit_ts == INT64_C(412518831548007863));
    assert_true(node.update_ts == INT64_C(412518831338292471));
    assert_encodes(&node, golden);
}

static void the_largest_numbers_lose_nothing(void **state)
{
    struct sl_node node = decoded("{\"nodeId\":\"n\",\"state\":\"offline\",\"isAlive\":true,"
                                  "\"score\":-9223372036854775808,"
                                  "\"maxCommitTS\":9223372036854775807,\"updateTS\":-1}");

    (void)state;
    assert_encodes(&node, "{\"nodeId\":\"n\",\"host\":\"\",\"state\":\"offline\",\"isAlive\":true,"
                          "\"score\":-9223372036854775808,\"label\":null,"
                          "\"maxCommitTS\":9223372036854775807,\"updateTS\":-1}");
}

static void fields_come_in_any_order_and_case_with_strangers_and_space(void **state)
{
    struct sl_node node =
        decoded(" {\n\"UPDATEts\" : 7, \"State\":\"paused\", \"new\":{\"x\":[1,2]}, "
                "\"NodeID\":\" a:1\\n\", \"Host\":null}\n");

    (void)state;
    assert_string_equal(node.id, "a:1");
    assert_string_equal(node.host, "");
    assert_int_equal(node.state, SL_NODE_PAUSED);
    assert_int_equal(node.max_commit_ts, 0);
    assert_int_equal(node.update_ts, 7);
}

static void every_state_has_its_word(void **state)
{
    static const char *const names[] = {
        [SL_NODE_ONLINE] = "online",   [SL_NODE_PAUSING] = "pausing", [SL_NODE_PAUSED] = "paused",
        [SL_NODE_CLOSING] = "closing", [SL_NODE_OFFLINE] = "offline",
    };
    char json[128];

    (void)state;
    for (unsigned i = SL_NODE_ONLINE; i < SL_NODE_STATES; i++) {
        (void)snprintf(json, sizeof json, "{\"nodeId\":\"n\",\"state\":\"%s\"}", names[i]);
        assert_int_equal(decoded(json).state, i);
        assert_string_equal(sl_node_state_name((enum sl_node_state)i), names[i]);
    }
    assert_refused("{\"nodeId\":\"n\"}", SL_INVALID, "state is ''");
    assert_refused("{\"nodeId\":\"n\",\"state\":\"Online\"}", SL_INVALID, "state is 'Online'");
    assert_refused("{\"nodeId\":\"n\",\"state\":\"absent\"}", SL_INVALID, "state is 'absent'");
}

static void odd_characters_are_escaped_as_go_does(void **state)
{
    struct sl_node node = {.id = "a<\"\u00e4\">", .host = "h&\t", .state = SL_NODE_CLOSING};

    (void)state;
    assert_encodes(&node, "{\"nodeId\":\"a\\u003c\\\"\u00e4\\\"\\u003e\",\"host\":\"h\\u0026\\t\","
                          "\"state\":\"closing\",\"isAlive\":false,\"score\":0,\"label\":null,"
                          "\"maxCommitTS\":0,\"updateTS\":0}");
}

static void the_longest_record_can_be_written_and_read(void **state)
{
    struct sl_node node = {.state = SL_NODE_PAUSING, .score = INT64_MIN, .update_ts = INT64_MIN};
    struct sl_node back;
    char           bytes[SL_NODE_JSON_BYTES_MAX];
    size_t         count;

    (void)state;
    memset(node.id, '<', sizeof node.id - 1);
    memset(node.host, '&', sizeof node.host - 1);
    (void)snprintf(node.label, sizeof node.label, "{\"labels\":{\"%01000d\":\"\"}}", 0);
    count = sl_node_encode(&node, bytes);
    assert_int_equal(sl_node_decode((struct sl_slice){(const uint8_t *)bytes, count}, &back, NULL),
                     SL_OK);
    assert_string_equal(back.id, node.id);
    assert_string_equal(back.host, node.host);
    assert_string_equal(back.label, node.label);
}

static void labels_are_kept_with_sorted_names(void **state)
{
    struct sl_node node = decoded("{\"nodeId\":\"n\",\"state\":\"online\",\"label\":"
                                  "{\"Labels\":{\"z\":\"1\",\"a\":\"<\",\"m\":null},\"x\":3}}");

    (void)state;
    assert_string_equal(node.label, "{\"labels\":{\"a\":\"\\u003c\",\"m\":\"\",\"z\":\"1\"}}");
    node = decoded("{\"nodeId\":\"n\",\"state\":\"online\",\"label\":{}}");
    assert_string_equal(node.label, "{\"labels\":null}");
    node = decoded("{\"nodeId\":\"n\",\"state\":\"online\",\"label\":{\"labels\":{}}}");
    assert_string_equal(node.label, "{\"labels\":{}}");
}

static void wrong_kinds_are_named(void **state)
{
#define NODE "{\"nodeId\":\"n\",\"state\":\"online\","
    (void)state;
    assert_refused("[]", SL_INVALID, "a record is an object, this is an array");
    assert_refused("{\"nodeId\":1,\"state\":\"online\"}", SL_INVALID,
                   "nodeId is an integer, not a text");
    assert_refused(NODE "\"updateTS\":\"7\"}", SL_INVALID, "updateTS is a text, not an integer");
    assert_refused(NODE "\"maxCommitTS\":4.1e17}", SL_INVALID, "maxCommitTS is a number with");
    assert_refused(NODE "\"maxCommitTS\":9223372036854775808}", SL_INVALID, "too big integer");
    assert_refused(NODE "\"isAlive\":0}", SL_INVALID, "isAlive is an integer, not true or false");
    assert_refused(NODE "\"label\":7}", SL_INVALID, "label is an integer, not an object");
    assert_refused(NODE "\"label\":{\"labels\":1}}", SL_INVALID, "label: labels is an integer");
    assert_refused(NODE "\"label\":{\"labels\":{\"a\":1}}}", SL_INVALID, "'a' is an integer");
    assert_refused(NODE "\"score\":1", SL_INVALID, "line 1");
#undef NODE
}

static void lengths_are_bounded(void **state)
{
    char json[SL_NODE_JSON_BYTES_MAX + 2];
    char many[2048] = "{\"nodeId\":\"n\",\"state\":\"online\",\"label\":{\"labels\":{";

    (void)state;
    (void)snprintf(json, sizeof json, "{\"nodeId\":\"%0256d\",\"state\":\"online\"}", 0);
    assert_refused(json, SL_TOO_LARGE, "nodeId has 256 bytes, the limit is 255");
    (void)snprintf(json, sizeof json, "{\"nodeId\":\"n\",\"host\":\"%0280d\"}", 0);
    assert_refused(json, SL_TOO_LARGE, "host has 280 bytes, the limit is 279");
    (void)snprintf(
        json, sizeof json,
        "{\"nodeId\":\"n\",\"state\":\"online\",\"label\":{\"labels\":{\"%01024d\":\"\"}}}", 0);
    assert_refused(json, SL_TOO_LARGE, "label has more than 1023 bytes");
    memset(json, ' ', sizeof json - 1);
    json[sizeof json - 1] = '\0';
    assert_refused(json, SL_TOO_LARGE, "a record of 16385 bytes");
    for (int i = 0; i <= SL_NODE_LABELS_MAX; i++)
        (void)snprintf(many + strlen(many), sizeof many - strlen(many), "%s\"%d\":\"\"",
                       i == 0 ? "" : ",", i);
    (void)snprintf(many + strlen(many), sizeof many - strlen(many), "}}}");
    assert_refused(many, SL_TOO_LARGE, "more than 32 names");
}

static void ids_that_no_registry_can_hold_are_refused(void **state)
{
    static const char *const bad[] = {"", "a/b", " a", "a ", "a\nb", "\x7f", "\xff"};
    char                     longest[SL_NODE_ID_BYTES_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sl_node_id_check(bad[i], NULL), SL_INVALID);
    assert_int_equal(sl_node_id_check("host name:8250.\u00e4", NULL), SL_OK);
    memset(longest, 'x', sizeof longest);
    longest[SL_NODE_ID_BYTES_MAX] = '\0';
    assert_int_equal(sl_node_id_check(longest, NULL), SL_INVALID);
    longest[SL_NODE_ID_BYTES_MAX - 1] = '\0';
    assert_int_equal(sl_node_id_check(longest, NULL), SL_OK);
    assert_refused("{\"nodeId\":\"a/b\",\"state\":\"online\"}", SL_INVALID, "slash");
    assert_refused("{\"state\":\"online\"}", SL_INVALID, "the node id is empty");
}

static void heartbeats_add_whole_seconds(void **state)
{
    sl_ts at = INT64_C(412518831338292471);

    (void)state;
    assert_int_equal(sl_node_update_ts(0, (sl_nanos)90 * SL_NANOS_PER_S), 0);
    assert_int_equal(sl_node_update_ts(at, SL_NANOS_PER_S - 1), at);
    assert_int_equal(sl_node_update_ts(at, SL_NANOS_PER_S), at + (INT64_C(1000) << 18));
    assert_int_equal(sl_node_update_ts(at, (sl_nanos)90 * SL_NANOS_PER_S + 5),
                     at + (INT64_C(90000) << 18));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_spec_goes_both_ways),
        cmocka_unit_test(the_largest_numbers_lose_nothing),
        cmocka_unit_test(fields_come_in_any_order_and_case_with_strangers_and_space),
        cmocka_unit_test(every_state_has_its_word),
        cmocka_unit_test(odd_characters_are_escaped_as_go_does),
        cmocka_unit_test(the_longest_record_can_be_written_and_read),
        cmocka_unit_test(labels_are_kept_with_sorted_names),
        cmocka_unit_test(wrong_kinds_are_named),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(ids_that_no_registry_can_hold_are_refused),
        cmocka_unit_test(heartbeats_add_whole_seconds),
    };

    return cmocka_run_group_tests_name("registry_json", tests, NULL, NULL);
}
