"""The walls: who may do what, and nothing of another centre by any id."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.services.access import ACCESS, ROLES, SYSTEM
from fieldapp.services.acts import ActContext, Actor, utcnow
from fieldapp.services.board import board, shifts
from fieldapp.services.caseload import hand_over
from fieldapp.services.forms import drafts, published
from fieldapp.services.operations import audit_log
from fieldapp.services.operations.audit_log import AuditSearch
from fieldapp.services.people import accounts
from fieldapp.services.phones import collect, devices
from fieldapp.services.phones.pull import pull_changes
from fieldapp.services.problems import ActProblem
from fieldapp.services.products import registry as product_registry
from fieldapp.services.products.odata import keys
from fieldapp.services.records import attachments, listing, quarantine, reviews
from fieldapp.services.records.deliveries import receive_batch
from fieldapp.services.releases import datasets, downloads, series
from fieldapp.store.forms.areas import AreaSet
from fieldapp.store.people.passkeys import Passkey
from fieldapp.store.people.web_sessions import WebSession
from fieldapp.store.products.products import Edition, PartnerSource, Subscription, put_files, state
from fieldapp.store.records.records import RecordFilter
from fieldapp.store.releases.releases import PackageDelivery, Release, ReleaseRun
from sync.envelope import parse_batch
from tests.cast import Cast, a_series, batch, crisis_team, encounter, envelope, other_worker
from tests.programme import definition_of, workbook_of
from tests.services.board.incidents import incident
from tests.services.caseload.meetings import ONE, met
from tests.services.rights import RIGHTS, all_acts

FUNCTIONS = all_acts()
PEOPLE = {"worker": "amina", "admin": "rosa", "evaluator": "eve", "system": "system"}


def test_the_table_of_the_tests_knows_every_role_and_every_act() -> None:
    assert set(RIGHTS) == {*ROLES, SYSTEM}, "a role is missing in tests/services/rights.py, or does not exist"
    assert set().union(*ACCESS.values()) <= set(RIGHTS), "access.py names a role that does not exist"
    acts = {name for name, _ in FUNCTIONS.values()}
    assert set(ACCESS) == acts, "access.py says who may do each act, and names no act that no function is"
    assert set.union(*RIGHTS.values()) == acts, "write in tests/services/rights.py, too, who may do each act"


@pytest.mark.parametrize("role", RIGHTS)
def test_a_role_has_the_rights_that_are_written_down_and_no_other(role: str) -> None:
    given = {name for name, roles in ACCESS.items() if role in roles}
    assert given == RIGHTS[role], f"access.py (left) and tests/services/rights.py (right) differ about the {role}"


@pytest.mark.parametrize("role", RIGHTS)
def test_a_role_without_the_right_is_refused_before_anything_happens(session: Session, cast: Cast, role: str) -> None:
    who = crisis_team(session, cast) if role == "crisis" else cast.actor(PEOPLE[role])
    assert who.role == role
    for place, (name, function) in FUNCTIONS.items():
        if name in RIGHTS[role]:
            continue
        assert ask(function, session, who) == "access.denied", f"{place} does something for the {role} first"
    stranger = replace(who, role="a role that nobody made")
    for place, (_, function) in FUNCTIONS.items():
        assert ask(function, session, stranger) == "access.denied", f"{place} does something for a stranger first"


def ask(function: Callable[..., Any], *arguments: Any) -> str:
    """Return the code of the problem that a function answers with; blank: it was done."""
    try:
        function(*arguments)
    except ActProblem as problem:
        return problem.code
    return ""


class Centre:
    """Amina's centre with one of everything that has an id, and ways to ask for each of them."""

    def __init__(self, session: Session, cast: Cast, packages: Path):
        self.session, self.cast, self.packages = session, cast, packages
        self.item, kept = envelope(encounter()), envelope("{")
        receive_batch(session, cast.amina, parse_batch(batch(self.item, kept, met(ONE))))
        self.series = a_series(session, cast)  # brings the other forms
        datasets.install_program_datasets(session, cast.system)
        self.version = published.list_forms(session, cast.rosa)[0]
        self.submission = listing.list_review_queue(session, cast.rosa).submissions[0]
        self.incident = incident(session, cast, fu_plan="d1")
        self.request = board.add_request(session, cast.rosa, need="escort")
        self.checked = drafts.CompiledDraft(workbook_of("encounter"), {}, "A title", "encounter", None, [])
        self.draft = drafts.begin_draft(session, cast.rosa, compiled_draft=self.checked)
        keys.make_key(session, cast.rosa, series_id=self.series.id, label="A reader")
        self.key = keys.list_keys(session, cast.rosa).keys[0]
        self.wish = series.open_series(session, cast.rosa, series_id=self.series.id).series_input
        self._add_rows()

    def _add_rows(self) -> None:
        session, now, centre_id = self.session, utcnow(), self.cast.centre.id
        act = ActContext(session, self.cast.amina, now)
        self.attachment = attachments.store_attachment(act, b"a picture")
        run = ReleaseRun(
            series_id=self.series.id, period="2026-Q2", state="done", token="t", lease_until=now, started_at=now
        )
        session.add(run)
        session.flush()
        self.release = Release(
            run_id=run.id, series_id=self.series.id, centre_id=centre_id, period="2026-Q2", filename="a.zip",
            sha256=hashlib.sha256(b"").hexdigest(), size=0, manifest={"datasets": {}, "fieldapp": 2}, created_at=now,
        )  # fmt: skip
        edition = Edition(
            centre_id=centre_id, product="heat_map", period="2026-10", last_day=dt.date(2026, 10, 31), sha256="0" * 64,
            body="{}", built_at=now,
        )  # fmt: skip
        self.subscription = Subscription(
            centre_id=centre_id, product="heat_map", address="a@example.org", last_notified_hash="", created_at=now
        )
        partner = PartnerSource(centre_id=centre_id, name="TTC", calendar="own", figures=[], brought_at=now, sha256="0" * 64)
        outlines = AreaSet(centre_id=centre_id, key="nbhd158", sha256="0" * 64, outlines="{}", created_at=now)
        session.add_all([outlines, self.release, edition, self.subscription, partner])
        session.flush()
        self.delivery = PackageDelivery(
            release_id=self.release.id, centre_id=centre_id, number=0, target={}, state="failed", due_at=now
        )  # fmt: skip
        session.add(self.delivery)
        self.web_session = WebSession(
            centre_id=centre_id, user_id=self.cast.rosa.user_id or 0, token_hash="0" * 64, browser="", started_at=now,
            last_used_at=now,
        )  # fmt: skip
        session.add(self.web_session)
        self.passkey = Passkey(
            centre_id=centre_id, user_id=self.cast.rosa.user_id, credential="a", public_key=b"b", host="localhost",
            sign_count=0, label="", created_at=now, last_used_at=now,
        )  # fmt: skip
        session.add(self.passkey)
        put_files(session, edition.id, {"heat-map.xlsx": b"a file"})
        state(session, centre_id, "heat_map").is_on = True
        session.commit()

    def ask(self, place: str, who: Actor) -> Any:
        """Do what a function does, as somebody, to what is this centre's."""
        return FUNCTIONS[place][1](self.session, who, **TRIED[place](self))


