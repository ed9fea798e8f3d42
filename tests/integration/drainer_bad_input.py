#!/usr/bin/env python3
"""A drainer that is given what it cannot use: records that are none, rows and DDL that fit nothing,
a downstream that is not as the stream makes it, checkpoints that are not its own. Each is told
once, with its cause and what to do, in the log and in /status; nothing is passed over and nothing
is guessed, so that what was mended is enough to go on."""

import json
import re
import resource
import signal
import subprocess
import time
import urllib.request

from cluster import ROOT, Cluster, run_checks, wait_for
from feed import (ADD_INDEX, BIGINT, CLUSTER, CREATE_TABLE, INSERT, KEYED, KEYED_ID, NOT_NULL_KEY,
                  RECOVER_TABLE, Drainer, Feed, binlog, check_rows, column, mutation, name,
                  prewrite_value, row, rows_of, table, value)
from mariadb import mariadb


class World:
    """A registry, a pump that is fed, a MariaDB; the two tables and one row are there."""

    def __init__(self, folder, mode="honest", **config):
        self.folder = folder
        self.mode = mode
        self.config = config

    def __enter__(self):
        self.cluster = Cluster(self.folder, CLUSTER)
        self.server = mariadb(self.folder).start()
        self.feed = Feed(self.cluster, mode=self.mode).start()
        self.feed.tables()
        self.feed.insert((1, "one"))
        self.rows = [(1, "one")]
        self.drainer = Drainer(self.cluster, self.server.port, **self.config).start()
        self.goes_on()
        return self

    def __exit__(self, *what):
        self.server.kill()
        self.cluster.__exit__(*what)

    def says_more(self):
        number = len(self.rows) + 1
        self.rows.append((number, f"text {number}"))
        commit = self.feed.insert(self.rows[-1])
        self.feed.fake()
        return commit

    def goes_on(self):
        """A new row arrives, and all before it."""
        self.drainer.wait_for_ts(self.says_more())
        check_rows(self.server, self.rows)

    def is_held(self, code, *words):
        """It is, says so, and does not move, whatever comes behind."""
        before = self.drainer.saved()
        told = self.drainer.wait_for_state("held", code, *words)
        behind = self.says_more()
        self.rows.pop()
        assert self.drainer.ask("/readyz")[0] == 503
        assert before <= self.drainer.saved() < behind
        errors = [line for line in self.drainer.log.read_text().splitlines() if "[ERROR]" in line]
        assert any(all(word in line.replace('\\"', '"') for word in words) for line in errors), \
            (words, errors)
        return told

    def starts_again(self, syncer=""):
        """After a stop, with more configuration."""
        self.drainer.stop()
        self.drainer = Drainer(self.cluster, self.server.port, syncer=syncer).start()

    def refuses(self, *words, code=1, drainer=None, seconds=60, **config):
        """A drainer with this configuration says why it does not start, in one line."""
        drainer = drainer or Drainer(self.cluster, self.server.port, "other", **config)
        done = subprocess.run(drainer.command(), capture_output=True, text=True, check=False,
                              timeout=seconds)
        assert done.returncode == code, (done.returncode, done.stderr, done.stdout[-1000:])
        assert done.stderr.count("\n") == 1, done.stderr
        for word in words:
            assert word in done.stderr, f"{word!r} is not in {done.stderr!r}"


# ---- records ----


def what_is_no_binlog_holds_the_stream(folder):
    with World(folder) as w:
        good = w.feed.path.read_bytes()
        for bad in (b"\xff", b"\x08\x01\x10", b"\x2a\xff\xff\xff\xff\x0f", b"\x08" + b"\xff" * 11):
            before = w.drainer.series()['binlog_drainer_error_count{type="unmarshal_binlog"}']
            w.feed.put(bad)
            w.is_held("SL-2202", "pump feed", "not a binlog")
            assert w.drainer.series()['binlog_drainer_error_count{type="unmarshal_binlog"}'] > \
                before
            w.feed.kill()  # the pump is mended
            w.feed.path.write_bytes(good)
            w.feed.start()
            w.goes_on()
            good = w.feed.path.read_bytes()
        w.drainer.stop()


