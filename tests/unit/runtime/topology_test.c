/* Topologies: how mailboxes are sized, what is refused and with which words, and how the graph
 * prints. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/env_sim.h"
#include "runtime/runtime.h"

static enum sl_err handle(struct sl_ctx *ctx, void *self, struct sl_msg *msg)
{
    (void)ctx;
    (void)self;
    (void)msg;
    return SL_OK;
}

static const struct sl_actor_class root = {
    .name = "root", .lane = SL_LANE_COMPUTE, .children_max = 10, .timers_max = 2, .handle = handle};
static const struct sl_actor_class gateway = {.name = "gateway",
                                              .lane = SL_LANE_IO,
                                              .questions_max = 5,
                                              .waits_max = 4,
                                              .timers_max = 3,
                                              .handle = handle,
                                              .system = handle};
static const struct sl_actor_class writer = {
    .name = "shard_writer", .lane = SL_LANE_SYNC, .timers_max = 1, .handle = handle};
static const struct sl_actor_class merger = {
    .name = "merger", .lane = SL_LANE_COMPUTE, .handle = handle};
static const struct sl_actor_class unlisted = {
    .name = "unlisted", .lane = SL_LANE_DISK, .handle = handle};

static const struct sl_topology_actor actors[] = {
    {&root, 1}, {&gateway, 1000}, {&writer, 4}, {&merger, 1}};

static const struct sl_topology_line lines[] = {
    {.name = "write",
     .credits = 100,
     .bytes = UINT64_C(1) << 30,
     .inputs = 4,
     .path = {&gateway, &writer, &merger}},
    {.name = "block", .credits = 2, .inputs = 16, .common_credits = 8, .path = {&writer, &merger}},
    {.name = "wire", .credits = 3, .inputs = 1, .path = {&root, &gateway}},
    {0}, /* left out */
};

static const struct sl_topology good = {.program = "pump",
                                        .actors = actors,
                                        .actor_count = sizeof actors / sizeof *actors,
                                        .lines = lines,
                                        .line_count = sizeof lines / sizeof *lines};

/* ---- arithmetic ---- */

static void a_mailbox_has_a_place_for_everything_that_can_come(void **state)
{
    (void)state;
    assert_int_equal(SL_SYSTEM_MAIL, 1);
    /* Two timers, ten ends of children, STOP; the entrance of a line receives nothing from it. */
    assert_int_equal(sl_topology_mailbox_items(&good, &root), 2 + 10 + 1);
    /* Answers, waits, timers, STOP, the wire's credits. */
    assert_int_equal(sl_topology_mailbox_items(&good, &gateway), 5 + 4 + 3 + 1 + 3);
    /* All credits of all four write inputs may meet in one writer. */
    assert_int_equal(sl_topology_mailbox_items(&good, &writer), 1 + 1 + 4 * 100);
    /* Two lines end here; the second has a common pool beside its inputs'. */
    assert_int_equal(sl_topology_mailbox_items(&good, &merger), 1 + 4 * 100 + 16 * 2 + 8);
}

static void the_sum_does_not_wrap_at_32_bits(void **state)
{
    const struct sl_topology_line wide[] = {
        {.name = "wide",
         .credits = UINT32_MAX,
         .inputs = UINT32_MAX,
         .common_credits = UINT32_MAX,
         .path = {&root, &writer}},
    };
    struct sl_topology t = good;

    (void)state;
    t.lines = wide;
    t.line_count = 1;
    assert_true(sl_topology_mailbox_items(&t, &writer) ==
                (uint64_t)UINT32_MAX * UINT32_MAX + UINT32_MAX + 2);
}

/* ---- refusals ---- */

static void assert_refused(const struct sl_topology *t, const char *text)
{
    struct sl_why why = {0};

    assert_int_equal(sl_topology_check(t, &why), SL_INVALID);
    assert_string_equal(why.text, text);
}

/* The good topology with another last actor, or another last line. */
static void assert_actor_refused(const struct sl_actor_class *class_of, uint32_t count_max,
                                 const char *text)
{
    struct sl_topology_actor with[5];
    struct sl_topology       t = good;

    memcpy(with, actors, sizeof actors);
    with[4] = (struct sl_topology_actor){class_of, count_max};
    t.actors = with;
    t.actor_count = 5;
    assert_refused(&t, text);
}

