"""What the checks allow, and why. An exception names its reason; lists of debts only shrink."""

# ---- who may include whom (ARCHITECTURE.md, layout) ----

CORE = {"net", "runtime", "storage", "binlog", "base"}
LAYERS = {
    "base": set(),
    "compat": set(),
    "runtime": {"base"},
    "net": {"runtime", "base"},
    "storage": {"base"},
    "binlog": {"base"},
    "sluice": CORE | {"actors/common", "actors/pump", "actors/drainer"},
    "ctl": {"net", "base"},
    "actors/common": CORE,
    "actors/pump": CORE | {"actors/common"},
    "actors/drainer": CORE | {"actors/common"},
    "bin": CORE | {"actors/common", "actors/pump", "actors/drainer", "sluice", "ctl"},
}

# ---- headers that are not ours ----

# Of the C library, the kernel and the compiler.
SYSTEM_HEADERS = set("""
arm_acle.h arpa/inet.h assert.h cpuid.h ctype.h dirent.h errno.h fcntl.h fnmatch.h float.h grp.h
dlfcn.h ifaddrs.h inttypes.h limits.h locale.h math.h netdb.h netinet/in.h netinet/tcp.h nmmintrin.h
poll.h pthread.h pwd.h regex.h sched.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h
stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h termios.h time.h ucontext.h
unistd.h wchar.h wmmintrin.h emmintrin.h immintrin.h x86intrin.h
linux/futex.h linux/fs.h linux/magic.h
sys/auxv.h sys/epoll.h sys/eventfd.h sys/file.h sys/mman.h sys/prctl.h sys/random.h sys/resource.h
sys/socket.h sys/stat.h sys/statfs.h sys/statvfs.h sys/syscall.h sys/time.h sys/timerfd.h
sys/types.h sys/uio.h sys/un.h sys/utsname.h sys/vfs.h sys/wait.h
""".split())

# Header pattern: patterns of the files that may include it, each for one file (but "tests/*").
THIRD_PARTY = {
    "ck*.h": ["src/runtime/ring.c", "bench/*_probe*.c"],
    "event2/*": ["src/runtime/loop.c"],
    "http_parser.h": ["src/net/http_reader.c"],
    "toml++/*": ["src/base/conf_toml.cc"],
    "jansson.h": ["src/base/json.c"],
    # Opening and using are two files; a third would only pass the type through.
    "wiredtiger.h": ["src/storage/index_wt.c", "src/storage/index_wt_open.c"],
    "mariadb/*": ["src/net/mysql.c", "src/net/mysql_auth.c", "bench/sink_probe.c"],
    "openssl/*": ["src/net/mysql_auth.c"],
    "nghttp2/*": ["src/net/h2.c"],
    "nettle/*": ["src/base/secret.c"],
    "zlib.h": ["src/net/grpc_gzip.c"],
    "pcre2.h": ["src/binlog/pattern.c"],
    "malloc.h": ["src/base/env_os.c"],
    "binlog.pb-c.h": ["bench/decode_probe.c", "tests/*"],
    "etcd.pb-c.h": ["src/net/etcd.c", "tests/*"],
    "pdpb.pb-c.h": ["src/net/pd_wire.c", "tests/*"],
    "tikv.pb-c.h": ["src/net/tikv_wire.c", "tests/*"],
    "fakepd.pb-c.h": ["src/net/pd_drive.c", "tests/*"],
    "*.pb-c.h": ["tests/*"],  # what protoc-c makes of proto/, in the build cache
    "zstd.h": ["src/sluice/corpus_file.c"],
    "sys/signalfd.h": ["src/runtime/run.c"],
    "ftw.h": ["src/base/env_os_process.c", "tests/lib/folder.c", "bench/append_probe.c"],
    "cmocka.h": ["tests/*"],
}

# ---- calls ----

# Words: why not; where not (folders); where nevertheless: {path pattern: reason}.
BANNED_CALLS = [
    ("strcpy strcat sprintf vsprintf gets", "writes past the end of its target",
     ["src", "bin", "tests", "bench"], {}),
    ("strtok", "keeps state between calls", ["src", "bin", "tests", "bench"], {}),
    ("atoi atol atoll atof", "cannot say that its input is no number",
     ["src", "bin", "tests", "bench"], {}),
    ("rand srand random srandom drand48", "is not replayed by a seed: use base/prng.h",
     ["src", "bin", "tests", "bench"], {}),
    ("alloca", "has no bound", ["src", "bin", "tests", "bench"], {}),
    ("sleep usleep nanosleep clock_nanosleep", "waits for nothing in particular: step the clock",
     ["src", "bin", "tests"], {}),
    ("assert", "says too little and can be compiled out: use SL_ASSERT", ["src", "bin"], {}),
    ("fopen freopen fdopen open openat creat", "goes round the environment: use sl_fs_open",
     ["src", "bin"],
     {"src/base/env_os*.c": "is the environment",
      "src/base/log_file.c": "writes to the real disk also in a simulation: no decision depends on"
                             " it, and the crash report needs its descriptor",
      "src/base/metric_process.c": "asks /proc about the real process, which no simulation has"}),
    ("socket socketpair", "goes round the environment: use sl_net", ["src", "bin"],
     {"src/base/env_os*.c": "is the environment"}),
    ("pthread_create thrd_create fork", "goes round the environment: only the runtime has threads",
     ["src", "bin"], {"src/base/env_os*.c": "is the environment"}),
    ("clock_gettime gettimeofday time", "goes round the environment: use the clock of ctx or env",
     ["src", "bin"], {"src/base/env_os*.c": "is the environment"}),
]

# ---- sizes ----

LINE_COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
TEST_FILE_LINES_MAX = 900  # a list of claims, read one at a time

# "path function" to its lines: longer than allowed, may only get shorter.
LONG_FUNCTIONS = {}

# Path to its lines: longer than allowed, may only get shorter.
LONG_FILES = {}
