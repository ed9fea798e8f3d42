"""All of a small cluster for one recording: registry, pumps, a drainer and what plays the
recording, as real processes on free ports in a folder of their own. Each may be killed and started
again on what it left. The downstream (mariadb.py) is the caller's and outlives a stage.

The registry is a directory, or etcd behind a stand-in for PD, which then has the recorded DDL jobs
as TiKV has them."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

from cluster import BIN, POLL_S, SECONDS_MAX, Skip, free_address, wait_for
from live_cluster import Place

HOUR = 3600 * 1000 << 18
CHECKPOINT = "SELECT checkPoint FROM tidb_binlog.checkpoint"


class Recording:
    """A folder of the documented form: writes.bin or writes.bin.zst, meta.json, ddl-history.jsonl
    and expected/."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        meta = json.loads((self.folder / "meta.json").read_text(encoding="utf-8"))
        self.cluster_id = int(meta["cluster_id"])
        self.first_ts = int(meta["first_start_ts"])
        self.last_ts = int(meta["last_commit_ts"])
        self.history = self.folder / "ddl-history.jsonl"
        self.expected = self.folder / "expected"

    def seconds(self):
        """How long what was recorded took."""
        return max(0.001, ((self.last_ts >> 18) - (self.first_ts >> 18)) / 1000)


class Settings:
    """How a recording is played; the names are those of the options of verify-corpus."""

    pumps = 1
    shards = 1
    workers = 16
    dispatch = True
    registry = "local"
    schema = "file"
    syncer = ""  # more of this part of the drainer's configuration
    user = "root"  # of the downstream
    password = ""
    initial_ts = 0  # where the drainer begins
    port = 0  # of what stands in front of the downstream; 0: nothing does

    def __init__(self, **changes):
        for name, value in changes.items():
            assert hasattr(Settings, name), name
            setattr(self, name, value)


class Node:
    """A process that is found at the same address whenever it is started."""

    def __init__(self, folder, name, *command):
        self.name = name
        self.address = free_address()
        self.command = [*map(str, command), "-addr", self.address]
        self.log = folder / f"{name}.log"
        self.process = None
        self.starts = 0

    def start(self):
        self.starts += 1
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """An orderly end; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=SECONDS_MAX)
        self.process = None
        return code

    def status(self):
        """What it answers about itself; None while it does not."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/status", timeout=20) as page:
                return json.load(page)
        except (OSError, ValueError):
            return None

    def check_lives(self):
        code = self.process.poll()
        assert code is None, f"{self.name} ended with {code}: {self.tail()}"

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


