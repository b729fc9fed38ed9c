"""Words for templates: labels of answers, moments, sizes, names of forms and acts."""

import datetime as dt
from typing import Any, Protocol

from flask import Flask, url_for
from flask_babel import format_date, format_datetime, format_decimal, gettext, ngettext
from flask_babel import lazy_gettext as gettext_lazy

from evaluator_export.labels import Labels
from fieldapp.services.board.board import item_revision
from fieldapp.services.people.second_factor import factor_revision
from fieldapp.services.products.registry import partners_revision, switch_revision
from fieldapp.services.records.attachments import KIND
from fieldapp.services.records.reviews import record_revision
from fieldapp.services.releases.datasets import hierarchy_words
from fieldapp.services.revisions import revision_of
from fieldapp.version import VERSION
from fieldapp.web import language
from fieldapp.web.problem_words import write_problem, write_stored
from forms.definition import Element, FormDefinition
from forms.lists import in_language
from forms.problems import N_, FormProblem
from forms.question_type import SEVERAL_NAMES, AnswerKind

ROLES = {
    "worker": N_("Outreach worker"),
    "crisis": N_("Crisis team"),
    "admin": N_("Centre admin"),
    "evaluator": N_("Evaluator"),
}
PRODUCT_CADENCES = {
    "week": N_("Every week"),
    "month": N_("Every month"),
    "quarter": N_("Every quarter"),
    "year": N_("Every year"),
    "live": N_("Always"),
}
CADENCES = {"week": N_("Every week"), "month": N_("Every month"), "quarter": N_("Every quarter")}
STEPS = {"waiting": N_("begins"), "reading": N_("reads the records"), "writing": N_("writes and checks the files")}
TARGET_FIELDS = {
    "sftp": N_("To an SFTP server"),
    "s3": N_("To an S3-compatible store"),
    "email": N_("A notice by e-mail, without data"),
    "host": N_("Server"),
    "port": N_("Port, if not 22"),
    "username": N_("User name there"),
    "folder": N_("Folder"),
    "host_key": N_("Its host key (ssh-ed25519 …)"),
    "secret": N_("Name of the file with the secret"),
    "endpoint": N_("Address (https://…)"),
    "bucket": N_("Bucket"),
    "prefix": N_("Folder in it, if any"),
    "region": N_("Region, if it has one"),
    "to": N_("E-mail address"),
}
# The parts of what a recipient gets, as their page calls them.
WISH = {
    "title": N_("Title"),
    "purpose": N_("What it is for"),
    "recipient": N_("Recipient"),
    "audience": N_("What kind of recipient?"),
    "cadence": N_("Rhythm"),
    "first_period": N_("First period"),
    "threshold": N_("Hide counts under"),
    "columns": N_("Rows"),
    "coarser": N_("Made coarser to"),
    "tables": N_("Tables"),
    "age_key": N_("The recipient's age public key"),
    "keep_days": N_("Days to fetch it"),
    "agreement": N_("Agreement"),
    "targets": N_("How it is sent"),
    "readers": N_("Who may fetch it here"),
    "is_active": N_("Build it by itself when a period has ended"),
}
# What a field is called on its page, to give back what was typed there.
TYPED = {
    "calendar": gettext_lazy("Its calendar, in words"),
    "comment": gettext_lazy("Comment"),
    "because": gettext_lazy("Why"),
    "form_title": gettext_lazy("Title"),
    "lock_minutes": gettext_lazy("Lock after so many minutes alone"),
    "shred_days": gettext_lazy("Forget what was delivered after so many days"),
    "has_voice_notes": gettext_lazy("Allow voice notes where a form asks for one"),
    "by_invitation": gettext_lazy("Phones join by invitation only, not by a password"),
    "allows_collect": gettext_lazy("Let ODK Collect take part (its records are not sealed on the phone)"),
    "name": gettext_lazy("Name"),
}
STATES = {
    "settled": N_("Somebody has looked"),
    "stored": N_("Kept as a record"),
    "rejected": N_("Did not pass the form's rules"),
    "conflict": N_("Same id, other answers"),
    "aside": N_("Kept aside"),
    "running": N_("Being built"),
    "done": N_("Done"),
    "failed": N_("Failed"),
}
REVIEWS = {
    "alert": N_("asks for a talk"),
    "contested": N_("two answers"),
    "corrected": N_("corrected"),
    "returned": N_("sent back"),
    "approved": N_("approved"),
    "chosen": N_("chosen"),
}
VIA = {
    "phone": N_("sealed and signed by the phone"),
    "token": N_("sent by a signed-in phone"),
    "collect": N_("from ODK Collect: not sealed, not signed"),
    "office": N_("made at the centre"),
}
ACTS = {
    "areas.bring": N_("Areas were brought in"),
    "batch.receive": N_("A phone sent submissions"),
    "attachment.receive": N_("An attachment arrived"),
    "attachment.open": N_("An attachment was opened"),
    "card.assign": N_("A card was given to another worker"),
    "caseload.rebuild": N_("The caseload was read from older records"),
    "centre.rules": N_("The rules for phones were changed"),
    "copy.bring": N_("A sealed copy from a phone was brought"),
    "device.collect": N_("ODK Collect was set up for a worker"),
    "database.restore": N_("The database was put back from a copy"),
    "device.give_up": N_("What never came from a phone was given up"),
    "device.invite": N_("A phone was invited"),
    "device.join": N_("A phone joined by invitation"),
    "device.enrol": N_("A phone signed in"),
    "device.revoke": N_("A phone was shut out"),
    "draft.begin": N_("A form was begun"),
    "draft.change": N_("A form was changed before it was published"),
    "draft.classify": N_("The questions of a form were classified"),
    "draft.discard": N_("A form was thrown away before it was published"),
    "draft.publish": N_("A form was published"),
    "form.publish": N_("A form was published"),
    "form.withdraw": N_("A form was withdrawn"),
    "instance.receive": N_("ODK Collect sent a submission"),
    "key.make": N_("A key for sealing was made"),
    "key.make_signing": N_("The key for receipts was made"),
    "person.add": N_("A person was added"),
    "person.own_password": N_("Somebody changed their own password"),
    "person.reset": N_("A password was replaced"),
    "person.switch": N_("A person was let in or shut out"),
    "record.choose": N_("Somebody chose between two answers"),
    "record.fetch_own": N_("A worker fetched a record to correct it"),
    "record.review": N_("A record was reviewed"),
    "record.open": N_("A record was opened"),
    "records.export": N_("Records were taken away as a file"),
    "datasets.take_in": N_("Datasets of the programme were taken in"),
    "refusals.cut": N_("What may not be kept after a no was taken out of older records"),
    "release.attest": N_("A recipient said that all copies are deleted"),
    "release.deliver": N_("A package was sent, or could not be"),
    "release.revoke": N_("A release was revoked"),
    "release.retry": N_("A release that failed is to be built again"),
    "delivery.retry": N_("A package is to be sent again"),
    "second_factor.set": N_("A second factor was set up or used"),
    "second_factor.reset": N_("A second factor was taken away"),
    "series.change": N_("A release series was changed"),
    "release.build": N_("A release was built"),
    "release.download": N_("A release was downloaded"),
    "sign_in.failed": N_("A sign-in failed"),
    "sign_in.ok": N_("Somebody signed in"),
    "submission.let_in": N_("Submissions kept aside were let in"),
    "submission.open": N_("A submission kept aside was opened"),
    "submission.settle": N_("A submission kept aside was taken off the list"),
    "tables.count": N_("Protected tables were counted"),
    "product.build": N_("A product was built"),
    "product.switch": N_("A product was switched on or off"),
    "product.take": N_("A product's file was taken away"),
    "subscription.add": N_("Somebody asked to be told of a product"),
    "subscription.end": N_("Somebody is no longer told of a product"),
    "partner.bring": N_("A partner's totals were brought in"),
    "partner.remove": N_("A partner's totals were removed"),
    "board.ask": N_("A request was put on the board"),
    "board.step": N_("Something was done about an item on the board"),
    "board.report": N_("A shift report was made"),
    "feed_key.make": N_("A key for the feed was made"),
    "feed_key.revoke": N_("A key for the feed was taken away"),
    "feed.pull": N_("A recipient read the feed"),
}


