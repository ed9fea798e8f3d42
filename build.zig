//! How Sluice is built. `zig build --help` lists the steps; `./dev` is the friendlier door to them.
//!
//! Read from the top: the table of steps, the options, then one function per concern. The lists of source files
//! stand at the end; a file that is in none of them fails `tests/tidy`.

const std = @import("std");
const builtin = @import("builtin");
const Build = std.Build;
const Module = Build.Module;
const LazyPath = Build.LazyPath;
const Compile = Build.Step.Compile;

const zig_wanted = "0.16.0";

/// The contents page. Each step has one function that hangs its work on it.
const steps = [_]struct { name: []const u8, text: []const u8, add: *const fn (Project, *Build.Step) void }{
    .{ .name = "programs", .text = "build the programs (also the default)", .add = addPrograms },
    .{ .name = "tests", .text = "build the test programs into zig-out/tests", .add = addTests },
    .{ .name = "test", .text = "build and run all tests", .add = addTestRun },
    .{ .name = "bench", .text = "build the benchmarks into zig-out/bench, optimised and hardened", .add = addBench },
    .{ .name = "cdb", .text = "write compile_commands.json for clangd and clang-tidy", .add = addCompileCommands },
};

pub fn build(b: *Build) void {
    checkZigVersion();
    const project = Project.init(b);
    for (steps) |row| row.add(project, b.step(row.name, row.text));
    b.default_step = &b.top_level_steps.get("programs").?.step;
}

fn checkZigVersion() void {
    if (!std.mem.eql(u8, builtin.zig_version_string, zig_wanted)) @panic(
        "Sluice builds with Zig " ++ zig_wanted ++ ", this is " ++ builtin.zig_version_string ++
            ". Use ./dev build or tools/zig build: they install and run the right one.",
    );
}

const Sanitizer = enum { none, address, thread, undefined };

/// Everything the command line can choose.
const Project = struct {
    b: *Build,
    target: Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
    sanitizer: Sanitizer,
    deps: ?[]const u8,
    lost_wakeup: bool,
    proto: LazyPath,

    fn init(b: *Build) Project {
        return .{
            .b = b,
            .target = b.standardTargetOptions(.{}),
            .optimize = b.standardOptimizeOption(.{}),
            .sanitizer = b.option(Sanitizer, "sanitize", "instrument our code (default none; address needs clang-14)") orelse .none,
            .deps = b.option([]const u8, "deps", "root of unpacked Debian packages to build against (default: this machine's /usr)"),
            .lost_wakeup = false,
            .proto = generateProto(b),
        };
    }

    /// The same project with other choices: benchmarks are always optimised and never sanitized.
    fn with(p: Project, optimize: std.builtin.OptimizeMode, sanitizer: Sanitizer) Project {
        var q = p;
        q.optimize = optimize;
        q.sanitizer = sanitizer;
        return q;
    }

    fn usr(p: Project) []const u8 {
        return if (p.deps) |root| p.b.fmt("{s}/usr", .{root}) else "/usr";
    }

    fn hardened(p: Project) bool {
        return p.optimize != .Debug and p.sanitizer == .none;
    }
};

// ---------------------------------------------------------------------------------------------------- generated code

/// protoc-c output goes to the build cache, never into the tree.
fn generateProto(b: *Build) LazyPath {
    const run = b.addSystemCommand(&.{"protoc-c"});
    run.addPrefixedDirectoryArg("--proto_path=", b.path("proto"));
    const out = run.addPrefixedOutputDirectoryArg("--c_out=", "proto");
    for (proto_sources) |name| run.addFileArg(b.path(b.fmt("proto/{s}.proto", .{name})));
    return out;
}

// ---------------------------------------------------------------------------------------------------- flags

