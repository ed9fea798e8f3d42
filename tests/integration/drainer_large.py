#!/usr/bin/env python3
"""Transactions that do not fit into the memory budget: they arrive, row for row, in little memory,
also with kept transactions, through gzip and through kill -9 amid them; what is decoded for a
downstream that stands still stays within the budget; a full disk under the spool holds the stream
until there is room. With --gib also one of a GiB."""

import os
import re
import signal
import subprocess
import sys

from cluster import PLAIN, Cluster, Skip, run_checks, wait_for
from feed import Drainer
from mariadb import mariadb

MIB = 1 << 20
SECONDS = 600
OVER = 1.1  # of the budget


def rss_max(process):
    text = open(f"/proc/{process.pid}/status", encoding="ascii").read()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024


class World:
    """A pump, a MariaDB, and a drainer with a budget."""

    def __init__(self, folder, budget_mib, syncer="", flags=()):
        self.folder = folder
        self.budget = budget_mib * MIB
        self.cluster = Cluster(folder, 4711).__enter__()
        config = folder / "pump.toml"
        config.write_text("[storage]\nshards = 2\nstop-write-at-available-space = 0\n")
        self.pump = self.cluster.pump("p0", "-config", config).start()
        self.server = mariadb(folder, "--max-allowed-packet=64M").start()
        self.history = folder / "ddl-history.jsonl"
        self.loads = 0
        self.drainer = Drainer(
            self.cluster, self.server.port, "d", *flags,
            syncer=f'memory-budget = "{budget_mib} mib"\nschema-source = "file:{self.history}"\n'
                   + syncer)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.server.kill()
        self.cluster.__exit__(*what)

    def load(self, size, rows, pairs=1):
        """Transactions of so many bytes and rows each; the last commit ts."""
        self.loads += 1
        acked = self.folder / f"acked{self.loads}"
        self.cluster.sluice(
            "load", "--pumps", self.pump.address, "--pd-urls", self.cluster.url, "--size", size,
            "--rows", rows, "--pairs", pairs, "--seconds", 0, "--callers", 1, "--write-timeout",
            f"{SECONDS}s", "--ddl-history", self.history, "--acked", acked, seconds=SECONDS)
        return int(acked.read_text().split()[-1])

    def look(self):
        """Rows, different ids, bytes, and rows that begin with no start ts that was given."""
        starts = {int(line.split()[0]) for acked in self.folder.glob("acked*")
                  for line in acked.read_text().splitlines()}
        heads = ",".join(f"x'{start.to_bytes(8, 'little').hex()}'" for start in starts)
        out = self.server.client(
            "SELECT COUNT(*), COUNT(DISTINCT id), COALESCE(SUM(LENGTH(payload)), 0), "
            f"COALESCE(SUM(LEFT(payload, 8) NOT IN ({heads})), 0) FROM sluice_load.t")
        return [int(cell) for cell in out.split()]

    def rows(self):
        """So many are there to be seen."""
        try:
            return int(self.server.client("SELECT COUNT(*) FROM sluice_load.t"))
        except AssertionError:
            return 0  # there is no table yet

    def holds(self, what):
        peak = rss_max(self.drainer.process)
        print(f"{what}: peak RSS {peak / MIB:.0f} MiB of {self.budget / MIB:.0f}", flush=True)
        assert peak <= OVER * self.budget or not PLAIN, f"{peak / MIB:.0f} MiB"

    def arrived(self, rows, size):
        """All of them, once."""
        count, ids, length, wrong = self.look()
        assert (count, ids, wrong) == (rows, rows, 0), (count, ids, wrong)
        assert 0.9 * size <= length <= size, (length, size)


def arrives(folder, budget_mib, size, rows, syncer="", flags=()):
    with World(folder, budget_mib, syncer, flags) as w:
        w.load(10_000, 10)
        last = w.load(size, rows)
        w.drainer.start()
        w.drainer.wait_for_ts(last, SECONDS)
        w.arrived(rows + 10, size + 10_000)
        w.holds(f"{size / MIB:.0f} MiB in {rows} rows")
        last = w.load(1000, 2)
        w.drainer.wait_for_ts(last)
        w.drainer.stop()


