"""A mediation's page leads to its follow-ups, and theirs to it."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from fieldapp.services.forms.published import publish_form
from fieldapp.settings import Settings
from tests.cast import Cast, batch
from tests.opening import open_engine
from tests.programme import compiled_of, workbook_of
from tests.services.caseload.mediations import FOLLOW_UP, mediated, visited


def test_a_mediation_and_its_follow_ups_lead_to_each_other(
    app: Flask, settings: Settings, web_cast: Cast, client_of: Callable[[str], FlaskClient]
) -> None:
    engine = open_engine(settings)
    with Session(engine) as session:
        publish_form(session, web_cast.system, compiled=compiled_of(FOLLOW_UP), workbook=workbook_of(FOLLOW_UP))
    engine.dispose()
    headers = {"Authorization": f"Bearer {web_cast.token}", "Content-Type": "application/json"}
    asks = mediated()
    done = visited(asks["id"], calm="heating")
    app.test_client().post("/sync/v1/batch", data=batch(asks, done), headers=headers)
    rosa = client_of("rosa")
    mediation = rosa.get(f"/office/records/{asks['id']}").text
    assert f'href="/office/records/{done["id"]}"' in mediation and "Heating up" in mediation
    follow_up = rosa.get(f"/office/records/{done['id']}").text
    assert f'href="/office/records/{asks["id"]}">Mediation, ' in follow_up
    assert asks["id"] not in follow_up.replace(f"/office/records/{asks['id']}", "")  # the bare id tells nobody anything
    assert client_of("olaf").get(f"/office/records/{done['id']}").status_code == 404
