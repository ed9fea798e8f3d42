#include "actors/common/node_identity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "net/node.h"
#include "storage/foreign.h"

/* What this version writes into sluice.json and reads. */
enum { FORMAT = 1 };

/* ---- lock ---- */

static enum sl_err take_lock(struct sl_fs *fs, const char *dir, struct sl_file **lock,
                             struct sl_why *why)
{
    struct sl_file *file;
    char            path[SL_PATH_BYTES_MAX];
    enum sl_err     err;

    if ((err = sl_path_join(path, dir, ".lock", why)) != SL_OK)
        return err;
    if ((err = sl_fs_open(fs, path, SL_OPEN_READ | SL_OPEN_WRITE | SL_OPEN_CREATE, &file, why)) !=
        SL_OK)
        return err;
    if ((err = sl_file_lock(file, why)) != SL_OK) {
        sl_file_close(&file);
        if (err == SL_IN_USE)
            return sl_fail(why, err, "%s: pkg/file: file already locked", path);
        return err;
    }
    *lock = file;
    return SL_OK;
}

enum sl_err sl_data_dir_lock(struct sl_fs *fs, const char *dir, struct sl_file **lock,
                             struct sl_why *why)
{
    struct sl_file *file;
    enum sl_err     err;

    if ((err = sl_fs_mkdir_all(fs, dir, why)) != SL_OK)
        return err;
    if ((err = sl_fs_sync_dir_of(fs, dir, why)) != SL_OK)
        return err;
    if ((err = take_lock(fs, dir, &file, why)) != SL_OK)
        return err;
    if ((err = sl_storage_refuse_foreign(fs, dir, why)) != SL_OK) {
        sl_file_close(&file);
        return err;
    }
    *lock = file;
    return SL_OK;
}

/* ---- sluice.json ---- */

