"""Fold the versions of a record into one state: the same in whatever order they arrived.

Each version carries all answers and names those that it was based on (`prev`). What no other one builds on is a head.
One head: its answers are the record's. Several heads were made without knowing of each other: where they changed
different questions, both changes count; where they changed the same one, both values are kept and somebody has to choose.

A version in which the person did not say yes (a no) overrules every one that does not build on it, in whatever order they
arrive.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.ancestors import Ancestors


@dataclass(frozen=True)
class RecordVersion:
    """One submission of a record; `answers` are what the form's logic left of it."""

    id: str
    sha256: str
    prev: frozenset[str]
    author: int
    is_office: bool  # made at the centre by somebody who may correct any record
    finished_at: dt.datetime
    form_version: str
    answers: Mapping[str, Any] = field(compare=False)
    is_refusal: bool = False  # the person did not say yes
    is_by_holder: bool = False  # by a worker whom the card of its person was given to

    @property
    def key(self) -> tuple[str, str]:
        return self.id, self.sha256

    @property
    def sort_key(self) -> tuple[dt.datetime, str, str]:
        """Return what orders versions: two with the same time are never in random order."""
        return self.finished_at, self.id, self.sha256


@dataclass(frozen=True)
class Conflict:
    """A question to which versions that knew nothing of each other give different answers."""

    path: str  # group.question; a whole repeat is one answer
    values: tuple[tuple[str, Any], ...]  # (hash of the submission, what it says; "" for nothing)


@dataclass(frozen=True)
class FoldResult:
    """The state of a record."""

    author: int
    current: RecordVersion  # whose form version and time the state has; its answers too, unless heads were merged
    answers: Mapping[str, Any]
    heads: tuple[str, ...]  # ids; what a correction builds on
    contested: tuple[Conflict, ...]
    rejected: tuple[RecordVersion, ...]  # by people who may not change this record: no part of it


Complete = Callable[[RecordVersion, Mapping[str, Any]], Mapping[str, Any] | None]
Links = Mapping[str, Collection[str]]  # id → the ids that it builds on


def fold(
    root_id: str,
    versions: Iterable[RecordVersion],
    complete: Complete,
    computed: Collection[str] = (),
    links: Links | None = None,
) -> FoldResult:
    """Return the state of a record by its versions, of which there must be one at least.

    A record belongs to the author of its first submission, whose id is `root_id`; until that arrives, to the author
    of the earliest that has. The office may change it as well, and so may a worker who was given its person's
    card (`is_by_holder`). `complete(version, answers)` returns merged answers with what the form of that version computes,
    or None when they break its rules together. `computed`: dotted paths of computed questions, which nobody has to
    choose between. `links`: what submissions build on that are no versions, because they were refused.

    Example:
        first = RecordVersion("a", sha, frozenset(), author, False, monday, "1", {"kind": "x"})
        second = RecordVersion("b", sha, frozenset({"a"}), author, False, tuesday, "1", {"kind": "y"})
        fold("a", [second, first], complete).answers  # {"kind": "y"}
    """
    all_versions, first, allowed = _find_owner(root_id, versions)
    allowed_keys = {version.key for version in allowed}
    rejected = tuple(version for version in all_versions if version.key not in allowed_keys)
    ancestors = find_ancestors(allowed, links)
    # All versions are asked, not only the allowed ones: a no counts against everything that was
    # sent for the record, also against what is rejected in the end.
    overruled = {version.key for version in find_overruled_versions(root_id, all_versions, links=links)}
    counting = [version for version in allowed if version.key not in overruled]
    superseded = ancestors.find_superseded({version.id for version in counting})
    heads = [version for version in counting if version.id not in superseded]
    # Sorted by time, so the last head is the newest; its answers stand while somebody has to
    # choose.
    answers = heads[-1].answers
    conflicts: tuple[Conflict, ...] = ()
    if len(heads) > 1:
        merged = _merge_and_complete(heads, _find_common_base(heads, allowed, ancestors), complete, computed)
        if merged is None:
            conflicts = _find_conflicts(heads, computed)
        else:
            answers = merged
    head_ids = tuple(sorted({version.id for version in heads}))
    return FoldResult(first.author, heads[-1], answers, head_ids, conflicts, rejected)


