"""The source tree as the checks see it: files, their code without comments, their declarations."""

import functools
import pathlib
import re

C_SUFFIXES = (".c", ".h", ".cc")
FOLDERS = ("src", "bin", "tests", "bench")

NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CPLUSPLUS_ONLY = re.compile(r"^#ifdef __cplusplus\n.*?^#endif", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


def blank(text):
    """Spaces in the place of text; line ends stay."""
    return re.sub(r"[^\n]", " ", text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Include:
    """One #include line."""

    def __init__(self, path, line, quoted, name):
        self.path = path  # of the file that includes
        self.line = line
        self.quoted = quoted
        self.name = name


class Function:
    """A function definition: its first line is the first of its signature."""

    def __init__(self, name, line, lines):
        self.name = name
        self.line = line
        self.lines = lines


class Declaration:
    """Something declared at file level in a header."""

    def __init__(self, kind, name, line, members=()):
        self.kind = kind  # function, inline, type, forward, variable or macro
        self.name = name
        self.line = line
        self.members = members  # of an enum


class Tree:
    """All of one source tree. Paths are text, relative to its root."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    @functools.cached_property
    def files(self):
        """All C files, sorted."""
        found = []
        for folder in FOLDERS:
            for path in (self.root / folder).rglob("*"):
                if path.suffix in C_SUFFIXES and path.is_file():
                    found.append(str(path.relative_to(self.root)))
        return sorted(found)

    @functools.cached_property
    def scripts(self):
        """All scripts, sorted."""
        found = [path for path in (self.root / "dev", self.root / "tests/run") if path.is_file()]
        found += [path for path in (self.root / "tools").glob("*") if path.is_file()]
        found += (self.root / "tests").rglob("*.py")
        return sorted(str(path.relative_to(self.root)) for path in found)

    def below(self, *folders):
        """The C files below these folders."""
        return [path for path in self.files if path.startswith(tuple(f + "/" for f in folders))]

    def exists(self, path):
        return (self.root / path).is_file()

    @functools.cache
    def text(self, path):
        return (self.root / path).read_text()

    @functools.cache
    def code(self, path):
        """The text with comments and what stands between quotes blanked; same lines and columns."""
        def replace(match):
            part = match.group(0)
            return blank(part) if part[0] == "/" else part[0] + blank(part[1:-1]) + part[-1]
        return NOT_CODE.sub(replace, self.text(path))

    @functools.cache
    def includes(self, path):
        text = self.text(path)
        return [Include(path, line_of(text, m.start(2)), m.group(1) == '"', m.group(2))
                for m in INCLUDE.finditer(text)]

    def resolve(self, include):
        """The path of the file that a quoted include names, None when it is not in the tree."""
        for folder in ("src", "tests", "bench"):
            path = f"{folder}/{include.name}"
            if self.exists(path):
                return path
        return None

    @functools.cache
    def functions(self, path):
        """The function definitions of a formatted file: "{" and "}" stand alone in column 0."""
        lines = self.code(path).split("\n")
        found = []
        for at, line in enumerate(lines):
            if line.rstrip() != "{":
                continue
            first = at
            while first > 0 and re.match(r"[^#\s}]|\s+\S", lines[first - 1]) \
                    and not lines[first - 1].rstrip().endswith((";", "}")):
                first -= 1
            last = at
            while last + 1 < len(lines) and not lines[last].startswith("}"):
                last += 1
            signature = " ".join(lines[first:at])
            signature = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", signature)
            if name := re.search(r"(\w+)\s*\(", signature):
                found.append(Function(name.group(1), first + 1, last - first + 1))
        return found

    @functools.cache
    def declarations(self, path):
        """What a header declares at file level."""
        code = CPLUSPLUS_ONLY.sub(lambda m: blank(m.group(0)), self.code(path))
        found = [Declaration("macro", m.group(1), line_of(code, m.start(1)))
                 for m in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", code, re.MULTILINE)]
        code = DIRECTIVE.sub(lambda m: blank(m.group(0)), code)
        for start, end in statements(code):
            if declaration := classify(code[start:end], line_of(code, start)):
                found.append(declaration)
        return sorted(found, key=lambda d: d.line)


def statements(code):
    """Start and end of each declaration at file level: up to its ";", or the "}" of a body."""
    depth = 0
    start = None
    for at, char in enumerate(code):
        if start is None and not char.isspace() and char != ";":
            start = at
        if char in "{(":
            depth += 1
        elif char in "})":
            depth -= 1
        ends_body = char == "}" and depth == 0 and is_function_body(code[start:at])
        if start is not None and depth == 0 and (char == ";" or ends_body):
            yield start, at + 1
            start = None


def is_function_body(text):
    """Does this text end a function definition (not a struct or an initializer)?"""
    head = text.split("{", 1)[0]
    return "(" in head and "=" not in head


def classify(text, line):
    """The declaration that a statement makes, None for what needs no name (static_assert)."""
    flat = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", " ", " ".join(text.split()))
    if flat.startswith(("static_assert", "_Static_assert")):
        return None
    if flat.startswith("typedef"):
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", flat)
        name = pointer.group(1) if pointer else re.search(r"(\w+)\s*(?:\([^()]*\))?\s*;$", flat)[1]
        return Declaration("type", name, line)
    if tag := re.match(r"(struct|union|enum)\s*(\w*)\s*\{(.*)\}\s*;$", flat):
        members = re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", tag[3]) if tag[1] == "enum" else ()
        return Declaration("type", tag[2], line, members)
    if forward := re.match(r"(?:struct|union|enum)\s+(\w+)\s*;$", flat):
        return Declaration("forward", forward[1], line)
    head = flat.split("{", 1)[0].split("=", 1)[0]
    if "(" in head:
        kind = "inline" if re.search(r"\b(static|inline)\b", head) else "function"
        name = re.search(r"(\w+)\s*\(", head)
        return Declaration(kind, name[1] if name else "", line)
    name = re.search(r"(\w+)\s*(?:\[[^]]*\])*\s*;?\s*$", head)
    return Declaration("variable", name[1], line) if name else None
