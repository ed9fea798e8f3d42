#!/usr/bin/env python3
"""What a drainer does while its surroundings fail and come back: the downstream refuses, says
nothing or loses answers, the registry or pumps are gone. It stays, says why and since when, goes on
by itself when that is mended, and nothing is lost or applied twice; a stop within any of these
states takes seconds."""

import contextlib
import subprocess
import sys
import time

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parents[1] / "lib"))

from cluster import Cluster, run_checks, wait_for
from fault_proxy import Fault, FaultProxy
from feed import (CLUSTER, CREATE_K, CREATE_TABLE, INSERT, Drainer, Feed, Load,
                  check_rows, column, mutation, rows_of, table, value)
from mariadb import mariadb, program

RESUME_S = 5  # from the repair to the first new checkpoint


class World:
    """A registry, a pump that is fed, a MariaDB and a drainer, under load."""

    def __init__(self, folder, *options, proxied=False, user="root", **config):
        self.stack = contextlib.ExitStack()
        self.folder = folder
        self.options = options
        self.proxied = proxied
        self.user = user
        self.config = config

    def __enter__(self):
        enter = self.stack.enter_context
        self.cluster = enter(Cluster(self.folder, CLUSTER))
        self.server = enter(mariadb(self.folder, *self.options))
        self.server.client(
            "CREATE USER writer@'%'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, "
            "INDEX, PROCESS ON *.* TO writer@'%'")
        self.proxy = enter(FaultProxy(self.server.port)) if self.proxied else None
        self.feed = Feed(self.cluster).start()
        self.feed.tables()
        self.load = enter(Load(self.feed))
        self.drainer = Drainer(self.cluster,
                               self.proxy.port if self.proxied else self.server.port,
                               user=self.user, **self.config).start()
        self.applies()
        return self

    def __exit__(self, *what):
        return self.stack.__exit__(*what)

    def applies(self, seconds=60):
        """What is new now arrives."""
        self.drainer.wait_for_ts(self.feed.last, seconds)

    def ends_whole(self):
        """The load ends, and all of it is there once."""
        self.drainer.wait_for_ts(self.load.end())
        check_rows(self.server, self.load.rows)
        self.drainer.stop()

    def goes_through(self, damage, mend, state, *words):
        """It says so while it lasts, resumes by itself, and stops in it."""
        for stops in (False, True):
            begun = time.time() * 1000
            damage()
            told = self.drainer.wait_for_state(state, *words)
            assert begun - 1000 <= told["since"] <= time.time() * 1000, told
            assert told["code"].startswith("SL-") and told["waiting_on"], told
            if stops:
                self.drainer.stop()
            mend()
            if stops:
                self.drainer.start()
                self.applies()
            else:
                self.applies(RESUME_S + 1)
                self.drainer.wait_for_state("running", seconds=1)


# ---- answers that are lost ----


def an_answer_to_commit_is_lost(folder):
    with World(folder, proxied=True) as w:
        for _ in range(10):
            fault = Fault("reset-after", b"COMMIT")
            w.proxy.faults.append(fault)
            assert fault.done.wait(30)
            w.applies()
        w.ends_whole()
        assert w.drainer.log.read_text().count("stopped") == 0


def a_commit_is_lost_on_its_way(folder):
    with World(folder, proxied=True) as w:
        for kind in ("reset-before", "stall") * 3:
            fault = Fault(kind, b"COMMIT")
            w.proxy.faults.append(fault)
            assert fault.done.wait(30)
            if kind == "stall":  # for longer than the drainer is given
                w.proxy.cut()
            w.applies()
        w.ends_whole()


def all_connections_are_cut_again_and_again(folder):
    with World(folder, proxied=True) as w:
        for _ in range(10):
            w.proxy.cut()
            w.applies()
        w.ends_whole()


def a_silent_server_is_given_up_at_a_stop(folder):
    with World(folder, proxied=True) as w:
        fault = Fault("stall", b"COMMIT")
        w.proxy.faults.append(fault)
        assert fault.done.wait(30)
        w.drainer.stop()
        w.drainer.start()
        w.ends_whole()


# ---- a kept transaction in several parts ----

KEPT = 'enable-dispatch = false\nmemory-budget = "16 mib"'
MANY = 20000  # rows: several windows of such a budget


def say_many(w, first):
    rows = [(first + i, "x" * 100) for i in range(MANY)]
    w.load.rows += rows
    w.feed.insert(*rows)
    w.feed.fake()


