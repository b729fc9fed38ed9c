"""The office: what a centre's admin sees and does."""

import io
from typing import Any

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext

from fieldapp.services import devices, forms, records
from fieldapp.services import home as home_act
from fieldapp.services import people as people_acts
from fieldapp.services.centres import set_phone_rules
from fieldapp.services.problems import ActProblem
from fieldapp.services.receive_delivery import take_in_copy
from fieldapp.store.records import Filter
from fieldapp.web.admin.blueprint import admin
from fieldapp.web.admin.inputs import FilterInput, PersonInput, RescueInput, RulesInput
from fieldapp.web.problems import STATUS
from fieldapp.web.sessions import actor, session
from sync.problems import BatchRefused


@admin.get("/")
def home() -> Any:
    return render_template("home.html", home=home_act.see_home(session(), actor()))


@admin.get("/encounters")
def encounters() -> Any:
    chosen = FilterInput(request.args)
    is_usable = chosen.validate()
    worker = chosen.worker.data or ""
    wanted = Filter(
        form=chosen.form.data or "",
        area=chosen.area.data or "",
        author_id=int(worker) if worker.isdecimal() and len(worker) < 10 else None,
        since=chosen.since.data if is_usable else None,
        until=chosen.until.data if is_usable else None,
    )
    listing = records.browse_records(session(), actor(), wanted=wanted, cursor=request.args.get("after", ""))
    return render_template("encounters.html", listing=listing, chosen=chosen)


@admin.get("/encounters/<instance_id>")
def encounter(instance_id: str) -> Any:
    return render_template("encounter.html", opened=records.open_record(session(), actor(), instance_id=instance_id))


@admin.get("/attention")
def attention() -> Any:
    found, workers = records.list_needing_attention(session(), actor())
    return render_template("attention.html", submissions=found, workers=workers)


@admin.get("/attention/<int:submission_id>")
def attention_one(submission_id: int) -> Any:
    opened = records.open_submission(session(), actor(), submission_id=submission_id)
    return render_template("attention_one.html", opened=opened)


@admin.get("/forms/<int:version_id>")
def form(version_id: int) -> Any:
    version, definition = forms.open_form(session(), actor(), version_id=version_id)
    return render_template("form.html", version=version, definition=definition)


@admin.get("/forms/<int:version_id>/workbook")
def form_workbook(version_id: int) -> Any:
    version, _ = forms.open_form(session(), actor(), version_id=version_id)
    name = f"{version.form}-{version.version}.xlsx"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return send_file(io.BytesIO(version.workbook), mimetype=kind, as_attachment=True, download_name=name)


@admin.post("/forms/<int:version_id>/withdraw")
def form_withdraw(version_id: int) -> Any:
    forms.withdraw_form(session(), actor(), version_id=version_id)
    flash(gettext("Withdrawn. Phones drop it the next time they have signal; what was filled in is still accepted."), "wait")
    return redirect(url_for("admin.form", version_id=version_id))


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
    people_acts.switch_person(session(), actor(), user_id=user_id, active=request.form.get("active") == "yes")
    flash(gettext("Done. It takes effect at once."), "safe")
    return redirect(url_for("admin.people"))


@admin.post("/people/<int:user_id>/password")
def person_reset(user_id: int) -> Any:
    password = people_acts.reset_password(session(), actor(), user_id=user_id)
    found = people_acts.list_people(session(), actor())
    username = next(user.username for user in found.users if user.id == user_id)
    return _people_page(PersonInput(formdata=None), {"username": username, "password": password}, 200)


@admin.post("/phones/<int:device_id>/revoke")
def phone_revoke(device_id: int) -> Any:
    devices.revoke_device(session(), actor(), device_id=device_id, order=request.form.get("order", devices.LOCK))
    text = gettext("Done. At its next contact the phone hands over what is finished on it, then closes itself.")
    flash(text, "wait")
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
    )
    flash(gettext("Done. Phones take the rules at their next contact."), "safe")
    return redirect(url_for("admin.people"))


@admin.post("/phones/rescue")
def phone_rescue() -> Any:
    """Take in a sealed copy that was saved on a phone, as if the phone had sent it."""
    who = actor()
    file = RescueInput().rescue.data
    try:
        found = take_in_copy(session(), who, data=file.read() if file else b"", secret=current_app.config["SECRET_KEY"])
    except BatchRefused:
        flash(gettext("This is not a sealed copy from a phone. Nothing was taken in."), "danger")
        return redirect(url_for("admin.people"))
    kept = sum(item["status"] != "retry" for item in found)
    text = gettext("%(kept)d of %(count)d records of the copy are with the centre now.", kept=kept, count=len(found))
    flash(text, "safe" if kept == len(found) else "danger")
    return redirect(url_for("admin.people"))


def _people_page(entered: PersonInput, made: dict[str, Any], status: int, rules: RulesInput | None = None) -> Any:
    found = people_acts.list_people(session(), actor())
    rules = rules or RulesInput(formdata=None, obj=found.centre)
    rescue = RescueInput(formdata=None)
    return render_template("people.html", people=found, entered=entered, made=made, rules=rules, rescue=rescue), status


@admin.get("/system")
def system() -> Any:
    lines, names = home_act.see_system(session(), actor())
    return render_template("system.html", lines=lines, names=names, home=home_act.see_home(session(), actor()))
