"""The centre's keys: phones seal to one and check receipts with the other.

Only this server has the private halves, wrapped with its secret key.
"""

import base64
import contextlib
import datetime as dt
import functools
import logging
import secrets
import uuid
import weakref

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fieldapp.key_ring import list_cookie_keys, list_roots
from fieldapp.services.acts import ActContext, Actor, act
from fieldapp.settings import KeyMissing, Settings
from fieldapp.store import sealing
from fieldapp.store.operations import centres, keys
from fieldapp.store.operations.keys import PACKAGE, SEAL, SIGN, CentreKey
from fieldapp.store.session import Engine, Session
from sync.receipts import Signer
from sync.sealed import CURVE

log = logging.getLogger("fieldapp.sync")


class ServerWrapper:
    """Wraps the keys of a database with the secret key that the settings name."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def wrap(self, key: bytes, kid: str, is_first: bool) -> bytes:
        """Return a key, wrapped.

        Raises KeyProblem when the secret key cannot be used; a missing one is made where nothing is wrapped yet.
        """
        try:
            secret = self.settings.key()
        except KeyMissing:
            if not is_first:
                raise
            secret = self.settings.make_key()
        return wrap(key, kid, secret)

    def unwrap(self, kid: str, wrapped: bytes) -> bytes:
        """Return a key. Raises KeyUnavailable when no root of the server opens it."""
        return unwrap(kid, wrapped, self.settings.key())


def attach_keys(engine: Engine, settings: Settings) -> None:
    """Say what opens a database's content; each process does so before using it."""
    sealing.attach(engine, ServerWrapper(settings))


class KeyUnavailable(Exception):
    """The server's secret key is not the one that wrapped this key.

    What is sealed to the key cannot be opened.
    """


@act("key.make")
def make_key(ctx: ActContext, secret: str) -> CentreKey:
    """Make a new key pair for sealing, and return it.

    Phones take it at their next contact; what is sealed to older keys still opens.
    """
    private = ec.generate_private_key(CURVE)
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    kid = str(uuid.uuid4())
    number = private.private_numbers().private_value.to_bytes(32)
    key = CentreKey(
        centre_id=ctx.centre_id,
        purpose=SEAL,
        kid=kid,
        public_key=base64.b64encode(point).decode(),
        wrapped=wrap(number, kid, secret),
        created_at=ctx.now,
    )
    return _add_key(ctx, key)


@act("key.make_signing")
def make_signing_key(ctx: ActContext, secret: str, purpose: str = SIGN) -> CentreKey:
    """Return the signing key for receipts or for packages; make it if there is none.

    A centre has one of each for good: phones and recipients know it from when they joined.
    """
    # Locked, so that two servers that start together do not make two keys that phones would have to
    # choose between.
    centres.lock(ctx.session, ctx.centre_id)
    existing = keys.newest(ctx.session, ctx.centre_id, purpose)
    if existing is not None:
        ctx.describe(f"key/{existing.id}", again=True)
        return existing
    private = Ed25519PrivateKey.generate()
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    kid = str(uuid.uuid4())
    wrapped = wrap(private.private_bytes_raw(), kid, secret)
    key = CentreKey(
        centre_id=ctx.centre_id, purpose=purpose, kid=kid, public_key=public, wrapped=wrapped, created_at=ctx.now
    )
    return _add_key(ctx, key)


def _add_key(ctx: ActContext, key: CentreKey) -> CentreKey:
    ctx.session.add(key)
    ctx.session.flush()
    ctx.describe(f"key/{key.id}")
    return key


def current_key(session: Session, centre_id: int, secret: str) -> CentreKey:
    """Return the key that phones seal to; the centre's first one is made on first use."""
    key = keys.newest(session, centre_id, SEAL)
    return key or make_key(session, Actor.system(centre_id), secret=secret)


def signing_key(session: Session, centre_id: int, secret: str) -> CentreKey:
    """Return the signing key for receipts; it is made on first use."""
    key = keys.newest(session, centre_id, SIGN)
    return key or make_signing_key(session, Actor.system(centre_id), secret=secret)


# A signing key stays as it is; one dictionary for each database of this process.
_signers: weakref.WeakKeyDictionary[Engine, dict[tuple[int, str], Signer]] = weakref.WeakKeyDictionary()


