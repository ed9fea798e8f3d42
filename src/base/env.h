#ifndef SL_BASE_ENV_H
#define SL_BASE_ENV_H

/* The environment: clock, random, files, sockets and threads behind one vtable, so that the same
 * code runs on the operating system (env_os.h) and in a simulation (tests/lib/env_sim.h) where time
 * is virtual, the network delays and resets, and the disk fails and forgets.
 *
 * Rules for callers. Only runtime uses threads and the clock directly; actors take time from their
 * context. Files belong to storage, sockets to net. Everything here may block unless it says
 * otherwise; socket calls never do, but sl_net_wait. An object is used by one thread at a time.
 * Errors come back as codes with a reason that names the path or the address. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

/* A span or a point of monotonic time in nanoseconds; as a point: since an unspecified start, never
 * going back. */
typedef uint64_t sl_nanos;

/* Of type int, which 3 * SL_NANOS_PER_S would overflow: let the other factor be 64 bits wide. */
enum {
    SL_NANOS_PER_US = 1000,
    SL_NANOS_PER_MS = 1000 * 1000,
    SL_NANOS_PER_S = 1000 * 1000 * 1000,
};

/* ---- clock and random ---- */

/* What sl_env_now and sl_env_wall ask. Implementations may embed it, as all objects below, in a
 * struct of their own. */
struct sl_clock {
    /* Monotonic now. Any thread; never blocks. */
    sl_nanos (*now)(struct sl_clock *clock);
    /* Nanoseconds since the Unix epoch. May jump. For log lines and people, never for decisions;
     * only the local timestamp door (net/local.h) follows it, and guards against its jumps. */
    int64_t (*wall)(struct sl_clock *clock);
};

/* Where seeds come from. Actors draw from generators of their own, which the runtime seeds. */
struct sl_random {
    /* Fill with unpredictable bytes (in a simulation: with bytes from the seed). Any thread. Cannot
     * fail: a system without a source of randomness ends the process. */
    void (*fill)(struct sl_random *random, void *bytes, size_t count);
};

/* ---- files ---- */

/* A set of these says how to open; READ, WRITE or both must be among them. */
enum sl_open_flags {
    SL_OPEN_READ = 1,
    SL_OPEN_WRITE = 2,
    SL_OPEN_CREATE = 4,    /* create when absent, mode 0600 */
    SL_OPEN_EXCLUSIVE = 8, /* with CREATE: SL_EXISTS when present */
    SL_OPEN_TRUNCATE = 16, /* CREATE and TRUNCATE go with WRITE */
    SL_OPEN_SHARED = 32,   /* with CREATE: for others to read, mode 0644 */
};

/* What a path leads to, symbolic links followed. */
enum sl_file_kind { SL_FILE_REGULAR, SL_FILE_DIRECTORY, SL_FILE_OTHER };

/* The answer of sl_fs_info. bytes is 0 for all but regular files. */
struct sl_file_info {
    enum sl_file_kind kind;
    uint64_t          bytes;
};

/* The answer of sl_fs_space: of the whole file system, which others fill too. */
struct sl_space {
    uint64_t total_bytes;
    uint64_t available_bytes; /* to a user who is not root */
};

/* Size of a boot id. */
enum { SL_BOOT_ID_BYTES = 16 };

/* Names the time between two losses of what was written but not synced: one boot of the machine. */
struct sl_boot_id {
    uint8_t bytes[SL_BOOT_ID_BYTES];
};

struct sl_fs;
struct sl_file;

/* Called once per directory entry other than "." and ".."; `name` is valid during the call.
 * Anything but SL_OK ends the listing with that error. */
typedef enum sl_err (*sl_fs_visit)(void *context, const char *name);

/* What a file system implements. Callers use the functions sl_fs_* below, which check the arguments
 * and say what each member promises. */
