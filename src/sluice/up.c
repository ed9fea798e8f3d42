/* sluice up DIR: a cluster in one process, kept running on a directory. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/env_os_process.h"
#include "sluice/cli.h"
#include "sluice/laptop.h"
#include "sluice/laptop_status.h"
#include "sluice/private_mariadb.h"
#include "sluice/terminal.h"
#include "sluice/where.h"

struct up_config {
    char   *host;
    int64_t port;
    char   *user;
    char   *password;
};

static const struct sl_conf_row rows[] = {
    {.flag = "to-host",
     SL_CONF_AT(STRING, struct up_config, host),
     .help = "the downstream, a MySQL, MariaDB or TiDB; not given: a private MariaDB, whose data "
             "is in DIR/mariadb"},
    {.flag = "to-port",
     SL_CONF_AT(INT, struct up_config, port),
     .def = "3306",
     .min = 1,
     .max = UINT16_MAX,
     .help = "its port"},
    {.flag = "to-user",
     SL_CONF_AT(STRING, struct up_config, user),
     .def = "root",
     .help = "its user"},
    {.flag = "to-password",
     SL_CONF_AT(STRING, struct up_config, password),
     .flags = SL_CONF_SECRET,
     .help = "and the password"},
};

static const struct sl_conf_table table = {
    .program = "sluice up",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .struct_bytes = sizeof(struct up_config),
};

/* All that one run holds. */
struct up {
    const struct sl_env    *env;
    struct terminal         terminal;
    struct laptop          *laptop;
    struct private_mariadb *mariadb; /* NULL: the downstream is another's */
    struct laptop_target    target;
};

static enum sl_err start(struct up *up, const char *dir, const struct up_config *config,
                         struct sl_why *why)
{
    char        mariadb[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if ((err = laptop_open(up->env, dir, 0, 0, &up->laptop, why)) != SL_OK)
        return err;
    up->target = (struct laptop_target){.host = config->host,
                                        .port = (uint16_t)config->port,
                                        .user = config->user,
                                        .password = config->password};
    if (config->host[0] == '\0') {
        if ((err = sl_path_join(mariadb, dir, "mariadb", why)) != SL_OK ||
            (err = private_mariadb_start(up->env, mariadb, true, &up->mariadb, why)) != SL_OK)
            return err;
        up->target = where_target(up->mariadb);
    }
    return laptop_start(up->laptop, &up->target, why);
}

static void say_where(struct up *up)
{
    where_say(&up->terminal, up->laptop, up->mariadb, &up->target);
    terminal_say(&up->terminal, "try it from another terminal:");
    terminal_say(&up->terminal,
                 "  sluice load --mix shop --rate 100 --pumps %s --pd-urls %s --ddl-history %s",
                 laptop_pump_address(up->laptop), laptop_pd_urls(up->laptop),
                 laptop_ddl_history(up->laptop));
    terminal_say(&up->terminal, "  binlogctl status --pd-urls %s", laptop_pd_urls(up->laptop));
    where_say_sql(&up->terminal, up->mariadb);
    terminal_say(&up->terminal, "up        Ctrl-C ends it, the same command goes on");
}

/* A server that has ended by itself is started again: the drainer waits for it meanwhile. */
static enum sl_err look_after_mariadb(struct up *up, struct sl_why *why)
{
    if (up->mariadb == NULL || private_mariadb_check(up->mariadb, why) == SL_OK)
        return SL_OK;
    terminal_say(&up->terminal, "MariaDB   starts again: %s", why->text);
    return private_mariadb_revive(up->mariadb, why);
}

static enum sl_err serve(struct up *up, struct sl_why *why)
{
    enum { LOOK_MS = 1000 };
    struct laptop_status status = laptop_status_of(up->env, up->laptop);
    char                 text[LAPTOP_STATUS_BYTES_MAX];
    enum sl_err          err = SL_OK;

    while (err == SL_OK && !cli_is_stopped()) {
        laptop_status_text(&status, text, sizeof text);
        terminal_status(&up->terminal, "%s", text);
        cli_pause(up->env, LOOK_MS);
        if ((err = laptop_check(up->laptop, why)) == SL_OK)
            err = look_after_mariadb(up, why);
    }
    return err;
}

static enum sl_err run_up(struct up *up, const char *dir, const struct up_config *config,
                          struct sl_why *why)
{
    char        absolute[SL_PATH_BYTES_MAX];
    enum sl_err err;

    if ((err = sl_fs_mkdir_all(up->env->fs, dir, why)) != SL_OK ||
        (err = sl_folder_absolute(dir, absolute, why)) != SL_OK)
        return err;
    err = start(up, absolute, config, why);
    if (err == SL_OK) {
        say_where(up);
        err = serve(up, why);
    }
    return err == SL_STOPPED ? SL_OK : err; /* by Ctrl-C while it started */
}

static enum sl_exit run(const struct sl_env *env, int argc, const char *const *argv)
{
    enum { STATUS_MS = 10 * 1000 };
    struct up        up = {.env = env};
    struct up_config config;
    struct sl_why    why = {0};
    const char      *dir;
    enum sl_exit     code;
    enum sl_err      err;
    enum sl_err      stop_err;

    if (!cli_read(&sl_verb_up, &table, argc, argv, &dir, &config, &code))
        return code;
    cli_catch_signals();
    up.terminal = terminal_on(env, stdout);
    up.terminal.plain_ms = STATUS_MS;
    err = run_up(&up, dir, &config, &why);
    stop_err = laptop_stop(&up.laptop, err == SL_OK ? &why : NULL);
    private_mariadb_stop(&up.mariadb);
    sl_conf_free(&table, &config);
    err = err != SL_OK ? err : stop_err;
    if (err != SL_OK)
        return cli_fail(&sl_verb_up, err, &why);
    terminal_say(&up.terminal, "down");
    return SL_EXIT_OK;
}

const struct sl_verb sl_verb_up = {
    .name = "up",
    .operand = "DIR",
    .summary = "a whole cluster in one process, kept running on a directory",
    .text =
        "Runs a registry, a pump and a drainer in this process, with all their data in DIR, and\n"
        "writes to a private MariaDB there, or to the downstream given. It may be killed at any\n"
        "moment, power included: the same command goes on where it was. pump.toml and\n"
        "drainer.toml in DIR are written anew at each start; the programs pump and drainer run\n"
        "with them, too.",
    .run = run,
};
