"""The caseload: whose cards are whose, what is due, which referrals are open; and what workers' phones should know of it.

There is no register of people: a card is a code, and all else is read from records and notes. Whatever order they arrive in,
the same comes of it.
"""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fieldapp.services.acts import ActContext, act
from fieldapp.services.caseload.record_state import Change, Part
from fieldapp.services.definitions import find_definitions
from fieldapp.store.caseload import cards, follow_ups
from fieldapp.store.caseload.cards import Card
from fieldapp.store.caseload.follow_ups import FollowUp
from fieldapp.store.consent import standing
from fieldapp.store.people import users
from fieldapp.store.phones import pull
from fieldapp.store.records import records, reviews, submissions
from fieldapp.store.session import Session
from forms.expressions.values import parse_date
from forms.roles import ChoiceRole, QuestionRole
from sync.bodies import read_body
from sync.envelope import Envelope
from sync.notes import HANDOVER, REISSUE, SETTLE, HandOver, find_current_owner, is_caseload_note, parse_due, plain_code

LONG_AGO = 14  # days
MAX_ANSWERS = 20_000  # characters of a record that a phone gets back to correct

Wanted = dict[tuple[int, str], str]  # worker, key of the feed → JSON; "" to forget it


def note_changes(ctx: ActContext, changed: Sequence[Change], parts: Sequence[Part]) -> None:
    """Bring the caseload up to date with records that changed and notes that came."""
    wanted: Wanted = {}
    corrected = {part.envelope.record for part in parts if part.envelope.root}
    gone: set[str] = set()  # referrals that are none any more
    for root in corrected:
        submissions.settle_corrected(ctx.session, ctx.centre_id, root)
    for change in changed:
        if change.root_id in corrected:
            wanted[change.author_id, f"rec/{change.root_id}"] = ""
            if not change.summary("status"):
                gone.add(f"ref/{change.root_id}")
    told = [change for change in changed if change.root_id in corrected or _tells(change)]
    notes = [(part, dict(part.answers)) for part in parts if part.definition is None]
    settled = {due for part in parts if (due := parse_due(part.envelope.due))}
    settled |= {due for part, note in notes if part.envelope.form == SETTLE and (due := parse_due(note["due"]))}
    given = [plain_code(note["code"]) for part, note in notes if part.envelope.form == HANDOVER]
    if told or given or settled:
        _bring_up_to_date(ctx, told, given, settled, wanted)
    for part, note in notes:
        if part.envelope.form == REISSUE:
            wanted[_author(ctx), f"clash/{plain_code(note['code'])}"] = ""
    pull.publish(ctx.session, wanted)
    pull.forget(ctx.session, {change.author_id for change in changed}, gone)
    forget_refused(ctx, changed)


def show_standing(ctx: ActContext, codes: Collection[str]) -> None:
    """Write people's standing consent on their cards, and tell the phones."""
    held = cards.by_codes(ctx.session, ctx.centre_id, codes) if codes else {}
    tiers = standing.of(ctx.session, ctx.centre_id, list(held))
    for code, card in held.items():
        card.tier = str(tiers.get(code, ""))
    pull.publish(ctx.session, {(card.worker_id, f"card/{code}"): card_body(card) for code, card in held.items()})


def forget_refused(ctx: ActContext, changed: Collection[Change]) -> None:
    """Take records that became a no off everybody's phones: what is due, referrals, what is to be corrected.

    What their earlier versions said of a card's consent is shown on the card.
    """
    roots = {change.root_id for change in changed if change.is_refusal}
    if not roots:
        return
    rows = follow_ups.of_records(ctx.session, ctx.centre_id, roots)
    keys = {f"due/{row.key}" for row in rows}
    for root in roots:
        keys |= {f"ref/{root}", f"rec/{root}"}
    everybody = [user.id for user in users.list_for(ctx.session, ctx.centre_id)]
    pull.forget(ctx.session, everybody, keys)
    for row in rows:
        ctx.session.delete(row)
    ctx.session.flush()
    reviews.forget_comments(ctx.session, ctx.centre_id, roots)
    show_standing(ctx, {word.person for word in standing.words(ctx.session, ctx.centre_id, roots)} - {""})


@act("caseload.rebuild")
def rebuild_caseload(ctx: ActContext) -> int:
    """Read the caseload from records that arrived before there was one, and return how many tell of it.

    What was due long ago is left alone.
    """
    since = ctx.now.date() - dt.timedelta(days=LONG_AGO)
    told = 0
    for some in records.batches(ctx.session, ctx.centre_id):
        definitions = find_definitions(ctx.session, ctx.centre_id, {(one.form, one.version) for one in some})
        # Older versions let corrections under another form in: such a record has no form that it could be read by.
        changes = [
            Change(
                one.instance_id,
                one.form,
                one.version,
                one.author_id,
                one.occurred_on,
                one.answers,
                one.heads,
                definitions[one.form, one.version],
                finished_on=since,
            )
            for one in some
            if (one.form, one.version) in definitions
        ]
        wanted: Wanted = {}
        telling = [change for change in changes if _tells(change)]
        told += len(telling)
        if telling:
            _bring_up_to_date(ctx, telling, [], set(), wanted)
            pull.publish(ctx.session, wanted)
    ctx.describe("caseload", records=told)
    return told


