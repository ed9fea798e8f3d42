/* Event loops: the one door to libevent. A loop belongs to one thread, which alone touches its
 * events; other threads only write to its eventfd. A callback runs the `ready` hook of the actor
 * that watches. */

#include <event2/event.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/machine.h"

struct event_loop {
    struct worker     *worker;
    struct event_base *base;
    struct event      *rouse;
    int                rouse_fd;
};

static void on_rouse(evutil_socket_t fd, short what, void *argument)
{
    uint64_t count;
    ssize_t  got =
        read(fd, &count, sizeof count); /* EAGAIN: somebody's rouse was read with an earlier one */

    (void)got;
    (void)what;
    (void)argument;
}

struct event_loop *loop_new(struct worker *w, struct sl_why *why)
{
    struct event_loop *loop = calloc(1, sizeof *loop);

    SL_ASSERT(loop != NULL);
    loop->worker = w;
    loop->rouse_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->rouse_fd < 0) {
        (void)sl_fail_errno(why, errno, "make an eventfd for an event loop");
        goto free_loop;
    }
    loop->base = event_base_new();
    if (loop->base == NULL) {
        (void)sl_fail(why, SL_SYSTEM, "make an event loop: libevent could not open an event queue");
        goto close_fd;
    }
    loop->rouse = event_new(loop->base, loop->rouse_fd, EV_READ | EV_PERSIST, on_rouse, NULL);
    SL_ASSERT(loop->rouse != NULL);
    if (event_add(loop->rouse, NULL) != 0) {
        (void)sl_fail(why, SL_SYSTEM, "watch the eventfd of an event loop");
        goto free_base;
    }
    return loop;

free_base:
    event_free(loop->rouse);
    event_base_free(loop->base);
close_fd:
    close(loop->rouse_fd);
free_loop:
    free(loop);
    return NULL;
}

void loop_free(struct event_loop **loop)
{
    if (*loop == NULL)
        return;
    event_free((*loop)->rouse);
    event_base_free((*loop)->base);
    close((*loop)->rouse_fd);
    free(*loop);
    *loop = NULL;
}

void loop_poll(struct event_loop *loop, bool wait)
{
    (void)event_base_loop(loop->base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
}

void loop_rouse(struct event_loop *loop)
{
    uint64_t one = 1;
    ssize_t  put = write(loop->rouse_fd, &one, sizeof one);

    SL_ASSERT(put == sizeof one || errno == EAGAIN); /* EAGAIN: it is roused already, 2^64 times */
}

static void on_ready(evutil_socket_t fd, short what, void *argument)
{
    struct sl_io  *io = argument;
    struct worker *w = worker_self;
    unsigned       events = 0;

    (void)fd;
    if ((what & EV_READ) != 0)
        events |= SL_SOCKET_READABLE;
    if ((what & EV_WRITE) != 0)
        events |= SL_SOCKET_WRITABLE;
    turn_ready(w, atomic_load_explicit(&w->rt->slots.table[io->owner], memory_order_acquire), io,
               events);
}

enum sl_err loop_watch(struct worker *w, struct slot *s, struct sl_io *io, unsigned events)
{
    short what = EV_PERSIST;

    SL_ASSERT(w == s->loop);
    if ((events & SL_SOCKET_READABLE) != 0)
        what |= EV_READ;
    if ((events & SL_SOCKET_WRITABLE) != 0)
        what |= EV_WRITE;
    if (io->loop_event != NULL)
        event_free(io->loop_event);
    io->loop_event = event_new(w->loop->base, sl_socket_fd(io->socket), what, on_ready, io);
    SL_ASSERT(io->loop_event != NULL);
    if (event_add(io->loop_event, NULL) != 0)
        return sl_fail(&w->ctx.why, SL_SYSTEM, "watch a socket: the event loop refused it");
    return SL_OK;
}

void loop_unwatch(struct worker *w, struct sl_io *io)
{
    (void)w;
    if (io->loop_event != NULL)
        event_free(io->loop_event);
    io->loop_event = NULL;
}
