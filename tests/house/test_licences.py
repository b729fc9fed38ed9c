"""The list of licences is that of the packages that are locked."""

from pathlib import Path

from tools import licences

ROOT = Path(__file__).parent.parent.parent


def test_every_locked_package_stands_there_with_its_licence() -> None:
    page = (ROOT / "docs/licences.md").read_text()
    for name in licences.locked_packages():
        stated = licences.find_licence(name)
        assert stated is None or f"| {name} | {stated} |" in page, f"{name}: run make licences"
    for name, stated in licences.client_licences().items():
        assert f"| {name} | {stated} |" in page


def test_nothing_stronger_than_the_licences_that_were_looked_at() -> None:
    """A new package under GPL or AGPL would bind everybody who passes fieldapp on: somebody has to decide that."""
    page = (ROOT / "docs/licences.md").read_text()
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| ")]
    strong = {
        name.strip() for name, licence in rows if "GPL" in licence and "LGPL" not in licence and "Lesser" not in licence
    }
    assert not strong
