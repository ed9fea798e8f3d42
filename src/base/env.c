#include "base/env.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum {
    OPEN_FLAGS = SL_OPEN_READ | SL_OPEN_WRITE | SL_OPEN_CREATE | SL_OPEN_EXCLUSIVE |
                 SL_OPEN_TRUNCATE | SL_OPEN_SHARED,
};

/* ---- clock ---- */

sl_nanos sl_env_now(const struct sl_env *env)
{
    return env->clock->now(env->clock);
}

int64_t sl_env_wall(const struct sl_env *env)
{
    return env->clock->wall(env->clock);
}

/* ---- paths ---- */

static enum sl_err concat(char *out, const char *head, const char *middle, const char *tail,
                          struct sl_why *why)
{
    int n;

    SL_ASSERT(out != NULL && out != head && out != tail);
    if (head[0] == '\0')
        return sl_fail(why, SL_INVALID, "the path is empty");
    n = snprintf(out, SL_PATH_BYTES_MAX, "%s%s%s", head, middle, tail);
    SL_ASSERT(n >= 0);
    if (n >= SL_PATH_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "path of %d bytes, the limit is %d: %.64s...", n,
                       SL_PATH_BYTES_MAX - 1, head);
    return SL_OK;
}

enum sl_err sl_path_join(char *out, const char *dir, const char *name, struct sl_why *why)
{
    SL_ASSERT(dir != NULL && name != NULL && name[0] != '\0');
    return concat(out, dir, "/", name, why);
}

enum sl_err sl_path_add(char *out, const char *path, const char *suffix, struct sl_why *why)
{
    SL_ASSERT(path != NULL && suffix != NULL);
    return concat(out, path, "", suffix, why);
}

/* Length of path without trailing slashes, but at least 1 when it is the root. */
static size_t trimmed(const char *path, size_t length)
{
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length;
}

/* Cut a path to the directory that holds it: "/a/b" to "/a", "/a" to "/", "a" to ".". */
static void cut_to_parent(char *path)
{
    size_t length = trimmed(path, strlen(path));

    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length == 0) {
        path[length++] = '.';
    } else {
        length = trimmed(path, length);
    }
    path[length] = '\0';
}

/* ---- file systems ---- */

enum sl_err sl_fs_open(struct sl_fs *fs, const char *path, unsigned flags, struct sl_file **out,
                       struct sl_why *why)
{
    SL_ASSERT(fs != NULL && path != NULL && out != NULL);
    SL_ASSERT((flags & ~(unsigned)OPEN_FLAGS) == 0);
    SL_ASSERT((flags & (SL_OPEN_READ | SL_OPEN_WRITE)) != 0);
    SL_ASSERT(SL_IMPLIES(flags & (SL_OPEN_CREATE | SL_OPEN_TRUNCATE), flags & SL_OPEN_WRITE));
    SL_ASSERT(SL_IMPLIES(flags & (SL_OPEN_EXCLUSIVE | SL_OPEN_SHARED), flags & SL_OPEN_CREATE));
    return fs->ops->open(fs, path, flags, out, why);
}

enum sl_err sl_fs_create(struct sl_fs *fs, const char *path, struct sl_file **out,
                         struct sl_why *why)
{
    unsigned flags = SL_OPEN_READ | SL_OPEN_WRITE | SL_OPEN_CREATE | SL_OPEN_TRUNCATE;

    return sl_fs_open(fs, path, flags, out, why);
}

enum sl_err sl_fs_info(struct sl_fs *fs, const char *path, struct sl_file_info *out,
                       struct sl_why *why)
{
    SL_ASSERT(fs != NULL && path != NULL && out != NULL);
    return fs->ops->info(fs, path, out, why);
}

enum sl_err sl_fs_rename(struct sl_fs *fs, const char *from, const char *to, struct sl_why *why)
{
    SL_ASSERT(fs != NULL && from != NULL && to != NULL);
    return fs->ops->rename(fs, from, to, why);
}

enum sl_err sl_fs_remove(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    SL_ASSERT(fs != NULL && path != NULL);
    return fs->ops->remove(fs, path, why);
}

void sl_fs_try_remove(struct sl_fs *fs, const char *path)
{
    (void)sl_fs_remove(fs, path, NULL);
}

enum sl_err sl_fs_mkdir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    SL_ASSERT(fs != NULL && path != NULL);
    return fs->ops->mkdir(fs, path, why);
}

/* SL_OK when the directory is there afterwards, no matter who made it. */
static enum sl_err make_if_missing(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    struct sl_file_info info;
    enum sl_err         err;

    err = sl_fs_mkdir(fs, path, why);
    if (err != SL_EXISTS)
        return err;
    if ((err = sl_fs_info(fs, path, &info, why)) != SL_OK)
        return err;
    if (info.kind != SL_FILE_DIRECTORY)
        return sl_fail(why, SL_EXISTS, "make directory %s: a file of that name is there", path);
    return SL_OK;
}

