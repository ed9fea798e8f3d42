#ifndef SL_BASE_ERR_H
#define SL_BASE_ERR_H

/* Errors: what can go wrong, as one table.
 *
 * A function that can fail returns `enum sl_err`; SL_OK is 0. The code decides what happens next,
 * the class says what kind of reaction makes sense, and the text in `struct sl_why` explains to a
 * human. Never branch on text.
 *
 * Text is filled where the failure is seen (`sl_fail`) and wrapped as the error rises (`sl_wrap`):
 *
 *     load checkpoint: open /data/savepoint: no such file or directory
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"

/* What to do about an error. */
enum sl_err_class {
    SL_CLASS_NONE,      /* no error */
    SL_CLASS_TRANSIENT, /* retry with back-off may help */
    SL_CLASS_REFUSED,   /* the asker is at fault or out of luck: tell it, go on */
    SL_CLASS_FATAL,     /* this actor cannot go on; its supervisor decides */
    SL_CLASS_CORRUPT,   /* stored data or an invariant is broken: the process stops */
};

/* The one table: code, class, text. The order is the numbering; append, never renumber. */
#define SL_ERR_TABLE(X)                                                  \
    X(SL_OK, SL_CLASS_NONE, "no error")                                  \
    X(SL_AGAIN, SL_CLASS_TRANSIENT, "not ready yet")                     \
    X(SL_FULL, SL_CLASS_TRANSIENT, "no credit left")                     \
    X(SL_TIMEOUT, SL_CLASS_TRANSIENT, "timed out")                       \
    X(SL_UNAVAILABLE, SL_CLASS_TRANSIENT, "peer unavailable")            \
    X(SL_RESET, SL_CLASS_TRANSIENT, "connection lost")                   \
    X(SL_NOSPACE, SL_CLASS_TRANSIENT, "no space left on the device")     \
    X(SL_GONE, SL_CLASS_REFUSED, "receiver is gone")                     \
    X(SL_INVALID, SL_CLASS_REFUSED, "invalid value")                     \
    X(SL_USAGE, SL_CLASS_REFUSED, "wrong command line")                  \
    X(SL_CONFIG, SL_CLASS_REFUSED, "wrong configuration")                \
    X(SL_UNSUPPORTED, SL_CLASS_REFUSED, "not supported in this version") \
    X(SL_TOO_LARGE, SL_CLASS_REFUSED, "over a limit")                    \
    X(SL_DENIED, SL_CLASS_REFUSED, "permission denied")                  \
    X(SL_NOT_FOUND, SL_CLASS_REFUSED, "not found")                       \
    X(SL_EXISTS, SL_CLASS_REFUSED, "exists already")                     \
    X(SL_IN_USE, SL_CLASS_REFUSED, "in use by another")                  \
    X(SL_STOPPED, SL_CLASS_REFUSED, "stopped on request")                \
    X(SL_IO, SL_CLASS_FATAL, "input/output error")                       \
    X(SL_SYSTEM, SL_CLASS_FATAL, "the operating system refused")         \
    X(SL_CORRUPT, SL_CLASS_CORRUPT, "data is damaged")

/* The codes, made from the table. SL_ERR_COUNT is none. */
enum sl_err {
#define SL_ERR_MEMBER(code, class, text) code,
    SL_ERR_TABLE(SL_ERR_MEMBER)
#undef SL_ERR_MEMBER
        SL_ERR_COUNT
};

/* The reason of an error for a human: one line, no newline at its end, cut (never overrun) at its
 * size. Start with `struct sl_why why = {0};`. */
struct sl_why {
    char text[SL_WHY_BYTES_MAX];
};

/* Name of the code as written in the source ("SL_IO"), its text, its class. Static strings. */
const char       *sl_err_name(enum sl_err err);
const char       *sl_err_text(enum sl_err err);
enum sl_err_class sl_err_class_of(enum sl_err err);
/* "transient", "refused", "fatal", "corrupt" or "none". */
const char *sl_err_class_name(enum sl_err_class err_class);

/* True for the errors that a retry with back-off may cure. */
bool sl_err_is_transient(enum sl_err err);

/* Put the formatted text into *why (replacing what is there) and return err. why may be NULL. */
enum sl_err sl_fail(struct sl_why *why, enum sl_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put the formatted text and ": " before what *why holds and return err. With an empty *why the
 * text of err takes the place after the colon. why may be NULL. */
enum sl_err sl_wrap(struct sl_why *why, enum sl_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The code for an errno value (ENOSPC and EDQUOT: SL_NOSPACE, ENOENT: SL_NOT_FOUND, ...; the rest:
 * SL_SYSTEM). */
enum sl_err sl_err_from_errno(int errno_value);

/* sl_fail with the code of errno_value and ": <strerror>" behind the text. Thread-safe. */
enum sl_err sl_fail_errno(struct sl_why *why, int errno_value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
