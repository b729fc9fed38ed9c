"""What everybody may see: the newest public dashboard of the centres that have it switched on. No sign-in, no act."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.problems import make_not_found
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import products
from fieldapp.store.products.products import Edition
from fieldapp.store.session import Session

DASHBOARD = "dashboard"


@dataclass(frozen=True)
class PublicEdition:
    """One centre's dashboard with what is for staff taken out."""

    slug: str
    centre: str
    edition_id: int
    period: str
    number: int
    sha256: str
    built_at: str
    body: dict[str, Any]


def public_centres(session: Session) -> Sequence[Centre]:
    """Return the centres whose dashboard is switched on and has been built."""
    found = products.centres_with(session, DASHBOARD)
    return [centres.get(session, one) for one in found if products.find_latest_version(session, one, DASHBOARD)]


def mark(session: Session, slug: str) -> tuple[int, str]:
    """Return the id and hash of a centre's public edition; raise ActProblem "access.not_found"."""
    centre = centres.by_slug(session, slug)
    if centre is None or not products.is_on(session, centre.id, DASHBOARD):
        raise make_not_found()
    found = products.find_latest_version(session, centre.id, DASHBOARD)
    if found is None:
        raise make_not_found()
    return found


def public_edition(session: Session, slug: str) -> PublicEdition:
    """Return what is public of a centre; raise ActProblem "access.not_found" where there is nothing."""
    edition_id, _ = mark(session, slug)
    found = session.get_one(Edition, edition_id)
    centre = centres.get(session, found.centre_id)
    body = _public_part(found.body)
    built_at = found.built_at.isoformat(timespec="seconds")
    return PublicEdition(slug, centre.name, found.id, found.period, found.number, found.sha256, built_at, body)


def card(session: Session, slug: str, language: str) -> bytes:
    """Return the picture that other sites show with a link."""
    edition_id, _ = mark(session, slug)
    data = products.file(session, edition_id, f"card-{language}.png")
    if data is None:
        raise make_not_found()
    return data


@functools.lru_cache(maxsize=8)
def _public_part(text: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(text)
    body["indicators"] = [one for one in body["indicators"] if one["audience"] == "public"]
    return body
