#!/usr/bin/env python3
"""Pumps that join and leave under load, and processes that start in any order: all that a pump has
acknowledged arrives in the downstream, once. Real pumps, `sluice load`, a drainer, a MariaDB. And
from one drainer to two that share the tables, and back."""

import json
import subprocess
import urllib.request

from cluster import BIN, Cluster, Pump, run_checks, wait_for
from feed import CREATE_N, Drainer, Feed, Load, check_rows
from mariadb import mariadb
from pairs import CLUSTER, acked, config, end_load

RATE = 300  # transactions per second of one load


def load(cluster, pumps, *more):
    path = cluster.folder / f"acked{len(list(cluster.folder.glob('acked*')))}"
    path.touch()
    return cluster.spawn("load", "--pumps", ",".join(pump.address for pump in pumps),
                         "--size", 512, "--seconds", 0, "--rate", RATE, "--acked", path,
                         "--ddl-history", cluster.folder / "registry/ddl-history.jsonl", *more)


def arrived(server):
    return sorted(int(line) for line in
                  server.client("SELECT id FROM sluice_load.t").split())


def check_all(cluster, server, drainer):
    """What was acknowledged is there; what was not may be, when its answer was lost."""
    pairs = acked(cluster)
    assert pairs
    drainer.wait_for_ts(max(pairs.values()))
    there = arrived(server)
    assert len(there) == len(set(there))
    lost = set(pairs) - set(there)
    assert not lost, f"{len(lost)} of {len(pairs)} are lost, first {min(lost)}"


def put_state(pump, action):
    request = urllib.request.Request(f"http://{pump.address}/state/{pump.name}/{action}",
                                     method="PUT")
    with urllib.request.urlopen(request, timeout=30) as page:
        assert page.status == 200


def some_more(cluster, drainer, loads):
    """So many transactions later, and all of them are applied."""
    assert all(process.poll() is None for process in loads), loads[-1].communicate()
    before = len(acked(cluster))
    wait_for("the load goes on", lambda: len(acked(cluster)) > before + RATE)
    drainer.wait_for_ts(max(acked(cluster).values()))


