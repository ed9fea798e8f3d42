#ifndef SL_SLUICE_WHERE_H
#define SL_SLUICE_WHERE_H

/* What runs where, and what to try with it, told to whoever started a laptop's cluster. */

#include "sluice/laptop.h"
#include "sluice/private_mariadb.h"
#include "sluice/terminal.h"

/* The downstream that a private server is; borrows from it. NULL: standard output. */
struct laptop_target where_target(const struct private_mariadb *mariadb);

/* mariadb NULL: `target` says where the drainer writes. */
void where_say(struct terminal *terminal, const struct laptop *laptop,
               const struct private_mariadb *mariadb, const struct laptop_target *target);
/* The SQL to look with; nothing without a private server. */
void where_say_sql(struct terminal *terminal, const struct private_mariadb *mariadb);

#endif
