"""A receiver of webhooks on this machine, and a mail server: both real, both as well or ill as a test wants."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class Receiver(ThreadingHTTPServer):
    """Keeps what it gets. `status` is what it answers, `location` where it redirects to, `hold` how it is kept waiting."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got, self.status, self.location = [], 200, None
        self.drip = False
        self.hold = threading.Event()
        self.hold.set()
        self.arrived = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body, self.path))
        self.server.arrived.set()
        self.server.hold.wait(30)
        with suppress(OSError):
            while self.server.drip:
                self.wfile.write(b"H")
                time.sleep(0.05)
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the library's name

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def receiving():
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.hold.set()
        server.drip = False
        server.shutdown()
        server.server_close()


class Letters:
    """Keeps the letters that it is brought, or refuses them."""

    def __init__(self):
        self.kept, self.refuse = [], False

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return "451 not now"
        self.kept.append(envelope)
        return "250 OK"


@contextmanager
def mail_server():
    """Yield a server's port and its letters."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    letters = Letters()
    controller = Controller(letters, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, letters
    finally:
        controller.stop()
