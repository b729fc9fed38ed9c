"""Encrypted backups: one file, compressed, then encrypted (age) to several custodians.

Without fieldapp it is opened by `age --decrypt -i KEYFILE FILE | tar xz`.
"""

import gzip
import hashlib
import os
import shutil
import tarfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from fieldapp.services.operations.backup.contents import MANIFEST, BackupProblem, create_file, read_manifest
from fieldapp.settings import Settings, sync_folder

END = ".age"  # how the name of an encrypted backup ends
FEWEST = 2  # custodians: the only key of one who is ill, or has lost it, would be the end of every backup
LEVEL = 3  # of gzip: the higher ones cost minutes and save a few per cent
IDENTITY = "AGE-SECRET-KEY-1"
PIECE = 1 << 20
DAMAGED = "{name} is no whole encrypted backup: it was cut, changed, or is something else. Nothing was changed. Use another."


def is_sealed(path: Path) -> bool:
    """Say whether a name is that of an encrypted backup."""
    return path.name.endswith(END)


def read_custodians(settings: Settings) -> list[str]:
    """Return the public keys that backups are encrypted to; none where they are not.

    Raises BackupProblem when their file cannot be used, or names fewer than two.
    """
    path = settings.custodians_file
    if path is None:
        return []
    keys: list[str] = []
    for number, line in enumerate(_read_lines(path, "FIELDAPP_CUSTODIANS"), start=1):
        if line and not line.startswith("#"):
            _require_public_key(line, f"Line {number} of {path}")
            keys.append(line)
    if len(set(keys)) < FEWEST:
        raise BackupProblem(
            f"{path} names {len(set(keys))} custodians' keys, and at least {FEWEST} are needed: with one key, its loss is "
            "the loss of every backup. Let another person run age-keygen, and add the line that begins with age1. "
            "Nothing was made."
        )
    return sorted(set(keys))


def read_recipients(settings: Settings) -> list[str]:
    """Return all public keys that backups are encrypted to: also the one for tests.

    None where backups are not encrypted. Raises BackupProblem as `read_custodians` does.
    """
    keys = read_custodians(settings)
    path = settings.drill_key_file
    if not keys or path is None:
        return keys
    if not path.exists():
        _make_identity(path)
    return keys + [str(identity.to_public()) for identity in read_identities(path, "FIELDAPP_DRILL_KEY")]