enum sl_err sl_fs_mkdir_all(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    char        prefix[SL_PATH_BYTES_MAX];
    enum sl_err err;
    size_t      length;

    SL_ASSERT(fs != NULL && path != NULL);
    if ((err = sl_path_add(prefix, path, "", why)) != SL_OK)
        return err;
    length = trimmed(prefix, strlen(prefix));
    prefix[length] = '\0';
    for (size_t i = 1; i < length; i++) {
        if (prefix[i] != '/' || prefix[i - 1] == '/')
            continue;
        prefix[i] = '\0';
        if ((err = make_if_missing(fs, prefix, why)) != SL_OK)
            return err;
        prefix[i] = '/';
    }
    return make_if_missing(fs, prefix, why);
}

enum sl_err sl_fs_list(struct sl_fs *fs, const char *path, sl_fs_visit visit, void *context,
                       struct sl_why *why)
{
    SL_ASSERT(fs != NULL && path != NULL && visit != NULL);
    return fs->ops->list(fs, path, visit, context, why);
}

enum sl_err sl_fs_sync_dir(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    SL_ASSERT(fs != NULL && path != NULL);
    return fs->ops->sync_dir(fs, path, why);
}

enum sl_err sl_fs_sync_dir_of(struct sl_fs *fs, const char *path, struct sl_why *why)
{
    char        dir[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if ((err = sl_path_add(dir, path, "", why)) != SL_OK)
        return err;
    cut_to_parent(dir);
    return sl_fs_sync_dir(fs, dir, why);
}

enum sl_err sl_fs_space(struct sl_fs *fs, const char *path, struct sl_space *out,
                        struct sl_why *why)
{
    SL_ASSERT(fs != NULL && path != NULL && out != NULL);
    return fs->ops->space(fs, path, out, why);
}

enum sl_err sl_fs_boot_id(struct sl_fs *fs, struct sl_boot_id *out, struct sl_why *why)
{
    SL_ASSERT(fs != NULL && out != NULL);
    return fs->ops->boot_id(fs, out, why);
}

/* ---- files ---- */

enum sl_err sl_file_read_at(struct sl_file *f, uint64_t at, void *bytes, size_t count, size_t *got,
                            struct sl_why *why)
{
    SL_ASSERT(f != NULL && got != NULL);
    SL_ASSERT(bytes != NULL || count == 0);
    SL_ASSERT(at <= INT64_MAX && count <= INT64_MAX - at);
    return f->ops->read_at(f, at, bytes, count, got, why);
}

enum sl_err sl_file_write_at(struct sl_file *f, uint64_t at, const void *bytes, size_t count,
                             struct sl_why *why)
{
    SL_ASSERT(f != NULL);
    SL_ASSERT(bytes != NULL || count == 0);
    SL_ASSERT(at <= INT64_MAX && count <= INT64_MAX - at);
    return f->ops->write_at(f, at, bytes, count, why);
}

enum sl_err sl_file_write(struct sl_file *f, const void *bytes, size_t count, struct sl_why *why)
{
    enum sl_err err = sl_file_write_at(f, f->position, bytes, count, why);

    if (err == SL_OK)
        f->position += count;
    return err;
}

void sl_file_push(struct sl_file *f, uint64_t at, uint64_t count)
{
    SL_ASSERT(f != NULL);
    if (f->ops->push != NULL)
        f->ops->push(f, at, count);
}

enum sl_err sl_file_sync(struct sl_file *f, struct sl_why *why)
{
    SL_ASSERT(f != NULL);
    return f->ops->sync(f, why);
}

enum sl_err sl_file_size(struct sl_file *f, uint64_t *bytes, struct sl_why *why)
{
    SL_ASSERT(f != NULL && bytes != NULL);
    return f->ops->size(f, bytes, why);
}

enum sl_err sl_file_truncate(struct sl_file *f, uint64_t bytes, struct sl_why *why)
{
    SL_ASSERT(f != NULL);
    SL_ASSERT(bytes <= INT64_MAX);
    return f->ops->truncate(f, bytes, why);
}

enum sl_err sl_file_map(struct sl_file *f, size_t count, uint8_t **out, struct sl_why *why)
{
    SL_ASSERT(f != NULL && out != NULL);
    SL_ASSERT(count > 0);
    return f->ops->map(f, count, out, why);
}

void sl_fs_unmap(struct sl_fs *fs, uint8_t *bytes, size_t count)
{
    SL_ASSERT(fs != NULL && bytes != NULL);
    fs->ops->unmap(fs, bytes, count);
}

void sl_fs_forget(struct sl_fs *fs, uint8_t *bytes, size_t count)
{
    SL_ASSERT(fs != NULL && bytes != NULL);
    fs->ops->forget(fs, bytes, count);
}

enum sl_err sl_file_lock(struct sl_file *f, struct sl_why *why)
{
    SL_ASSERT(f != NULL);
    return f->ops->lock(f, 0, why);
}

enum sl_err sl_file_lock_within(struct sl_file *f, sl_nanos wait, struct sl_why *why)
{
    SL_ASSERT(f != NULL);
    SL_ASSERT(wait > 0);
    return f->ops->lock(f, wait, why);
}

void sl_file_close(struct sl_file **f)
{
    SL_ASSERT(f != NULL);
    if (*f != NULL)
        (*f)->ops->close(*f);
    *f = NULL;
}

enum sl_err sl_fs_read(struct sl_fs *fs, const char *path, void *bytes, size_t room, size_t *count,
                       struct sl_why *why)
{
    struct sl_file *f;
    uint64_t        size;
    enum sl_err     err;

