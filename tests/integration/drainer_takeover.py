#!/usr/bin/env python3
"""What one life of a drainer leaves to the next, cut off at chosen moments by a proxy in front of
MariaDB: between the note that a checkpoint is to be written and the checkpoint, between the
statements of one DDL job, right after the start at "now". And a second drainer is refused as long
as the first one lives, also when the server was started anew in between.

Skipped where there is no MariaDB server."""

import sys

import made_recording
from cluster import ROOT, run_checks, wait_for
from mariadb import Session
from stage import Recording, Settings, Stage
from verify import finish, on_a_server

sys.path.insert(0, str(ROOT / "tests"))
from lib.fault_proxy import Fault, FaultProxy

CHECKPOINT = b"REPLACE INTO `tidb_binlog`.`checkpoint`"
TXNS = 600
SPEED = 0.5


def steady(folder, last=lambda maker: None):
    made_recording.make_steady(folder / "made", TXNS, last)
    return Recording(folder / "made")


def killed_before_each_of_several_checkpoints(server, folder):
    """Neither the first one, nor the next ones come: those that are there are still ours."""
    with FaultProxy(server.port) as proxy, \
            Stage(folder, steady(folder), server, Settings(port=proxy.port)) as stage:
        stage.start_replay(SPEED)
        # The first eight belong to DDL; those later have rows of the table without a key above.
        for skip in (0, 0, 3, 8, 0, 0, 1):
            fault = Fault("stall", CHECKPOINT, skip)
            proxy.faults.append(fault)
            if stage.drainer:
                stage.drainer.start()
            else:
                stage.start_drainer()
            wait_for("a checkpoint is to be written", fault.done.is_set)
            stage.drainer.check_lives()
            stage.drainer.kill()
            proxy.cut()
        stage.drainer.start()
        finish(stage)


def all_tables_of_one_job_are_made(server, folder):
    def last(m):
        both = [made_recording.Table(m.next_id + i, f"c{i}", ["id", "v"], True) for i in (0, 1)]
        m.job(made_recording.CREATE_TABLES, "create table m.c0 (id int primary key, v int)", 0,
              [m.info(table) for table in both])
        for table in both:
            m.tables[table.name] = table
            m.write((table, table.insert([1, 1])))

    with FaultProxy(server.port) as proxy, \
            Stage(folder, steady(folder, last), server, Settings(port=proxy.port)) as stage:
        fault = Fault("reset-after", b"create table if not exists `m`.`c0`")
        proxy.faults.append(fault)
        stage.start_drainer()
        stage.start_replay()
        finish(stage)
        assert fault.done.is_set(), "nothing was cut off"


def now_stays_the_same_moment(server, folder):
    with Stage(folder, steady(folder), server, Settings(initial_ts=-1)) as stage:
        stage.start_drainer()
        wait_for("it has begun", lambda: "begin behind" in stage.drainer.tail())
        stage.drainer.kill()
        first = stage.saved_ts()
        assert first > 0, "where it began is forgotten"
        stage.drainer.start()
        wait_for("it has begun again", lambda: f"[commit_ts={first}]" in stage.drainer.tail()
                 and "[from=checkpoint]" in stage.drainer.tail())
        stage.start_replay()
        finish(stage)


def second_drainer_is_refused_after_a_restart_of_the_server(server, folder):
    with Stage(folder, steady(folder), server, Settings()) as stage:
        stage.start_drainer()
        stage.start_replay(SPEED)
        wait_for("the first checkpoint", stage.saved_ts)
        server.kill()
        server.start()
        before = stage.saved_ts()
        wait_for("the next checkpoint", lambda: stage.saved_ts() > before)
        second = stage.drainer_named("second")
        second.start()
        try:
            wait_for("the second one gives up", lambda: second.process.poll() is not None)
            assert second.process.returncode != 0 and \
                "another drainer holds the checkpoint" in second.tail(), second.tail()
        finally:
            second.kill()
        with Session(server) as session:
            holder = session.run("SELECT IS_USED_LOCK('sluice-"
                                 f"{stage.recording.cluster_id}-tidb_binlog')")
        assert f"KILL {holder[0]} " in second.tail(), (holder, second.tail())
        stage.drainer.check_lives()
        finish(stage)


def dispatch_does_not_change_above_a_checkpoint(server, folder):
    """What was applied above it is known by lanes, and those are other ones then."""
    with FaultProxy(server.port) as proxy, \
            Stage(folder, steady(folder), server, Settings(port=proxy.port)) as stage:
        fault = Fault("stall", CHECKPOINT, 8)  # rows of the table without a key are above it
        proxy.faults.append(fault)
        stage.start_replay(SPEED)
        stage.start_drainer()
        wait_for("a checkpoint is to be written", fault.done.is_set)
        stage.drainer.kill()
        proxy.cut()
        stage.settings.dispatch = False
        other = stage.drainer_named("drainer")
        other.start()
        try:
            wait_for("it gives up", lambda: other.process.poll() is not None)
            assert other.process.returncode != 0 and \
                "drainer with enable-dispatch = true has applied rows" in other.tail(), other.tail()
        finally:
            other.kill()
        stage.settings.dispatch = True
        stage.drainer = stage.drainer_named("drainer")
        stage.drainer.start()
        finish(stage)
        stage.settings.dispatch = False  # after an orderly end it may
        stage.drainer = stage.drainer_named("drainer")
        stage.drainer.start()
        before = stage.saved_ts()
        wait_for("it goes on", lambda: stage.saved_ts() > before)
        stage.drainer.check_lives()


run_checks([on_a_server(function) for function in (
    killed_before_each_of_several_checkpoints, all_tables_of_one_job_are_made,
    now_stays_the_same_moment, dispatch_does_not_change_above_a_checkpoint,
    second_drainer_is_refused_after_a_restart_of_the_server)])
