"""Fold submissions into records: most are a record's first and only one; those that are not are folded anew from all."""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import update
from fieldapp.services.caseload.record_state import Change, Part, summary_of
from fieldapp.services.consent import standing
from fieldapp.services.consent.record_words import Statement, compute_record_word
from fieldapp.services.consent.standing import Said
from fieldapp.services.definitions import load_definitions
from fieldapp.services.records.time_limits import LET_IN, WHILE_LOCKED, time_for
from fieldapp.services.records.unusable_noes import find_unusable, own_tier, tier_of
from fieldapp.store.people import users
from fieldapp.store.records import records, reviews, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.expressions.values import parse_date
from forms.problems import AnswerProblem
from forms.roles import ChoiceRole, QuestionRole
from forms.validation import recalculate, validate
from sync.ancestors import Ancestors
from sync.bodies import read_body
from sync.fold import FoldResult, Links, RecordVersion, find_ancestors, fold
from sync.intake import local_time
from sync.notes import PREFIX, plain_code
from sync.problems import N_

Ready = dict[tuple[str, str], dict[str, Any]]  # (id, hash) of a submission → its answers as the form's logic leaves them
Foreign = dict[tuple[str, str], AnswerProblem]  # (id, hash) of a submission that is no part of its record → why
OTHER_FORM = AnswerProblem(submissions.OTHER_FORM, N_("The record that it corrects is of another form."), "")
NOT_YOURS = AnswerProblem(submissions.NOT_YOURS, N_("The record that it corrects belongs to somebody else."), "")


def fold_in(ctx: ActContext, parts: Sequence[Part], ready: Ready | None = None) -> tuple[list[Change], Foreign]:
    """Bring records up to date with submissions that were just stored. What is `ready` need not be asked of the forms again.

    Return the records that changed, and those submissions that turned out to be somebody else's to make, or of another form.
    """
    roots: dict[str, list[Part]] = {}
    for part in parts:
        roots.setdefault(part.envelope.record, []).append(part)
    held = records.lock_existing(ctx.session, ctx.centre_id, roots)
    budget = time_for(WHILE_LOCKED)
    rows, changes, said = [], [], list[Said]()
    foreign: Foreign = {}
    for root_id, some in roots.items():
        only = some[0]
        if root_id not in held and len(some) == 1 and not only.envelope.root:
            made, change = _first(ctx, only)
            rows.append(made)
            changes.append(change)
            said += _said(only)
            continue
        record = held.get(root_id)
        made_cards = tuple(card for part in some for card in part.envelope.cards)
        before = _right_of(ctx, record) if record else None
        change, strangers, words = _anew(ctx, root_id, record, made_cards, ready or {}, budget)
        changes.append(change)
        foreign |= strangers
        said += words
        record = records.lock_existing(ctx.session, ctx.centre_id, [root_id])[root_id]
        if before and _has_fallen(before, _right_of(ctx, record)):
            said.append(standing.make_fall(some[-1].envelope.finished_at, some[-1].position))
    records.add_all(ctx.session, rows)
    standing.note_all(ctx.session, ctx.centre_id, said, ctx.now)
    return changes, foreign


def refold(ctx: ActContext, root_id: str) -> None:
    """Fold a record anew whose submissions were changed by no submission; one whose form is too slow stays as it was."""
    record = records.lock_existing(ctx.session, ctx.centre_id, [root_id]).get(root_id)
    if record is None:
        return
    with contextlib.suppress(TooSlow), ctx.session.begin_nested():
        change, _, _ = _anew(ctx, root_id, record, (), {}, time_for(LET_IN))
        update.forget_refused(ctx, [change])


def _said(part: Part) -> list[Said]:
    """Return what a submission says about consent: one word, or none."""
    envelope, definition = part.envelope, part.definition
    if part.is_overruled or definition is None:
        return []
    word = (standing.LOWEST, False) if part.is_refusal else standing.word_of(definition, part.answers)
    if word is None:
        return []
    person = plain_code(summary_of(definition, part.answers, "person"))
    return [Said(envelope.record, person, *word, envelope.finished_at, part.position)]