static bool parse_cluster_id(const struct sl_json *value, uint64_t *out)
{
    const char *text;

    if (value == NULL || sl_json_kind(value) != SL_JSON_TEXT)
        return false;
    text = sl_json_text(value);
    errno = 0;
    *out = strtoull(text, NULL, 10);
    return errno == 0 && text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static enum sl_err parse(const struct sl_json *document, struct sl_data_dir *out,
                         struct sl_why *why)
{
    const struct sl_json *format;
    const struct sl_json *shards;

    if (sl_json_kind(document) != SL_JSON_OBJECT)
        return sl_fail(why, SL_CORRUPT, "not an object");
    format = sl_json_member(document, "format");
    if (format == NULL || sl_json_kind(format) != SL_JSON_INT)
        return sl_fail(why, SL_CORRUPT, "format is missing or no integer");
    if (sl_json_int(format) != FORMAT)
        return sl_fail(why, SL_UNSUPPORTED, "format %" PRId64 ", this version knows %d",
                       sl_json_int(format), FORMAT);
    if (!parse_cluster_id(sl_json_member(document, "clusterId"), &out->cluster_id))
        return sl_fail(why, SL_CORRUPT, "clusterId is missing or no number in quotes");
    shards = sl_json_member(document, "shards");
    if (shards == NULL || sl_json_kind(shards) != SL_JSON_INT || sl_json_int(shards) < 1 ||
        sl_json_int(shards) > SL_PUMP_SHARDS_MAX)
        return sl_fail(why, SL_CORRUPT, "shards is missing or no number from 1 to %d",
                       SL_PUMP_SHARDS_MAX);
    out->shards = (uint32_t)sl_json_int(shards);
    return SL_OK;
}

/* SL_NOT_FOUND: the directory is new. */
static enum sl_err load(struct sl_fs *fs, const char *path, struct sl_data_dir *out,
                        struct sl_why *why)
{
    uint8_t         bytes[SL_DATA_DIR_FILE_BYTES_MAX];
    struct sl_json *document;
    size_t          count;
    enum sl_err     err;

    if ((err = sl_fs_read(fs, path, bytes, sizeof bytes, &count, why)) != SL_OK)
        return err;
    if (sl_json_parse((struct sl_slice){bytes, count}, &document, why) != SL_OK)
        return sl_wrap(why, SL_CORRUPT, "%s", path);
    if ((err = parse(document, out, why)) != SL_OK)
        err = sl_wrap(why, err, "%s", path);
    sl_json_free(&document);
    return err;
}

static enum sl_err save(struct sl_fs *fs, const char *path, const struct sl_data_dir *data_dir,
                        struct sl_why *why)
{
    char text[SL_DATA_DIR_FILE_BYTES_MAX];
    int  bytes = snprintf(text, sizeof text,
                          "{\"format\":%d,\"clusterId\":\"%" PRIu64 "\",\"shards\":%" PRIu32 "}\n",
                          FORMAT, data_dir->cluster_id, data_dir->shards);

    SL_ASSERT(bytes > 0 && (size_t)bytes < sizeof text);
    return sl_fs_replace(fs, path, text, (size_t)bytes, why);
}

enum sl_err sl_data_dir_is_new(struct sl_fs *fs, const char *dir, bool *out, struct sl_why *why)
{
    struct sl_file_info info;
    char                path[SL_PATH_BYTES_MAX];
    enum sl_err         err;

    if ((err = sl_path_join(path, dir, "sluice.json", why)) != SL_OK)
        return err;
    err = sl_fs_info(fs, path, &info, why);
    *out = err == SL_NOT_FOUND;
    return err == SL_NOT_FOUND ? SL_OK : err;
}

enum sl_err sl_data_dir_settle(struct sl_fs *fs, const char *dir, const struct sl_data_dir *wanted,
                               bool shards_asked, struct sl_data_dir *out, struct sl_why *why)
{
    struct sl_data_dir found;
    char               path[SL_PATH_BYTES_MAX];
    enum sl_err        err;

    SL_ASSERT(wanted->shards >= 1 && wanted->shards <= SL_PUMP_SHARDS_MAX);
    if ((err = sl_path_join(path, dir, "sluice.json", why)) != SL_OK)
        return err;
    err = load(fs, path, &found, why);
    if (err == SL_NOT_FOUND) {
        found = *wanted;
        err = save(fs, path, wanted, why);
    }
    if (err != SL_OK)
        return err;
    if (found.cluster_id != wanted->cluster_id)
        return sl_fail(why, SL_CONFIG,
                       "data-dir %s belongs to cluster %" PRIu64 ", but this is cluster %" PRIu64
                       ": give this pump an empty data-dir, or the pd-urls of its cluster",
                       dir, found.cluster_id, wanted->cluster_id);
    if (shards_asked && found.shards != wanted->shards)
        return sl_fail(why, SL_CONFIG,
                       "data-dir %s was made with %" PRIu32
                       " shards, which cannot change: set storage.shards to that or to 0, not to "
                       "%" PRIu32,
                       dir, found.shards, wanted->shards);
    *out = found;
    return SL_OK;
}

/* ---- node id ---- */

/* Read the id that was kept, without the white space around it. SL_NOT_FOUND: none was. */
static enum sl_err load_id(struct sl_fs *fs, const char *path, char *id, struct sl_why *why)
{
    char        text[SL_DATA_DIR_FILE_BYTES_MAX];
    const char *begin = text;
    size_t      count;
    enum sl_err err;

    if ((err = sl_fs_read(fs, path, text, sizeof text - 1, &count, why)) != SL_OK)
        return err;
    while (count > 0 && isspace((unsigned char)text[count - 1]))
        count--;
    text[count] = '\0';
    while (isspace((unsigned char)*begin))
        begin++;
    if ((err = sl_node_id_check(begin, why)) != SL_OK)
        return sl_wrap(why, err, "%s", path);
    memcpy(id, begin, strlen(begin) + 1);
    return SL_OK;
}

/* The id that the pump would give itself. */
static enum sl_err make_id(const struct sl_node_id_sources *sources, char *id, struct sl_why *why)
{
    const char *port = strrchr(sources->addr, ':');
    int         bytes;

    SL_ASSERT(port != NULL);
    bytes = snprintf(id, SL_NODE_ID_BYTES_MAX, "%s%s", sources->host_name, port);
    SL_ASSERT(bytes > 0 && bytes < SL_NODE_ID_BYTES_MAX);
    if (sl_node_id_check(id, why) != SL_OK)
        return sl_wrap(why, SL_CONFIG, "the host name makes no node id, set node-id");
    return SL_OK;
}

/* The id that the user gave it. */
static enum sl_err take_configured(const struct sl_node_id_sources *sources, char *id,
                                   struct sl_why *why)
{
    if (sl_node_id_check(sources->configured, why) != SL_OK)
        return sl_wrap(why, SL_CONFIG, "node-id");
    memcpy(id, sources->configured, strlen(sources->configured) + 1);
    return SL_OK;
}

/* From now on the configured id is the one. The old one may still hold back what pumps remove. */
static enum sl_err change_id(struct sl_fs *fs, const char *path,
                             const struct sl_node_id_sources *sources, char *id,
                             struct sl_why *note, struct sl_why *why)
{
    char        old[SL_NODE_ID_BYTES_MAX];
    enum sl_err err;

    memcpy(old, id, strlen(id) + 1);
    if ((err = take_configured(sources, id, why)) != SL_OK || strcmp(old, id) == 0)
        return err;
    (void)snprintf(note->text, sizeof note->text,
                   "node-id = %s is used, the node ID in local file %s was %s: if that node is no "
                   "more, make it offline",
                   id, path, old);
    return sl_fs_replace(fs, path, id, strlen(id), why);
}

/* The kept id wins: say so when the other sources say something else. */
static void note_difference(const struct sl_node_id_sources *sources, const char *path,
                            const char *id, struct sl_why *note)
{
    char own[SL_NODE_ID_BYTES_MAX];

    if (sources->configured[0] != '\0') {
        if (strcmp(sources->configured, id) != 0)
            (void)snprintf(note->text, sizeof note->text,
                           "you had a node ID in local file %s: %s is used, node-id = %s is not",
                           path, id, sources->configured);
    } else if (make_id(sources, own, NULL) == SL_OK && strcmp(own, id) != 0) {
        (void)snprintf(note->text, sizeof note->text,
                       "the node ID in local file %s is %s, host name and port would make it %s",
                       path, id, own);
    }
}

enum sl_err sl_node_id_settle(struct sl_fs *fs, const char *dir,
                              const struct sl_node_id_sources *sources, char *id,
                              struct sl_why *note, struct sl_why *why)
{
    bool        configured = sources->configured[0] != '\0';
    char        path[SL_PATH_BYTES_MAX];
    enum sl_err load_err;
    enum sl_err err;

    note->text[0] = '\0';
    if ((err = sl_path_join(path, dir, ".node", why)) != SL_OK)
        return err;
    load_err = load_id(fs, path, id, note);
    if (load_err == SL_OK && configured && sources->configured_wins)
        return change_id(fs, path, sources, id, note, why);
    if (load_err == SL_OK) {
        note_difference(sources, path, id, note);
        return SL_OK;
    }
    if (load_err != SL_NOT_FOUND && !configured)
        return sl_fail(why, load_err, "local nodeID file: %s", note->text);
    err = configured ? take_configured(sources, id, why) : make_id(sources, id, why);
    if (err != SL_OK || load_err != SL_NOT_FOUND)
        return err;
    note->text[0] = '\0';
    return sl_fs_replace(fs, path, id, strlen(id), why);
}
