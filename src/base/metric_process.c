/* The process_* families that Prometheus' client libraries export, with their names and texts. Each
 * asks /proc by itself when it is scraped; what cannot be read is left out. */

#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/metric.h"

enum { LINE_BYTES_MAX = 1024 };

/* Fields of /proc/self/stat as proc(5) numbers them. */
enum { STAT_UTIME = 14, STAT_STIME = 15, STAT_STARTTIME = 22, STAT_VSIZE = 23, STAT_RSS = 24 };
enum { STAT_FIRST_AFTER_NAME = 3 };

/* Set *out to a numeric field. The second field, the name, is in parentheses and may contain
 * anything, so counting begins behind the last one. */
static bool read_stat(unsigned number, double *out)
{
    char        line[LINE_BYTES_MAX];
    FILE       *file = fopen("/proc/self/stat", "re");
    const char *at;
    bool        got;

    if (file == NULL)
        return false;
    got = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    at = got ? strrchr(line, ')') : NULL;
    if (at == NULL)
        return false;
    for (unsigned i = STAT_FIRST_AFTER_NAME; at != NULL; i++) {
        at = strchr(at + 1, ' ');
        if (at != NULL && i == number)
            return sscanf(at, "%lf", out) == 1;
    }
    return false;
}

static bool read_cpu(void *context, const char *const values[], double *out)
{
    double user;
    double system;

    (void)context;
    (void)values;
    if (!read_stat(STAT_UTIME, &user) || !read_stat(STAT_STIME, &system))
        return false;
    *out = (user + system) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

/* The listing's own descriptor is not counted. */
static bool read_open_fds(void *context, const char *const values[], double *out)
{
    DIR     *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    (void)context;
    (void)values;
    if (dir == NULL)
        return false;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    *out = (double)(count - 1);
    return true;
}

static bool read_max_fds(void *context, const char *const values[], double *out)
{
    struct rlimit limit;

    (void)context;
    (void)values;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    *out = (double)limit.rlim_cur;
    return true;
}

static bool read_virtual(void *context, const char *const values[], double *out)
{
    (void)context;
    (void)values;
    return read_stat(STAT_VSIZE, out);
}

static bool read_resident(void *context, const char *const values[], double *out)
{
    double pages;

    (void)context;
    (void)values;
    if (!read_stat(STAT_RSS, &pages))
        return false;
    *out = pages * (double)sysconf(_SC_PAGESIZE);
    return true;
}

/* Moment of boot, in seconds since the Unix epoch. */
static bool read_boot_time(double *out)
{
    char  line[LINE_BYTES_MAX];
    FILE *file = fopen("/proc/stat", "re");
    bool  got = false;

    if (file == NULL)
        return false;
    while (!got && fgets(line, sizeof line, file) != NULL)
        got = sscanf(line, "btime %lf", out) == 1;
    (void)fclose(file);
    return got;
}

static bool read_start(void *context, const char *const values[], double *out)
{
    double boot;
    double ticks;

    (void)context;
    (void)values;
    if (!read_boot_time(&boot) || !read_stat(STAT_STARTTIME, &ticks))
        return false;
    *out = boot + ticks / (double)sysconf(_SC_CLK_TCK);
    return true;
}

static const struct sl_metric_row rows[] = {
    {
        .name = "process_cpu_seconds_total",
        .kind = SL_METRIC_COUNTER,
        .unit = "seconds",
        .help = "Total user and system CPU time spent in seconds.",
        .read = read_cpu,
    },
    {
        .name = "process_max_fds",
        .kind = SL_METRIC_GAUGE,
        .unit = "",
        .help = "Maximum number of open file descriptors.",
        .read = read_max_fds,
    },
    {
        .name = "process_open_fds",
        .kind = SL_METRIC_GAUGE,
        .unit = "",
        .help = "Number of open file descriptors.",
        .read = read_open_fds,
    },
    {
        .name = "process_resident_memory_bytes",
        .kind = SL_METRIC_GAUGE,
        .unit = "bytes",
        .help = "Resident memory size in bytes.",
        .read = read_resident,
    },
    {
        .name = "process_start_time_seconds",
        .kind = SL_METRIC_GAUGE,
        .unit = "seconds",
        .help = "Start time of the process since unix epoch in seconds.",
        .read = read_start,
    },
    {
        .name = "process_virtual_memory_bytes",
        .kind = SL_METRIC_GAUGE,
        .unit = "bytes",
        .help = "Virtual memory size in bytes.",
        .read = read_virtual,
    },
};

const struct sl_metric_table sl_metric_process_table = {"Process", rows,
                                                        sizeof rows / sizeof rows[0]};