    if ((err = sl_fs_open(fs, path, SL_OPEN_READ, &f, why)) != SL_OK)
        return err;
    if ((err = sl_file_size(f, &size, why)) != SL_OK)
        goto close_file;
    if (size > room) {
        err = sl_fail(why, SL_TOO_LARGE, "%s has %" PRIu64 " bytes, the limit is %zu", path, size,
                      room);
        goto close_file;
    }
    err = sl_file_read_at(f, 0, bytes, (size_t)size, count, why);
close_file:
    sl_file_close(&f);
    return err;
}

/* A new file with these bytes, durable but for its name. */
static enum sl_err write_new(struct sl_fs *fs, const char *path, const void *bytes, size_t count,
                             struct sl_why *why)
{
    struct sl_file *f;
    enum sl_err     err;

    if ((err = sl_fs_create(fs, path, &f, why)) != SL_OK)
        return err;
    if ((err = sl_file_write(f, bytes, count, why)) == SL_OK)
        err = sl_file_sync(f, why);
    sl_file_close(&f);
    return err;
}

enum sl_err sl_fs_replace(struct sl_fs *fs, const char *path, const void *bytes, size_t count,
                          struct sl_why *why)
{
    char        new_path[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if ((err = sl_path_add(new_path, path, ".new", why)) != SL_OK)
        return err;
    if ((err = write_new(fs, new_path, bytes, count, why)) != SL_OK ||
        (err = sl_fs_rename(fs, new_path, path, why)) != SL_OK) {
        sl_fs_try_remove(fs, new_path);
        return err;
    }
    return sl_fs_sync_dir_of(fs, path, why);
}

/* ---- sockets ---- */

enum sl_err sl_net_listen(struct sl_net *net, const char *address, struct sl_socket **out,
                          struct sl_why *why)
{
    SL_ASSERT(net != NULL && address != NULL && out != NULL);
    return net->ops->listen(net, address, out, why);
}

enum sl_err sl_net_connect(struct sl_net *net, const char *address, struct sl_socket **out,
                           struct sl_why *why)
{
    SL_ASSERT(net != NULL && address != NULL && out != NULL);
    return net->ops->connect(net, address, out, why);
}

void sl_net_wait(struct sl_net *net, struct sl_socket_wait *waits, uint32_t count, sl_nanos until)
{
    SL_ASSERT(net != NULL && (waits != NULL || count == 0));
    SL_ASSERT(count <= SL_NET_WAIT_MAX);
    net->ops->wait(net, waits, count, until);
}

enum sl_err sl_socket_accept(struct sl_socket *s, struct sl_socket **out, struct sl_why *why)
{
    SL_ASSERT(s != NULL && out != NULL);
    return s->ops->accept(s, out, why);
}

enum sl_err sl_socket_connected(struct sl_socket *s, struct sl_why *why)
{
    SL_ASSERT(s != NULL);
    return s->ops->connected(s, why);
}

enum sl_err sl_socket_read(struct sl_socket *s, void *bytes, size_t count, size_t *got,
                           struct sl_why *why)
{
    SL_ASSERT(s != NULL && bytes != NULL && got != NULL);
    SL_ASSERT(count > 0); /* 0 bytes read would look like the end */
    return s->ops->read(s, bytes, count, got, why);
}

enum sl_err sl_socket_write(struct sl_socket *s, const void *bytes, size_t count, size_t *put,
                            struct sl_why *why)
{
    SL_ASSERT(s != NULL && bytes != NULL && put != NULL);
    SL_ASSERT(count > 0);
    return s->ops->write(s, bytes, count, put, why);
}

enum sl_err sl_socket_shut(struct sl_socket *s, struct sl_why *why)
{
    SL_ASSERT(s != NULL);
    return s->ops->shut(s, why);
}

void sl_socket_local(struct sl_socket *s, char *out)
{
    SL_ASSERT(s != NULL && out != NULL);
    s->ops->local(s, out);
}

void sl_socket_peer(struct sl_socket *s, char *out)
{
    SL_ASSERT(s != NULL && out != NULL);
    s->ops->peer(s, out);
}

int sl_socket_fd(struct sl_socket *s)
{
    SL_ASSERT(s != NULL);
    return s->ops->fd(s);
}

unsigned sl_socket_ready(struct sl_socket *s)
{
    SL_ASSERT(s != NULL);
    return s->ops->ready(s);
}

unsigned sl_socket_wants(struct sl_socket *s, unsigned events)
{
    SL_ASSERT(s != NULL);
    return s->ops->wants != NULL ? s->ops->wants(s, events) : events;
}

void sl_socket_close(struct sl_socket **s)
{
    SL_ASSERT(s != NULL);
    if (*s != NULL)
        (*s)->ops->close(*s);
    *s = NULL;
}
