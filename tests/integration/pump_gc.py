#!/usr/bin/env python3
"""What is old and needed by nobody goes, index entries and segments; what a drainer has yet to read
stays. Time passes by a replay: it takes the cluster's timestamps a month ahead."""

import json
import pathlib
import re
import urllib.request

from cluster import ROOT, Cluster, frames, run_checks, wait_for

CORPUS = ROOT / "tests/corpus/types"
MONTH = 30 * 24 * 3600 * 1000 << 18
CONFIG = """gc = "7"
[storage]
shards = {shards}
segment-size = "1 mib"
stop-write-at-available-space = 0
"""


def http(pump, method, path):
    request = urllib.request.Request(f"http://{pump.address}{path}", method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def metric(pump, name):
    return float(re.search(rf"^{name} (\S+)$", http(pump, "GET", "/metrics"), re.M).group(1))


def segments(pump):
    return len(list(pathlib.Path(pump.data).glob("shard-*/*.seg")))


def a_month_later(folder, cluster, shards):
    """A pump with a month-old load and a recording of now behind it."""
    path = folder / "pump.toml"
    path.write_text(CONFIG.format(shards=shards))
    pump = cluster.pump("p0", "-config", path).start()
    cluster.sluice("load", "--pumps", pump.address, "--pd-urls", cluster.url, "--pairs", 5000,
                   "--seconds", 30, "--callers", 50, "--size", 4096)
    cluster.sluice("replay", CORPUS, "--pumps", pump.address, "--pd-urls", cluster.url)
    last = int(json.loads((CORPUS / "meta.json").read_text())["last_commit_ts"])
    wait_for("the clock has seen the new time",
             lambda: pump.state()["maxCommitTS"] > last)
    return pump


def start(folder):
    meta = json.loads((CORPUS / "meta.json").read_text())
    return Cluster(folder, meta["cluster_id"], int(meta["first_start_ts"]) - MONTH)


def pulled(folder, cluster, pump):
    last = json.loads((CORPUS / "meta.json").read_text())["last_commit_ts"]
    out = folder / "pull.bin"
    cluster.sluice("pull", pump.address, "--from", 0, "--pd-urls", cluster.url, "--out", out,
                   "--until", last)
    return frames(out)


def old_goes_and_new_stays(folder, shards):
    with start(folder) as cluster:
        pump = a_month_later(folder, cluster, shards)
        before = segments(pump)
        assert http(pump, "POST", "/debug/gc/trigger") == "trigger gc success\n"
        wait_for("a round is done",
                 lambda: metric(pump, "binlog_pump_storage_done_gc_ts") > 0)
        assert metric(pump, "binlog_pump_storage_deleted_kv_total") >= 5000
        after = segments(pump)
        assert after < before - 8, f"{before} segments, then {after}"
        want = frames(CORPUS / "golden/pull/pump0.bin")
        assert pulled(folder, cluster, pump) == want
        pump.kill()
        pump.start()
        assert pulled(folder, cluster, pump) == want
        assert pump.stop() == 0, pump.log.read_text()[-2000:]


def what_is_old_goes(folder):
    old_goes_and_new_stays(folder, 1)


def what_is_old_goes_in_each_shard(folder):
    old_goes_and_new_stays(folder, 4)


def what_a_drainer_has_not_read_stays(folder):
    with start(folder) as cluster:
        pump = a_month_later(folder, cluster, 1)
        record = {"nodeId": "d0", "host": "127.0.0.1:1", "state": "paused", "isAlive": False,
                  "score": 0, "label": None, "maxCommitTS": 1, "updateTS": 0}
        (cluster.folder / "registry/drainers/d0.json").write_text(json.dumps(record))
        before = segments(pump)
        assert http(pump, "POST", "/debug/gc/trigger") == "trigger gc success\n"
        wait_for("gc is idle again",
                 lambda: http(pump, "POST", "/debug/gc/trigger") == "trigger gc success\n")
        assert metric(pump, "binlog_pump_storage_deleted_kv_total") == 0
        assert segments(pump) == before
        assert len(pulled(folder, cluster, pump)) > 6000
        assert pump.stop() == 0


run_checks([what_is_old_goes, what_is_old_goes_in_each_shard, what_a_drainer_has_not_read_stays])
