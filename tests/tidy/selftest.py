#!/usr/bin/env python3
"""Every check of tidy.py fails where it should: each case plants one violation in a clean tree.

A case names the check, the file planted (or replaced), its text, and words of the violation. What
stands in LEGAL looks like a violation and is none.
"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import tables  # noqa: E402
from lib.report import Report  # noqa: E402
from tidy import CHECKS  # noqa: E402
from tree import Tree  # noqa: E402

BUILD = """
const core_sources = [_][]const u8{
    "src/base/a.c",
    "src/runtime/r.c",
};
const benches = [_]Program{
    .{ .name = "ring_probe", .sources = &.{"bench/ring_probe.c"} },
};
const tests = [_]TestProgram{
    unit("base/a"),
};
fn unit(comptime name: []const u8) TestProgram {
    return .{ .kind = "unit", .sources = &.{"tests/unit/" ++ name ++ "_test.c"} };
}
"""


def header(guard, body):
    return f"#ifndef {guard}\n#define {guard}\n\n/* What it is for. */\n\n{body}\n#endif\n"


def a_header(body):
    return header("SL_BASE_A_H", body)


def limits(body):
    return header("SL_BASE_LIMITS_H", body)


A_HEADER = a_header("""\
/* A thing. */
struct sl_a {
    int count;
};

