"""Does a recording come out as it went in? Plays it through pump and drainer processes into a
private MariaDB and compares every row with expected/. `./dev verify-corpus` for people; tests call
check().

    verify-corpus DIR [--pumps N] [--shards K] [--workers W] [--no-dispatch]
                  [--registry local|etcd] [--schema file|tikv] [--kill N] [--seed S]
                  [--differences FILE]

DIR is a recording: writes.bin or writes.bin.zst, meta.json, ddl-history.jsonl and expected/.

  --pumps N           pump processes, between which the transactions are divided (1)
  --shards K          shards of each pump's storage (1)
  --workers W         the drainer's worker-count (16)
  --no-dispatch       each transaction of TiDB as one of the downstream, in its turn
  --registry KIND     local: a directory; etcd: a real etcd behind a stand-in for PD (local)
  --schema KIND       where the drainer reads DDL jobs: file: DIR's ddl-history.jsonl; tikv: from
                      a stand-in for TiKV, with --registry etcd (file)
  --kill N            kill processes with SIGKILL N times on the way: the drainer, pumps and
                      MariaDB by turns of chance; each is started again at once
  --seed S            of those chances; without it a new one, which is printed
  --differences FILE  cells that may differ, instead of DIR/expected/downstream-differences.tsv

Prints what differs by table, key and row; cells that may differ are reported and not counted. The
last line is "equal" or "differs: N tables"; the exit code 0 or 1, and 2 when DIR or an option is no
good."""

import argparse
import collections
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from cluster import POLL_S, ROOT, Skip
from mariadb import Missing, mariadb
from stage import Recording, Settings, Stage

sys.path.insert(0, str(ROOT / "tests"))
from lib import render

# A kill, and what starts again afterwards, take about so long; the recording is played so slowly
# that there is something under way for all of them.
KILL_S = 0.8
PATIENCE_S = 120  # without progress; a busy machine is slow, a stream that stands still is wrong
VICTIMS = ("drainer", "drainer", "pump", "mariadb")  # as often as they stand here


class Kills:
    """Random ends of random processes."""

    def __init__(self, stage, count, seed):
        self.stage = stage
        self.left = count
        self.chance = random.Random(seed)
        self.done = collections.Counter()

    def pause(self):
        """The moment is what this is about: now and then in quick succession, now and then when
        much has been done since."""
        seconds = self.chance.choice((0.05, 0.3, 1, 2)) * self.chance.random() * KILL_S
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for node in (self.stage.drainer, *self.stage.pumps):
                node.check_lives()
            time.sleep(POLL_S)

    def one(self):
        victim = self.chance.choice(VICTIMS)
        self.left -= 1
        self.done[victim] += 1
        if victim == "mariadb":
            self.stage.server.kill()
            self.stage.server.start()
            return
        node = self.stage.drainer
        if victim == "pump":
            node = self.chance.choice(self.stage.pumps)
        node.kill()
        node.start()

    def all(self):
        while self.left > 0:
            self.pause()
            self.one()

    def text(self):
        words = ", ".join(f"{victim} {count}" for victim, count in sorted(self.done.items()))
        return f"killed: {words}"


def empty(server):
    """Drop what earlier runs have left."""
    names = server.client("SELECT schema_name FROM information_schema.schemata WHERE schema_name "
                          "NOT IN ('mysql','information_schema','performance_schema','sys')")
    drops = [f"DROP DATABASE {render.name(schema)};" for schema in names.split("\n") if schema]
    server.client("".join(drops))


def finish(stage):
    """The recording arrives to its end, the drainer ends in order, and all is equal."""
    stage.end_replay()
    stage.wait_drained()
    stage.stop_drainer()
    found = render.differences(stage.server, stage.recording.expected)
    assert not found, "\n".join(found)


def on_a_server(function):
    """The check function(server, folder) as one of a folder: on a server of its own, which it may
    kill."""
    def with_server(folder):
        with tempfile.TemporaryDirectory(prefix="sluice-") as place:
            try:
                server = mariadb(pathlib.Path(place))
            except Missing as problem:
                raise Skip(str(problem)) from None
            with server:
                function(server, folder)
    with_server.__name__ = function.__name__
    return with_server