def words_of(text: Any) -> str:
    return in_language(text, language.current())


def choice(definition: FormDefinition, question: str, name: str) -> str:
    """Return the label of a choice of the question with a role (area, kind)."""
    element = definition.find_with_role(question)
    return definition.choice_label(element, name, language.current()) if element else name


class RecordAnswers(Protocol):
    """A record that is shown by the roles of its questions, such as an incident."""

    @property
    def definition(self) -> FormDefinition: ...
    def read_role(self, role: str) -> str: ...


def answer_with_role(record: RecordAnswers, role: str) -> str:
    """Return what a record answers to the question with a role; "–" where it says nothing."""
    element = record.definition.find_with_role(role)
    value = record.read_role(role)
    return answer(record.definition, element, value) if element and value else "–"


def answer(definition: FormDefinition, element: Element, value: str) -> str:
    """Return an answer as people read it."""
    if element.choices:
        names = value.split() if element.answer_kind in SEVERAL_NAMES else [value]
        return ", ".join(definition.choice_label(element, name, language.current()) for name in names)
    return value


def said(definition: FormDefinition, path: str, value: Any) -> str:
    """Return what one answer says, by its dotted path; for a whole repeat, how many entries it has."""
    if isinstance(value, list):
        return str(ngettext("%(num)d entry", "%(num)d entries", len(value)))
    element = definition.by_path.get("/data/" + path.replace(".", "/"))
    return (answer(definition, element, value) if element and value else value) or "–"


