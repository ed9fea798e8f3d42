#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

struct err_row {
    const char       *name;
    const char       *text;
    enum sl_err_class class_of;
};

static const struct err_row rows[SL_ERR_COUNT] = {
#define ERR_ROW(code, class, words) [code] = {.name = #code, .text = (words), .class_of = (class)},
    SL_ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static const struct err_row *row_of(enum sl_err err)
{
    SL_ASSERT((unsigned)err < SL_ERR_COUNT);
    return &rows[err];
}

const char *sl_err_name(enum sl_err err)
{
    return row_of(err)->name;
}

const char *sl_err_text(enum sl_err err)
{
    return row_of(err)->text;
}

enum sl_err_class sl_err_class_of(enum sl_err err)
{
    return row_of(err)->class_of;
}

const char *sl_err_class_name(enum sl_err_class err_class)
{
    switch (err_class) {
    case SL_CLASS_NONE: return "none";
    case SL_CLASS_TRANSIENT: return "transient";
    case SL_CLASS_REFUSED: return "refused";
    case SL_CLASS_FATAL: return "fatal";
    case SL_CLASS_CORRUPT: return "corrupt";
    }
    SL_UNREACHABLE("not an error class");
}

bool sl_err_is_transient(enum sl_err err)
{
    return sl_err_class_of(err) == SL_CLASS_TRANSIENT;
}

enum sl_err sl_fail(struct sl_why *why, enum sl_err err, const char *format, ...)
{
    va_list args;

    SL_ASSERT(err != SL_OK);
    if (why == NULL)
        return err;
    va_start(args, format);
    (void)vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return err;
}

enum sl_err sl_wrap(struct sl_why *why, enum sl_err err, const char *format, ...)
{
    struct sl_why inner;
    size_t        used;
    va_list       args;
    int           n;

    SL_ASSERT(err != SL_OK);
    if (why == NULL)
        return err;
    inner = *why;
    va_start(args, format);
    n = vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    used = n < 0 ? 0 : (size_t)n;
    if (used < sizeof why->text) {
        (void)snprintf(why->text + used, sizeof why->text - used, ": %s",
                       inner.text[0] != '\0' ? inner.text : sl_err_text(err));
    }
    return err;
}

enum sl_err sl_err_from_errno(int errno_value)
{
    switch (errno_value) {
    case EAGAIN:
    case EINPROGRESS: return SL_AGAIN;
    case ETIMEDOUT: return SL_TIMEOUT;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH: return SL_UNAVAILABLE;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE: return SL_RESET;
    case ENOSPC:
    case EDQUOT: return SL_NOSPACE;
    case EINVAL:
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR: return SL_INVALID;
    case EFBIG: return SL_TOO_LARGE;
    case EACCES:
    case EPERM:
    case EROFS: return SL_DENIED;
    case ENOENT: return SL_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY: return SL_EXISTS;
    case EADDRINUSE:
    case EBUSY:
    case ETXTBSY: return SL_IN_USE;
    case EIO: return SL_IO;
    default: return SL_SYSTEM;
    }
}

enum sl_err sl_fail_errno(struct sl_why *why, int errno_value, const char *format, ...)
{
    enum sl_err err = sl_err_from_errno(errno_value);
    char        reason[128];
    va_list     args;
    size_t      used;
    int         n;

    if (why == NULL)
        return err;
    va_start(args, format);
    n = vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    used = n < 0 ? 0 : (size_t)n;
    if (used < sizeof why->text) {
        (void)snprintf(why->text + used, sizeof why->text - used, ": %s",
                       strerror_r(errno_value, reason, sizeof reason));
    }
    return err;
}
