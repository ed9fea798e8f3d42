#ifndef SL_ACTORS_PUMP_GATEWAY_H
#define SL_ACTORS_PUMP_GATEWAY_H

/* What the gateway gives a session (sl_pump_session_class) that it starts for a connection. */

#include <stdbool.h>

struct sl_pump;
struct sl_socket;

/* Copied by sl_spawn. */
struct sl_session_args {
    struct sl_pump   *pump;
    struct sl_socket *socket;  /* the session's from its start on */
    bool              is_unix; /* came over the unix socket, which speaks gRPC alone */
};

#endif
