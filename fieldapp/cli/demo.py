"""Make a demo: two centres with an invented year, sent as phones send it, and one release."""

import datetime as dt
import hashlib
import json
import random
import uuid
import zoneinfo
from collections.abc import Iterator
from typing import Any

import click

from evaluator_export import periods
from fieldapp import settings as settings_module
from fieldapp.cli.demo_city import ATTRIBUTION, make_outlines
from fieldapp.cli.demo_sign_ins import PASSWORD, greet, refuse_beside_real_centres
from fieldapp.cli.demo_year import AREAS, Year, list_follow_ups
from fieldapp.cli.opening import opened
from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.definitions import load_definition
from fieldapp.services.forms.areas import import_areas
from fieldapp.services.forms.roles import find_area_list, list_areas
from fieldapp.services.keys import attach_keys
from fieldapp.services.operations.centres import add_first_admin, set_up_centre
from fieldapp.services.people import accounts
from fieldapp.services.phones.devices import enrol_device, find_actor_for_token
from fieldapp.services.products.registry import switch_product
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.records.doubtful_times import DOUBTFUL
from fieldapp.services.releases.build import build_release
from fieldapp.services.releases.grace import GRACE_DAYS
from fieldapp.settings import Settings
from fieldapp.store import migrations
from fieldapp.store.database import WriteTransaction, engine_for
from fieldapp.store.forms import versions
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people import users
from fieldapp.store.records import records as stored
from fieldapp.store.releases import releases
from fieldapp.store.session import Session
from fieldapp.store.sweeping import sweep_clear_text
from forms.definition import FormDefinition
from forms.validation import validate
from sync.envelope import MAX_ITEMS, parse_batch
from sync.intake import local_time

WORKERS = 12
MEDIATION = "mediation"
FOLLOW_UP = "mediation_follow_up"


@click.command()
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same year.")
@click.option("--if-empty", is_flag=True, help="Do nothing when the demo is there already.")
def demo(seed: int, if_empty: bool) -> None:
    """Make the demo centre and print how to sign in. All people in it are invented."""
    settings = settings_module.read()
    engine = engine_for(settings.url)
    attach_keys(engine, settings)
    # Here and not only in `db upgrade`: a demo is what people start with, before they have read
    # which steps there are.
    if not migrations.is_current(engine):
        migrations.upgrade(engine)
        sweep_clear_text(engine)
    engine.dispose()
    with opened(uses_key=True) as (session, settings):
        # Invented people beside real ones would end up in a release.
        refuse_beside_real_centres(session)
        if not centres.list_all(session):
            _make(session, settings, seed)
        elif not if_empty:
            raise click.ClickException(
                "The demo is there already. For a fresh one use another folder: make run DATA=var/new"
            )
    greet()


def _make(session: Session, settings: Settings, seed: int) -> None:
    zone = zoneinfo.ZoneInfo("America/Toronto")
    today = utcnow().astimezone(zone).date()
    click.echo("Making the demo centre and its year …")
    period = _last_complete_quarter(today)
    # Without a second step, so that the printed sign-ins are enough.
    centre = set_up_centre(session, "rexdale", "Rexdale centre", period.name, asks_second_factor=False)
    add_first_admin(session, centre, "rexdale.admin", PASSWORD)
    _add(session, centre, "rexdale.evaluator", "Evaluator", "evaluator")
    _add(session, centre, "rexdale.crisis", "Crisis team", "crisis")
    for product in ("dashboard", "hot_spots_week", "hot_spots_month", "heat_map", "equity", "panel"):
        switch_product(session, Actor.system(centre.id), name=product, is_on=True)
    _draw_city(session, centre, seed)
    phones = [_phone(session, centre, f"w{number:02}", f"W-{number:02}") for number in range(1, WORKERS + 1)]
    year = Year(seed, today, WORKERS)
    # Sent the way real records are: the demo shows what phones and rules really make of them.
    sent = _send(session, centre, phones, year.records(), seed, zone)
    series = releases.series_by_key(session, centre.id, "evaluator-quarterly")
    assert series is not None
    build_release(session, series, period, settings.packages, settings.key())
    other = set_up_centre(session, "jane", "Jane centre", asks_second_factor=False)
    add_first_admin(session, other, "jane.admin", PASSWORD)
    others = [_phone(session, other, "j01", "J-01")]
    _send(
        session, other, others, Year(seed + 1, today, 1, encounters=25, mediations=3, incidents=1).records(), seed + 1, zone
    )
    click.echo(f"{sum(sent.values())} records: " + ", ".join(f"{count} {form}" for form, count in sorted(sent.items())))


