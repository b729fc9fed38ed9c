"""Put a package into one ZIP, signed (minisign) and encrypted to its recipient (age).

Its manifest has the hash of every file.

The same files give the same ZIP. Encryption is fresh each time, as it must be.
"""

import base64
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evaluator_export.problems import ExportProblem, Reason

if TYPE_CHECKING:
    import minisign

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.minisig"
# The earliest time that a ZIP can hold. The real one would differ each time.
EPOCH = (1980, 1, 1, 0, 0, 0)


def secret_key(seed: bytes) -> "minisign.SecretKey":
    """Return the minisign key of a 32-byte Ed25519 seed.

    Its key id follows from the public key.
    """
    import minisign  # noqa: PLC0415  servers hand packages out, and seal none

    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    # minisign draws key ids at random; derived from the key, the same seed always gives the same file.
    key_id = hashlib.blake2b(public, digest_size=8).digest()
    checksum = hashlib.blake2b(b"Ed" + key_id + seed + public, digest_size=32).digest()
    unprotected = b"Ed" + b"\0\0" + b"B2" + bytes(32 + 8 + 8)  # the key is kept wrapped, so it has no password of its own
    return minisign.SecretKey.from_base64(base64.b64encode(unprotected + key_id + seed + public + checksum))


def public_key(seed: bytes) -> str:
    """Return the public key as minisign takes it (-P)."""
    return str(secret_key(seed).get_public_key().to_base64().decode())


def manifest_of(folder: Path, body: dict[str, Any]) -> bytes:
    """Return the manifest of the files in a folder, as JSON.

    `body`: what the package says of itself. The size and SHA-256 of every file are added.
    """
    files = {}
    for path in list_package_files(folder):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files[str(path.relative_to(folder))] = {"bytes": path.stat().st_size, "sha256": digest}
    return json.dumps({**body, "files": files}, ensure_ascii=False, indent=2, sort_keys=True).encode()


def parse_manifest(manifest: bytes) -> dict[str, Any]:
    """Return what a manifest says. It is not checked here: see verify.py."""
    body: dict[str, Any] = json.loads(manifest)
    return body


def list_package_files(folder: Path) -> list[Path]:
    """Return the files of a package, but for the manifest and its signature."""
    own = (folder / MANIFEST, folder / SIGNATURE)
    return sorted(path for path in folder.rglob("*") if path.is_file() and path not in own)


def sign(manifest: bytes, seed: bytes, comment: str) -> bytes:
    """Return the minisign signature file of a manifest.

    It is prehashed, as minisign writes since 0.10.
    """
    # Prehashed, so that a manifest of any size is signed in memory of fixed size.
    return bytes(secret_key(seed).sign(manifest, prehash=True, trusted_comment=comment))


def zip_up(folder: Path, target: Path) -> None:
    """Write a folder as a ZIP, manifest first; the same files give the same bytes."""
    # First, so that a reader sees what the package claims to be before unpacking gigabytes.
    first = [path for path in (folder / MANIFEST, folder / SIGNATURE) if path.exists()]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [*first, *list_package_files(folder)]:
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), date_time=EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # A plain file that its owner may write and all may read, wherever it is unpacked.
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as packed_file:
                shutil.copyfileobj(source, packed_file, 1 << 20)  # packages may be larger than memory


def check_recipients(keys: Iterable[str]) -> None:
    """Raise ExportProblem for what is no age public key."""
    import pyrage  # noqa: PLC0415  servers hand packages out, and seal none

    for key in keys:
        try:
            pyrage.x25519.Recipient.from_str(key)
        except pyrage.RecipientError:
            raise ExportProblem(Reason("package.key", {"key": key})) from None


def fingerprint(key: str) -> str:
    """Return the first 12 hexadecimal digits of a key's SHA-256, for people to compare."""
    # Enough for two people to compare by telephone.
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def encrypt(source: Path, target: Path, keys: Iterable[str]) -> None:
    """Write a file so that only the holders of these age keys can read it.

    Nothing is there until all of it is.
    """
    import pyrage  # noqa: PLC0415  as above

    keys = list(keys)
    check_recipients(keys)
    # A reader of the folder must never meet half a package under its final name.
    partial = target.with_name(f".{target.name}.partial")
    try:
        pyrage.encrypt_file(str(source), str(partial), [pyrage.x25519.Recipient.from_str(key) for key in keys])
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
