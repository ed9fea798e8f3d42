/* -cmd generate_meta. */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/legacy.h"
#include "ctl/savepoint.h"

static const struct ctl_place place_zone = {"meta.go", 92};
static const struct ctl_place place_saved = {"meta.go", 111};

enum { TEXT_BYTES = 40 };

enum sl_err ctl_generate_meta(const struct ctl_command_run *run, struct sl_why *why)
{
    const struct ctl_legacy *flags = run->flags;
    const char              *dir = flags->data_dir;
    struct sl_why            zone_why = {0};
    char                     text[TEXT_BYTES];
    enum sl_err              zone_err;
    enum sl_err              err;
    sl_ts                    ts;

    if ((err = sl_tso_now(sl_cluster_tso(run->cluster), 1, &ts, why)) != SL_OK)
        return err;
    if (flags->data_dir[0] == '\0')
        dir = CTL_META_DIR;
    err = ctl_savepoint_write(run->env, dir, ts, flags->time_zone, &zone_err, &zone_why, why);
    if (err != SL_OK)
        return err;
    if (zone_err != SL_OK)
        ctl_say(place_zone, SL_LOG_WARN, "fail to load location",
                (const struct sl_field[]){sl_field_str("time zone", flags->time_zone),
                                          sl_field_err(zone_err, &zone_why), sl_field_end()});
    (void)snprintf(text, sizeof text, "commitTS: %" PRId64, ts);
    ctl_say(place_saved, SL_LOG_INFO, "save meta",
            (const struct sl_field[]){sl_field_str("meta", text), sl_field_end()});
    return SL_OK;
}
