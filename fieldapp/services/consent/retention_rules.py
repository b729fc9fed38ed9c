"""What ends when, and whether the clock may be believed: rules without a database."""

import calendar
import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from evaluator_export.yaml_text import read_yaml
from fieldapp.paths import PROGRAM
from forms.definition import Element, FormDefinition
from forms.privacy_classes import PrivacyClass
from forms.question_type import AnswerKind

Words = Mapping[str, str]  # by language

LONGEST_GAP = dt.timedelta(days=3)  # without the job: then nobody knows what became of the clock meanwhile
NEAR = dt.timedelta(days=1)  # as far as a phone's clock may be from the centre's
RECENT = dt.timedelta(days=7)  # what a phone sent before that says nothing of today
PHONES_AFTER_A_GAP = 2
ERASED_TEXT = "…"  # in place of a text that its form requires, which would break the form's rules if it were blank


class RuleKey(StrEnum):
    """What a rule of retention is about."""

    NOT_TAKEN_IN = "not_taken_in"
    FREE_TEXT = "free_text"
    ANSWERS = "answers"
    CONTACT_WISHES = "contact_wishes"
    CARD_LINKS = "card_links"
    NOTES = "notes"
    WITHDRAWAL_ROUNDS = "withdrawal_rounds"
    WITHDRAWALS = "withdrawals"
    ATTACHMENTS = "attachments"
    REFUSAL_TIMES = "refusal_times"
    AUDIT = "audit"


@dataclass(frozen=True)
class RetentionRule:
    """How long something is kept, and the words for it.

    `settled_days` is 0 where nothing of its kind can be dealt with earlier; `days` is 0 where each form says how long.
    """

    key: RuleKey
    days: int
    settled_days: int
    form_days: Mapping[str, int]  # form → days, where a form has its own
    title: Words
    counts_from: Words
    remains: Words

    @property
    def least_days(self) -> int:
        """Return the shortest time after which the rule can apply to anything."""
        times = [self.days, *self.form_days.values()]
        if self.settled_days:
            times.append(self.settled_days)
        return min(times)

    def days_of(self, form: str) -> int:
        return self.form_days.get(form, self.days)


@dataclass(frozen=True)
class RetentionRules:
    """All rules, and how what they say is carried out."""

    rules: tuple[RetentionRule, ...]
    notice: dt.timedelta
    delay: dt.timedelta
    copies: dt.timedelta
    step: int

    def get(self, key: str) -> RetentionRule:
        return next(rule for rule in self.rules if rule.key == key)


@functools.cache
def load_rules() -> RetentionRules:
    """Return the program's rules, from retention.yaml."""
    return read_rules((PROGRAM / "retention.yaml").read_text(encoding="utf-8"))


def read_rules(text: str) -> RetentionRules:
    """Return the rules in a YAML text."""
    body = read_yaml(text)
    rules = []
    for row in body["rules"]:
        rule = RetentionRule(
            key=RuleKey(row["key"]),
            days=int(row["days"]),
            settled_days=int(row.get("settled_days", 0)),
            form_days=dict(row.get("forms", {})),
            title=row["title"],
            counts_from=row["from"],
            remains=row["left"],
        )
        if rule.least_days < 1 and rule.key != RuleKey.ANSWERS:
            raise ValueError(f"{rule.key}: a time of less than a day would erase what has just come")
        rules.append(rule)
    return RetentionRules(
        tuple(rules),
        dt.timedelta(days=body["shown_days"]),
        dt.timedelta(days=body["delay_days"]),
        dt.timedelta(days=body["copies_days"]),
        int(body["step"]),
    )


@dataclass(frozen=True)
class SignedMoment:
    """A moment that a phone signed, and when it came by the centre's clock."""

    device_id: int
    received_at: dt.datetime
    finished_at: dt.datetime


@dataclass(frozen=True)
class ClockState:
    """What is known of the centre's clock."""

    ticked_at: dt.datetime | None
    doubted_at: dt.datetime | None
    confirmed_at: dt.datetime | None  # when an admin said that its day is right


class Doubt(StrEnum):
    """Why the clock is not believed, so that nothing is erased."""

    NONE = ""
    GAP = "gap"  # the job did not run for days, or the clock went back
    SILENCE = "silence"  # no phone has sent anything for a week
    DISAGREES = "disagrees"  # the newest that a phone signed is more than a day off


