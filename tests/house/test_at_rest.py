"""Each column of the database has its class: sealed, hidden, hashed, wrapped, or in clear for a reason."""

from fieldapp.store import tables
from fieldapp.store.phones.pull import PullItem
from fieldapp.store.products.pieces import FrozenPiece
from fieldapp.store.records.attachments import BlobPiece
from fieldapp.store.records.records import Record
from fieldapp.store.records.reviews import Review
from fieldapp.store.records.submissions import Submission
from fieldapp.store.resealing import _reseal_pieces, _reseal_pulled  # noqa: F401  what seals these two again
from fieldapp.store.sealing import HiddenCode, HiddenKey, SealedBytes
from tests.house.at_rest import COLUMNS, HIDDEN, SEALED

BY_TYPE = {SealedBytes: SEALED, HiddenCode: HIDDEN, HiddenKey: HIDDEN}
SEALED_AGAIN = (Submission, Record, Review, FrozenPiece, PullItem, BlobPiece)  # what store/resealing.py goes through


def test_every_column_has_its_class_and_lies_as_it_says() -> None:
    found = {}
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            found[f"{table.name}.{column.name}"] = BY_TYPE.get(type(column.type), "")
    unlisted = sorted(found.keys() - COLUMNS.keys())
    assert not unlisted, f"Say in tests/house/at_rest.py how these lie in the database: {unlisted}"
    assert COLUMNS.keys() - found.keys() == {"alembic_version.version_num"}
    wrong = []
    for name, how in found.items():
        said = COLUMNS[name]
        if (said in (SEALED, HIDDEN) or how) and said != how:
            wrong.append(name)
    assert not wrong, f"These do not lie as tests/house/at_rest.py says: {wrong}"


def test_a_new_key_reaches_every_table_with_sealed_content() -> None:
    sealed = {name.partition(".")[0] for name, how in COLUMNS.items() if how == SEALED}
    assert sealed == {model.__tablename__ for model in SEALED_AGAIN}
