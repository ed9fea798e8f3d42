#ifndef SL_NET_MYSQL_AUTH_H
#define SL_NET_MYSQL_AUTH_H

/* The password method that MySQL 8 gives its accounts, caching_sha2_password. Debian's libmariadb
 * has it only as a plug-in in a file of its own, which a program on another machine would not find.
 */

#include <stdbool.h>

/* Make the method known to the library. Once, after the library was started; false: it cannot be.
 */
bool mysql_auth_register(void);

#endif