def check_clock(now: dt.datetime, state: ClockState, signed: Sequence[SignedMoment]) -> tuple[ClockState, Doubt]:
    """Return the state after a look at the clock, and whether it may be believed.

    A box alone cannot know what day it is: after a gap it waits for two phones, or an admin who confirms the day.
    """
    doubted_at = state.doubted_at
    if state.ticked_at is None or not dt.timedelta() <= now - state.ticked_at <= LONGEST_GAP:
        doubted_at = now
    is_confirmed = state.confirmed_at is not None and dt.timedelta() <= now - state.confirmed_at <= NEAR
    seen = [moment for moment in signed if dt.timedelta() <= now - moment.received_at <= RECENT]
    if doubted_at is not None and (is_confirmed or _count_agreeing(seen, doubted_at) >= PHONES_AFTER_A_GAP):
        doubted_at = None
    after = replace(state, ticked_at=now, doubted_at=doubted_at)
    if doubted_at is not None:
        return after, Doubt.GAP
    if is_confirmed:
        return after, Doubt.NONE
    if not seen:
        return after, Doubt.SILENCE
    newest = max(moment.received_at for moment in seen)
    latest = [moment for moment in seen if newest - moment.received_at <= NEAR]
    return after, Doubt.NONE if _is_near(latest) else Doubt.DISAGREES


def _count_agreeing(signed: Sequence[SignedMoment], since: dt.datetime) -> int:
    by_phone: dict[int, list[SignedMoment]] = {}
    for moment in signed:
        if moment.received_at >= since:
            by_phone.setdefault(moment.device_id, []).append(moment)
    return sum(_is_near(moments) for moments in by_phone.values())


def _is_near(signed: Sequence[SignedMoment]) -> bool:
    """Say whether a phone's clock agrees, by what was finished last before it was sent.

    What waited on a phone was finished long before it came; so the smallest difference counts.
    """
    ahead = max(moment.finished_at - moment.received_at for moment in signed)
    return -NEAR <= ahead <= NEAR


def list_free_texts(definition: FormDefinition) -> list[Element]:
    """Return the questions of a form whose answers are free text.

    One that code reads by a role is none.
    """
    read_by_role = set(definition.summary.values())
    texts = []
    for element in definition.elements:
        is_text = element.is_answered and not element.is_select and element.privacy == PrivacyClass.FREE_TEXT
        if is_text and element.path not in read_by_role:
            texts.append(element)
    return texts


def cut_texts(definition: FormDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers without their free texts; an attachment is not one."""
    return cut_answers(answers, list_free_texts(definition), has_files=True)


def cut_answers(answers: Mapping[str, Any], elements: Iterable[Element], has_files: bool) -> dict[str, Any]:
    """Return answers without those to some questions.

    Where a form requires a text, a mark takes its place, so that the form's rules hold as before. `has_files`: the
    attachments among them stay.
    """
    cut: Any = answers
    for element in elements:
        is_marked = element.required is not None and element.answer_kind == AnswerKind.TEXT
        cut = _cut(cut, element.path.split("/")[2:], ERASED_TEXT if is_marked else "", has_files)
    return dict(cut)


def _cut(value: Any, names: Sequence[str], mark: str, has_files: bool) -> Any:
    if isinstance(value, list):
        return [_cut(each, names, mark, has_files) for each in value]
    if not isinstance(value, Mapping) or names[0] not in value:
        return value
    rest = dict(value)
    inner = rest[names[0]]
    if len(names) > 1:
        rest[names[0]] = _cut(inner, names[1:], mark, has_files)
    elif has_files and isinstance(inner, str) and inner.startswith("attachment:"):
        return value
    elif mark:
        rest[names[0]] = mark
    else:
        del rest[names[0]]
    return rest


def months_before(moment: dt.datetime, months: int) -> dt.datetime:
    """Return the same moment some months earlier; in a shorter month on its last day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def month_start(moment: dt.datetime) -> dt.datetime:
    """Return the first moment of a month, in UTC."""
    return moment.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_end(moment: dt.datetime) -> dt.datetime:
    """Return the last second of a month, in UTC.

    A no whose time becomes this counts as said later, never earlier, than it was.
    """
    start = month_start(moment)
    next_month = (start + dt.timedelta(days=32)).replace(day=1)
    return next_month - dt.timedelta(seconds=1)