/* Count them. */
int sl_a_count(const struct sl_a *a);
""")

CLEAN = {
    "build.zig": BUILD,
    ".clang-format": (pathlib.Path(__file__).resolve().parents[2] / ".clang-format").read_text(),
    "src/base/limits.h": limits("/* Things */\nenum {\n    SL_A_MAX = 4,\n};\n"),
    "src/base/a.h": A_HEADER,
    "src/base/a.c": '#include "base/a.h"\n\n#include <stddef.h>\n\n#include "base/limits.h"\n\n'
                    "int sl_a_count(const struct sl_a *a)\n{\n"
                    "    return a == NULL ? SL_A_MAX : a->count;\n}\n",
    "src/runtime/r.h": header("SL_RUNTIME_R_H", "int run(void);\n"),
    "src/runtime/r.c": '#include "runtime/r.h"\n\n#include "base/a.h"\n\n'
                       "int run(void)\n{\n    return sl_a_count(0);\n}\n",
    "tests/unit/base/a_test.c": '/* It counts. */\n\n#include <cmocka.h>\n\n#include "base/a.h"\n\n'
                                "int main(void)\n{\n    return sl_a_count(0);\n}\n",
    "bench/ring_probe.c": "#include <ck_ring.h>\n",
}


def function_of(lines):
    """A function of so many lines, all told."""
    return "void f(void)\n{\n" + "    g();\n" * (lines - 3) + "}\n"


C = "src/base/a.c"  # replaced where the place does not matter
(LAYERS, PATHS, FOREIGN, BUILT, CALLS, FUNCTIONS, FILES, WIDTH, UNFINISHED, FORMAT, GUARDS,
 OPENING, NAMES, COMMENTS, LIMITS) = CHECKS

CASES = [
    (LAYERS, C, '#include "runtime/r.h"\n', "base must not know runtime"),
    (LAYERS, C, '#include "lib/x.h"\n', "includes tests/lib/x.h"),
    (LAYERS, "src/odd/x.c", "\n", "unknown layer odd"),
    (LAYERS, "src/storage/x.c", '#include "runtime/r.h"\n', "storage must not know runtime"),
    (LAYERS, "src/actors/odd/x.c", "\n", "unknown layer actors/odd"),
    (LAYERS, "bench/x.c", '#include "lib/x.h"\n', "nothing but tests includes tests/"),
    (PATHS, C, '#include "a.h"\n', 'no file "a.h"'),
    (FOREIGN, C, '#include "made.pb-c.h"\n', "belongs to tests/*"),
    (PATHS, "src/runtime/r.c", '#include "base/a.c"\n', "only tests include a .c file"),
    (FOREIGN, C, "#include <ck_ring.h>\n", "<ck_ring.h> belongs to src/runtime/ring.c"),
    (FOREIGN, "src/runtime/r.h", "#include <event2/event.h>\n", "belongs to src/runtime/loop.c"),
    (FOREIGN, C, "#include <gnutls/gnutls.h>\n", "<gnutls/gnutls.h> is in no table"),
    (FOREIGN, C, "#include <vector>\n", "<vector> is in no table"),
    (FOREIGN, "bench/two_probe.c", "#include <ck_ring.h>\n", "stands for one file"),
    (FOREIGN, C, "#include <cmocka.h>\n", "belongs to tests/* alone"),
    (BUILT, "src/base/b.c", "\n", "src/base/b.c: is in no list"),
    (BUILT, "src/base/conf.cc", "\n", "src/base/conf.cc: is in no list"),
    (BUILT, "tests/unit/base/b_test.c", "\n", "b_test.c: is in no list"),
    (CALLS, C, "void f(void)\n{\n    strcpy(a, b);\n}\n", "a.c:3: strcpy"),
    (CALLS, C, "int x = atoi (s);\n", "atoi"),
    (CALLS, C, "int x = f(rand());\n", "rand"),
    (CALLS, C, "char *p = alloca(n);\n", "alloca"),
    (CALLS, C, "void f(void)\n{\n    assert(1);\n}\n", "SL_ASSERT"),
    (CALLS, C, "int fd = open(path, 0);\n", "sl_fs_open"),
    (CALLS, C, "int fd = socket(1, 2, 3);\n", "sl_net"),
    (CALLS, C, "int e = pthread_create(0, 0, 0, 0);\n", "only the runtime has threads"),
    (CALLS, C, "int e = clock_gettime(1, 0);\n", "use the clock"),
    (CALLS, "tests/unit/base/a_test.c", "void f(void)\n{\n    usleep(1);\n}\n", "step the clock"),
    (CALLS, "src/base/env_os.c", "\n", "env_os*.c needs fopen"),
    (FUNCTIONS, C, function_of(71), "a.c:1: f has 71 lines"),
    (FUNCTIONS, C, "static int\nlong_one(int a,\n         int b)\n{\n" + "    g();\n" * 70 + "}\n",
     "long_one has 75 lines"),
    (FILES, C, "\n" * 501, "has 501 lines"),
    (FILES, "tests/build/x.py", "\n" * 901, "has 901 lines"),
    (WIDTH, C, "/* " + "x" * 95 + " */\n", "101 columns"),
    (WIDTH, "tools/x", "#" * 101 + "\n", "101 columns"),
    (UNFINISHED, C, "/* TO" "DO: more */\n", "a.c:1: TO" "DO"),
    (UNFINISHED, "tools/x", "# FIX" "ME\n", "FIX" "ME"),
    (FORMAT, C, "int  x ;\n", "not in form"),
    (GUARDS, "src/base/a.h", header("SL_A_H", ""), "the guard is not SL_BASE_A_H"),
    (GUARDS, "tests/lib/x.h", header("SL_LIB_X_H", ""), "the guard is not SL_TESTS_LIB_X_H"),
    (OPENING, "src/base/a.h", "#ifndef SL_BASE_A_H\n#define SL_BASE_A_H\n\nint a;\n\n#endif\n",
     "a.h:1: no opening comment"),
    (OPENING, "tests/unit/base/a_test.c", "int a;\n", "no opening comment"),
    (NAMES, "src/base/a.h", a_header("int count(void);\n"), "count lacks the prefix"),
    (NAMES, "src/base/a.h", a_header("enum sl_x { A_ONE, SL_TWO };\n"), "A_ONE lacks"),
    (NAMES, "src/base/a.h", a_header("struct thing {\n    int x;\n};\n"), "thing lacks"),
    (NAMES, "src/base/a.h", a_header("#define MAX 3\n"), "MAX lacks the prefix"),
    (NAMES, "src/base/a.h", a_header("typedef void (*visit)(int);\n"), "visit lacks"),
    (NAMES, "src/base/a.h", a_header("extern const int table[3];\n"), "table lacks"),
    (NAMES, "src/base/a.h", a_header('#include "base/limits.h"\n#define X 1\n'),
     "X lacks the prefix"),
    (NAMES, "src/base/limits.h", limits("enum { A_MAX };\n"), None),
    (COMMENTS, "src/base/a.h", a_header("int sl_a(void);\n"), "sl_a has no comment"),
    (COMMENTS, "src/base/a.h",
     a_header("/* One. */\nint sl_a(void);\n\nint sl_b(int);\n"), "sl_b has no comment"),
    (COMMENTS, "src/base/a.h", a_header("struct sl_b {\n    int x; /* a */\n};\n"),
     "sl_b has no comment"),
    (COMMENTS, "src/base/a.h", a_header("enum { SL_B = 1 };\n"), "SL_B has no comment"),
    (LIMITS, "src/base/limits.h",
     limits("enum { SL_A_MAX = 4, SL_B_MAX = (1 << 3) };\n"), "SL_B_MAX is used"),
]

LEGAL = [
    (LAYERS, "bin/x.c", '#include "runtime/r.h"\n#include "base/a.h"\n'),
    (LAYERS, "src/actors/pump/x.c", '#include "actors/common/x.h"\n#include "runtime/r.h"\n'),
    (FOREIGN, "src/base/conf_toml.cc", "#include <toml++/toml.h>\n#include <string_view>\n"),
    (FOREIGN, "src/runtime/ring.c", "#include <ck_ring.h>\n#include <pthread.h>\n"),
    (CALLS, C, "/* strcpy(a) and */ char *s = \"atoi(x)\"; // rand()\n"),
    (CALLS, C, "int x = fs->ops->open(fs) + sl_open(1) + s.socket(2);\nstatic_assert(1, \"\");\n"),
    (CALLS, C, "static int open(int a)\n{\n    return a;\n}\n\nint x = open(3);\n"),
    (FUNCTIONS, C, function_of(70)),
    (BUILT, "tests/unit/base/a_test.c", '#include "base/b.c"\n'),
    (COMMENTS, "src/base/a.h",
     a_header("/* Two. */\nint sl_a(void);\nint sl_b(int);\n\nstruct sl_f;\nint own(int);\n")),
    (COMMENTS, "src/base/a.h",
     a_header("/* One. */\n_Noreturn void sl_a(const char *f, ...)\n"
            "    __attribute__((format(printf, 1, 2)));\n")),
]

EXTRA = {"tests/lib/x.h": header("SL_TESTS_LIB_X_H", ""), "src/base/b.c": "\n",
         "src/actors/common/x.h": header("SL_ACTORS_COMMON_X_H", "")}


def violations(check, files):
    """What the check finds in a tree of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            place = pathlib.Path(folder) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return list(CHECKS[check](Tree(folder)))


