"""Centres: set one up with its forms, release series and first administrator.

Only the operator can, with a command.
"""

import functools
import secrets

from evaluator_export import periods
from fieldapp.paths import PROGRAM
from fieldapp.services.acts import Actor, utcnow
from fieldapp.services.forms.published import publish_form
from fieldapp.services.people import accounts
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.releases.datasets import load_program_recipe
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


def set_up_centre(
    session: Session, slug: str, name: str, first_period: str = "", *, asks_second_factor: bool = True
) -> Centre:
    """Create a centre with the program's forms and release series.

    `slug` is its name in addresses. Releases begin with `first_period`, like "2026-Q4", or with the
    current quarter. `asks_second_factor`: whether who sees records needs more than a
    password. Raises ActProblem "centre.taken".
    """
    if centres.by_slug(session, slug) or slug in RESERVED:
        raise ActProblem("centre.taken", N_("There is a centre “{slug}” already."), {"slug": slug})
    now = utcnow()
    first_period = first_period or periods.find_containing(now.date(), "quarter").name
    with WriteTransaction(session):
        centre = Centre(slug=slug, name=name, created_at=now, asks_second_factor=asks_second_factor)
        session.add(centre)
        session.flush()
        for key, title in SERIES.items():
            session.add(
                releases.ReleaseSeries(
                    centre_id=centre.id,
                    key=key,
                    title=title,
                    recipe=load_program_recipe(key),
                    cadence="quarter",
                    first_period=first_period,
                    secret=secrets.token_hex(32),
                )
            )
    for path in sorted(PROGRAM.glob("*.xlsx")):
        data = path.read_bytes()
        publish_form(session, Actor.system(centre.id), compiled=_compile(data), workbook=data)
    return centre


@functools.cache  # a new centre compiles every form of the program, and tests set up many centres
def _compile(workbook: bytes) -> Compiled:
    return compile_isolated(workbook)


def add_first_admin(session: Session, centre: Centre, username: str, password: str = "") -> str:
    """Add the centre's first administrator, and return their password."""
    actor = Actor.system(centre.id)
    return accounts.add_person(session, actor, username=username, label="Admin", role="admin", password=password)
