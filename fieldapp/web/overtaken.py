"""The page for a form that a colleague was faster with: who changed what when, and what was typed, given back."""

from typing import Any

from flask import current_app, render_template, request, url_for

from fieldapp.services.revisions import Overtaken
from fieldapp.web.words import TYPED

# Where each form stands, for the way back; a form whose page has its own address goes back there.
PAGES = {
    "office.attention_settle": "office.attention",
    "office.card_assign": "office.caseload",
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
    "office.record_choose": "office.encounter",
    "office.record_review": "office.encounter",
    "office.release_revoke": "evaluator.shelf",
    "evaluator.deleted": "evaluator.shelf",
}
NOT_TYPED = {
    "csrf_token", "revision", "action", "active", "code", "do", "item", "kind", "order", "root", "row", "state",
    "to", "worker",
}  # fmt: skip


def seen() -> str:
    """Return the mark that the form carried of what its page showed; a form without one is never up to date."""
    return request.form.get("revision", "")[:64]


def page(problem: Overtaken, text: str, status: int) -> Any:
    """Return the page that says so."""
    return render_template("overtaken.html", text=text, last=problem.last, back=_back(), typed=_typed()), status


def _back() -> str:
    endpoint = PAGES.get(request.endpoint or "")
    if endpoint is None:
        return request.path
    wanted = {name for rule in current_app.url_map.iter_rules(endpoint) for name in rule.arguments}
    given = {name: value for name, value in (request.view_args or {}).items() if name in wanted}
    return url_for(endpoint, **given)


def _typed() -> list[tuple[str, str]]:
    """Return the name and content of every field that was filled in."""
    found = []
    for name, values in request.form.lists():
        content = ", ".join(value for value in values if value.strip())
        if name not in NOT_TYPED and content:
            found.append((str(TYPED.get(name, name)), content))
    return found
