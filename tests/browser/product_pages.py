"""The demo with its products built."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, Server
from tests.city import squares


@pytest.fixture(scope="session")
def products(server: Server, demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The demo with outlines and with its products built, as the clock would."""
    listed = (ROOT / "fieldapp/program/hierarchies/area.csv").read_text().splitlines()[1:]
    file = tmp_path_factory.mktemp("geo") / "city.geojson"
    file.write_text(squares([line.split(",")[0] for line in listed]))
    environment = {**os.environ, "FIELDAPP_DATA": str(demo_data)}
    for command in (
        ["geo", "import", str(file), "--attribution", "Invented", "--centre", "rexdale"],
        ["products", "build"],
    ):
        subprocess.run([sys.executable, "-m", "fieldapp", *command], cwd=ROOT, env=environment, check=True)
    return server
