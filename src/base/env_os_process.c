#include "base/env_os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/limits.h"

struct sl_process {
    pid_t pid;
    bool  ended;
    int   code;
};

/* What a shell says of a program that cannot be executed. */
enum { EXIT_NO_PROGRAM = 127, EXIT_SIGNAL = 128 };

enum { LOOK_MS = 10, ADOPTED_MS = 1000 };

/* ---- starting ---- */

/* In the child, between fork and exec: nothing but system calls, since other threads may have held
 * any lock at that moment. */
_Noreturn static void become(const struct sl_process_options *options, int input, int output,
                             pid_t parent)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t         none;

    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_NO_PROGRAM); /* it has died before it could be watched */
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &plain, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        _exit(EXIT_NO_PROGRAM);
    /* All files of this program are closed by exec. */
    (void)execv(options->argv[0], (char *const *)(uintptr_t)options->argv);
    _exit(EXIT_NO_PROGRAM);
}

static enum sl_err start(const struct sl_process_options *options, int output, pid_t *pid,
                         struct sl_why *why)
{
    pid_t parent = getpid();
    int   input = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (input < 0)
        return sl_fail_errno(why, errno, "open /dev/null");
    *pid = fork();
    if (*pid == 0)
        become(options, input, output, parent);
    (void)close(input);
    return *pid > 0 ? SL_OK : sl_fail_errno(why, errno, "start %s", options->argv[0]);
}

enum sl_err sl_process_start(const struct sl_process_options *options, struct sl_process **out,
                             struct sl_why *why)
{
    int         output = open(options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t       pid;
    enum sl_err err;

    if (output < 0)
        return sl_fail_errno(why, errno, "open %s", options->log);
    err = start(options, output, &pid, why);
    (void)close(output);
    if (err != SL_OK)
        return err;
    *out = calloc(1, sizeof **out);
    SL_ASSERT(*out != NULL);
    (*out)->pid = pid;
    return SL_OK;
}

/* ---- ending ---- */

/* It is not waited for before sl_process_end: until then its id is no other process's, and its
 * session's. */
bool sl_process_has_ended(struct sl_process *process, int *code)
{
    siginfo_t info = {0};

    if (!process->ended &&
        waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == process->pid) {
        process->ended = true;
        process->code = info.si_code == CLD_EXITED ? info.si_status : EXIT_SIGNAL + info.si_status;
    }
    *code = process->code;
    return process->ended;
}

static bool wait_for_end(struct sl_process *process, sl_nanos patience)
{
    int code;

    for (sl_nanos waited = 0; !sl_process_has_ended(process, &code);
         waited += LOOK_MS * SL_NANOS_PER_MS) {
        if (waited >= patience)
            return false;
        (void)poll(NULL, 0, LOOK_MS);
    }
    return true;
}

/* What it has started and left ends, so that nobody writes any more. Whoever has adopted them waits
 * for them, in its own time. */
static void end_session(pid_t leader)
{
    (void)kill(-leader, SIGKILL);
    (void)waitpid(leader, NULL, 0);
    for (int waited = 0; waited < ADOPTED_MS && kill(-leader, 0) == 0; waited += LOOK_MS)
        (void)poll(NULL, 0, LOOK_MS);
}

void sl_process_end(struct sl_process **process, sl_nanos patience)
{
    struct sl_process *old = *process;
    int                code;

    *process = NULL;
    if (old == NULL)
        return;
    if (!sl_process_has_ended(old, &code))
        (void)kill(old->pid, SIGTERM);
    if (!wait_for_end(old, patience)) {
        (void)kill(old->pid, SIGKILL);
        (void)wait_for_end(old, UINT64_MAX);
    }
    end_session(old->pid);
    free(old);
}

int sl_process_id(const struct sl_process *process)
{
    return (int)process->pid;
}

bool sl_process_is_root(void)
{
    return geteuid() == 0;
}

/* ---- where programs are ---- */

static bool is_program(const char *dir, size_t dir_len, const char *name, char *out)
{
    int len = snprintf(out, SL_PATH_BYTES_MAX, "%.*s/%s", (int)dir_len, dir, name);

    return dir_len > 0 && len > 0 && len < SL_PATH_BYTES_MAX && access(out, X_OK) == 0;
}

static bool look_in(const char *path, const char *name, char *out)
{
    while (*path != '\0') {
        size_t len = strcspn(path, ":");

        if (is_program(path, len, name, out))
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

enum sl_err sl_program_find(const char *name, char *out, struct sl_why *why)
{
    const char *path = getenv("PATH");

    if ((path != NULL && look_in(path, name, out)) ||
        look_in("/usr/sbin:/usr/bin:/sbin:/usr/local/sbin:/usr/local/bin", name, out))
        return SL_OK;
    return sl_fail(why, SL_NOT_FOUND, "the program %s is not installed", name);
}

enum sl_err sl_program_own(char *out, struct sl_why *why)
{
    ssize_t len = readlink("/proc/self/exe", out, SL_PATH_BYTES_MAX - 1);

    if (len < 0)
        return sl_fail_errno(why, errno, "read /proc/self/exe");
    out[len] = '\0';
    return SL_OK;
}

/* ---- folders ---- */

enum sl_err sl_folder_temporary(const char *prefix, char *out, struct sl_why *why)
{
    const char *parent = getenv("TMPDIR");
    int         len;

    if (parent == NULL || parent[0] != '/')
        parent = "/tmp";
    len = snprintf(out, SL_PATH_BYTES_MAX, "%s/%sXXXXXX", parent, prefix);
    if (len < 0 || len >= SL_PATH_BYTES_MAX)
        return sl_fail(why, SL_TOO_LARGE, "the path in TMPDIR is too long");
    if (mkdtemp(out) == NULL)
        return sl_fail_errno(why, errno, "make a folder in %s", parent);
    return SL_OK;
}

enum sl_err sl_folder_absolute(const char *path, char *out, struct sl_why *why)
{
    char       *found = realpath(path, NULL);
    enum sl_err err;

    if (found == NULL)
        return sl_fail_errno(why, errno, "find %s", path);
    err = sl_path_add(out, found, "", why);
    free(found);
    return err;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

enum sl_err sl_folder_remove(const char *path, struct sl_why *why)
{
    enum { OPEN_AT_ONCE = 16 };
    int error = nftw(path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);

    if (error == 0)
        return SL_OK;
    return sl_fail_errno(why, error > 0 ? error : errno, "remove %s", path);
}
