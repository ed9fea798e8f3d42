#ifndef SL_ACTORS_DRAINER_SINK_MYSQL_PRIVATE_H
#define SL_ACTORS_DRAINER_SINK_MYSQL_PRIVATE_H

/* What the files of sink_mysql.h share. */

#include <pthread.h>

#include "actors/drainer/config.h"
#include "actors/drainer/sink_mysql.h"
#include "binlog/sql_text.h"

/* Of words that stand in statements between quotes as they are. */
#define SINK_WORD_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* How far a lane was when this run began. */
struct sink_lane {
    sl_ts    ts;
    uint64_t ordinal;
};

/* The sink. What is said to be the checkpointer's is used by its thread alone while actors run; the
 * rest does not change then. */
struct sink_mysql {
    struct sl_sink                  sink;
    const struct sl_drainer_config *config;
    uint64_t                        cluster_id;
    uint32_t                        workers;
    struct sl_mysql_options         options; /* of connections that apply rows */
    struct sl_mysql_options         checkpoint_options;
    struct sl_mysql_variable        variables[SL_MYSQL_VARIABLES_MAX];
    enum sl_mysql_kind              kind;
    char                            zone[SL_MYSQL_ZONE_BYTES_MAX];
    char                            schema[SL_SQL_NAME_BYTES_MAX];
    char                            progress[SL_SQL_NAME_BYTES_MAX]; /* quoted names */
    char                            checkpoint[SL_SQL_NAME_BYTES_MAX];
    uint64_t                        epoch;
    struct sink_lane                lanes[SL_ROW_LANES];
    /* The checkpointer's. */
    struct sl_mysql *book;  /* at the downstream; NULL: lost */
    struct sl_mysql *check; /* where the checkpoint is; NULL: lost, or `book` serves */
    bool             check_is_apart;
    sl_ts saved[2]; /* found at the start: what was to be written last, and what was there */
    struct sl_checkpoint last;   /* the newest; its early jobs are those of the row `early` */
    char                *ts_map; /* owned: the JSON that was found, kept */
    /* Under the lock: all connections that are open, borrowed, NULL for a free place. */
    pthread_mutex_t  lock;
    struct sl_mysql *open[SL_SINK_CONNECTIONS_MAX];
    bool             is_cancelled;
};

/* ---- connections ---- */

/* Connect, so that a cancel reaches it. */
enum sl_err sink_connect(struct sink_mysql *s, const struct sl_mysql_options *options,
                         struct sl_mysql **out, struct sl_why *why);
/* Close one of those, and null the pointer; *conn may be NULL. */
void sink_disconnect(struct sink_mysql *s, struct sl_mysql **conn);

/* ---- statements ---- */

/* Append formatted text. */
void sink_put(struct sl_sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Run it and empty it. *affected may be NULL. */
enum sl_err sink_run(struct sl_mysql *conn, struct sl_sql *sql, uint64_t *affected,
                     struct sl_why *why);

/* After a statement that failed: its table or database does not exist. */
bool sink_lacks_table(const struct sl_mysql *conn);
/* Run one short formatted statement. */
enum sl_err sink_exec(struct sl_mysql *conn, struct sl_why *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One row: fills `count` cells with copies (NULL for NULL), owned by the caller. SL_NOT_FOUND: no
 * row. Of several the first counts. */
enum sl_err sink_fetch(struct sl_mysql *conn, struct sl_sql *sql, char **cells, size_t count,
                       struct sl_why *why);

/* Append the question for the lock of a living drainer, which waits for so long. */
void sink_put_lock(const struct sink_mysql *s, struct sl_sql *sql, int seconds);

/* ---- for the checkpointer ---- */

/* The connection for bookkeeping, made again when it was lost. SL_STOPPED: another run has begun.
 * */
enum sl_err sink_book(struct sink_mysql *s, struct sl_why *why);
/* Take the lock of a living drainer, on that connection. SL_IN_USE: another one has it. */
enum sl_err sink_take_lock(struct sink_mysql *s, struct sl_why *why);
/* After an error: drop what is lost. Returns err. */
enum sl_err sink_book_failed(struct sink_mysql *s, enum sl_err err);

/* Schema and table of the checkpoint, if they are not there. */
enum sl_err sink_make_checkpoint_table(struct sink_mysql *s, struct sl_why *why);

void        sink_mysql_cancel(struct sl_sink *sink);
enum sl_err sink_mysql_load(struct sl_sink *sink, struct sl_checkpoint *out, struct sl_why *why);
enum sl_err sink_mysql_save(struct sl_sink *sink, const struct sl_checkpoint *checkpoint,
                            struct sl_why *why);
enum sl_err sink_mysql_ddl(struct sl_sink *sink, const struct sl_window_ddl *ddl,
                           int64_t schema_version, struct sl_why *why);

/* ---- for the workers ---- */

enum sl_err sink_mysql_worker_open(struct sl_sink *sink, uint32_t number,
                                   struct sl_sink_worker **out, struct sl_why *why);
void        sink_mysql_worker_close(struct sl_sink_worker *worker);
enum sl_err sink_mysql_apply(struct sl_sink_worker *worker, struct sl_row_part *const *parts,
                             uint32_t count, struct sl_why *why);

#endif
