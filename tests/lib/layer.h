#ifndef SL_TESTS_LIB_LAYER_H
#define SL_TESTS_LIB_LAYER_H

/* A network over another one whose connections behave as those of TLS do, without any secret: both
 * ends greet each other before the first byte passes; bytes travel in records, of which a part is
 * of no use; a read gives a piece of what is held and raises no event for the rest; and now and
 * then an end asks the other one a question, before whose answer it writes no more (so a write
 * waits for something to read), and which the other end answers before it reads on (so a read waits
 * for room to write). Whoever moves bytes correctly over this moves them correctly over TLS.
 *
 * It also checks its owner: what was refused with SL_AGAIN is written again from the same byte.
 * One thread at a time. */

#include "base/env.h"
#include "base/prng.h"

struct layer_net {
    struct sl_net  base; /* to be used */
    struct sl_net *below;
    struct sl_prng dice;
    unsigned       write_waited_for_read; /* how often */
    unsigned       read_waited_for_write;
    unsigned       held; /* reads that left something behind */
};

/* `below` outlives it. What is open at its end is the owner's to close before. */
void layer_init(struct layer_net *net, struct sl_net *below, uint64_t seed);

/* What lies below one of its sockets; the socket itself, if it is none of them. */
struct sl_socket *layer_below(struct sl_socket *s);

#endif
