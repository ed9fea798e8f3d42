#ifndef SL_TESTS_TOOLS_SQLDOOR_WRITE_H
#define SL_TESTS_TOOLS_SQLDOOR_WRITE_H

/* Changes in words, written downstream with the statement maker (binlog/statement.h):
 *
 *     OP SCHEMA NAME COLUMNS ROW ROW ...
 *
 * OP is insert, replace, update or delete, with "-partial" behind it for sync-mode 2. COLUMNS is
 * NAME:KIND,... with KIND t (text), b (binary), j (JSON), s (timestamp) or v (any other value). ROW
 * is VALUE,... or, with an old image, VALUE,.../VALUE,... A VALUE is - (absent), N (NULL), iNUMBER,
 * uNUMBER, dNUMBER (double) or xHEX. */

#include <stdint.h>

#include "base/err.h"
#include "net/mysql.h"

/* Write them; how many statements and changes that took. Cuts up the line. */
enum sl_err sqldoor_write(struct sl_mysql *mysql, char *line, uint32_t *statements, uint32_t *rows,
                          struct sl_why *why);

#endif
