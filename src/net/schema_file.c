#include "net/schema_source_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/intrusive.h"
#include "base/map.h"

/* What is held of the file is where each job stands. Lines are read when they are asked for, so a
 * long history costs little, and a job that comes twice counts as it came last. */

/* Where a job stands. */
struct place {
    struct schema_job_head head;
    struct sl_map_node     node;
    uint64_t               at;
    uint64_t               line; /* its number, from 1 */
    size_t                 len;
};

struct file_source {
    struct sl_schema_source source;
    const struct sl_env    *env;
    struct sl_file         *file; /* owned; NULL: it is not there yet */
    char                    path[SL_PATH_BYTES_MAX];
    struct sl_map           places;  /* by id; owned */
    uint64_t                scanned; /* the lines before are known */
    uint64_t                line;    /* number of the line that begins there, from 1 */
    uint8_t                *bytes;   /* owned; of the line being read */
    size_t                  room;
};

static bool is_job(const struct sl_map_node *node, const void *key)
{
    return SL_CONTAINER_OF(node, struct place, node)->head.id == *(const int64_t *)key;
}

static struct place *place_of(const struct file_source *f, int64_t id)
{
    struct sl_map_node *node = sl_map_find(&f->places, sl_hash_u64((uint64_t)id), &id);

    return node == NULL ? NULL : SL_CONTAINER_OF(node, struct place, node);
}

static void note_place(struct file_source *f, const struct schema_job_head *head, size_t len)
{
    struct place *place = place_of(f, head->id);

    if (place == NULL) {
        place = calloc(1, sizeof *place);
        SL_ASSERT(place != NULL);
        place->head.id = head->id;
        sl_map_add(&f->places, sl_hash_u64((uint64_t)head->id), &head->id, &place->node);
    }
    place->head = *head;
    place->at = f->scanned;
    place->line = f->line;
    place->len = len;
}

static void forget_places(struct file_source *f)
{
    struct sl_map_iter  at = {0};
    struct sl_map_node *node;

    while ((node = sl_map_next(&f->places, &at)) != NULL) {
        sl_map_remove(&f->places, node);
        free(SL_CONTAINER_OF(node, struct place, node));
    }
    f->scanned = 0;
    f->line = 1;
}

/* ---- lines ---- */

static enum sl_err grow(struct file_source *f, struct sl_why *why)
{
    size_t room = f->room == 0 ? SL_SCHEMA_READ_BYTES : 2 * f->room;

    if (f->room > SL_JOB_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "%s line %" PRIu64 ": longer than %d bytes", f->path,
                       f->line, SL_JOB_BYTES_MAX);
    f->bytes = realloc(f->bytes, room);
    SL_ASSERT(f->bytes != NULL);
    f->room = room;
    return SL_OK;
}

/* The line at `scanned`, as far as it is there. *whole: its end is. */
static enum sl_err read_line(struct file_source *f, struct sl_slice *out, bool *whole,
                             struct sl_why *why)
{
    size_t used = 0;

    for (;;) {
        const uint8_t *end;
        size_t         got;
        enum sl_err    err;

        if (used == f->room && (err = grow(f, why)) != SL_OK)
            return err;
        if ((err = sl_file_read_at(f->file, f->scanned + used, f->bytes + used, f->room - used,
                                   &got, why)) != SL_OK)
            return err;
        end = got == 0 ? NULL : memchr(f->bytes + used, '\n', got);
        used = end != NULL ? (size_t)(end - f->bytes) : used + got;
        if (end == NULL && got > 0)
            continue;
        *out = (struct sl_slice){f->bytes, used};
        *whole = end != NULL;
        return SL_OK;
    }
}

static bool is_blank(struct sl_slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.bytes[i] > ' ')
            return false;
    }
    return true;
}

/* All of one, and nothing behind it. */
static bool is_json(struct sl_slice line)
{
    struct sl_json *document = NULL;
    enum sl_err     err = sl_json_parse_data(line, SL_JOB_BYTES_MAX, &document, NULL);

    sl_json_free(&document);
    return err == SL_OK;
}

/* Take in one line. A last line without its end is a job only when it is one already: no beginning
 * of a JSON object is one. */
static enum sl_err take_line(struct file_source *f, struct sl_slice line, bool whole,
                             struct sl_why *why)
{
    struct schema_job_head head;
    enum sl_err            err = SL_OK;

    if (!whole && (is_blank(line) || !is_json(line)))
        return SL_NOT_FOUND;
    if (!is_blank(line)) {
        err = schema_job_head_of_text(line, &head, why);
        if (err != SL_OK)
            err = sl_wrap(why, err, "%s line %" PRIu64, f->path, f->line);
        else
            note_place(f, &head, line.len);
    }
    if (err == SL_OK) {
        f->scanned += line.len + whole;
        f->line += whole;
    }
    return err;
}

/* SL_UNAVAILABLE: nobody has made the file yet. */
static enum sl_err open_file(struct file_source *f, struct sl_why *why)
{
    enum sl_err err =
        f->file != NULL ? SL_OK : sl_fs_open(f->env->fs, f->path, SL_OPEN_READ, &f->file, why);

