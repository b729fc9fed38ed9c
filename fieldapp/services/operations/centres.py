"""Centres: set one up with its forms, its series and its first admin. Only the operator can, from the command line."""

import functools
import secrets

from evaluator_export import periods
from fieldapp.paths import PROGRAM
from fieldapp.services.acts import ActContext, Actor, act, utcnow
from fieldapp.services.forms.published import publish_form
from fieldapp.services.people import accounts
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.releases.datasets import programme_recipe
from fieldapp.services.revisions import check_revision
from fieldapp.store.database import WriteTransaction
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.releases import releases
from fieldapp.store.session import Session
from forms.definition import Compiled
from forms.isolation import compile_isolated

RESERVED = {"data"}  # an address of its own under /public/
SERIES = {
    "evaluator-quarterly": {"en": "Outreach, for evaluators", "fr": "Intervention de proximité, pour évaluateurs"},
    "city-quarterly": {"en": "Outreach, for the City", "fr": "Intervention de proximité, pour la Ville"},
}


def set_up_centre(session: Session, slug: str, name: str, first_period: str = "") -> Centre:
    """Make a centre with the programme's forms and release series; releases begin with the current quarter if not told."""
    if centres.by_slug(session, slug) or slug in RESERVED:
        raise ActProblem("centre.taken", N_("There is a centre “{slug}” already."), {"slug": slug})
    now = utcnow()
    with WriteTransaction(session):
        centre = Centre(slug=slug, name=name, created_at=now)
        session.add(centre)
        session.flush()
        for key, title in SERIES.items():
            session.add(
                releases.Series(
                    centre_id=centre.id,
                    key=key,
                    title=title,
                    recipe=programme_recipe(key),
                    cadence="quarter",
                    first_period=first_period or periods.find_containing(now.date(), "quarter").name,
                    secret=secrets.token_hex(32),
                )
            )
    for path in sorted(PROGRAM.glob("*.xlsx")):
        data = path.read_bytes()
        publish_form(session, Actor.system(centre.id), compiled=_compiled(data), workbook=data)
    return centre


@act("centre.rules")
def set_phone_rules(
    ctx: ActContext,
    lock_minutes: int,
    shred_days: int,
    has_voice_notes: bool,
    by_invitation: bool = False,
    allows_collect: bool = False,
    seen: str | None = None,
) -> None:
    """Set what phones keep to: minutes until they lock, days until they forget what was delivered, voice notes, how to join.

    `allows_collect` opens the door for ODK Collect; closing it shuts out every Collect at once.
    """
    centre = centres.get(ctx.session, ctx.centre_id)
    check_revision(ctx, seen, centre, f"centre/{centre.id}", ("centre.rules",))
    centre.lock_minutes, centre.shred_days = min(max(lock_minutes, 1), 30), min(max(shred_days, 1), 30)
    centre.has_voice_notes = has_voice_notes
    centre.by_invitation, centre.allows_collect = by_invitation, allows_collect
    rules = {"lock": centre.lock_minutes, "shred": centre.shred_days, "voice": has_voice_notes}
    ctx.describe(f"centre/{centre.id}", **rules, invitation=by_invitation, collect=allows_collect)


@functools.cache
def _compiled(workbook: bytes) -> Compiled:
    return compile_isolated(workbook)


def add_first_admin(session: Session, centre: Centre, username: str, password: str = "") -> str:
    """Return the password of the centre's first admin."""
    actor = Actor.system(centre.id)
    return accounts.add_person(session, actor, username=username, label="Admin", role="admin", password=password)
