"""Dashboards for everybody: the newest edition of each centre that has it switched on.

Visitors do not sign in, so these are plain functions and no acts.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fieldapp.services.problems import make_not_found
from fieldapp.services.products.kinds.dashboard import FORMAT
from fieldapp.store.operations import centres
from fieldapp.store.operations.centres import Centre
from fieldapp.store.products import products
from fieldapp.store.products.products import Edition
from fieldapp.store.session import Session

DASHBOARD = "dashboard"


@dataclass(frozen=True)
class KeptEdition:
    """An edition that has an address of its own."""

    edition_id: int
    period: str
    number: int
    sha256: str
    built_at: str


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
    editions: Sequence[KeptEdition]  # of the centre, newest first


def list_public_centres(session: Session) -> Sequence[Centre]:
    """Return the centres whose dashboard is switched on and has been built."""
    public = []
    for centre_id in products.centres_with(session, DASHBOARD):
        if products.find_latest_version(session, centre_id, DASHBOARD):
            public.append(centres.get(session, centre_id))
    return public


def read_edition_version(session: Session, slug: str, period: str = "") -> tuple[int, str]:
    """Return the id and hash of a centre's public edition, without reading its body.

    `period`: of an earlier one; the newest without it. Raise ActProblem "access.not_found" for a centre that does not
    exist, has none, or has it switched off.
    """
    centre_id = _find_centre(session, slug)
    if not period:
        version = products.find_latest_version(session, centre_id, DASHBOARD)
    else:
        by_period = {edition.period: edition for edition in _list_kept(session, centre_id)}
        edition = by_period.get(period)
        version = (edition.edition_id, edition.sha256) if edition else None
    if version is None:
        raise make_not_found()
    return version


def _find_centre(session: Session, slug: str) -> int:
    centre = centres.by_slug(session, slug)
    # One answer for all: who asks must not learn which centres there are.
    if centre is None or not products.is_on(session, centre.id, DASHBOARD):
        raise make_not_found()
    return centre.id


def _list_kept(session: Session, centre_id: int) -> Sequence[KeptEdition]:
    """Return the editions that have an address of their own, newest first.

    Those of earlier formats have none: they were made when numbers showed that are hidden today.
    """
    editions = products.list_editions_with(session, centre_id, DASHBOARD, f'"format":{FORMAT},')
    return [
        KeptEdition(
            edition.id, edition.period, edition.number, edition.sha256, edition.built_at.isoformat(timespec="seconds")
        )
        for edition in editions
    ]


def list_editions(session: Session, slug: str) -> Sequence[KeptEdition]:
    """Return a centre's editions that can be read, newest first."""
    return _list_kept(session, _find_centre(session, slug))


def load_public_edition(session: Session, slug: str, period: str = "") -> PublicEdition:
    """Return what is public of a centre, or was at the end of a period.

    Raise ActProblem "access.not_found" for nothing.
    """
    # By id: the newest edition may change between two looks.
    edition_id, _ = read_edition_version(session, slug, period)
    edition = session.get_one(Edition, edition_id)
    centre = centres.get(session, edition.centre_id)
    body = _read_public_part(edition.body)
    built_at = edition.built_at.isoformat(timespec="seconds")
    return PublicEdition(
        slug=slug,
        centre=centre.name,
        edition_id=edition.id,
        period=edition.period,
        number=edition.number,
        sha256=edition.sha256,
        built_at=built_at,
        body=body,
        editions=_list_kept(session, edition.centre_id),
    )


def load_share_image(session: Session, slug: str, language: str) -> bytes:
    """Return the picture that other sites show with a link, as PNG."""
    edition_id, _ = read_edition_version(session, slug)
    data = products.file(session, edition_id, f"card-{language}.png")
    if data is None:
        raise make_not_found()
    return data


# Anonymous visitors ask for the same few editions again and again, and parsing takes longest.
@functools.lru_cache(maxsize=8)
def _read_public_part(text: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(text)
    indicators = body["indicators"]
    body["indicators"] = [indicator for indicator in indicators if indicator["audience"] == "public"]
    # Taken out on the way to the public, not on the page: a new page cannot forget it.
    return body
