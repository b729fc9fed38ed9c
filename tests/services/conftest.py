"""What tests of several subjects share."""

from collections.abc import Callable

import pytest

from fieldapp.services.records import folding, form_rules


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Give the rules no time at all, but for what an admin lets in; or their usual time again."""
    usual = form_rules.time_for

    def set_it(is_on: bool) -> None:
        none = lambda seconds: usual(seconds if seconds > 10 else -1.0)  # noqa: E731
        for module in (form_rules, folding):
            monkeypatch.setattr(module, "time_for", none if is_on else usual)

    return set_it
