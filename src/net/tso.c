#include "net/tso.h"

#include <stddef.h>

#include "base/assert.h"

enum sl_err sl_tso_now(struct sl_tso *tso, uint32_t count, sl_ts *first, struct sl_why *why)
{
    SL_ASSERT(tso != NULL && first != NULL);
    SL_ASSERT(count > 0 && count <= SL_TSO_COUNT_MAX);
    return tso->ops->now(tso, count, first, why);
}

enum sl_err sl_tso_drive_begin(struct sl_tso *tso, sl_ts first_commit, sl_ts last_commit,
                               struct sl_tso_drive **out, struct sl_why *why)
{
    SL_ASSERT(tso != NULL && out != NULL);
    if (tso->ops->drive == NULL)
        return sl_fail(why, SL_UNSUPPORTED, "the timestamps of a live cluster cannot be driven");
    return tso->ops->drive(tso, first_commit, last_commit, out, why);
}

enum sl_err sl_tso_drive_move(struct sl_tso_drive *drive, sl_ts floor, sl_ts ceiling,
                              struct sl_why *why)
{
    SL_ASSERT(drive != NULL);
    return drive->ops->move(drive, floor, ceiling, why);
}

enum sl_err sl_tso_drive_end(struct sl_tso_drive **drive, struct sl_why *why)
{
    enum sl_err err;

    SL_ASSERT(drive != NULL && *drive != NULL);
    err = (*drive)->ops->end(*drive, why);
    sl_tso_drive_free(drive);
    return err;
}

void sl_tso_drive_free(struct sl_tso_drive **drive)
{
    SL_ASSERT(drive != NULL);
    if (*drive != NULL)
        (*drive)->ops->free(*drive);
    *drive = NULL;
}

enum sl_err sl_tso_drive_info(struct sl_tso *tso, struct sl_tso_drive_info *out, struct sl_why *why)
{
    SL_ASSERT(tso != NULL && out != NULL);
    if (tso->ops->drive_info == NULL)
        return sl_fail(why, SL_UNSUPPORTED, "the timestamps of a live cluster cannot be driven");
    return tso->ops->drive_info(tso, out, why);
}
