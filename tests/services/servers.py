"""Real servers for deliveries, started by the tests: SFTP (asyncssh), S3 (s3rver, on Node), SMTP (aiosmtpd)."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import asyncssh
from aiosmtpd.controller import Controller

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Sftp:
    """An SFTP server over a folder; `dies_after` bytes it drops the connection, once."""

    folder: Path
    password: str = "a password for sftp"
    key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    client_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    port: int = 0
    dies_after: int | None = None
    uploads: int = 0
    written: int = 0

    @property
    def host_key(self) -> str:
        return self.key.export_public_key().decode().strip()

    def target(self, **changes: Any) -> dict[str, Any]:
        return {
            "kind": "sftp", "host": "127.0.0.1", "port": str(self.port), "username": "institute", "folder": "/",
            "host_key": self.host_key, "secret": "sftp", **changes,
        }  # fmt: skip


class _Login(asyncssh.SSHServer):
    def __init__(self, server: Sftp):
        self.server = server

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == "institute" and password == self.server.password

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "institute" and key == self.server.client_key.convert_to_public()


@contextmanager
def sftp_server(folder: Path) -> Iterator[Sftp]:
    server = Sftp(folder)

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: Any):
            super().__init__(channel, chroot=str(folder).encode())

        def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
            server.uploads += bool(pflags & asyncssh.FXF_WRITE)
            return super().open(path, pflags, attrs)

        def write(self, file: Any, offset: int, data: bytes) -> int:
            server.written += len(data)
            if server.dies_after is not None and server.written > server.dies_after:
                server.dies_after = None
                self.channel.get_connection().abort()
            return super().write(file, offset, data)

    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> None:
        acceptor = await asyncssh.create_server(
            lambda: _Login(server), "127.0.0.1", 0, server_host_keys=[server.key], sftp_factory=Files
        )
        server.port = acceptor.get_port()
        ready.set()

    thread = threading.Thread(target=lambda: (loop.run_until_complete(serve()), loop.run_forever()), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Yield the address of an S3 store with a bucket “packages”; its objects lie in the folder."""
    script = (
        "import S3rver from 's3rver';"
        f"new S3rver({{port: 0, address: '127.0.0.1', silent: true, directory: {json.dumps(str(folder))},"
        "configureBuckets: [{name: 'packages'}]}).run((e, a) => console.log(e || a.port));"
    )
    command = [sys.executable, str(ROOT / "tools" / "with_node.py"), "node", "--input-type=module", "-e", script]
    process = subprocess.Popen(command, cwd=ROOT / "client", stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


class Mailbox:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content))
        return "250 kept"


@contextmanager
def smtp_server() -> Iterator[tuple[str, Mailbox]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}", box
    finally:
        controller.stop()
