"""A local cluster for integration tests: real processes in a temporary folder, on free ports, found
through the registry directory, and ended with the test whatever happens."""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SANITIZER = os.environ.get("SLUICE_TEST_SANITIZER", "none")  # ./dev test NAME --sanitize=KIND
BIN = pathlib.Path(os.environ.get("SLUICE_TEST_BIN") or ROOT / "zig-out/tests" / SANITIZER / "bin")
PLAIN = SANITIZER == "none"  # with a sanitizer's shadow, memory says nothing
TOOLS = ROOT / "zig-out/tools" / SANITIZER
SECONDS_MAX = 60
POLL_S = 0.02


def wait_for(what, condition, seconds=SECONDS_MAX):
    """Until condition() is true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(POLL_S)


def free_address():
    """An address where nobody listens. Below the ports that the system gives to those who connect:
    else a client that waits for a dead pump takes its port, by connecting to itself."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                held.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"127.0.0.1:{port}"


class Pump:
    """One pump process, which can be started again on the same data."""

    def __init__(self, cluster, name, flags):
        self.cluster = cluster
        self.name = name
        self.flags = flags
        self.data = cluster.folder / name
        self.log = cluster.folder / f"{name}.log"
        self.process = None
        self.address = free_address()
        self.env = {}  # beyond ours

    def command(self):
        return [BIN / "pump", "-addr", self.address, "-pd-urls", self.cluster.url, "-data-dir",
                self.data, "-node-id", self.name, *self.flags]

    def start(self, wait=True):
        """Start it, at the same address each time, where others know it."""
        record = self.cluster.folder / "registry/pumps" / f"{self.name}.json"
        before = record.read_bytes() if record.exists() else b""
        log = open(self.log, "ab")  # the child's until it ends
        with log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            env={**os.environ, **self.env})
        self.cluster.processes.append(self.process)

        def online():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended: {self.log.read_text()[-2000:]}")
            if not record.exists() or record.read_bytes() == before:
                return None
            node = json.loads(record.read_text())
            return node["state"] == "online"

        if wait:
            wait_for(f"{self.name} is online", online)
        return self

    def state(self):
        record = self.cluster.folder / "registry/pumps" / f"{self.name}.json"
        return json.loads(record.read_text())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=SECONDS_MAX):
        """An orderly end; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=seconds)


class Cluster:
    """A registry directory and what runs on it."""

    def __init__(self, folder, cluster_id, first_tso=None):
        self.folder = pathlib.Path(folder)
        self.cluster_id = cluster_id
        self.url = f"local:{self.folder}/registry"
        self.processes = []
        tso = ["--tso", str(first_tso)] if first_tso else []
        self.sluice("init", self.url, "--cluster-id", str(cluster_id), *tso)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for log in self.folder.glob("*.log"):
            text = log.read_text(errors="replace")
            for word in ("Sanitizer", "runtime error:", "assertion failed"):
                assert word not in text, text[max(0, text.index(word) - 200):][:4000]

    def sluice(self, *args, seconds=SECONDS_MAX):
        """Run a verb to its end; its standard output."""
        done = subprocess.run([BIN / "sluice", *map(str, args)], capture_output=True, text=True,
                              timeout=seconds, check=False)
        assert done.returncode == 0, f"sluice {args}: exit {done.returncode}: {done.stderr}"
        return done.stdout

    def spawn(self, *args):
        """Start a verb."""
        process = subprocess.Popen([BIN / "sluice", *map(str, args)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def pump(self, name, *flags):
        return Pump(self, name, flags)


def frames(path):
    """The payloads of a file of u32 LE length and payload, as golden/pull has them."""
    data = pathlib.Path(path).read_bytes()
    out, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "little")
        out.append(data[at + 4:at + 4 + size])
        assert len(out[-1]) == size, f"{path} ends in the middle"
        at += 4 + size
    return out


def varint(data, at):
    """A varint of protobuf and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def commit_ts(payload):
    """Of a Binlog: its field 3, before which there are varints only."""
    at = 0
    while at < len(payload):
        key, at = varint(payload, at)
        value, at = varint(payload, at)
        if key == 3 << 3:
            return value
    raise AssertionError(f"no commit ts in {payload[:40].hex()}")


class Skip(Exception):
    """What a check needs is not to be had here; the reason."""


def run_checks(checks):
    """Run each function in an empty folder and say how it went, in the runner's words."""
    import sys
    import tempfile
    import traceback

    failed = 0
    only = sys.argv[1:]
    for function in checks:
        if only and not any(word in function.__name__ for word in only):
            continue
        with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
            try:
                function(pathlib.Path(folder))
                print(f"ok {function.__name__}", flush=True)
            except Skip as reason:
                print(f"skip {function.__name__}: {reason}", flush=True)
            except Exception as problem:  # of any kind: it is told, and the next check runs
                failed += 1
                traceback.print_exc()
                why = str(problem).replace("\n", " ")[:300]
                print(f"not ok {function.__name__}: {why}", flush=True)
    sys.exit(1 if failed else 0)
