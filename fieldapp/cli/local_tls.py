"""A certificate for a trial: with it a real phone on the local network can use the app."""

import datetime as dt
import ipaddress
import os
import socket
from pathlib import Path

import click
import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files of a certificate for this machine's addresses and of its key.

    It is valid for 90 days; each call makes a new one.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fieldapp, local trial")])
    now = dt.datetime.now(dt.UTC)
    addresses: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname())]
    addresses += [x509.IPAddress(ipaddress.ip_address(address)) for address in sorted({"127.0.0.1", local_address()})]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file = folder / "certificate.pem"
    key_file = folder / "key.pem"
    certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # Opened with its mode: a file written first and closed to others later could be read between.
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    return certificate_file, key_file


def local_address() -> str:
    """Return this machine's address on the local network; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def explain(port: int) -> None:
    address = f"https://{local_address()}:{port}/app/"
    click.echo(f"\nOn a phone in the same network, scan this, or open {address}\n")
    segno.make(address, error="m").terminal(compact=True)
    click.echo(
        "The phone will warn that the connection is not private: nobody has vouched for the certificate that was made\n"
        "just now on this machine. For a trial on your own network, choose “Advanced”, then “Proceed”. Chrome and Safari\n"
        "keep the app offline only when the certificate is trusted; for real use, get one from a certificate authority.\n"
    )
