#ifndef SL_NET_MYSQL_PRIVATE_H
#define SL_NET_MYSQL_PRIVATE_H

/* The seam between connecting (mysql.c, which alone knows libmariadb) and setting a session up
 * (mysql_session.c, which sends statements). */

#include "net/mysql.h"

/* Is everything in the options fit to be sent? SL_CONFIG says what is not. */
enum sl_err mysql_session_check(const struct sl_mysql_options *options, struct sl_why *why);

/* Send what sets the session of a new connection up, and learn what it is like. */
enum sl_err mysql_session_set_up(struct sl_mysql *mysql, const struct sl_mysql_options *options,
                                 struct sl_mysql_session *session, struct sl_why *why);

#endif
