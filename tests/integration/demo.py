#!/usr/bin/env python3
"""sluice demo and sluice up as a user starts them: the verdict, that it can say no, and that either
ends cleanly, or goes on after it was killed."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

from cluster import BIN, PLAIN, ROOT, SECONDS_MAX, Skip, run_checks, wait_for
from mariadb import Missing, program

CORPUS = ROOT / "tests/corpus/types"
EQUAL = re.compile(r"verdict: equal \((\d+) tables, (\d+) rows\)")
DEMO_RSS_KIB = 200 * 1024
UP_RSS_KIB = 64 * 1024


def needs_mariadb():
    try:
        program("mariadbd")
    except Missing as reason:
        raise Skip(str(reason)) from reason


class Verb:
    """One run of `sluice VERB ...`, its output in files, its temporary folders below ours."""

    def __init__(self, folder, *args):
        self.folder = folder
        self.out = folder / "out"
        self.err = folder / "err"
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen([BIN / "sluice", *map(str, args)], stdout=out,
                                            stderr=err, env={**os.environ, "TMPDIR": str(folder)})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for path in (self.out, self.err):
            text = path.read_text(errors="replace")
            for word in ("Sanitizer", "runtime error:", "assertion failed"):
                assert word not in text, text[:4000]

    def text(self):
        return self.out.read_text(encoding="utf-8", errors="replace")

    def wait(self):
        return self.process.wait(timeout=SECONDS_MAX)

    def says(self, pattern):
        """Wait until its output has it; the match."""
        def found():
            match = re.search(pattern, self.text())
            if not match and self.process.poll() is not None:
                match = re.search(pattern, self.text())
                assert match, f"ended with {self.process.returncode}: {self.text()[-1500:]}" \
                              f" {self.err.read_text()[-1500:]}"
            return match
        return wait_for(f"it says {pattern}", found)

    def value(self, name):
        """A value of /proc/PID/status, in KiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"{name}:\s+(\d+) kB", status).group(1))


