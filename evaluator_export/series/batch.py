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
from evaluator_export.policy.dataset_spec import DatasetSpec
from evaluator_export.policy.policy import Role
from evaluator_export.search.anonymize import (
    apply_recoding,
    generalize_to_minimum,
    make_shuffler,
)
from evaluator_export.search.encoding import Microdata, encode_table
from evaluator_export.search.equivalence_classes import EquivalenceClasses, Node, group_rows
from evaluator_export.search.lattice import LatticeSearch
from evaluator_export.search.measures import measure_risk_and_utility
from evaluator_export.search.recoding import (
    AnonymizedTable,
    RecodingPass,
    RecodingResult,
    find_publishable_rows,
    search_and_recode,
)
from evaluator_export.series.eligible_rows import EligibleRows
from evaluator_export.series.ledger import TAG_BYTES, hash_tags
from evaluator_export.tabular import CategoricalColumn, to_categorical

PERSON = "person"
AT = "@"  # between a column's name and a level, inside batch files


@dataclass(frozen=True)
class TooFine(Exception):
    """A batch is not published: on all columns that would leave, more of its rows are like no other than may be."""

    share: float
    limit: float


@dataclass(frozen=True)
class AnonymizedBatch:
    """Rows of one batch, at the frozen levels. `tags` are what the ledger knows them by, one after the other.

    `report` has risk, utility and the share held back by group.
    """

    levels: Node
    tags: bytes
    columns: dict[str, CategoricalColumn]  # "name@level" for quasi-identifiers from their frozen level up, "name" for others
    classes: int
    smallest: int
    report: dict[str, object]


def make_batch(dataset: DatasetSpec, rows: EligibleRows, frozen: Node | None, secret: bytes) -> AnonymizedBatch | None:
    """Return the next batch, or None when too few rows have come to hide anyone among the others.

    Raise TooFine when too many rows would be like no other, once all columns that leave are known and not only those that
    were made coarser.
    """
    table = encode_table(dataset.policy, columns := rows.columns())
    if not table.rows:
        return None
    policy = dataset.policy
    result = search_and_recode(table, policy.model, policy.limits) if frozen is None else _recode_at(dataset, table, frozen)
    if result is None or not result.published:
        return None
    seed = hmac.digest(secret, b"batch " + hash_tags(bytes(rows.tags)).encode(), "sha256")
    safe = apply_recoding(dataset.policy, table, result, columns, make_shuffler(seed))
    tags = np.frombuffer(bytes(rows.tags), dtype=np.uint8).reshape(-1, TAG_BYTES)[safe.order].tobytes()
    written = _make_batch_columns(dataset, safe, columns)
    if rows.has_pseudonyms:
        people = columns[dataset.policy.person]
        hidden = [hmac.digest(secret, b"person " + value.encode(), "sha256")[:12].hex() for value in people.values]
        written[PERSON] = CategoricalColumn(people.codes[safe.order], tuple(hidden))
    report = measure_risk_and_utility(dataset.policy, safe, columns)
    if report["singled_out"]["alone"] > policy.max_singled_out:
        raise TooFine(report["singled_out"]["alone"], policy.max_singled_out)
    sizes = report["class_sizes"]
    levels = result.passes[0].node
    report |= {"levels": list(levels), "loss": result.loss, "held_back": len(result.suppressed), "rows": len(safe.order)}
    return AnonymizedBatch(levels, tags, written, sizes["classes"], sizes["smallest"], report)


def _recode_at(dataset: DatasetSpec, table: Microdata, node: Node) -> RecodingResult:
    model = dataset.policy.model
    search = LatticeSearch(table, model, 1.0)
    classes: EquivalenceClasses = group_rows(table, node, model).classes(node, model, search.totals)
    kept = find_publishable_rows(table, classes, model)
    held = np.flatnonzero(~kept)
    return RecodingResult((RecodingPass(node, np.flatnonzero(kept), classes),), held, search.compute_loss(classes), 1, 1)


def _make_batch_columns(
    dataset: DatasetSpec, safe: AnonymizedTable, columns: dict[str, CategoricalColumn]
) -> dict[str, CategoricalColumn]:
    found: dict[str, CategoricalColumn] = {}
    for column, level in zip(safe.table.columns, safe.result.passes[0].node, strict=True):
        for above in range(level, len(column.levels)):
            found[f"{column.name}{AT}{above}"] = CategoricalColumn(
                column.levels[above].map[column.codes[safe.order]], column.levels[above].labels
            )
    for field in dataset.policy.list_fields_with_role(Role.SENSITIVE, Role.KEEP):
        words = generalize_to_minimum(field, columns[field.name])
        found[field.name] = CategoricalColumn(words.codes[safe.order], words.values)
    return found


def to_bytes(batch: AnonymizedBatch) -> bytes:
    """Return a batch as the Parquet file that the centre keeps; the same batch gives the same bytes."""
    sink = io.BytesIO()
    table = pa.table({name: words.to_arrow() for name, words in batch.columns.items()})
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def from_bytes(data: bytes) -> dict[str, CategoricalColumn]:
    """Return the columns of a batch file."""
    names = pyarrow.parquet.ParquetFile(io.BytesIO(data)).schema_arrow.names
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data), read_dictionary=names)
    # One column at a time: a million rows of all of them would take 170 MB more.
    return {name: to_categorical(file.read(columns=[name], use_threads=False)[name]) for name in names}


def make_recipient_order(secret: bytes, number: int, rows: int) -> Array:
    """Return the order in which one recipient gets a batch: orders of different recipients must not match rows up."""
    return make_shuffler(hmac.digest(secret, f"order {number}".encode(), "sha256"))(np.arange(rows))
