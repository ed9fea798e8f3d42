#include "net/local_dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "net/local_tso.h"

enum { FORMAT = 1, CLUSTER_BYTES_MAX = 1024 };

static const char url_head[] = "local:";

const char *sl_local_dir_of_url(const char *url)
{
    size_t length = sizeof url_head - 1;

    if (strncmp(url, url_head, length) != 0 || url[length] == '\0')
        return NULL;
    return url + length;
}

/* ---- files ---- */

enum sl_err local_lock(struct sl_local *local, struct sl_file **out, struct sl_why *why)
{
    sl_nanos        wait = (sl_nanos)SL_REGISTRY_WAIT_MS_MAX * SL_NANOS_PER_MS;
    struct sl_file *lock;
    char            path[SL_PATH_BYTES_MAX];
    enum sl_err     err;

    if ((err = sl_path_join(path, local->dir, "lock", why)) != SL_OK)
        return err;
    err = sl_fs_open(local->env->fs, path, SL_OPEN_WRITE, &lock, why);
    if (err == SL_NOT_FOUND)
        return sl_wrap(why, err, "'sluice init local:%s' makes what is missing", local->dir);
    if (err != SL_OK)
        return err;
    if ((err = sl_file_lock_within(lock, wait, why)) != SL_OK) {
        sl_file_close(&lock);
        return err;
    }
    *out = lock;
    return SL_OK;
}

/* ---- cluster.json ---- */

/* Decimal digits only, as a number of 64 bits. */
static bool parse_id(const char *text, uint64_t *out)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static enum sl_err parse_cluster(const struct sl_json *document, uint64_t *id, struct sl_why *why)
{
    const struct sl_json *format;
    const struct sl_json *text;

    if (sl_json_kind(document) != SL_JSON_OBJECT)
        return sl_fail(why, SL_CORRUPT, "not an object");
    format = sl_json_member(document, "format");
    text = sl_json_member(document, "clusterId");
    if (format == NULL || sl_json_kind(format) != SL_JSON_INT)
        return sl_fail(why, SL_CORRUPT, "format is missing or no integer");
    if (sl_json_int(format) != FORMAT)
        return sl_fail(why, SL_UNSUPPORTED, "format %" PRId64 ", this version knows %d",
                       sl_json_int(format), FORMAT);
    if (text == NULL || sl_json_kind(text) != SL_JSON_TEXT || !parse_id(sl_json_text(text), id))
        return sl_fail(why, SL_CORRUPT, "clusterId is missing or no number in quotes");
    return SL_OK;
}

/* SL_NOT_FOUND: there is none. */
static enum sl_err read_cluster(const struct sl_local *local, uint64_t *id, struct sl_why *why)
{
    struct sl_json *document;
    uint8_t         bytes[CLUSTER_BYTES_MAX];
    char            path[SL_PATH_BYTES_MAX];
    size_t          count;
    enum sl_err     err;

    if ((err = sl_path_join(path, local->dir, "cluster.json", why)) != SL_OK)
        return err;
    if ((err = sl_fs_read(local->env->fs, path, bytes, sizeof bytes, &count, why)) != SL_OK)
        return err;
    err = sl_json_parse((struct sl_slice){bytes, count}, &document, why);
    if (err == SL_OK) {
        err = parse_cluster(document, id, why);
        sl_json_free(&document);
    } else {
        err = SL_CORRUPT;
    }
    if (err == SL_CORRUPT)
        return sl_wrap(why, err,
                       "%s is damaged; write it anew as {\"format\":%d,\"clusterId\":\"N\"} with "
                       "the id that the pumps have",
                       path, FORMAT);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "%s", path);
}

static enum sl_err write_cluster(const struct sl_local *local, struct sl_why *why)
{
    char        text[CLUSTER_BYTES_MAX];
    char        path[SL_PATH_BYTES_MAX];
    enum sl_err err;
    int         n;

    if ((err = sl_path_join(path, local->dir, "cluster.json", why)) != SL_OK)
        return err;
    n = snprintf(text, sizeof text, "{\"format\":%d,\"clusterId\":\"%" PRIu64 "\"}\n", FORMAT,
                 local->cluster_id);
    SL_ASSERT(n > 0 && (size_t)n < sizeof text);
    return sl_fs_replace(local->env->fs, path, text, (size_t)n, why);
}

/* ---- making it ---- */

