#ifndef SL_BASE_RAWLINE_H
#define SL_BASE_RAWLINE_H

/* Lines of text written from inside a signal handler: no stdio, no malloc, no locale, no errno
 * changed. Private to the crash report (base/panic.c) and the trace dump (base/trace.c). */

#include <stdint.h>

enum { RAWLINE_BYTES_MAX = 1024 };

/* A line being put together on the stack. What does not fit is cut. */
struct rawline {
    int      fd;
    unsigned used;
    char     text[RAWLINE_BYTES_MAX];
};

void rawline_start(struct rawline *line, int fd);
/* Control characters come out as '?', so that a report is lines of text whatever went into it. */
void rawline_text(struct rawline *line, const char *text);
/* At least `digits` digits, filled with zeros. */
void rawline_decimal(struct rawline *line, uint64_t value, unsigned digits);
void rawline_hex(struct rawline *line, uint64_t value);
/* Write the line and its end to fd and start the next. A failing write is given up: there is nobody
 * to tell. Blocks as long as fd does. */
void rawline_end(struct rawline *line);

#endif
