"""Fold submissions into records: most are a record's first and only one; those that are not are folded anew from all."""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload import update
from fieldapp.services.caseload.record_state import AcceptedSubmission, RecordState, find_role_answer
from fieldapp.services.consent import standing
from fieldapp.services.consent.standing import ConsentStatement
from fieldapp.services.records.consent_statements import _compute_record_statement, _has_fallen, _read_right, _read_statement
from fieldapp.services.records.time_limits import LET_IN, WHILE_LOCKED, time_for
from fieldapp.services.records.versions import Ready, _is_office, fold_versions
from fieldapp.store.records import records, reviews, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.budget import Budget, TooSlow
from forms.definition import FormDefinition
from forms.expressions.values import parse_date
from forms.problems import AnswerProblem
from forms.roles import ChoiceRole, QuestionRole
from sync.notes import PREFIX, plain_code
from sync.problems import N_

Foreign = dict[tuple[str, str], AnswerProblem]  # (id, hash) of a submission that is no part of its record → why
OTHER_FORM = AnswerProblem(submissions.OTHER_FORM, N_("The record that it corrects is of another form."), "")
NOT_THE_AUTHOR = AnswerProblem(submissions.NOT_THE_AUTHOR, N_("The record that it corrects belongs to somebody else."), "")


def update_records(
    ctx: ActContext, parts: Sequence[AcceptedSubmission], ready: Ready | None = None
) -> tuple[list[RecordState], Foreign]:
    """Bring records up to date with submissions that were just stored. What is `ready` need not be asked of the forms again.

    Return the records that changed, and those submissions that turned out to be somebody else's to make, or of another form.
    """
    roots: dict[str, list[AcceptedSubmission]] = {}
    for part in parts:
        roots.setdefault(part.envelope.record, []).append(part)
    held = records.lock_existing(ctx.session, ctx.centre_id, roots)
    budget = time_for(WHILE_LOCKED)
    rows, changes, said = [], [], list[ConsentStatement]()
    foreign: Foreign = {}
    for root_id, of_tier in roots.items():
        only = of_tier[0]
        if root_id not in held and len(of_tier) == 1 and not only.envelope.root:
            made, change = _make_first_version(ctx, only)
            rows.append(made)
            changes.append(change)
            said += _read_statement(only)
            continue
        record = held.get(root_id)
        made_cards = tuple(card for part in of_tier for card in part.envelope.cards)
        before = _read_right(ctx, record) if record else None
        change, strangers, words = _refold_record(ctx, root_id, record, made_cards, ready or {}, budget)
        changes.append(change)
        foreign |= strangers
        said += words
        record = records.lock_existing(ctx.session, ctx.centre_id, [root_id])[root_id]
        if before and _has_fallen(before, _read_right(ctx, record)):
            said.append(standing.make_fall(of_tier[-1].envelope.finished_at, of_tier[-1].position))
    records.add_all(ctx.session, rows)
    standing.save_statements(ctx.session, ctx.centre_id, said, ctx.now)
    return changes, foreign


def refold(ctx: ActContext, root_id: str) -> None:
    """Fold a record anew whose submissions were changed by no submission; one whose form is too slow stays as it was."""
    record = records.lock_existing(ctx.session, ctx.centre_id, [root_id]).get(root_id)
    if record is None:
        return
    with contextlib.suppress(TooSlow), ctx.session.begin_nested():
        change, _, _ = _refold_record(ctx, root_id, record, (), {}, time_for(LET_IN))
        update.forget_refused(ctx, [change])


def _make_first_version(ctx: ActContext, part: AcceptedSubmission) -> tuple[dict[str, Any], RecordState]:
    envelope, definition = part.envelope, part.definition
    assert definition is not None and ctx.actor.user_id is not None
    state = _compute_list_columns(definition, part.answers, envelope.finished_at.date())
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
    change = RecordState(
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


def _compute_list_columns(definition: FormDefinition, answers: Mapping[str, Any], finished_on: dt.date) -> dict[str, Any]:
    """Return the columns of a record that its lists are made from."""
    day = parse_date(find_role_answer(definition, answers, "day"))
    return {
        "occurred_on": day.moment().date() if day else finished_on,
        "area": find_role_answer(definition, answers, "area")[:20],
        "kind": find_role_answer(definition, answers, "kind")[:40],
        "person": plain_code(find_role_answer(definition, answers, "person")),
    }


def _refold_record(
    ctx: ActContext, root_id: str, record: Record | None, cards: tuple[str, ...], ready: Ready, budget: Budget
) -> tuple[RecordState, Foreign, list[ConsentStatement]]:
    """Fold all submissions of a record and write what comes of it.

    Return it, those that are no part of it, and what it says about consent by now.
    """
    arrived = submissions.of_record(ctx.session, ctx.centre_id, root_id)
    # A note is no version of a record, whatever it names.
    kept = [one for one in arrived if one.is_part and not one.form.startswith(PREFIX)]
    form = _find_form(root_id, kept)
    versions = [one for one in kept if one.form == form]
    places = {version.id for version in versions}
    links = {other.instance_id: other.prev for other in arrived if other.id not in places}
    all_folded = fold_versions(ctx, root_id, versions, ready, budget, links)
    folded = all_folded.state
    definition = all_folded.definition
    strangers: Foreign = {(one.instance_id, one.sha256): OTHER_FORM for one in kept if one.form != form}
    strangers |= {(one.id, one.sha256): NOT_THE_AUTHOR for one in folded.rejected}
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
    state = _compute_list_columns(definition, folded.answers, shown.finished_local.date())
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
    change = RecordState(
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
    return change, strangers, _compute_record_statement(ctx, root_id, arrived, versions, all_folded)


def _find_form(root_id: str, kept: Sequence[Submission]) -> str:
    """Return the form of a record: of its first submission; while that has not come, of the earliest that has.

    A correction under another form is none: nobody could read the record by either.
    """
    by_age = sorted(kept, key=lambda one: (one.finished_at, one.instance_id, one.sha256))
    made_by_workers = [one for one in by_age if not _is_office(one)] or by_age
    first = next((one for one in made_by_workers if one.instance_id == root_id), made_by_workers[0])
    return first.form