def asked(definition: FormDefinition, path: str) -> str:
    """Return the label of a question by its dotted path."""
    element = definition.by_path.get("/data/" + path.replace(".", "/"))
    return (words_of(element.label) if element else "") or path


def answered(definition: FormDefinition, answers: Any, parent: str = "/data") -> list[dict[str, Any]]:
    """Return what was answered in the order of the form, groups nested, for a page to show."""
    shown: list[dict[str, Any]] = []
    for element in definition.children.get(parent, []):
        value = answers.get(element.name) if isinstance(answers, dict) else None
        label = words_of(element.label) or element.name
        if element.kind == "question":
            if isinstance(value, str) and value and element.answer_kind == AnswerKind.MEDIA:
                shown.append({"label": label, "data": _address(value), "kind": element.type, "class": element.privacy})
            elif isinstance(value, str) and value and (element.label or element.type != "calculate"):
                shown.append({"label": label, "text": answer(definition, element, value), "class": element.privacy})
        else:
            for number, instance in enumerate(value if isinstance(value, list) else [value], 1):
                if inner := answered(definition, instance or {}, element.path):
                    title = f"{label} {number}" if element.kind == "repeat" else label
                    shown.append({"label": title, "children": inner})
    return shown


def _address(value: str) -> str:
    """Return where a picture, recording or file is: in the answer itself, or kept apart."""
    if found := KIND.fullmatch(value):
        kind, subtype = found[1].split("/")
        return url_for("office.attachment", kind=kind, subtype=subtype, sha256=found[2])
    return value


def form_problem(problem: FormProblem) -> str:
    """Return what is wrong in a workbook in the reader's language, names of forbidden things included."""
    details = {key: gettext(text) if key == "what" and text else text for key, text in problem.details.items()}
    return str(gettext(problem.text)).format(**details)


