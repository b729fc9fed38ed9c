"""Two people in the office at once: an older page undoes nothing, says who was faster, and gives back what was typed."""

import datetime as dt
import io
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services.board import board
from fieldapp.services.products import partners, subscriptions
from fieldapp.services.products.odata import keys
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.settings import Settings
from fieldapp.store.caseload.cards import Card
from fieldapp.store.forms.drafts import FormDraft
from fieldapp.store.operations.centres import Centre
from fieldapp.store.people.users import User
from fieldapp.store.records.records import Record
from fieldapp.store.records.submissions import Submission
from fieldapp.store.releases.releases import Release, ReleaseRun, ReleaseSeries
from sync.envelope import parse_batch
from tests.cast import PASSWORD, Cast, a_series, another_worker, batch, encounter, envelope, password_hash
from tests.opening import open_engine
from tests.programme import workbook_of
from tests.services.board.incidents import incident
from tests.services.caseload.meetings import ONE as CARD
from tests.web.conftest import csrf_of, revision_of
from tests.web.office.forms.uploads import upload

Clients = Callable[[str], FlaskClient]

# Forms that need not say what they were shown, and why.
FREE = {
    "office.aside_let_in": "takes in what is still aside; what a colleague let in or took off the list stays so",
    "office.aside_dismiss": "takes off the list what is still aside; it stays kept",
    "office.submission_let_in": "takes in one that is still aside; one that is not stays as it is",
    "office.board_ask": "puts something new on the board",
    "office.board_report": "only reads",
    "office.card_end_now": "ends a card, once and for all; one that has ended stays so",
    "office.card_find": "only looks for a card",
    "office.card_lower": "only lowers; what is as low already is refused",
    "office.card_record": "only reads",
    "office.delivery_retry": "tries again what failed; what is sent stays sent",
    "office.audit_csv": "only reads",
    "office.records_zip": "only reads",
    "office.feed_key_make": "makes a new key; the others stay",
    "office.form_change": "begins a new draft; the version stays",
    "office.form_new": "begins a new draft",
    "office.form_upload": "begins a new draft",
    "office.confirm": "compares a code; it is about the one who is signed in",
    "office.own_app_set": "sets up an app of one's own, which only oneself can do",
    "office.own_passkey_add": "adds a passkey of one's own; the others stay",
    "office.own_passkey_remove": "removes a passkey of one's own, which only oneself can do",
    "office.own_recovery_codes": "makes new codes of one's own, which only oneself can do",
    "office.person_password_code": "makes a new code; that an older one ends is meant",
    "office.person_code": "makes a new code; that an older one ends is meant",
    "office.own_sign_on_remove": "removes a link of one's own, which only oneself can do",
    "office.person_sign_on_code": "makes a new code; that an older one ends is meant",
    "office.person_sign_on_remove": "removes a link; where there is none it stays so",
    "office.sign_on_trust": "says whether it is on or off; where it is so already it stays so",
    "office.two_steps": "turns it on; where it is on it stays so",
    "office.moved": "only says where a page is now",
    "office.own_password_change": "asks for the old password",
    "office.own_session_end": "ends a session of one's own, which only oneself can do",
    "office.own_sessions_end": "ends sessions of one's own, which only oneself can do",
    "office.person_add": "adds a person; a name that is taken is refused",
    "office.phone_collect": "adds a door for one phone; the others stay",
    "office.phone_invite": "makes a new picture; that an older one ends is meant",
    "office.phone_rescue": "takes in what is not here yet; what is here stays",
    "office.phone_missing": "says that it was read; what goes missing later is asked about again",
    "office.product_subscribe": "adds an address; one that is there stays",
    "office.retention_day": "compares a day with the clock",
    "office.retention_delay": "works once; a second time is refused",
    "office.retention_hold_confirm": "agrees once; again changes nothing",
    "office.retention_hold": "adds a hold; the others stay",
    "office.retention_hold_shorten": "asks for an earlier end; a second person reads the day before they agree",
    "office.retention_hold_shorten_agree": "agrees to the day that it carries, once",
    "office.submission_erase": "erases what was refused, once and for all; what is erased stays so",
    "office.record_erase": "erases a record, once and for all; one that is erased stays so",
    "office.release_retry": "builds what failed; what is built stays built",
    "evaluator.package": "only reads",
}
PARTNER = b"indicator,title_en,title_fr,unit,period,from,to,part,value\nvisits,Visits,Visites,count,2026-Q3,2026-07-01,2026-09-30,total,120\n"


