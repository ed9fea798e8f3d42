#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/assert.h"
#include "net/local_tso.h"

/* A driver holds the lock of DIR/drive for as long as it lives, and so everybody else can tell
 * whether it does: the system frees the lock of a dead process. */

struct drive {
    struct sl_tso_drive base;
    struct sl_local    *local; /* borrowed */
    struct sl_file     *lock;  /* owned */
};

enum sl_err drive_lock(struct sl_local *local, struct sl_file **out, struct sl_why *why)
{
    struct sl_file *f;
    char            path[SL_PATH_BYTES_MAX];
    enum sl_err     err;

    if ((err = sl_path_join(path, local->dir, "drive", why)) != SL_OK ||
        (err = sl_fs_open(local->env->fs, path, SL_OPEN_WRITE | SL_OPEN_CREATE, &f, why)) != SL_OK)
        return err;
    if ((err = sl_file_lock(f, why)) != SL_OK) {
        sl_file_close(&f);
        return err;
    }
    *out = f;
    return SL_OK;
}

/* ---- a drive that is on; all under the directory's lock ---- */

static enum sl_err load_driven(struct drive *drive, struct tso_state *state, struct sl_why *why)
{
    enum sl_err err = tso_load(drive->local, state, why);

    if (err == SL_OK && !state->driven)
        err = sl_fail(why, SL_GONE, "the drive of %s has ended: its state was lost",
                      drive->local->dir);
    return err;
}

static enum sl_err move(struct drive *drive, sl_ts floor, sl_ts ceiling, struct sl_why *why)
{
    struct tso_state state;
    enum sl_err      err;

    if ((err = load_driven(drive, &state, why)) != SL_OK)
        return err;
    if (floor < state.floor)
        floor = state.floor;
    if (ceiling < state.ceiling)
        return sl_fail(why, SL_INVALID,
                       "the ceiling of a drive does not fall: from %" PRId64 " to %" PRId64,
                       state.ceiling, ceiling);
    if (floor >= ceiling || ceiling > state.last_commit + 1)
        return sl_fail(why, SL_INVALID,
                       "floor %" PRId64 " and ceiling %" PRId64
                       " are not in order, up to one above the last commit ts %" PRId64,
                       floor, ceiling, state.last_commit);
    state.floor = floor;
    state.ceiling = ceiling;
    return tso_store(drive->local, &state, why);
}

static enum sl_err drive_move(struct sl_tso_drive *base, sl_ts floor, sl_ts ceiling,
                              struct sl_why *why)
{
    struct drive   *drive = (struct drive *)base;
    struct sl_file *lock;
    enum sl_err     err;

    if ((err = local_lock(drive->local, &lock, why)) != SL_OK)
        return err;
    err = move(drive, floor, ceiling, why);
    sl_file_close(&lock);
    return err;
}

static enum sl_err drive_end(struct sl_tso_drive *base, struct sl_why *why)
{
    struct drive    *drive = (struct drive *)base;
    struct tso_state state;
    struct sl_file  *lock;
    enum sl_err      err;

    if ((err = local_lock(drive->local, &lock, why)) != SL_OK)
        return err;
    if ((err = load_driven(drive, &state, why)) == SL_OK)
        err = tso_finish_drive(drive->local, &state, false, why);
    sl_file_close(&lock);
    return err;
}

static void drive_free(struct sl_tso_drive *base)
{
    struct drive *drive = (struct drive *)base;

    sl_file_close(&drive->lock);
    free(drive);
}

static const struct sl_tso_drive_ops drive_ops = {
    .move = drive_move,
    .end = drive_end,
    .free = drive_free,
};

/* ---- beginning ---- */

static enum sl_err check_stream(const struct tso_state *state, sl_ts first_commit,
                                sl_ts last_commit, struct sl_why *why)
{
    enum sl_err err;

    if ((err = tso_check_first(last_commit, why)) != SL_OK)
        return sl_wrap(why, err, "last commit ts");
    if (first_commit <= 0 || first_commit > last_commit)
        return sl_fail(why, SL_INVALID,
                       "first commit ts %" PRId64 " and last %" PRId64 " are not in order",
                       first_commit, last_commit);
    if (first_commit <= state->last)
        return sl_fail(why, SL_INVALID,
                       "timestamps up to %" PRId64
                       " have been handed out, the first commit ts of the stream is %" PRId64
                       "; replay into a new directory, made with a --tso well below",
                       state->last, first_commit);
    return SL_OK;
}

/* Under the directory's lock. The state is read before the driver's lock is taken, so that a drive
 * whose driver is dead can be told from one that is ours. */
static enum sl_err begin(struct drive *drive, sl_ts first_commit, sl_ts last_commit,
                         struct sl_why *why)
{
    struct tso_state state;
    enum sl_err      err;

    if ((err = tso_load(drive->local, &state, why)) != SL_OK ||
        (err = drive_lock(drive->local, &drive->lock, why)) != SL_OK ||
        (err = check_stream(&state, first_commit, last_commit, why)) != SL_OK)
        return err;
    SL_ASSERT(!state.driven);
    state.driven = true;
    state.floor = state.last;
    state.ceiling = first_commit;
    state.last_commit = last_commit;
    if (state.end <= last_commit)
        state.end = last_commit + 1;
    return tso_store_durably(drive->local, &state, why);
}

enum sl_err drive_begin(struct sl_tso *tso, sl_ts first_commit, sl_ts last_commit,
                        struct sl_tso_drive **out, struct sl_why *why)
{
    struct sl_local *local = local_of_tso(tso);
    struct drive    *drive = calloc(1, sizeof *drive);
    struct sl_file  *lock;
    enum sl_err      err;

    SL_ASSERT(drive != NULL);
    *drive = (struct drive){.base.ops = &drive_ops, .local = local};
    if ((err = local_lock(local, &lock, why)) != SL_OK)
        goto free_drive;
    err = begin(drive, first_commit, last_commit, why);
    if (err == SL_IN_USE)
        (void)sl_wrap(why, err, "another replay drives the timestamps of %s", local->dir);
    sl_file_close(&lock);
    if (err != SL_OK)
        goto free_drive;
    *out = &drive->base;
    return SL_OK;
free_drive:
    drive_free(&drive->base);
    return err;
}

enum sl_err drive_info(struct sl_tso *tso, struct sl_tso_drive_info *out, struct sl_why *why)
{
    struct sl_local *local = local_of_tso(tso);
    struct tso_state state;
    struct sl_file  *lock;
    enum sl_err      err;

    if ((err = local_lock(local, &lock, why)) != SL_OK)
        return err;
    err = tso_load(local, &state, why);
    sl_file_close(&lock);
    if (err != SL_OK)
        return err;
    *out = (struct sl_tso_drive_info){
        .running = state.driven,
        .floor = state.floor,
        .ceiling = state.ceiling,
        .last_commit = state.last_commit,
        .lost = state.lost,
    };
    return SL_OK;
}