# Every act that names something: what is asked for, which is there and is Rexdale's. What throws away comes last.
TRIED: dict[str, Callable[[Centre], dict[str, Any]]] = {
    "records.attachments.open_attachment": lambda c: {"sha256": c.attachment, "secret": ""},
    "board.board.take_step": lambda c: {"kind": "acted", "root_id": c.incident},
    "phones.devices.set_up_collect": lambda c: {"user_id": c.cast.amina.user_id},
    "phones.devices.invite_device": lambda c: {"user_id": c.cast.amina.user_id},
    "records.export.authorize_export": lambda c: {"record_filter": RecordFilter("encounter")},
    "products.odata.keys.make_key": lambda c: {"series_id": c.series.id, "label": "Mine"},
    "forms.drafts.change_draft": lambda c: {"draft_id": c.draft.id, "revision": 1, "compiled_draft": c.checked},
    "forms.drafts.classify_draft": lambda c: {
        "draft_id": c.draft.id, "revision": 2, "compiled_draft": c.checked, "classes": {},
    },
    "forms.drafts.open_draft": lambda c: {"draft_id": c.draft.id},
    "forms.drafts.propose_classes": lambda c: {"draft_id": c.draft.id},
    "forms.drafts.publish_draft": lambda c: {"draft_id": c.draft.id, "revision": 3},
    "forms.published.open_form": lambda c: {"version_id": c.version.id},
    "caseload.hand_over.assign_card": lambda c: {"code": ONE, "user_id": c.cast.amina.user_id},
    "caseload.hand_over.assign_record": lambda c: {"root_id": c.incident, "user_id": c.cast.amina.user_id},
    "people.web_sessions.end_own_session": lambda c: {"token": "", "session_id": c.web_session.id},
    "people.accounts.reset_password": lambda c: {"user_id": c.cast.amina.user_id},
    "phones.manifest.fetch_areas": lambda c: {"key": "nbhd158"},
    "phones.manifest.fetch_form": lambda c: {"form": "encounter", "version": definition_of("encounter").version},
    "phones.pull.fetch_record_for_correction": lambda c: {"instance_id": c.item["id"]},
    "products.registry.download_file": lambda c: {"name": "heat_map", "filename": "heat-map.xlsx"},
    "phones.collect.fetch_media": lambda c: {"form": "encounter", "version": definition_of("encounter").version},
    "phones.collect.fetch_xform": lambda c: {"form": "encounter", "version": definition_of("encounter").version},
    "records.listing.open_record": lambda c: {"instance_id": c.item["id"]},
    "records.listing.open_submission": lambda c: {"submission_id": c.submission.id},
    "releases.downloads.attest_deletion": lambda c: {"release_id": c.release.id, "name": "Olaf of Jane"},
    "releases.downloads.attest_list": lambda c: {"release_id": c.release.id, "name": "Olaf of Jane"},
    "releases.downloads.download_release": lambda c: {"release_id": c.release.id, "packages": c.packages},
    "records.reviews.resolve_conflict": lambda c: {"instance_id": c.item["id"], "chosen": {}},
    "consent.record_erasure.erase_submission": lambda c: {"submission_id": c.submission.id, "reason": "asked"},
    "consent.record_erasure.erase_record": lambda c: {"instance_id": c.item["id"], "reason": "asked"},
    "records.reviews.review_record": lambda c: {"instance_id": c.item["id"], "state": "approved", "comment": ""},
    "records.reviews.dismiss_submission": lambda c: {"submission_id": c.submission.id},
    "people.one_time_codes.give_one_time_code": lambda c: {"user_id": c.cast.eve.user_id},
    "people.passkeys.remove_passkey": lambda c: {"passkey_id": c.passkey.id},
    "people.sign_on.unlink_account": lambda c: {"user_id": c.cast.eve.user_id},
    "people.second_factor.reset_second_factor": lambda c: {"user_id": c.cast.eve.user_id},
    "products.maps.view_outlines": lambda c: {},
    "releases.series.open_series": lambda c: {"series_id": c.series.id},
    "releases.series.preview_release": lambda c: {"series_id": c.series.id, "series_input": c.wish},
    "releases.series.save_series": lambda c: {"series_id": c.series.id, "series_input": c.wish},
    "releases.downloads.revoke_release": lambda c: {"release_id": c.release.id, "because": "a wrong recipient"},
    "products.odata.keys.revoke_key": lambda c: {"key_id": c.key.id},
    "forms.drafts.discard_draft": lambda c: {"draft_id": c.draft.id, "revision": 3},
    "forms.published.withdraw_form": lambda c: {"version_id": c.version.id},
    "people.accounts.set_person_active": lambda c: {"user_id": c.cast.amina.user_id, "active": False},
    "phones.missing.give_up_missing": lambda c: {"device_id": c.cast.amina.device_id},
    "people.accounts.restore_access": lambda c: {"username": "amina"},
    "releases.retries.retry_delivery": lambda c: {"delivery_id": c.delivery.id},
    "releases.retries.retry_release": lambda c: {"run_id": c.release.run_id},
    "phones.devices.revoke_device": lambda c: {"device_id": c.cast.amina.device_id},
    "products.partners.remove_partner": lambda c: {"name": "TTC"},
    "products.subscriptions.unsubscribe": lambda c: {"subscription_id": c.subscription.id},
}  # fmt: skip

