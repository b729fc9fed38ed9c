"""The network between a phone and its centre, as bad as wanted: dead, a captive portal, a newer app on the other side."""

import hashlib
import http.client
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str], bytes]
PORTAL = b"<!doctype html><title>Free WiFi</title><h1>Accept our terms</h1>"


class Network:
    """Stands before the real server; `mode` says what happens to each request."""

    def __init__(self, port: int):
        self.mode = "good"  # good, dead, portal, half (the new worker comes, its files do not), newer
        self.port_behind = port
        self.seen: list[str] = []
        self.change: Callable[[str, Answer], Answer] = lambda path, answer: answer
        network = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                network.seen.append(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if network.mode == "dead":
                    self.close_connection = True
                    return None
                if network.mode == "portal":
                    return self.give((200, {"Content-Type": "text/html"}, PORTAL))
                return self.give(network.answer(self.command, self.path, dict(self.headers), body))

            do_GET = do_POST = do_HEAD = handle_any  # noqa: N815

            def give(self, answer: Answer) -> None:
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port_behind, timeout=30)
        sent = {name: value for name, value in headers.items() if name.lower() not in ("accept-encoding", "connection")}
        try:
            connection.request(method, path, body or None, sent)
            response = connection.getresponse()
            kept = (
                "Content-Type",
                "X-Signature",
                "Cache-Control",
                "Content-Security-Policy",
                "Permissions-Policy",
                "Vary",
                "ETag",
            )
            given = {name: value for name in kept if (value := response.getheader(name))}
            answer = response.status, given, response.read()
        except OSError:
            return 502, {"Content-Type": "text/plain"}, b"nobody"
        finally:
            connection.close()
        if self.mode in ("newer", "half"):
            answer = self.newer(path, answer)
        return self.change(path, answer)

    def newer(self, path: str, answer: Answer) -> Answer:
        """Serve the app as its next version: another title, another build; `half`: the page of the new version is missing."""
        status, headers, body = answer
        if path == "/app/":
            if self.mode == "half":
                return 404, {"Content-Type": "text/plain"}, b"gone"
            return status, headers, newer_page(body)
        if path == "/app/sw.js":
            text = body.decode()
            shell = json.loads(found.group()) if (found := re.search(r'\{"/app/":.*?\}', text)) else {}
            page = newer_page(self.answer_as_now("/app/"))
            shell["/app/"] = hashlib.sha256(page).hexdigest()
            text = re.sub(r'\{"/app/":.*?\}', json.dumps(shell), text)
            return status, headers, re.sub(r"fieldapp-(?=[0-9a-f]{12})", lambda m: m.group() + "next", text).encode()
        return answer

    def answer_as_now(self, path: str) -> bytes:
        mode, self.mode = self.mode, "good"
        try:
            return self.answer("GET", path, {}, b"")[2]
        finally:
            self.mode = mode


def newer_page(page: bytes) -> bytes:
    return page.replace(b"<title>fieldapp</title>", b"<title>fieldapp next</title>")