def _merge_and_complete(
    heads: Sequence[RecordVersion],
    base: Mapping[str, Any] | None,
    complete: Complete,
    computed: Collection[str],
) -> Mapping[str, Any] | None:
    """Return the answers with the changes of all heads; None when somebody has to choose."""
    merged = _merge_heads(heads, base, computed)
    is_one_form = len({version.form_version for version in heads}) == 1
    # Two versions of a form may mean different things by one path. No merging across them: somebody
    # has to choose.
    if merged is None or not is_one_form:
        return None
    return complete(heads[-1], merged)


def find_first_version(root_id: str, versions: Iterable[RecordVersion]) -> RecordVersion:
    """Return the version whose author a record belongs to; there must be one version at least."""
    return _find_owner(root_id, versions)[1]


def list_refusals_in_force(root_id: str, versions: Iterable[RecordVersion]) -> list[RecordVersion]:
    """Return the refusals among versions, by people who may change the record."""
    all_versions = list(versions)
    if not all_versions:
        return []
    return [version for version in _find_owner(root_id, all_versions)[2] if version.is_refusal]


def find_overruled_versions(
    root_id: str,
    versions: Iterable[RecordVersion],
    others: Iterable[RecordVersion] = (),
    links: Links | None = None,
) -> list[RecordVersion]:
    """Return what a no overrules, of a record's versions and of others that were sent for it.

    Until the first submission arrives, nobody knows whose the record is: then only what the same person sent.
    """
    all_versions = list(versions)
    refusals = list_refusals_in_force(root_id, all_versions)
    if not refusals:
        return []
    everything = [*all_versions, *others]
    allowed = _find_owner(root_id, all_versions)[2]
    allowed_keys = {version.key for version in allowed}
    claims = {version.id: version.prev for version in everything if version.key not in allowed_keys}
    ancestors = find_ancestors(allowed, {**(links or {}), **claims})
    is_first_here = any(version.id == root_id for version in all_versions)
    copies = Counter(version.id for version in everything)
    overruled = []
    for version in everything:
        if version.is_refusal:
            continue
        for refusal in refusals:
            # An id alone proves nothing: anybody who learned it could send a no for somebody else's
            # record before its first submission arrives.
            reaches = is_first_here or refusal.is_office or refusal.author == version.author
            if reaches and not _is_free_of(version, refusal, ancestors, copies[refusal.id] > 1):
                overruled.append(version)
                break
    return overruled


def _is_free_of(version: RecordVersion, refusal: RecordVersion, ancestors: Ancestors, is_ambiguous: bool) -> bool:
    """Say whether a version was, or may have been, made in the knowledge of a no.

    `is_ambiguous`: two submissions have the id of the no; they are told apart by the clock.
    """
    is_later = version.finished_at > refusal.finished_at
    if ancestors.builds_on(version.id, refusal.id) and (is_later or not is_ambiguous):
        return True
    # It may build on the no through one that is not here. It is left alone then, since what is cut cannot be
    # restored; when the missing one arrives, this is asked again.
    return is_later and ancestors.lacks_beside(version.id, refusal.id)


def _find_owner(
    root_id: str, versions: Iterable[RecordVersion]
) -> tuple[list[RecordVersion], RecordVersion, list[RecordVersion]]:
    """Return the versions in order, the one whose author owns the record, the allowed ones."""
    # The same bytes may arrive twice, by two routes; they are one version.
    by_key = {version.key: version for version in versions}
    ordered = sorted(by_key.values(), key=lambda version: version.sort_key)
    # Somebody at the centre may correct a record before its own phone has sent it. That must not
    # make the record theirs.
    by_workers = [version for version in ordered if not version.is_office] or ordered
    first = next((version for version in by_workers if version.id == root_id), by_workers[0])
    allowed = [version for version in ordered if version.is_office or version.is_by_holder or version.author == first.author]
    return ordered, first, allowed


