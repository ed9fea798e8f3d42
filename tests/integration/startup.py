#!/usr/bin/env python3
"""Wrong input at the start of a program: one line that says what, where and what to do, and the
exit code of the original (pump spec 6.8: 0 normal, -V, help; 1 configuration or creation; 2 flags,
or failure while starting to serve). Then the right input: it serves, and stops on SIGTERM.

The program is tests/tools/standin.c."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
STANDIN = ROOT / "zig-out/tools/none/standin"
SECONDS_MAX = 20

CHECKS = []


def check(function):
    """Mark a function as one of the checks; it gets an empty folder."""
    CHECKS.append(function)
    return function


def run(*args, env=None):
    done = subprocess.run([STANDIN, *args], capture_output=True, text=True, timeout=SECONDS_MAX,
                          env={**os.environ, **(env or {})}, check=False)
    return done.returncode, done.stdout, done.stderr


def refused(args, code, *parts, env=None):
    """The program ends with this code and one line on standard error that contains the parts."""
    got, out, err = run(*args, env=env)
    assert got == code, f"exit {got}, wanted {code}: {err!r}"
    assert out == "", f"standard output: {out!r}"
    assert err.count("\n") == 1 and err.endswith("\n"), f"not one line: {err!r}"
    for part in parts:
        assert part in err, f"{part!r} is not in {err!r}"


def write(folder, text):
    path = pathlib.Path(folder, "standin.toml")
    path.write_text(text)
    return str(path)


@check
def wrong_key_in_file_names_file_line_and_nearest_key(folder):
    path = write(folder, 'addr = "127.0.0.1:0"\n\nlog-levle = "info"\n')
    refused(["-config", path], 1, path, "unknown configuration options: log-levle", "line 3",
            '"log-level"')


@check
def wrong_type_in_file_names_the_place(folder):
    path = write(folder, 'heartbeat-interval = "often"\n')
    refused(["-config", path], 1, f"{path}:1:", "heartbeat-interval")


@check
def broken_file_names_the_place(folder):
    path = write(folder, "addr = \n")
    refused(["-config", path], 1, f"{path}:1:")


@check
def key_not_built_yet_stops_the_start(folder):
    path = write(folder, 'compressor = "gzip"\n')
    refused(["-config", path], 1, "compressor: not supported in this version")


@check
def wrong_flag_names_the_nearest_one(folder):
    refused(["-data-dri", folder], 2, "-data-dri", "-data-dir", "standin --help")


@check
def value_out_of_range_names_flag_and_range(_folder):
    refused(["-heartbeat-interval", "0"], 2, "-heartbeat-interval", "1", "3600")


@check
def bad_environment_names_the_variable(folder):
    refused(["-data-dir", folder], 1, "STANDIN_HEARTBEAT_INTERVAL",
            env={"STANDIN_HEARTBEAT_INTERVAL": "x"})


@check
def left_over_argument_is_refused_as_the_original_does(_folder):
    refused(["start"], 1, "'start' is not a valid flag")


@check
def missing_file_is_named(folder):
    path = folder + "/none.toml"
    refused(["-config", path], 1, path)


@check
def directory_in_place_of_the_file_is_named(folder):
    refused(["-config", folder], 1, folder, "directory")


@check
def unusable_data_directory_is_named(folder):
    path = pathlib.Path(folder, "plain")
    path.write_text("a file, not a directory")
    refused(["-addr", "127.0.0.1:0", "-data-dir", str(path)], 1, f"data-dir {path}")


@check
def unreadable_data_directory_is_named(folder):
    path = pathlib.Path(folder, "locked")
    path.mkdir(mode=0)
    if os.geteuid() == 0:  # root reads everything: ask as somebody else
        os.chmod(folder, 0o755)
        args = ["setpriv", "--reuid=65534", "--clear-groups", str(STANDIN)]
    else:
        args = [str(STANDIN)]
    done = subprocess.run([*args, "-addr", "127.0.0.1:0", "-data-dir", str(path)],
                          capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert str(path) in done.stderr and "ermission denied" in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


@check
def port_in_use_is_named_with_a_way_out(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        addr = f"127.0.0.1:{taken.getsockname()[1]}"
        refused(["-addr", addr, "-data-dir", folder, "-log-file", folder + "/log"], 2,
                addr, "in use", "another address")


@check
def help_and_version_exit_with_0(_folder):
    code, out, err = run("-help")
    assert code == 0 and out == "" and "-data-dir string" in err, (code, out, err)
    code, out, err = run("-V")
    assert code == 0 and out.startswith("Release Version:") and err == "", (code, out, err)
    code, out, err = run("-topology")
    assert code == 0 and "listener" in out and "lane io" in out, (code, out, err)
    assert out.endswith("lines\n  none\n"), out


def start(folder):
    """A serving stand-in and its address."""
    program = subprocess.Popen([STANDIN, "-addr", "127.0.0.1:0", "-data-dir", folder + "/data"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = program.stdout.readline()
    assert "[start to server request]" in line or '"start to server request"' in line, line
    host, port = line.rsplit("addr=", 1)[1].strip().strip("]").rsplit(":", 1)
    return program, (host, int(port))


@check
def it_serves_and_stops_on_a_signal(folder):
    program, address = start(folder)
    text = b"x" * 100000
    with socket.create_connection(address, timeout=SECONDS_MAX) as peer:
        got = b""
        sent = 0
        while len(got) < len(text):
            if sent < len(text):
                sent += peer.send(text[sent:sent + 8192])
            got += peer.recv(65536)
        assert got == text
        program.send_signal(signal.SIGTERM)  # with a session open
        out, err = program.communicate(timeout=SECONDS_MAX)
    assert program.returncode == 0, (program.returncode, err)
    assert "standin exit" in out and err == "", (out, err)


def main():
    failed = False
    for one in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                one(folder)
                print(f"ok {one.__name__}")
            except (AssertionError, OSError, subprocess.TimeoutExpired, IndexError) as error:
                failed = True
                text = " ".join(str(error).split())
                print(f"not ok {one.__name__}: {text}")
    sys.exit(1 if failed else 0)


main()