def a_kept_transaction_is_interrupted(folder):
    with World(folder, proxied=True, syncer=KEPT) as w:
        w.drainer.wait_for_ts(w.load.end())
        faults = (Fault("reset-before", b"REPLACE INTO `d`.`k`", 8),
                  Fault("reset-before", b"INSERT INTO `d`.`n`", 8),
                  Fault("reset-before", b"COMMIT"), Fault("reset-after", b"COMMIT"))
        for number, fault in enumerate(faults, 1):
            before = w.drainer.series()["sluice_drainer_retries_total"]
            w.proxy.faults.append(fault)
            say_many(w, number * 1000000)
            assert fault.done.wait(60), fault.match
            told = w.drainer.wait_for_state("retrying", "SL-2401", "in several parts")
            assert told["waiting_on"] == "apply" and told["code"] == "SL-2401", told
            w.applies()
            w.drainer.wait_for_state("running")
            assert w.drainer.series()["sluice_drainer_retries_total"] == before + 1
            assert w.drainer.series()['binlog_drainer_queue_size{name="worker_0"}'] == 0
        assert w.drainer.status()["held_bytes"] == 0
        w.ends_whole()


def a_kept_transaction_waits_for_a_row(folder):
    """It is tried again and again; nothing of it is to be seen, and a stop does not wait for it."""
    with World(folder, "--innodb-lock-wait-timeout=1", syncer=KEPT) as w, \
            Session(w.server) as other:
        w.drainer.wait_for_ts(w.load.end())
        before = w.server.client("SELECT COUNT(*) FROM d.n")
        other.run(f"BEGIN; INSERT INTO d.k VALUES ({1000000 + MANY - 1}, 'theirs')")
        say_many(w, 1000000)
        since = w.drainer.wait_for_state("retrying", "1205")["since"]
        tries = w.drainer.series()["sluice_drainer_retries_total"]
        wait_for("it tries again", lambda: w.drainer.series()["sluice_drainer_retries_total"]
                 > tries + 2)
        assert w.drainer.status()["since"] == since
        assert w.drainer.ask("/status")[1].count('"node_state":"online"') == 1
        assert w.server.client("SELECT COUNT(*) FROM d.n") == before
        w.drainer.stop()
        w.drainer.start()
        w.drainer.wait_for_state("retrying", "1205")
        other.run("ROLLBACK")
        w.applies()
        w.drainer.wait_for_state("running")
        w.ends_whole()


# ---- what the server refuses for a while ----


