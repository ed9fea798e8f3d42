#include "binlog/record_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "binlog/wire.h"

/* ---- messages: proto/binlog.proto with the names of the original's enums ---- */

enum kind { KIND_INT, KIND_ENUM, KIND_BYTES, KIND_MESSAGE };

struct field {
    const char           *name;
    enum kind             kind;
    bool                  repeated;
    const char *const    *names;   /* of an enum's values, from 0 on, ended by NULL */
    const struct message *message; /* of a KIND_MESSAGE */
};

/* Fields by number: the first is number 1. */
struct message {
    const char         *name;
    const struct field *fields;
    size_t              count;
};

static const char *const record_types[] = {"Prewrite", "Commit",  "Rollback",
                                           "PreDDL",   "PostDDL", NULL};
static const char *const mutation_types[] = {"Insert",   "Update",    "DeleteID",
                                             "DeletePK", "DeleteRow", NULL};

static const struct field binlog_fields[] = {
    {.name = "tp", .kind = KIND_ENUM, .names = record_types},
    {.name = "start_ts", .kind = KIND_INT},
    {.name = "commit_ts", .kind = KIND_INT},
    {.name = "prewrite_key", .kind = KIND_BYTES},
    {.name = "prewrite_value", .kind = KIND_BYTES},
    {.name = "ddl_query", .kind = KIND_BYTES},
    {.name = "ddl_job_id", .kind = KIND_INT},
    {.name = "ddl_schema_state", .kind = KIND_INT},
};
static const struct message binlog_message = {"Binlog", binlog_fields, 8};

static const struct field mutation_fields[] = {
    {.name = "table_id", .kind = KIND_INT},
    {.name = "inserted_rows", .kind = KIND_BYTES, .repeated = true},
    {.name = "updated_rows", .kind = KIND_BYTES, .repeated = true},
    {.name = "deleted_ids", .kind = KIND_INT, .repeated = true},
    {.name = "deleted_pks", .kind = KIND_BYTES, .repeated = true},
    {.name = "deleted_rows", .kind = KIND_BYTES, .repeated = true},
    {.name = "sequence", .kind = KIND_ENUM, .repeated = true, .names = mutation_types},
};
static const struct message mutation_message = {"TableMutation", mutation_fields, 7};

static const struct field value_fields[] = {
    {.name = "schema_version", .kind = KIND_INT},
    {.name = "mutations", .kind = KIND_MESSAGE, .repeated = true, .message = &mutation_message},
};
static const struct message value_message = {"PrewriteValue", value_fields, 2};

/* ---- text ---- */

static void put_bytes(struct sl_text *text, const char *bytes, size_t count)
{
    size_t fits = text->room - text->used;

    SL_ASSERT(text->used <= text->room);
    if (count > fits) {
        text->full = true;
        count = fits;
    }
    if (count > 0)
        memcpy(text->bytes + text->used, bytes, count);
    text->used += count;
}

void sl_text_put(struct sl_text *text, const char *string)
{
    put_bytes(text, string, strlen(string));
}

/* One byte of a string in quotes, as gogo/protobuf escapes it. */
static void put_escaped(struct sl_text *text, uint8_t byte)
{
    char escaped[8];

    switch (byte) {
    case '\n': sl_text_put(text, "\\n"); return;
    case '\r': sl_text_put(text, "\\r"); return;
    case '\t': sl_text_put(text, "\\t"); return;
    case '"': sl_text_put(text, "\\\""); return;
    case '\\': sl_text_put(text, "\\\\"); return;
    default: break;
    }
    (void)snprintf(escaped, sizeof escaped, byte >= 0x20 && byte < 0x7f ? "%c" : "\\%03o", byte);
    sl_text_put(text, escaped);
}

static void put_quoted(struct sl_text *text, struct sl_slice slice)
{
    sl_text_put(text, "\"");
    for (size_t i = 0; i < slice.len && !text->full; i++)
        put_escaped(text, slice.bytes[i]);
    sl_text_put(text, "\"");
}

static void put_number(struct sl_text *text, const struct field *field, uint64_t number)
{
    char   digits[24];
    size_t known = 0;

    while (field->kind == KIND_ENUM && field->names[known] != NULL)
        known++;
    if (number < known) {
        sl_text_put(text, field->names[number]);
        return;
    }
    (void)snprintf(digits, sizeof digits, "%" PRId64, (int64_t)number);
    sl_text_put(text, digits);
}

/* ---- fields ---- */

/* One field as it stands in the message. */
struct found {
    size_t          number;
    unsigned        wire;
    uint64_t        integer; /* WIRE_VARINT */
    struct sl_slice bytes;   /* WIRE_BYTES */
};

/* Read the next field; number 0: one that is not in the message. */
static enum sl_err take(struct wire_cursor *c, const struct message *message, struct found *out,
                        struct sl_why *why)
{
    uint32_t    number;
    enum sl_err err;

