#!/usr/bin/env python3
"""Settings that change while the programs run: SIGHUP reads the configuration again, `binlogctl
set` turns knobs. A filter changes at one commit ts, which the log tells, and under load no row is
lost or doubled. Real pumps, `sluice load`, a drainer, a MariaDB."""

import http.server
import json
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request

from cluster import BIN, Cluster, run_checks, wait_for
from feed import Drainer, Feed, Load, check_rows, rows_of
from mariadb import mariadb
from pairs import CLUSTER, acked, config, end_load

RATE = 300  # transactions per second of a load
CHANGED = re.compile(r'"table filter changed"\] \[above_commit_ts=(\d+)\]')
IGNORE = '[[syncer.ignore-table]]\ndb-name = "{}"\ntbl-name = "{}"\n'


def ready(drainer):
    """Start it, and wait until it is registered and knows the pumps."""
    drainer.start()
    wait_for("it is ready", lambda: drainer.ask("/readyz")[0] == 200)
    return drainer


def lines_with(node, *words):
    return [line for line in node.log.read_text(errors="replace").splitlines()
            if all(word in line for word in words)]


def reload(node, *words):
    """SIGHUP; the line with these words that it brings."""
    before = len(lines_with(node, *words))
    node.process.send_signal(signal.SIGHUP)
    return wait_for(f"{words} in the log", lambda: lines_with(node, *words)[before:])[0]


def rewrite(node, old, new):
    text = node.config.read_text()
    assert old in text, (old, text)
    node.config.write_text(text.replace(old, new))


def change_filter(drainer, old, new):
    """The commit ts above which the new one applies."""
    rewrite(drainer, old, new)
    line = reload(drainer, "table filter changed")
    return int(CHANGED.search(line)[1])


