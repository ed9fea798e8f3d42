#ifndef SL_NET_PD_REGISTRY_H
#define SL_NET_PD_REGISTRY_H

/* The registry in the etcd of PD (pump spec 4.1): /tidb-binlog/v1/pumps/ID and .../drainers/ID,
 * one record each, as the original writes and reads them. Keys below a record, which old layouts
 * had, are passed over. Its version is the etcd revision of the latest change of a record. */

#include "net/etcd.h"
#include "net/registry.h"

/* A registry in that etcd, which outlives it. */
struct sl_registry *sl_pd_registry_new(struct sl_etcd *etcd, uint64_t cluster_id);
/* Nulls the pointer; *r may be NULL. */
void sl_pd_registry_free(struct sl_registry **r);

#endif
