#!/usr/bin/env python3
"""The DDL of each recording, as ddl.h plans it, on a real MariaDB: statement by statement in the
order of the stream none fails, run once or twice where that is promised, and at the end there are
the tables and columns that TiDB had. Uses tests/tools/ddl_statements.c. Skipped where there is no
MariaDB server."""

import json
import re
import subprocess

from cluster import ROOT, TOOLS, Skip, run_checks
from mariadb import Missing, mariadb

TOOL = TOOLS / "ddl_statements"
CORPORA = ("types", "ddl", "ddl_quiet", "bank")


def actions(name):
    """What each DDL of the recording does, without those of the schema that drainers ignore."""
    done = subprocess.run([TOOL, ROOT / "tests/corpus" / name, "mariadb"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    planned = [json.loads(line) for line in done.stdout.splitlines()]
    return [action for action in planned if action["schema"] != "mysql"]


def wanted(name):
    """The columns of each table that TiDB had at the end, and its databases."""
    text = (ROOT / "tests/corpus" / name / "expected/schema.sql").read_text()
    databases = set(re.findall(r"^CREATE DATABASE `(.*?)`", text, re.M))
    tables = {}
    for block in re.split(r"^-- ", text, flags=re.M)[1:]:
        tables[block.split("\n", 1)[0]] = re.findall(r"^  `((?:[^`]|``)*)`", block, re.M)
    return databases, {table: [column.replace("``", "`") for column in columns]
                       for table, columns in tables.items()}


def found(server):
    """The same of the server."""
    own = "('mysql', 'information_schema', 'performance_schema', 'sys')"
    databases = server.client("select schema_name from information_schema.schemata where "
                              f"schema_name not in {own}").split()
    rows = server.client("select table_schema, table_name, column_name from information_schema."
                         f"columns where table_schema not in {own} order by table_schema, "
                         "table_name, ordinal_position").splitlines()
    tables = {}
    for schema, table, column in (row.split("\t") for row in rows):
        tables.setdefault(f"{schema}.{table}", []).append(column)
    return set(databases), tables


def execute(server, action):
    """Each statement by itself, as a drainer does."""
    use = f"USE `{action['use']}`;\n" if action["use"] else ""
    for text in action["texts"]:
        try:
            server.client(f"SET foreign_key_checks = 0;\n{use}{text}\n;")
        except AssertionError as problem:
            raise AssertionError(f"job {action['job']}: {text}: {problem}") from None


def play(folder, name, twice):
    try:
        server = mariadb(folder)
    except Missing as reason:
        raise Skip(reason) from None
    with server:
        for action in actions(name):
            execute(server, action)
            if twice and action["repeat"] == "repeatable":
                execute(server, action)
        want, got = wanted(name), found(server)
        assert got[0] == want[0], f"databases {got[0]}, wanted {want[0]}"
        assert sorted(got[1]) == sorted(want[1]), f"tables {sorted(got[1])}"
        for table, columns in want[1].items():
            assert got[1][table] == columns, f"{table}: {got[1][table]}, wanted {columns}"


def converted(folder):
    """What TiDB holds as utf8mb4 is so downstream, also where the table was made as utf8."""
    try:
        server = mariadb(folder)
    except Missing as reason:
        raise Skip(reason) from None
    with server:
        for action in actions("ddl"):
            execute(server, action)
        assert server.client("select character_set_name from information_schema.columns where "
                             "table_schema = 'd1' and table_name = 'cs' and column_name = 's'") \
            == "utf8mb4\n"


# Another default than TiDB's for whatever is made without naming one.
FOLDING = ["--collation-server=utf8mb4_general_ci", "--sql-mode=STRICT_TRANS_TABLES"]


def told(name):
    """What TiDB's jobs say at the end of each database, and of each column of text."""
    databases, tables = {}, {}
    for line in (ROOT / "tests/corpus" / name / "ddl-history.jsonl").read_text().splitlines():
        job = json.loads(line)
        version = job["binlog"]["SchemaVersion"]
        database, table = job["binlog"].get("DBInfo"), job["binlog"].get("TableInfo")
        if database and database["db_name"]["L"] != "mysql":
            databases.setdefault(database["db_name"]["O"], []).append(
                (version, database["charset"], database["collate"]))
        for info in [table] if table else []:
            tables.setdefault(info["id"], []).append((version, info))
    databases = {key: sorted(of)[-1][1:] for key, of in databases.items()}
    columns = {}
    for versions in tables.values():
        info = max(versions, key=lambda pair: pair[0])[1]
        columns[info["id"]] = {
            "": (info["charset"], info["collate"]),
            **{column["name"]["O"]: (column["type"]["Charset"], column["type"]["Collate"])
               for column in info["cols"] or [] if column["type"]["Charset"] != "binary"}}
    return databases, columns


def in_words_of_tidb(*names):
    """MariaDB says utf8mb3 where TiDB says utf8."""
    return tuple(name.replace("utf8mb3", "utf8") for name in names)


def collations(server):
    """The same of the server, by names."""
    own = "('mysql', 'information_schema', 'performance_schema', 'sys', 'tidb_binlog')"
    databases = {row[0]: in_words_of_tidb(*row[1:]) for row in rows(
        server, "select schema_name, default_character_set_name, default_collation_name from "
                f"information_schema.schemata where schema_name not in {own}")}
    tables = {}
    for schema, table, column, charset, collation in rows(
            server, "select table_schema, table_name, column_name, character_set_name, "
                    "collation_name from information_schema.columns where data_type <> 'longtext' "
                    f"and collation_name is not null and table_schema not in {own}"):
        tables.setdefault((schema, table), {})[column] = in_words_of_tidb(charset, collation)
    for schema, table, collation in rows(
            server, "select table_schema, table_name, table_collation from information_schema."
                    f"tables where table_type = 'BASE TABLE' and table_schema not in {own}"):
        charset, collation = in_words_of_tidb(collation.split("_")[0], collation)
        tables.setdefault((schema, table), {})[""] = (charset, collation)
    return databases, tables


def rows(server, sql):
    """A query's rows."""
    return [row.split("\t") for row in server.client(sql).splitlines()]


def ids(name):
    """The table ids that TiDB had at the end, by names."""
    meta = {}
    for line in (ROOT / "tests/corpus" / name / "ddl-history.jsonl").read_text().splitlines():
        job = json.loads(line)
        if job["binlog"].get("TableInfo"):
            info = job["binlog"]["TableInfo"]
            meta.setdefault(info["name"]["O"], []).append((job["binlog"]["SchemaVersion"],
                                                           info["id"]))
    return {table: max(versions)[1] for table, versions in meta.items()}


def compared(folder, name, options):
    """Databases, tables and columns of text compare as TiDB's description says."""
    try:
        server = mariadb(folder, *options)
    except Missing as reason:
        raise Skip(reason) from None
    with server:
        for action in actions(name):
            execute(server, action)
        want, got, by_name = told(name), collations(server), ids(name)
        seen = 0
        for database, names in got[0].items():
            assert names == want[0][database], f"{database}: {names}, told {want[0][database]}"
        for (schema, table), columns in got[1].items():
            told_of_it = want[1][by_name[table]]
            for column, names in columns.items():
                assert names == told_of_it[column], \
                    f"{schema}.{table}.{column}: {names}, told {told_of_it[column]}"
                seen += 1
        assert seen > 3, seen


def keys_of_both_cases(folder):
    """Keys that differ by case alone are two, where the server takes them for one by default."""
    try:
        server = mariadb(folder, *FOLDING)
    except Missing as reason:
        raise Skip(reason) from None
    with server:
        for action in actions("types"):
            execute(server, action)
        server.client("CREATE TABLE types.folded (k varchar(32) COLLATE utf8mb4_general_ci primary "
                      "key, v int, w text)")
        for table, left in (("folded", "A\t2\n"), ("pk_vc", "A\t2\na\t1\n")):
            for key, value in (("a", 1), ("A", 2)):
                server.client(f"REPLACE INTO types.{table} VALUES ('{key}', {value}, '')")
            got = server.client(f"SELECT k, v FROM types.{table} ORDER BY v DESC")
            assert got == left, f"{table}: {got}"


def collations_of(name, options, words):
    """A check with a name of its own."""
    def check(folder):
        compared(folder, name, options)
    check.__name__ = f"{name}_compares_as_told_{words}"
    return check


def shown(server, database):
    """SHOW CREATE TABLE of each of its tables."""
    rows = server.client("select table_name from information_schema.tables where table_schema = "
                         f"'{database}' and table_type = 'BASE TABLE'").splitlines()
    texts = {}
    for row in rows:
        quoted = row.replace("`", "``")
        text = server.client(f"SHOW CREATE TABLE `{database}`.`{quoted}`")
        lines = [line.strip().rstrip(",") for line in text.splitlines()]
        # Foreign keys are left out of what is made. A plain `decimal` has 11 digits in this TiDB.
        texts[row] = [re.sub(r" AUTO_INCREMENT=\d+", "", line).replace("(11,0)", "(10,0)")
                      for line in lines if not re.match("KEY `fk|CONSTRAINT ", line)]
    return texts


def made_from_infos(folder, name):
    """A table made from its TableInfo is the table that its statements made."""
    try:
        server = mariadb(folder)
    except Missing as reason:
        raise Skip(reason) from None
    done = subprocess.run([TOOL.parent / "schema_jobs",
                           f"file:{ROOT}/tests/corpus/{name}/ddl-history.jsonl", "creates",
                           str(10 ** 9)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    creates = [line.split("\t", 2) for line in done.stdout.splitlines()]
    with server:
        for action in actions(name):
            execute(server, action)
        seen = 0
        for database in {create[0] for create in creates} - {"mysql"}:
            server.client(f"CREATE DATABASE `copy_{database}`")
            for _, _, text in (create for create in creates if create[0] == database):
                server.client(text)
            want, got = shown(server, database), shown(server, f"copy_{database}")
            assert sorted(want) == sorted(got)
            for table, text in want.items():
                if table == "charsets":
                    continue  # a charset without a collation has another one by default there
                assert got[table] == text, f"{table}: {got[table]}\nwanted {text}"
                seen += 1
        assert seen > 3


def copies(name):
    """A check with a name of its own."""
    def check(folder):
        made_from_infos(folder, name)
    check.__name__ = f"{name}_from_table_infos"
    return check


def combination(name, twice):
    """A check with a name of its own."""
    def check(folder):
        play(folder, name, twice)
    check.__name__ = f"{name}_{'repeated' if twice else 'once'}"
    return check


run_checks([*(combination(name, twice) for name in CORPORA for twice in (False, True)), converted,
            *(collations_of(name, options, words) for name in ("types", "ddl", "bank")
              for options, words in (([], "binary"), (FOLDING, "folding"))),
            keys_of_both_cases, *(copies(name) for name in ("types", "ddl", "bank"))])
