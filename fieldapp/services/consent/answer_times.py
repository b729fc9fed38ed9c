"""Take answers out of records when their time is over.

That is free text, what a form says, and wishes to be contacted. The record stays without them, and so does each
submission that it is made of: whatever is folded again later is the same.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from fieldapp.services.acts import ActContext
from fieldapp.services.consent.body_cutter import BodyCutter
from fieldapp.services.consent.due_rules import DueRule, Subject
from fieldapp.services.consent.retention_rules import RuleKey, cut_answers, list_free_texts, months_before
from fieldapp.services.definitions import load_definition
from fieldapp.store.caseload import cards
from fieldapp.store.consent import retention as store
from fieldapp.store.forms import versions
from fieldapp.store.records import reviews
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from forms.definition import Element, FormDefinition
from forms.retention import RetainedTimes, find_times

CONTACT = "+4"  # the keep of what is there to contact somebody later

Chooser = Callable[[FormDefinition, RetainedTimes], list[Element]]  # which answers go


class AnswerCutter(BodyCutter):
    """Cuts the answers to some questions from records and from all that they are made of.

    `choose` says which; `has_files`: the attachments among them stay, as they have a rule of their own.
    """

    def __init__(self, ctx: ActContext, choose: Chooser, has_files: bool = False):
        super().__init__(ctx)
        self.choose = choose
        self.has_files = has_files
        self.elements: dict[tuple[str, str], list[Element]] = {}
        self.newest = {version.form: load_definition(version) for version in versions.newest(ctx.session, ctx.centre_id)}

    def list_elements(self, form: str, version: str) -> list[Element]:
        """Return the questions of a form whose answers go; none where the centre lacks the form."""
        key = form, version
        if key not in self.elements:
            definition = self.find_definition(form, version)
            self.elements[key] = []
            if definition is not None:
                self.elements[key] = self.choose(definition, find_times(definition, self.newest.get(form)))
        return self.elements[key]

    def cut_answers(self, form: str, version: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        return cut_answers(answers, self.list_elements(form, version), self.has_files)


def _is_open_to_rules(due: DueRule, record: Record) -> bool:
    """Say whether a record is not preserved, and nobody has to choose between answers."""
    return record.instance_id not in due.preserved and record.review != "contested"


# Free text.


def _make_text_cutter(ctx: ActContext) -> AnswerCutter:
    return AnswerCutter(ctx, _choose_texts, has_files=True)


def _choose_texts(definition: FormDefinition, times: RetainedTimes) -> list[Element]:
    """Return the free texts that have no time of their own."""
    return [element for element in list_free_texts(definition) if not times.get_own(element.path)]


def find_free_text(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    cutter = _make_text_cutter(ctx)
    pages = store.iterate_unchanged_records(ctx.session, ctx.centre_id, due.rule.key, due.before(due.rule.least_days))
    for page in pages:
        for record in page:
            if _is_text_due(due, record) and (cutter.has_any(record) or _has_comment(ctx, record)):
                yield record.id, record.instance_id


def _is_text_due(due: DueRule, record: Record) -> bool:
    is_old = record.changed_at <= due.before(due.rule.days_of(record.form))
    return is_old and _is_open_to_rules(due, record)


def _has_comment(ctx: ActContext, record: Record) -> bool:
    comments = reviews.of_record(ctx.session, ctx.centre_id, record.instance_id)
    return any(review.comment for review in comments)


def erase_free_text(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    erased: set[int] = set()
    cutter = _make_text_cutter(ctx)
    for record in store.lock_records(ctx.session, ctx.centre_id, ids):
        if _is_text_due(due, record):
            cutter.cut(record)
            reviews.forget_comments(ctx.session, ctx.centre_id, [record.instance_id])
            store.put_mark(ctx.session, ctx.centre_id, due.rule.key, record.id, due.now)
            erased.add(record.id)
    ctx.session.flush()
    return erased


# Answers whose form says how long.


def _list_months(ctx: ActContext) -> dict[int, list[str]]:
    """Return the different times that forms give their answers, each with its forms."""
    forms: dict[int, list[str]] = {}
    for version in versions.newest(ctx.session, ctx.centre_id):
        for months in find_times(load_definition(version)).list_used():
            forms.setdefault(months, []).append(version.form)
    return forms


def _make_mark(months: int) -> str:
    """Return the mark of a record without the answers that go after some months."""
    return f"{RuleKey.ANSWERS}/{months}"


def _make_answer_cutter(ctx: ActContext, months: int) -> AnswerCutter:
    return AnswerCutter(ctx, lambda definition, times: _choose_timed(definition, times, months))


def _choose_timed(definition: FormDefinition, times: RetainedTimes, months: int) -> list[Element]:
    return [element for element in definition.elements if 0 < times.get(element) <= months]


def find_answers(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    seen: set[int] = set()
    for months, forms in sorted(_list_months(ctx).items()):
        cutter = _make_answer_cutter(ctx, months)
        before = months_before(due.now, months)
        for page in store.iterate_unchanged_records(ctx.session, ctx.centre_id, _make_mark(months), before, forms):
            for record in page:
                if record.id not in seen and _is_open_to_rules(due, record) and cutter.has_any(record):
                    seen.add(record.id)
                    yield record.id, record.instance_id
    yield from _find_not_taken_in(ctx, due)


def _find_not_taken_in(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    """Yield what is part of no record and has such answers.

    Its number in the log is below zero: it is never taken for the record with that number.
    """
    months_by_form = _list_months_by_form(ctx)
    shortest = min((min(times) for times in months_by_form.values()), default=0)
    if not shortest:
        return
    for page in store.iterate_not_taken_in(ctx.session, ctx.centre_id, months_before(due.now, shortest)):
        for submission in page:
            cutter = _make_cutter_of_not_taken_in(ctx, due, submission, months_by_form)
            if cutter is not None and cutter.cut_body(submission) is not None:
                yield -submission.id, submission.instance_id


def _make_cutter_of_not_taken_in(
    ctx: ActContext, due: DueRule, submission: Submission, months_by_form: Mapping[str, Sequence[int]]
) -> AnswerCutter | None:
    """Return what cuts the answers of a submission whose time is over; None for none.

    What is part of a record goes with it. Its time counts from when it came: nobody can change it.
    """
    if submission.is_part or submission.root_id in due.preserved:
        return None
    times = months_by_form.get(submission.form, ())
    over = [months for months in times if submission.received_at < months_before(due.now, months)]
    return _make_answer_cutter(ctx, max(over)) if over else None


def erase_answers(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    erased = _erase_of_not_taken_in(ctx, due, [-number for number in ids if number < 0])
    months_by_form = _list_months_by_form(ctx)
    for record in store.lock_records(ctx.session, ctx.centre_id, ids):
        over = _list_over(due.now, record, months_by_form.get(record.form, ()))
        if not over or not _is_open_to_rules(due, record):
            continue
        _make_answer_cutter(ctx, max(over)).cut(record)
        for months in over:
            store.put_mark(ctx.session, ctx.centre_id, _make_mark(months), record.id, due.now)
        erased.add(record.id)
    ctx.session.flush()
    return erased


def _erase_of_not_taken_in(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    erased: set[int] = set()
    months_by_form = _list_months_by_form(ctx)
    for submission in store.lock_submissions(ctx.session, ctx.centre_id, ids) if ids else ():
        cutter = _make_cutter_of_not_taken_in(ctx, due, submission, months_by_form)
        if cutter is not None and cutter.cut_submissions([submission]):
            cutter.cut_messages([submission.root_id])
            erased.add(-submission.id)
    return erased


def _list_months_by_form(ctx: ActContext) -> dict[str, list[int]]:
    by_form: dict[str, list[int]] = {}
    for months, forms in _list_months(ctx).items():
        for form in forms:
            by_form.setdefault(form, []).append(months)
    return by_form


def _list_over(now: dt.datetime, record: Record, times: Sequence[int]) -> list[int]:
    return [months for months in times if record.changed_at < months_before(now, months)]


# Wishes to be contacted, of people who left.


def _choose_wishes(definition: FormDefinition, times: RetainedTimes) -> list[Element]:
    """Return what is there to contact somebody later; the app itself reads none of it."""
    wishes = []
    for element in definition.elements:
        if element.is_answered and element.path not in times.lasting and CONTACT in definition.keeps.get(element.path, ()):
            wishes.append(element)
    return wishes


def find_wishes(ctx: ActContext, due: DueRule) -> Iterator[Subject]:
    forms = set()
    for version in versions.list_for(ctx.session, ctx.centre_id):
        if CONTACT in load_definition(version).keeps_used:
            forms.add(version.form)
    if not forms:
        return
    cutter = AnswerCutter(ctx, _choose_wishes)
    before = due.before(due.rule.days).date()
    for page in store.iterate_records_after_exit(ctx.session, ctx.centre_id, due.rule.key, before, forms):
        for record in page:
            if _is_open_to_rules(due, record) and cutter.has_any(record):
                yield record.id, record.instance_id


def erase_wishes(ctx: ActContext, due: DueRule, ids: Collection[int]) -> set[int]:
    erased: set[int] = set()
    cutter = AnswerCutter(ctx, _choose_wishes)
    for record in store.lock_records(ctx.session, ctx.centre_id, ids):
        if _is_open_to_rules(due, record) and _has_left(ctx, due, record.person):
            cutter.cut(record)
            store.put_mark(ctx.session, ctx.centre_id, due.rule.key, record.id, due.now)
            erased.add(record.id)
    ctx.session.flush()
    return erased


def _has_left(ctx: ActContext, due: DueRule, person: str) -> bool:
    """Say whether a person's exit was logged, and they were not met since."""
    card = cards.by_codes(ctx.session, ctx.centre_id, [person]).get(person) if person else None
    if card is None or card.is_open or card.seen_on is None:
        return False
    return card.seen_on < due.before(due.rule.days).date()
