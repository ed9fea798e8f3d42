"""A recording that is made, not recorded: transactions between those DDL jobs that a server can run
twice without a word (an ADD INDEX without a name, EXCHANGE PARTITION, a RENAME that moves three
tables in a circle), TRUNCATE, and rows of tables that have no key, or only a unique one over NULLs.
It has the form of tests/corpus, expected/ included, so that it is played and compared as those are.

    a     (a, b)                          no key, and a new index without a name in each round
    n     (a, b), unique (b)              b is NULL in most rows: no key either
    p     (id, v), two partitions         p0 changes places with e
    e     (id, v)
    r0..2 (id, v)                         move in a circle
    t     (id, v), truncated in each round; rows of the new table come before the TRUNCATE's own
          binlog, as TiDB sends them
    i     (a)                             no key: a row in each transaction

What is expected is kept beside the making, by a model that knows rows and names only."""

import json
import random

from pump_resolver import C, P, field, record, ts

CLUSTER = 7_700_000_000_000_000_001
DATABASE = 100
STEP_MS = 5  # between two transactions
INSERT, UPDATE, DELETE = 0, 1, 4
INT, NOT_NULL_PRIMARY = 3, 3
PUBLIC = 5
SYNCED = 6
CREATE_SCHEMA, CREATE_TABLE, ADD_INDEX, TRUNCATE = 1, 3, 7, 11
EXCHANGE_PARTITION, RENAME_TABLES, CREATE_TABLES = 42, 47, 60


# ---- values and rows (codec spec 1.2, 2.3) ----


def integer(value):
    """A varint behind its flag."""
    out, rest = b"\x08", (value << 1) ^ (value >> 63)
    rest &= 2 ** 64 - 1
    while rest >= 0x80:
        out += bytes([rest & 0x7F | 0x80])
        rest >>= 7
    return out + bytes([rest])


def datum(value):
    return b"\x00" if value is None else integer(value)


def row(values):
    """Columns with their ids, from 1 on."""
    return b"".join(integer(i + 1) + datum(v) for i, v in enumerate(values))


class Table:
    """What TiDB has of it: its id, its rows, the number of the next row without a key."""

    def __init__(self, table_id, name, columns, keyed, unique=None):
        self.id = table_id
        self.name = name
        self.columns = columns
        self.keyed = keyed  # the first column is the handle
        self.unique = unique
        self.rows = []  # lists of values
        self.handles = {}  # of rows without a key: id(row) to its number
        self.next_handle = 1

    def handle_of(self, values):
        return values[0] if self.keyed else self.handles[id(values)]

    def tail(self, values):
        """What updates and deletes say of the handle that is no column."""
        return b"" if self.keyed else integer(-1) + integer(self.handles[id(values)])

    def insert(self, values):
        self.rows.append(values)
        if not self.keyed:
            self.handles[id(values)] = self.next_handle
            self.next_handle += 1
        return INSERT, integer(self.handle_of(values)) + row(values)

    def update(self, values, column, value):
        old = row(values) + self.tail(values)
        values[column] = value
        return UPDATE, old + row(values) + self.tail(values)

    def delete(self, values):
        out = row(values) + self.tail(values)
        self.rows.remove(values)
        return DELETE, out


def mutation(table_id, changes):
    fields = {INSERT: 2, UPDATE: 3, DELETE: 6}
    out = field(1, table_id)
    for kind in fields:
        out += b"".join(field(fields[kind], data) for k, data in changes if k == kind)
    return out + b"".join(field(7, kind) for kind, _ in changes)


# ---- jobs (codec spec 3) ----


def name_of(text):
    return {"O": text, "L": text.lower()}


def column_info(place, name, flag):
    return {"id": place + 1, "name": name_of(name), "offset": place, "origin_default": None,
            "default": None, "default_bit": None, "generated_expr_string": "", "state": PUBLIC,
            "type": {"Tp": INT, "Flag": flag, "Flen": 11, "Decimal": 0, "Charset": "binary",
                     "Collate": "binary", "Elems": None}}


def index_info(number, name, column, place, unique):
    return {"id": number, "idx_name": name_of(name), "tbl_name": name_of(""),
            "idx_cols": [{"name": name_of(column), "offset": place, "length": -1}],
            "is_unique": unique, "is_primary": False, "state": PUBLIC, "index_type": 1}


