"""The page of a slip: a person sees their consent and lowers it.

No account, cookie or script is needed. The slip is in one form only; acts travel with a ticket. Every
answer is to a POST of the same address, so that the browser's history has /r and nothing else.
"""

import datetime as dt
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from fieldapp.services import keys
from fieldapp.services.acts import utcnow
from fieldapp.services.consent.slip_acts import EndedSlip, SlipView, end_by_slip, lower_by_slip, read_slip
from fieldapp.services.consent.slip_tickets import SlipAct, Ticket, issue_ticket, read_ticket
from fieldapp.services.consent.withdrawals import compute_forgotten_by
from fieldapp.services.problems import ActProblem
from fieldapp.web.accept import best_language
from fieldapp.web.public.slip_failures import SlipFailures
from fieldapp.web.public.slip_forms import SentForms
from fieldapp.web.public.slip_words import list_languages, name_day, name_month, say
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import session
from sync.slips import parse_slip, tag_slip

slips = Blueprint("slips", __name__, template_folder="templates")
failures = SlipFailures()
sent_forms = SentForms()

MAX_TYPED = 100  # characters
TIERS = {SlipAct.TO_2: 2, SlipAct.TO_1: 1}
RIGHT_TO_LEFT = ("ar",)
# Where a person goes who must leave at once: a page that everybody looks at.
LEAVE_TO = {"fr": "https://meteo.gc.ca/"}
LEAVE_TO_OTHERWISE = "https://weather.gc.ca/"
# How each language calls itself.
NAMES = {
    "en": "English", "fr": "Français", "ar": "العربية", "so": "Soomaali", "es": "Español", "ta": "தமிழ்", "pt": "Português",
}  # fmt: skip


@slips.get("/r")
def ask() -> ResponseReturnValue:
    return _render()


@slips.post("/r")
def answer() -> ResponseReturnValue:
    """Show the consent of a slip, or do what a ticket allows."""
    # The token against forged forms is not needed: there is no session to abuse. This only spares
    # people a trick.
    if not _is_from_here():
        return _render(problem="elsewhere"), 403
    # Stopped before the database is asked; nobody has to be known for that.
    if failures.is_flood():
        return _render(problem="busy"), 503
    # On a shared computer, "Back" and "Reload" would send the form for the next person who sits
    # there.
    if sent_forms.is_sent_again(request.form.get("form", "")[:MAX_TYPED]):
        return _render()
    text = request.form.get("ticket", "")
    if text:
        return _act(text)
    slip = parse_slip(request.form.get("slip", "")[:MAX_TYPED])
    view = _find_view(slip) if slip else None
    if view is None:
        return _refuse("unknown")
    return _render(view)


def _find_view(slip: str) -> SlipView | EndedSlip | None:
    """Return what a slip shows, under whichever key of the server it was made.

    Looked up by its keyed hash: the slip itself is nowhere in the database.
    """
    for key in keys.list_slip_keys(server_secret()):
        view = read_slip(session(), tag_slip(slip, key), utcnow())
        if view is not None:
            return view
    return None


def _act(text: str) -> ResponseReturnValue:
    now = utcnow()
    read = (read_ticket(text, key, now) for key in keys.list_ticket_keys(server_secret()))
    ticket = next((each for each in read if each is not None), None)
    if ticket is None:
        return _refuse("over")
    # Ending is asked twice, since it cannot be undone.
    if ticket.act is SlipAct.ASK_END:
        return _render(read_slip(session(), ticket.tag, now), asks_end=True)
    done = _do(ticket)
    view = read_slip(session(), ticket.tag, now)
    if view is None:
        return _refuse("unknown")
    return _render(view, done)


def _do(ticket: Ticket) -> str:
    """Do what a ticket allows; return the key of what is said then."""
    try:
        if ticket.act is SlipAct.END:
            end_by_slip(session(), ticket.tag)
        else:
            lower_by_slip(session(), ticket.tag, TIERS[ticket.act])
    except ActProblem as problem:
        # The person sees that nothing changed, which is true in both cases; the difference would
        # tell a stranger something.
        return "unchanged" if problem.code in ("slip.not_lower", "slip.unknown") else "failed"
    return "changed"


def _refuse(problem: str) -> ResponseReturnValue:
    """Return the page for a slip or ticket that is not right, and count it."""
    is_many = failures.add(request.remote_addr or "")
    return _render(problem="wait" if is_many else problem), 422


def _is_from_here() -> bool:
    """Say whether the form was on our own page, as far as the browser tells.

    With the policy no-referrer browsers write "null" as the origin of our own form, so the newer header counts. There
    is no cookie that somebody else's form could abuse.
    """
    origin = request.headers.get("Origin", "null")
    if origin != "null" and urlsplit(origin).netloc != request.host:
        return False
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")


def _render(view: SlipView | EndedSlip | None = None, done: str = "", problem: str = "", asks_end: bool = False) -> str:
    language = _find_language()

    def speak(key: str, **values: Any) -> str:
        return say(language, key, **{name: _write(value, language) for name, value in values.items()})

    page: dict[str, Any] = {"view": None, "ended": None, "choices": [], "months": [], "asks_end": False}
    if isinstance(view, EndedSlip):
        page["ended"] = view
    elif view is not None:
        page |= {"view": view, "choices": _list_acts(view), "asks_end": asks_end, "tickets": _issue_end_tickets(view)}
        page["forgotten_by"] = compute_forgotten_by(utcnow())
        page["months"] = [name_month(month, language) for month in view.months]
        page["since"] = name_month(view.since, language) if view.since else ""
    return render_template(
        "slip.html",
        say=speak,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        names={code: NAMES[code] for code in list_languages()},
        leave_to=LEAVE_TO.get(language, LEAVE_TO_OTHERWISE),
        done=done,
        problem=problem,
        number_form=make_form_number,
        **page,
    )


def _write(value: Any, language: str) -> str:
    """Write a day as the language does, and anything else as it is."""
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        return name_day(value, language)
    return str(value)


def _list_acts(view: SlipView) -> list[dict[str, Any]]:
    acts = []
    for act, tier in TIERS.items():
        if tier in view.choices:
            acts.append({"tier": tier, "ticket": _issue(view, act)})
    return acts


def _issue_end_tickets(view: SlipView) -> dict[str, str]:
    return {"ask": _issue(view, SlipAct.ASK_END), "end": _issue(view, SlipAct.END)}


def _issue(view: SlipView, act: SlipAct) -> str:
    key = keys.derive_ticket_key(server_secret())
    return issue_ticket(Ticket(view.tag, act), key, utcnow())


def make_form_number() -> str:
    """Return what tells one form from every other."""
    return secrets.token_urlsafe(9)


def _find_language() -> str:
    """Return the language that the visitor chose on this page, else their browser's."""
    languages = list_languages()
    chosen = request.values.get("lang", "")
    if chosen in languages:
        return chosen
    return best_language(request.headers.get("Accept-Language", ""), languages)
