/* Is it fine, and how it is told: clusters that are healthy, lagging, paused, held, broken and at
 * risk, as people see them (golden texts), how programs see one, and the exit code of each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ctl/report.h"

enum { NODES_MAX = 8, S = 1000, MINUTE = 60 * S, HOUR = 60 * MINUTE };

/* 2026-11-21 10:19:34 UTC. */
static const int64_t now_ms = 1795256374000;

/* The cluster of a test. */
static struct ctl_node nodes[NODES_MAX];
static struct ctl_view view;

static sl_ts ago(int64_t ms)
{
    return sl_ts_of_ms(now_ms - ms);
}

static void clear(void)
{
    assert_int_equal(setenv("TZ", "UTC0", 1), 0);
    tzset();
    memset(nodes, 0, sizeof nodes);
    view = (struct ctl_view){.cluster_id = 6678715361817107733,
                             .now = sl_ts_of_ms(now_ms),
                             .wall_ms = now_ms,
                             .nodes = nodes};
}

static struct ctl_node *add(enum sl_node_kind kind, const char *id, enum sl_node_state state,
                            int64_t lag_ms)
{
    struct ctl_node *node = &nodes[view.count++];
    bool             runs = state == SL_NODE_ONLINE || state == SL_NODE_CLOSING;

    *node = (struct ctl_node){.kind = kind,
                              .record = {.state = state,
                                         .max_commit_ts = ago(lag_ms),
                                         .update_ts = ago(runs ? S : lag_ms)},
                              .answer = runs ? SL_OK : SL_UNAVAILABLE,
                              .ready = runs ? CTL_READY : CTL_READY_NOT_SAID,
                              .drainer.doing.lag_s = -1};
    (void)snprintf(node->record.id, sizeof node->record.id, "%s", id);
    (void)snprintf(node->record.host, sizeof node->record.host, "10.0.0.%zu:8250", view.count);
    if (!runs)
        (void)sl_fail(&node->silence, SL_UNAVAILABLE, "connect to %s: Connection refused",
                      node->record.host);
    return node;
}

static void healthy(void)
{
    clear();
    (void)add(SL_NODE_PUMP, "node-1:8250", SL_NODE_ONLINE, 200);
    (void)add(SL_NODE_PUMP, "node-2:8250", SL_NODE_ONLINE, 1400);
    (void)add(SL_NODE_DRAINER, "node-3:8249", SL_NODE_ONLINE, 1400);
}

