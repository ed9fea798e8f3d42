#include "binlog/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct sl_pattern {
    pcre2_code          *code;
    pcre2_match_context *bounds;
    char                *text; /* as written, for messages */
};

static enum sl_err fail_compile(const char *text, int error, size_t at, struct sl_why *why)
{
    unsigned char words[128];

    (void)pcre2_get_error_message(error, words, sizeof words);
    return sl_fail(why, SL_INVALID, "invalid regular expression `%.100s`: %s at byte %zu", text,
                   (const char *)words, at);
}

static pcre2_code *compile(const char *text, unsigned flags, int *error, size_t *at)
{
    uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code            *code;

    SL_ASSERT(context != NULL);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF); /* `.` and `^` do not depend on the build */
    if ((flags & SL_PATTERN_WHOLE) != 0)
        pcre2_set_compile_extra_options(context, PCRE2_EXTRA_MATCH_LINE);
    options |= (flags & SL_PATTERN_CASELESS) != 0 ? PCRE2_CASELESS : 0;
    options |= (flags & SL_PATTERN_DOT_ALL) != 0 ? PCRE2_DOTALL : 0;
    code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, error, at, context);
    pcre2_compile_context_free(context);
    return code;
}

enum sl_err sl_pattern_new(const char *text, unsigned flags, struct sl_pattern **out,
                           struct sl_why *why)
{
    struct sl_pattern *p;
    pcre2_code        *code;
    size_t             at = 0;
    int                error = 0;

    if (strlen(text) > SL_PATTERN_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "regular expression `%.60s...`: longer than %d bytes", text,
                       SL_PATTERN_BYTES_MAX);
    if ((code = compile(text, flags, &error, &at)) == NULL)
        return fail_compile(text, error, at, why);
    p = calloc(1, sizeof *p);
    SL_ASSERT(p != NULL);
    p->code = code;
    p->text = strdup(text);
    p->bounds = pcre2_match_context_create(NULL);
    SL_ASSERT(p->text != NULL && p->bounds != NULL);
    pcre2_set_match_limit(p->bounds, SL_PATTERN_STEPS_MAX);
    pcre2_set_heap_limit(p->bounds, SL_PATTERN_HEAP_KIB);
    *out = p;
    return SL_OK;
}

void sl_pattern_free(struct sl_pattern **pattern)
{
    struct sl_pattern *p = *pattern;

    if (p == NULL)
        return;
    pcre2_match_context_free(p->bounds);
    pcre2_code_free(p->code);
    free(p->text);
    free(p);
    *pattern = NULL;
}

enum sl_err sl_pattern_find(const struct sl_pattern *pattern, struct sl_slice text, bool *found,
                            struct sl_why *why)
{
    static const unsigned char none[1];
    pcre2_match_data          *match = pcre2_match_data_create(1, NULL); /* whether, not where */
    unsigned char              words[128];
    int                        got;

    SL_ASSERT(match != NULL);
    got = pcre2_match(pattern->code, text.bytes != NULL ? text.bytes : none, text.len, 0, 0, match,
                      pattern->bounds);
    pcre2_match_data_free(match);
    if (got >= 0 || got == PCRE2_ERROR_NOMATCH) {
        *found = got >= 0;
        return SL_OK;
    }
    (void)pcre2_get_error_message(got, words, sizeof words);
    return sl_fail(why, SL_TOO_LARGE,
                   "regular expression `%.100s` cannot decide about `%.*s`: %s; make it simpler",
                   pattern->text, (int)(text.len < 100 ? text.len : 100),
                   text.bytes != NULL ? (const char *)text.bytes : "", (const char *)words);
}
