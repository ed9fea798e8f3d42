#include "ctl/report.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/table.h"
#include "ctl/text.h"

static const char *const pump_titles[] = {"PUMP",      "ADDR",   "STATE",     "NEWEST COMMIT",
                                          "HEARTBEAT", "WRITES", "DISK USED", "KEEPS BACK"};
static const char *const drainer_titles[] = {"DRAINER",    "ADDR",      "STATE", "LAG",
                                             "CHECKPOINT", "HEARTBEAT", "DOING"};

enum {
    PUMP_COLUMNS = sizeof pump_titles / sizeof *pump_titles,
    DRAINER_COLUMNS = sizeof drainer_titles / sizeof *drainer_titles,
    /* Where remarks begin, behind the longest word for their weight. */
    INDENT = 10,
};

bool ctl_report_shows(const struct ctl_report *report, const struct ctl_node *node)
{
    return (report->kind == SL_NODE_KINDS || report->kind == node->kind) &&
           (report->offline || node->record.state != SL_NODE_OFFLINE);
}

/* ---- cells ---- */

static void add_ago(struct ctl_table *table, int64_t ms)
{
    char text[CTL_TIME_BYTES] = "";
    char span[CTL_TIME_BYTES];

    if (ms >= 0) {
        ctl_text_span(ms, span);
        (void)snprintf(text, sizeof text, "%.60s ago", span);
    }
    ctl_table_add(table, text);
}

static void add_head(struct ctl_table *table, const struct ctl_node *node)
{
    char text[SL_CTL_WORD_BYTES_MAX];
    char host[SL_ADDR_BYTES_MAX];
    bool silent = ctl_node_claims_to_run(node) && node->answer != SL_OK;

    ctl_text_clean(node->record.host, host, sizeof host);
    ctl_table_add(table, node->record.id);
    ctl_table_add(table, host);
    (void)snprintf(text, sizeof text, "%s%s", sl_node_state_name(node->record.state),
                   silent ? ", silent" : "");
    ctl_table_add(table, text);
}

static void add_pump(struct ctl_table *table, const struct ctl_view *view,
                     const struct ctl_node *node)
{
    static const char *const words[] = {
        [CTL_READY_NOT_SAID] = "", [CTL_READY] = "taken", [CTL_NOT_READY] = "refused"};
    const struct ctl_pump_figures *figures = &node->figures;
    char                           text[CTL_TIME_BYTES] = "";

    add_head(table, node);
    add_ago(table, ctl_node_lag_ms(view, node));
    add_ago(table, ctl_node_silent_ms(view, node));
    ctl_table_add(table, words[node->ready]);
    if (figures->disk_bytes >= figures->disk_free_bytes && figures->disk_bytes > 0)
        ctl_text_share(figures->disk_bytes - figures->disk_free_bytes, figures->disk_bytes, text);
    ctl_table_add(table, text);
    text[0] = '\0';
    if (figures->removed_ms > 0)
        ctl_text_span(sl_ts_physical_ms(view->now) - figures->removed_ms, text);
    ctl_table_add(table, text);
}

static void add_drainer(struct ctl_table *table, const struct ctl_view *view,
                        const struct ctl_node *node)
{
    sl_ts   checkpoint = ctl_node_checkpoint(node);
    int64_t lag = ctl_node_lag_ms(view, node);
    char    text[2 * CTL_TIME_BYTES] = "";
    char    moment[CTL_TIME_BYTES];

    add_head(table, node);
    if (lag >= 0)
        ctl_text_span(lag, text);
    ctl_table_add(table, text);
    text[0] = '\0';
    if (checkpoint > 0) {
        ctl_text_moment(sl_ts_physical_ms(checkpoint), view->wall_ms, moment);
        (void)snprintf(text, sizeof text, "%s (%" PRId64 ")", moment, checkpoint);
    }
    ctl_table_add(table, text);
    add_ago(table, ctl_node_silent_ms(view, node));
    ctl_table_add(table, node->drainer.doing.state);
}

static void write_kind(const struct ctl_report *report, enum sl_node_kind kind, FILE *out)
{
    struct ctl_table *table = kind == SL_NODE_PUMP ? ctl_table_new(pump_titles, PUMP_COLUMNS)
                                                   : ctl_table_new(drainer_titles, DRAINER_COLUMNS);
    bool              any = false;

    for (size_t i = 0; i < report->view->count; i++) {
        const struct ctl_node *node = &report->view->nodes[i];

        if (node->kind != kind || !ctl_report_shows(report, node))
            continue;
        if (kind == SL_NODE_PUMP)
            add_pump(table, report->view, node);
        else
            add_drainer(table, report->view, node);
        any = true;
    }
    if (any) {
        fputc('\n', out);
        ctl_table_write(table, out);
    }
    ctl_table_free(&table);
}

/* ---- the verdict ---- */

static const char *word_of(enum ctl_severity severity)
{
    static const char *const words[] = {[CTL_FINE] = "ok",
                                        [CTL_NOTE] = "note",
                                        [CTL_DEGRADED] = "degraded",
                                        [CTL_AT_RISK] = "at risk"};

    return words[severity];
}

static void write_head(const struct ctl_report *report, FILE *out)
{
    static const char *const words[] = {[CTL_FINE] = "OK",
                                        [CTL_NOTE] = "OK",
                                        [CTL_DEGRADED] = "DEGRADED",
                                        [CTL_AT_RISK] = "DATA AT RISK"};
    char                     clock[CTL_TIME_BYTES];
    size_t                   count = report->verdict->count;

    ctl_text_clock(report->view->wall_ms, clock);
    fprintf(out, "cluster %" PRIu64 "   pd %s   checked %s   %s", report->view->cluster_id,
            report->pd_urls, clock, words[report->verdict->worst]);
    if (count > 0)
        fprintf(out, ", %zu note%s", count, count == 1 ? "" : "s");
    fputc('\n', out);
}

static void write_note(const struct ctl_note *note, FILE *out)
{
    fprintf(out, "%-*s%s%s%s\n", INDENT, word_of(note->severity),
            note->node != NULL ? note->node->record.id : "", note->node != NULL ? " " : "",
            note->text);
    for (size_t i = 0; i < CTL_REMEDIES; i++)
        if (note->remedy[i][0] != '\0')
            fprintf(out, "%*s%s\n", INDENT, "", note->remedy[i]);
}

void ctl_report_write(const struct ctl_report *report, FILE *out)
{
    write_head(report, out);
    if (report->kind != SL_NODE_DRAINER)
        write_kind(report, SL_NODE_PUMP, out);
    if (report->kind != SL_NODE_PUMP)
        write_kind(report, SL_NODE_DRAINER, out);
    if (report->verdict->count > 0)
        fputc('\n', out);
    for (size_t i = 0; i < report->verdict->count; i++)
        write_note(&report->verdict->notes[i], out);
}
