#ifndef SL_NET_TIKV_PRIVATE_H
#define SL_NET_TIKV_PRIVATE_H

/* What the parts of net/tikv.h share: tikv.c (the fate of transactions) and tikv_read.c
 * (snapshots). */

#include "net/tikv.h"
#include "net/tikv_route.h"

const struct sl_env   *tikv_env(const struct sl_tikv *tikv);
struct tikv_routes    *tikv_routes_of(struct sl_tikv *tikv);
struct sl_tikv_counts *tikv_counts_of(struct sl_tikv *tikv);

#endif