struct sl_fs_ops {
    enum sl_err (*open)(struct sl_fs *fs, const char *path, unsigned flags, struct sl_file **out,
                        struct sl_why *why);
    enum sl_err (*info)(struct sl_fs *fs, const char *path, struct sl_file_info *out,
                        struct sl_why *why);
    enum sl_err (*rename)(struct sl_fs *fs, const char *from, const char *to, struct sl_why *why);
    enum sl_err (*remove)(struct sl_fs *fs, const char *path, struct sl_why *why);
    enum sl_err (*mkdir)(struct sl_fs *fs, const char *path, struct sl_why *why);
    enum sl_err (*list)(struct sl_fs *fs, const char *path, sl_fs_visit visit, void *context,
                        struct sl_why *why);
    enum sl_err (*sync_dir)(struct sl_fs *fs, const char *path, struct sl_why *why);
    enum sl_err (*space)(struct sl_fs *fs, const char *path, struct sl_space *out,
                         struct sl_why *why);
    enum sl_err (*boot_id)(struct sl_fs *fs, struct sl_boot_id *out, struct sl_why *why);
    void (*unmap)(struct sl_fs *fs, uint8_t *bytes, size_t count);
    void (*forget)(struct sl_fs *fs, uint8_t *bytes, size_t count);
};

/* The same for an open file: sl_file_*. */
struct sl_file_ops {
    enum sl_err (*read_at)(struct sl_file *f, uint64_t at, void *bytes, size_t count, size_t *got,
                           struct sl_why *why);
    enum sl_err (*write_at)(struct sl_file *f, uint64_t at, const void *bytes, size_t count,
                            struct sl_why *why);
    enum sl_err (*sync)(struct sl_file *f, struct sl_why *why);
    void (*push)(struct sl_file *f, uint64_t at, uint64_t count); /* NULL: does nothing */
    enum sl_err (*size)(struct sl_file *f, uint64_t *bytes, struct sl_why *why);
    enum sl_err (*truncate)(struct sl_file *f, uint64_t bytes, struct sl_why *why);
    enum sl_err (*lock)(struct sl_file *f, sl_nanos wait, struct sl_why *why);
    enum sl_err (*map)(struct sl_file *f, size_t count, uint8_t **out, struct sl_why *why);
    void (*close)(struct sl_file *f);
};

/* A file system; lives as long as its environment. */
struct sl_fs {
    const struct sl_fs_ops *ops;
};

/* An open file, owned by whoever opened it. */
struct sl_file {
    const struct sl_file_ops *ops;
    uint64_t                  position; /* of sl_file_write: where the next byte goes */
};

/* Open or create. On success *out is owned by the caller: sl_file_close. `flags` is a set of
 * sl_open_flags. A directory is SL_INVALID. */
enum sl_err sl_fs_open(struct sl_fs *fs, const char *path, unsigned flags, struct sl_file **out,
                       struct sl_why *why);
/* Create for reading and writing, empty: an old file of that name is truncated. */
enum sl_err sl_fs_create(struct sl_fs *fs, const char *path, struct sl_file **out,
                         struct sl_why *why);
/* Kind and size. SL_NOT_FOUND when there is nothing of that name. */
enum sl_err sl_fs_info(struct sl_fs *fs, const char *path, struct sl_file_info *out,
                       struct sl_why *why);
/* Rename, replacing the target atomically. Durable only after sl_fs_sync_dir_of(to). */
enum sl_err sl_fs_rename(struct sl_fs *fs, const char *from, const char *to, struct sl_why *why);
/* Remove a file or an empty directory. */
enum sl_err sl_fs_remove(struct sl_fs *fs, const char *path, struct sl_why *why);
/* Remove if possible; for cleaning up on a path that already fails. */
void sl_fs_try_remove(struct sl_fs *fs, const char *path);
/* Make one directory, mode 0700. SL_EXISTS when the name is taken. */
enum sl_err sl_fs_mkdir(struct sl_fs *fs, const char *path, struct sl_why *why);
/* Make the directory and its missing parents. SL_OK when it is there already. */
enum sl_err sl_fs_mkdir_all(struct sl_fs *fs, const char *path, struct sl_why *why);
/* Visit the entries of a directory in no particular order. */
enum sl_err sl_fs_list(struct sl_fs *fs, const char *path, sl_fs_visit visit, void *context,
                       struct sl_why *why);
/* Make the directory's entries durable; the second form takes the path of an entry. Blocks for a
 * sync. */
