"""An admin who reads French reads why something cannot be done in French, also where it failed in the background."""

import datetime as dt
import html
import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from evaluator_export.problems import Reason
from fieldapp.services.stored_problems import StoredProblem, explain, read_problems, write_lines, write_problems
from fieldapp.settings import Settings
from fieldapp.store.products.products import PROBLEM_LENGTH, ProductState
from fieldapp.store.releases.releases import ReleaseRun, ReleaseSeries
from tests.cast import Cast, a_series
from tests.opening import open_engine
from tests.web.conftest import csrf_of
from tests.web.office.releases.series_form import GOOD

Clients = Callable[[str], FlaskClient]
FRENCH = {"Accept-Language": "fr-CA"}
SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def rosa(client_of: Clients, settings: Settings, web_cast: Cast) -> FlaskClient:
    engine = open_engine(settings)
    with Session(engine, expire_on_commit=False) as session:
        a_series(session, web_cast, first_period="2026-Q3")
    engine.dispose()
    return client_of("rosa")


def change(settings: Settings, *statements: sa.Executable) -> None:
    engine = open_engine(settings)
    with Session(engine) as session:
        for statement in statements:
            session.execute(statement)
        session.commit()
    engine.dispose()


def read(client: FlaskClient, url: str) -> str:
    return html.unescape(client.get(url, headers=FRENCH).text)


def test_totals_of_a_partner_that_are_refused(rosa: FlaskClient) -> None:
    head = "indicator,title_en,title_fr,unit,period,from,to,part,value\n"
    lines = head + "calls,Calls,Appels,count,P1,2026-01-01,2026-01-31,total,7\n"
    data = {"csrf_token": csrf_of(rosa.get("/office/people").text), "name": "Police", "calendar": "Mois"}
    answer = rosa.post(
        "/office/products/partners",
        data={**data, "file": (io.BytesIO(lines.encode()), "totals.csv")},
        headers=FRENCH,
        follow_redirects=True,
    )
    page = html.unescape(answer.text)
    assert "Rien n’a été importé." in page
    assert f"Ligne 2{SPACE}: Le nombre 7 pourrait désigner quelqu’un" in page
    assert "could point" not in page


def test_a_trial_that_is_stopped(rosa: FlaskClient, settings: Settings) -> None:
    given = {**GOOD, "table": ["nothing"], "csrf_token": csrf_of(rosa.get("/office/people").text)}
    for action, heading in (("try", "Impossible de l"), ("save", "Ce qui a été choisi ne peut pas être diffusé")):
        answer = rosa.post("/office/series/new", data={**given, "action": action}, headers=FRENCH)
        page = html.unescape(answer.text)
        assert answer.status_code == 422
        assert heading in page or action == "try"
        assert f"Le tableau «{SPACE}nothing{SPACE}» n’existe pas" in page


def test_a_release_and_a_product_that_failed_in_the_background(rosa: FlaskClient, settings: Settings) -> None:
    now = dt.datetime.now(dt.UTC)
    damaged = write_problems([stored(Reason("ledger.damaged", {"dataset": "visits"})), stored(Reason("ledger.twice"))])
    fault = write_problems(explain(KeyError("answer"), "ABC234"), most=PROBLEM_LENGTH)
    series = sa.select(ReleaseSeries.id).scalar_subquery()
    change(
        settings,
        sa.insert(ReleaseRun).values(
            series_id=series, period="2026-Q3", state="failed", token="t", attempts=7, problem=damaged, lease_until=now,
            started_at=now, ended_at=now, step="", done=0,
        ),
        sa.insert(ProductState).values(centre_id=1, product="panel", is_on=True, tried_at=now, problem=fault),
    )  # fmt: skip
    page = read(rosa, "/releases/")
    assert "Le registre de visits est endommagé ou perdu" in page
    assert "Il contient une ligne qui a été publiée deux fois." in page
    products = read(rosa, "/office/products")
    assert "Une erreur du logiciel (KeyError)." in products
    assert f"Donnez ce numéro à la personne qui s’occupe du serveur{SPACE}: ABC234." in products


def test_what_an_older_version_kept_is_shown_as_it_is(rosa: FlaskClient, settings: Settings) -> None:
    now = dt.datetime.now(dt.UTC)
    old = "The disk {of} /data has 5 % left."
    change(settings, sa.insert(ProductState).values(centre_id=1, product="panel", is_on=True, tried_at=now, problem=old))
    assert old in read(rosa, "/office/products")


def stored(reason: Reason) -> StoredProblem:
    return StoredProblem(reason.code, reason.text, reason.details, reason.where)


def test_what_is_stored_comes_back_and_fits_its_column() -> None:
    long = [stored(Reason("dataset.who", {"column": f"column {number}"}, ("visits", number))) for number in range(20)]
    assert read_problems(write_problems(long)) == long
    text = write_problems(long, most=PROBLEM_LENGTH)
    assert len(text) <= PROBLEM_LENGTH
    assert read_problems(text) == long[: len(read_problems(text))] != []
    wide = write_problems([stored(Reason("release.disk", {"folder": "/x" * 900, "free": 1, "needed": 50}))], most=500)
    assert len(wide) <= 500
    assert "1 MB left" in write_lines(read_problems(wide))
    assert read_problems("") == [] and write_lines(read_problems("12")) == "12"
