#ifndef SL_NET_TIKV_WIRE_H
#define SL_NET_TIKV_WIRE_H

/* TiKV's messages as plain values. Private to the files tikv*.c. The pack functions give a new
 * buffer, the unpack functions false when the bytes are damaged. */

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "net/pd.h"
#include "net/tikv.h"

/* What to do about a region error. */
enum tikv_trouble_kind {
    TIKV_NO_TROUBLE,
    TIKV_OTHER_LEADER, /* ask `leader` */
    TIKV_OTHER_REGION, /* the region is not what PD said: ask PD again */
    TIKV_BUSY,         /* ask again, after wait_ms or what is usual */
    TIKV_CLOSED,       /* nothing can be had there now (flashback) */
};

struct tikv_trouble {
    enum tikv_trouble_kind kind;
    struct sl_pd_peer      leader;
    uint64_t               wait_ms; /* 0: the store does not say */
    char                   text[SL_WHY_BYTES_MAX];
};

/* What a look-up says about one transaction. `text` is TiKV's error; "": none. */
struct tikv_found {
    bool     committed; /* there is a record of it, at commit_ts */
    bool     rolled_back;
    bool     locked;
    uint64_t commit_ts;
    uint64_t lock_ttl_ms;
    char     text[SL_WHY_BYTES_MAX];
};

/* What a check says. */
struct tikv_checked {
    bool     failed; /* `text` says why */
    bool     locked; /* it failed for a lock: KvCleanup says it so */
    bool     async_commit;
    uint64_t lock_ttl_ms;
    uint64_t commit_ts;
    uint32_t action; /* enum tikv_action, or one that is not known */
    char     text[SL_WHY_BYTES_MAX];
};

/* Why a key cannot be read, now or ever. */
struct tikv_key_error {
    bool failed;
    bool may_pass; /* it is locked, or TiKV says: try again */
    bool locked;
    char text[SL_WHY_BYTES_MAX];
};

/* What a key held. */
struct tikv_value {
    struct tikv_key_error error;
    bool                  found;
    struct sl_buf        *bytes; /* the caller's, if found */
};

/* A piece of a snapshot: the pairs up to the first error, if there is one. */
struct tikv_pair {
    struct sl_slice key;
    struct sl_slice value;
};
struct tikv_page {
    struct tikv_key_error error;
    uint32_t              count;
    struct tikv_pair     *pairs;   /* owned; in what `message` holds */
    void                 *message; /* owned */
};

/* What KvCheckTxnStatus did. */
enum tikv_action {
    TIKV_NO_ACTION,
    TIKV_TTL_EXPIRE_ROLLBACK,
    TIKV_LOCK_NOT_EXIST_ROLLBACK,
    TIKV_MIN_COMMIT_TS_PUSHED,
    TIKV_TTL_EXPIRE_PESSIMISTIC_ROLLBACK,
    TIKV_LOCK_NOT_EXIST_DO_NOTHING,
};

struct sl_buf *tikv_pack_look(const struct sl_pd_region     *region,
                              const struct sl_tikv_question *question);
bool tikv_unpack_found(const struct sl_buf *bytes, sl_ts start_ts, struct tikv_trouble *trouble,
                       struct tikv_found *out);

struct sl_buf *tikv_pack_check(const struct sl_pd_region     *region,
                               const struct sl_tikv_question *question);
bool           tikv_unpack_checked(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                                   struct tikv_checked *out);

/* What TiKV before 4.0 knows instead. */
struct sl_buf *tikv_pack_clean(const struct sl_pd_region     *region,
                               const struct sl_tikv_question *question);
bool           tikv_unpack_cleaned(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                                   struct tikv_checked *out);

struct sl_buf *tikv_pack_get(const struct sl_pd_region *region, struct sl_slice key, sl_ts version);
bool           tikv_unpack_value(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                                 struct tikv_value *out);

/* end: empty for none. */
struct sl_buf *tikv_pack_scan(const struct sl_pd_region *region, struct sl_slice start,
                              struct sl_slice end, sl_ts version, uint32_t limit);
bool           tikv_unpack_page(const struct sl_buf *bytes, struct tikv_trouble *trouble,
                                struct tikv_page *out);
/* Frees what it owns and zeroes it. */
void tikv_page_free(struct tikv_page *page);

#endif
