#ifndef SL_CTL_LEGACY_H
#define SL_CTL_LEGACY_H

/* The commands of the original's `-cmd`, one file each, and what they share. They print the
 * original's lines, source positions included, because scripts look for them; an error is printed
 * by the caller, as its FATAL line. Where the original reports success of what a node refused, or
 * says nothing about a command that it does not know, these fail. */

#include "base/log.h"
#include "net/cluster.h"
#include "net/node.h"

/* Where generate_meta puts the savepoint unless it is told; an empty -data-dir is no place. */
#define CTL_META_DIR "binlog_position"

/* The flags. Strings are owned. */
struct ctl_legacy {
    bool  version;
    bool  show_offline;
    char *command;
    char *data_dir;
    char *node_id;
    char *pd_urls;
    char *ssl_ca; /* not built: refused unless empty */
    char *ssl_cert;
    char *ssl_key;
    char *state;
    char *text;
    char *time_zone;
};

/* What a command is run with. */
struct ctl_command_run {
    const struct sl_env     *env;
    const struct ctl_legacy *flags;
    struct sl_cluster       *cluster; /* NULL for encrypt */
    enum sl_node_kind        kind;    /* of the nodes that it is about */
    const char              *action;  /* of ctl_apply: "pause" or "close" */
};

/* pumps, drainers: a line for each node; those offline only on demand. */
enum sl_err ctl_list(const struct ctl_command_run *run, struct sl_why *why);
/* update-*: rewrite the state in the registry; the node is not told. Prints nothing. */
enum sl_err ctl_update(const struct ctl_command_run *run, struct sl_why *why);
/* pause-*, offline-*: tell the node. */
enum sl_err ctl_apply(const struct ctl_command_run *run, struct sl_why *why);
/* generate_meta: a savepoint with the present timestamp, for a new drainer. */
enum sl_err ctl_generate_meta(const struct ctl_command_run *run, struct sl_why *why);
/* encrypt: a password for a configuration file. */
enum sl_err ctl_encrypt(const struct ctl_command_run *run, struct sl_why *why);

/* The record of the node that -node-id names. SL_NOT_FOUND in the original's words. */
enum sl_err ctl_find(const struct ctl_command_run *run, struct sl_node *out, struct sl_why *why);

/* Where the original says something. */
struct ctl_place {
    const char *file;
    int         line;
};

/* A line of the log, as if it came from there. Not rated: any number may come from one place.
 * `fields` ends with sl_field_end(). */
void ctl_say(struct ctl_place place, enum sl_log_level level, const char *message,
             const struct sl_field *fields);

#endif
