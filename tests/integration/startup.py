#!/usr/bin/env python3
"""Wrong input at the start of a program: one line that says what, where and what to do, and the
exit code of the original (pump spec 6.8: 0 normal, -V, help; 1 configuration or creation; 2 flags,
or failure while starting to serve). Then the right input: it serves, and stops on SIGTERM."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

from cluster import BIN

PUMP = BIN / "pump"
SECONDS_MAX = 20

CHECKS = []


def check(function):
    """Mark a function as one of the checks; it gets an empty folder."""
    CHECKS.append(function)
    return function


def run(*args, env=None):
    done = subprocess.run([PUMP, *args], capture_output=True, text=True, timeout=SECONDS_MAX,
                          env={**os.environ, **(env or {})}, check=False)
    return done.returncode, done.stdout, done.stderr


def refused(args, code, *parts, env=None, log=False):
    """The program ends with this code and one line on standard error that contains the parts. On
    standard output there is only the log, once there is a configuration to say where it goes."""
    got, out, err = run(*args, env=env)
    assert got == code, f"exit {got}, wanted {code}: {err!r}"
    assert log or out == "", f"standard output: {out!r}"
    assert err.count("\n") == 1 and err.endswith("\n"), f"not one line: {err!r}"
    for part in parts:
        assert part in err, f"{part!r} is not in {err!r}"


def cluster(folder):
    """The URL of a new cluster."""
    url = f"local:{folder}/registry"
    subprocess.run([BIN / "sluice", "init", url, "--cluster-id", "42"], check=True,
                   stdout=subprocess.DEVNULL, timeout=SECONDS_MAX)
    return url


def write(folder, text):
    path = pathlib.Path(folder, "pump.toml")
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
    path = write(folder, '[security]\nssl-ca = "ca.pem"\n')
    refused(["-config", path], 1, "security.ssl-ca: not supported in this version")


@check
def wrong_flag_names_the_nearest_one(folder):
    refused(["-data-dri", folder], 2, "-data-dri", "-data-dir", "pump --help")


@check
def value_out_of_range_names_flag_and_range(_folder):
    refused(["-heartbeat-interval", "-1"], 2, "-heartbeat-interval", "0 to 86400 s")


@check
def bad_environment_names_the_variable(folder):
    refused(["-data-dir", folder], 1, "PUMP_HEARTBEAT_INTERVAL",
            env={"PUMP_HEARTBEAT_INTERVAL": "x"})


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
    refused(["-addr", "127.0.0.1:0", "-data-dir", str(path), "-pd-urls", cluster(folder)], 1,
            str(path), "a file of that name is there", log=True)


@check
def unreadable_data_directory_is_named(folder):
    path = pathlib.Path(folder, "locked")
    path.mkdir(mode=0)
    url = cluster(folder)
    if os.geteuid() == 0:  # root reads everything: ask as somebody else
        for place in (pathlib.Path(folder), *pathlib.Path(folder).parents):
            if place.stat().st_mode & 0o005 != 0o005:
                os.chmod(place, 0o755)
        args = ["setpriv", "--reuid=65534", "--clear-groups", str(PUMP)]
    else:
        args = [str(PUMP)]
    done = subprocess.run([*args, "-addr", "127.0.0.1:0", "-data-dir", str(path), "-pd-urls", url],
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
        refused(["-addr", addr, "-data-dir", folder + "/data", "-log-file", folder + "/log",
                 "-pd-urls", cluster(folder)], 2, addr, "in use", "another address")


@check
def help_and_version_exit_with_0(_folder):
    code, out, err = run("-help")
    assert code == 0 and out == "" and "-data-dir string" in err, (code, out, err)
    code, out, err = run("-V")
    assert code == 0 and out.startswith("Release Version:") and err == "", (code, out, err)


@check
def it_serves_and_stops_on_a_signal(folder):
    taken = socket.create_server(("127.0.0.1", 0))
    address = taken.getsockname()
    taken.close()
    program = subprocess.Popen(
        [PUMP, "-addr", f"127.0.0.1:{address[1]}", "-data-dir", folder + "/data", "-pd-urls",
         cluster(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [program.stdout.readline()]
    while "start to server request" not in lines[-1]:
        assert program.poll() is None, program.stderr.read()
        lines.append(program.stdout.readline())
    assert f'[addr=http://127.0.0.1:{address[1]}]' in lines[-1], lines[-1]
    assert "register success" in lines[-2], lines
    begin = next(line for line in lines if '["start pump..."]' in line)
    assert f'\\"data-dir\\":\\"{folder}/data\\"' in begin, begin
    with socket.create_connection(address, timeout=SECONDS_MAX) as peer:
        peer.sendall(b"GET /drainers HTTP/1.1\r\nHost: pump\r\n\r\n")
        got = peer.recv(65536)
        assert got.startswith(b"HTTP/1.1 200 "), got
        program.send_signal(signal.SIGTERM)  # with a session open
        out, err = program.communicate(timeout=SECONDS_MAX)
    assert program.returncode == 0, (program.returncode, err)
    assert "pump exit" in out and err == "", (out, err)


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
