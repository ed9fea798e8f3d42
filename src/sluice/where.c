#include "sluice/where.h"

#include <inttypes.h>

struct laptop_target where_target(const struct private_mariadb *mariadb)
{
    struct laptop_target         target = {.is_stdout = mariadb == NULL, .host = "127.0.0.1"};
    struct private_mariadb_place place;

    if (mariadb == NULL)
        return target;
    place = private_mariadb_place(mariadb);
    target.port = place.port;
    target.user = place.user;
    target.password = place.password;
    return target;
}

void where_say(struct terminal *terminal, const struct laptop *laptop,
               const struct private_mariadb *mariadb, const struct laptop_target *target)
{
    terminal_say(terminal, "registry  %s, cluster %" PRIu64, laptop_pd_urls(laptop),
                 laptop_cluster_id(laptop));
    terminal_say(terminal, "pump      %s", laptop_pump_address(laptop));
    if (target->is_stdout)
        terminal_say(terminal, "drainer   %s, writes to standard output",
                     laptop_drainer_address(laptop));
    else
        terminal_say(terminal, "drainer   %s, writes to %s %s:%u", laptop_drainer_address(laptop),
                     mariadb != NULL ? "MariaDB" : "the server at", target->host, target->port);
    if (mariadb != NULL)
        terminal_say(terminal, "MariaDB   process %d, socket %s",
                     private_mariadb_place(mariadb).pid, private_mariadb_place(mariadb).socket);
    terminal_say(terminal, "log       %s", laptop_log(laptop));
}

void where_say_sql(struct terminal *terminal, const struct private_mariadb *mariadb)
{
    if (mariadb == NULL)
        return;
    terminal_say(terminal, "look at it from another terminal:");
    terminal_say(terminal, "  mariadb --no-defaults -uroot -S %s",
                 private_mariadb_place(mariadb).socket);
    terminal_say(terminal, "    select * from tidb_binlog.checkpoint;");
    terminal_say(terminal, "    select state, count(*) from shop.orders group by state;");
}
