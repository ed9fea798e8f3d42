#ifndef SL_RUNTIME_TOPOLOGY_H
#define SL_RUNTIME_TOPOLOGY_H

/* Topology: which actors a program has and which lines run through them, as one table.
 *
 * The same table sizes the mailboxes, checks that each message stays on its line, and prints the
 * graph that `--topology` shows. A mailbox holds, in messages: for each line through the actor
 * (other than as its entrance) all credits of all instances and the common pool, then questions_max
 * + waits_max + timers_max + children_max of the class, then SL_SYSTEM_MAIL. So overflow is
 * impossible, and a bug where it happens. */

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "runtime/actor.h"

/* How many actors of a class there may be; one more makes sl_spawn say SL_FULL. */
struct sl_topology_actor {
    const struct sl_actor_class *class_of;
    uint32_t                     count_max; /* alive at one time */
};

/* One line; an actor finds its instances by the index in `lines` (sl_line). One of all zeros is
 * left out: a table with part of a program's actors can keep the program's indexes. */
struct sl_topology_line {
    const char *name;
    uint32_t    credits;        /* messages on one instance at one time */
    uint64_t    bytes;          /* payload bytes on one instance at one time */
    uint32_t    inputs;         /* instances, at least 1 */
    uint32_t    common_credits; /* of a join: shared, for the input that holds the minimum */
    /* In the order of travel; the first one is the entrance (it sends). NULL-terminated. */
    const struct sl_actor_class *path[SL_LINE_PATH_MAX + 1];
};

/* The entrance of a line whose messages come from outside the runtime (sl_runtime_tell), and go to
 * the root first. It stands for them on the path and is no actor: no table lists it. */
extern const struct sl_actor_class sl_outside_class;

/* The table of one program, with all that it points to: static and constant. */
struct sl_topology {
    const char                     *program;
    const struct sl_topology_actor *actors; /* the first one is the root */
    uint32_t                        actor_count;
    const struct sl_topology_line  *lines;
    uint32_t                        line_count;
};

/* How sl_topology_print draws it. */
enum sl_topology_format { SL_TOPOLOGY_TEXT, SL_TOPOLOGY_GRAPHVIZ };

/* Is the table sound: names unique and within SL_NAME_BYTES_MAX, counts in range, every class on a
 * path listed, every mailbox within SL_MAILBOX_ITEMS_MAX? SL_INVALID with a reason. */
enum sl_err sl_topology_check(const struct sl_topology *topology, struct sl_why *why);

/* Places in the mailbox of one class of this topology. */
uint64_t sl_topology_mailbox_items(const struct sl_topology    *topology,
                                   const struct sl_actor_class *class_of);

/* Print the graph: as text for people, or as Graphviz source. */
void sl_topology_print(const struct sl_topology *topology, enum sl_topology_format format,
                       FILE *out);

#endif