def binlogctl(cluster, *words):
    done = subprocess.run([BIN / "binlogctl", *map(str, words), "--pd-urls", cluster.url],
                          capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def get(cluster, node, key):
    code, out, err = binlogctl(cluster, "get", node, key)
    assert code == 0, err
    return out.strip()


def set_knobs(cluster, node, *words):
    code, out, err = binlogctl(cluster, "set", node, *words)
    assert code == 0, (out, err)


# ---- filters ----


class Stamped(Load):
    """A load that knows the commit ts of each row."""

    def __init__(self, feed):
        super().__init__(feed)
        self.stamps = {}
        insert = feed.insert

        def note(*rows):
            commit = insert(*rows)
            self.stamps.update({row: commit for row in rows})
            return commit

        feed.insert = note


def a_filter_changes_at_the_commit_ts_that_is_told(folder):
    tables = IGNORE.format("d", "none")
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        feed = Feed(cluster).start()
        feed.tables()
        drainer = ready(Drainer(cluster, server.port, syncer=tables))
        with Stamped(feed) as load:
            spans = []
            for _ in range(2):
                wait_for("rows", lambda: drainer.saved() > feed.last - (500 << 18))
                left_out = change_filter(drainer, '"none"', '"n"')
                drainer.wait_for_ts(left_out + (300 << 18))
                spans.append((left_out, change_filter(drainer, '"n"', '"none"')))
                drainer.wait_for_ts(spans[-1][1] + (300 << 18))
            drainer.wait_for_ts(load.end())
        assert rows_of(server, "k") == sorted(load.rows)
        taken = sorted(row for row, ts in load.stamps.items()
                       if not any(above < ts <= up_to for above, up_to in spans))
        assert len(taken) < len(load.rows)
        assert rows_of(server, "n") == taken, (spans, len(taken), len(rows_of(server, "n")))
        drainer.stop()


def the_same_with_a_pump_under_load(folder):
    history = folder / "registry/ddl-history.jsonl"
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        pump = cluster.pump("p", "-config", config(folder)).start()
        path = folder / "acked0"
        path.touch()
        loader = cluster.spawn("load", "--pumps", pump.address, "--pd-urls", cluster.url,
                               "--size", 512, "--seconds", 0, "--rate", RATE, "--acked", path,
                               "--ddl-history", history)
        drainer = ready(Drainer(cluster, server.port,
                                syncer=IGNORE.format("sluice_load", "none")))
        wait_for("the load runs", lambda: len(acked(cluster)) > RATE)
        drainer.wait_for_ts(max(acked(cluster).values()))
        above = change_filter(drainer, '"none"', '"t"')
        count = len(acked(cluster))
        wait_for("the load goes on", lambda: len(acked(cluster)) > count + RATE)
        up_to = change_filter(drainer, '"t"', '"none"')
        count = len(acked(cluster))
        wait_for("the load goes on", lambda: len(acked(cluster)) > count + RATE)
        end_load(loader)
        pairs = acked(cluster)
        drainer.wait_for_ts(max(pairs.values()))
        there = sorted(map(int, server.client("SELECT id FROM sluice_load.t").split()))
        assert there == sorted(start for start, ts in pairs.items()
                               if not above < ts <= up_to), (above, up_to, len(there), len(pairs))
        assert len(there) < len(pairs)
        drainer.stop()


# ---- files ----


def a_wrong_file_changes_nothing(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        Feed(cluster).start()
        drainer = ready(Drainer(cluster, server.port, config='log-level = "info"'))
        good = drainer.config.read_text()
        for old, new, words in (
                ('log-level = "info"', 'log-level = "loud"', ("loud",)),
                ("worker-count = 4", "worker-cuont = 4", ("d.toml", "line 5", "worker-cuont")),
                ("worker-count = 4", 'worker-count = 2\nignore-schemas = ""',
                 ("empty schema name",)),
                ("worker-count = 4", "worker-count = 2\nreplicate-do-db = [\"~(\"]",
                 ("replicate-do-db",)),
                ("[syncer]", "[syncer", ("d.toml:",))):
            rewrite(drainer, old, new)
            line = reload(drainer, "configuration is not reloaded", *words)
            assert "[ERROR]" in line, line
            drainer.config.write_text(good)
        assert get(cluster, "d", "workers") == "4" and get(cluster, "d", "log-level") == "info"
        assert not lines_with(drainer, "table filter changed")
        reload(drainer, "configuration is reloaded")
        assert not lines_with(drainer, "needs a restart")
        drainer.stop()


def what_cannot_change_is_named(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        Feed(cluster).start()
        drainer = ready(Drainer(cluster, server.port, "d", "-L", "warn", to='password = ""'))
        rewrite(drainer, "worker-count = 4",
                "worker-count = 9\nsafe-mode = true\nenable-dispatch = false")
        rewrite(drainer, 'password = ""', 'password = "hidden"')
        rewrite(drainer, "initial-commit-ts = 0", 'initial-commit-ts = 7\nlog-level = "debug"')
        reload(drainer, "needs a restart", "syncer.worker-count", "configured=9")
        lines = wait_for("all are named", lambda: len(
            found := lines_with(drainer, "[WARN]", "needs a restart")) >= 5 and found)
        told = {re.search(r"\[setting=([^\]]*)\]", line)[1]: line for line in lines}
        assert sorted(told) == ["initial-commit-ts", "syncer.enable-dispatch", "syncer.safe-mode",
                                "syncer.to.password", "syncer.worker-count"], told
        assert "d.toml:" in told["syncer.safe-mode"] and "hidden" not in str(told), told
        assert get(cluster, "d", "log-level") == "warn"  # of the command line, as at a start
        assert get(cluster, "d", "workers") == "4" and get(cluster, "d", "batch") == "1024"
        drainer.stop()


def a_start_takes_what_comes_meanwhile(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        feed = Feed(cluster).start()
        feed.tables()
        server.kill()
        drainer = Drainer(cluster, server.port, syncer=IGNORE.format("d", "none")).spawn()
        wait_for("it waits for the downstream", lambda: lines_with(drainer, "cannot be reached"))
        for worker_count, table in ((3, "k"), (2, "n")):
            rewrite(drainer, "worker-count = ", f"worker-count = {worker_count} #")
            drainer.config.write_text(re.sub(r'tbl-name = "\w+"', f'tbl-name = "{table}"',
                                             drainer.config.read_text()))
            reload(drainer, "configuration is reloaded")
        server.start()
        wait_for("it is open", lambda: lines_with(drainer, "table filter changed"))
        feed.insert((1, "one"))
        drainer.wait_for_ts(feed.fake())
        assert get(cluster, "d", "workers") == "2"
        assert rows_of(server, "k") == [(1, "one")]
        assert "n" not in server.client("SHOW TABLES IN d").split()
        drainer.stop()


def a_pump_reloads_its_log_level(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = cluster.pump("p", "-config", config(folder)).start()
        pump.config = folder / "pump.toml"
        rewrite(pump, "gen-binlog-interval = 1", 'gen-binlog-interval = 2\nlog-level = "debug"')
        reload(pump, "needs a restart", "gen-binlog-interval", "in_effect=1", "configured=2")
        assert get(cluster, "p", "log-level") == "debug"
        rewrite(pump, '"debug"', '"loud"')
        reload(pump, "configuration is not reloaded", "loud")
        assert get(cluster, "p", "log-level") == "debug"
        assert pump.stop() == 0


# ---- knobs ----


def put(address, body):
    request = urllib.request.Request(f"http://{address}/knobs", data=body.encode(), method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=30) as page:
            return page.status, json.load(page)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def knobs_are_set_and_read(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        Feed(cluster).start()
        pump = cluster.pump("p", "-config", config(folder)).start()
        drainer = ready(Drainer(cluster, server.port))
        code, out, err = binlogctl(cluster, "get", "d")
        assert code == 0 and [line.split()[:2] for line in out.splitlines()] == [
            ["workers", "4"], ["batch", "1024"], ["log-level", "info"]], (out, err)
        assert "1 to 4" in out and "1 to 16384" in out, out
        set_knobs(cluster, "d", "workers=2", "batch=17", "log-level=debug")
        assert [get(cluster, drainer.address, key) for key in ("workers", "batch", "log-level")] \
            == ["2", "17", "debug"]
        set_knobs(cluster, pump.address, "log-level=error")
        assert get(cluster, "p", "log-level") == "error"
        for words, text in ((("d", "workers=5"), "workers: 5 is out of range; allowed is 1 to 4"),
                            (("d", "batch=0"), "batch: 0 is out of range; allowed is 1 to 16384"),
                            (("d", "batch=many"), 'batch: "many" is no number'),
                            (("d", "wrkers=1"), "did you mean workers?"),
                            (("d", "batch=5", "log-level=loud"), '"loud" is no level'),
                            (("p", "workers=1"), "there is log-level")):
            code, out, err = binlogctl(cluster, "set", *words)
            assert code == 1 and text in err, (words, code, out, err)
        for words in (("set", "d"), ("set", "d", "batch"), ("get", "d", "a", "b"), ("get",)):
            assert binlogctl(cluster, *words)[0] == 2, words
        assert binlogctl(cluster, "get", "nobody")[0] == 1
        assert get(cluster, "d", "batch") == "17"
        reload(drainer, "configuration is reloaded")
        wait_for("the file's values", lambda: [get(cluster, "d", key) for key in (
            "workers", "batch", "log-level")] == ["4", "1024", "info"])
        for body in ("", "[]", "{", '{"batch":1.5}', '{"batch":{}}', '{"log-level":""}'):
            status, told = put(drainer.address, body)
            assert status == 400 and told["code"] == 1 and told["message"], (body, told)
        drainer.stop()
        assert pump.stop() == 0


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers, but is no node of ours."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


def who_is_no_node_has_no_knobs(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = cluster.pump("p", "-config", config(folder)).start()
        assert pump.stop() == 0
        host, port = pump.address.split(":")
        with http.server.HTTPServer((host, int(port)), Stranger) as stranger:
            threading.Thread(target=stranger.serve_forever, daemon=True).start()
            code, out, err = binlogctl(cluster, "get", "p")
            stranger.shutdown()
        assert code == 1 and out == "" and "lists no knobs" in err, (code, out, err)


def workers_and_batches_change_under_load(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        feed = Feed(cluster).start()
        feed.tables()
        drainer = ready(Drainer(cluster, server.port))
        with Load(feed) as load:
            for workers, batch in ((1, 1), (4, 7), (2, 1024), (4, 3), (3, 64), (1, 2), (4, 1024)):
                wait_for("rows", lambda: drainer.saved() > feed.last - (500 << 18))
                set_knobs(cluster, "d", f"workers={workers}", f"batch={batch}")
                ts = feed.last
                drainer.wait_for_ts(ts + (100 << 18))
            assert lines_with(drainer, "workers changed")
            drainer.wait_for_ts(load.end())
        check_rows(server, load.rows)
        drainer.stop()


def a_whole_transaction_has_no_knobs(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        Feed(cluster).start()
        drainer = ready(Drainer(cluster, server.port, syncer="enable-dispatch = false"))
        assert "enable-dispatch is false" in binlogctl(cluster, "get", "d")[1]
        code, _, err = binlogctl(cluster, "set", "d", "batch=5")
        assert code == 1 and "cannot be changed" in err, err
        set_knobs(cluster, "d", "log-level=warn")
        reload(drainer, "configuration is reloaded")
        drainer.stop()


if __name__ == "__main__":
    run_checks([a_filter_changes_at_the_commit_ts_that_is_told, the_same_with_a_pump_under_load,
                a_wrong_file_changes_nothing, what_cannot_change_is_named,
                a_start_takes_what_comes_meanwhile, a_pump_reloads_its_log_level,
                knobs_are_set_and_read, who_is_no_node_has_no_knobs,
                workers_and_batches_change_under_load, a_whole_transaction_has_no_knobs])