const warnings = [_][]const u8{
    "-Wall",        "-Wextra", "-Wpedantic",           "-Wconversion",         "-Wshadow",
    "-Wswitch-enum", "-Wvla",   "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror",
};
const c_language = [_][]const u8{ "-std=c17", "-D_GNU_SOURCE", "-fvisibility=hidden", "-fno-omit-frame-pointer" };
const cxx_flags = [_][]const u8{ "-std=c++17", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror" };
const hardening = [_][]const u8{
    "-U_FORTIFY_SOURCE",     "-D_FORTIFY_SOURCE=3",           "-fstack-protector-strong", "-fstack-clash-protection",
    "-fcf-protection=full", "-ftrivial-auto-var-init=zero",
};

/// Flags for one of our C files.
fn cFlags(p: Project) []const []const u8 {
    return concat(p.b, &.{ &c_language, &warnings, definesOf(p), if (p.hardened()) &hardening else &.{} });
}

fn cxxFlags(p: Project) []const []const u8 {
    return concat(p.b, &.{ &cxx_flags, if (p.hardened()) &hardening else &.{} });
}

/// Macros that our C code may ask for.
fn definesOf(p: Project) []const []const u8 {
    var list: std.ArrayList([]const u8) = .empty;
    const add = struct {
        fn one(project: Project, to: *std.ArrayList([]const u8), word: []const u8) void {
            to.append(project.b.allocator, word) catch @panic("OOM");
        }
    }.one;
    if (p.sanitizer == .thread) add(p, &list, "-DSLUICE_TSAN=1");
    if (p.sanitizer != .none) add(p, &list, "-DSLUICE_SANITIZED=1");
    if (p.optimize == .Debug) add(p, &list, "-DSLUICE_VERIFY=1");
    if (p.lost_wakeup) add(p, &list, "-DSLUICE_PLANT_LOST_WAKEUP=1");
    return list.items;
}

fn concat(b: *Build, parts: []const []const []const u8) []const []const u8 {
    return std.mem.concat(b.allocator, []const u8, parts) catch @panic("OOM");
}

// ---------------------------------------------------------------------------------------------------- compiling

/// A set of our files and what they are compiled with.
const Unit = struct {
    sources: []const []const u8,
    include: []const []const u8 = &.{},
};

/// A module with the include paths, target and sanitizer of the project. `traced`: seen by ThreadSanitizer.
fn newModule(p: Project, traced: bool) *Module {
    const b = p.b;
    const m = b.createModule(.{
        .target = p.target,
        .optimize = p.optimize,
        .link_libc = true,
        .sanitize_thread = p.sanitizer == .thread and traced,
        .sanitize_c = if (p.sanitizer == .undefined) .full else .off,
        .stack_protector = p.hardened(),
        .pic = true,
    });
    m.addIncludePath(b.path("src"));
    m.addIncludePath(p.proto);
    if (p.deps != null) {
        m.addSystemIncludePath(.{ .cwd_relative = b.fmt("{s}/include", .{p.usr()}) });
        m.addSystemIncludePath(.{ .cwd_relative = b.fmt("{s}/include/x86_64-linux-gnu", .{p.usr()}) });
        m.addLibraryPath(.{ .cwd_relative = b.fmt("{s}/lib/x86_64-linux-gnu", .{p.usr()}) });
    }
    return m;
}

fn addSources(p: Project, m: *Module, sources: []const []const u8) void {
    for (sources) |file| {
        const cxx = std.mem.endsWith(u8, file, ".cc");
        m.addCSourceFile(.{ .file = p.b.path(file), .flags = if (cxx) cxxFlags(p) else cFlags(p) });
        if (cxx) m.link_libcpp = true;
    }
}

/// Everything below bin/ as one static library: what programs, tests and benchmarks link.
fn coreLibrary(p: Project) *Compile {
    const m = newModule(p, true);
    addSources(p, m, &core_sources);
    // Optimised always: unoptimised, ck's fixed-size memcpy becomes a call, which ThreadSanitizer intercepts.
    const untraced = newModule(p.with(.ReleaseSafe, p.sanitizer), false);
    addSources(p, untraced, &untraced_sources);
    m.addObject(p.b.addObject(.{ .name = "untraced", .root_module = untraced }));
    return p.b.addLibrary(.{ .name = "sluice", .linkage = .static, .root_module = m });
}

/// Link a program of these files with the core.
fn program(p: Project, core: *Compile, name: []const u8, files: Unit, shared_libraries: []const []const u8) LazyPath {
    const m = newModule(p, true);
    for (files.include) |dir| m.addIncludePath(p.b.path(dir));
    addSources(p, m, files.sources);
    m.linkLibrary(core);
    for (static_libraries) |library| m.linkSystemLibrary(library, .{
        .use_pkg_config = .no,
        .preferred_link_mode = .static,
        .search_strategy = .mode_first,
    });
    for (shared_libraries) |library| m.linkSystemLibrary(library, .{ .use_pkg_config = .no });
    const exe = p.b.addExecutable(.{ .name = name, .root_module = m });
    exe.pie = true;
    return exe.getEmittedBin();
}

/// Zig ships no AddressSanitizer runtime, so those builds go through clang-14; file lists and cache are the same.
fn asanProgram(p: Project, core: LazyPath, name: []const u8, files: Unit, shared_libraries: []const []const u8) LazyPath {
    const b = p.b;
    const run = b.addSystemCommand(&.{ "clang++-14", "-fsanitize=address", "-g", "-o" });
    const out = run.addOutputFileArg(name);
    for (files.sources) |file| run.addFileArg(asanObject(p, file, files.include));
    run.addFileArg(core);
    for (static_libraries) |library| run.addArg(b.fmt("-l{s}", .{library}));
    for (shared_libraries) |library| run.addArg(b.fmt("-l{s}", .{library}));
    run.addArgs(&.{ "-lpthread", "-lm" });
    return out;
}

/// The core as an archive, so that a test may bring a double of one of its files.
fn asanCore(p: Project) LazyPath {
    const run = p.b.addSystemCommand(&.{ "ar", "rcs" });
    const out = run.addOutputFileArg("libsluice.a");
    for ([_][]const []const u8{ &core_sources, &untraced_sources }) |list| {
        for (list) |file| run.addFileArg(asanObject(p, file, &.{}));
    }
    return out;
}

fn asanObject(p: Project, file: []const u8, include: []const []const u8) LazyPath {
    const b = p.b;
    const cxx = std.mem.endsWith(u8, file, ".cc");
    const run = b.addSystemCommand(&.{if (cxx) "clang++-14" else "clang-14"});
    run.addArgs(if (cxx) &cxx_flags else concat(b, &.{ &c_language, definesOf(p) }));
    run.addArgs(&.{ "-g", "-O1", "-fsanitize=address", "-fno-omit-frame-pointer" });
    run.addPrefixedDirectoryArg("-I", b.path("src"));
    run.addPrefixedDirectoryArg("-I", p.proto);
    for (include) |dir| run.addPrefixedDirectoryArg("-I", b.path(dir));
    run.addArg("-MMD");
    _ = run.addPrefixedDepFileOutputArg("-MF", "deps.d");
    run.addArg("-c");
    run.addFileArg(b.path(file));
    run.addArg("-o");
    return run.addOutputFileArg(b.fmt("{s}.o", .{std.fs.path.basename(file)}));
}

/// The core for whichever tool the sanitizer asks for.
const Core = union(enum) { zig: *Compile, asan: LazyPath };

fn coreFor(p: Project) Core {
    return if (p.sanitizer == .address) .{ .asan = asanCore(p) } else .{ .zig = coreLibrary(p) };
}

fn link(p: Project, core: Core, name: []const u8, files: Unit, shared_libraries: []const []const u8) LazyPath {
    return switch (core) {
        .zig => |library| program(p, library, name, files, shared_libraries),
        .asan => |archive| asanProgram(p, archive, name, files, shared_libraries),
    };
}

// ---------------------------------------------------------------------------------------------------- steps

fn addPrograms(p: Project, step: *Build.Step) void {
    const core = coreFor(p);
    for (programs) |row| {
        const bin = link(p, core, row.name, .{ .sources = row.sources }, &.{});
        step.dependOn(&p.b.addInstallBinFile(bin, row.name).step);
    }
}

/// Test programs land in zig-out/tests/<sanitizer>/<kind>/<name>, where tests/run finds them.
fn addTests(p: Project, step: *Build.Step) void {
    const core = coreFor(p);
    var sick = p;
    sick.lost_wakeup = true;
    const sick_core = coreFor(sick);
    for (tests) |row| {
        const of = if (row.planted) sick else p;
        const sources = concat(p.b, &.{ row.sources, &test_library });
        const bin = link(of, if (row.planted) sick_core else core, std.fs.path.basename(row.name), .{ .sources = sources, .include = &.{"tests"} }, &.{"cmocka"});
        const place = p.b.fmt("tests/{t}/{s}/{s}", .{ p.sanitizer, row.kind, row.name });
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, place).step);
    }
}

