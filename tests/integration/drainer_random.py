#!/usr/bin/env python3
"""Random tables, rows and DDL through real pumps and a real drainer into a real MariaDB, against
the same server doing the same one row after the other: swaps of unique values, prefix and
case-insensitive keys, key updates, REPLACE chains, tables without keys or whose only unique key is
nullable; with many workers, with kept transactions, and with kills on the way.

The seed is printed; SLUICE_SEED sets the first one, SLUICE_SEEDS how many rounds there are.
Skipped where there is no MariaDB server."""

import os
import pathlib
import random
import subprocess
import tempfile

import verify
from cluster import TOOLS, Skip, run_checks
from mariadb import Missing, mariadb
from stage import Recording, Settings

TOOL = TOOLS / "row_recording"
TRANSACTIONS = 1200
DATABASE = "test"


def recording(folder, seed, server):
    """A recording of this seed with its expected/: what the server makes of it one by one."""
    folder.mkdir(exist_ok=True)
    subprocess.run([TOOL, str(seed), str(TRANSACTIONS), folder], check=True)
    verify.empty(server)
    server.client((folder / "serial.sql").read_bytes())
    expected = folder / "expected"
    expected.mkdir()
    for name, data in verify.render.render(server).items():
        if name.startswith(f"{DATABASE}."):
            (expected / f"{name}.tsv").write_bytes(data)
    assert any(expected.iterdir()), "the script has made no table"
    return Recording(folder)


def one(server, seed, kill=0, **settings):
    """A check with a name of its own."""
    def function(folder):
        try:
            verify.check(recording(folder / "recording", seed, server), server,
                         Settings(**settings), kill, seed)
        except AssertionError as problem:
            raise AssertionError(f"seed {seed}, made by {TOOL.name} {seed} {TRANSACTIONS} DIR\n"
                                 f"{problem}") from problem
    words = [f"{str(value).strip()}_{what}".replace(" = ", "_") for what, value in settings.items()]
    function.__name__ = "_".join(["random", str(seed), *words,
                                  *(["killed", str(kill), "times"] if kill else [])])
    return function


def rounds(server):
    """As many as were asked for, each seed once in every way."""
    first = int(os.environ.get("SLUICE_SEED", random.randrange(2 ** 31)))
    for seed in range(first, first + int(os.environ.get("SLUICE_SEEDS", 1))):
        yield one(server, seed, workers=1)
        yield one(server, seed, workers=16, pumps=2)
        yield one(server, seed, workers=64)
        yield one(server, seed, workers=16, syncer="txn-batch = 3\n")
        yield one(server, seed, workers=8, dispatch=False)
        yield one(server, seed, workers=16, pumps=2, kill=5)


def no_server(reason):
    """A check that says why the others are not run."""
    def random_rows(_folder):
        raise Skip(reason)
    return random_rows


def main():
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        try:
            server = mariadb(pathlib.Path(folder)).start()
        except Missing as problem:
            run_checks([no_server(str(problem))])
        with server:
            run_checks(list(rounds(server)))


main()