def pumps_join_and_leave_under_load(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        pumps = [cluster.pump("p0", "-config", config(folder)).start()]
        where = ("--pd-urls", cluster.url)
        loads = [load(cluster, pumps[:1], *where)]
        drainer = Drainer(cluster, server.port).start()
        wait_for("the table is there", lambda: acked(cluster))
        some_more(cluster, drainer, loads)
        for name in ("p1", "p2"):
            pumps.append(cluster.pump(name, "-config", config(folder)).start())
            loads.append(load(cluster, pumps[-1:], *where))
            some_more(cluster, drainer, loads)
        assert drainer.series()["sluice_drainer_pumps"] == 3
        for pump, loader in zip(pumps[:2], loads[:2]):
            end_load(loader)
            put_state(pump, "close")
            assert pump.process.wait(timeout=60) == 0, pump.log.read_text()[-2000:]
            assert pump.state()["state"] == "offline"
        some_more(cluster, drainer, loads[2:])
        assert drainer.series()["sluice_drainer_pumps"] == 1
        end_load(loads[2])
        check_all(cluster, server, drainer)
        drainer.stop()


def pumps_die_and_return_under_load(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        pumps = [cluster.pump(f"p{i}", "-config", config(folder)).start() for i in range(2)]
        loads = [load(cluster, pumps, "--pd-urls", cluster.url)]
        drainer = Drainer(cluster, server.port).start()
        wait_for("the table is there", lambda: acked(cluster))
        for pump in pumps * 2:
            some_more(cluster, drainer, loads)
            pump.kill()
            drainer.wait_for_state("waiting", pump.name, "not reachable")
            pump.start()
        some_more(cluster, drainer, loads)
        end_load(loads[0])
        check_all(cluster, server, drainer)
        drainer.stop()


class Parts:
    """The processes of a cluster, each of which may start first."""

    def __init__(self, folder):
        self.folder = folder
        self.cluster = object.__new__(Cluster)  # without its directory, which is a part
        self.cluster.folder = folder
        self.cluster.cluster_id = CLUSTER
        self.cluster.url = f"local:{folder}/registry"
        self.cluster.processes = []
        self.server = mariadb(folder)
        self.pump = Pump(self.cluster, "p", ("-config", config(folder)))
        self.drainer = Drainer(self.cluster, self.server.port)

    def start(self, part):
        if part == "registry":
            subprocess.run([BIN / "sluice", "init", self.cluster.url, "--cluster-id",
                            str(CLUSTER)], check=True, capture_output=True)
        elif part == "pump":
            self.pump.start(wait=False)
        elif part == "load":
            self.loader = load(self.cluster, [self.pump], "--cluster-id", CLUSTER, "--pairs", 50)
        elif part == "server":
            self.server.start()
        else:
            self.drainer.spawn()


def every_start_order_converges(folder):
    parts = ("registry", "pump", "load", "drainer", "server")
    orders = [parts[i:] + parts[:i] for i in range(len(parts))]
    orders += [tuple(reversed(order)) for order in orders]
    for number, order in enumerate(orders):
        place = folder / str(number)
        place.mkdir()
        world = Parts(place)
        with world.cluster:
            try:
                for part in order:
                    world.start(part)
                out, err = world.loader.communicate(timeout=60)
                assert world.loader.returncode == 0, (order, out, err)
                wait_for(f"the drainer serves: {order}", world.drainer.serves)
                check_all(world.cluster, world.server, world.drainer)
                world.drainer.stop()
            finally:
                world.server.kill()


def table_of(rule, text):
    return f'[[syncer.{rule}]]\ndb-name = "d"\ntbl-name = "{text}"\n'


def offline(cluster, drainer):
    """It leaves for good; its record says so, and where it ended."""
    done = subprocess.run([BIN / "binlogctl", "offline", drainer.name, "--pd-urls", cluster.url],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert drainer.process.wait(timeout=60) == 0, drainer.log.read_text()[-2000:]
    record = json.loads((cluster.folder / f"registry/drainers/{drainer.name}.json").read_text())
    assert record["state"] == "offline", record
    return record["maxCommitTS"]


def a_second_drainer_takes_some_tables_and_leaves(folder):
    """One has the table k. Another joins under load with the rest, from the timestamp of a copy; it
    leaves, the first one goes on, and when it returns it has missed nothing."""
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        server.client("CREATE DATABASE d")
        feed = Feed(cluster).start()
        feed.tables()
        first = Drainer(cluster, server.port, "first",
                        syncer=table_of("replicate-do-table", "k")).start()
        with Load(feed) as load:
            wait_for("some rows", lambda: len(load.rows) > RATE)
            load.end()
        said, copied_at = load.rows, feed.last
        first.wait_for_ts(copied_at)
        assert server.client("SHOW TABLES FROM d").split() == ["k"]
        server.client(f"USE d; {CREATE_N}; INSERT INTO n VALUES "
                      + ",".join(f"({number}, '{text}')" for number, text in said))
        with Load(feed, load.next) as load:
            second = Drainer(cluster, server.port, "second", f"-initial-commit-ts={copied_at}",
                             syncer=table_of("ignore-table", "k"),
                             to='[syncer.to.checkpoint]\nschema = "second"').start()
            second.wait_for_ts(feed.last)
            left_at = offline(cluster, second)
            assert left_at > copied_at
            wait_for("the load goes on", lambda: feed.last > left_at)
            first.wait_for_ts(feed.last)
            second.start()
            last = load.end()
        for drainer in (first, second):
            drainer.wait_for_ts(last)
        check_rows(server, said + load.rows)
        for drainer, schema in ((first, "tidb_binlog"), (second, "second")):
            drainer.stop()
            found = json.loads(server.client(f"SELECT checkPoint FROM {schema}.checkpoint"))
            assert found["commitTS"] >= last and found["consistent"], (schema, found)


run_checks([
    a_second_drainer_takes_some_tables_and_leaves,
    pumps_join_and_leave_under_load,
    pumps_die_and_return_under_load,
    every_start_order_converges,
])
