#include <stdbool.h>

#include "binlog/change.h"
#include "binlog/wire.h"

/* PrewriteValue (codec spec 2.1): a schema version and mutations, which row_walk.c walks. Checked
 * whole when it is opened, so that a walk does not fail halfway through a transaction. */

enum field { FIELD_SCHEMA_VERSION = 1, FIELD_MUTATIONS = 2 };

/* Of a mutation. */
enum { MUTATION_TABLE_ID = 1 };

/* One field; *is_mutation: what *mutation now shows. */
static enum sl_err take_prewrite_field(struct wire_cursor *c, int64_t *version, bool *is_mutation,
                                       struct sl_slice *mutation, struct sl_why *why)
{
    static const char name[] = "PrewriteValue";
    uint32_t          field;
    unsigned          wire;
    uint64_t          number;
    enum sl_err       err;

    *is_mutation = false;
    if ((err = wire_take_key(c, name, &field, &wire, why)) != SL_OK)
        return err;
    if (field == FIELD_SCHEMA_VERSION) {
        if (wire != WIRE_VARINT)
            return wire_wrong(name, field, wire, why);
        if ((err = wire_take_varint(c, &number, why)) == SL_OK)
            *version = (int64_t)number;
        return err;
    }
    if (field != FIELD_MUTATIONS)
        return wire_skip(c, wire, why);
    if (wire != WIRE_BYTES)
        return wire_wrong(name, field, wire, why);
    *is_mutation = true;
    return wire_take_bytes(c, mutation, why);
}

enum sl_err sl_prewrite_open(struct sl_slice value, struct sl_prewrite *out, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(value);
    struct sl_prewrite prewrite = {.rest = value};
    struct sl_slice    mutation;
    bool               is_mutation;

    while (c.at < c.end) {
        const uint8_t *from = c.at;

        if (take_prewrite_field(&c, &prewrite.schema_version, &is_mutation, &mutation, why) !=
            SL_OK)
            return wire_refuse("PrewriteValue", value, from, why);
    }
    *out = prewrite;
    return SL_OK;
}

/* The table of a mutation: a writer puts it first. */
static enum sl_err table_of(struct sl_slice mutation, int64_t *out, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(mutation);
    uint32_t           field;
    unsigned           wire;
    uint64_t           number;

    *out = 0;
    while (c.at < c.end) {
        const uint8_t *from = c.at;
        enum sl_err    err;

        if ((err = wire_take_key(&c, "TableMutation", &field, &wire, why)) != SL_OK)
            return wire_refuse("TableMutation", mutation, from, why);
        if (field == MUTATION_TABLE_ID && wire == WIRE_VARINT) {
            if (wire_take_varint(&c, &number, why) != SL_OK)
                return wire_refuse("TableMutation", mutation, from, why);
            *out = (int64_t)number;
            return SL_OK;
        }
        if (wire_skip(&c, wire, why) != SL_OK)
            return wire_refuse("TableMutation", mutation, from, why);
    }
    return SL_OK;
}

enum sl_err sl_prewrite_next(struct sl_prewrite *prewrite, struct sl_mutation *out,
                             struct sl_why *why)
{
    struct wire_cursor c = wire_begin(prewrite->rest);
    int64_t            version;
    struct sl_slice    mutation;
    bool               is_mutation = false;
    enum sl_err        err = SL_OK;

    while (c.at < c.end && !is_mutation && err == SL_OK)
        err = take_prewrite_field(&c, &version, &is_mutation, &mutation, why);
    if (err != SL_OK)
        return err;
    prewrite->rest = (struct sl_slice){c.at, (size_t)(c.end - c.at)};
    if (!is_mutation)
        return SL_NOT_FOUND;
    out->bytes = mutation;
    return table_of(mutation, &out->table_id, why);
}
