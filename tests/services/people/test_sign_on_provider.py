"""What a sign-on provider answers is believed only when all of it is right."""

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fieldapp import settings as settings_module
from fieldapp.services.people import provider as provider_module
from fieldapp.services.people.provider import Identity, Provider
from fieldapp.services.problems import ActProblem
from fieldapp.settings import SettingsProblem
from tests.sign_on import SECRET, Liar, lying_provider, make_key, provider_settings

BACK = "https://centre.example/sign-on/answer"


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_provider() as liar:
        yield liar


def arrive(liar: Liar, provider: Provider | None = None, *, is_again: bool = False, **answer: str) -> Identity:
    """Go to the provider and come back with its answer."""
    provider = provider or Provider(provider_settings(liar.issuer))
    _address, journey = provider.begin(BACK, is_again=is_again)
    liar.nonce = journey.nonce
    return provider.finish({"state": journey.state, "code": "a code", **answer}, journey, BACK)


def code_of_refusal(liar: Liar, **more: Any) -> str:
    with pytest.raises(ActProblem) as problem:
        arrive(liar, **more)
    assert "{" not in str(problem.value)
    return problem.value.code


def now() -> int:
    return int(time.time())


WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "for another program": {"aud": "payroll"},
    "for several, and not made for us": {"aud": ["payroll", "fieldapp"], "azp": "payroll"},
    "for several, and silent about for whom it was made": {"aud": ["payroll", "fieldapp"]},
    "of an earlier journey": {"nonce": "another one"},
    "of no journey": {"nonce": None},
    "expired": {"exp": 1_700_000_000},
    "without an end": {"exp": None},
    "with an end that is no time": {"exp": "tomorrow"},
    "made in the future": {"iat": 4_000_000_000},
    "valid later": {"nbf": 4_000_000_000},
    "without a name": {"sub": None},
    "with an empty name": {"sub": ""},
    "with a name that is no text": {"sub": 7},
    "with a name without end": {"sub": "x" * 256},
    "with methods that are no list": {"amr": "mfa"},
    "about another token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_refused(liar: Liar, claims: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    liar.claims = claims
    with caplog.at_level(logging.DEBUG, "fieldapp"):
        assert code_of_refusal(liar) == "sign_on.refused"
    # An operator learns why; nobody learns what it said.
    assert "was refused" in caplog.text
    for secret in ("jane", "a code", "an access token", SECRET, "eyJ", liar.nonce):
        assert secret not in caplog.text


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"kid": "unknown"}, {"alg": "RS999"}])
def test_an_answer_that_the_provider_did_not_sign_is_refused(
    liar: Liar, header: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if header["alg" if "alg" in header else "kid"] == "RS999":
        monkeypatch.setattr(liar, "say_who", lambda: "eyJhbGciOiJSUzk5OSJ9.e30.AAAA")
    liar.header = header
    assert code_of_refusal(liar) == "sign_on.refused"


def test_an_answer_signed_by_another_key_is_refused(liar: Liar) -> None:
    stranger = make_key()
    liar.header = {"kid": liar.key.kid}
    liar.key = stranger
    assert code_of_refusal(liar) == "sign_on.refused"


def test_a_right_answer_names_somebody(liar: Liar) -> None:
    identity = arrive(liar)
    assert identity == Identity.of(liar.issuer, "sub", "jane")
    # The code went with the proof that it was asked for here (PKCE).
    assert liar.sent["grant_type"] == "authorization_code" and len(liar.sent["code_verifier"]) > 43
    assert "jane" not in identity.subject_hash


def test_clocks_may_be_two_minutes_apart(liar: Liar) -> None:
    liar.claims = {"iat": now() + 100, "exp": now() + 160}
    arrive(liar)
    liar.claims = {"iat": now() - 160, "exp": now() - 100}
    arrive(liar)
    liar.claims = {"iat": now() - 260, "exp": now() - 130}
    assert code_of_refusal(liar) == "sign_on.refused"


def test_a_new_key_of_the_provider_is_fetched_but_not_all_the_time(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider(provider_settings(liar.issuer))
    arrive(liar, provider)
    arrive(liar, provider)
    assert liar.asked.count("/keys") == 1 and liar.asked.count("/.well-known/openid-configuration") == 1
    liar.key = make_key()
    liar.published = [liar.key]
    assert code_of_refusal(liar, provider=provider) == "sign_on.refused", "unknown keys do not make us ask each time"
    monkeypatch.setattr(provider_module, "KEYS_AGAIN", 0.0)
    arrive(liar, provider)
    assert liar.asked.count("/keys") == 2


def test_what_says_who_somebody_is_can_be_chosen(liar: Liar) -> None:
    provider = Provider(provider_settings(liar.issuer, sign_on_claim="oid"))
    assert code_of_refusal(liar, provider=provider) == "sign_on.refused", "no such name in the answer"
    # The same text under another heading is somebody else.
    liar.claims = {"oid": "jane"}
    assert arrive(liar, provider) != Identity.of(liar.issuer, "sub", "jane")


@pytest.mark.parametrize(
    ("claims", "counts"),
    [
        ({}, False),
        ({"amr": ["pwd"]}, False),
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "mfa"}, True),
        ({"amr": [["mfa"], 7]}, False),
    ],
)
def test_a_second_step_is_one_only_when_the_provider_says_it(liar: Liar, claims: dict[str, Any], counts: bool) -> None:
    liar.claims = claims
    assert arrive(liar).has_second_step is counts


