"""What tests of several subjects share."""

from collections.abc import Callable
from typing import Any

import pytest

from fieldapp.services.records import folding, form_rules


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Give the rules no time at all, but for what an admin lets in; or their usual time again."""
    usual = form_rules.time_for
    usual_apart = form_rules.judge_apart

    def apart(cases: Any, seconds: float, *more: Any) -> Any:
        return usual_apart(cases, seconds if seconds > 10 else -1.0, *more)

    def set_it(is_on: bool) -> None:
        none = lambda seconds: usual(seconds if seconds > 10 else -1.0)  # noqa: E731
        for module in (form_rules, folding):
            monkeypatch.setattr(module, "time_for", none if is_on else usual)
        monkeypatch.setattr(form_rules, "judge_apart", apart if is_on else usual_apart)

    return set_it
