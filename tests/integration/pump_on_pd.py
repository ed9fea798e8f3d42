#!/usr/bin/env python3
"""A pump in a live cluster, which is a real etcd behind a stand-in for PD: it starts with a file
that has every key of the original, is found in the registry and answers over HTTP; PD's leader and
etcd may go and come while it runs, and nothing that it takes is lost.

Skipped where there is no etcd-server."""

import base64
import json
import os
import shutil
import signal
import sys
import threading
import urllib.request

from cluster import TOOLS, run_checks, wait_for
from live_cluster import CLUSTER, free_ports
from pump_resolver import YOUNG_MS, Stage, Txn, ts

EVERY_KEY = """
addr = "127.0.0.1:0"
advertise-addr = ""
gc = 7
data-dir = "data.pump"
heartbeat-interval = 2
pd-urls = "http://127.0.0.1:2379"
socket = ""
log-level = "info"
log-file = ""
node-id = ""
gen-binlog-interval = 3

[security]
ssl-ca = ""
ssl-cert = ""
ssl-key = ""
cert-allowed-cn = []

[storage]
sync-log = true
kv_chan_cap = 1048576
slow_write_threshold = 1.0
stop-write-at-available-space = "1 mib"

[storage.kv]
block-cache-capacity = 8388608
block-restart-interval = 16
block-size = 4096
compaction-L0-trigger = 8
compaction-table-size = 67108864
compaction-total-size = 536870912
compaction-total-size-multiplier = 8.0
write-buffer = 67108864
write-L0-pause-trigger = 24
write-L0-slowdown-trigger = 17
"""


class Members(Stage):
    """PD has two members, of which the first leads at first."""

    def start_pd(self, truth, age_ms):
        urls = [f"http://127.0.0.1:{port}" for port in free_ports(2)]
        self.members = []
        for own, other in (urls, urls[::-1]):
            process, _ = self.fakepd("--data", self.folder / "tso", "--tso", ts(age_ms), "--member",
                                     other, listen=own.removeprefix("http://"))
            self.members.append(process)
        self.members[1].send_signal(signal.SIGUSR1)
        return self.members[0], urls[0]

    def change_leader(self):
        for member in self.members:
            member.send_signal(signal.SIGUSR1)


def update_ts(stage):
    """The pump's last heartbeat, as the registry has it; 0 while nobody can be asked."""
    code, text = stage.registry.ask("get", "pumps", "p")
    return json.loads(text)["updateTS"] if code == "ok" else 0


def write_and_pull(stage, txns, new):
    """One more transaction goes in, and all come out."""
    stage.write(new.p(), new.c())
    txns.append(new)
    assert stage.pull(new.commit) == [t.pulled() for t in txns]


def status_tells(stage):
    answer = json.loads(stage.get("/status"))
    return answer["CommitTS"] > 0 and answer["status"].get("p", {}).get("state") == "online"


# ---- checks ----


def a_file_with_every_key_of_the_original_starts_a_pump(folder):
    class Everything(Stage):
        config = EVERY_KEY

    txn = Txn(0)
    with Everything(folder, [txn.p(), txn.c()]) as stage:
        node = json.loads(stage.registry.ok("get", "pumps", "p"))
        assert node["host"] == stage.address and node["state"] == "online", node
        assert status_tells(stage), stage.get("/status")
        write_and_pull(stage, [], txn)
        stage.pump.send_signal(signal.SIGTERM)
        assert stage.pump.wait(timeout=60) == 0, stage.log.read_text()[-2000:]
        assert json.loads(stage.registry.ok("get", "pumps", "p"))["state"] == "paused"


def leaders_of_pd_come_and_go(folder):
    txns = []
    with Members(folder, [Txn(9).p()]) as stage:
        write_and_pull(stage, txns, Txn(0))
        for i in (1, 2):
            before = update_ts(stage)
            stage.change_leader()
            write_and_pull(stage, txns, Txn(i))
            wait_for("the heart beats", lambda b=before: update_ts(stage) > b)
            wait_for("the status tells the time", lambda: status_tells(stage))
        stage.members[0].send_signal(signal.SIGUSR1)  # nobody leads; the pump goes on
        stage.write(Txn(3).p(), Txn(3).c())
        stage.members[0].send_signal(signal.SIGUSR1)
        txns.append(Txn(3))
        write_and_pull(stage, txns, Txn(4))
        assert stage.pump.poll() is None


def states_since(stage, revision):
    """Of the pump, as the registry had them after that revision, and its revision now."""
    def kv(**more):
        key = base64.b64encode(b"/tidb-binlog/v1/pumps/p").decode()
        request = urllib.request.Request(f"http://127.0.0.1:{stage.etcd_ports[0]}/v3/kv/range",
                                         json.dumps({"key": key, **more}).encode())
        with urllib.request.urlopen(request, timeout=60) as page:
            record = json.load(page)["kvs"][0]
        state = json.loads(base64.b64decode(record["value"]))["state"]
        return state, int(record["mod_revision"])

    _, now = kv()
    return [kv(revision=k)[0] for k in range(revision + 1, now + 1)], now