static enum sl_err make_lock(const struct sl_local *local, struct sl_why *why)
{
    struct sl_file *lock;
    char            path[SL_PATH_BYTES_MAX];
    enum sl_err     err;

    if ((err = sl_path_join(path, local->dir, "lock", why)) != SL_OK)
        return err;
    err = sl_fs_open(local->env->fs, path, SL_OPEN_WRITE | SL_OPEN_CREATE, &lock, why);
    if (err == SL_OK)
        sl_file_close(&lock);
    return err;
}

static enum sl_err make_folders(const struct sl_local *local, struct sl_why *why)
{
    char        path[SL_PATH_BYTES_MAX];
    enum sl_err err;

    for (unsigned kind = 0; kind < SL_NODE_KINDS; kind++) {
        const char *name = sl_node_kind_name((enum sl_node_kind)kind);

        if ((err = sl_path_join(path, local->dir, name, why)) != SL_OK ||
            (err = sl_fs_mkdir_all(local->env->fs, path, why)) != SL_OK)
            return err;
    }
    return sl_fs_sync_dir(local->env->fs, local->dir, why);
}

/* Under the lock. cluster.json comes last: who finds it finds the rest. */
static enum sl_err make_contents(const struct sl_local *local, sl_ts first_tso, struct sl_why *why)
{
    uint64_t    id = 0;
    bool        exists;
    enum sl_err err;

    err = read_cluster(local, &id, why);
    if (err != SL_OK && err != SL_NOT_FOUND)
        return err;
    exists = err == SL_OK;
    if (exists && id != local->cluster_id)
        return sl_fail(why, SL_EXISTS,
                       "%s belongs to cluster %" PRIu64 ", not %" PRIu64
                       "; take another directory or that id",
                       local->dir, id, local->cluster_id);
    if ((err = make_folders(local, why)) != SL_OK)
        return err;
    if ((err = tso_make(local, first_tso, exists, why)) != SL_OK)
        return err;
    return exists ? SL_OK : write_cluster(local, why);
}

static enum sl_err local_set(struct sl_local *local, const struct sl_env *env, const char *dir,
                             struct sl_why *why)
{
    *local = (struct sl_local){
        .env = env, .registry.ops = &local_registry_ops, .tso.ops = &local_tso_ops};
    if (dir[0] == '\0')
        return sl_fail(why, SL_INVALID, "local: names no directory");
    return sl_path_add(local->dir, dir, "", why);
}

enum sl_err sl_local_init(const struct sl_env *env, const char *dir, uint64_t cluster_id,
                          sl_ts first_tso, struct sl_why *why)
{
    struct sl_local local;
    struct sl_file *lock;
    enum sl_err     err;

    if ((err = tso_check_first(first_tso, why)) != SL_OK)
        return err;
    if ((err = local_set(&local, env, dir, why)) != SL_OK)
        return err;
    local.cluster_id = cluster_id;
    if ((err = sl_fs_mkdir_all(env->fs, dir, why)) != SL_OK ||
        (err = sl_fs_sync_dir_of(env->fs, dir, why)) != SL_OK ||
        (err = make_lock(&local, why)) != SL_OK || (err = local_lock(&local, &lock, why)) != SL_OK)
        return err;
    err = make_contents(&local, first_tso, why);
    sl_file_close(&lock);
    return err;
}

/* ---- the object ---- */

enum sl_err sl_local_open(const struct sl_env *env, const char *dir, struct sl_local **out,
                          struct sl_why *why)
{
    struct sl_local *local = calloc(1, sizeof *local);
    enum sl_err      err;

    SL_ASSERT(local != NULL);
    if ((err = local_set(local, env, dir, why)) != SL_OK)
        goto free_local;
    err = read_cluster(local, &local->cluster_id, why);
    if (err == SL_NOT_FOUND)
        (void)sl_wrap(why, err, "no cluster in %s; make one with 'sluice init local:%s'", dir, dir);
    if (err != SL_OK)
        goto free_local;
    *out = local;
    return SL_OK;
free_local:
    sl_local_free(&local);
    return err;
}

void sl_local_free(struct sl_local **local)
{
    SL_ASSERT(local != NULL);
    free(*local);
    *local = NULL;
}

struct sl_registry *sl_local_registry(struct sl_local *local)
{
    return &local->registry;
}

struct sl_tso *sl_local_tso(struct sl_local *local)
{
    return &local->tso;
}
