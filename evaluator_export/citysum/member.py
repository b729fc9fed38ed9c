"""A centre's side of a round: one letter after the other.

Each is written into the centre's diary before it is sent.
So after a kill at any moment the same letter is sent again, and never a second one of its kind.
"""

import base64
import datetime as dt
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluator_export import periods
from evaluator_export.citysum import masks
from evaluator_export.citysum.letters import Sign, compute_hash, write_letter, write_text
from evaluator_export.citysum.lists import (
    AGREEMENT,
    KEYS,
    NUMBERS,
    OPENING,
    SHARES,
    TABLE,
    Inbox,
    Listed,
    read_listed,
    read_of_round,
)
from evaluator_export.citysum.masks import SHARE_BYTES, Vector
from evaluator_export.citysum.opening import Transcript, Vouched, add_masks, compute_sums
from evaluator_export.citysum.protect import check_sums, is_published_text, protect_sum
from evaluator_export.citysum.registry import Registry, RoundCall, list_cells
from evaluator_export.problems import ExportProblem, Reason

HIGHEST = 2**32  # no centre counts more


@dataclass(frozen=True)
class Numbers:
    """A centre's numbers in the order of a round's vector.

    As counted, and as the centre publishes them.
    """

    counts: Sequence[int]
    texts: Sequence[str]


@dataclass(frozen=True)
class _SharedWithMe:
    """What one centre shared with this one."""

    own: bytes
    mask: bytes
    draw: bytes


class Member:
    """A centre that takes part.

    `diary`: what it must not forget, as JSON can hold it; empty before the first round. It has secrets, and is saved after
    each letter, before the letter is sent.
    """

    def __init__(self, name: str, registry: Registry, diary: dict[str, Any], sign: Sign):
        self.name = name
        self.registry = registry
        self.diary = diary
        self.sign = sign

    def list_letters(self, call: RoundCall) -> Mapping[str, str]:
        """Return the letters that this centre wrote in a round, by kind."""
        letters: Mapping[str, str] = self.diary.get("rounds", {}).get(call.id, {}).get("letters", {})
        return letters

    def write_next(self, call: RoundCall, inbox: Inbox, read_numbers: Callable[[RoundCall], Numbers]) -> str | None:
        """Write the next letter of a round into the diary; return its kind, or None.

        None while others are waited for. `read_numbers` is asked once a period.
        Raise ExportProblem for a round that this centre must not answer.
        """
        turn = _Turn(self, call, inbox, self._begin(call), read_numbers)
        letters = turn.round["letters"]
        steps = (
            (KEYS, turn.write_keys),
            (SHARES, turn.write_shares),
            (NUMBERS, turn.write_numbers),
            (AGREEMENT, turn.write_agreement),
            (OPENING, turn.write_opening),
            (TABLE, turn.write_table),
        )
        for kind, write in steps:
            if kind not in letters:
                body = write()
                if body is None:
                    return None
                letters[kind] = write_letter(kind, self.name, {**body, "round": call.id}, self.sign)
                return kind
        return None

    def _begin(self, call: RoundCall) -> dict[str, Any]:
        """Return the round in the diary; it is begun the first time."""
        since = self.diary.get("since", "")
        if since and periods.parse(call.period).first < dt.date.fromisoformat(since):
            raise ExportProblem(Reason("city.joined", {"day": since, "period": call.period}))
        years = self.diary.setdefault("years", {})
        if years.setdefault(call.year, self.registry.id) != self.registry.id:
            raise ExportProblem(Reason("city.year", {"year": call.year}))
        calls = self.diary.setdefault("calls", {})
        # With the same period and attempt, but other words, it would be a round within a round.
        if calls.setdefault(f"{call.period}/{call.attempt}", call.id) != call.id:
            raise ExportProblem(Reason("city.used", {"period": call.period, "attempt": call.attempt}))
        rounds: dict[str, Any] = self.diary.setdefault("rounds", {})
        if call.id not in rounds:
            secrets = {use: masks.make_seed().hex() for use in ("own", "mask", "seal")}
            rounds[call.id] = {**secrets, "period": call.period, "letters": {}}
        round_state: dict[str, Any] = rounds[call.id]
        return round_state

    def find_draw(self, period: str) -> bytes:
        """Return this centre's part of the secret that decides how sums of a period are rounded."""
        # One a period, whatever the attempt: two roundings of one sum would tell more than one.
        draws: dict[str, str] = self.diary.setdefault("draws", {})
        return bytes.fromhex(draws.setdefault(period, masks.make_seed().hex()))

    def require_one_roster(self, period: str, members: Sequence[str]) -> None:
        """Write down with whom this centre opens a period; raise ExportProblem for others.

        Two sums that differ by one centre would tell that centre's numbers. A round that failed for all to see may have been
        opened in secret, so the list outlives its round.
        """
        agreed = self.diary.setdefault("agreed", {})
        if agreed.setdefault(period, list(members)) != list(members):
            raise ExportProblem(Reason("city.roster", {"period": period}))


