#include "net/local_tso.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

enum {
    MAGIC_BYTES = 8,
    AT_BOOT = MAGIC_BYTES,
    AT_LAST = AT_BOOT + SL_BOOT_ID_BYTES,
    AT_END = AT_LAST + 8,
    AT_SHIFT = AT_END + 8,
    AT_FLOOR = AT_SHIFT + 8,
    AT_CEILING = AT_FLOOR + 8,
    AT_LAST_COMMIT = AT_CEILING + 8,
    AT_LOST = AT_LAST_COMMIT + 8,
    AT_DRIVEN = AT_LOST + 8,
    AT_CRC = AT_DRIVEN + 4,
    STATE_BYTES = AT_CRC + 4,
};
static_assert(STATE_BYTES == 88, "the format in local_tso.h");

static const uint8_t magic[MAGIC_BYTES] = {'S', 'L', 'T', 'S', 'O', 0, 0, 1};

/* The year 2527: far above every wall clock, far below the end of the 46 bits of a physical part.
 */
static const int64_t physical_ms_max = INT64_C(1) << 44;

struct sl_local *local_of_tso(struct sl_tso *tso)
{
    return (struct sl_local *)((char *)tso - offsetof(struct sl_local, tso));
}

/* ---- the bytes ---- */

static void encode(const struct tso_state *state, const struct sl_boot_id *boot, uint8_t *out)
{
    memcpy(out, magic, sizeof magic);
    memcpy(out + AT_BOOT, boot->bytes, sizeof boot->bytes);
    sl_bytes_put_u64(out + AT_LAST, (uint64_t)state->last);
    sl_bytes_put_u64(out + AT_END, (uint64_t)state->end);
    sl_bytes_put_u64(out + AT_SHIFT, (uint64_t)state->shift_ms);
    sl_bytes_put_u64(out + AT_FLOOR, (uint64_t)state->floor);
    sl_bytes_put_u64(out + AT_CEILING, (uint64_t)state->ceiling);
    sl_bytes_put_u64(out + AT_LAST_COMMIT, (uint64_t)state->last_commit);
    sl_bytes_put_u64(out + AT_LOST, state->lost);
    sl_bytes_put_u32(out + AT_DRIVEN, state->driven ? 1 : 0);
    sl_bytes_put_u32(out + AT_CRC, sl_crc32c(0, out, AT_CRC));
}

/* False: damaged. */
static bool decode(const uint8_t *bytes, size_t count, struct tso_state *state,
                   struct sl_boot_id *boot)
{
    if (count != STATE_BYTES || memcmp(bytes, magic, sizeof magic) != 0 ||
        sl_bytes_get_u32(bytes + AT_CRC) != sl_crc32c(0, bytes, AT_CRC))
        return false;
    memcpy(boot->bytes, bytes + AT_BOOT, sizeof boot->bytes);
    *state = (struct tso_state){
        .last = (sl_ts)sl_bytes_get_u64(bytes + AT_LAST),
        .end = (sl_ts)sl_bytes_get_u64(bytes + AT_END),
        .shift_ms = (int64_t)sl_bytes_get_u64(bytes + AT_SHIFT),
        .floor = (sl_ts)sl_bytes_get_u64(bytes + AT_FLOOR),
        .ceiling = (sl_ts)sl_bytes_get_u64(bytes + AT_CEILING),
        .last_commit = (sl_ts)sl_bytes_get_u64(bytes + AT_LAST_COMMIT),
        .lost = sl_bytes_get_u64(bytes + AT_LOST),
        .driven = sl_bytes_get_u32(bytes + AT_DRIVEN) != 0,
    };
    return true;
}

/* ---- the files ---- */

enum sl_err tso_store(struct sl_local *local, const struct tso_state *state, struct sl_why *why)
{
    struct sl_boot_id boot;
    struct sl_file   *f;
    uint8_t           bytes[STATE_BYTES];
    char              path[SL_PATH_BYTES_MAX];
    enum sl_err       err;

    SL_ASSERT(state->last < state->end);
    if ((err = sl_path_join(path, local->dir, "tso.now", why)) != SL_OK ||
        (err = sl_fs_boot_id(local->env->fs, &boot, why)) != SL_OK ||
        (err = sl_fs_open(local->env->fs, path, SL_OPEN_WRITE | SL_OPEN_CREATE, &f, why)) != SL_OK)
        return err;
    encode(state, &boot, bytes);
    err = sl_file_write_at(f, 0, bytes, sizeof bytes, why);
    sl_file_close(&f);
    return err;
}

