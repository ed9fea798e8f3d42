#!/usr/bin/env python3
"""A connection to a downstream (net/mysql.h) against a real MariaDB: sessions as the specification
wants them, every class of error, limits in time, and what a table is like. Uses
tests/tools/sqldoor.c. Skipped where there is no MariaDB server."""

import socket
import tempfile
import time

from cluster import wait_for
from fake_mysql import FakeServer, Sha2Server
from sqldoor import run_checks, second

CHECKS = []


def check(function):
    """Mark a function as one of the checks; it gets a Door and a running server."""
    CHECKS.append(function)
    return function


# ---- sessions ----


@check
def session_is_set_up_as_the_server_allows(door):
    door.open("try:tidb_txn_mode=optimistic", "try:foreign_key_checks=0", "try:tidb_nothing=x")
    session = door.session()
    assert session["kind"] == "mariadb" and session["bytes_max"] == (256 << 20) - 2, session
    assert session["optional"] == 0b010 and session["utf8mb4"], session
    assert session["zone"] == "+00:00", session
    assert door.ok("query", "SELECT @@foreign_key_checks, @@autocommit, @@character_set_client,"
                            "@@character_set_connection, @@local_infile IS NULL, connection_id()") \
        == f"0|1|utf8mb4|utf8mb4|0|{session['thread']}"


