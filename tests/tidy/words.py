"""What is written: calls, sizes, form."""

import fnmatch
import re
import shutil
import subprocess

import tables

FORMATTER = "clang-format-14"
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def check_banned_calls(tree):
    """No call of what the table bans."""
    for words, why, folders, allowed in tables.BANNED_CALLS:
        call = re.compile(rf"(?<![\w.>])({'|'.join(words.split())})\s*\(")
        used = set()
        for path in tree.below(*folders):
            ours = {function.name for function in tree.functions(path)}
            exception = next((p for p in allowed if fnmatch.fnmatch(path, p)), None)
            for number, line in enumerate(tree.code(path).split("\n"), 1):
                for match in call.finditer(line):
                    if match[1] in ours:
                        continue
                    if exception:
                        used.add(exception)
                    else:
                        yield f"{path}:{number}: {match[1]} {why}"
        for pattern in allowed:
            if pattern not in used and any(fnmatch.fnmatch(p, pattern) for p in tree.files):
                yield f"tests/tidy/tables.py: nothing in {pattern} needs {words}: take it out"


def ratchet(name, found, allowed_max, listed):
    """Sizes above allowed_max that are not listed, and listed ones that have changed."""
    for what, (where, size) in found.items():
        limit = listed.get(what, allowed_max)
        if size > limit:
            yield f"{where}: {what.split()[-1]} has {size} lines; at most {limit}"
        elif what in listed and size < limit:
            now = f"lower it to {size}" if size > allowed_max else "take it out"
            yield f"tests/tidy/tables.py: {what} in {name} has {size} lines now: {now}"
    for what in listed:
        if what not in found:
            yield f"tests/tidy/tables.py: {what} in {name} is no more: take it out"


def check_function_length(tree):
    """A function fits on a screen."""
    found = {}
    for path in tree.files:
        for function in tree.functions(path):
            what = f"{path} {function.name}"
            where = f"{path}:{function.line}"
            found[what] = max(found.get(what, ("", 0)), (where, function.lines), key=lambda f: f[1])
    yield from ratchet("LONG_FUNCTIONS", found, tables.FUNCTION_LINES_MAX, tables.LONG_FUNCTIONS)


def check_file_length(tree):
    """A file can be read in one sitting."""
    found = {path: (path, tree.text(path).count("\n")) for path in [*tree.files, *tree.scripts]}
    yield from ratchet("LONG_FILES", found, tables.FILE_LINES_MAX, tables.LONG_FILES)


def check_line_width(tree):
    """Two files fit beside each other."""
    for path in [*tree.files, *tree.scripts]:
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if len(line) > tables.LINE_COLUMNS_MAX:
                yield f"{path}:{number}: {len(line)} columns; at most {tables.LINE_COLUMNS_MAX}"


def check_nothing_is_unfinished(tree):
    """What is not done is an issue, not a comment."""
    others = [path for path in ("build.zig", "proto/binlog.proto") if tree.exists(path)]
    for path in [*tree.files, *tree.scripts, *others]:
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if match := UNFINISHED.search(line):
                yield f"{path}:{number}: {match[1]}"


def check_format(tree):
    """The code is as ./dev fmt leaves it. Raises LookupError where the tool is missing."""
    if not shutil.which(FORMATTER):
        raise LookupError(f"{FORMATTER} is not installed; ./dev fmt installs it")
    done = subprocess.run([FORMATTER, "--dry-run", *tree.files], cwd=tree.root, text=True,
                          capture_output=True, check=False)
    violation = re.compile(r"^(\S+?:\d+):\d+: .*-Wclang-format-violations", re.MULTILINE)
    for place in violation.findall(done.stderr):
        yield f"{place}: not in form; ./dev fmt mends it"
    if done.returncode != 0:
        yield f"{FORMATTER} failed: {done.stderr.strip()[:200]}"
