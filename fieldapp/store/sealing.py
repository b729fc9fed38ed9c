"""Seal what people said before it is written, and open it when it is read.

Each centre has a data key, and the database one for codes. Both lie in it wrapped by the server's secret key, which
does not. A sealed value is bound to its centre, table, column and row: put anywhere else it does not open.
"""

import base64
import binascii
import contextlib
import datetime as dt
import functools
import json
import uuid
import weakref
from collections.abc import Callable, Sequence
from os import urandom
from threading import local
from typing import Any, Protocol

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from sqlalchemy import event
from sqlalchemy.orm import Bundle, LoaderCallableStatus, Session, object_session

from fieldapp.store.base import Base

VERSION = b"\x01"  # begins every sealed value
KID = slice(1, 17)  # which key sealed it
NONCE = slice(17, 29)
SEALED_FROM = 29
KEY_BITS = 256
SIV_BITS = 512
CODE_LENGTH = 44  # characters of a code as it is stored; "" stays ""
CODE_TAG = 4  # bytes that tell which key hides it
DATA = "data"  # the purpose of a centre's key in centre_key

# As they are in the database: their classes stand above this module.
CENTRE_KEYS = sa.table(
    "centre_key",
    sa.column("id", sa.Integer),
    sa.column("centre_id", sa.Integer),
    sa.column("purpose", sa.String),
    sa.column("kid", sa.String),
    sa.column("public_key", sa.String),
    sa.column("wrapped", sa.LargeBinary),
    sa.column("created_at", sa.DateTime(timezone=True)),
)
CODE_KEYS = sa.table(
    "code_key",
    sa.column("kid", sa.String),
    sa.column("wrapped", sa.LargeBinary),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("is_swept", sa.Boolean),
)
NEWEST = (
    sa.select(CENTRE_KEYS.c.kid, CENTRE_KEYS.c.wrapped)
    .where(CENTRE_KEYS.c.centre_id == sa.bindparam("centre_id"), CENTRE_KEYS.c.purpose == DATA)
    .order_by(CENTRE_KEYS.c.id.desc())
    .limit(1)
)
BY_KID = sa.select(CENTRE_KEYS.c.wrapped).where(CENTRE_KEYS.c.kid == sa.bindparam("kid"), CENTRE_KEYS.c.purpose == DATA)
ALL_CODE_KEYS = sa.select(CODE_KEYS.c.kid, CODE_KEYS.c.wrapped).order_by(CODE_KEYS.c.created_at)


class CannotOpen(Exception):
    """What is stored cannot be opened: its key is not here, or it was changed or moved.

    The text names the place, never what is in it.
    """


class ClearText(Exception):
    """Code tried to write something that is not sealed; it is a fault of the program."""


class Wrapper(Protocol):
    """Wraps and unwraps keys with the server's secret key."""

    def wrap(self, key: bytes, kid: str, is_first: bool) -> bytes:
        """Return a key, wrapped.

        `is_first`: nothing is wrapped yet, so that a missing secret key may be made.
        """

    def unwrap(self, kid: str, wrapped: bytes) -> bytes: ...


_wrappers: "weakref.WeakKeyDictionary[sa.Engine, Wrapper]" = weakref.WeakKeyDictionary()
_wrappers_by_address: dict[str, Wrapper] = {}  # for engines that are made later on a database that is known
_code_kids: "weakref.WeakKeyDictionary[sa.Engine, bytes]" = weakref.WeakKeyDictionary()  # of the key for new codes
# By the id of the key, which no two databases share. A key never changes.
_ciphers: dict[bytes, AESGCM] = {}
_code_ciphers: dict[bytes, AESSIV] = {}
_now = local()  # the engine whose statement runs in this thread


def attach(engine: sa.Engine, wrapper: Wrapper) -> None:
    """Say what unwraps the keys of a database; each process does so before using it."""
    _wrappers[engine] = wrapper
    _wrappers_by_address[str(engine.url)] = wrapper


def note_statements(engine: sa.Engine) -> None:
    """Let codes be hidden under the key of the database that a statement goes to."""

    @event.listens_for(engine, "before_execute")
    def note(connection: sa.Connection, *_: Any) -> None:
        _now.engine = connection.engine


# The keys.


