"""The page for a form that a colleague was faster with.

It says who changed what when, and gives back what was typed.
"""

from typing import Any

from flask import current_app, render_template, request, url_for
from flask_babel import lazy_gettext

from fieldapp.services.revisions import Overtaken

# The page that each form is on. A form whose page has its own address is not listed: it goes back there.
PAGES = {
    "office.submission_dismiss": "office.review_queue",
    "office.card_assign": "office.caseload",
    "office.record_assign": "office.caseload",
    "office.draft_discard": "office.draft",
    "office.draft_publish": "office.draft",
    "office.draft_replace": "office.draft",
    "office.draft_settings": "office.draft_questions",
    "office.feed_key_revoke": "office.feed_keys",
    "office.form_withdraw": "office.form",
    "office.partner_bring": "office.products",
    "office.partner_remove": "office.products",
    "office.person_reset": "office.people",
    "office.person_second_factor": "office.people",
    "office.person_switch": "office.people",
    "office.phone_revoke": "office.people",
    "office.phone_rules": "office.people",
    "office.product_switch": "office.products",
    "office.product_unsubscribe": "office.products",
    "office.record_choose": "office.record",
    "office.record_review": "office.record",
    "office.release_revoke": "evaluator.shelf",
    "evaluator.deleted": "evaluator.shelf",
}
# What a field is called on its page, to give back what was typed there.
TYPED_FIELDS = {
    "calendar": lazy_gettext("Its calendar, in words"),
    "comment": lazy_gettext("Comment"),
    "because": lazy_gettext("Why"),
    "form_title": lazy_gettext("Title"),
    "lock_minutes": lazy_gettext("Minutes without use until the phone locks"),
    "shred_days": lazy_gettext("Days until sent records are deleted from the phone"),
    "has_voice_notes": lazy_gettext("Allow voice notes where a form asks for one"),
    "by_invitation": lazy_gettext("Phones join by invitation only, not by a password"),
    "allows_collect": lazy_gettext("Allow ODK Collect (its records are not encrypted on the phone)"),
    "name": lazy_gettext("Name"),
}
NOT_TYPED = {
    "csrf_token", "revision", "action", "active", "code", "do", "item", "kind", "missing", "order", "root", "row", "state",
    "to", "worker",
}  # fmt: skip


def seen() -> str:
    """Return the revision that the form's page showed; "", which is never current, if none."""
    return request.form.get("revision", "")[:64]


def page(problem: Overtaken, text: str, status: int) -> tuple[str, int]:
    """Return the page that says who changed what in the meantime."""
    return render_template("overtaken.html", text=text, last=problem.last, back=_find_page(), typed=_list_typed()), status


def _find_page() -> str:
    """Return the address of the page with the form, for another try."""
    endpoint = PAGES.get(request.endpoint or "")
    if endpoint is None:
        return request.path
    arguments: dict[str, Any] = {}
    for rule in current_app.url_map.iter_rules(endpoint):
        arguments |= {name: value for name, value in (request.view_args or {}).items() if name in rule.arguments}
    return url_for(endpoint, **arguments)


def _list_typed() -> list[tuple[str, str]]:
    """Return the name and content of every field that was filled in."""
    fields = []
    for name, values in request.form.lists():
        # A field may have several values, such as the readers of a series.
        content = ", ".join(value for value in values if value.strip())
        if name not in NOT_TYPED and content:
            fields.append((str(TYPED_FIELDS.get(name, name)), content))
    return fields
