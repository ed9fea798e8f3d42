#include "actors/pump/topology.h"

#include "base/limits.h"

static const struct sl_topology_actor actors[] = {
    {&sl_pump_root_class, 1},
    {&sl_pump_gateway_class, 1},
    {&sl_pump_session_class, SL_PUMP_CONNECTIONS_MAX},
    {&sl_pump_spooler_class, SL_PUMP_SHARDS_MAX},
    {&sl_pump_shard_writer_class, SL_PUMP_SHARDS_MAX},
    {&sl_pump_sorter_class, SL_PUMP_SHARDS_MAX},
    {&sl_pump_indexer_class, SL_PUMP_SHARDS_MAX},
    {&sl_pump_puller_class, SL_PULLERS_MAX},
    {&sl_pump_clock_class, 1},
    {&sl_pump_resolver_class, 1},
    {&sl_pump_registrar_class, 1},
    {&sl_pump_retention_class, 1},
    {&sl_pump_admin_class, 1},
    {&sl_pump_pusher_class, 1},
};

static const struct sl_topology_line lines[SL_PUMP_LINES] = {
    [SL_LINE_WRITE] =
        {
            .name = "write",
            .credits = SL_PUMP_WRITE_CREDITS,
            .bytes = SL_PUMP_WRITE_BYTES,
            .inputs = 1,
            .path = {&sl_pump_session_class, &sl_pump_shard_writer_class, &sl_pump_sorter_class},
        },
    [SL_LINE_FAKE] =
        {
            .name = "fake",
            .credits = SL_PUMP_FAKE_CREDITS,
            .bytes = 4096,
            .inputs = 1,
            .path = {&sl_pump_clock_class, &sl_pump_shard_writer_class, &sl_pump_sorter_class},
        },
    [SL_LINE_RESOLVE] =
        {
            .name = "resolve",
            .credits = SL_PUMP_RESOLVE_CREDITS,
            .bytes = SL_PUMP_RESOLVE_CREDITS * SL_PUMP_OUTCOME_BYTES_MAX,
            .inputs = 1,
            .path = {&sl_pump_resolver_class, &sl_pump_shard_writer_class, &sl_pump_sorter_class},
        },
    [SL_LINE_ORPHANS] =
        {
            .name = "orphans",
            .credits = SL_PUMP_SHARDS_MAX,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_resolver_class, &sl_pump_sorter_class},
        },
    [SL_LINE_MARK] =
        {
            .name = "mark",
            .credits = SL_PUMP_SHARDS_MAX, /* one for each other shard */
            .bytes = 0,
            .inputs = SL_PUMP_SHARDS_MAX,
            .path = {&sl_pump_shard_writer_class, &sl_pump_sorter_class},
        },
    [SL_LINE_TIDE] =
        {
            .name = "tide",
            .credits = SL_PUMP_SHARDS_MAX,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_clock_class, &sl_pump_sorter_class},
        },
    [SL_LINE_CUT] =
        {
            .name = "cut",
            .credits = SL_PUMP_CUT_CREDITS,
            .bytes = 0,
            .inputs = SL_PUMP_SHARDS_MAX,
            .path = {&sl_pump_sorter_class, &sl_pump_indexer_class},
        },
    [SL_LINE_WATCH] =
        {
            .name = "watch",
            .credits = SL_PULLERS_MAX * SL_PUMP_SHARDS_MAX,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_puller_class, &sl_pump_indexer_class},
        },
    [SL_LINE_NEXT] =
        {
            .name = "next",
            .credits = SL_PULLERS_MAX * SL_PULL_AHEAD,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_session_class, &sl_pump_puller_class},
        },
    [SL_LINE_HTTP] =
        {
            .name = "http",
            .credits = SL_PUMP_HTTP_CREDITS,
            .bytes = SL_PUMP_HTTP_CREDITS * SL_HTTP_BODY_BYTES_MAX,
            .inputs = 1,
            .path = {&sl_pump_session_class, &sl_pump_admin_class},
        },
    [SL_LINE_PUBLISH] =
        {
            .name = "publish",
            .credits = 2,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_root_class, &sl_pump_registrar_class},
        },
    [SL_LINE_LEAVE] =
        {
            .name = "leave",
            .credits = SL_PUMP_HTTP_CREDITS,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_admin_class, &sl_pump_root_class},
        },
    [SL_LINE_TRIM] =
        {
            .name = "trim",
            .credits = 1,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_retention_class, &sl_pump_indexer_class, &sl_pump_shard_writer_class,
                     &sl_pump_spooler_class},
        },
    [SL_LINE_GC] =
        {
            .name = "gc",
            .credits = 1,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_admin_class, &sl_pump_retention_class},
        },
    [SL_LINE_SPOOL] =
        {
            .name = "spool",
            .credits = SL_SPOOLS_MAX,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_session_class, &sl_pump_spooler_class, &sl_pump_shard_writer_class,
                     &sl_pump_sorter_class},
        },
    [SL_LINE_PIECE] =
        {
            .name = "piece",
            .credits = SL_SPOOLS_MAX * (SL_SPOOL_PIECES + 1), /* and how it ends */
            .bytes = 0, /* a piece is charged nothing: the credits bound them */
            .inputs = 1,
            .path = {&sl_pump_session_class, &sl_pump_spooler_class},
        },
    [SL_LINE_TS] =
        {
            .name = "ts",
            .credits = SL_PUMP_CONNECTIONS_MAX,
            .bytes = 0,
            .inputs = 1,
            .path = {&sl_pump_session_class, &sl_pump_clock_class},
        },
};

const struct sl_topology sl_pump_topology = {
    .program = "pump",
    .actors = actors,
    .actor_count = sizeof actors / sizeof *actors,
    .lines = lines,
    .line_count = SL_PUMP_LINES,
};
