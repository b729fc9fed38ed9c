"""Receive a batch of submissions: decide about each, keep every one, answer each, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fieldapp.services.acts import Act, Actor, act
from fieldapp.services.definitions import definition_of
from fieldapp.store import devices, forms, records, submissions
from forms.definition import FormDefinition
from forms.expressions.values import parse_date
from sync.envelope import Envelope
from sync.intake import Decision, Status, decide, decide_aside


@dataclass(frozen=True)
class Arrived:
    """A submission with its number on the phone (0: none given) and, when it is to be kept aside whatever is in it, why."""

    envelope: Envelope
    seq: int = 0
    aside: tuple[str, str] | None = None


def receive_batch(
    session: Session, actor: Actor, items: Sequence[Arrived | Envelope], report: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return one answer a submission: its id, its hash, its status and the reasons when it was refused.

    `report` is what the phone says of itself: columns of the device.
    """
    arrived = [item if isinstance(item, Arrived) else Arrived(item) for item in items]
    try:
        return _receive(session, actor, arrived, report or {})
    except IntegrityError:  # another connection stored one of these between our look and our insert: now we see it
        return _receive(session, actor, arrived, report or {})


@act("batch.receive")
def _receive(a: Act, arrived: list[Arrived], report: dict[str, Any]) -> list[dict[str, Any]]:
    envelopes = [one.envelope for one in arrived]
    known = submissions.known_hashes(a.session, a.centre_id, [envelope.instance_id for envelope in envelopes])
    definitions = _definitions(a, envelopes)
    answers: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    accepted: list[dict[str, Any]] = []
    for one in arrived:
        envelope = one.envelope
        definition = definitions.get((envelope.form, envelope.version))
        decision = decide_aside(envelope, known, one.aside) if one.aside else decide(envelope, definition, known)
        if decision.status not in (Status.DUPLICATE, Status.RETRY):
            kept.append({**_submission(a, envelope, decision), "seq": one.seq})
        if decision.status is Status.STORED:
            assert definition is not None
            accepted.append(_record(a, envelope, decision, definition))
        answers.append(_answer(envelope, decision))
    submissions.add_all(a.session, kept)
    records.add_all(a.session, accepted)
    device = a.session.get_one(devices.Device, a.actor.device_id)
    device.last_seen_at = a.now
    for column, value in report.items():
        setattr(device, column, value)
    counts: dict[str, int] = {}
    for answer in answers:
        counts[answer["status"]] = counts.get(answer["status"], 0) + 1
    a.note(f"device/{device.id}", **counts)
    return answers


def _definitions(a: Act, envelopes: list[Envelope]) -> dict[tuple[str, str], FormDefinition]:
    found = {}
    for form, version in {(envelope.form, envelope.version) for envelope in envelopes}:
        if stored := forms.find(a.session, a.centre_id, form, version):
            found[form, version] = definition_of(stored)
    return found


def _submission(a: Act, envelope: Envelope, decision: Decision) -> dict[str, Any]:
    return {
        "centre_id": a.centre_id,
        "instance_id": envelope.instance_id,
        "form": envelope.form,
        "version": envelope.version,
        "author_id": a.actor.user_id,
        "device_id": a.actor.device_id,
        "finished_at": envelope.finished_at,
        "received_at": a.now,
        "sha256": envelope.sha256,
        "body": envelope.body,
        "state": str(decision.status),
        "problems": [problem.to_json() for problem in decision.problems],
    }


def _record(a: Act, envelope: Envelope, decision: Decision, definition: FormDefinition) -> dict[str, Any]:
    def summary(key: str) -> str:
        value: Any = decision.answers
        for name in definition.summary.get(key, "").split("/")[2:]:
            value = value.get(name, {}) if isinstance(value, dict) else {}
        return value if isinstance(value, str) else ""

    day = parse_date(summary("day"))
    return {
        "centre_id": a.centre_id,
        "instance_id": envelope.instance_id,
        "form": envelope.form,
        "version": envelope.version,
        "author_id": a.actor.user_id,
        "occurred_on": day.moment().date() if day else envelope.finished_at.date(),
        "area": summary("area"),
        "kind": summary("kind"),
        "received_at": a.now,
        "answers": decision.answers,
    }


def _answer(envelope: Envelope, decision: Decision) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": envelope.instance_id, "sha256": envelope.sha256, "status": str(decision.status)}
    if decision.problems:
        answer["problems"] = [problem.to_json() for problem in decision.problems]
    return answer
