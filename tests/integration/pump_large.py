#!/usr/bin/env python3
"""Large entities through a real pump: what was written is pulled, byte for byte, in little memory,
and what was never acknowledged leaves no file behind. With --gib also one of a GiB."""

import hashlib
import re
import sys
import time
import urllib.request

from cluster import PLAIN, Cluster, run_checks, wait_for

MIB = 1 << 20
RSS_MAX = 104 * MIB  # 40 of a pump at rest, and 64 of records under way
SECONDS = 300


def pump_of(cluster, folder):
    path = folder / "pump.toml"
    path.write_text("[storage]\nshards = 2\nstop-write-at-available-space = 0\n")
    return cluster.pump("p0", "-config", path)


def load(cluster, pump, size, pairs):
    return ("load", "--pumps", pump.address, "--pd-urls", cluster.url, "--size", size, "--pairs",
            pairs, "--seconds", 0, "--callers", 1, "--write-timeout", f"{SECONDS}s", "--acked",
            cluster.folder / "acked")


def files(pump):
    return sorted(pump.data.glob("shard-*/large/*"))


def rss_max(pump):
    text = open(f"/proc/{pump.process.pid}/status", encoding="ascii").read()
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024


def digests(path):
    """Of each payload of a file as pull --out writes it: its size and a digest of its value."""
    out = []
    with open(path, "rb") as file:
        while head := file.read(4):
            payload = file.read(int.from_bytes(head, "little"))
            out.append((len(payload), hashlib.sha256(payload).hexdigest()))
    return out


def pull(cluster, pump, out, size):
    """What is pulled up to the last transaction that was acknowledged, of at least this size."""
    last = (cluster.folder / "acked").read_text().split()[-1]
    cluster.sluice("pull", pump.address, "--from", 0, "--pd-urls", cluster.url, "--out", out,
                   "--until", last, seconds=SECONDS)
    return [entry for entry in digests(out) if entry[0] >= size]


def written_and_pulled(folder, size, pairs):
    """Entities of this size; what a pump gives out before and after a restart; its memory."""
    with Cluster(folder, 4711) as cluster:
        pump = pump_of(cluster, folder).start()
        began = time.monotonic()
        cluster.sluice(*load(cluster, pump, size, pairs), seconds=SECONDS)
        wrote = time.monotonic() - began
        assert len(files(pump)) == pairs, files(pump)
        began = time.monotonic()
        first = pull(cluster, pump, folder / "first.bin", size)
        pulled = time.monotonic() - began
        peak = rss_max(pump)
        print(f"{pairs} x {size} bytes: written in {wrote:.1f} s, pulled in {pulled:.1f} s, "
              f"peak RSS {peak / MIB:.0f} MiB")
        assert peak <= RSS_MAX or not PLAIN, f"{peak / MIB:.0f} MiB"
        assert len(first) == pairs, first
        assert pump.stop() == 0, pump.log.read_text()[-2000:]
        pump.start()
        assert len(files(pump)) == pairs, files(pump)
        assert pull(cluster, pump, folder / "again.bin", size) == first
        assert pump.stop() == 0, pump.log.read_text()[-2000:]


def three_of_20_mb(folder):
    written_and_pulled(folder, 20_000_000, 3)


def one_of_256_mib_in_little_memory(folder):
    written_and_pulled(folder, 256 * MIB, 1)


def one_of_a_gib_in_little_memory(folder):
    written_and_pulled(folder, 1023 * MIB, 1)


def a_kill_amid_an_upload_leaves_no_file(folder):
    with Cluster(folder, 4711) as cluster:
        pump = pump_of(cluster, folder).start()
        loader = cluster.spawn(*map(str, load(cluster, pump, 256 * MIB, 1)))
        wait_for("an upload is under way",
                 lambda: any(file.stat().st_size > 20 * MIB for file in files(pump)))
        pump.kill()
        loader.kill()
        loader.wait()
        assert len(files(pump)) == 1, "it was killed too late"
        pump.start()
        assert not files(pump), files(pump)
        cluster.sluice(*load(cluster, pump, 20_000_000, 1), seconds=SECONDS)
        assert len(files(pump)) == 1
        pump.kill()
        pump.start()
        assert len(files(pump)) == 1, "an acknowledged entity is gone"
        assert len(pull(cluster, pump, folder / "pull.bin", 20_000_000)) == 1
        assert pump.stop() == 0, pump.log.read_text()[-2000:]


def a_gc_round_keeps_what_is_young(folder):
    with Cluster(folder, 4711) as cluster:
        pump = pump_of(cluster, folder).start()
        cluster.sluice(*load(cluster, pump, 20_000_000, 1), seconds=SECONDS)
        request = urllib.request.Request(f"http://{pump.address}/debug/gc/trigger", method="POST")
        with urllib.request.urlopen(request) as answer:
            assert answer.read() == b"trigger gc success\n"

        def is_done():
            with urllib.request.urlopen(f"http://{pump.address}/metrics") as answer:
                done = re.search(r"\nbinlog_pump_storage_done_gc_ts ([0-9.e+]+)",
                                 answer.read().decode())
            return done and float(done[1]) > 0

        wait_for("the round is over for every shard", is_done)
        assert "gc round failed" not in pump.log.read_text()
        assert len(files(pump)) == 1
        assert len(pull(cluster, pump, folder / "pull.bin", 20_000_000)) == 1
        assert pump.stop() == 0, pump.log.read_text()[-2000:]


CHECKS = [three_of_20_mb, one_of_256_mib_in_little_memory, a_kill_amid_an_upload_leaves_no_file,
          a_gc_round_keeps_what_is_young]
if "--gib" in sys.argv:
    sys.argv.remove("--gib")
    CHECKS = [one_of_a_gib_in_little_memory]
run_checks(CHECKS)
