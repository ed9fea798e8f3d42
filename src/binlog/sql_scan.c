#include "binlog/sql_scan.h"

#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/limits.h"

/* ---- characters ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80;
}

/* ---- tokens ---- */

/* Past the end a text reads as NUL, which is in no token. */
static uint8_t byte_at(struct sl_slice text, size_t at)
{
    return at < text.len ? text.bytes[at] : '\0';
}

/* The length of the comment at `at`; 0: none begins there, or it does not end. */
static size_t comment_length(struct sl_slice text, size_t at)
{
    const uint8_t *begin = text.bytes + at;
    size_t         left = text.len - at;
    const uint8_t *end;

    if (left >= 4 && begin[0] == '/' && begin[1] == '*') {
        end = memmem(begin + 2, left - 2, "*/", 2);
        return end == NULL ? 0 : (size_t)(end - begin) + 2;
    }
    if (begin[0] == '#' ||
        (begin[0] == '-' && byte_at(text, at + 1) == '-' && byte_at(text, at + 2) <= ' ')) {
        end = memchr(begin, '\n', left);
        return end == NULL ? left : (size_t)(end - begin);
    }
    return 0;
}

/* The length of what is quoted by the byte at `at`; 0: it does not end. */
static size_t quoted_length(struct sl_slice text, size_t at)
{
    uint8_t quote = text.bytes[at];

    for (size_t i = at + 1; i < text.len; i++) {
        if (text.bytes[i] == '\\' && quote != '`')
            i++;
        else if (text.bytes[i] == quote && byte_at(text, i + 1) == quote)
            i++;
        else if (text.bytes[i] == quote)
            return i + 1 - at;
    }
    return 0;
}

/* A number, or a name that begins with a digit. */
static struct sql_token digits_at(struct sl_slice text, size_t at)
{
    size_t end = at;
    bool   whole = true;

    while (is_digit(byte_at(text, end)))
        end++;
    if (byte_at(text, end) == '.' && is_digit(byte_at(text, end + 1))) {
        for (end++; is_digit(byte_at(text, end));)
            end++;
    }
    while (is_digit(byte_at(text, end)) || is_letter(byte_at(text, end))) {
        whole = whole && (byte_at(text, end) == 'e' || is_digit(byte_at(text, end)));
        end++;
    }
    return (struct sql_token){whole ? SQL_NUMBER : SQL_WORD, at, end - at};
}

static struct sql_token word_at(struct sl_slice text, size_t at)
{
    size_t end = at;

    while (is_letter(byte_at(text, end)) || is_digit(byte_at(text, end)))
        end++;
    return (struct sql_token){SQL_WORD, at, end - at};
}

/* The token at `at`, which is no blank. A length of 0: it does not end. */
static struct sql_token token_at(struct sl_slice text, size_t at)
{
    uint8_t c = text.bytes[at];
    size_t  comment = comment_length(text, at);

    if (comment > 0 || (c == '/' && byte_at(text, at + 1) == '*'))
        return (struct sql_token){SQL_COMMENT, at, comment};
    if (c == '\'' || c == '"')
        return (struct sql_token){SQL_TEXT, at, quoted_length(text, at)};
    if (c == '`')
        return (struct sql_token){SQL_NAME, at, quoted_length(text, at)};
    if (is_digit(c))
        return digits_at(text, at);
    if (is_letter(c))
        return word_at(text, at);
    return (struct sql_token){SQL_SIGN, at, 1};
}

/* Write the tokens to `out`, unless that is NULL, and count them. */
static enum sl_err walk(struct sl_slice text, struct sql_token *out, uint32_t *count,
                        struct sl_why *why)
{
    size_t at = 0;

    *count = 0;
    while (at < text.len) {
        struct sql_token token;

        if (is_blank(text.bytes[at])) {
            at++;
            continue;
        }
        token = token_at(text, at);
        if (token.len == 0)
            return sl_fail(why, SL_INVALID, "byte %zu of the statement: %s does not end", at,
                           token.kind == SQL_COMMENT ? "a comment" : "a quoted text");
        if (out != NULL)
            out[*count] = token;
        ++*count;
        at += token.len;
    }
    if (out != NULL)
        out[*count] = (struct sql_token){SQL_END, at, 0};
    return SL_OK;
}

