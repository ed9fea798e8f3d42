#include "lib/table.h"

#include <string.h>

#include "base/assert.h"
#include "binlog/table_private.h"

struct sl_column table_column(int64_t id, const char *name, enum sl_column_type type,
                              uint32_t flags)
{
    return (struct sl_column){
        .id = id,
        .name = sl_slice_from_string(name),
        .type = type,
        .state = SL_SCHEMA_PUBLIC,
        .flags = flags,
        .flen = -1,
        .decimal = -1,
    };
}

static void *copy(struct sl_arena *arena, const void *bytes, size_t count)
{
    void *to = sl_arena_alloc(arena, count);

    if (count > 0)
        memcpy(to, bytes, count);
    return to;
}

struct sl_table *table_new(const struct sl_table *draft)
{
    return table_copy(draft);
}

struct sl_table *table_of(const struct sl_column *columns, uint32_t count)
{
    return table_new(&(struct sl_table){
        .id = 47,
        .version = 30,
        .schema = sl_slice_from_string("test"),
        .name = sl_slice_from_string("t"),
        .columns = columns,
        .column_count = count,
    });
}

static unsigned digit_of(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c);

    SL_ASSERT(c != '\0' && at != NULL);
    return (unsigned)(at - digits);
}

struct sl_slice table_hex(struct sl_arena *arena, const char *text)
{
    uint8_t *bytes = sl_arena_alloc(arena, strlen(text) / 2 + 1);
    size_t   digits = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == ' ')
            continue;
        if (digits % 2 == 0)
            bytes[digits / 2] = 0;
        bytes[digits / 2] = (uint8_t)((unsigned)bytes[digits / 2] << 4 | digit_of(*at));
        digits++;
    }
    SL_ASSERT(digits % 2 == 0);
    /* In memory of its own, so that a sanitizer sees a read behind its end. */
    return (struct sl_slice){copy(arena, bytes, digits / 2), digits / 2};
}
