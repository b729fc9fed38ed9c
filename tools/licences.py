"""Write docs/licences.md: what runs with the product, and under which licence each package may be used."""

import importlib.metadata
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/licences.md"
HEAD = """# Licences

fieldapp is under [Apache-2.0](../LICENSE). This page lists what it runs with, as each package itself states its
licence; nothing of it is copied into this repository. It is written by `make licences`, and a test holds it
against what is installed.

Libraries under LGPL, MPL or ZPL are used as they are and can be exchanged, which is all that these ask for here.

| package | licence |
|---|---|
"""
CLIENT_HEAD = """
In the phone app and the pages (their text is bundled into the built files):

| package | licence |
|---|---|
"""
# Read in their licence files, since their metadata say nothing.
IN_THEIR_FILES = {"pyrage": "MIT", "pyxform": "BSD-2-Clause"}
LONGEST = 60  # characters: some packages put the whole text where its name belongs


def locked_packages() -> list[str]:
    """Return the names in requirements.lock."""
    text = (ROOT / "requirements.lock").read_text()
    return re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)


def find_licence(name: str) -> str | None:
    """Return what an installed package states; None for one that this platform does not need."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    stated = metadata.get("License-Expression") or metadata.get("License") or ""
    if 0 < len(stated) <= LONGEST and "\n" not in stated:
        return stated
    marks = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    return ", ".join(marks) or IN_THEIR_FILES[name]


def client_licences() -> dict[str, str]:
    """Return the packages that are bundled into the client, with their licences."""
    wanted = json.loads((ROOT / "client/package.json").read_text())["dependencies"]
    packages = json.loads((ROOT / "client/package-lock.json").read_text())["packages"]
    return {name: packages[f"node_modules/{name}"]["license"] for name in sorted(wanted)}


def write_page() -> str:
    """Return the text of the page."""
    stated = {name: find_licence(name) for name in sorted(locked_packages(), key=str.lower)}
    lines = [f"| {name} | {licence} |\n" for name, licence in stated.items() if licence]
    client = [f"| {name} | {licence} |\n" for name, licence in client_licences().items()]
    return HEAD + "".join(lines) + CLIENT_HEAD + "".join(client)


if __name__ == "__main__":
    PAGE.write_text(write_page())
