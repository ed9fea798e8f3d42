#!/usr/bin/env python3
"""Release programs carry the protections that their compiler flags promise.

Builds all programs as for release and looks at the results, not at the flags: position-independent,
relocations read-only and bound at start, no executable stack, no segment that is writable and
executable, no path to search libraries in, and in functions of ours: stack protector, fortified
calls, probes of large stack frames, landing marks for indirect branches.
"""

import pathlib
import platform
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from lib.report import Report  # noqa: E402

RELEASE = ROOT / "zig-out" / "release"
OURS = re.compile(r"^(sl_|main$)")


def output_of(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def build():
    """Build for release; the paths of the programs."""
    shutil.rmtree(RELEASE, ignore_errors=True)  # programs of older builds
    command = ["tools/zig", "build", "programs", "tools", "-Doptimize=ReleaseSafe",
               "--prefix", str(RELEASE)]
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nthe release build failed")
    tools = [path for path in RELEASE.glob("tools/none/*") if path.suffix != ".so"]
    return sorted([*RELEASE.glob("bin/*"), *tools])


class Program:
    """What readelf and objdump say of one program."""

    def __init__(self, path):
        self.header = output_of("readelf", "-hW", path)
        self.dynamic = output_of("readelf", "-dW", path)
        self.notes = output_of("readelf", "-nW", path)
        self.segments = self.read_segments(output_of("readelf", "-lW", path))
        self.sections = self.read_sections(output_of("readelf", "-SW", path))
        self.functions = self.read_functions(output_of("objdump", "-d", "--no-show-raw-insn", path))
        self.local = set(re.findall(r" t (\S+)$", output_of("nm", path), re.M))

    @staticmethod
    def read_segments(text):
        """Type, address, size and flags of each segment."""
        row = re.compile(r"^ +([A-Z_]+) +0x\S+ (0x\S+) 0x\S+ 0x\S+ (0x\S+) ([RWE ]{3})", re.M)
        return [(kind, int(start, 16), int(size, 16), flags)
                for kind, start, size, flags in row.findall(text)]

    @staticmethod
    def read_sections(text):
        """Name of each section to its address."""
        row = re.compile(r"^ +\[ *\d+\] (\S+) +\S+ +([0-9a-f]+) ", re.M)
        return {name: int(address, 16) for name, address in row.findall(text)}

    @staticmethod
    def read_functions(text):
        """Name of each of our functions to its instructions."""
        parts = re.split(r"^[0-9a-f]+ <([^>]+)>:\n", text, flags=re.M)
        return {name: body for name, body in zip(parts[1::2], parts[2::2]) if OURS.match(name)}

    def some_function_has(self, pattern):
        return any(re.search(pattern, body) for body in self.functions.values())

    def without_landing_mark(self):
        """Of those that other files may take the address of; the compiler sees who takes that of
        a local one."""
        return [name for name, body in self.functions.items() if name not in self.local
                and not body.split("\n", 1)[0].strip().endswith("endbr64")]

    def without_probes(self):
        """Functions that go down the stack by more than a page in one step."""
        step = re.compile(r"sub +\$0x([0-9a-f]+),%rsp")
        return [name for name, body in self.functions.items()
                if any(int(size, 16) > 0x1000 for size in step.findall(body))]

    def relocations_are_read_only(self):
        """GNU_RELRO covers the table of imported functions, and all are bound at start."""
        table = self.sections.get(".got.plt", self.sections.get(".got"))
        covered = any(start <= table < start + size
                      for kind, start, size, _ in self.segments if kind == "GNU_RELRO")
        return covered and re.search(r"\(FLAGS\).*BIND_NOW|\(BIND_NOW\)", self.dynamic)

    def stack_is_data(self):
        stack = [flags for kind, _, _, flags in self.segments if kind == "GNU_STACK"]
        return stack and all("E" not in flags for flags in stack)


def check_layout(report, name, program):
    report.check(f"{name}_is_position_independent",
                 "DYN (Position-Independent" in program.header and "PIE" in program.dynamic,
                 "readelf -h or -d does not say so")
    report.check(f"{name}_has_read_only_relocations", program.relocations_are_read_only(),
                 "no GNU_RELRO over the import table, or no BIND_NOW")
    report.check(f"{name}_has_no_executable_stack", program.stack_is_data(),
                 "GNU_STACK is missing or executable")
    both = [s for s in program.segments if "W" in s[3] and "E" in s[3]]
    report.check(f"{name}_has_no_writable_code", program.segments and not both, f"segments {both}")
    report.check(f"{name}_has_no_library_path",
                 "PATH)" not in program.dynamic, "RPATH or RUNPATH is set")


def check_code(report, name, program, is_product):
    report.check(f"{name}_guards_its_stack", program.some_function_has(r"call .*<__stack_chk_fail"),
                 "no function of ours calls __stack_chk_fail")
    report.check(f"{name}_makes_fortified_calls",
                 program.some_function_has(r"call .*<__(?!stack)\w+_chk[@>]"),
                 "no function of ours calls a __*_chk function")
    far = program.without_probes()
    report.check(f"{name}_probes_large_frames", program.functions and not far,
                 f"a frame of pages that nothing touches: {' '.join(far[:5])}")
    if is_product:  # each has a large frame; a tool may have none
        report.check(f"{name}_has_probed_frames",
                     program.some_function_has(r"sub +\$0x1000,%rsp\n.*movq +\$0x0,\(%rsp\)"),
                     "no function of ours touches each page of a large frame")
    bare = program.without_landing_mark()
    report.check(f"{name}_marks_branch_targets", program.functions and not bare,
                 f"without endbr64: {' '.join(bare[:5])}")


def check_control_flow_note(report, name, program):
    """IBT and shadow stack are on only if every object linked says it is fit for them."""
    if "IBT" in program.notes and "SHSTK" in program.notes:
        report.check(f"{name}_asks_for_ibt_and_shadow_stack", True, "")
    else:
        report.skip(f"{name}_asks_for_ibt_and_shadow_stack",
                    "Debian 12's static libraries and Zig's start files come without the property, "
                    "so the linker leaves it out; our own functions are marked")


def main():
    report = Report()
    programs = build()
    report.check("release_build_makes_programs", programs, f"nothing in {RELEASE}")
    for path in programs:
        program = Program(path)
        check_layout(report, path.name, program)
        if platform.machine() == "x86_64":
            check_code(report, path.name, program, path.parent.name == "bin")
        else:
            report.skip(f"{path.name}_has_guards_in_its_code", "only x86-64 code is looked at")
        check_control_flow_note(report, path.name, program)
    ran = subprocess.run([RELEASE / "tools/none/selfcheck"], text=True, capture_output=True,
                         timeout=60, check=False)
    report.check("hardened_selfcheck_runs", ran.returncode == 0, ran.stdout + ran.stderr)
    report.exit()


if __name__ == "__main__":
    main()
