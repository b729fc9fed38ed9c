"""The catalogues of translations/: `catalogues.py update` after words changed, `catalogues.py compile` before running.

One catalogue a language for Python, templates and TypeScript together; the client gets the part that it uses as JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "translations"
TEMPLATE = TRANSLATIONS / "messages.pot"
CLIENT = ROOT / "client/src"
# What of the client is in pieces that are loaded later (client/src/screens/others.ts, widgets/rare_widgets.ts): the words
# that only they say are fetched with them.
LATER = (
    "map/",
    "screens/crisis_team/",
    "screens/fill/change_finished.ts",
    "screens/fill/finished_record.tsx",
    "screens/fill/overview.tsx",
    "screens/fill/overview_lines.ts",
    "screens/fill/saved.tsx",
    "screens/fill/slip_screen.tsx",
    "screens/fill/slip_taken.tsx",
    "screens/first_day/",
    "screens/help/",
    "screens/mine/",
    "screens/people/",
    "screens/storage_broken.tsx",
    "screens/to_correct/fetch_record.tsx",
    "screens/to_correct/referrals.tsx",
    "screens/to_correct/to_correct.tsx",
    "screens/today/drafts.tsx",
    "screens/today/erased_drafts.tsx",
    "screens/today/hand_over_records.tsx",
    "screens/today/open_incidents.tsx",
    "screens/today/shift_line.tsx",
    "screens/today/usual_kinds.tsx",
    "screens/today/week.tsx",
    "screens/where/",
    "widgets/capture/widget.tsx",
    "widgets/date/twice_shown.tsx",
    "widgets/identifier_warning.tsx",
    "widgets/place/widget.tsx",
    "widgets/place_by_fix/widget.tsx",
    "widgets/range/widget.tsx",
    "widgets/rank/widget.tsx",
    "widgets/repeat.tsx",
    "widgets/scanner.tsx",
)
KEYWORDS = ["N_", "t", "nt:1,2", "lazy_gettext", "_"]


def extract(target: Path, mapping: str = "babel.cfg", place: str = "--no-location") -> None:
    command = [sys.executable, "-m", "babel.messages.frontend", "extract", "-F", str(TRANSLATIONS / mapping)]
    for keyword in KEYWORDS:
        command += ["-k", keyword]
    command += [place, "--sort-output", "--omit-header", "-o", str(target), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def po(language: str) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def read(path: Path, language: str | None = None) -> Catalog:
    """Return a catalogue. Its language decides the plural: French takes the singular for 0 and 1."""
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update() -> None:
    extract(TEMPLATE)
    command = [sys.executable, "-m", "babel.messages.frontend", "update", "-i", str(TEMPLATE), "-d", str(TRANSLATIONS)]
    command += ["-l", "fr", "--no-fuzzy-matching", "--ignore-obsolete", "--omit-header"]
    subprocess.run(command, cwd=ROOT, check=True)


def short(text: str) -> str:
    """Return the key of a sentence in the client's catalogue: the last 24 bits of FNV-1a.

    Phones need not fetch the English twice, nor long keys: two sentences with one key are refused below.
    """
    number = 2166136261
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        number = (number ^ unit) * 16777619 % 2**32
    return f"{number % 2**24:x}"


def compile_all() -> None:
    catalogue = read(po("fr"), "fr")
    with po("fr").with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    template = TRANSLATIONS / "client.pot"
    extract(template, "client.cfg", "--add-location=file")
    words: dict[str, str | list[str]] = {}
    later: dict[str, str | list[str]] = {}
    for message in read(template):
        singular = message.id if isinstance(message.id, str) else message.id[0]
        found = catalogue.get(singular)
        if singular and found and found.string:
            key = short(singular)
            if key in words or key in later:
                raise ValueError(f"“{singular}” has the key of another sentence: change a word of it")
            part = later if is_said_later(message.locations) else words
            part[key] = list(found.string) if isinstance(found.string, (tuple, list)) else found.string
    template.unlink()
    for name, part in {"fr": words, "fr_later": later}.items():
        text = json.dumps(part, ensure_ascii=False, sort_keys=True, indent=0)
        (CLIENT / f"i18n/{name}.json").write_text(text, encoding="utf-8")


def is_said_later(locations: list[tuple[str, int]]) -> bool:
    """Say whether a sentence stands only in pieces of the client that are loaded later."""
    prefix = "client/src/"
    return all(path.removeprefix(prefix).startswith(LATER) for path, _ in locations)


if __name__ == "__main__":
    update() if sys.argv[1:] == ["update"] else compile_all()
