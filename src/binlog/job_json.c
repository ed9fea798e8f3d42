#include "binlog/job_json.h"

/* The member, or NULL when it is absent or null. */
static const struct sl_json *member(const struct sl_json *object, const char *name)
{
    const struct sl_json *value = object == NULL ? NULL : sl_json_field(object, name);

    return value == NULL || sl_json_kind(value) == SL_JSON_NULL ? NULL : value;
}

static enum sl_err expect(const struct sl_json *value, enum sl_json_kind kind, const char *name,
                          struct sl_why *why)
{
    enum sl_json_kind have = sl_json_kind(value);

    if (have == kind)
        return SL_OK;
    return sl_fail(why, SL_INVALID, "%s is %s, wanted %s", name, sl_json_kind_name(have),
                   sl_json_kind_name(kind));
}

enum sl_err job_take_int(const struct sl_json *object, const char *name, int64_t *out,
                         struct sl_why *why)
{
    const struct sl_json *value = member(object, name);
    enum sl_err           err;

    *out = 0;
    if (value == NULL)
        return SL_OK;
    if ((err = expect(value, SL_JSON_INT, name, why)) == SL_OK)
        *out = sl_json_int(value);
    return err;
}

enum sl_err job_take_bool(const struct sl_json *object, const char *name, bool *out,
                          struct sl_why *why)
{
    const struct sl_json *value = member(object, name);
    enum sl_err           err;

    *out = false;
    if (value == NULL)
        return SL_OK;
    if ((err = expect(value, SL_JSON_BOOL, name, why)) == SL_OK)
        *out = sl_json_bool(value);
    return err;
}

static enum sl_err text_of(const struct sl_json *value, const char *name, struct sl_slice *out,
                           struct sl_why *why)
{
    enum sl_err err = expect(value, SL_JSON_TEXT, name, why);

    if (err == SL_OK)
        *out = sl_json_slice(value);
    return err;
}

enum sl_err job_take_text(const struct sl_json *object, const char *name, struct sl_slice *out,
                          struct sl_why *why)
{
    const struct sl_json *value = member(object, name);

    *out = sl_slice_from_string("");
    return value == NULL ? SL_OK : text_of(value, name, out, why);
}

enum sl_err job_name_of(const struct sl_json *value, const char *name, struct sl_slice *out,
                        struct sl_why *why)
{
    enum sl_err err;

    *out = sl_slice_from_string("");
    if (sl_json_kind(value) == SL_JSON_TEXT)
        return text_of(value, name, out, why);
    if ((err = expect(value, SL_JSON_OBJECT, name, why)) != SL_OK)
        return err;
    return job_take_text(value, "O", out, why);
}

enum sl_err job_take_name(const struct sl_json *object, const char *name, struct sl_slice *out,
                          struct sl_why *why)
{
    const struct sl_json *value = member(object, name);

    *out = sl_slice_from_string("");
    return value == NULL ? SL_OK : job_name_of(value, name, out, why);
}

static enum sl_err take(const struct sl_json *object, const char *name, enum sl_json_kind kind,
                        const struct sl_json **out, struct sl_why *why)
{
    const struct sl_json *value = member(object, name);

    *out = value;
    return value == NULL ? SL_OK : expect(value, kind, name, why);
}

enum sl_err job_take_object(const struct sl_json *object, const char *name,
                            const struct sl_json **out, struct sl_why *why)
{
    return take(object, name, SL_JSON_OBJECT, out, why);
}

enum sl_err job_take_array(const struct sl_json *object, const char *name,
                           const struct sl_json **out, struct sl_why *why)
{
    return take(object, name, SL_JSON_ARRAY, out, why);
}

size_t job_count(const struct sl_json *array)
{
    return array == NULL ? 0 : sl_json_count(array);
}