static void assert_line_refused(const struct sl_topology_line *line, const char *text)
{
    struct sl_topology_line with[4];
    struct sl_topology      t = good;

    memcpy(with, lines, sizeof lines);
    with[3] = *line;
    t.lines = with;
    t.line_count = 4;
    assert_refused(&t, text);
}

static void what_comes_from_outside_goes_to_the_root(void **state)
{
    const struct sl_topology_line line = {
        .name = "reload", .credits = 1, .inputs = 1, .path = {&sl_outside_class, &writer}};
    const struct sl_topology_line behind = {
        .name = "reload", .credits = 1, .inputs = 1, .path = {&root, &sl_outside_class}};

    (void)state;
    assert_line_refused(&line,
                        "topology pump: line reload: what comes from outside goes to the root");
    assert_line_refused(&behind, "topology pump: line reload: actor outside is not listed");
}

static void a_sound_topology_passes(void **state)
{
    struct sl_why why = {0};

    (void)state;
    assert_int_equal(sl_topology_check(&good, &why), SL_OK);
    assert_string_equal(why.text, "");
}

static void too_few_or_many_actors_or_lines_are_refused(void **state)
{
    static const char *const text = "topology pump: 1..48 actors and at most 48 lines";
    struct sl_topology       t = good;

    (void)state;
    t.actor_count = 0;
    assert_refused(&t, text);
    t.actor_count = SL_CLASSES_MAX + 1;
    assert_refused(&t, text);
    t = good;
    t.line_count = SL_LINES_MAX + 1;
    assert_refused(&t, text);
}

static void unsound_actors_are_refused(void **state)
{
    const struct sl_actor_class no_lane = {.name = "x", .lane = SL_LANES, .handle = handle};
    const struct sl_actor_class no_handler = {.name = "x"};
    const struct sl_actor_class deaf_asker = {.name = "x", .questions_max = 1, .handle = handle};
    const struct sl_actor_class deaf_waiter = {.name = "x", .waits_max = 1, .handle = handle};
    const struct sl_actor_class huge = {
        .name = "x", .timers_max = SL_MAILBOX_ITEMS_MAX, .handle = handle};
    const struct sl_actor_class namesake = {.name = "merger", .handle = handle};

    (void)state;
    assert_actor_refused(&unlisted, 0, "topology pump: actor unlisted: count_max is 0");
    assert_actor_refused(&no_lane, 1, "topology pump: actor x: no lane or no handler");
    assert_actor_refused(&no_handler, 1, "topology pump: actor x: no lane or no handler");
    assert_actor_refused(&deaf_asker, 1,
                         "topology pump: actor x: it asks, so it needs a system hook for GONE");
    assert_actor_refused(&deaf_waiter, 1,
                         "topology pump: actor x: it waits for lines, so it needs a system hook "
                         "for OPEN and GRANTED");
    assert_actor_refused(&huge, 1,
                         "topology pump: actor x: its mailbox would need 1048577 places, "
                         "SL_MAILBOX_ITEMS_MAX is 1048576");
    assert_actor_refused(&namesake, 1, "topology pump: actor merger is listed twice");
}

static void unsound_lines_are_refused(void **state)
{
    static const struct sl_topology_line base = {
        .name = "x", .credits = 1, .inputs = 1, .path = {&root, &merger}};
    struct sl_topology_line line;

    (void)state;
    line = base;
    line.credits = 0;
    assert_line_refused(&line, "topology pump: line x: credits must be 1..65536");
    line.credits = SL_LINE_CREDITS_MAX + 1;
    assert_line_refused(&line, "topology pump: line x: credits must be 1..65536");
    line = base;
    line.inputs = 0;
    assert_line_refused(&line, "topology pump: line x: inputs must be 1..4096");
    line.inputs = SL_LINE_INPUTS_MAX + 1;
    assert_line_refused(&line, "topology pump: line x: inputs must be 1..4096");
    line = base;
    line.bytes = UINT64_MAX;
    assert_line_refused(&line, "topology pump: line x: too many bytes");
    line = base;
    line.path[1] = NULL;
    assert_line_refused(
        &line, "topology pump: line x: a path has an entrance and at least one actor more");
    line = base;
    line.path[1] = &unlisted;
    assert_line_refused(&line, "topology pump: line x: actor unlisted is not listed");
    line = base;
    line.path[2] = &root;
    assert_line_refused(&line, "topology pump: line x: passes root twice");
    line = base;
    line.name = "wire";
    assert_line_refused(&line, "topology pump: line wire is listed twice");
}

