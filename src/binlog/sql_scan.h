#ifndef SL_BINLOG_SQL_SCAN_H
#define SL_BINLOG_SQL_SCAN_H

/* SQL text as tokens: enough to find names, clauses and comments in DDL that TiDB has taken,
 * without a parser. ANSI_QUOTES and NO_BACKSLASH_ESCAPES are taken to be off, as the original takes
 * them for what it looks at. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* What a token is. */
enum sql_kind {
    SQL_END,     /* behind the last */
    SQL_WORD,    /* a keyword or a name without quotes */
    SQL_NAME,    /* `quoted` */
    SQL_TEXT,    /* 'quoted' or "quoted" */
    SQL_NUMBER,  /* 1, 1.5, 1e9 */
    SQL_SIGN,    /* any other single byte */
    SQL_COMMENT, /* also those that a server executes */
};

/* One token: where it stands in the text. */
struct sql_token {
    enum sql_kind kind;
    size_t        at;
    size_t        len;
};

/* A text and its tokens; the one of kind END is behind them. */
struct sql_text {
    struct sl_slice         text;
    const struct sql_token *tokens; /* in the arena */
    uint32_t                count;  /* END not counted */
};

/* Take a text apart. SL_INVALID: a quote or a comment does not end; SL_TOO_LARGE: more than
 * SL_DDL_BYTES_MAX. text must live as long as *out. */
enum sl_err sql_scan(struct sl_slice text, struct sl_arena *arena, struct sql_text *out,
                     struct sl_why *why);

/* The same text, with the tokens of comments that every server executes, such as those of dumps, in
 * their place; each stands where it did. Errors as of sql_scan. */
enum sl_err sql_open_comments(const struct sql_text *sql, struct sl_arena *arena,
                              struct sql_text *out);

/* The bytes of a token, and where they end in the text. */
struct sl_slice sql_bytes(const struct sql_text *sql, uint32_t token);
size_t          sql_end_of(const struct sql_text *sql, uint32_t token);
/* Is it this word, in any case? Quoted names are no words. */
bool sql_is_word(const struct sql_text *sql, uint32_t token, const char *word);
/* Is it this sign? */
bool sql_is_sign(const struct sql_text *sql, uint32_t token, char sign);

/* ---- reading in order ---- */

/* Where a reader stands; comments are passed over. */
struct sql_cursor {
    const struct sql_text *sql;
    uint32_t               at;
};

/* Begin at a token. */
struct sql_cursor sql_begin(const struct sql_text *sql, uint32_t token);
/* Step behind the word, or the sign, when it is next; else stay and say false. */
bool sql_take_word(struct sql_cursor *c, const char *word);
bool sql_take_sign(struct sql_cursor *c, char sign);
/* Step behind words that stand there in this order, separated by blanks: "if not exists". All or
 * none. */
bool sql_take_words(struct sql_cursor *c, const char *words);
/* At the end, but for comments and semicolons? */
bool sql_at_end(struct sql_cursor *c);
/* Step behind one token of any kind; false at the end. */
bool sql_step(struct sql_cursor *c);
/* Where in the text the token ends that the cursor has passed last. */
size_t sql_behind(const struct sql_cursor *c);

/* A table's name, with its database when that is written. Decoded, in the arena. */
struct sql_table_name {
    struct sl_slice schema; /* empty: not written */
    struct sl_slice table;
};

/* A name, quoted or not; and one that may be qualified. *out is in the arena, with a terminator. */
bool sql_take_name(struct sql_cursor *c, struct sl_arena *arena, struct sl_slice *out);
bool sql_take_table(struct sql_cursor *c, struct sl_arena *arena, struct sql_table_name *out);

/* Equal in any case of ASCII letters, which is how TiDB compares names. */
bool sql_same_name(struct sl_slice a, struct sl_slice b);

#endif
