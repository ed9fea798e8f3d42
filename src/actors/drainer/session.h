#ifndef SL_ACTORS_DRAINER_SESSION_H
#define SL_ACTORS_DRAINER_SESSION_H

/* What the gateway gives a session (sl_drainer_session_class) that it starts for a connection. */

struct sl_drainer_front;
struct sl_socket;

/* Copied by sl_spawn. */
struct sl_drainer_session_args {
    struct sl_drainer_front *front;
    struct sl_socket        *socket; /* the session's from its start on */
};

#endif
