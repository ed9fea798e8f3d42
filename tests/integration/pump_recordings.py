#!/usr/bin/env python3
"""Recorded streams through real pumps: what PullBinlogs returns is what the original's pump
returned, byte for byte and in order (golden/pull of the recording)."""

import json

from cluster import ROOT, Cluster, frames, run_checks

CORPUS = ROOT / "tests/corpus"
HOUR = 3600 * 1000 << 18


def play(folder, name, shards, pumps):
    """Replay a recording into fresh pumps and pull all of it from each."""
    meta = json.loads((CORPUS / name / "meta.json").read_text())
    first = int(meta["first_start_ts"]) - HOUR
    got = []
    with Cluster(folder, meta["cluster_id"], first) as cluster:
        path = folder / "pump.toml"
        path.write_text(f"[storage]\nshards = {shards}\nstop-write-at-available-space = 0\n")
        running = [cluster.pump(f"p{i}", "-config", path).start() for i in range(pumps)]
        addresses = ",".join(pump.address for pump in running)
        cluster.sluice("replay", CORPUS / name, "--pumps", addresses, "--pd-urls", cluster.url)
        for i, pump in enumerate(running):
            out = folder / f"pull{i}.bin"
            cluster.sluice("pull", pump.address, "--from", 0, "--pd-urls", cluster.url, "--out",
                           out, "--until", meta["last_commit_ts"])
            got.append(frames(out))
        for pump in running:
            assert pump.stop() == 0, pump.log.read_text()[:4000]
    return got


def types_one_pump_one_shard(folder):
    got = play(folder, "types", 1, 1)
    want = frames(CORPUS / "types/golden/pull/pump0.bin")
    assert got[0] == want, f"{len(got[0])} payloads, wanted {len(want)}"


run_checks([types_one_pump_one_shard])
