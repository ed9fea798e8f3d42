#include "actors/drainer/topology.h"

#include <string.h>

#include "base/limits.h"

static const struct sl_topology_actor actors[] = {
    {&sl_drainer_root_class, 1},
    {&sl_drainer_opener_class, 1},
    {&sl_drainer_collector_class, 1},
    {&sl_drainer_source_class, SL_DRAINER_SOURCES_MAX},
    {&sl_drainer_spooler_class, 1},
    {&sl_drainer_merger_class, 1},
    {&sl_drainer_planner_class, 1},
    {&sl_drainer_historian_class, 1},
    {&sl_drainer_decoder_class, SL_DRAINER_DECODERS_MAX},
    {&sl_drainer_dispatcher_class, 1},
    {&sl_drainer_worker_class, SL_DRAINER_WORKERS_MAX},
    {&sl_drainer_checkpointer_class, 1},
    SL_DRAINER_FRONT_ACTORS,
};

static const struct sl_topology_line lines[SL_DRAINER_LINES] = {
    SL_DRAINER_FRONT_LINE_ROWS(sl_drainer_root_class, sl_drainer_collector_class,
                               sl_drainer_dispatcher_class),
    [SL_LINE_BLOCK] =
        {
            .name = "block",
            .credits = SL_DRAINER_BLOCK_CREDITS,
            .bytes = SL_DRAINER_BLOCK_BYTES,
            .inputs = SL_DRAINER_SOURCES_MAX + 1, /* the fence is an input without a line */
            .path = {&sl_drainer_source_class, &sl_drainer_merger_class},
        },
    [SL_LINE_SPOOL_PIECE] =
        {
            .name = "piece",
            .credits = SL_PIECE_CREDITS,
            .bytes = 0, /* the window that a message is granted bounds them */
            .inputs = SL_DRAINER_SOURCES_MAX + 1,
            .path = {&sl_drainer_source_class, &sl_drainer_spooler_class},
        },
    [SL_LINE_FENCE] =
        {
            .name = "fence",
            .credits = 1,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_drainer_merger_class, &sl_drainer_collector_class},
        },
    [SL_LINE_WINDOW] =
        {
            .name = "window",
            .credits = SL_WINDOW_CREDITS,
            .bytes = SL_WINDOW_LINE_BYTES,
            .inputs = 1,
            .path = {&sl_drainer_merger_class, &sl_drainer_planner_class},
        },
    [SL_LINE_DECODE] =
        {
            .name = "decode",
            .credits = SL_WINDOW_CREDITS,
            .bytes = SL_DECODE_LINE_BYTES,
            .inputs = 1,
            .path = {&sl_drainer_planner_class, &sl_drainer_decoder_class,
                     &sl_drainer_dispatcher_class},
        },
    [SL_LINE_JOB] =
        {
            .name = "job",
            .credits = 1,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_drainer_planner_class, &sl_drainer_historian_class},
        },
    [SL_LINE_PART] =
        {
            .name = "part",
            .credits = SL_PART_CREDITS,
            .bytes = 0, /* a part borrows from its window, which is charged */
            .inputs = SL_DRAINER_WORKERS_MAX,
            .path = {&sl_drainer_dispatcher_class, &sl_drainer_worker_class},
        },
    [SL_LINE_KEEP] =
        {
            .name = "keep",
            .credits = SL_KEEP_CREDITS, /* one for each kind of question */
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_drainer_dispatcher_class, &sl_drainer_checkpointer_class},
        },
    [SL_LINE_RELOAD] =
        {
            .name = "reload",
            .credits = SL_DRAINER_RELOAD_CREDITS,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_outside_class, &sl_drainer_root_class, &sl_drainer_planner_class,
                     &sl_drainer_dispatcher_class},
        },
};

const struct sl_topology sl_drainer_topology = {
    .program = "drainer",
    .actors = actors,
    .actor_count = sizeof actors / sizeof *actors,
    .lines = lines,
    .line_count = SL_DRAINER_LINES,
};

/* Of a budget: what is left beside the program, in KiB. */
static uint64_t left_of(uint64_t budget_bytes)
{
    uint64_t program =
        budget_bytes / 2 < SL_DRAINER_PROGRAM_BYTES ? budget_bytes / 2 : SL_DRAINER_PROGRAM_BYTES;

    return (budget_bytes - program) >> 10;
}

/* A line of no bytes counts credits only. What one message is charged has 32 bits. */
static uint64_t in_proportion(uint64_t bytes, uint64_t budget_bytes)
{
    uint64_t share = bytes * left_of(budget_bytes) / left_of(SL_DRAINER_BUDGET_BYTES);

    return share < SL_DRAINER_LINE_BYTES_MAX ? share : SL_DRAINER_LINE_BYTES_MAX;
}

void sl_drainer_wire(struct sl_drainer_wiring *out, uint64_t budget_bytes)
{
    memcpy(out->lines, lines, sizeof lines);
    for (uint32_t i = SL_DRAINER_FRONT_LINES; i < SL_DRAINER_LINES; i++)
        out->lines[i].bytes = in_proportion(lines[i].bytes, budget_bytes);
    if (out->lines[SL_LINE_BLOCK].bytes > SL_SPOOL_BYTES)
        out->lines[SL_LINE_BLOCK].bytes = SL_SPOOL_BYTES;
    out->topology = sl_drainer_topology;
    out->topology.lines = out->lines;
}
