#!/usr/bin/env python3
"""What a pump measures and says of its writes and of drainers that lag: each series that dashboards
show moves when what it is about has happened."""

import json
import re
import urllib.request

from cluster import Cluster, run_checks, wait_for
from pairs import CLUSTER, acked, config, some_pairs

DURATION = "binlog_pump_storage_write_binlog_duration_time"
LATE = "drainer's checkpoint is older than pump gc ts, binlogs are kept for it"
SOON = "drainer's checkpoint will soon be older than pump gc ts"
HOUR = 3600 * 1000 << 18


def http(pump, method, path):
    request = urllib.request.Request(f"http://{pump.address}{path}", method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def metric(pump, series):
    """The value of one series; None: it is not there."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", http(pump, "GET", "/metrics"), re.M)
    return float(found[1]) if found else None


def put_drainer(cluster, name, state, max_commit_ts):
    path = cluster.folder / "registry/drainers" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"nodeId": name, "host": "127.0.0.1:1", "state": state,
                                "isAlive": False, "score": 0, "label": None,
                                "maxCommitTS": max_commit_ts, "updateTS": 0}))


def each_part_of_a_write_is_measured(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = cluster.pump("p", "-config", config(folder)).start()
        some_pairs(cluster, pump, 500)  # more than one segment
        counts = {part: metric(pump, f'{DURATION}_count{{type="{part}"}}')
                  for part in ("single", "batch", "to_disk", "rotate", "fsync")}
        assert counts["single"] >= 1000, counts
        assert 0 < counts["batch"] <= counts["single"], counts
        assert counts["to_disk"] >= counts["batch"], counts
        assert counts["fsync"] >= counts["batch"] / 2 and counts["rotate"] >= 1, counts
        sums = {part: metric(pump, f'{DURATION}_sum{{type="{part}"}}') for part in counts}
        assert sums["batch"] >= sums["fsync"] > 0 and sums["single"] > 0, sums
        assert "take a long time" not in pump.log.read_text()
        assert pump.stop() == 0


def slow_writes_are_told(folder):
    path = config(folder)
    path.write_text(path.read_text() + "slow_write_threshold = 0.000001\n")
    with Cluster(folder, CLUSTER) as cluster:
        pump = cluster.pump("p", "-config", path).start()
        some_pairs(cluster, pump, 5)
        line = next(line for line in pump.log.read_text().splitlines()
                    if '["take a long time to write binlog"]' in line)
        assert re.search(r"\[shard=0\] \[took=\S+s\] \[start_ts=\d+\] \[commit_ts=\d+\] "
                         r"\[bytes=\d+\] \[records=\d+\]", line), line
        assert pump.stop() == 0


def drainers_that_lag_are_told_and_counted(folder):
    path = config(folder)
    path.write_text('gc = "100h"\n' + path.read_text())
    with Cluster(folder, CLUSTER) as cluster:
        pump = cluster.pump("p", "-config", path).start()
        some_pairs(cluster, pump, 5)
        now = max(acked(cluster).values())
        for name, state, hours in (("late", "paused", 101), ("soon", "online", 81),
                                   ("well", "online", 79), ("gone", "offline", 101)):
            put_drainer(cluster, name, state, now - hours * HOUR)
        wait_for("the clock is known", lambda: http(pump, "POST", "/debug/gc/trigger")
                 and LATE in pump.log.read_text() and SOON in pump.log.read_text())
        log = pump.log.read_text()
        assert f'["{LATE}"] [drainer=late] [state=paused] [checkpoint={now - 101 * HOUR}]' in log
        assert f'["{SOON}"] [drainer=soon] [state=online] [checkpoint={now - 81 * HOUR}]' in log
        assert "drainer=well" not in log and "drainer=gone" not in log, log[-2000:]
        for name, least in (("late", 1), ("soon", 1), ("well", None), ("gone", None)):
            count = metric(pump, f'binlog_pump_detected_drainer_binlog_purge_count{{id="{name}"}}')
            assert count is None if least is None else count >= least, (name, count)
        assert pump.stop() == 0


run_checks([each_part_of_a_write_is_measured, slow_writes_are_told,
            drainers_that_lag_are_told_and_counted])
