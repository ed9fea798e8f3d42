#!/usr/bin/env python3
"""A pump that is treated badly: directories that are not its own or damaged, disks that are full,
peers that speak nonsense, signals at the wrong moment. Each is told in one line or answered with
its status, and nothing that was acknowledged is lost."""

import contextlib
import itertools
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

from cluster import BIN, ROOT, Cluster, Skip, run_checks, wait_for
from pairs import CLUSTER, acked, check_pulled, config, end_load, load, some_pairs

HEADER_BYTES = 4096  # of a segment
KIB = 1024
CONNECTIONS_MAX = 1024


def running(cluster, shards=1):
    return cluster.pump("p", "-config", config(cluster.folder, shards)).start()


def refused(pump, code, *parts):
    """It does not start: this exit code, and one line on standard error with the parts."""
    done = subprocess.run(pump.command(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, f"exit {done.returncode}, wanted {code}: {done.stderr}"
    assert done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr, f"{part!r} is not in {done.stderr!r}"


def starts_and_has_all(cluster, pump):
    """It starts, has what was acknowledged, takes more, and stops."""
    pump.start()
    check_pulled(cluster, pump)
    some_pairs(cluster, pump)
    check_pulled(cluster, pump)
    assert pump.stop() == 0, pump.log.read_text()[-2000:]


def segment(pump, number=1):
    return pump.data / f"shard-0/{number:08}.seg"


def get(pump, path):
    with urllib.request.urlopen(f"http://{pump.address}{path}", timeout=30) as page:
        return page.read().decode()


def read_errors(pump):
    """What the original's alert looks at."""
    line = re.search(r'^binlog_pump_storage_error_count\{type="read_value"\} (\d+)$',
                     get(pump, "/metrics"), re.M)
    return int(line[1])


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


# ---- directories ----


def second_pump_on_the_same_directory_is_refused(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        other = cluster.pump("other", "-config", config(folder))
        other.data = pump.data
        refused(other, 1, "pkg/file: file already locked", str(pump.data))
        some_pairs(cluster, pump)
        check_pulled(cluster, pump)


def directory_of_another_cluster_is_refused(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump)
        assert pump.stop() == 0
        own = cluster.url
        (folder / "else").mkdir()
        with Cluster(folder / "else", CLUSTER + 1) as other:
            cluster.url = other.url
            refused(pump, 1, f"{pump.data} belongs to cluster 42, but this is cluster 43",
                    "empty data-dir")
        cluster.url = own
        starts_and_has_all(cluster, pump)


def directory_of_the_original_is_refused_and_left_alone(folder):
    with Cluster(folder, CLUSTER) as cluster:
        for name in ("value/000000.vlog", "kv/CURRENT"):
            pump = cluster.pump(name.split("/", maxsplit=1)[0], "-config", config(folder))
            path = pump.data / name
            path.parent.mkdir(parents=True)
            path.write_text("theirs")
            refused(pump, 1, str(pump.data), "original TiDB Binlog", "empty data directory")
            assert path.read_text() == "theirs"
            assert not (pump.data / "shard-0").exists()


def other_number_of_shards_is_refused(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster, shards=4)
        some_pairs(cluster, pump)
        assert pump.stop() == 0
        config(folder, shards=2)
        refused(pump, 1, "was made with 4 shards", "storage.shards")
        config(folder, shards=0)
        starts_and_has_all(cluster, pump)


# ---- damage ----


def damage_below_acknowledged_records_stops_the_start(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump, 50)
        pump.kill()
        flip(segment(pump), HEADER_BYTES + 5000)
        before = segment(pump).read_bytes()
        refused(pump, 1, "00000001.seg is damaged at byte", "log offset", "was acknowledged",
                "restore the file from a copy", "move its data directory away")
        assert segment(pump).read_bytes() == before, "the damaged file was changed"
        flip(segment(pump), HEADER_BYTES + 5000)
        starts_and_has_all(cluster, pump)


def damage_of_an_old_segment_stops_the_start_without_an_index(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump, 600)
        assert pump.stop() == 0
        assert segment(pump, 2).exists(), "the log has one segment only"
        flip(segment(pump), HEADER_BYTES + 5000)
        shutil.rmtree(pump.data / "index")
        refused(pump, 1, "00000001.seg is damaged at byte", "restore the file from a copy")
        flip(segment(pump), HEADER_BYTES + 5000)
        starts_and_has_all(cluster, pump)


def damage_of_an_old_segment_is_told_and_never_skipped(folder):
    """The index does not read it at the start; whoever pulls does, and the pump by itself."""
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump, 900)
        assert pump.stop() == 0
        assert segment(pump, 5).exists(), "the log has too few segments"
        flip(segment(pump, 4), HEADER_BYTES + 20000)
        pump.start()
        wait_for("the status tells", lambda: "00000004.seg is damaged" in get(pump, "/status"))
        assert "sluice_pump_damaged_shards 1" in get(pump, "/metrics")
        errors = read_errors(pump)
        last = max(acked(cluster).values())
        done = subprocess.run([BIN / "sluice", "pull", pump.address, "--pd-urls", cluster.url,
                               "--from", "0", "--until", str(last), "--once"],
                              capture_output=True, text=True, timeout=60, check=False)
        words = [line.split() for line in done.stdout.splitlines()]
        got = [int(w[0]) for w in words if w[2] == "dml"]
        wanted = sorted(acked(cluster).values())
        assert 0 < len(got) < len(wanted) and got == wanted[:len(got)], (len(got), done.stderr)
        assert read_errors(pump) > errors
        log = pump.log.read_text()
        for event in ("pull binlogs ended", "value log is damaged"):
            line = next(line for line in log.splitlines() if event in line)
            assert "00000004.seg is damaged at byte" in line and "log offset" in line, line
            assert "restore the file from a copy; or, giving up" in line, line
        some_pairs(cluster, pump)  # writes are taken all the same
        assert pump.stop() == 0
        flip(segment(pump, 4), HEADER_BYTES + 20000)
        starts_and_has_all(cluster, pump)


def missing_segment_stops_the_start(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump, 900)
        assert pump.stop() == 0
        away = folder / "away"
        segment(pump, 2).rename(away)
        refused(pump, 1, "00000002.seg is missing", "restore the missing file")
        away.rename(segment(pump, 2))
        starts_and_has_all(cluster, pump)


def torn_tail_is_cut_off(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        for tail in (b"\x1e\xbd\xc0\x5e" + b"\x55" * 300, b"garbage" * 500, None):
            some_pairs(cluster, pump, 20)
            pump.kill()
            data = segment(pump).read_bytes()
            end = (len(data.rstrip(b"\0")) + 7) // 8 * 8
            tail = tail or data[HEADER_BYTES:HEADER_BYTES + 1100]  # an old record at a new place
            with open(segment(pump), "r+b") as file:
                file.seek(end)
                file.write(tail)
            pump.start()
            check_pulled(cluster, pump)
        assert pump.stop() == 0


def index_is_made_anew(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster, shards=4)
        index = pump.data / "index"
        ways = (shutil.rmtree,
                lambda path: [each.unlink() for each in path.glob("*.wt")],
                lambda path: [each.write_bytes(b"noise" * 999) for each in path.iterdir()],
                lambda path: (path / "WiredTiger.turtle").write_bytes(b""))
        for way in ways:
            some_pairs(cluster, pump, 50)
            assert pump.stop() == 0
            way(index)
            pump.start()
            check_pulled(cluster, pump)
        assert pump.stop() == 0


# ---- disks ----


def fills_up(cluster, pump, text, fill, empty):
    """Fill the disk under load, wait for this text in the log, make room again: writes are taken
    again. Where the index was to be written just then, the pump has ended, and starts again."""
    some_pairs(cluster, pump)
    fill()
    loader = load(cluster, pump)
    wait_for("a write fails", lambda: text in pump.log.read_text())
    empty()
    known = len(acked(cluster))
    wait_for("writes are taken again, or the index has ended the pump",
             lambda: len(acked(cluster)) > known + 100 or pump.process.poll() is not None)
    if pump.process.poll() is not None:
        assert pump.process.returncode == 2, pump.process.returncode
        assert "index" in pump.log.read_text().splitlines()[-1], pump.log.read_text()[-500:]
        pump.start()
    end_load(loader)
    check_pulled(cluster, pump)
    assert pump.stop() == 0, pump.log.read_text()[-2000:]


def files_that_cannot_grow_refuse_writes_until_they_can(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)

        def limit(size):
            if pump.process.poll() is None:
                resource.prlimit(pump.process.pid, resource.RLIMIT_FSIZE, (size, -1))

        fills_up(cluster, pump, "write to disk failed", lambda: limit(64 * KIB), lambda: limit(-1))


def disk_that_is_full_refuses_writes_until_there_is_room(folder):
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", disk], check=False,
                      capture_output=True).returncode != 0:
        raise Skip("no file system may be mounted here")
    try:
        with Cluster(folder, CLUSTER) as cluster:
            pump = cluster.pump("p", "-config", config(folder))
            pump.data = disk / "data"
            pump.start()
            filler = disk / "filler"

            def fill():
                with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
                    while True:
                        file.write(b"x" * 4096)

            fills_up(cluster, pump, "No space left on device", fill, filler.unlink)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def too_little_free_space_refuses_all_but_fakes(folder):
    with Cluster(folder, CLUSTER) as cluster:
        path = config(folder)
        pump = cluster.pump("p", "-config", path).start()
        some_pairs(cluster, pump)
        assert pump.stop() == 0
        text = path.read_text()
        path.write_text(text.replace("space = 0", 'space = "1000 tib"'))
        pump.start()
        loader = load(cluster, pump, "--pairs", 1, "--write-timeout", "200ms")
        _, err = loader.communicate(timeout=60)
        assert loader.returncode == 1, loader.returncode
        assert re.search(r"no available space, available: \d+, StopWriteAtAvailableSpace: "
                         rf"{1000 * KIB ** 4}\b", err), err
        last = max(acked(cluster).values())
        wait_for("a fake is known", lambda: pump.state()["maxCommitTS"] > last)
        lines = cluster.sluice("pull", pump.address, "--pd-urls", cluster.url, "--until",
                               pump.state()["maxCommitTS"])
        assert " fake " in lines, lines[-300:]
        check_pulled(cluster, pump)
        assert pump.stop() == 0
        path.write_text(text)
        starts_and_has_all(cluster, pump)


# ---- peers ----


def connect(pump):
    host, port = pump.address.split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def is_closed(peer):
    """The other side closes without an answer that is worth reading."""
    try:
        while peer.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


def nonsense_on_the_port_is_closed(folder):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        for text in (b"\0" * 100, b"\x16\x03\x01\x02\x00\x01" + b"\1" * 600, b"hello there\r\n\r\n",
                     preface + b"\xff" * 1000, b"GET / HTTP/9.9\r\n\r\n", b"\xff" * 100000):
            with connect(pump) as peer:
                try:
                    peer.sendall(text)
                    peer.shutdown(socket.SHUT_WR)
                except OSError:
                    continue  # it was closed before all was sent
                assert is_closed(peer)
        some_pairs(cluster, pump)
        check_pulled(cluster, pump)
        assert pump.stop() == 0


def frame(kind, flags, stream, payload=b""):
    """Of HTTP/2."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") \
        + payload


DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_HEADERS = 4
PATH, TYPE = b"/binlog.Pump/WriteBinlog", b"application/grpc"
REQUEST = b"\x83\x86\x44" + bytes([len(PATH)]) + PATH + b"\x41\x01p\x5f" + bytes([len(TYPE)]) + TYPE


def frames_of_floods():
    """Name and endless frames of each way to keep a server busy for nothing."""
    def resets():
        for stream in range(1, 1 << 30, 2):
            yield frame(HEADERS, END_HEADERS, stream, REQUEST) \
                + frame(RST_STREAM, 0, stream, bytes([0, 0, 0, 8]))

    def forever(one, first=b""):
        yield first
        while True:
            yield one

    name = b"\x00\x07x-large\x7f\xe1\x3e" + b"v" * 8096  # a header of 8 KiB
    yield "rapid reset", resets()
    yield "pings", forever(frame(PING, 0, 0, b"12345678"))
    yield "settings", forever(frame(SETTINGS, 0, 0))
    yield "continuations", forever(frame(CONTINUATION, 0, 1), frame(HEADERS, 0, 1, REQUEST))
    yield "a header without end", forever(frame(CONTINUATION, 0, 1, name),
                                          frame(HEADERS, 0, 1, REQUEST))
    yield "empty data", forever(frame(DATA, 0, 1), frame(HEADERS, END_HEADERS, 1, REQUEST))


def send_until_closed(peer, pieces):
    """True: the other side has ended the connection."""
    end = time.monotonic() + 30
    try:
        while time.monotonic() < end:
            peer.sendall(b"".join(itertools.islice(pieces, 500)))
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while peer.recv(1 << 16):
                    pass
                return True
            peer.settimeout(30)
    except ConnectionError:
        return True
    return False


def floods_end_their_connection_and_nothing_else(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        loader = load(cluster, pump, "--callers", 4, "--rate", 200)
        wait_for("the load runs", lambda: acked(cluster))
        for what, pieces in frames_of_floods():
            known = len(acked(cluster))
            with connect(pump) as peer:
                peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
                assert send_until_closed(peer, pieces), f"{what}: nobody minds"
            wait_for(f"the load goes on after {what}",
                     lambda k=known: len(acked(cluster)) > k + 20)
        end_load(loader)
        check_pulled(cluster, pump)
        assert pump.stop() == 0


def half_open_peers_hold_nobody_up(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        peers = [connect(pump) for _ in range(50)]
        for i, peer in enumerate(peers):
            peer.sendall((b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0", b"GET /stat", b"")[i % 4])
        some_pairs(cluster, pump)
        check_pulled(cluster, pump)
        began = time.monotonic()
        assert pump.stop() == 0
        assert time.monotonic() - began < 8, "it waited for peers that say nothing"
        for peer in peers:
            peer.close()


def flood(folder, count, descriptors=None):
    """So many connections at one time: some are refused, and those who know the pump work on."""
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        loader = load(cluster, pump, "--callers", 4, "--rate", 200)
        wait_for("the load runs", lambda: acked(cluster))
        if descriptors:
            resource.prlimit(pump.process.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
        peers = [connect(pump) for _ in range(count)]
        known = len(acked(cluster))
        wait_for("the load goes on", lambda: len(acked(cluster)) > known + 20)
        log = pump.log.read_text()
        for peer in peers:
            peer.close()
        end_load(loader)
        some_pairs(cluster, pump)  # over a new connection
        check_pulled(cluster, pump)
        assert pump.stop() == 0
        return log


def connections_above_the_limit_are_refused(folder):
    log = flood(folder, CONNECTIONS_MAX + 50)
    assert "connection refused" in log and "too many connections" in log, log[-2000:]


def descriptors_that_run_out_stop_no_session(folder):
    log = flood(folder, 200, descriptors=128)
    assert "accept failed" in log, log[-2000:]


def empty_directory_of_a_pump_with_data_is_refused(folder):
    """Also the second time; both ways out work."""
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump)
        check_pulled(cluster, pump)
        assert pump.stop() == 0
        pump.data.rename(folder / "kept")
        for _ in range(2):
            done = subprocess.run(pump.command(), capture_output=True, text=True, timeout=60,
                                  check=False)
            assert done.returncode == 1, done
            assert "is empty, but pump" in done.stderr and "-state offline" in done.stderr, done
        shutil.rmtree(pump.data)
        (folder / "kept").rename(pump.data)
        pump.start()
        check_pulled(cluster, pump)
        assert pump.stop() == 0
        shutil.rmtree(pump.data)
        record = folder / "registry/pumps" / f"{pump.name}.json"
        record.write_text(record.read_text().replace('"paused"', '"offline"'))
        pump.start()
        assert pump.stop() == 0


def wrong_cluster_id_is_told(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        text = "cluster ID are mismatch, 43 vs 42"
        for args in (("load", "--pumps", pump.address, "--cluster-id", "43", "--pairs", "1",
                      "--write-timeout", "200ms"), ("pull", pump.address, "--cluster-id", "43",
                                                    "--once")):
            done = subprocess.run([BIN / "sluice", *args], capture_output=True, text=True,
                                  timeout=60, check=False)
            assert done.returncode == 1 and text in done.stderr, (done.returncode, done.stderr)
        line = next(line for line in pump.log.read_text().splitlines()
                    if '["write binlog failed"]' in line)
        assert "[peer=127.0.0.1:" in line and f'[error="{text}"]' in line, line
        assert pump.stop() == 0


# ---- signals ----


def stop_under_load_loses_nothing(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster, shards=4)
        loader = load(cluster, pump, "--callers", 32, "--connections", 4)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            known = len(acked(cluster))
            wait_for("the load goes on", lambda: len(acked(cluster)) > known + 100)
            pump.process.send_signal(number)
            assert pump.process.wait(timeout=30) == 0, pump.log.read_text()[-2000:]
            assert pump.state()["state"] == "paused", pump.state()
            pump.start()
        end_load(loader)
        check_pulled(cluster, pump)
        assert pump.stop() == 0


def second_signal_ends_at_once(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = running(cluster)
        some_pairs(cluster, pump)
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            pump.process.send_signal(number)
        code = pump.process.wait(timeout=30)
        assert code in (128 + signal.SIGTERM, 128 + signal.SIGINT), code
        starts_and_has_all(cluster, pump)


# ---- configuration ----


def every_key_of_the_sample_is_taken(folder):
    with Cluster(folder, CLUSTER) as cluster:
        pump = cluster.pump("p", "-config", folder / "pump.toml")
        text = (ROOT / "ops/pump.toml").read_text()
        text = re.sub(r"^#([\w\[])", r"\1", text, flags=re.MULTILINE)
        assert "[storage.kv]\nblock-cache-capacity" in text
        (folder / "pump.toml").write_text(text)
        pump.start()
        assert pump.stop() == 0


run_checks([
    second_pump_on_the_same_directory_is_refused,
    directory_of_another_cluster_is_refused,
    directory_of_the_original_is_refused_and_left_alone,
    other_number_of_shards_is_refused,
    damage_below_acknowledged_records_stops_the_start,
    damage_of_an_old_segment_stops_the_start_without_an_index,
    damage_of_an_old_segment_is_told_and_never_skipped,
    missing_segment_stops_the_start,
    torn_tail_is_cut_off,
    index_is_made_anew,
    files_that_cannot_grow_refuse_writes_until_they_can,
    disk_that_is_full_refuses_writes_until_there_is_room,
    too_little_free_space_refuses_all_but_fakes,
    nonsense_on_the_port_is_closed,
    floods_end_their_connection_and_nothing_else,
    half_open_peers_hold_nobody_up,
    connections_above_the_limit_are_refused,
    descriptors_that_run_out_stop_no_session,
    empty_directory_of_a_pump_with_data_is_refused,
    wrong_cluster_id_is_told,
    stop_under_load_loses_nothing,
    second_signal_ends_at_once,
    every_key_of_the_sample_is_taken,
])
