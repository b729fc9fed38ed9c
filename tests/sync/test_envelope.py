"""Batches: malformed ones are refused whole, with every problem; anything else is read exactly."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.bodies import read_body
from sync.envelope import MAX_BODY, SpokenConsent, make_storable, parse_batch
from sync.problems import BatchRefused
from tests.cast import batch, envelope

GOOD = envelope({"a": "é😀"}, id="2c5a3b1e-52f4-4d1c-9b7e-0d6f5a4b3c2d")


def where(data: bytes) -> list[str]:
    with pytest.raises(BatchRefused) as refused:
        parse_batch(data)
    return [problem.where for problem in refused.value.problems]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"items": []}', b'{"items": {}}', b"\xff\xfe", b"[" * 100_000, b'{"items": [1]}']
)
def test_what_is_no_batch_is_refused(data: bytes) -> None:
    assert where(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", None),
        ("id", "x"),
        ("id", GOOD["id"].upper()),
        ("id", "0191c2a0-7b1e-7c3a-8f00-000000000000"),  # version 7 tells the time
        ("form", "../x"),
        ("form", 3),
        ("version", ""),
        ("sha256", "A" * 64),
        ("finished_at", "2026-11-23T01:02:03"),  # no offset
        ("finished_at", "yesterday"),
        ("finished_at", "9999-12-31T23:59:59-14:00"),
        ("body", {"a": "b"}),
        ("body", "x" * (MAX_BODY + 1)),
        ("due", "a\x00b"),
        ("due", "\ud83d"),
        ("cards", ["\ud83d"]),
        ("slip", 12),
        ("slip", "K7QM3RXDQ2F"),
        ("slip", "k7qm-3rxd-q2fa"),  # a phone sends the one spelling
        ("slip", "K7QM3RXDQ2FO"),
        ("consent", []),
        ("consent", {"knew": "a"}),
        ("consent", {"knew": [""]}),
        ("consent", {"knew": ["a b"]}),
        ("consent", {"knew": [["a"]]}),
        ("consent", {"knew": ["a"] * 17}),
        ("consent", {"wording": "A" * 16}),
        ("consent", {"language": "x" * 36}),
        ("consent", {"language": None}),
        ("consent", {"asked": "true"}),
    ],
)
def test_a_malformed_part_is_named(key: str, value: Any) -> None:
    assert where(batch(GOOD, {**envelope({}), key: value})) == [f"items[1].{key}"]


def test_all_problems_are_listed_at_once() -> None:
    assert len(where(batch({}, {**GOOD, "sha256": "", "form": ""}))) == 8


@pytest.mark.parametrize(
    ("body", "kept", "answers"),
    [
        ('{"a": "\ud800"}', '{"a": "\\ud800"}', {"a": "\ufffd"}),
        ('{"a": "\\ud800"}', '{"a": "\\ud800"}', {"a": "\ufffd"}),
        ('{"a": "\\u0000"}', '{"a": "\\u0000"}', {"a": "\ufffd"}),
        ('{"a": "\\\\u0000"}', '{"a": "\\\\u0000"}', {"a": "\\u0000"}),
        ('{"\\udc00": ["\\ud83d\\ude00"]}', '{"\\udc00": ["\\ud83d\\ude00"]}', {"\ufffd": ["😀"]}),
    ],
)
def test_what_no_database_holds_is_kept_in_another_spelling(body: str, kept: str, answers: Any) -> None:
    sha256 = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    (read,) = parse_batch(json.dumps({"items": [{**GOOD, "body": body, "sha256": sha256}]}).encode())
    assert read.is_intact
    replace_unstorable = make_storable(read)
    assert (replace_unstorable.body, replace_unstorable.sha256) == (kept, sha256)
    assert read_body(read.body, None) == read_body(replace_unstorable.body, None) == answers


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 5000])
def test_a_number_that_is_none_of_json_is_no_answer(number: str) -> None:
    with pytest.raises(ValueError):
        read_body(f'{{"a": {number}}}', None)


def test_twice_the_same_id_is_refused() -> None:
    assert where(batch(GOOD, GOOD)) == ["batch"]


def test_more_than_a_hundred_are_refused() -> None:
    assert where(batch(*(envelope({}) for _ in range(101)))) == ["batch"]


def test_a_good_batch_is_read_exactly() -> None:
    read = parse_batch(batch(GOOD))[0]
    assert (read.instance_id, read.body, read.is_intact) == (GOOD["id"], GOOD["body"], True)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (None, None),
        ({}, SpokenConsent()),
        ({"asked": False, "something": 1}, SpokenConsent(is_asked=False)),
        (
            {"knew": [GOOD["id"]], "wording": "0" * 16, "language": "fr-CA", "asked": True},
            SpokenConsent((GOOD["id"],), "0" * 16, "fr-CA"),
        ),
    ],
)
def test_how_somebody_was_asked_is_read(sent: Any, read: SpokenConsent | None) -> None:
    assert parse_batch(batch({**GOOD, "consent": sent}))[0].consent == read


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_makes_it_fail_in_another_way(value: Any) -> None:
    for body in (
        value,
        {"items": value},
        {"items": [value]},
        {"items": [{**GOOD, "body": value, "finished_at": value}]},
        {"items": [{**GOOD, "consent": value}]},
    ):
        try:
            parse_batch(json.dumps(body).encode())
        except BatchRefused as refused:
            assert refused.problems


def test_a_slip_is_read_beside_the_answers() -> None:
    (with_slip,) = parse_batch(batch({**GOOD, "slip": "K7QM3RXDQ2FA"}))
    (without,) = parse_batch(batch(GOOD))
    assert (with_slip.slip, without.slip) == ("K7QM3RXDQ2FA", "")
    assert "K7QM3RXDQ2FA" not in with_slip.body
