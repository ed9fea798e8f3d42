#ifndef SL_SLUICE_PRIVATE_MARIADB_H
#define SL_SLUICE_PRIVATE_MARIADB_H

/* A MariaDB server of our own, as a downstream: its data in a folder, which is made on the first
 * start, reachable through a socket in that folder (as root, without a password: the folder is the
 * owner's alone) and through a port of 127.0.0.1 (as `sluice`, with a password that is new at each
 * start). Its settings are those of the recordings' downstream, because a stricter server, or
 * another default collation, changes what TiDB's statements mean. It dies with this process. */

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"

struct private_mariadb;

/* How to reach it. Strings live as long as the server's object. */
struct private_mariadb_place {
    const char *socket;
    const char *user; /* at the port */
    const char *password;
    uint16_t    port;
    int         pid;
};

/* Start the server with its data in DIR/data, and wait until it serves. `durable`: a commit
 * survives a power cut, not only the end of the server. SL_NOT_FOUND: there is no MariaDB here,
 * the reason says how to get it; SL_UNAVAILABLE: it does not start, the reason has what it said
 * last. SL_STOPPED: cli_is_stopped. Blocks for seconds. */
enum sl_err private_mariadb_start(const struct sl_env *env, const char *dir, bool durable,
                                  struct private_mariadb **out, struct sl_why *why);
/* End it in an orderly way and free the object; nulls the pointer. *server may be NULL. */
void private_mariadb_stop(struct private_mariadb **server);

struct private_mariadb_place private_mariadb_place(const struct private_mariadb *server);

/* Start it again, at the same place, after it has ended; does not wait until it serves. */
enum sl_err private_mariadb_revive(struct private_mariadb *server, struct sl_why *why);

/* SL_UNAVAILABLE when it has ended by itself; the reason has what it said last. */
enum sl_err private_mariadb_check(struct private_mariadb *server, struct sl_why *why);

#endif
