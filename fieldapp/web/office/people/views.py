"""People and phones: who may sign in, what their phones are like, and letting new ones in."""

import base64
import json
import zlib
from typing import Any

import segno
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from fieldapp.services.operations.centres import set_phone_rules
from fieldapp.services.people import accounts as people_acts
from fieldapp.services.people.second_factor import reset_second_factor
from fieldapp.services.phones import devices
from fieldapp.services.phones.missing import give_up_missing
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.deliveries import take_in_copy
from fieldapp.services.revisions import revision_of
from fieldapp.web.office.blueprint import admin
from fieldapp.web.office.inputs import OwnPasswordInput, PersonInput, RescueInput, RulesInput
from fieldapp.web.overtaken import seen
from fieldapp.web.problems import STATUS
from fieldapp.web.sessions import actor, session
from sync.problems import BatchRefused


@admin.get("/people")
def people() -> Any:
    return _people_page(PersonInput(), {}, 200)


@admin.post("/people")
def person_add() -> Any:
    entered = PersonInput()
    who = actor()
    if not entered.validate_on_submit():
        return _people_page(entered, {}, 422)
    try:
        password = people_acts.add_person(
            session(), who, username=entered.username.data or "", label=entered.label.data or "", role=entered.role.data
        )
    except ActProblem as problem:
        entered.username.errors = [gettext(problem.text)]
        return _people_page(entered, {}, STATUS[problem.code])
    return _people_page(PersonInput(formdata=None), {"username": entered.username.data, "password": password}, 201)


@admin.post("/people/<int:user_id>/switch")
def person_switch(user_id: int) -> Any:
    people_acts.switch_person(session(), actor(), user_id=user_id, active=request.form.get("active") == "yes", seen=seen())
    flash(gettext("Done. It takes effect at once."), "safe")
    return redirect(url_for("admin.people"))


@admin.post("/people/<int:user_id>/password")
def person_reset(user_id: int) -> Any:
    password = people_acts.reset_password(session(), actor(), user_id=user_id, seen=seen())
    found = people_acts.list_people(session(), actor())
    username = next(user.username for user in found.users if user.id == user_id)
    return _people_page(PersonInput(formdata=None), {"username": username, "password": password}, 200)


@admin.post("/people/<int:user_id>/second-factor")
def person_second_factor(user_id: int) -> Any:
    reset_second_factor(session(), actor(), user_id=user_id, seen=seen())
    flash(gettext("Done. They set up a new one before they fetch the next package."), "safe")
    return redirect(url_for("admin.people"))


@admin.post("/phones/<int:device_id>/revoke")
def phone_revoke(device_id: int) -> Any:
    devices.revoke_device(
        session(), actor(), device_id=device_id, order=request.form.get("order", devices.LOCK), seen=seen()
    )
    text = gettext("Done. At its next contact the phone hands over what is finished on it, then closes itself.")
    flash(text, "wait")
    return redirect(url_for("admin.people"))


@admin.post("/phones/<int:device_id>/missing")
def phone_missing(device_id: int) -> Any:
    give_up_missing(session(), actor(), device_id=device_id)
    flash(gettext("Done. The home page asks again when more is missing."), "safe")
    return redirect(url_for("admin.people"))


@admin.post("/phones/rules")
def phone_rules() -> Any:
    entered = RulesInput()
    who = actor()
    if not entered.validate_on_submit():
        return _people_page(PersonInput(formdata=None), {}, 422, entered)
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
    return redirect(url_for("admin.people"))


@admin.post("/phones/rescue")
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
        return redirect(url_for("admin.people"))
    kept = sum(item["status"] not in ("retry", "closed") for item in found)
    text = gettext("%(kept)d of %(count)d records of the copy are with the centre now.", kept=kept, count=len(found))
    flash(text, "safe" if kept == len(found) else "danger")
    return redirect(url_for("admin.people"))


@admin.post("/people/<int:user_id>/invite")
def phone_invite(user_id: int) -> Any:
    """Show a picture that lets one phone join as this worker, once."""
    token = devices.invite_device(session(), actor(), user_id=user_id)
    address = f"{request.host_url}app/#/join/{token}"
    return render_template("phones/invitation.html", **_shown(user_id, address), minutes=devices.VALID_FOR.seconds // 60)


@admin.post("/people/<int:user_id>/collect")
def phone_collect(user_id: int) -> Any:
    """Show the picture that sets ODK Collect up for this worker."""
    token = devices.add_collect(session(), actor(), user_id=user_id)
    return render_template(
        "phones/invitation.html", **_shown(user_id, collect_settings(f"{request.host_url}or/{token}")), minutes=0
    )


def _shown(user_id: int, text: str) -> dict[str, Any]:
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


def _people_page(entered: PersonInput, made: dict[str, Any], status: int, rules: RulesInput | None = None) -> Any:
    found = people_acts.list_people(session(), actor())
    # What was typed stays on the page, and with it the state from which it was typed.
    rules_revision = seen() if rules else revision_of(found.centre)
    rules = rules or RulesInput(formdata=None, obj=found.centre)
    rescue = RescueInput(formdata=None)
    shown = {"people": found, "entered": entered, "made": made, "rules": rules, "rescue": rescue}
    return render_template("people/people.html", **shown, rules_revision=rules_revision), status


@admin.get("/password")
def own_password() -> Any:
    return _own_password_page(OwnPasswordInput(), 200)


@admin.post("/password")
def own_password_change() -> Any:
    """Change one's own password with the old one; whoever is signed in as this person elsewhere is signed out."""
    who, entered = actor(), OwnPasswordInput()
    people_acts.see_own_name(session(), who)
    if not entered.validate_on_submit():
        return _own_password_page(entered, 422)
    try:
        people_acts.change_own_password(session(), who, old=entered.old.data or "", new=entered.new.data or "")
    except ActProblem as problem:
        if problem.code not in ("person.old_password", "person.new_password"):
            raise
        field = entered.old if problem.code == "person.old_password" else entered.new
        field.errors = [gettext(problem.text)]
        return _own_password_page(entered, STATUS[problem.code])
    return redirect(url_for("public.sign_in"))


def _own_password_page(entered: OwnPasswordInput, status: int) -> Any:
    name = people_acts.see_own_name(session(), actor())
    return render_template("people/own_password.html", entered=entered, name=name), status