def _said_by_all(
    ctx: ActContext,
    root_id: str,
    arrived: Sequence[Submission],
    versions: Sequence[Submission],
    folded: "Folded",
) -> list[Said]:
    """Return what a record says about consent by all its versions: one word, or none."""
    person = plain_code(summary_of(folded.definition, folded.state.answers, "person"))
    person = person or standing.person_of(ctx.session, ctx.centre_id, root_id)
    statements: list[Statement] = []
    strangers = {version.key for version in folded.state.rejected}
    for submission in versions:
        version = folded.versions[submission.instance_id, submission.sha256]
        definition = folded.definitions[submission.form, submission.version]
        named = plain_code(summary_of(definition, version.answers, "person"))
        is_lost = submission.is_cut and not submission.is_refusal
        if version.key in strangers or is_lost or named not in ("", person):
            continue
        word = (standing.LOWEST, False) if submission.is_refusal else standing.word_of(definition, version.answers)
        if word:
            when = submission.finished_at, submission.id
            statements.append(Statement(submission.instance_id, *word, *when, submission.is_refusal))
    for no in find_unusable(ctx, folded.state.author, arrived):
        if not no.is_of_shut_out_phone and (tier := tier_of(ctx, no)) < standing.HIGHEST:
            statements.append(Statement(no.instance_id, tier, False, no.finished_at, no.id, no.is_refusal))
    word_of_all = compute_record_word(statements, folded.before)
    if word_of_all is None:
        return []
    standing.forget_answered(ctx.session, ctx.centre_id, root_id, person, word_of_all.answered)
    return [
        Said(
            root_id,
            person,
            word_of_all.tier,
            word_of_all.is_asked,
            word_of_all.finished_at,
            word_of_all.position,
            is_of_all=True,
        )
    ]


@dataclass(frozen=True)
class _Right:
    """What a record's right to leave hangs on, beside its person's consent."""

    form: str
    person: str
    tier: int
    is_settled: bool


def _right_of(ctx: ActContext, record: Record) -> _Right:
    return _Right(record.form, record.person, own_tier(ctx, record), record.review != "contested")


def _has_fallen(before: _Right, after: _Right) -> bool:
    """Say whether a record may leave less than before, or another person decides now."""
    is_same = (before.form, before.person) == (after.form, after.person)
    return not is_same or after.tier < before.tier or (before.is_settled and not after.is_settled)


def _first(ctx: ActContext, part: Part) -> tuple[dict[str, Any], Change]:
    envelope, definition = part.envelope, part.definition
    assert definition is not None and ctx.actor.user_id is not None
    state = _state(definition, part.answers, envelope.finished_at.date())
    row = {
        "centre_id": ctx.centre_id,
        "instance_id": envelope.instance_id,
        "form": envelope.form,
        "version": envelope.version,
        "via": part.via,
        "author_id": ctx.actor.user_id,
        "received_at": ctx.now,
        "changed_at": ctx.now,
        "heads": [envelope.instance_id],
        "contested": [],
        "review": "alert" if _calls_for_help(definition, part.answers) else "",
        "answers": part.answers,
        **state,
    }
    change = Change(
        envelope.instance_id,
        envelope.form,
        envelope.version,
        ctx.actor.user_id,
        state["occurred_on"],
        part.answers,
        [envelope.instance_id],
        definition,
        envelope.cards,
        envelope.finished_at.date(),
        part.is_refusal,
    )
    return row, change


def _calls_for_help(definition: FormDefinition, answers: Mapping[str, Any]) -> bool:
    """Say whether a worker asks for a talk, as after a hard shift."""
    return definition.is_chosen(answers, QuestionRole.KIND, ChoiceRole.CALL_FOR_HELP)


def _state(definition: FormDefinition, answers: Mapping[str, Any], finished_on: dt.date) -> dict[str, Any]:
    """Return the columns of a record that its lists are made from."""
    day = parse_date(summary_of(definition, answers, "day"))
    return {
        "occurred_on": day.moment().date() if day else finished_on,
        "area": summary_of(definition, answers, "area")[:20],
        "kind": summary_of(definition, answers, "kind")[:40],
        "person": plain_code(summary_of(definition, answers, "person")),
    }


