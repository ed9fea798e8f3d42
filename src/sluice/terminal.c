#include "sluice/terminal.h"

#include <stdarg.h>
#include <unistd.h>

/* How old a status is when it is replaced. */
enum { REWRITE_MS = 100, PLAIN_MS = 1000 };

struct terminal terminal_on(const struct sl_env *env, FILE *out)
{
    return (struct terminal){
        .env = env, .out = out, .rewrites = isatty(fileno(out)) != 0, .plain_ms = PLAIN_MS};
}

static void clear(struct terminal *t)
{
    if (t->is_dirty)
        fputs("\r\033[K", t->out);
    t->is_dirty = false;
}

void terminal_say(struct terminal *terminal, const char *format, ...)
{
    va_list arguments;

    clear(terminal);
    va_start(arguments, format);
    (void)vfprintf(terminal->out, format, arguments);
    va_end(arguments);
    fputc('\n', terminal->out);
    (void)fflush(terminal->out);
}

void terminal_status(struct terminal *terminal, const char *format, ...)
{
    unsigned age_ms = terminal->rewrites ? REWRITE_MS : terminal->plain_ms;
    sl_nanos now = sl_env_now(terminal->env);
    va_list  arguments;

    if (terminal->status_at != 0 &&
        now - terminal->status_at < (sl_nanos)age_ms * (sl_nanos)SL_NANOS_PER_MS)
        return;
    terminal->status_at = now;
    clear(terminal);
    if (terminal->rewrites)
        fputs("\033[?7l", terminal->out); /* a long line is cut, not wrapped */
    va_start(arguments, format);
    (void)vfprintf(terminal->out, format, arguments);
    va_end(arguments);
    fputs(terminal->rewrites ? "\033[?7h" : "\n", terminal->out);
    terminal->is_dirty = terminal->rewrites;
    (void)fflush(terminal->out);
}

void terminal_refresh(struct terminal *terminal)
{
    terminal->status_at = 0;
}
