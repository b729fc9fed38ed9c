"""Follow-ups: what records want done on which days, and what was done already."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from fieldapp.services.acts import ActContext
from fieldapp.services.caseload.chains import Chain
from fieldapp.services.caseload.handed_over import Ownership
from fieldapp.services.caseload.record_state import RecordState
from fieldapp.services.definitions import find_form_role
from fieldapp.store.caseload import follow_ups
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.records import records
from forms.expressions.values import parse_date
from forms.roles import REVIEWED, ChoiceRole, QuestionRole

Due = tuple[str, dt.date]  # the record that a follow-up is of, and its day
Contacts = Mapping[str, Sequence[tuple[dt.date, str]]]  # card code → day and record of each last contact
MAX_DAYS = 400  # of a plan


class _Contacts:
    """When people were met last: by any record, and by those of a form with reviews."""

    def __init__(self, ctx: ActContext, codes: Collection[str]):
        self.ctx = ctx
        self.codes = codes
        self.of_any = records.last_contacts(ctx.session, ctx.centre_id, codes)
        self.of_form: dict[str, Contacts] = {}

    def did(self, follow_up: FollowUp) -> bool:
        """Say whether another record met the person on the day of a follow-up, or after it."""
        contacts: Contacts = self.of_any
        if is_review(self.ctx, follow_up):
            if follow_up.form not in self.of_form:
                reviews = records.last_contacts(self.ctx.session, self.ctx.centre_id, self.codes, follow_up.form)
                self.of_form[follow_up.form] = reviews
            contacts = self.of_form[follow_up.form]
        days = contacts.get(follow_up.code, ())
        return any(day >= follow_up.due_on and root_id != follow_up.root_id for day, root_id in days)


class _FollowUps:
    """Follow-ups of some records by their record and day; those that are missing are created."""

    def __init__(self, ctx: ActContext, root_ids: set[str]):
        self.ctx = ctx
        self.by_due: dict[Due, FollowUp] = {}
        for follow_up in follow_ups.of_records(ctx.session, ctx.centre_id, root_ids):
            self.by_due[follow_up.root_id, follow_up.due_on] = follow_up

    def get_or_create(self, root_id: str, due_on: dt.date, worker_id: int) -> FollowUp:
        follow_up = self.by_due.get((root_id, due_on))
        if follow_up is None:
            follow_up = FollowUp(
                centre_id=self.ctx.centre_id,
                # A row also for a follow-up that no record asked for (yet): somebody says that it
                # is done, and the record may still come.
                root_id=root_id,
                due_on=due_on,
                from_on=due_on,
                form="",
                code="",
                worker_id=worker_id,
                is_wanted=False,
                is_settled=False,
            )
            self.by_due[root_id, due_on] = follow_up
            self.ctx.session.add(follow_up)
        return follow_up

    def plan(self, chain: Chain, contacts: _Contacts, worker_id: int) -> None:
        """Write what a record wants done, and that it wants nothing on other days any more.

        Each of its follow-ups does what was due until its day, may ask for more, and may end it all. `worker_id`: who is to
        do it.
        """
        record_state = chain.first
        later = chain.later
        days = list_days_due(record_state)
        for visit in later:
            days |= list_days_due(visit)
        if any(ends_follow_ups(visit) for visit in later):
            days = set()
        last_visit = max((visit.day for visit in later), default=dt.date.min)
        for due_on in days:
            follow_up = self.get_or_create(record_state.root_id, due_on, worker_id)
            follow_up.is_wanted = True
            follow_up.code = record_state.person
            follow_up.worker_id = worker_id
            follow_up.form = record_state.form
            follow_up.from_on = record_state.day
            follow_up.is_settled |= due_on <= last_visit
            # Met since: a contact on that day or later settles it, also when the record arrives
            # after the contact.
            follow_up.is_settled |= contacts.did(follow_up)
        for (root_id, due_on), follow_up in self.by_due.items():
            if root_id == record_state.root_id and due_on not in days:
                # Not deleted: phones have it, and have to be told that it is not wanted.
                follow_up.is_wanted = False

    def settle_earlier(self) -> None:
        """Settle what was due before a settled one: the later visit makes the earlier needless."""
        last: dict[str, dt.date] = {}
        for (root_id, due_on), follow_up in self.by_due.items():
            if follow_up.is_settled:
                last[root_id] = max(due_on, last.get(root_id, due_on))
        for (root_id, due_on), follow_up in self.by_due.items():
            follow_up.is_settled |= root_id in last and last[root_id] > due_on


def update_follow_ups(
    ctx: ActContext, chains: Sequence[Chain], owners: Mapping[str, Ownership], completed: set[Due], author_id: int
) -> list[FollowUp]:
    """Update the follow-ups that chains ask for or no longer ask for; return those changed.

    `owners`: to whom records were handed over, by record. `completed`: follow-ups that somebody says were done, or are
    not needed. `author_id`: who says so.
    """
    root_ids = {chain.first.root_id for chain in chains} | {root_id for root_id, _ in completed}
    rows = _FollowUps(ctx, root_ids)
    codes = {chain.first.person for chain in chains} - {""}
    contacts = _Contacts(ctx, codes)
    for chain in chains:
        ownership = owners.get(chain.first.root_id)
        rows.plan(chain, contacts, ownership.worker_id if ownership else chain.first.author_id)
    for root_id, due_on in completed:
        rows.get_or_create(root_id, due_on, author_id).is_settled = True
    rows.settle_earlier()
    return [*rows.by_due.values(), *_settle_met(ctx, contacts)]


def ends_follow_ups(visit: RecordState) -> bool:
    """Say whether nothing of the record that a follow-up is of is due any more."""
    return visit.is_chosen(QuestionRole.PLAN, ChoiceRole.ENDS_FOLLOW_UPS)


def _settle_met(ctx: ActContext, contacts: _Contacts) -> list[FollowUp]:
    """Settle the follow-ups of people who were met since, and return them."""
    settled = []
    for follow_up in follow_ups.of_codes(ctx.session, ctx.centre_id, contacts.of_any):
        if contacts.did(follow_up):
            follow_up.is_settled = True
            settled.append(follow_up)
    return settled


def is_review(ctx: ActContext, follow_up: FollowUp) -> bool:
    """Say whether only another record of its form does a follow-up."""
    return follow_up.code != "" and find_form_role(ctx.session, ctx.centre_id, follow_up.form) in REVIEWED


def list_days_due(record_state: RecordState) -> set[dt.date]:
    """Return the days on which a record wants something done.

    The twin of `addFinishedRecord` in the client's caseload_updates.ts.
    """
    days = set()
    due = parse_date(record_state.read_role(QuestionRole.DUE))
    if due:
        days.add(due.moment().date())
    for name in record_state.read_role(QuestionRole.PLAN).split():
        number = name.removeprefix("d")
        if number.isdecimal() and 0 < int(number) < MAX_DAYS:
            days.add(record_state.day + dt.timedelta(days=int(number)))
    # What was due before the record was finished could not have been done by then. A correction takes no day away
    # that has passed meanwhile.
    finished_on = record_state.first_finished_on or record_state.finished_on
    return {day for day in days if finished_on is None or day >= finished_on}
