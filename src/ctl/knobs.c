/* binlogctl get, set: the knobs of a node that runs (actors/common/knobs.h says what they are).
 * What there is and what is allowed is the node's to say. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "ctl/answer.h"
#include "ctl/cli.h"
#include "ctl/text.h"
#include "net/http_ask.h"

enum { HTTP_OK = 200, HTTP_UNKNOWN = 404 };

struct knobs_config {
    char *pd_urls; /* owned */
};

static const struct sl_conf_row   rows[] = {CTL_PD_URLS_ROW(struct knobs_config)};
static const struct sl_conf_table table = {.program = "binlogctl",
                                           .rows = rows,
                                           .row_count = 1,
                                           .struct_bytes = sizeof(struct knobs_config)};

/* One command under way. */
struct turning {
    const struct sl_ctl_verb *verb;
    const struct sl_env      *env;
    const char *const        *words; /* behind NODE */
    int                       word_count;
    struct sl_node            node;
};

/* ---- the node ---- */

/* Put the question; the answer is a body of status 200, the caller's, or its reason is told. */
static enum sl_err ask(const struct turning *t, const char *method, struct sl_slice body,
                       struct sl_buf **answer, struct sl_why *why)
{
    struct sl_http_ask ask = {.method = method,
                              .address = t->node.host,
                              .path = "/knobs",
                              .content_type = body.len > 0 ? "application/json" : NULL,
                              .body = body.bytes,
                              .body_bytes = body.len};
    struct sl_why      inner = {0};

    sl_http_ask_all(t->env, &ask, 1, (sl_nanos)SL_CTL_ACTION_MS * SL_NANOS_PER_MS);
    if (ask.err != SL_OK)
        return sl_fail(why, ask.err, "%s does not answer: %.300s", t->node.id, ask.why.text);
    if (ask.status == HTTP_OK) {
        *answer = ask.answer;
        return SL_OK;
    }
    if (ask.status == HTTP_UNKNOWN)
        (void)sl_fail(&inner, SL_INVALID,
                      "it has no knobs: it is another program, or an older one");
    else
        (void)ctl_answer_to_order(sl_slice_from_buf(ask.answer), &inner);
    sl_buf_free(&ask.answer);
    return sl_fail(why, SL_DENIED, "%s refuses: %.400s", t->node.id, inner.text);
}

/* ---- get ---- */

/* What is shown of one knob. */
struct shown {
    char value[SL_CTL_WORD_BYTES_MAX];
    char allowed[SL_WHY_BYTES_MAX];
};

static int64_t number_of(const struct sl_json *knob, const char *name)
{
    const struct sl_json *value = sl_json_member(knob, name);

    return value != NULL && sl_json_kind(value) == SL_JSON_INT ? sl_json_int(value) : 0;
}

static const char *text_of(const struct sl_json *knob, const char *name)
{
    const struct sl_json *value = sl_json_member(knob, name);

    return value != NULL && sl_json_kind(value) == SL_JSON_TEXT ? sl_json_text(value) : "";
}

static void show(const struct sl_json *knob, struct shown *out)
{
    const struct sl_json *value = sl_json_member(knob, "value");
    char                  range[SL_WHY_BYTES_MAX];

    if (value != NULL && sl_json_kind(value) == SL_JSON_INT) {
        (void)snprintf(out->value, sizeof out->value, "%lld", (long long)sl_json_int(value));
        (void)snprintf(range, sizeof range, "%lld to %lld", (long long)number_of(knob, "min"),
                       (long long)number_of(knob, "max"));
    } else {
        ctl_text_clean(text_of(knob, "value"), out->value, sizeof out->value);
        (void)snprintf(range, sizeof range, "%s", text_of(knob, "allowed"));
    }
    if (text_of(knob, "fixed")[0] != '\0')
        (void)snprintf(range, sizeof range, "fixed: %.400s", text_of(knob, "fixed"));
    ctl_text_clean(range, out->allowed, sizeof out->allowed);
}

static enum sl_err print_knob(void *context, const char *name, const struct sl_json *value)
{
    struct shown shown;
    char         clean[SL_CTL_WORD_BYTES_MAX];

    (void)context;
    if (sl_json_kind(value) != SL_JSON_OBJECT)
        return SL_OK;
    show(value, &shown);
    ctl_text_clean(name, clean, sizeof clean);
    printf("%-10s %-8s %s\n", clean, shown.value, shown.allowed);
    return SL_OK;
}

/* The knob KEY alone: its value, for scripts. */
static enum sl_err print_value(const struct turning *t, const struct sl_json *knobs,
                               struct sl_why *why)
{
    const struct sl_json *knob = sl_json_field(knobs, t->words[0]);
    struct shown          shown;

    if (knob == NULL || sl_json_kind(knob) != SL_JSON_OBJECT)
        return sl_fail(why, SL_USAGE,
                       "%s has no knob %.60s; 'binlogctl get %s' lists those that it has",
                       t->node.id, t->words[0], t->node.id);
    show(knob, &shown);
    printf("%s\n", shown.value);
    return SL_OK;
}

static enum sl_err get(const struct turning *t, struct sl_why *why)
{
    struct sl_json *knobs = NULL;
    struct sl_buf  *answer;
    enum sl_err     err = ask(t, "GET", (struct sl_slice){0}, &answer, why);

    if (err != SL_OK)
        return err;
    err = sl_json_parse(sl_slice_from_buf(answer), &knobs, why);
    sl_buf_free(&answer);
    if (err != SL_OK || sl_json_kind(knobs) != SL_JSON_OBJECT)
        err = sl_fail(why, SL_INVALID, "the answer of %s lists no knobs", t->node.id);
    else if (t->word_count == 0)
        err = sl_json_each(knobs, print_knob, NULL);
    else
        err = print_value(t, knobs, why);
    sl_json_free(&knobs);
    return err;
}

