#include "runtime/topology.h"

#include <string.h>

#include "base/assert.h"

static const char *const lane_names[SL_LANES] = {
    [SL_LANE_COMPUTE] = "compute", [SL_LANE_DISK] = "disk", [SL_LANE_SYNC] = "sync",
    [SL_LANE_PEER] = "peer",       [SL_LANE_IO] = "io",
};

const struct sl_actor_class sl_outside_class = {.name = "outside"};

static uint32_t path_length(const struct sl_topology_line *line)
{
    uint32_t length = 0;

    while (line->path[length] != NULL)
        length++;
    return length;
}

static const struct sl_topology_actor *find_actor(const struct sl_topology    *topology,
                                                  const struct sl_actor_class *class_of)
{
    for (uint32_t i = 0; i < topology->actor_count; i++) {
        if (topology->actors[i].class_of == class_of)
            return &topology->actors[i];
    }
    return NULL;
}

/* Messages of this line that can be in one mailbox of the class at one time. */
static uint64_t line_items(const struct sl_topology_line *line,
                           const struct sl_actor_class   *class_of)
{
    for (uint32_t i = 1; line->path[i] != NULL; i++) {
        if (line->path[i] == class_of)
            return (uint64_t)line->credits * line->inputs + line->common_credits;
    }
    return 0;
}

uint64_t sl_topology_mailbox_items(const struct sl_topology    *topology,
                                   const struct sl_actor_class *class_of)
{
    uint64_t items = (uint64_t)class_of->questions_max + class_of->waits_max +
                     class_of->timers_max + class_of->children_max + SL_SYSTEM_MAIL;

    for (uint32_t i = 0; i < topology->line_count; i++)
        items += line_items(&topology->lines[i], class_of);
    return items;
}

static enum sl_err check_actor(const struct sl_topology *topology, uint32_t index,
                               struct sl_why *why)
{
    const struct sl_topology_actor *actor = &topology->actors[index];
    const struct sl_actor_class    *class_of = actor->class_of;
    uint64_t                        items = sl_topology_mailbox_items(topology, class_of);

    if (strlen(class_of->name) >= SL_NAME_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "actor %s: a name has at most %u bytes", class_of->name,
                       (unsigned)SL_NAME_BYTES_MAX - 1);
    if (actor->count_max == 0)
        return sl_fail(why, SL_INVALID, "actor %s: count_max is 0", class_of->name);
    if (class_of->lane >= SL_LANES || class_of->handle == NULL)
        return sl_fail(why, SL_INVALID, "actor %s: no lane or no handler", class_of->name);
    if (class_of->questions_max > 0 && class_of->system == NULL)
        return sl_fail(why, SL_INVALID, "actor %s: it asks, so it needs a system hook for GONE",
                       class_of->name);
    if (class_of->waits_max > 0 && class_of->system == NULL)
        return sl_fail(why, SL_INVALID,
                       "actor %s: it waits for lines, so it needs a system hook for OPEN and "
                       "GRANTED",
                       class_of->name);
    if (items > SL_MAILBOX_ITEMS_MAX)
        return sl_fail(why, SL_INVALID,
                       "actor %s: its mailbox would need %llu places, SL_MAILBOX_ITEMS_MAX is %u",
                       class_of->name, (unsigned long long)items, (unsigned)SL_MAILBOX_ITEMS_MAX);
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(topology->actors[i].class_of->name, class_of->name) == 0)
            return sl_fail(why, SL_INVALID, "actor %s is listed twice", class_of->name);
    }
    return SL_OK;
}

static enum sl_err check_line(const struct sl_topology *topology, uint32_t index,
                              struct sl_why *why)
{
    const struct sl_topology_line *line = &topology->lines[index];

