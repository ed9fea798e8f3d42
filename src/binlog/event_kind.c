/* The kind of a DDL statement, by its first words. No parser is needed for that: between the verb
 * and its object stand only words that say how, and what is not understood is of no kind. */

#include <string.h>
#include <strings.h>

#include "binlog/event_filter.h"

struct reader {
    const char *at;
    const char *end;
};

struct word {
    const char *bytes;
    size_t      len;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static bool begins(const struct reader *r, const char *text)
{
    return left(r) >= strlen(text) && memcmp(r->at, text, strlen(text)) == 0;
}

/* To behind the first `text`, or to the end. */
static void pass(struct reader *r, const char *text)
{
    const char *found = memmem(r->at, left(r), text, strlen(text));

    r->at = found != NULL ? found + strlen(text) : r->end;
}

/* What stands in a comment that is meant to be executed, as of a version or of TiDB, is text. */
static void pass_opened(struct reader *r)
{
    r->at += 2;
    if (begins(r, "T!") || begins(r, "M!"))
        r->at++;
    else if (!begins(r, "!")) {
        pass(r, "*/");
        return;
    }
    r->at++;
    if (begins(r, "["))
        pass(r, "]");
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
}

static void pass_blank(struct reader *r)
{
    const char *before = NULL;

    while (r->at != before && r->at < r->end) {
        before = r->at;
        if (is_space(*r->at))
            r->at++;
        else if (begins(r, "/*"))
            pass_opened(r);
        else if (begins(r, "*/"))
            r->at += 2;
        else if (*r->at == '#' || (begins(r, "--") && (left(r) == 2 || is_space(r->at[2]))))
            pass(r, "\n");
    }
}

/* A quoted name or text, with its quotes. */
static void pass_quoted(struct reader *r)
{
    char quote = *r->at++;

    while (r->at < r->end && *r->at != quote)
        r->at += *r->at == '\\' && quote != '`' && left(r) > 1 ? 2 : 1;
    if (r->at < r->end)
        r->at++;
}

/* The next word, or one other character, or something in quotes; len 0: the end. */
static struct word next(struct reader *r)
{
    struct word word;

    pass_blank(r);
    word.bytes = r->at;
    if (r->at < r->end && is_word(*r->at)) {
        while (r->at < r->end && is_word(*r->at))
            r->at++;
    } else if (r->at < r->end && strchr("`'\"", *r->at) != NULL) {
        pass_quoted(r);
    } else if (r->at < r->end) {
        r->at++;
    }
    word.len = (size_t)(r->at - word.bytes);
    return word;
}

static bool is(struct word word, const char *text)
{
    return word.len == strlen(text) && strncasecmp(word.bytes, text, word.len) == 0;
}

static bool is_one_of(struct word word, const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        if (is(word, *texts))
            return true;
    }
    return false;
}

/* ---- objects ---- */

static bool is_database(struct word word)
{
    return is(word, "database") || is(word, "schema");
}

/* How a view is made stands before the word: ALGORITHM = X DEFINER = 'a'@'b' SQL SECURITY Y. */
static enum sl_event_kind kind_of_view(struct reader *r)
{
    enum { WORDS_MAX = 24 };

    for (unsigned i = 0; i < WORDS_MAX; i++) {
        struct word word = next(r);

        if (word.len == 0)
            break;
        if (is(word, "view"))
            return SL_EVENT_CREATE_VIEW;
    }
    return SL_EVENT_OTHER;
}

static enum sl_event_kind kind_of_create(struct reader *r)
{
    static const char *const passed[] = {"or",     "replace", "global",   "temporary",
                                         "unique", "spatial", "fulltext", NULL};
    static const char *const view[] = {"algorithm", "definer", "sql", NULL};
    struct word              word = next(r);

    while (is_one_of(word, passed))
        word = next(r);
    if (is_database(word))
        return SL_EVENT_CREATE_DATABASE;
    if (is(word, "table"))
        return SL_EVENT_CREATE_TABLE;
    if (is(word, "index"))
        return SL_EVENT_CREATE_INDEX;
    if (is(word, "view"))
        return SL_EVENT_CREATE_VIEW;
    return is_one_of(word, view) ? kind_of_view(r) : SL_EVENT_OTHER;
}

static enum sl_event_kind kind_of_drop(struct reader *r)
{
    struct word word = next(r);

    while (is(word, "global") || is(word, "temporary"))
        word = next(r);
    if (is_database(word))
        return SL_EVENT_DROP_DATABASE;
    if (is(word, "table") || is(word, "tables"))
        return SL_EVENT_DROP_TABLE;
    if (is(word, "index"))
        return SL_EVENT_DROP_INDEX;
    return is(word, "view") ? SL_EVENT_DROP_VIEW : SL_EVENT_OTHER;
}

static enum sl_event_kind kind_of_alter(struct reader *r)
{
    struct word word = next(r);

    if (is(word, "ignore"))
        word = next(r);
    if (is_database(word))
        return SL_EVENT_ALTER_DATABASE;
    return is(word, "table") ? SL_EVENT_ALTER_TABLE : SL_EVENT_OTHER;
}

enum sl_event_kind sl_event_of_ddl(struct sl_slice sql)
{
    const char   *bytes = sql.len > 0 ? (const char *)sql.bytes : "";
    struct reader r = {.at = bytes, .end = bytes + sql.len};
    struct word   verb = next(&r);
    struct word   word;

    if (is(verb, "create"))
        return kind_of_create(&r);
    if (is(verb, "drop"))
        return kind_of_drop(&r);
    if (is(verb, "alter"))
        return kind_of_alter(&r);
    word = next(&r);
    if (is(verb, "truncate"))
        return word.len > 0 ? SL_EVENT_TRUNCATE_TABLE : SL_EVENT_OTHER;
    if (is(verb, "rename"))
        return is(word, "table") || is(word, "tables") ? SL_EVENT_RENAME_TABLE : SL_EVENT_OTHER;
    return SL_EVENT_OTHER;
}
