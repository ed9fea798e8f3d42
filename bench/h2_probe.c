#include "h2_probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "append_probe.h"
#include "running_pump.h"

static const double CONNECT_S_MAX = 10;

enum { POLL_MS = 5 };

/* Files of a run, in a folder of its own. */
struct probe_files {
    char dir[64];
    char body[96];   /* what is posted */
    char answer[96]; /* what comes back: nothing, as in a WriteBinlogResp */
    char log[96];    /* a line per call */
};

static bool write_file(const char *path, size_t bytes)
{
    FILE *f = fopen(path, "w");
    bool  good = f != NULL;

    for (size_t i = 0; good && i < bytes; i++)
        good = fputc('x', f) != EOF;
    return f != NULL && fclose(f) == 0 && good;
}

static bool make_files(struct probe_files *files, size_t body_bytes)
{
    if (!probe_dir_make(files->dir))
        return false;
    (void)snprintf(files->body, sizeof files->body, "%s/body", files->dir);
    (void)snprintf(files->answer, sizeof files->answer, "%s/answer", files->dir);
    (void)snprintf(files->log, sizeof files->log, "%s/log", files->dir);
    return write_file(files->body, body_bytes) && write_file(files->answer, 0);
}

/* ---- the server ---- */

static int loopback_socket(uint16_t port, struct sockaddr_in *address)
{
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* nghttpd takes no port 0, so a free one is looked for; that somebody else gets it first shows as a
 * probe that failed. */
static uint16_t free_port(void)
{
    struct sockaddr_in address;
    socklen_t          length = sizeof address;
    int                fd = loopback_socket(0, &address);
    bool               good = fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 &&
                getsockname(fd, (struct sockaddr *)&address, &length) == 0;

    if (fd >= 0)
        (void)close(fd);
    return good ? ntohs(address.sin_port) : 0;
}

static bool await_listening(uint16_t port)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    double                began = bench_now();
    struct sockaddr_in    address;
    bool                  good = false;

    while (!good && bench_now() - began < CONNECT_S_MAX) {
        int fd = loopback_socket(port, &address);

        good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
        (void)close(fd);
        if (!good)
            (void)nanosleep(&pause, NULL);
    }
    return good;
}

static void run_silently(char *const *argv)
{
    int null = open("/dev/null", O_RDWR);

    running_die_with_parent();
    if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2)
        (void)execvp(argv[0], argv);
    _exit(127);
}

static pid_t spawn(char *const *argv)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        run_silently(argv);
    return pid;
}

static pid_t start_server(const struct probe_files *files, char *port)
{
    char *argv[] = {(char[]){"nghttpd"},
                    (char[]){"--no-tls"},
                    (char[]){"-a"},
                    (char[]){"127.0.0.1"},
                    (char[]){"-m"},
                    (char[]){"1000"},
                    (char[]){"-d"},
                    (char *)files->dir,
                    port,
                    NULL};

    return spawn(argv);
}

/* ---- the client ---- */

static bool run_client(const struct probe_files *files, const char *port, unsigned streams,
                       double seconds)
{
    char  url[64];
    char  count[16];
    char  time_text[32];
    char  log[128];
    char *argv[] = {(char[]){"h2load"},
                    (char[]){"-c1"},
                    (char[]){"-t1"},
                    count,
                    time_text,
                    log,
                    (char[]){"-d"},
                    (char *)files->body,
                    url,
                    NULL};
    int   status = -1;
    pid_t pid;

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%s/answer", port);
    (void)snprintf(count, sizeof count, "-m%u", streams);
    (void)snprintf(time_text, sizeof time_text, "-D%ums", (unsigned)(seconds * 1e3) + 1);
    (void)snprintf(log, sizeof log, "--log-file=%s", files->log);
    pid = spawn(argv);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Lines of: begin in us, status, duration in us. */
static bool read_log(const char *path, struct h2_probe *out)
{
    struct probe_times times = {0};
    FILE              *f = fopen(path, "r");
    double             began;
    double             status;
    double             took;
    double             first = 0;
    double             last = 0;
    bool               good = f != NULL;

    while (f != NULL && fscanf(f, "%lf %lf %lf", &began, &status, &took) == 3) {
        good = good && status >= 200 && status < 300;
        first = times.count == 0 || began < first ? began : first;
        last = began + took > last ? began + took : last;
        probe_times_add(&times, took);
    }
    if (f != NULL)
        (void)fclose(f);
    good = good && times.count > 0 && last > first;
    if (good) {
        out->calls_s = times.count * 1e6 / (last - first);
        out->p50_us = probe_times_at(&times, 50);
        out->p99_us = probe_times_at(&times, 99);
        out->server_cpu_us = 1e6 / times.count; /* times the seconds, which the caller knows */
    }
    probe_times_free(&times);
    return good;
}

bool h2_probe(unsigned streams, size_t body_bytes, double seconds, struct h2_probe *out)
{
    struct probe_files files = {0};
    char               port[8];
    uint16_t           number = free_port();
    pid_t              server;
    bool               good;

    (void)snprintf(port, sizeof port, "%u", number);
    if (number == 0 || !make_files(&files, body_bytes))
        return false;
    server = start_server(&files, port);
    good = server > 0 && await_listening(number) && run_client(&files, port, streams, seconds) &&
           read_log(files.log, out);
    if (good) {
        out->server_cpu_us *= running_cpu_s(server);
        out->server_rss_mib = running_rss_mib(server);
    } else {
        fprintf(stderr, "h2 probe: nghttpd and h2load do not run; Debian has them in "
                        "nghttp2-server and nghttp2-client\n");
    }
    if (server > 0) {
        (void)kill(server, SIGKILL);
        (void)waitpid(server, NULL, 0);
    }
    probe_dir_remove(files.dir);
    return good;
}