@pytest.mark.parametrize("proved_at", [None, "now", 1_700_000_000])
def test_who_is_to_prove_it_again_must_have_done_so(liar: Liar, proved_at: Any) -> None:
    liar.claims = {"auth_time": proved_at}
    assert code_of_refusal(liar, is_again=True) == "sign_on.refused"
    liar.claims = {"auth_time": now()}
    arrive(liar, is_again=True)


def test_an_answer_to_another_browser_or_too_late_is_refused(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_of_refusal(liar, state="another") == "sign_on.late"
    assert code_of_refusal(liar, state="é") == "sign_on.late"
    monkeypatch.setattr(provider_module, "LASTS", -1)
    assert code_of_refusal(liar) == "sign_on.late"


def test_an_answer_that_names_another_provider_is_refused(liar: Liar) -> None:
    assert code_of_refusal(liar, iss="https://elsewhere.example") == "sign_on.refused"
    liar.metadata = {"authorization_response_iss_parameter_supported": True}
    assert code_of_refusal(liar) == "sign_on.refused", "it says that it always names itself"
    arrive(liar, iss=liar.issuer)


def test_a_refusal_of_the_provider_is_told(liar: Liar) -> None:
    assert code_of_refusal(liar, error="access_denied") == "sign_on.cancelled"
    assert code_of_refusal(liar, code="") == "sign_on.cancelled"
    liar.token = {"error": "invalid_grant", "error_description": "<b>jane</b>"}
    assert code_of_refusal(liar) == "sign_on.refused"
    liar.token = {"id_token": None}
    assert code_of_refusal(liar) == "sign_on.refused"


BROKEN: dict[str, dict[str, Any]] = {
    "an error": {"status": 500},
    "a redirect": {"status": 302},
    "another name": {"metadata": {"issuer": "https://elsewhere.example"}},
    "no token endpoint": {"metadata": {"token_endpoint": None}},
    "keys without https": {"metadata": {"jwks_uri": "http://elsewhere.example/keys"}},
    "a file of the machine": {"metadata": {"authorization_endpoint": "file:///etc/passwd"}},
    "too much": {"size": 2_000_000},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_a_provider_that_cannot_be_used_is_named_by_doctor_and_asked_nothing_more(
    liar: Liar, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(liar, name, value)
    provider = Provider(provider_settings(liar.issuer))
    assert provider.try_out().startswith(f"{liar.issuer} cannot be used for signing in: ")
    assert code_of_refusal(liar, provider=provider) == "sign_on.unavailable"
    asked = len(liar.asked)
    assert code_of_refusal(liar, provider=provider) == "sign_on.unavailable"
    assert len(liar.asked) == asked, "for some seconds nobody waits for it again"
    assert provider.find_end_address(BACK) == ""


@pytest.mark.slow
def test_a_slow_provider_keeps_nobody_waiting(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_module, "READ", 0.2)
    monkeypatch.setattr(provider_module, "LONGEST", 0.4)
    for changes in ({"waits": 1.0}, {"waits": 0, "drips": True}):
        for name, value in changes.items():
            setattr(liar, name, value)
        begun = time.monotonic()
        assert code_of_refusal(liar) == "sign_on.unavailable"
        assert time.monotonic() - begun < 3


def test_settings_name_what_is_wrong() -> None:
    def problems(**variables: str) -> str:
        values = {"ISSUER": "https://id.city.example", "CLIENT": "fieldapp", "NAME": "City", **variables}
        with pytest.raises(SettingsProblem) as problem:
            settings_module.read({f"FIELDAPP_SIGN_ON_{name}": value for name, value in values.items()})
        return str(problem.value)

    assert "https" in problems(ISSUER="http://id.city.example")
    assert "https" in problems(ISSUER="https://user:password@id.city.example")
    assert "FIELDAPP_SIGN_ON_CLIENT" in problems(CLIENT="")
    assert "FIELDAPP_SIGN_ON_NAME" in problems(NAME="")
    for claim in ("email", "preferred_username", "upn"):
        assert "another person" in problems(CLAIM=claim)
