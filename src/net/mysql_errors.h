#ifndef SL_NET_MYSQL_ERRORS_H
#define SL_NET_MYSQL_ERRORS_H

/* What an error of a MySQL, MariaDB or TiDB server means for whoever applies changes to it: one
 * table. The original retried everything a hundred times; here what cannot pass by itself stops at
 * once and says so (codec spec 5.7, drainer spec 7). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

/* What to do about an error of the server. */
enum sl_mysql_class {
    SL_MYSQL_RETRY,   /* roll back, wait, apply the same again */
    SL_MYSQL_STOP,    /* the same again fails the same way: a human or a rule must decide */
    SL_MYSQL_REFUSED, /* the account may not: nothing else will work either */
};

/* An error of the server, or of the library while it talked to it. */
struct sl_mysql_error {
    uint32_t number;      /* 0: no error */
    uint32_t statement;   /* of several in one text, the one that failed, from 0 */
    char     sqlstate[6]; /* five characters, terminated */
    enum sl_mysql_class class;
    bool is_lost;                       /* the connection is of no use any more: close it */
    char text[SL_MYSQL_TEXT_BYTES_MAX]; /* the server's own */
};

/* One row of the table. */
struct sl_mysql_meaning {
    uint32_t number;
    enum sl_mysql_class class;
    bool        is_lost;
    bool        ddl_is_done; /* a DDL that fails with it has had its effect before */
    const char *text;        /* cause or remedy, for a human */
};

/* What the table says of that number; NULL when it says nothing. */
const struct sl_mysql_meaning *sl_mysql_meaning(uint32_t number);
/* How many numbers the table knows. */
size_t sl_mysql_meaning_count(void);

/* The class of an error: by number, else by the class of its SQLSTATE, else RETRY, since retries
 * are bounded and an unknown error may well pass. */
enum sl_mysql_class sl_mysql_class_of(uint32_t number, const char *sqlstate);

/* Does the number say that the effect of a DDL statement is there already: the object exists, or
 * what was to go is gone (codec spec 5.7)? */
bool sl_mysql_ddl_is_done(uint32_t number);

/* The code that a caller gets for it: SL_RESET when the connection is lost, SL_UNAVAILABLE for
 * RETRY, SL_INVALID for STOP, SL_DENIED for REFUSED. */
enum sl_err sl_mysql_err(const struct sl_mysql_error *error);

/* "retry", "stop", "refused". */
const char *sl_mysql_class_name(enum sl_mysql_class class);

#endif
