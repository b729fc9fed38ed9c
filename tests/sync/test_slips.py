"""Slips as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.slips import ALPHABET, parse_slip, tag_slip


@pytest.mark.parametrize("text", ["", "K7QM", "K7QM-3RXD-Q2F", "K7QM-3RXD-Q2FA-9", "K7QM-3RXD-Q2FU", "é7QM-3RXD-Q2FA"])
def test_what_is_no_slip_is_not_taken_for_one(text: str) -> None:
    assert parse_slip(text) == ""


@pytest.mark.parametrize("text", ["k7qm-3rxd-q2fa", " K7QM 3RXD Q2FA ", "K7QM3RXDQ2FA", "K7QM–3RXD—Q2FA"])
def test_case_spaces_and_dashes_do_not_matter(text: str) -> None:
    assert parse_slip(text) == "K7QM3RXDQ2FA"


def test_letters_that_look_like_digits_are_read_as_these() -> None:
    assert parse_slip("oOiI-lL00-1111") == "001111001111"


@given(st.text(ALPHABET, min_size=12, max_size=12))
def test_a_slip_that_was_shown_is_read_back(slip: str) -> None:
    assert parse_slip("-".join((slip[:4], slip[4:8], slip[8:]))) == slip


def test_the_hash_depends_on_the_key() -> None:
    assert tag_slip("K7QM3RXDQ2FA", b"a" * 32) != tag_slip("K7QM3RXDQ2FA", b"b" * 32)
    assert len(tag_slip("K7QM3RXDQ2FA", b"a" * 32)) == 32
