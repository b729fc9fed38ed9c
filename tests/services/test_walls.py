"""The walls: who may do what, and nothing of another centre by any id."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fieldapp.services import acts, devices, forms, people, records, releases, reviews
from fieldapp.services.access import ACCESS
from fieldapp.services.problems import ActProblem
from fieldapp.services.receive_batch import receive_batch
from fieldapp.store.records import Filter
from sync.envelope import parse_batch
from tests.cast import Cast, batch, encounter, envelope

ROLES = {"amina": "worker", "rosa": "admin", "eve": "evaluator", "system": "system"}


@pytest.mark.parametrize(("act", "who"), list(itertools.product(sorted(acts.REGISTER), ROLES)))
def test_a_role_without_the_right_is_refused_before_anything_happens(
    session: Session, cast: Cast, act: str, who: str
) -> None:
    if ROLES[who] in ACCESS[act]:
        return
    with pytest.raises(ActProblem) as refused:
        acts.REGISTER[act](session, cast.actor(who))
    assert refused.value.code == "access.denied"


def test_another_centres_admin_reaches_nothing(session: Session, cast: Cast, tmp_path: Path) -> None:
    item, kept = envelope(encounter()), envelope("{")
    receive_batch(session, cast.amina, parse_batch(batch(item, kept)))
    version = forms.list_forms(session, cast.rosa)[0]
    submission = records.list_needing_attention(session, cast.rosa).submissions[0]
    attempts: list[Any] = [
        lambda: records.open_record(session, cast.olaf, instance_id=item["id"]),
        lambda: records.open_submission(session, cast.olaf, submission_id=submission.id),
        lambda: forms.open_form(session, cast.olaf, version_id=version.id),
        lambda: forms.withdraw_form(session, cast.olaf, version_id=version.id),
        lambda: people.switch_person(session, cast.olaf, user_id=cast.amina.user_id, active=False),
        lambda: people.reset_password(session, cast.olaf, user_id=cast.amina.user_id),
        lambda: devices.invite_device(session, cast.olaf, user_id=cast.amina.user_id),
        lambda: devices.add_collect(session, cast.olaf, user_id=cast.amina.user_id),
        lambda: reviews.settle_submission(session, cast.olaf, submission_id=submission.id),
        lambda: devices.revoke_device(session, cast.olaf, device_id=cast.amina.device_id),
        lambda: releases.download_release(session, cast.olaf, release_id=1, packages=tmp_path),
    ]
    for attempt in attempts:
        with pytest.raises(ActProblem) as refused:
            attempt()
        assert refused.value.code == "access.not_found"
    assert records.browse_records(session, cast.olaf, wanted=Filter()).page.total == 0
    waiting = records.list_needing_attention(session, cast.olaf)
    assert (waiting.records, waiting.submissions) == ([], [])
    assert forms.list_forms(session, cast.olaf) == []
    assert [user.username for user in people.list_people(session, cast.olaf).users] == ["olaf"]
    assert records.browse_records(session, cast.rosa, wanted=Filter()).page.total == 1