def find_ancestors(versions: Sequence[RecordVersion], links: Links | None = None) -> Ancestors:
    """Return what each id builds on, directly or not.

    `links` is what others claim. It counts only for ids without a version: otherwise anybody who knows an id could
    change what its version builds on.
    """
    prev: dict[str, set[str]] = {}
    for version in versions:
        prev.setdefault(version.id, set()).update(version.prev)
    for number, ids in (links or {}).items():
        prev.setdefault(number, set(ids))
    return Ancestors(prev)


def _find_common_base(
    heads: Sequence[RecordVersion], versions: Sequence[RecordVersion], ancestors: Ancestors
) -> Mapping[str, Any] | None:
    """Return the answers from which all heads began; None without exactly one version."""
    common = ancestors.find_common({head.id for head in heads})
    shared = [version for version in versions if version.id in common]
    built_on = ancestors.find_built_on({version.id for version in shared})
    nearest = [version for version in shared if version.id not in built_on]
    if len(nearest) == 1:
        return nearest[0].answers
    return None


def _merge_heads(
    heads: Sequence[RecordVersion], base: Mapping[str, Any] | None, computed: Collection[str]
) -> Mapping[str, Any] | None:
    """Return the answers with every head's changes; None when two changes conflict."""
    if base is None:
        if _find_conflicts(heads, computed):
            return None
        return heads[-1].answers
    head_answers = [flatten(head.answers) for head in heads]
    old = flatten(base)
    merged = dict(old)
    for path in _list_paths([old, *head_answers], computed):
        before = old.get(path, "")
        # "" stands for no answer, so that taking an answer away is a change like any other.
        changed = [answers.get(path, "") for answers in head_answers if answers.get(path, "") != before]
        if any(value != changed[0] for value in changed):
            return None
        if changed:
            merged[path] = changed[0]
    return unflatten(merged)


def _find_conflicts(heads: Sequence[RecordVersion], computed: Collection[str]) -> tuple[Conflict, ...]:
    """Return the questions to which the heads give different answers, by path."""
    head_answers = [flatten(head.answers) for head in heads]
    conflicts = []
    for path in _list_paths(head_answers, computed):
        values = [answers.get(path, "") for answers in head_answers]
        if any(value != values[0] for value in values):
            by_head = tuple((head.sha256, value) for head, value in zip(heads, values, strict=True))
            conflicts.append(Conflict(path, by_head))
    return tuple(conflicts)


def _list_paths(all_answers: Iterable[Mapping[str, Any]], computed: Collection[str]) -> list[str]:
    """Return the paths of all answers but computed ones, sorted."""
    paths: set[str] = set()
    for answers in all_answers:
        paths.update(answers)
    return sorted(paths.difference(computed))


def flatten(answers: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return answers by dotted path; a whole repeat counts as one answer.

    Example:
        flatten({"who": {"age": "19"}, "kind": "x"})  # {"who.age": "19", "kind": "x"}
    """
    leaves: dict[str, Any] = {}
    for name, value in answers.items():
        path = f"{within}.{name}" if within else name
        if isinstance(value, Mapping):
            leaves |= flatten(value, path)
        else:
            leaves[path] = value
    return leaves


def unflatten(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers as groups in groups, without blank ones; the inverse of `flatten`."""
    answers: dict[str, Any] = {}
    for path, value in leaves.items():
        if value in ("", []):
            continue
        *groups, name = path.split(".")
        group_answers = answers
        for group in groups:
            group_answers = group_answers.setdefault(group, {})
        group_answers[name] = value
    return answers