class Session:
    """A session of its own at the server, which holds what it locked."""

    def __init__(self, server):
        self.process = subprocess.Popen(
            [program("mariadb"), "--no-defaults", "-uroot", f"--socket={server.socket}", "-n",
             "--batch", "--skip-column-names"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)

    def run(self, sql):
        """Run it to its end."""
        self.process.stdin.write(f"{sql}; SELECT 'done';\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        while line and line != "done\n":
            line = self.process.stdout.readline()
        assert line, sql

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def a_row_stays_locked(folder):
    with World(folder, "--innodb-lock-wait-timeout=1") as w, Session(w.server) as other:

        def damage():
            other.run(f"BEGIN; INSERT INTO d.k VALUES ({w.load.next + 100}, 'theirs')")

        w.goes_through(damage, lambda: other.run("ROLLBACK"), "retrying", "1205")
        w.ends_whole()


def a_deadlock_is_survived(folder):
    with World(folder) as w, Session(w.server) as other:
        w.drainer.wait_for_ts(w.load.end())
        before = w.drainer.series()["sluice_drainer_retries_total"]
        w.server.client("CREATE TABLE d.heavy (i INT) ENGINE=InnoDB")
        # The other session has more to lose, so the drainer is the one to yield.
        other.run("BEGIN; INSERT INTO d.heavy SELECT seq FROM d.seq_1_to_1000; "
                  "INSERT INTO d.k VALUES (2000002, 'theirs')")
        rows = [(2000001, "a"), (2000002, "b")]
        w.feed.insert(*rows)
        w.feed.fake()
        waits = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state='LOCK WAIT'"
        wait_for("it waits", lambda: w.server.client(waits).strip() == "1")
        other.run("INSERT INTO d.k VALUES (2000001, 'theirs')")
        wait_for("it has tried again",
                 lambda: w.drainer.series()["sluice_drainer_retries_total"] > before)
        other.run("ROLLBACK")
        w.load.rows += rows
        w.ends_whole()


def the_server_is_read_only(folder):
    with World(folder, user="writer") as w:
        w.goes_through(lambda: w.server.client("SET GLOBAL read_only=1"),
                       lambda: w.server.client("SET GLOBAL read_only=0"), "retrying", "1290")
        w.ends_whole()


def a_table_is_dropped(folder):
    with World(folder) as w:
        told = []

        def drop():
            told.append(len(w.load.rows))
            w.server.client("DROP TABLE d.k")

        w.goes_through(drop, lambda: w.server.client(CREATE_K.replace("table", "TABLE")), "held",
                       "SL-2501", "d", "k")
        w.drainer.wait_for_ts(w.load.end())
        assert rows_of(w.server, "n") == sorted(w.load.rows)
        found = rows_of(w.server, "k")
        assert found and found == [r for r in w.load.rows if r[0] >= found[0][0]], found[:3]
        w.drainer.stop()


def a_row_is_larger_than_a_packet(folder):
    with World(folder) as w:
        big = table(50, "big", [column(1, "id", 8, 3, 20),
                                column(2, "v", 251, 0, 2**32 - 1, "utf8mb4")], True)
        w.drainer.wait_for_ts(w.load.end())
        w.feed.ddl(CREATE_TABLE, "create table d.big (id bigint primary key, v longtext)", big)
        w.feed.fake()
        w.drainer.wait_for_ts(w.feed.last)
        numbers = iter((1, 2))

        def damage_once_more():
            number = next(numbers)
            w.server.client("SET GLOBAL max_allowed_packet=16384")
            # New connections see the new limit; the old ones end before there is a row for them.
            for line in w.server.client(
                    "SELECT id FROM information_schema.processlist WHERE user='root' AND id <> "
                    "CONNECTION_ID()").split():
                with contextlib.suppress(AssertionError):
                    w.server.client(f"KILL {line}")
            for i in range(4):
                w.feed.transaction(mutation(50, (INSERT, 10 * number + i,
                                                 value(2) + value("x" * 100000))))
            w.feed.fake()

        w.goes_through(damage_once_more,
                       lambda: w.server.client("SET GLOBAL max_allowed_packet=16777216"), "held",
                       "max_allowed_packet", "d.big")
        assert w.server.client("SELECT COUNT(*), MIN(LENGTH(v)) FROM d.big").strip() == \
            "8\t100000"
        w.ends_whole()


def the_server_is_away(folder):
    with World(folder) as w:
        w.goes_through(w.server.kill, w.server.start, "retrying")
        w.goes_through(w.server.stop, w.server.start, "retrying")
        w.ends_whole()


def the_server_is_away_for_a_minute(folder):
    with World(folder) as w:
        w.server.kill()
        told = w.drainer.wait_for_state("retrying")
        wait_for("a minute", lambda: time.time() * 1000 - told["since"] > 60000, 90)
        assert w.drainer.status()["since"] == told["since"]
        w.server.start()
        w.applies(RESUME_S + 1)
        w.ends_whole()


# ---- the checkpoint ----


def the_table_of_the_checkpoint_is_dropped(folder):
    with World(folder) as w:
        w.server.client("DROP TABLE tidb_binlog.checkpoint")
        w.applies()
        assert "making it again" in w.drainer.log.read_text()
        w.server.client("DROP TABLE tidb_binlog.checkpoint")
        w.drainer.kill()
        if w.server.client("SHOW TABLES FROM tidb_binlog LIKE 'checkpoint'") == "":
            w.drainer.spawn()
            assert w.drainer.process.wait(30) == 1
            log = w.drainer.log.read_text()
            line = log[log.rindex("is gone from"):]
            # What it says to do is done as it stands.
            w.server.client(line[line.index("INSERT INTO"):line.index("; to begin anew")])
        w.drainer.start()
        w.ends_whole()


def the_table_of_the_checkpoint_is_locked(folder):
    with World(folder) as w, Session(w.server) as other:
        other.run("LOCK TABLES tidb_binlog.checkpoint WRITE")
        w.drainer.stop()
        other.run("UNLOCK TABLES")
        w.drainer.start()
        w.ends_whole()


def the_rows_of_the_progress_are_removed(folder):
    """It ends, as nothing fences it any more, says why, and the next start has all it needs."""
    with World(folder) as w:
        w.load.end()
        w.server.client("DELETE FROM tidb_binlog.sluice_progress")
        process = w.drainer.process
        wait_for("the drainer ends", lambda: process.poll() is not None)
        said = w.drainer.log.read_text()
        assert process.returncode != 0 and "sluice_progress are gone: somebody has removed" in \
            said.replace("`", ""), said[-3000:]
        w.drainer.start()
        w.applies()


# ---- the registry and the pumps ----


def the_registry_is_away(folder):
    with World(folder) as w:
        here, there = w.folder / "registry", w.folder / "elsewhere"
        w.feed.history = there / "ddl-history.jsonl"
        w.goes_through(lambda: here.rename(there), lambda: there.rename(here), "waiting",
                       "SL-2101")
        w.ends_whole()


def a_pump_is_away(folder):
    with World(folder) as w:
        def stop():
            w.feed.kill()

        w.goes_through(stop, w.feed.start, "waiting", "SL-2201", "pump feed",
                       "not reachable")
        w.ends_whole()


run_checks([
    an_answer_to_commit_is_lost,
    a_commit_is_lost_on_its_way,
    all_connections_are_cut_again_and_again,
    a_silent_server_is_given_up_at_a_stop,
    a_kept_transaction_is_interrupted,
    a_kept_transaction_waits_for_a_row,
    a_row_stays_locked,
    a_deadlock_is_survived,
    the_server_is_read_only,
    a_table_is_dropped,
    a_row_is_larger_than_a_packet,
    the_server_is_away,
    the_server_is_away_for_a_minute,
    the_table_of_the_checkpoint_is_dropped,
    the_table_of_the_checkpoint_is_locked,
    the_rows_of_the_progress_are_removed,
    the_registry_is_away,
    a_pump_is_away,
])
