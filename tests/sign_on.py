"""Sign-on providers for tests: a real one, and one that lies.

The real one is node oidc-provider (client/test/sign_on_provider.mjs): certified by the OpenID Foundation, it checks client,
PKCE, redirect addresses and codes as strictly as those of cities do, starts in half a second, and comes by npm like the
tests' S3 store. No real one answers wrongly, so wrong answers come from a server of ours.
"""

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from fieldapp.settings import Settings

ROOT = Path(__file__).parent.parent
SECRET = "a secret for the tests of sign-on"
NAME = "City account"


def settings_of(issuer: str, **more: str) -> dict[str, str]:
    """Return the settings for a provider."""
    return {
        "sign_on_issuer": issuer,
        "sign_on_client": "fieldapp",
        "sign_on_secret": SECRET,
        "sign_on_name": NAME,
        **more,
    }


@dataclass
class RealProvider:
    """A provider that runs as a process of its own; stopped and started again it has the same address."""

    home: str
    issuer: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        port = {"port": urlsplit(self.issuer).port} if self.issuer else {}
        wanted = {"redirect": [f"{self.home}/sign-on/answer"], "home": [f"{self.home}/"], **port}
        script = ROOT / "client" / "test" / "sign_on_provider.mjs"
        command = [sys.executable, str(ROOT / "tools" / "with_node.py"), "node", str(script), json.dumps(wanted)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer

    def stop(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def real_provider(home: str = "http://localhost") -> Iterator[RealProvider]:
    provider = RealProvider(home)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


@dataclass
class Visitor:
    """Somebody's browser at the provider, which remembers them there."""

    home: str = "http://localhost"
    browser: requests.Session = field(default_factory=requests.Session)
    asked: int = 0  # how often they had to sign in there

    def visit(self, address: str, name: str = "jane@city", **typed: str) -> str:
        """Go to the provider, sign in there where it asks, and return the address it sends people back to."""
        answer = self.browser.get(address, allow_redirects=False)
        while True:
            if answer.is_redirect:
                to = urljoin(answer.url, answer.headers["Location"])
                if to.startswith(f"{self.home}/"):
                    return to.removeprefix(self.home)
                answer = self.browser.get(to, allow_redirects=False)
            else:
                assert answer.status_code == 200 and "/interaction/" in answer.url, (answer.status_code, answer.text)
                self.asked += 1
                answer = self.browser.post(answer.url, data={"name": name, **typed}, allow_redirects=False)

    def sign_out(self, address: str) -> str:
        """Sign out at the provider, where it asks whether that is meant; return where it sends people."""
        page = self.browser.get(address)
        action = re.search(r'action="([^"]+)"', page.text)
        xsrf = re.search(r'name="xsrf" value="([^"]+)"', page.text)
        assert action and xsrf, page.text
        answer = self.browser.post(action[1], data={"xsrf": xsrf[1], "logout": "yes"}, allow_redirects=False)
        return str(answer.headers["Location"])


@dataclass
class Liar:
    """What a provider that lies says; a test changes it."""

    issuer: str
    key: RSAKey
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    published: list[RSAKey] = field(default_factory=list)
    status: int = 200
    waits: float = 0
    size: int = 0
    drips: bool = False
    asked: list[str] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)  # what came with the last code

    def say_who(self) -> str:
        now = int(time.time())
        right = {"iss": self.issuer, "sub": "jane", "aud": "fieldapp", "exp": now + 60, "iat": now, "nonce": self.nonce}
        claims = {name: value for name, value in {**right, **self.claims}.items() if value is not None}
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        if header["alg"] == "none":
            # Signed by nobody; no library writes it.
            parts = [jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("x" * 40)).split(".")[1]]
            return f"eyJhbGciOiJub25lIn0.{parts[0]}."
        key = OctKey.import_key(SECRET) if header["alg"].startswith("HS") else self.key
        return jwt.encode(header, claims, key)

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth", "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint": f"{self.issuer}/token", "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                **self.metadata,
            }  # fmt: skip
        if path == "/keys":
            return {"keys": [key.as_dict(private=False) for key in self.published]}
        return {"access_token": "an access token", "token_type": "Bearer", "id_token": self.say_who(), **self.token}


def make_key() -> RSAKey:
    return RSAKey.generate_key(2048, auto_kid=True)


@contextlib.contextmanager
def lying_provider() -> Iterator[Liar]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            liar.asked.append(self.path)
            time.sleep(liar.waits)
            self.send_response(liar.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(b" " * liar.size)
                while liar.drips:
                    self.wfile.write(b" ")
                    time.sleep(0.05)
                self.wfile.write(json.dumps(liar.answer(self.path)).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            liar.sent = dict(parse_qsl(body.decode()))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    key = make_key()
    liar = Liar(f"http://127.0.0.1:{server.server_port}", key, published=[key])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield liar
    finally:
        liar.drips = False
        server.shutdown()
        server.server_close()
        thread.join(5)


def provider_settings(issuer: str, **more: str) -> Settings:
    return Settings(**settings_of(issuer, **more))