def _make_identity(path: Path) -> None:
    """Write a new private key, in full or not at all."""
    import pyrage  # noqa: PLC0415  as below

    identity = pyrage.x25519.Identity.generate()
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.unlink(missing_ok=True)
        with create_file(partial) as file:
            file.write(f"# public key: {identity.to_public()}\n{identity}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        text = f"FIELDAPP_DRILL_KEY: {path} cannot be written ({error.strerror})."
        raise BackupProblem(f"{text} Make its folder for the user of the server, with mode 700.") from None


def _read_lines(path: Path, what: str) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it holds no text"
        raise BackupProblem(f"{what}: {path} cannot be read ({why}). Nothing was changed.") from None


def _require_public_key(key: str, where: str) -> None:
    import pyrage  # noqa: PLC0415  servers load it only where something is encrypted

    # Not in the message: it opens every backup.
    if key.upper().startswith(IDENTITY):
        raise BackupProblem(
            f"{where} is a private key, which must not be on this server. Delete it from there, make a new pair of keys "
            "(age-keygen), and name the public one, which begins with age1."
        )
    try:
        pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        raise BackupProblem(f"{where} is no public age key: those begin with age1. Nothing was made.") from None


def read_identities(path: Path, what: str = "--identity") -> list[Any]:
    """Return the private keys in a file of age-keygen; raise BackupProblem when there is none."""
    import pyrage  # noqa: PLC0415  as above

    lines = _read_lines(path, what)
    if lines and "AGE ENCRYPTED FILE" in lines[0]:
        text = f"{path} is protected by a passphrase. Open it first: age --decrypt {path} > KEYFILE"
        raise BackupProblem(f"{text} Delete KEYFILE afterwards.")
    try:
        identities = [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(IDENTITY)]
    except pyrage.IdentityError:
        identities = []
    if not identities:
        raise BackupProblem(f"{path} holds no private age key: a line that begins with {IDENTITY}. Nothing was changed.")
    return identities


class _HashingFile:
    """A file that hashes what is written to it."""

    def __init__(self, file: IO[bytes]):
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def seal(folder: Path, target: Path, keys: list[str]) -> str:
    """Write the backup in a folder as one encrypted file; return the SHA-256 of that file."""
    import pyrage  # noqa: PLC0415  as above

    errors: list[Exception] = []
    reading, writing = os.pipe()
    packing = threading.Thread(target=_pack, args=(folder, writing, errors))
    packing.start()
    try:
        # The stream first: however this ends, it is closed, and the thread that packs does not wait for ever.
        with os.fdopen(reading, "rb") as stream, create_file(target) as file:
            hashing = _HashingFile(file)
            pyrage.encrypt_io(stream, hashing, [pyrage.x25519.Recipient.from_str(key) for key in keys])
            file.flush()
            os.fsync(file.fileno())
    finally:
        packing.join()
    # What could not be read would otherwise end a file that looks whole.
    if errors:
        raise errors[0]
    return hashing.digest.hexdigest()


def _pack(folder: Path, writing: int, errors: list[Exception]) -> None:
    """Write a folder into a pipe as a compressed archive, its manifest first."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    try:
        with (
            os.fdopen(writing, "wb") as pipe,
            gzip.GzipFile(fileobj=pipe, mode="wb", compresslevel=LEVEL, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            for path in [folder / MANIFEST, *paths]:
                entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                entry.size = path.stat().st_size
                entry.mode = 0o600
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    except Exception as error:  # told to the thread that waits
        errors.append(error)


@contextmanager
def _opened(source: Path, identities: list[Any], is_whole: bool = True) -> Iterator[IO[bytes]]:
    """Yield the decrypted, unpacked content of a file as a stream.

    `is_whole`: it is read to its end. Raises BackupProblem when the file was cut or changed, or no key opens it.
    """
    import pyrage  # noqa: PLC0415  as above

    errors: list[Exception] = []
    reading, writing = os.pipe()

    def decrypt() -> None:
        try:
            with source.open("rb") as file, os.fdopen(writing, "wb") as pipe:
                pyrage.decrypt_io(file, pipe, identities)
        except Exception as error:  # told to the thread that reads
            errors.append(error)

    thread = threading.Thread(target=decrypt)
    thread.start()
    has_failed = False
    try:
        with os.fdopen(reading, "rb") as pipe:
            yield gzip.GzipFile(fileobj=pipe, mode="rb")  # type: ignore[misc]
            # Only the last piece says that nothing was cut off.
            while is_whole and pipe.read(PIECE):
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        has_failed = True
    finally:
        thread.join()
    # Whoever stops early breaks the pipe, which is no fault of the file.
    if has_failed or (is_whole and errors):
        _raise_for(source, errors)


def _raise_for(source: Path, errors: list[Exception]) -> None:
    if any("No matching keys" in str(error) for error in errors):
        raise BackupProblem(
            f"This key does not open {source.name}: it was encrypted to the keys of other custodians. Nothing was "
            "changed. Ask the other custodian, or use the key that was valid when the backup was made."
        )
    raise BackupProblem(DAMAGED.format(name=source.name))


def unseal(source: Path, folder: Path, identities: list[Any]) -> None:
    """Write the content of an encrypted backup into a folder.

    Raises BackupProblem when the file was cut or changed, or none of the keys opens it.
    """
    with _opened(source, identities) as stream:
        # The stream's own errors are told by _opened, which knows why there was nothing to read.
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                _write_entry(archive, entry, folder)
        while stream.read(PIECE):
            pass


def _write_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(entry.name)
    content = archive.extractfile(entry) if entry.isfile() else None
    target = folder / name
    # It comes from outside: its names must not lead to other files of this machine.
    if content is None or name.is_absolute() or ".." in name.parts or target.exists():
        raise BackupProblem(f"The backup has a part that cannot be right ({entry.name}). Nothing was changed.")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with create_file(target) as file:
        shutil.copyfileobj(content, file, PIECE)


def read_sealed_manifest(source: Path, identities: list[Any], folder: Path) -> dict[str, Any]:
    """Return the manifest of an encrypted backup, read no further than that.

    `folder` is an empty one to work in. Raises BackupProblem as `unseal` does.
    """
    with (
        _opened(source, identities, is_whole=False) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        entry = archive.next()
        if entry is not None and entry.name == MANIFEST:
            _write_entry(archive, entry, folder)
    return read_manifest(folder)
