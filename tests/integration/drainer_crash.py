#!/usr/bin/env python3
"""Whatever dies, nothing is lost, doubled or reordered: drainer, pumps and MariaDB are killed at
random moments of three streams (bank; ddl; one that is made of what a server does twice without a
word, made_recording.py), and the tables at the end are equal; tables without a key have gained no
row, and no index was made twice. And what the server still does for a dead drainer, because a lock
holds it up, does not win over the next one.

    drainer_crash.py [--rounds N] [--seed S] [WORD...]   N kills each; S: of the moments

Skipped where there is no MariaDB server."""

import argparse
import random
import sys
import time

import made_recording
from cluster import ROOT, run_checks, wait_for
from mariadb import Session
from stage import Recording, Settings, Stage
from verify import check, empty, finish, on_a_server

CORPUS = ROOT / "tests/corpus"
DDL_ROUNDS = 3  # of a made stream, and more with many kills
LOCKED_TXNS = 400  # of the streams that are held up
SPEED = 0.5
RENEWED_S = 0.15
WAITING = ("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE "
           "trx_state = 'LOCK WAIT'")
WAITING_FOR_TABLE = ("SELECT id FROM information_schema.processlist WHERE state LIKE "
                     "'Waiting for table metadata lock'")


def seed_of_moments():
    return OPTIONS.seed if OPTIONS.seed is not None else random.randrange(2 ** 32)


def indexes(server):
    return int(server.client("SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics "
                             "WHERE table_schema='m' AND table_name='a'"))


# ---- killed at random ----


def bank_is_killed(server, _folder):
    check(Recording(CORPUS / "bank"), server, Settings(pumps=2, shards=4), OPTIONS.rounds,
          seed_of_moments())


def bank_is_killed_while_it_keeps_transactions_whole(server, _folder):
    check(Recording(CORPUS / "bank"), server, Settings(dispatch=False, pumps=2), OPTIONS.rounds,
          seed_of_moments())


def ddl_is_killed(server, _folder):
    check(Recording(CORPUS / "ddl"), server, Settings(), OPTIONS.rounds, seed_of_moments())


def made(server, folder, **settings):
    seed = seed_of_moments()
    rounds = DDL_ROUNDS + OPTIONS.rounds // 8
    made_recording.make(folder / "made", seed, rounds)
    try:
        check(Recording(folder / "made"), server, Settings(**settings), OPTIONS.rounds, seed)
        assert indexes(server) == rounds, f"m.a has {indexes(server)} indexes, wanted {rounds}"
    except AssertionError as problem:
        raise AssertionError(f"drainer_crash.py --rounds {OPTIONS.rounds} --seed {seed} "
                             f"what_may_run_twice: {problem}") from problem


def what_may_run_twice_is_killed(server, folder):
    made(server, folder)


def what_may_run_twice_is_killed_while_it_keeps_transactions_whole(server, folder):
    made(server, folder, dispatch=False)


# ---- held up by a lock ----


def held_up(folder, last=lambda maker: None):
    made_recording.make_steady(folder / "made", LOCKED_TXNS, last)
    return Recording(folder / "made")


def waiting(server, question, but=()):
    """Sessions that wait. The server renews what it tells of transactions only when nobody has
    asked for a tenth of a second."""
    time.sleep(RENEWED_S)
    return [line for line in server.client(question).split() if line not in but]


def row_is_there(server):
    try:
        return server.client("SELECT id FROM m.k").strip() == "1"
    except AssertionError:  # no such table yet
        return False


def session_that_waits_for_a_row_does_not_win(server, folder):
    empty(server)
    recording = held_up(folder)
    with Stage(folder, recording, server, Settings(workers=4)) as stage, Session(server) as session:
        stage.start_drainer()
        stage.start_replay(SPEED)
        wait_for("the row is there", lambda: row_is_there(server))
        session.run("BEGIN; SELECT v FROM m.k WHERE id = 1 FOR UPDATE")
        old = wait_for("a worker waits for the row", lambda: waiting(server, WAITING))
        stage.drainer.kill()
        assert waiting(server, WAITING) == old, "the dead drainer's session has gone already"
        stage.drainer.start()
        wait_for("the next drainer waits for the dead one's session",
                 lambda: waiting(server, WAITING, but=old))
        stage.drainer.check_lives()
        session.run("COMMIT")
        finish(stage)


def session_that_waits_for_a_table_does_not_win(server, folder):
    def last(m):
        k = m.tables["k"]
        m.job(made_recording.ADD_INDEX, "alter table m.k add index (v)", k.id, [m.info(k)])
        m.write((m.tables["l"], m.tables["l"].insert([-1])))

    empty(server)
    recording = held_up(folder, last)
    with Stage(folder, recording, server, Settings(workers=4)) as stage, Session(server) as session:
        stage.start_drainer()
        stage.start_replay(SPEED)
        wait_for("the row is there", lambda: row_is_there(server))
        session.run("BEGIN; SELECT v FROM m.k WHERE id = 1")
        old = wait_for("the DDL waits for the table", lambda: waiting(server, WAITING_FOR_TABLE))
        stage.drainer.kill()
        assert waiting(server, WAITING_FOR_TABLE) == old, "the dead drainer's session has gone"
        stage.drainer.start()
        wait_for("the next drainer has ended it, and waits itself",
                 lambda: old[0] not in (now := waiting(server, WAITING_FOR_TABLE)) and now)
        session.run("COMMIT")
        finish(stage)
        count = server.client("SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics"
                              " WHERE table_schema = 'm' AND table_name = 'k'").strip()
        assert count == "2", f"m.k has {count} indexes: the DDL ran twice, or not at all"


CHECKS = [bank_is_killed, bank_is_killed_while_it_keeps_transactions_whole, ddl_is_killed,
          what_may_run_twice_is_killed,
          what_may_run_twice_is_killed_while_it_keeps_transactions_whole,
          session_that_waits_for_a_row_does_not_win, session_that_waits_for_a_table_does_not_win]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int)
    options, words = parser.parse_known_args()
    sys.argv[1:] = words
    return options


OPTIONS = main()
run_checks([on_a_server(function) for function in CHECKS])
