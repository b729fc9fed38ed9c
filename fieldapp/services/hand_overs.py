"""The caseload as supervisors see it: whose cards are whose, what is late, and giving a card to somebody else."""

import datetime as dt
import hashlib
import json
import uuid
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from fieldapp.services.access import WORKER
from fieldapp.services.acts import Act, act, reading
from fieldapp.services.intake import Arrived, take_in
from fieldapp.services.problems import N_, ActProblem, not_found
from fieldapp.services.revisions import check_revision
from fieldapp.store import cards, centres, follow_ups, users
from fieldapp.store.cards import Card
from fieldapp.store.follow_ups import FollowUp
from fieldapp.store.submissions import OFFICE
from fieldapp.store.users import User
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


@reading("caseload.list")
def list_caseload(a: Act, after: str = "", worker_id: int | None = None) -> Caseload:
    centre = centres.get(a.session, a.centre_id)
    today = a.now.astimezone(zoneinfo.ZoneInfo(centre.time_zone)).date()
    found = cards.list_for(a.session, a.centre_id, after, PAGE + 1, worker_id)
    everybody = users.list_for(a.session, a.centre_id)
    return Caseload(
        today,
        found[:PAGE],
        found[PAGE - 1].code if len(found) > PAGE else "",
        follow_ups.due_until(a.session, a.centre_id, today),
        cards.count_by_worker(a.session, a.centre_id),
        [user for user in everybody if user.role == WORKER and user.active],
        {user.id: user.label for user in everybody},
    )


@act("card.assign")
def assign_card(a: Act, code: str, user_id: int, seen: str | None = None) -> None:
    """Give a card, with what is due for it, to another worker; both phones learn it at their next contact."""
    card = cards.by_codes(a.session, a.centre_id, [plain_code(code)]).get(plain_code(code))
    if card is None:
        raise not_found()
    worker = users.of_centre(a.session, a.centre_id, user_id)
    if worker is None or worker.role != WORKER or not worker.active:
        raise ActProblem("card.worker", N_("Choose an outreach worker who is active."))
    check_revision(a, seen, card, f"card/{card.id}", ("card.assign",))
    body = json.dumps({"code": card.code, "to": worker.id})
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    take_in(a, [Arrived(Envelope(str(uuid.uuid4()), HANDOVER, "1", a.now, body, sha256), via=OFFICE)])
    a.note(f"card/{card.id}", to=worker.id)
