"""A private MariaDB for tests: a data directory in a temporary folder, a free port and a Unix
socket, ended with the test whatever happens. The options are those of the recordings' downstream:
a stricter server, or another default collation, changes what TiDB's statements mean.

Setting up a data directory takes seconds, so it is done once per version of the server, time zone
tables included, and kept below zig-out; each server starts on a copy."""

import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from cluster import ROOT, SECONDS_MAX, free_address, wait_for

TEMPLATES = ROOT / "zig-out/mariadb"
OPTIONS = ["--sql-mode=", "--innodb-strict-mode=0", "--character-set-server=utf8mb4",
           "--collation-server=utf8mb4_bin", "--max-allowed-packet=256M"]
# Small and quick: the durability of a server that lives for one test is nobody's concern. The log
# survives the end of the process, so kill -9 loses no committed transaction.
QUICK = ["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=128M",
         "--innodb-log-file-size=64M", "--skip-log-bin", "--skip-name-resolve",
         "--performance-schema=OFF",
         "--innodb-buffer-pool-dump-at-shutdown=OFF", "--innodb-buffer-pool-load-at-startup=OFF"]
# In the template and in every server: InnoDB makes the system tablespace by it.
SHAPE = ["--innodb-data-file-path=ibdata1:4M:autoextend"]


class Missing(Exception):
    """There is no MariaDB server on this machine."""


def program(name):
    """The path of a program that Debian keeps in bin or in sbin."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if path is None:
        raise Missing(f"{name} is not installed")
    return path


def user_options():
    """The server refuses to run as root unless told to."""
    return ["--user=root"] if os.geteuid() == 0 else []


def make_template(place):
    """A new data directory with time zone tables, stopped cleanly."""
    made = place.with_suffix(".new")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    subprocess.run([program("mariadb-install-db"), "--no-defaults", f"--datadir={made}/data",
                    "--auth-root-authentication-method=normal", "--skip-test-db", *SHAPE,
                    *user_options()], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    zones = subprocess.run([program("mariadb-tzinfo-to-sql"), "--skip-write-binlog",
                            "/usr/share/zoneinfo"], capture_output=True, check=False).stdout
    with Server(made, made / "data") as server:
        server.client(zones, "mysql")
        # An account whose password is asked for, next to root without one.
        server.client(b"CREATE USER asked@'%' IDENTIFIED BY 'secret';"
                      b"GRANT ALL ON *.* TO asked@'%'; GRANT USAGE ON *.* TO nobody@'%'"
                      b" IDENTIFIED BY 'secret';")
        assert server.stop() == 0, server.log.read_text()
    os.rename(made, place)


def template():
    """The data directory that servers start from; made by the first who asks."""
    version = subprocess.run([program("mariadbd"), "--no-defaults", "--version"],
                             capture_output=True, check=True).stdout
    # What makes it is part of its name, so that a change here makes a new one.
    version += pathlib.Path(__file__).read_bytes()
    place = TEMPLATES / hashlib.sha256(version).hexdigest()[:16]
    if not place.exists():
        TEMPLATES.mkdir(parents=True, exist_ok=True)
        with open(TEMPLATES / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                make_template(place)
    return place / "data"


class Server:
    """One server; `with` starts it and ends it."""

    def __init__(self, folder, data, options=()):
        self.folder = pathlib.Path(folder)
        self.data = pathlib.Path(data)
        self.options = options
        self.socket = self.folder / "sock"
        self.log = self.folder / "mariadb.log"
        self.port = int(free_address().rpartition(":")[2])
        self.process = None
        assert len(str(self.socket)) < 108, f"{self.socket} is too long for a socket"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Start it, again on the same data if it was stopped or killed."""
        command = [program("mariadbd"), "--no-defaults", f"--datadir={self.data}",
                   f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
                   f"--pid-file={self.folder}/pid", f"--tmpdir={self.folder}", *OPTIONS, *QUICK,
                   *SHAPE, *user_options(), *self.options]
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        wait_for("MariaDB serves", self.serves)
        return self

    def serves(self):
        assert self.process.poll() is None, self.log.read_text()
        ping = subprocess.run([program("mariadb-admin"), "--no-defaults", "-uroot",
                               f"--socket={self.socket}", "ping"], capture_output=True, check=False)
        return ping.returncode == 0

    def stop(self):
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=SECONDS_MAX)
        self.process = None
        return code

    def kill(self):
        """End it as a power cut would, but for what the system has buffered."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self, sql, database=""):
        """Run a script as root; what it printed, rows as lines with tabs."""
        return self.batch(sql, "--raw", database).decode(errors="surrogateescape")

    def batch(self, sql, *options):
        """Run a script as root; what it printed as bytes. Without --raw, backslash, tab, newline
        and NUL inside values are escaped with a backslash, and NULL is the word NULL."""
        text = sql if isinstance(sql, bytes) else sql.encode()
        done = subprocess.run([program("mariadb"), "--no-defaults", "-uroot", "--batch",
                               "--skip-column-names", "--default-character-set=utf8mb4",
                               f"--socket={self.socket}", *options],
                              input=text, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout


class Session:
    """A connection of root that stays open between statements, and ends with `with`."""

    MARK = "-- done --"

    def __init__(self, server):
        self.process = subprocess.Popen(
            [program("mariadb"), "--no-defaults", "-uroot", "--batch", "--skip-column-names",
             "--unbuffered", f"--socket={server.socket}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def run(self, sql):
        """What the statements printed, as lines."""
        self.process.stdin.write(f"{sql};\nSELECT '{self.MARK}';\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline().rstrip("\n")) != self.MARK:
            assert self.process.poll() is None, f"the session ended at {sql}"
            lines.append(line)
        return lines


def mariadb(folder, *options):
    """A server with its own copy of the template; `with` starts it. More options win."""
    folder = pathlib.Path(folder)
    data = folder / "data"
    shutil.copytree(template(), data)
    return Server(folder, data, options)


def serve():
    """For programs that are not Python: one server, its port on standard output, until standard
    input ends. Options of the server may follow the name of this script."""
    with tempfile.TemporaryDirectory() as folder, mariadb(folder, *sys.argv[1:]) as server:
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve()
