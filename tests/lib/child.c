#include "lib/child.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct child_end end;

/* cmocka catches fatal signals to fail the test; the child is to die by them. */
static void restore_signals(void)
{
    const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)signal(numbers[i], SIG_DFL);
}

static _Noreturn void be_child(void (*body)(void), int text_fd)
{
    const struct rlimit no_core = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)dup2(text_fd, STDERR_FILENO);
    restore_signals();
    body();
    _exit(0);
}

/* All that the child writes; what does not fit is dropped, so that it never waits for us. */
static void collect(int fd)
{
    size_t used = 0;
    char   dropped[4096];

    for (;;) {
        size_t  room = sizeof end.text - 1 - used;
        ssize_t n = room > 0 ? read(fd, end.text + used, room) : read(fd, dropped, sizeof dropped);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (room > 0)
            used += (size_t)n;
    }
    end.text[used] = '\0';
}

const struct child_end *child_run(void (*body)(void))
{
    int   ends[2];
    int   status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        be_child(body, ends[1]);
    (void)close(ends[1]);
    collect(ends[0]);
    (void)close(ends[0]);
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return &end;
}

void child_assert_panics(void (*body)(void), const char *words)
{
    const struct child_end *died = child_run(body);

    assert_int_equal(died->signal, SIGABRT);
    if (strstr(died->text, "panic: ") == NULL || strstr(died->text, words) == NULL)
        fail_msg("wanted a panic with \"%s\", got: %s", words, died->text);
}