def one_larger_than_the_budget(folder):
    arrives(folder, 64, 160 * MIB, 200_000)


def one_of_wide_rows(folder):
    arrives(folder, 64, 100 * MIB, 100)


def one_of_a_gib(folder):
    arrives(folder, 512, 1022 * MIB, 1_000_000)


def one_that_is_kept_whole(folder):
    with World(folder, 64, "disable-dispatch = true\n") as w:
        w.load(10_000, 10)
        last = w.load(100 * MIB, 100_000)
        w.drainer.start()
        seen = set()

        def applied():
            seen.add(w.rows())
            return w.drainer.saved() >= last

        wait_for("it is applied", applied, SECONDS)
        assert seen <= {0, 10, 100_010}, f"a part of it was to be seen: {seen}"
        w.arrived(100_010, 100 * MIB + 10_000)
        w.holds("kept")
        w.drainer.stop()


def one_through_gzip(folder):
    arrives(folder, 64, 20 * MIB, 20_000, flags=("-compressor", "gzip"))


def a_kill_amid_it(folder):
    with World(folder, 64) as w:
        w.load(10_000, 10)
        last = w.load(100 * MIB, 100_000)
        for _ in range(3):
            before = w.rows()
            w.drainer.start()
            wait_for("some of it is applied", lambda: w.rows() > max(before, 10), SECONDS)
            assert w.drainer.saved() < last, "it was killed too late"
            w.drainer.process.send_signal(signal.SIGKILL)
            w.drainer.process.wait()
        w.drainer.start()
        w.drainer.wait_for_ts(last, SECONDS)
        w.arrived(100_010, 100 * MIB + 10_000)
        assert not list((folder / "d.data/spool").iterdir())
        w.drainer.stop()


def a_downstream_that_stands_still(folder):
    """Many transactions of wide and of narrow rows, and a server that is stopped."""
    with World(folder, 64) as w:
        last = w.load(1000, 2)
        w.drainer.start()
        w.drainer.wait_for_ts(last)
        w.server.process.send_signal(signal.SIGSTOP)
        try:
            w.load(1 * MIB, 10_000, 60)
            last = w.load(1 * MIB, 4, 60)
            held = [0, -1]

            def is_full():
                held.append(w.drainer.status()["held_bytes"])
                return held[-1] > w.budget / 4 and held[-50:].count(held[-1]) == 50

            wait_for("it takes no more", is_full)
            w.holds("standing still")
        finally:
            w.server.process.send_signal(signal.SIGCONT)
        w.drainer.wait_for_ts(last, SECONDS)
        w.holds("behind it")
        w.arrived(2 + 60 * 10_000 + 60 * 4, 120 * MIB + 1000)
        w.drainer.stop()


def a_full_disk_under_the_spool(folder):
    if os.geteuid() != 0:
        raise Skip("only root can mount a small disk")
    place = folder / "d.data/spool"
    place.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", place], check=False,
                             capture_output=True)
    if mounted.returncode != 0:
        raise Skip("a small disk cannot be mounted here")
    try:
        with World(folder, 64) as w:
            before = w.load(1000, 2)
            last = w.load(20 * MIB, 1000)
            w.drainer.start()
            told = w.drainer.wait_for_state("retrying", "SL-2203", "spool", "No space left")
            assert told["waiting_on"] == "spool" and told["code"] == "SL-2203", told
            w.drainer.wait_for_ts(before)
            assert w.rows() == 2
            subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
            w.drainer.wait_for_ts(last)
            w.arrived(1002, 20 * MIB + 1000)
            assert w.drainer.status()["state"] == "running"
            w.drainer.stop()
    finally:
        subprocess.run(["umount", place], check=False)


CHECKS = [one_larger_than_the_budget, one_of_wide_rows, one_that_is_kept_whole, one_through_gzip,
          a_kill_amid_it, a_downstream_that_stands_still, a_full_disk_under_the_spool]
if "--gib" in sys.argv:
    sys.argv.remove("--gib")
    CHECKS = [one_of_a_gib]
run_checks(CHECKS)