class Stage:
    """`with` starts the registry and the pumps, and ends everything but the downstream."""

    def __init__(self, folder, recording, server, settings):
        self.folder = pathlib.Path(folder)
        self.recording = recording
        self.server = server
        self.settings = settings
        self.place = None
        self.url = ""
        self.pumps = []
        self.drainer = None
        self.replay = None

    def __enter__(self):
        try:
            self.start_registry()
            self.start_pumps()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        for node in (*self.pumps, self.drainer):
            text = node.log.read_text(errors="replace") if node and node.log.exists() else ""
            for word in ("Sanitizer", "runtime error:", "assertion failed"):
                assert word not in text, text[max(0, text.index(word) - 200):][:4000]

    def end(self):
        if self.replay and self.replay.poll() is None:
            self.replay.kill()
            self.replay.wait()
        for node in (self.drainer, *self.pumps):
            if node:
                node.kill()
        if self.place:
            self.place.end()

    # ---- starting ----

    def start_registry(self):
        tso = self.recording.first_ts - HOUR
        if self.settings.registry == "local":
            self.url = f"local:{self.folder}/registry"
            subprocess.run([BIN / "sluice", "init", self.url, "--cluster-id",
                            str(self.recording.cluster_id), "--tso", str(tso)], check=True,
                           stdout=subprocess.DEVNULL)
            return
        os.environ["ETCD_UNSUPPORTED_ARCH"] = os.uname().machine  # it refuses some without a word
        self.place = Place(self.folder)
        try:
            self.place.etcd()
        except FileNotFoundError:
            raise Skip("no etcd here; install etcd-server") from None
        _, self.url = self.place.fakepd("--tso", tso, "--tikv", self.recording.folder,
                                        cluster=self.recording.cluster_id)
        door = self.place.closed_door()
        door.until_ok("open", self.url)
        door.until_ok("list", "pumps")

    def start_pumps(self):
        config = self.folder / "pump.toml"
        config.write_text("gen-binlog-interval = 1\n[storage]\n"
                          f"shards = {self.settings.shards}\nstop-write-at-available-space = 0\n")
        for i in range(self.settings.pumps):
            pump = Node(self.folder, f"pump{i}", BIN / "pump", "-config", config, "-pd-urls",
                        self.url, "-data-dir", self.folder / f"pump{i}", "-node-id", f"pump{i}")
            self.pumps.append(pump)
            pump.start()
        for pump in self.pumps:
            wait_for(f"{pump.name} is online", lambda p=pump: self.is_online(p))

    @staticmethod
    def is_online(pump):
        pump.check_lives()
        status = pump.status()
        own = status and (status.get("status") or {}).get(pump.name)
        return own and own["state"] == "online"

    def start_drainer(self):
        self.drainer = self.drainer_named("drainer")
        self.drainer.start()

    def drainer_named(self, name):
        """One that is not started."""
        s = self.settings
        source = "tikv" if s.schema == "tikv" else f"file:{self.recording.history.resolve()}"
        config = self.folder / f"{name}.toml"
        config.write_text(f"""pd-urls = "{self.url}"
data-dir = "{self.folder}/{name}"
node-id = "{name}"
initial-commit-ts = {s.initial_ts}
detect-interval = 1
[syncer]
db-type = "mysql"
worker-count = {s.workers}
enable-dispatch = {"true" if s.dispatch else "false"}
schema-source = "{source}"
{s.syncer}
[syncer.to]
host = "127.0.0.1"
port = {s.port or self.server.port}
user = "{s.user}"
password = "{s.password}"
""")
        return Node(self.folder, name, BIN / "drainer", "-config", config)

    def start_replay(self, speed="max"):
        pumps = ",".join(pump.address for pump in self.pumps)
        with open(self.folder / "replay.log", "w", encoding="utf-8") as log:
            self.replay = subprocess.Popen(
                [BIN / "sluice", "replay", self.recording.folder, "--pumps", pumps, "--pd-urls",
                 self.url, "--speed", str(speed), "--write-timeout", "5m"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    # ---- waiting ----

    def end_replay(self, seconds=SECONDS_MAX):
        """All of the recording is acknowledged."""
        code = self.replay.wait(timeout=seconds)
        assert code == 0, (self.folder / "replay.log").read_text()

    def saved_ts(self):
        """Of the downstream's checkpoint; 0: there is none."""
        try:
            text = self.server.client(CHECKPOINT)
        except AssertionError:  # no such table yet
            return 0
        return json.loads(text)["commitTS"] if text.strip() else 0

    def wait_drained(self, patience=SECONDS_MAX):
        """Until the checkpoint is behind the recording; `patience`: seconds without progress."""
        seen, moved = -1, time.monotonic()
        while seen < self.recording.last_ts:
            self.drainer.check_lives()
            now = self.saved_ts()
            if now > seen:
                seen, moved = now, time.monotonic()
            elif time.monotonic() - moved > patience:
                raise AssertionError(f"the drainer stands at {seen} for {patience} s: "
                                     f"{self.drainer.status()}\n{self.drainer.tail()}")
            time.sleep(5 * POLL_S)

    def stop_drainer(self):
        """An orderly end leaves a checkpoint that nothing is above; a drainer that took over from a
        dead one says so only when it is beyond all that the other may have applied."""
        code = self.drainer.stop()
        assert code == 0, f"the drainer ended with {code}: {self.drainer.tail()}"
        checkpoint = json.loads(self.server.client(CHECKPOINT))
        assert checkpoint["commitTS"] >= self.recording.last_ts, checkpoint
        assert checkpoint["consistent"] or self.drainer.starts > 1, checkpoint