enum sl_err sql_scan(struct sl_slice text, struct sl_arena *arena, struct sql_text *out,
                     struct sl_why *why)
{
    struct sql_token *tokens;
    uint32_t          count;
    enum sl_err       err;

    if (text.len > SL_DDL_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "a statement of %zu bytes, the limit is %d", text.len,
                       SL_DDL_BYTES_MAX);
    if ((err = walk(text, NULL, &count, why)) != SL_OK)
        return err;
    tokens = sl_arena_alloc(arena, (count + 1) * sizeof *tokens);
    (void)walk(text, tokens, &count, NULL); /* went well before */
    *out = (struct sql_text){text, tokens, count};
    return SL_OK;
}

struct sl_slice sql_bytes(const struct sql_text *sql, uint32_t token)
{
    SL_ASSERT(token <= sql->count);
    return (struct sl_slice){sql->text.bytes + sql->tokens[token].at, sql->tokens[token].len};
}

size_t sql_end_of(const struct sql_text *sql, uint32_t token)
{
    SL_ASSERT(token <= sql->count);
    return sql->tokens[token].at + sql->tokens[token].len;
}

/* ---- comments that are executed ---- */

/* MariaDB leaves out those of MySQL's newer versions, so not every server executes them. */
enum { EXECUTED_VERSION_END = 50700 };

/* What is inside an executed comment; false: the token is none. */
static bool open_comment(const struct sql_text *sql, uint32_t token, struct sl_slice *inside)
{
    struct sl_slice bytes = sql_bytes(sql, token);
    size_t          at = 3;
    uint32_t        version = 0;

    if (sql->tokens[token].kind != SQL_COMMENT || bytes.len < 5 ||
        memcmp(bytes.bytes, "/*!", 3) != 0)
        return false;
    for (; is_digit(byte_at(bytes, at)) && version < EXECUTED_VERSION_END; at++)
        version = 10 * version + (uint32_t)(bytes.bytes[at] - '0');
    return version < EXECUTED_VERSION_END && sl_slice_sub(bytes, at, bytes.len - 2 - at, inside);
}

enum sl_err sql_open_comments(const struct sql_text *sql, struct sl_arena *arena,
                              struct sql_text *out)
{
    struct sql_text  *opened = sl_arena_alloc(arena, (sql->count + 1) * sizeof *opened);
    struct sql_token *tokens;
    uint32_t          count = 0;

    for (uint32_t i = 0; i < sql->count; i++) {
        struct sl_slice inside;
        enum sl_err     err;

        opened[i] = (struct sql_text){.tokens = NULL};
        if (open_comment(sql, i, &inside) &&
            (err = sql_scan(inside, arena, &opened[i], NULL)) != SL_OK)
            return err;
        count += opened[i].tokens == NULL ? 1 : opened[i].count;
    }
    tokens = sl_arena_alloc(arena, (count + 1) * sizeof *tokens);
    *out = (struct sql_text){sql->text, tokens, count};
    for (uint32_t i = 0; i < sql->count; i++) {
        size_t base = 0;

        if (opened[i].tokens == NULL)
            *tokens++ = sql->tokens[i];
        else
            base = (size_t)(opened[i].text.bytes - sql->text.bytes);
        for (uint32_t k = 0; k < opened[i].count; k++, tokens++) {
            *tokens = opened[i].tokens[k];
            tokens->at += base;
        }
    }
    *tokens = sql->tokens[sql->count];
    return SL_OK;
}

bool sql_same_name(struct sl_slice a, struct sl_slice b)
{
    return a.len == b.len &&
           (a.len == 0 || strncasecmp((const char *)a.bytes, (const char *)b.bytes, a.len) == 0);
}

