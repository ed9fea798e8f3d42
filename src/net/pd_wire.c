#include "net/pd_wire.h"

#include <stdio.h>

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
