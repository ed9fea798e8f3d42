#!/usr/bin/env python3
"""Prewrites whose outcome does not come, and rollbacks that may not be true: a real pump asks TiKV,
here a stand-in that answers for the transactions of a recording (tests/tools/faketikv.h) behind a
real etcd. Each check writes one recording into the pump and gives another to TiKV: what differs is
what the pump has to find out.

Skipped where there is no etcd-server."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request

from cluster import BIN, TOOLS, frames, run_checks, wait_for
from live_cluster import CLUSTER, Place

BEGIN_MS = 1_700_000_000_000
YOUNG_MS = 5_000  # the age of transactions at the start of a check
OLD_MS = 700_000
P, C, R = 0, 1, 2
LONG_TTL = 10**12


def ts(ms, logical=0):
    return ((BEGIN_MS + ms) << 18) + logical


# ---- recordings ----


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def record(kind, start, commit=0, key=b"", value=b"", query=b"", job=0):
    """One Binlog as TiDB writes it."""
    out = field(1, kind) + field(2, start) + field(3, commit)
    out += field(4, key) if key else b""
    out += field(5, value) if value else b""
    out += field(6, query) if query else b""
    return out + field(7, job)


class Txn:
    """A transaction with its records."""

    def __init__(self, ms, **more):
        self.start, self.commit = ts(ms), ts(ms, 7)
        self.key = b"t-key-%d" % ms
        self.more = more or {"value": b"value of %d" % ms}

    def p(self):
        return record(P, self.start, key=self.key, **self.more)

    def c(self):
        return record(C, self.start, self.commit, key=self.key)

    def r(self):
        return record(R, self.start, key=self.key)

    def pulled(self):
        """What a drainer gets when the commit came from TiDB."""
        return record(C, self.start, self.commit, key=self.key, **self.more)

    def found(self):
        """The same when the pump made it: TiKV does not tell it the key."""
        return record(C, self.start, self.commit, **self.more)


def write_corpus(folder, records):
    """A recording, in a new folder."""
    folder.mkdir()
    out = b""
    for i, payload in enumerate(records):
        out += len(payload).to_bytes(4, "little") + bytes(4) + i.to_bytes(8, "little") + payload
    (folder / "writes.bin").write_bytes(out)
    return folder


# ---- processes ----


class Stage(Place):
    """etcd, PD with TiKV, and a pump."""

    config = "[storage]\nstop-write-at-available-space = 0\n"

    def __init__(self, folder, truth, age_ms=YOUNG_MS):
        super().__init__(folder)
        self.corpora = 0
        self.etcd()
        self.pd, self.url = self.start_pd(write_corpus(self.folder / "truth", truth), age_ms)
        self.registry = self.door(self.url)
        self.runs = 0
        self.start_pump()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def start_pd(self, truth, age_ms):
        process = self.start(TOOLS / "fakepd", "--etcd", f"127.0.0.1:{self.etcd_ports[0]}",
                             "--cluster-id", CLUSTER, "--tso", ts(age_ms), "--tikv", truth,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        return process, "http://" + line.split()[-1]

    def start_pump(self, *flags):
        config = self.folder / "pump.toml"
        config.write_text(self.config)
        self.log = self.folder / "pump.log"
        self.runs += 1
        before = self.log.read_text().count("\n") if self.log.exists() else 0
        log = open(self.log, "ab")  # the child's until it ends
        with log:
            self.pump = self.start(BIN / "pump", "-addr", "127.0.0.1:0", "-pd-urls", self.url,
                                   "-data-dir", self.folder / "pump", "-node-id", "p", "-config",
                                   config, *flags, stdout=log, stderr=log)

        def online():
            assert self.pump.poll() is None, self.log.read_text()[-2000:]
            code, text = self.registry.ask("get", "pumps", "p")
            node = json.loads(text) if code == "ok" else {"state": ""}
            fresh = self.log.read_text().count("\n") > before
            return node["host"] if fresh and node["state"] == "online" and self.answers(
                node["host"]) else None

        self.address = wait_for("the pump is online", online)

    def answers(self, host):
        try:
            return self.get("/metrics", host)
        except OSError:
            return None

    def get(self, path, host=None):
        with urllib.request.urlopen(f"http://{host or self.address}{path}", timeout=20) as page:
            return page.read().decode()

    def tell(self, *words):
        """A command to TiKV; its answer."""
        self.pd.stdin.write(" ".join(map(str, words)) + "\n")
        self.pd.stdin.flush()
        word, *rest = self.pd.stdout.readline().split()
        assert word == "ok", words
        return [int(r) for r in rest]

    def sluice(self, *args, seconds=60):
        done = subprocess.run([BIN / "sluice", *map(str, args)], capture_output=True, text=True,
                              timeout=seconds, check=False)
        assert done.returncode == 0, f"sluice {args}: {done.stderr}"

    def write(self, *records):
        self.corpora += 1
        corpus = write_corpus(self.folder / f"written{self.corpora}", records)
        self.sluice("replay", corpus, "--cluster-id", CLUSTER, "--pumps", self.address)

    def pull(self, until, seconds=60):
        """All transactions up to this commit ts."""
        out = self.folder / "pull.bin"
        self.sluice("pull", self.address, "--from", 0, "--cluster-id", CLUSTER, "--until", until,
                    "--out", out, "--quiet", seconds=seconds)
        return frames(out)

    def unresolved(self):
        for line in self.get("/metrics").splitlines():
            if line.startswith("sluice_pump_unresolved_prewrites"):
                return int(float(line.split()[-1]))
        raise AssertionError("no such series")

    def wait_unresolved(self, count):
        wait_for(f"{count} prewrites are unresolved", lambda: self.unresolved() == count)

    def looks_more(self, count):
        """Wait for so many look-ups from now on."""
        looks = self.tell("counts")[0]
        wait_for(f"{count} look-ups", lambda: self.tell("counts")[0] >= looks + count)


# ---- checks ----


def commit_that_never_comes_is_found(folder):
    dml, ddl = Txn(0), Txn(1, query=b"create table t(a int)", job=5)
    last = Txn(2)
    with Stage(folder, [dml.p(), dml.c(), ddl.p(), ddl.c(), last.p(), last.c()]) as stage:
        stage.write(dml.p(), ddl.p(), last.p(), last.c())
        got = stage.pull(last.commit)
        assert got == [dml.found(), ddl.found(), last.pulled()], got
        told = '["known txn is committed or rollback from tikv"] '
        for txn in (dml, ddl):
            assert f'{told}["start ts"={txn.start}] ["commit ts"={txn.commit}]' in \
                stage.log.read_text(), stage.log.read_text()[-2000:]
        stage.write(dml.p(), dml.c())  # TiDB's own, late: a repeat
        again = Txn(3)
        stage.write(again.p(), again.c())
        assert stage.pull(again.commit) == got + [again.pulled()]
        assert stage.tell("counts")[1:] == [0, 0], "what is found needs no check"
        stage.pump.kill()
        stage.pump.wait()
        stage.start_pump()
        assert stage.pull(again.commit) == got + [again.pulled()]


def large_prewrite_without_commit_is_found_too(folder):
    """Its value lies in a file of its own, its key in the log. It is written when the other comes:
    TiKV cannot know the end of one that begins later."""
    txn, last = Txn(0, value=b"v" * (17 << 20)), Txn(1)
    with Stage(folder, [txn.p(), txn.c(), last.p(), last.c()]) as stage:
        stage.write(txn.p())
        stage.write(last.p(), last.c())
        assert stage.pull(last.commit) == [txn.found(), last.pulled()]


def rollback_of_a_committed_transaction_is_not_believed(folder):
    txn, last = Txn(0), Txn(1)
    with Stage(folder, [txn.p(), txn.c(), last.p(), last.c()]) as stage:
        stage.write(txn.p(), txn.r(), last.p(), last.c())
        got = stage.pull(last.commit)
        assert got == [txn.found(), last.pulled()], got


def true_rollbacks_let_others_pass_soon(folder):
    recorded, absent, last = Txn(0), Txn(1), Txn(2)
    truth = [recorded.p(), recorded.r(), absent.p(), last.p(), last.c()]
    with Stage(folder, truth) as stage:
        stage.write(recorded.p(), recorded.r(), absent.p(), absent.r(), last.p(), last.c())
        assert stage.pull(last.commit) == [last.pulled()]
        looks, checks, _ = stage.tell("counts")
        assert checks == 1, "only what has neither lock nor record is checked, without the age"
        assert looks >= 6, f"it was looked for five times before, not {looks - 1}"
        stage.wait_unresolved(0)
        stage.pump.kill()  # what was found out is in the log
        stage.pump.wait()
        stage.start_pump()
        stage.wait_unresolved(0)
        assert stage.pull(last.commit) == [last.pulled()]


def living_lock_is_waited_for(folder):
    txn, given_up, last = Txn(0), Txn(1), Txn(2)
    truth = [txn.p(), txn.c(), given_up.p(), given_up.c(), last.p(), last.c()]
    with Stage(folder, truth, OLD_MS) as stage:
        stage.tell("lock", txn.start, LONG_TTL)
        stage.tell("lock", given_up.start, LONG_TTL)
        stage.write(txn.p(), given_up.p(), given_up.r())
        stage.looks_more(10)
        stage.write(last.p(), last.c())  # writes go on
        assert stage.tell("counts")[1] == 0
        stage.wait_unresolved(2)
        stage.tell("show", txn.start)
        stage.tell("show", given_up.start)
        assert stage.pull(last.commit) == [txn.found(), given_up.found(), last.pulled()]


def young_transaction_is_only_looked_at(folder):
    txn, last = Txn(0), Txn(1)
    with Stage(folder, [txn.p(), txn.c(), last.p(), last.c()]) as stage:
        stage.tell("hide", txn.start)
        stage.write(txn.p(), last.p(), last.c())
        stage.looks_more(2)
        assert stage.tell("counts")[1] == 0
        stage.wait_unresolved(1)
        assert "Find no MVCC record for a young txn" in stage.log.read_text()
        stage.tell("show", txn.start)
        assert stage.pull(last.commit) == [txn.found(), last.pulled()]


def old_transaction_is_checked(folder):
    absent, expired, last = Txn(0), Txn(1), Txn(2)
    truth = [absent.p(), expired.p(), expired.c(), last.p(), last.c()]
    with Stage(folder, truth, OLD_MS) as stage:
        stage.tell("lock", expired.start, 3000)
        stage.write(absent.p(), expired.p(), last.p(), last.c())
        assert stage.pull(last.commit) == [last.pulled()]
        assert stage.tell("counts")[1:] == [2, 0]
        assert "binlog_pump_storage_query_tikv_count 2" in stage.get("/metrics")
        told = f'["got commit status for unknown txn"] ["start ts"={absent.start}]'
        assert told in stage.log.read_text(), stage.log.read_text()[-2000:]


def tikv_before_4_is_asked_its_own_way(folder):
    absent, last = Txn(0), Txn(1)
    with Stage(folder, [absent.p(), last.p(), last.c()], OLD_MS) as stage:
        stage.tell("old", "on")
        stage.write(absent.p(), last.p(), last.c())
        assert stage.pull(last.commit) == [last.pulled()]
        assert stage.tell("counts")[1:] == [0, 1]


def silent_tikv_is_waited_for(folder):
    txn, given_up, last = Txn(0), Txn(1), Txn(2)
    truth = [txn.p(), txn.c(), given_up.p(), given_up.r(), last.p(), last.c()]
    with Stage(folder, truth, OLD_MS) as stage:
        stage.tell("silent", "on")
        stage.write(txn.p(), given_up.p(), given_up.r())
        wait_for("it is told", lambda: "Find no MVCC record" in stage.log.read_text()
                 or "a transaction without outcome is waited for" in stage.log.read_text())
        stage.write(last.p(), last.c())
        stage.wait_unresolved(2)
        stage.pump.kill()  # the log alone does not settle what TiDB rolled back
        stage.pump.wait()
        stage.start_pump()
        stage.wait_unresolved(2)
        stage.tell("silent", "off")
        assert stage.pull(last.commit) == [txn.found(), last.pulled()]


def region_errors_are_met(folder):
    kinds = ["not-leader", "other-leader", "epoch", "not-found", "busy"]
    txns = [Txn(i) for i in range(len(kinds) + 1)]
    with Stage(folder, [r for t in txns for r in (t.p(), t.c())]) as stage:
        for kind, txn in zip(kinds, txns):
            stage.tell("error", kind, 3)
            stage.write(txn.p(), txn.r())
            stage.pull(txn.commit)  # ends when it is known, all errors passed
        stage.write(txns[-1].p(), txns[-1].c())
        assert stage.pull(txns[-1].commit) == [t.found() for t in txns[:-1]] + [txns[-1].pulled()]


CHECKS = [
    commit_that_never_comes_is_found,
    large_prewrite_without_commit_is_found_too,
    rollback_of_a_committed_transaction_is_not_believed,
    true_rollbacks_let_others_pass_soon,
    living_lock_is_waited_for,
    young_transaction_is_only_looked_at,
    old_transaction_is_checked,
    tikv_before_4_is_asked_its_own_way,
    silent_tikv_is_waited_for,
    region_errors_are_met,
]

if __name__ == "__main__":
    os.environ["ETCD_UNSUPPORTED_ARCH"] = os.uname().machine  # it refuses some without a word
    if shutil.which("etcd") is None:
        for check in CHECKS:
            print(f"skip {check.__name__}: no etcd here; install etcd-server")
        sys.exit(0)
    run_checks(CHECKS)