def _anew(
    ctx: ActContext, root_id: str, record: Record | None, cards: tuple[str, ...], ready: Ready, budget: Budget
) -> tuple[Change, Foreign, list[Said]]:
    """Fold all submissions of a record and write what comes of it.

    Return it, those that are no part of it, and what it says about consent by now.
    """
    arrived = submissions.of_record(ctx.session, ctx.centre_id, root_id)
    # A note is no version of a record, whatever it names.
    kept = [one for one in arrived if one.is_part and not one.form.startswith(PREFIX)]
    form = _form_of(root_id, kept)
    versions = [one for one in kept if one.form == form]
    places = {version.id for version in versions}
    links = {other.instance_id: other.prev for other in arrived if other.id not in places}
    all_folded = fold_submissions(ctx, root_id, versions, ready, budget, links)
    folded = all_folded.state
    definition = all_folded.definition
    strangers: Foreign = {(one.instance_id, one.sha256): OTHER_FORM for one in kept if one.form != form}
    strangers |= {(one.id, one.sha256): NOT_YOURS for one in folded.rejected}
    for one in kept:
        problem = strangers.get((one.instance_id, one.sha256))
        was_foreign = one.is_foreign
        if problem:
            one.problems = [problem.to_json()]
        if bool(problem) != was_foreign:
            one.state = "rejected" if problem else "stored"
        if was_foreign and not problem:
            one.problems = []
    shown = next(one for one in kept if (one.instance_id, one.sha256) == (folded.current.id, folded.current.sha256))
    state = _state(definition, folded.answers, shown.finished_local.date())
    contested = [{"path": one.path, "values": dict(one.values)} for one in folded.contested]
    if record is None:
        record = Record(centre_id=ctx.centre_id, instance_id=root_id, received_at=ctx.now, form=shown.form, review="")
        ctx.session.add(record)
    elif list(folded.heads) != record.heads:
        reviewed = record.review in ("returned", "approved") or bool(reviews.of_record(ctx.session, ctx.centre_id, root_id))
        record.review = "corrected" if reviewed and not _is_office(shown) else ""
    if not record.review and _calls_for_help(definition, folded.answers):
        record.review = "alert"
    if contested:
        record.review = "contested"
    elif record.review == "contested":
        record.review = ""
    record.form = form
    record.version, record.via, record.author_id = shown.version, shown.via, folded.author
    record.heads, record.contested, record.answers, record.changed_at = (
        list(folded.heads), contested, dict(folded.answers), ctx.now,
    )  # fmt: skip
    for column, value in state.items():
        setattr(record, column, value)
    ctx.session.flush()
    change = Change(
        root_id,
        record.form,
        record.version,
        record.author_id,
        record.occurred_on,
        record.answers,
        record.heads,
        definition,
        cards,
        shown.finished_local.date(),
        shown.is_refusal,
    )
    return change, strangers, _said_by_all(ctx, root_id, arrived, versions, all_folded)


def _form_of(root_id: str, kept: Sequence[Submission]) -> str:
    """Return the form of a record: of its first submission; while that has not come, of the earliest that has.

    A correction under another form is none: nobody could read the record by either.
    """
    by_age = sorted(kept, key=lambda one: (one.finished_at, one.instance_id, one.sha256))
    made_by_workers = [one for one in by_age if not _is_office(one)] or by_age
    first = next((one for one in made_by_workers if one.instance_id == root_id), made_by_workers[0])
    return first.form


def _is_office(one: Submission) -> bool:
    return one.via == submissions.OFFICE


@dataclass(frozen=True)
class Folded:
    """The fold of submissions, the definition that its state has, and what it was made of."""

    state: FoldResult
    definition: FormDefinition
    definitions: Mapping[tuple[str, str], FormDefinition]
    versions: Mapping[tuple[str, str], RecordVersion]
    before: Ancestors


def fold_submissions(
    ctx: ActContext,
    root_id: str,
    kept: Sequence[Submission],
    ready: Ready,
    budget: Budget,
    links: Links | None = None,
) -> Folded:
    """Return the fold of these submissions. Raise TooSlow when the rules are."""
    definitions = load_definitions(ctx.session, ctx.centre_id, {(one.form, one.version) for one in kept})
    admins = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == "admin"}
    by_place = {(one.instance_id, one.sha256): one for one in kept}

    def version(one: Submission) -> RecordVersion:
        answers = None if one.is_cut else ready.get((one.instance_id, one.sha256))
        return RecordVersion(
            one.instance_id,
            one.sha256,
            frozenset(one.prev),
            one.author_id,
            _is_office(one) and one.author_id in admins,
            one.finished_at,
            one.version,
            answers_of(one, definitions[one.form, one.version], budget) if answers is None else answers,
            one.is_refusal,
        )

    def completed(latest: RecordVersion, answers: Mapping[str, Any]) -> Mapping[str, Any] | None:
        one = by_place[latest.id, latest.sha256]
        try:
            found = recalculate(definitions[one.form, one.version], answers, local_time(one.finished_local), budget)
        except TooSlow:
            return None
        is_whole = not (found.problems or found.is_refusal)  # what makes a no only together, somebody has to choose
        return found.answers if is_whole else None

    computed = {path for definition in definitions.values() for path in definition.computed}
    versions = {part.key: part for part in map(version, kept)}
    folded = fold(root_id, versions.values(), completed, computed, links)
    shown = by_place[folded.current.id, folded.current.sha256]
    strangers = {stranger.key for stranger in folded.rejected}
    ours = [part for part in versions.values() if part.key not in strangers]
    before = find_ancestors(ours, links)
    return Folded(folded, definitions[shown.form, shown.version], definitions, versions, before)


def answers_of(one: Submission, definition: FormDefinition, budget: Budget) -> dict[str, Any]:
    """Return a submission's answers as the form's logic leaves them; {} when it has none that can be read.

    Raise TooSlow when that takes more than the budget.
    """
    try:
        given = read_body(one.body, definition)
    except ValueError:
        return {}
    if one.is_cut:  # it is what the logic left, or counts no more
        return given if isinstance(given, dict) else {}
    return validate(definition, given, local_time(one.finished_local), budget).answers