def lacks_caseload(session: Session, centre_id: int) -> bool:
    """Say whether a centre has records and no caseload: they came before version 0004 of the schema."""
    return not cards.list_for(session, centre_id, limit=1) and records.is_any(session, centre_id)


def _author(ctx: ActContext) -> int:
    assert ctx.actor.user_id is not None
    return ctx.actor.user_id


def _tells(change: Change) -> bool:
    return bool(change.cards) or any(change.summary(key) for key in ("person", "due", "plan", "status"))


def _bring_up_to_date(
    ctx: ActContext, told: Sequence[Change], given: Sequence[str], settled: set[tuple[str, dt.date]], wanted: Wanted
) -> None:
    codes = {code for change in told for code in (_person(change), *map(plain_code, change.cards)) if code} | set(given)
    held = cards.by_codes(ctx.session, ctx.centre_id, codes) if codes else {}
    before = {code: card.worker_id for code, card in held.items()}
    for change in told:
        _see(ctx, change, held, wanted)
    for code in given:
        if card := held.get(code):
            _hand_over(ctx, card)
    touched = _follow_ups(ctx, told, settled)
    ctx.session.flush()
    tiers = standing.of(ctx.session, ctx.centre_id, list(held))
    for code, card in held.items():
        card.tier = str(tiers.get(code, ""))
    moved = {code for code, card in held.items() if before.get(code, card.worker_id) != card.worker_id}
    if moved:
        touched += follow_ups.of_codes(ctx.session, ctx.centre_id, moved)
    for code, card in held.items():
        wanted[card.worker_id, f"card/{code}"] = card_body(card)
        if code in moved:
            wanted[before[code], f"card/{code}"] = ""
    for one in touched:
        owner = held[one.code].worker_id if one.code in held else one.worker_id
        wanted[owner, f"due/{one.key}"] = due_body(one)
        if one.code in moved:
            wanted[before[one.code], f"due/{one.key}"] = ""
    for change in told:
        if change.summary("status"):
            wanted[change.author_id, f"ref/{change.root_id}"] = _referral_body(change)


def _person(change: Change) -> str:
    return plain_code(change.summary("person"))


def _see(ctx: ActContext, change: Change, held: dict[str, Card], wanted: Wanted) -> None:
    """Note on a card that somebody was seen, and who made it."""
    for code in {_person(change), *map(plain_code, change.cards)} - {""}:
        card = held.get(code)
        if card is None:
            card = held[code] = Card(
                centre_id=ctx.centre_id,
                code=code,
                first_id=change.author_id,
                worker_id=change.author_id,
                tier="",
                is_open=True,
            )
            ctx.session.add(card)
        if code == _person(change) and (card.seen_on is None or change.day >= card.seen_on):
            card.seen_on = change.day
            card.is_open = not change.is_chosen(QuestionRole.KIND, ChoiceRole.ENDS_WORK)
        if code in map(plain_code, change.cards):
            _issue(ctx, card, change.author_id, wanted)


def _issue(ctx: ActContext, card: Card, author_id: int, wanted: Wanted) -> None:
    """Note which phone made a card; the second one to say so is asked to give its person a new code."""
    if card.issued_by is None:
        card.issued_by = ctx.actor.device_id
        if card.first_id != author_id:
            card.first_id = author_id
            ctx.session.flush()
            _hand_over(ctx, card)
    elif card.issued_by != ctx.actor.device_id:
        card.clashes_with = ctx.actor.device_id
        wanted[author_id, f"clash/{card.code}"] = json.dumps({"code": card.code})


def card_root(code: str) -> str:
    """Return under what a card's hand-overs are kept among the submissions."""
    return f"card/{code}"


def _hand_over(ctx: ActContext, card: Card) -> None:
    workers = {user.id for user in users.list_for(ctx.session, ctx.centre_id) if user.role == "worker"}
    given = []
    for one in submissions.of_record(ctx.session, ctx.centre_id, card_root(card.code)):
        to = json.loads(one.body)["to"]
        if to in workers and not one.problems:
            given.append(HandOver(one.finished_at, one.instance_id, one.author_id, one.via == submissions.OFFICE, to))
    card.worker_id = find_current_owner(card.first_id, given)


