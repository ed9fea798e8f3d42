#!/usr/bin/env python3
"""What the documents tell to do works: the shell blocks of a page are run in their order, in one
shell, and their answers are those on the page.

A block's info string says what is done with it:

    sh          run once; no command in it may fail
    sh again    run until the answer is the one on the page: something needs a moment
    sh setup    done here in another way: programs are built, a private MariaDB runs
    sh tidb     needs a TiDB and its PD, and is not run
    sh root     needs root or systemd, and is not run
    text        behind one that is run: what it answers. The lines must be there in this order,
                others may be between; ... stands for anything, spaces for any white space

Ports and the places of programs are those of the test."""

import os
import re
import select
import subprocess
import time

import verify
from cluster import BIN, ROOT, Skip, free_address, run_checks
from mariadb import Missing, mariadb
from stage import Recording, Settings

DOCS = ROOT / "docs"
KINDS = {"sh", "sh again", "sh setup", "sh tidb", "sh root"}
OTHER = {"", "text", "toml", "json", "sql"}
BLOCK_SECONDS_MAX = 120
AGAIN_SECONDS_MAX = 30
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)
PUMPS_AND_DRAINERS = range(8247, 8253)
MARIADB = 3306


class Block:
    """One fenced block of a page."""

    def __init__(self, page, kind, text, line):
        self.page = page
        self.kind = kind
        self.text = text
        self.line = line
        self.answer = None  # what is expected, lines; None: nothing is

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks_of(page, text):
    """The blocks that are run, with their answers."""
    run, last, end = [], None, 0
    for match in BLOCK.finditer(text):
        kind = match.group(1).strip()
        line = text.count("\n", 0, match.start()) + 1
        block = Block(page, kind, match.group(2), line)
        assert kind in KINDS | OTHER, f"{block}: what is a block of kind {kind!r}?"
        adjacent = not text[end:match.start()].strip()
        end = match.end()
        if kind == "text" and last is not None and adjacent:
            last.answer = block.text.splitlines()
        last = block if kind in ("sh", "sh again") else None
        if last is not None:
            run.append(block)
    for block in run:
        assert block.kind != "sh again" or block.answer, f"{block}: again until what?"
    return run


def pattern(line):
    """What a line of a page stands for."""
    parts = [r"\s+".join(re.escape(word) for word in part.split(" "))
             for part in line.strip().split("...")]
    return re.compile(r"\s*" + ".*".join(parts) + r"\s*$")


def missing(answer, output):
    """The first line of the answer that is not in the output, in order; None: all are."""
    lines = iter(output.splitlines())
    for line in answer or ():
        wanted = pattern(line)
        if not any(wanted.match(got) for got in lines):
            return line
    return None


class Shell:
    """A bash that keeps its variables and jobs from one block to the next."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.count = 0
        self.process = subprocess.Popen(["bash", "--norc"], cwd=folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment, text=True,
                                        bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.write("kill -9 $(jobs -p) 2>/dev/null\nexit\n")
        self.process.stdin.close()
        self.process.wait(BLOCK_SECONDS_MAX)

    def run(self, text):
        """Run a block; the commands that failed, and all output."""
        self.count += 1
        script = self.folder / f"block-{self.count}.sh"
        output = self.folder / f"block-{self.count}.out"
        failed = self.folder / f"block-{self.count}.failed"
        script.write_text(text)
        failed.touch()
        self.process.stdin.write(
            f"set -E; trap 'echo \"$BASH_COMMAND\" >>{failed}' ERR; . {script} >{output} 2>&1; "
            "trap - ERR; echo done\n")
        ready, _, _ = select.select([self.process.stdout], [], [], BLOCK_SECONDS_MAX)
        assert ready, f"not done in {BLOCK_SECONDS_MAX} s:\n{text}\n{output.read_text()}"
        assert self.process.stdout.readline() == "done\n", f"the shell ended in:\n{text}"
        return failed.read_text(), output.read_text()


def run_block(shell, block):
    """Run it, and see that it answers as the page says."""
    end = time.monotonic() + AGAIN_SECONDS_MAX
    while True:
        failed, output = shell.run(block.text)
        line = missing(block.answer, output)
        if not failed and line is None:
            return
        if block.kind != "sh again" or time.monotonic() > end:
            break
    assert not failed, f"{block}: failed: {failed}\n{output}"
    raise AssertionError(f"{block}: not answered: {line}\nbut:\n{output}")


def run_page(folder, page, text, port):
    """Run all blocks of a page."""
    ports = {str(number): free_address().rpartition(":")[2] for number in PUMPS_AND_DRAINERS}
    ports[str(MARIADB)] = str(port)
    text = re.sub(r"\d+", lambda number: ports.get(number.group(), number.group()), text)
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "SLUICE": str(ROOT), "HOME": str(folder),
                   "TMPDIR": str(folder), "TZ": "UTC"}
    blocks = blocks_of(page, text)
    assert blocks, f"{page} tells nothing to do"
    with Shell(folder, environment) as shell:
        for block in blocks:
            run_block(shell, block)


def server_in(folder):
    try:
        return mariadb(folder)
    except Missing as reason:
        raise Skip(reason) from reason


def check_page(folder, name):
    server = server_in(folder)
    work = folder / "work"
    work.mkdir()
    with server:
        run_page(work, name, (DOCS / name).read_text(), server.port)


def the_tutorial_works(folder):
    check_page(folder, "tutorial.md")


def the_operations_work(folder):
    check_page(folder, "operations.md")


def held_and_mended_as_told(folder):
    check_page(folder, "errors.md")


def the_account_of_the_page_is_enough(folder):
    """With the privileges that operations.md grants, and no others, all kinds of DDL and rows come
    out."""
    grants = re.search(r"```sql\n(CREATE USER .*?)```", (DOCS / "operations.md").read_text(), re.S)
    with server_in(folder) as server:
        server.client(grants.group(1))
        for name in ("ddl", "types"):
            verify.check(Recording(ROOT / "tests/corpus" / name), server,
                         Settings(user="drainer", password="...", workers=4))


def blocks_of_all_pages_have_a_kind(_):
    for page in sorted(DOCS.glob("*.md")):
        blocks_of(page.name, page.read_text())


def wrong_answers_and_failures_are_seen(folder):
    """Pages with a fault fail at their fault, and only there."""
    good = "```sh\nX=7\n```\n```sh\necho one $X; echo two\n```\n```text\none 7\n... \n```\n"
    run_page(folder, "good", good, 0)
    for name, bad in (("wrong answer", good.replace("one 7", "one 8")),
                      ("wrong order", good.replace("one 7", "two\none 7")),
                      ("failed command", good.replace("echo two", "false; echo two")),
                      ("no such kind", good.replace("```sh\nX", "```shell\nX"))):
        try:
            run_page(folder, name, bad, 0)
        except AssertionError:
            continue
        raise AssertionError(f"a page with a {name} passes")


if __name__ == "__main__":
    run_checks([blocks_of_all_pages_have_a_kind, wrong_answers_and_failures_are_seen,
                the_tutorial_works, the_operations_work, held_and_mended_as_told,
                the_account_of_the_page_is_enough])
