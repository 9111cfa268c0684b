"""A small threaded HTTP/1.1 server for the WSGI application, with keep-alive.

Werkzeug's own development server closes every connection after one answer, which a client that
sends thousands of calls would pay for. An application may set `environ["sandbox.hang_up"]` to have
the connection closed without an answer.
"""

import http.server
import io
import socket
import socketserver
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

MAX_BODY = 128 * 1024 * 1024
IDLE_SECONDS = 75
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int, app: WsgiApp) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.app = app
        self.now: Callable[[], float] = time.time
        self._busy = 0
        self._busy_lock = threading.Lock()

    def server_bind(self) -> None:
        # HTTPServer looks the host name up here, which can take seconds without a name server.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def enter(self) -> None:
        with self._busy_lock:
            self._busy += 1

    def leave(self) -> None:
        with self._busy_lock:
            self._busy -= 1

    def finish_calls(self, seconds: float) -> None:
        """Waits until the calls under way are answered, but not for ever."""
        end = time.monotonic() + seconds
        while self._busy and time.monotonic() < end:
            time.sleep(0.02)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    timeout = IDLE_SECONDS
    server: Server

    def date_time_string(self, timestamp: float | None = None) -> str:
        """By the tenant's clock, where that was asked for."""
        return super().date_time_string(self.server.now() if timestamp is None else timestamp)

    def version_string(self) -> str:
        return "fxiaoke-stand-in"

    def log_message(self, *_: Any) -> None:
        """Stays silent: stdout belongs to the first line, and requests may carry secrets."""

    def do_POST(self) -> None:
        self._serve()

    # The names are those that http.server looks for.
    do_GET = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST  # noqa: N815

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        self.server.enter()
        try:
            self._run(self._environ(body))
        finally:
            self.server.leave()

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY:
            self.close_connection = True
            self.send_error(413 if length > MAX_BODY else 400)
            return None
        return self.rfile.read(length) if length else b""

    def _chunks(self) -> bytes | None:
        parts: list[bytes] = []
        total = 0
        while True:
            try:
                size = int(self.rfile.readline(64).split(b";")[0], 16)
            except ValueError:
                size = -1
            total += max(size, 0)
            if size < 0 or total > MAX_BODY:
                self.close_connection = True
                self.send_error(413 if total > MAX_BODY else 400)
                return None
            if size == 0:
                while self.rfile.readline(8192).strip():
                    continue
                return b"".join(parts)
            parts.append(self.rfile.read(size))
            self.rfile.readline(8)

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": _unquote(path),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "sandbox.hang_up": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"}:
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _run(self, environ: dict[str, Any]) -> None:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            started[:] = [status, headers]

        result = self.server.app(environ, start_response)
        content = b"".join(result)
        close = getattr(result, "close", None)
        if close:
            close()
        if environ["sandbox.hang_up"]:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(*started, content)

    def _answer(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()


def _unquote(path: str) -> str:
    # WSGI wants the bytes of the path as latin-1 text.
    return urllib.parse.unquote_to_bytes(path).decode("latin-1")
