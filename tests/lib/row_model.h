#ifndef SL_TESTS_LIB_ROW_MODEL_H
#define SL_TESTS_LIB_ROW_MODEL_H

/* Small tables in memory that keep unique keys as a downstream does: for tests that compare what a
 * drainer makes of a stream with what applying it row by row makes. All of it is plain memory, so a
 * copy is a snapshot. Columns are INT or VARCHAR; a folded one has a collation that takes letters
 * of both cases, and é, for equal; trailing blanks never count in a key.
 *
 * The same table is told as a TableInfo, as a downstream's description, and as SQL. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "binlog/change.h"
#include "binlog/sink_table.h"
#include "binlog/table.h"

enum {
    MODEL_COLUMNS_MAX = 6,
    MODEL_KEYS_MAX = 5,
    MODEL_PARTS_MAX = 2,
    MODEL_TEXT_BYTES = 14,
    MODEL_NAME_BYTES = 12,
    MODEL_ROWS_MAX = 160, /* a replay brings rows back for a while */
    MODEL_DEFAULT = 7,    /* of a column that is added NOT NULL */
};

struct model_column {
    int64_t id;
    char    name[MODEL_NAME_BYTES];
    bool    is_text;
    bool    is_folded;
    bool    is_nullable;
    bool    is_added; /* not there when the table was made: it has the default */
};

struct model_part {
    uint32_t column;
    uint32_t prefix; /* characters; 0: all */
};

/* A unique key. */
struct model_key {
    char              name[MODEL_NAME_BYTES];
    bool              is_primary;
    uint32_t          part_count;
    struct model_part parts[MODEL_PARTS_MAX];
};

struct model_cell {
    bool    is_null;
    uint8_t len;
    char    text[MODEL_TEXT_BYTES];
    int64_t number;
};

struct model_row {
    struct model_cell cells[MODEL_COLUMNS_MAX];
};

/* The primary key, if there is one, is keys[0]. */
struct model_table {
    int64_t             id;
    char                name[MODEL_NAME_BYTES];
    bool                pk_is_handle;
    uint32_t            column_count;
    struct model_column columns[MODEL_COLUMNS_MAX];
    uint32_t            key_count;
    struct model_key    keys[MODEL_KEYS_MAX];
    uint32_t            row_count;
    struct model_row    rows[MODEL_ROWS_MAX];
};

enum { MODEL_NO_ROW = -1 };

/* ---- cells ---- */

struct model_cell model_null(void);
struct model_cell model_int(int64_t number);
struct model_cell model_text(const char *text);

/* ---- rows, as a server keeps them ---- */

/* All columns the same, byte by byte. */
bool model_same_row(const struct model_table *t, const struct model_row *a,
                    const struct model_row *b);
/* The place of exactly this row, or MODEL_NO_ROW. */
int32_t model_find(const struct model_table *t, const struct model_row *row);
/* The place of a row with a unique key in common, other than the one at `except`. */
int32_t model_collision(const struct model_table *t, const struct model_row *row, int32_t except);
/* Are these two the same in a key of the table? */
bool model_keys_meet(const struct model_table *t, const struct model_row *a,
                     const struct model_row *b);

void model_remove(struct model_table *t, uint32_t place);
/* There is room, and nothing collides. */
void model_insert(struct model_table *t, const struct model_row *row);
/* REPLACE: what collides goes. */
void model_replace(struct model_table *t, const struct model_row *row);
/* DELETE with the columns of keys[key] of this row, whole. */
void model_delete_by_key(struct model_table *t, uint32_t key, const struct model_row *row);

/* Row by row, as the upstream did it: each row that is changed is there, exactly so. False: it is
 * not, or a unique key is in the way. */
bool model_apply(struct model_table *t, enum sl_change_kind kind, const struct model_row *old,
                 const struct model_row *new_row);

/* The same rows, in any order? */
bool model_same_rows(const struct model_table *a, const struct model_table *b);
void model_print(FILE *out, const struct model_table *t);

/* The key whose columns identify a row: the first one without NULLs, whole ones first; -1: none. */
int32_t model_identity(const struct model_table *t);

/* ---- row_model_text.c: as others see it ---- */

/* An image of a change, by the names of its columns; what the table lacks is left out, what the
 * image lacks is the column's default. */
struct model_row model_row_of(const struct model_table *t, const struct sl_table *image_of,
                              const struct sl_value *values);
/* As information_schema describes it. Owned. */
struct sl_sink_table *model_sink_table(const struct model_table *t, const char *schema);
/* As TableInfo: a JSON object. */
void model_print_info(FILE *out, const struct model_table *t);
/* CREATE TABLE, and a value as SQL; no line ends. */
void model_print_create(FILE *out, const struct model_table *t);
void model_print_cell(FILE *out, const struct model_table *t, uint32_t column,
                      const struct model_cell *cell);

/* A row as TiDB writes it into binlogs (codec spec 2.3), at `at`; the place behind it. An insert
 * begins with the handle. */
uint8_t *model_put_row(uint8_t *at, const struct model_table *t, const struct model_row *row,
                       bool is_insert);

#endif