def _follow_ups(ctx: ActContext, told: Sequence[Change], settled: set[tuple[str, dt.date]]) -> list[FollowUp]:
    """Write what is due because of records, and what is not any more; return all that was touched."""
    roots = {change.root_id for change in told} | {root for root, _ in settled}
    rows = {(one.root_id, one.due_on): one for one in follow_ups.of_records(ctx.session, ctx.centre_id, roots)}
    contacts = records.last_contacts(ctx.session, ctx.centre_id, {code for change in told if (code := _person(change))})
    for change in told:
        code, days = _person(change), days_due(change)
        for on in days:
            row = rows.get((change.root_id, on)) or _added(ctx, rows, change.root_id, on, change.author_id)
            row.is_wanted, row.code, row.worker_id = True, code, change.author_id
            row.form, row.from_on = change.form, change.day
            row.is_settled |= any(day >= on and root != change.root_id for day, root in contacts.get(code, ()))
        for (root, on), row in rows.items():
            if root == change.root_id and on not in days:
                row.is_wanted = False
    for root, on in settled:
        (rows.get((root, on)) or _added(ctx, rows, root, on, _author(ctx))).is_settled = True
    for (root, on), row in rows.items():  # who did the later one needs not do the earlier one any more
        row.is_settled |= any(other.is_settled for (same, later), other in rows.items() if same == root and later > on)
    touched = list(rows.values())
    for one in follow_ups.of_codes(ctx.session, ctx.centre_id, contacts):
        if any(day >= one.due_on and root != one.root_id for day, root in contacts[one.code]):
            one.is_settled = True
            touched.append(one)
    return touched


def _added(ctx: ActContext, rows: dict[tuple[str, dt.date], FollowUp], root: str, on: dt.date, worker_id: int) -> FollowUp:
    row = rows[root, on] = FollowUp(
        centre_id=ctx.centre_id,
        root_id=root,
        due_on=on,
        from_on=on,
        form="",
        code="",
        worker_id=worker_id,
        is_wanted=False,
        is_settled=False,
    )
    ctx.session.add(row)
    return row


def days_due(change: Change) -> set[dt.date]:
    """Return the days on which a record wants something done (`addFinishedRecord` in the client's caseload_updates.ts)."""
    found = set()
    if due := parse_date(change.summary("due")):
        found.add(due.moment().date())
    for name in change.summary("plan").split():
        number = name.removeprefix("d")
        if number.isdecimal() and 0 < int(number) < 400:
            found.add(change.day + dt.timedelta(days=int(number)))
    return {on for on in found if change.finished_on is None or on >= change.finished_on}


def card_body(card: Card) -> str:
    if not card.is_open:
        return ""
    return json.dumps({"code": card.code, "tier": card.tier, "seen": card.seen_on.isoformat() if card.seen_on else ""})


def due_body(one: FollowUp) -> str:
    if not one.is_open:
        return ""
    return json.dumps({"on": one.due_on.isoformat(), "code": one.code, "form": one.form, "from": one.from_on.isoformat()})


def _referral_body(change: Change) -> str:
    if change.is_chosen(QuestionRole.STATUS, ChoiceRole.ENDS_REFERRAL):
        return ""
    about = {"day": change.day.isoformat(), "code": _person(change)}
    about |= {key: change.summary(key) for key in ("kind", "status")}
    return json.dumps(about | correctable(change.form, change.version, change.answers, change.heads))


def correctable(form: str, version: str, answers: Mapping[str, Any], heads: Sequence[str]) -> dict[str, Any]:
    """Return what a phone needs to open a record of its own worker again."""
    small = len(json.dumps(answers)) <= MAX_ANSWERS
    return {"form": form, "version": version, "answers": answers if small else {}, "heads": list(heads)}


def note_refused(ctx: ActContext, mended: Collection[str], refused: Sequence[tuple[Envelope, list[dict[str, Any]]]]) -> None:
    """Tell phones which of their worker's records the centre could not take, so that they can be corrected there."""
    wanted: Wanted = {}
    for envelope, problems in refused:
        if is_caseload_note(envelope):
            continue
        if submissions.settle_corrected(ctx.session, ctx.centre_id, envelope.record):
            continue
        try:
            answers = read_body(envelope.body, None)
        except ValueError:  # XML too: ODK Collect keeps its own copy
            continue  # sealed to a key that is gone, or no answers at all: nothing that a worker could correct
        if envelope.record in mended or not isinstance(answers, dict) or "box" in answers:
            continue
        about = {"state": "rejected", "day": envelope.finished_at.date().isoformat()}
        about |= correctable(envelope.form, envelope.version, answers, [envelope.instance_id])
        reasons = [{"code": one.get("code", ""), "path": one.get("path", "")} for one in problems[:20]]
        wanted[_author(ctx), f"rec/{envelope.record}"] = json.dumps({**about, "problems": reasons})
    pull.publish(ctx.session, wanted)
