#!/usr/bin/env python3
"""A pump that is told to leave: paused, it can be started again; closed, it goes offline only when
every drainer has all that it holds, says for whom it waits, and serves while it waits."""

import http.client
import json
import re

from cluster import Cluster, run_checks, wait_for
from pairs import CLUSTER, acked, check_pulled, config, load, some_pairs

DONE = '{{\n  "message": "apply action {} success!",\n  "code": 200,\n  "data": null\n}}\n'


def put_state(pump, action):
    """The body that answers PUT /state/..."""
    peer = http.client.HTTPConnection(pump.address, timeout=30)
    peer.request("PUT", f"/state/{pump.name}/{action}")
    answer = peer.getresponse()
    body = answer.read().decode()
    assert answer.status == 200, answer.status
    peer.close()
    return body


def put_drainer(cluster, name, state, max_commit_ts):
    """A hand-written record of a drainer."""
    path = cluster.folder / "registry/drainers" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    part = path.parent / ".part"
    part.write_text(json.dumps({"nodeId": name, "host": "127.0.0.1:1", "state": state,
                                "isAlive": False, "score": 0, "label": None,
                                "maxCommitTS": max_commit_ts, "updateTS": 0}))
    part.rename(path)


def ends(pump, state):
    assert pump.process.wait(timeout=30) == 0, pump.log.read_text()[-2000:]
    assert pump.state()["state"] == state, pump.state()


def running(cluster):
    return cluster.pump("p", "-config", config(cluster.folder, 4)).start()


def pause_ends_the_pump_and_a_start_brings_it_back(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump)
        assert put_state(pump, "pause") == DONE.format("pause")
        ends(pump, "paused")
        pump.start()
        check_pulled(cluster, pump)
        assert pump.stop() == 0


def close_waits_for_the_drainers_and_says_for_whom(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump)
        put_drainer(cluster, "gone", "offline", 1)
        put_drainer(cluster, "slow", "paused", 1)
        assert put_state(pump, "close") == DONE.format("close")
        wait_for("closing is known", lambda: pump.state()["state"] == "closing")
        wait_for("it says for whom it waits",
                 lambda: '["Waiting for drainer to consume binlog"] [error="drainer slow (paused)'
                 in pump.log.read_text())
        assert "drainer gone" not in pump.log.read_text()
        assert '"code": 3' in put_state(pump, "pause")
        loader = load(cluster, pump, "--pairs", 1, "--write-timeout", "200ms")
        _, err = loader.communicate(timeout=60)
        assert loader.returncode == 1 and "no online: closing" in err, err
        log = pump.log.read_text()
        assert '["reject write binlog for not online state"]' in log and "[state=closing]" in log
        assert '["write binlog failed"]' not in log, log[-2000:]
        check_pulled(cluster, pump)
        assert pump.process.poll() is None
        put_drainer(cluster, "slow", "paused", max(acked(cluster).values()) + (3600000 << 18))
        ends(pump, "offline")
        (folder / "registry/drainers/slow.json").unlink()
        pump.start()  # born again
        check_pulled(cluster, pump)
        assert pump.stop() == 0


def it_says_regularly_how_it_does(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump, 20)
        line = wait_for("the line is there", lambda: re.search(
            r'\["server info tick"\] \[writeBinlogCount=(\d+)\] \[alivePullerCount=0\] '
            r'\[MaxCommitTS=(\d+)\]', pump.log.read_text()))
        assert int(line[1]) >= 40, line[0]
        assert int(line[2]) >= max(acked(cluster).values()), line[0]
        assert pump.stop() == 0


def close_without_drainers_ends_by_itself(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump)
        put_state(pump, "close")
        ends(pump, "offline")


def signal_ends_the_wait_for_drainers(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump)
        put_drainer(cluster, "slow", "online", 1)
        put_state(pump, "close")
        wait_for("closing is known", lambda: pump.state()["state"] == "closing")
        assert pump.stop() == 0
        assert pump.state()["state"] == "paused", pump.state()
        pump.start()
        check_pulled(cluster, pump)
        assert pump.stop() == 0


run_checks([
    pause_ends_the_pump_and_a_start_brings_it_back,
    close_waits_for_the_drainers_and_says_for_whom,
    it_says_regularly_how_it_does,
    close_without_drainers_ends_by_itself,
    signal_ends_the_wait_for_drainers,
])