    if (line->name == NULL)
        return SL_OK; /* left out */
    if (strlen(line->name) >= SL_NAME_BYTES_MAX)
        return sl_fail(why, SL_INVALID, "line %s: a name has at most %u bytes", line->name,
                       (unsigned)SL_NAME_BYTES_MAX - 1);
    if (line->credits == 0 || line->credits > SL_LINE_CREDITS_MAX)
        return sl_fail(why, SL_INVALID, "line %s: credits must be 1..%u", line->name,
                       (unsigned)SL_LINE_CREDITS_MAX);
    if (line->inputs == 0 || line->inputs > SL_LINE_INPUTS_MAX)
        return sl_fail(why, SL_INVALID, "line %s: inputs must be 1..%u", line->name,
                       (unsigned)SL_LINE_INPUTS_MAX);
    if (line->bytes > INT64_MAX)
        return sl_fail(why, SL_INVALID, "line %s: too many bytes", line->name);
    if (line->path[SL_LINE_PATH_MAX] != NULL)
        return sl_fail(why, SL_INVALID, "line %s: a path has at most %u actors", line->name,
                       (unsigned)SL_LINE_PATH_MAX);
    if (path_length(line) < 2)
        return sl_fail(why, SL_INVALID,
                       "line %s: a path has an entrance and at least one actor more", line->name);
    if (line->path[0] == &sl_outside_class && line->path[1] != topology->actors[0].class_of)
        return sl_fail(why, SL_INVALID, "line %s: what comes from outside goes to the root",
                       line->name);
    for (uint32_t i = 0; line->path[i] != NULL; i++) {
        bool is_outside = i == 0 && line->path[i] == &sl_outside_class;

        if (!is_outside && find_actor(topology, line->path[i]) == NULL)
            return sl_fail(why, SL_INVALID, "line %s: actor %s is not listed", line->name,
                           line->path[i]->name);
        for (uint32_t j = 0; j < i; j++) {
            if (line->path[j] == line->path[i])
                return sl_fail(why, SL_INVALID, "line %s: passes %s twice", line->name,
                               line->path[i]->name);
        }
    }
    for (uint32_t i = 0; i < index; i++) {
        if (topology->lines[i].name != NULL && strcmp(topology->lines[i].name, line->name) == 0)
            return sl_fail(why, SL_INVALID, "line %s is listed twice", line->name);
    }
    return SL_OK;
}

enum sl_err sl_topology_check(const struct sl_topology *topology, struct sl_why *why)
{
    enum sl_err err = SL_OK;

    if (topology->actor_count == 0 || topology->actor_count > SL_CLASSES_MAX ||
        topology->line_count > SL_LINES_MAX)
        return sl_fail(why, SL_INVALID, "topology %s: 1..%u actors and at most %u lines",
                       topology->program, (unsigned)SL_CLASSES_MAX, (unsigned)SL_LINES_MAX);
    /* Lines first: the sums over them take it that each path ends. */
    for (uint32_t i = 0; i < topology->line_count && err == SL_OK; i++)
        err = check_line(topology, i, why);
    for (uint32_t i = 0; i < topology->actor_count && err == SL_OK; i++)
        err = check_actor(topology, i, why);
    return err == SL_OK ? SL_OK : sl_wrap(why, err, "topology %s", topology->program);
}

/* ---- printing ---- */

static void print_line(const struct sl_topology_line *line, FILE *out)
{
    fprintf(out, "  %-16s ", line->name);
    for (uint32_t i = 0; line->path[i] != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? "" : " -> ", line->path[i]->name);
    fprintf(out, "   %u credits", line->credits);
    if (line->bytes > 0)
        fprintf(out, ", %llu bytes", (unsigned long long)line->bytes);
    if (line->inputs > 1)
        fprintf(out, ", each of %u inputs", line->inputs);
    if (line->common_credits > 0)
        fprintf(out, ", %u in common", line->common_credits);
    fputc('\n', out);
}

static void print_text(const struct sl_topology *topology, FILE *out)
{
    fprintf(out, "%s\n\nactors\n", topology->program);
    for (uint32_t i = 0; i < topology->actor_count; i++) {
        const struct sl_actor_class *class_of = topology->actors[i].class_of;

        fprintf(out, "  %-16s lane %-8s at most %-5u mailbox %llu\n", class_of->name,
                lane_names[class_of->lane], topology->actors[i].count_max,
                (unsigned long long)sl_topology_mailbox_items(topology, class_of));
    }
    fprintf(out, "\nlines\n");
    for (uint32_t i = 0; i < topology->line_count; i++)
        if (topology->lines[i].name != NULL)
            print_line(&topology->lines[i], out);
    if (topology->line_count == 0)
        fprintf(out, "  none\n");
}

static void print_graphviz(const struct sl_topology *topology, FILE *out)
{
    fprintf(out, "digraph \"%s\" {\n  rankdir=LR;\n  node [shape=box];\n", topology->program);
    for (uint32_t i = 0; i < topology->actor_count; i++)
        fprintf(out, "  \"%s\" [label=\"%s\\n%s\"];\n", topology->actors[i].class_of->name,
                topology->actors[i].class_of->name, lane_names[topology->actors[i].class_of->lane]);
    for (uint32_t i = 0; i < topology->line_count; i++) {
        const struct sl_topology_line *line = &topology->lines[i];

        for (uint32_t j = 1; line->path[j] != NULL; j++)
            fprintf(out, "  \"%s\" -> \"%s\" [label=\"%s %ux%u\"];\n", line->path[j - 1]->name,
                    line->path[j]->name, line->name, line->inputs, line->credits);
    }
    fprintf(out, "}\n");
}

void sl_topology_print(const struct sl_topology *topology, enum sl_topology_format format,
                       FILE *out)
{
    switch (format) {
    case SL_TOPOLOGY_TEXT: print_text(topology, out); return;
    case SL_TOPOLOGY_GRAPHVIZ: print_graphviz(topology, out); return;
    }
    SL_UNREACHABLE("not a format");
}
