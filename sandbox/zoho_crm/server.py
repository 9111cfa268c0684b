"""A small threaded HTTP/1.1 server for one WSGI application, in this process.

Connections are kept alive, an answer leaves in one piece, and the application can order that a
connection is closed without an answer (`sandbox.drop` in the WSGI environment).
"""

import io
import socket
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_to_bytes

from sandbox.zoho_crm.gate import DROP_KEY

IDLE_SECONDS = 75
MAX_BODY = 50 * 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ZohoCrmStandIn"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def log_message(self, template, *values):
        """Quiet: the calls are counted by the application."""

    def date_time_string(self, timestamp=None):
        """By the organisation's clock, where that was asked for."""
        return super().date_time_string(self.server.now() if timestamp is None else timestamp)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self):
        with self.server.in_flight:
            try:
                self._answer()
            except Exception:
                traceback.print_exc(file=sys.stderr)
                self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    def _answer(self):
        body = self._body()
        if body is None:
            self.send_error(413)
            return
        environ = self._environ(body)
        started = []

        def start_response(status, headers, _error=None):
            started[:] = [status, headers]

        chunks = self.server.application(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        if environ.get(DROP_KEY):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(started[0], started[1], content)

    def _send(self, status, headers, content):
        code = int(status.split(" ", 1)[0])
        lines = [f"HTTP/1.1 {status}", f"Date: {self.date_time_string()}"]
        lines.extend(f"{name}: {value}" for name, value in headers if name != "Content-Length")
        if code not in {204, 304}:
            lines.append(f"Content-Length: {len(content)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        silent = self.command == "HEAD" or code in {204, 304}
        self.wfile.write(head if silent else head + content)

    def _body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length <= MAX_BODY else None

    def _chunks(self):
        parts, total = [], 0
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            total += size
            if total > MAX_BODY:
                return None
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _environ(self, body):
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ["CONTENT_TYPE"] = value
            elif key not in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
                environ[f"HTTP_{key}"] = value
        return environ


class InFlight:
    """Counts running requests, so that a stop can wait for them."""

    def __init__(self):
        self._condition = threading.Condition()
        self._count = 0

    def __enter__(self):
        with self._condition:
            self._count += 1

    def __exit__(self, *_error):
        with self._condition:
            self._count -= 1
            self._condition.notify_all()

    def wait(self, seconds):
        with self._condition:
            self._condition.wait_for(lambda: self._count == 0, seconds)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host, port, application):
        self.application = application
        self.in_flight = InFlight()
        self.now = time.time
        super().__init__((host, port), Handler)

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
