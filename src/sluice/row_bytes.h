#ifndef SL_SLUICE_ROW_BYTES_H
#define SL_SLUICE_ROW_BYTES_H

/* The pieces of generated rows, in TiDB's row format v1 (codec spec 1.1, 1.10, 2.3). Each function
 * writes and returns the place behind; the room is the caller's to see to. Pure. */

#include <stddef.h>
#include <stdint.h>

/* Size of a key: 't', table id, "_r", row id. */
enum { ROW_KEY_BYTES = 1 + 8 + 2 + 8 };

/* The most that a number takes, and what a text takes beyond its bytes. */
enum { ROW_INT_BYTES_MAX = 1 + 10, ROW_TEXT_HEAD_BYTES_MAX = 1 + 10 };

uint8_t *row_put_key(uint8_t *at, int64_t table_id, int64_t row_id);
uint8_t *row_put_null(uint8_t *at);
uint8_t *row_put_int(uint8_t *at, int64_t value);
uint8_t *row_put_text(uint8_t *at, const char *text, size_t len);

/* A number with a sign as one without. */
uint64_t row_zigzag(int64_t value);

#endif
