"""What follows a no: answers are cut, attachments deleted, the person's consent lowered.

A no overrules every submission of its record that does not build on it, whoever sent it and whenever
it comes. A colleague's no about somebody else's record is no part of that record and cuts nothing, unless it is
about a referral and they were given the card of its person.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fieldapp.services.access import ADMIN
from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.cards import show_standing
from fieldapp.services.consent import standing
from fieldapp.services.consent.standing import ConsentStatement, make_refusal
from fieldapp.services.definitions import load_definitions
from fieldapp.store.consent import erased_bytes
from fieldapp.store.consent import standing as words
from fieldapp.store.people import users
from fieldapp.store.records import attachments, submissions
from fieldapp.store.records.submissions import OFFICE, SHUT_OUT, Submission
from forms import consent
from forms.definition import FormDefinition
from forms.roles import QuestionRole
from sync.bodies import read_body
from sync.consent import END
from sync.envelope import Envelope, SpokenConsent
from sync.fold import RecordVersion, find_first_version, find_overruled_versions, list_refusals_in_force
from sync.intake import Decision
from sync.notes import is_caseload_note, plain_code

ATTACHMENT = re.compile(r"attachment:[^:\"\s]+:([0-9a-f]{64})")
Key = tuple[str, str]  # id and SHA-256 of a submission
Definitions = Mapping[tuple[str, str], FormDefinition]


@dataclass(frozen=True)
class DecidedSubmission:
    """A submission that is being stored or accepted: as it came, and the decision."""

    envelope: Envelope
    decision: Decision
    position: int  # its id in the store: the order of arrival
    is_office: bool = False
    is_by_holder: bool = False  # of a referral whose person's card was given to its sender

    @property
    def key(self) -> Key:
        return self.envelope.instance_id, self.envelope.sha256

    @property
    def is_of_shut_out_phone(self) -> bool:
        return any(problem.code in SHUT_OUT for problem in self.decision.problems)


@dataclass(frozen=True)
class NamedPerson:
    """The card code that a cut submission named.

    `waits_at`: its position in the log, when a shut-out phone sent it.
    """

    code: str
    waits_at: int | None


@dataclass
class RefusalEffects:
    """What refusals take out beside the answers, and what follows for people's consent."""

    statements: list[ConsentStatement] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)  # of the submissions that were cut
    hashes: dict[int, set[str]] = field(default_factory=dict)  # device id → attachments named in what was cut of it

    def note_cut(self, instance_id: str, body: str, device_id: int | None) -> None:
        """Remember a submission whose answers are cut, with the attachments that it names."""
        self.ids.add(instance_id)
        hashes = ATTACHMENT.findall(body) if device_id else ()
        if device_id and hashes:
            self.hashes.setdefault(device_id, set()).update(hashes)

    def note_hashes(self, body: str, cut_body: str, device_id: int | None) -> None:
        """Remember the attachments that a body names, and no longer once it is cut."""
        hashes = set(ATTACHMENT.findall(body)) - set(ATTACHMENT.findall(cut_body))
        if device_id and hashes:
            self.hashes.setdefault(device_id, set()).update(hashes)


# ── before anything is stored: what a no overrules ───────────────────────────────────────────────


def find_overruled(ctx: ActContext, incoming: Sequence[DecidedSubmission]) -> set[Key]:
    """Return which of these submissions a no of their record overrules, stored or among them."""
    overruled: set[Key] = set()
    for record_id, batch in _group_refused(ctx, incoming).items():
        stored = _list_stored(ctx, record_id, batch)
        overruled |= _find_overruled_keys(ctx, record_id, stored, batch) & {item.key for item in batch}
    return overruled


def cut_incoming(
    envelope: Envelope, decision: Decision, definition: FormDefinition | None, is_overruled: bool = False
) -> tuple[Envelope, Decision]:
    """Return a submission without what may not be stored after a no.

    Its SHA-256 stays that of what was sent.

    A refusal's decision has what may be stored, and so has that of an answer that consent does not reach; of
    one that a no overrules it is computed here.
    """
    answers = decision.answers
    if decision.is_above and not is_overruled:  # a yes, though to less: the card stays
        return replace(envelope, body=make_body(answers)), decision
    if not decision.is_refusal:
        if definition is None:
            answers = {}
        else:
            answers = consent.without_person(definition, decision.answers or read_answers(envelope.body, definition))
    cut = replace(envelope, body=make_body(answers), refused_by="", cards=())
    return cut, replace(decision, answers=answers)


