#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "net/local_dir.h"

/* Every call but `version` holds the lock: a listing then shows one moment, and readers see a
 * record only when its put has ended, so that it is durable unless the put said otherwise. */

static const char suffix[] = ".json";

/* The longest file name, less what sl_fs_replace adds. */
enum { FILE_NAME_MAX = 255 - (sizeof ".new" - 1), VERSION_BYTES = 8, NODES_FIRST = 8 };

static struct sl_local *local_of(struct sl_registry *r)
{
    return (struct sl_local *)((char *)r - offsetof(struct sl_local, registry));
}

/* ---- names ---- */

static bool is_plain(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ':' || (c == '.' && !first);
}

/* The file name of a node id into out[FILE_NAME_MAX + 1]. Two ids never share one. */
static enum sl_err file_name(const char *id, char *out, struct sl_why *why)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t            used = 0;

    for (const char *at = id; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        bool          plain = is_plain(*at, at == id);

        if (used + (plain ? 1 : 3) + sizeof suffix > FILE_NAME_MAX + 1)
            return sl_fail(why, SL_TOO_LARGE, "the node id is too long for a file name: %s", id);
        if (plain) {
            out[used++] = *at;
            continue;
        }
        out[used++] = '%';
        out[used++] = digits[c >> 4];
        out[used++] = digits[c & 15];
    }
    memcpy(out + used, suffix, sizeof suffix);
    return SL_OK;
}

static enum sl_err folder_path(const struct sl_local *local, enum sl_node_kind kind, char *out,
                               struct sl_why *why)
{
    return sl_path_join(out, local->dir, sl_node_kind_name(kind), why);
}

static enum sl_err record_path(const struct sl_local *local, enum sl_node_kind kind, const char *id,
                               char *out, struct sl_why *why)
{
    char        folder[SL_PATH_BYTES_MAX];
    char        name[FILE_NAME_MAX + 1];
    enum sl_err err;

    if ((err = sl_node_id_check(id, why)) != SL_OK || (err = file_name(id, name, why)) != SL_OK ||
        (err = folder_path(local, kind, folder, why)) != SL_OK)
        return err;
    return sl_path_join(out, folder, name, why);
}

/* ---- the version ---- */

/* A file that is missing or short is the first version: it counts for the living only, and a power
 * cut may have taken it. */
static enum sl_err read_version(struct sl_local *local, uint64_t *out, struct sl_why *why)
{
    uint8_t     bytes[VERSION_BYTES];
    char        path[SL_PATH_BYTES_MAX];
    size_t      count;
    uint64_t    version = 0;
    enum sl_err err;

    if ((err = sl_path_join(path, local->dir, "version", why)) != SL_OK)
        return err;
    err = sl_fs_read(local->env->fs, path, bytes, sizeof bytes, &count, why);
    if (err != SL_OK && err != SL_NOT_FOUND)
        return err;
    if (err == SL_NOT_FOUND || count < VERSION_BYTES)
        count = 0;
    for (size_t i = 0; i < count; i++)
        version |= (uint64_t)bytes[i] << (8 * i);
    *out = version;
    return SL_OK;
}

/* Failing is no failure of the change, which is durable already: watchers find it with their next
 * listing. */
static void raise_version(struct sl_local *local)
{
    struct sl_file *f;
    uint8_t         bytes[VERSION_BYTES];
    char            path[SL_PATH_BYTES_MAX];
    uint64_t        version;

    if (read_version(local, &version, NULL) != SL_OK ||
        sl_path_join(path, local->dir, "version", NULL) != SL_OK ||
        sl_fs_open(local->env->fs, path, SL_OPEN_WRITE | SL_OPEN_CREATE, &f, NULL) != SL_OK)
        return;
    version++;
    for (size_t i = 0; i < VERSION_BYTES; i++)
        bytes[i] = (uint8_t)(version >> (8 * i));
    (void)sl_file_write_at(f, 0, bytes, sizeof bytes, NULL);
    sl_file_close(&f);
}

static enum sl_err registry_version(struct sl_registry *r, uint64_t *out, struct sl_why *why)
{
    return read_version(local_of(r), out, why);
}

static enum sl_err registry_cluster_id(struct sl_registry *r, uint64_t *out, struct sl_why *why)
{
    (void)why;
    *out = local_of(r)->cluster_id;
    return SL_OK;
}

/* ---- records ---- */

static enum sl_err registry_put(struct sl_registry *r, enum sl_node_kind kind,
                                const struct sl_node *node, struct sl_why *why)
{
    struct sl_local *local = local_of(r);
    struct sl_file  *lock;
    char             path[SL_PATH_BYTES_MAX];
    char             json[SL_NODE_JSON_BYTES_MAX];
    size_t           count = sl_node_encode(node, json);
    enum sl_err      err;

    if ((err = record_path(local, kind, node->id, path, why)) != SL_OK)
        return err;
    if ((err = local_lock(local, &lock, why)) != SL_OK)
        return err;
    err = sl_fs_replace(local->env->fs, path, json, count, why);
    if (err == SL_OK)
        raise_version(local);
    sl_file_close(&lock);
    return err;
}