BY_NAME = {"people.accounts.restore_access"}  # asked for by the name somebody signs in with, which only the own centre knows
NAMES_NOTHING = "takes no id: it reads or writes the actor's own centre"
ENDING = "tests/services/consent/test_ending.py asks from another centre"
RETENTION = "tests/services/consent/test_retention.py asks from another centre"
OF_THE_SYSTEM = "only the system does it, for one centre: no role of another centre comes this far"
OWN_PHONE = "takes no id: it keeps what the actor's own phone sends"
PASSED_OVER = "passes over what is another centre's: test_what_is_aside_is_out_of_reach_of_another_centre tries it"
SEEN_ELSEWHERE = "a list: test_lists_of_another_centre_are_empty looks at it"
NOT_TRIED: dict[str, str] = {
    "consent.card_consent.end_card": ENDING,
    "consent.card_consent.find_card": ENDING,
    "consent.card_consent.lower_card": ENDING,
    "consent.card_consent.take_record": ENDING,
    "consent.card_consent.view_card": ENDING,
    "consent.lowered_list._lower_listed": OF_THE_SYSTEM,
    "consent.withdrawals._end_listed": OF_THE_SYSTEM,
    "consent.withdrawals._finish_held": OF_THE_SYSTEM,
    "consent.withdrawals._note_bytes": OF_THE_SYSTEM,
    "consent.withdrawals._take_steps": OF_THE_SYSTEM,
    "consent.withdrawals.view_withdrawal": ENDING,
    "consent.slip_acts._end": OF_THE_SYSTEM,
    "consent.slip_acts._lower": OF_THE_SYSTEM,
    "consent.retention._delete_told": OF_THE_SYSTEM,
    "consent.retention._erase_step": OF_THE_SYSTEM,
    "consent.retention._look_at_clock": OF_THE_SYSTEM,
    "consent.retention._note_cleared": OF_THE_SYSTEM,
    "consent.retention._plan": OF_THE_SYSTEM,
    "consent.retention._list_due": RETENTION,
    "consent.retention.confirm_day": NAMES_NOTHING,
    "consent.retention.agree_to_shorten": RETENTION,
    "consent.retention.confirm_hold": RETENTION,
    "consent.retention.delay_plan": RETENTION,
    "consent.retention.make_hold": RETENTION,
    "consent.retention.rehearse": RETENTION,
    "consent.retention.shorten_hold": RETENTION,
    "consent.retention.view_retention": RETENTION,
    "forms.areas.import_areas": OF_THE_SYSTEM,
    "records.quarantine._judge": PASSED_OVER,
    "records.quarantine._accept": PASSED_OVER,
    "records.quarantine._list_of_phone": PASSED_OVER,
    "records.quarantine._note_failed": PASSED_OVER,
    "people.accounts._set_forgotten_password": "the actor's own password, with a code that only they have",
    "people.accounts.change_own_password": "the actor's own password",
    "people.accounts.see_own_name": "the actor's own name",
    "people.web_sessions.end_other_sessions": "the actor's own sessions",
    "people.web_sessions.list_own_sessions": "the actor's own sessions",
    "operations.backup.restore._note_restored": OF_THE_SYSTEM,
    "records.reviews.dismiss_quarantined": PASSED_OVER,
    "products.editions._save_edition": OF_THE_SYSTEM,
    "releases.build._publish_release": OF_THE_SYSTEM,
    "caseload.earlier_cards._give_referrals": OF_THE_SYSTEM,
    "caseload.earlier_cards._is_told": OF_THE_SYSTEM,
    "caseload.earlier_cards._note_told": OF_THE_SYSTEM,
    "caseload.earlier_cards._tell": OF_THE_SYSTEM,
    "caseload.update.rebuild_caseload": OF_THE_SYSTEM,
    "records.lowered_answers._cut_person": OF_THE_SYSTEM,
    "records.lowered_answers._list_due": OF_THE_SYSTEM,
    "records.lowered_answers._note_log_emptied": OF_THE_SYSTEM,
    "caseload.labels.keep_labels": "passes over cards of others: tests/services/caseload/test_labels.py asks from another centre",
    "records.earlier_refusals._cut_messages": OF_THE_SYSTEM,
    "records.earlier_refusals._cut": OF_THE_SYSTEM,
    "records.earlier_refusals._is_done": OF_THE_SYSTEM,
    "records.earlier_refusals._note_done": OF_THE_SYSTEM,
    "records.earlier_refusals._list_next": OF_THE_SYSTEM,
    "keys.make_key": OF_THE_SYSTEM,
    "keys.make_signing_key": OF_THE_SYSTEM,
    "operations.key_rotation._make_data_key": OF_THE_SYSTEM,
    "operations.key_rotation._rewrap": OF_THE_SYSTEM,
    "products.tables._save_counts": OF_THE_SYSTEM,
    "products.pieces._save_pieces": OF_THE_SYSTEM,
    "products.pieces._save_taken_back": OF_THE_SYSTEM,
    "products.pieces.count_again": OF_THE_SYSTEM,
    "releases.datasets.install_program_datasets": OF_THE_SYSTEM,
    "releases.delivery.record_attempt": OF_THE_SYSTEM,
    "products.odata.feed._save_feed_read": OF_THE_SYSTEM,
    "records.attachments._receive": OWN_PHONE,
    "phones.devices.enrol_device": OWN_PHONE,
    "phones.devices.join_device": "an invitation names its own centre; its secret is all that it asks for",
    "records.deliveries._receive": OWN_PHONE,
    "records.copies._read_copy": "takes no id: records in the file are opened with the centre's own keys",
    "records.openrosa._receive": OWN_PHONE,
    "board.board.add_request": NAMES_NOTHING,
    "board.board.authorize_report": NAMES_NOTHING,
    "phones.rules.set_phone_rules": NAMES_NOTHING,
    "forms.drafts.begin_draft": NAMES_NOTHING,
    "forms.published.publish_form": NAMES_NOTHING,
    "operations.audit_log.export_lines": SEEN_ELSEWHERE,
    "operations.audit_log.list_lines": SEEN_ELSEWHERE,
    "operations.overview.list_audit": NAMES_NOTHING,
    "operations.overview.view_home": NAMES_NOTHING,
    "people.accounts.add_person": NAMES_NOTHING,
    "phones.manifest.fetch_manifest": NAMES_NOTHING,
    "products.partners.import_partner_totals": NAMES_NOTHING,
    "products.city.member.join_city": NAMES_NOTHING,
    "products.city.member.give_numbers": NAMES_NOTHING,
    "products.registry.switch_product": "names a product of the programme, for the actor's own centre",
    "people.one_time_codes.accept_set_up_code": "the actor's own second factor",
    "people.passkeys.add_passkey": "the actor's own second factor",
    "people.passkeys.check_passkey": "the actor's own second factor",
    "people.recovery_codes.make_recovery_codes": "the actor's own second factor",
    "people.recovery_codes.use_recovery_code": "the actor's own second factor",
    "people.second_factor.check_app_code": "the actor's own second factor",
    "people.second_factor.confirm_app": "the actor's own second factor",
    "people.second_factor.list_factors": "the actor's own second factor",
    "people.second_factor.ask_second_factor": NAMES_NOTHING,
    "people.sign_on._link_by_code": "the actor's own account; a one-time code is looked for among theirs",
    "people.sign_on.check_identity": "the actor's own account",
    "people.sign_on.link_account": "the actor's own account",
    "people.sign_on.see_own_link": "the actor's own account",
    "people.sign_on.trust_second_step": NAMES_NOTHING,
    "people.sign_on.unlink_own_account": "the actor's own account",
    "products.maps.fetch_maps": NAMES_NOTHING,
    "products.maps.view_map": NAMES_NOTHING,
    "products.subscriptions.subscribe": "names a product of the programme, for the actor's own centre",
    "board.board.see_board": SEEN_ELSEWHERE,
    "board.shifts.see_history": SEEN_ELSEWHERE,
    "board.shifts.see_incidents": SEEN_ELSEWHERE,
    "board.board.read_board_version": NAMES_NOTHING,
    "products.odata.keys.list_keys": SEEN_ELSEWHERE,
    "forms.drafts.list_drafts": SEEN_ELSEWHERE,
    "forms.published.list_forms": SEEN_ELSEWHERE,
    "caseload.hand_over.list_caseload": SEEN_ELSEWHERE,
    "people.accounts.list_people": SEEN_ELSEWHERE,
    "phones.pull.pull_changes": SEEN_ELSEWHERE,
    "products.registry.list_products": SEEN_ELSEWHERE,
    "products.registry.see_figures": SEEN_ELSEWHERE,
    "phones.collect.list_for_collect": SEEN_ELSEWHERE,
    "records.listing.list_records": SEEN_ELSEWHERE,
    "records.listing.list_review_queue": SEEN_ELSEWHERE,
    "releases.downloads.list_releases": SEEN_ELSEWHERE,
    "releases.series.list_series": SEEN_ELSEWHERE,
    "releases.withdrawal_draw.draw_round": OF_THE_SYSTEM,
    "releases.withdrawals_page.view_withdrawals": "tests/services/releases/test_withdrawals.py asks from another centre",
}