# ── in the transaction that stores: what is here already ─────────────────────────────────────────


def cut_overruled(ctx: ActContext, incoming: Sequence[DecidedSubmission], definitions: Definitions) -> RefusalEffects:
    """Cut what is stored of the records that are a no by now; return what else has to go.

    `incoming` is as it came, with what may not be stored.
    """
    effects = RefusalEffects()
    for item in incoming:
        if item.decision.is_refusal:
            effects.note_cut(item.envelope.instance_id, item.envelope.body, ctx.actor.device_id)
        elif item.decision.is_above:
            effects.note_hashes(item.envelope.body, make_body(item.decision.answers), ctx.actor.device_id)
    for record_id, batch in _group_refused(ctx, incoming).items():
        stored = _list_stored(ctx, record_id, batch)
        overruled = _find_overruled_keys(ctx, record_id, stored, batch)
        people = _cut_all_stored(ctx, stored, overruled, effects)
        for item in batch:
            if item.key in overruled:
                envelope = item.envelope
                effects.note_cut(envelope.instance_id, envelope.body, ctx.actor.device_id)
                code = read_person(envelope.body, definitions.get((envelope.form, envelope.version)))
                people.append(NamedPerson(code, item.position if item.is_of_shut_out_phone else None))
        effects.statements += _make_statements(ctx, record_id, people, stored, batch)
    return effects


def cut_overruled_stored(ctx: ActContext, record_id: str, effects: RefusalEffects) -> None:
    """Cut what the refusals of a record overrule of what is stored of it."""
    stored = _list_stored(ctx, record_id, ())
    overruled = _find_overruled_keys(ctx, record_id, stored, ())
    people = _cut_all_stored(ctx, stored, overruled, effects)
    effects.statements += _make_statements(ctx, record_id, people, stored, ())


def _cut_all_stored(
    ctx: ActContext, stored: Sequence[Submission], overruled: Collection[Key], effects: RefusalEffects
) -> list[NamedPerson]:
    """Cut what is stored of the overruled submissions; return the people that they named."""
    people = []
    for submission in stored:
        if _make_key(submission) in overruled and not submission.is_cut:
            waits_at = submission.id if submission.is_of_shut_out_phone else None
            people.append(NamedPerson(cut_stored(ctx, submission, effects), waits_at))
    return people


def cut_stored(ctx: ActContext, submission: Submission, effects: RefusalEffects) -> str:
    """Cut what a stored submission may not keep; return the card code that it named, or ""."""
    form = submission.form, submission.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form}).get(form)
    code = read_person(submission.body, definition)
    effects.note_cut(submission.instance_id, submission.body, submission.device_id)
    answers: Mapping[str, Any] = {}
    if definition:
        answers = consent.without_person(definition, read_answers(submission.body, definition))
    cut_submission(submission, make_body(answers))
    erased_bytes.note_erased(ctx.session, ctx.now)
    ctx.session.flush()
    return code


def cut_submission(submission: Submission, body: str) -> None:
    """Replace a stored submission's answers, and drop what leads to the person."""
    submission.body = body
    submission.cards = []
    submission.due = ""
    submission.is_cut = True


def _group_refused(ctx: ActContext, incoming: Sequence[DecidedSubmission]) -> dict[str, list[DecidedSubmission]]:
    """Return, by record, the submissions of records in which somebody did not say yes."""
    by_record: dict[str, list[DecidedSubmission]] = {}
    refused: set[str] = set()
    for item in incoming:
        if not is_caseload_note(item.envelope):
            by_record.setdefault(item.envelope.record, []).append(item)
        if item.decision.is_refusal and not item.decision.problems:
            refused.add(item.envelope.record)
    if by_record:
        refused |= submissions.refused_roots(ctx.session, ctx.centre_id, by_record)
    return {record_id: batch for record_id, batch in by_record.items() if record_id in refused}


def _list_stored(ctx: ActContext, record_id: str, batch: Sequence[DecidedSubmission]) -> list[Submission]:
    """Return what is stored of a record, without what is being accepted now."""
    incoming = {item.key for item in batch}
    stored = submissions.of_record(ctx.session, ctx.centre_id, record_id)
    return [submission for submission in stored if _make_key(submission) not in incoming]


def _find_overruled_keys(
    ctx: ActContext, record_id: str, stored: Sequence[Submission], batch: Sequence[DecidedSubmission]
) -> set[Key]:
    versions, others = _split_versions(ctx, record_id, stored, batch)
    return {version.key for version in find_overruled_versions(record_id, versions, others)}