def play(recording, server, settings, kill=0, seed=0, say=lambda text: None):
    """All of it, up to the orderly end of the drainer."""
    # Short: a socket's path has a limit.
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder, \
            Stage(folder, recording, server, settings) as stage:
        stage.start_drainer()
        if kill == 0:
            stage.start_replay()
        else:
            stage.start_replay(speed=f"{recording.seconds() / (kill * KILL_S):.6f}")
            kills = Kills(stage, kill, seed)
            try:
                kills.all()
            finally:
                say(kills.text())
        stage.end_replay(PATIENCE_S + recording.seconds())
        stage.wait_drained(PATIENCE_S)
        stage.stop_drainer()


def check(recording, server, settings, kill=0, seed=None):
    """For tests: what comes out in the emptied server is equal; a failure says how to see it
    again."""
    seed = random.randrange(2 ** 32) if seed is None else seed
    empty(server)
    try:
        play(recording, server, settings, kill, seed)
        found = render.differences(server, recording.expected)
        assert not found, "\n".join(found)
    except AssertionError as problem:
        raise AssertionError(f"{again(recording, settings, kill, seed)}\n{problem}") from problem


def again(recording, settings, kill, seed):
    words = ["./dev verify-corpus", os.path.relpath(recording.folder)]
    for name in ("pumps", "shards", "workers", "registry", "schema"):
        if getattr(settings, name) != getattr(Settings, name):
            words.append(f"--{name} {getattr(settings, name)}")
    if not settings.dispatch:
        words.append("--no-dispatch")
    if kill:
        words.append(f"--kill {kill} --seed {seed}")
    return " ".join(words)


# ---- for people ----


def number(least, most):
    def parse(text):
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is no number from {least} to {most}")
        return int(text)
    return parse


def options_of(words):
    parser = argparse.ArgumentParser(prog="./dev verify-corpus", usage=__doc__, add_help=False)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--pumps", type=number(1, 16), default=1)
    parser.add_argument("--shards", type=number(1, 64), default=1)
    parser.add_argument("--workers", type=number(1, 1024), default=16)
    parser.add_argument("--no-dispatch", action="store_true")
    parser.add_argument("--registry", choices=("local", "etcd"), default="local")
    parser.add_argument("--schema", choices=("file", "tikv"), default="file")
    parser.add_argument("--kill", type=number(0, 100000), default=0)
    parser.add_argument("--seed", type=number(0, 2 ** 63), default=None)
    parser.add_argument("--differences", type=pathlib.Path)
    return parser.parse_args(words)


def say(text):
    print(text, flush=True)


def wrong(text):
    print(f"verify-corpus: {text}", file=sys.stderr)
    sys.exit(2)


def recording_of(options):
    if options.schema == "tikv" and options.registry != "etcd":
        wrong("--schema tikv needs --registry etcd: TiKV is found through PD")
    if options.differences and not options.differences.is_file():
        wrong(f"--differences {options.differences}: there is no such file")
    try:
        recording = Recording(options.dir)
    except (OSError, KeyError, ValueError) as problem:
        wrong(f"{options.dir} is no recording: meta.json: {problem}")
    if not recording.history.is_file() or not recording.expected.is_dir():
        wrong(f"{options.dir} is no recording: it has no ddl-history.jsonl or no expected/")
    return recording


def report(tables, played):
    """What differs, and the exit code."""
    for table in tables:
        for line in table.lines() if table.differs() else ():
            say(line)
        if table.allowed:
            say(f"{table.name}: {table.allowed} rows differ where they may (not counted)")
    count = sum(table.differs() for table in tables)
    equal = played and count == 0
    say("equal" if equal else f"differs: {count} tables")
    return 0 if equal else 1


def main(words):
    options = options_of(words)
    recording = recording_of(options)
    settings = Settings(pumps=options.pumps, shards=options.shards, workers=options.workers,
                        dispatch=not options.no_dispatch, registry=options.registry,
                        schema=options.schema)
    seed = random.randrange(2 ** 32) if options.seed is None else options.seed
    if options.kill:
        say(f"seed {seed}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder, mariadb(folder) as server:
        played = False
        try:
            play(recording, server, settings, options.kill, seed, say)
            played = True
            say(f"played in {time.monotonic() - began:.1f} s")
        except (AssertionError, subprocess.SubprocessError) as problem:
            say(f"not played to its end: {problem}")
        tables = render.compare(server, recording.expected, options.differences)
    return report(tables, played)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Missing, Skip, ValueError) as problem:
        wrong(problem)