def lengths_that_lie_hold_the_stream(folder):
    """A transaction of one row, cut everywhere and with every length made longer."""
    with World(folder) as w:
        good = w.feed.path.read_bytes()
        start, commit = w.feed.tick(), w.feed.tick()
        whole = prewrite_value(w.feed.version, mutation(KEYED_ID, (INSERT, 77, value(2) +
                                                                   value("seventy"))))
        # Where a length stands in it: of the mutation, of the row, of the text.
        lengths = [whole.index(b"\x12") + 1, whole.index(b"\x12", 3) + 1, whole.index(b"seven") - 1]
        bad = [whole[:cut] for cut in range(1, len(whole), 5)]
        bad += [whole[:at] + bytes([whole[at] + more]) + whole[at + 1:]
                for at in lengths for more in (1, 40)]
        w.drainer.stop()
        for prewrite in bad:
            w.feed.path.write_bytes(good)
            w.feed.put(binlog(1, start, commit, prewrite))
            w.drainer.start()
            w.is_held("SL-2304", f"commit ts {commit}")
            w.drainer.stop()
        w.feed.path.write_bytes(good)
        w.feed.put(binlog(1, start, commit, whole))
        w.feed.fake()
        w.drainer.start()
        w.drainer.wait_for_ts(w.feed.last)
        assert (77, "seventy") in rows_of(w.server, "k")
        w.drainer.stop()


def a_pump_that_repeats_or_goes_back_holds_the_stream(folder):
    with World(folder) as w:
        good = w.feed.path.read_bytes()
        for back in (0, 1):  # the newest again, one before it
            ts = w.feed.last - back
            w.feed.put(binlog(1, ts - 1, ts, prewrite_value(w.feed.version, mutation(
                KEYED_ID, (INSERT, 99, value(2) + value("late"))))))
            w.is_held("SL-2202", "pump feed", f"commit ts {ts} comes after")
            assert w.drainer.series()["binlog_drainer_disorder_binlog_count"] > 0
            w.feed.kill()
            w.feed.path.write_bytes(good)
            w.feed.start()
            w.goes_on()
            good = w.feed.path.read_bytes()
        assert (99, "late") not in rows_of(w.server, "k")
        w.drainer.stop()


def a_pump_that_forgets_where_to_begin_holds_the_stream(folder):
    with World(folder) as w:
        w.feed.kill()
        w.feed.mode = "stubborn"
        w.feed.start()
        w.is_held("SL-2202", "pump feed", "comes after")
        w.feed.kill()
        w.feed.mode = "honest"
        w.feed.start()
        w.rows.append((len(w.rows) + 1, f"text {len(w.rows) + 1}"))  # what is_held said
        w.goes_on()
        w.drainer.stop()


# ---- rows and DDL ----


def a_row_of_an_unknown_table_holds_the_stream(folder):
    with World(folder) as w:
        commit = w.feed.transaction(mutation(999, (INSERT, 1, row(1))))
        told = w.is_held("SL-2302", "table id 999", "no DDL job made", f"commit ts {commit}",
                         "ignore-txn-commit-ts")
        w.rows.append((len(w.rows) + 1, f"text {len(w.rows) + 1}"))
        assert told["waiting_on"] == "stream", told
        w.starts_again(f"ignore-txn-commit-ts = [{commit}]")
        w.goes_on()
        w.drainer.stop()


def an_unknown_column_type_holds_the_stream(folder):
    with World(folder) as w:
        odd = table(50, "odd", [column(1, "id", BIGINT, NOT_NULL_KEY, 20),
                                column(2, "v", 99, 0, 20)], True)
        w.feed.ddl(CREATE_TABLE, "create table d.odd (id bigint primary key, v int)", odd)
        w.feed.transaction(mutation(50, (INSERT, 1, value(2) + value(3))))
        w.feed.fake()
        w.is_held("SL-2304", "99")
        w.drainer.stop()


