#!/usr/bin/env python3
"""A drainer that starts before what it stands on: it stays, answers over HTTP, says on what it
waits, since when and why, goes on when that comes, and ends at once on a signal whatever it waits
for. What time does not heal ends it at once. What it knows of tables is kept for the next start."""

import http.server
import re
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(__import__("pathlib").Path(__file__).resolve().parents[1] / "lib"))

from cluster import BIN, Cluster, free_address, run_checks, wait_for
from fault_proxy import Fault, FaultProxy
from feed import (BIGINT, CLUSTER, CREATE_TABLE, NOT_NULL_KEY, PLAIN, VARCHAR, Drainer, Feed,
                  check_rows, column, table)
from mariadb import mariadb

AT_ONCE_S = 2


class History:
    """A TiDB's status port that answers with all jobs of the file, as old ones do."""

    def __init__(self, path):
        self.path = path
        self.address = free_address()

    def __enter__(self):
        path = self.path

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                jobs = path.read_text().splitlines() if path.exists() else []
                body = f"[{','.join(reversed(jobs))}]".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        host, port = self.address.split(":")
        self.server = http.server.ThreadingHTTPServer((host, int(port)), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class World:
    """Nothing but the names of what there will be: a registry, the history of DDL, a MariaDB."""

    def __init__(self, folder):
        self.cluster = object.__new__(Cluster)  # without its directory
        self.cluster.folder = folder
        self.cluster.url = f"local:{folder}/registry"
        self.cluster.processes = []
        self.server = mariadb(folder)
        self.history = History(folder / "registry/ddl-history.jsonl")
        self.drainer = Drainer(self.cluster, self.server.port, "d", "-initial-commit-ts=-1",
                               syncer=f'schema-source = "http://{self.history.address}"')

    def __enter__(self):
        self.cluster.__enter__()
        return self

    def __exit__(self, *what):
        self.server.kill()
        self.cluster.__exit__(*what)

    def make_registry(self):
        subprocess.run([BIN / "sluice", "init", self.cluster.url, "--cluster-id", str(CLUSTER)],
                       check=True, capture_output=True)

    def waits_on(self, part, code):
        """It says so; since when."""
        told = wait_for(f"it waits on {part}", lambda: (t := self.drainer.status())["waiting_on"]
                        == part and t["state"] == "waiting" and t["reason"] and t)
        assert told["code"] == code and told["node_state"] == "absent", told
        status, text = self.drainer.ask("/readyz")
        assert status == 503 and text.startswith(f"starting, {part} is waiting: "), text
        assert self.drainer.ask("/healthz")[0] == 200
        assert self.drainer.series()["sluice_drainer_state"] == 1
        assert '"Synced":false' in self.drainer.ask("/status")[1]
        return told

    def ends_and_waits_again(self, part, code):
        self.drainer.stop(AT_ONCE_S)
        self.drainer.start()
        told = self.waits_on(part, code)
        wait_for("a try has failed",
                 lambda: "not answered yet" not in self.drainer.status()["reason"])
        later = self.waits_on(part, code)
        assert later["since"] == told["since"], (told, later)
        assert "not answered yet" not in later["reason"], later


def each_is_waited_for(folder):
    with World(folder) as w:
        w.drainer.start()
        w.waits_on("registry", "SL-2101")
        w.ends_and_waits_again("registry", "SL-2101")
        w.make_registry()
        w.waits_on("checkpoint", "SL-2401")
        w.ends_and_waits_again("checkpoint", "SL-2401")
        w.server.start()
        w.waits_on("schema", "SL-2301")
        w.ends_and_waits_again("schema", "SL-2301")
        with w.history:
            feed = Feed(w.cluster).start()
            feed.tables()
            feed.insert((1, "one"))
            feed.fake()
            w.drainer.wait_for_ts(feed.last)
            wait_for("it is ready", lambda: w.drainer.ask("/readyz")[0] == 200)
            assert w.drainer.status()["state"] == "running"
            check_rows(w.server, [(1, "one")])
            w.drainer.stop()


def what_was_there_goes_away_while_it_starts(folder):
    """The registry was met, and is gone again when the downstream comes."""
    with World(folder) as w:
        w.make_registry()
        w.drainer.start()
        w.waits_on("checkpoint", "SL-2401")
        here, there = folder / "registry", folder / "elsewhere"
        here.rename(there)
        w.server.start()
        w.waits_on("registry", "SL-2101")
        there.rename(here)
        w.waits_on("schema", "SL-2301")
        w.drainer.stop(AT_ONCE_S)


def a_silent_server_does_not_hold_a_signal_up(folder):
    with World(folder) as w, w.server, FaultProxy(w.server.port) as proxy:
        w.make_registry()
        for end in (signal.SIGTERM, signal.SIGINT):
            fault = Fault("stall", b"GET_LOCK")
            proxy.faults.append(fault)
            drainer = Drainer(w.cluster, proxy.port, f"d{end}").start()
            assert fault.done.wait(30)
            assert drainer.status()["waiting_on"] == "checkpoint"
            drainer.process.send_signal(end)
            assert drainer.process.wait(timeout=AT_ONCE_S) == 0, drainer.log.read_text()
            assert "drainer exit" in drainer.log.read_text()


def what_time_does_not_heal_ends_it(folder):
    with World(folder) as w, w.server:
        w.make_registry()
        for text, (more, words) in {
                "password": ({"user": "asked", "to": 'password = "wrong"'},
                             "drainer: open the downstream: "),
                "checkpoint": ({"to": '[syncer.to.checkpoint]\nschema = "bent"'},
                               "drainer: open the downstream: "),
        }.items():
            w.server.client("CREATE DATABASE IF NOT EXISTS bent; CREATE OR REPLACE TABLE "
                            "bent.checkpoint (clusterID BIGINT UNSIGNED PRIMARY KEY, checkPoint "
                            f"MEDIUMTEXT); INSERT INTO bent.checkpoint VALUES ({CLUSTER}, '[')")
            drainer = Drainer(w.cluster, w.server.port, text, **more).spawn()
            assert drainer.process.wait(timeout=30) == 1, drainer.log.read_text()
            assert drainer.log.read_text().splitlines()[-1].startswith(words), \
                drainer.log.read_text()


def knows_schema(drainer):
    """What each start said of it: the version that was kept, jobs that were read."""
    return [tuple(map(int, found)) for found in
            re.findall(r'the schema is known.*\[kept_version=(\d+)\].*\[jobs_read=(\d+)\]',
                       drainer.log.read_text())]


def a_start_reads_only_the_jobs_since_the_last(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        feed = Feed(cluster).start()
        feed.tables()
        feed.version = 1000
        feed.ddl(CREATE_TABLE, "create table d.m (id bigint primary key, v varchar(200))",
                 table(13, "m", [column(1, "id", BIGINT, NOT_NULL_KEY, 20),
                                 column(2, "v", VARCHAR, PLAIN, 200, "utf8mb4")], True))
        drainer = Drainer(cluster, server.port)
        kept = folder / "d.data/schema"
        rows = []

        def goes_on():
            rows.append((len(rows) + 1, f"row {len(rows) + 1}"))
            feed.insert(rows[-1])
            drainer.start().wait_for_ts(feed.fake())
            drainer.stop()
            check_rows(server, rows)

        for jobs in ([], [(0, 4)], [(0, 4), (1001, 1)]):
            goes_on()
            assert knows_schema(drainer) == jobs, drainer.log.read_text()
        kept.write_bytes(kept.read_bytes()[:-1])
        goes_on()
        assert knows_schema(drainer)[-1] == (0, 4)
        assert "the schema that is kept cannot be read" in drainer.log.read_text()
        goes_on()
        assert knows_schema(drainer)[-1] == (1001, 1)


run_checks([
    each_is_waited_for,
    what_was_there_goes_away_while_it_starts,
    a_silent_server_does_not_hold_a_signal_up,
    what_time_does_not_heal_ends_it,
    a_start_reads_only_the_jobs_since_the_last,
])
