#!/usr/bin/env python3
"""The rules of ARCHITECTURE.md and STYLE.md that a machine can check, one claim each.

    tests/tidy/tidy.py [ROOT]

A check is a function that takes the tree and yields its violations as "path:line: what". What is
allowed stands in tables.py. selftest.py plants a violation for each check and sees it fail.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import headers  # noqa: E402
import includes  # noqa: E402
import words  # noqa: E402
from lib.report import Report  # noqa: E402
from tree import Tree  # noqa: E402

CHECKS = {
    "folders_include_only_what_is_below": includes.check_layers,
    "includes_name_files_of_the_tree": includes.check_include_paths,
    "foreign_headers_stay_in_their_file": includes.check_third_party_headers,
    "every_source_is_built": includes.check_build_lists,
    "no_banned_call": words.check_banned_calls,
    "functions_fit_a_screen": words.check_function_length,
    "files_are_short": words.check_file_length,
    "lines_are_narrow": words.check_line_width,
    "nothing_is_marked_unfinished": words.check_nothing_is_unfinished,
    "code_is_formatted": words.check_format,
    "header_guards_follow_the_path": headers.check_header_guards,
    "headers_and_tests_open_with_a_comment": headers.check_opening_comments,
    "public_names_have_the_prefix": headers.check_public_names,
    "declarations_have_comments": headers.check_declaration_comments,
    "limits_are_used": headers.check_limits_are_used,
}


def main():
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    report = Report()
    for name, check in CHECKS.items():
        try:
            found = list(check(tree))
        except LookupError as missing:
            report.skip(name, missing)
            continue
        report.check(name, not found, f"{len(found)} violations")
        for violation in found:
            print(f"    {violation}")
    report.exit()


if __name__ == "__main__":
    main()
