#include "base/rawline.h"

#include <errno.h>
#include <unistd.h>

static void put(struct rawline *line, char c)
{
    if (line->used < sizeof line->text - 1) /* the last byte is the line's end */
        line->text[line->used++] = c;
}

static void put_number(struct rawline *line, uint64_t value, unsigned base, unsigned digits)
{
    char     reversed[20]; /* of 2^64 in decimal */
    unsigned count = 0;

    do {
        reversed[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    for (; digits > count; digits--)
        put(line, '0');
    while (count > 0)
        put(line, reversed[--count]);
}

void rawline_start(struct rawline *line, int fd)
{
    line->fd = fd;
    line->used = 0;
}

void rawline_text(struct rawline *line, const char *text)
{
    for (; *text != '\0'; text++)
        put(line, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void rawline_decimal(struct rawline *line, uint64_t value, unsigned digits)
{
    put_number(line, value, 10, digits);
}

void rawline_hex(struct rawline *line, uint64_t value)
{
    rawline_text(line, "0x");
    put_number(line, value, 16, 1);
}

void rawline_end(struct rawline *line)
{
    int      errno_before = errno;
    unsigned done = 0;

    line->text[line->used++] = '\n';
    while (done < line->used) {
        ssize_t n = write(line->fd, line->text + done, line->used - done);

        if (n > 0)
            done += (unsigned)n;
        else if (n == 0 || errno != EINTR)
            break;
    }
    line->used = 0;
    errno = errno_before;
}
