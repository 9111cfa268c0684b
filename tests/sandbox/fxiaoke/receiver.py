"""A place that callbacks go to: checks, decrypts, answers, and keeps what it got."""

import contextlib
import http.server
import json
import threading
import time

from sandbox.fxiaoke.callback_crypto import decrypt, encrypt, sign_answer, sign_delivery


class Receiver:
    def __init__(self, secret):
        self.secret = secret
        self.got = []  # (delivery, plain message) in order of arrival
        self.mood = "good"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                outer._take(self, json.loads(self.rfile.read(length)))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _take(self, handler, delivery):
        expected = sign_delivery(
            self.secret,
            timestamp=delivery["timestamp"],
            nonce=delivery["nonce"],
            message_id=delivery["messageId"],
            ea=delivery["enterpriseAccount"],
            encrypted=delivery["encryptedContent"],
            retry_times=delivery.get("retryTimes"),
        )
        assert delivery["signature"] == expected
        self.got.append((delivery, json.loads(decrypt(self.secret, delivery["encryptedContent"]))))
        mood, self.mood = self.mood, self.mood if self.mood == "bad" else "good"
        if mood == "slow":
            time.sleep(3.4)
        word = "failure" if mood == "bad" else "success"
        encrypted = encrypt(self.secret, word)
        now = int(time.time() * 1000)
        answer = {
            "timestamp": now,
            "nonce": "n",
            "encryptedResult": encrypted,
            "signature": sign_answer(self.secret, timestamp=now, nonce="n", encrypted=encrypted),
        }
        body = json.dumps(answer).encode()
        with contextlib.suppress(OSError):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

    def messages(self, count, seconds=5):
        """Waits for that many deliveries and returns their plain messages."""
        end = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < end:
            time.sleep(0.01)
        return [plain for _, plain in self.got]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
