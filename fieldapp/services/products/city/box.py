"""The box: a folder that all centres and the City reach, in which letters lie as files.

Nothing in it is secret, and nothing is believed that is not signed.
"""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from evaluator_export.citysum.coordinator import RESULT
from evaluator_export.citysum.letters import CITY, MOST_BYTES, look_at_letter
from evaluator_export.citysum.lists import KINDS, LISTS
from evaluator_export.citysum.registry import Registry, RoundCall, read_call, read_registry
from fieldapp.services.problems import N_, ActProblem
from fieldapp.services.transports.stores import FolderStore, StoreProblem

REGISTRY = "registry.json"
CALL_FILE = re.compile(r"([0-9]{4}-Q[1-4])\.([1-9][0-9]{0,3})\.call\.city\.json")


@dataclass(frozen=True)
class OpenRound:
    """A round that the City called, and the letters of it that have come."""

    call: RoundCall
    inbox: dict[tuple[str, str], str]


class Box:
    """The letters in a folder. Raises ActProblem "city.box" where it cannot be used."""

    def __init__(self, folder: Path):
        self.store = FolderStore(folder)

    def read(self, name: str) -> str:
        """Return a file's text; "" where there is none, or none that could be a letter."""
        path = self.store.folder / name
        try:
            if path.is_file() and path.stat().st_size <= MOST_BYTES:
                return self.store.read_text(name)
        except (StoreProblem, OSError):
            # Somebody else's file may be cut, or no text; it counts as one that has not come.
            return ""
        return ""

    def post(self, name: str, text: str) -> bool:
        """Write a file unless it is there alike; return whether it was written."""
        if self.read(name) == text:
            return False
        try:
            self.store.write_text(name, text)
        except StoreProblem as problem:
            raise ActProblem("city.box", N_("The box cannot be used: {why}"), {"why": str(problem)}) from None
        with contextlib.suppress(OSError):  # a share may have modes of its own
            # What a command writes is for its user alone; a letter is for all who reach the box.
            (self.store.folder / name).chmod(0o644)
        return True

    def read_registry(self) -> Registry:
        """Return the City's list of centres. Raise ActProblem where there is none."""
        text = self.read(REGISTRY)
        if not text:
            raise ActProblem("city.no_registry", N_("{box} has no list of centres yet."), {"box": self.store.describe()})
        return read_registry(text)

    def list_rounds(self, registry: Registry) -> list[OpenRound]:
        """Return the rounds that the City called under this list of centres, the newest last."""
        try:
            names = self.store.list_names()
        except StoreProblem as problem:
            raise ActProblem("city.box", N_("The box cannot be used: {why}"), {"why": str(problem)}) from None
        calls = []
        for name in names:
            match = CALL_FILE.fullmatch(name)
            text = self.read(name) if match else ""
            # Calls of an earlier list of centres stay in the box; they are over.
            if text and look_at_letter(text).get("registry") == registry.id:
                calls.append(read_call(text, registry))
        calls.sort(key=lambda call: (call.period, call.attempt))
        return [OpenRound(call, self._read_inbox(registry, call)) for call in calls]

    def _read_inbox(self, registry: Registry, call: RoundCall) -> dict[tuple[str, str], str]:
        keys = [(kind, CITY) for kind in (*LISTS.values(), RESULT)]
        for kind in KINDS:
            keys += [(kind, name) for name in registry.keys]
        texts = {key: self.read(name_letter(call, *key)) for key in keys}
        return {key: text for key, text in texts.items() if text}


def name_letter(call: RoundCall, kind: str, sender: str) -> str:
    """Return the name of a letter's file."""
    return f"{call.period}.{call.attempt}.{kind}.{sender}.json"


def check_letter_file(path: Path) -> str:
    """Return the text of a file that somebody gave; raise ExportProblem where it is no letter."""
    text = path.read_text(encoding="utf-8", errors="replace")
    look_at_letter(text)
    return text
