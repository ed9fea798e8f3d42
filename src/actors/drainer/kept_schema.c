/* The file `schema`: lines of text that say what it is of, and the tracker's bytes, which have a
 * checksum (binlog/schema_store.c). Of the lines each byte is known before, so they need none.
 *
 *     sluice schema 1
 *     cluster N
 *     source TEXT */

#include "actors/drainer/kept_schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/limits.h"
#include "binlog/schema_store.h"

enum { LINES_BYTES_MAX = SL_PATH_BYTES_MAX + 128 };

struct lines {
    char   text[LINES_BYTES_MAX];
    size_t len;
};

static enum sl_err make_lines(const struct sl_kept_schema *kept, struct lines *lines,
                              struct sl_why *why)
{
    int len = snprintf(lines->text, sizeof lines->text,
                       "sluice schema 1\ncluster %" PRIu64 "\nsource %s\n", kept->cluster_id,
                       kept->source);

    SL_ASSERT(len > 0);
    lines->len = (size_t)len;
    return lines->len < sizeof lines->text
               ? SL_OK
               : sl_fail(why, SL_TOO_LARGE, "schema-source is too long to keep a schema of it");
}

static enum sl_err read_file(struct sl_fs *fs, const char *path, struct sl_buf **out, size_t *len,
                             struct sl_why *why)
{
    struct sl_file *file = NULL;
    uint64_t        size = 0;
    enum sl_err     err = sl_fs_open(fs, path, SL_OPEN_READ, &file, why);

    if (err == SL_OK)
        err = sl_file_size(file, &size, why);
    if (err == SL_OK && size > SL_SCHEMA_STORE_BYTES_MAX)
        err = sl_fail(why, SL_INVALID, "%" PRIu64 " bytes are too many for a schema", size);
    if (err == SL_OK) {
        *out = sl_buf_new(size);
        if ((err = sl_file_read_at(file, 0, (*out)->data, size, len, why)) != SL_OK)
            sl_buf_free(out);
    }
    sl_file_close(&file);
    return err;
}

/* The tracker out of the bytes of the file. */
static enum sl_err read_schema(const struct sl_kept_schema *kept, struct sl_slice bytes,
                               int64_t version, struct sl_schema **out, struct sl_why *why)
{
    struct lines lines;
    enum sl_err  err = make_lines(kept, &lines, why);

    if (err != SL_OK)
        return err;
    if (bytes.len < lines.len || memcmp(bytes.bytes, lines.text, lines.len) != 0)
        return sl_fail(why, SL_NOT_FOUND, "it is not of this cluster and source");
    bytes.bytes += lines.len;
    bytes.len -= lines.len;
    if ((err = sl_schema_read(bytes, out, why)) != SL_OK || sl_schema_version(*out) <= version)
        return err;
    err =
        sl_fail(why, SL_NOT_FOUND, "it is of schema version %" PRId64 ", the start is at %" PRId64,
                sl_schema_version(*out), version);
    sl_schema_free(out);
    return err;
}

enum sl_err sl_kept_schema_load(const struct sl_kept_schema *kept, int64_t version,
                                struct sl_schema **out, struct sl_why *why)
{
    char           path[SL_PATH_BYTES_MAX];
    struct sl_buf *bytes = NULL;
    size_t         len;
    enum sl_err    err;

    if ((err = sl_path_join(path, kept->data_dir, "schema", why)) != SL_OK)
        return err;
    if ((err = read_file(kept->fs, path, &bytes, &len, why)) == SL_OK)
        err = read_schema(kept, (struct sl_slice){bytes->data, len}, version, out, why);
    sl_buf_free(&bytes);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "%s", path);
}

enum sl_err sl_kept_schema_save(const struct sl_kept_schema *kept, const struct sl_schema *schema,
                                struct sl_why *why)
{
    char           path[SL_PATH_BYTES_MAX];
    struct lines   lines;
    struct sl_buf *tables = NULL;
    uint8_t       *all;
    enum sl_err    err;

    if ((err = sl_path_join(path, kept->data_dir, "schema", why)) != SL_OK ||
        (err = make_lines(kept, &lines, why)) != SL_OK ||
        (err = sl_schema_write(schema, &tables, why)) != SL_OK)
        return err;
    all = malloc(lines.len + tables->len);
    SL_ASSERT(all != NULL);
    memcpy(all, lines.text, lines.len);
    memcpy(all + lines.len, tables->data, tables->len);
    err = sl_fs_replace(kept->fs, path, all, lines.len + tables->len, why);
    free(all);
    sl_buf_free(&tables);
    return err;
}
