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
const version = @import("build.zig.zon").version;

/// The contents page. Each step has one function that hangs its work on it.
const steps = [_]struct { name: []const u8, text: []const u8, add: *const fn (Project, *Build.Step) void }{
    .{ .name = "programs", .text = "build the programs (also the default)", .add = addPrograms },
    .{ .name = "tools", .text = "build the helper programs of tests into zig-out/tools", .add = addTools },
    .{ .name = "tests", .text = "build the test programs into zig-out/tests", .add = addTests },
    .{ .name = "test", .text = "build and run all tests", .add = addTestRun },
    .{ .name = "bench", .text = "build the benchmarks into zig-out/bench, optimised and hardened", .add = addBench },
    .{ .name = "cross", .text = "build programs and tools into zig-out/cross, for the -Dtarget and -Ddeps given", .add = addCross },
    .{ .name = "fuzz", .text = "build the fuzz targets into zig-out/fuzz (needs clang-14)", .add = addFuzz },
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
    only: []const u8,
    lost_wakeup: bool,
    proto: LazyPath,

    fn init(b: *Build) Project {
        return .{
            .b = b,
            .target = b.standardTargetOptions(.{}),
            .optimize = b.standardOptimizeOption(.{}),
            .sanitizer = b.option(Sanitizer, "sanitize", "instrument our code (default none; address needs clang-14)") orelse .none,
            .deps = b.option([]const u8, "deps", "root of unpacked Debian packages to build against (default: this machine's /usr)"),
            .only = b.option([]const u8, "only", "build only tests whose kind or name contains one of these words, separated by commas") orelse "",
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
    add(p, &list, "-DSLUICE_VERSION=\"" ++ version ++ "\"");
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
    // Named for a native build too: Zig finds them by itself only where there is a `cc` to ask.
    if (p.deps != null or p.target.query.isNativeTriple()) {
        const multiarch = b.fmt("{t}-linux-gnu", .{p.target.result.cpu.arch});
        m.addSystemIncludePath(.{ .cwd_relative = b.fmt("{s}/include", .{p.usr()}) });
        m.addSystemIncludePath(.{ .cwd_relative = b.fmt("{s}/include/{s}", .{ p.usr(), multiarch }) });
        m.addLibraryPath(.{ .cwd_relative = b.fmt("{s}/lib/{s}", .{ p.usr(), multiarch }) });
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

/// What protoc-c made of proto/. It is compiled without our warnings.
fn protoC(p: Project, name: []const u8) LazyPath {
    return p.proto.path(p.b, p.b.fmt("{s}.pb-c.c", .{name}));
}

/// Everything below bin/ as one static library: what programs, tests and benchmarks link.
fn coreLibrary(p: Project) *Compile {
    const m = newModule(p, true);
    addSources(p, m, &core_sources);
    for (proto_sources) |name| m.addCSourceFile(.{ .file = protoC(p, name), .flags = &c_language });
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
    exe.each_lib_rpath = false; // where libraries are searched is the system's to say
    return exe.getEmittedBin();
}

/// Zig ships no AddressSanitizer runtime, so those builds go through clang-14; file lists and cache are the same.
/// A fuzz target gets its main and its coverage from libFuzzer.
const Clang = struct { compile: []const u8, link: []const u8 };
const clang_asan: Clang = .{ .compile = "-fsanitize=address", .link = "-fsanitize=address" };
const clang_fuzz: Clang = .{ .compile = "-fsanitize=fuzzer-no-link,address,undefined", .link = "-fsanitize=fuzzer,address,undefined" };

fn clangProgram(p: Project, clang: Clang, core: LazyPath, name: []const u8, files: Unit, shared_libraries: []const []const u8) LazyPath {
    const b = p.b;
    const run = b.addSystemCommand(&.{ "clang++-14", clang.link, "-g", "-o" });
    const out = run.addOutputFileArg(name);
    for (files.sources) |file| run.addFileArg(clangObject(p, clang, b.path(file), file, files.include));
    run.addFileArg(core);
    for (static_libraries) |library| run.addArg(b.fmt("-l{s}", .{library}));
    for (shared_libraries) |library| run.addArg(b.fmt("-l{s}", .{library}));
    run.addArgs(&.{ "-lpthread", "-lm" });
    return out;
}

/// The core as an archive, so that a test may bring a double of one of its files.
fn clangCore(p: Project, clang: Clang) LazyPath {
    const run = p.b.addSystemCommand(&.{ "ar", "rcs" });
    const out = run.addOutputFileArg("libsluice.a");
    for ([_][]const []const u8{ &core_sources, &untraced_sources }) |list| {
        for (list) |file| run.addFileArg(clangObject(p, clang, p.b.path(file), file, &.{}));
    }
    for (proto_sources) |name| run.addFileArg(clangObject(p, clang, protoC(p, name), p.b.fmt("{s}.pb-c.c", .{name}), &.{}));
    return out;
}

/// file is compiled; name says its language and names the object.
fn clangObject(p: Project, clang: Clang, file: LazyPath, name: []const u8, include: []const []const u8) LazyPath {
    const b = p.b;
    const cxx = std.mem.endsWith(u8, name, ".cc");
    const run = b.addSystemCommand(&.{if (cxx) "clang++-14" else "clang-14"});
    run.addArgs(if (cxx) &cxx_flags else concat(b, &.{ &c_language, definesOf(p) }));
    run.addArgs(&.{ "-g", "-O1", clang.compile, "-fno-sanitize-recover=all", "-fno-omit-frame-pointer" });
    run.addPrefixedDirectoryArg("-I", b.path("src"));
    run.addPrefixedDirectoryArg("-I", p.proto);
    for (include) |dir| run.addPrefixedDirectoryArg("-I", b.path(dir));
    run.addArg("-MMD");
    _ = run.addPrefixedDepFileOutputArg("-MF", "deps.d");
    run.addArg("-c");
    run.addFileArg(file);
    run.addArg("-o");
    return run.addOutputFileArg(b.fmt("{s}.o", .{std.fs.path.basename(name)}));
}

/// The core for whichever compiler the sanitizer asks for.
const Core = union(enum) { zig: *Compile, clang: LazyPath };

fn coreFor(p: Project) Core {
    return if (p.sanitizer == .address) .{ .clang = clangCore(p, clang_asan) } else .{ .zig = coreLibrary(p) };
}

fn link(p: Project, core: Core, name: []const u8, files: Unit, shared_libraries: []const []const u8) LazyPath {
    return switch (core) {
        .zig => |library| program(p, library, name, files, shared_libraries),
        .clang => |archive| clangProgram(p, clang_asan, archive, name, files, shared_libraries),
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

/// Programs that tests start, and what `cross` stands on.
fn addTools(p: Project, step: *Build.Step) void {
    const core = coreFor(p);
    for (tools) |row| {
        const bin = link(p, core, row.name, .{ .sources = row.sources, .include = &.{"tests"} }, &.{});
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, p.b.fmt("tools/{t}/{s}", .{ p.sanitizer, row.name })).step);
    }
    for (preloads) |row| {
        const m = newModule(p.with(p.optimize, .none), true);
        addSources(p, m, row.sources);
        const library = p.b.addLibrary(.{ .name = row.name, .linkage = .dynamic, .root_module = m });
        step.dependOn(&p.b.addInstallFileWithDir(library.getEmittedBin(), .prefix, p.b.fmt("tools/{t}/{s}.so", .{ p.sanitizer, row.name })).step);
    }
}

/// Test programs land in zig-out/tests/<sanitizer>/<kind>/<name>, and beside them in bin/ the programs that scripts
/// start: zig-out/bin is left as it was built for people. The file `list` beside them says which of what lies
/// there is of this build, so that tests/run never runs a program whose source is gone.
fn addTests(p: Project, step: *Build.Step) void {
    const core = coreFor(p);
    var names: std.ArrayList(u8) = .empty;
    var sick = p;
    sick.lost_wakeup = true;
    const sick_core = coreFor(sick);
    step.dependOn(&p.b.top_level_steps.get("tools").?.step);
    for (programs) |row| {
        const bin = link(p, core, row.name, .{ .sources = row.sources }, &.{});
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, p.b.fmt("tests/{t}/bin/{s}", .{ p.sanitizer, row.name })).step);
    }
    for (tests) |row| {
        if (!wanted(p, row)) continue;
        const of = if (row.planted) sick else p;
        names.print(p.b.allocator, "{s}/{s}\n", .{ row.kind, row.name }) catch @panic("OOM");
        const sources = concat(p.b, &.{ row.sources, &test_library });
        const bin = link(of, if (row.planted) sick_core else core, std.fs.path.basename(row.name), .{ .sources = sources, .include = &.{"tests"} }, &.{"cmocka"});
        const place = p.b.fmt("tests/{t}/{s}/{s}", .{ p.sanitizer, row.kind, row.name });
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, place).step);
    }
    installList(p, step, p.b.fmt("tests/{t}/list", .{p.sanitizer}), names.items);
}

