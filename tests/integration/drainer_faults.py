#!/usr/bin/env python3
"""What a drainer does while its surroundings fail and come back: the downstream refuses, answers
nothing or loses answers, the registry or pumps are gone. It stays, says why and since when, goes on
by itself when it is mended, and nothing is lost or applied twice; a stop within any of these states
takes seconds."""

from cluster import Cluster, run_checks, wait_for
from feed import CLUSTER, CREATE_K, Drainer, Feed, check_rows
from mariadb import mariadb


def first_rows_arrive(folder):
    with Cluster(folder, CLUSTER) as cluster, mariadb(folder) as server:
        feed = Feed(cluster).start()
        feed.tables()
        feed.insert((1, "one"), (2, "two"))
        feed.fake()
        drainer = Drainer(cluster, server.port).start()
        drainer.wait_for_ts(feed.last)
        check_rows(server, [(1, "one"), (2, "two")])
        print(drainer.series())
        print(drainer.status())
        drainer.stop()


run_checks([
    first_rows_arrive,
])
