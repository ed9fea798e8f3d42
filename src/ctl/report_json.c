#include <inttypes.h>

#include "base/assert.h"
#include "ctl/report.h"
#include "ctl/text.h"
#include "base/json.h"

/* A part of the document is put together here and written; a byte of a text may become six. */
enum { PART_BYTES = 1 << 15 };
static_assert(6 * (SL_NODE_ID_BYTES_MAX + SL_ADDR_BYTES_MAX + 4 * SL_WHY_BYTES_MAX +
                   3 * SL_CTL_WORD_BYTES_MAX) +
                      2048 <
                  PART_BYTES,
              "a node fits");
static_assert(6 * (SL_NODE_ID_BYTES_MAX + CTL_REMARK_BYTES + CTL_REMEDIES * SL_WHY_BYTES_MAX) +
                      1024 <
                  PART_BYTES,
              "a remark fits");

/* The document being written. */
struct writer {
    FILE              *out;
    struct sl_json_out part;
    char               bytes[PART_BYTES];
};

static void flush(struct writer *w)
{
    SL_ASSERT(!w->part.full);
    (void)fwrite(w->bytes, 1, w->part.used, w->out);
    w->part.used = 0;
}

/* ---- members; each begins with what separates it from the one before ---- */

static void put_text(struct writer *w, const char *name, const char *text)
{
    sl_json_put(&w->part, name);
    sl_json_put_text(&w->part, text);
}

/* null where the text is empty: not known, or not said. */
static void put_known_text(struct writer *w, const char *name, const char *text)
{
    sl_json_put(&w->part, name);
    if (text[0] == '\0')
        sl_json_put(&w->part, "null");
    else
        sl_json_put_text(&w->part, text);
}

