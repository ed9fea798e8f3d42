#!/usr/bin/env python3
"""The manuals that are made from the code are those of this code, and they and the other documents
lead somewhere: every link to a file of the tree finds it."""

import re
import subprocess

from cluster import ROOT, run_checks

MADE = ("configuration", "metrics")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def manuals_are_of_this_code(_):
    for name in MADE:
        made = subprocess.run([ROOT / "zig-out/tools/none/manual", name], capture_output=True,
                              text=True, check=True).stdout
        kept = (ROOT / f"docs/{name}.md").read_text()
        assert made == kept, f"docs/{name}.md is stale: run ./dev docs"


def links_find_their_files(_):
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("ops/*.md")]
    assert len(pages) > len(MADE)
    for page in pages:
        for target in LINK.findall(page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: no file {target}"


if __name__ == "__main__":
    run_checks([manuals_are_of_this_code, links_find_their_files])
