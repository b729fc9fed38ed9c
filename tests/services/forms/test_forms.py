"""Forms at the centre: publish, withdraw, what phones then hold."""

import dataclasses
import json

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.forms import published
from fieldapp.services.keys import current_key
from fieldapp.services.phones.manifest import fetch_form, fetch_manifest
from fieldapp.services.problems import ActProblem
from fieldapp.services.records.deliveries import receive_batch
from forms import consent
from forms.xlsform import compile_workbook
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope
from tests.programme import compiled_of, workbook_of


def listed(session: Session, cast: Cast) -> list[tuple[str, str]]:
    key = current_key(session, cast.centre.id, "a secret of the server")
    return [(form["id"], form["version"]) for form in fetch_manifest(session, cast.amina, key=key, receipts=key)["forms"]]


def test_other_content_under_the_same_version_is_refused(session: Session, cast: Cast) -> None:
    compiled = compiled_of("encounter")
    changed = dataclasses.replace(compiled, definition=dataclasses.replace(compiled.definition, title={"en": "Other"}))
    with pytest.raises(ActProblem, match="new version"):
        published.publish_form(session, cast.rosa, compiled=changed, workbook=b"")


def test_a_newer_version_replaces_the_older_on_phones_and_both_are_accepted(session: Session, cast: Cast) -> None:
    compiled = compiled_of("encounter")
    newer = dataclasses.replace(compiled, definition=dataclasses.replace(compiled.definition, version="2"))
    published.publish_form(session, cast.rosa, compiled=newer, workbook=b"")
    assert ("encounter", "2") in listed(session, cast)
    assert len(listed(session, cast)) == 2
    both = [envelope(encounter(), version="2"), envelope(encounter())]
    answers = receive_batch(session, cast.amina, parse_batch(batch(*both)))
    assert [answer["status"] for answer in answers] == ["stored", "stored"]


def test_a_withdrawn_form_leaves_phones_is_still_accepted_and_can_come_back(session: Session, cast: Cast) -> None:
    version = next(one for one in published.list_forms(session, cast.rosa) if one.form == "encounter")
    published.withdraw_form(session, cast.rosa, version_id=version.id)
    assert [form for form, _ in listed(session, cast)] == ["mediation"]
    answers = receive_batch(session, cast.amina, parse_batch(batch(envelope(encounter()))))
    assert answers[0]["status"] == "stored"
    published.publish_form(session, cast.rosa, compiled=compiled_of("encounter"), workbook=b"")
    assert [form for form, _ in listed(session, cast)] == ["encounter", "mediation"]


def test_a_phone_fetches_exactly_what_the_manifest_names(session: Session, cast: Cast) -> None:
    definition = compiled_of("encounter").definition
    text = fetch_form(session, cast.amina, form="encounter", version=definition.version)
    assert text == definition.to_json()
    with pytest.raises(ActProblem):
        fetch_form(session, cast.amina, form="encounter", version="nope")


def publish_without_rule(session: Session, cast: Cast) -> None:
    """Publish a form as versions of this programme did that knew no rule about what is kept after a no."""
    with pytest.MonkeyPatch.context() as before:
        before.setattr(consent, "guard", lambda definition: (definition, []))
        old = compile_workbook(workbook_of("encounter")).definition
    assert not old.kept_after_no
    old = dataclasses.replace(old, version="0")
    compiled = dataclasses.replace(compiled_of("encounter"), definition=old)
    published.publish_form(session, cast.system, compiled=compiled, workbook=b"")


def test_a_form_from_before_the_rule_gets_it_on_phones_and_at_the_centre(session: Session, cast: Cast) -> None:
    publish_without_rule(session, cast)
    shown = json.loads(fetch_form(session, cast.amina, form="encounter", version="0"))
    assert shown == json.loads(compiled_of("encounter").definition.to_json()) | {"version": "0"}
    same = dataclasses.replace(compiled_of("encounter").definition, version="0")  # as this version compiles the workbook
    again = dataclasses.replace(compiled_of("encounter"), definition=same)
    published.publish_form(session, cast.system, compiled=again, workbook=b"")