def a_pump_that_was_killed_is_seen_to_come_back(folder):
    """TiDB takes it back at once when its state changes, and else after up to 30 s."""
    with Stage(folder, [Txn(9).p()]) as stage:
        _, revision = states_since(stage, 1 << 40)
        stage.pump.kill()
        stage.pump.wait()
        stage.start_pump()
        wait_for("the status tells", lambda: status_tells(stage))
        states, _ = states_since(stage, revision)
        assert "paused" in states and states[-1] == "online", states


def etcd_starts_again_while_the_pump_runs(folder):
    txns = []
    with Stage(folder, [Txn(9).p()]) as stage:
        write_and_pull(stage, txns, Txn(0))
        etcd = stage.running[0]
        before = update_ts(stage)
        etcd.kill()
        etcd.wait()
        write_and_pull(stage, txns, Txn(1))  # what is known of nobody else is not needed
        stage.etcd()
        wait_for("the heart beats again", lambda: update_ts(stage) > before)
        write_and_pull(stage, txns, Txn(2))
        wait_for("the status tells", lambda: status_tells(stage))
        assert stage.pump.poll() is None


class EtcdLast(Stage):
    """The pump starts when PD answers, but etcd does not yet."""

    def etcd(self):
        if self.etcd_ports is None:
            self.etcd_ports = free_ports(2)
            return None
        return super().etcd()

    def start_pump(self, *flags):
        def wait_and_start():
            wait_for("the pump has missed etcd",
                     lambda: "the cluster cannot be reached, trying again"
                     in self.log.read_text())
            self.etcd()

        self.log = self.folder / "pump.log"
        self.log.touch()
        thread = threading.Thread(target=wait_and_start)
        thread.start()
        super().start_pump(*flags)
        thread.join()


def a_pump_that_starts_before_etcd_waits_for_it(folder):
    """It looks itself up in the registry before it opens its directory."""
    with EtcdLast(folder, [Txn(9).p()]) as stage:
        write_and_pull(stage, [], Txn(0))


def empty_directory_of_a_pump_with_data_is_refused(folder):
    """As on a local registry (pump_bad_input.py)."""
    with Stage(folder, [Txn(9).p()]) as stage:
        write_and_pull(stage, [], Txn(0))
        stage.pump.send_signal(signal.SIGTERM)
        assert stage.pump.wait(timeout=60) == 0, stage.log.read_text()[-2000:]
        (stage.folder / "pump").rename(stage.folder / "kept")
        try:
            stage.start_pump()
        except AssertionError as refused:
            assert "is empty, but pump p is registered as paused" in str(refused), refused
        else:
            raise AssertionError("it started as if nothing were missing")
        shutil.rmtree(stage.folder / "pump")
        (stage.folder / "kept").rename(stage.folder / "pump")
        stage.start_pump()
        assert stage.pull(Txn(0).commit) == [Txn(0).pulled()]


def a_pd_that_is_silent_or_of_another_cluster_costs_nothing(folder):
    """What is written meanwhile is taken, and all is there when the right one is back."""
    txns = []
    with Members(folder, [Txn(9).p()]) as stage:
        write_and_pull(stage, txns, Txn(0))
        for member in stage.members:
            member.send_signal(signal.SIGSTOP)
        stage.write(Txn(1).p(), Txn(1).c())
        wait_for("it is told", lambda: "write fake binlog failed" in stage.log.read_text()
                 or "fail to get tso from pd" in stage.log.read_text())
        for member in stage.members:
            member.send_signal(signal.SIGCONT)
        txns.append(Txn(1))
        write_and_pull(stage, txns, Txn(2))
        address = stage.url.removeprefix("http://")
        for member in stage.members:
            member.kill()
            member.wait()
        stage.running.remove(stage.members[0])
        liar, _ = stage.fakepd("--tso", ts(YOUNG_MS), cluster=CLUSTER + 1, listen=address)
        stage.write(Txn(3).p(), Txn(3).c())
        wait_for("the other cluster is told",
                 lambda: "mismatch cluster id" in stage.log.read_text())
        liar.kill()
        liar.wait()
        stage.fakepd("--data", stage.folder / "tso", "--tso", ts(YOUNG_MS), listen=address)
        txns.append(Txn(3))
        write_and_pull(stage, txns, Txn(4))
        assert stage.pump.poll() is None


CHECKS = [
    a_file_with_every_key_of_the_original_starts_a_pump,
    a_pump_that_was_killed_is_seen_to_come_back,
    a_pump_that_starts_before_etcd_waits_for_it,
    empty_directory_of_a_pump_with_data_is_refused,
    leaders_of_pd_come_and_go,
    etcd_starts_again_while_the_pump_runs,
    a_pd_that_is_silent_or_of_another_cluster_costs_nothing,
]

if __name__ == "__main__":
    os.environ["ETCD_UNSUPPORTED_ARCH"] = os.uname().machine  # it refuses some without a word
    if shutil.which("etcd") is None:
        for check in CHECKS:
            print(f"skip {check.__name__}: no etcd here; install etcd-server")
        sys.exit(0)
    run_checks(CHECKS)
