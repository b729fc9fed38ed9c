"""After a no: what else of its record must go, whose card it lowers, and that the pictures go with it.

A no overrules every submission of its record that does not build on it, whoever sent it and whenever it comes. A colleague's
no about somebody else's record is no part of that record and takes nothing out of it.
"""

import json
import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.cards import show_standing
from fieldapp.services.consent import standing
from fieldapp.services.consent.standing import Said
from fieldapp.services.definitions import load_definitions
from fieldapp.store.consent import standing as words
from fieldapp.store.people import users
from fieldapp.store.records import attachments, submissions
from fieldapp.store.records.submissions import OFFICE, SHUT_OUT, Submission
from forms import consent
from forms.definition import FormDefinition
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.fold import RecordVersion, first_of, noes_in_force, overruled
from sync.intake import Decision
from sync.notes import is_caseload_note, plain_code

NAMED = re.compile(r"attachment:[^:\"\s]+:([0-9a-f]{64})")
Key = tuple[str, str]  # id and hash of a submission
Named = tuple[str, int | None]  # a card code, and for what a shut-out phone sent, its place in the log
Definitions = Mapping[tuple[str, str], FormDefinition]


@dataclass(frozen=True)
class Incoming:
    """A submission that is being stored or let in: as it came, and what was decided about it."""

    envelope: Envelope
    decision: Decision
    position: int  # its place in the centre's log
    is_office: bool = False

    @property
    def key(self) -> Key:
        return self.envelope.instance_id, self.envelope.sha256


@dataclass
class Aftermath:
    """What noes take out beside the answers, and what has to be told because of it."""

    said: list[Said] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)  # of the submissions that were cut
    hashes: dict[int, set[str]] = field(default_factory=dict)  # phone → attachments that were named in what was cut of it

    def note_cut(self, instance_id: str, body: str, device_id: int | None) -> None:
        self.ids.add(instance_id)
        if device_id and (named := NAMED.findall(body)):
            self.hashes.setdefault(device_id, set()).update(named)

    def note_hashes(self, body: str, cut_body: str, device_id: int | None) -> None:
        """Note the attachments of a phone that are named in a body and not when it is cut."""
        hashes = set(NAMED.findall(body)) - set(NAMED.findall(cut_body))
        if device_id and hashes:
            self.hashes.setdefault(device_id, set()).update(hashes)


def find_overruled(ctx: ActContext, incoming: Sequence[Incoming]) -> set[Key]:
    """Return which of these submissions a no of their record overrules, one that is here or one that comes with them."""
    found: set[Key] = set()
    for root_id, some in _refused(ctx, incoming).items():
        stored = _stored(ctx, root_id, some)
        found |= _overruled(ctx, root_id, stored, some) & {one.key for one in some}
    return found


def overrule(ctx: ActContext, incoming: Sequence[Incoming], definitions: Definitions) -> Aftermath:
    """Cut what is stored of the records that are a no by now; return what else has to go, and whose no it is.

    `incoming` is given as it came, with what may not be kept.
    """
    found = Aftermath()
    for one in incoming:
        if one.decision.is_refusal:
            found.note_cut(one.envelope.instance_id, one.envelope.body, ctx.actor.device_id)
        elif one.decision.is_above:
            found.note_hashes(one.envelope.body, body_of(one.decision.answers), ctx.actor.device_id)
    for root_id, some in _refused(ctx, incoming).items():
        stored = _stored(ctx, root_id, some)
        lost = _overruled(ctx, root_id, stored, some)
        codes = _cut_lost(ctx, stored, lost, found)
        for coming in some:
            if coming.key in lost:
                arrived = coming.envelope
                found.note_cut(arrived.instance_id, arrived.body, ctx.actor.device_id)
                code = _person(arrived.body, definitions.get((arrived.form, arrived.version)))
                is_shut_out = any(problem.code in SHUT_OUT for problem in coming.decision.problems)
                codes.append((code, coming.position if is_shut_out else None))
        found.said += _said(ctx, root_id, codes, stored, some)
    return found


