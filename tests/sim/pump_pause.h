#ifndef SL_TESTS_SIM_PUMP_PAUSE_H
#define SL_TESTS_SIM_PUMP_PAUSE_H

/* Places in a pump where two steps of one hook follow each other without a gap, and which a thread
 * that is preempted there, or a crash, may hold open for long. Here they are held open: the actors'
 * own source is compiled anew, with one call that goes out of it turned into a pause of a random
 * length in which the rest of the pump, TiDB and the drainers go on (pump_pause_writer.c,
 * pump_pause_indexer.c). The production code has no hook for it.
 *
 * Linked into a program in place of the core's shard_writer.c and indexer.c. */

/* Which one is held open. */
enum pump_pause {
    PAUSE_NONE,
    PAUSE_BEFORE_ACK,     /* the sorter has the records; nobody hears that they are durable */
    PAUSE_BEFORE_VISIBLE, /* the index has the commits; no puller hears of their watermark */
    /* The two that the order of steps rules out, for canaries: */
    PAUSE_BEFORE_SORT,  /* a record is acknowledged, and the sorter has not got it */
    PAUSE_BEFORE_INDEX, /* a watermark is told, and the index has not got its commits */
};

enum { PAUSE_MS_MAX = 40 };

/* Set before a world is played. How often something was held so far. */
extern enum pump_pause pump_pause;
extern unsigned        pump_pauses;

#endif
