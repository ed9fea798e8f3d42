"""A TCP proxy that misbehaves on purpose, for tests of what is done with a downstream that does.

    proxy = FaultProxy(server_port)
    connect to 127.0.0.1:proxy.port
    proxy.faults.append(Fault("reset-after", match=b"COMMIT"))   the next COMMIT's answer is lost
    proxy.delay_s = 0.005                                        each way takes 5 ms
    proxy.cut()                                                  all connections, now
    proxy.refuse = True                                          new ones too, until False
    proxy.close()

A fault acts once, on the first client's bytes that contain `match` after `skip` others did, and is
then taken off the list. Kinds:

    reset-before  the connection is reset, and the server never sees the bytes
    reset-after   the server sees the bytes and its answer is awaited and swallowed; then the
                  client's connection is reset: it cannot know what became of its COMMIT
    stall         the bytes go nowhere, and the connection stays open, silent

`match` must stand in one packet, which it does for statements: a client sends one and waits."""

import contextlib
import select
import socket
import struct
import threading
import time

CHUNK = 1 << 16
POLL_S = 0.05  # in which a closed proxy is noticed
ANSWER_S = 30  # the server is given to answer what is swallowed


class Fault:
    """One fault, see above. `done` is set when it has acted."""

    def __init__(self, kind, match, skip=0):
        assert kind in ("reset-before", "reset-after", "stall"), kind
        self.kind = kind
        self.match = match
        self.skip = skip
        self.done = threading.Event()


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and passes connections on to `port` there."""

    def __init__(self, port):
        self.target = port
        self.faults = []
        self.delay_s = 0.0
        self.refuse = False
        self.connections = 0  # taken so far
        self.lock = threading.Lock()
        self.links = set()
        self.open = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(POLL_S)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while self.open:
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            link = None
            if not self.refuse:
                with contextlib.suppress(OSError):
                    link = Link(self, client)
            if link is None:
                reset(client)
                continue
            with self.lock:
                self.links.add(link)
                self.connections += 1
            link.start()

    def cut(self):
        """Reset every connection that is open."""
        with self.lock:
            links = list(self.links)
        for link in links:
            link.reset()

    def close(self):
        self.open = False
        self.cut()
        self.listener.close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def fault_for(self, data):
        """The fault that these bytes meet, taken off the list."""
        with self.lock:
            for fault in self.faults:
                if fault.match in data:
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    self.faults.remove(fault)
                    return fault
        return None


class Link:
    """One connection through the proxy, on a thread of its own."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.server = socket.create_connection(("127.0.0.1", proxy.target))
        for side in (self.client, self.server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stalled = False

    def start(self):
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError, ValueError):
            while self.proxy.open and self.step():
                pass
        self.close()
        with self.proxy.lock:
            self.proxy.links.discard(self)

    def step(self):
        """Pass on what has come; false when the connection is over."""
        ready, _, _ = select.select([self.client, self.server], [], [], POLL_S)
        for side in ready:
            data = side.recv(CHUNK)
            if not data:
                return False
            if self.proxy.delay_s > 0:
                time.sleep(self.proxy.delay_s)
            if side is self.server:
                if not self.stalled:
                    self.client.sendall(data)
            elif not self.pass_on(data):
                return False
        return True

    def pass_on(self, data):
        """The client's bytes to the server, unless a fault is waiting for them."""
        if self.stalled:
            return True
        fault = self.proxy.fault_for(data)
        if fault is None or fault.kind == "reset-after":
            self.server.sendall(data)
        if fault is None:
            return True
        if fault.kind == "reset-after":
            self.server.settimeout(ANSWER_S)
            self.server.recv(CHUNK)
        self.stalled = fault.kind == "stall"
        if not self.stalled:
            self.reset()
        fault.done.set()
        return self.stalled

    def reset(self):
        reset(self.client)
        self.close()

    def close(self):
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                side.close()


def reset(side):
    """Close with RST, as a host does that has forgotten the connection."""
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        side.close()
