#!/usr/bin/env python3
"""A pump that pushes its metrics: to the place the original pushes to, again after a failure, and
without minding a gateway that is not there."""

import http.server
import threading

from cluster import Cluster, run_checks, wait_for


class Gateway(http.server.BaseHTTPRequestHandler):
    """Takes pushes; refuses the first of them."""

    pushes = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.pushes.append((self.path, self.headers["Content-Type"], body.decode()))
        self.send_response(500 if len(self.pushes) == 1 else 202)
        self.end_headers()

    def log_message(self, *_):
        pass


def metrics_arrive_at_the_gateway_of_the_original(folder):
    server = http.server.HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Cluster(folder, 5) as cluster:
        pump = cluster.pump("p:1", "-metrics-addr", f"127.0.0.1:{server.server_port}",
                            "-metrics-interval", "1").start()
        wait_for("two pushes", lambda: len(Gateway.pushes) >= 2)
        assert pump.stop() == 0
    server.shutdown()
    server.server_close()
    path, content_type, body = Gateway.pushes[1]
    assert path == "/metrics/job/binlog/instance/p%3A1", path
    assert content_type.startswith("text/plain; version=0.0.4"), content_type
    assert "\nbinlog_pump_storage_max_commit_ts " in body
    log = pump.log.read_text()
    assert "push metrics to Prometheus Pushgateway failed" in log and "500" in log, log


def gateway_that_is_not_there_stops_nothing(folder):
    with Cluster(folder, 5) as cluster:
        pump = cluster.pump("p0", "-metrics-addr", "http://127.0.0.1:1/prefix",
                            "-metrics-interval", "1").start()
        wait_for("the failure is told",
                 lambda: "push metrics to Prometheus Pushgateway failed" in pump.log.read_text())
        assert pump.stop() == 0


run_checks([metrics_arrive_at_the_gateway_of_the_original, gateway_that_is_not_there_stops_nothing])