class Maker:
    """Builds the recording transaction by transaction."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.records = []
        self.jobs = []
        self.tables = {}
        self.indexes = {}  # table name to [(name, column, unique)]
        self.partitions = [201, 202]  # ids
        self.next_id = 300
        self.version = 0
        self.next_job = 1
        self.now = 0

    # -- time and records --

    def tick(self):
        self.now += 1
        return ts(self.now * STEP_MS)

    def send(self, payload):
        """It arrives now."""
        self.records.append((self.now * STEP_MS * 1_000_000, payload))

    def write(self, *changes):
        """One transaction; changes: pairs of a table and what one of its methods returned."""
        by_table = {}
        for table, change in changes:
            by_table.setdefault(table.id, []).append(change)
        value = field(1, self.version)
        for table_id, those in by_table.items():
            value += field(2, mutation(table_id, those))
        start = self.tick()
        self.send(record(P, start, key=b"k%d" % start, value=value))
        self.send(record(C, start, self.tick(), key=b"k%d" % start))

    # -- DDL --

    def info(self, table, name=None):
        flags = [NOT_NULL_PRIMARY if table.keyed and i == 0 else 0
                 for i in range(len(table.columns))]
        indexes = self.indexes.get(table.name, [])
        out = {"id": table.id, "name": name_of(name or table.name), "charset": "utf8mb4",
               "collate": "utf8mb4_bin", "state": PUBLIC, "pk_is_handle": table.keyed,
               "cols": [column_info(i, c, flags[i]) for i, c in enumerate(table.columns)],
               "index_info": [index_info(i + 1, index, column, table.columns.index(column), unique)
                              for i, (index, column, unique) in enumerate(indexes)],
               "max_col_id": len(table.columns), "partition": None}
        if table.name == "p":
            out["partition"] = {"type": 1, "expr": "`id`", "columns": None, "enable": True,
                                "num": 2, "definitions": [
                                    {"id": i, "name": name_of(f"p{n}"), "less_than": [less]}
                                    for n, (i, less) in enumerate(zip(self.partitions,
                                                                      ("100", "200")))]}
        return out

    def job(self, kind, query, table_id=0, infos=(), args=None, between=None):
        """The history's line, then the binlog; `between` is called in between: what it writes is
        committed before the DDL's own binlog."""
        self.version += 1
        job_id, self.next_job = self.next_job, self.next_job + 1
        start = self.tick()
        finished = self.tick()
        binlog = {"SchemaVersion": self.version, "FinishedTS": finished, "DBInfo": None,
                  "TableInfo": infos[0] if len(infos) == 1 else None}
        if len(infos) > 1:
            binlog["MultipleTableInfos"] = list(infos)
        if kind == CREATE_SCHEMA:
            binlog["DBInfo"] = {"id": DATABASE, "db_name": name_of("m"), "charset": "utf8mb4",
                                "collate": "utf8mb4_bin", "state": PUBLIC}
        self.jobs.append({"id": job_id, "type": kind, "schema_id": DATABASE, "table_id": table_id,
                          "state": SYNCED, "err": None, "raw_args": args, "schema_state": PUBLIC,
                          "start_ts": start, "query": query, "binlog": binlog, "version": 1})
        more = {"key": b"d%d" % job_id, "query": query.encode(), "job": job_id}
        self.send(record(P, finished, **more))
        if between:
            between()
        self.send(record(C, finished, self.tick(), **more))

    def create(self, name, columns, keyed, more="", unique=None):
        table = Table(self.next_id, name, columns, keyed, unique)
        self.next_id += 1
        self.tables[name] = table
        if unique:
            self.indexes[name] = [("u" + unique, unique, True)]
        text = ", ".join(f"{c} int{' primary key' if keyed and i == 0 else ''}"
                         for i, c in enumerate(columns))
        text += f", unique key u{unique} ({unique})" if unique else ""
        self.job(CREATE_TABLE, f"create table m.{name} ({text}){more}", table.id,
                 [self.info(table)])

    def add_index(self):
        table = self.tables["a"]
        own = self.indexes.setdefault("a", [])
        own.append(("a" if not own else f"a_{len(own) + 1}", "a", False))
        self.job(ADD_INDEX, "alter table m.a add index (a)", table.id, [self.info(table)])

    def exchange(self):
        """p0 and e: rows and ids change places."""
        p, e = self.tables["p"], self.tables["e"]
        inside = [r for r in p.rows if r[0] < 100]
        p.rows = [r for r in p.rows if r[0] >= 100] + e.rows
        e.rows = inside
        old, partition = e.id, self.partitions[0]
        self.partitions[0], e.id = old, partition
        self.job(EXCHANGE_PARTITION, "alter table m.p exchange partition p0 with table m.e", old,
                 [self.info(p)], [partition, DATABASE, p.id, "p0", True])

    def rename(self):
        first, second, third = (self.tables[name] for name in ("r0", "r1", "r2"))
        steps = [(first, "r3"), (second, "r0"), (third, "r1"), (first, "r2")]
        query = "rename table m.r0 to m.r3, m.r1 to m.r0, m.r2 to m.r1, m.r3 to m.r2"
        infos = [self.info(table, to) for table, to in steps]
        for table, name in ((first, "r2"), (second, "r0"), (third, "r1")):
            table.name = name
            self.tables[name] = table
        self.job(RENAME_TABLES, query, first.id, infos)

    def truncate(self):
        table = self.tables["t"]
        old, table.id = table.id, self.next_id
        self.next_id += 1
        table.rows = []
        self.job(TRUNCATE, "truncate table m.t", old, [self.info(table)],
                 between=lambda: self.rows(3))

    # -- rows --

    def change(self, table):
        """A change of a kind and a row of chance."""
        kind = self.chance.choice((INSERT, INSERT, UPDATE, DELETE))
        if kind == INSERT or not table.rows:
            return table, table.insert(self.fresh(table))
        values = self.chance.choice(table.rows)
        if kind == DELETE:
            return table, table.delete(values)
        last = len(values) - 1
        return table, table.update(values, last if table.keyed else 0, self.chance.randrange(9))

    def fresh(self, table):
        if not table.keyed:
            out = [self.chance.randrange(5) for _ in table.columns]
            if table.unique:  # most are NULL, the others never the same
                out[1] = None if self.chance.random() < 0.8 else table.next_handle
            return out
        most = 200 if table.name == "p" else 100
        used = {r[0] for r in table.rows}
        free = [i for i in range(most) if i not in used]
        return [self.chance.choice(free), self.chance.randrange(1000)]

    def rows(self, count):
        """So many transactions over all tables."""
        for _ in range(count):
            names = self.chance.sample(sorted(self.tables), self.chance.randint(1, 3))
            changes = [self.change(self.tables[name]) for name in names
                       for _ in range(self.chance.randint(1, 3))]
            once = self.tables["i"]
            changes.append((once, once.insert([self.now])))
            self.write(*changes)


