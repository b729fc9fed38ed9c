"""The caseload for supervisors: whose cards are whose, what is late, and hand-overs."""

import datetime as dt
import hashlib
import json
import uuid
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.access import WORKER
from fieldapp.services.acts import ActContext, act, view_act
from fieldapp.services.problems import N_, ActProblem, make_not_found
from fieldapp.services.records.decisions import IncomingSubmission
from fieldapp.services.records.intake import store_submissions
from fieldapp.services.revisions import check_revision
from fieldapp.store.caseload import cards, follow_ups
from fieldapp.store.caseload.cards import Card
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.operations import centres
from fieldapp.store.people import users
from fieldapp.store.people.users import User
from fieldapp.store.records.submissions import OFFICE
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
    of_worker = {} if worker_id is None else {"worker_id": worker_id}
    ctx.describe("caseload", **of_worker, shown=min(len(rows), PAGE))
    return Caseload(
        today,
        rows[:PAGE],
        next_code,
        follow_ups.due_until(ctx.session, ctx.centre_id, today),
        cards.count_by_worker(ctx.session, ctx.centre_id),
        [user for user in everybody if user.role == WORKER and user.active],
        {user.id: user.label for user in everybody},
    )


@act("card.hand_over")
def assign_card(ctx: ActContext, code: str, user_id: int, seen: str | None = None) -> None:
    """Give a card and its follow-ups to another worker; both phones learn it when they sync."""
    card = cards.by_codes(ctx.session, ctx.centre_id, [plain_code(code)]).get(plain_code(code))
    if card is None:
        raise make_not_found()
    worker = users.of_centre(ctx.session, ctx.centre_id, user_id)
    if worker is None or worker.role != WORKER or not worker.active:
        raise ActProblem("card.worker", N_("Choose an outreach worker who is active."))
    check_revision(ctx, seen, card, f"card/{card.id}", ("card.hand_over",))
    body = json.dumps({"code": card.code, "to": worker.id})
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    store_submissions(
        ctx, [IncomingSubmission(Envelope(str(uuid.uuid4()), HANDOVER, "1", ctx.now, body, sha256), channel=OFFICE)]
    )
    ctx.describe(f"card/{card.id}", to=worker.id)
