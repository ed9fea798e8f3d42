#ifndef SL_BENCH_H2_PROBE_H
#define SL_BENCH_H2_PROBE_H

/* What HTTP/2 alone can do on this machine: h2load posts bodies to nghttpd, which throws them away.
 * One server thread, one client thread, one connection, no TLS. Both are Debian's (nghttp2-server
 * and nghttp2-client). */

#include <stdbool.h>
#include <stddef.h>

struct h2_probe {
    double calls_s;
    double p50_us;
    double p99_us;
    double server_cpu_us; /* per call */
    double server_rss_mib;
};

/* `streams` posts of `body_bytes` at a time for `seconds`. False: it cannot be had, and standard
 * error says why. */
bool h2_probe(unsigned streams, size_t body_bytes, double seconds, struct h2_probe *out);

#endif
