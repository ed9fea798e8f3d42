#ifndef SL_TESTS_LIB_ENV_SIM_PARTS_H
#define SL_TESTS_LIB_ENV_SIM_PARTS_H

/* What the files env_sim*.c share: the object. Private to them. Each part draws its choices from a
 * generator of its own, so that one more write on the disk changes nothing on the network. */

#include "base/prng.h"
#include "lib/env_sim.h"

struct sim_node;
struct sim_change;
struct sim_socket;

struct sim_disk {
    struct sl_env_sim_disk set;
    struct sl_prng         dice;
    struct sim_node       *root;    /* owned */
    struct sim_change     *changes; /* owned: of names, waiting for a sync; oldest first */
    size_t                 change_count;
    size_t                 change_room;
    uint64_t               used_bytes; /* sum of the sizes of all files */
    uint64_t               cuts; /* power cuts so far; files opened before the last are dead */
    unsigned               open_files;
    uint64_t               fail_in;   /* calls until the planned failures begin; 1: the next */
    uint64_t               fail_left; /* how many are still to fail; 0: no plan */
    uint64_t               failed;
    enum sl_err            fail_err;
};

struct sim_net {
    struct sl_env_sim_net set;
    struct sl_prng        dice;
    struct sim_socket    *sockets; /* all that exist, oldest first: the order of every search */
    struct sim_socket   **sockets_end;
    unsigned              last_port; /* the last one given to a listener on port 0 */
    uint64_t              connects;  /* so far; names the connecting ends */
    unsigned              open_sockets;
};

struct sl_env_sim {
    struct sl_clock   clock;
    struct sl_random  random;
    struct sl_fs      fs;
    struct sl_net     net_door;
    struct sl_threads threads;
    struct sl_env     env;
    sl_nanos          now;
    int64_t           skew;
    struct sl_prng    bytes; /* of random */
    struct sim_disk   disk;
    struct sim_net    net;
};

/* env_sim_fs.c and env_sim_disk.c */
void sim_disk_init(struct sl_env_sim *sim);
void sim_disk_free(struct sl_env_sim *sim);

/* env_sim_net.c */
void sim_net_init(struct sl_env_sim *sim);
void sim_net_free(struct sl_env_sim *sim);

#endif