def _draw_city(session: Session, centre: Centre, seed: int) -> None:
    """Give the demo outlines of an invented city: without any there is no map."""
    key = find_area_list(session, centre.id)
    outlines = make_outlines([choice.name for choice in list_areas(session, centre.id)], list(AREAS), seed)
    import_areas(session, Actor.system(centre.id), key=key, data=outlines, code="AREA_SHORT_CODE", attribution=ATTRIBUTION)


def _last_complete_quarter(today: dt.date) -> periods.Period:
    # A release waits for late records; the quarter that the demo builds must be one that a real
    # centre could have built.
    first_of_quarter = periods.find_containing(today - dt.timedelta(days=GRACE_DAYS), "quarter").first
    return periods.find_containing(first_of_quarter - dt.timedelta(days=1), "quarter")


def _add(session: Session, centre: Centre, username: str, label: str, role: str) -> None:
    accounts.add_person(session, Actor.system(centre.id), username=username, label=label, role=role, password=PASSWORD)


def _phone(session: Session, centre: Centre, username: str, label: str) -> Actor:
    _add(session, centre, username, label, "worker")
    user = users.by_username(session, username)
    assert user is not None
    # The token stays in this process: nobody can sign in as a phone of the demo.
    token = enrol_device(session, Actor(centre.id, "worker", user.id), label="Demo phone").token
    actor = find_actor_for_token(session, token)
    assert actor is not None
    return actor


def _send(
    session: Session,
    centre: Centre,
    phones: list[Actor],
    records: Iterator[tuple[int, str, dt.datetime, dict[str, Any]]],
    seed: int,
    zone: zoneinfo.ZoneInfo,
) -> dict[str, int]:
    """Send records as phones do, in batches; return how many of each form.

    Answers go through the form's logic and get their hash, as a phone does it.
    """
    definitions = {version.form: load_definition(version) for version in versions.current(session, centre.id)}
    # Ids by chance and by seed: two runs give the same demo.
    ids = random.Random(f"ids {seed}")
    queues: dict[int, list[dict[str, Any]]] = {}
    spoken: dict[str, str] = {}  # the last record in which the person with a card was asked
    sent: dict[str, int] = {}
    for worker, form, moment, answers in records:
        local = moment.replace(tzinfo=zone)
        item = _make_item(definitions[form], _draw_id(ids), local, answers)
        if consent := _say_what_was_asked(definitions[form], answers, item["id"], spoken):
            item["consent"] = consent
        queue = queues.setdefault(worker, [])
        queue.append(item)
        sent[form] = sent.get(form, 0) + 1
        if form != MEDIATION:
            continue
        for due, visited, visit in list_follow_ups(item["id"], answers, local, dt.datetime.now(zone).date(), ids):
            queue.append({**_make_item(definitions[FOLLOW_UP], _draw_id(ids), visited, visit), "due": f"{item['id']}/{due}"})
            sent[FOLLOW_UP] = sent.get(FOLLOW_UP, 0) + 1
    for worker, items in sorted(queues.items()):
        # As large as the centre accepts at once; a phone does the same after days without a
        # network.
        for start in range(0, len(items), MAX_ITEMS):
            batch = json.dumps({"items": items[start : start + MAX_ITEMS]}).encode()
            receive_batch(session, phones[worker], parse_batch(batch))
    # A whole year comes in at once here: nobody has to be asked about its older days.
    with WriteTransaction(session):
        stored.clear_review(session, centre.id, DOUBTFUL)
    return sent


def _say_what_was_asked(
    definition: FormDefinition, answers: dict[str, Any], item_id: str, spoken: dict[str, str]
) -> dict[str, Any] | None:
    """Return in which words a person was asked, and what they had said before.

    None where nobody with a card was asked.
    """
    card = definition.read_role(answers, "person")
    if not card or not definition.consent_wording:
        return None
    knew = [spoken[card]] if card in spoken else []
    spoken[card] = item_id
    return {"knew": knew, "wording": definition.consent_wording, "language": "en"}


def _draw_id(ids: random.Random) -> str:
    return str(uuid.UUID(int=ids.getrandbits(128), version=4))


def _make_item(definition: FormDefinition, item_id: str, moment: dt.datetime, answers: dict[str, Any]) -> dict[str, Any]:
    """Return a record as a phone sends it."""
    body = json.dumps(_as_a_phone_would(definition, answers, moment), ensure_ascii=False)
    return {
        "id": item_id,
        "form": definition.id,
        "version": definition.version,
        "finished_at": moment.isoformat(),
        "body": body,
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
    }


def _as_a_phone_would(definition: FormDefinition, answers: dict[str, Any], moment: dt.datetime) -> dict[str, Any]:
    """Return the answers with what the form calculates; irrelevant ones erased."""
    return validate(definition, answers, local_time(moment)).answers
