#include "sluice/laptop_files.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/json.h"

enum { FILE_BYTES_MAX = 16 * 1024 };

enum sl_err laptop_paths_of(const char *dir, struct laptop_paths *out, struct sl_why *why)
{
    static const char local[] = "local:";
    enum sl_err       err;

    if ((err = sl_path_add(out->dir, dir, "", why)) != SL_OK ||
        (err = sl_path_join(out->registry, dir, "registry", why)) != SL_OK ||
        (err = sl_path_add(out->pd_urls, local, out->registry, why)) != SL_OK ||
        (err = sl_path_join(out->ddl_history, out->registry, "ddl-history.jsonl", why)) != SL_OK ||
        (err = sl_path_join(out->pump, dir, "pump", why)) != SL_OK ||
        (err = sl_path_join(out->pump_toml, dir, "pump.toml", why)) != SL_OK ||
        (err = sl_path_join(out->drainer, dir, "drainer", why)) != SL_OK ||
        (err = sl_path_join(out->drainer_toml, dir, "drainer.toml", why)) != SL_OK)
        return err;
    return sl_path_join(out->log, dir, "sluice.log", why);
}

/* ---- writing: strings of TOML are those of JSON ---- */

static void put_string(struct sl_json_out *out, const char *key, const char *value)
{
    sl_json_put(out, key);
    sl_json_put(out, " = ");
    sl_json_put_text(out, value);
    sl_json_put(out, "\n");
}

static void put_number(struct sl_json_out *out, const char *key, int64_t value)
{
    sl_json_put(out, key);
    sl_json_put(out, " = ");
    sl_json_put_int(out, value);
    sl_json_put(out, "\n");
}

static void put_common(struct sl_json_out *out, const struct laptop_paths *paths,
                       const char *node_id, const char *data_dir)
{
    put_string(out, "pd-urls", paths->pd_urls);
    put_string(out, "node-id", node_id);
    put_string(out, "addr", "127.0.0.1:0"); /* any port: the registry tells which */
    put_string(out, "data-dir", data_dir);
}

static enum sl_err write_file(const struct sl_env *env, const char *path,
                              const struct sl_json_out *text, struct sl_why *why)
{
    if (text->full)
        return sl_fail(why, SL_TOO_LARGE, "%s would have more than %d bytes", path, FILE_BYTES_MAX);
    return sl_fs_replace(env->fs, path, text->bytes, text->used, why);
}

/* One shard and small files: what fits a laptop, and idles at little cost. */
static void put_pump(struct sl_json_out *out, const struct laptop_paths *paths)
{
    put_common(out, paths, "pump", paths->pump);
    sl_json_put(out, "[storage]\n");
    put_number(out, "shards", 1);
    put_string(out, "segment-size", "64 mib");
    put_string(out, "stop-write-at-available-space", "256 mib");
}

static void put_drainer(struct sl_json_out *out, const struct laptop_paths *paths,
                        const struct laptop_target *target)
{
    put_common(out, paths, "drainer", paths->drainer);
    put_number(out, "initial-commit-ts", 0);
    sl_json_put(out, "[syncer]\n");
    put_string(out, "db-type", target->is_stdout ? "stdout" : "mysql");
    put_string(out, "memory-budget", "64 mib");
    if (target->is_stdout)
        return;
    put_number(out, "worker-count", 8);
    sl_json_put(out, "[syncer.to]\n");
    put_string(out, "host", target->host);
    put_number(out, "port", target->port);
    put_string(out, "user", target->user);
    put_string(out, "password", target->password);
}

/* ---- reading ---- */

static enum sl_err load(const struct sl_env *env, const struct sl_conf_table *table,
                        const char *path, void *config, struct sl_conf_report *report,
                        struct sl_why *why)
{
    const char *const          argv[] = {table->program, "-config", path};
    const struct sl_conf_input input = {
        .argc = sizeof argv / sizeof *argv, .argv = argv, .fs = env->fs};

    return sl_conf_load(table, &input, config, report, why);
}

enum sl_err laptop_pump_config(const struct sl_env *env, const struct laptop_paths *paths,
                               struct sl_pump_config *config, struct sl_why *why)
{
    static struct sl_conf_report report; /* of the main thread */
    char                         bytes[FILE_BYTES_MAX];
    struct sl_json_out           out = {.bytes = bytes, .room = sizeof bytes};
    enum sl_err                  err;

    put_pump(&out, paths);
    if ((err = write_file(env, paths->pump_toml, &out, why)) != SL_OK ||
        (err = load(env, &sl_pump_config_table, paths->pump_toml, config, &report, why)) != SL_OK)
        return err;
    if ((err = sl_pump_config_check(config, &report, NULL, why)) != SL_OK)
        sl_conf_free(&sl_pump_config_table, config);
    return err;
}

enum sl_err laptop_drainer_config(const struct sl_env *env, const struct laptop_paths *paths,
                                  const struct laptop_target *target,
                                  struct sl_drainer_config *config, struct sl_why *why)
{
    static struct sl_conf_report         report; /* of the main thread */
    const struct sl_drainer_surroundings around = {0};
    char                                 bytes[FILE_BYTES_MAX];
    struct sl_json_out                   out = {.bytes = bytes, .room = sizeof bytes};
    enum sl_err                          err;

    put_drainer(&out, paths, target);
    if ((err = write_file(env, paths->drainer_toml, &out, why)) != SL_OK ||
        (err = load(env, &sl_drainer_config_table, paths->drainer_toml, config, &report, why)) !=
            SL_OK)
        return err;
    if ((err = sl_drainer_config_check(config, &report, &around, why)) != SL_OK)
        sl_conf_free(&sl_drainer_config_table, config);
    return err;
}
