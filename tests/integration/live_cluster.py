#!/usr/bin/env python3
"""The doors to a live cluster, against a real etcd behind a stand-in for PD: what one puts another
lists, timestamps only rise, and both outlive what happens to a cluster: etcd starts again, the
leader steps down, a PD of another cluster stands at the old address.

Programs: tests/tools/fakepd.c, tests/tools/door.c. Skipped where there is no etcd-server."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from cluster import TOOLS

SECONDS_MAX = 30
CLUSTER = 7_012_345_678_901_234_567
ONE_DAY = 86400 * 1000 << 18

CHECKS = []


def check(function):
    """Mark a function as one of the checks; it gets a Place."""
    CHECKS.append(function)
    return function


class Place:
    """An empty folder and the processes of one check, which end with it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = []
        self.etcd_ports = None

    def start(self, *args, **options):
        process = subprocess.Popen([str(a) for a in args], text=True, **options)
        self.running.append(process)
        return process

    def end(self):
        for process in reversed(self.running):
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def etcd(self):
        """Start etcd, the first time on free ports, later where it was; return the process."""
        if self.etcd_ports is None:
            self.etcd_ports = free_ports(2)
        client, peer = (f"http://127.0.0.1:{port}" for port in self.etcd_ports)
        log = open(self.folder / "etcd.log", "a", encoding="utf-8")
        process = self.start(
            "etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
            "--unsafe-no-fsync=true" if etcd_knows("unsafe-no-fsync") else "--debug=false",
            stdout=log, stderr=log)
        log.close()
        return process

    def fakepd(self, *more, cluster=CLUSTER, listen="127.0.0.1:0"):
        """Start a member of PD; return the process and its URL."""
        process = self.start(TOOLS / "fakepd", "--etcd", f"127.0.0.1:{self.etcd_ports[0]}",
                             "--cluster-id", cluster, "--listen", listen, *more,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        return process, "http://" + line.split()[-1]

    def door(self, urls):
        """A door that has opened the cluster."""
        door = self.closed_door()
        assert door.ok("open", urls) == str(CLUSTER)
        return door

    def closed_door(self):
        return Door(self.start(TOOLS / "door", stdin=subprocess.PIPE, stdout=subprocess.PIPE))


class Door:
    """tests/tools/door.c, one question at a time."""

    def __init__(self, process):
        self.process = process

    def ask(self, *words):
        """The answer: "ok" or the name of the error, and the rest."""
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        code, _, rest = self.process.stdout.readline().rstrip("\n").partition(" ")
        return code, rest

    def ok(self, *words):
        code, rest = self.ask(*words)
        assert code == "ok", f"{words}: {code} {rest}"
        return rest.strip()

    def fails(self, wanted, *words):
        code, rest = self.ask(*words)
        assert code == wanted, f"{words}: {code} {rest}, wanted {wanted}"
        return rest

    def until_ok(self, *words):
        """Ask again while the error may pass by itself."""
        limit = time.monotonic() + SECONDS_MAX
        while True:
            code, rest = self.ask(*words)
            if code == "ok":
                return rest.strip()
            assert code in ("SL_UNAVAILABLE", "SL_TIMEOUT"), f"{words}: {code} {rest}"
            assert time.monotonic() < limit, f"{words}: still {code} {rest}"

    def tso(self, count=1):
        return int(self.until_ok("tso", count))


def free_ports(count):
    """Ports that nobody has now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def etcd_knows(option):
    return f"--{option}" in subprocess.run(["etcd", "--help"], capture_output=True, text=True,
                                           check=False).stdout


def etcdctl_put(place, key, value):
    """A foreign hand: through the JSON gateway, which every etcd has."""
    import base64
    import urllib.request
    body = {name: base64.b64encode(text.encode()).decode()
            for name, text in (("key", key), ("value", value))}
    request = urllib.request.Request(f"http://127.0.0.1:{place.etcd_ports[0]}/v3/kv/put",
                                     json.dumps(body).encode())
    urllib.request.urlopen(request, timeout=SECONDS_MAX).close()


# ---- the registry ----


@check
def what_one_puts_all_find(place):
    place.etcd()
    _, url = place.fakepd()
    one, other = place.door(url), place.door(url)
    assert one.until_ok("list", "pumps") == ""
    before = int(one.ok("version"))
    one.fails("SL_NOT_FOUND", "get", "pumps", "a:8250")
    one.ok("put", "pumps", "a:8250", "10.0.0.1:8250", "online", 412518831548007863)
    one.ok("put", "pumps", "b:8250", "10.0.0.2:8250", "paused", 1)
    one.ok("put", "drainers", "d:8249", "10.0.0.3:8249", "online", 2)
    assert other.ok("list", "pumps") == "a:8250 b:8250"
    assert other.ok("list", "drainers") == "d:8249"
    assert other.ok("get", "pumps", "a:8250") == (
        '{"nodeId":"a:8250","host":"10.0.0.1:8250","state":"online","isAlive":false,"score":0,'
        '"label":null,"maxCommitTS":412518831548007863,"updateTS":0}')
    middle = int(other.ok("version"))
    assert middle > before
    other.ok("put", "pumps", "a:8250", "10.0.0.1:8250", "offline", 412518831548007864)
    assert '"state":"offline"' in one.ok("get", "pumps", "a:8250")
    assert int(one.ok("version")) > middle
    assert int(one.ok("version")) == int(other.ok("version"))


@check
def records_of_others_are_read_and_what_is_no_record_is_named(place):
    place.etcd()
    _, url = place.fakepd()
    door = place.door(url)
    door.until_ok("list", "pumps")
    etcdctl_put(place, "/tidb-binlog/v1/pumps/old", '{"NodeID": "old", "state": "paused", "x": 1}')
    etcdctl_put(place, "/tidb-binlog/v1/pumps/old/alive", "1")
    etcdctl_put(place, "/tidb-binlog/v1/pumpsX/other", "1")
    assert door.ok("list", "pumps") == "old"
    etcdctl_put(place, "/tidb-binlog/v1/pumps/bad", "{")
    why = door.fails("SL_INVALID", "list", "pumps")
    assert "/tidb-binlog/v1/pumps/bad is no record of a node" in why, why
    assert door.ok("list", "drainers") == ""
    etcdctl_put(place, "/tidb-binlog/v1/pumps/bad", '{"nodeId":"c","state":"online"}')
    why = door.fails("SL_INVALID", "get", "pumps", "bad")
    assert "is the record of 'c'" in why, why


@check
def the_registry_outlives_a_restart_of_etcd(place):
    etcd = place.etcd()
    _, url = place.fakepd()
    door = place.door(url)
    door.until_ok("put", "pumps", "a", "h:1", "online", 1)
    etcd.kill()
    etcd.wait()
    began = time.monotonic()
    door.fails("SL_UNAVAILABLE", "put", "pumps", "a", "h:1", "online", 2)
    assert time.monotonic() - began < 6, "an operation is bounded by 5 s"
    door.tso()  # PD needs no etcd for it
    place.etcd()
    door.until_ok("put", "pumps", "a", "h:1", "online", 3)
    assert '"maxCommitTS":3' in door.ok("get", "pumps", "a")


# ---- timestamps ----


@check
def timestamps_rise_for_all(place):
    place.etcd()
    _, url = place.fakepd()
    doors = [place.door(url) for _ in range(3)]
    last = 0
    for i in range(60):
        count = 1 + i % 7
        first = doors[i % 3].tso(count)
        assert first > last, f"{first} after {last}"
        last = first + count - 1
    now_ms = time.time() * 1000
    assert abs((last >> 18) - now_ms) < 60000, "they follow the clock"


@check
def timestamps_begin_where_they_are_told(place):
    place.etcd()
    _, url = place.fakepd("--tso", 5 << 18)
    assert 5 << 18 <= place.door(url).tso() < SECONDS_MAX * 1000 << 18


@check
def another_leader_is_found_and_timestamps_rise_on(place):
    place.etcd()
    ports = free_ports(2)
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    data = place.folder / "tso"
    members = [place.fakepd("--data", data, "--member", urls[1 - i], listen=f"127.0.0.1:{port}")[0]
               for i, port in enumerate(ports)]
    members[1].send_signal(signal.SIGUSR1)  # the first alone leads
    door = place.door(urls[0])  # it hears of the second from the first
    door.until_ok("put", "pumps", "a", "h:1", "online", 1)
    last = door.tso()
    for _ in range(2):
        for member in members:
            member.send_signal(signal.SIGUSR1)
        now = door.tso(5)
        assert now > last
        last = now + 4
    members[0].kill()
    members[0].wait()
    members[1].send_signal(signal.SIGUSR1)  # it leads alone now
    assert door.tso() > last
    assert door.until_ok("list", "pumps") == "a"


@check
def no_leader_is_said_within_its_time(place):
    place.etcd()
    process, url = place.fakepd()
    door = place.door(url)
    last = door.tso()
    process.send_signal(signal.SIGUSR1)
    began = time.monotonic()
    while (answer := door.ask("tso", 1))[0] == "ok":
        pass  # the signal is on its way
    assert answer[0] == "SL_UNAVAILABLE", answer
    assert "knows no leader" in answer[1], answer
    assert time.monotonic() - began < 10
    process.send_signal(signal.SIGUSR1)
    assert door.tso() > last


# ---- which cluster ----


@check
def a_pd_of_another_cluster_is_refused(place):
    place.etcd()
    first, url = place.fakepd()
    door = place.door(url)
    door.tso()
    first.kill()
    first.wait()
    place.fakepd(cluster=99, listen=url.removeprefix("http://"))
    why = door.fails("SL_INVALID", "tso", 1)
    assert "mismatch cluster id" in why and "99" in why and str(CLUSTER) in why, why
    assert door.ok("open", url) == "99"


@check
def all_urls_must_be_of_one_cluster_and_one_must_answer(place):
    place.etcd()
    _, one = place.fakepd()
    _, other = place.fakepd(cluster=99)
    door = place.closed_door()
    why = door.fails("SL_INVALID", "open", f"{one},{other}")
    assert "cluster 99" in why and str(CLUSTER) in why, why
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}"
    why = door.fails("SL_UNAVAILABLE", "open", nobody)
    assert nobody in why, why
    assert door.ok("open", f"{nobody},{one}") == str(CLUSTER)
    assert int(door.ok("tso", 1)) > 0
    assert door.until_ok("list", "pumps") == ""
    door.fails("SL_CONFIG", "open", "http://")
    why = door.fails("SL_UNSUPPORTED", "open", f"http://127.0.0.1:{place.etcd_ports[0]}")
    assert "PD" in why, why


# ---- the drive of a replay ----


@check
def a_replay_drives_the_timestamps_of_the_stand_in(place):
    place.etcd()
    _, url = place.fakepd("--tso", ONE_DAY)
    driver, pump = place.door(url), place.door(url)
    first = 2 * ONE_DAY
    start = pump.tso()
    driver.ok("drive", first, first + 100)
    pump.fails("SL_IN_USE", "drive", first, first + 100)
    assert start < pump.tso() < first
    driver.ok("move", first + 10, first + 13)
    assert pump.tso(2) == first + 11
    pump.fails("SL_AGAIN", "tso", 1)
    driver.fails("SL_INVALID", "move", first + 10, first + 5)
    running, floor, ceiling, last, _ = pump.ok("info").split()
    assert (running, int(ceiling), int(last)) == ("1", first + 13, first + 100)
    assert int(floor) >= first + 10
    driver.ok("move", first + 100, first + 101)
    driver.ok("end")
    assert pump.tso() > first + 100
    assert pump.ok("info").split()[0] == "0"


@check
def a_driver_that_dies_ends_its_drive(place):
    place.etcd()
    _, url = place.fakepd("--tso", ONE_DAY)
    driver, pump = place.door(url), place.door(url)
    driver.ok("drive", 2 * ONE_DAY, 2 * ONE_DAY + 5)
    driver.process.kill()
    driver.process.wait()
    limit = time.monotonic() + SECONDS_MAX
    while pump.tso() < 2 * ONE_DAY and time.monotonic() < limit:
        pass
    assert pump.tso() > 2 * ONE_DAY + 5
    assert pump.ok("info").split()[4] == "1"


@check
def a_real_pd_cannot_be_driven(place):
    """A real PD knows no such service; here: the words that a bare gRPC server has for it."""
    place.etcd()
    _, url = place.fakepd("--undriven", "yes")
    door = place.door(url)
    door.fails("SL_UNSUPPORTED", "drive", ONE_DAY, 2 * ONE_DAY)
    door.fails("SL_UNSUPPORTED", "info")
    assert door.tso() > 0


# ---- the keys of the schema's history ----


def job_key(job):
    """Of a DDL job in TiDB's meta data (codec spec 9.12)."""
    return "6d44444c4a6f624869ff73746f7279000000fc0000000000000068%016xff0000000000000000f7" % job


@check
def the_history_of_ddl_jobs_is_read_as_it_was_at_a_moment(place):
    """Against the stand-in: job n was finished at 10 n; job 1 is one of the recording, which
    says when it was committed; the last one was cancelled."""
    count, recorded = 600, 10**15
    folder = place.folder / "corpus"
    folder.mkdir()
    prewrite = bytes([8, 0, 16, 7, 24, 0, 56, 1])  # the job is field 7
    commit = bytes([8, 1, 16, 7, 24]) + varint(recorded)
    records = [len(p).to_bytes(4, "little") + bytes(12) + p for p in (prewrite, commit)]
    (folder / "writes.bin").write_bytes(b"".join(records))
    jobs = [{"id": n, "start_ts": 10 * n - 5,
             "binlog": {"FinishedTS": 10 * n if n < count else 0}} for n in range(1, count + 1)]
    (folder / "ddl-history.jsonl").write_text("".join(json.dumps(j) + "\n" for j in jobs[::-1]))
    place.etcd()
    pd, url = place.fakepd("--tikv", folder)
    door = place.closed_door()
    door.ok("tikv", url)
    ends = (job_key(0), job_key(2**63))
    assert door.ok("scan", *ends, recorded) == f"{count} {job_key(1)} {job_key(count)}"
    assert door.ok("scan", *ends, recorded - 1) == f"{count - 1} {job_key(2)} {job_key(count)}"
    assert door.ok("scan", *ends, 10 * count - 6) == (
        f"{count - 2} {job_key(2)} {job_key(count - 1)}")
    assert json.loads(door.ok("read", job_key(300), 3000)) == jobs[299]
    door.fails("SL_NOT_FOUND", "read", job_key(300), 2999)
    for words in ("locked 3", "error epoch 2", "error busy 2", "error other-leader 2"):
        pd.stdin.write(words + "\n")
        pd.stdin.flush()
        assert pd.stdout.readline() == "ok\n", words
        assert door.ok("scan", *ends, recorded).startswith(f"{count} "), words
    pd.stdin.write("locked 1000\n")
    pd.stdin.flush()
    assert pd.stdout.readline() == "ok\n"
    why = door.fails("SL_TIMEOUT", "read", job_key(2), recorded)
    assert "locked by transaction" in why, why


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def run_one(function):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        try:
            function(place)
        finally:
            place.end()


def main():
    names = [f.__name__ for f in CHECKS]
    if shutil.which("etcd") is None:
        for name in names:
            print(f"skip {name}: no etcd here; install etcd-server")
        return 0
    failed = 0
    for function in CHECKS:
        try:
            run_one(function)
            print(f"ok {function.__name__}", flush=True)
        except (AssertionError, OSError, ValueError) as error:
            failed += 1
            print(f"not ok {function.__name__}: {str(error) or repr(error)}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ["ETCD_UNSUPPORTED_ARCH"] = os.uname().machine  # it refuses some without a word
    sys.exit(main())