/* ---- set ---- */

static bool is_number(const char *text)
{
    size_t digits = strspn(text + (text[0] == '-'), "0123456789");

    return digits > 0 && digits < SL_CTL_DIGITS_MAX && text[digits + (text[0] == '-')] == '\0';
}

/* KEY=VALUE as a member; what is no number is a word, and the node says whether it may be one. */
static enum sl_err put_member(struct sl_json_out *out, const char *word, struct sl_why *why)
{
    const char *equals = strchr(word, '=');
    char        key[SL_CTL_WORD_BYTES_MAX];

    if (equals == NULL || equals == word || equals[1] == '\0')
        return sl_fail(why, SL_USAGE, "%.60s: want KEY=VALUE, as batch=512", word);
    if ((size_t)(equals - word) >= sizeof key)
        return sl_fail(why, SL_USAGE, "%.60s...: no knob has such a long name", word);
    (void)snprintf(key, sizeof key, "%.*s", (int)(equals - word), word);
    sl_json_put_text(out, key);
    sl_json_put(out, ":");
    if (is_number(equals + 1))
        sl_json_put_int(out, strtoll(equals + 1, NULL, 10));
    else
        sl_json_put_text(out, equals + 1);
    return SL_OK;
}

static enum sl_err set(const struct turning *t, struct sl_why *why)
{
    char               bytes[SL_CTL_KNOBS_BYTES_MAX];
    struct sl_json_out out = {.bytes = bytes, .room = sizeof bytes};
    struct sl_buf     *answer;
    enum sl_err        err = SL_OK;

    sl_json_put(&out, "{");
    for (int i = 0; i < t->word_count && err == SL_OK; i++) {
        sl_json_put(&out, i > 0 ? "," : "");
        err = put_member(&out, t->words[i], why);
    }
    sl_json_put(&out, "}");
    if (err != SL_OK)
        return err;
    if (out.full)
        return sl_fail(why, SL_USAGE, "too much at one time");
    err = ask(t, "PUT", (struct sl_slice){(const uint8_t *)bytes, out.used}, &answer, why);
    if (err != SL_OK)
        return err;
    sl_buf_free(&answer);
    printf("%s has what was set, until it ends or reads its configuration again\n", t->node.id);
    return SL_OK;
}

/* ---- verbs ---- */

static enum sl_err turn(struct turning *t, const char *name, const char *pd_urls,
                        struct sl_why *why)
{
    struct sl_cluster *cluster = NULL;
    enum sl_node_kind  kind;
    enum sl_err        err = ctl_open(t->env, pd_urls, &cluster, why);

    if (err == SL_OK)
        err = ctl_locate(sl_cluster_registry(cluster), name, &kind, &t->node, why);
    sl_cluster_free(&cluster);
    if (err != SL_OK)
        return err;
    return t->verb == &sl_ctl_get ? get(t, why) : set(t, why);
}

static bool is_count_fine(const struct sl_ctl_verb *verb, int words)
{
    return verb == &sl_ctl_get ? words <= 1 : words >= 1;
}

/* argv[0], NODE, the other words, and then flags: these alone are for ctl_read, behind the word
 * that it takes for the operand. */
static enum sl_ctl_exit run(const struct sl_ctl_verb *verb, const struct sl_env *env, int argc,
                            const char *const *argv)
{
    struct knobs_config config;
    struct turning      t = {.verb = verb, .env = env};
    struct sl_why       why = {0};
    const char         *last;
    enum sl_ctl_exit    code;
    enum sl_err         err;
    int                 words = 0;

    while (words + 1 < argc && argv[words + 1][0] != '-')
        words++;
    if (!ctl_read(verb, &table, words > 1 ? argc - words + 1 : argc,
                  words > 1 ? argv + words - 1 : argv, &last, &config, &code))
        return code;
    t.words = argv + 2;
    t.word_count = words - 1;
    if (is_count_fine(verb, t.word_count))
        err = turn(&t, argv[1], config.pd_urls, &why);
    else
        err = sl_fail(&why, SL_USAGE, "want %s; see 'binlogctl %s --help'", verb->operand,
                      verb->name);
    code = err == SL_OK ? SL_CTL_OK : ctl_fail(verb, err, &why);
    sl_conf_free(&table, &config);
    return code;
}

static enum sl_ctl_exit run_get(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_get, env, argc, argv);
}

static enum sl_ctl_exit run_set(const struct sl_env *env, int argc, const char *const *argv)
{
    return run(&sl_ctl_set, env, argc, argv);
}

const struct sl_ctl_verb sl_ctl_get = {
    .name = "get",
    .operand = "NODE [KEY]",
    .summary = "the knobs of a pump or drainer that runs, and what is allowed",
    .text = "Ask the pump or drainer with this id, or at this HOST:PORT, for its knobs: their\n"
            "values, and what they may be; with KEY for the value of one. Exit codes: 0 it has\n"
            "answered, 1 it has not, 2 wrong usage.",
    .run = run_get,
};

const struct sl_ctl_verb sl_ctl_set = {
    .name = "set",
    .operand = "NODE KEY=VALUE...",
    .summary = "turn knobs of a pump or drainer that runs",
    .text =
        "Set knobs of the pump or drainer with this id, or at this HOST:PORT, all of them or, "
        "when\n"
        "one is refused, none. From its own machine only. What is set lasts until the process\n"
        "ends or reads its configuration again (SIGHUP). Exit codes: 0 it is set, 1 it is not, 2\n"
        "wrong usage.",
    .run = run_set,
};