static enum sl_err store_end(const struct sl_local *local, const struct tso_state *state,
                             struct sl_why *why)
{
    static const struct sl_boot_id no_boot;
    uint8_t                        bytes[STATE_BYTES];
    char                           path[SL_PATH_BYTES_MAX];
    enum sl_err                    err;

    if ((err = sl_path_join(path, local->dir, "tso", why)) != SL_OK)
        return err;
    encode(state, &no_boot, bytes);
    return sl_fs_replace(local->env->fs, path, bytes, sizeof bytes, why);
}

enum sl_err tso_store_durably(struct sl_local *local, const struct tso_state *state,
                              struct sl_why *why)
{
    enum sl_err err = store_end(local, state, why);

    return err == SL_OK ? tso_store(local, state, why) : err;
}

/* The state of this boot. SL_NOT_FOUND: there is none that counts. */
static enum sl_err read_now(const struct sl_local *local, struct tso_state *out, struct sl_why *why)
{
    struct sl_boot_id present;
    struct sl_boot_id boot;
    uint8_t           bytes[STATE_BYTES];
    char              path[SL_PATH_BYTES_MAX];
    size_t            count;
    enum sl_err       err;

    if ((err = sl_path_join(path, local->dir, "tso.now", why)) != SL_OK ||
        (err = sl_fs_boot_id(local->env->fs, &present, why)) != SL_OK)
        return err;
    err = sl_fs_read(local->env->fs, path, bytes, sizeof bytes, &count, why);
    if (err == SL_TOO_LARGE)
        return SL_NOT_FOUND;
    if (err != SL_OK)
        return err;
    if (!decode(bytes, count, out, &boot) ||
        memcmp(boot.bytes, present.bytes, sizeof boot.bytes) != 0)
        return SL_NOT_FOUND;
    return SL_OK;
}

static enum sl_err read_end(const struct sl_local *local, struct tso_state *out, struct sl_why *why)
{
    struct sl_boot_id boot;
    uint8_t           bytes[STATE_BYTES];
    char              path[SL_PATH_BYTES_MAX];
    size_t            count;
    enum sl_err       err;

    if ((err = sl_path_join(path, local->dir, "tso", why)) != SL_OK)
        return err;
    err = sl_fs_read(local->env->fs, path, bytes, sizeof bytes, &count, why);
    if (err == SL_OK && decode(bytes, count, out, &boot))
        return SL_OK;
    if (err != SL_OK && err != SL_TOO_LARGE && err != SL_NOT_FOUND)
        return err;
    return sl_fail(why, SL_CORRUPT,
                   "%s is %s, so the timestamps handed out are not known; remove it and give "
                   "'sluice init local:%s' a --tso above every commit ts of this cluster",
                   path, err == SL_NOT_FOUND ? "missing" : "damaged", local->dir);
}

/* ---- time ---- */

/* Milliseconds of the wall clock, with nothing before 1970. */
static int64_t wall_ms(const struct sl_local *local)
{
    int64_t nanos = sl_env_wall(local->env);

    return nanos > 0 ? nanos / SL_NANOS_PER_MS : 0;
}

/* The shift with which the clock now shows `physical_ms`. */
static int64_t shift_to(const struct sl_local *local, int64_t physical_ms)
{
    return physical_ms - wall_ms(local);
}

static sl_ts clock_ts(const struct sl_local *local, int64_t shift_ms)
{
    int64_t ms = wall_ms(local) + shift_ms;

    return ms > 0 ? sl_ts_of_ms(ms) : 0;
}

static sl_ts window_after(sl_ts ts)
{
    return sl_ts_of_ms(sl_ts_physical_ms(ts) + SL_TSO_WINDOW_MS);
}

/* ---- beginnings and ends ---- */

enum sl_err tso_check_first(sl_ts first, struct sl_why *why)
{
    if (first < 0 || sl_ts_physical_ms(first) >= physical_ms_max)
        return sl_fail(why, SL_INVALID, "a first timestamp of %" PRId64 " is out of range", first);
    return SL_OK;
}

enum sl_err tso_make(const struct sl_local *local, sl_ts first, bool old, struct sl_why *why)
{
    struct tso_state    state = {.end = 1};
    struct sl_file_info info;
    char                path[SL_PATH_BYTES_MAX];
    enum sl_err         err;

