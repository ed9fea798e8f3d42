#include "net/mysql_errors.h"

#include <string.h>

enum { LOST = true, KEPT = false, DONE = true, OPEN = false };

#define RETRY SL_MYSQL_RETRY
#define STOP SL_MYSQL_STOP
#define REFUSED SL_MYSQL_REFUSED

/* Sorted by number. Below 2000 and from 3000 on: the server's; 2000 to 2999 and 5000 to 5999: the
 * library's; from 8000 on: TiDB's own. */
static const struct sl_mysql_meaning meanings[] = {
    {1007, STOP, KEPT, DONE, "the database exists already"},
    {1008, STOP, KEPT, DONE, "the database to drop does not exist"},
    {1020, RETRY, KEPT, OPEN, "the row changed since it was read"},
    {1021, RETRY, KEPT, OPEN, "the server's disk is full"},
    {1037, RETRY, KEPT, OPEN, "the server is out of memory"},
    {1040, RETRY, KEPT, OPEN, "the server has too many connections"},
    {1041, RETRY, KEPT, OPEN, "the server is out of memory"},
    {1042, RETRY, KEPT, OPEN, "the server cannot look up this client's address"},
    {1043, RETRY, LOST, OPEN, "the handshake failed"},
    {1044, REFUSED, KEPT, OPEN, "grant the account its privileges on the database"},
    {1045, REFUSED, KEPT, OPEN, "wrong user or password"},
    {1046, STOP, KEPT, OPEN, "no database is selected"},
    {1047, RETRY, KEPT, OPEN, "the server or its cluster takes no commands now"},
    {1048, STOP, KEPT, OPEN, "a column is NOT NULL downstream only"},
    {1049, STOP, KEPT, DONE, "the database does not exist downstream"},
    {1050, STOP, KEPT, DONE, "the table exists already"},
    {1051, STOP, KEPT, DONE, "the table to drop does not exist"},
    {1053, RETRY, LOST, OPEN, "the server shuts down"},
    {1054, STOP, KEPT, DONE, "the column does not exist downstream"},
    {1060, STOP, KEPT, DONE, "the column exists already"},
    {1061, STOP, KEPT, DONE, "the key exists already"},
    {1062, STOP, KEPT, OPEN, "a row with that key exists downstream"},
    {1064, STOP, KEPT, OPEN, "the server does not know this syntax"},
    {1071, STOP, KEPT, OPEN, "the key is too long for the downstream"},
    {1079, RETRY, LOST, OPEN, "the server shuts down"},
    {1091, STOP, KEPT, DONE, "the column or key to drop does not exist"},
    {1114, RETRY, KEPT, OPEN, "the table or its tablespace is full"},
    {1129, REFUSED, KEPT, OPEN, "the server blocks this host; run FLUSH HOSTS there"},
    {1130, REFUSED, KEPT, OPEN, "the account may not connect from this host"},
    {1132, REFUSED, KEPT, OPEN, "the account may not do this"},
    {1136, STOP, KEPT, OPEN, "the statement has another number of values than of columns"},
    {1142, REFUSED, KEPT, OPEN, "grant the account its privileges on the table"},
    {1143, REFUSED, KEPT, OPEN, "grant the account its privileges on the column"},
    {1146, STOP, KEPT, DONE, "the table does not exist downstream"},
    {1152, RETRY, LOST, OPEN, "the connection was aborted"},
    {1153, STOP, KEPT, OPEN, "raise max_allowed_packet of the downstream"},
    {1156, RETRY, LOST, OPEN, "packets came out of order"},
    {1158, RETRY, LOST, OPEN, "the server could not read"},
    {1159, RETRY, LOST, OPEN, "the server waited too long for this client"},
    {1160, RETRY, LOST, OPEN, "the server could not write"},
    {1161, RETRY, LOST, OPEN, "the server waited too long for this client"},
    {1176, STOP, KEPT, DONE, "the key does not exist"},
    {1184, RETRY, LOST, OPEN, "the connection was aborted"},
    {1193, STOP, KEPT, OPEN, "the server has no such variable"},
    {1203, RETRY, KEPT, OPEN, "the account has too many connections"},
    {1205, RETRY, KEPT, OPEN, "another session holds a lock on the row"},
    {1206, RETRY, KEPT, OPEN, "the server has too many locks"},
    {1213, RETRY, KEPT, OPEN, "a deadlock: this transaction was chosen to yield"},
    {1226, RETRY, KEPT, OPEN, "the account is over its limit of connections or queries"},
    {1227, REFUSED, KEPT, OPEN, "the account lacks a privilege"},
    {1229, STOP, KEPT, OPEN, "the variable is one of the whole server, not of a session"},
    {1231, STOP, KEPT, OPEN, "the variable cannot have that value"},
    {1232, STOP, KEPT, OPEN, "the variable has another type"},
    {1238, STOP, KEPT, OPEN, "the variable cannot be set, or not so"},
    {1251, REFUSED, KEPT, OPEN, "the server asks for a password method that is not supported"},
    {1264, STOP, KEPT, OPEN, "a value is out of the column's range: sql_mode or type differ"},
    {1265, STOP, KEPT, OPEN, "a value does not fit the column: sql_mode or type differ"},
    {1290, RETRY, KEPT, OPEN, "the server is read-only"},
    {1292, STOP, KEPT, OPEN, "the column does not take this value: sql_mode or type differ"},
    {1298, STOP, KEPT, OPEN, "the server does not know the time zone; load its time zone tables"},
    {1317, RETRY, KEPT, OPEN, "the statement was interrupted"},
    {1364, STOP, KEPT, OPEN, "a column has no default downstream"},
    {1366, STOP, KEPT, OPEN, "the column does not take this value: type or character set differ"},
    {1406, STOP, KEPT, OPEN, "the value is too long for the column"},
    {1451, STOP, KEPT, OPEN, "a foreign key downstream forbids it"},
    {1452, STOP, KEPT, OPEN, "a foreign key downstream forbids it"},
    {1613, RETRY, KEPT, OPEN, "the transaction took too long"},
    {1614, RETRY, KEPT, OPEN, "a deadlock: this transaction was chosen to yield"},
    {1689, RETRY, KEPT, OPEN, "the wait for a lock was given up"},
    {1698, REFUSED, KEPT, OPEN, "the account cannot log in with a password"},
    {1792, RETRY, KEPT, OPEN, "the transaction is read-only"},
    {1820, REFUSED, KEPT, OPEN, "the account must change its password first"},
    {1831, STOP, KEPT, DONE, "the key exists already under another name"},
    {1836, RETRY, KEPT, OPEN, "the server is read-only"},
    {1862, REFUSED, KEPT, OPEN, "the password has expired"},
    {1901, STOP, KEPT, OPEN, "the server takes no such expression in a column"},
    {1911, STOP, KEPT, OPEN, "the server does not know this option"},
    {1927, RETRY, LOST, OPEN, "the connection was killed"},
    {1969, RETRY, KEPT, OPEN, "the statement took longer than max_statement_time"},
    {2000, RETRY, LOST, OPEN, "the client library failed"},
    {2001, RETRY, LOST, OPEN, "no socket could be made"},
    {2002, RETRY, LOST, OPEN, "nobody listens there, or not in time"},
    {2003, RETRY, LOST, OPEN, "nobody listens there, or not in time"},
    {2004, RETRY, LOST, OPEN, "no socket could be made"},
    {2005, RETRY, LOST, OPEN, "the host name is not known"},
    {2006, RETRY, LOST, OPEN, "the connection is lost"},
    {2007, STOP, LOST, OPEN, "the server speaks another protocol"},
    {2008, RETRY, LOST, OPEN, "out of memory"},
    {2012, RETRY, LOST, OPEN, "the handshake failed"},
    {2013, RETRY, LOST, OPEN, "the connection is lost, or no answer came in time"},
    {2014, RETRY, LOST, OPEN, "the client library lost its place"},
    {2019, STOP, LOST, OPEN, "the character set is not known"},
    {2020, STOP, LOST, OPEN, "raise max_allowed_packet of the downstream"},
    {2026, RETRY, LOST, OPEN, "TLS failed"},
    {2027, RETRY, LOST, OPEN, "the server's answer is damaged"},
    {2059, REFUSED, LOST, OPEN,
     "the account's password method is not supported; use mysql_native_password or "
     "caching_sha2_password"},
    {2061, REFUSED, LOST, OPEN, "the log-in failed"},
    {3024, RETRY, KEPT, OPEN, "the statement took longer than max_execution_time"},
    {3058, RETRY, KEPT, OPEN, "a deadlock between user locks"},
    {3118, REFUSED, KEPT, OPEN, "the account is locked"},
    {3159, REFUSED, KEPT, OPEN, "the server wants TLS"},
    {3572, RETRY, KEPT, OPEN, "another session holds a lock on the row"},
    {4031, RETRY, LOST, OPEN, "the server waited too long for this client"},
    {4151, REFUSED, KEPT, OPEN, "the account is locked"},
    {4161, STOP, KEPT, OPEN, "the server has no such type of column"},
    {4166, STOP, KEPT, OPEN, "LOCAL INFILE is off"},
    {5010, REFUSED, LOST, OPEN,
     "the account's password method is not supported; use mysql_native_password or "
     "caching_sha2_password"},
    {5012, RETRY, LOST, OPEN, "the client library failed"},
    {5013, RETRY, LOST, OPEN, "the connection is lost"},
    {5014, RETRY, LOST, OPEN, "the connection is lost"},
    {8001, RETRY, KEPT, OPEN, "TiDB is out of memory"},
    {8002, RETRY, KEPT, OPEN, "TiDB could not lock the row"},
    {8004, STOP, KEPT, OPEN, "the transaction is too large for TiDB: lower txn-batch"},
    {8005, RETRY, KEPT, OPEN, "a write conflict"},
    {8022, RETRY, KEPT, OPEN, "the commit failed and is to be tried again"},
    {8025, STOP, KEPT, OPEN, "the row is too large for TiDB: raise txn-entry-size-limit"},
    {8027, RETRY, KEPT, OPEN, "TiDB's schema is out of date"},
    {8028, RETRY, KEPT, OPEN, "TiDB's schema changed meanwhile"},
    {8175, RETRY, KEPT, OPEN, "TiDB is out of memory"},
    {8229, RETRY, KEPT, OPEN, "the transaction was taken back by TiDB"},
    {9001, RETRY, KEPT, OPEN, "PD does not answer TiDB"},
    {9002, RETRY, KEPT, OPEN, "TiKV does not answer TiDB"},
    {9003, RETRY, KEPT, OPEN, "TiKV is busy"},
    {9004, RETRY, KEPT, OPEN, "TiDB could not resolve a lock in time"},
    {9005, RETRY, KEPT, OPEN, "a region is unavailable"},
    {9006, RETRY, KEPT, OPEN, "the transaction is older than TiDB's garbage collection"},
    {9007, RETRY, KEPT, OPEN, "a write conflict"},
    {9011, RETRY, KEPT, OPEN, "TiKV is out of space"},
};