@pytest.fixture
def scene(settings: Settings, web_cast: Cast) -> Iterator[Session]:
    """A centre where there is one of each thing that the office can change."""
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        series = a_series(session, web_cast)
        receive_batch(session, web_cast.amina, parse_batch(batch(envelope(encounter()), envelope("{"))))
        incident(session, web_cast, fu_plan="d1")
        another_worker(session, web_cast)
        keys.make_key(session, web_cast.rosa, series_id=series.id, label="Council")
        subscriptions.subscribe(session, web_cast.rosa, product="panel", address="a@example.org")
        partners.import_partner_totals(session, web_cast.rosa, name="Partner", calendar="Quarters", data=PARTNER)
        board.add_request(session, web_cast.rosa, need="visit")
        now = dt.datetime.now(dt.UTC)
        amina = web_cast.amina.user_id
        session.add(Card(centre_id=web_cast.centre.id, code=CARD, first_id=amina, worker_id=amina, tier="", is_open=True))
        run = ReleaseRun(series_id=series.id, period="2026-Q2", state="done", token="", lease_until=now, started_at=now)
        session.add(run)
        session.flush()
        session.add(
            Release(
                run_id=run.id, series_id=series.id, centre_id=web_cast.centre.id, period="2026-Q2", filename="a.zip",
                sha256="0" * 64, size=1, created_at=now, expires_at=now, revoked_at=None, attested_at=None,
                manifest={"recipe": {"purpose": {"en": "x", "fr": "x"}}, "datasets": {}, "threshold": 20, "withdrawals": {"rows": 20}},
            )
        )  # fmt: skip
        session.add(
            User(
                centre_id=web_cast.centre.id, username="nadia", label="L-nadia", role="admin", password=password_hash(),
                fs_uniquifier="n" * 64, created_at=now,
            )
        )  # fmt: skip
        session.commit()
        yield session
    engine.dispose()


