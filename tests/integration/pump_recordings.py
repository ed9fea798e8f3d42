#!/usr/bin/env python3
"""Recorded streams through real pumps: what PullBinlogs returns is what the original's pumps
returned, byte for byte and in order (golden/pull of the recording), whatever the number of shards
and pumps, and when a pump is killed in the middle."""

import json
import subprocess

from cluster import ROOT, Cluster, commit_ts, frames, run_checks

CORPUS = ROOT / "tests/corpus"
HOUR = 3600 * 1000 << 18


def golden(folder, name):
    """The payloads of all recorded pumps, in the order of their commit ts."""
    files = sorted((CORPUS / name / "golden/pull").iterdir())
    out = []
    for path in files:
        if path.suffix == ".zst":
            packed, path = path, folder / path.stem
            subprocess.run(["zstd", "-q", "-d", packed, "-o", path], check=True)
        out += frames(path)
    return sorted(out, key=commit_ts)


def pulled(cluster, pumps, meta):
    """The payloads that the pumps give, all at one time; those of each must rise."""
    pulls = []
    for pump in pumps:
        out = cluster.folder / f"{pump.name}.pulled"
        pulls.append((out, cluster.spawn("pull", pump.address, "--from", 0, "--pd-urls",
                                         cluster.url, "--out", out, "--until",
                                         meta["last_commit_ts"], "--quiet")))
    got = []
    for out, pull in pulls:
        _, err = pull.communicate(timeout=60)
        assert pull.returncode == 0, err
        payloads = frames(out)
        stamps = [commit_ts(payload) for payload in payloads]
        assert all(a < b for a, b in zip(stamps, stamps[1:])), f"{out.name} does not rise"
        got += payloads
    return sorted(got, key=commit_ts)


def kill_in_the_middle(cluster, pumps, count):
    """One after the other: each when it has given `count` transactions, and is sent more."""
    for pump in pumps:
        cluster.sluice("pull", pump.address, "--pd-urls", cluster.url, "--count", count, "--quiet")
        pump.kill()
        pump.start()


def play(folder, name, shards, pumps, kill_after=0):
    """Replay a recording into fresh pumps, pull all of it from each and compare."""
    meta = json.loads((CORPUS / name / "meta.json").read_text())
    with Cluster(folder, meta["cluster_id"], int(meta["first_start_ts"]) - HOUR) as cluster:
        path = folder / "pump.toml"
        path.write_text("gen-binlog-interval = 1\n"
                        f'[storage]\nshards = {shards}\nsegment-size = "1 mib"\n'
                        "stop-write-at-available-space = 0\n")
        running = [cluster.pump(f"p{i}", "-config", path).start() for i in range(pumps)]
        addresses = ",".join(pump.address for pump in running)
        replay = cluster.spawn("replay", CORPUS / name, "--pumps", addresses, "--pd-urls",
                               cluster.url)
        if kill_after:
            kill_in_the_middle(cluster, running, kill_after)
        out, err = replay.communicate(timeout=60)
        assert replay.returncode == 0, err
        if kill_after:
            assert " 0 retries" not in out, f"nothing was under way at the kill: {out}"
        want = golden(folder, name)
        got = pulled(cluster, running, meta)
        assert len(got) == len(want), f"{len(got)} payloads, wanted {len(want)}"
        for i, (mine, theirs) in enumerate(zip(got, want)):
            assert mine == theirs, f"payload {i}: {mine[:99].hex()}, wanted {theirs[:99].hex()}"
        for pump in running:
            assert pump.stop() == 0, pump.log.read_text()[:4000]


def combination(name, shards, pumps, kill_after=0):
    """A check with a name of its own."""
    def check(folder):
        play(folder, name, shards, pumps, kill_after)
    check.__name__ = (f"{name}_{shards}_shards_{pumps}_pumps"
                      f"{'_killed_in_the_middle' if kill_after else ''}")
    return check


run_checks([
    *(combination(name, shards, 1) for name in ("types", "ddl", "ddl_quiet") for shards in (1, 4)),
    combination("ddl", 4, 2),
    combination("bank", 1, 2),
    combination("bank", 4, 1),
    combination("types", 1, 1, kill_after=300),
    combination("ddl", 4, 1, kill_after=700),
    combination("bank", 4, 2, kill_after=3000),
])