/* The first two characters of an SQLSTATE, for numbers that the table lacks. */
static const struct {
    char state[3];
    enum sl_mysql_class class;
} states[] = {
    {"08", RETRY}, {"22", STOP}, {"23", STOP}, {"28", REFUSED},
    {"40", RETRY}, {"42", STOP}, {"0A", STOP}, {"21", STOP},
};

size_t sl_mysql_meaning_count(void)
{
    return sizeof meanings / sizeof meanings[0];
}

const struct sl_mysql_meaning *sl_mysql_meaning(uint32_t number)
{
    size_t low = 0;
    size_t high = sl_mysql_meaning_count();

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (meanings[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == sl_mysql_meaning_count() || meanings[low].number != number)
        return NULL;
    return &meanings[low];
}

enum sl_mysql_class sl_mysql_class_of(uint32_t number, const char *sqlstate)
{
    const struct sl_mysql_meaning *meaning = sl_mysql_meaning(number);

    if (meaning != NULL)
        return meaning->class;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strncmp(states[i].state, sqlstate, 2) == 0)
            return states[i].class;
    return SL_MYSQL_RETRY;
}

bool sl_mysql_ddl_is_done(uint32_t number)
{
    const struct sl_mysql_meaning *meaning = sl_mysql_meaning(number);

    return meaning != NULL && meaning->ddl_is_done;
}

enum sl_err sl_mysql_err(const struct sl_mysql_error *error)
{
    if (error->number == 0)
        return SL_OK;
    switch (error->class) {
    case SL_MYSQL_RETRY: return error->is_lost ? SL_RESET : SL_UNAVAILABLE;
    case SL_MYSQL_STOP: return SL_INVALID;
    case SL_MYSQL_REFUSED: return SL_DENIED;
    }
    return SL_INVALID;
}

const char *sl_mysql_class_name(enum sl_mysql_class class)
{
    switch (class) {
    case SL_MYSQL_RETRY: return "retry";
    case SL_MYSQL_STOP: return "stop";
    case SL_MYSQL_REFUSED: return "refused";
    }
    return "?";
}
