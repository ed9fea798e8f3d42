"""A server that speaks just enough of MySQL's protocol to ask for a password in a way of its own,
on a free port of 127.0.0.1, for one connection."""

import contextlib
import hashlib
import pathlib
import socket
import subprocess
import threading

from cluster import SECONDS_MAX

NONCE = b"abcdefgh0123456789XY"
DENIED = b"\xff" + (1045).to_bytes(2, "little") + b"#28000Access denied here"


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def xor(a, b):
    return bytes(x ^ b[i % len(b)] for i, x in enumerate(a))


def proof_of(password):
    once = sha256(password)
    return xor(once, sha256(sha256(once), NONCE))


class FakeServer:
    """Asks for `method`; a subclass says what follows. `got` is all that the client sent."""

    method = b"mysql_clear_password"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got = b""
        self.peer = None
        self.number = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError, EOFError):
            self.peer, _ = self.listener.accept()
            self.peer.settimeout(SECONDS_MAX)
            with self.peer:
                self.send(b"\x0a8.4.0\0" + (1).to_bytes(4, "little") + NONCE[:8] + b"\0" +
                          b"\xff\xf7\x2d\x02\0\xff\x81\x15" + b"\0" * 10 + NONCE[8:] + b"\0" +
                          b"mysql_native_password\0")
                self.receive()
                self.send(b"\xfe" + self.method + b"\0" + NONCE + b"\0")
                self.judge()

    def judge(self):
        self.receive()
        self.send(DENIED)

    def send(self, payload):
        self.peer.sendall(len(payload).to_bytes(3, "little") + bytes([self.number]) + payload)
        self.number += 1

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.peer.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        self.got += data
        return data

    def receive(self):
        head = self.exactly(4)
        self.number = head[3] + 1
        return self.exactly(int.from_bytes(head[:3], "little"))

    def end(self):
        """What the client sent."""
        self.thread.join(SECONDS_MAX)
        self.listener.close()
        return self.got


class Sha2Server(FakeServer):
    """MySQL 8's method. It lets nobody in, so that a test is over then: `verdict` says whether the
    password was right. `knows`: it has the password's hash at hand."""

    method = b"caching_sha2_password"

    def __init__(self, folder, password, knows):
        self.folder = pathlib.Path(folder)
        self.password = password
        self.knows = knows
        self.verdict = ""
        subprocess.run(["openssl", "genrsa", "-out", self.folder / "key", "2048"], check=True,
                       capture_output=True)
        self.public = subprocess.run(["openssl", "rsa", "-in", self.folder / "key", "-pubout"],
                                     check=True, capture_output=True).stdout
        super().__init__()

    def judge(self):
        proof = self.receive()
        if self.password == b"":
            self.verdict = "right" if proof == b"" else "wrong"
        elif self.knows:
            self.verdict = "right" if proof == proof_of(self.password) else "wrong"
            if self.verdict == "right":
                self.send(b"\x01\x03")
        else:
            self.send(b"\x01\x04")
            assert self.receive() == b"\x02"
            self.send(b"\x01" + self.public)
            shown = subprocess.run(["openssl", "pkeyutl", "-decrypt", "-inkey", self.folder / "key",
                                    "-pkeyopt", "rsa_padding_mode:oaep"], input=self.receive(),
                                   capture_output=True, check=True).stdout
            self.verdict = "right" if xor(shown, NONCE) == self.password + b"\0" else "wrong"
        self.send(DENIED)
