#include "runtime/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/assert.h"

struct run {
    const struct sl_run_options *options;
    struct sl_runtime           *rt;
    int                          signals; /* signalfd */
    int                          ended;   /* eventfd, written when the root has ended */
    bool                         stopping;
};

static void on_end(void *context)
{
    struct run *run = context;
    uint64_t    one = 1;
    ssize_t     put = write(run->ended, &one, sizeof one);

    SL_ASSERT(put == sizeof one);
}

static void on_signal(struct run *run, int number)
{
    const struct sl_run_options *o = run->options;

    if (number == SIGHUP && o->on_hangup != NULL) {
        if (!run->stopping)
            o->on_hangup(o->context, run->rt);
        return;
    }
    if (run->stopping)
        _exit(128 + number);
    run->stopping = true;
    if (o->on_stopping != NULL)
        o->on_stopping(o->context, number);
    sl_runtime_stop(run->rt);
}

/* Until the root has ended. */
static void serve_signals(struct run *run)
{
    struct pollfd           fds[2] = {{.fd = run->signals, .events = POLLIN},
                                      {.fd = run->ended, .events = POLLIN}};
    struct signalfd_siginfo info;

    while ((fds[1].revents & POLLIN) == 0) {
        int ready = poll(fds, 2, -1);

        SL_ASSERT(ready >= 0 || errno == EINTR);
        if (ready > 0 && (fds[0].revents & POLLIN) != 0 &&
            read(run->signals, &info, sizeof info) == sizeof info)
            on_signal(run, (int)info.ssi_signo);
    }
}

static enum sl_err run_runtime(struct run *run, struct sl_why *why)
{
    struct sl_runtime_options options = run->options->runtime;
    enum sl_err               err;

    options.on_end = on_end;
    options.on_end_context = run;
    if ((err = sl_runtime_new(&options, &run->rt, why)) != SL_OK)
        return err;
    err = sl_runtime_start(run->rt, run->options->args, run->options->args_bytes, why);
    if (err == SL_OK) {
        serve_signals(run);
        err = sl_runtime_wait(run->rt, why);
    }
    sl_runtime_free(&run->rt);
    return err;
}

void sl_run_hold_hangup(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

enum sl_err sl_run(const struct sl_run_options *options, struct sl_why *why)
{
    struct run  run = {.options = options};
    enum sl_err err;
    sigset_t    set;
    sigset_t    before;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGQUIT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    run.signals = signalfd(-1, &set, SFD_CLOEXEC);
    run.ended = eventfd(0, EFD_CLOEXEC);
    if (run.signals >= 0 && run.ended >= 0)
        err = run_runtime(&run, why);
    else
        err = sl_fail_errno(why, errno, "prepare for signals");
    if (run.signals >= 0)
        (void)close(run.signals);
    if (run.ended >= 0)
        (void)close(run.ended);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return err;
}