def expected_file(table):
    cells = sorted("\t".join("\\N" if v is None else str(v) for v in r) for r in table.rows)
    return "".join(line + "\n" for line in ["\t".join(table.columns), *cells])


def save(maker, folder):
    """Write what was made into the new folder."""
    folder.mkdir()
    out = b""
    for arrival_ns, payload in maker.records:
        out += len(payload).to_bytes(4, "little") + bytes(4) + arrival_ns.to_bytes(8, "little")
        out += payload
    (folder / "writes.bin").write_bytes(out)
    (folder / "ddl-history.jsonl").write_text("".join(json.dumps(j) + "\n" for j in maker.jobs))
    (folder / "meta.json").write_text(json.dumps(
        {"cluster_id": str(CLUSTER), "first_start_ts": str(ts(0)),
         "last_commit_ts": str(ts(maker.now * STEP_MS))}))
    (folder / "expected").mkdir()
    for table in maker.tables.values():
        (folder / "expected" / f"m.{table.name}.tsv").write_text(expected_file(table))


def make_steady(folder, count, last=lambda maker: None):
    """A stream that updates the row k(1), whose key is id, and adds a row to l, which has no key,
    again and again; `last` adds to it at the end."""
    m = Maker(0)
    m.job(CREATE_SCHEMA, "create database m")
    m.create("k", ["id", "v"], True)
    m.create("l", ["a"], False)
    row_of, other = m.tables["k"], m.tables["l"]
    one = [1, 0]
    m.write((row_of, row_of.insert(one)))
    for i in range(count):
        m.write((row_of, row_of.update(one, 1, i)), (other, other.insert([i])))
    last(m)
    save(m, folder)


def make(folder, seed, rounds, rows=12):
    """The recording of the head of this file, in the new folder."""
    m = Maker(seed)
    m.job(CREATE_SCHEMA, "create database m")
    m.create("a", ["a", "b"], False)
    m.create("n", ["a", "b"], False, unique="b")
    m.create("p", ["id", "v"], True, " partition by range (id) (partition p0 values less than "
             "(100), partition p1 values less than (200))")
    m.create("e", ["id", "v"], True)
    for name in ("r0", "r1", "r2", "t"):
        m.create(name, ["id", "v"], True)
    m.create("i", ["a"], False)
    for _ in range(rounds):
        steps = [m.add_index, m.exchange, m.rename, m.truncate]
        m.chance.shuffle(steps)
        for step in steps:
            m.rows(rows)
            step()
    m.rows(rows)
    save(m, folder)
