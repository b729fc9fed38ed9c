"""The memory of what was published: a chain of entries, one a batch, each holding the hash of the one before.

Rules (shared design, §5.5): a row is published at most once; a batch's classes hold k persons each; the levels of a dataset
are frozen by its first batch; whoever loses the ledger publishes no more. Nothing here is about a person: rows are known by
keyed hashes, and an entry holds only a hash over those.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from evaluator_export.problems import ExportProblem, Reason

FORMAT = 1
TAG_BYTES = 16


def compute_row_tag(secret: bytes, unit: str) -> bytes:
    """Return what the ledger knows a row by."""
    return hmac.digest(secret, b"ledger " + unit.encode(), "sha256")[:TAG_BYTES]


def hash_tags(tags: bytes) -> str:
    """Return the hash over tags, which lie one after the other, whatever their order."""
    return hashlib.sha256(_in_order(tags).tobytes()).hexdigest()


def _in_order(tags: bytes) -> npt.NDArray[np.uint64]:
    halves = np.frombuffer(tags, dtype=">u8").reshape(-1, 2)
    return halves[np.lexsort((halves[:, 1], halves[:, 0]))]


def has_duplicate_tag(tags: bytes) -> bool:
    ordered = _in_order(tags)
    return bool((ordered[1:] == ordered[:-1]).all(axis=1).any())


@dataclass(frozen=True)
class LedgerEntry:
    """One batch: its number from 1 on, what it holds, the SHA-256 over its rows' tags and over its file."""

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
        text = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"fieldapp ledger {FORMAT}\n{text}".encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "levels": list(self.levels), "hash": self.hash}


def compute_genesis_hash(dataset: str) -> str:
    return hashlib.sha256(f"fieldapp ledger {FORMAT} of {dataset}".encode()).hexdigest()


def compute_head_hash(dataset: str, entries: Sequence[LedgerEntry]) -> str:
    return entries[-1].hash if entries else compute_genesis_hash(dataset)


def verify_ledger(
    dataset: str, entries: Sequence[LedgerEntry], remembered: str, tags_by_number: Mapping[int, bytes]
) -> None:
    """Raise ExportProblem unless the ledger is whole: the chain unbroken, ending where the dataset remembers, no row twice.

    `remembered` is the head that the dataset keeps apart from its entries; `tags_by_number` are the rows of each batch.
    """
    problems: list[Reason] = []
    before = compute_genesis_hash(dataset)
    for position, entry in enumerate(entries, 1):
        if entry.number != position or entry.before != before or entry.dataset != dataset:
            problems.append(Reason("ledger.order", {"number": position}))
            break
        before = entry.hash
    if not problems and before != remembered:
        problems.append(Reason("ledger.head"))
    numbers = {entry.number for entry in entries}
    if tags_by_number.keys() - numbers:
        problems.append(Reason("ledger.no_entry"))
    for entry in entries:
        tags = tags_by_number.get(entry.number, b"")
        if len(tags) != entry.rows * TAG_BYTES or hash_tags(tags) != entry.tags:
            problems.append(Reason("ledger.rows", {"number": entry.number}))
    if has_duplicate_tag(b"".join(tags_by_number.values())):
        problems.append(Reason("ledger.twice"))
    if problems:
        raise_damaged_ledger(dataset, problems)


def verify_released_batches(dataset: str, entries: Sequence[LedgerEntry], manifests: Iterable[Mapping[str, Any]]) -> None:
    """Raise ExportProblem when packages that were handed out tell of batches that the ledger does not know, or otherwise."""
    for manifest in manifests:
        for entry in manifest.get("ledger", {}).get("entries", ()):
            number = entry["number"]
            if number > len(entries) or entries[number - 1].hash != entry["hash"]:
                details = {"number": number, "period": entry["period"]}
                raise_damaged_ledger(dataset, [Reason("ledger.handed_out", details)])


def raise_damaged_ledger(dataset: str, problems: Sequence[Reason]) -> NoReturn:
    """Raise ExportProblem: a dataset whose memory is not whole is published no more."""
    raise ExportProblem(Reason("ledger.damaged", {"dataset": dataset}), *problems)


def frozen_levels(entries: Sequence[LedgerEntry], policy: str) -> tuple[int, ...] | None:
    """Return the levels that the first batch froze; None before it. ExportProblem when the policy is another than then."""
    if not entries:
        return None
    if entries[-1].policy != policy:
        raise ExportProblem(Reason("ledger.policy", {"dataset": entries[0].dataset}))
    return entries[0].levels
