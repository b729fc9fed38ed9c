"""The centre's key pair: phones seal to its public half; only this server, with its secret key, has the private one."""

import base64
import functools
import secrets
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.orm import Session

from fieldapp.services.acts import Act, Actor, act
from fieldapp.store import centre_keys
from fieldapp.store.centre_keys import CentreKey
from sync.sealed import CURVE


class KeyLost(Exception):
    """The server's secret key is not the one that wrapped this key: what is sealed to it cannot be opened."""


@act("key.make")
def make_key(a: Act, secret: str) -> CentreKey:
    """Make a new key pair; phones take it at their next contact, and what is sealed to older ones still opens."""
    private = ec.generate_private_key(CURVE)
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    kid, nonce = str(uuid.uuid4()), secrets.token_bytes(12)
    number = private.private_numbers().private_value.to_bytes(32)
    key = CentreKey(
        centre_id=a.centre_id,
        kid=kid,
        public_key=base64.b64encode(point).decode(),
        wrapped=nonce + AESGCM(_wrapping_key(secret)).encrypt(nonce, number, kid.encode()),
        created_at=a.now,
    )
    a.session.add(key)
    a.session.flush()
    a.note(f"key/{key.id}")
    return key


def current_key(session: Session, centre_id: int, secret: str) -> CentreKey:
    """Return the key that phones shall seal to; a centre's first one is made when it is first asked for."""
    return centre_keys.newest(session, centre_id) or make_key(session, Actor.system(centre_id), secret=secret)


def private_key(key: CentreKey, secret: str) -> ec.EllipticCurvePrivateKey:
    """Return the private half; raise KeyLost when the server's secret key does not open it."""
    return _unwrapped(key.kid, key.wrapped, secret)


@functools.lru_cache(maxsize=64)
def _unwrapped(kid: str, wrapped: bytes, secret: str) -> ec.EllipticCurvePrivateKey:
    try:
        number = AESGCM(_wrapping_key(secret)).decrypt(wrapped[:12], wrapped[12:], kid.encode())
    except InvalidTag:
        raise KeyLost(kid) from None
    return ec.derive_private_key(int.from_bytes(number), CURVE)


def _wrapping_key(secret: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"fieldapp centre key").derive(secret.encode())
