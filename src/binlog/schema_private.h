#ifndef SL_BINLOG_SCHEMA_PRIVATE_H
#define SL_BINLOG_SCHEMA_PRIVATE_H

/* The inside of the schema tracker, for the files schema*.c. */

#include "base/map.h"
#include "binlog/schema.h"
#include "binlog/table_info.h"

/* A database, also one that is gone: `version` then says since when. */
struct schema_database {
    struct sl_map_node node;
    struct sl_database is;      /* slices owned, in one block at name */
    int64_t            version; /* of the job that touched it last */
    bool               dropped;
};

/* A table id. */
struct schema_table {
    struct sl_map_node      node;
    int64_t                 id;
    int64_t                 database_id;
    int64_t                 version; /* of the job that touched it last */
    enum sl_table_fate      fate;
    uint32_t                kept_count;
    struct sl_table        *kept[SL_SCHEMA_VERSIONS_KEPT]; /* owned; newest first */
    struct table_partition *partitions; /* owned, in one block; of the newest version */
    uint32_t                partition_count;
};

/* The tracker. */
struct sl_schema {
    struct sl_map tables;
    struct sl_map databases;
    int64_t       version;
};

/* The entry of a table id, or NULL; with make an entry of fate UNKNOWN and version 0 is made. */
struct schema_table *schema_table_of(const struct sl_schema *schema, int64_t id);
struct schema_table *schema_table_make(struct sl_schema *schema, int64_t id);

/* The entry of a database that is there, or NULL. */
struct schema_database *schema_database_of(const struct sl_schema *schema, int64_t id);
/* Note what a database is. */
void schema_database_set(struct sl_schema *schema, const struct sl_database *is, int64_t version);

/* Make `table` (taken over) the newest version of its id, which becomes live, in that database. The
 * partitions are copied. */
void schema_table_push(struct sl_schema *schema, int64_t database_id, struct sl_table *table,
                       const struct table_partition *partitions, uint32_t partition_count);
/* The table is no more. */
void schema_table_end(struct schema_table *t, enum sl_table_fate fate, int64_t version);

#endif