/// The words of -Donly are the filters of tests/run.
fn wanted(p: Project, row: TestProgram) bool {
    var words = std.mem.tokenizeScalar(u8, p.only, ',');
    const name = p.b.fmt("{s}/{s}", .{ row.kind, row.name });
    while (words.next()) |word| if (std.mem.indexOf(u8, name, word) != null) return true;
    return p.only.len == 0;
}

fn installList(p: Project, step: *Build.Step, place: []const u8, text: []const u8) void {
    const file = p.b.addWriteFiles().add("list", text);
    step.dependOn(&p.b.addInstallFileWithDir(file, .prefix, place).step);
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
    var names: std.ArrayList(u8) = .empty;
    for (benches) |row| {
        names.print(p.b.allocator, "{s}\n", .{row.name}) catch @panic("OOM");
        const bin = program(fast, core, row.name, .{ .sources = concat(p.b, &.{ row.sources, &bench_library }), .include = &.{"bench"} }, &.{});
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, p.b.fmt("bench/{s}", .{row.name})).step);
    }
    // Those that measure a running pump start one that is built as they are.
    for (programs) |row| {
        const bin = program(fast, core, row.name, .{ .sources = row.sources }, &.{});
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, p.b.fmt("bench/bin/{s}", .{row.name})).step);
    }
    installList(p, step, "bench/list", names.items);
}

