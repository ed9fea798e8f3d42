"""Generated transactions, written to a pump, and the check that all of them come out again."""

import signal

from cluster import commit_ts, frames

CLUSTER = 42
SIZE = 1024
SIZE_MORE = 64  # what a commit adds to the payload of its prewrite


def config(folder, shards=1):
    """A configuration file for small tests."""
    path = folder / "pump.toml"
    path.write_text(f'gen-binlog-interval = 1\n[storage]\nshards = {shards}\n'
                    'segment-size = "256 kib"\nstop-write-at-available-space = 0\n')
    return path


def load(cluster, pump, *more):
    """Start to write pairs; without a limit to their number, until end_load."""
    path = cluster.folder / f"acked{len(list(cluster.folder.glob('acked*')))}"
    path.touch()
    return cluster.spawn("load", "--pumps", pump.address, "--pd-urls", cluster.url, "--size", SIZE,
                         "--seconds", 0, "--acked", path, *more)


def some_pairs(cluster, pump, count=200):
    """Write so many, to the end."""
    loader = load(cluster, pump, "--pairs", count)
    out, err = loader.communicate(timeout=60)
    assert loader.returncode == 0, out + err
    assert f"{count} of {count} transactions acknowledged" in out, out


def acked(cluster):
    """start_ts to commit_ts of all acknowledged pairs."""
    pairs = {}
    for path in cluster.folder.glob("acked*"):
        whole, _, _ = path.read_text().rpartition("\n")  # the last line may be under way
        for line in whole.splitlines():
            start, commit = line.split()
            pairs[int(start)] = int(commit)
    return pairs


def check_pulled(cluster, pump):
    """All acknowledged pairs come, once, in order and whole."""
    pairs = acked(cluster)
    assert pairs, "nothing was acknowledged"
    out = cluster.folder / "pulled"
    lines = cluster.sluice("pull", pump.address, "--pd-urls", cluster.url, "--until",
                           max(pairs.values()), "--out", out).splitlines()
    got = {}
    last = 0
    payloads = iter(frames(out))
    for line in lines:
        commit, start, kind, size = line.split()[:4]
        if kind == "fake":
            continue
        payload = next(payloads)
        assert int(commit) > last, f"commit ts {commit} after {last}"
        assert commit_ts(payload) == int(commit), line
        last = int(commit)
        if kind == "ddl":
            continue
        assert int(start) not in got, f"{line} came twice"
        assert SIZE <= int(size) == len(payload) <= SIZE + SIZE_MORE, line
        assert int(start).to_bytes(8, "little") in payload, f"{line}: of another transaction"
        got[int(start)] = int(commit)
    lost = [start for start in pairs if start not in got]
    assert not lost, f"{len(lost)} of {len(pairs)} acknowledged pairs are lost, first {lost[0]}"
    wrong = [start for start in pairs if got[start] != pairs[start]]
    assert not wrong, f"{wrong[0]}: commit ts {got[wrong[0]]}, acknowledged {pairs[wrong[0]]}"
    return len(pairs)


def end_load(loader):
    """Let it end what it has begun."""
    loader.send_signal(signal.SIGTERM)
    out, err = loader.communicate(timeout=60)
    assert loader.returncode == 0, out + err