enum sl_err sl_fs_sync_dir(struct sl_fs *fs, const char *path, struct sl_why *why);
enum sl_err sl_fs_sync_dir_of(struct sl_fs *fs, const char *path, struct sl_why *why);
/* Size of the file system that holds path. */
enum sl_err sl_fs_space(struct sl_fs *fs, const char *path, struct sl_space *out,
                        struct sl_why *why);
/* The present boot. As long as it stays the same, whatever was written and not synced is read back
 * as it was written; when it has changed, anything unsynced may be older than it was. */
enum sl_err sl_fs_boot_id(struct sl_fs *fs, struct sl_boot_id *out, struct sl_why *why);

/* No longer needed: what sl_file_map gave, all of it. Any thread. */
void sl_fs_unmap(struct sl_fs *fs, uint8_t *bytes, size_t count);
/* Mapped bytes that were read need not stay in memory; they are read again when they are looked at.
 * Any thread, also while others read them. */
void sl_fs_forget(struct sl_fs *fs, uint8_t *bytes, size_t count);

/* Read up to count bytes at an offset; *got < count only at the end of the file. */
enum sl_err sl_file_read_at(struct sl_file *f, uint64_t at, void *bytes, size_t count, size_t *got,
                            struct sl_why *why);
/* Write all bytes at an offset, extending the file as needed. After an error any part may have been
 * written. */
enum sl_err sl_file_write_at(struct sl_file *f, uint64_t at, const void *bytes, size_t count,
                             struct sl_why *why);
/* Write all bytes at `position` and advance it. */
enum sl_err sl_file_write(struct sl_file *f, const void *bytes, size_t count, struct sl_why *why);
/* Ask the system to begin to bring these bytes to the disk, so that a later sync finds less to do.
 * Promises nothing, and as a rule does not wait. */
void sl_file_push(struct sl_file *f, uint64_t at, uint64_t count);
/* Make contents and size durable (fdatasync). After a failure never retry on this file: what was
 * written since the last good sync may be lost; reopen and read again. */
enum sl_err sl_file_sync(struct sl_file *f, struct sl_why *why);
enum sl_err sl_file_size(struct sl_file *f, uint64_t *bytes, struct sl_why *why);
/* Cut or extend (with zeros) to this size. */
enum sl_err sl_file_truncate(struct sl_file *f, uint64_t bytes, struct sl_why *why);
/* Take the whole file exclusively, for as long as it is open; does not wait: SL_IN_USE when another
 * holds it. */
enum sl_err sl_file_lock(struct sl_file *f, struct sl_why *why);
/* The same, waiting for another holder for at most `wait`: SL_TIMEOUT. Fair to nobody: for locks
 * that are held briefly. In a simulation a lock that is held is SL_TIMEOUT at once, because nobody
 * else runs who could give it back. */
enum sl_err sl_file_lock_within(struct sl_file *f, sl_nanos wait, struct sl_why *why);
/* Show the first count (1..) bytes of the file, which it has, as memory that is only read; they
 * stay readable when it is closed and removed, until sl_fs_unmap. They do not change while they are
 * mapped: nobody writes there any more. Bytes that the disk cannot give any more end the process
 * where they are looked at: for files that this process has just written. */
enum sl_err sl_file_map(struct sl_file *f, size_t count, uint8_t **out, struct sl_why *why);
/* Close and null the pointer. *f may be NULL. */
void sl_file_close(struct sl_file **f);

/* Read a whole file of at most `room` bytes; SL_TOO_LARGE when it has more. */
enum sl_err sl_fs_read(struct sl_fs *fs, const char *path, void *bytes, size_t room, size_t *count,
                       struct sl_why *why);
/* Replace the contents of a file durably: after any crash it holds the old bytes or the new ones,
 * and calling again after an error is safe. For one caller at a time, because two would write the
 * same <path>.new. Blocks for two syncs. */
enum sl_err sl_fs_replace(struct sl_fs *fs, const char *path, const void *bytes, size_t count,
                          struct sl_why *why);

/* dir + "/" + name, or path + suffix, into out[SL_PATH_BYTES_MAX]. SL_TOO_LARGE when it does not
 * fit. SL_INVALID when dir or path is empty, as an operator's variable may be that was not set. */