fn addTestRun(p: Project, step: *Build.Step) void {
    const run = p.b.addSystemCommand(&.{"tests/run"});
    run.addArg(p.b.fmt("--sanitize={t}", .{p.sanitizer}));
    run.setCwd(p.b.path("."));
    run.has_side_effects = true;
    run.stdio = .inherit;
    run.step.dependOn(&p.b.top_level_steps.get("tests").?.step);
    step.dependOn(&run.step);
}

fn addBench(p: Project, step: *Build.Step) void {
    const fast = p.with(.ReleaseSafe, .none);
    const core = coreLibrary(fast);
    for (benches) |row| {
        const bin = program(fast, core, row.name, .{ .sources = concat(p.b, &.{ row.sources, &bench_library }), .include = &.{"bench"} }, &.{});
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, p.b.fmt("bench/{s}", .{row.name})).step);
    }
}

/// compile_commands.json with plain flags: Zig's own would carry CPU names that clang-tidy 14 does not know.
fn addCompileCommands(p: Project, step: *Build.Step) void {
    const b = p.b;
    const headers = b.addInstallDirectory(.{ .source_dir = p.proto, .install_dir = .prefix, .install_subdir = "proto" });
    var json: std.ArrayList(u8) = .empty;
    const root = b.build_root.path orelse ".";
    for (allSources(b)) |file| {
        const cxx = std.mem.endsWith(u8, file, ".cc");
        const head = if (json.items.len == 0) "[\n" else ",\n";
        json.print(b.allocator, "{s}{{\"directory\":\"{s}\",\"file\":\"{s}\",\"arguments\":[\"{s}\",\"-Isrc\",\"-Itests\",\"-Ibench\",\"-Izig-out/proto\"", .{ head, root, file, if (cxx) "c++" else "cc" }) catch @panic("OOM");
        const flags: []const []const u8 = if (cxx) &cxx_flags else concat(b, &.{ &c_language, &warnings });
        for (flags) |flag| json.print(b.allocator, ",\"{s}\"", .{flag}) catch @panic("OOM");
        json.print(b.allocator, ",\"-c\",\"{s}\"]}}", .{file}) catch @panic("OOM");
    }
    json.appendSlice(b.allocator, "\n]\n") catch @panic("OOM");
    const update = b.addUpdateSourceFiles();
    update.addBytesToSource(json.items, "compile_commands.json");
    step.dependOn(&update.step);
    step.dependOn(&headers.step);
}

