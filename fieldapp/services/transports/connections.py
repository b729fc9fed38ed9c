"""Connections to other machines: SFTP with a known host key, and stores that speak S3."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fieldapp.services.problems import N_
from fieldapp.services.stored_problems import StoredProblem
from fieldapp.services.transports.targets import DeliveryFailed

if TYPE_CHECKING:
    import minio
    import paramiko

SECONDS = 30  # until a server that does not answer is given up


@contextmanager
def open_sftp(target: Mapping[str, Any], secret: str) -> "Iterator[paramiko.SFTPClient]":
    """Yield a connection to an SFTP server, which shows the host key that the target names.

    `secret` is a password or a private key. Raises DeliveryFailed when a key cannot be read.
    """
    import paramiko  # noqa: PLC0415  heavy, and most centres send nothing this way

    credentials: dict[str, Any] = {"password": secret}
    if "PRIVATE KEY" in secret:
        credentials = {"pkey": _parse_private_key(secret)}
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(_make_known_hosts_name(target), *_parse_host_key(str(target["host_key"])))
        # An unknown host key ends it: else anybody between could take the package, or give a false
        # receipt.
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            str(target["host"]),
            int(target.get("port", 22)),
            str(target["username"]),
            **credentials,
            # Only the key that the target names: a key of the server's own must not be offered to
            # others.
            allow_agent=False,
            look_for_keys=False,
            timeout=SECONDS,
            banner_timeout=SECONDS,
            auth_timeout=SECONDS,
        )
        with client.open_sftp() as sftp:
            # A server that hangs in the middle of a file would otherwise be waited for without end.
            channel = sftp.get_channel()
            if channel is not None:
                channel.settimeout(SECONDS)
            yield sftp


def _make_known_hosts_name(target: Mapping[str, Any]) -> str:
    """Return a host as known_hosts has it: "host", or "[host]:port" for a port other than 22."""
    port = int(target.get("port", 22))
    return str(target["host"]) if port == 22 else f"[{target['host']}]:{port}"


def _parse_host_key(text: str) -> "tuple[str, paramiko.PKey]":
    """Return the kind and the key of a line such as "ssh-ed25519 AAAA…"."""
    import paramiko  # noqa: PLC0415  heavy, as above

    kind, _, rest = text.strip().partition(" ")
    try:
        return kind, paramiko.PKey.from_type_string(kind, base64.b64decode(rest.split()[0]))
    except (ValueError, IndexError, paramiko.SSHException, paramiko.UnknownKeyType):
        text = N_("The host key of this target cannot be read.")
        raise DeliveryFailed(StoredProblem("delivery.host_key", text), is_final=True) from None


def _parse_private_key(text: str) -> "paramiko.PKey":
    import paramiko  # noqa: PLC0415  heavy, as above

    # The file does not say what kind of key it has, so each is tried.
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(StringIO(text))
        except paramiko.SSHException:
            continue
    text = N_("The private key of this target cannot be read.")
    raise DeliveryFailed(StoredProblem("delivery.private_key", text), is_final=True)


def make_s3_client(target: Mapping[str, Any], secret: str) -> "minio.Minio":
    """Return a client of an S3-compatible store.

    `secret` has the access key and the secret key, a line each. Raises DeliveryFailed for an address without encryption.
    """
    import minio  # noqa: PLC0415  heavy, as above
    import urllib3  # noqa: PLC0415

    access, _, password = secret.partition("\n")
    address = urlsplit(str(target["endpoint"]))
    # Plain http on this machine is for trying it out.
    is_local = address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost")
    if not address.netloc or not (address.scheme == "https" or is_local):
        text = N_("The address of this target must begin with https://.")
        raise DeliveryFailed(StoredProblem("delivery.address", text), is_final=True)
    retries = urllib3.Retry(total=0)  # deliveries are tried again by the scheduler
    return minio.Minio(
        address.netloc,
        access_key=access.strip(),
        secret_key=password.strip(),
        secure=address.scheme == "https",
        region=str(target.get("region", "us-east-1")),
        http_client=urllib3.PoolManager(timeout=urllib3.Timeout(SECONDS), retries=retries),
    )