def a_ddl_that_the_downstream_refuses_holds_the_stream(folder):
    with World(folder) as w:
        wide = table(50, "wide", [column(1, "id", BIGINT, NOT_NULL_KEY, 20)], True)
        commit = w.feed.ddl(CREATE_TABLE, "create table d.wide (id bigint primary key, "
                            "v nosuchtype(3))", wide)
        w.feed.fake()
        told = w.is_held("SL-2503", "run DDL job 104", "nosuchtype", "4161", "ignore-txn-commit-ts",
                         str(commit))
        w.rows.append((len(w.rows) + 1, f"text {len(w.rows) + 1}"))
        assert told["waiting_on"] == "checkpoint", told
        # What it says: by hand what it means, then leave it out.
        w.server.client("CREATE TABLE d.wide (id bigint primary key)")
        w.starts_again(f"ignore-txn-commit-ts = [{commit}]")
        w.feed.transaction(mutation(50, (INSERT, 5, b"\x00")))
        w.goes_on()
        assert w.server.client("SELECT id FROM d.wide").strip() == "5"
        w.drainer.stop()


def a_ddl_that_cannot_be_followed_holds_the_stream(folder):
    with World(folder) as w:
        commit = w.feed.ddl(RECOVER_TABLE, "recover table d.k", KEYED)
        w.feed.fake()
        w.is_held("SL-2303", "RECOVER or FLASHBACK", "no binlog has")
        w.rows.append((len(w.rows) + 1, f"text {len(w.rows) + 1}"))
        w.starts_again(f"ignore-txn-commit-ts = [{commit}]")
        w.goes_on()
        w.drainer.stop()


def a_ddl_goes_on_when_nothing_is_in_its_way_any_more(folder):
    with World(folder) as w:
        w.server.client("INSERT INTO d.k VALUES (1000, 'twice'), (1001, 'twice')")
        index = {"id": 1, "idx_name": name("u"), "tbl_name": name(""), "idx_cols": [
            {"name": name("v"), "offset": 1, "length": -1}], "is_unique": True,
            "is_primary": False, "state": 5, "comment": "", "index_type": 1}
        w.feed.ddl(ADD_INDEX, "alter table d.k add unique index u (v)",
                   {**KEYED, "index_info": [index], "max_idx_id": 1})
        w.feed.fake()
        w.is_held("SL-2503", "run DDL job 104", "1062", "twice")
        w.server.client("DELETE FROM d.k WHERE id >= 1000")
        w.rows.append((len(w.rows) + 1, f"text {len(w.rows) + 1}"))
        w.goes_on()
        assert "UNIQUE KEY `u`" in w.server.client("SHOW CREATE TABLE d.k")
        w.drainer.stop()


# ---- the downstream's tables ----


def a_narrower_table_holds_the_stream_unless_told(folder):
    with World(folder) as w:
        w.drainer.stop()
        w.server.client("ALTER TABLE d.k DROP COLUMN v; ALTER TABLE d.n DROP COLUMN v")
        w.drainer.start()
        w.feed.insert((50, "fifty"))
        w.feed.fake()
        w.is_held("SL-2403", "v", "d.k")
        w.drainer.stop()
        w.drainer = Drainer(w.cluster, w.server.port, to="sync-mode = 2").start()
        w.drainer.wait_for_ts(w.feed.last)
        assert w.server.client("SELECT COUNT(*) FROM d.k WHERE id=50").strip() == "1"
        w.drainer.stop()


def a_wider_table_keeps_its_own_columns(folder):
    for mode in (1, 2):
        place = folder / str(mode)
        place.mkdir()
        with World(place, to=f"sync-mode = {mode}") as w:
            w.drainer.stop()
            w.server.client("ALTER TABLE d.k ADD COLUMN own INT DEFAULT 7; "
                            "ALTER TABLE d.n ADD COLUMN own INT DEFAULT 7")
            w.drainer.start()
            w.goes_on()
            assert w.server.client("SELECT MIN(own) FROM d.k").strip() == "7"
            w.drainer.stop()


# ---- sessions ----


def what_a_session_cannot_be_is_refused(folder):
    with World(folder) as w:
        w.refuses("1045", "asked", user="asked", to='password = "wrong"')
        w.refuses("1298", "Europe/Nowhere",
                  to='[syncer.to.params]\ntime_zone = "Europe/Nowhere"')
        w.refuses("1231", "NOSUCHMODE", syncer='sql-mode = "NOSUCHMODE"')
        for name, number in (("nosuchvariable", 1193), ("max_connections", 1229),
                             ("version_comment", 1238), ("innodb_lock_wait_timeout", 1232)):
            w.refuses(f"set the session variable {name}: error {number}",
                      to=f'[syncer.to.params]\n{name} = "x1"')
        w.goes_on()
        w.drainer.stop()