@check
def zero_in_a_counting_column_stays_zero(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.counts (id INT PRIMARY KEY AUTO_INCREMENT)")
    door.ok("exec", "INSERT INTO w.counts VALUES (0)")
    assert door.ok("query", "SELECT id FROM w.counts") == "0"


@check
def configured_variables_modes_and_zone_are_used(door):
    door.open("var:time_zone=Europe/Berlin", "var:lock_wait_timeout=7",
              "mode=STRICT_TRANS_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES")
    session = door.session()
    assert session["zone"] == "Europe/Berlin" and session["no_backslash"], session
    assert session["modes"] == {"STRICT_TRANS_TABLES", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES",
                                "NO_AUTO_VALUE_ON_ZERO"}, session
    assert door.ok("query", "SELECT @@time_zone, @@lock_wait_timeout") == "Europe/Berlin|7"


@check
def lenient_session_has_no_strict_mode(door):
    door.open("mode=TRADITIONAL,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,PIPES_AS_CONCAT", "lenient=1")
    assert door.session()["modes"] == {"PIPES_AS_CONCAT", "NO_AUTO_VALUE_ON_ZERO"}
    door.open("var:sql_mode=STRICT_TRANS_TABLES")
    assert "STRICT_TRANS_TABLES" in door.session()["modes"]


@check
def zone_of_the_server_is_fixed_for_the_session(door):
    for zone, wanted in (("Asia/Kolkata", "+05:30"), ("-03:30", "-03:30"), ("+13:00", "+13:00")):
        door.server.client(f"SET GLOBAL time_zone='{zone}'")
        door.open()
        assert door.session()["zone"] == wanted, door.session()
        assert door.ok("query", "SELECT @@time_zone") == wanted
    door.server.client("SET GLOBAL time_zone='SYSTEM'")


@check
def what_cannot_be_set_names_the_variable(door):
    port = f"port={door.server.port}"
    text = door.fails("SL_CONFIG", "open", port, "var:no_such=1")
    assert "no_such" in text and "1193" in text, text
    assert door.error()[0] == 1193
    for zone in ("SYSTEM", "local"):
        text = door.fails("SL_CONFIG", "open", port, f"var:time_zone={zone}")
        assert "time_zone is not supported" in text, text
    text = door.fails("SL_CONFIG", "open", port, "var:time_zone=Nowhere/Land")
    assert "Nowhere/Land" in text and "time zone tables" in text, text
    text = door.fails("SL_CONFIG", "open", port, "try:foreign_key_checks=maybe")
    assert "foreign_key_checks" in text and "maybe" in text, text
    text = door.fails("SL_CONFIG", "open", port, "mode=NO_SUCH_MODE")
    assert "sql_mode" in text and "NO_SUCH_MODE" in text, text


@check
def what_must_not_be_sent_is_refused(door):
    port = f"port={door.server.port}"
    for words, part in ((["var:a=1;b=2", "var:x;y=1"], "x;y"), (["var:a='"], "quotes"),
                        (["host=a=b"], "a=b"), (["host=mariadb://x"], "mariadb://x"),
                        (["host=a,b"], "a,b"), (["mode='"], "sql-mode"), (["connect=0"], "time"),
                        (["read=999999999"], "time")):
        text = door.fails("SL_CONFIG", "open", port, *words)
        assert part in text, text
        assert door.error()[0] == 0


# ---- statements ----


@check
def rows_come_whole_and_one_may_end_the_query(door):
    door.open()
    assert door.ok("query", "SELECT 1, NULL, 'x' UNION ALL SELECT 2, '', 'y'") == "1|\\N|x;2||y"
    many = "|".join(str(i) for i in range(200))
    assert door.ok("query", "SELECT " + many.replace("|", ",")) == many
    assert door.ok("query", "SET @x=1") == ""
    assert door.fails("SL_STOPPED", "query", "SELECT 'stop here' UNION ALL SELECT 'more'")
    assert door.ok("query", "SELECT 'goes on'") == "goes on"


@check
def affected_rows_are_those_found(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.found (id INT PRIMARY KEY, v INT)")
    assert door.ok("exec", "INSERT INTO w.found VALUES (1,1),(2,2)") == "2"
    assert door.ok("exec", "UPDATE w.found SET v=1") == "2"
    assert door.ok("exec", "REPLACE INTO w.found VALUES (1,5)") == "2"
    assert door.ok("exec", "SELECT * FROM w.found") == "0"
    assert door.ok("exec", "DELETE FROM w.found WHERE id=7") == "0"


@check
def results_behind_the_first_are_read(door):
    door.open()
    door.ok("exec", "CREATE PROCEDURE w.two() BEGIN SELECT 1; SELECT 2; END")
    assert door.ok("query", "CALL w.two()") == "1"
    assert door.ok("query", "SELECT 3") == "3"
    door.ok("exec", "CREATE PROCEDURE w.bad() BEGIN SELECT 1; SELECT * FROM w.nothing; END")
    door.fails("SL_INVALID", "query", "CALL w.bad()")
    assert door.ok("query", "SELECT 3") == "3"


@check
def several_statements_and_local_files_are_off(door):
    door.open()
    assert "1064" in door.fails("SL_INVALID", "exec", "SELECT 1; SELECT 2")
    door.ok("exec", "CREATE TABLE w.lines (line TEXT)")
    door.server.client("SET GLOBAL local_infile=ON")
    text = door.fails("SL_INVALID", "exec", "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE"
                                            " w.lines")
    assert "INFILE" in text, text
    assert door.ok("query", "SELECT COUNT(*) FROM w.lines") == "0"


# ---- errors ----


@check
def errors_have_number_state_class_and_advice(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.strict (id INT PRIMARY KEY, v VARCHAR(3))")
    door.ok("exec", "INSERT INTO w.strict VALUES (1,'a')")
    door.ok("exec", "SET sql_mode='STRICT_TRANS_TABLES'")
    for sql, number, state in (("INSERT INTO w.strict VALUES (1,'b')", 1062, "23000"),
                               ("INSERT INTO w.strict VALUES (2,'long')", 1406, "22001"),
                               ("INSERT INTO w.strict (x) VALUES (2)", 1054, "42S22"),
                               ("INSERT INTO w.nothing VALUES (2)", 1146, "42S02"),
                               ("SELEKT 1", 1064, "42000")):
        text = door.fails("SL_INVALID", "exec", sql)
        assert f"error {number} ({state})" in text, text
        assert door.error() == (number, state, "stop", False)
    assert door.ok("query", "SELECT COUNT(*) FROM w.strict") == "1"


@check
def account_without_rights_is_refused(door):
    port = f"port={door.server.port}"
    text = door.fails("SL_DENIED", "open", port, "user=asked")
    assert "1045" in text and f"127.0.0.1:{door.server.port} as asked" in text, text
    assert door.error() == (1045, "28000", "refused", False)
    door.fails("SL_DENIED", "open", port, "user=asked", "password=wrong")
    door.ok("open", port, "user=asked", "password=secret")
    door.ok("open", port, "user=nobody", "password=secret")
    door.fails("SL_DENIED", "exec", "CREATE DATABASE mine")
    door.fails("SL_DENIED", "query", "SELECT * FROM mysql.user")
    assert door.error()[2] == "refused"


@check
def password_is_never_shown_to_the_server(door):
    fake = FakeServer()
    text = door.fails("SL_DENIED", "open", f"port={fake.port}", "user=asked", "password=secret")
    assert "password method" in text, text
    assert b"secret" not in fake.end()


@check
def password_method_of_mysql_8_is_answered(door):
    with tempfile.TemporaryDirectory() as folder:
        for have, want, knows, verdict in ((b"secret", "secret", True, "right"),
                                           (b"secret", "Secret", True, "wrong"),
                                           (b"secret", "secret", False, "right"),
                                           (b"secret", "secreT", False, "wrong"),
                                           (b"", "", True, "right")):
            fake = Sha2Server(folder, have, knows)
            text = door.fails("SL_DENIED", "open", f"port={fake.port}", "user=asked",
                              f"password={want}")
            assert "Access denied here" in text, text
            assert b"secret" not in fake.end().lower()
            assert fake.verdict == verdict, (have, want, knows)


@check
def lock_conflicts_are_to_be_tried_again(door):
    with second(door) as other:
        door.open("var:innodb_lock_wait_timeout=1")
        other.open()
        door.ok("exec", "CREATE TABLE w.locked (id INT PRIMARY KEY, v INT)")
        door.ok("exec", "INSERT INTO w.locked VALUES (1,1),(2,2)")
        other.ok("exec", "BEGIN")
        other.ok("exec", "UPDATE w.locked SET v=9 WHERE id=1")
        door.fails("SL_UNAVAILABLE", "exec", "UPDATE w.locked SET v=8 WHERE id=1")
        assert door.error()[:3] == (1205, "HY000", "retry")
        door.ok("exec", "SET innodb_lock_wait_timeout=50")
        door.ok("exec", "BEGIN")
        door.ok("exec", "UPDATE w.locked SET v=8 WHERE id=2")
        other.tell("exec", "UPDATE w.locked SET v=9 WHERE id=2")
        wait_for("the other waits", lambda: "UPDATE w.locked SET v=9 WHERE id=2" in
                 door.server.client("SELECT trx_query FROM information_schema.innodb_trx WHERE"
                                    " trx_state='LOCK WAIT'"))
        mine = door.ask("exec", "UPDATE w.locked SET v=8 WHERE id=1")
        loser = door if mine[0] != "ok" else other
        if loser is other:
            assert other.hear()[0] == "SL_UNAVAILABLE"
        else:
            assert mine[0] == "SL_UNAVAILABLE" and other.hear()[0] == "ok"
        assert loser.error() == (1213, "40001", "retry", False)


@check
def read_only_server_is_to_be_tried_again(door):
    door.server.client("CREATE USER plain@'%' IDENTIFIED BY 'x';"
                       "GRANT SELECT, INSERT, CREATE ON w.* TO plain@'%'")
    door.open("user=plain", "password=x")
    door.ok("exec", "CREATE TABLE w.ro (id INT)")
    door.server.client("SET GLOBAL read_only=1")
    door.fails("SL_UNAVAILABLE", "exec", "INSERT INTO w.ro VALUES (1)")
    assert door.error()[:1] + door.error()[2:] == (1290, "retry", False)
    door.server.client("SET GLOBAL read_only=0")
    door.ok("exec", "INSERT INTO w.ro VALUES (1)")


@check
def statement_above_the_packet_limit_stops_with_advice(door):
    door.server.client("SET GLOBAL max_allowed_packet=32768")
    door.open()
    assert door.session()["bytes_max"] == 32768 - 2
    most = "x" * (32768 - 2 - len("SELECT ''"))
    assert door.ok("query", f"SELECT '{most}'") == most
    text = door.fails("SL_INVALID", "exec", f"SELECT '{most}x'")
    assert door.error() == (1153, "08S01", "stop", False)
    assert door.ok("query", "SELECT 'goes on'") == "goes on"
    door.server.client("SET GLOBAL max_allowed_packet=268435456")
    assert "max_allowed_packet" in text, text
    door.server.client("SET GLOBAL max_allowed_packet=8192")
    text = door.fails("SL_CONFIG", "open", f"port={door.server.port}")
    door.server.client("SET GLOBAL max_allowed_packet=268435456")
    assert "8192" in text and "16384" in text, text


# ---- lost connections ----


@check
def killed_connection_is_lost(door):
    door.open()
    door.server.client(f"KILL {door.session()['thread']}")
    door.fails("SL_RESET", "exec", "SELECT 1")
    assert door.error()[2:] == ("retry", True)
    door.fails("SL_RESET", "exec", "SELECT 1")
    door.open()
    door.ok("exec", "SELECT 1")


@check
def silent_server_is_given_up_in_time(door):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        for words in (["connect=1000"], ["connect=900", "read=0"]):
            text = door.fails("SL_RESET", "open", f"port={listener.getsockname()[1]}", *words)
            assert "in time" in text, text
        assert time.monotonic() - began < 10
    door.open("read=1000")
    began = time.monotonic()
    door.fails("SL_RESET", "query", "SELECT SLEEP(30)")
    assert time.monotonic() - began < 10
    assert door.error()[2:] == ("retry", True)


@check
def statement_without_a_limit_may_take_longer_than_connecting(door):
    door.open("connect=1000", "read=0")
    assert door.ok("query", "SELECT SLEEP(2.5)") == "0"


@check
def nobody_and_nowhere_are_to_be_tried_again(door):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    text = door.fails("SL_RESET", "open", f"port={port}")
    assert f"127.0.0.1:{port}" in text, text
    assert door.error()[2:] == ("retry", True)
    text = door.fails("SL_RESET", "open", "host=no-such-host.invalid", "connect=2000")
    assert "no-such-host.invalid" in text, text
    text = door.fails("SL_RESET", "open", "socket=/no/such/socket")
    assert "/no/such/socket" in text, text


@check
def another_thread_can_end_a_wait(door):
    door.open("read=0")
    thread = door.session()["thread"]
    door.tell("cancelled", "SELECT SLEEP(300)")
    wait_for("the statement runs", lambda: "SLEEP" in door.server.client(
        f"SELECT info FROM information_schema.processlist WHERE id={thread}"))
    door.tell("now")
    assert door.hear()[0] == "SL_RESET"
    assert door.error()[2:] == ("retry", True)


@check
def socket_serves_as_well(door):
    door.ok("open", f"socket={door.server.socket}")
    assert door.ok("query", "SELECT SUBSTRING_INDEX(USER(), '@', -1)") == "localhost"


# ---- tables ----


@check
def table_says_columns_and_unique_keys(door):
    door.open()
    door.ok("exec", "CREATE TABLE w.`q``t'\\` (id BIGINT UNSIGNED NOT NULL, Name VARCHAR(20)"
                    " COLLATE utf8mb4_general_ci, code VARBINARY(90) NOT NULL,"
                    " f FLOAT, s INT AS (id+1) STORED, v INT AS (id+2) VIRTUAL,"
                    " t TEXT COLLATE utf8mb4_bin NOT NULL, e ENUM('a','b'),"
                    " ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
                    " UNIQUE u_name (name), UNIQUE a_t (t(5), code), KEY plain (f), PRIMARY KEY"
                    " (id), UNIQUE s_u (s))")
    assert door.ok("table", "w", "q`t'\\") == (
        "keyed id/bigint/value/ Name/varchar/collation/pn code/varbinary/bytes/ f/float/value/n"
        " s/int/value/ng v/int/value/ng t/text/bytes/p e/enum/value/n ts/timestamp/value/"
        " PRIMARY!(id) a_t!(t: 5,code) s_u(s) u_name(Name)")
    door.ok("exec", "CREATE TABLE w.plain (a INT, b INT NOT NULL, UNIQUE (b, a))")
    assert door.ok("table", "w", "plain") == \
        "not-keyed a/int/value/n b/int/value/ b(b,a)"


@check
def table_that_is_not_there_is_not_found(door):
    door.open()
    text = door.fails("SL_NOT_FOUND", "table", "w", "nothing")
    assert "w.nothing does not exist downstream" in text, text
    door.fails("SL_NOT_FOUND", "table", "no_such", "plain")
    door.ok("exec", "SELECT 1")


run_checks(CHECKS)
