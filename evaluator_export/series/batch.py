"""A batch of rows to publish now. Who would stand out in it waits for a later one.

The first batch of a dataset looks for the levels of least loss and freezes them. Every later one
takes what has come since, late rows and those that had to wait, at the same levels: so each row is
published once, and what is new between any two releases consists of classes of k persons, too.
"""

import hmac
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from evaluator_export.arrays import Array
from evaluator_export.datasets.dataset_spec import DatasetSpec
from evaluator_export.policy.policy import Role
from evaluator_export.search.anonymize import (
    apply_recoding,
    generalize_to_minimum,
    make_shuffler,
)
from evaluator_export.search.encoding import Microdata, encode_table
from evaluator_export.search.equivalence_classes import Node, group_rows
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

PERSON = "person"  # the column of a batch file that says whose rows belong together
AT = "@"  # between a column's name and a level, in batch files
# 96 bits: enough that two persons of a dataset never share a name by chance.
PERSON_BYTES = 12  # of the hash that stands for a person in batch files


@dataclass(frozen=True)
class TooFine(Exception):
    """A batch that is not published: too many of its rows are like no other.

    `share` of the rows (0 to 1) are alone on all columns that would leave, more than `limit`.
    """

    share: float
    limit: float


@dataclass(frozen=True)
class AnonymizedBatch:
    """The rows of one batch, as the centre keeps them.

    `levels`: the frozen ones. `tags`: what the ledger knows the rows by, one after the other, in
    the order of the rows. `columns`: by "name@level" for quasi-identifiers, from their frozen
    level up, by "name" for others. `smallest`: persons in the smallest class. `report`: risk,
    utility, and the share of each group that has to wait.
    """

    levels: Node
    tags: bytes
    columns: dict[str, CategoricalColumn]
    classes: int
    smallest: int
    report: dict[str, object]


def make_batch(
    dataset: DatasetSpec, rows: EligibleRows, frozen_levels: Node | None, secret: bytes
) -> AnonymizedBatch | None:
    """Return the next batch; None when too few rows have come to hide anyone among the others.

    `frozen_levels`: those of the first batch; None looks for them. `secret`: the dataset's key,
    under which rows are shuffled and persons named. Raises TooFine when too many rows would be like
    no other on all columns that leave, also those that are not generalized. Raises ExportProblem
    when values and hierarchies do not fit.
    """
    policy = dataset.policy
    columns = rows.columns()
    table = encode_table(policy, columns)
    if not table.rows:
        return None
    if frozen_levels is None:
        result = search_and_recode(table, policy.model, policy.limits)
    else:
        result = _recode_at(dataset, table, frozen_levels)
    if result is None or not result.published:
        return None
    tags = bytes(rows.tags)
    # A release that is built again must have its rows in the same order; nobody else can know it.
    seed = hmac.digest(secret, b"batch " + hash_tags(tags).encode(), "sha256")
    safe = apply_recoding(policy, table, result, columns, make_shuffler(seed))
    report = measure_risk_and_utility(policy, safe, columns)
    alone = report["singled_out"]["alone"]
    # k persons share the quasi-identifiers, but a witness may know the other columns, too.
    if alone > policy.max_singled_out:
        raise TooFine(alone, policy.max_singled_out)
    levels = result.passes[0].node
    # A report is kept with its batch: what it says is what was true of the batch when it was made.
    report |= {
        "levels": list(levels),
        "loss": result.loss,
        "held_back": len(result.suppressed),
        "rows": len(safe.order),
    }
    batch_columns = _make_batch_columns(dataset, safe, columns)
    if rows.has_pseudonyms:
        batch_columns[PERSON] = _name_persons(columns[policy.person], safe.order, secret)
    # The order of tags follows the rows: a withdrawal finds a person's rows by their tags, and
    # counts places in the file.
    return AnonymizedBatch(
        levels=levels,
        tags=_reorder_tags(tags, safe.order),
        columns=batch_columns,
        classes=report["class_sizes"]["classes"],
        smallest=report["class_sizes"]["smallest"],
        report=report,
    )


def _recode_at(dataset: DatasetSpec, table: Microdata, node: Node) -> RecodingResult:
    """Return the result of recoding at levels that are fixed, with no search."""
    model = dataset.policy.model
    # No search, but the same object: loss and totals are counted in one way only.
    search = LatticeSearch(table, model, 1.0)
    classes = group_rows(table, node, model).classes(node, model, search.totals)
    publishable = find_publishable_rows(table, classes, model)
    only_pass = RecodingPass(node, np.flatnonzero(publishable), classes)
    suppressed = np.flatnonzero(~publishable)
    return RecodingResult((only_pass,), suppressed, search.compute_loss(classes), 1, 1)


def _make_batch_columns(
    dataset: DatasetSpec, safe: AnonymizedTable, columns: Mapping[str, CategoricalColumn]
) -> dict[str, CategoricalColumn]:
    """Return the columns of a batch file: each recipient may get a level, or a coarser one."""
    batch_columns: dict[str, CategoricalColumn] = {}
    node = safe.result.passes[0].node
    for column, frozen_level in zip(safe.table.columns, node, strict=True):
        codes = column.codes[safe.order]
        for number in range(frozen_level, len(column.levels)):
            # From the frozen level up only. A finer one must not be in the file at all, or a slip
            # in a recipe could let it out.
            level = column.levels[number]
            generalized = CategoricalColumn(level.map[codes], level.labels)
            batch_columns[f"{column.name}{AT}{number}"] = generalized
    for field in dataset.policy.list_fields_with_role(Role.SENSITIVE, Role.KEEP):
        kept_column = generalize_to_minimum(field, columns[field.name])
        codes = kept_column.codes[safe.order]
        batch_columns[field.name] = CategoricalColumn(codes, kept_column.values)
    return batch_columns


def _name_persons(persons: CategoricalColumn, order: Array, secret: bytes) -> CategoricalColumn:
    """Return whose each row is, as a hash under the dataset's key: no card code is in a batch."""
    names = []
    for code in persons.values:
        digest = hmac.digest(secret, b"person " + code.encode(), "sha256")
        names.append(digest[:PERSON_BYTES].hex())
    return CategoricalColumn(persons.codes[order], tuple(names))


def _reorder_tags(tags: bytes, order: Array) -> bytes:
    rows = np.frombuffer(tags, dtype=np.uint8).reshape(-1, TAG_BYTES)
    return rows[order].tobytes()


def to_bytes(batch: AnonymizedBatch) -> bytes:
    """Return a batch as the Parquet file that the centre keeps.

    The same batch gives the same bytes: the ledger has their hash.
    """
    sink = io.BytesIO()
    table = pa.table({name: column.to_arrow() for name, column in batch.columns.items()})
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def from_bytes(data: bytes) -> dict[str, CategoricalColumn]:
    """Return the columns of a batch file, by name."""
    names = pyarrow.parquet.ParquetFile(io.BytesIO(data)).schema_arrow.names
    # Read as dictionaries: texts of a million rows would otherwise be a million objects.
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data), read_dictionary=names)
    columns = {}
    for name in names:
        # One column at a time: a million rows of all of them would take 170 MB more.
        table = file.read(columns=[name], use_threads=False)
        columns[name] = to_categorical(table[name])
    return columns


def make_recipient_order(secret: bytes, number: int, rows: int) -> Array:
    """Return the order of rows in which one recipient gets batch `number`.

    `secret` is the recipient's own: two recipients must not match up rows by their order.
    """
    seed = hmac.digest(secret, f"order {number}".encode(), "sha256")
    return make_shuffler(seed)(np.arange(rows))
