"""Phones: invitations, rules, lock and wipe, and the import of an encrypted copy."""

import base64
import json
import zlib

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from fieldapp.services.people import accounts as people_acts
from fieldapp.services.phones import devices
from fieldapp.services.phones.missing import give_up_missing
from fieldapp.services.phones.rules import set_phone_rules
from fieldapp.services.records.copies import import_copy
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.people.inputs import PersonInput, RescueInput, RulesInput
from fieldapp.web.office.people.page import render_people_page
from fieldapp.web.overtaken import seen
from fieldapp.web.server_keys import server_secret
from fieldapp.web.sessions import actor, session
from sync.problems import BatchRefused

# Answers to a record of a copy that the centre does not have afterwards.
NOT_STORED = ("retry", "closed")


@office.post("/phones/<int:device_id>/revoke")
def phone_revoke(device_id: int) -> ResponseReturnValue:
    # “lock” where the page sent nothing: the milder of the two, since a wipe cannot be taken back.
    devices.revoke_device(
        session(), actor(), device_id=device_id, order=request.form.get("order", devices.LOCK), seen=seen()
    )
    text = gettext("Done. When it next syncs, the phone sends what is finished on it, then locks.")
    flash(text, "wait")
    return redirect(url_for("office.people"))


@office.post("/phones/<int:device_id>/missing")
def phone_missing(device_id: int) -> ResponseReturnValue:
    counted = request.form.get("missing", 0, type=int)
    # The number that the page showed. If more is missing by now, only as much is given up as
    # somebody has seen.
    give_up_missing(session(), actor(), device_id=device_id, most=max(counted, 0))
    flash(gettext("Done. The home page says so when more is missing."), "safe")
    return redirect(url_for("office.people"))


@office.post("/phones/rules")
def phone_rules() -> ResponseReturnValue:
    entered = RulesInput()
    who = actor()
    if not entered.validate_on_submit():
        return render_people_page(PersonInput(formdata=None), {}, 422, entered)
    set_phone_rules(
        session(),
        who,
        lock_minutes=entered.lock_minutes.data,
        shred_days=entered.shred_days.data,
        has_voice_notes=entered.has_voice_notes.data,
        by_invitation=entered.by_invitation.data,
        allows_collect=entered.allows_collect.data,
        seen=seen(),
    )
    flash(gettext("Done. Phones follow the rules from their next sync on."), "safe")
    return redirect(url_for("office.people"))


@office.post("/phones/rescue")
def phone_rescue() -> ResponseReturnValue:
    """Import an encrypted copy that was saved on a phone, as if the phone had sent it."""
    who = actor()
    file = RescueInput().rescue.data
    try:
        items = import_copy(
            session(),
            who,
            data=file.read() if file else b"",
            secret=server_secret(),
            limits=current_app.config["LIMITS"],
        )
    except BatchRefused:
        flash(gettext("This is not an encrypted copy from a phone. Nothing was imported."), "danger")
        return redirect(url_for("office.people"))
    # Some may have been refused: the message says how many, so that nobody wipes the phone too
    # early.
    stored = sum(item["status"] not in NOT_STORED for item in items)
    text = gettext("The centre now has %(stored)d of %(count)d records of the copy.", stored=stored, count=len(items))
    flash(text, "safe" if stored == len(items) else "danger")
    return redirect(url_for("office.people"))


@office.post("/people/<int:user_id>/invite")
def phone_invite(user_id: int) -> ResponseReturnValue:
    """Show a QR code that lets one phone join as this worker, once."""
    token = devices.invite_device(session(), actor(), user_id=user_id)
    # Behind the #, so that the token is in no server's log and in no Referer.
    return _render_invitation(user_id, f"{request.host_url}app/#/join/{token}", devices.INVITATION_LIFETIME.seconds // 60)


@office.post("/people/<int:user_id>/collect")
def phone_collect(user_id: int) -> ResponseReturnValue:
    """Show the QR code that sets ODK Collect up for this worker."""
    token = devices.set_up_collect(session(), actor(), user_id=user_id)
    # Collect sends no header of ours, so its token is in the address. It opens only what Collect
    # needs.
    return _render_invitation(user_id, write_collect_settings(f"{request.host_url}or/{token}"), 0)


def _render_invitation(user_id: int, text: str, minutes: int) -> str:
    """Return the page with a text as QR code; `minutes`: how long it is valid, 0 for ever."""
    import segno  # noqa: PLC0415  QR codes: rare, and heavy to load

    people = people_acts.list_people(session(), actor())
    return render_template(
        "phones/invitation.html",
        worker=next(user for user in people.users if user.id == user_id),
        picture=segno.make(text, error="m").svg_data_uri(scale=5, border=3),
        text=text,
        minutes=minutes,
    )


def write_collect_settings(server_url: str) -> str:
    """Return the text of the QR code that ODK Collect reads: JSON, compressed, in base64."""
    general = {
        "server_url": server_url,
        "form_update_mode": "match_exactly",
        # Also over mobile data: workers are on the street, and a record that waits for Wi-Fi is one
        # that a lost phone takes along.
        "autosend": "wifi_and_cellular",
        # Else Collect keeps what it sent on the phone, where others can read it.
        "delete_send": True,
    }
    settings = json.dumps({"general": general, "admin": {}, "project": {"name": "fieldapp"}})
    return base64.b64encode(zlib.compress(settings.encode())).decode()