fn allSources(b: *Build) []const []const u8 {
    var list: std.ArrayList([]const u8) = .empty;
    const add = struct {
        fn all(owner: *Build, to: *std.ArrayList([]const u8), files: []const []const u8) void {
            to.appendSlice(owner.allocator, files) catch @panic("OOM");
        }
    }.all;
    for ([_][]const []const u8{ &core_sources, &untraced_sources, &test_library, &bench_library }) |files| add(b, &list, files);
    for (programs) |row| add(b, &list, row.sources);
    for (tests) |row| add(b, &list, row.sources);
    for (benches) |row| add(b, &list, row.sources);
    return list.items;
}

// ---------------------------------------------------------------------------------------------------- files

const Program = struct { name: []const u8, sources: []const []const u8 };
const TestProgram = struct {
    kind: []const u8,
    name: []const u8,
    sources: []const []const u8,
    /// Built with the planted lost wake-up: passes when it finds it.
    planted: bool = false,
};

/// From Debian's archives, linked statically.
const static_libraries = [_][]const u8{ "ck", "event_pthreads", "event_core", "protobuf-c" };

const proto_sources = [_][]const u8{
    "binlog",
};

const core_sources = [_][]const u8{
    "src/base/arena.c",
    "src/base/buf.c",
    "src/base/conf.c",
    "src/base/conf_field.c",
    "src/base/conf_file.c",
    "src/base/conf_flags.c",
    "src/base/conf_help.c",
    "src/base/conf_hint.c",
    "src/base/conf_match.c",
    "src/base/conf_table.c",
    "src/base/conf_toml.cc",
    "src/base/conf_value.c",
    "src/base/crc32c.c",
    "src/base/env.c",
    "src/base/env_os.c",
    "src/base/env_os_addr.c",
    "src/base/env_os_fs.c",
    "src/base/env_os_net.c",
    "src/base/env_os_threads.c",
    "src/base/err.c",
    "src/base/hash.c",
    "src/base/heap.c",
    "src/base/map.c",
    "src/base/panic.c",
    "src/base/prng.c",
    "src/base/rawline.c",
    "src/base/sm.c",
    "src/base/trace.c",
    "src/base/units.c",
    "src/runtime/crew.c",
    "src/runtime/line.c",
    "src/runtime/loop.c",
    "src/runtime/mail.c",
    "src/runtime/msg.c",
    "src/runtime/pool.c",
    "src/runtime/runtime.c",
    "src/runtime/seeded.c",
    "src/runtime/slots.c",
    "src/runtime/supervisor.c",
    "src/runtime/timers.c",
    "src/runtime/topology.c",
    "src/runtime/turn.c",
    "src/runtime/watchdog.c",
    "src/runtime/worker.c",
    "src/storage/foreign.c",
    "src/storage/vlog.c",
    "src/storage/vlog_dir.c",
    "src/storage/vlog_format.c",
    "src/storage/vlog_open.c",
    "src/storage/vlog_reader.c",
    "src/storage/vlog_window.c",
};

