"""Ways to send a package: SFTP, an S3-compatible store, a notice by e-mail.

Each is safe to repeat: what is there already is not sent a second time.

A target is what the office wrote down, without secrets; secrets are files in the folder of FIELDAPP_DELIVERY_SECRETS.
"""

import contextlib
import email.utils
import logging
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from fieldapp.services.failures import note_failure
from fieldapp.services.problems import N_
from fieldapp.services.stored_problems import StoredProblem
from fieldapp.services.transports.connections import SECONDS, make_s3_client, open_sftp
from fieldapp.services.transports.targets import EMAIL, S3, SFTP, DeliveryFailed

if TYPE_CHECKING:
    import paramiko

log = logging.getLogger("fieldapp.releases")

SMTP_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class DeliveryPayload:
    """What is sent: an encrypted file and its name, and the words of a notice.

    `file` is None where only a notice goes. `message_id` is the same at each try.
    """

    file: Path | None
    name: str
    subject: str
    text: str
    message_id: str


@dataclass(frozen=True)
class TransportConfig:
    """What the server has for sending: a folder of secrets, a mail server, a sender's address."""

    secrets: Path
    smtp_url: str
    mail_from: str


class Sender(Protocol):
    def __call__(self, target: Mapping[str, Any], payload: DeliveryPayload, config: TransportConfig) -> None: ...


def send(target: Mapping[str, Any], payload: DeliveryPayload, config: TransportConfig) -> None:
    """Send a payload to its target, in full or not at all; do nothing where it is already.

    Raises DeliveryFailed with the reason.
    """
    try:
        SENDERS[target["kind"]](target, payload, config)
    # It has its own words already.
    except DeliveryFailed:
        raise
    except Exception as error:  # whatever a server does, the other deliveries go on
        note_failure(log, f"a delivery by {target['kind']} failed", error)
        # The text of a server's error is the operator's only clue, and holds no answers; it is cut
        # all the same.
        why = f"{type(error).__name__}: {getattr(error, 'code', '') or error}"[:300]
        raise DeliveryFailed(StoredProblem("delivery.failed", N_("It could not be sent ({why})."), {"why": why})) from None


def _read_secret(target: Mapping[str, Any], config: TransportConfig) -> str:
    """Return the content of the file that the target names; never one outside the folder."""
    name = str(target["secret"])
    path = config.secrets / name
    # A name, not a path: the office writes it, and must not be able to have any file read.
    if Path(name).name != name or not path.is_file():
        text = N_("The secret of this target is not in the folder for secrets.")
        raise DeliveryFailed(StoredProblem("delivery.secret", text), is_final=True)
    return path.read_text(encoding="utf-8").strip()


def send_sftp(target: Mapping[str, Any], payload: DeliveryPayload, config: TransportConfig) -> None:
    """Send a file by SFTP.

    It is written under another name, then renamed: half a file is never seen under the right name.
    """
    assert payload.file is not None
    with open_sftp(target, _read_secret(target, config)) as sftp:
        folder = str(target["folder"]).rstrip("/")
        final = f"{folder}/{payload.name}"
        partial = f"{folder}/.{payload.name}.partial"
        # Sent before, and the answer got lost: a second copy would look like a second package.
        if _exists(sftp, final):
            return
        sftp.put(str(payload.file), partial)
        sftp.posix_rename(partial, final)  # unlike plain rename, it replaces what is there


def _exists(sftp: "paramiko.SFTPClient", path: str) -> bool:
    try:
        sftp.stat(path)
    except FileNotFoundError:
        return False
    return True


def send_s3(target: Mapping[str, Any], payload: DeliveryPayload, config: TransportConfig) -> None:
    """Send a file to an S3-compatible store, which shows an object only when it is complete."""
    from minio.error import S3Error  # noqa: PLC0415  heavy, and most centres send nothing this way

    assert payload.file is not None
    client = make_s3_client(target, _read_secret(target, config))
    name = f"{str(target.get('prefix', '')).strip('/')}/{payload.name}".lstrip("/")
    try:
        # Looked for first, as with SFTP: sending again must be harmless.
        client.stat_object(str(target["bucket"]), name)
    except S3Error as error:
        if error.code not in ("NoSuchKey", "NotFound"):
            raise
        client.fput_object(str(target["bucket"]), name, str(payload.file), content_type="application/octet-stream")


def send_email(target: Mapping[str, Any], payload: DeliveryPayload, config: TransportConfig) -> None:
    """Send a notice that a package is there; no data go by mail.

    A second copy has the same Message-ID, so that mail programs show one.
    """
    message = EmailMessage()
    message["From"] = config.mail_from
    message["To"] = str(target["to"])
    message["Subject"] = payload.subject
    message["Date"] = email.utils.localtime()
    message["Message-ID"] = payload.message_id
    message.set_content(payload.text)
    with _open_mail_server(config) as server:
        server.send_message(message)


def check_mail_server(config: TransportConfig) -> None:
    """Sign in to the mail server, and send nothing.

    Raises DeliveryFailed when that does not work.
    """
    try:
        with _open_mail_server(config) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        why = f"{type(error).__name__}: {error}"[:300]
        raise DeliveryFailed(StoredProblem("delivery.failed", N_("It could not be sent ({why})."), {"why": why})) from None


@contextlib.contextmanager
def _open_mail_server(config: TransportConfig) -> Iterator[smtplib.SMTP]:
    """Connect to the mail server and sign in.

    Raises DeliveryFailed when it is none to be used.
    """
    address = urlsplit(config.smtp_url)
    if address.scheme not in ("smtp", "smtps") or not config.mail_from:
        text = N_("No mail server is set (FIELDAPP_SMTP_URL, FIELDAPP_MAIL_FROM).")
        raise DeliveryFailed(StoredProblem("delivery.mail_server", text), is_final=True)
    host = address.hostname or "localhost"
    port = address.port or SMTP_PORTS[address.scheme]
    context = ssl.create_default_context()
    if address.scheme == "smtps":
        with smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context) as secure:
            _sign_in(secure, address)
            yield secure
        return
    with smtplib.SMTP(host, port, timeout=SECONDS) as server:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            # Again: the server may offer other things once the line is encrypted.
            server.ehlo()
        elif address.username:
            # A mail without encryption is bearable, since it has no data; a password is not.
            text = N_("The mail server offers no encryption, so the password is not sent to it.")
            raise DeliveryFailed(StoredProblem("delivery.mail_encryption", text), is_final=True)
        _sign_in(server, address)
        yield server


def _sign_in(server: smtplib.SMTP, address: SplitResult) -> None:
    if address.username:
        server.login(unquote(address.username), unquote(address.password or ""))


SENDERS: dict[str, Sender] = {SFTP: send_sftp, S3: send_s3, EMAIL: send_email}