def a_password_that_is_changed_holds_until_it_is_right_again(folder):
    with World(folder, user="asked", to='password = "secret"') as w:
        w.server.client("SET PASSWORD FOR asked@'%' = PASSWORD('other')")
        for line in w.server.client("SELECT id FROM information_schema.processlist WHERE "
                                    "user='asked'").split():
            w.server.client(f"KILL {line}")
        w.feed.insert((60, "sixty"))
        w.is_held("SL-2402", "1045", "asked")
        assert "secret" not in w.drainer.log.read_text()
        w.server.client("SET PASSWORD FOR asked@'%' = PASSWORD('secret')")
        w.rows += [(60, "sixty"), (len(w.rows) + 1, f"text {len(w.rows) + 1}")]
        w.drainer.wait_for_ts(w.feed.last)
        check_rows(w.server, w.rows)
        w.drainer.stop()


# ---- checkpoints ----


def checkpoint(w, ts):
    w.server.client(f"REPLACE INTO tidb_binlog.checkpoint VALUES ({CLUSTER}, "
                    f"'{{\"commitTS\":{ts},\"schema-version\":3}}')")


def a_checkpoint_ahead_of_the_cluster_is_refused(folder):
    with World(folder) as w:
        at = w.drainer.saved()
        w.drainer.stop()
        ahead = int((time.time() + 3600) * 1000) << 18
        w.server.client("DELETE FROM tidb_binlog.sluice_progress")
        checkpoint(w, ahead)
        w.refuses(f"it is at {ahead}", "cluster 42", "another cluster", drainer=w.drainer)
        checkpoint(w, at)
        w.drainer.start()
        w.goes_on()
        w.drainer.stop()


def a_checkpoint_of_another_cluster_is_left_alone(folder):
    with World(folder) as w:
        w.server.client("INSERT INTO tidb_binlog.checkpoint VALUES (43, '{\"commitTS\":5}')")
        w.goes_on()
        w.drainer.stop()
        w.drainer.start()
        w.goes_on()
        assert w.server.client("SELECT checkPoint FROM tidb_binlog.checkpoint WHERE clusterID=43"
                               ).strip() == '{"commitTS":5}'
        w.drainer.stop()


def a_checkpoint_that_is_none_is_refused(folder):
    """It must not be taken for one that is not there: that begins at the present."""
    with World(folder) as w:
        w.drainer.stop()
        w.server.client("DELETE FROM tidb_binlog.sluice_progress")
        for text, words in (('{"commitTS":', "is no JSON"), ("", "is no JSON"),
                            ('[1]', "it is an array, must be an object"),
                            ('{"commitTS":-5}', "commitTS is -5, must not be negative"),
                            ('{"commitTS":"470614062960000000"}',
                             "commitTS is a text, must be an integer"),
                            ('{"commitTS":4.7e17}', "commitTS is a number with a fraction"),
                            ('{"commitTS":5,"schema-version":true}',
                             "schema-version is true or false, must be an integer")):
            w.server.client(f"UPDATE tidb_binlog.checkpoint SET checkPoint='{text}'")
            w.refuses("the checkpoint in `tidb_binlog`.`checkpoint` is n", words, drainer=w.drainer)


def pairs_of_timestamps_in_the_checkpoint_outlive_us(folder):
    with World(folder) as w:
        w.drainer.stop()
        for text, kept in (('{"primary-ts": 1, "secondary-ts": 2}', '{"primary-ts":1,'
                            '"secondary-ts":2}'),
                           ('{"master-ts":3,"slave-ts":4,"x\'\'y":5,"z":null}',
                            '{"master-ts":3,"slave-ts":4}'), ("null", "{}")):
            at = json.loads(w.server.client("SELECT checkPoint FROM tidb_binlog.checkpoint"))
            w.server.client("UPDATE tidb_binlog.checkpoint SET checkPoint="
                            f"'{{\"commitTS\":{at['commitTS']}, \"ts-map\": {text}}}'")
            w.drainer.start()
            w.goes_on()
            w.drainer.stop()
            saved = w.server.client("SELECT checkPoint FROM tidb_binlog.checkpoint")
            assert f'"ts-map":{kept},' in saved, saved