/* Milliseconds as seconds, to three places; null when negative: not known. */
static void put_seconds(struct writer *w, const char *name, int64_t ms)
{
    char text[40];

    (void)snprintf(text, sizeof text, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
    sl_json_put(&w->part, name);
    sl_json_put(&w->part, ms < 0 ? "null" : text);
}

static void put_bool(struct writer *w, const char *name, bool value)
{
    sl_json_put(&w->part, name);
    sl_json_put(&w->part, value ? "true" : "false");
}

/* A timestamp as it is, and as a moment. */
static void put_ts(struct writer *w, const char *name, const char *moment_name, sl_ts ts)
{
    char moment[CTL_TIME_BYTES] = "";

    if (ts > 0)
        ctl_text_rfc3339(sl_ts_physical_ms(ts), moment);
    sl_json_put(&w->part, name);
    sl_json_put_int(&w->part, ts);
    put_known_text(w, moment_name, moment);
}

/* ---- nodes ---- */

static void put_node_head(struct writer *w, const struct ctl_view *view,
                          const struct ctl_node *node)
{
    bool asked = node->record.state != SL_NODE_OFFLINE;

    put_text(w, "{\"node_id\":", node->record.id);
    put_text(w, ",\"addr\":", node->record.host);
    put_text(w, ",\"state\":", sl_node_state_name(node->record.state));
    put_seconds(w, ",\"heartbeat_age_seconds\":", ctl_node_silent_ms(view, node));
    put_bool(w, ",\"answers\":", node->answer == SL_OK);
    put_known_text(w,
                   ",\"answer_error\":", asked && node->answer != SL_OK ? node->silence.text : "");
}

static void put_figures(struct writer *w, const struct ctl_pump_figures *figures)
{
    bool said = figures->disk_bytes > 0;
    char moment[CTL_TIME_BYTES] = "";

    sl_json_put(&w->part, ",\"disk_bytes\":");
    if (said)
        sl_json_put_int(&w->part, (int64_t)figures->disk_bytes);
    sl_json_put(&w->part, said ? ",\"disk_free_bytes\":" : "null,\"disk_free_bytes\":null");
    if (said)
        sl_json_put_int(&w->part, (int64_t)figures->disk_free_bytes);
    if (figures->removed_ms > 0)
        ctl_text_rfc3339(figures->removed_ms, moment);
    put_known_text(w, ",\"removed_before\":", moment);
}

static void put_pump(struct writer *w, const struct ctl_view *view, const struct ctl_node *node)
{
    static const char *const words[] = {
        [CTL_READY_NOT_SAID] = "null", [CTL_READY] = "true", [CTL_NOT_READY] = "false"};

    put_node_head(w, view, node);
    put_ts(w, ",\"newest_commit_ts\":", ",\"newest_commit\":", node->record.max_commit_ts);
    put_seconds(w, ",\"newest_commit_age_seconds\":", ctl_node_lag_ms(view, node));
    sl_json_put(&w->part, ",\"takes_writes\":");
    sl_json_put(&w->part, words[node->ready]);
    put_known_text(w, ",\"refuses_writes_because\":", node->not_ready);
    put_figures(w, &node->figures);
    sl_json_put(&w->part, "}");
}

static void put_doing(struct writer *w, const struct ctl_doing *doing)
{
    if (doing->state[0] == '\0') {
        sl_json_put(&w->part, ",\"doing\":null");
        return;
    }
    put_text(w, ",\"doing\":{\"state\":", doing->state);
    put_known_text(w, ",\"since\":", doing->since);
    put_known_text(w, ",\"reason\":", doing->reason);
    put_known_text(w, ",\"code\":", doing->code);
    put_known_text(w, ",\"waiting_on\":", doing->waiting_on);
    sl_json_put(&w->part, "}");
}

static void put_drainer(struct writer *w, const struct ctl_view *view, const struct ctl_node *node)
{
    put_node_head(w, view, node);
    put_ts(w, ",\"checkpoint_ts\":", ",\"checkpoint\":", ctl_node_checkpoint(node));
    put_seconds(w, ",\"lag_seconds\":", ctl_node_lag_ms(view, node));
    put_doing(w, &node->drainer.doing);
    sl_json_put(&w->part, "}");
}

static void write_kind(struct writer *w, const struct ctl_report *report, enum sl_node_kind kind)
{
    const char *separator = "";

    sl_json_put(&w->part, kind == SL_NODE_PUMP ? ",\"pumps\":[" : ",\"drainers\":[");
    for (size_t i = 0; i < report->view->count; i++) {
        const struct ctl_node *node = &report->view->nodes[i];

        if (node->kind != kind || !ctl_report_shows(report, node))
            continue;
        sl_json_put(&w->part, separator);
        separator = ",";
        if (kind == SL_NODE_PUMP)
            put_pump(w, report->view, node);
        else
            put_drainer(w, report->view, node);
        flush(w);
    }
    sl_json_put(&w->part, "]");
}

/* ---- the document ---- */

static void write_notes(struct writer *w, const struct ctl_verdict *verdict)
{
    static const char *const words[] = {[CTL_FINE] = "ok",
                                        [CTL_NOTE] = "note",
                                        [CTL_DEGRADED] = "degraded",
                                        [CTL_AT_RISK] = "at_risk"};

    sl_json_put(&w->part, ",\"notes\":[");
    for (size_t i = 0; i < verdict->count; i++) {
        const struct ctl_note *note = &verdict->notes[i];
        const char            *separator = "";

        put_text(w, i > 0 ? ",{\"severity\":" : "{\"severity\":", words[note->severity]);
        put_known_text(w, ",\"node_id\":", note->node != NULL ? note->node->record.id : "");
        put_text(w, ",\"text\":", note->text);
        sl_json_put(&w->part, ",\"remedies\":[");
        for (size_t r = 0; r < CTL_REMEDIES; r++) {
            if (note->remedy[r][0] == '\0')
                continue;
            put_text(w, separator, note->remedy[r]);
            separator = ",";
        }
        sl_json_put(&w->part, "]}");
        flush(w);
    }
    sl_json_put(&w->part, "]}\n");
    flush(w);
}

void ctl_report_write_json(const struct ctl_report *report, FILE *out)
{
    static const char *const words[] = {[CTL_FINE] = "ok",
                                        [CTL_NOTE] = "ok",
                                        [CTL_DEGRADED] = "degraded",
                                        [CTL_AT_RISK] = "at_risk"};
    struct writer            w = {.out = out};
    char                     text[CTL_TIME_BYTES];

    w.part = (struct sl_json_out){.bytes = w.bytes, .room = sizeof w.bytes};
    (void)snprintf(text, sizeof text, "%" PRIu64, report->view->cluster_id);
    put_text(&w, "{\"schema\":1,\"cluster_id\":", text);
    ctl_text_rfc3339(report->view->wall_ms, text);
    put_text(&w, ",\"checked\":", text);
    put_ts(&w, ",\"now_ts\":", ",\"now\":", report->view->now);
    put_text(&w, ",\"verdict\":", words[report->verdict->worst]);
    if (report->kind != SL_NODE_DRAINER)
        write_kind(&w, report, SL_NODE_PUMP);
    if (report->kind != SL_NODE_PUMP)
        write_kind(&w, report, SL_NODE_DRAINER);
    write_notes(&w, report->verdict);
}
