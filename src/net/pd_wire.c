#include "net/pd_wire.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "pdpb.pb-c.h"

static struct sl_buf *pack(const ProtobufCMessage *message)
{
    struct sl_buf *buf = sl_buf_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, buf->data);
    return buf;
}

static void take_header(const Sluice__Pd__ResponseHeader *header, struct pd_header *out)
{
    *out = (struct pd_header){0};
    if (header == NULL)
        return;
    out->cluster_id = header->cluster_id;
    if (header->error == NULL)
        return;
    out->error = header->error->type;
    (void)snprintf(out->text, sizeof out->text, "%s", header->error->message);
}

/* A URL that is cut is none, and refused later. The first of a member's is used. */
static bool take_url(const Sluice__Pd__Member *member, char *out)
{
    if (member == NULL || member->n_client_urls == 0)
        return false;
    (void)snprintf(out, SL_ADDR_BYTES_MAX, "%s", member->client_urls[0]);
    return true;
}

struct sl_buf *pd_pack_get_members(void)
{
    Sluice__Pd__GetMembersRequest request = SLUICE__PD__GET_MEMBERS_REQUEST__INIT;

    return pack(&request.base);
}

bool pd_unpack_members(const struct sl_buf *bytes, struct pd_members *out)
{
    Sluice__Pd__GetMembersResponse *members =
        sluice__pd__get_members_response__unpack(NULL, bytes->len, bytes->data);

    if (members == NULL)
        return false;
    *out = (struct pd_members){0};
    take_header(members->header, &out->header);
    (void)take_url(members->leader, out->leader);
    for (size_t i = 0; i < members->n_members && out->count < SL_ENDPOINTS_MAX; i++)
        out->count += take_url(members->members[i], out->urls[out->count]) ? 1 : 0;
    sluice__pd__get_members_response__free_unpacked(members, NULL);
    return true;
}

struct sl_buf *pd_pack_tso(uint64_t cluster_id, uint32_t count)
{
    Sluice__Pd__TsoRequest    request = SLUICE__PD__TSO_REQUEST__INIT;
    Sluice__Pd__RequestHeader header = SLUICE__PD__REQUEST_HEADER__INIT;

    header.cluster_id = cluster_id;
    request.header = &header;
    request.count = count;
    return pack(&request.base);
}

bool pd_unpack_timestamps(const struct sl_buf *bytes, struct pd_timestamps *out)
{
    Sluice__Pd__TsoResponse *answer =
        sluice__pd__tso_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    *out = (struct pd_timestamps){.count = answer->count};
    take_header(answer->header, &out->header);
    if (answer->timestamp != NULL) {
        out->physical_ms = answer->timestamp->physical;
        out->logical = answer->timestamp->logical;
        out->suffix_bits = answer->timestamp->suffix_bits;
    }
    sluice__pd__tso_response__free_unpacked(answer, NULL);
    return true;
}

/* ---- regions and stores ---- */

/* Of metapb.StoreState: what it was, for ever. */
enum { STORE_TOMBSTONE = 2 };

struct sl_buf *pd_pack_get_region(uint64_t cluster_id, struct sl_slice key)
{
    Sluice__Pd__GetRegionRequest request = SLUICE__PD__GET_REGION_REQUEST__INIT;
    Sluice__Pd__RequestHeader    header = SLUICE__PD__REQUEST_HEADER__INIT;

    header.cluster_id = cluster_id;
    request.header = &header;
    /* The cast drops const, which the generated types lack; nobody writes. */
    request.region_key =
        (ProtobufCBinaryData){.len = key.len, .data = (uint8_t *)(uintptr_t)key.bytes};
    return pack(&request.base);
}

static struct sl_buf *copy_of(ProtobufCBinaryData data)
{
    struct sl_buf *buf = sl_buf_new(data.len);

    if (data.len > 0)
        memcpy(buf->data, data.data, data.len);
    return buf;
}

/* Until a region's first report nobody leads it; then any peer says who does. */
static void take_region(const Sluice__Pd__GetRegionResponse *answer, struct sl_pd_region *out)
{
    const Sluice__Pd__Region *region = answer->region;
    const Sluice__Pd__Peer   *peer = answer->leader;

    if (peer == NULL && region->n_peers > 0)
        peer = region->peers[0];
    *out = (struct sl_pd_region){
        .id = region->id, .start = copy_of(region->start_key), .end = copy_of(region->end_key)};
    if (region->region_epoch != NULL) {
        out->conf_ver = region->region_epoch->conf_ver;
        out->version = region->region_epoch->version;
    }
    if (peer != NULL)
        out->peer = (struct sl_pd_peer){peer->id, peer->store_id, peer->role};
}

bool pd_unpack_region(const struct sl_buf *bytes, struct pd_header *header, bool *found,
                      struct sl_pd_region *out)
{
    Sluice__Pd__GetRegionResponse *answer =
        sluice__pd__get_region_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    take_header(answer->header, header);
    *found = answer->region != NULL;
    if (*found)
        take_region(answer, out);
    sluice__pd__get_region_response__free_unpacked(answer, NULL);
    return true;
}

struct sl_buf *pd_pack_get_store(uint64_t cluster_id, uint64_t store_id)
{
    Sluice__Pd__GetStoreRequest request = SLUICE__PD__GET_STORE_REQUEST__INIT;
    Sluice__Pd__RequestHeader   header = SLUICE__PD__REQUEST_HEADER__INIT;

    header.cluster_id = cluster_id;
    request.header = &header;
    request.store_id = store_id;
    return pack(&request.base);
}

bool pd_unpack_store(const struct sl_buf *bytes, struct pd_header *header, char *address)
{
    Sluice__Pd__GetStoreResponse *answer =
        sluice__pd__get_store_response__unpack(NULL, bytes->len, bytes->data);

    if (answer == NULL)
        return false;
    take_header(answer->header, header);
    address[0] = '\0';
    if (answer->store != NULL && answer->store->state != STORE_TOMBSTONE)
        (void)snprintf(address, SL_ADDR_BYTES_MAX, "%s", answer->store->address);
    sluice__pd__get_store_response__free_unpacked(answer, NULL);
    return true;
}