/* A record that cannot be read is not ours to repair, and not our damage: records are replaced as a
 * whole, so somebody has edited it. */
static enum sl_err read_record(const struct sl_local *local, const char *path, struct sl_node *out,
                               struct sl_why *why)
{
    uint8_t     json[SL_NODE_JSON_BYTES_MAX];
    size_t      count;
    enum sl_err err;

    if ((err = sl_fs_read(local->env->fs, path, json, sizeof json, &count, why)) != SL_OK)
        return err;
    if (sl_node_decode((struct sl_slice){json, count}, out, why) != SL_OK)
        return sl_wrap(why, SL_INVALID,
                       "%s is no record of a node; correct it, or remove it if the node is gone",
                       path);
    return SL_OK;
}

static enum sl_err registry_get(struct sl_registry *r, enum sl_node_kind kind, const char *id,
                                struct sl_node *out, struct sl_why *why)
{
    struct sl_local *local = local_of(r);
    struct sl_node   node;
    struct sl_file  *lock;
    char             path[SL_PATH_BYTES_MAX];
    enum sl_err      err;

    if ((err = record_path(local, kind, id, path, why)) != SL_OK)
        return err;
    if ((err = local_lock(local, &lock, why)) != SL_OK)
        return err;
    err = read_record(local, path, &node, why);
    sl_file_close(&lock);
    if (err != SL_OK)
        return err;
    if (strcmp(node.id, id) != 0)
        return sl_fail(why, SL_INVALID, "%s is the record of '%s', not '%s'; correct its nodeId",
                       path, node.id, id);
    *out = node;
    return SL_OK;
}

/* ---- listings ---- */

struct listing {
    struct sl_local    *local;
    const char         *folder;
    struct sl_node_list list;
    size_t              room;
    struct sl_why      *why;
};

static bool is_record_name(const char *name)
{
    size_t length = strlen(name);
    size_t end = sizeof suffix - 1;

    return length > end && strcmp(name + length - end, suffix) == 0;
}

static enum sl_err make_room(struct listing *listing)
{
    if (listing->list.count < listing->room)
        return SL_OK;
    if (listing->room == SL_NODES_MAX)
        return sl_fail(listing->why, SL_TOO_LARGE, "%s has more than %d records", listing->folder,
                       SL_NODES_MAX);
    listing->room = listing->room == 0 ? NODES_FIRST : listing->room * 2;
    listing->list.nodes =
        realloc(listing->list.nodes, listing->room * sizeof listing->list.nodes[0]);
    SL_ASSERT(listing->list.nodes != NULL);
    return SL_OK;
}
static_assert(SL_NODES_MAX % NODES_FIRST == 0 && SL_IS_POWER_OF_TWO(SL_NODES_MAX / NODES_FIRST),
              "room doubles up to the limit");

static enum sl_err add_record(void *context, const char *name)
{
    struct listing *listing = context;
    struct sl_node *node;
    char            path[SL_PATH_BYTES_MAX];
    char            expected[FILE_NAME_MAX + 1];
    enum sl_err     err;

    if (!is_record_name(name))
        return SL_OK;
    if ((err = make_room(listing)) != SL_OK)
        return err;
    node = &listing->list.nodes[listing->list.count];
    if ((err = sl_path_join(path, listing->folder, name, listing->why)) != SL_OK ||
        (err = read_record(listing->local, path, node, listing->why)) != SL_OK)
        return err;
    if (file_name(node->id, expected, NULL) != SL_OK || strcmp(expected, name) != 0)
        return sl_fail(listing->why, SL_INVALID,
                       "%s is the record of '%s', which belongs in another file; remove one", path,
                       node->id);
    listing->list.count++;
    return SL_OK;
}

static int compare_nodes(const void *a, const void *b)
{
    return strcmp(((const struct sl_node *)a)->id, ((const struct sl_node *)b)->id);
}

static enum sl_err registry_list(struct sl_registry *r, enum sl_node_kind kind,
                                 struct sl_node_list *out, struct sl_why *why)
{
    struct sl_local *local = local_of(r);
    char             folder[SL_PATH_BYTES_MAX];
    struct listing   listing = {.local = local, .folder = folder, .why = why};
    struct sl_file  *lock;
    enum sl_err      err;

    if ((err = folder_path(local, kind, folder, why)) != SL_OK)
        return err;
    if ((err = local_lock(local, &lock, why)) != SL_OK)
        return err;
    err = sl_fs_list(local->env->fs, folder, add_record, &listing, why);
    sl_file_close(&lock);
    if (err != SL_OK) {
        sl_node_list_free(&listing.list);
        return err;
    }
    if (listing.list.count > 0)
        qsort(listing.list.nodes, listing.list.count, sizeof listing.list.nodes[0], compare_nodes);
    *out = listing.list;
    return SL_OK;
}

const struct sl_registry_ops local_registry_ops = {
    .put = registry_put,
    .get = registry_get,
    .list = registry_list,
    .version = registry_version,
    .cluster_id = registry_cluster_id,
};
