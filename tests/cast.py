"""The named cast: a worker, her centre's admin, an evaluator, the admin of another centre, who must never see anything."""

import datetime as dt
import functools
import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldapp.services.acts import Actor
from fieldapp.services.forms.published import publish_form
from fieldapp.services.people import passwords
from fieldapp.services.phones.devices import enrol_device, find_actor_for_token
from fieldapp.services.releases.datasets import load_program_recipe
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people.users import User
from fieldapp.store.releases.releases import ReleaseSeries
from forms.validation import validate
from sync.intake import local_time
from tests.programme import FORMS, compiled_of, definition_of, workbook_of

PASSWORD = "a long test passphrase"


@functools.cache
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


@dataclass(frozen=True)
class Cast:
    centre: Centre
    other_centre: Centre
    amina: Actor  # outreach worker, on her phone
    token: str  # of Amina's phone
    rosa: Actor  # admin of Amina's centre
    eve: Actor  # evaluator at Amina's centre
    olaf: Actor  # admin of the other centre
    system: Actor

    def actor(self, name: str) -> Actor:
        found: Actor = getattr(self, name)
        return found


def make_cast(session: Session) -> Cast:
    now = dt.datetime.now(dt.UTC)
    # A password alone is enough here, as in the demo; tests of two-step verification ask for it.
    centre = Centre(slug="rexdale", name="Rexdale centre", created_at=now, asks_second_factor=False)
    other = Centre(slug="jane", name="Jane centre", created_at=now, asks_second_factor=False)
    session.add_all([centre, other])
    session.flush()
    people = {}
    for name, role, where in [
        ("amina", "worker", centre),
        ("rosa", "admin", centre),
        ("eve", "evaluator", centre),
        ("olaf", "admin", other),
    ]:
        people[name] = User(
            centre_id=where.id,
            username=name,
            label=f"L-{name}",
            role=role,
            password=password_hash(),
            fs_uniquifier=uuid.uuid4().hex,
            created_at=now,
        )
    session.add_all(people.values())
    session.commit()
    token = enrol_device(session, Actor(centre.id, "worker", people["amina"].id), label="Amina's phone").token
    amina = find_actor_for_token(session, token)
    assert amina
    for form in ("encounter", "mediation"):
        publish_form(session, Actor.system(centre.id), compiled=compiled_of(form), workbook=workbook_of(form))
    return Cast(
        centre=centre,
        other_centre=other,
        amina=amina,
        token=token,
        rosa=Actor(centre.id, "admin", people["rosa"].id, is_confirmed=True),
        eve=Actor(centre.id, "evaluator", people["eve"].id, is_confirmed=True),
        olaf=Actor(other.id, "admin", people["olaf"].id, is_confirmed=True),
        system=Actor.system(centre.id),
    )


def publish_others(session: Session, cast: Cast) -> None:
    """Give the centre the forms that releases read beside encounters and mediations."""
    for form in ("participant", "incident", "referral", "shift", "event"):
        publish_form(session, Actor.system(cast.centre.id), compiled=compiled_of(form), workbook=workbook_of(form))


def a_series(
    session: Session, cast: Cast, key: str = "evaluator-quarterly", first_period: str = "2026-Q2", **more: Any
) -> ReleaseSeries:
    """Return a series of the programme at Amina's centre."""
    publish_others(session, cast)
    made = ReleaseSeries(
        centre_id=cast.centre.id, key=key, title={"en": "Outreach", "fr": "Proximité"}, recipe=load_program_recipe(key),
        cadence="quarter", first_period=first_period, secret="5e" * 32, **more,
    )  # fmt: skip
    session.add(made)
    session.commit()
    return made


def another_worker(session: Session, cast: Cast) -> Actor:
    """Return a colleague of Amina's, on a phone of their own."""
    actor = find_actor_for_token(session, another_worker_token(session, cast))
    assert actor
    return actor


def another_worker_token(session: Session, cast: Cast) -> str:
    """Return the token of a new phone of a colleague of Amina's."""
    session.rollback()  # what was read before must not keep an old snapshot
    user = session.scalars(sa.select(User).where(User.username == "basil")).one_or_none()
    if user is None:
        user = User(
            centre_id=cast.centre.id,
            username="basil",
            label="L-basil",
            role="worker",
            password=password_hash(),
            fs_uniquifier=uuid.uuid4().hex,
            created_at=dt.datetime.now(dt.UTC),
        )
        session.add(user)
        session.commit()
    return enrol_device(session, Actor(cast.centre.id, "worker", user.id), label="Basil's phone").token


def crisis_team(session: Session, cast: Cast) -> Actor:
    """Return Carla of the crisis team at Amina's centre."""
    return _person(session, cast.centre.id, "carla", "crisis")


def other_worker(session: Session, cast: Cast) -> Actor:
    """Return Ola, a worker of the other centre."""
    return _person(session, cast.other_centre.id, "ola", "worker")


def _person(session: Session, centre_id: int, name: str, role: str) -> Actor:
    user = User(
        centre_id=centre_id, username=name, label=f"L-{name}", role=role, password=password_hash(),
        fs_uniquifier=uuid.uuid4().hex, created_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    session.add(user)
    session.commit()
    return Actor(centre_id, role, user.id, is_confirmed=True)


def encounter(day: dt.date | None = None, **changes: dict[str, str]) -> dict[str, Any]:
    """Return the answers of a good encounter as a phone would finish it, with groups changed as told."""
    day = day or dt.date.today()
    answers: dict[str, Any] = {
        "what": {"contact_type": "check_in"},
        "when_where": {"enc_date": day.isoformat(), "enc_hour": "21", "nbhd": "002", "setting": "street"},
        "people": {"who": "group"},
        "talk": {"mode": "in_person", "people_n": "1", "risk_now": "low", "minutes": "5_15"},
        "next": {"ref_made": "no", "note": "CANARY quiet night"},
    }
    for group, values in changes.items():
        answers[group] = {**answers.get(group, {}), **values}
    moment = dt.datetime.combine(day, dt.time(22))
    checked = validate(definition_of("encounter"), answers, local_time(moment))
    if (
        checked.is_refusal and "consent" in answers
    ):  # as an older app sends it: the centre must take out what may not be kept
        return {**answers, "consent": {**answers["consent"], "tier": checked.answers["consent"]["tier"]}}
    return checked.answers


def envelope(answers: Any, form: str = "encounter", day: dt.date | None = None, **changes: Any) -> dict[str, Any]:
    """Return an item of a batch as a phone sends it."""
    body = answers if isinstance(answers, str) else json.dumps(answers)
    moment = dt.datetime.combine(day or dt.date.today(), dt.time(22), dt.UTC)
    return {
        "id": str(uuid.uuid4()),
        "form": form,
        "version": definition_of(form if form in FORMS else "encounter").version,
        "finished_at": moment.isoformat(),
        "body": body,
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
        **changes,
    }


def batch(*items: dict[str, Any]) -> bytes:
    return json.dumps({"items": items}).encode()