/// Programs for another machine: the same sources, with the -Dtarget, -Dcpu and -Ddeps of the command line.
fn addCross(p: Project, step: *Build.Step) void {
    const core = coreFor(p);
    for ([_][]const Program{ &programs, &tools }) |rows| for (rows) |row| {
        const bin = link(p, core, row.name, .{ .sources = row.sources, .include = &.{"tests"} }, &.{});
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, p.b.fmt("cross/{s}", .{row.name})).step);
    };
}

fn addFuzz(p: Project, step: *Build.Step) void {
    const checked = p.with(.Debug, .address);
    const core = clangCore(checked, clang_fuzz);
    var names: std.ArrayList(u8) = .empty;
    for (fuzzers) |row| {
        names.print(p.b.allocator, "{s}\n", .{row.name}) catch @panic("OOM");
        const bin = clangProgram(checked, clang_fuzz, core, row.name, .{ .sources = row.sources, .include = &.{"tests"} }, &.{});
        step.dependOn(&p.b.addInstallFileWithDir(bin, .prefix, p.b.fmt("fuzz/{s}", .{row.name})).step);
    }
    installList(p, step, "fuzz/list", names.items);
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
    for (tools) |row| add(b, &list, row.sources);
    for (preloads) |row| add(b, &list, row.sources);
    for (fuzzers) |row| add(b, &list, row.sources);
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
const static_libraries = [_][]const u8{
    "ck",      "event_pthreads", "event_core",  "http_parser", "jansson",
    "nghttp2", "pcre2-8",        "protobuf-c",  "wiredtiger",  "z",
    "zstd",
    "mariadb", "nghttp2",        "protobuf-c",  "wiredtiger",  "ssl",
    "crypto",  "z",              "zstd",
    "ck",      "event_pthreads", "event_core",  "http_parser", "jansson",   "nettle",
    "nghttp2", "protobuf-c",     "wiredtiger",  "z",
    "nghttp2", "protobuf-c",     "wiredtiger",  "zstd",
};

const proto_sources = [_][]const u8{
    "binlog",
    "etcd",
    "fakepd",
    "pdpb",
    "pump",
    "tikv",
};

const core_sources = [_][]const u8{
    "src/actors/common/action.c",
    "src/actors/common/body.c",
    "src/actors/common/config.c",
    "src/actors/common/knobs.c",
    "src/actors/common/reload.c",
    "src/actors/drainer/causality.c",
    "src/actors/drainer/checkpointer.c",
    "src/actors/drainer/collector.c",
    "src/actors/drainer/decoder.c",
    "src/actors/drainer/dispatcher.c",
    "src/actors/drainer/dispatcher_parts.c",
    "src/actors/drainer/drainer.c",
    "src/actors/drainer/fold.c",
    "src/actors/drainer/historian.c",
    "src/actors/drainer/kept_schema.c",
    "src/actors/drainer/known_tables.c",
    "src/actors/drainer/merger.c",
    "src/actors/drainer/merger_pumps.c",
    "src/actors/drainer/messages.c",
    "src/actors/drainer/opener.c",
    "src/actors/drainer/planner.c",
    "src/actors/drainer/planner_ddl.c",
    "src/actors/drainer/planner_filter.c",
    "src/actors/drainer/planner_rows.c",
    "src/actors/drainer/reload.c",
    "src/actors/drainer/root.c",
    "src/actors/drainer/row_keys.c",
    "src/actors/drainer/sink.c",
    "src/actors/drainer/sink_mysql.c",
    "src/actors/drainer/sink_mysql_apply.c",
    "src/actors/drainer/sink_mysql_book.c",
    "src/actors/drainer/sink_mysql_ddl.c",
    "src/actors/drainer/sink_sql.c",
    "src/actors/drainer/sink_stdout.c",
    "src/actors/drainer/source.c",
    "src/actors/drainer/spooler.c",
    "src/actors/drainer/topology.c",
    "src/actors/drainer/verdict.c",
    "src/actors/drainer/window.c",
    "src/actors/drainer/worker.c",
    "src/actors/common/connection.c",
    "src/actors/common/gateway.c",
    "src/actors/common/http_mail.c",
    "src/actors/common/push.c",
    "src/actors/common/routes.c",
    "src/actors/drainer/admin.c",
    "src/actors/drainer/board.c",
    "src/actors/drainer/config.c",
    "src/actors/drainer/config_check.c",
    "src/actors/drainer/config_filter.c",
    "src/actors/drainer/sink_table_load.c",
    "src/actors/drainer/front.c",
    "src/actors/drainer/gateway.c",
    "src/actors/drainer/metrics.c",
    "src/actors/drainer/purge.c",
    "src/actors/drainer/pusher.c",
    "src/actors/drainer/registrar.c",
    "src/actors/drainer/session.c",
    "src/actors/drainer/status.c",
    "src/actors/pump/admin.c",
    "src/actors/pump/birth.c",
    "src/actors/pump/clock.c",
    "src/actors/pump/config.c",
    "src/actors/pump/config_check.c",
    "src/actors/pump/cut.c",
    "src/actors/pump/exposition.c",
    "src/actors/pump/gateway.c",
    "src/actors/pump/gc_point.c",
    "src/actors/pump/gc_scan.c",
    "src/actors/pump/indexer.c",
    "src/actors/pump/lookup.c",
    "src/actors/pump/messages.c",
    "src/actors/pump/metrics.c",
    "src/actors/pump/options.c",
    "src/actors/common/node_identity.c",
    "src/actors/pump/pull_entity.c",
    "src/actors/pump/pull_large.c",
    "src/actors/pump/pull_shard.c",
    "src/actors/pump/pull_stream.c",
    "src/actors/pump/puller.c",
    "src/actors/pump/pump.c",
    "src/actors/pump/pusher.c",
    "src/actors/pump/registrar.c",
    "src/actors/pump/reload.c",
    "src/actors/pump/resolver.c",
    "src/actors/pump/retention.c",
    "src/actors/pump/root.c",
    "src/actors/pump/scrub.c",
    "src/actors/pump/session.c",
    "src/actors/pump/session_check.c",
    "src/actors/pump/session_grpc.c",
    "src/actors/pump/session_http.c",
    "src/actors/pump/session_pull.c",
    "src/actors/pump/session_spool.c",
    "src/actors/pump/session_write.c",
    "src/actors/pump/shard_writer.c",
    "src/actors/pump/sort_core.c",
    "src/actors/pump/sorter.c",
    "src/actors/pump/spooler.c",
    "src/actors/pump/status.c",
    "src/actors/pump/stores.c",
    "src/actors/pump/topology.c",
    "src/base/arena.c",
    "src/base/base64.c",
    "src/base/buf.c",
    "src/base/condition.c",
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
    "src/base/json.c",
    "src/base/log.c",
    "src/base/log_file.c",
    "src/base/log_json.c",
    "src/base/log_line.c",
    "src/base/log_text.c",
    "src/base/map.c",
    "src/base/metric.c",
    "src/base/metric_process.c",
    "src/base/metric_text.c",
    "src/base/panic.c",
    "src/base/prng.c",
    "src/base/env_os_process.c",
    "src/base/rawline.c",
    "src/base/secret.c",
    "src/base/sm.c",
    "src/base/trace.c",
    "src/base/units.c",
    "src/base/utf8.c",
    "src/base/version.c",
    "src/binlog/binary_json.c",
    "src/binlog/datum.c",
    "src/binlog/decimal.c",
    "src/binlog/float_digits.cc",
    "src/binlog/float_text.c",
    "src/binlog/json_text.c",
    "src/binlog/create_table.c",
    "src/binlog/create_table_partitions.c",
    "src/binlog/ddl.c",
    "src/binlog/ddl_case.c",
    "src/binlog/ddl_clauses.c",
    "src/binlog/ddl_collations.c",
    "src/binlog/ddl_parts.c",
    "src/binlog/job.c",
    "src/binlog/job_json.c",
    "src/binlog/merge.c",
    "src/binlog/packed_time.c",
    "src/binlog/prewrite.c",
    "src/binlog/event_filter.c",
    "src/binlog/event_kind.c",
    "src/binlog/filter.c",
    "src/binlog/pattern.c",
    "src/binlog/record.c",
    "src/binlog/record_stream.c",
    "src/binlog/record_text.c",
    "src/binlog/request.c",
    "src/binlog/row.c",
    "src/binlog/row_default.c",
    "src/binlog/row_v2.c",
    "src/binlog/row_value.c",
    "src/binlog/statement.c",
    "src/binlog/statement_parts.c",
    "src/binlog/row_walk.c",
    "src/binlog/table.c",
    "src/binlog/value_text.c",
    "src/binlog/schema.c",
    "src/binlog/schema_apply.c",
    "src/binlog/schema_rename.c",
    "src/binlog/schema_store.c",
    "src/binlog/sql_edit.c",
    "src/binlog/sql_scan.c",
    "src/binlog/sql_statement.c",
    "src/binlog/table_info.c",
    "src/binlog/sink_map.c",
    "src/binlog/sink_table.c",
    "src/binlog/sql_text.c",
    "src/binlog/statement.c",
    "src/binlog/statement_parts.c",
    "src/binlog/wire.c",
    "src/binlog/zone.c",
    "src/binlog/zone_future.c",
    "src/binlog/zone_read.c",
    "src/compat/compat.c",
    "src/ctl/answer.c",
    "src/ctl/apply.c",
    "src/ctl/cli.c",
    "src/ctl/encrypt.c",
    "src/ctl/explain.c",
    "src/ctl/gather.c",
    "src/ctl/judge.c",
    "src/ctl/knobs.c",
    "src/ctl/legacy.c",
    "src/ctl/list.c",
    "src/ctl/locate.c",
    "src/ctl/meta.c",
    "src/ctl/report.c",
    "src/ctl/report_json.c",
    "src/ctl/savepoint.c",
    "src/ctl/status.c",
    "src/ctl/steer.c",
    "src/ctl/table.c",
    "src/ctl/text.c",
    "src/ctl/update.c",
    "src/ctl/wait.c",
    "src/net/channel.c",
    "src/net/channel_address.c",
    "src/net/channel_call.c",
    "src/net/cluster.c",
    "src/net/endpoints.c",
    "src/net/etcd.c",
    "src/net/grpc.c",
    "src/net/grpc_call.c",
    "src/net/grpc_client.c",
    "src/net/grpc_gzip.c",
    "src/net/grpc_inbox.c",
    "src/net/grpc_receive.c",
    "src/net/grpc_send.c",
    "src/net/grpc_server.c",
    "src/net/grpc_status.c",
    "src/net/grpc_text.c",
    "src/net/h2.c",
    "src/net/h2_block.c",
    "src/net/h2_budget.c",
    "src/net/h2_fields.c",
    "src/net/h2_output.c",
    "src/net/h2_queue.c",
    "src/net/h2_receive.c",
    "src/net/h2_stream.c",
    "src/net/http.c",
    "src/net/http_answer.c",
    "src/net/http_ask.c",
    "src/net/http_bytes.c",
    "src/net/http_post.c",
    "src/net/http_reader.c",
    "src/net/http_route.c",
    "src/net/local_dir.c",
    "src/net/local_drive.c",
    "src/net/local_registry.c",
    "src/net/local_tso.c",
    "src/net/mysql.c",
    "src/net/mysql_auth.c",
    "src/net/mysql_errors.c",
    "src/net/mysql_session.c",
    "src/net/node.c",
    "src/net/node_state.c",
    "src/net/pd.c",
    "src/net/pd_drive.c",
    "src/net/pd_region.c",
    "src/net/pd_registry.c",
    "src/net/pd_tso.c",
    "src/net/pd_wire.c",
    "src/net/registry.c",
    "src/net/schema_file.c",
    "src/net/schema_history.c",
    "src/net/schema_http.c",
    "src/net/schema_source.c",
    "src/net/schema_tikv.c",
    "src/net/tikv.c",
    "src/net/tikv_key.c",
    "src/net/tikv_read.c",
    "src/net/tikv_route.c",
    "src/net/tikv_verdict.c",
    "src/net/tikv_wire.c",
    "src/net/tso.c",
    "src/runtime/crew.c",
    "src/runtime/ctx.c",
    "src/runtime/line.c",
    "src/runtime/loop.c",
    "src/runtime/mail.c",
    "src/runtime/msg.c",
    "src/runtime/pool.c",
    "src/runtime/run.c",
    "src/runtime/runtime.c",
    "src/runtime/seeded.c",
    "src/runtime/slots.c",
    "src/runtime/supervisor.c",
    "src/runtime/timers.c",
    "src/runtime/topology.c",
    "src/runtime/turn.c",
    "src/runtime/watchdog.c",
    "src/runtime/worker.c",
    "src/sluice/cli.c",
    "src/sluice/compare.c",
    "src/sluice/compare_lines.c",
    "src/sluice/corpus.c",
    "src/sluice/corpus_file.c",
    "src/sluice/ddl.c",
    "src/sluice/demo.c",
    "src/sluice/gate.c",
    "src/sluice/histogram.c",
    "src/sluice/init.c",
    "src/sluice/laptop.c",
    "src/sluice/laptop_files.c",
    "src/sluice/laptop_status.c",
    "src/sluice/load.c",
    "src/sluice/loader.c",
    "src/binlog/message.c",
    "src/sluice/mix.c",
    "src/sluice/mix_rows.c",
    "src/sluice/pair.c",
    "src/sluice/player.c",
    "src/sluice/private_mariadb.c",
    "src/sluice/pull.c",
    "src/sluice/puller.c",
    "src/sluice/recording.c",
    "src/sluice/replay.c",
    "src/sluice/row_bytes.c",
    "src/sluice/shop.c",
    "src/sluice/shop_rows.c",
    "src/sluice/shop_schema.c",
    "src/sluice/stamps.c",
    "src/sluice/terminal.c",
    "src/sluice/up.c",
    "src/sluice/where.c",
    "src/sluice/writer.c",
    "src/storage/foreign.c",
    "src/storage/index.c",
    "src/storage/index_plain.c",
    "src/storage/index_plain_file.c",
    "src/storage/index_wt.c",
    "src/storage/index_wt_open.c",
    "src/storage/large.c",
    "src/storage/large_format.c",
    "src/storage/large_reader.c",
    "src/storage/large_writer.c",
    "src/storage/spool.c",
    "src/storage/savepoint.c",
    "src/storage/vlog.c",
    "src/storage/vlog_dir.c",
    "src/storage/vlog_format.c",
    "src/storage/vlog_open.c",
    "src/storage/vlog_reader.c",
    "src/storage/vlog_scrub.c",
    "src/storage/vlog_window.c",
};

/// Compiled without ThreadSanitizer: they use ck's inline assembly and annotate it by hand.
const untraced_sources = [_][]const u8{
    "src/runtime/ring.c",
};

const programs = [_]Program{
    .{ .name = "drainer", .sources = &.{"bin/drainer.c"} },
    .{ .name = "binlogctl", .sources = &.{"bin/binlogctl.c"} },
    .{ .name = "pump", .sources = &.{"bin/pump.c"} },
    .{ .name = "sluice", .sources = &.{"bin/sluice.c"} },
};

/// Small programs for tests to start; see addTools.
const tools = [_]Program{
    .{ .name = "ddl_statements", .sources = &.{ "tests/lib/ddl_stream.c", "tests/tools/ddl_statements.c" } },
    .{ .name = "door", .sources = &.{"tests/tools/door.c"} },
    .{ .name = "fakepd", .sources = &fakepd_sources },
    .{ .name = "feedpump", .sources = &.{ "tests/lib/fake_pump.c", "tests/tools/feedpump.c" } },
    .{ .name = "manual", .sources = &.{"tests/tools/manual.c"} },
    .{ .name = "row_recording", .sources = &row_recording },
    .{ .name = "schema_jobs", .sources = &.{"tests/tools/schema_jobs.c"} },
    .{ .name = "selfcheck", .sources = &.{"tests/tools/selfcheck.c"} },
    .{ .name = "sqldoor", .sources = &.{ "tests/tools/sqldoor.c", "tests/tools/sqldoor_write.c" } },
};

/// Libraries that tests load into programs.
const preloads = [_]Program{
    .{ .name = "die_at", .sources = &.{"tests/tools/die_at.c"} },
};

const fakepd_sources = [_][]const u8{
    "tests/lib/env_sim.c",
    "tests/lib/env_sim_disk.c",
    "tests/lib/env_sim_file.c",
    "tests/lib/env_sim_fs.c",
    "tests/lib/env_sim_inbox.c",
    "tests/lib/env_sim_net.c",
    "tests/lib/env_sim_socket.c",
    "tests/lib/host.c",
    "tests/tools/fakemeta.c",
    "tests/tools/fakepd.c",
    "tests/tools/faketikv.c",
};

/// Each defines LLVMFuzzerTestOneInput; its first inputs lie in tests/corpus/<name>.
const fuzzers = [_]Program{
    .{ .name = "conf", .sources = &.{"tests/fuzz/conf_fuzz.c"} },
    .{ .name = "grpc", .sources = &.{ "tests/fuzz/grpc_fuzz.c", "tests/lib/wire.c" } },
    .{ .name = "h2", .sources = &.{ "tests/fuzz/h2_fuzz.c", "tests/lib/wire.c" } },
    .{ .name = "http", .sources = &.{"tests/fuzz/http_fuzz.c"} },
    .{ .name = "record", .sources = &.{"tests/fuzz/record_fuzz.c"} },
    .{ .name = "row", .sources = &.{ "tests/fuzz/row_fuzz.c", "tests/lib/table.c" } },
};

const test_library = [_][]const u8{
    "tests/lib/child.c",
    "tests/lib/ddl_stream.c",
    "tests/lib/env_sim.c",
    "tests/lib/env_sim_disk.c",
    "tests/lib/env_sim_file.c",
    "tests/lib/env_sim_fs.c",
    "tests/lib/env_sim_inbox.c",
    "tests/lib/env_sim_net.c",
    "tests/lib/env_sim_socket.c",
    "tests/lib/fake_pump.c",
    "tests/lib/folder.c",
    "tests/lib/host.c",
    "tests/lib/layer.c",
    "tests/lib/row_model.c",
    "tests/lib/row_model_text.c",
    "tests/lib/row_stream.c",
    "tests/lib/sim.c",
    "tests/lib/stage.c",
    "tests/lib/table.c",
    "tests/lib/wire.c",
    "tests/lib/workload.c",
    "tests/lib/workload_source.c",
};

const tests = [_]TestProgram{
    .{ .kind = "canary", .name = "drainer_sim_planted", .sources = &([_][]const u8{"tests/sim/drainer_planted.c"} ++ drainer_sim) },
    .{ .kind = "canary", .name = "runtime_sim_planted", .sources = &.{"tests/sim/runtime_sim_test.c"}, .planted = true },
    .{ .kind = "canary", .name = "schedule_planted", .sources = &schedule_exploration, .planted = true },
    .{ .kind = "explore", .name = "schedule_test", .sources = &schedule_exploration },
    .{ .kind = "sim", .name = "drainer_sim_test", .sources = &(drainer_sim ++ .{"tests/sim/drainer_honest.c"}) },
    .{ .kind = "sim", .name = "joins_test", .sources = &joins },
    .{ .kind = "sim", .name = "puller_test", .sources = &.{ "tests/sim/pull_world.c", "tests/sim/puller_test.c" } },
    .{ .kind = "sim", .name = "pump_pause_test", .sources = &pump_pause },
    .{ .kind = "sim", .name = "pump_sim_test", .sources = &pump_sim },
    .{ .kind = "sim", .name = "runtime_sim_test", .sources = &.{"tests/sim/runtime_sim_test.c"} },
    .{ .kind = "stress", .name = "runtime_stress_test", .sources = &.{"tests/stress/runtime_stress_test.c"} },
    .{ .kind = "unit", .name = "actors/pump/lookup_test", .sources = &.{ "tests/sim/pull_world.c", "tests/unit/actors/pump/lookup_test.c" } },
    .{ .kind = "unit", .name = "actors/pump/pull_stream_test", .sources = &.{ "tests/sim/pull_world.c", "tests/unit/actors/pump/pull_stream_test.c" } },
    .{ .kind = "unit", .name = "actors/pump/session_pull_test", .sources = &.{ "tests/unit/actors/pump/entrance.c", "tests/unit/actors/pump/session_pull_test.c" } },
    .{ .kind = "unit", .name = "actors/pump/session_spool_test", .sources = &.{ "tests/unit/actors/pump/entrance.c", "tests/unit/actors/pump/session_spool_test.c" } },
    .{ .kind = "unit", .name = "actors/pump/session_wire_test", .sources = &.{ "tests/unit/actors/pump/entrance.c", "tests/unit/actors/pump/session_wire_test.c" } },
    .{ .kind = "unit", .name = "actors/pump/session_write_test", .sources = &.{ "tests/unit/actors/pump/entrance.c", "tests/unit/actors/pump/session_write_test.c" } },
    unit("actors/common/config"),
    unit("actors/common/knobs"),
    unit("actors/common/push"),
    unit("actors/drainer/admin"),
    unit("actors/drainer/causality"),
    unit("actors/drainer/config"),
    unit("actors/drainer/config_check"),
    unit("actors/drainer/dispatcher"),
    unit("actors/drainer/fold"),
    unit("actors/drainer/front"),
    unit("actors/drainer/kept_schema"),
    unit("actors/drainer/merger"),
    unit("actors/drainer/metrics"),
    unit("actors/drainer/planner"),
    unit("actors/drainer/purge"),
    unit("actors/drainer/planner_rows"),
    unit("actors/drainer/row_keys"),
    unit("actors/drainer/status"),
    unit("actors/drainer/verdict"),
    unit("actors/drainer/window"),
    unit("actors/pump/admin"),
    unit("actors/pump/config"),
    unit("actors/pump/cut"),
    unit("actors/pump/gc_point"),
    unit("actors/pump/gc_scan"),
    unit("actors/pump/metrics"),
    unit("actors/common/node_identity"),
    unit("actors/pump/pull_entity"),
    unit("actors/pump/pump_open"),
    unit("actors/pump/sort_core"),
    unit("actors/pump/sorter"),
    unit("actors/pump/status"),
    unit("base/arena"),
    unit("base/base64"),
    unit("base/buf"),
    unit("base/condition"),
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
    unit("base/json"),
    unit("base/list"),
    unit("base/log"),
    unit("base/log_encode"),
    unit("base/log_file"),
    unit("base/map"),
    unit("base/metric"),
    unit("base/metric_text"),
    unit("base/panic"),
    unit("base/prng"),
    unit("base/env_os_process"),
    unit("base/secret"),
    unit("base/sm"),
    unit("base/trace"),
    unit("base/units"),
    unit("base/utf8"),
    unit("base/version"),
    unit("binlog/event_filter"),
    unit("binlog/event_kind"),
    unit("binlog/filter"),
    unit("binlog/ddl"),
    unit("binlog/ddl_collations"),
    unit("binlog/job"),
    unit("binlog/merge"),
    unit("binlog/pattern"),
    unit("binlog/binary_json"),
    unit("binlog/datum"),
    unit("binlog/decimal"),
    unit("binlog/float_text"),
    unit("binlog/packed_time"),
    unit("binlog/prewrite"),
    unit("binlog/record"),
    unit("binlog/record_stream"),
    unit("binlog/record_text"),
    unit("binlog/request"),
    unit("binlog/row"),
    unit("binlog/row_default"),
    unit("binlog/row_v2"),
    unit("binlog/table"),
    unit("binlog/schema"),
    unit("binlog/schema_store"),
    unit("binlog/sql_scan"),
    unit("binlog/table_info"),
    unit("binlog/sink_table"),
    unit("binlog/sql_text"),
    unit("binlog/value_text"),
    unit("binlog/zone"),
    unit("binlog/sink_map"),
    unit("binlog/statement"),
    unit("ctl/answer"),
    unit("ctl/report"),
    unit("ctl/savepoint"),
    unit("lib/env_sim"),
    unit("lib/env_sim_fault"),
    unit("lib/env_sim_fs"),
    unit("lib/env_sim_net"),
    unit("net/channel"),
    unit("net/channel_layer"),
    unit("net/grpc"),
    unit("net/grpc_end"),
    unit("net/grpc_gzip"),
    unit("net/grpc_pieces"),
    unit("net/grpc_stranger"),
    unit("net/grpc_text"),
    unit("net/h2"),
    unit("net/h2_broken"),
    unit("net/h2_end"),
    unit("net/h2_flood"),
    unit("net/http"),
    unit("net/http_ask"),
    unit("net/http_route"),
    unit("net/http_time"),
    unit("net/live_doors"),
    unit("net/local_drive"),
    unit("net/local_processes"),
    unit("net/local_registry"),
    unit("net/local_tso"),
    unit("net/mysql_errors"),
    unit("net/registry_json"),
    unit("net/registry_state"),
    unit("net/tikv"),
    unit("net/tikv_read"),
    unit("net/tikv_verdict"),
    unit("proto/binlog_pump"),
    unit("runtime/actor"),
    unit("runtime/ask"),
    unit("runtime/common_pool"),
    unit("runtime/io"),
    unit("runtime/line"),
    unit("runtime/mailbox"),
    unit("runtime/pool"),
    unit("runtime/ring"),
    unit("runtime/supervisor"),
    unit("runtime/timer"),
    unit("runtime/topology"),
    unit("runtime/watchdog"),
    unit("sluice/compare_lines"),
    unit("sluice/corpus"),
    unit("sluice/gate"),
    unit("sluice/histogram"),
    unit("sluice/loader"),
    unit("sluice/pair"),
    unit("sluice/player"),
    unit("sluice/puller"),
    unit("sluice/shop_schema"),
    unit("storage/foreign"),
    unit("storage/index"),
    unit("storage/index_crash"),
    unit("storage/large"),
    unit("storage/large_crash"),
    unit("storage/spool"),
    unit("storage/savepoint"),
    unit("storage/vlog"),
    unit("storage/vlog_crash"),
    unit("storage/vlog_format"),
    unit("storage/vlog_open"),
    unit("storage/vlog_reader"),
    unit("storage/vlog_scrub"),
};

const schedule_exploration = [_][]const u8{ "tests/explore/explore.c", "tests/explore/schedule_test.c" };

const row_recording = [_][]const u8{
    "tests/lib/row_model.c",
    "tests/lib/row_model_text.c",
    "tests/lib/row_stream.c",
    "tests/sim/drainer_script.c",
    "tests/tools/row_recording.c",
};

const drainer_sim = [_][]const u8{
    "tests/sim/drainer_doubles.c",
    "tests/sim/drainer_script.c",
    "tests/sim/drainer_sim_test.c",
    "tests/sim/drainer_sink.c",
    "tests/sim/drainer_world.c",
};

const joins = [_][]const u8{
    "tests/sim/joins.c",
    "tests/sim/joins_gate.c",
    "tests/sim/joins_merger.c",
    "tests/sim/joins_puller.c",
    "tests/sim/joins_test.c",
};

const pump_world = [_][]const u8{
    "tests/sim/pump_drainer.c",
    "tests/sim/pump_link.c",
    "tests/sim/pump_tidb.c",
    "tests/sim/pump_world.c",
};

const pump_pause = [_][]const u8{
    "tests/sim/pump_pause_indexer.c",
    "tests/sim/pump_pause_test.c",
    "tests/sim/pump_pause_writer.c",
} ++ pump_world;

const pump_sim = [_][]const u8{"tests/sim/pump_sim_test.c"} ++ pump_world;

const bench_library = [_][]const u8{
    "bench/append_probe.c",
    "bench/h2_probe.c",
    "bench/harness.c",
    "bench/ring_probe.c",
    "bench/running_pump.c",
};

const benches = [_]Program{
    .{ .name = "drainer_apply", .sources = &.{ "bench/apply.c", "bench/sink_probe.c" } },
    .{ .name = "drainer_coalesce", .sources = &.{"bench/coalesce.c"} },
    .{ .name = "drainer_decode", .sources = &.{ "bench/decode.c", "bench/decode_probe.c" } },
    .{ .name = "drainer_end_to_end", .sources = &.{ "bench/end_to_end.c", "bench/running_drainer.c", "bench/sink_probe.c" } },
    .{ .name = "drainer_memory", .sources = &.{ "bench/drainer_memory.c", "bench/running_drainer.c", "bench/sink_probe.c" } },
    .{ .name = "drainer_merge", .sources = &.{ "bench/merge.c", "bench/merge_reference.c" } },
    .{ .name = "drainer_translate", .sources = &.{ "bench/translate.c", "bench/decode_probe.c" } },
    .{ .name = "hop", .sources = &.{"bench/hop.c"} },
    .{ .name = "pump_append", .sources = &.{"bench/append.c"} },
    .{ .name = "pump_commit_visible", .sources = &.{"bench/commit_visible.c"} },
    .{ .name = "pump_memory", .sources = &.{"bench/memory.c"} },
    .{ .name = "pump_pull", .sources = &.{"bench/pull.c"} },
    .{ .name = "pump_recover", .sources = &.{"bench/recover.c"} },
    .{ .name = "pump_rpc", .sources = &.{"bench/rpc.c"} },
    .{ .name = "pump_rpc_latency", .sources = &.{"bench/rpc_latency.c"} },
};

/// tests/unit/<name>_test.c as a program of its own.
fn unit(comptime name: []const u8) TestProgram {
    return .{ .kind = "unit", .name = name ++ "_test", .sources = &.{"tests/unit/" ++ name ++ "_test.c"} };
}
