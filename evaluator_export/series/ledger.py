"""The memory of what was published: a chain with one entry per batch.

Each entry has the hash of the one before.

A row is published at most once; each class of a batch has k persons; the first batch of a dataset
freezes its levels; who loses the ledger publishes no more. Nothing in it is about a person: a row
is known by a tag, a hash under a key that only the centre has, and an entry has only a hash over
the tags of its batch.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NoReturn

from evaluator_export.arrays import Array
from evaluator_export.problems import ExportProblem, Reason

FORMAT = 1
# 128 bits: among millions of rows, two never share a tag by chance.
TAG_BYTES = 16


def compute_row_tag(secret: bytes, unit: str) -> bytes:
    """Return the tag of a row: `TAG_BYTES` bytes, an HMAC-SHA256 of its name, cut off.

    `unit` names the row for ever: the record's id, and the month where a row is one.
    """
    return hmac.digest(secret, b"ledger " + unit.encode(), "sha256")[:TAG_BYTES]


def hash_tags(tags: bytes) -> str:
    """Return the SHA-256 (hex) over tags that lie one after the other, whatever their order."""
    return hashlib.sha256(_sort_tags(tags).tobytes()).hexdigest()


def _sort_tags(tags: bytes) -> Array:
    """Return tags ascending, one row of two 64-bit halves per tag."""
    import numpy as np  # noqa: PLC0415  heavy, and servers make the tags of single rows only

    # Big-endian, so that halves sort as the bytes do, whatever the machine.
    halves: Array = np.frombuffer(tags, dtype=">u8").reshape(-1, 2)
    return halves[np.lexsort((halves[:, 1], halves[:, 0]))]


def has_duplicate_tag(tags: bytes) -> bool:
    """Say whether some tag occurs twice among tags that lie one after the other."""
    ordered = _sort_tags(tags)
    return bool((ordered[1:] == ordered[:-1]).all(axis=1).any())


@dataclass(frozen=True)
class LedgerEntry:
    """One batch. The names of these fields are in the hash: they can never change.

    `number`: from 1 on. `policy`: SHA-256 of the dataset's YAML. `levels`: one per
    quasi-identifier. `smallest`: persons in its smallest class. `tags` and `file`: SHA-256 over the
    tags of its rows and over its file. `before`: hash of the entry before, or the genesis hash.
    """

    dataset: str
    number: int
    period: str
    policy: str
    levels: tuple[int, ...]
    rows: int
    classes: int
    smallest: int
    tags: str
    file: str
    before: str

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) over all fields; the next entry has it as `before`."""
        fields = asdict(self)
        # Sorted keys and no spaces: other programs can compute the same text.
        text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"fieldapp ledger {FORMAT}\n{text}".encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the entry as manifests show it, with its hash."""
        return {**asdict(self), "levels": list(self.levels), "hash": self.hash}


def compute_genesis_hash(dataset: str) -> str:
    """Return what stands as `before` in the first entry of a dataset."""
    return hashlib.sha256(f"fieldapp ledger {FORMAT} of {dataset}".encode()).hexdigest()


def compute_head_hash(dataset: str, entries: Sequence[LedgerEntry]) -> str:
    """Return the hash of the last entry; the genesis hash before the first batch."""
    if entries:
        return entries[-1].hash
    return compute_genesis_hash(dataset)


def verify_ledger(
    dataset: str,
    entries: Sequence[LedgerEntry],
    head: str,
    tags_by_number: Mapping[int, bytes],
) -> None:
    """Check that a dataset's ledger is whole.

    `head`: the hash of the last entry, which the dataset keeps apart from its entries.
    `tags_by_number`: the tags of each batch, one after the other. Raises ExportProblem when the
    chain is broken, does not end at `head`, does not fit the tags, or has a row twice.
    """
    problems: list[Reason] = []
    before = compute_genesis_hash(dataset)
    for position, entry in enumerate(entries, 1):
        # The name of the dataset, too: an entry of another dataset could be moved here, hash and
        # all.
        if entry.number != position or entry.before != before or entry.dataset != dataset:
            problems.append(Reason("ledger.order", {"number": position}))
            break  # all entries after it differ as well
        before = entry.hash
    # A chain that was cut short at its end is still a chain. Only the head, which is stored
    # elsewhere, shows the loss.
    if not problems and before != head:
        problems.append(Reason("ledger.head"))
    numbers = {entry.number for entry in entries}
    if tags_by_number.keys() - numbers:
        problems.append(Reason("ledger.no_entry"))
    # Tags are compared with what the entry hashed: deleted tags would let the same rows be
    # published again.
    for entry in entries:
        tags = tags_by_number.get(entry.number, b"")
        if len(tags) != entry.rows * TAG_BYTES or hash_tags(tags) != entry.tags:
            problems.append(Reason("ledger.rows", {"number": entry.number}))
    if has_duplicate_tag(b"".join(tags_by_number.values())):
        problems.append(Reason("ledger.twice"))
    if problems:
        raise_damaged_ledger(dataset, problems)


def verify_released_batches(
    dataset: str,
    entries: Sequence[LedgerEntry],
    manifests: Iterable[Mapping[str, Any]],
) -> None:
    """Check that the ledger knows every batch that recipients were given.

    `manifests`: the dataset's part of the manifest of each package that was handed out. Raises
    ExportProblem when one names a batch that the ledger lacks or has otherwise: then an older
    database was restored, and the same rows could leave twice.
    """
    for manifest in manifests:
        # Packages of counts alone have no ledger.
        for entry in manifest.get("ledger", {}).get("entries", ()):
            number = entry["number"]
            if number > len(entries) or entries[number - 1].hash != entry["hash"]:
                details = {"number": number, "period": entry["period"]}
                raise_damaged_ledger(dataset, [Reason("ledger.handed_out", details)])


def raise_damaged_ledger(dataset: str, problems: Sequence[Reason]) -> NoReturn:
    """Raise ExportProblem: a dataset whose memory is not whole is published no more."""
    raise ExportProblem(Reason("ledger.damaged", {"dataset": dataset}), *problems)


def frozen_levels(entries: Sequence[LedgerEntry], policy: str) -> tuple[int, ...] | None:
    """Return the levels that the first batch of a dataset froze; None before it.

    `policy`: SHA-256 of the dataset's YAML today. Raises ExportProblem when it is another than at
    the last batch: rows at other levels could be set against those that left before.
    """
    if not entries:
        return None
    # Also a change that only looks harmless, such as a title: nobody has to judge which changes are.
    if entries[-1].policy != policy:
        raise ExportProblem(Reason("ledger.policy", {"dataset": entries[0].dataset}))
    return entries[0].levels
