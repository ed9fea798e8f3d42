#include "ctl/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"
#include "net/http_ask.h"
#include "base/json.h"

enum { HTTP_OK = 200, CODE_OK = 200 }; /* the latter is the original's, within the body */

/* What a node may say of times: up to the year 9999, or a century. */
#define MOMENT_MS_MAX INT64_C(253402300799999)
#define LAG_S_MAX 3.2e9

enum { SERIES_BYTES_MAX = 128 }; /* a metric with its labels, between the marks of a line */

/* ---- members ---- */

/* The member if it is there and of that kind. */
static const struct sl_json *member_of(const struct sl_json *object, const char *name,
                                       enum sl_json_kind kind)
{
    const struct sl_json *value = sl_json_member(object, name);

    return value != NULL && sl_json_kind(value) == kind ? value : NULL;
}

static void text_of(const struct sl_json *object, const char *name, char *out, size_t size)
{
    const struct sl_json *value = member_of(object, name, SL_JSON_TEXT);

    ctl_text_clean(value != NULL ? sl_json_text(value) : "", out, size);
}

static int64_t int_of(const struct sl_json *object, const char *name, int64_t otherwise)
{
    const struct sl_json *value = member_of(object, name, SL_JSON_INT);

    return value != NULL ? sl_json_int(value) : otherwise;
}

static enum sl_err parse(struct sl_slice body, const char *what, struct sl_json **out,
                         struct sl_why *why)
{
    enum sl_err err = sl_json_parse(body, out, why);

    if (err == SL_OK && sl_json_kind(*out) != SL_JSON_OBJECT) {
        sl_json_free(out);
        err = sl_fail(why, SL_INVALID, "not an object");
    }
    return err == SL_OK ? SL_OK : sl_wrap(why, SL_INVALID, "the answer is no %s", what);
}

/* ---- orders ---- */

enum sl_err ctl_answer_to_order(struct sl_slice body, struct sl_why *why)
{
    struct sl_json *answer;
    char            message[SL_WHY_BYTES_MAX];
    int64_t         code;

    if (parse(body, "answer of a pump or drainer", &answer, why) != SL_OK)
        return SL_INVALID;
    code = int_of(answer, "code", 0);
    text_of(answer, "message", message, sizeof message);
    sl_json_free(&answer);
    if (code == CODE_OK)
        return SL_OK;
    return sl_fail(why, SL_DENIED, "%s", message[0] != '\0' ? message : "the node refuses");
}

enum sl_err ctl_order(const struct sl_env *env, const struct sl_node *node, const char *action,
                      struct sl_why *why)
{
    char               id[3 * SL_NODE_ID_BYTES_MAX];
    char               path[sizeof id + SL_CTL_WORD_BYTES_MAX];
    struct sl_http_ask ask = {.method = "PUT", .address = node->host, .path = path};
    enum sl_err        err;

    if (!sl_http_encode(node->id, id, sizeof id))
        return sl_fail(why, SL_TOO_LARGE, "nodeID %s is too long", node->id);
    (void)snprintf(path, sizeof path, "/state/%s/%s", id, action);
    sl_http_ask_all(env, &ask, 1, (sl_nanos)SL_CTL_ACTION_MS * SL_NANOS_PER_MS);
    if (ask.err != SL_OK)
        return sl_fail(why, ask.err, "%s", ask.why.text);
    if (ask.status != HTTP_OK)
        err = sl_fail(why, SL_INVALID, "%s answers with HTTP status %u", node->host, ask.status);
    else
        err = ctl_answer_to_order(sl_slice_from_buf(ask.answer), why);
    sl_buf_free(&ask.answer);
    return err;
}

/* ---- how they are ---- */

/* A moment as text, or in milliseconds of Unix time. */
static void read_since(const struct sl_json *object, struct ctl_doing *out)
{
    int64_t ms = int_of(object, "since", 0);
    char    text[CTL_TIME_BYTES];

    text_of(object, "since", out->since, sizeof out->since);
    if (ms <= 0 || ms > MOMENT_MS_MAX)
        return;
    ctl_text_rfc3339(ms, text);
    (void)snprintf(out->since, sizeof out->since, "%s", text);
}

