#!/usr/bin/env python3
"""DDL jobs out of a file, out of TiDB's status port of three ages (one that pages, one that knows
only a limit, one that always tells all), and out of TiKV: the same jobs in the same order, and what
is broken or missing is told. Uses tests/tools/schema_jobs.c and, for TiKV, tests/tools/fakepd.c."""

import http.server
import json
import random
import re
import subprocess
import threading
import urllib.parse

from cluster import ROOT, TOOLS, free_address, run_checks

TOOL = TOOLS / "schema_jobs"
HISTORY = ROOT / "tests/corpus/ddl/ddl-history.jsonl"
LINES = HISTORY.read_text().splitlines()
JOBS = [json.loads(line) for line in LINES]
LAST = 10 ** 9

CHECKS = []


def check(function):
    """Mark a function as one of the checks; it gets an empty folder."""
    CHECKS.append(function)
    return function


def run(source, *words):
    done = subprocess.run([TOOL, source, *map(str, words)], capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def ok(source, *words):
    code, out, err = run(source, *words)
    assert code == 0, err
    return out


def refused(source, words, *parts):
    code, out, err = run(source, *words)
    assert code == 1 and err.count("\n") == 1, (code, out, err)
    for part in parts:
        assert part in err, f"{part!r} is not in {err!r}"


def in_order(version, finished):
    """What `each` prints of the recording."""
    jobs = [(job["binlog"]["SchemaVersion"], job["id"]) for job in JOBS
            if job["binlog"]["SchemaVersion"] and
            (job["binlog"]["SchemaVersion"] <= version or
             0 < job["binlog"]["FinishedTS"] <= finished)]
    return "".join(f"{job} {at}\n" for at, job in sorted(jobs))


class Tidb(http.server.BaseHTTPRequestHandler):
    """A TiDB's status port; `age` says what it understands, `jobs` what it has."""

    age = "new"
    jobs = JOBS
    answer = None  # instead of jobs
    path_known = "/ddl/history"
    asked_jobs = []  # how many each answer had; a list of the test's own when it looks at it

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        asked = urllib.parse.parse_qs(url.query)
        jobs = sorted(self.jobs, key=lambda job: -job["id"])
        if self.age == "new" and "start_job_id" in asked:
            jobs = [job for job in jobs if job["id"] <= int(asked["start_job_id"][0])]
        if self.age != "oldest" and "limit" in asked:
            jobs = jobs[:int(asked["limit"][0])]
        self.asked_jobs.append(len(jobs))
        body = json.dumps(jobs).encode() if self.answer is None else self.answer
        self.send_response(200 if url.path == self.path_known else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server:
    """Serves what Tidb is told; `with` starts and ends it."""

    def __init__(self, **told):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      type("Told", (Tidb,), told))
        self.source = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


# ---- files ----


@check
def file_gives_jobs_in_order_within_the_bound(folder):
    lines = LINES[:]
    random.Random(7).shuffle(lines)
    path = folder / "jobs"
    path.write_text("\n\n".join(lines) + "\n")
    middle = JOBS[60]["binlog"]["FinishedTS"]
    for version, finished in ((LAST, 0), (100, 0), (0, middle), (50, middle), (0, 0)):
        assert ok(f"file:{path}", "each", version, finished) == in_order(version, finished)
    assert ok(f"file:{path}", "job", 103, 2) == "103 3\n2 1\n"


def rewritten(job, dice):
    """The same job as another writer would put it; its query has words like those of a job."""
    job = json.loads(json.dumps(job))
    job["query"] += ' /* "binlog":{"SchemaVersion":77,"FinishedTS":88,"id":99} */'
    keys = list(job)
    dice.shuffle(keys)
    binlog = list(job["binlog"])
    dice.shuffle(binlog)
    job["binlog"] = {key: job["binlog"][key] for key in binlog}
    if dice.random() < 0.3:
        job["other"] = {"binlog": {"SchemaVersion": 5, "FinishedTS": 6}, "id": 7}
    separators = dice.choice([(",", ":"), (", ", ": ")])
    return json.dumps({key: job[key] for key in keys if key != "id"} | {"id": job["id"]}
                      if dice.random() < 0.5 else {"id": job["id"]} | job, separators=separators)


@check
def however_a_job_is_written_it_is_the_same(folder):
    path = folder / "jobs"
    for seed in range(5):
        dice = random.Random(seed)
        path.write_text("".join(rewritten(job, dice) + "\n" for job in JOBS))
        assert ok(f"file:{path}", "each", LAST, 0) == in_order(LAST, 0), seed


@check
def a_job_that_is_broken_behind_its_head_is_told_when_it_is_wanted(folder):
    path = folder / "jobs"
    broken = LINES[41].replace('"query":', '"query"')
    path.write_text("\n".join(LINES[:41] + [broken] + LINES[42:]) + "\n")
    version = JOBS[41]["binlog"]["SchemaVersion"]
    assert version > JOBS[40]["binlog"]["SchemaVersion"]
    assert ok(f"file:{path}", "each", version - 1, 0) == in_order(version - 1, 0)
    refused(f"file:{path}", ("each", version), "SL_INVALID", f"{path} line 42: line 1 column")


@check
def torn_last_line_is_not_there_yet(folder):
    path = folder / "jobs"
    path.write_text(LINES[0] + "\n" + LINES[1][:200])
    assert ok(f"file:{path}", "job", 2).startswith("2 1")
    assert ok(f"file:{path}", "job", 4).startswith("SL_NOT_FOUND DDL job 4 is not in ")
    path.write_text(LINES[0] + "\n" + LINES[1])
    assert ok(f"file:{path}", "job", 4) == "4 1\n"


@check
def file_without_jobs_is_told(folder):
    path = folder / "jobs"
    refused(f"file:{path}", ("each", LAST), "SL_UNAVAILABLE", "file of DDL jobs", str(path),
            "does not exist yet")
    path.write_text(LINES[0] + "\n{\"id\":}\n")
    refused(f"file:{path}", ("each", LAST), "SL_INVALID", f"{path} line 2: line 1 column 7")
    path.write_text("[1]\n")
    refused(f"file:{path}", ("each", LAST), "line 1: a job is an object, this is an array")
    path.write_text("{\"id\":0}\n")
    refused(f"file:{path}", ("each", LAST), "line 1: a job without an id")
    refused("tikw", ("each", LAST), "SL_CONFIG", "tikw", "file:PATH")


# ---- the status port ----


@check
def every_age_of_tidb_gives_the_same_jobs(_folder):
    for age in ("new", "middle", "oldest"):
        with Server(age=age) as tidb:
            assert ok(tidb.source, "each", LAST, 0) == in_order(LAST, 0), age
            assert ok(tidb.source + "/", "each", 100, 0) == in_order(100, 0), age
            assert ok(tidb.source, "job", 103, 204, 2) == "103 3\n204 2\n2 1\n", age
            assert re.match("SL_NOT_FOUND .* does not know DDL job 9999 yet\n$",
                            ok(tidb.source, "job", 9999)), age


@check
def long_histories_come_by_pages(_folder):
    jobs = []
    for i in range(1, 1500):
        job = json.loads(json.dumps(JOBS[40]))
        # Jobs that run at one time finish out of the order of their ids.
        job["id"] = 2 * i
        job["binlog"]["SchemaVersion"] = i + (3 if i % 3 == 0 else 0)
        jobs.append(job)
    want = "".join(f"{job} {at}\n" for at, job in
                   sorted((job["binlog"]["SchemaVersion"], job["id"]) for job in jobs))
    for age in ("new", "middle", "oldest"):
        with Server(age=age, jobs=jobs) as tidb:
            assert ok(tidb.source, "each", LAST, 0) == want, age
            assert ok(tidb.source, "job", 2, 1400) == "2 5\n1400 5\n".replace(
                " 5", f" {JOBS[40]['type']}"), age


class Follower:
    """One source that is asked again and again."""

    def __init__(self, source):
        self.process = subprocess.Popen([TOOL, source, "follow", "lines"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=60)

    def jobs(self, above, version):
        self.process.stdin.write(f"{above} {version}\n")
        self.process.stdin.flush()
        lines = list(iter(self.process.stdout.readline, ".\n"))
        assert "" not in lines, "it ended"
        return [tuple(map(int, line.split())) for line in lines]


def job_of(number, version):
    """A job of the recording under another id and version."""
    job = json.loads(json.dumps(JOBS[40]))
    job["id"] = number
    job["binlog"]["SchemaVersion"] = version
    return job


@check
def what_is_new_does_not_need_the_whole_history(_folder):
    for age in ("new", "middle", "oldest"):
        jobs = [job_of(2 * i, i) for i in range(1, 3000)]
        asked = []
        with Server(age=age, jobs=jobs, asked_jobs=asked) as tidb, Follower(tidb.source) as source:
            assert len(source.jobs(0, LAST)) == 2999
            assert source.jobs(2998, LAST) == [(5998, 2999)]
            jobs.append(job_of(6002, 3010))
            assert source.jobs(2999, LAST) == [(6002, 3010)]
            # Jobs that were asked for long before, and end now: by version, not by id.
            jobs.extend([job_of(5701, 3030), job_of(6004, 3020)])
            asked.clear()
            assert source.jobs(2999, LAST) == [(6002, 3010), (6004, 3020), (5701, 3030)]
            if age == "new":
                assert sum(asked) < 1500, asked
            assert source.jobs(3010, 3020) == [(6004, 3020)]
            # One that was there before all others is found by those who look everywhere.
            jobs.append(job_of(1, 3040))
            assert source.jobs(0, LAST)[-1] == (1, 3040)
            assert source.jobs(3030, LAST) == [(1, 3040)]
            assert len(source.jobs(0, LAST)) == 3003


@check
def a_file_has_a_lower_bound_too(folder):
    path = folder / "jobs"
    path.write_text("\n".join(LINES) + "\n")
    with Follower(f"file:{path}") as source:
        got = source.jobs(60, 100)
        assert got and got == [tuple(map(int, line.split())) for line in
                               in_order(100, 0).splitlines() if int(line.split()[1]) > 60]


@check
def empty_history_is_no_error(_folder):
    with Server(jobs=[]) as tidb:
        assert ok(tidb.source, "each", LAST, 0) == ""


@check
def broken_answers_are_told(_folder):
    with Server(answer=b"not json") as tidb:
        refused(tidb.source, ("each", LAST), "SL_INVALID", "/ddl/history?limit=256", "line 1")
    with Server(answer=b"{}") as tidb:
        refused(tidb.source, ("each", LAST), "no list of jobs")
    with Server(answer=b"[{\"id\":\"x\"}]") as tidb:
        refused(tidb.source, ("each", LAST), "id is a text")
    with Server(path_known="/nowhere") as tidb:
        refused(tidb.source, ("each", LAST), "SL_INVALID", "status 404")
    with Server() as tidb:
        refused(tidb.source + "/x", ("each", LAST), "SL_CONFIG", "no address of a TiDB")
    refused(f"http://{free_address()}", ("each", LAST), "SL_UNAVAILABLE", "/ddl/history?limit=256")


# ---- TiKV ----


class FakePd:
    """A PD and the one TiKV behind it, with the jobs of a recording; its time is long after it."""

    def __init__(self, corpus):
        last = int(json.loads((corpus / "meta.json").read_text())["last_commit_ts"])
        self.process = subprocess.Popen(
            [TOOL.parent / "fakepd", "--etcd", free_address(), "--cluster-id", "7", "--tikv",
             corpus, "--tso", str(last + (3600 * 1000 << 18))], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.source = "tikv:http://" + line.split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()


@check
def tikv_gives_the_same_jobs(_folder):
    with FakePd(HISTORY.parent) as pd:
        assert ok(pd.source, "each", LAST, 0) == in_order(LAST, 0)
        assert ok(pd.source, "each", 100, 0) == in_order(100, 0)
        assert ok(pd.source, "job", 103, 2) == "103 3\n2 1\n"
        with Follower(pd.source) as source:
            for above, version in ((0, LAST), (100, LAST), (60, 100), (0, LAST), (LAST, LAST)):
                assert source.jobs(above, version) == [
                    tuple(map(int, line.split())) for line in in_order(version, 0).splitlines()
                    if int(line.split()[1]) > above], (above, version)
        assert ok(pd.source, "job", 9999) == "SL_NOT_FOUND TiKV has no DDL job 9999 yet\n"
    refused(f"tikv:http://{free_address()}", ("each", LAST), "SL_UNAVAILABLE", "DDL jobs in TiKV")


@check
def jobs_of_a_source_make_the_tables(_folder):
    names = [line[3:] for line in (HISTORY.parent / "expected/schema.sql").read_text().splitlines()
             if line.startswith("-- ")]
    with Server() as tidb:
        for source in (tidb.source, f"file:{HISTORY}"):
            tables = [table for table in ok(source, "tables", LAST, 0).splitlines()
                      if not table.startswith("mysql.")]
            assert sorted(tables) == sorted(names), source


run_checks(CHECKS)
