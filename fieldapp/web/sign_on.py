"""What pages need to ask a sign-on provider: itself, and who is on the way there."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app
from flask import session as cookie

from fieldapp.services.acts import Actor
from fieldapp.services.people.sign_on import see_own_link
from fieldapp.services.people.sign_on_trips import LASTS, Identity, Journey
from fieldapp.services.problems import ActProblem
from fieldapp.settings import Settings
from fieldapp.web import sessions

if TYPE_CHECKING:
    from fieldapp.services.people.provider import Provider

# Names in the cookie, which is signed. Neither opens anything without what the provider answers, or a one-time code.
JOURNEY = "sign_on"
NEW = "sign_on_new"

SIGN_IN = "sign_in"
LINK = "link"
AGAIN = "again"  # somebody who is signed in proves once more who they are


@dataclass(frozen=True)
class Trip:
    """Why somebody went to the provider, and where they want to go afterwards."""

    why: str
    to: str
    user_id: int  # who was signed in; 0 for nobody
    journey: Journey


def init(app: Flask, settings: Settings) -> None:
    app.extensions["sign_on"] = _make_provider(settings) if settings.sign_on_issuer else None
    app.jinja_env.globals["sign_on_name"] = settings.sign_on_name if settings.sign_on_issuer else ""


def _make_provider(settings: Settings) -> "Provider":
    # Loaded where there is one: it brings a library that asks other servers.
    from fieldapp.services.people.provider import Provider  # noqa: PLC0415

    return Provider(settings)


def find_provider() -> "Provider | None":
    """Return the provider of the settings; None where there is none."""
    provider: Provider | None = current_app.extensions["sign_on"]
    return provider


def remember_trip(why: str, to: str, user_id: int, journey: Journey) -> None:
    """Keep in this browser who goes to the provider, and why; only the last one counts."""
    cookie[JOURNEY] = {"why": why, "to": to, "user": user_id, "journey": journey.as_dict()}


def take_trip() -> Trip | None:
    """Return who went to the provider from this browser, once."""
    trip: dict[str, Any] | None = cookie.pop(JOURNEY, None)
    if trip is None:
        return None
    return Trip(trip["why"], trip["to"], trip["user"], Journey(**trip["journey"]))


def remember_new(identity: Identity) -> None:
    """Keep whom the provider named, while they look for their one-time code."""
    cookie[NEW] = [identity.subject_hash, identity.has_second_step, time.time()]


def find_new() -> Identity | None:
    """Return whom the provider named in the last minutes, and who is linked with nobody yet."""
    subject_hash, has_second_step, since = cookie.get(NEW, ("", False, 0))
    if not subject_hash or time.time() - since > LASTS:
        return None
    return Identity(subject_hash, has_second_step)


def forget_new() -> None:
    cookie.pop(NEW, None)


def can_confirm(actor: Actor) -> bool:
    """Say whether the provider may be asked, where a second step is asked for once more."""
    if find_provider() is None:
        return False
    try:
        return see_own_link(sessions.session(), actor).can_confirm
    except ActProblem:
        return False