def load_receipt_signer(session: Session, centre_id: int, secret: str) -> Signer:
    """Return the signer of a centre's receipts and answers.

    Raises KeyUnavailable when the server's secret key does not open it.
    """
    # By database: tests and commands open several in one process.
    signers = _signers.setdefault(session.get_bind().engine, {})
    signer = signers.get((centre_id, secret))
    if signer is None:
        key = signing_key(session, centre_id, secret)
        private = Ed25519PrivateKey.from_private_bytes(unwrap(key.kid, key.wrapped, secret))
        signer = Signer(key.kid, private)
        signers[centre_id, secret] = signer
    return signer


def load_package_seed(session: Session, centre_id: int, secret: str) -> bytes:
    """Return the private half of the signing key for packages: Ed25519, 32 bytes.

    It is made on first use. Raises KeyUnavailable when the server's secret key does not open it.
    """
    key = keys.newest(session, centre_id, PACKAGE)
    if key is None:
        key = make_signing_key(session, Actor.system(centre_id), secret=secret, purpose=PACKAGE)
    return unwrap(key.kid, key.wrapped, secret)


def private_key(key: CentreKey, secret: str) -> ec.EllipticCurvePrivateKey:
    """Return the private half of a key that phones seal to.

    Raises KeyUnavailable when the server's secret key does not open it.
    """
    return _unwrap_cached(key.kid, key.wrapped, secret)


def find_receipt_signer(session: Session, centre_id: int, secret: str) -> Signer | None:
    """Return the signer of receipts, or None when its key is lost.

    A phone does not believe an unsigned receipt, so it deletes nothing.
    """
    try:
        return load_receipt_signer(session, centre_id, secret)
    except KeyUnavailable:
        log.error("the signing key of centre/%s cannot be unwrapped: the server's secret key did not make it", centre_id)
        return None


# Deriving a key on the curve is slow, and a delivery opens a hundred records with one.
@functools.lru_cache(maxsize=64)
def _unwrap_cached(kid: str, wrapped: bytes, secret: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(unwrap(kid, wrapped, secret)), CURVE)


def wrap(private: bytes, kid: str, secret: str) -> bytes:
    # Bound to the key's id: the wrapped half of another key put in its place does not open.
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(_wrapping_key(secret)).encrypt(nonce, private, kid.encode())


def unwrap(kid: str, wrapped: bytes, secret: str) -> bytes:
    """Return a private key. Raises KeyUnavailable when no root of the server opens it."""
    return _find_opening(kid, wrapped, secret)[1]


def find_wrapping_root(kid: str, wrapped: bytes, secret: str) -> int:
    """Return the number of the root that wrapped a key. Raises KeyUnavailable for none."""
    return _find_opening(kid, wrapped, secret)[0]


def _find_opening(kid: str, wrapped: bytes, secret: str) -> tuple[int, bytes]:
    for root in list_roots(secret):
        with contextlib.suppress(InvalidTag):
            opened = AESGCM(_wrapping_key(root.secret)).decrypt(wrapped[:12], wrapped[12:], kid.encode())
            return root.number, opened
    # Only the id: the message of the library says nothing, and the secret must stay out of every error.
    raise KeyUnavailable(kid)


def _wrapping_key(secret: str) -> bytes:
    # A label for each purpose: from one secret, keys that say nothing about each other.
    return _derive(secret, b"fieldapp centre key")


def derive_slip_key(secret: str) -> bytes:
    """Return the key of the tags under which new slips are known; it is never in the database."""
    return _derive(secret, b"fieldapp slip")


def list_slip_keys(secret: str) -> list[bytes]:
    """Return the keys of the tags of all slips, the newest first."""
    return [derive_slip_key(root.secret) for root in list_roots(secret)]


def derive_ticket_key(secret: str) -> bytes:
    """Return the key of new tickets, with which the page of a slip acts."""
    return _derive(secret, b"fieldapp slip ticket")


def list_ticket_keys(secret: str) -> list[bytes]:
    """Return the keys of all tickets, the newest first."""
    return [derive_ticket_key(root.secret) for root in list_roots(secret)]


def derive_journal_key(root: str) -> bytes:
    """Return the key with which segments of the journal are shown to be this centre's."""
    return _derive(root, b"fieldapp journal")


def derive_cookie_keys(secret: str, now: dt.datetime) -> list[str]:
    """Return the keys of sessions: the newest, then those whose sessions are not over."""
    derived = []
    for cookie_key, root in list_cookie_keys(secret, now):
        derived.append(_derive(root, f"fieldapp cookies {cookie_key.number}".encode()).hex())
    return derived


@functools.lru_cache(maxsize=64)
def _derive(secret: str, label: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=label).derive(secret.encode())