def test_every_act_is_tried_from_another_centre_or_it_is_said_why_not() -> None:
    assert not set(TRIED) & set(NOT_TRIED), "these are tried, and it is said why they are not"
    unknown = set(FUNCTIONS) - set(TRIED) - set(NOT_TRIED)
    assert not unknown, "say in TRIED how another centre asks for these, or in NOT_TRIED why it cannot ask"
    assert set(TRIED) | set(NOT_TRIED) == set(FUNCTIONS), "no function does these any more: take them out"
    for place, why in NOT_TRIED.items():
        is_only_systems = ACCESS[FUNCTIONS[place][0]] == {SYSTEM}
        assert why != OF_THE_SYSTEM or is_only_systems, f"people may do {place}, too: try it"


def test_another_centre_reaches_nothing_by_any_id(session: Session, cast: Cast, tmp_path: Path) -> None:
    centre, ola = Centre(session, cast, tmp_path), other_worker(session, cast)
    for place in TRIED:
        who = cast.olaf if "admin" in RIGHTS_OF[place] else ola
        wanted = "person.unknown" if place in BY_NAME else "access.not_found"
        assert ask(centre.ask, place, who) == wanted, f"{place} answers another centre"
    with pytest.raises(ActProblem) as refused:
        board.take_step(session, cast.olaf, kind="acted", item_id=centre.request.id)
    assert refused.value.code == "access.not_found"
    for place in sorted(TRIED, key=is_erasing):  # and each of them is there, for its own centre
        who = cast.rosa if "admin" in RIGHTS_OF[place] else cast.amina
        code = ask(centre.ask, place, who)
        is_there = code not in ("access.not_found", "access.denied", "person.unknown")
        assert is_there, f"{place}: not even the own centre finds it, so the refusal above says nothing"


