"""What scripts with a downstream share: tests/tools/sqldoor.c, one question at a time, on a server
of their own."""

import contextlib
import subprocess
import sys
import tempfile

from cluster import ROOT, SECONDS_MAX, TOOLS
from mariadb import Missing, mariadb

sys.path.insert(0, str(ROOT / "tests"))
from lib.report import Report  # noqa: E402

DOOR = TOOLS / "sqldoor"
WHY_CHARACTERS_MAX = 1000


class Door:
    """tests/tools/sqldoor.c, one question at a time."""

    def __init__(self, server):
        self.server = server
        self.process = subprocess.Popen([DOOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        encoding="utf-8", errors="surrogateescape")

    def tell(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()

    def hear(self):
        """The answer: "ok" or the name of the error, and the rest."""
        code, _, rest = self.process.stdout.readline().rstrip("\n").partition(" ")
        return code, rest

    def ask(self, *words):
        self.tell(*words)
        return self.hear()

    def ok(self, *words):
        code, rest = self.ask(*words)
        assert code == "ok", f"{words}: {code} {rest}"
        return rest

    def fails(self, wanted, *words):
        code, rest = self.ask(*words)
        assert code == wanted, f"{words}: {code} {rest}, wanted {wanted}"
        return rest

    def open(self, *words):
        return self.ok("open", f"port={self.server.port}", *words)

    def session(self):
        kind, zone, bytes_max, optional, plain, utf8mb4, thread, modes = \
            self.ok("session").split(" ", 7)
        return {"kind": kind, "zone": zone, "bytes_max": int(bytes_max), "optional": int(optional),
                "no_backslash": plain == "1", "utf8mb4": utf8mb4 == "1", "thread": int(thread),
                "modes": set(modes.split(","))}

    def error(self):
        number, state, kind, lost = self.ok("error").split(" ")
        return int(number), state, kind, lost == "1"

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=SECONDS_MAX)
        self.process.stdout.close()
        assert code == 0, f"sqldoor ended with {code}"


@contextlib.contextmanager
def second(door):
    """Another connection to the same server."""
    other = Door(door.server)
    try:
        yield other
    finally:
        other.end()


def run_on(report, server, checks):
    for function in checks:
        server.client("DROP DATABASE IF EXISTS w; CREATE DATABASE w")
        door = Door(server)
        why = ""
        try:
            function(door)
            door.end()
        except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
            door.process.kill()
            why = f"{type(error).__name__}: {error}"[:WHY_CHARACTERS_MAX]
        report.check(function.__name__, why == "", why)


def run_checks(checks):
    """Run each with an empty database w, and end the script."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mariadb(folder) as server:
                run_on(report, server, checks)
        except Missing as missing:
            for function in checks:
                report.skip(function.__name__, str(missing))
    report.exit()