def make_keys(connection: sa.Connection, centre_id: int) -> None:
    """Make the data key of a new centre, and the key for codes where there is none.

    In the transaction that makes the centre, so that nothing is ever sealed under a key that was not kept.
    """
    if connection.execute(sa.select(sa.func.count()).select_from(CODE_KEYS)).scalar_one() == 0:
        add_code_key(connection, is_swept=True)
    add_data_key(connection, centre_id)


def add_data_key(connection: sa.Connection, centre_id: int) -> str:
    """Make a new data key for what a centre writes from now on; return its id."""
    kid = str(uuid.uuid4())
    wrapped = _wrap_new(connection, AESGCM.generate_key(KEY_BITS), kid)
    row = {"centre_id": centre_id, "purpose": DATA, "kid": kid, "public_key": "", "wrapped": wrapped}
    connection.execute(sa.insert(CENTRE_KEYS).values(**row, created_at=dt.datetime.now(dt.UTC)))
    return kid


def add_code_key(connection: sa.Connection, is_swept: bool) -> None:
    """Make the key for codes. `is_swept`: nothing was ever written in clear."""
    kid = str(uuid.uuid4())
    wrapped = _wrap_new(connection, AESSIV.generate_key(SIV_BITS), kid)
    row = {"kid": kid, "wrapped": wrapped, "is_swept": is_swept}
    connection.execute(sa.insert(CODE_KEYS).values(**row, created_at=dt.datetime.now(dt.UTC)))
    _code_kids.pop(connection.engine, None)


def _wrap_new(connection: sa.Connection, key: bytes, kid: str) -> bytes:
    wrapper = _find_wrapper(connection.engine)
    if wrapper is None:
        raise CannotOpen("Nobody said where the server's secret key is, so no key can be made for this database.")
    is_first = not any(
        connection.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one()
        for name in ("centre_key", "code_key", "second_factor")
    )
    return wrapper.wrap(key, kid, is_first)


def _find_wrapper(engine: sa.Engine) -> Wrapper | None:
    return _wrappers.get(engine) or _wrappers_by_address.get(str(engine.url))


def _list_engines() -> list[sa.Engine]:
    """Return the databases of this process, first the one that a statement goes to."""
    current = getattr(_now, "engine", None)
    others = [engine for engine in list(_wrappers) if engine is not current]
    return [current, *others] if current is not None else others


def _load_cipher(kid: bytes) -> AESGCM | None:
    """Return a key that this process did not need so far; None where nobody has it."""
    name = str(uuid.UUID(bytes=kid))
    # Not by the connection that reads just now, since rows of it may be on their way.
    for engine in _list_engines():
        wrapper = _find_wrapper(engine)
        if wrapper is None:
            continue
        with contextlib.suppress(sa.exc.DatabaseError), engine.connect() as connection:
            wrapped = connection.execute(BY_KID, {"kid": name}).scalar_one_or_none()
            if wrapped is not None:
                _ciphers[kid] = AESGCM(wrapper.unwrap(name, wrapped))
                return _ciphers[kid]
    return None


def _load_code_keys(engine: sa.Engine) -> None:
    """Read a database's keys for codes, as far as they are committed."""
    wrapper = _find_wrapper(engine)
    before = getattr(_now, "engine", None)
    try:
        with engine.connect() as connection:
            for kid, wrapped in connection.execute(ALL_CODE_KEYS).all():
                _code_kids[engine] = _keep_code_key(wrapper, kid, wrapped)
    finally:
        _now.engine = before


def _keep_code_key(wrapper: Wrapper | None, kid: str, wrapped: bytes) -> bytes:
    """Keep a key for codes in this process, and return its id."""
    number = uuid.UUID(kid).bytes
    if number[:CODE_TAG] not in _code_ciphers:
        if wrapper is None:
            raise CannotOpen("Nobody said where the server's secret key is, so codes cannot be read.")
        _code_ciphers[number[:CODE_TAG]] = AESSIV(wrapper.unwrap(kid, wrapped))
    return number


# Content: sealed by field.


