#ifndef SL_SLUICE_COMPARE_LINES_H
#define SL_SLUICE_COMPARE_LINES_H

/* The rows of a table as lines of text, in the form that compare.h tells: cells into lines, lines
 * sorted, and what two sets of them have not in common. Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/* A set of lines, equal ones as often as they came. All zero is empty. */
struct lines {
    struct sl_arena  arena; /* where lines may be */
    struct sl_slice *items; /* owned */
    size_t           count;
    size_t           room;
};

/* The line is borrowed. */
void lines_add(struct lines *lines, struct sl_slice line);
void lines_done(struct lines *lines);
/* By bytes. */
void lines_sort(struct lines *lines);

/* The next line of a text, without its end, which the last one need not have. False: no more. */
bool lines_next(struct sl_slice *text, struct sl_slice *line);
/* The first `count` cells of a line. False: it has less. */
bool lines_cells(struct sl_slice line, struct sl_slice *cells, uint32_t count);
bool lines_equal_text(struct sl_slice line, const char *text);

/* Write a cell (NULL: of no value) and return the place behind it; at most 2 * len + 2 bytes. */
char *lines_put_cell(char *at, const char *text, size_t len);

/* What two sorted sets have not in common. */
struct lines_difference {
    uint64_t        missing;       /* in `want` alone */
    uint64_t        surplus;       /* in `have` alone */
    struct sl_slice first_missing; /* all zero: none */
    struct sl_slice first_surplus;
};
void lines_compare(const struct lines *want, const struct lines *have,
                   struct lines_difference *out);

/* Cells that may differ: of a column, in rows whose first cell is `key`, or "*". */
struct mask {
    char *column; /* owned */
    char *key;    /* owned */
};

/* The same for lines whose cells are known by name. Borrows both. */
struct masking {
    const struct mask *masks;
    uint32_t           count;
    struct sl_slice    head; /* names of columns */
};

struct masking masking_of(const struct mask *masks, uint32_t count, struct sl_slice head);
/* Put the same text in place of all such cells. */
void masking_apply(const struct masking *masking, struct lines *lines);

#endif
