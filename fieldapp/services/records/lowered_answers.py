"""Take out of what is stored the answers that consent does not reach any more.

An answer may need more than a yes (`consent::keep`). When what stands falls, such answers go from the person's records
and from every submission about them, also from what was refused or kept aside. A later yes brings nothing back.

Whatever lowers what stands leaves a mark (`StandingRow.above_since`) in its transaction. Each person is cut in one
transaction of its own, which takes the mark away: killed anywhere, the next run begins with that person again.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from fieldapp.services.acts import ActContext, Actor, act, read_act
from fieldapp.services.consent import ending
from fieldapp.services.consent.body_cutter import BodyCutter
from fieldapp.services.records.folding import refold
from fieldapp.store.consent import erased_bytes, retention
from fieldapp.store.consent import standing as words
from fieldapp.store.operations import centres
from fieldapp.store.records import records, submissions
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import HELD
from fieldapp.store.session import Session
from forms import keep
from forms.definition import FormDefinition
from forms.roles import QuestionRole

# Two answers that did not know of each other: phones ask again at the next contact, and what is cut cannot be put back.
WAIT_IN_DOUBT = dt.timedelta(days=30)


def cut_in_every_centre(session: Session) -> int:
    """Cut what consent does not reach any more; return of how many people something went.

    Killed at any moment, it goes on at the next run.
    """
    count = 0
    for centre_id in [centre.id for centre in centres.list_all(session)]:
        system = Actor.system(centre_id)
        for person in _list_due(session, system):
            count += _cut_person(session, system, person=person)
    _overwrite_cut(session)
    return count


@read_act("answers.cut")
def _list_due(ctx: ActContext) -> list[str]:
    return words.list_above(ctx.session, ctx.centre_id, ctx.now - WAIT_IN_DOUBT)


@act("answers.cut")
def _cut_person(ctx: ActContext, person: str) -> bool:
    """Cut what is stored about a person to what stands; return whether anything went."""
    # Whoever takes records in holds this off, so nothing of the person comes in between.
    centres.lock(ctx.session, ctx.centre_id)
    stands = words.lock_above(ctx.session, ctx.centre_id, person, ctx.now - WAIT_IN_DOUBT)
    ctx.skip_audit()
    if stands is None:
        return False
    traces = ending.find_traces(ctx, person)
    preserved = traces.roots & retention.list_held_roots(ctx.session, ctx.centre_id, ctx.now)
    cutter = LevelCutter(ctx, stands.tier)
    count = 0
    for root_id in sorted(traces.roots - preserved):
        count += _cut_record(ctx, cutter, root_id)
    # Versions of a record that is somebody else's by now, and what became part of no record.
    loose = [each for each in traces.alone if each.root_id not in preserved]
    loose += [each for each in traces.mentions if ending.is_about(ctx, each, person)]
    count += cutter.cut_submissions(loose)
    cutter.cut_messages({each.root_id for each in loose})
    if not preserved:  # what is preserved is looked at again until its hold is over
        stands.above_since = None
    if count:
        stands.is_in_log = True
        ctx.is_audited = True
        ctx.describe("answers", records=count)
    return bool(count)


def _cut_record(ctx: ActContext, cutter: "LevelCutter", root_id: str) -> int:
    """Cut a record and all that was sent for it; return from how many submissions."""
    arrived = [each for each in submissions.of_record(ctx.session, ctx.centre_id, root_id) if each.state != HELD]
    count = cutter.cut_submissions(arrived)
    cutter.cut_messages([root_id])
    record = records.lock_existing(ctx.session, ctx.centre_id, [root_id]).get(root_id)
    if record is None:
        return count
    was_contested = bool(record.contested)
    is_changed = cutter.cut_record(record)
    ctx.session.flush()
    if is_changed and was_contested and not record.contested:
        _choose_for_all(ctx, record)
    return count or int(is_changed)


def _choose_for_all(ctx: ActContext, record: Record) -> None:
    """Fold a record whose contested answers all went.

    Nobody changed it, so it is as old as it was.
    """
    changed_at = record.changed_at
    refold(ctx, record.instance_id)
    record.changed_at = changed_at


class LevelCutter(BodyCutter):
    """Cuts answers that need more than a tier, and what forms compute of them."""

    def __init__(self, ctx: ActContext, tier: int):
        super().__init__(ctx)
        self.tier = tier

    def cut_answers(self, form: str, version: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        definition = self.find_definition(form, version)
        if definition is None:
            return dict(answers)
        return self._cut_by(definition, answers)

    def _cut_by(self, definition: FormDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
        cut = keep.cut_above(definition, answers, self._list_denied(definition, answers))
        # What the form does not know is left alone unless something goes.
        return dict(answers) if cut == keep.leave_out(definition, answers, ()) else cut

    def _list_denied(self, definition: FormDefinition, answers: Mapping[str, Any]) -> Collection[str]:
        return keep.list_denied(definition, self.tier, lambda role: definition.read_role(answers, role))

    def cut_record(self, record: Record) -> bool:
        """Cut such answers from a record; say whether it had any.

        Those among which somebody would have to choose go too.
        """
        definition = self.find_definition(record.form, record.version)
        if definition is None:
            return False
        gone = keep.list_made_of(definition, self._list_denied(definition, record.answers))
        answers = self._cut_by(definition, record.answers)
        contested = []
        for conflict in record.contested:
            path = "/data/" + conflict["path"].replace(".", "/")
            if path not in gone:
                values = {head: _cut_repeat(definition, value, gone, path) for head, value in conflict["values"].items()}
                contested.append({**conflict, "values": values})
        is_changed = bool(answers != record.answers or contested != record.contested)
        if is_changed:
            record.answers = answers
            record.contested = contested
        area = definition.summary.get(QuestionRole.AREA)
        if area in gone:
            record.area = ""
        return is_changed


def _cut_repeat(definition: FormDefinition, value: Any, gone: Collection[str], path: str) -> Any:
    """Return an answer as it is, but a whole repeat without what goes."""
    if not isinstance(value, list):
        return value
    return [keep.leave_out(definition, instance, gone, path) for instance in value if isinstance(instance, Mapping)]


def _overwrite_cut(session: Session) -> None:
    """Overwrite in the database's files what was cut.

    While somebody reads, it is tried again at the next run.
    """
    session.rollback()
    by_centre: dict[int, list[str]] = {}
    for centre_id, person in words.list_in_log(session):
        by_centre.setdefault(centre_id, []).append(person)
    if by_centre and erased_bytes.overwrite_erased(session):
        for centre_id, persons in by_centre.items():
            _note_log_emptied(session, Actor.system(centre_id), persons=persons)


@act("answers.cut")
def _note_log_emptied(ctx: ActContext, persons: Collection[str]) -> None:
    ctx.skip_audit()
    words.note_log_emptied(ctx.session, ctx.centre_id, persons)