def addresses(session: Session, cast: Cast, draft: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return, for each form that changes something, an address that is there, and what would be sent."""
    record = session.scalars(sa.select(Record).where(Record.form == "encounter")).one()
    kept = session.scalars(sa.select(Submission).where(Submission.state == "rejected")).one()
    eve, phone = cast.eve.user_id, cast.amina.device_id
    incident_id = session.scalars(sa.select(Record.instance_id).where(Record.form == "incident")).one()
    return {
        "office.submission_dismiss": (f"/office/review/{kept.id}/dismiss", {}),
        "office.board_step": ("/office/board/steps", {"kind": "closed", "item": "1"}),
        "office.card_assign": ("/office/caseload/assign", {"code": CARD, "worker": str(basil_of(session).id)}),
        "office.record_assign": (f"/office/caseload/records/{incident_id}/assign", {"worker": str(basil_of(session).id)}),
        "office.draft_arrange": (f"{draft}/questions", {"do": "add", "type": "text"}),
        "office.draft_classified": (f"{draft}/classify", {}),
        "office.draft_discard": (f"{draft}/discard", {}),
        "office.draft_list_save": (f"{draft}/lists/yes_no", {}),
        "office.draft_publish": (f"{draft}/publish", {}),
        "office.draft_question_save": (f"{draft}/questions/2", {"type": "text", "name": "x"}),
        "office.draft_replace": (f"{draft}/workbook", {}),
        "office.draft_settings": (f"{draft}/settings", {"form_title": "Other"}),
        "office.feed_key_revoke": ("/office/feed/1/revoke", {}),
        "office.form_withdraw": ("/office/forms/1/withdraw", {}),
        "office.partner_bring": ("/office/products/partners", {"name": "Partner", "calendar": "Months"}),
        "office.partner_remove": ("/office/products/partners/remove", {"name": "Partner"}),
        "office.person_reset": (f"/office/people/{eve}/password", {}),
        "office.person_second_factor": (f"/office/people/{eve}/second-factor", {}),
        "office.person_switch": (f"/office/people/{eve}/switch", {"active": "no"}),
        "office.phone_revoke": (f"/office/phones/{phone}/revoke", {"order": "wipe"}),
        "office.phone_rules": ("/office/phones/rules", {"lock_minutes": "9", "shred_days": "9"}),
        "office.product_switch": ("/office/products/panel/on", {}),
        "office.product_unsubscribe": ("/office/products/subscriptions/1/end", {}),
        "office.record_choose": (f"/office/records/{record.instance_id}/choose", {}),
        "office.record_review": (f"/office/records/{record.instance_id}/review", {"state": "approved"}),
        "office.release_revoke": ("/office/releases/1/revoke", {"because": "A column was wrong."}),
        "office.series_change": ("/office/series/1", {}),
        "evaluator.deleted": ("/releases/1/deleted", {"name": "Eve Adams"}),
        "evaluator.list_deleted": ("/releases/1/list-deleted", {"name": "Eve Adams"}),
    }


def basil_of(session: Session) -> User:
    return session.scalars(sa.select(User).where(User.username == "basil")).one()


def test_every_form_that_changes_something_says_what_it_was_shown(
    app: Flask, client_of: Clients, scene: Session, web_cast: Cast
) -> None:
    rosa = client_of("rosa")
    draft = upload(rosa, workbook_of("event")).location
    forms = addresses(scene, web_cast, draft)
    posts = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert set(forms) | set(FREE) == {name for name in posts if name.split(".")[0] in ("office", "evaluator")}
    assert not set(forms) & set(FREE)
    token = csrf_of(rosa.get("/office/people").text)
    for endpoint, (url, fields) in forms.items():
        for mark in ({}, {"revision": "7"}, {"revision": "0" * 20}):
            file = {"file": (io.BytesIO(PARTNER), "p.csv")} if endpoint == "office.partner_bring" else {}
            answer = rosa.post(url, data={"csrf_token": token, **file, **fields, **mark})
            assert answer.status_code == 409, (endpoint, mark, answer.status_code)
    assert len(scene.scalars(sa.select(FormDraft)).all()) == 1


def test_every_form_on_a_page_carries_the_mark(app: Flask, client_of: Clients, scene: Session, web_cast: Cast) -> None:
    rosa = client_of("rosa")
    draft = upload(rosa, workbook_of("event")).location
    record = scene.scalars(sa.select(Record).where(Record.form == "encounter")).one()
    kept = scene.scalars(sa.select(Submission).where(Submission.state == "rejected")).one()
    pages = ["people", "products", "feed", "forms", "forms/1", "series", "series/1", "caseload", "board", "board/history"]
    pages += [f"records/{record.instance_id}", f"review/{kept.id}", "records?form=encounter", "password"]
    urls = [f"/office/{page}" for page in pages] + ["/releases/", draft, f"{draft}/questions", f"{draft}/questions/2"]
    match = app.url_map.bind("localhost").match
    met = set()
    for url in urls:
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", rosa.get(url).text, re.DOTALL):
            action = re.search(r'<form\b[^>]*\baction="([^"#]*)', form)
            endpoint, _ = match(urlsplit(action[1] if action else url).path, method="POST")
            if endpoint.split(".")[0] in ("office", "evaluator") and endpoint not in FREE:
                assert re.search(r'name="revision" value="[0-9a-f]+"', form), (url, endpoint)
                met.add(endpoint)
    assert len(met) > 20, met


def shown(client: FlaskClient, page: str, url: str, **fields: object) -> dict[str, str]:
    """Return what the page's form for an address carries: what an older page would still send."""
    text = client.get(page).text
    return {"csrf_token": csrf_of(text), "revision": revision_of(text, url, **fields)}


def test_a_paused_recipe_stays_paused(client_of: Clients, scene: Session, post: Callable[..., Any]) -> None:
    rosa, nadia = client_of("rosa"), client_of("nadia")
    url = "/office/series/1"
    page = rosa.get(url).text
    old = {"csrf_token": csrf_of(page), "revision": revision_of(page, url)}
    fields = {
        "title_en": "Outreach", "title_fr": "Proximité", "purpose_en": "To study outreach.", "purpose_fr": "Étudier le travail.",
        "recipient": "The lab", "audience": "city", "cadence": "quarter", "first_period": "2026-Q2", "threshold": "20",
        "keep_days": "90", "action": "save",
    }  # fmt: skip
    fields["table"] = re.findall(r'name="table" value="([^"]+)"', page)[0]
    hers = post(nadia, url, page=url, **(fields | {"keep_days": "60"}))  # not active: paused
    assert hers.status_code == 302, hers.text
    answer = rosa.post(url, data=old | fields | {"title_en": "Outreach, corrected", "is_active": "yes"})
    assert answer.status_code == 409
    assert "L-nadia" in answer.text
    assert 'value="Outreach, corrected"' in answer.text  # what was typed is still there
    for words in ("Saved now", "60", "Build automatically when a period has ended"):
        assert words in answer.text
    scene.rollback()
    scene.expire_all()
    kept = scene.scalars(sa.select(ReleaseSeries)).one()
    assert (kept.is_active, kept.keep_days, kept.title["en"]) == (False, 60, "Outreach")
    again = {"csrf_token": csrf_of(answer.text), "revision": revision_of(answer.text, url)}
    assert rosa.post(url, data=again | fields | {"title_en": "Outreach, corrected"}).status_code == 302  # knowing of it


def test_trying_a_recipe_does_not_make_an_old_page_new(client_of: Clients, scene: Session, post: Callable[..., Any]) -> None:
    rosa, nadia = client_of("rosa"), client_of("nadia")
    url = "/office/series/1"
    page = rosa.get(url).text
    old = {"csrf_token": csrf_of(page), "revision": revision_of(page, url)}
    table = re.findall(r'name="table" value="([^"]+)"', page)[0]
    fields = {
        "title_en": "A", "title_fr": "B", "purpose_en": "To study outreach.", "purpose_fr": "Étudier le travail.",
        "recipient": "The lab", "audience": "city", "cadence": "quarter", "first_period": "2026-Q2", "threshold": "20",
        "table": table, "keep_days": "90",
    }  # fmt: skip
    assert post(nadia, url, page=url, **fields, action="save").status_code == 302
    answer = rosa.post(url, data=old | fields | {"action": "try"})
    assert revision_of(answer.text, url) == old["revision"]


def test_rules_for_phones_that_a_colleague_set_stay(client_of: Clients, scene: Session, post: Callable[..., Any]) -> None:
    rosa, nadia = client_of("rosa"), client_of("nadia")
    old = shown(rosa, "/office/people", "/office/phones/rules")
    post(nadia, "/office/phones/rules", lock_minutes="5", shred_days="7", by_invitation="y")
    answer = rosa.post("/office/phones/rules", data=old | {"lock_minutes": "3", "shred_days": "7"})
    assert answer.status_code == 409
    for words in (
        "Somebody was faster",
        "L-nadia",
        "The rules for phones were changed",
        "Minutes without use until the phone locks",
    ):
        assert words in answer.text
    scene.rollback()
    scene.expire_all()
    assert scene.scalars(sa.select(Centre).where(Centre.slug == "rexdale")).one().by_invitation
    wrong = rosa.post("/office/phones/rules", data=old | {"lock_minutes": "0", "shred_days": "7"})
    assert revision_of(wrong.text, "/office/phones/rules") == old["revision"]  # typed on the old page, so still its state


def test_what_was_sent_back_is_not_approved_from_an_older_page(
    client_of: Clients, scene: Session, post: Callable[..., Any]
) -> None:
    rosa, nadia = client_of("rosa"), client_of("nadia")
    record = scene.scalars(sa.select(Record).where(Record.form == "encounter")).one()
    page = f"/office/records/{record.instance_id}"
    old = shown(rosa, page, f"{page}/review")
    post(nadia, f"{page}/review", page=page, state="returned", comment="Which street?")
    answer = rosa.post(f"{page}/review", data=old | {"state": "approved", "comment": "All good, thank you"})
    assert answer.status_code == 409
    assert "L-nadia" in answer.text
    assert ">All good, thank you</textarea>" in answer.text
    scene.rollback()
    scene.expire_all()
    assert scene.scalars(sa.select(Record).where(Record.form == "encounter")).one().review == "returned"
    comment = rosa.post(f"{page}/review", data=old | {"state": "", "comment": "By the school"})
    assert comment.status_code == 302  # a comment is only added


def test_two_dispatchers_are_told_of_each_other(client_of: Clients, scene: Session, web_cast: Cast) -> None:
    rosa, nadia = client_of("rosa"), client_of("nadia")
    root = scene.scalars(sa.select(Record.instance_id).where(Record.form == "incident")).one()
    step = "/office/board/steps"
    old = shown(rosa, "/office/board", step, root=root)
    first = shown(nadia, "/office/board", step, root=root)
    give = {"kind": "assigned", "root": root}
    assert nadia.post(step, data=first | give | {"to": str(web_cast.rosa.user_id)}).status_code == 302
    answer = rosa.post(step, data=old | give | {"to": str(web_cast.amina.user_id)})
    assert answer.status_code == 409
    assert "L-nadia" in answer.text
    assert "What you chose was not done" in answer.text
    fresh = {"csrf_token": csrf_of(answer.text), "revision": revision_of(answer.text, step, root=root)}
    assert rosa.post(step, data=fresh | {"kind": "acted", "root": root}).status_code == 302
    again = rosa.post(step, data=fresh | {"kind": "acted", "root": root})  # a second click
    assert again.status_code == 409
    assert "You did it yourself" in again.text


def test_an_old_page_publishes_no_other_draft(client_of: Clients, scene: Session) -> None:
    rosa, nadia = client_of("rosa"), client_of("nadia")
    draft = upload(rosa, workbook_of("event")).location
    old = shown(nadia, draft, f"{draft}/publish")
    gone = shown(rosa, draft, f"{draft}/discard")
    assert rosa.post(f"{draft}/discard", data=gone).status_code == 302
    other = upload(rosa, workbook_of("shift")).location
    assert other != draft
    for act in ("publish", "discard"):
        assert nadia.post(f"{draft}/{act}", data=old).status_code == 404
    assert rosa.get(other).status_code == 200


def test_a_draft_that_was_changed_is_not_thrown_away_from_an_older_page(client_of: Clients, scene: Session) -> None:
    rosa, nadia = client_of("rosa"), client_of("nadia")
    draft = upload(rosa, workbook_of("event")).location
    old = shown(nadia, draft, f"{draft}/discard")
    rosa.post(f"{draft}/settings", data=shown(rosa, f"{draft}/questions", f"{draft}/settings") | {"form_title": "Mine"})
    answer = nadia.post(f"{draft}/discard", data=old)
    assert answer.status_code == 409
    assert "L-rosa" in answer.text
    assert rosa.get(draft).status_code == 200


def test_ones_own_password_is_changed_with_the_old_one_only(client_of: Clients, scene: Session, web_cast: Cast) -> None:
    rosa = client_of("rosa")
    page = rosa.get("/office/people").text
    assert f"/office/people/{web_cast.rosa.user_id}/password" not in page  # no button beside one's own name
    token = csrf_of(page)
    own = f"/office/people/{web_cast.rosa.user_id}/password"
    assert rosa.post(own, data={"csrf_token": token, "revision": ""}).status_code == 422
    new = "several new words"
    for fields, words in [
        ({"old": "wrong", "new": new, "again": new}, "The old password is wrong."),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "12 characters"),
        ({"old": PASSWORD, "new": new, "again": "others"}, "The two are not the same."),
    ]:
        answer = rosa.post("/office/account", data={"csrf_token": token, **fields})
        assert answer.status_code == 422
        assert words in answer.text
    assert (
        rosa.post("/office/account", data={"csrf_token": token, "old": PASSWORD, "new": new, "again": new}).status_code
        == 302
    )
    assert rosa.get("/office/people").status_code == 302  # signed out, also here
    token = csrf_of(rosa.get("/").text)
    assert rosa.post("/", data={"csrf_token": token, "username": "rosa", "password": new}).status_code == 302
    for name in ("amina", "nobody"):
        assert client_of(name).get("/office/account").status_code in (302, 403)