static void a_path_that_does_not_end_is_refused(void **state)
{
    struct sl_topology_line line = {.name = "x", .credits = 1, .inputs = 1};

    (void)state;
    for (unsigned i = 0; i <= SL_LINE_PATH_MAX; i++)
        line.path[i] = &root;
    assert_line_refused(&line, "topology pump: line x: a path has at most 8 actors");
}

/* The one refusal that the runtime adds: the slots of all classes together. */
static void a_runtime_refuses_more_actors_than_there_are_slots(void **state)
{
    const struct sl_topology_actor many[] = {{&root, 1}, {&merger, SL_SLOTS_MAX / 2}};
    const struct sl_topology       t = {.program = "pump", .actors = many, .actor_count = 2};
    struct sl_env_sim             *sim = sl_env_sim_new(1);
    struct sl_runtime_options      options = {.env = sl_env_sim_env(sim), .topology = &t};
    struct sl_runtime             *rt = NULL;
    struct sl_why                  why = {0};

    (void)state;
    assert_int_equal(sl_runtime_new(&options, &rt, &why), SL_INVALID);
    assert_string_equal(why.text,
                        "topology pump: room for 16402 actors needed, SL_SLOTS_MAX is 16384");
    assert_null(rt);
    options.topology = &(struct sl_topology){.program = "empty"};
    assert_int_equal(sl_runtime_new(&options, &rt, &why), SL_INVALID);
    assert_string_equal(why.text, "topology empty: 1..48 actors and at most 48 lines");
    sl_env_sim_free(&sim);
}

/* ---- printing ---- */

static void assert_prints(enum sl_topology_format format, const char *wanted)
{
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    sl_topology_print(&good, format, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, wanted);
    free(text);
}

static void the_graph_prints_as_text(void **state)
{
    (void)state;
    assert_prints(
        SL_TOPOLOGY_TEXT,
        "pump\n"
        "\n"
        "actors\n"
        "  root             lane compute  at most 1     mailbox 13\n"
        "  gateway          lane io       at most 1000  mailbox 16\n"
        "  shard_writer     lane sync     at most 4     mailbox 402\n"
        "  merger           lane compute  at most 1     mailbox 441\n"
        "\n"
        "lines\n"
        "  write            gateway -> shard_writer -> merger   100 credits, 1073741824 bytes, "
        "each "
        "of 4 inputs\n"
        "  block            shard_writer -> merger   2 credits, each of 16 inputs, 8 in common\n"
        "  wire             root -> gateway   3 credits\n");
}

static void the_graph_prints_as_graphviz(void **state)
{
    (void)state;
    assert_prints(SL_TOPOLOGY_GRAPHVIZ,
                  "digraph \"pump\" {\n"
                  "  rankdir=LR;\n"
                  "  node [shape=box];\n"
                  "  \"root\" [label=\"root\\ncompute\"];\n"
                  "  \"gateway\" [label=\"gateway\\nio\"];\n"
                  "  \"shard_writer\" [label=\"shard_writer\\nsync\"];\n"
                  "  \"merger\" [label=\"merger\\ncompute\"];\n"
                  "  \"gateway\" -> \"shard_writer\" [label=\"write 4x100\"];\n"
                  "  \"shard_writer\" -> \"merger\" [label=\"write 4x100\"];\n"
                  "  \"shard_writer\" -> \"merger\" [label=\"block 16x2\"];\n"
                  "  \"root\" -> \"gateway\" [label=\"wire 1x3\"];\n"
                  "}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mailbox_has_a_place_for_everything_that_can_come),
        cmocka_unit_test(the_sum_does_not_wrap_at_32_bits),
        cmocka_unit_test(a_sound_topology_passes),
        cmocka_unit_test(what_comes_from_outside_goes_to_the_root),
        cmocka_unit_test(too_few_or_many_actors_or_lines_are_refused),
        cmocka_unit_test(unsound_actors_are_refused),
        cmocka_unit_test(unsound_lines_are_refused),
        cmocka_unit_test(a_path_that_does_not_end_is_refused),
        cmocka_unit_test(a_runtime_refuses_more_actors_than_there_are_slots),
        cmocka_unit_test(the_graph_prints_as_text),
        cmocka_unit_test(the_graph_prints_as_graphviz),
    };

    return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
