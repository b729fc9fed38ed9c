"""Phones: letting one in, its rules, lock and wipe, and a sealed copy brought from one."""

import base64
import json
import zlib
from typing import Any

import segno
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from fieldapp.services.people import accounts as people_acts
from fieldapp.services.phones import devices
from fieldapp.services.phones.missing import give_up_missing
from fieldapp.services.phones.rules import set_phone_rules
from fieldapp.services.records.deliveries import take_in_copy
from fieldapp.web.office.blueprint import office
from fieldapp.web.office.people.inputs import PersonInput, RescueInput, RulesInput
from fieldapp.web.office.people.page import render_people_page
from fieldapp.web.overtaken import seen
from fieldapp.web.sessions import actor, session
from sync.problems import BatchRefused


@office.post("/phones/<int:device_id>/revoke")
def phone_revoke(device_id: int) -> Any:
    devices.revoke_device(
        session(), actor(), device_id=device_id, order=request.form.get("order", devices.LOCK), seen=seen()
    )
    text = gettext("Done. At its next contact the phone hands over what is finished on it, then closes itself.")
    flash(text, "wait")
    return redirect(url_for("office.people"))


@office.post("/phones/<int:device_id>/missing")
def phone_missing(device_id: int) -> Any:
    give_up_missing(session(), actor(), device_id=device_id)
    flash(gettext("Done. The home page asks again when more is missing."), "safe")
    return redirect(url_for("office.people"))


@office.post("/phones/rules")
def phone_rules() -> Any:
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
    flash(gettext("Done. Phones take the rules at their next contact."), "safe")
    return redirect(url_for("office.people"))


@office.post("/phones/rescue")
def phone_rescue() -> Any:
    """Take in a sealed copy that was saved on a phone, as if the phone had sent it."""
    who = actor()
    file = RescueInput().rescue.data
    try:
        found = take_in_copy(
            session(),
            who,
            data=file.read() if file else b"",
            secret=current_app.config["SECRET_KEY"],
            limits=current_app.config["LIMITS"],
        )
    except BatchRefused:
        flash(gettext("This is not a sealed copy from a phone. Nothing was taken in."), "danger")
        return redirect(url_for("office.people"))
    kept = sum(item["status"] not in ("retry", "closed") for item in found)
    text = gettext("%(kept)d of %(count)d records of the copy are with the centre now.", kept=kept, count=len(found))
    flash(text, "safe" if kept == len(found) else "danger")
    return redirect(url_for("office.people"))


@office.post("/people/<int:user_id>/invite")
def phone_invite(user_id: int) -> Any:
    """Show a picture that lets one phone join as this worker, once."""
    token = devices.invite_device(session(), actor(), user_id=user_id)
    address = f"{request.host_url}app/#/join/{token}"
    return render_template(
        "phones/invitation.html", **_render_invitation(user_id, address), minutes=devices.INVITATION_LIFETIME.seconds // 60
    )


@office.post("/people/<int:user_id>/collect")
def phone_collect(user_id: int) -> Any:
    """Show the picture that sets ODK Collect up for this worker."""
    token = devices.set_up_collect(session(), actor(), user_id=user_id)
    return render_template(
        "phones/invitation.html", **_render_invitation(user_id, collect_settings(f"{request.host_url}or/{token}")), minutes=0
    )


def _render_invitation(user_id: int, text: str) -> dict[str, Any]:
    found = people_acts.list_people(session(), actor())
    user = next(user for user in found.users if user.id == user_id)
    return {"worker": user, "picture": segno.make(text, error="m").svg_data_uri(scale=5, border=3), "text": text}


def collect_settings(server_url: str) -> str:
    """Return what ODK Collect reads from a picture: its settings as JSON, compressed, in base64."""
    general = {
        "server_url": server_url,
        "form_update_mode": "match_exactly",
        "autosend": "wifi_and_cellular",
        "delete_send": True,
    }
    settings = json.dumps({"general": general, "admin": {}, "project": {"name": "fieldapp"}})
    return base64.b64encode(zlib.compress(settings.encode())).decode()
