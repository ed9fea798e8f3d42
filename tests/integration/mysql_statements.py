#!/usr/bin/env python3
"""Row changes as SQL (binlog/statement.h) against a real MariaDB: every kind of value arrives as it
is, rows are found by the right key, and statements keep to the server's limit. Also what later
tests stand on: the rendering of tables, and the proxy that loses answers. Uses
tests/tools/sqldoor.c. Skipped where there is no MariaDB server."""

import contextlib
import pathlib
import random
import sys
import tempfile
import time

from cluster import ROOT, SECONDS_MAX, wait_for
from sqldoor import run_checks, second

sys.path.insert(0, str(ROOT / "tests"))
from lib import render  # noqa: E402
from lib.fault_proxy import Fault, FaultProxy  # noqa: E402

CHECKS = []


def check(function):
    """Mark a function as one of the checks; it gets a Door and a running server."""
    CHECKS.append(function)
    return function


def x(text):
    """A value of text or bytes."""
    return "x" + (text if isinstance(text, bytes) else text.encode()).hex()


def rows_of(door, select):
    return door.server.client(select).splitlines()


# ---- values ----


@check
def every_kind_of_value_arrives(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.v (id INT PRIMARY KEY, bin VARBINARY(300), bl BLOB, tx TEXT,"
                    " js JSON, bt BIT(64), en ENUM('a','b'), st SET('x','y','z'), d DOUBLE,"
                    " f FLOAT, de DECIMAL(30,10), ts TIMESTAMP(6) NULL, ub BIGINT UNSIGNED)")
    columns = "id:v,bin:b,bl:b,tx:t,js:j,bt:v,en:v,st:v,d:v,f:v,de:t,ts:s,ub:v"
    every = bytes(range(256))
    text = "'\"\\\n\r\t\x1a %_ é 中 \U0001f600 "
    row = ["i1", x(every), x(every[::-1]), x(text), x('{"a": "\\"中\\u0000"}'), f"u{2**64 - 1}",
           "u2", "u5", "d1.7976931348623157e308", "d1.100000023841858", x("-12345.0000000001"),
           x("2020-01-01 00:00:00.123456"), f"u{2**64 - 1}"]
    nulls = ["i2"] + ["N"] * 12
    for mode in ("", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES"):
        door.open(f"mode={mode}")
        assert door.ok("write", "replace", "w", "v", columns, ",".join(row), ",".join(nulls)) \
            == "1 2"
        got = door.server.client(
            "SELECT HEX(bin)=HEX('') OR HEX(bin), HEX(bl), HEX(tx), HEX(js), bt+0, en, st, d, f+0,"
            " de, ts, ub FROM w.v WHERE id=1").strip().split("\t")
        assert got[1:] == [every[::-1].hex().upper(), text.encode().hex().upper(),
                           '{"a": "\\"中\\u0000"}'.encode().hex().upper(), str(2**64 - 1), "b",
                           "x,z", "1.7976931348623157e308", "1.100000023841858",
                           "-12345.0000000001", "2020-01-01 00:00:00.123456", str(2**64 - 1)], got
        assert door.server.client("SELECT HEX(bin) FROM w.v WHERE id=1").strip() == \
            every.hex().upper()
        assert rows_of(door, "SELECT COUNT(*) FROM w.v WHERE id=2 AND CONCAT_WS('',bin,bl,tx,js,bt,"
                             "en,st,d,f,de,ts,ub)=''") == ["1"]


@check
def text_that_is_none_stops_and_is_not_cut(door):
    door.open("mode=STRICT_TRANS_TABLES")
    door.ok("exec", "CREATE TABLE w.bad (id INT PRIMARY KEY, tx TEXT)")
    text = door.fails("SL_INVALID", "write", "insert", "w", "bad", "id:v,tx:t",
                      "i1," + x(b"ok\xff"))
    assert "1366" in text and "`tx`" in text, text
    assert rows_of(door, "SELECT COUNT(*) FROM w.bad") == ["0"]


# ---- finding rows ----


@check
def replace_is_the_same_when_done_again(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.r (id INT PRIMARY KEY, u INT UNIQUE, v VARCHAR(10))")
    rows = [f"i{i},i{1000 - i}," + x(f"v{i}") for i in range(500)]
    for _ in range(2):
        assert door.ok("write", "replace", "w", "r", "id:v,u:v,v:t", *rows) == "1 500"
        assert rows_of(door, "SELECT COUNT(*), SUM(u), MAX(v) FROM w.r") == ["500\t375250\tv99"]
    door.fails("SL_INVALID", "write", "insert", "w", "r", "id:v,u:v,v:t", rows[0])
    assert door.error()[0] == 1062


@check
def deletes_find_their_rows_by_any_key(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.a (id INT PRIMARY KEY, v INT)")
    door.ok("exec", "CREATE TABLE w.b (x INT NOT NULL, y VARBINARY(9) NOT NULL, v INT,"
                    " PRIMARY KEY (x, y))")
    door.ok("exec", "CREATE TABLE w.c (x INT, v INT, UNIQUE (x))")
    door.server.client("USE w; INSERT INTO w.a SELECT seq, seq FROM seq_1_to_100;"
                       "INSERT INTO w.b SELECT seq, CHAR(seq+100), seq FROM seq_1_to_100;"
                       "INSERT INTO w.c SELECT seq, seq FROM seq_1_to_100;"
                       "INSERT INTO w.c VALUES (NULL, 1), (NULL, 1)")
    assert door.ok("write", "delete", "w", "a", "ID:v,V:v",
                   *[f"i{i},i{i}" for i in range(1, 100)]) == "1 99"
    assert rows_of(door, "SELECT id FROM w.a") == ["100"]
    assert door.ok("write", "delete", "w", "b", "x:v,y:b,v:v",
                   *[f"i{i}," + x(bytes([i + 100])) + f",i{i}" for i in range(1, 100)]) == "1 99"
    assert rows_of(door, "SELECT x FROM w.b") == ["100"]
    assert door.ok("write", "delete", "w", "c", "x:v,v:v", "i1,i1", "N,i1", "i2,i2") == "3 3"
    assert rows_of(door, "SELECT x, v FROM w.c ORDER BY x LIMIT 2") == ["NULL\t1", "3\t3"]


@check
def one_of_equal_rows_goes_and_others_stay(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.n (f FLOAT, d DOUBLE, t VARCHAR(9) COLLATE utf8mb4_general_ci,"
                    " j JSON, b BIT(9), e ENUM('p','q'), ts TIMESTAMP(3) NULL, bl BLOB)")
    columns = "f:v,d:v,t:t,j:j,b:v,e:v,ts:s,bl:b"
    one = ",".join(["d1.100000023841858", "d0.1", x("Ab"), x('{"a": 1}'), "u257", "u2",
                    x("2020-01-01 00:00:00.120"), x(b"\xff\x00")])
    other = ",".join(["d1.100000023841858", "d0.1", x("aB"), x('{"a": 1}'), "u257", "u2",
                      x("2020-01-01 00:00:00.120"), x(b"\xff\x00")])
    assert door.ok("write", "insert", "w", "n", columns, one, one, other) == "1 3"
    assert door.ok("write", "delete", "w", "n", columns, other) == "1 1"
    assert rows_of(door, "SELECT t FROM w.n") == ["Ab", "Ab"]
    assert door.ok("write", "update", "w", "n", columns, f"{other}/{one}") == "1 1"
    assert rows_of(door, "SELECT t FROM w.n ORDER BY BINARY t") == ["Ab", "aB"]


@check
def update_leaves_alone_what_sets_itself(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.u (id INT PRIMARY KEY, v INT, at TIMESTAMP NULL DEFAULT NULL ON"
                    " UPDATE CURRENT_TIMESTAMP)")
    old, new = "i1,i1," + x("2001-01-01 00:00:00"), "i9,i2," + x("2001-01-01 00:00:00")
    door.ok("write", "insert", "w", "u", "id:v,v:v,at:s", old)
    assert door.ok("write", "update", "w", "u", "id:v,v:v,at:s", f"{new}/{old}",
                   f"{new}/{new}") == "1 1"
    assert rows_of(door, "SELECT * FROM w.u") == ["9\t2\t2001-01-01 00:00:00"]


@check
def generated_and_missing_columns_are_left_out(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.g (id INT PRIMARY KEY, g INT AS (id+1) STORED,"
                    " v INT DEFAULT 7)")
    assert door.ok("write", "insert", "w", "g", "id:v,g:v,v:v", "i1,i99,-", "i2,i99,i3") == "2 2"
    assert rows_of(door, "SELECT * FROM w.g") == ["1\t2\t7", "2\t3\t3"]
    text = door.fails("SL_INVALID", "write", "insert", "w", "g", "id:v,more:v", "i4,i4")
    assert "column more of table w.g does not exist downstream" in text, text
    assert door.ok("write", "insert-partial", "w", "g", "id:v,more:v", "i4,i4") == "1 1"
    assert rows_of(door, "SELECT * FROM w.g WHERE id=4") == ["4\t5\t7"]


@check
def statements_keep_to_the_limit_of_the_server(door):
    door.server.client("SET GLOBAL max_allowed_packet=16384")
    door.open()
    door.ok("exec", "CREATE TABLE w.big (id INT PRIMARY KEY, t BLOB)")
    chance = random.Random(1)
    rows = [f"i{i}," + x(chance.randbytes(chance.randrange(900))) for i in range(60)]
    statements, written = door.ok("write", "insert", "w", "big", "id:v,t:b", *rows).split()
    assert written == "60" and 2 <= int(statements) <= 5, statements
    assert rows_of(door, "SELECT CONCAT('i',id,',x',LOWER(HEX(t))) FROM w.big ORDER BY id") == rows
    text = door.fails("SL_TOO_LARGE", "write", "insert", "w", "big", "id:v,t:b",
                      "i99," + x(b"'" * 9000))
    door.server.client("SET GLOBAL max_allowed_packet=268435456")
    assert "w.big" in text and "max_allowed_packet" in text, text


# ---- what other tests stand on ----


@check
def tables_are_rendered_as_the_recordings_have_them(door):
    door.server.client(
        b"CREATE TABLE w.`odd``t` (id INT(5) ZEROFILL, b VARBINARY(9), t TEXT, bt BIT(20), f FLOAT,"
        b" f2 FLOAT(7,2), ts TIMESTAMP NULL, n INT, `a\tb` INT);"
        b"SET time_zone='+02:00';"
        b"INSERT INTO w.`odd``t` VALUES (7, '\xff\\0', 'NULL', 300, 1.1, 1.1,"
        b" '2020-01-01 02:00:00', NULL, 1), (12, '',"
        b" 'a\\tb\\nc\\\\d\\0', 0, 16777216, 0, NULL, 5, 2);")
    have = render.render(door.server)
    assert set(have) == {"w.odd`t"}, have
    assert have["w.odd`t"] == (
        b"id\tb\tt\tbt\tf\tf2\tts\tn\ta\\tb\n"
        b"12\t\ta\\tb\\nc\\\\d\\0\t0\t16777216\t0.00\t\\N\t5\t2\n"
        b"7\tFF00\tNULL\t300\t1.100000023841858\t1.10\t2020-01-01 00:00:00\t\\N\t1\n"), have


@check
def differences_are_told_and_allowed_ones_are_not(door):
    door.server.client("CREATE TABLE w.t (id INT, v INT); INSERT INTO w.t VALUES (1,1),(2,2),(3,3);"
                       "CREATE TABLE w.extra (id INT)")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "w.t.tsv").write_bytes(b"id\tv\n1\t1\n2\t9\n4\t4\n")
        (folder / "w.gone.tsv").write_bytes(b"id\n")
        assert render.differences(door.server, folder) == [
            "w.extra: the table should not be there", "w.gone: the table is missing",
            "w.t: 2 rows are not as expected, 2 are there instead\n"
            "  key none\n    expected (no such row)\n    found    2 | 2\n"
            "  key none\n    expected 2 | 9\n    found    (no such row)\n"
            "  key none\n    expected (no such row)\n    found    3 | 3\n"
            "  key none\n    expected 4 | 4\n    found    (no such row)"]
        (folder / "w.gone.tsv").unlink()
        door.server.client("DROP TABLE w.extra; UPDATE w.t SET id=4 WHERE id=3")
        (folder / "downstream-differences.tsv").write_text(
            "table\tcolumn\tkey\treason\nw.t\tv\t2\tas it is\nw.t\tv\t4\tlikewise\n")
        assert render.differences(door.server, folder) == []
        door.server.client("UPDATE w.t SET v=8 WHERE id=1")
        assert len(render.differences(door.server, folder)) == 1
    for folder in (ROOT / "tests/corpus").glob("*/expected"):
        assert render.expected(folder), folder


@check
def proxy_loses_the_answer_of_a_commit(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.p (id INT PRIMARY KEY)")
    with FaultProxy(door.server.port) as proxy:
        for number, kind, kept in ((1, "reset-after", True), (2, "reset-before", False)):
            door.ok("open", f"port={proxy.port}")
            fault = Fault(kind, b"COMMIT")
            proxy.faults.append(fault)
            door.ok("exec", "BEGIN")
            door.ok("exec", f"INSERT INTO w.p VALUES ({number})")
            door.fails("SL_RESET", "exec", "COMMIT")
            assert fault.done.wait(SECONDS_MAX) and not proxy.faults
            assert door.error()[2:] == ("retry", True)
            wait_for("the server gave the transaction up", lambda: door.server.client(
                "SELECT COUNT(*) FROM information_schema.innodb_trx").strip() == "0")
            found = rows_of(door, f"SELECT id FROM w.p WHERE id={number}")
            assert found == ([str(number)] if kept else []), (kind, found)


@check
def proxy_stalls_delays_cuts_and_refuses(door):
    with FaultProxy(door.server.port) as proxy:
        door.ok("open", f"port={proxy.port}", "read=1000")
        proxy.faults.append(Fault("stall", b"SELECT 2", skip=1))
        assert door.ok("query", "SELECT 2") == "2"
        door.fails("SL_RESET", "query", "SELECT 2")
        proxy.delay_s = 0.05
        door.ok("open", f"port={proxy.port}")
        began = time.monotonic()
        assert door.ok("query", "SELECT 3") == "3"
        assert time.monotonic() - began >= 0.1
        proxy.delay_s = 0
        proxy.cut()
        door.fails("SL_RESET", "query", "SELECT 4")
        proxy.refuse = True
        door.fails("SL_RESET", "open", f"port={proxy.port}")
        proxy.refuse = False
        door.ok("open", f"port={proxy.port}")
        assert proxy.connections == 3
        with contextlib.closing(proxy), second(door) as other:
            other.ok("open", f"port={proxy.port}")
            assert door.ok("query", "SELECT 5") == other.ok("query", "SELECT 5") == "5"


run_checks(CHECKS)
