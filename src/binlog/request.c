#include "binlog/request.h"

#include "binlog/wire.h"

/* What the next field is: one that is looked for, or any other. */
struct field {
    uint32_t number;
    unsigned wire;
};

static enum sl_err wrong_wire(const struct field *field, const char *name, struct sl_why *why)
{
    return sl_fail(why, SL_INVALID, "proto: wrong wireType = %u for field %s", field->wire, name);
}

static enum sl_err take_integer(struct wire_cursor *c, const struct field *field, const char *name,
                                uint64_t *out, struct sl_why *why)
{
    if (field->wire != WIRE_VARINT)
        return wrong_wire(field, name, why);
    return wire_take_varint(c, out, why);
}

static enum sl_err take_bytes(struct wire_cursor *c, const struct field *field, const char *name,
                              struct sl_slice *out, struct sl_why *why)
{
    if (field->wire != WIRE_BYTES)
        return wrong_wire(field, name, why);
    return wire_take_bytes(c, out, why);
}

static enum sl_err take_field(struct wire_cursor *c, const char *message, struct field *field,
                              struct sl_why *why)
{
    return wire_take_key(c, message, &field->number, &field->wire, why);
}

enum sl_err sl_write_request_decode(struct sl_slice bytes, struct sl_write_request *out,
                                    struct sl_why *why)
{
    enum { CLUSTER_ID = 1, PAYLOAD };
    struct wire_cursor      c = wire_begin(bytes);
    struct sl_write_request r = {0};
    struct field            field;
    enum sl_err             err = SL_OK;

    while (err == SL_OK && c.at < c.end) {
        if ((err = take_field(&c, "WriteBinlogReq", &field, why)) != SL_OK)
            return err;
        if (field.number == CLUSTER_ID)
            err = take_integer(&c, &field, "ClusterID", &r.cluster_id, why);
        else if (field.number == PAYLOAD)
            err = take_bytes(&c, &field, "Payload", &r.payload, why);
        else
            err = wire_skip(&c, field.wire, why);
    }
    if (err == SL_OK)
        *out = r;
    return err;
}

/* A Pos: its suffix is of no use to anybody any more, its offset is the last commit ts consumed. */
static enum sl_err take_position(struct sl_slice bytes, sl_ts *after, struct sl_why *why)
{
    enum { SUFFIX = 1, OFFSET };
    struct wire_cursor c = wire_begin(bytes);
    struct field       field;
    uint64_t           number;
    enum sl_err        err = SL_OK;

    while (err == SL_OK && c.at < c.end) {
        if ((err = take_field(&c, "Pos", &field, why)) != SL_OK)
            return err;
        if (field.number == SUFFIX) {
            err = take_integer(&c, &field, "Suffix", &number, why);
        } else if (field.number == OFFSET) {
            if ((err = take_integer(&c, &field, "Offset", &number, why)) == SL_OK)
                *after = (sl_ts)number;
        } else {
            err = wire_skip(&c, field.wire, why);
        }
    }
    return err;
}

enum sl_err sl_pull_request_decode(struct sl_slice bytes, struct sl_pull_request *out,
                                   struct sl_why *why)
{
    enum { CLUSTER_ID = 1, START_FROM };
    struct wire_cursor     c = wire_begin(bytes);
    struct sl_pull_request r = {0};
    struct sl_slice        position;
    struct field           field;
    enum sl_err            err = SL_OK;

    while (err == SL_OK && c.at < c.end) {
        if ((err = take_field(&c, "PullBinlogReq", &field, why)) != SL_OK)
            return err;
        if (field.number == CLUSTER_ID) {
            err = take_integer(&c, &field, "ClusterID", &r.cluster_id, why);
        } else if (field.number == START_FROM) {
            if ((err = take_bytes(&c, &field, "StartFrom", &position, why)) == SL_OK)
                err = take_position(position, &r.after, why);
        } else {
            err = wire_skip(&c, field.wire, why);
        }
    }
    if (err == SL_OK)
        *out = r;
    return err;
}
