"""The caseload for supervisors: whose cards and follow-ups are whose, and hand-overs."""

import datetime as dt
import hashlib
import json
import uuid
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, act, view_act
from fieldapp.services.definitions import load_definitions
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.intake import store_submissions
from fieldapp.services.revisions import check_revision, mark_of, require
from fieldapp.store.caseload import cards, follow_ups
from fieldapp.store.caseload.cards import Card
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.people.users import User
from fieldapp.store.phones import pull
from fieldapp.store.records import records
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import OFFICE
from forms.definition import FormDefinition
from sync.envelope import Envelope
from sync.notes import HANDOVER, plain_code

PAGE = 100


@dataclass(frozen=True)
class Caseload:
    today: dt.date
    cards: Sequence[Card]
    next_code: str  # after which the next page begins; "" on the last
    late: Sequence[FollowUp]  # what was due until today
    counts: dict[int, int]  # worker → open cards
    workers: Sequence[User]
    labels: dict[int, str]
    card_workers: dict[str, int]  # card code → in whose caseload it is, of what is late
    records: Sequence["OwnedRecord"]  # without a card


@dataclass(frozen=True)
class OwnedRecord:
    """A mediation or an incident that asks for more, and whose that is."""

    record: Record
    definition: FormDefinition
    worker_id: int
    due_on: dt.date | None  # None for an incident that is open, and of which nothing is due

    @property
    def revision(self) -> str:
        """Return the mark of what the office decides by."""
        return mark_of("follow_ups", self.record.instance_id, self.worker_id)


@view_act("caseload.list")
def list_caseload(ctx: ActContext, after: str = "", worker_id: int | None = None) -> Caseload:
    """Return one page of cards after a code, of all workers or of one."""
    centre = centres.get(ctx.session, ctx.centre_id)
    today = ctx.now.astimezone(zoneinfo.ZoneInfo(centre.time_zone)).date()
    # One more than a page holds, to know whether there is a next page.
    rows = cards.list_for(ctx.session, ctx.centre_id, after, PAGE + 1, worker_id)
    next_code = ""
    if len(rows) > PAGE:
        next_code = rows[PAGE - 1].code
    everybody = users.list_for(ctx.session, ctx.centre_id)
    of_worker = {"worker_id": worker_id} if worker_id else {}
    ctx.describe("caseload", **of_worker, shown=min(len(rows), PAGE))
    late = follow_ups.due_until(ctx.session, ctx.centre_id, today)
    return Caseload(
        today,
        rows[:PAGE],
        next_code,
        late,
        cards.count_by_worker(ctx.session, ctx.centre_id),
        [user for user in everybody if user.role == WORKER and user.active],
        {user.id: user.label for user in everybody},
        follow_ups.list_card_workers(ctx.session, ctx.centre_id, {item.code for item in late} - {""}),
        _list_records(ctx, [user.id for user in everybody], worker_id or None),  # 0 as none: nobody was chosen
    )


def _list_records(ctx: ActContext, user_ids: Sequence[int], worker_id: int | None, root_id: str = "") -> list[OwnedRecord]:
    """Return what asks for more and names no card.

    The earliest due first, then incidents that are only open.
    """
    due = follow_ups.list_next_without_card(ctx.session, ctx.centre_id, worker_id, root_id or None)
    owners: dict[str, tuple[int, dt.date | None]] = {item.root_id: (item.worker_id, item.due_on) for item in due}
    for each, owner_id in pull.list_open_records(ctx.session, user_ids, root_id).items():
        if worker_id in (None, owner_id):
            owners.setdefault(each, (owner_id, None))
    by_id = {record.instance_id: record for record in records.list_by_ids(ctx.session, ctx.centre_id, list(owners))}
    names = {(record.form, record.version) for record in by_id.values()}
    definitions = load_definitions(ctx.session, ctx.centre_id, names)
    owned = []
    for each, (owner_id, due_on) in owners.items():
        record = by_id.get(each)
        definition = definitions.get((record.form, record.version)) if record else None
        if record is not None and definition is not None and not record.person:
            owned.append(OwnedRecord(record, definition, owner_id, due_on))
    return owned


@act("card.hand_over")
def assign_card(ctx: ActContext, code: str, user_id: int, seen: str | None = None) -> None:
    """Give a card and its follow-ups to another worker; both phones learn it when they sync."""
    card = cards.by_codes(ctx.session, ctx.centre_id, [plain_code(code)]).get(plain_code(code))
    if card is None:
        raise make_not_found()
    worker = _find_worker(ctx, user_id)
    check_revision(ctx, seen, card, f"card/{card.id}", ("card.hand_over",))
    _store_note(ctx, {"code": card.code, "to": worker.id})
    ctx.describe(f"card/{card.id}", to=worker.id)


@act("follow_ups.hand_over")
def assign_record(ctx: ActContext, root_id: str, user_id: int, seen: str | None = None) -> None:
    """Give the follow-ups of a record without a card to another worker.

    Both phones learn it when they sync. Who wrote the record stays its author, and alone corrects it. Raises ActProblem
    "follow_ups.none" where nothing of it is due or open any more.
    """
    if root_id not in records.lock_existing(ctx.session, ctx.centre_id, [root_id]):
        raise make_not_found()
    worker = _find_worker(ctx, user_id)
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    owned = _list_records(ctx, everybody, None, root_id)
    if not owned:
        raise ActProblem("follow_ups.none", N_("Nothing of this record is due any more, so nothing was handed over."))
    require(ctx, seen, owned[0].revision, f"record/{root_id}", ("follow_ups.hand_over",))
    _store_note(ctx, {"record": root_id, "to": worker.id})
    ctx.describe(f"record/{root_id}", to=worker.id)


def _find_worker(ctx: ActContext, user_id: int) -> User:
    worker = users.of_centre(ctx.session, ctx.centre_id, user_id)
    if worker is None or worker.role != WORKER or not worker.active:
        raise ActProblem("card.worker", N_("Choose an outreach worker who is active."))
    return worker


def _store_note(ctx: ActContext, content: dict[str, Any]) -> None:
    """Store a hand-over as a phone's would be stored, but by the office."""
    body = json.dumps(content)
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    envelope = Envelope(str(uuid.uuid4()), HANDOVER, "1", ctx.now, body, sha256)
    store_submissions(ctx, [IncomingSubmission(envelope, channel=OFFICE)])
