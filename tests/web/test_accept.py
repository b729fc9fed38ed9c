"""What browsers and programs ask for, read as they mean it: qualities, q=0, regions, wildcards."""

import pytest

from fieldapp.web.accept import best_language, parse_accept


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "en"),
        ("fr", "fr"),
        ("FR-ca", "fr"),
        ("fr_CA", "fr"),
        ("fr-CA,en;q=0.9", "fr"),
        ("fr-FR;q=0.9,en;q=0.8", "fr"),
        ("en-CA,fr;q=0.5", "en"),
        ("en-CA,en;q=0.9,fr-CA;q=0.8", "en"),
        ("en;q=.1,fr;q=.9", "fr"),
        ("en;q=0", "en"),  # there is nothing else to show
        ("en;q=0,*;q=0.5", "fr"),
        ("fr;q=0,*;q=0.5", "en"),
        ("de,*;q=0.1", "en"),
        (";;,,q=1", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_asks_for(header: str, language: str) -> None:
    assert best_language(header, ["en", "fr"]) == language


def test_entries_are_read_with_their_parameters() -> None:
    first, second, third = parse_accept('application/json;odata.metadata="none";Q=.5, TEXT/html;q=0,*;q=nan')
    assert (first.kind, dict(first.parameters), first.quality) == ("application/json", {"odata.metadata": "none"}, 0.5)
    assert (second.kind, second.quality) == ("text/html", 0)
    assert (third.kind, third.quality) == ("*", 1)