/// Compiled without ThreadSanitizer: they use ck's inline assembly and annotate it by hand.
const untraced_sources = [_][]const u8{
    "src/runtime/ring.c",
};

const programs = [_]Program{
};

const test_library = [_][]const u8{
    "tests/lib/child.c",
    "tests/lib/env_sim.c",
    "tests/lib/env_sim_disk.c",
    "tests/lib/env_sim_file.c",
    "tests/lib/env_sim_fs.c",
    "tests/lib/env_sim_inbox.c",
    "tests/lib/env_sim_net.c",
    "tests/lib/env_sim_socket.c",
    "tests/lib/sim.c",
    "tests/lib/workload.c",
};

const tests = [_]TestProgram{
    .{ .kind = "canary", .name = "runtime_sim_planted", .sources = &.{"tests/sim/runtime_sim_test.c"}, .planted = true },
    .{ .kind = "canary", .name = "schedule_planted", .sources = &schedule_exploration, .planted = true },
    .{ .kind = "explore", .name = "schedule_test", .sources = &schedule_exploration },
    .{ .kind = "sim", .name = "runtime_sim_test", .sources = &.{"tests/sim/runtime_sim_test.c"} },
    .{ .kind = "stress", .name = "runtime_stress_test", .sources = &.{"tests/stress/runtime_stress_test.c"} },
    unit("base/arena"),
    unit("base/buf"),
    unit("base/conf"),
    unit("base/conf_file"),
    unit("base/conf_flags"),
    unit("base/conf_help"),
    unit("base/conf_toml"),
    unit("base/crc32c"),
    unit("base/env"),
    unit("base/env_fs_contract"),
    unit("base/env_os"),
    unit("base/env_os_net"),
    unit("base/err"),
    unit("base/hash"),
    unit("base/heap"),
    unit("base/list"),
    unit("base/map"),
    unit("base/panic"),
    unit("base/prng"),
    unit("base/sm"),
    unit("base/trace"),
    unit("base/units"),
    unit("lib/env_sim"),
    unit("lib/env_sim_fs"),
    unit("lib/env_sim_net"),
    unit("storage/foreign"),
    unit("storage/vlog"),
    unit("storage/vlog_crash"),
    unit("storage/vlog_format"),
    unit("storage/vlog_open"),
    unit("storage/vlog_reader"),
};

const schedule_exploration = [_][]const u8{ "tests/explore/explore.c", "tests/explore/schedule_test.c" };

const bench_library = [_][]const u8{
    "bench/append_probe.c",
    "bench/harness.c",
    "bench/ring_probe.c",
};

const benches = [_]Program{
    .{ .name = "hop", .sources = &.{"bench/hop.c"} },
    .{ .name = "pump_append", .sources = &.{"bench/append.c"} },
    .{ .name = "pump_recover", .sources = &.{"bench/recover.c"} },
};

/// tests/unit/<name>_test.c as a program of its own.
fn unit(comptime name: []const u8) TestProgram {
    return .{ .kind = "unit", .name = name ++ "_test", .sources = &.{"tests/unit/" ++ name ++ "_test.c"} };
}
