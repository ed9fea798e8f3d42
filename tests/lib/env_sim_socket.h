#ifndef SL_TESTS_LIB_ENV_SIM_SOCKET_H
#define SL_TESTS_LIB_ENV_SIM_SOCKET_H

/* A connection is two sockets that know each other, each with an inbox. Nothing happens in the
 * background: a chunk, a decision or a reset carries the time from which it counts, and every call
 * compares that with now. env_sim_net.c makes sockets, env_sim_socket.c is what they do. Private to
 * these two. */

#include "lib/env_sim_inbox.h"
#include "lib/env_sim_parts.h"

enum sim_socket_kind { SIM_SOCKET_LISTENER, SIM_SOCKET_STREAM };

/* Lives until it and the other end are closed; a listener until it is closed. */
struct sim_socket {
    struct sl_socket     base;
    struct sl_env_sim   *sim;
    struct sim_socket   *next;
    enum sim_socket_kind kind;
    bool                 closed;     /* by its owner; kept only for the sake of the peer */
    bool                 unaccepted; /* no one owns it yet; it waits in `listener` */
    bool                 shut;       /* sends no more */
    bool                 refused;    /* nobody listened; known from `decided` on */
    sl_nanos           decided;  /* connected or refused; of an unaccepted one: visible to accept */
    sl_nanos           broken;   /* reset from then on; UINT64_MAX: never */
    struct sim_socket *peer;     /* borrowed: both are freed together; NULL: refused */
    struct sim_socket *listener; /* borrowed; while unaccepted */
    size_t             buffer_bytes;
    struct sim_inbox   inbox;
    char               local[SL_ADDR_BYTES_MAX];
    char               remote[SL_ADDR_BYTES_MAX];
};

/* A socket that nothing is known of yet, last in the list of all. */
struct sim_socket *sim_socket_new(struct sl_env_sim *sim, enum sim_socket_kind kind);
/* When something that is sent now arrives. */
sl_nanos sim_socket_delayed(struct sl_env_sim *sim);
/* Reset both ends now. */
void sim_socket_break(struct sim_socket *s);
bool sim_socket_is_broken(const struct sim_socket *s);

#endif
