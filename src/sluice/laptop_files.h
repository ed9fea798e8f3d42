#ifndef SL_SLUICE_LAPTOP_FILES_H
#define SL_SLUICE_LAPTOP_FILES_H

/* The settings of a laptop's pump and drainer: written as TOML, and read back as the programs would
 * read them. */

#include "actors/drainer/config.h"
#include "actors/pump/config.h"
#include "sluice/laptop.h"

/* Where things are. */
struct laptop_paths {
    char dir[SL_PATH_BYTES_MAX];
    char registry[SL_PATH_BYTES_MAX];
    char pd_urls[SL_PATH_BYTES_MAX];
    char ddl_history[SL_PATH_BYTES_MAX];
    char pump[SL_PATH_BYTES_MAX];
    char pump_toml[SL_PATH_BYTES_MAX];
    char drainer[SL_PATH_BYTES_MAX];
    char drainer_toml[SL_PATH_BYTES_MAX];
    char log[SL_PATH_BYTES_MAX];
};

/* Fill it in. SL_TOO_LARGE. */
enum sl_err laptop_paths_of(const char *dir, struct laptop_paths *out, struct sl_why *why);

/* Write DIR/pump.toml and read it; *config is given back by sl_conf_free. Blocks. */
enum sl_err laptop_pump_config(const struct sl_env *env, const struct laptop_paths *paths,
                               struct sl_pump_config *config, struct sl_why *why);
/* The same of DIR/drainer.toml. */
enum sl_err laptop_drainer_config(const struct sl_env *env, const struct laptop_paths *paths,
                                  const struct laptop_target *target,
                                  struct sl_drainer_config *config, struct sl_why *why);

#endif