def problem_text(definition: FormDefinition | None, problem: dict[str, Any]) -> str:
    """Return why an answer was refused: the form's own words where it has some."""
    element = _asked(definition, problem)
    if element and problem.get("code") == "answers.constraint" and (own := words_of(element.constraint_message)):
        return own
    text = str(problem.get("text", ""))
    details: dict[str, str] = problem.get("details", {})
    return str(gettext(text)).format(**details) if text else ""


def problem_question(definition: FormDefinition | None, problem: dict[str, Any]) -> str:
    """Return the label of the question that a problem is about, else its name."""
    element = _asked(definition, problem)
    return (words_of(element.label) if element else "") or str(problem.get("path", ""))


def _asked(definition: FormDefinition | None, problem: dict[str, Any]) -> Element | None:
    names = [part.split("[")[0] for part in str(problem.get("path", "")).split(".") if part]
    return definition.by_path.get("/data/" + "/".join(names)) if definition else None


def level_word(name: str) -> str:
    """Return the words for a level of a hierarchy."""
    return Labels({}, hierarchy_words()).level(name, language.current())


def size(count: int) -> str:
    return f"{format_decimal(round(count / 1024))} KB" if count >= 1024 else f"{count} B"


def percent(share: float) -> str:
    return f"{round(share * 100)} %"


def exact_percent(share: float) -> str:
    return f"{format_decimal(round(share * 100, 1))} %"


def day(value: dt.date) -> str:
    return str(format_date(value, "d MMM y"))


def moment(value: dt.datetime | None) -> str:
    return str(format_datetime(value, "d MMM y, HH:mm")) if value else "–"


def spot_words() -> dict[str, str]:
    """Return the words of the hot-spot map, which the browser puts in."""
    return {
        "all": gettext("All times"),
        "areas": gettext("Neighbourhoods"),
        "before": gettext("Before"),
        "closer": gettext("Closer"),
        "chart": gettext("Map"),
        "cold": gettext("Cold spot"),
        "downFrom": gettext("down from {n}"),
        "farther": gettext("Farther"),
        "few": gettext("too few to show"),
        "go": gettext("Where and when to go"),
        "hot": gettext("Hot spot"),
        "map": gettext("Map of the neighbourhoods; the same is in the table below"),
        "nothing": gettext("Too few to name a place and time. Choose a longer span, or all times."),
        "number": gettext("Number"),
        "place": gettext("Neighbourhood"),
        "sentence": gettext("{place}: {day}, {time} ({n})"),
        "spot": gettext("Against its surroundings"),
        "table": gettext("All neighbourhoods"),
        "times": gettext("Days and times; choose some to narrow the map"),
        "upFrom": gettext("up from {n}"),
        "warm": gettext("Warm spot"),
        "what": gettext("What to show"),
        "when": gettext("When"),
        "whole": gettext("Whole city"),
    }


def init(app: Flask) -> None:
    app.jinja_env.filters.update(words_of=words_of, size=size, percent=percent, day=day, moment=moment)
    app.jinja_env.filters.update(exact_percent=exact_percent, reason=write_stored, problem=write_problem)
    app.jinja_env.filters["form_problem"] = form_problem
    app.jinja_env.globals.update(
        product_version=VERSION,
        choice=choice,
        answer_with_role=answer_with_role,
        answered=answered,
        asked=asked,
        said=said,
        review_names=REVIEWS,
        via_names=VIA,
        problem_question=problem_question,
        problem_text=problem_text,
        role_names=ROLES,
        state_names=STATES,
        act_names=ACTS,
        cadences=CADENCES,
        product_cadences={name: gettext_lazy(text) for name, text in PRODUCT_CADENCES.items()},
        level_word=level_word,
        steps=STEPS,
        target_fields=TARGET_FIELDS,
        revision_of=revision_of,
        factor_revision=factor_revision,
        item_revision=item_revision,
        partners_revision=partners_revision,
        record_revision=record_revision,
        switch_revision=switch_revision,
    )