enum sl_err sl_path_join(char *out, const char *dir, const char *name, struct sl_why *why);
enum sl_err sl_path_add(char *out, const char *path, const char *suffix, struct sl_why *why);

/* ---- sockets: stream sockets that never block; SL_AGAIN sets no reason ---- */

/* What to wait for, or what holds: a set of these. A broken connection is both. */
enum sl_socket_events {
    SL_SOCKET_READABLE = 1,
    SL_SOCKET_WRITABLE = 2,
    SL_SOCKET_HELD = 4, /* of sl_socket_wants alone: there is something to read without waiting */
};

struct sl_net;
struct sl_socket;

/* A socket that is waited for. */
struct sl_socket_wait {
    struct sl_socket *socket;
    unsigned          events; /* of sl_socket_events; 0: only that it breaks */
    unsigned          ready;  /* set by sl_net_wait: what holds now; a broken socket is both */
};

/* What a network and its sockets implement: sl_net_* and sl_socket_* below, which check the
 * arguments and say what each member promises. */
struct sl_net_ops {
    enum sl_err (*listen)(struct sl_net *net, const char *address, struct sl_socket **out,
                          struct sl_why *why);
    enum sl_err (*connect)(struct sl_net *net, const char *address, struct sl_socket **out,
                           struct sl_why *why);
    void (*wait)(struct sl_net *net, struct sl_socket_wait *waits, uint32_t count, sl_nanos until);
};
struct sl_socket_ops {
    enum sl_err (*accept)(struct sl_socket *s, struct sl_socket **out, struct sl_why *why);
    enum sl_err (*connected)(struct sl_socket *s, struct sl_why *why);
    enum sl_err (*read)(struct sl_socket *s, void *bytes, size_t count, size_t *got,
                        struct sl_why *why);
    enum sl_err (*write)(struct sl_socket *s, const void *bytes, size_t count, size_t *put,
                         struct sl_why *why);
    enum sl_err (*shut)(struct sl_socket *s, struct sl_why *why);
    void (*local)(struct sl_socket *s, char *out);
    void (*peer)(struct sl_socket *s, char *out);
    int (*fd)(struct sl_socket *s);
    unsigned (*ready)(struct sl_socket *s);
    /* NULL: no layer in between. */
    unsigned (*wants)(struct sl_socket *s, unsigned events);
    void (*close)(struct sl_socket *s);
};

/* A network; lives as long as its environment. */
struct sl_net {
    const struct sl_net_ops *ops;
};

/* A listener or a connection, owned by whoever asked for it. */
struct sl_socket {
    const struct sl_socket_ops *ops;
};

/* Listen on "host:port" (port 0: any free one, see sl_socket_local) or "unix:/path" (a stale socket
 * file, that is one nobody answers on, is replaced; the file is removed on close). host may be
 * empty: all addresses; an IPv6 address stands in brackets. Names are resolved, which may block: do
 * it at start. Errors: SL_INVALID (not an address), SL_IN_USE, SL_DENIED, SL_NOT_FOUND (name). */
enum sl_err sl_net_listen(struct sl_net *net, const char *address, struct sl_socket **out,
                          struct sl_why *why);
/* Begin to connect. The socket turns writable when the outcome is known; ask sl_socket_connected
 * then. SL_UNAVAILABLE may also be known at once, and then there is no socket. Numeric hosts never
 * block; names are resolved by the blocking resolver. */
enum sl_err sl_net_connect(struct sl_net *net, const char *address, struct sl_socket **out,
                           struct sl_why *why);
/* Block until one of the sockets is ready or the monotonic moment `until` has come (UINT64_MAX: no
 * limit). May return early with nothing ready: the caller looks again. For threads that may wait;
 * actors of the io lane let the runtime wait. count is at most SL_NET_WAIT_MAX. In a simulation
 * this panics: its time passes only when it is stepped. */