def is_erasing(place: str) -> bool:
    """Say whether an act leaves nothing that others could find: it is tried last."""
    return ".erase" in place or place.endswith("end_card")


def test_what_is_aside_is_out_of_reach_of_another_centre(session: Session, cast: Cast) -> None:
    devices.revoke_device(session, cast.rosa, device_id=cast.amina.device_id)
    receive_batch(session, cast.amina, parse_batch(batch(envelope(encounter()))))
    one = listing.list_review_queue(session, cast.rosa).aside[0]
    assert quarantine.let_in_all(session, cast.olaf, cast.amina.device_id or 0).stored == 0
    assert quarantine.let_in(session, cast.olaf, [one.id]).stored == 0
    assert reviews.dismiss_quarantined(session, cast.olaf, device_id=cast.amina.device_id or 0) == 0
    assert len(listing.list_review_queue(session, cast.rosa).aside) == 1
    assert quarantine.let_in(session, cast.rosa, [one.id]).stored == 1


RIGHTS_OF = {place: {role for role in RIGHTS if name in RIGHTS[role]} for place, (name, _) in FUNCTIONS.items()}


def test_lists_of_another_centre_are_empty(session: Session, cast: Cast, tmp_path: Path) -> None:
    centre, ola = Centre(session, cast, tmp_path), other_worker(session, cast)
    for who, is_there in ((cast.rosa, True), (cast.olaf, False)):
        worker = cast.amina if is_there else ola
        seen = board.see_board(session, who)
        assert bool(seen.incidents and seen.requests) is is_there
        assert (cast.amina.user_id in seen.people) is is_there
        assert bool(shifts.see_history(session, who, hours=12).steps) is is_there
        assert bool(shifts.see_incidents(session, who).listed) is is_there
        assert bool(keys.list_keys(session, who).keys) is is_there
        assert bool(drafts.list_drafts(session, who)) is is_there
        assert bool(published.list_forms(session, who)) is is_there
        assert bool(hand_over.list_caseload(session, who, worker_id=cast.amina.user_id).cards) is is_there
        assert ("amina" in [user.username for user in accounts.list_people(session, who).users]) is is_there
        assert (pull_changes(session, worker, cursor=0).count(ONE) > 0) is is_there
        assert bool(product_registry.see_figures(session, who, name="heat_map")) is is_there
        assert bool(collect.list_for_collect(session, worker, address="http://x")) is is_there
        wanted = RecordFilter(author_id=cast.amina.user_id)
        assert bool(listing.list_records(session, who, record_filter=wanted).page.total) is is_there
        assert bool(listing.list_review_queue(session, who).submissions) is is_there
        published_here = AuditSearch(act="form.publish")
        assert bool(audit_log.list_lines(session, who, search=published_here).lines) is is_there
        assert bool(audit_log.export_lines(session, who, search=published_here).lines) is is_there
        assert (centre.release.id in [one.id for one in downloads.list_releases(session, who).releases]) is is_there
        assert bool(series.list_series(session, who)[0]) is is_there
        registry = product_registry.list_products(session, who)
        assert bool(registry.latest or registry.partners or registry.subscriptions) is is_there