class Sealer:
    """Seals values of one centre under its newest data key."""

    def __init__(self, centre_id: int, kid: bytes, cipher: AESGCM):
        self.centre_id = centre_id
        self.kid = kid
        self.cipher = cipher

    def seal(self, table: str, column: str, row: object, plain: bytes) -> bytes:
        """Return a value as it is stored. `row` is what names its row, and stays the same."""
        if not plain:
            return b""  # says only that there is nothing
        nonce = urandom(12)
        place = f"{table}|{column}|{self.centre_id}|{row}".encode()
        return VERSION + self.kid + nonce + self.cipher.encrypt(nonce, plain, place)

    def for_rows_without_centre(self) -> "Sealer":
        """Return what seals for tables that do not name the centre.

        Their rows are of one centre by the worker that they name.
        """
        return Sealer(0, self.kid, self.cipher)

    def seal_text(self, table: str, column: str, row: object, text: str) -> bytes:
        return self.seal(table, column, row, encode_text(text))

    def seal_json(self, table: str, column: str, row: object, value: Any) -> bytes:
        return self.seal(table, column, row, encode_json(value))


def find_sealer(session: Session, centre_id: int) -> Sealer:
    """Return what seals values of a centre in this transaction.

    The newest key is asked for in each transaction, so that after a change of key nothing new is under the old one.
    """
    sealers: dict[int, Sealer] = session.info.setdefault("sealers", {})
    if centre_id not in sealers:
        sealers[centre_id] = make_sealer(session.connection(), centre_id)
    return sealers[centre_id]


@event.listens_for(Session, "after_transaction_end")
def _forget_sealers(session: Session, _: Any) -> None:
    session.info.pop("sealers", None)


def make_sealer(connection: sa.Connection, centre_id: int) -> Sealer:
    """Return what seals values of a centre under its newest key."""
    row = connection.execute(NEWEST, {"centre_id": centre_id}).one_or_none()
    if row is None:
        raise CannotOpen(f"Centre {centre_id} has no data key. Run: fieldapp db upgrade")
    kid = uuid.UUID(row.kid).bytes
    cipher = _ciphers.get(kid)
    if cipher is None:
        wrapper = _find_wrapper(connection.engine)
        if wrapper is None:
            raise CannotOpen("Nobody said where the server's secret key is, so nothing can be sealed.")
        cipher = AESGCM(wrapper.unwrap(row.kid, row.wrapped))
        # Where this transaction made the key and is rolled back, nobody ever asks for it.
        _ciphers[kid] = cipher
    return Sealer(centre_id, kid, cipher)


def open_value(table: str, column: str, centre_id: int, row: object, sealed: bytes) -> bytes:
    """Return what was sealed at a place.

    Raises CannotOpen when it is not what was put there.
    """
    if not sealed:
        return b""
    kid = sealed[KID]
    cipher = None
    if sealed[:1] == VERSION and len(sealed) > SEALED_FROM:
        cipher = _ciphers.get(kid) or _load_cipher(kid)
    if cipher is not None:
        with contextlib.suppress(InvalidTag):
            place = f"{table}|{column}|{centre_id}|{row}".encode()
            return cipher.decrypt(sealed[NONCE], sealed[SEALED_FROM:], place)
    raise CannotOpen(
        f"What is stored in {table}.{column} of row {row} does not open: it was changed, or its key is not here."
    )


def encode_text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def decode_text(plain: bytes) -> str:
    return plain.decode("utf-8", "surrogatepass")


def encode_json(value: Any) -> bytes:
    return encode_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


