"""The rows of a downstream as the recordings have them in expected/, and what differs.

One file per table: a line of column names, then a line per row, sorted bytewise, cells separated by
tabs. Values are what the server's text protocol says in time zone +00:00, except: binary strings as
their hexadecimal digits, BIT as a decimal number, FLOAT without digits and ZEROFILL numbers as the
sum with 0 (MariaDB shows six digits of a FLOAT and pads). NULL is \\N; backslash, tab, newline and
NUL are escaped."""

import collections
import subprocess

NOT_OURS = {"information_schema", "performance_schema", "mysql", "sys", "tidb_binlog"}
BINARY = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
LINES_SHOWN_MAX = 6


def name(text):
    return "`" + text.replace("`", "``") + "`"


def string(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def escaped(text):
    for plain, shown in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\0", "\\0")):
        text = text.replace(plain, shown)
    return text.encode(errors="surrogateescape")


def unescaped(cell):
    """The text of a cell of the client's batch output."""
    special = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    out, at = [], 0
    text = cell.decode(errors="surrogateescape")
    while at < len(text):
        if text[at] == "\\":
            at += 1
            out.append(special[text[at]])
        else:
            out.append(text[at])
        at += 1
    return "".join(out)


def expression(column, data_type, column_type):
    """How a column is asked for."""
    if data_type in BINARY:
        return f"HEX({name(column)})"
    if data_type == "bit":
        return f"CONV(HEX({name(column)}), 16, 10)"
    if data_type == "float" and "(" not in column_type or "zerofill" in column_type:
        return f"{name(column)}+0"
    return name(column)


def tables_of(server):
    """(schema, table) -> [(column, data type, column type)], of base tables that are ours."""
    text = server.batch(
        "SELECT c.table_schema, c.table_name, column_name, data_type, LOWER(column_type)"
        " FROM information_schema.columns c JOIN information_schema.tables t"
        " USING (table_schema, table_name) WHERE table_type='BASE TABLE'"
        f" AND c.table_schema NOT IN ({','.join(string(s) for s in sorted(NOT_OURS))})"
        " ORDER BY 1, 2, ordinal_position")
    found = collections.defaultdict(list)
    for line in text.splitlines():
        schema, table, *column = (unescaped(cell) for cell in line.split(b"\t"))
        found[schema, table].append(column)
    return found


def render_table(server, schema, table, columns):
    """One table as the bytes of its file."""
    asked = ",".join(expression(*column) for column in columns)
    nulls = ",".join(f"{name(column[0])} IS NULL" for column in columns)
    rows = server.batch("SET time_zone='+00:00'; SELECT "
                        f"{asked},{nulls} FROM {name(schema)}.{name(table)}", "--quick")
    lines = []
    for line in rows.split(b"\n")[:-1]:
        cells = line.split(b"\t")
        assert len(cells) == 2 * len(columns), line
        flags = cells[len(columns):]
        lines.append(b"\t".join(b"\\N" if null == b"1" else cell
                                for cell, null in zip(cells, flags)))
    head = b"\t".join(escaped(column[0]) for column in columns)
    return b"".join(line + b"\n" for line in [head, *sorted(lines)])


def render(server):
    """All tables of a server (with a method `batch`, as tests/integration/mariadb.py):
    "schema.table" to the bytes of its file."""
    return {f"{schema}.{table}": render_table(server, schema, table, columns)
            for (schema, table), columns in tables_of(server).items()}


# ---- comparing ----


def expected(folder):
    """What a recording's expected/ holds: the same as render() gives."""
    found = {}
    for path in folder.glob("*.tsv*"):
        if path.name == "downstream-differences.tsv":
            continue
        data = path.read_bytes() if path.suffix == ".tsv" else subprocess.run(
            ["zstd", "-dcq", path], capture_output=True, check=True).stdout
        found[path.name.removesuffix(".zst").removesuffix(".tsv")] = data
    return found


def allowed_differences(folder):
    """table -> [(column, key)]: cells that this kind of downstream cannot hold as TiDB does."""
    path = folder / "downstream-differences.tsv"
    allowed = collections.defaultdict(list)
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            table, column, key, _reason = line.split("\t")
            allowed[table].append((column.encode(), key.encode()))
    return allowed


def masked(data, cells):
    """The lines of a table with the allowed cells made equal."""
    head, *lines = data.split(b"\n")[:-1]
    names = head.split(b"\t")
    out = []
    for line in lines:
        row = line.split(b"\t")
        for column, key in cells:
            if column in names and key in (b"*", row[0]):
                row[names.index(column)] = b"(may differ)"
        out.append(b"\t".join(row))
    return [head, *sorted(out)]


def table_difference(table, want, have, cells):
    """What differs in one table, as text; empty when nothing does."""
    want, have = masked(want, cells), masked(have, cells)
    if want == have:
        return ""
    if want[0] != have[0]:
        return f"{table}: columns {have[0]!r}, wanted {want[0]!r}"
    missing = collections.Counter(want[1:]) - collections.Counter(have[1:])
    surplus = collections.Counter(have[1:]) - collections.Counter(want[1:])
    shown = [f"  - {line!r}" for line in list(missing.elements())[:LINES_SHOWN_MAX]]
    shown += [f"  + {line!r}" for line in list(surplus.elements())[:LINES_SHOWN_MAX]]
    return (f"{table}: {sum(missing.values())} rows missing, {sum(surplus.values())} too many\n"
            + "\n".join(shown))


def differences(server, folder):
    """How the server's tables differ from a recording's expected/ folder, a text per table."""
    want, have, allowed = expected(folder), render(server), allowed_differences(folder)
    found = [f"{table}: missing" for table in sorted(set(want) - set(have))]
    found += [f"{table}: should not be there" for table in sorted(set(have) - set(want))]
    for table in sorted(set(want) & set(have)):
        if text := table_difference(table, want[table], have[table], allowed[table]):
            found.append(text)
    return found
