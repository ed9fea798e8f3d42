#ifndef SL_BASE_LOG_PARTS_H
#define SL_BASE_LOG_PARTS_H

/* The parts of the log, private to log*.c and their tests: a record, the two encoders that turn it
 * into a line, and the file the line goes to. The encoders are pure; log.c alone has state. */

#include "base/log.h"

/* ---- record ---- */

struct log_record {
    int64_t                wall;         /* nanoseconds since the Unix epoch, not negative */
    int32_t                utc_offset_s; /* of local time, east positive */
    enum sl_log_level      level;
    const char            *file; /* a path is cut to its last part */
    int                    line;
    const char            *message;
    const struct sl_field *fields;     /* ends with SL_FIELD_END */
    uint64_t               suppressed; /* 0: not shown */
};

enum { LOG_LINE_BYTES_MIN = 256 }; /* room for what every line has */

/* Write the record with its newline into out[size], size at least LOG_LINE_BYTES_MIN. Returns the
 * length; there is no terminator. What does not fit is cut as base/log.h says. */
size_t log_text_encode(const struct log_record *record, char *out, size_t size);
size_t log_json_encode(const struct log_record *record, char *out, size_t size);

/* ---- line: what both encoders put together ---- */

/* Content stops LINE_RESERVE bytes before the end. Punctuation goes on into the reserve, so that a
 * line that was cut can be closed: brackets, quotes and colons of one field, the mark, the newline.
 */
enum { LINE_RESERVE = 32 };

struct log_line {
    char  *out;
    size_t size;
    size_t used;
    bool   cut; /* no content is taken any more */
};

/* May another field begin? Cuts the line when there is no room for content. */
bool line_begin(struct log_line *line);
/* Punctuation of a field that has begun, and of the end of the line. Always fits. */
void line_mark(struct log_line *line, const char *text);
/* Content, whole or not at all: false when it was or is cut. */
bool line_put(struct log_line *line, const char *bytes, size_t count);
/* Content with the escapes that text and JSON have in common, as many whole characters as fit. */
void line_put_escaped(struct log_line *line, const char *bytes, size_t count);
/* "server.c:561", of the characters A-Z a-z 0-9 . _ - only. */
void line_put_source(struct log_line *line, const struct log_record *record);
/* The value of a field that is no string: "-1", "true", "1.5s". As line_put. */
bool line_put_scalar(struct log_line *line, const struct sl_field *field);

/* ---- time ---- */

enum { LOG_TIME_BYTES = 48 };

/* Local time by a strftime pattern, and ".mmm", into out[LOG_TIME_BYTES]. */
void log_time_format(char *out, const char *pattern, int64_t wall, int32_t utc_offset_s);
/* The same, then `space`, then the zone as "+00:00". */
void log_time_zone_format(char *out, const char *pattern, const char *space,
                          const struct log_record *record);

/* ---- file ---- */

/* One at a time uses it. */
struct log_file {
    int      fd;
    bool     regular; /* else never rotated */
    bool     torn;    /* the last write ended inside a line */
    uint64_t bytes;   /* present size, if regular */
    uint64_t rotate_bytes;
    char     path[SL_PATH_BYTES_MAX]; /* empty: a standard stream, not ours to close */
};

/* Open, or create with its parents. "" is standard output. */
enum sl_err log_file_open(struct log_file *file, const char *path, uint64_t rotate_bytes,
                          struct sl_why *why);
/* Close unless it is a standard stream, and become standard error. */
void log_file_close(struct log_file *file);
/* Open the name again and put it in the place of the descriptor. On error all stays as it is. */
enum sl_err log_file_reopen(struct log_file *file, struct sl_why *why);
/* Would `count` more bytes make it too large? */
bool log_file_is_full(const struct log_file *file, size_t count);
/* Rename it with this local time in its name and begin a new one. On error lines go on into the old
 * one, and it is full again only after another rotate_bytes. */
enum sl_err log_file_rotate(struct log_file *file, int64_t wall, int32_t utc_offset_s,
                            struct sl_why *why);
/* Write a line. A line that was torn by an error is ended first. */
enum sl_err log_file_write(struct log_file *file, const char *bytes, size_t count,
                           struct sl_why *why);

#endif
