"""Step 2 to 4: a batch of rows that may be published now. Who would stand out in it is held back for a later one.

The first batch of a dataset looks for the levels of least loss and freezes them. Every later one takes what has come since,
late rows and what was held back, at those levels: so each row is published once, and what is new between any two releases
is itself made of classes of k persons.
"""

import hmac
import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from evaluator_export.arrays import Array
from evaluator_export.policy.dataset_spec import Dataset
from evaluator_export.policy.policy import KEEP, SENSITIVE
from evaluator_export.search.anonymize import Safe, at_minimum, finish, measures, shuffled, table_of
from evaluator_export.search.encoding import Table
from evaluator_export.search.equivalence_classes import Classes, Node, base_of
from evaluator_export.search.lattice import Search
from evaluator_export.search.recoding import Pass, Recoded, recode, rows_of
from evaluator_export.series.eligible_rows import Rows
from evaluator_export.series.ledger import TAG_BYTES, digest_of
from evaluator_export.tabular import Words, words_of

PERSON = "person"
AT = "@"  # between a column's name and a level, inside batch files


@dataclass(frozen=True)
class TooFine(Exception):
    """A batch is not published: on all columns that would leave, more of its rows are like no other than may be."""

    share: float
    limit: float


@dataclass(frozen=True)
class Batch:
    """Rows of one batch, at the frozen levels. `tags` are what the ledger knows them by, one after the other.

    `report` has risk, utility and the share held back by group.
    """

    levels: Node
    tags: bytes
    columns: dict[str, Words]  # "name@level" for quasi-identifiers from their frozen level up, "name" for others
    classes: int
    smallest: int
    report: dict[str, object]


def make(dataset: Dataset, rows: Rows, frozen: Node | None, secret: bytes) -> Batch | None:
    """Return the next batch, or None when too few rows have come to hide anyone among the others.

    Raise TooFine when too many rows would be like no other, once all columns that leave are known and not only those that
    were made coarser.
    """
    table = table_of(dataset.policy, columns := rows.columns())
    if not table.rows:
        return None
    policy = dataset.policy
    result = recode(table, policy.model, policy.limits) if frozen is None else _at(dataset, table, frozen)
    if result is None or not result.published:
        return None
    seed = hmac.digest(secret, b"batch " + digest_of(bytes(rows.tags)).encode(), "sha256")
    safe = finish(dataset.policy, table, result, columns, shuffled(seed))
    tags = np.frombuffer(bytes(rows.tags), dtype=np.uint8).reshape(-1, TAG_BYTES)[safe.order].tobytes()
    written = _columns(dataset, safe, columns)
    if rows.has_pseudonyms:
        people = columns[dataset.policy.person]
        hidden = [hmac.digest(secret, b"person " + value.encode(), "sha256")[:12].hex() for value in people.values]
        written[PERSON] = Words(people.codes[safe.order], tuple(hidden))
    report = measures(dataset.policy, safe, columns)
    if report["singled_out"]["alone"] > policy.max_singled_out:
        raise TooFine(report["singled_out"]["alone"], policy.max_singled_out)
    sizes = report["class_sizes"]
    levels = result.passes[0].node
    report |= {"levels": list(levels), "loss": result.loss, "held_back": len(result.suppressed), "rows": len(safe.order)}
    return Batch(levels, tags, written, sizes["classes"], sizes["smallest"], report)


def _at(dataset: Dataset, table: Table, node: Node) -> Recoded:
    model = dataset.policy.model
    search = Search(table, model, 1.0)
    classes: Classes = base_of(table, node, model).classes(node, model, search.totals)
    kept = rows_of(table, classes, model)
    held = np.flatnonzero(~kept)
    return Recoded((Pass(node, np.flatnonzero(kept), classes),), held, search.loss(classes), 1, 1)


def _columns(dataset: Dataset, safe: Safe, columns: dict[str, Words]) -> dict[str, Words]:
    found: dict[str, Words] = {}
    for column, level in zip(safe.table.columns, safe.result.passes[0].node, strict=True):
        for above in range(level, len(column.levels)):
            found[f"{column.name}{AT}{above}"] = Words(
                column.levels[above].map[column.codes[safe.order]], column.levels[above].labels
            )
    for field in dataset.policy.of_role(SENSITIVE, KEEP):
        words = at_minimum(field, columns[field.name])
        found[field.name] = Words(words.codes[safe.order], words.values)
    return found


def to_bytes(batch: Batch) -> bytes:
    """Return a batch as the Parquet file that the centre keeps; the same batch gives the same bytes."""
    sink = io.BytesIO()
    table = pa.table({name: words.arrow() for name, words in batch.columns.items()})
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def from_bytes(data: bytes) -> dict[str, Words]:
    """Return the columns of a batch file."""
    names = pyarrow.parquet.ParquetFile(io.BytesIO(data)).schema_arrow.names
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data), read_dictionary=names)
    # One column at a time: a million rows of all of them would take 170 MB more.
    return {name: words_of(file.read(columns=[name], use_threads=False)[name]) for name in names}


def order_for(secret: bytes, number: int, rows: int) -> Array:
    """Return the order in which one recipient gets a batch: orders of different recipients must not match rows up."""
    return shuffled(hmac.digest(secret, f"order {number}".encode(), "sha256"))(np.arange(rows))
