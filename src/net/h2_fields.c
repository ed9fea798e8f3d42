#include "net/h2_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define NAME(text)                                                 \
    {                                                              \
        .bytes = (const uint8_t *)(text), .len = sizeof(text) - 1, \
    }

static const struct sl_slice names[SL_H2_FIELDS] = {
    [SL_H2_METHOD] = NAME(":method"),
    [SL_H2_SCHEME] = NAME(":scheme"),
    [SL_H2_PATH] = NAME(":path"),
    [SL_H2_AUTHORITY] = NAME(":authority"),
    [SL_H2_STATUS] = NAME(":status"),
    [SL_H2_CONTENT_TYPE] = NAME("content-type"),
    [SL_H2_USER_AGENT] = NAME("user-agent"),
    [SL_H2_TE] = NAME("te"),
    [SL_H2_GRPC_ENCODING] = NAME("grpc-encoding"),
    [SL_H2_GRPC_TIMEOUT] = NAME("grpc-timeout"),
    [SL_H2_GRPC_STATUS] = NAME("grpc-status"),
    [SL_H2_GRPC_MESSAGE] = NAME("grpc-message"),
};

struct sl_slice h2_field_name(enum sl_h2_field field)
{
    SL_ASSERT((unsigned)field < SL_H2_FIELDS);
    return names[field];
}

enum sl_h2_field h2_field_of(struct sl_slice name)
{
    unsigned i = 0;

    while (i < SL_H2_FIELDS && !sl_slice_equal(names[i], name))
        i++;
    return (enum sl_h2_field)i;
}

struct sl_h2_headers *h2_headers_copy(const struct sl_h2_headers *headers)
{
    struct sl_h2_headers *copy;
    size_t                bytes = 0;
    uint8_t              *at;

    for (unsigned i = 0; i < SL_H2_FIELDS; i++)
        bytes += headers->field[i].len;
    copy = calloc(1, sizeof *copy + bytes);
    SL_ASSERT(copy != NULL);
    at = (uint8_t *)(copy + 1);
    for (unsigned i = 0; i < SL_H2_FIELDS; i++) {
        const struct sl_slice *value = &headers->field[i];

        if (value->bytes == NULL)
            continue;
        memcpy(at, value->bytes, value->len);
        copy->field[i] = (struct sl_slice){at, value->len};
        at += value->len;
    }
    return copy;
}
