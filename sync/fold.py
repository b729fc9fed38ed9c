"""A record is the fold of its submissions: the same state in whatever order they arrived, however often each came.

Each submission carries all answers and names those that it was based on (`prev`). What no other one builds on is a head. One
head: its answers are the record's. Several heads were made without knowing of each other: where they changed different
questions, both changes hold; where they changed the same one, both values are kept and somebody has to choose.

A version in which the person did not say yes (a no) overrules all that does not build on it, in whatever order they come.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.ancestors import Ancestors


@dataclass(frozen=True)
class RecordVersion:
    """One submission as the fold sees it: `answers` are what the form's logic left of it."""

    id: str
    sha256: str
    prev: frozenset[str]
    author: int
    is_office: bool  # made at the centre by somebody who may correct any record
    finished_at: dt.datetime
    form_version: str
    answers: Mapping[str, Any] = field(compare=False)
    is_refusal: bool = False  # the person did not say yes

    @property
    def key(self) -> tuple[str, str]:
        return self.id, self.sha256

    @property
    def sort_key(self) -> tuple[dt.datetime, str, str]:
        """Return what decides between equals, so that chance never does."""
        return self.finished_at, self.id, self.sha256


@dataclass(frozen=True)
class Conflict:
    """A question to which versions that knew nothing of each other give different answers."""

    path: str  # group.question; a whole repeat is one answer
    values: tuple[tuple[str, Any], ...]  # (hash of the submission, what it says; "" for nothing)


@dataclass(frozen=True)
class FoldResult:
    author: int
    current: (
        RecordVersion  # whose form version and time the state has; its answers too, unless changes were brought together
    )
    answers: Mapping[str, Any]
    heads: tuple[str, ...]  # ids; what a correction builds on
    contested: tuple[Conflict, ...]
    rejected: tuple[RecordVersion, ...]  # by people who may not change this record: no part of it


Complete = Callable[[RecordVersion, Mapping[str, Any]], Mapping[str, Any] | None]


Links = Mapping[str, Collection[str]]  # id → the ids that it builds on


def fold(
    root_id: str,
    given: Iterable[RecordVersion],
    complete: Complete,
    computed: Collection[str] = (),
    links: Links | None = None,
) -> FoldResult:
    """Return the state of a record.

    At least one version must be given. A record belongs to the author of its first submission; while that has not arrived,
    to the author of the earliest that has. `complete` computes what the form of a version computes and returns None when
    answers that were brought together break its rules; `computed` are the dotted paths of those that nobody contests.
    `links` is what submissions build on that are no versions, since they were refused.
    """
    versions, first, ours = _find_owner(root_id, given)
    allowed = {one.key for one in ours}
    strangers = tuple(one for one in versions if one.key not in allowed)
    before = find_ancestors(ours, links)
    lost = {one.key for one in find_overruled_versions(root_id, versions, links=links)}
    counting = [one for one in ours if one.key not in lost]
    superseded = before.find_superseded({one.id for one in counting})
    heads = [one for one in counting if one.id not in superseded]
    latest = heads[-1]
    contested: tuple[Conflict, ...] = ()
    answers: Mapping[str, Any] = latest.answers
    if len(heads) > 1:
        merged = _merge_heads(heads, _common_base(heads, ours, before), computed)
        is_one_form = len({one.form_version for one in heads}) == 1
        completed = complete(latest, merged) if merged is not None and is_one_form else None
        if completed is None:
            contested = _find_conflicts(heads, computed)
        else:
            answers = completed
    ids = tuple(sorted({one.id for one in heads}))
    return FoldResult(first.author, latest, answers, ids, contested, strangers)


def find_first_version(root_id: str, given: Iterable[RecordVersion]) -> RecordVersion:
    """Return the version whose author a record belongs to."""
    return _find_owner(root_id, given)[1]


def list_refusals_in_force(root_id: str, given: Iterable[RecordVersion]) -> list[RecordVersion]:
    """Return the versions in which the person did not say yes, by those who may change the record."""
    versions = list(given)
    return [one for one in _find_owner(root_id, versions)[2] if one.is_refusal] if versions else []


