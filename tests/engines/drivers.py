"""Drive Firefox (Marionette) and WebKitGTK (WebDriver) with the standard library: open an address, run a script."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

NEEDED = {"firefox-esr": "firefox-esr", "WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}


def missing() -> list[str]:
    """Return the Debian packages that these tests need and the machine lacks."""
    return [package for program, package in NEEDED.items() if not shutil.which(program)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Driver(ABC):
    @abstractmethod
    def open(self, url: str) -> None: ...

    @abstractmethod
    def run(self, script: str) -> Any: ...

    def until(self, script: str, patience: float = 30) -> Any:
        """Return what a script gives once it gives something."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                if found := self.run(f"return {script}"):
                    return found
            except OSError:
                raise
            except Exception as error:  # the page is between two documents
                last = error
            time.sleep(0.2)
        raise AssertionError(f"never: {script} {locals().get('last', '')} in: {self.run('return document.body.innerText')}")

    @abstractmethod
    def close(self) -> None: ...


class Firefox(Driver):
    """https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html"""

    def __init__(self, profile: Path):
        profile.mkdir(exist_ok=True)
        port = free_port()
        (profile / "user.js").write_text(
            f'user_pref("marionette.port", {port});\nuser_pref("browser.shell.checkDefaultBrowser", false);\n'
            'user_pref("datareporting.policy.dataSubmissionEnabled", false);\nuser_pref("app.update.enabled", false);\n'
        )
        environment = {**os.environ, "MOZ_HEADLESS": "1", "HOME": str(profile)}
        command = ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number = 0
        end = time.monotonic() + 60
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.3)
        self._read()
        self._call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})

    def _read(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self.socket.recv(1)
        data = b""
        while len(data) < int(size[:-1]):
            data += self.socket.recv(int(size[:-1]) - len(data))
        return json.loads(data)

    def _call(self, name: str, parameters: dict[str, Any]) -> Any:
        self.number += 1
        message = json.dumps([0, self.number, name, parameters])
        self.socket.sendall(f"{len(message.encode())}:{message}".encode())
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(error)
        return result.get("value") if isinstance(result, dict) else result

    def open(self, url: str) -> None:
        self._call("WebDriver:Navigate", {"url": url})

    def run(self, script: str) -> Any:
        return self._call("WebDriver:ExecuteScript", {"script": script, "args": []})

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


class WebKit(Driver):
    """https://www.w3.org/TR/webdriver2/, spoken by WebKitWebDriver; a session keeps nothing once it is closed."""

    def __init__(self, profile: Path):
        self.port = free_port()
        display = f":{90 + self.port % 100}"
        self.screen = subprocess.Popen(["Xvfb", display], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        environment = {**os.environ, "DISPLAY": display, "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        self.process = subprocess.Popen(
            ["WebKitWebDriver", f"--port={self.port}"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        browser = next(Path("/usr/lib").rglob("webkit2gtk-4.1/MiniBrowser"))
        options = {"binary": str(browser), "args": ["--automation"]}
        end = time.monotonic() + 30
        while True:
            try:
                self._call("GET", "/status")
                break
            except urllib.error.URLError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}})
        self.session = made["sessionId"]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["value"]

    def open(self, url: str) -> None:
        self._call("POST", f"/session/{self.session}/url", {"url": url})

    def run(self, script: str) -> Any:
        return self._call("POST", f"/session/{self.session}/execute/sync", {"script": script, "args": []})

    def close(self) -> None:
        for process in (self.process, self.screen):
            process.terminate()
            process.wait(timeout=30)
