#!/usr/bin/env python3
"""The manuals that are made from the code are those of this code, and they and the other documents
lead somewhere: every link to a file of the tree finds it."""

import re
import subprocess

from cluster import ROOT, TOOLS, run_checks

MADE = ("configuration", "metrics", "codes")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def manuals_are_of_this_code(_):
    for name in MADE:
        made = subprocess.run([TOOLS / "manual", name], capture_output=True,
                              text=True, check=True).stdout
        kept = (ROOT / f"docs/{name}.md").read_text()
        assert made == kept, f"docs/{name}.md is stale: run ./dev docs"


def reasons_of_refused_writes_have_codes(_):
    """What the label says can be looked up."""
    labels = re.search(r"`reason` \((cluster, [^)]*)\)", (ROOT / "docs/metrics.md").read_text())
    codes = re.findall(r"^## SL-1\d+ `(\w+)`", (ROOT / "docs/codes.md").read_text(), re.M)
    assert labels.group(1).split(", ") == codes, (labels.group(1), codes)


# Codes of a drainer that no test provokes in a real process, and why.
UNPROVOKED = {
    "SL-2102": "PD refuses writes but answers reads; tests/unit/actors/drainer/front_test.c",
    "SL-2502": "a server that shows no identities of tables; tests/unit/actors/drainer/"
               "status_test.c",
}


def codes_of_a_drainer_are_provoked(_):
    codes = set(re.findall(r"^## (SL-2\d+)", (ROOT / "docs/codes.md").read_text(), re.M))
    tests = "".join(path.read_text() for path in ROOT.glob("tests/integration/drainer_*.py"))
    assert len(codes) > len(UNPROVOKED)
    assert codes - set(re.findall(r"SL-2\d+", tests)) == set(UNPROVOKED)


def links_find_their_files(_):
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("ops/*.md")]
    assert len(pages) > len(MADE)
    for page in pages:
        for target in LINK.findall(page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: no file {target}"


if __name__ == "__main__":
    run_checks([manuals_are_of_this_code, reasons_of_refused_writes_have_codes,
                codes_of_a_drainer_are_provoked, links_find_their_files])
