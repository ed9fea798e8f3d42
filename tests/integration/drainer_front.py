#!/usr/bin/env python3
"""What others see of a running drainer: its flags and files, how it refuses them, its HTTP paths,
its record in the registry, the pumps that wait for it, and what it writes where."""

import json
import signal
import subprocess
import urllib.error
import urllib.request

from cluster import BIN, Cluster, free_address, run_checks, wait_for

CLUSTER = 42

# The keys and values of the file that the original ships.
SHIPPED = """\
addr = "127.0.0.1:8249"
advertise-addr = ""
detect-interval = 10
data-dir = "data.drainer"
pd-urls = "http://127.0.0.1:2379"
compressor = ""
[syncer]
txn-batch = 20
sync-ddl = true
loopback-control = false
channel-id = 1
worker-count = 16
safe-mode = false
db-type = "mysql"
ignore-txn-commit-ts = []
ignore-schemas = "INFORMATION_SCHEMA,PERFORMANCE_SCHEMA,mysql"
[syncer.relay]
[syncer.to]
host = "127.0.0.1"
user = "root"
password = ""
encrypted_password = ""
port = 3306
[syncer.to.checkpoint]
"""


class Drainer:
    """One drainer process that writes to its standard output."""

    def __init__(self, cluster, name, *flags):
        self.cluster = cluster
        self.name = name
        self.flags = flags
        self.address = free_address()
        self.out = cluster.folder / f"{name}.out"
        self.log = cluster.folder / f"{name}.log"
        self.process = None

    def command(self):
        return [BIN / "drainer", "-addr", self.address, "-pd-urls", self.cluster.url, "-data-dir",
                self.cluster.folder / self.name, "-node-id", self.name, "-dest-db-type", "stdout",
                *self.flags]

    def start(self):
        (self.cluster.folder / "registry/ddl-history.jsonl").touch()
        with open(self.out, "ab") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=out, stderr=log)
        self.cluster.processes.append(self.process)
        wait_for(f"{self.name} is ready", self.ready)
        return self

    def ready(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            return self.ask("/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, path, method="GET"):
        """Status, content type and body."""
        request = urllib.request.Request(f"http://{self.address}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as page:
                return page.status, page.headers["Content-Type"], page.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers["Content-Type"], refused.read().decode()

    def record(self):
        path = self.cluster.folder / "registry/drainers" / f"{self.name}.json"
        return json.loads(path.read_text())


def reply(message, code):
    return f'{{\n  "message": "{message}",\n  "code": {code},\n  "data": null\n}}\n'


def every_path_is_answered(folder):
    with Cluster(folder, CLUSTER) as cluster:
        drainer = Drainer(cluster, "d").start()
        status, kind, body = drainer.ask("/status")
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        assert body.startswith('{"PumpPos":{},"Synced":false,"LastTS":'), body
        told = json.loads(body)
        assert list(told) == ["PumpPos", "Synced", "LastTS", "TsMap", "sluice"]
        assert told["sluice"]["node_id"] == "d" and told["sluice"]["node_state"] == "online"
        status, kind, body = drainer.ask("/commit_ts")
        assert (status, kind) == (200, "application/json; charset=UTF-8")
        begin = '{\n  "message": "get drainer\'s latest ts success!",\n  "code": 200,'
        assert body.startswith(begin + '\n  "data": {\n    "ts": '), body
        status, kind, body = drainer.ask("/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        for series in ('binlog_drainer_event{type="Insert"} ', "binlog_drainer_ddl_jobs_total ",
                       'binlog_drainer_queue_size{name="worker_9"} ', "process_open_fds "):
            assert f"\n{series}" in body, series
        assert drainer.ask("/healthz")[::2] == (200, "ok\n")
        assert drainer.ask("/nosuch")[::2] == (404, "404 page not found\n")
        assert drainer.ask("/status", "POST")[0] == 405
        assert drainer.ask("/state/d/pause")[0] == 405


def actions_are_refused_and_obeyed(folder):
    with Cluster(folder, CLUSTER) as cluster:
        drainer = Drainer(cluster, "d").start()
        for path, message in (("/state/x/pause", "invalid nodeID x, this pump's nodeID is d"),
                              ("/state/d/drop", "invalid action drop")):
            assert drainer.ask(path, "PUT")[::2] == (200, reply(message, 3)), message
        answer = drainer.ask("/state/d/pause", "PUT")
        assert answer[::2] == (200, reply("apply action pause success!", 200)), answer
        assert drainer.process.wait(timeout=30) == 0
        assert drainer.record()["state"] == "paused"
        drainer.start()
        assert drainer.record()["state"] == "online"
        drainer.ask("/state/d/close", "PUT")
        assert drainer.process.wait(timeout=30) == 0
        assert drainer.record()["state"] == "offline"
        drainer.start()
        assert "this drainer was offline for good" in drainer.log.read_text()
        drainer.process.send_signal(signal.SIGTERM)
        assert drainer.process.wait(timeout=30) == 0
        assert drainer.record()["state"] == "paused"


def the_configured_id_is_the_drainers_on_any_data_dir(folder):
    with Cluster(folder, CLUSTER) as cluster:
        drainer = Drainer(cluster, "d").start()
        drainer.ask("/state/d/close", "PUT")
        assert drainer.process.wait(timeout=30) == 0
        drainer.flags = ("-node-id", "e")  # the later one counts
        drainer.start()
        assert json.loads((folder / "registry/drainers/e.json").read_text())["state"] == "online"
        assert drainer.record()["state"] == "offline"
        log = drainer.log.read_text()
        assert "node-id = e is used, the node ID in local file" in log, log


def a_pump_is_online_when_the_drainer_knows_it(folder):
    with Cluster(folder, CLUSTER) as cluster:
        drainer = Drainer(cluster, "d").start()
        cluster.pump("p").start()  # waits until it is online
        told = json.loads(drainer.ask("/status")[2])
        assert list(told["PumpPos"]) == ["p"], told
        assert [pump["node_id"] for pump in told["sluice"]["pumps"]] == ["p"]
        wait_for("the checkpoint is published",
                 lambda: drainer.record()["maxCommitTS"] > told["LastTS"])


def the_log_stays_out_of_the_changes(folder):
    with Cluster(folder, CLUSTER) as cluster:
        drainer = Drainer(cluster, "d").start()
        assert drainer.out.read_bytes() == b""
        assert '["register success"]' in drainer.log.read_text()


def the_file_that_the_original_ships_starts(folder):
    with Cluster(folder, CLUSTER) as cluster:
        (folder / "drainer.toml").write_text(SHIPPED)
        drainer = Drainer(cluster, "d", "-config", folder / "drainer.toml").start()
        assert drainer.ask("/healthz")[0] == 200
        log = drainer.log.read_text()
        assert '["setting has no effect"] [setting=syncer.channel-id]' in log, log
        assert '["about a setting"] [setting=advertise-addr]' in log, log  # it has its effect


def what_is_wrong_is_refused_in_one_line(folder):
    def refused(code, words, *flags, text=""):
        (folder / "d.toml").write_text(text)
        done = subprocess.run([BIN / "drainer", "-config", folder / "d.toml", *flags],
                              capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == code, done
        assert done.stderr.count("\n") == 1 and words in done.stderr, done.stderr
        assert done.stdout == ""

    refused(2, "flag provided but not defined: -nosuch", "-nosuch")
    refused(1, "did you mean", text="[syncer]\nworker-cout = 1\n")
    refused(1, 'db-type "kafka": not supported in this version', "-dest-db-type=kafka")
    refused(1, "unknown DestDBType: mongodb", "-dest-db-type=mongodb")
    refused(1, "security.ssl-ca: not supported in this version", text='[security]\nssl-ca = "/x"\n')
    refused(1, "invalid addr: invalid host h: address h: missing port in address", "-addr=h")
    refused(1, "Invalid compressor: zip, must be one of these: [gzip]", "-compressor=zip")
    refused(1, "empty schema name in `ignore-schemas` config", "-ignore-schemas=")
    refused(1, "replicate-do-db: invalid regular expression `a(`",
            text='[syncer]\nreplicate-do-db = ["~a("]\n')


run_checks([
    every_path_is_answered,
    actions_are_refused_and_obeyed,
    the_configured_id_is_the_drainers_on_any_data_dir,
    a_pump_is_online_when_the_drainer_knows_it,
    the_log_stays_out_of_the_changes,
    the_file_that_the_original_ships_starts,
    what_is_wrong_is_refused_in_one_line,
])