class SealedBytes(sa.types.TypeDecorator[bytes]):
    """A column of sealed values; it takes nothing else."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: sa.Dialect) -> bytes | None:
        if value and (isinstance(value, Unsealed) or value[:1] != VERSION):
            raise ClearText("A value was not sealed before it was written.")
        return value


class Unsealed(bytes):
    """A value that an object was given, until the object is written; then it is sealed."""


class Sealed:
    """An attribute of a table's class: the opened value of the sealed column beside it.

    `rows` names the attributes that say which row it is. Set to a value, it is sealed when the object is written.
    In a select it gives the opened value; in a condition it can be compared with "" alone.
    """

    def __init__(self, attribute: str, *rows: str, is_json: bool = False):
        self.attribute = attribute
        self.rows = rows
        self.encode: Callable[[Any], bytes] = encode_json if is_json else encode_text
        self.decode: Callable[[bytes], Any] = json.loads if is_json else decode_text
        self.is_json = is_json

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        _sealed_of.setdefault(owner, []).append(self)

    def __get__(self, item: Any, owner: type[Base]) -> Any:
        if item is None:
            return OpenedBundle(self, owner)
        sealed = getattr(item, self.attribute)
        if isinstance(sealed, Unsealed):
            return self._keep(item, sealed, bytes(sealed))
        if sealed is None:
            return None
        opened = item.__dict__.get(f"_opened_{self.name}")
        if opened is not None and opened[0] is sealed:
            return opened[1]
        centre_id, row = self._find_place(item)
        return self._keep(item, sealed, self.open(owner, centre_id, row, sealed))

    def __set__(self, item: Any, value: Any) -> None:
        is_empty = self.is_json and value == []  # as an empty column is read
        waiting = Unsealed(b"" if is_empty else self.encode(value))
        setattr(item, self.attribute, waiting)
        item.__dict__[f"_opened_{self.name}"] = (waiting, value)

    def _keep(self, item: Any, sealed: bytes, plain: bytes) -> Any:
        opened = item.__dict__.get(f"_opened_{self.name}")
        if opened is None or opened[0] is not sealed:
            opened = (sealed, self.decode(plain) if plain else self.make_empty())
            item.__dict__[f"_opened_{self.name}"] = opened
        return opened[1]

    def make_empty(self) -> Any:
        """Return what an empty column stands for."""
        return [] if self.is_json else ""

    def open(self, owner: type[Base], centre_id: int, row: object, sealed: bytes) -> bytes:
        return open_value(owner.__tablename__, self.column_of(owner), centre_id, row, sealed)

    def column_of(self, owner: type[Base]) -> str:
        name: str = getattr(owner, self.attribute).property.columns[0].name
        return name

    def _find_place(self, item: Any, is_new: bool = False) -> tuple[int, str]:
        """Return centre and row of an object: as it was read, or with `is_new` as it will be."""
        values = []
        before = {} if is_new else sa.inspect(item).committed_state
        for name in ("centre_id", *self.rows):
            value = before.get(name, LoaderCallableStatus.NO_VALUE)
            is_known = not isinstance(value, LoaderCallableStatus)
            values.append(value if is_known else getattr(item, name, 0))
        return values[0], make_row_name(values[1:])

    def seal(self, session: Session, item: Any) -> None:
        """Seal what an object was given, or seal it again where its row got another name."""
        sealed = getattr(item, self.attribute)
        place = self._find_place(item, is_new=True)
        if isinstance(sealed, Unsealed):
            plain = bytes(sealed)
        elif sealed and place != self._find_place(item):
            plain = self.open(type(item), *self._find_place(item), sealed)
        else:
            return
        centre_id, row = place
        if "None" in row.split("|"):
            raise ClearText(f"{self.attribute} cannot be sealed before its row has a name.")
        owner = type(item)
        fresh = find_sealer(session, centre_id).seal(owner.__tablename__, self.column_of(owner), row, plain)
        opened = item.__dict__.get(f"_opened_{self.name}")
        setattr(item, self.attribute, fresh)
        if opened is not None:
            item.__dict__[f"_opened_{self.name}"] = (fresh, opened[1])

    def renew(self, session: Session, item: Any) -> bool:
        """Seal an object's value under the newest key; return whether it lay under another one."""
        sealed = getattr(item, self.attribute)
        centre_id, row = self._find_place(item)
        owner = type(item)
        fresh = renew(find_sealer(session, centre_id), owner.__tablename__, self.column_of(owner), row, sealed)
        if fresh == sealed:
            return False
        setattr(item, self.attribute, fresh)
        return True


_sealed_of: dict[type, list[Sealed]] = {}


def list_sealed(owner: type[Base]) -> Sequence[Sealed]:
    """Return the sealed attributes of a table's class."""
    return _sealed_of.get(owner, ())


def renew(sealer: Sealer, table: str, column: str, row: object, sealed: bytes) -> bytes:
    """Return a sealed value under the sealer's key; the same where it is already."""
    if not sealed or sealed[KID] == sealer.kid:
        return sealed
    return sealer.seal(table, column, row, open_value(table, column, sealer.centre_id, row, sealed))


def make_row_name(values: Sequence[Any]) -> str:
    """Return the name of a row by the values that it is known by."""
    return "|".join(
        value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else str(value) for value in values
    )


@event.listens_for(Base, "before_insert", propagate=True)
@event.listens_for(Base, "before_update", propagate=True)
def _seal_waiting(_mapper: Any, _connection: sa.Connection, item: Any) -> None:
    for sealed in _sealed_of.get(type(item), ()):
        session = object_session(item)
        assert session is not None
        sealed.seal(session, item)


