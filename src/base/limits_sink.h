#ifndef SL_BASE_LIMITS_SINK_H
#define SL_BASE_LIMITS_SINK_H

/* The bounds of what leads to a downstream; a part of base/limits.h, which includes it. */

#include <assert.h>

/* Downstream: the MySQL protocol */
enum {
    SL_MYSQL_TEXT_BYTES_MAX = 384,     /* of a server's error text, terminator included */
    SL_MYSQL_VARIABLES_MAX = 64,       /* session variables of a connection */
    SL_DRAINER_PARAMS_MAX = 48,        /* of them in syncer.to.params */
    SL_MYSQL_VARIABLE_BYTES_MAX = 256, /* name or value of one, terminator included */
    SL_MYSQL_MODE_BYTES_MAX = 1024,    /* an sql_mode, likewise */
    SL_MYSQL_ZONE_BYTES_MAX = 64,      /* name of a time zone, likewise */
    SL_MYSQL_VERSION_BYTES_MAX = 128,  /* what a server says of itself, likewise */
    SL_MYSQL_HOST_BYTES_MAX = 256,
    SL_MYSQL_PASSWORD_BYTES_MAX = 256,      /* terminator included; MySQL's own limit */
    SL_MYSQL_CELLS_MAX = 4096,              /* columns of one result */
    SL_MYSQL_CELLS_INLINE = 32,             /* so few need no memory of their own */
    SL_MYSQL_TIMEOUT_MS_MAX = 86400 * 1000, /* of one read or write */
    SL_MYSQL_PACKET_BYTES_MIN = 1 << 14,    /* max_allowed_packet of a usable server */
    SL_MYSQL_PACKET_BYTES_MAX = 0x3f800000, /* used of it, whatever the server allows */
    /* A peer without a sign of life is given up after IDLE + COUNT * INTERVAL seconds. */
    SL_MYSQL_KEEPALIVE_IDLE_S = 15,
    SL_MYSQL_KEEPALIVE_INTERVAL_S = 5,
    SL_MYSQL_KEEPALIVE_COUNT = 3,
};

/* Downstream: tables as a sink has them */
enum {
    SL_SINK_COLUMNS_MAX = 4096,   /* of one table: what MySQL allows */
    SL_SINK_KEYS_MAX = 1024,      /* unique ones, of one table */
    SL_SINK_KEY_PARTS_MAX = 64,   /* of one key */
    SL_SINK_NAME_BYTES_MAX = 512, /* a schema, table, column or key: 64 characters and to spare */
};

/* Downstream: the drainer's own tables */
enum {
    SL_SQL_PLAIN_NAME_BYTES_MAX = 256, /* as configured: 64 characters of at most four bytes */
    SL_SQL_NAME_BYTES_MAX = 1100,      /* two quoted names of 256 bytes with their point */
    SL_SQL_SHORT_BYTES_MAX = 8192,     /* a statement about them */
    SL_SINK_BATCH_BYTES = 1 << 16,     /* statements that are sent without waiting between them */
    SL_SINK_BATCH_STATEMENTS = 256,
    SL_SINK_LOCK_S = 10, /* another drainer's session may take to end */
    SL_SINK_CONNECT_S = 10,
    SL_SINK_READ_S = 60,       /* answers of a server that keeps a checkpoint only */
    SL_SINK_START_SLACK_S = 3, /* two looks at when a server was started may differ by */
};

/* Downstream: statements */
enum {
    SL_STATEMENT_ROWS_MAX = 1 << 14,   /* changes in one, */
    SL_STATEMENT_JOIN_BYTES = 1 << 20, /* together; one alone may be as long as the server takes */
    SL_SQL_BYTES_MAX = 0x7fff0000,     /* of a buffer that SQL grows in: a packet and its escapes */
};
static_assert((long)SL_MYSQL_PACKET_BYTES_MAX * 2 +
                      (long)SL_SINK_COLUMNS_MAX * 4 * SL_SINK_NAME_BYTES_MAX <=
                  (long)SL_SQL_BYTES_MAX,
              "a row of a whole packet fits with every byte escaped and every column named twice");

#endif
