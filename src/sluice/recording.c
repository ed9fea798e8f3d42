#include "sluice/recording.h"

#include <string.h>

#include "base/limits.h"
#include "base/env_os_process.h"

/* ---- finding ---- */

static bool is_recording(struct sl_fs *fs, const char *path)
{
    char                meta[SL_PATH_BYTES_MAX];
    struct sl_file_info info;

    return sl_path_join(meta, path, "meta.json", NULL) == SL_OK &&
           sl_fs_info(fs, meta, &info, NULL) == SL_OK;
}

/* dir/places/name, if it is one. */
static bool look_below(struct sl_fs *fs, const char *dir, const char *places, const char *name,
                       char *out)
{
    char place[SL_PATH_BYTES_MAX];

    return sl_path_join(place, dir, places, NULL) == SL_OK &&
           sl_path_join(out, place, name, NULL) == SL_OK && is_recording(fs, out);
}

static enum sl_err look_around(struct sl_fs *fs, const char *name, char *out, struct sl_why *why)
{
    char        dir[SL_PATH_BYTES_MAX];
    char       *slash;
    enum sl_err err = sl_program_own(dir, why);

    if (err != SL_OK)
        return err;
    while ((slash = strrchr(dir, '/')) != NULL && slash != dir) {
        *slash = '\0';
        if (look_below(fs, dir, "tests/corpus", name, out) ||
            look_below(fs, dir, "share/sluice/corpus", name, out))
            return SL_OK;
    }
    return sl_fail(why, SL_NOT_FOUND,
                   "there is no recording %.100s near this program: give its folder, as "
                   "--corpus /path/to/tests/corpus/types, or --corpus none",
                   name);
}

enum sl_err recording_find(struct sl_fs *fs, const char *name, char *out, struct sl_why *why)
{
    if (strchr(name, '/') == NULL)
        return look_around(fs, name, out, why);
    if (!is_recording(fs, name))
        return sl_fail(why, SL_NOT_FOUND, "%.300s is no recording: it has no meta.json", name);
    return sl_path_add(out, name, "", why);
}

/* ---- its parts ---- */

enum sl_err recording_copy_history(struct sl_fs *fs, const char *recording, const char *to,
                                   struct sl_why *why)
{
    char           from[SL_PATH_BYTES_MAX];
    struct sl_buf *bytes;
    enum sl_err    err;

    if ((err = sl_path_join(from, recording, "ddl-history.jsonl", why)) != SL_OK ||
        (err = corpus_read(fs, from, &bytes, why)) != SL_OK)
        return err;
    err = sl_fs_replace(fs, to, bytes->data, bytes->len, why);
    sl_buf_free(&bytes);
    return err;
}

sl_ts recording_first_tso(const struct corpus *corpus)
{
    static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    sl_ts                first = 0;

    for (uint32_t i = 0; i < corpus->count; i++) {
        sl_ts ts = corpus->records[i].commit_ts;

        if (ts != 0 && (first == 0 || ts < first))
            first = ts;
    }
    return sl_ts_physical_ms(first) > day_ms ? sl_ts_of_ms(sl_ts_physical_ms(first) - day_ms) : 0;
}

sl_ts recording_last_commit(const struct corpus *corpus)
{
    sl_ts last = 0;

    for (uint32_t i = 0; i < corpus->count; i++) {
        if (corpus->records[i].commit_ts > last)
            last = corpus->records[i].commit_ts;
    }
    return last;
}
