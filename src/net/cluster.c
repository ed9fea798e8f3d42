#include "net/cluster.h"

#include <stdlib.h>

#include "base/assert.h"
#include "net/etcd.h"
#include "net/local.h"
#include "net/pd.h"
#include "net/pd_registry.h"

struct sl_cluster {
    uint64_t            id;
    struct sl_registry *registry; /* owned with etcd, else local's */
    struct sl_tso      *tso;
    struct sl_local    *local; /* these three are owned; NULL: not of this kind */
    struct sl_etcd     *etcd;
    struct sl_pd       *pd;
};

static enum sl_err open_local(const struct sl_env *env, const char *dir, struct sl_cluster *cluster,
                              struct sl_why *why)
{
    enum sl_err err;

    if ((err = sl_local_open(env, dir, &cluster->local, why)) != SL_OK)
        return err;
    cluster->registry = sl_local_registry(cluster->local);
    cluster->tso = sl_local_tso(cluster->local);
    return sl_registry_cluster_id(cluster->registry, &cluster->id, why);
}

static enum sl_err open_live(const struct sl_env *env, const char *urls, struct sl_cluster *cluster,
                             struct sl_why *why)
{
    enum sl_err err;

    if ((err = sl_pd_open(env, urls, &cluster->pd, why)) != SL_OK ||
        (err = sl_etcd_new(env, urls, &cluster->etcd, why)) != SL_OK)
        return err;
    cluster->id = sl_pd_cluster_id(cluster->pd);
    cluster->tso = sl_pd_tso(cluster->pd);
    cluster->registry = sl_pd_registry_new(cluster->etcd, cluster->id);
    return SL_OK;
}

enum sl_err sl_cluster_open(const struct sl_env *env, const char *pd_urls, struct sl_cluster **out,
                            struct sl_why *why)
{
    const char        *dir = sl_local_dir_of_url(pd_urls);
    struct sl_cluster *cluster = calloc(1, sizeof *cluster);
    enum sl_err        err;

    SL_ASSERT(cluster != NULL);
    err = dir != NULL ? open_local(env, dir, cluster, why) : open_live(env, pd_urls, cluster, why);
    if (err == SL_OK)
        *out = cluster;
    else
        sl_cluster_free(&cluster);
    return err;
}

void sl_cluster_free(struct sl_cluster **cluster)
{
    struct sl_cluster *old = *cluster;

    *cluster = NULL;
    if (old == NULL)
        return;
    if (old->etcd != NULL)
        sl_pd_registry_free(&old->registry);
    sl_etcd_free(&old->etcd);
    sl_pd_free(&old->pd);
    sl_local_free(&old->local);
    free(old);
}

uint64_t sl_cluster_id(const struct sl_cluster *cluster)
{
    return cluster->id;
}

struct sl_registry *sl_cluster_registry(struct sl_cluster *cluster)
{
    return cluster->registry;
}

struct sl_tso *sl_cluster_tso(struct sl_cluster *cluster)
{
    return cluster->tso;
}