bool sql_is_word(const struct sql_text *sql, uint32_t token, const char *word)
{
    return token < sql->count && sql->tokens[token].kind == SQL_WORD &&
           sql_same_name(sql_bytes(sql, token), sl_slice_from_string(word));
}

bool sql_is_sign(const struct sql_text *sql, uint32_t token, char sign)
{
    return token < sql->count && sql->tokens[token].kind == SQL_SIGN &&
           sql->text.bytes[sql->tokens[token].at] == (uint8_t)sign;
}

/* ---- reading in order ---- */

static void pass_comments(struct sql_cursor *c)
{
    while (c->at < c->sql->count && c->sql->tokens[c->at].kind == SQL_COMMENT)
        c->at++;
}

struct sql_cursor sql_begin(const struct sql_text *sql, uint32_t token)
{
    struct sql_cursor c = {sql, token};

    pass_comments(&c);
    return c;
}

bool sql_step(struct sql_cursor *c)
{
    if (c->at >= c->sql->count)
        return false;
    c->at++;
    pass_comments(c);
    return true;
}

size_t sql_behind(const struct sql_cursor *c)
{
    uint32_t at = c->at;

    while (at > 0 && c->sql->tokens[at - 1].kind == SQL_COMMENT)
        at--;
    return at > 0 ? sql_end_of(c->sql, at - 1) : 0;
}

bool sql_take_word(struct sql_cursor *c, const char *word)
{
    return sql_is_word(c->sql, c->at, word) && sql_step(c);
}

bool sql_take_sign(struct sql_cursor *c, char sign)
{
    return sql_is_sign(c->sql, c->at, sign) && sql_step(c);
}

bool sql_take_words(struct sql_cursor *c, const char *words)
{
    struct sql_cursor ahead = *c;

    while (*words != '\0') {
        size_t          len = strcspn(words, " ");
        struct sl_slice word = {(const uint8_t *)words, len};

        if (ahead.at >= ahead.sql->count || ahead.sql->tokens[ahead.at].kind != SQL_WORD ||
            !sql_same_name(sql_bytes(ahead.sql, ahead.at), word))
            return false;
        (void)sql_step(&ahead);
        words += len + (words[len] == ' ');
    }
    *c = ahead;
    return true;
}

bool sql_at_end(struct sql_cursor *c)
{
    struct sql_cursor ahead = *c;

    while (sql_take_sign(&ahead, ';'))
        continue;
    return ahead.at >= ahead.sql->count;
}

/* The name inside `quoted`, with doubled quotes made one. */
static struct sl_slice unquoted(struct sl_slice token, struct sl_arena *arena)
{
    uint8_t *bytes = sl_arena_alloc(arena, token.len);
    size_t   len = 0;

    for (size_t i = 1; i + 1 < token.len; i++) {
        bytes[len++] = token.bytes[i];
        i += token.bytes[i] == '`';
    }
    bytes[len] = '\0';
    return (struct sl_slice){bytes, len};
}

static struct sl_slice copied(struct sl_slice token, struct sl_arena *arena)
{
    uint8_t *bytes = sl_arena_alloc(arena, token.len + 1);

    memcpy(bytes, token.bytes, token.len);
    bytes[token.len] = '\0';
    return (struct sl_slice){bytes, token.len};
}

bool sql_take_name(struct sql_cursor *c, struct sl_arena *arena, struct sl_slice *out)
{
    enum sql_kind kind = c->sql->tokens[c->at].kind;

    if (kind != SQL_WORD && kind != SQL_NAME)
        return false;
    *out = kind == SQL_NAME ? unquoted(sql_bytes(c->sql, c->at), arena)
                            : copied(sql_bytes(c->sql, c->at), arena);
    return sql_step(c);
}

bool sql_take_table(struct sql_cursor *c, struct sl_arena *arena, struct sql_table_name *out)
{
    struct sl_slice first;

    if (!sql_take_name(c, arena, &first))
        return false;
    if (!sql_take_sign(c, '.')) {
        *out = (struct sql_table_name){sl_slice_from_string(""), first};
        return true;
    }
    out->schema = first;
    return sql_take_name(c, arena, &out->table);
}
