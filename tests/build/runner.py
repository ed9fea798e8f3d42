#!/usr/bin/env python3
"""tests/run counts what programs say, and sees the failures that programs cannot tell.

Each case is a shell script in the place of a test program, run by a copy of tests/run in a tree of
its own.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from lib.report import Report  # noqa: E402

GROUP = "echo '[==========] Running {} test(s).'; echo '[       OK ] one'\n"
ENDED = "echo '[==========] {} test(s) run.'\n"

# Name of the claim, what the program does, sanitizer, last line, words that must be shown.
CASES = [
    ("passed_tests_are_counted",
     GROUP.format(2) + "echo '[       OK ] two'\n" + ENDED.format(2)
     + "echo '[  PASSED  ] 2 test(s).'",
     "none", "2 passed, 0 failed, 0 skipped", ""),
    ("failed_tests_are_counted_once",
     GROUP.format(2) + "echo '[  FAILED  ] two' >&2\n" + ENDED.format(2)
     + "echo '[  FAILED  ] 1 test(s), listed below:'; echo '[  FAILED  ] two'; exit 1",
     "none", "1 passed, 1 failed, 0 skipped", "./dev test unit/case"),
    ("skipped_tests_keep_their_reason",
     "echo 'skip net: no network'; echo 'ok disk'",
     "none", "1 passed, 0 failed, 1 skipped", "net: no network"),
    ("script_lines_are_counted",
     "echo 'ok a'; echo 'not ok b: too late'; exit 1",
     "none", "1 passed, 1 failed, 0 skipped", "b: too late"),
    ("a_crash_is_a_failure_with_its_signal",
     GROUP.format(2) + "kill -SEGV $$",
     "none", "1 passed, 1 failed, 0 skipped", "killed by SIGSEGV"),
    ("an_exit_code_without_failed_test_is_a_failure",
     "echo 'ok a'; exit 3",
     "none", "1 passed, 1 failed, 0 skipped", "exit code 3"),
    ("an_early_end_is_a_failure",
     GROUP.format(3) + "exit 0",
     "none", "1 passed, 1 failed, 0 skipped", "ended before 2 of its tests had run"),
    ("a_program_without_tests_is_a_failure",
     "echo hello",
     "none", "0 passed, 1 failed, 0 skipped", "it ran no test"),
    ("a_program_that_hangs_is_killed_with_its_children",
     "echo 'ok a'; sleep 600 & echo $! >\"$TMPDIR/../../child\"; wait",
     "none", "1 passed, 1 failed, 0 skipped", "out of time"),
    ("a_sanitizer_report_is_a_failure_even_with_exit_code_0",
     "echo 'ok a'; echo 'WARNING: ThreadSanitizer: data race (pid=1)' >&2",
     "thread", "1 passed, 1 failed, 0 skipped", "data race"),
    ("the_sanitizer_exit_code_is_a_failure",
     "echo 'ok a'; echo 'not ok b: x'; exit 66",
     "undefined", "1 passed, 2 failed, 0 skipped", "a sanitizer's report"),
    ("the_output_of_passed_programs_is_not_shown",
     "echo 'ok a'; test -d \"$TMPDIR\" && echo 'ok b'; echo noise",
     "none", "2 passed, 0 failed, 0 skipped", ""),
]


def plant(tree, sanitizer, text):
    """A tree with tests/run and one program, unit/case."""
    built = tree / "zig-out" / "tests" / sanitizer
    (built / "unit").mkdir(parents=True)
    (tree / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "run", tree / "tests" / "run")
    (built / "list").write_text("unit/case\n")
    program = built / "unit" / "case"
    program.write_text(f"#!/bin/bash\n{text}\n")
    program.chmod(0o755)


def run(tree, *words):
    scratch = tree / "tmp"
    scratch.mkdir(exist_ok=True)
    return subprocess.run([tree / "tests" / "run", *words], text=True, capture_output=True,
                          check=False, env=os.environ | {"TMPDIR": str(scratch)})


def is_alive(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def check_case(report, name, text, sanitizer, last_line, shown):
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        plant(tree, sanitizer, text)
        done = run(tree, f"--sanitize={sanitizer}", "--time-limit=1")
        lines = done.stdout.splitlines() or [""]
        failed = ", 0 failed" not in last_line
        holds = lines[-1] == last_line and shown in done.stdout and done.returncode == int(failed)
        holds = holds and (failed or "noise" not in done.stdout)
        child = tree / "tmp" / "child"
        if "child" in text:
            holds = holds and child.exists() and not is_alive(child.read_text().strip())
            child.unlink(missing_ok=True)
        report.check(name, holds and not list((tree / "tmp").iterdir()),
                     f"exit code {done.returncode}: {done.stdout!r} {done.stderr!r}")


def check_filters(report):
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        plant(tree, "none", "echo 'ok a'")
        for words, passed in (("unit", 1), ("cas", 1), ("uni", 1), ("sim", 0)):
            done = run(tree, words)
            report.check(f"filter_{words}_runs_{passed}",
                         done.stdout.splitlines()[-1] == f"{passed} passed, 0 failed, 0 skipped"
                         and done.returncode == 1 - passed, done.stdout)
        (tree / "zig-out" / "tests" / "none" / "list").write_text("")
        done = run(tree)
        report.check("programs_of_older_builds_do_not_run",
                     done.stdout.splitlines()[-1] == "0 passed, 0 failed, 0 skipped", done.stdout)


def check_scripts(report):
    """What a script starts has a sanitizer too, whose report is the script's failure."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        plant(tree, "undefined", "echo 'ok program'")
        script = tree / "tests" / "integration" / "case.sh"
        script.parent.mkdir()
        script.write_text("#!/bin/bash\necho \"ok $SLUICE_TEST_SANITIZER\"\n"
                          "file=${UBSAN_OPTIONS##*log_path=}.7\n"
                          "echo 'x.c:1:2: runtime error: bad' >\"$file\"\n")
        script.chmod(0o755)
        for words, last_line in (((), "1 passed, 0 failed, 0 skipped"),
                                 (("integration",), "1 passed, 1 failed, 0 skipped")):
            done = run(tree, "--sanitize=undefined", *words)
            report.check(f"scripts_with_a_sanitizer_{'asked_for' if words else 'not_asked_for'}",
                         done.stdout.splitlines()[-1] == last_line
                         and ("runtime error: bad" in done.stdout) == bool(words), done.stdout)


def main():
    report = Report()
    for case in CASES:
        check_case(report, *case)
    check_filters(report)
    check_scripts(report)
    report.exit()


if __name__ == "__main__":
    main()
