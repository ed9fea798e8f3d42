#!/usr/bin/env python3
"""No password comes out: not in logs, answers, metrics, error texts or crash reports of a drainer,
nor in what binlogctl says of it, be the password taken, refused, or on its way to a dead server."""

import re
import signal
import subprocess
import urllib.error
import urllib.request

from cluster import BIN, Cluster, Skip, free_address, run_checks, wait_for
from mariadb import Missing, mariadb

# Words that stand nowhere by chance.
RIGHT, WRONG = "hunter2-the-server-knows-it", "hunter2-no-server-knows-it"
PATHS = ("/status", "/metrics", "/readyz", "/healthz", "/commit_ts", "/nosuch")
LOG_LEVEL = "debug"


def config(folder, name, url, port, password):
    path = folder / f"{name}.toml"
    path.write_text(f"""pd-urls = "{url}"
addr = "{free_address()}"
node-id = "{name}"
data-dir = "{folder}/{name}"
log-level = "{LOG_LEVEL}"
initial-commit-ts = 0
[syncer.to]
host = "127.0.0.1"
port = {port}
user = "owner"
password = "{password}"
""")
    return path, re.search('addr = "([^"]*)"', path.read_text()).group(1)


def ask(address, path):
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=20) as page:
            return page.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.read().decode()
    except OSError as problem:
        return str(problem)


def binlogctl(url, *words):
    done = subprocess.run([BIN / "binlogctl", *words, "--pd-urls", url], capture_output=True,
                          text=True, check=False)
    return done.stdout + done.stderr


def check_silent(password, said):
    """said: what, and its text."""
    for what, text in said.items():
        assert password not in text, f"{what} holds the password: {text[:2000]}"


def start(cluster, name, port, password):
    path, address = config(cluster.folder, name, cluster.url, port, password)
    with open(cluster.folder / f"{name}.log", "ab") as log:
        process = subprocess.Popen([BIN / "drainer", "-config", path], stdout=log, stderr=log)
    cluster.processes.append(process)
    return process, address


def said_by(cluster, name, address):
    said = {path: ask(address, path) for path in PATHS}
    said["status"] = binlogctl(cluster.url, "status")
    said["status --json"] = binlogctl(cluster.url, "status", "--json")
    said["-cmd drainers"] = binlogctl(cluster.url, "-cmd", "drainers")
    said["log"] = (cluster.folder / f"{name}.log").read_text(errors="replace")
    assert len(said["log"]) > 500, said["log"]
    return said


def server_in(folder):
    try:
        return mariadb(folder)
    except Missing as problem:
        raise Skip(problem) from problem


def fill(cluster):
    pump = cluster.pump("p").start()
    cluster.sluice("load", "--pumps", pump.address, "--pd-urls", cluster.url, "--ddl-history",
                   cluster.folder / "registry/ddl-history.jsonl", "--pairs", 50)


def a_password_that_is_right_stays_inside(folder):
    with server_in(folder) as server, Cluster(folder, 7) as cluster:
        server.client(f"CREATE USER owner@'%' IDENTIFIED BY '{RIGHT}'; GRANT ALL ON *.* TO owner")
        fill(cluster)
        process, address = start(cluster, "d", server.port, RIGHT)
        wait_for("it is ready", lambda: ask(address, "/readyz") == "ready\n")
        out = binlogctl(cluster.url, "wait", "--caught-up", "--timeout", "60s")
        assert "caught up" in out, out
        check_silent(RIGHT, said_by(cluster, "d", address))
        server.kill()  # it tries to connect again, with the password
        wait_for("it says that the downstream fails",
                 lambda: '"state":"running"' not in ask(address, "/status"), 30)
        check_silent(RIGHT, said_by(cluster, "d", address))
        server.start()
        process.terminate()
        assert process.wait(30) == 0, (folder / "d.log").read_text()
        check_silent(RIGHT, {"log": (folder / "d.log").read_text()})
        process, address = start(cluster, "d", server.port, RIGHT)
        wait_for("it is ready", lambda: ask(address, "/readyz") == "ready\n")
        process.send_signal(signal.SIGABRT)  # as an assertion of ours ends it
        process.wait(30)
        text = (folder / "d.log").read_text(errors="replace")
        assert "SIGABRT" in text, text[-500:]
        check_silent(RIGHT, {"crash report": text})


def a_password_that_is_wrong_is_not_repeated(folder):
    with server_in(folder) as server, Cluster(folder, 7) as cluster:
        fill(cluster)
        process, address = start(cluster, "d", server.port, WRONG)
        log = folder / "d.log"
        wait_for("the refusal is told", lambda: "1045" in log.read_text() or process.poll()
                 is not None)
        check_silent(WRONG, said_by(cluster, "d", address))


if __name__ == "__main__":
    run_checks([a_password_that_is_right_stays_inside, a_password_that_is_wrong_is_not_repeated])
