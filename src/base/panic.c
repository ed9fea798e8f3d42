#include "base/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void sl_panic(const char *file, int line, const char *function, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s:%d: %s: ", file, line, function);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}
