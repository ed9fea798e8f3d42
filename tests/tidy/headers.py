"""What headers promise: guards, opening comments, names, a comment for each declaration, limits."""

import re

LIMITS = ("src/base/limits.h", "src/base/limits_sink.h")
OUR_NAME = re.compile(r"(sl|SL)_")


def headers(tree, *folders):
    return [path for path in tree.below(*folders) if path.endswith(".h")]


def guard_of(path):
    """src/base/err.h: SL_BASE_ERR_H; tests/lib/child.h: SL_TESTS_LIB_CHILD_H."""
    return "SL_" + re.sub(r"\W", "_", path.removeprefix("src/")).upper()


def check_header_guards(tree):
    """Guards follow from the path, so that no two collide."""
    for path in headers(tree, "src", "bin", "tests", "bench"):
        guard = guard_of(path)
        if not tree.text(path).startswith(f"#ifndef {guard}\n#define {guard}\n") \
                or not tree.text(path).endswith("\n#endif\n"):
            yield f"{path}:1: the guard is not {guard}"


def check_opening_comments(tree):
    """A header begins by saying what it is for, a test program what it shows."""
    for path in tree.files:
        text = tree.text(path)
        if path.endswith(".h"):
            text = re.sub(r"\A(#.*\n)+", "", text)
        elif not (path.startswith("tests/") and path.endswith("_test.c")):
            continue
        if not text.lstrip().startswith("/*"):
            yield f"{path}:1: no opening comment"


def folder_of(path):
    return path.rsplit("/", 1)[0]


def public_headers(tree):
    """Headers that are included from outside their folder, and what those include in turn. Tests
    and benchmarks may look inside, that makes nothing public."""
    public = set()
    for path in tree.below("src", "bin"):
        for include in tree.includes(path):
            target = tree.resolve(include) if include.quoted else None
            if target and folder_of(target) != folder_of(path):
                public.add(target)
    reached = list(public)
    while reached:
        for include in tree.includes(reached.pop()):
            target = tree.resolve(include) if include.quoted else None
            if target and target not in public:
                public.add(target)
                reached.append(target)
    return sorted(path for path in public if path.startswith("src/"))


def check_public_names(tree):
    """Names that other folders see begin with sl_ or SL_."""
    for path in public_headers(tree):
        for declaration in tree.declarations(path):
            for name in (declaration.name, *declaration.members):
                if name and not OUR_NAME.match(name):
                    yield f"{path}:{declaration.line}: {name} lacks the prefix"


def check_declaration_comments(tree):
    """Each exported declaration has a comment above; one may cover a group without gaps. Exported
    is what bears the prefix: names of one folder may speak for themselves."""
    for path in headers(tree, "src"):
        lines = tree.text(path).split("\n")
        for declaration in tree.declarations(path):
            names = (declaration.name, *declaration.members)
            if declaration.kind in ("macro", "forward") or not any(map(OUR_NAME.match, names)):
                continue
            above = declaration.line - 1
            while above > 0 and lines[above - 1].strip() and not lines[above - 1].startswith("/*"):
                above -= 1
            if above == 0 or not lines[above - 1].startswith("/*"):
                name = declaration.name or names[1]
                yield f"{path}:{declaration.line}: {name} has no comment above"


def check_limits_are_used(tree):
    """A bound that nothing obeys is no bound."""
    for limits in filter(tree.exists, LIMITS):
        elsewhere = "\n".join(tree.code(path) for path in tree.files if path != limits)
        used = set(re.findall(r"\bSL_\w+", elsewhere))
        for declaration in tree.declarations(limits):
            for name in declaration.members:
                if name not in used:
                    yield f"{limits}:{declaration.line}: {name} is used nowhere"