    *out = (struct found){0};
    if ((err = wire_take_key(c, message->name, &number, &out->wire, why)) != SL_OK)
        return err;
    if (number > message->count)
        return wire_skip(c, out->wire, why);
    out->number = number;
    if (out->wire == WIRE_VARINT)
        return wire_take_varint(c, &out->integer, why);
    if (out->wire == WIRE_BYTES)
        return wire_take_bytes(c, &out->bytes, why);
    return sl_fail(why, SL_INVALID, "proto: wrong wireType = %u for field %s", out->wire,
                   message->fields[number - 1].name);
}

static enum sl_err check(const struct message *message, struct sl_slice slice, struct sl_why *why);

/* Is this one what the field takes? Numbers that are repeated may come packed. */
static enum sl_err check_one(const struct field *field, const struct found *found,
                             struct sl_why *why)
{
    struct wire_cursor c = wire_begin(found->bytes);
    bool               number = field->kind == KIND_INT || field->kind == KIND_ENUM;
    bool               packed = number && field->repeated && found->wire == WIRE_BYTES;
    uint64_t           ignored;
    enum sl_err        err = SL_OK;

    if (!packed && found->wire != (number ? WIRE_VARINT : WIRE_BYTES))
        return sl_fail(why, SL_INVALID, "proto: wrong wireType = %u for field %s", found->wire,
                       field->name);
    while (packed && err == SL_OK && c.at < c.end)
        err = wire_take_varint(&c, &ignored, why);
    return field->kind == KIND_MESSAGE ? check(field->message, found->bytes, why) : err;
}

/* Read all of it, as deep as the table says. */
static enum sl_err check(const struct message *message, struct sl_slice slice, struct sl_why *why)
{
    struct wire_cursor c = wire_begin(slice);
    struct found       found;
    enum sl_err        err = SL_OK;

    while (err == SL_OK && c.at < c.end) {
        if ((err = take(&c, message, &found, why)) == SL_OK && found.number > 0)
            err = check_one(&message->fields[found.number - 1], &found, why);
    }
    return err;
}

static void put_message(struct sl_text *text, const struct message *message, struct sl_slice slice);

static void put_one(struct sl_text *text, const struct field *field, const struct found *found)
{
    if (!field->repeated && found->wire == WIRE_VARINT && found->integer == 0)
        return;
    sl_text_put(text, field->name);
    sl_text_put(text, field->kind == KIND_MESSAGE ? ":<" : ":");
    switch (field->kind) {
    case KIND_INT:
    case KIND_ENUM: put_number(text, field, found->integer); break;
    case KIND_BYTES: put_quoted(text, found->bytes); break;
    case KIND_MESSAGE: put_message(text, field->message, found->bytes); break;
    }
    sl_text_put(text, field->kind == KIND_MESSAGE ? "> " : " ");
}

static void put_packed(struct sl_text *text, const struct field *field, struct sl_slice slice)
{
    struct wire_cursor c = wire_begin(slice);
    struct found       one = {.wire = WIRE_VARINT};

    while (c.at < c.end && wire_take_varint(&c, &one.integer, NULL) == SL_OK)
        put_one(text, field, &one);
}

/* Write every occurrence of one field, or of one that is not repeated the last, which wins. */
static void put_field(struct sl_text *text, const struct message *message, size_t number,
                      struct sl_slice slice)
{
    const struct field *field = &message->fields[number - 1];
    bool                number_kind = field->kind == KIND_INT || field->kind == KIND_ENUM;
    struct wire_cursor  c = wire_begin(slice);
    struct found        found;
    struct found        last = {0};

    while (c.at < c.end && !text->full && take(&c, message, &found, NULL) == SL_OK) {
        if (found.number != number)
            continue;
        last = found;
        if (field->repeated && number_kind && found.wire == WIRE_BYTES)
            put_packed(text, field, found.bytes);
        else if (field->repeated)
            put_one(text, field, &found);
    }
    if (!field->repeated && last.number == number)
        put_one(text, field, &last);
}

/* Of a message that passed check. */
static void put_message(struct sl_text *text, const struct message *message, struct sl_slice slice)
{
    for (size_t number = 1; number <= message->count; number++)
        put_field(text, message, number, slice);
}

/* ---- both kinds ---- */

static enum sl_err put(struct sl_text *text, const struct message *message, struct sl_slice slice,
                       struct sl_why *why)
{
    enum sl_err err = check(message, slice, why);

    if (err == SL_OK)
        put_message(text, message, slice);
    return err;
}

enum sl_err sl_record_text_put(struct sl_text *text, struct sl_slice binlog, struct sl_why *why)
{
    return put(text, &binlog_message, binlog, why);
}

enum sl_err sl_prewrite_value_text_put(struct sl_text *text, struct sl_slice value,
                                       struct sl_why *why)
{
    return put(text, &value_message, value, why);
}