def _split_versions(
    ctx: ActContext, record_id: str, stored: Sequence[Submission], batch: Sequence[DecidedSubmission]
) -> tuple[list[RecordVersion], list[RecordVersion]]:
    """Return the versions of a record, and what else was sent for it.

    They have no answers: who overrules whom depends on links, authors and times alone.
    """
    assert ctx.actor.user_id is not None or not batch
    admins = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == ADMIN}
    versions: list[RecordVersion] = []
    others: list[RecordVersion] = []
    for submission in stored:
        version = _make_stored_version(submission, admins)
        if submission.is_part:
            versions.append(version)
        else:
            others.append(version)
    for item in batch:
        version = _make_incoming_version(item, ctx.actor.user_id or 0, admins)
        if item.decision.problems:
            others.append(version)
        else:
            versions.append(version)
    if not versions:
        return [], others
    # What names the record under another form is no version of it.
    form = find_first_version(record_id, versions).form_version
    others += [version for version in versions if version.form_version != form]
    return [version for version in versions if version.form_version == form], others


def _make_stored_version(submission: Submission, admins: Collection[int]) -> RecordVersion:
    return RecordVersion(
        submission.instance_id,
        submission.sha256,
        frozenset(submission.prev),
        submission.author_id,
        submission.channel == OFFICE and submission.author_id in admins,
        submission.finished_at,
        submission.form,
        {},
        submission.is_refusal,
        submission.is_by_holder,
    )


def _make_incoming_version(item: DecidedSubmission, author_id: int, admins: Collection[int]) -> RecordVersion:
    envelope = item.envelope
    return RecordVersion(
        envelope.instance_id,
        envelope.sha256,
        frozenset(envelope.prev),
        author_id,
        item.is_office and author_id in admins,
        envelope.finished_at,
        envelope.form,
        {},
        item.decision.is_refusal,
        item.is_by_holder,
    )


def _make_statements(
    ctx: ActContext,
    record_id: str,
    people: Sequence[NamedPerson],
    stored: Sequence[Submission],
    batch: Sequence[DecidedSubmission],
) -> list[ConsentStatement]:
    """Return that people named by overruled submissions said no, unless the record says it.

    The word about a person whom only a shut-out phone named waits until the submission is accepted.
    """
    if not any(person.code for person in people):
        return []
    versions, _ = _split_versions(ctx, record_id, stored, batch)
    last = max(list_refusals_in_force(record_id, versions), key=lambda version: version.sort_key)
    bodies = {_make_key(submission): (submission.body, submission.form, submission.version) for submission in stored}
    bodies |= {item.key: (item.envelope.body, item.envelope.form, item.envelope.version) for item in batch}
    if not _is_for_good(ctx, *bodies[last.key]):
        return []
    positions = {_make_key(submission): submission.id for submission in stored}
    positions |= {item.key: item.position for item in batch}
    record_words = words.list_words(ctx.session, ctx.centre_id, {record_id})
    done = {word.person for word in record_words} | {""}
    statements: list[ConsentStatement] = []
    for person in sorted(people, key=lambda person: person.waits_at is not None):  # what waits comes last
        if person.code not in done:
            done.add(person.code)
            waits = person.waits_at is not None
            position = positions[last.key] if person.waits_at is None else person.waits_at
            statements.append(make_refusal(person.code, last.finished_at, position, waits))
    return statements


def _is_for_good(ctx: ActContext, body: str, form: str, version: str) -> bool:
    definition = load_definitions(ctx.session, ctx.centre_id, {(form, version)}).get((form, version))
    return definition is None or says_for_good(definition, body)


def says_for_good(definition: FormDefinition, body: str) -> bool:
    """Say whether the no in a body holds from now on, and not only for its record."""
    answers = read_answers(body, definition)
    return consent.is_statement(definition, definition.read_role(answers, QuestionRole.TIER))


def _make_key(submission: Submission) -> Key:
    return submission.instance_id, submission.sha256


def read_person(body: str, definition: FormDefinition | None) -> str:
    """Return the card code that answers name; "" for none."""
    if definition is None:
        return ""
    return plain_code(consent.person_in(definition, read_answers(body, definition)))


def read_answers(body: str, definition: FormDefinition | None) -> dict[str, Any]:
    """Return the answers in a body as they came; {} when there are none that can be read."""
    try:
        answers = read_body(body, definition)
    except ValueError:
        return {}
    if isinstance(answers, dict):
        return answers
    return {}


