#!/usr/bin/env python3
"""Recorded streams through real pumps and a real drainer into a real MariaDB: the tables at the end
are those that TiDB had, row by row, whatever the number of pumps, of their shards and of the
drainer's workers, transaction by transaction too, from a registry directory and from PD, and when
processes are killed on the way. And verify-corpus, which is the same for people, tells a difference
when there is one. Skipped where there is no MariaDB server."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from cluster import ROOT, Skip, run_checks
from mariadb import Missing, mariadb
from stage import Recording, Settings
from verify import check

CORPUS = ROOT / "tests/corpus"
VERIFY = [sys.executable, ROOT / "tests/integration/verify.py"]


def combination(server, name, kill=0, **settings):
    """A check with a name of its own."""
    def function(_folder):
        check(Recording(CORPUS / name), server, Settings(**settings), kill)
    words = [f"{value}_{what}" for what, value in settings.items()]
    function.__name__ = "_".join([name, *words, *(["killed", str(kill), "times"] if kill else [])])
    return function


# ---- what people see ----


def verify(*words):
    """verify-corpus; its exit code and what it said."""
    done = subprocess.run([*VERIFY, *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def planted(folder):
    """A copy of a recording: a cell of expected/ is another one, a table has another name, and one
    cell more that may differ is in no list."""
    copy = folder / "copy"
    shutil.copytree(CORPUS / "ddl_quiet", copy, ignore=shutil.ignore_patterns("golden"))
    path = copy / "expected/d1.sw1.tsv"
    lines = path.read_bytes().split(b"\n")
    lines[1] += b"9"
    path.write_bytes(b"\n".join(lines))
    path = copy / "expected/d1.sw2.tsv"
    path.rename(path.with_name("d1.nobody.tsv"))
    (copy / "expected/downstream-differences.tsv").write_text("table\tcolumn\tkey\treason\n")
    return copy


def differences_are_told_by_table_key_and_row(folder):
    code, out, err = verify(planted(folder), "--no-dispatch")
    lines = out.splitlines()
    assert code == 1 and lines[-1] == "differs: 4 tables", out + err
    at = next(i for i, line in enumerate(lines) if line.startswith("d1.sw1: "))
    assert lines[at + 1].startswith("  key ") and "=" in lines[at + 1], out
    assert lines[at + 2].startswith("    expected ") and lines[at + 2].endswith("9"), out
    assert lines[at + 3].startswith("    found    "), out
    assert "d1.nobody: the table is missing" in out, out
    assert "d1.sw2: the table should not be there" in out, out
    assert "d1.t: 1 rows are not as expected" in out, out


def the_list_of_what_may_differ_can_be_given(folder):
    path = folder / "list"
    path.write_text("table\tcolumn\tkey\treason\nd1.t\tc17\t*\tknown\n")
    code, out, err = verify(CORPUS / "ddl_quiet", "--differences", path)
    assert code == 0 and out.splitlines()[-1] == "equal", out + err
    assert "d1.t: 1 rows differ where they may (not counted)" in out, out


def what_is_no_recording_is_refused(folder):
    for words, part in (([folder], "is no recording"), ([folder, "--schema", "tikv"], "needs"),
                        ([CORPUS / "types", "--differences", folder / "x"], "no such file")):
        code, out, err = verify(*words)
        assert code == 2 and part in err and not out, (out, err)


FOR_PEOPLE = [differences_are_told_by_table_key_and_row,
              the_list_of_what_may_differ_can_be_given, what_is_no_recording_is_refused]


def main():
    def one(name, **settings):
        return combination(server, name, **settings)

    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        try:
            server = mariadb(pathlib.Path(folder)).start()
        except Missing as problem:
            reason = str(problem)
            run_checks([no_server(reason)])
        with server:
            run_checks([
                one("types", workers=1, pumps=2), one("types", workers=64, shards=4),
                one("types", dispatch=False),
                one("ddl", workers=16, pumps=2, shards=4),
                one("ddl", workers=64, registry="etcd", schema="tikv"),
                one("ddl_quiet", workers=1, pumps=3), one("ddl_quiet", dispatch=False),
                one("bank", workers=16, pumps=2, shards=4), one("bank", workers=64),
                one("bank", workers=16, pumps=2, registry="etcd", schema="tikv", kill=4),
                *FOR_PEOPLE])


def no_server(reason):
    """A check that says why the others are not run."""
    def every_recording(_folder):
        raise Skip(reason)
    return every_recording


main()