def find_overruled_versions(
    root_id: str, given: Iterable[RecordVersion], others: Iterable[RecordVersion] = (), links: Links | None = None
) -> list[RecordVersion]:
    """Return what a no overrules, of a record's versions and of others that were sent for it.

    While the first submission has not arrived, nobody knows whose the record is: then only what the same person sent.
    """
    versions, rest = list(given), list(others)
    noes = list_refusals_in_force(root_id, versions)
    if not noes:
        return []
    everything = [*versions, *rest]
    allowed = _find_owner(root_id, versions)[2]
    allowed_keys = {version.key for version in allowed}
    claims = {version.id: version.prev for version in everything if version.key not in allowed_keys}
    before = find_ancestors(allowed, {**(links or {}), **claims})
    is_here = any(one.id == root_id for one in versions)
    copies = Counter(one.id for one in everything)
    found = []
    for one in everything:
        reached = [no for no in noes if is_here or no.is_office or no.author == one.author]
        is_free = one.is_refusal or all(
            _builds_on(one, no, before, copies[no.id] > 1) or _may_build_on(one, no, before) for no in reached
        )
        if not is_free:
            found.append(one)
    return found


def _may_build_on(version: RecordVersion, no: RecordVersion, before: Ancestors) -> bool:
    """Say whether a later version may build on a no through one that is not here.

    It is left alone then, since what is cut cannot be put back; when the missing one arrives it is asked again.
    """
    return version.finished_at > no.finished_at and before.lacks_beside(version.id, no.id)


def _builds_on(one: RecordVersion, no: RecordVersion, before: Ancestors, is_ambiguous: bool) -> bool:
    """Say whether a version was made in the knowledge of a no; two that bear its id are told apart by the clock."""
    if not before.builds_on(one.id, no.id):
        return False
    return not is_ambiguous or one.finished_at > no.finished_at


def _find_owner(
    root_id: str, given: Iterable[RecordVersion]
) -> tuple[list[RecordVersion], RecordVersion, list[RecordVersion]]:
    """Return the versions by rank, the one whose author the record belongs to, and those that may change it."""
    versions = sorted({(one.id, one.sha256): one for one in given}.values(), key=lambda one: one.sort_key)
    workers = [one for one in versions if not one.is_office] or versions
    first = next((one for one in workers if one.id == root_id), workers[0])
    return versions, first, [one for one in versions if one.is_office or one.author == first.author]


def find_ancestors(versions: Sequence[RecordVersion], links: Links | None = None) -> Ancestors:
    """Return what each id builds on, directly or not.

    `links` is what others claim: it counts only for ids that no version bears, or anybody who knows an id could change
    what a version builds on.
    """
    prev: dict[str, set[str]] = {}
    for one in versions:
        prev.setdefault(one.id, set()).update(one.prev)
    for number, ids in (links or {}).items():
        prev.setdefault(number, set(ids))
    return Ancestors(prev)


def _common_base(
    heads: Sequence[RecordVersion], versions: Sequence[RecordVersion], before: Ancestors
) -> Mapping[str, Any] | None:
    """Return the answers from which all heads began; None when there is no one such version."""
    common = before.find_common({one.id for one in heads})
    shared = [one for one in versions if one.id in common]
    built_on = before.find_built_on({version.id for version in shared})
    nearest = [version for version in shared if version.id not in built_on]
    return nearest[0].answers if len(nearest) == 1 else None


def _merge_heads(
    heads: Sequence[RecordVersion], base: Mapping[str, Any] | None, computed: Collection[str]
) -> Mapping[str, Any] | None:
    """Return the answers with every head's changes; None when several changed the same question, differently."""
    leaves = [flatten(one.answers) for one in heads]
    if base is None:
        return heads[-1].answers if not _find_conflicts(heads, computed) else None
    old = flatten(base)
    merged = dict(old)
    for path in {*old, *(path for one in leaves for path in one)} - set(computed):
        changed = [one.get(path, "") for one in leaves if one.get(path, "") != old.get(path, "")]
        if any(value != changed[0] for value in changed):
            return None
        if changed:
            merged[path] = changed[0]
    return unflatten(merged)


def _find_conflicts(heads: Sequence[RecordVersion], computed: Collection[str]) -> tuple[Conflict, ...]:
    leaves = [flatten(one.answers) for one in heads]
    found = []
    for path in sorted({path for one in leaves for path in one} - set(computed)):
        values = [one.get(path, "") for one in leaves]
        if any(value != values[0] for value in values):
            found.append(Conflict(path, tuple((one.sha256, value) for one, value in zip(heads, values, strict=True))))
    return tuple(found)


def flatten(answers: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return answers by dotted path; a whole repeat counts as one answer."""
    found: dict[str, Any] = {}
    for name, value in answers.items():
        path = f"{within}.{name}" if within else name
        if isinstance(value, Mapping):
            found |= flatten(value, path)
        else:
            found[path] = value
    return found


def unflatten(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers as groups in groups; the inverse of `flat`. Blank answers are left out."""
    found: dict[str, Any] = {}
    for path, value in leaves.items():
        if value in ("", []):
            continue
        *groups, name = path.split(".")
        place = found
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = value
    return found