def check_clean(report, check):
    found = violations(check, CLEAN)
    report.check(f"clean_tree_passes_{check}", not found, "; ".join(found))


def check_case(report, number, case):
    check, path, text, expected = case
    extra = {p: t for p, t in EXTRA.items() if p.startswith("tests/")}
    found = violations(check, CLEAN | extra | {path: text})
    if expected is None:
        report.check(f"private_{number}_passes_{check}", not found, "; ".join(found))
    else:
        report.check(f"planted_{number}_fails_{check}", any(expected in f for f in found),
                     f"{path}: wanted {expected!r}, found {found}")


def check_ratchet(report):
    """A listed debt may neither grow nor stay listed when it is paid."""
    cases = [(80, 80, None), (81, 80, "at most 80"), (75, 80, "lower it to 75"),
             (60, 80, "take it out"), (None, 80, "is no more")]
    for lines, listed, expected in cases:
        tables.LONG_FUNCTIONS = {f"{C} f": listed}
        found = violations(FUNCTIONS, CLEAN | {C: function_of(lines) if lines else "\n"})
        holds = any(expected in f for f in found) if expected else not found
        report.check(f"function_of_{lines}_listed_with_{listed}", holds, f"{expected!r}: {found}")
    tables.LONG_FUNCTIONS = {}


def main():
    report = Report()
    tried = {case[0] for case in CASES if case[3]}
    report.check("every_check_is_tried", tried == set(CHECKS), f"not: {set(CHECKS) - tried}")
    for check in CHECKS:
        try:
            check_clean(report, check)
            for number, case in enumerate(CASES):
                if case[0] == check:
                    check_case(report, number, case)
            for number, (_, path, text) in enumerate(c for c in LEGAL if c[0] == check):
                found = violations(check, CLEAN | EXTRA | {path: text})
                report.check(f"legal_{number}_passes_{check}", not found, "; ".join(found))
        except LookupError as missing:
            report.skip(check, missing)
    check_ratchet(report)
    report.exit()


if __name__ == "__main__":
    main()
