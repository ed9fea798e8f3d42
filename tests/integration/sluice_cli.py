#!/usr/bin/env python3
"""The program sluice from its command line: wrong usage is answered with one line that says what
and where, and exit code 2, before anything is done; what cannot be done with exit code 1. The verb
init makes a cluster that can be made again, and that others refuse to take for theirs."""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile

from cluster import BIN, ROOT

SLUICE = BIN / "sluice"
CORPUS = str(ROOT / "tests/corpus/types")
SECONDS_MAX = 20
VERBS = ("init", "load", "pull", "replay")

CHECKS = []


def check(function):
    """Mark a function as one of the checks; it gets an empty folder."""
    CHECKS.append(function)
    return function


def run(*args):
    done = subprocess.run([SLUICE, *args], capture_output=True, text=True, timeout=SECONDS_MAX,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def refused(args, code, *parts):
    """The program ends with this code and one line on standard error that contains the parts."""
    got, out, err = run(*args)
    assert got == code, f"{args}: exit {got}, wanted {code}: {err!r}"
    assert out == "", f"standard output: {out!r}"
    assert err.count("\n") == 1 and err.endswith("\n"), f"not one line: {err!r}"
    for part in parts:
        assert part in err, f"{part!r} is not in {err!r}"


def closed_port():
    """An address where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{held.getsockname()[1]}"


@check
def help_names_all_verbs_and_each_verb_its_flags(_folder):
    for words in (["--help"], ["help"], ["-h"]):
        code, out, err = run(*words)
        assert code == 0 and err == "", (code, err)
        for verb in VERBS:
            assert f"  {verb} " in out, out
    for verb in VERBS:
        code, out, err = run(verb, "--help")
        assert code == 0 and err == "" and f"sluice {verb}" in out, (code, out, err)
        assert "-cluster-id int" in out, out


@check
def wrong_verb_names_the_nearest_one(_folder):
    refused([], 2, "no verb given")
    refused(["repaly"], 2, "'repaly' is not a verb, did you mean 'replay'?", "sluice --help")
    refused(["xyzzy"], 2, "'xyzzy' is not a verb; see")


@check
def wrong_flag_names_the_nearest_one(_folder):
    refused(["replay", CORPUS, "--pump", "x"], 2, "-pump", "did you mean -pumps?",
            "sluice replay --help")
    refused(["pull", "127.0.0.1:1", "--form", "3"], 2, "did you mean -from?")
    refused(["load", "--callers", "0"], 2, "-callers", "1 to 16384")
    refused(["load", "--size", "10"], 2, "-size", "128")
    refused(["load", "extra"], 2, "'extra' is not a valid flag")
    refused(["replay", CORPUS, "left", "over"], 2, "'left' is not a valid flag")


@check
def missing_operand_is_named(_folder):
    refused(["init", "--cluster-id", "3"], 2, "local:DIR must come first", "sluice init --help")
    refused(["replay"], 2, "CORPUS must come first")
    refused(["pull"], 2, "PUMP must come first")


@check
def what_must_be_given_is_asked_for(folder):
    refused(["init", f"local:{folder}/c"], 2, "--cluster-id")
    refused(["init", folder, "--cluster-id", "3"], 2, "is not local:DIR")
    refused(["replay", CORPUS], 2, "--pumps")
    refused(["load", "--pumps", "127.0.0.1:1"], 2, "--cluster-id")
    refused(["pull", "127.0.0.1:1"], 2, "--cluster-id")


@check
def values_out_of_range_are_explained(_folder):
    refused(["replay", CORPUS, "--pumps", "127.0.0.1:1", "--speed", "fast"], 2, "--speed fast",
            "max")
    refused(["replay", CORPUS, "--pumps", "127.0.0.1:1", "--speed", "0"], 2, "--speed 0")
    refused(["load", "--pumps", "127.0.0.1:1", "--cluster-id", "3", "--callers", "257"], 2,
            "--callers 257", "more --connections")
    refused(["pull", "nowhere", "--cluster-id", "3"], 1, "nowhere")
    refused(["pull", "127.0.0.1:1", "--pd-urls", "http://127.0.0.1:1"], 1, "http://127.0.0.1:1")


@check
def a_corpus_that_is_none_is_named(folder):
    pumps = ["--pumps", "127.0.0.1:1"]
    refused(["replay", folder + "/none", *pumps], 1, folder + "/none")
    refused(["replay", folder, *pumps], 1, "neither writes.bin nor writes.bin.zst")
    pathlib.Path(folder, "writes.bin").write_bytes(b"x" * 20)
    refused(["replay", folder, *pumps], 1, "writes.bin: record 0 at byte 0")
    pathlib.Path(folder, "meta.json").write_text("{}")
    refused(["replay", folder + "/meta.json", *pumps], 1, "meta.json: record 0")


@check
def init_makes_a_cluster_once(folder):
    url = f"local:{folder}/cluster"
    for _ in range(2):
        code, out, err = run("init", url, "--cluster-id", "42", "--tso", "400000000000000000")
        assert code == 0 and out == f"{url} is cluster 42\n" and err == "", (code, out, err)
    about = json.loads(pathlib.Path(folder, "cluster/cluster.json").read_text())
    assert about["clusterId"] == "42", about
    refused(["init", url, "--cluster-id", "43"], 1, "42")
    refused(["pull", "127.0.0.1:1", "--pd-urls", url, "--cluster-id", "43"], 2, "cluster 42",
            "not 43")
    refused(["pull", "127.0.0.1:1", "--pd-urls", f"local:{folder}/none"], 1, f"{folder}/none")


@check
def without_a_pump_verbs_give_up_with_code_1(_folder):
    pump = closed_port()
    short = ["--write-timeout", "200ms"]
    code, out, err = run("replay", CORPUS, "--pumps", pump, *short)
    assert code == 1 and "replay ended early: 0 of 2116 records" in out, (code, out)
    assert pump in err and "given up after" in err, err
    code, out, err = run("load", "--pumps", pump, "--cluster-id", "3", *short)
    assert code == 1 and "0 of 0 transactions acknowledged" in out and pump in err, (out, err)
    code, out, err = run("pull", pump, "--cluster-id", "3", "--once")
    assert code == 1 and out == "" and pump in err, (code, out, err)
    code, out, err = run("pull", pump, "--cluster-id", "3", "--idle-exit", "50")
    assert code == 1 and out == "" and pump in err, (code, out, err)


def main():
    failed = False
    for one in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                one(folder)
                print(f"ok {one.__name__}")
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failed = True
                text = " ".join(str(error).split())
                print(f"not ok {one.__name__}: {text}")
    sys.exit(1 if failed else 0)


main()