class OpenedBundle(Bundle[Any]):
    """A sealed column in a select: with its row's name, so that it can be opened."""

    def __init__(self, sealed: Sealed, owner: type[Base]):
        names = [*sealed.rows, sealed.attribute]
        if hasattr(owner, "centre_id"):
            names.append("centre_id")
        super().__init__(sealed.name, *(getattr(owner, name) for name in names))
        self.sealed = sealed
        self.owner = owner

    def create_row_processor(self, query: Any, procs: Sequence[Callable[[Any], Any]], labels: Sequence[str]) -> Any:
        sealed = self.sealed
        table = self.owner.__tablename__
        column = sealed.column_of(self.owner)
        row_of = procs[: len(sealed.rows)]
        value_of, *centre_of = procs[len(sealed.rows) :]

        def process(row: Any) -> Any:
            value = value_of(row)
            if not value:
                return sealed.make_empty()
            name = make_row_name([each(row) for each in row_of])
            centre_id = centre_of[0](row) if centre_of else 0
            return sealed.decode(open_value(table, column, centre_id, name, value))

        return process

    def __eq__(self, other: object) -> Any:
        return getattr(self.owner, self.sealed.attribute) == self._require_empty(other)

    def __ne__(self, other: object) -> Any:
        return getattr(self.owner, self.sealed.attribute) != self._require_empty(other)

    __hash__ = Bundle.__hash__

    def _require_empty(self, other: object) -> bytes:
        if other != "":
            raise ClearText("What is sealed can be compared with nothing but the empty text.")
        return b""


CODE_KINDS = ("card/", "clash/", "ended/", "label/")  # before the code of a card, in the keys of what phones pull

# Codes: hidden so that the same code always looks the same, for lists and searches.


class HiddenCode(sa.types.TypeDecorator[str]):
    """A card code that can be looked for, but not read without the key; "" stays "".

    It is encrypted with AES-SIV: the same code gives the same text in every table of a database.
    """

    impl = sa.String(CODE_LENGTH)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return hide_code(value) if value else value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return show_code(value) if value else value


class HiddenKey(sa.types.TypeDecorator[str]):
    """The key of what phones pull; where it names a card, the code is hidden."""

    impl = sa.String(64)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return map_key(value, hide_code) if value else value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return map_key(value, show_code) if value else value


def map_key(key: str, change: Callable[[str], str]) -> str:
    """Return a key with the code in it changed, where there is one."""
    kind, slash, code = key.partition("/")
    if code and kind + slash in CODE_KINDS:
        return kind + slash + change(code)
    return key


def make_code_mappers(connection: sa.Connection) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Return what hides and what shows codes.

    Also in a transaction that made their key itself.
    """
    wrapper = _find_wrapper(connection.engine)
    tag = b""
    for kid, wrapped in connection.execute(ALL_CODE_KEYS).all():
        tag = _keep_code_key(wrapper, kid, wrapped)[:CODE_TAG]
    return functools.partial(_hide, tag), show_code


def hide_code(code: str) -> str:
    """Return a code as it is stored in the database that a statement goes to."""
    engine = getattr(_now, "engine", None)
    if engine is None:
        raise CannotOpen("A code can only be looked for in a database.")
    kid = _code_kids.get(engine)
    if kid is None:
        _load_code_keys(engine)
        kid = _code_kids.get(engine)
    if kid is None:
        raise CannotOpen("The database has no key for codes. Run: fieldapp db upgrade")
    return _hide(kid[:CODE_TAG], code)


@functools.lru_cache(maxsize=65_536)
def _hide(tag: bytes, code: str) -> str:
    return base64.urlsafe_b64encode(tag + _code_ciphers[tag].encrypt(encode_text(code), [b"code"])).decode().rstrip("=")


@functools.lru_cache(maxsize=65_536)
def show_code(stored: str) -> str:
    """Return the code that is stored so.

    Raises CannotOpen when it was changed, or its key is not here.
    """
    try:
        data = base64.urlsafe_b64decode(stored + "=" * (-len(stored) % 4))
    except (ValueError, binascii.Error):
        data = b""
    tag = data[:CODE_TAG]
    if tag not in _code_ciphers:
        for engine in _list_engines():
            with contextlib.suppress(sa.exc.DatabaseError):
                _load_code_keys(engine)
    if tag in _code_ciphers:
        with contextlib.suppress(InvalidTag):
            return decode_text(_code_ciphers[tag].decrypt(data[CODE_TAG:], [b"code"]))
    raise CannotOpen("A card code in the database does not open: it was changed, or its key is not here.")