def a_second_drainer_is_refused(folder):
    with World(folder) as w:
        w.refuses("another drainer holds the checkpoint", "cluster 42", "stop it, or give")
        w.goes_on()
        # A connection that is lost takes the lock along; the next one gets it again.
        for line in w.server.client("SELECT id FROM information_schema.processlist WHERE id <> "
                                    "CONNECTION_ID()").split():
            w.server.client(f"KILL {line}")
        w.goes_on()
        w.refuses("another drainer holds the checkpoint")
        w.goes_on()
        w.drainer.stop()


def drainers_with_similar_or_odd_names_of_checkpoints_run_side_by_side(folder):
    """The lock of each is its own, and one that is there twice is refused."""
    with World(folder) as w:
        begin = "a_checkpoint_of_many_letters"
        for i, schema in enumerate((begin + "_1", begin + "_2", "o'clock")):
            to = f'[syncer.to.checkpoint]\nschema = "{schema}"'
            more = Drainer(w.cluster, w.server.port, f"more{i}", syncer='replicate-do-db = ["x"]',
                           to=to).start()
            wait_for("it runs", lambda d=more: d.status()["state"] == "running")
            assert "GET_LOCK" not in more.log.read_text()
            w.refuses("another drainer holds the checkpoint", schema, to=to)
        w.goes_on()
        w.drainer.stop()


def a_drainer_that_was_succeeded_ends(folder):
    with World(folder) as w:
        # As another one would, which the lock did not reach.
        w.server.client("UPDATE tidb_binlog.sluice_progress SET epoch = epoch + 1")
        w.says_more()
        assert w.drainer.process.wait(30) == 2
        log = w.drainer.log.read_text()
        assert "another drainer has taken over" in log and "let only one run" in log, log[-500:]
        w.drainer.start()
        w.goes_on()
        w.drainer.stop()