def make_body(answers: Mapping[str, Any]) -> str:
    """Return answers as the body of a submission."""
    return json.dumps(answers, ensure_ascii=False, separators=(",", ":"))


# ── afterwards: people's consent, and attachments ────────────────────────────────────────────────


def save_refusals(ctx: ActContext, incoming: Iterable[DecidedSubmission], effects: RefusalEffects) -> None:
    """Let each no lower the standing consent of its person; the record itself names nobody.

    The word of a shut-out phone waits until it is accepted, so that nobody lowers a colleague's card with a stolen
    phone.
    """
    statements = list(effects.statements)
    for item in incoming:
        code = item.decision.refused_by
        tier = read_refused_tier(ctx, item) if code else None
        if tier is not None:
            refusal = make_refusal(code, item.envelope.finished_at, item.position, item.is_of_shut_out_phone, tier)
            statements.append(replace(refusal, spoken=item.envelope.consent))
    standing.save_statements(ctx.session, ctx.centre_id, statements, ctx.now)
    show_standing(ctx, {statement.person for statement in statements if not statement.waits})


def read_refused_tier(ctx: ActContext, item: DecidedSubmission) -> int | None:
    """Return END where the person took everything back, else that nothing is kept.

    None where they were not asked, and nothing says that they refused: then what stood goes on.
    """
    form = item.envelope.form, item.envelope.version
    definition = load_definitions(ctx.session, ctx.centre_id, {form}).get(form)
    consent_level = standing.read_consent(definition, item.decision.answers) if definition else None
    if consent_level and consent_level[0] == END:
        return END
    spoken = item.envelope.consent
    if consent_level is None and definition is not None and spoken is not None and not spoken.is_asked:
        return None
    return standing.LOWEST


def copy_refusals(ctx: ActContext, code: str, new_code: str) -> None:
    """Say under a card's new code too what its worker's people refused under the old one.

    A refusal names no record, so nobody knows which of the people with the same code it was: both are lowered.
    """
    words_of_both = words.list_words_of_people(ctx.session, ctx.centre_id, [code, new_code])
    copied = {(word.position, word.finished_at) for word in words_of_both if word.person == new_code}
    statements: list[ConsentStatement] = []
    for word in words_of_both:
        if word.person != code or (word.position, word.finished_at) in copied:
            continue
        is_less = word.how == words.LATE or (word.tier <= standing.LOWEST and not word.asked)
        if word.how in standing.BY_HAND or (is_less and _is_of_worker(ctx, word.position)):
            refusal = make_refusal(new_code, word.finished_at, word.position, word.waits, word.tier)
            statements.append(replace(refusal, how=word.how))
    standing.save_statements(ctx.session, ctx.centre_id, statements, ctx.now)
    show_standing(ctx, {new_code})


def _is_of_worker(ctx: ActContext, position: int) -> bool:
    submission = submissions.get(ctx.session, ctx.centre_id, position)
    return submission is not None and submission.author_id == ctx.actor.user_id


def accept_waiting_refusals(ctx: ActContext, positions: Collection[int]) -> None:
    """Let the words count that waited since a shut-out phone had sent them."""
    statements = []
    for word in words.list_waiting_words(ctx.session, ctx.centre_id, positions):
        refusal = make_refusal(word.person, word.finished_at, word.position, tier=word.tier)
        spoken = SpokenConsent(tuple(word.knew), word.wording, word.language)
        statements.append(replace(refusal, spoken=spoken))
    delete_waiting_words(ctx, positions)
    standing.save_statements(ctx.session, ctx.centre_id, statements, ctx.now)
    show_standing(ctx, {statement.person for statement in statements})


def delete_waiting_words(ctx: ActContext, positions: Collection[int]) -> None:
    """Delete the words that waited with submissions which nobody will accept."""
    for word in words.list_waiting_words(ctx.session, ctx.centre_id, positions):
        ctx.session.delete(word)
    ctx.session.flush()


def delete_attachments(ctx: ActContext, effects: RefusalEffects) -> None:
    """Delete attachments that only cut answers named, also those not arrived yet."""
    for device_id, hashes in effects.hashes.items():
        attachments.take_out(ctx.session, ctx.centre_id, hashes, device_id)
    if effects.ids:
        attachments.take_out_named(ctx.session, ctx.centre_id, effects.ids)
