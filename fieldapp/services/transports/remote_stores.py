"""Stores on other machines: folders reached by SFTP, and buckets of what speaks S3."""

import hashlib
import logging
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldapp.services.failures import note_failure
from fieldapp.services.transports.connections import make_s3_client, open_sftp
from fieldapp.services.transports.stores import PARTIAL, FolderStore, Store, StoreProblem, create_here, require_same
from fieldapp.services.transports.targets import S3, DeliveryFailed
from fieldapp.settings import Settings

if TYPE_CHECKING:
    import minio
    import paramiko

log = logging.getLogger("fieldapp.backups")

CREDENTIALS = (
    "backups"  # in the folder of secrets: a password or private key; for S3 the access key and the secret, a line each
)
HOST_KEY = "backups-host-key"
MISSING = {"NoSuchKey", "NotFound"}


class _Digest:
    """A file to which is written what is only hashed."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)


class _Copy(_Digest):
    """A file to which is written what is hashed and stored."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self.file = file

    def write(self, data: bytes) -> int:
        super().write(data)
        return int(self.file.write(data))


class SftpStore:
    """A folder on another machine, reached by SFTP."""

    def __init__(self, sftp: "paramiko.SFTPClient", address: str, folder: str):
        self.sftp = sftp
        self.address = address
        self.folder = folder.rstrip("/")

    def describe(self, name: str = "") -> str:
        return f"{self.address.rstrip('/')}/{name}" if name else self.address

    def list_names(self) -> list[str]:
        files = [entry for entry in self.sftp.listdir_attr(self.folder or "/") if stat.S_ISREG(entry.st_mode or 0)]
        return sorted(entry.filename for entry in files if not entry.filename.startswith("."))

    def put(self, source: Path, name: str, sha256: str) -> None:
        partial = f"{self.folder}/.{name}{PARTIAL}"
        self.sftp.put(str(source), partial)
        digest = _Digest()
        self.sftp.getfo(partial, digest)
        require_same(digest.digest.hexdigest(), sha256, self.describe(name))
        self.sftp.posix_rename(partial, f"{self.folder}/{name}")

    def fetch(self, name: str, target: Path) -> str:
        with create_here(target) as file:
            copy = _Copy(file)
            self.sftp.getfo(f"{self.folder}/{name}", copy)
        return copy.digest.hexdigest()

    def delete(self, name: str) -> None:
        try:
            self.sftp.remove(f"{self.folder}/{name}")
        except FileNotFoundError:
            return

    def delete_unfinished(self, prefix: str) -> None:
        for name in self.sftp.listdir(self.folder or "/"):
            if name.startswith(f".{prefix}") and name.endswith(PARTIAL):
                self.delete(name)

    def read_text(self, name: str) -> str:
        try:
            with self.sftp.open(f"{self.folder}/{name}") as file:
                return str(file.read().decode("utf-8"))
        except FileNotFoundError:
            return ""

    def write_text(self, name: str, text: str) -> None:
        partial = f"{self.folder}/.{name}{PARTIAL}"
        with self.sftp.open(partial, "w") as file:
            file.write(text)
        self.sftp.posix_rename(partial, f"{self.folder}/{name}")


class S3Store:
    """The objects of a bucket whose names begin with a prefix.

    An object appears only when all of it is there, so none needs another name while it is written.
    """

    def __init__(self, client: "minio.Minio", address: str, bucket: str, prefix: str):
        self.client = client
        self.address = address
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def describe(self, name: str = "") -> str:
        return f"{self.address.rstrip('/')}/{name}" if name else self.address

    def list_names(self) -> list[str]:
        names = [str(entry.object_name) for entry in self.client.list_objects(self.bucket, prefix=self.prefix)]
        return sorted(name.removeprefix(self.prefix) for name in names if not name.endswith("/"))

    def put(self, source: Path, name: str, sha256: str) -> None:
        kind = "application/octet-stream"
        self.client.fput_object(self.bucket, self.prefix + name, str(source), content_type=kind)
        digest = _Digest()
        self._read(name, digest)
        try:
            require_same(digest.digest.hexdigest(), sha256, self.describe(name))
        except StoreProblem:
            self.delete(name)
            raise

    def fetch(self, name: str, target: Path) -> str:
        with create_here(target) as file:
            copy = _Copy(file)
            self._read(name, copy)
        return copy.digest.hexdigest()

    def _read(self, name: str, into: _Digest) -> None:
        answer = self.client.get_object(self.bucket, self.prefix + name)
        try:
            for piece in answer.stream(1 << 20):
                into.write(piece)
        finally:
            answer.close()
            answer.release_conn()

    def delete(self, name: str) -> None:
        self.client.remove_object(self.bucket, self.prefix + name)

    def delete_unfinished(self, prefix: str) -> None:
        """Do nothing: what was never whole is no object, and the store's own rules delete it."""

    def read_text(self, name: str) -> str:
        from minio.error import S3Error  # noqa: PLC0415  heavy

        try:
            answer = self.client.get_object(self.bucket, self.prefix + name)
        except S3Error as error:
            if error.code in MISSING:
                return ""
            raise
        try:
            return str(answer.read().decode("utf-8"))
        finally:
            answer.close()
            answer.release_conn()

    def write_text(self, name: str, text: str) -> None:
        from io import BytesIO  # noqa: PLC0415

        data = text.encode()
        self.client.put_object(self.bucket, self.prefix + name, BytesIO(data), len(data))


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Yield the place off this machine for backups.

    Raises StoreProblem when it cannot be reached, and for whatever goes wrong with it in the block.
    """
    if settings.copies_folder is not None:
        if not settings.copies_folder.is_dir():
            raise StoreProblem(f"There is no folder {settings.copies_folder}. See whether its disk is mounted.")
        yield FolderStore(settings.copies_folder)
        return
    try:
        with _connect(settings) as store:
            yield store
    except DeliveryFailed as problem:
        raise StoreProblem(f"{settings.copies}: {problem}") from None
    except _find_errors() as error:
        note_failure(log, "the place for backups failed", error)
        # The text of a server's error is the operator's only clue, and holds no answers.
        why = f"{type(error).__name__}: {getattr(error, 'code', '') or error}"[:300]
        raise StoreProblem(f"{settings.copies} cannot be used ({why}). It is tried again.") from None


def _find_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the libraries that speak with other machines."""
    import paramiko  # noqa: PLC0415  heavy
    import urllib3  # noqa: PLC0415
    from minio.error import MinioException  # noqa: PLC0415

    return (OSError, EOFError, paramiko.SSHException, MinioException, urllib3.exceptions.HTTPError, ValueError)


@contextmanager
def _connect(settings: Settings) -> Iterator[Store]:
    target = settings.copies_target
    secret = _read_secret(settings, CREDENTIALS)
    if target["kind"] == S3:
        yield S3Store(make_s3_client(target, secret), settings.copies, target["bucket"], target["prefix"])
        return
    host_key = _read_secret(settings, HOST_KEY)
    with open_sftp({**target, "host_key": host_key}, secret) as sftp:
        yield SftpStore(sftp, settings.copies, target["folder"])


def _read_secret(settings: Settings, name: str) -> str:
    path = settings.secrets_folder / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        what = "the server's host key, as in known_hosts" if name == HOST_KEY else "the password or key"
        raise StoreProblem(
            f"{settings.copies} needs a file {path} with {what}, readable by the user of the server only. Make it."
        ) from None