def overrule_stored(ctx: ActContext, root_id: str, found: Aftermath) -> None:
    """Cut what the noes of a record overrule of what is stored of it."""
    stored = _stored(ctx, root_id, ())
    lost = _overruled(ctx, root_id, stored, ())
    found.said += _said(ctx, root_id, _cut_lost(ctx, stored, lost, found), stored, ())


def _cut_lost(ctx: ActContext, stored: Sequence[Submission], lost: Collection[Key], found: Aftermath) -> list[Named]:
    """Cut what is stored of the lost submissions; return the card codes that they named."""
    codes: list[Named] = []
    for submission in stored:
        if _key(submission) in lost and not submission.is_cut:
            is_shut_out = any(problem["code"] in SHUT_OUT for problem in submission.problems)
            codes.append((cut_stored(ctx, submission, found), submission.id if is_shut_out else None))
    return codes


def _refused(ctx: ActContext, incoming: Sequence[Incoming]) -> dict[str, list[Incoming]]:
    """Return the submissions by their record, of those records in which somebody did not say yes."""
    by_root: dict[str, list[Incoming]] = {}
    for one in incoming:
        if not is_caseload_note(one.envelope):
            by_root.setdefault(one.envelope.record, []).append(one)
    refused = submissions.refused_roots(ctx.session, ctx.centre_id, by_root) if by_root else set()
    refused |= {one.envelope.record for one in incoming if one.decision.is_refusal and not one.decision.problems}
    return {root_id: some for root_id, some in by_root.items() if root_id in refused}


def _stored(ctx: ActContext, root_id: str, some: Sequence[Incoming]) -> list[Submission]:
    """Return what is stored of a record, without what is being let in."""
    coming = {one.key for one in some}
    return [one for one in submissions.of_record(ctx.session, ctx.centre_id, root_id) if _key(one) not in coming]


def _overruled(ctx: ActContext, root_id: str, stored: Sequence[Submission], some: Sequence[Incoming]) -> set[Key]:
    versions, others = _versions(ctx, root_id, stored, some)
    return {(one.id, one.sha256) for one in overruled(root_id, versions, others)}


def _said(
    ctx: ActContext, root_id: str, codes: Sequence[Named], stored: Sequence[Submission], some: Sequence[Incoming]
) -> list[Said]:
    """Return that the people whom overruled submissions named said no, where the record itself does not tell it.

    Whom only a shut-out phone named, that word waits until the submission is let in.
    """
    if not any(code for code, _ in codes):
        return []
    last = max(noes_in_force(root_id, _versions(ctx, root_id, stored, some)[0]), key=lambda one: one.sort_key)
    places = {_key(one): one.id for one in stored} | {one.key: one.position for one in some}
    position = places[last.id, last.sha256]
    heard = {word.person for word in words.words(ctx.session, ctx.centre_id, {root_id})} | {""}
    said: list[Said] = []
    for code, waits_at in sorted(codes, key=lambda named: named[1] is not None):  # what waits comes last
        if code not in heard:
            heard.add(code)
            at = position if waits_at is None else waits_at
            said.append(Said(str(uuid.uuid4()), code, 0, False, last.finished_at, at, waits_at is not None))
    return said


def _versions(
    ctx: ActContext, root_id: str, stored: Sequence[Submission], incoming: Sequence[Incoming]
) -> tuple[list[RecordVersion], list[RecordVersion]]:
    """Return what a record is made of, and what else was sent for it, as far as it matters to who overrules whom."""
    assert ctx.actor.user_id is not None or not incoming
    admins = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == "admin"}
    versions: list[RecordVersion] = []
    others: list[RecordVersion] = []
    for one in stored:
        is_office = one.via == OFFICE and one.author_id in admins
        links = one.instance_id, one.sha256, frozenset(one.prev), one.author_id, is_office, one.finished_at, one.form
        (versions if one.is_part else others).append(RecordVersion(*links, {}, one.is_refusal))
    for coming in incoming:
        envelope, decision = coming.envelope, coming.decision
        version = RecordVersion(
            envelope.instance_id,
            envelope.sha256,
            frozenset(envelope.prev),
            ctx.actor.user_id or 0,
            coming.is_office and ctx.actor.user_id in admins,
            envelope.finished_at,
            envelope.form,
            {},
            decision.is_refusal,
        )
        (others if decision.problems else versions).append(version)
    if not versions:
        return [], others
    form = first_of(root_id, versions).form_version  # what names the record under another form is no version of it
    others += [one for one in versions if one.form_version != form]
    return [one for one in versions if one.form_version == form], others