/* What the report says; the caller's to free. */
static char *report(enum sl_node_kind kind, bool json, enum sl_ctl_exit code)
{
    const struct ctl_limits limits = {.max_lag_ms = 5 * MINUTE,
                                      .retention_ms = (int64_t)168 * HOUR};
    struct ctl_verdict      verdict;
    struct ctl_report       shown = {
              .view = &view, .verdict = &verdict, .pd_urls = "127.0.0.1:2379", .kind = kind};
    char  *text;
    size_t bytes;
    FILE  *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    ctl_judge(&view, &limits, kind, &verdict);
    if (json)
        ctl_report_write_json(&shown, out);
    else
        ctl_report_write(&shown, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(ctl_verdict_exit(&verdict), code);
    ctl_verdict_free(&verdict);
    return text;
}

static void assert_report(const char *golden, enum sl_ctl_exit code)
{
    char *text = report(SL_NODE_KINDS, false, code);

    assert_string_equal(text, golden);
    free(text);
}

static void healthy_cluster_is_ok(void **state)
{
    (void)state;
    healthy();
    nodes[0].figures = (struct ctl_pump_figures){
        .disk_bytes = UINT64_C(180) << 30,
        .disk_free_bytes = UINT64_C(139) << 30,
        .removed_ms = now_ms - (int64_t)167 * HOUR,
    };
    assert_report("cluster 6678715361817107733   pd 127.0.0.1:2379   checked 10:19:34 +00:00   OK\n"
                  "\n"
                  "PUMP         ADDR           STATE   NEWEST COMMIT  HEARTBEAT  WRITES  "
                  "DISK USED     KEEPS BACK\n"
                  "node-1:8250  10.0.0.1:8250  online  0.2 s ago      1.0 s ago  taken   "
                  "41 / 180 GiB  6d 23h\n"
                  "node-2:8250  10.0.0.2:8250  online  1.4 s ago      1.0 s ago  taken   "
                  "-             -\n"
                  "\n"
                  "DRAINER      ADDR           STATE   LAG    CHECKPOINT                         "
                  "HEARTBEAT  DOING\n"
                  "node-3:8249  10.0.0.3:8250  online  1.4 s  10:19:32.600 (470615686538854400)  "
                  "1.0 s ago  -\n",
                  SL_CTL_OK);
}

static void lagging_drainer_is_degraded_and_says_what_it_waits_for(void **state)
{
    char *text;

    (void)state;
    healthy();
    nodes[2].record.max_commit_ts = ago(12 * MINUTE + 5 * S);
    nodes[2].drainer.last_ts = ago(12 * MINUTE); /* fresher than its heartbeat */
    (void)snprintf(nodes[2].drainer.doing.waiting_on, SL_WHY_BYTES_MAX, "downstream commit");
    text = report(SL_NODE_DRAINER, false, SL_CTL_DEGRADED);
    assert_string_equal(
        text, "cluster 6678715361817107733   pd 127.0.0.1:2379   checked 10:19:34 +00:00   "
              "DEGRADED, 1 note\n"
              "\n"
              "DRAINER      ADDR           STATE   LAG      CHECKPOINT                         "
              "HEARTBEAT  DOING\n"
              "node-3:8249  10.0.0.3:8250  online  12m 00s  10:07:34.000 (470615498162176000)  "
              "1.0 s ago  -\n"
              "\n"
              "degraded  node-3:8249 is 12m 00s behind, and waits on downstream commit\n");
    free(text);
}

static void paused_drainer_is_noted_and_a_paused_pump_degrades(void **state)
{
    (void)state;
    clear();
    (void)add(SL_NODE_PUMP, "node-1:8250", SL_NODE_ONLINE, 200);
    (void)add(SL_NODE_DRAINER, "node-4:8249", SL_NODE_PAUSED, 2 * HOUR + 11 * MINUTE);
    assert_report(
        "cluster 6678715361817107733   pd 127.0.0.1:2379   checked 10:19:34 +00:00   "
        "OK, 1 note\n"
        "\n"
        "PUMP         ADDR           STATE   NEWEST COMMIT  HEARTBEAT  WRITES  "
        "DISK USED  KEEPS BACK\n"
        "node-1:8250  10.0.0.1:8250  online  0.2 s ago      1.0 s ago  taken   "
        "-          -\n"
        "\n"
        "DRAINER      ADDR           STATE   LAG     CHECKPOINT                         "
        "HEARTBEAT   DOING\n"
        "node-4:8249  10.0.0.2:8250  paused  2h 11m  08:08:34.000 (470613626454016000)  "
        "2h 11m ago  -\n"
        "\n"
        "note      node-4:8249 has been paused for 2h 11m; pumps keep what it has not read "
        "for 6d 21h more\n"
        "          start it again: it is the drainer at 10.0.0.2:8250\n"
        "          give it up: binlogctl offline node-4:8249 --force\n",
        SL_CTL_OK);
}

static void broken_pumps_put_data_at_risk_when_none_is_left(void **state)
{
    char *text;

    (void)state;
    clear();
    (void)add(SL_NODE_PUMP, "a", SL_NODE_PAUSED, MINUTE);
    nodes[0].record.update_ts = 0;
    (void)add(SL_NODE_PUMP, "b", SL_NODE_ONLINE, 200);
    nodes[1].answer = SL_TIMEOUT;
    (void)sl_fail(&nodes[1].silence, SL_TIMEOUT, "10.0.0.2:8250 does not answer in time");
    (void)add(SL_NODE_PUMP, "c", SL_NODE_ONLINE, 200);
    nodes[2].ready = CTL_NOT_READY;
    (void)snprintf(nodes[2].not_ready, SL_WHY_BYTES_MAX, "7 bytes of /data are available");
    (void)add(SL_NODE_PUMP, "gone", SL_NODE_OFFLINE, 5 * HOUR);
    (void)add(SL_NODE_DRAINER, "d", SL_NODE_ONLINE, 1400);
    text = report(SL_NODE_PUMP, false, SL_CTL_AT_RISK);
    assert_string_equal(
        text,
        "cluster 6678715361817107733   pd 127.0.0.1:2379   checked 10:19:34 +00:00   "
        "DATA AT RISK, 4 notes\n"
        "\n"
        "PUMP  ADDR           STATE           NEWEST COMMIT  HEARTBEAT  WRITES   DISK USED  KEEPS "
        "BACK\n"
        "a     10.0.0.1:8250  paused          1m 00s ago     -          -        "
        "-          -\n"
        "b     10.0.0.2:8250  online, silent  0.2 s ago      1.0 s ago  taken    "
        "-          -\n"
        "c     10.0.0.3:8250  online          0.2 s ago      1.0 s ago  refused  "
        "-          -\n"
        "\n"
        "at risk   no pump takes writes: TiDB's transactions fail, or go on without a binlog\n"
        "          the remarks on the pumps say why\n"
        "degraded  a has been paused for an unknown time: all drainers wait for what it may "
        "hold\n"
        "          start it again: it is the pump at 10.0.0.1:8250\n"
        "          give it up, and what no drainer has read of it: binlogctl offline a "
        "--force\n"
        "degraded  b is registered as online and cannot be asked: 10.0.0.2:8250 does not "
        "answer in time; its last heartbeat was 1.0 s ago\n"
        "          start it again: it is the pump at 10.0.0.2:8250\n"
        "          give it up, and what no drainer has read of it: binlogctl offline b "
        "--force\n"
        "degraded  c takes no writes: 7 bytes of /data are available\n");
    free(text);
}

static void held_drainer_says_since_when_and_why(void **state)
{
    struct ctl_doing *doing;
    char             *text;

    (void)state;
    healthy();
    doing = &nodes[2].drainer.doing;
    (void)snprintf(doing->state, sizeof doing->state, "held");
    (void)snprintf(doing->since, sizeof doing->since, "2026-11-21T10:10:00Z");
    (void)snprintf(doing->reason, sizeof doing->reason, "downstream refused a DDL");
    (void)snprintf(doing->code, sizeof doing->code, "SL-2107");
    doing->lag_s = 60;
    text = report(SL_NODE_KINDS, false, SL_CTL_DEGRADED);
    assert_non_null(strstr(text, "  1m 00s  10:19:32.600 (470615686538854400)  1.0 s ago  held\n"));
    assert_non_null(strstr(text, "\ndegraded  node-3:8249 is held since 2026-11-21T10:10:00Z: "
                                 "downstream refused a DDL (SL-2107)\n"));
    free(text);
}

static void what_pumps_may_throw_away_is_at_risk(void **state)
{
    char *text;

    (void)state;
    healthy();
    nodes[2].record.max_commit_ts = ago((int64_t)130 * HOUR);
    text = report(SL_NODE_KINDS, false, SL_CTL_AT_RISK);
    assert_non_null(strstr(text, "\nat risk   node-3:8249 is 5d 10h behind: pumps may throw away "
                                 "what it has not read in 1d 14h\n"));
    free(text);
    nodes[2].record.max_commit_ts = ago((int64_t)200 * HOUR);
    nodes[2].record.state = SL_NODE_PAUSED;
    text = report(SL_NODE_KINDS, false, SL_CTL_AT_RISK);
    assert_non_null(strstr(text, "what it has not read now\n"));
    free(text);
    nodes[0].figures.removed_ms = now_ms - (int64_t)190 * HOUR;
    nodes[1].figures.removed_ms = now_ms - (int64_t)199 * HOUR;
    text = report(SL_NODE_KINDS, false, SL_CTL_AT_RISK);
    assert_non_null(strstr(text, "\nat risk   node-3:8249 has not read 10h 00m of what node-1:8250 "
                                 "may have thrown away: its downstream misses that\n          "
                                 "compare source and downstream"));
    free(text);
    nodes[2].record.state = SL_NODE_OFFLINE;
    text = report(SL_NODE_KINDS, false, SL_CTL_OK);
    assert_non_null(strstr(text, "\nnote      no drainer is registered"));
    free(text);
}

static void nodes_on_their_way_are_noted(void **state)
{
    char *text;

    (void)state;
    healthy();
    nodes[1].record.state = SL_NODE_CLOSING;
    nodes[2].record.state = SL_NODE_PAUSING;
    text = report(SL_NODE_KINDS, false, SL_CTL_OK);
    assert_non_null(strstr(text, "node-2:8250 is closing: it goes offline when every drainer has"));
    assert_non_null(strstr(text, "node-3:8249 is about to pause\n"));
    free(text);
    nodes[1].record.state = SL_NODE_PAUSED; /* and it answers */
    text = report(SL_NODE_KINDS, false, SL_CTL_OK);
    assert_non_null(strstr(text, "node-2:8250 is starting: it waits until every drainer knows"));
    free(text);
}

static void who_answers_may_be_another(void **state)
{
    char *text;

    (void)state;
    healthy();
    nodes[2].answer = SL_INVALID;
    (void)sl_fail(&nodes[2].silence, SL_TIMEOUT,
                  "the answer is no drainer's status: it has no LastTS");
    text = report(SL_NODE_DRAINER, false, SL_CTL_DEGRADED);
    assert_non_null(strstr(text, "node-3:8249 is online; who answers at its address is not it"));
    free(text);
}

static void programs_get_all_of_it(void **state)
{
    char *text;

    (void)state;
    clear();
    (void)add(SL_NODE_PUMP, "p\"1", SL_NODE_ONLINE, 200);
    nodes[0].figures = (struct ctl_pump_figures){
        .disk_bytes = UINT64_C(180) << 30, .disk_free_bytes = 1024, .removed_ms = 1500};
    (void)add(SL_NODE_DRAINER, "d", SL_NODE_PAUSED, 1400);
    text = report(SL_NODE_KINDS, true, SL_CTL_OK);
    assert_string_equal(
        text,
        "{\"schema\":1,\"cluster_id\":\"6678715361817107733\",\"checked\":"
        "\"2026-11-21T10:19:34.000Z\",\"now_ts\":470615686905856000,\"now\":"
        "\"2026-11-21T10:19:34.000Z\",\"verdict\":\"ok\",\"pumps\":[{\"node_id\":\"p\\\"1\","
        "\"addr\":\"10.0.0.1:8250\",\"state\":\"online\",\"heartbeat_age_seconds\":1.000,"
        "\"answers\":true,\"answer_error\":null,\"newest_commit_ts\":470615686853427200,"
        "\"newest_commit\":\"2026-11-21T10:19:33.800Z\",\"newest_commit_age_seconds\":0.200,"
        "\"takes_writes\":true,\"refuses_writes_because\":null,\"disk_bytes\":193273528320,"
        "\"disk_free_bytes\":1024,\"removed_before\":\"1970-01-01T00:00:01.500Z\"}],\"drainers\":[{"
        "\"node_id\":"
        "\"d\",\"addr\":\"10.0.0.2:8250\",\"state\":\"paused\",\"heartbeat_age_seconds\":1.400,"
        "\"answers\":false,\"answer_error\":\"connect to 10.0.0.2:8250: Connection refused\","
        "\"checkpoint_ts\":470615686538854400,\"checkpoint\":\"2026-11-21T10:19:32.600Z\","
        "\"lag_seconds\":1.400,\"doing\":null}],\"notes\":[{\"severity\":\"note\",\"node_id\":"
        "\"d\",\"text\":\"has been paused for 1.4 s; pumps keep what it has not read for 6d 23h "
        "more\",\"remedies\":[\"start it again: it is the "
        "drainer at 10.0.0.2:8250\",\"give it up: binlogctl offline d --force\"]}]}\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_cluster_is_ok),
        cmocka_unit_test(lagging_drainer_is_degraded_and_says_what_it_waits_for),
        cmocka_unit_test(paused_drainer_is_noted_and_a_paused_pump_degrades),
        cmocka_unit_test(broken_pumps_put_data_at_risk_when_none_is_left),
        cmocka_unit_test(held_drainer_says_since_when_and_why),
        cmocka_unit_test(what_pumps_may_throw_away_is_at_risk),
        cmocka_unit_test(nodes_on_their_way_are_noted),
        cmocka_unit_test(who_answers_may_be_another),
        cmocka_unit_test(programs_get_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
