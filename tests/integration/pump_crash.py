#!/usr/bin/env python3
"""A pump that dies loses nothing that it acknowledged: whenever it is killed, under load or in any
of its calls that change a file, it starts again on what is there, and every acknowledged pair is
pulled afterwards, once, in order and whole.

    pump_crash.py [--rounds N] [--every N] [WORD...]   more of it: N kills; each N-th call only
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

from cluster import TOOLS, Cluster, run_checks, wait_for
from pairs import CLUSTER, acked, check_pulled, config, end_load, load

DIE_AT = TOOLS / "die_at.so"
WORKERS = 3
PAIRS = 400  # of a small run
CALLS_MAX = 3000  # more than it makes
CALLS_MIN = 300
CALLS_OF_START = 150  # about so many come before a pump serves


def kills_under_load(folder, shards, rounds):
    seed = int.from_bytes(os.urandom(4), "little")
    moments = random.Random(seed)
    with Cluster(folder, CLUSTER) as cluster:
        pump = cluster.pump("p", "-config", config(folder, shards)).start()
        loader = load(cluster, pump, "--connections", 2, "--callers", 16)
        known = 0
        for _ in range(rounds):
            wait_for("pairs are acknowledged again", lambda: len(acked(cluster)) > known)
            time.sleep(moments.random() / 5)  # the moment is what the test is about
            pump.kill()
            known = len(acked(cluster))
            pump.start()
        wait_for("pairs are acknowledged again", lambda: len(acked(cluster)) > known)
        end_load(loader)
        try:
            count = check_pulled(cluster, pump)
        except AssertionError as problem:
            raise AssertionError(f"{problem} (seed {seed})") from problem
        assert pump.stop() == 0
        return count


def dies_or_serves(pump, call):
    """Start it so that it dies in this call; until it has, or is online. True: it has."""
    pump.env = {"LD_PRELOAD": str(DIE_AT), "SLUICE_TEST_DIE_AT": str(call)}
    before = pump.log.read_text().count("register success") if pump.log.exists() else 0
    pump.start(wait=False)
    wait_for("an end", lambda: pump.process.poll() is not None
             or pump.log.read_text().count("register success") > before)
    return pump.process.poll() is not None


def die_at_call(shards, call):
    """A small run in which the pump dies in this call, and once more on its way back; False: it
    makes fewer."""
    with tempfile.TemporaryDirectory(prefix="sluice-") as name:
        folder = pathlib.Path(name)
        with Cluster(folder, CLUSTER) as cluster:
            pump = cluster.pump("p", "-config", config(folder, shards))
            loader = load(cluster, pump, "--callers", 4, "--pairs", PAIRS, "--rate", 2000)
            died = dies_or_serves(pump, call)
            wait_for("an end", lambda: pump.process.poll() is not None or loader.poll() is not None)
            died = died or pump.process.poll() is not None or pump.stop() != 0
            assert pump.process.wait() in (0, -signal.SIGKILL), pump.log.read_text()[-2000:]
            if not dies_or_serves(pump, 1 + call % CALLS_OF_START):
                pump.kill()
            pump.env = {}
            pump.start()
            out, err = loader.communicate(timeout=60)
            assert loader.returncode == 0, out + err
            assert len(acked(cluster)) == PAIRS, f"{len(acked(cluster))} of {PAIRS}"
            check_pulled(cluster, pump)
            assert pump.stop() == 0
    return died


def dies_in_calls(shards, calls):
    """Of these, several at one time; nothing of what they do is in the others' way. The first one
    that the pump survived, or None."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        outcomes = {call: pool.submit(die_at_call, shards, call) for call in calls}
    survived = None
    for call, outcome in outcomes.items():
        try:
            died = outcome.result()
        except AssertionError as problem:
            raise AssertionError(f"call {call}: {problem}") from problem
        if not died and survived is None:
            survived = call
    return survived


def one_shard_is_killed_under_load(folder):
    kills_under_load(folder, 1, OPTIONS.rounds)


def four_shards_are_killed_under_load(folder):
    kills_under_load(folder, 4, OPTIONS.rounds)


def sweep(shards, calls):
    """In a few calls, the first ones while the data directory is made; or in each `every`-th."""
    every = range(1, CALLS_MAX, OPTIONS.every) if OPTIONS.every else calls
    survived = dies_in_calls(shards, every)
    assert survived is None or survived > CALLS_MIN, f"it makes less than {survived} calls"
    if OPTIONS.every:
        print(f"it makes less than {survived} calls")


def one_shard_dies_in_a_call_that_changes_files(_folder):
    sweep(1, (1, 81, 400, 700, 1000))


def four_shards_die_in_a_call_that_changes_files(_folder):
    sweep(4, (9, 243, 500, 800))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--every", type=int, default=0)
    options, words = parser.parse_known_args()
    sys.argv[1:] = words
    return options


OPTIONS = main()
run_checks([one_shard_is_killed_under_load, four_shards_are_killed_under_load,
            one_shard_dies_in_a_call_that_changes_files,
            four_shards_die_in_a_call_that_changes_files])
