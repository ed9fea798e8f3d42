#ifndef SL_NET_PD_WIRE_H
#define SL_NET_PD_WIRE_H

/* PD's messages as plain values. Private to the files pd*.c. The pack functions give a new buffer,
 * the unpack functions false when the bytes are damaged. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "net/pd.h"

/* Numbers in a header. NO_ROOM is one of ours, which a stand-in gives: a drive leaves no room for
 * that many timestamps. */
enum { PD_ERROR_NOT_BOOTSTRAPPED = 2, PD_ERROR_NO_ROOM = 1 << 20 };

/* Of every answer. */
struct pd_header {
    uint64_t cluster_id;
    uint32_t error; /* 0: none */
    char     text[SL_WHY_BYTES_MAX];
};

/* What one member says of all. */
struct pd_members {
    struct pd_header header;
    char             leader[SL_ADDR_BYTES_MAX]; /* its URL; "": there is none now */
    char             urls[SL_ENDPOINTS_MAX][SL_ADDR_BYTES_MAX];
    uint32_t         count;
};

/* `count` timestamps, the greatest of which this is. */
struct pd_timestamps {
    struct pd_header header;
    uint32_t         count;
    int64_t          physical_ms;
    int64_t          logical;
    uint32_t         suffix_bits;
};

struct sl_buf *pd_pack_get_members(void);
bool           pd_unpack_members(const struct sl_buf *bytes, struct pd_members *out);

struct sl_buf *pd_pack_tso(uint64_t cluster_id, uint32_t count);
bool           pd_unpack_timestamps(const struct sl_buf *bytes, struct pd_timestamps *out);

/* Key: encoded. `out` is owned (sl_pd_region_done) when the answer holds a region: *found. */
struct sl_buf *pd_pack_get_region(uint64_t cluster_id, struct sl_slice key);
bool           pd_unpack_region(const struct sl_buf *bytes, struct pd_header *header, bool *found,
                                struct sl_pd_region *out);

/* address has SL_ADDR_BYTES_MAX bytes; "": there is no such store, or it is gone. */
struct sl_buf *pd_pack_get_store(uint64_t cluster_id, uint64_t store_id);
bool           pd_unpack_store(const struct sl_buf *bytes, struct pd_header *header, char *address);

#endif