static void read_doing(const struct sl_json *object, struct ctl_doing *out)
{
    const struct sl_json *lag = sl_json_member(object, "lag_seconds");

    text_of(object, "state", out->state, sizeof out->state);
    read_since(object, out);
    text_of(object, "code", out->code, sizeof out->code);
    text_of(object, "reason", out->reason, sizeof out->reason);
    text_of(object, "waiting_on", out->waiting_on, sizeof out->waiting_on);
    if (lag != NULL && sl_json_kind(lag) == SL_JSON_INT && sl_json_int(lag) >= 0)
        out->lag_s = sl_json_int(lag);
    else if (lag != NULL && sl_json_kind(lag) == SL_JSON_REAL && sl_json_real(lag) >= 0 &&
             sl_json_real(lag) < LAG_S_MAX)
        out->lag_s = (int64_t)sl_json_real(lag);
}

enum sl_err ctl_answer_of_drainer(struct sl_slice body, struct ctl_drainer_status *out,
                                  struct sl_why *why)
{
    struct ctl_drainer_status status = {.doing.lag_s = -1};
    const struct sl_json     *value;
    struct sl_json           *answer;

    if (parse(body, "drainer's status", &answer, why) != SL_OK)
        return SL_INVALID;
    if (member_of(answer, "LastTS", SL_JSON_INT) == NULL) {
        sl_json_free(&answer);
        return sl_fail(why, SL_INVALID, "the answer is no drainer's status: it has no LastTS");
    }
    status.last_ts = int_of(answer, "LastTS", 0);
    if ((value = member_of(answer, "Synced", SL_JSON_BOOL)) != NULL)
        status.synced = sl_json_bool(value);
    if ((value = member_of(answer, "sluice", SL_JSON_OBJECT)) != NULL)
        read_doing(value, &status.doing);
    sl_json_free(&answer);
    *out = status;
    return SL_OK;
}

enum sl_err ctl_answer_of_pump(struct sl_slice body, struct sl_why *why)
{
    struct sl_json *answer;
    char            message[SL_WHY_BYTES_MAX];
    bool            known;

    if (parse(body, "pump's status", &answer, why) != SL_OK)
        return SL_INVALID;
    known = sl_json_member(answer, "CommitTS") != NULL;
    text_of(answer, "ErrMsg", message, sizeof message);
    sl_json_free(&answer);
    if (!known)
        return sl_fail(why, SL_INVALID, "the answer is no pump's status: it has no CommitTS");
    return message[0] == '\0' ? SL_OK : sl_fail(why, SL_UNAVAILABLE, "%s", message);
}

/* ---- figures ---- */

/* The value of the series, which is written with its labels; 0: it is not there, or has a value
 * that none of these can have. */
static double figure_of(struct sl_slice body, const char *series)
{
    char        line[SERIES_BYTES_MAX];
    int         length = snprintf(line, sizeof line, "\n%s ", series);
    const char *at = memmem(body.bytes, body.len, line, (size_t)length);
    size_t      left;
    double      value;
    char       *end;

    if (at == NULL)
        return 0;
    at += length;
    left = body.len - (size_t)(at - (const char *)body.bytes);
    (void)snprintf(line, sizeof line, "%.*s",
                   (int)(left < sizeof line - 1 ? left : sizeof line - 1), at);
    value = strtod(line, &end);
    return end != line && value >= 0 && value < 0x1p62 ? value : 0;
}

void ctl_answer_of_metrics(struct sl_slice body, struct ctl_pump_figures *out)
{
    static const char size[] = "binlog_pump_storage_storage_size_bytes";
    char              series[SERIES_BYTES_MAX - 2];

    (void)snprintf(series, sizeof series, "%s{type=\"capacity\"}", size);
    out->disk_bytes = (uint64_t)figure_of(body, series);
    (void)snprintf(series, sizeof series, "%s{type=\"available\"}", size);
    out->disk_free_bytes = (uint64_t)figure_of(body, series);
    out->removed_ms = (int64_t)figure_of(body, "binlog_pump_storage_gc_ts");
}