def sql(socket, text):
    done = subprocess.run([program("mariadb"), "--no-defaults", "-uroot", f"--socket={socket}",
                           "--batch", "--skip-column-names"], input=text, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def socket_of(verb):
    return verb.says(r"socket (\S+)").group(1)


def mariadb_of(verb):
    return int(verb.says(r"MariaDB   process (\d+)").group(1))


def is_running(pid):
    """A zombie is not: who should wait for it may be gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def left_over(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith("sluice-demo-")]


def expected_rows():
    """How many rows the recording leaves, without the lines of names."""
    return sum(len(path.read_bytes().split(b"\n")) - 2 for path in (CORPUS / "expected").iterdir()
               if path.suffix == ".tsv" and path.name != "downstream-differences.tsv")


def ends_with_the_verdict(folder):
    """The recording and three seconds of the shop, all compared; nothing stays behind."""
    needs_mariadb()
    began = time.monotonic()
    with Verb(folder, "demo", "--seconds", "3", "--corpus", CORPUS) as demo:
        server = mariadb_of(demo)
        peak = 0
        first_row = 0.0
        while demo.process.poll() is None:
            try:
                peak = max(peak, demo.value("VmHWM"))
            except (AttributeError, FileNotFoundError):
                pass  # it ends just now
            if not first_row and re.search(r"\| [1-9][\d,]* rows", demo.text()):
                first_row = time.monotonic() - began
            time.sleep(0.02)
        assert demo.process.returncode == 0, demo.err.read_text()
        lines = demo.text().splitlines()
        assert f"recording equal (45 tables, {expected_rows()} rows)" in lines, demo.text()
        tables, rows = map(int, EQUAL.fullmatch(lines[-1]).groups())
        assert tables == 48 and rows > expected_rows() + 64, lines[-1]
        jobs = int(re.search(r"(\d+) DDL jobs$", demo.text(), re.M).group(1))
        assert jobs >= 5, demo.text()
        assert "\033" not in demo.text() and "\r" not in demo.text()
        assert not is_running(server)
        assert left_over(folder) == []
        if PLAIN:
            assert first_row <= 10, f"the first row came after {first_row:.1f} s"
            assert peak < DEMO_RSS_KIB, f"{peak} KiB"


def a_planted_difference_turns_it(folder):
    """A cell of a recorded table, a row of the shop too many, a table too many, a table missing:
    each is told."""
    needs_mariadb()
    with Verb(folder, "demo", "--seconds", "0", "--corpus", CORPUS) as demo:
        socket = socket_of(demo)
        demo.says("recording equal")
        wait_for("the shop has its stock", lambda: "shop" in sql(socket, "show databases") and
                 "stock" in sql(socket, "show tables in shop") and
                 sql(socket, "select count(*) from shop.stock").strip() == "64")
        sql(socket, "update types.pk_u8 set v = 'planted' where id = 5;")
        sql(socket, "insert into shop.stock values (1000, 'planted', 1, 1);"
                    "create table types.planted (id int); drop table types.onecol;")
        demo.process.send_signal(signal.SIGINT)
        assert demo.wait() == 1, demo.text()
        lines = demo.text().splitlines()
        assert lines[-1] == "verdict: differs (4 of 48 tables)", lines[-10:]
        told = {line.split()[1].rstrip(":") for line in lines if line.startswith("differs ")}
        assert told == {"types.pk_u8", "shop.stock", "types.planted", "types.onecol"}, told
        assert left_over(folder) == []


def ctrl_c_ends_it_at_any_moment(folder):
    """In each of its phases: all children end, nothing stays behind, no report of a crash."""
    needs_mariadb()
    moments = [None, r"registry ", r"recording /", r"applying|live ", r"recording equal",
               r"live  .*rows/s"]
    for number, moment in enumerate(moments):
        place = folder / str(number)
        place.mkdir()
        with Verb(place, "demo", "--seconds", "0", "--corpus", CORPUS) as demo:
            if moment:
                demo.says(moment)
            else:
                wait_for("its folder", lambda: left_over(place))
            demo.process.send_signal(signal.SIGINT)
            code = demo.wait()
            last = demo.text().splitlines()[-1]
            if EQUAL.fullmatch(last):  # the shop was at work
                assert code == 0, demo.text()
            else:
                assert code == 130 and last == "stopped before anything was compared", \
                    (code, demo.text(), demo.err.read_text())
            assert demo.err.read_text() == ""
            assert left_over(place) == []
            started = re.search(r"process (\d+)", demo.text())
            assert not started or not is_running(int(started.group(1)))


def kill_takes_the_server_along(folder):
    """Whatever becomes of the process, its MariaDB does not stay behind."""
    needs_mariadb()
    with Verb(folder, "demo", "--seconds", "0", "--corpus", "none") as demo:
        server = mariadb_of(demo)
        assert is_running(server)
        demo.process.kill()
        demo.wait()
        wait_for("the server has ended", lambda: not is_running(server))


def on_a_terminal_one_line_is_rewritten(folder):
    """Status lines are rewritten in place; lines that stay begin at the left edge."""
    needs_mariadb()
    master, slave = pty.openpty()
    with subprocess.Popen([BIN / "sluice", "demo", "--seconds", "1", "--corpus", "none"],
                          stdout=slave, stderr=slave, stdin=slave,
                          env={**os.environ, "TMPDIR": str(folder)}) as demo:
        os.close(slave)
        seen = b""
        while select.select([master], [], [], SECONDS_MAX)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break  # its last writer is gone
        assert demo.wait(timeout=SECONDS_MAX) == 0
    os.close(master)
    text = seen.decode()
    assert text.count("\r\033[K") >= 5, text
    assert EQUAL.fullmatch(text.splitlines()[-1].rpartition("\033[K")[2]), text[-300:]
    for line in text.split("\r\n"):
        assert line.count("rows/s") <= line.count("\033[K") + 1, line


def to_stdout_needs_no_server(folder):
    """A line of JSON per change on standard output, all else on standard error."""
    with Verb(folder, "demo", "--seconds", "1", "--to", "stdout", "--corpus", CORPUS) as demo:
        assert demo.wait() == 0, demo.err.read_text()
        changes = [json.loads(line) for line in demo.text().splitlines()]
        kinds = {(change["schema"], change["type"]) for change in changes}
        for wanted in ("insert", "update", "delete", "ddl"):
            assert ("types", wanted) in kinds, kinds
        assert ("shop", "insert") in kinds and ("shop", "update") in kinds
        stamps = [change["commit_ts"] for change in changes]
        assert stamps == sorted(stamps)
        assert "MariaDB" not in demo.err.read_text()
        assert left_over(folder) == []


def up_survives_kill(folder):
    """Killed under load, and again while it starts; the same command goes on, and everything that
    was acknowledged arrives."""
    needs_mariadb()
    place = folder / "cluster"
    history = place / "registry/ddl-history.jsonl"
    load = None
    acked = folder / "acked"
    with Verb(folder, "up", place) as up:
        pump = up.says(r"pump      (\S+)").group(1)
        up.says("Ctrl-C ends it")
        load = subprocess.Popen([BIN / "sluice", "load", "--pumps", pump, "--pd-urls",
                                 f"local:{place}/registry", "--ddl-history", history, "--acked",
                                 acked, "--callers", "8", "--rate", "400", "--seconds", "30"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for("some are acknowledged",
                     lambda: acked.exists() and acked.read_bytes().count(b"\n") > 300)
            server = mariadb_of(up)
            up.process.kill()
            up.wait()
        finally:
            load.kill()
            load.wait()
        wait_for("the server has ended", lambda: not is_running(server))
    for moment in (r"pump  ", None):
        up.out.unlink()
        with Verb(folder, "up", place) as up:
            if moment:
                up.says(moment)
                up.process.kill()
                up.wait()
                continue
            up.says("Ctrl-C ends it")
            starts = {int(line.split()[0]) for line in acked.read_text().splitlines()}
            socket = socket_of(up)

            def arrived():
                rows = sql(socket, "select id from sluice_load.t").split()
                return starts <= set(map(int, rows))

            wait_for("all that was acknowledged has arrived", arrived)
            if PLAIN:
                assert up.value("VmHWM") < UP_RSS_KIB, up.value("VmHWM")
            again = subprocess.run([BIN / "sluice", "up", place], capture_output=True, text=True,
                                   check=False)
            assert again.returncode == 1 and "another sluice runs on" in again.stderr, again
            up.process.send_signal(signal.SIGTERM)
            assert up.wait() == 0, up.err.read_text()
            assert up.text().splitlines()[-1] == "down"


def up_starts_its_server_again(folder):
    """The private server is killed: it is started again, at the same place, and the changes of
    meanwhile arrive."""
    needs_mariadb()
    place = folder / "cluster"
    with Verb(folder, "up", place) as up:
        pump = up.says(r"pump      (\S+)").group(1)
        socket = socket_of(up)
        up.says("Ctrl-C ends it")
        os.kill(mariadb_of(up), signal.SIGKILL)
        subprocess.run([BIN / "sluice", "load", "--pumps", pump, "--pd-urls",
                        f"local:{place}/registry", "--ddl-history",
                        place / "registry/ddl-history.jsonl", "--pairs", "200", "--seconds", "0"],
                       check=True, stdout=subprocess.DEVNULL)
        up.says("MariaDB   starts again")

        def arrived():
            try:
                return sql(socket, "select count(*) from sluice_load.t").strip() == "200"
            except AssertionError:
                return False  # it does not serve yet

        wait_for("the rows arrive", arrived)
        up.process.send_signal(signal.SIGTERM)
        assert up.wait() == 0


def wrong_words_are_refused(folder):
    """A wrong value, an unknown recording: one line, and the exit code of usage or failure."""
    for args, code, word in ((["demo", "--to", "kafka"], 2, "neither mariadb nor stdout"),
                             (["demo", "--corpus", "tpyes"], 1, "no recording"),
                             (["demo", "--corpus", f"{folder}/none"], 1, "meta.json"),
                             (["up"], 2, "DIR must come first")):
        done = subprocess.run([BIN / "sluice", *args], capture_output=True, text=True, check=False,
                              env={**os.environ, "TMPDIR": str(folder)})
        assert done.returncode == code and word in done.stderr, done
        assert done.stderr.count("\n") == 1, done.stderr
    assert left_over(folder) == []


if __name__ == "__main__":
    run_checks([ends_with_the_verdict, a_planted_difference_turns_it, ctrl_c_ends_it_at_any_moment,
                kill_takes_the_server_along, on_a_terminal_one_line_is_rewritten,
                to_stdout_needs_no_server, up_survives_kill, up_starts_its_server_again,
                wrong_words_are_refused])
