#!/usr/bin/env python3
"""The manuals that are made from the code are those of this code, and they and the other documents
lead somewhere: every link to a file of the tree finds it."""

import re
import subprocess

from cluster import ROOT, run_checks

MADE = ("configuration", "metrics", "codes")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def manuals_are_of_this_code(_):
    for name in MADE:
        made = subprocess.run([ROOT / "zig-out/tools/none/manual", name], capture_output=True,
                              text=True, check=True).stdout
        kept = (ROOT / f"docs/{name}.md").read_text()
        assert made == kept, f"docs/{name}.md is stale: run ./dev docs"


def reasons_of_refused_writes_have_codes(_):
    """What the label says can be looked up."""
    labels = re.search(r"`reason` \((cluster, [^)]*)\)", (ROOT / "docs/metrics.md").read_text())
    codes = re.findall(r"^## SL-1\d+ `(\w+)`", (ROOT / "docs/codes.md").read_text(), re.M)
    assert labels.group(1).split(", ") == codes, (labels.group(1), codes)


def links_find_their_files(_):
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("ops/*.md")]
    assert len(pages) > len(MADE)
    for page in pages:
        for target in LINK.findall(page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: no file {target}"


if __name__ == "__main__":
    run_checks([manuals_are_of_this_code, reasons_of_refused_writes_have_codes,
                links_find_their_files])