    if (err == SL_NOT_FOUND)
        return sl_fail(why, SL_UNAVAILABLE,
                       "the file of DDL jobs %s does not exist yet; whoever writes the history of "
                       "DDL makes it",
                       f->path);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "the file of DDL jobs");
}

/* Take in what has been added since. */
static enum sl_err scan(struct file_source *f, struct sl_why *why)
{
    uint64_t    size;
    enum sl_err err = open_file(f, why);

    if (err == SL_OK)
        err = sl_file_size(f->file, &size, why);
    if (err == SL_OK && size < f->scanned)
        forget_places(f); /* it was written anew */
    while (err == SL_OK) {
        struct sl_slice line;
        bool            whole;

        if ((err = read_line(f, &line, &whole, why)) == SL_OK)
            err = take_line(f, line, whole, why);
    }
    return err == SL_NOT_FOUND ? SL_OK : err;
}

/* ---- the calls ---- */

static enum sl_err read_place(struct file_source *f, const struct place *place,
                              struct sl_json **out, struct sl_why *why)
{
    struct sl_buf *bytes = sl_buf_new(place->len);
    size_t         got;
    enum sl_err    err = sl_file_read_at(f->file, place->at, bytes->data, place->len, &got, why);

    if (err == SL_OK && got < place->len)
        err = sl_fail(why, SL_INVALID, "%s was cut short while it was read", f->path);
    if (err == SL_OK &&
        (err = sl_json_parse_data(sl_slice_from_buf(bytes), SL_JOB_BYTES_MAX, out, why)) != SL_OK)
        err = sl_wrap(why, err, "%s line %" PRIu64, f->path, place->line);
    sl_buf_free(&bytes);
    return err;
}

static enum sl_err find_job(struct sl_schema_source *source, int64_t id, struct sl_json **out,
                            struct sl_why *why)
{
    struct file_source *f = SL_CONTAINER_OF(source, struct file_source, source);
    enum sl_err         err = place_of(f, id) == NULL ? scan(f, why) : SL_OK;

    if (err != SL_OK)
        return err;
    if (place_of(f, id) == NULL)
        return sl_fail(why, SL_NOT_FOUND, "DDL job %" PRId64 " is not in %s yet", id, f->path);
    return read_place(f, place_of(f, id), out, why);
}

static int by_version(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;

    if (x->head.version != y->head.version)
        return x->head.version < y->head.version ? -1 : 1;
    return x->head.id < y->head.id ? -1 : x->head.id > y->head.id;
}

static enum sl_err visit_sorted(struct file_source *f, const struct place *sorted, uint32_t count,
                                sl_history_visit visit, void *context, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    for (uint32_t i = 0; i < count && err == SL_OK; i++) {
        struct sl_json *job = NULL;

        if ((err = read_place(f, &sorted[i], &job, why)) == SL_OK)
            err = visit(context, &job);
    }
    return err;
}

static enum sl_err visit_all(struct sl_schema_source *source, const struct sl_history_bound *bound,
                             sl_history_visit visit, void *context, struct sl_why *why)
{
    struct file_source *f = SL_CONTAINER_OF(source, struct file_source, source);
    struct sl_map_iter  at = {0};
    struct sl_map_node *node;
    struct place       *sorted;
    uint32_t            count = 0;
    enum sl_err         err;

    if ((err = scan(f, why)) != SL_OK)
        return err;
    sorted = calloc((size_t)f->places.count + 1, sizeof *sorted);
    SL_ASSERT(sorted != NULL);
    while ((node = sl_map_next(&f->places, &at)) != NULL) {
        const struct place *place = SL_CONTAINER_OF(node, struct place, node);

        if (schema_job_wanted(source, &place->head, bound))
            sorted[count++] = *place;
    }
    qsort(sorted, count, sizeof *sorted, by_version);
    err = visit_sorted(f, sorted, count, visit, context, why);
    free(sorted);
    return err;
}

static void free_source(struct sl_schema_source *source)
{
    struct file_source *f = SL_CONTAINER_OF(source, struct file_source, source);

    forget_places(f);
    sl_map_done(&f->places);
    sl_file_close(&f->file);
    free(f->bytes);
    free(f);
}

static const struct sl_schema_source_ops ops = {find_job, visit_all, free_source};

enum sl_err schema_file_open(const struct sl_env *env, const char *path,
                             struct sl_schema_source **out, struct sl_why *why)
{
    struct file_source *f = calloc(1, sizeof *f);
    enum sl_err         err;

    SL_ASSERT(f != NULL);
    f->source.ops = &ops;
    f->env = env;
    f->line = 1;
    sl_map_init(&f->places, is_job);
    if ((err = sl_path_add(f->path, path, "", why)) == SL_OK)
        err = open_file(f, why);
    if (err != SL_OK && err != SL_UNAVAILABLE) {
        free_source(&f->source);
        return err;
    }
    *out = &f->source;
    return SL_OK;
}