@dataclass
class _Turn:
    """One look of a member at the letters of a round."""

    member: Member
    call: RoundCall
    inbox: Inbox
    round: dict[str, Any]
    read_numbers: Callable[[RoundCall], Numbers]

    def write_keys(self) -> dict[str, Any]:
        # Two pairs: to open a missing centre's masks must not open what was sealed to it.
        return {
            "mask": masks.find_public_key(self._secret("mask")).hex(),
            "seal": masks.find_public_key(self._secret("seal")).hex(),
            "own": masks.hash_seed(self._secret("own")),
            "draw": masks.hash_seed(self.member.find_draw(self.call.period)),
        }

    def write_shares(self) -> dict[str, Any] | None:
        listed = self._read(KEYS)
        if listed is None:
            return None
        places = {name: self.member.registry.find_place(name) for name in listed.letters}
        least = self.member.registry.least
        own = masks.split(self._secret("own"), least, places.values())
        mask = masks.split(self._secret("mask"), least, places.values())
        draw = self.member.find_draw(self.call.period)
        boxes = {name: self._close("share", name, listed, own[place] + mask[place] + draw) for name, place in places.items()}
        return {"list": listed.hash, "boxes": boxes}

    def write_numbers(self) -> dict[str, Any] | None:
        listed = self._read(SHARES)
        keys = self._read(KEYS)
        if listed is None or keys is None:
            return None
        self._open_shares(listed, keys)  # before anything is masked for them
        numbers = self._read_numbers_once()
        others = {name: self._agree(name, "mask", keys) for name in listed.letters if name != self.member.name}
        vector = add_masks(numbers.counts, self.member.name, self._secret("own"), others, self.call.id)
        encoded = base64.b64encode(vector.tobytes()).decode()
        return {"list": listed.hash, "vector": encoded, "texts": list(numbers.texts)}

    def _read_numbers_once(self) -> Numbers:
        """Return the numbers of the period, as they were at its first attempt.

        Two sums of one period must not differ by what one centre revised.
        """
        saved = self.member.diary.setdefault("numbers", {})
        if self.call.period not in saved:
            numbers = self.read_numbers(self.call)
            saved[self.call.period] = {"counts": list(numbers.counts), "texts": list(numbers.texts)}
        numbers = Numbers(**saved[self.call.period])
        is_sound = all(0 <= number < HIGHEST for number in numbers.counts)
        if len(numbers.counts) != len(self._cells) or not is_sound or not self._are_texts_sound(numbers.texts):
            raise ExportProblem(Reason("city.numbers", {"sender": self.member.name}))
        return numbers

    @functools.cached_property
    def _cells(self) -> list[tuple[str, tuple[str, ...]]]:
        return list_cells(self.member.registry, self.call)

    def _are_texts_sound(self, texts: Sequence[Any]) -> bool:
        """Say whether each text is one that a centre publishes for its cell."""
        cells = self._cells
        tables = self.member.registry.tables
        if len(texts) != len(cells):
            return False
        # Thousands of cells have a few dozen texts among them.
        different = set(zip(texts, (name for name, _ in cells), strict=True))
        return all(is_published_text(text, tables[name]) for text, name in different)

    def write_agreement(self) -> dict[str, Any] | None:
        roster = self._read(NUMBERS)
        if roster is None:
            return None
        for name, letter in roster.letters.items():
            self._read_vector(name, letter)
        members = sorted(roster.letters)
        self.member.require_one_roster(self.call.period, members)
        return {"period": self.call.period, "roster": roster.hash, "members": members}

    def write_opening(self) -> dict[str, Any] | None:
        roster = self._read(NUMBERS)
        listed = self._read(SHARES)
        keys = self._read(KEYS)
        if roster is None or listed is None or keys is None:
            return None
        members = sorted(roster.letters)
        # Once more: the list that was agreed on is the one that is opened, whatever lies in the box by now.
        self.member.require_one_roster(self.call.period, members)
        if len(self._list_agreed(roster)) < self.member.registry.least:
            return None
        received = self._open_shares(listed, keys)
        # Of each centre one of the two, never both: together they would open its numbers.
        opened = {name: (share.own if name in members else share.mask).hex() for name, share in received.items()}
        content = write_text(opened).encode()
        return {"roster": roster.hash, "boxes": {name: self._close("opening", name, keys, content) for name in members}}

    def write_table(self) -> dict[str, Any] | None:
        roster = self._read(NUMBERS)
        listed = self._read(SHARES)
        keys = self._read(KEYS)
        if roster is None or listed is None or keys is None:
            return None
        shares = self._collect_openings(roster, keys)
        if max((len(by_place) for by_place in shares.values()), default=0) < self.member.registry.least:
            return None
        registry = self.member.registry
        transcript = Transcript(
            round=self.call.id,
            senders={
                name: Vouched(bytes.fromhex(keys.letters[name]["mask"]), keys.letters[name]["own"])
                for name in listed.letters
            },
            vectors={name: self._read_vector(name, letter) for name, letter in roster.letters.items()},
            shares=shares,
            least=registry.least,
        )
        sums = compute_sums(transcript)
        check_sums(registry, self.call, sums, {name: letter["texts"] for name, letter in roster.letters.items()})
        received = self._open_shares(listed, keys)
        secret = masks.derive(b"".join(received[name].draw for name in sorted(roster.letters)), "draw", self.call.period)
        tables: dict[str, list[str]] = {name: [] for name in self.call.tables}
        for (name, cell), number in zip(self._cells, sums, strict=True):
            tables[name].append(protect_sum(number, registry.tables[name], cell, self.call.period, secret))
        return {"roster": roster.hash, "members": sorted(roster.letters), "tables": tables}

    def _secret(self, use: str) -> bytes:
        return bytes.fromhex(self.round[use])

    def _read(self, kind: str) -> Listed | None:
        """Return what the City listed; None where this centre was left out.

        Then it says nothing more. Raise ExportProblem where the list has another letter of this centre than it wrote.
        """
        listed = read_listed(self.inbox, kind, self.member.registry, self.call)
        if listed is None or self.member.name not in listed.letters:
            return None
        own_letter = self.round["letters"].get(kind)
        if own_letter is None or compute_hash(own_letter) != compute_hash(self.inbox[kind, self.member.name]):
            raise ExportProblem(Reason("city.list", {"kind": kind}))
        return listed

    def _agree(self, name: str, use: str, keys: Listed) -> bytes:
        """Return what this centre and another have in common, for masks or for boxes."""
        try:
            return masks.agree_on_secret(self._secret(use), bytes.fromhex(keys.letters[name][use]))
        except (ValueError, KeyError, TypeError):
            raise ExportProblem(Reason("city.share", {"sender": name})) from None

    def _close(self, use: str, reader: str, keys: Listed, content: bytes) -> str:
        label = "|".join((self.call.id, use, self.member.name, reader))
        return masks.close_box(self._agree(reader, "seal", keys), label, content).hex()

    def _open(self, use: str, sender: str, keys: Listed, letter: Mapping[str, Any]) -> bytes | None:
        label = "|".join((self.call.id, use, sender, self.member.name))
        try:
            box = bytes.fromhex(letter["boxes"][self.member.name])
        except (ValueError, KeyError, TypeError):
            return None
        return masks.open_box(self._agree(sender, "seal", keys), label, box)

    def _open_shares(self, listed: Listed, keys: Listed) -> dict[str, _SharedWithMe]:
        """Return what each centre shared with this one; raise ExportProblem where one did not."""
        received = {}
        for name, letter in listed.letters.items():
            content = self._open("share", name, keys, letter) or b""
            share = _SharedWithMe(content[:SHARE_BYTES], content[SHARE_BYTES : 2 * SHARE_BYTES], content[2 * SHARE_BYTES :])
            # A draw that differs from reader to reader would let nobody agree on the table.
            if not content or masks.hash_seed(share.draw) != keys.letters[name].get("draw"):
                raise ExportProblem(Reason("city.share", {"sender": name}))
            received[name] = share
        return received

    def _read_vector(self, name: str, letter: Mapping[str, Any]) -> Vector:
        """Return the masked numbers of a letter; raise ExportProblem for others than were called."""
        size = len(self._cells)
        try:
            vector = np.frombuffer(base64.b64decode(letter["vector"], validate=True), "<u8")
            is_sound = self._are_texts_sound(letter["texts"])
        except (ValueError, KeyError, TypeError):
            raise ExportProblem(Reason("city.numbers", {"sender": name})) from None
        if len(vector) != size or not is_sound:
            raise ExportProblem(Reason("city.numbers", {"sender": name}))
        return vector

    def _list_agreed(self, roster: Listed) -> list[str]:
        """Return the members that signed this list, and no other."""
        agreed = []
        for name in roster.letters:
            body = self._read_if_sound(AGREEMENT, name)
            is_same = body.get("roster") == roster.hash and body.get("members") == sorted(roster.letters)
            if is_same and body.get("period") == self.call.period:
                agreed.append(name)
        return agreed

    def _collect_openings(self, roster: Listed, keys: Listed) -> dict[str, dict[int, bytes]]:
        """Return the shares that members opened, by whose they are and by the place of who opened."""
        shares: dict[str, dict[int, bytes]] = {}
        for name in roster.letters:
            body = self._read_if_sound(OPENING, name)
            content = self._open("opening", name, keys, body) if body.get("roster") == roster.hash else None
            for owner, share in _read_opened(content).items():
                shares.setdefault(owner, {})[self.member.registry.find_place(name)] = share
        return shares

    def _read_if_sound(self, kind: str, name: str) -> dict[str, Any]:
        """Return a member's letter; empty where there is none that it signed.

        One that is broken counts like one that never came: nobody can hold up the others.
        """
        text = self.inbox.get((kind, name), "")
        if kind in self.round["letters"] and name == self.member.name:
            text = self.round["letters"][kind]
        try:
            return read_of_round(text, kind, name, self.member.registry, self.call)
        except ExportProblem:
            return {}


def _read_opened(content: bytes | None) -> dict[str, bytes]:
    try:
        opened = json.loads(content or b"{}")
        return {name: bytes.fromhex(share) for name, share in opened.items()}
    except (ValueError, AttributeError, TypeError):
        return {}
