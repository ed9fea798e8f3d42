#include "ctl/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/condition.h"
#include "ctl/text.h"

enum { NOTES_MAX = 4 }; /* remarks on one node, and on the cluster */

/* A judgement being made. */
struct judge {
    const struct ctl_view   *view;
    const struct ctl_limits *limits;
    struct ctl_verdict      *verdict;
    size_t                   room;
};

/* How many nodes are what. */
struct tally {
    size_t registered; /* all but those offline */
    size_t working;    /* online, answer, and do not say that they take no writes */
};

/* ---- remarks ---- */

static struct ctl_note *add(struct judge *j, enum ctl_severity severity,
                            const struct ctl_node *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static struct ctl_note *add(struct judge *j, enum ctl_severity severity,
                            const struct ctl_node *node, const char *format, ...)
{
    struct ctl_note *note;
    va_list          args;

    SL_ASSERT(j->verdict->count < j->room);
    note = &j->verdict->notes[j->verdict->count++];
    *note = (struct ctl_note){.severity = severity, .node = node};
    va_start(args, format);
    (void)vsnprintf(note->text, sizeof note->text, format, args);
    va_end(args);
    if (severity > j->verdict->worst)
        j->verdict->worst = severity;
    return note;
}

static void remedy(struct ctl_note *note, size_t which, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void remedy(struct ctl_note *note, size_t which, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(note->remedy[which], sizeof note->remedy[which], format, args);
    va_end(args);
}

/* A process that is not there can be started or given up. */
static void remedy_start(struct ctl_note *note)
{
    const struct ctl_node *node = note->node;

    remedy(note, 0, "start it again: it is the %s at %s",
           node->kind == SL_NODE_PUMP ? "pump" : "drainer", node->record.host);
    remedy(note, 1, "give it up%s: binlogctl offline %s --force",
           node->kind == SL_NODE_PUMP ? ", and what no drainer has read of it" : "",
           node->record.id);
}

/* ---- what any node may have ---- */

/* "for 5m 02s", as far as it is known. */
static void for_how_long(const struct judge *j, const struct ctl_node *node,
                         char out[2 * CTL_TIME_BYTES])
{
    int64_t ms = ctl_node_silent_ms(j->view, node);
    char    span[CTL_TIME_BYTES];

    ctl_text_span(ms, span);
    (void)snprintf(out, 2 * CTL_TIME_BYTES, "for %s", ms < 0 ? "an unknown time" : span);
}

/* It says that it runs, and does not answer. */
static bool judge_silence(struct judge *j, const struct ctl_node *node)
{
    int64_t ms = ctl_node_silent_ms(j->view, node);
    char    span[CTL_TIME_BYTES];

    if (!ctl_node_claims_to_run(node) || node->answer == SL_OK)
        return false;
    ctl_text_span(ms, span);
    if (node->answer == SL_INVALID) {
        (void)add(j, CTL_DEGRADED, node, "is %s; who answers at its address is not it: %s",
                  sl_node_state_name(node->record.state), node->silence.text);
        return true;
    }
    remedy_start(add(j, CTL_DEGRADED, node,
                     "is registered as %s and cannot be asked: %s; its last heartbeat was %s%s",
                     sl_node_state_name(node->record.state), node->silence.text,
                     ms < 0 ? "at an unknown time" : span, ms < 0 ? "" : " ago"));
    return true;
}

/* ---- pumps ---- */

static void judge_pump(struct judge *j, const struct ctl_node *node, bool drainers)
{
    char             how_long[2 * CTL_TIME_BYTES];
    struct ctl_note *note;

    if (judge_silence(j, node))
        return;
    for_how_long(j, node, how_long);
    switch (node->record.state) {
    case SL_NODE_ONLINE:
        if (node->ready == CTL_NOT_READY)
            (void)add(j, CTL_DEGRADED, node, "takes no writes: %s", node->not_ready);
        return;
    case SL_NODE_PAUSED:
        if (node->answer == SL_OK) {
            (void)add(j, CTL_NOTE, node, "is starting: it waits until every drainer knows it");
            return;
        }
        note = add(j, drainers ? CTL_DEGRADED : CTL_NOTE, node, "has been paused %s%s", how_long,
                   drainers ? ": all drainers wait for what it may hold" : "");
        remedy_start(note);
        return;
    case SL_NODE_PAUSING: (void)add(j, CTL_NOTE, node, "is about to pause"); return;
    case SL_NODE_CLOSING:
        (void)add(j, CTL_NOTE, node,
                  "is closing: it goes offline when every drainer has what it holds");
        return;
    case SL_NODE_OFFLINE:
    case SL_NODE_ABSENT:
    case SL_NODE_STATES: return;
    }
}

/* ---- drainers ---- */

/* Has a pump thrown away what this drainer has not read? */
static bool judge_removed(struct judge *j, const struct ctl_node *node)
{
    int64_t                checkpoint_ms = sl_ts_physical_ms(ctl_node_checkpoint(node));
    int64_t                most = checkpoint_ms;
    const struct ctl_node *pump = NULL;
    char                   span[CTL_TIME_BYTES];

    for (size_t i = 0; i < j->view->count; i++) {
        const struct ctl_node *other = &j->view->nodes[i];

        if (other->kind == SL_NODE_PUMP && other->figures.removed_ms > most) {
            pump = other;
            most = other->figures.removed_ms;
        }
    }
    if (checkpoint_ms <= 0 || pump == NULL)
        return false;
    ctl_text_span(most - checkpoint_ms, span);
    remedy(add(j, CTL_AT_RISK, node,
               "has not read %s of what %s may have thrown away: its downstream misses that", span,
               pump->record.id),
           0, "compare source and downstream, or begin anew from a full backup");
    return true;
}

static void judge_lag(struct judge *j, const struct ctl_node *node)
{
    int64_t ms = ctl_node_lag_ms(j->view, node);
    char    lag[CTL_TIME_BYTES];
    char    left[CTL_TIME_BYTES];

    ctl_text_span(ms, lag);
    ctl_text_span(j->limits->retention_ms - ms, left);
    if (ms >= j->limits->retention_ms / 4 * 3)
        (void)add(j, CTL_AT_RISK, node,
                  "is %s behind: pumps may throw away what it has not read %s%s", lag,
                  ms < j->limits->retention_ms ? "in " : "now",
                  ms < j->limits->retention_ms ? left : "");
    else if (ms > j->limits->max_lag_ms && node->record.state == SL_NODE_ONLINE)
        (void)add(j, CTL_DEGRADED, node, "is %s behind%s%s", lag,
                  node->drainer.doing.waiting_on[0] != '\0' ? ", and waits on " : "",
                  node->drainer.doing.waiting_on);
}

static void judge_doing(struct judge *j, const struct ctl_node *node)
{
    const struct ctl_doing *doing = &node->drainer.doing;
    struct ctl_note        *note;

    if (doing->state[0] == '\0' || strcmp(doing->state, "running") == 0)
        return;
    note = add(j, CTL_DEGRADED, node, "is %s%s%s%s%s%s%s%s", doing->state,
               doing->since[0] != '\0' ? " since " : "", doing->since,
               doing->reason[0] != '\0' ? ": " : "", doing->reason,
               doing->code[0] != '\0' ? " (" : "", doing->code, doing->code[0] != '\0' ? ")" : "");
    if (sl_condition_find(doing->code) != SL_CONDITIONS)
        remedy(note, 0, "what to do: binlogctl explain-error %s", doing->code);
}

/* For how long pumps still keep what a paused drainer has not read; "" where it is too late for
 * that, which another remark says, or nothing is known. */
static void what_is_left(const struct judge *j, const struct ctl_node *node,
                         char out[2 * CTL_TIME_BYTES])
{
    int64_t lag_ms = ctl_node_lag_ms(j->view, node);
    char    span[CTL_TIME_BYTES];

    out[0] = '\0';
    if (lag_ms < 0 || lag_ms >= j->limits->retention_ms)
        return;
    ctl_text_span(j->limits->retention_ms - lag_ms, span);
    (void)snprintf(out, 2 * CTL_TIME_BYTES, "; pumps keep what it has not read for %s more", span);
}

static void judge_drainer(struct judge *j, const struct ctl_node *node)
{
    char how_long[2 * CTL_TIME_BYTES];
    char left[2 * CTL_TIME_BYTES];

    if (node->record.state == SL_NODE_OFFLINE)
        return;
    for_how_long(j, node, how_long);
    what_is_left(j, node, left);
    if (!judge_silence(j, node)) {
        if (node->record.state == SL_NODE_PAUSED)
            remedy_start(add(j, CTL_NOTE, node, "has been paused %s%s", how_long, left));
        else if (node->record.state == SL_NODE_ONLINE)
            judge_doing(j, node);
        else
            (void)add(j, CTL_NOTE, node, "is about to %s",
                      node->record.state == SL_NODE_PAUSING ? "pause" : "go offline");
    }
    if (!judge_removed(j, node))
        judge_lag(j, node);
}

/* ---- the whole ---- */

static struct tally count_nodes(const struct ctl_view *view, enum sl_node_kind kind)
{
    struct tally tally = {0};

    for (size_t i = 0; i < view->count; i++) {
        const struct ctl_node *node = &view->nodes[i];

        if (node->kind != kind || node->record.state == SL_NODE_OFFLINE)
            continue;
        tally.registered++;
        if (node->record.state == SL_NODE_ONLINE && node->answer == SL_OK &&
            node->ready != CTL_NOT_READY)
            tally.working++;
    }
    return tally;
}

static void judge_cluster(struct judge *j, const struct tally *pumps, const struct tally *drainers)
{
    if (pumps->registered == 0)
        (void)add(j, CTL_DEGRADED, NULL, "no pump is registered");
    else if (pumps->working == 0)
        remedy(add(j, CTL_AT_RISK, NULL,
                   "no pump takes writes: TiDB's transactions fail, or go on without a binlog"),
               0, "the remarks on the pumps say why");
    if (drainers->registered == 0 && pumps->registered > 0)
        (void)add(j, CTL_NOTE, NULL, "no drainer is registered: nobody reads what the pumps take");
}

static int compare(const void *a, const void *b)
{
    const struct ctl_note *one = a;
    const struct ctl_note *other = b;

    if (one->severity != other->severity)
        return one->severity < other->severity ? 1 : -1;
    if (one->node != other->node) /* both lie in the view, or are NULL */
        return one->node < other->node ? -1 : 1;
    return strcmp(one->text, other->text);
}

void ctl_judge(const struct ctl_view *view, const struct ctl_limits *limits, enum sl_node_kind kind,
               struct ctl_verdict *out)
{
    struct judge j = {
        .view = view, .limits = limits, .verdict = out, .room = (view->count + 1) * NOTES_MAX};
    struct tally pumps = count_nodes(view, SL_NODE_PUMP);
    struct tally drainers = count_nodes(view, SL_NODE_DRAINER);

    *out = (struct ctl_verdict){.notes = calloc(j.room, sizeof *out->notes)};
    SL_ASSERT(out->notes != NULL);
    if (kind != SL_NODE_DRAINER)
        judge_cluster(&j, &pumps, &drainers);
    for (size_t i = 0; i < view->count; i++) {
        const struct ctl_node *node = &view->nodes[i];

        if (kind != SL_NODE_KINDS && kind != node->kind)
            continue;
        if (node->kind == SL_NODE_PUMP)
            judge_pump(&j, node, drainers.registered > 0);
        else
            judge_drainer(&j, node);
    }
    qsort(out->notes, out->count, sizeof *out->notes, compare);
}

void ctl_verdict_free(struct ctl_verdict *verdict)
{
    free(verdict->notes);
    *verdict = (struct ctl_verdict){0};
}

enum sl_ctl_exit ctl_verdict_exit(const struct ctl_verdict *verdict)
{
    switch (verdict->worst) {
    case CTL_FINE:
    case CTL_NOTE: return SL_CTL_OK;
    case CTL_DEGRADED: return SL_CTL_DEGRADED;
    case CTL_AT_RISK: return SL_CTL_AT_RISK;
    }
    SL_UNREACHABLE("no severity");
}