def a_full_disk_under_the_savepoint_is_waited_for(folder):
    with Cluster(folder, CLUSTER) as cluster:
        feed = Feed(cluster).start()
        feed.tables()
        drainer = Drainer(cluster, 1, "d", "-dest-db-type", "stdout")
        drainer.log = folder / "out"
        drainer.process = subprocess.Popen(drainer.command(), stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
        cluster.processes.append(drainer.process)
        wait_for("it serves", lambda: drainer_serves(drainer))
        feed.fake()
        drainer.wait_for_ts(feed.last)
        resource.prlimit(drainer.process.pid, resource.RLIMIT_FSIZE, (10, -1))
        feed.insert((1, "one"))
        feed.fake()
        told = drainer.wait_for_state("held", "SL-2503", "savepoint", "File too large")
        assert told["waiting_on"] == "checkpoint", told
        resource.prlimit(drainer.process.pid, resource.RLIMIT_FSIZE, (-1, -1))
        drainer.wait_for_ts(feed.last, 10)
        drainer.process.send_signal(signal.SIGTERM)
        assert drainer.process.wait(5) == 0


def drainer_serves(drainer):
    try:
        return drainer.ask("/healthz")[0] == 200
    except OSError:
        return False


# ---- what is gone ----


def a_start_behind_what_a_pump_has_removed_is_held(folder):
    """Time passes by a replay: it takes the cluster's timestamps a month ahead."""
    corpus = ROOT / "tests/corpus/types"
    meta = json.loads((corpus / "meta.json").read_text())
    begin = int(meta["first_start_ts"]) - (30 * 24 * 3600 * 1000 << 18)
    with Cluster(folder, meta["cluster_id"], begin) as cluster, mariadb(folder) as server:
        (folder / "pump.toml").write_text('gc = "7"\n[storage]\nsegment-size = "1 mib"\n'
                                          "stop-write-at-available-space = 0\n")
        pump = cluster.pump("p", "-config", folder / "pump.toml").start()
        cluster.sluice("load", "--pumps", pump.address, "--pd-urls", cluster.url, "--pairs", 100)
        cluster.sluice("replay", corpus, "--pumps", pump.address, "--pd-urls", cluster.url)
        last = int(meta["last_commit_ts"])
        wait_for("the new time is seen", lambda: pump.state()["maxCommitTS"] > last)
        request = urllib.request.Request(f"http://{pump.address}/debug/gc/trigger", method="POST")
        with urllib.request.urlopen(request, timeout=30) as page:
            assert page.read() == b"trigger gc success\n"

        def removed():
            with urllib.request.urlopen(f"http://{pump.address}/metrics", timeout=30) as page:
                return "\nbinlog_pump_storage_done_gc_ts 0\n" not in page.read().decode()

        wait_for("a round is done", removed)
        drainer = Drainer(cluster, server.port, "d", "-initial-commit-ts", str(begin + 1),
                          syncer=f'schema-source = "file:{corpus}/ddl-history.jsonl"').start()
        told = drainer.wait_for_state("held", "SL-2202", "pump p", "has removed",
                                      "what lies between is lost")
        assert told["waiting_on"] == "merge" and told["transactions"] == 0, told
        drainer.stop()
        # Somebody accepts the gap, as it says.
        gone = re.search(r"before ts (\d+)", told["reason"]).group(1)
        server.client(f"REPLACE INTO tidb_binlog.checkpoint VALUES ({meta['cluster_id']}, "
                      f"'{{\"commitTS\":{gone}}}')")
        drainer.start()
        drainer.wait_for_ts(last)
        drainer.stop()


# ---- what somebody must decide ----


def exit_when_held_exits(folder):
    with World(folder, syncer="exit-when-held = true") as w:
        commit = w.feed.transaction(mutation(999, (INSERT, 1, row(1))))
        w.feed.fake()
        assert w.drainer.process.wait(10) == 3, w.drainer.log.read_text()[-2000:]
        last = w.drainer.log.read_text().splitlines()[-1]
        assert last.startswith("drainer: ") and f"commit ts {commit}" in last, last
        check_rows(w.server, w.rows)


def a_history_of_ddl_that_is_missing_is_waited_for(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        feed = Feed(cluster).start()
        there, here = folder / "elsewhere", folder / "registry/ddl-history.jsonl"
        feed.history = there
        feed.tables()
        rows = [(1, "one")]
        feed.insert(*rows)
        feed.fake()
        drainer = Drainer(cluster, server.port,
                          syncer=f'schema-source = "file:{here}"').start()
        told = drainer.wait_for_state("waiting", "SL-2301", str(here), "does not exist yet")
        assert told["waiting_on"] == "schema", told
        there.rename(here)
        drainer.wait_for_ts(feed.last, 5)
        check_rows(server, rows)
        drainer.stop()


run_checks([
    what_is_no_binlog_holds_the_stream,
    lengths_that_lie_hold_the_stream,
    a_pump_that_repeats_or_goes_back_holds_the_stream,
    a_pump_that_forgets_where_to_begin_holds_the_stream,
    a_row_of_an_unknown_table_holds_the_stream,
    an_unknown_column_type_holds_the_stream,
    a_ddl_that_the_downstream_refuses_holds_the_stream,
    a_ddl_that_cannot_be_followed_holds_the_stream,
    a_ddl_goes_on_when_nothing_is_in_its_way_any_more,
    a_narrower_table_holds_the_stream_unless_told,
    a_wider_table_keeps_its_own_columns,
    what_a_session_cannot_be_is_refused,
    a_password_that_is_changed_holds_until_it_is_right_again,
    a_checkpoint_ahead_of_the_cluster_is_refused,
    a_checkpoint_of_another_cluster_is_left_alone,
    a_checkpoint_that_is_none_is_refused,
    pairs_of_timestamps_in_the_checkpoint_outlive_us,
    a_second_drainer_is_refused,
    drainers_with_similar_or_odd_names_of_checkpoints_run_side_by_side,
    a_drainer_that_was_succeeded_ends,
    a_full_disk_under_the_savepoint_is_waited_for,
    a_start_behind_what_a_pump_has_removed_is_held,
    exit_when_held_exits,
    a_history_of_ddl_that_is_missing_is_waited_for,
])