void sl_net_wait(struct sl_net *net, struct sl_socket_wait *waits, uint32_t count, sl_nanos until);
/* Take one waiting connection. SL_AGAIN when there is none. */
enum sl_err sl_socket_accept(struct sl_socket *s, struct sl_socket **out, struct sl_why *why);
/* SL_OK: connected; SL_AGAIN: not decided yet; else why not (SL_UNAVAILABLE, SL_TIMEOUT, ...). */
enum sl_err sl_socket_connected(struct sl_socket *s, struct sl_why *why);
/* Read what is there, at most count bytes. SL_OK with *got == 0: the peer will send no more.
 * SL_AGAIN: nothing there now. SL_RESET: the connection broke. */
enum sl_err sl_socket_read(struct sl_socket *s, void *bytes, size_t count, size_t *got,
                           struct sl_why *why);
/* Write what fits now; *put may be less than count. SL_AGAIN: nothing fits now, and the next write
 * begins with the same bytes: a layer in between may have a part of them. SL_RESET as above. Never
 * raises SIGPIPE. */
enum sl_err sl_socket_write(struct sl_socket *s, const void *bytes, size_t count, size_t *put,
                            struct sl_why *why);
/* Tell the peer that no more bytes will follow; reading goes on. */
enum sl_err sl_socket_shut(struct sl_socket *s, struct sl_why *why);
/* Own and peer address as text into out[SL_ADDR_BYTES_MAX]. */
void sl_socket_local(struct sl_socket *s, char *out);
void sl_socket_peer(struct sl_socket *s, char *out);
/* The descriptor for an event loop; -1 in a simulation, where sl_socket_ready is asked instead. */
int sl_socket_fd(struct sl_socket *s);
/* Simulation only: which of sl_socket_events hold now (a broken connection is both). */
unsigned sl_socket_ready(struct sl_socket *s);
/* For who waits for the descriptor itself, on an event loop: which events of it to wait for, so
 * that what the owner would do (`events`) goes on. The same events, but where bytes pass through a
 * layer, as those of TLS do, which may have to write before it can read, and the other way round.
 * With SL_SOCKET_HELD when READABLE is asked for and a read has something without any event.
 * Changes with every read and write. */
unsigned sl_socket_wants(struct sl_socket *s, unsigned events);
/* Close and null the pointer. *s may be NULL. */
void sl_socket_close(struct sl_socket **s);

/* ---- threads: for the runtime alone ---- */

struct sl_thread;
/* What a thread runs: it ends when this returns. */
typedef void (*sl_thread_main)(void *argument);

/* Starting, ending and parking threads. Any thread may call. */
struct sl_threads {
    /* Start a thread named `name` (cut to what the system shows). The caller joins it. SL_SYSTEM
     * when the system has no room. In a simulation this panics: a seed could not replay what the
     * thread does. */
    enum sl_err (*start)(struct sl_threads *threads, const char *name, sl_thread_main main,
                         void *argument, struct sl_thread **out, struct sl_why *why);
    /* Wait for its end and free it; nulls the pointer. */
    void (*join)(struct sl_threads *threads, struct sl_thread **thread);
    /* Sleep while *word == expected, until woken or `timeout` has passed (UINT64_MAX: no limit).
     * May return early: the caller looks again. Pairs with wake as a futex does: a change of *word
     * followed by wake is never missed. */
    void (*park)(struct sl_threads *threads, _Atomic uint32_t *word, uint32_t expected,
                 sl_nanos timeout);
    /* Wake up to `count` threads parked on word. */
    void (*wake)(struct sl_threads *threads, _Atomic uint32_t *word, unsigned count);
    /* Processors this process may run on, at least 1. */
    unsigned (*cpus)(struct sl_threads *threads);
};

/* ---- all of it ---- */

/* One environment, made by its implementation. Borrowed by all that use it; outlives them. */
struct sl_env {
    struct sl_clock   *clock;
    struct sl_random  *random;
    struct sl_fs      *fs;
    struct sl_net     *net;
    struct sl_threads *threads;
};

/* Monotonic time, and nanoseconds since the Unix epoch: the latter may jump, so it is for people,
 * never for decisions. Any thread; never block. */
sl_nanos sl_env_now(const struct sl_env *env);
int64_t  sl_env_wall(const struct sl_env *env);

#endif
