"""Ways for a package to reach its recipient: SFTP, an S3-compatible store, a notice by e-mail. Each is safe to repeat.

A target is what the office wrote down, without secrets; secrets are files in the folder of FIELDAPP_DELIVERY_SECRETS.
"""

import base64
import email.utils
import logging
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import minio
import paramiko
import urllib3
from minio.error import S3Error

from fieldapp.services.failures import note_failure
from fieldapp.services.problems import N_
from fieldapp.services.stored_problems import StoredProblem
from fieldapp.services.transports.targets import EMAIL, S3, SFTP, DeliveryFailed

log = logging.getLogger("fieldapp.releases")

SECONDS = 30


@dataclass(frozen=True)
class DeliveryPayload:
    """What is sent: a file (encrypted; None where only a notice goes), its name, and the words of a notice."""

    file: Path | None
    name: str
    subject: str
    text: str
    message_id: str


@dataclass(frozen=True)
class TransportConfig:
    """What the server has for sending: the folder of secrets, the mail server, who mails come from."""

    secrets: Path
    smtp_url: str
    mail_from: str


class Sender(Protocol):
    def __call__(self, target: Mapping[str, Any], parcel: DeliveryPayload, means: TransportConfig) -> None: ...


def send(target: Mapping[str, Any], parcel: DeliveryPayload, means: TransportConfig) -> None:
    """Bring a parcel to its target, whole or not at all; do nothing where it is already. Raise NotSent with the reason."""
    try:
        SENDERS[target["kind"]](target, parcel, means)
    except DeliveryFailed:
        raise
    except Exception as error:  # whatever a server does, the other deliveries go on
        note_failure(log, f"a delivery by {target['kind']} failed", error)
        why = f"{type(error).__name__}: {getattr(error, 'code', '') or error}"[:300]
        raise DeliveryFailed(StoredProblem("delivery.failed", N_("It could not be sent ({why})."), {"why": why})) from None


def _read_secret(target: Mapping[str, Any], means: TransportConfig) -> str:
    name = str(target["secret"])
    path = means.secrets / name
    if Path(name).name != name or not path.is_file():
        text = N_("The secret of this target is not in the folder for secrets.")
        raise DeliveryFailed(StoredProblem("delivery.secret", text), is_final=True)
    return path.read_text(encoding="utf-8").strip()


def send_sftp(target: Mapping[str, Any], parcel: DeliveryPayload, means: TransportConfig) -> None:
    """Write the file under a name of its own, then rename it: a half-written one is never seen under the right name."""
    assert parcel.file is not None
    secret = _read_secret(target, means)
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(_make_known_hosts_name(target), *_parse_host_key(str(target["host_key"])))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        has_key = "PRIVATE KEY" in secret
        client.connect(
            str(target["host"]),
            int(target.get("port", 22)),
            str(target["username"]),
            password=None if has_key else secret,
            pkey=_parse_private_key(secret) if has_key else None,
            allow_agent=False,
            look_for_keys=False,
            timeout=SECONDS,
            banner_timeout=SECONDS,
            auth_timeout=SECONDS,
        )
        with client.open_sftp() as sftp:
            folder = str(target["folder"]).rstrip("/")
            final, partial = f"{folder}/{parcel.name}", f"{folder}/.{parcel.name}.partial"
            if _exists(sftp, final):
                return
            sftp.put(str(parcel.file), partial)
            sftp.posix_rename(partial, final)


def _exists(sftp: paramiko.SFTPClient, path: str) -> bool:
    try:
        sftp.stat(path)
    except FileNotFoundError:
        return False
    return True


def _make_known_hosts_name(target: Mapping[str, Any]) -> str:
    port = int(target.get("port", 22))
    return str(target["host"]) if port == 22 else f"[{target['host']}]:{port}"


def _parse_host_key(text: str) -> tuple[str, paramiko.PKey]:
    kind, _, rest = text.strip().partition(" ")
    try:
        return kind, paramiko.PKey.from_type_string(kind, base64.b64decode(rest.split()[0]))
    except (ValueError, IndexError, paramiko.SSHException, paramiko.UnknownKeyType):
        text = N_("The host key of this target cannot be read.")
        raise DeliveryFailed(StoredProblem("delivery.host_key", text), is_final=True) from None


def _parse_private_key(text: str) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(StringIO(text))
        except paramiko.SSHException:
            continue
    text = N_("The private key of this target cannot be read.")
    raise DeliveryFailed(StoredProblem("delivery.private_key", text), is_final=True)


def send_s3(target: Mapping[str, Any], parcel: DeliveryPayload, means: TransportConfig) -> None:
    """Put the file as an object; stores show an object only when all of it has come."""
    assert parcel.file is not None
    access, _, secret = _read_secret(target, means).partition("\n")
    address = urlsplit(str(target["endpoint"]))
    is_here = address.scheme == "http" and address.hostname in ("127.0.0.1", "localhost")
    if not address.netloc or not (address.scheme == "https" or is_here):
        text = N_("The address of this target must begin with https://.")
        raise DeliveryFailed(StoredProblem("delivery.address", text), is_final=True)
    retries = urllib3.Retry(total=0)
    client = minio.Minio(
        address.netloc,
        access_key=access.strip(),
        secret_key=secret.strip(),
        secure=address.scheme == "https",
        region=str(target.get("region", "us-east-1")),
        http_client=urllib3.PoolManager(timeout=urllib3.Timeout(SECONDS), retries=retries),
    )
    name = f"{str(target.get('prefix', '')).strip('/')}/{parcel.name}".lstrip("/")
    try:
        client.stat_object(str(target["bucket"]), name)
    except S3Error as error:
        if error.code not in ("NoSuchKey", "NotFound"):
            raise
        client.fput_object(str(target["bucket"]), name, str(parcel.file), content_type="application/octet-stream")


def send_email(target: Mapping[str, Any], parcel: DeliveryPayload, means: TransportConfig) -> None:
    """Send a notice that a package is there. No data go by mail; a second copy of a mail has the same Message-ID."""
    address = urlsplit(means.smtp_url)
    if address.scheme not in ("smtp", "smtps") or not means.mail_from:
        text = N_("No mail server is set (FIELDAPP_SMTP_URL, FIELDAPP_MAIL_FROM).")
        raise DeliveryFailed(StoredProblem("delivery.mail_server", text), is_final=True)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = means.mail_from, str(target["to"]), parcel.subject
    message["Date"], message["Message-ID"] = email.utils.localtime(), parcel.message_id
    message.set_content(parcel.text)
    host, port = address.hostname or "localhost", address.port or (465 if address.scheme == "smtps" else 587)
    context = ssl.create_default_context()
    if address.scheme == "smtps":
        with smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context) as secure:
            _send_message(secure, address, message)
        return
    with smtplib.SMTP(host, port, timeout=SECONDS) as server:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif address.username:
            text = N_("The mail server offers no encryption, so the password is not sent to it.")
            raise DeliveryFailed(StoredProblem("delivery.mail_encryption", text), is_final=True)
        _send_message(server, address, message)


def _send_message(server: smtplib.SMTP, address: Any, message: EmailMessage) -> None:
    if address.username:
        server.login(unquote(address.username), unquote(address.password or ""))
    server.send_message(message)


SENDERS: dict[str, Sender] = {SFTP: send_sftp, S3: send_s3, EMAIL: send_email}
