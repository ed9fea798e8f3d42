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
ROWS_SHOWN_MAX = 6  # of a table


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


def allowed_differences(path):
    """table -> [(column, key)]: cells that this kind of downstream cannot hold as TiDB does; key is
    the row's first cell, or * for any. No such file: none."""
    allowed = collections.defaultdict(list)
    if path.exists():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], 2):
            cells = line.split("\t")
            if len(cells) != 4:
                raise ValueError(f"{path}:{number}: it has {len(cells)} cells, not 4: "
                                 "table, column, key, reason")
            allowed[cells[0]].append((cells[1].encode(), cells[2].encode()))
    return allowed


def masked(head, lines, cells):
    """The rows with the allowed cells made equal."""
    names = head.split(b"\t")
    out = []
    for line in lines:
        row = line.split(b"\t")
        for column, key in cells:
            if column in names and key in (b"*", row[0]):
                row[names.index(column)] = b"(may differ)"
        out.append(b"\t".join(row))
    return out


def surplus(lines, others):
    """What is more often in the one than in the other."""
    return sorted((collections.Counter(lines) - collections.Counter(others)).elements())


class Table:
    """How one table differs. `missing` and `extra` are rows; `allowed` says how many rows differ
    only where they may."""

    def __init__(self, name, why="", key=()):
        self.name = name
        self.why = why
        self.key = key  # names of columns that tell its rows apart; empty: all of them
        self.columns = []
        self.missing = []
        self.extra = []
        self.allowed = 0

    def differs(self):
        return bool(self.why or self.missing or self.extra)

    def compare(self, want, have, cells):
        """Of two files of the table."""
        want_head, *want = want.split(b"\n")[:-1]
        have_head, *have = have.split(b"\n")[:-1]
        self.columns = want_head.split(b"\t")
        if want_head != have_head:
            self.why = f"columns {shown(have_head)}, expected {shown(want_head)}"
            return
        plain = len(surplus(want, have))
        want, have = (masked(want_head, lines, cells) for lines in (want, have))
        self.missing, self.extra = surplus(want, have), surplus(have, want)
        self.allowed = max(0, plain - len(self.missing))

    def key_of(self, line):
        row = line.split(b"\t")
        places = [self.columns.index(k) for k in self.key if k in self.columns]
        return tuple(row[place] for place in places) if places else line

    def lines(self, rows_max=ROWS_SHOWN_MAX):
        """As text: a line for the table, then rows by their key."""
        if self.why:
            return [f"{self.name}: {self.why}"]
        found = [f"{self.name}: {len(self.missing)} rows are not as expected, {len(self.extra)} "
                 "are there instead"]
        wanted = {self.key_of(line): line for line in self.missing}
        had = {self.key_of(line): line for line in self.extra}
        keys = sorted({*wanted, *had})
        for key in keys[:rows_max]:
            names = self.key if isinstance(key, tuple) else ()
            found.append("  key " + (shown(b", ".join(
                name + b"=" + cell for name, cell in zip(names, key))) or "none"))
            found.append("    expected " + shown(wanted.get(key, b"(no such row)")))
            found.append("    found    " + shown(had.get(key, b"(no such row)")))
        if len(keys) > rows_max:
            found.append(f"  and {len(keys) - rows_max} keys more")
        return found


def shown(line):
    """Bytes of a file for people to read."""
    return line.decode(errors="backslashreplace").replace("\t", " | ")


def keys_of(server):
    """table -> the names of its key's columns: of the primary one, else of a unique one."""
    text = server.batch(
        "SELECT table_schema, table_name, index_name, column_name FROM information_schema"
        ".statistics WHERE non_unique=0 ORDER BY 1, 2, index_name='PRIMARY' DESC, 3, seq_in_index")
    found = {}
    for line in text.splitlines():
        schema, table, index, column = (unescaped(cell) for cell in line.split(b"\t"))
        first, columns = found.setdefault(f"{schema}.{table}", (index, []))
        if first == index:
            columns.append(escaped(column))
    return {table: columns for table, (_, columns) in found.items()}


def compare(server, folder, allowed_file=None):
    """How the server's tables differ from a recording's expected/ folder: a Table each, of those
    that differ in anything. allowed_file: instead of the list of allowed cells in the folder."""
    want, have, keys = expected(folder), render(server), keys_of(server)
    allowed = allowed_differences(allowed_file or folder / "downstream-differences.tsv")
    found = [Table(name, "the table is missing") for name in set(want) - set(have)]
    found += [Table(name, "the table should not be there") for name in set(have) - set(want)]
    for name in set(want) & set(have):
        table = Table(name, key=keys.get(name, ()))
        table.compare(want[name], have[name], allowed[name])
        if table.differs() or table.allowed:
            found.append(table)
    return sorted(found, key=lambda table: table.name)


def differences(server, folder):
    """The same as texts, without what may differ."""
    return ["\n".join(table.lines()) for table in compare(server, folder) if table.differs()]