def _key(one: Submission) -> Key:
    return one.instance_id, one.sha256


def cut_stored(ctx: ActContext, one: Submission, found: Aftermath) -> str:
    """Take out of a stored submission what may not be kept, and return the card code that it named; "" for none."""
    definition = load_definitions(ctx.session, ctx.centre_id, {(one.form, one.version)}).get((one.form, one.version))
    code = _person(one.body, definition)
    found.note_cut(one.instance_id, one.body, one.device_id)
    one.body = body_of(consent.without_person(definition, read(one.body, definition)) if definition else {})
    one.cards, one.due, one.is_cut = [], "", True
    ctx.session.flush()
    return code


def _person(body: str, definition: FormDefinition | None) -> str:
    return plain_code(consent.person_in(definition, read(body, definition))) if definition else ""


def cut_incoming(
    envelope: Envelope, decision: Decision, definition: FormDefinition | None, is_overruled: bool = False
) -> tuple[Envelope, Decision]:
    """Return a submission without what may not be kept after a no; its hash stays that of what was sent.

    Of a refusal the decision holds what may be kept; of one that a no overrules it is found here.
    """
    kept = decision.answers
    if not decision.is_refusal and (is_overruled or not decision.is_above):
        given = decision.answers or read(envelope.body, definition)
        kept = consent.without_person(definition, given) if definition else {}
    if decision.is_above and not is_overruled:  # a yes, though to less: the card stays
        return replace(envelope, body=body_of(kept)), decision
    return replace(envelope, body=body_of(kept), refused_by="", cards=()), replace(decision, answers=kept)


def read(body: str, definition: FormDefinition | None) -> dict[str, Any]:
    """Return the answers in a body as they came; {} when there are none that can be read."""
    try:
        given = read_body(body, definition)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def body_of(answers: Mapping[str, Any]) -> str:
    return json.dumps(answers, ensure_ascii=False, separators=(",", ":"))


def hear(ctx: ActContext, incoming: Iterable[Incoming], after: Aftermath) -> None:
    """Let each no reach all that was said before about the same person; the record that said it names nobody.

    What a shut-out phone says waits until it is let in, so that nobody lowers a colleague's card with a stolen phone.
    """
    said = list(after.said)
    for one in incoming:
        if one.decision.refused_by:  # under a number of its own: no page leads from the person to the record
            waits = any(problem.code in SHUT_OUT for problem in one.decision.problems)
            number, code = str(uuid.uuid4()), one.decision.refused_by
            said.append(Said(number, code, 0, False, one.envelope.finished_at, one.position, waits))
    standing.note_all(ctx.session, ctx.centre_id, said, ctx.now)
    show_standing(ctx, {one.person for one in said if not one.waits})


def hear_waiting(ctx: ActContext, positions: Collection[int]) -> None:
    """Let words count that waited since a shut-out phone had sent them."""
    waiting = words.waiting(ctx.session, ctx.centre_id, positions)
    said = [Said(str(uuid.uuid4()), word.person, word.tier, False, word.finished_at, word.position) for word in waiting]
    forget_waiting(ctx, positions)
    standing.note_all(ctx.session, ctx.centre_id, said, ctx.now)
    show_standing(ctx, {one.person for one in said})


def forget_waiting(ctx: ActContext, positions: Collection[int]) -> None:
    """Delete the words that waited with submissions which nobody will let in."""
    for word in words.waiting(ctx.session, ctx.centre_id, positions):
        ctx.session.delete(word)
    ctx.session.flush()


def take_out_attachments(ctx: ActContext, after: Aftermath) -> None:
    """Delete the attachments that were named only in what was cut, also those that have not arrived yet."""
    for device_id, hashes in after.hashes.items():
        attachments.take_out(ctx.session, ctx.centre_id, hashes, device_id)
    if after.ids:
        attachments.take_out_named(ctx.session, ctx.centre_id, after.ids)
