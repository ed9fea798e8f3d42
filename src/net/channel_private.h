#ifndef SL_NET_CHANNEL_PRIVATE_H
#define SL_NET_CHANNEL_PRIVATE_H

/* What the parts of net/channel.h share: channel.c (the connection, event by event),
 * channel_address.c (what it leads to) and channel_call.c (blocking calls). */

#include "net/channel.h"

/* ---- channel_address.c ---- */

/* Where an address or URL leads: the form of sl_net_connect, and what requests name as their
 * authority.. Errors as sl_channel_new. */
struct channel_address {
    char target[SL_ADDR_BYTES_MAX];
    char authority[SL_ADDR_BYTES_MAX];
};
enum sl_err channel_address_parse(const char *text, struct channel_address *out,
                                  struct sl_why *why);

/* ---- channel.c ---- */

const struct sl_env *channel_env(const struct sl_channel *channel);

/* A call was begun at `since` and has ended in vain: if the peer has said nothing at all since
 * then, give the connection up. Not from a handler. */
void channel_doubt(struct sl_channel *channel, sl_nanos since);

#endif
