"""What a drainer reads and where it writes, in a test's hands: a pump that says what it is told to
(tests/tools/feedpump.c), the history of DDL, and the drainer process between them and a MariaDB.

    feed = Feed(cluster).start()
    feed.tables()                            creates d.k, which has a key, and d.n, which has none
    feed.insert("k", (1, "one"))             a transaction; its commit ts
    drainer = Drainer(cluster, server.port).start()
    drainer.wait_for_ts(feed.last)
"""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from cluster import BIN, SECONDS_MAX, TOOLS, free_address, wait_for

TOOL = TOOLS / "feedpump"
CLUSTER = 42
BIGINT, VARCHAR = 8, 15
NOT_NULL_KEY, PLAIN = 3, 0
INSERT, UPDATE, DELETE_ROW = 0, 1, 4
CREATE_SCHEMA, CREATE_TABLE, ADD_INDEX, RECOVER_TABLE = 1, 3, 7, 25
DATABASE_ID, KEYED_ID, KEYLESS_ID = 10, 11, 12
STOP_S = 5  # a stop may take


# ---- bytes ----


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value % 2**64)


def lump(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def value(item):
    """A datum in a row: None, an integer, text or bytes."""
    if item is None:
        return b"\x00"
    if isinstance(item, int):
        return b"\x08" + varint((item << 1 ^ item >> 63) % 2**64)
    data = item if isinstance(item, bytes) else item.encode()
    return b"\x02" + varint(len(data) << 1) + data


def row(*items):
    """The columns 1, 2, ..."""
    return b"".join(value(i) + value(item) for i, item in enumerate(items, 1))


def mutation(table_id, *changes):
    """Of (INSERT, handle, row), (UPDATE, old, new), (DELETE_ROW, row), rows as bytes."""
    out = number(1, table_id)
    for kind, *parts in changes:
        if kind == INSERT:
            out += lump(2, value(parts[0]) + parts[1])
        elif kind == UPDATE:
            out += lump(3, parts[0] + parts[1])
        else:
            out += lump(6, parts[0])
    return out + b"".join(number(7, kind) for kind, *_ in changes)


def prewrite_value(schema_version, *mutations):
    return number(1, schema_version) + b"".join(lump(2, m) for m in mutations)


def binlog(kind, start, commit, prewrite=b"", query=b"", job=0):
    out = number(1, kind) + number(2, start) + number(3, commit)
    if prewrite:
        out += lump(4, b"t") + lump(5, prewrite)
    if query:
        out += lump(6, query)
    return out + number(7, job) + number(8, 5 if job else 0)


# ---- schema ----


def name(text):
    return {"O": text, "L": text.lower()}


def column(number_, text, kind, flags, length, charset="binary"):
    return {"id": number_, "name": name(text), "offset": number_ - 1, "origin_default": None,
            "default": None, "default_bit": None, "generated_expr_string": "",
            "generated_stored": False, "dependences": None,
            "type": {"Tp": kind, "Flag": flags, "Flen": length, "Decimal": 0, "Charset": charset,
                     "Collate": "binary" if charset == "binary" else "utf8mb4_bin", "Elems": None},
            "state": 5, "comment": ""}


def table(table_id, text, columns, pk_is_handle):
    return {"id": table_id, "name": name(text), "charset": "utf8mb4", "collate": "utf8mb4_bin",
            "cols": columns, "index_info": None, "fk_info": None, "state": 5,
            "pk_is_handle": pk_is_handle, "comment": "", "auto_inc_id": 0,
            "max_col_id": len(columns), "max_idx_id": 0, "update_timestamp": 0,
            "ShardRowIDBits": 0, "partition": None, "compression": "", "view": None}


KEYED = table(KEYED_ID, "k", [column(1, "id", BIGINT, NOT_NULL_KEY, 20),
                              column(2, "v", VARCHAR, PLAIN, 200, "utf8mb4")], True)
KEYLESS = table(KEYLESS_ID, "n", [column(1, "a", BIGINT, PLAIN, 20),
                                  column(2, "v", VARCHAR, PLAIN, 200, "utf8mb4")], False)
CREATE_K = "create table d.k (id bigint primary key, v varchar(200))"
CREATE_N = "create table d.n (a bigint, v varchar(200))"


class Feed:
    """A pump that says what the test wants, and the history of DDL that goes with it."""

    def __init__(self, cluster, text="feed", mode="honest"):
        self.cluster = cluster
        self.name = text
        self.mode = mode
        self.path = cluster.folder / f"{text}.frames"
        self.history = cluster.folder / "registry/ddl-history.jsonl"
        self.record = cluster.folder / "registry/pumps" / f"{text}.json"
        self.path.touch()
        self.process = None
        self.address = ""
        self.version = 0
        self.last = 0  # the newest commit ts

    def start(self):
        self.process = subprocess.Popen([TOOL, self.path, self.mode], stdout=subprocess.PIPE,
                                        text=True)
        self.cluster.processes.append(self.process)
        self.address = self.process.stdout.readline().strip()
        self.register("online")
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def register(self, state):
        text = json.dumps({"nodeId": self.name, "host": self.address, "state": state,
                           "isAlive": False, "score": 0, "label": None,
                           "maxCommitTS": self.last, "updateTS": 0}, separators=(",", ":"))
        self.record.parent.mkdir(exist_ok=True)
        made = self.record.with_suffix(".test")
        made.write_text(text)
        os.rename(made, self.record)

    def tick(self):
        """A timestamp above all before, below what the cluster's clock says in a moment."""
        self.last = max(self.last + 1, (int(time.time() * 1000) - 1) << 18)
        return self.last

    def put(self, payload):
        """Say these bytes, a Binlog or not."""
        with open(self.path, "ab") as out:
            out.write(len(payload).to_bytes(4, "little") + payload)

    def ddl(self, kind, query, table_info=None, job=None, table_id=0):
        """A finished job, in the history and in the stream."""
        self.version += 1
        job = job or 100 + self.version
        start, commit = self.tick(), self.tick()
        info = {"SchemaVersion": self.version, "DBInfo": None, "TableInfo": table_info,
                "FinishedTS": start}
        if kind == CREATE_SCHEMA:
            info["DBInfo"] = {"id": DATABASE_ID, "db_name": name("d"), "charset": "utf8mb4",
                              "collate": "utf8mb4_bin", "state": 5}
        line = {"id": job, "type": kind, "schema_id": DATABASE_ID,
                "table_id": table_info["id"] if table_info else table_id, "state": 6, "err": None,
                "err_count": 0, "row_count": 0, "raw_args": None, "schema_state": 5,
                "snapshot_ver": 0, "start_ts": start, "dependency_id": 0, "query": query,
                "binlog": info, "version": 1, "reorg_meta": None, "priority": 0}
        with open(self.history, "a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        self.put(binlog(1, start, commit, query=query.encode(), job=job))
        return commit

    def tables(self):
        self.ddl(CREATE_SCHEMA, "create database d")
        self.ddl(CREATE_TABLE, CREATE_K, KEYED)
        return self.ddl(CREATE_TABLE, CREATE_N, KEYLESS)

    def transaction(self, *mutations):
        start, commit = self.tick(), self.tick()
        self.put(binlog(1, start, commit, prewrite_value(self.version, *mutations)))
        return commit

    def insert(self, *rows):
        """One transaction: each of the rows (number, text) into k and into n."""
        return self.transaction(
            mutation(KEYED_ID, *((INSERT, r[0], value(2) + value(r[1])) for r in rows)),
            mutation(KEYLESS_ID, *((INSERT, r[0], row(*r)) for r in rows)))

    def fake(self):
        """Nothing more at or below the present."""
        ts = self.tick()
        self.put(binlog(2, ts, ts))
        return ts


class Drainer:
    """A drainer process that writes to a server on a port of this machine."""

    def __init__(self, cluster, port, text="d", *flags, user="root", config="", to="", syncer=""):
        self.cluster = cluster
        self.name = text
        self.flags = flags
        self.address = free_address()
        self.log = cluster.folder / f"{text}.log"
        self.process = None
        self.config = cluster.folder / f"{text}.toml"
        self.config.write_text(
            f'initial-commit-ts = 0\n{config}\n[syncer]\ndb-type = "mysql"\nworker-count = 4\n'
            f'{syncer}\n[syncer.to]\nhost = "127.0.0.1"\nport = {port}\nuser = "{user}"\n{to}\n')

    def command(self):
        return [BIN / "drainer", "-config", self.config, "-addr", self.address, "-pd-urls",
                self.cluster.url, "-data-dir", self.cluster.folder / f"{self.name}.data",
                "-node-id", self.name, *self.flags]

    def spawn(self, **more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, **more)
        self.cluster.processes.append(self.process)
        return self

    def start(self):
        self.spawn()
        wait_for(f"{self.name} serves", self.serves)
        return self

    def serves(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return self.ask("/healthz")[0] == 200
        except OSError:
            return False

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=30) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def status(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return json.loads(self.ask("/status")[1])["sluice"]

    def series(self):
        """The numbers of /metrics by name and labels as they stand there."""
        lines = self.ask("/metrics")[1].splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines
                if not line.startswith("#")}

    def wait_for_state(self, state, *words, seconds=SECONDS_MAX):
        """Its state, with these words in its code or reason; the status."""

        def seen():
            told = self.status()
            text = f"{told['code']} {told['reason']}"
            return told if told["state"] == state and all(word in text for word in words) else None

        try:
            return wait_for(f"{state}", seen, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late} {words}: {self.status()}") from late

    def wait_for_ts(self, ts, seconds=SECONDS_MAX):
        """All up to ts is applied and saved."""
        try:
            wait_for(f"ts {ts}", lambda: self.saved() >= ts, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.status()}") from late

    def saved(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return json.loads(self.ask("/status")[1])["LastTS"]

    def stop(self, seconds=STOP_S):
        """An orderly end within the time that is promised."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=seconds)
        assert code == 0, (code, self.log.read_text()[-3000:])

    def kill(self):
        self.process.kill()
        self.process.wait()


def rows_of(server, text):
    """(number, text) of d.k or d.n, sorted."""
    first = "id" if text == "k" else "a"
    lines = server.client(f"SELECT {first}, v FROM d.{text} ORDER BY {first}, v").splitlines()
    return [(int(line.split("\t")[0]), line.split("\t")[1]) for line in lines]


def check_rows(server, rows):
    """Both tables hold these rows, each once."""
    for text in ("k", "n"):
        found = rows_of(server, text)
        assert found == sorted(rows), (text, len(found), len(rows),
                                       sorted(set(rows) ^ set(found))[:5])


class Load:
    """Transactions one after another until the end of `with`: rows of d.k and d.n, one to three
    each. `rows` are those that were said."""

    PAUSE_S = 0.004  # between two: a load, not a flood

    def __init__(self, feed, first=1):
        self.feed = feed
        self.next = first
        self.rows = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def run(self):
        while self.goes_on.is_set():
            count = self.next % 3 + 1
            rows = [(self.next + i, f"text {self.next + i}") for i in range(count)]
            self.feed.insert(*rows)
            self.rows += rows
            self.next += count
            time.sleep(self.PAUSE_S)

    def end(self):
        """No more; all of it can be given out. The last timestamp."""
        if self.goes_on.is_set():
            self.goes_on.clear()
            self.thread.join()
            self.feed.fake()
        return self.feed.last