    if ((err = sl_path_join(path, local->dir, "tso", why)) != SL_OK)
        return err;
    err = sl_fs_info(local->env->fs, path, &info, why);
    if (err != SL_NOT_FOUND)
        return err;
    if (old && first == 0)
        return sl_fail(why, SL_INVALID,
                       "%s is missing, so the timestamps handed out are not known; give a --tso "
                       "above every commit ts of this cluster",
                       path);
    if (first > 0) {
        state.last = first - 1;
        state.end = first;
        state.shift_ms = shift_to(local, sl_ts_physical_ms(first));
    }
    return store_end(local, &state, why);
}

enum sl_err tso_finish_drive(struct sl_local *local, struct tso_state *state, bool lost,
                             struct sl_why *why)
{
    int64_t shift_ms;

    SL_ASSERT(state->driven);
    if (state->last < state->last_commit)
        state->last = state->last_commit;
    shift_ms = shift_to(local, sl_ts_physical_ms(state->last) + 1);
    if (state->shift_ms < shift_ms)
        state->shift_ms = shift_ms;
    state->end = window_after(state->last);
    state->lost += lost ? 1 : 0;
    state->driven = false;
    state->floor = state->ceiling = state->last_commit = 0;
    return tso_store_durably(local, state, why);
}

/* Is there still somebody who drives? */
static enum sl_err check_driver(struct sl_local *local, struct tso_state *state, struct sl_why *why)
{
    struct sl_file *driver;
    enum sl_err     err = drive_lock(local, &driver, why);

    if (err == SL_IN_USE)
        return SL_OK;
    if (err != SL_OK)
        return err;
    err = tso_finish_drive(local, state, true, why);
    sl_file_close(&driver);
    return err;
}

enum sl_err tso_load(struct sl_local *local, struct tso_state *out, struct sl_why *why)
{
    struct tso_state state;
    enum sl_err      err = read_now(local, &state, why);

    if (err == SL_NOT_FOUND) {
        if ((err = read_end(local, &state, why)) != SL_OK)
            return err;
        state.last = state.end - 1;
        if (state.driven) /* its driver may live when only tso.now was damaged: it will be told */
            err = tso_finish_drive(local, &state, true, why);
        else
            state.end = 0;
    } else if (err == SL_OK && state.driven) {
        err = check_driver(local, &state, why);
    }
    if (err == SL_OK)
        *out = state;
    return err;
}

/* ---- now ---- */

static enum sl_err take_driven(struct tso_state *state, uint32_t count, sl_ts *first,
                               struct sl_why *why)
{
    sl_ts below = state->last > state->floor ? state->last : state->floor;

    if (state->ceiling - below <= (int64_t)count)
        return sl_fail(why, SL_AGAIN,
                       "the replay that drives the timestamps leaves no room between %" PRId64
                       " and %" PRId64,
                       below, state->ceiling);
    *first = below + 1;
    state->last = below + count;
    return SL_OK;
}

static enum sl_err take_from_clock(const struct sl_local *local, struct tso_state *state,
                                   uint32_t count, sl_ts *first, struct sl_why *why)
{
    sl_ts clock = clock_ts(local, state->shift_ms);
    sl_ts next = clock > state->last ? clock : state->last + 1;

    if (sl_ts_physical_ms(next) >= physical_ms_max)
        return sl_fail(why, SL_SYSTEM, "the clock or the timestamps are past the year 2500");
    *first = next;
    state->last = next + count - 1;
    return SL_OK;
}

static enum sl_err take(struct sl_local *local, uint32_t count, sl_ts *first, struct sl_why *why)
{
    struct tso_state state;
    sl_ts            taken;
    enum sl_err      err;

    if ((err = tso_load(local, &state, why)) != SL_OK)
        return err;
    if (state.driven)
        err = take_driven(&state, count, &taken, why);
    else
        err = take_from_clock(local, &state, count, &taken, why);
    if (err != SL_OK)
        return err;
    if (state.last < state.end) {
        err = tso_store(local, &state, why);
    } else {
        SL_ASSERT(!state.driven); /* invariant 3 */
        state.end = window_after(state.last);
        err = tso_store_durably(local, &state, why);
    }
    if (err == SL_OK)
        *first = taken;
    return err;
}

static enum sl_err tso_now(struct sl_tso *tso, uint32_t count, sl_ts *first, struct sl_why *why)
{
    struct sl_local *local = local_of_tso(tso);
    struct sl_file  *lock;
    enum sl_err      err;

    if ((err = local_lock(local, &lock, why)) != SL_OK)
        return err;
    err = take(local, count, first, why);
    sl_file_close(&lock);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "timestamps of %s", local->dir);
}

const struct sl_tso_ops local_tso_ops = {
    .now = tso_now,
    .drive = drive_begin,
    .drive_info = drive_info,
};
