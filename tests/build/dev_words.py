#!/usr/bin/env python3
"""./dev knows the verbs that its help lists; a wrong word gets one line and exit code 2."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from lib.report import Report  # noqa: E402


def dev(*words, cwd=ROOT):
    return subprocess.run([ROOT / "dev", *words], cwd=cwd, text=True, capture_output=True,
                          check=False)


def check_help(report):
    script = (ROOT / "dev").read_text()
    verbs = re.findall(r"^verb_(\w+)\(\)", script, re.M)
    known = sorted(["help", *(verb.replace("_", "-") for verb in verbs)])
    listed = sorted(set(re.findall(r"^  ([\w-]+)", dev("help").stdout, re.M)))
    named = sorted(re.search(r"^verbs=\(([^)]*)\)", script, re.M).group(1).split())
    report.check("help_lists_exactly_the_verbs", listed == known, f"{listed} against {known}")
    report.check("suggestions_come_from_known_verbs", named == known, f"{named} against {known}")
    elsewhere = dev("help", cwd="/")
    report.check("dev_works_from_any_directory", elsewhere.returncode == 0, elsewhere.stderr)


def check_wrong_word(report, name, words, answer):
    done = dev(*words)
    one_line = done.stderr.count("\n") == 1 and done.stdout == ""
    report.check(name, done.returncode == 2 and one_line and answer in done.stderr,
                 f"exit code {done.returncode}, said {done.stderr!r}")


def main():
    report = Report()
    check_help(report)
    check_wrong_word(report, "wrong_verb_names_the_nearest", ["tset"], "did you mean test?")
    check_wrong_word(report, "wrong_option_names_the_nearest", ["build", "--relase"],
                     "did you mean --release?")
    check_wrong_word(report, "wrong_sanitizer_names_the_nearest", ["test", "--sanitize=thred"],
                     "did you mean thread?")
    check_wrong_word(report, "option_without_value_says_so", ["test", "--seed"],
                     "--seed needs a value")
    check_wrong_word(report, "word_like_no_other_points_to_help", ["xyzzyxyzzy"], "./dev help")
    check_wrong_word(report, "wrong_option_of_the_demo_is_refused", ["demo", "--second=3"],
                     "did you mean --seconds?")
    report.exit()


if __name__ == "__main__":
    main()
