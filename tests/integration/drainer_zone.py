#!/usr/bin/env python3
"""TIMESTAMPs come out as the moments they were, although the downstream's clock changes to another
offset (a change of summer time) while the drainer runs, and its later sessions find that offset.
Skipped where there is no MariaDB server."""

import sys

from cluster import ROOT, Skip, run_checks, wait_for
from mariadb import Missing, mariadb
from stage import Recording, Settings, Stage

sys.path.insert(0, str(ROOT / "tests/lib"))

import render  # noqa: E402

OFFSETS = ("+02:00", "+05:00")


def offset_changes_between_two_sessions(folder):
    try:
        downstream = mariadb(folder, f"--default-time-zone={OFFSETS[0]}")
    except Missing as problem:
        raise Skip(problem) from problem
    work = folder / "w"
    work.mkdir()
    recording = Recording(ROOT / "tests/corpus/types")
    with downstream as server, Stage(work, recording, server, Settings(workers=4)) as stage:
        stage.start_drainer()
        wait_for("the drainer answers", stage.drainer.status)
        # Workers connect with their first rows.
        server.client(f"SET GLOBAL time_zone = '{OFFSETS[1]}'")
        stage.start_replay()
        stage.end_replay()
        stage.wait_drained()
        stage.stop_drainer()
        found = render.differences(server, recording.expected)
        assert not found, "\n".join(found)[:2000]


if __name__ == "__main__":
    run_checks([offset_changes_between_two_sessions])
